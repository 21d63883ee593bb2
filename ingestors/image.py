"""Pictures: PNG, JPEG, TIFF, BMP, GIF and whatever else Pillow reads."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import ExifTags, TiffImagePlugin, UnidentifiedImageError
from PIL import Image as Pillow

from ingestors import rendering
from ingestors.api import Claim, Extraction, Quantity, Specificity, UnreadableError, display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ingestors.api import Candidate, Thumbnail

_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"BM", b"GIF87a", b"GIF89a",
    b"\x00\x00\x00\x0cjP", b"P4\n", b"P5\n", b"P6\n", b"P7\n",
)  # fmt: skip
_FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "JPEG2000", "PPM", "WEBP")
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
_MOST_PIXELS: Final = 60_000_000
_MOST_TEXT: Final = 20_000
_FEI: Final = 34682
_ZEISS: Final = 34118
_DATE: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_OFFSET: Final = re.compile(r"[+-]\d\d:\d\d")
_ERRORS: Final = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    IndexError,
    OverflowError,
    EOFError,
    Pillow.DecompressionBombError,
)
"""What Pillow's readers raise for broken files."""


class Image:
    """A picture file. What it shows is unknown, so the measurement is left to the configuration."""

    name = "image"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """CONTAINER, if the first bytes are those of a format that Pillow reads and its header opens."""
        head = candidate.head
        if not head.startswith(_MAGIC) and not (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
            return None
        try:
            with _opened(candidate.path) as image:
                return Claim(Specificity.CONTAINER, f"{image.format} image of {image.width} x {image.height} pixels")
        except UnreadableError as error:
            weak = head.startswith((b"BM", b"P4", b"P5", b"P6", b"P7"))  # two letters may begin any text
            return None if weak else Claim(Specificity.CONTAINER, f"first bytes of an image, but: {error}")

    def extract(self, candidate: Candidate) -> Extraction:
        """Read size, mode, embedded texts and a thumbnail. Raises UnreadableError for broken pictures."""
        with _opened(candidate.path) as image:
            found: dict[str, Any] = {
                "image": {
                    "width": Quantity(image.width, "px"),
                    "height": Quantity(image.height, "px"),
                    "mode": image.mode,
                }
            }
            notes = []
            if (frames := _frames(image)) > 1:
                found["image"]["frames"] = frames
                notes.append(f"The file holds {frames} images; the thumbnail shows the first.")
            exif = _exif(image)
            attributes = {
                "dataset_name": candidate.stem,
                "data_type": "Image",
                "data_format": (image.format or candidate.suffix.lstrip(".")).lower(),
                "timestamp": _taken(exif),
                "instrument_name": " ".join(
                    dict.fromkeys(str(exif[key]).strip() for key in ("Make", "Model") if key in exif)
                ),
            }
            thumbnail, problem = _thumbnail(image, candidate.name)
            found |= _texts(image, decoded=not problem) | ({"exif": exif} if exif else {})
        return Extraction(
            attributes={name: value for name, value in attributes.items() if value},
            scientific_metadata=found,
            thumbnails=[thumbnail] if thumbnail is not None else [],
            warnings=[*notes, *([problem] if problem else [])],
        )


def thumbnails(paths: Sequence[Path], most: int) -> list[Thumbnail]:
    """Thumbnails of those of the files that are pictures, at most `most`; broken ones are left out."""
    found: list[Thumbnail] = []
    for path in paths:
        if len(found) >= most:
            break
        if path.suffix.lower() in _SUFFIXES:
            try:
                with _opened(path) as image:
                    thumbnail, _ = _thumbnail(image, display_name(path.name))
            except UnreadableError:
                continue
            found += [thumbnail] if thumbnail is not None else []
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """The picture with its pixels not yet decoded. Raises UnreadableError, also for too many pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags and of large pictures; both are handled here
        try:
            image = Pillow.open(path, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise UnreadableError("The file begins like a picture, but is none that can be read.") from error
        except _ERRORS as error:
            raise UnreadableError(f"The picture cannot be opened: {error}") from error
        with image:
            yield image


def _thumbnail(image: Pillow.Image, title: str) -> tuple[Thumbnail | None, str]:
    """The picture made small, or the reason why there is none."""
    if image.width * image.height > _MOST_PIXELS:
        return None, f"No thumbnail: the picture has {image.width} x {image.height} pixels."
    try:
        image.draft(None, (1600, 1200))  # JPEG decodes at a fraction of its size
        image.load()
        upright = _upright(image)
    except _ERRORS as error:
        return None, f"No thumbnail: the pixels cannot be decoded ({error})."
    step = max(1, min(upright.width // 1200, upright.height // 900))
    if step > 1:
        upright = (
            upright.reduce(step)
            if upright.mode in {"L", "RGB"}
            else upright.resize((upright.width // step, upright.height // step))
        )
    pixels = np.asarray(upright) if upright.mode.startswith(("I", "F")) else upright
    return rendering.thumbnail(title, rendering.picture(pixels)), ""


def _upright(image: Pillow.Image) -> Pillow.Image:
    turns = {3: Pillow.Transpose.ROTATE_180, 6: Pillow.Transpose.ROTATE_270, 8: Pillow.Transpose.ROTATE_90}
    turn = turns.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image.transpose(turn) if turn is not None else image


def _frames(image: Pillow.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except _ERRORS:
        return 1


def _texts(image: Pillow.Image, *, decoded: bool) -> dict[str, Any]:
    """What is written into the file: PNG texts, TIFF's description, the microscopes' own tags."""
    found: dict[str, Any] = {}
    # PNG texts may stand behind the pixels, so Pillow decodes these to get at them: only if that went well before
    texts = getattr(image, "text", {}) if decoded else {} if image.format != "PNG" else image.info
    png = {str(key): value[:_MOST_TEXT] for key, value in texts.items() if isinstance(value, str)}
    if png:
        found["text"] = png
    if isinstance(comment := image.info.get("comment"), (str, bytes)) and comment:
        found["comment"] = _text(comment)
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    for number, name in ((270, "ImageDescription"), (305, "Software"), (306, "DateTime"), (315, "Artist")):
        if value := _tag(tags, number):
            found.setdefault("tiff", {})[name] = _text(value)
    for number, name in ((_FEI, "fei"), (_ZEISS, "zeiss")):
        if value := _tag(tags, number):
            found[name] = microscope_text(_text(value, 200_000))
    if isinstance(tags, TiffImagePlugin.ImageFileDirectory_v2) and (resolution := _resolution(tags)):
        found["resolution"] = resolution
    return found


def _tag(tags: Mapping[int, Any], number: int) -> Any:
    try:
        return tags.get(number)
    except _ERRORS:
        return None


def _resolution(tags: Mapping[int, Any]) -> dict[str, Quantity]:
    unit = {2: "px/in", 3: "px/cm"}.get(_tag(tags, 296) or 2)
    found = {}
    for number, name in ((282, "x"), (283, "y")):
        value = _tag(tags, number)
        try:
            found[name] = Quantity(float(value), unit or "") if value and unit else None
        except _ERRORS:
            continue
    return {name: value for name, value in found.items() if value is not None}


def microscope_text(text: str) -> dict[str, Any]:
    """`[Section]` lines and `key=value` lines, as FEI and Zeiss microscopes write them, as nested texts and numbers."""
    found: dict[str, Any] = {}
    section = found
    for line in text.splitlines()[:5000]:
        if match := re.fullmatch(r"\s*\[([^\]]+)\]\s*", line):
            section = found.setdefault(match[1], {})
        elif match := re.fullmatch(r"\s*([^=]{1,80}?)\s*=\s*(.*?)\s*", line):
            section[match[1]] = _number(match[2])
    return found


def _number(text: str) -> Any:
    for convert in (int, float):
        try:
            value = convert(text)
        except ValueError:
            continue
        return value if "_" not in text else text
    match = re.fullmatch(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s+([^\d\s]\S{0,7})", text)
    return Quantity(float(match[1]), match[2]) if match else text


def _exif(image: Pillow.Image) -> dict[str, Any]:
    """EXIF by tag name: texts and numbers only (no maker notes)."""
    found: dict[str, Any] = {}
    try:
        exif = image.getexif()
        everything = [*exif.items(), *exif.get_ifd(ExifTags.IFD.Exif).items()]
    except _ERRORS:
        return {}
    if image.format == "TIFF":  # there the main directory describes the storage of the pixels
        everything = [
            (tag, value) for tag, value in everything if tag >= ExifTags.Base.ExposureTime or tag in {271, 272, 306}
        ]
    for tag, value in everything[:500]:
        name = ExifTags.TAGS.get(tag)
        if name is None or name in {"MakerNote", "UserComment", "ExifOffset", "GPSInfo", "PrintImageMatching"}:
            continue
        if isinstance(value, str):
            found[name] = value.strip("\x00 ")[:_MOST_TEXT]
        elif isinstance(value, (int, float, TiffImagePlugin.IFDRational)) and not isinstance(value, bool):
            found[name] = _plain_number(value)
    return {name: value for name, value in found.items() if value not in {"", None}}


def _plain_number(value: float | TiffImagePlugin.IFDRational) -> float | int | None:
    if isinstance(value, int):
        return value
    try:
        return float(value)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def _taken(exif: Mapping[str, Any]) -> str:
    """When the picture was taken, as ISO 8601; with an offset only if the camera wrote one."""
    for name, zone in (
        ("DateTimeOriginal", "OffsetTimeOriginal"),
        ("DateTimeDigitized", "OffsetTimeDigitized"),
        ("DateTime", "OffsetTime"),
    ):
        match = _DATE.fullmatch(str(exif.get(name, "")))
        if match and match[1] != "0000" and match[2] != "00":
            offset = str(exif.get(zone) or exif.get("OffsetTime") or "").strip()
            return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}" + (offset if _OFFSET.fullmatch(offset) else "")
    return ""


def _text(value: Any, most: int = _MOST_TEXT) -> str:
    if isinstance(value, tuple):
        value = value[0] if value else ""
    raw = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return raw.strip("\x00 \r\n")[:most]
