"""What is known of a picture beyond its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

SEM: Final = "Scanning electron microscopy"
TEM: Final = "Transmission electron microscopy"
OPTICAL: Final = "Optical microscopy"

_MICRO: Final = {"micron", "microns", "\\u00b5m", "um", "µm", "\u03bcm", "micrometer", "micrometre"}
_PLAIN: Final = {
    "centimeter": "cm",
    "meter": "m",
    "millimeter": "mm",
    "nanometer": "nm",
    "reference frame": "",
    "pixel": "",
    "pixels": "",
}


@dataclass(frozen=True)
class Facts:
    """What a microscope's or a program's own tags say. `pixel`: width and height of one and their unit."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_type: str = ""
    measurement: str = ""
    name: str = ""
    instrument: str = ""
    timestamp: str = ""
    samples: tuple[str, ...] = ()
    pixel: tuple[float, float, str] | None = None
    warnings: tuple[str, ...] = ()


def length_unit(text: str) -> str:
    r"""`micron`, `\u00B5m` and the like as `µm`; words for no unit as an empty text."""
    bare = text.strip()
    if bare.casefold() in _MICRO:
        return "µm"
    return _PLAIN.get(bare.casefold(), bare)


def pixel_size(width: float | None, height: float | None, unit: str) -> tuple[float, float, str] | None:
    """The size of a pixel if it can be one."""
    both = [size for size in (width, height) if size is not None and 0 < size < 1e6]
    return (both[0], both[-1], unit) if both and unit else None


def told(pixel: tuple[float, float, str] | None) -> dict[str, Quantity]:
    """The size of a pixel as metadata."""
    return (
        {}
        if pixel is None
        else {"pixel_width": Quantity(pixel[0], pixel[2]), "pixel_height": Quantity(pixel[1], pixel[2])}
    )
