"""What is mutated: the corpus, and small made-up files of kinds that are not in it, by family.

A family is what the registry says: the ingestor that claims a file most specifically. A new built-in brings its own.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np
from PIL import Image, PngImagePlugin

from ingestors.api import Candidate
from ingestors.registry import Registry
from tests.contactsheet import CORPUS, files_in

if TYPE_CHECKING:
    from collections.abc import Iterator

FOUND: Final = Path(__file__).parents[1] / "data" / "fuzz"
"""What was found once: kept as a test."""

_LARGEST: Final = 150_000
_HEAD: Final = 24_000
"""Of a text that is longer: headers and the first rows."""
_TEXTS: Final = {"dat", "xy"}

Seed = tuple[str, bytes]
"""A suffix and content"""


def families() -> dict[str, list[Seed]]:
    """Seeds by the name of the ingestor that claims them; without the last one, which reads nothing."""
    registry = Registry.load()
    found: dict[str, list[Seed]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        write_small(made)
        for path in files_in([CORPUS, made]):
            claims = registry.rank(Candidate(path)).claims
            name = claims[0].ingestor if claims else "fallback"
            content = path.read_bytes()
            if name in _TEXTS:
                content = content[:_HEAD]
            if name != "fallback" and len(content) <= _LARGEST:
                found.setdefault(name, []).append((path.suffix, content))
    return dict(sorted(found.items()))


def write_small(folder: Path) -> None:
    """Pictures and HDF5 files with little in them, so that a changed byte matters."""
    for name, content in _pictures():
        (folder / name).write_bytes(content)
    with h5py.File(folder / "small.h5", "w", libver="latest") as file:
        file["counts"] = np.arange(24.0).reshape(4, 6)
        file["counts"].attrs["units"] = "cps"
        file.create_dataset("packed", data=np.arange(100), chunks=(10,), compression="gzip", shuffle=True)
        file["text"] = ["a", "bb"]
    with h5py.File(folder / "small.nxs", "w") as file:
        data = file.create_group("entry/data")
        file["entry"].attrs["NX_class"], data.attrs["NX_class"] = "NXentry", "NXdata"
        data.attrs["signal"], data.attrs["axes"] = "counts", ["x"]
        data["counts"], data["x"] = np.arange(5), np.linspace(0, 1, 5)


def _pictures() -> Iterator[tuple[str, bytes]]:
    pixels = np.add.outer(np.arange(12), np.arange(16)).astype(np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", "a grain")
    text.add_itxt("Software", "camera", zip=True)
    exif = Image.Exif()
    exif[271], exif[306], exif[282] = "Maker", "2021:02:03 04:05:06", 300.0
    yield "a.png", _saved(Image.fromarray(pixels), "PNG", pnginfo=text)
    yield "b.jpg", _saved(Image.fromarray(pixels), "JPEG", exif=exif)
    yield (
        "c.tif",
        _saved(Image.fromarray(pixels.astype(np.uint16) * 200), "TIFF", description="ImageJ=1.53\nunit=um\nspacing=2"),
    )
    yield "d.tif", _saved(Image.fromarray(pixels), "TIFF", compression="tiff_lzw", resolution=300)
    yield "e.gif", _saved(Image.fromarray(pixels), "GIF")
    yield "f.bmp", _saved(Image.fromarray(pixels), "BMP")
    frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
    yield "g.tif", _saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    yield (
        "h.tif",
        _microscope_tiff(
            b"[User]\r\nDate=01/02/2021\r\n[Scan]\r\nPixelWidth=1e-9\r\nPixelHeight=1e-9\r\n[Beam]\r\nHV=5000\r\n"
        ),
    )


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _microscope_tiff(words: bytes) -> bytes:
    """A deflated TIFF with FEI's private tag 34682, which holds settings as text."""
    strip = zlib.compress(bytes(range(192)))
    tags = [(256, 4, 1, 16), (257, 4, 1, 12), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (278, 4, 1, 12),
            (279, 4, 1, len(strip)), (34682, 2, len(words), 8 + len(strip))]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(strip) + len(words)) + strip + words + directory
