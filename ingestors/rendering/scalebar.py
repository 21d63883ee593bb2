"""The bar that says how large things are."""

from __future__ import annotations

import math
from typing import Final

from PIL import Image, ImageDraw

from ingestors.rendering import lettering

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_PART: Final = 0.3  # of the picture's width, at most
_SIZE: Final = 15
_METRES: Final = {
    "m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "\u00b5m": 1e-6, "\u03bcm": 1e-6, "micron": 1e-6, "microns": 1e-6,
    "nm": 1e-9, "pm": 1e-12, "\u00c5": 1e-10, "\u212b": 1e-10, "angstrom": 1e-10,
}  # fmt: skip
_SHOWN: Final = ((1.0, "m"), (1e-3, "mm"), (1e-6, "\u00b5m"), (1e-9, "nm"), (1e-12, "pm"))


def length_of(pixel: float, unit: str, width: int) -> tuple[float, str] | None:
    """The length in pixels of a bar of 1, 2 or 5 times a power of ten that suits a picture, and what it stands for.

    `pixel` is the size of one pixel. Lengths are written with the prefix that suits them. None if the size is no size.
    """
    if not (math.isfinite(pixel) and pixel > 0 and width > 0):
        return None
    whole = pixel * width * _PART
    metres = _METRES.get(unit.strip())
    factor, shown = 1.0, unit.strip()
    if metres is not None:
        factor, shown = next(
            ((size / metres, name) for size, name in _SHOWN if whole * metres >= size), (1e-12 / metres, "pm")
        )
    amount = whole / factor
    if not 1e-9 < amount < 1e9:  # noqa: PLR2004 a unit that nobody would use for it
        return None
    power = 10.0 ** math.floor(math.log10(amount))
    bar = max(step * power for step in _STEPS if step * power <= amount * (1 + 1e-9))
    return bar * factor / pixel, f"{bar:g} {shown}".strip()


def draw(image: Image.Image, pixel: float, unit: str) -> None:
    """Draw the bar and its length at the lower right of a grey or colour picture, on a dark plate; `pixel`: size of one."""
    found = length_of(pixel, unit, image.width)
    if found is None:
        return
    long, text = round(found[0]), lettering.drawable(found[1])
    words = lettering.width(text, _SIZE)
    width, height = max(long, words) + 16, _SIZE + 19
    if width > image.width or height > image.height:
        return
    plate = Image.new("L", (width, height), 20)
    lettering.write(plate, (width / 2, _SIZE + 1), text, _SIZE, 255, "m")
    left = (width - long) // 2
    ImageDraw.Draw(plate).rectangle([left, height - 10, left + long - 1, height - 6], fill=255)
    place = (image.width - width - 8, image.height - height - 8)
    image.paste(plate.convert(image.mode), (max(place[0], 0), max(place[1], 0)), Image.new("L", plate.size, 200))
