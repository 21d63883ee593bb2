"""What cameras write into pictures (EXIF), and when they took them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from PIL import ExifTags, TiffImagePlugin

from ingestors.api import Quantity
from ingestors.image.opening import ERRORS, MOST_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image as Pillow

_DATE: Final = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)")
_OFFSET: Final = re.compile(r"[+-]\d\d:\d\d")
_UNITS: Final = {
    "ExposureTime": "s",
    "FocalLength": "mm",
    "FocalLengthIn35mmFilm": "mm",
    "SubjectDistance": "m",
    "FlashEnergy": "BCPS",
    "AmbientTemperature": "°C",
    "Humidity": "%",
    "Pressure": "hPa",
}
"""Units that the standard fixes. Source: CIPA DC-008 (Exif 2.32)."""
_LEFT_OUT: Final = frozenset(
    {
        "MakerNote",
        "UserComment",
        "ExifOffset",
        "GPSInfo",
        "PrintImageMatching",
        "JPEGInterchangeFormat",
        "JPEGInterchangeFormatLength",
    }
)


def exif_of(image: Pillow.Image) -> dict[str, Any]:
    """EXIF by tag name: texts, numbers and quantities only (no maker notes, no places)."""
    found: dict[str, Any] = {}
    try:
        exif = image.getexif()
        everything = [*exif.items(), *exif.get_ifd(ExifTags.IFD.Exif).items()]
    except ERRORS:
        return {}
    if image.format == "TIFF":  # there the main directory describes the storage of the pixels
        everything = [
            (tag, value) for tag, value in everything if tag >= ExifTags.Base.ExposureTime or tag in {271, 272, 306}
        ]
    for tag, value in everything[:500]:
        name = ExifTags.TAGS.get(tag)
        if name is None or name in _LEFT_OUT:
            continue
        if isinstance(value, str):
            found[name] = value.strip("\x00 ")[:MOST_TEXT]
        elif isinstance(value, (int, float, TiffImagePlugin.IFDRational)) and not isinstance(value, bool):
            found[name] = _measured(name, value)
    return {name: value for name, value in found.items() if value not in ("", None)}


def _measured(name: str, value: float | TiffImagePlugin.IFDRational) -> Any:
    if isinstance(value, int):
        number: float | int = value
    else:
        try:
            number = float(value)
        except (ZeroDivisionError, ValueError, OverflowError):
            return None
    return Quantity(number, _UNITS[name]) if name in _UNITS else number


def taken(exif: Mapping[str, Any]) -> str:
    """When the picture was taken, as ISO 8601; with an offset only if the camera wrote one."""
    for name, zone, part in (
        ("DateTimeOriginal", "OffsetTimeOriginal", "SubsecTimeOriginal"),
        ("DateTimeDigitized", "OffsetTimeDigitized", "SubsecTimeDigitized"),
        ("DateTime", "OffsetTime", "SubsecTime"),
    ):
        match = _DATE.match(str(exif.get(name, "")))
        if match and match[1] != "0000" and match[2] != "00":
            offset = str(exif.get(zone) or exif.get("OffsetTime") or "").strip()
            fraction = str(exif.get(part, "")).strip()
            fraction = f".{fraction[:6]:0<3}" if fraction.isdigit() and int(fraction) else ""
            return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}{fraction}{offset if _OFFSET.fullmatch(offset) else ''}"
    return ""


def camera(exif: Mapping[str, Any]) -> str:
    """Maker and model, without saying the maker twice."""
    maker, model = (str(exif.get(key, "")).strip() for key in ("Make", "Model"))
    return model if maker and model.casefold().startswith(maker.casefold()) else f"{maker} {model}".strip()
