from __future__ import annotations

import io
import json
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin, TiffImagePlugin

from ingestors.api import Candidate, Extraction, Ingestor, Quantity, UnreadableError, jsonable
from ingestors.image import Image, microscope_text

if TYPE_CHECKING:
    from pathlib import Path


def extracted(path: Path) -> Extraction:
    """The extraction, whose metadata are JSON."""
    found = Image().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(Image(), Ingestor)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM", "WEBP"])
def test_common_formats_are_recognised_by_content(tmp_path: Path, kind: str) -> None:
    """Whatever the file is called."""
    path = tmp_path / "picture.dat"
    Pillow.new("RGB", (64, 48), "navy").save(path, kind)
    claim = Image().claim(Candidate(path))
    assert claim is not None
    assert "64 x 48" in claim.reason
    found = extracted(path)
    assert found.scientific_metadata["image"]["width"] == Quantity(64, "px")
    assert found.attributes["data_type"] == "Image"
    assert len(found.thumbnails) == 1


@pytest.mark.parametrize(
    "content", [b"", b"BM is how this text begins", b"P5\nnot a picture", b"x,y\n1,2\n", b"\x89HDF\r\n\x1a\n"]
)
def test_what_is_no_picture_is_declined(tmp_path: Path, content: bytes) -> None:
    """Two letters at the beginning do not make a bitmap."""
    path = tmp_path / "a.bmp"
    path.write_bytes(content)
    assert Image().claim(Candidate(path)) is None


@pytest.mark.parametrize(
    ("offset", "expected"), [(None, "2024-05-06T07:08:09"), ("+02:00", "2024-05-06T07:08:09+02:00")]
)
def test_the_cameras_time_has_an_offset_only_if_it_wrote_one(tmp_path: Path, offset: str | None, expected: str) -> None:
    """Guessing a zone would move the measurement by hours."""
    exif = Pillow.Exif()
    exif[271], exif[272] = "Canon", "EOS R5"
    exif.get_ifd(0x8769)[36867] = "2024:05:06 07:08:09"
    if offset:
        exif.get_ifd(0x8769)[36881] = offset
    path = tmp_path / "a.jpg"
    Pillow.new("RGB", (40, 30)).save(path, exif=exif)
    found = extracted(path)
    assert found.attributes["timestamp"] == expected
    assert found.attributes["instrument_name"] == "Canon EOS R5"


def test_png_texts_are_metadata(tmp_path: Path) -> None:
    """ScopeFoundry writes the data file's id into the pictures it saves."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "ScopeFoundry")
    info.add_text("Description", "0tr0cfhse5zsh000anr9s136kr")
    path = tmp_path / "a.png"
    Pillow.new("L", (40, 30)).save(path, pnginfo=info)
    assert extracted(path).scientific_metadata["text"] == {
        "Software": "ScopeFoundry",
        "Description": "0tr0cfhse5zsh000anr9s136kr",
    }


def test_sixteen_bits_are_stretched_to_what_can_be_seen(tmp_path: Path) -> None:
    """A camera's 12-bit frame in a 16-bit file would be black otherwise."""
    path = tmp_path / "a.tif"
    Pillow.fromarray(np.linspace(100, 900, 4800).reshape(60, 80).astype(np.uint16)).save(path)
    with Pillow.open(io.BytesIO(extracted(path).thumbnails[0].png)) as shown:
        values = np.asarray(shown.convert("L"))
    assert values.min() < 20
    assert values.max() > 235


def test_microscopes_own_tags_are_parsed(tmp_path: Path) -> None:
    """FEI writes sections of key=value into tag 34682."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[34682] = 2
    tags[34682] = "[User]\r\nDate=05/06/2024\r\n[Beam]\r\nHV=5000\r\nSpot=3.5\r\n"
    tags[270] = "grid square 7"
    path = tmp_path / "a.tif"
    Pillow.new("L", (40, 30)).save(path, tiffinfo=tags)
    found = extracted(path).scientific_metadata
    assert found["fei"] == {"User": {"Date": "05/06/2024"}, "Beam": {"HV": Quantity(5000, "V"), "Spot": 3.5}}


def test_numbers_with_units_in_a_microscopes_text_are_quantities() -> None:
    """Zeiss writes `WD = 4.5 mm`."""
    assert microscope_text("WD = 4.5 mm\nEHT = 3.00 kV\nDetector = InLens\n") == {
        "WD": Quantity(4.5, "mm"),
        "EHT": Quantity(3.0, "kV"),
        "Detector": "InLens",
    }


@given(st.text(max_size=300))
def test_any_microscope_text_is_accepted(text: str) -> None:
    """The text comes from a stranger's file."""
    json.dumps(jsonable(microscope_text(text)), allow_nan=False)


def test_several_pages_are_told(tmp_path: Path) -> None:
    """The thumbnail shows twelve of them, and a warning says that there are more."""
    path = tmp_path / "a.tif"
    pages = [Pillow.new("L", (40, 30), level) for level in range(30)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    found = extracted(path)
    assert found.scientific_metadata["image"]["frames"] == 30
    assert "12 of 30 frames" in found.thumbnails[0].caption
    assert any("30 images" in warning for warning in found.warnings)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its bytes could mean well."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 10**6))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (100_000, 100_000)])
def test_a_bomb_is_not_decoded(tmp_path: Path, width: int, height: int) -> None:
    """A few kilobytes that would become gigabytes: size or refusal, never the pixels."""
    path = tmp_path / "a.png"
    path.write_bytes(bomb(width, height))
    try:
        found = extracted(path)
    except UnreadableError as error:
        assert "pixels" in str(error)  # noqa: PT017 both ends are right
    else:
        assert not found.thumbnails
        assert any("pixels" in warning for warning in found.warnings)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "BMP"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    st.integers(0, 100),
)
def test_damaged_pictures_are_read_or_refused_with_a_sentence(
    tmp_path: Path, kind: str, damage: list[tuple[int, int]], cut: int
) -> None:
    """Flipped and missing bytes never raise anything but UnreadableError."""
    stream = io.BytesIO()
    Pillow.linear_gradient("L").resize((60, 40)).save(stream, kind)
    raw = bytearray(stream.getvalue())
    for place, value in damage:
        raw[place % len(raw)] = value
    path = tmp_path / "a"
    path.write_bytes(raw[: max(1, len(raw) - cut)])
    if Image().claim(Candidate(path)) is not None:
        try:
            extracted(path)
        except UnreadableError as error:
            assert str(error)  # noqa: PT017 both ends are right
