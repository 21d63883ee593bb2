"""The colours of lines and maps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]

LINES: Final[tuple[Colour, ...]] = (
    (0, 94, 162),
    (213, 94, 0),
    (0, 138, 100),
    (176, 82, 148),
    (184, 134, 11),
    (72, 82, 99),
)
"""Colours that stay apart for colour-blind eyes (after Okabe and Ito), darkened for thin lines on white."""

_VIRIDIS: Final = (
    "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725"
)
"""viridis by Nathaniel Smith and Stéfan van der Walt (CC0), at sixteen even steps."""


_SHADES: Final = 16  # of grey, and as many of the colour over them: together the 256 colours of a palette
_SHADE_OF: Final = [round(value * (_SHADES - 1) / 255) for value in range(256)]
_INK_OF: Final = [shade * _SHADES for shade in _SHADE_OF]


def tinted(grey: Image.Image, mask: Image.Image, tint: Colour, corner: tuple[int, int]) -> Image.Image:
    """A grey picture (`L`) with one colour where the mask says, its left top at `corner`: `P`, with every blend in its palette.

    What quantizing the blended picture would give, in a tenth of the time.
    """
    codes = np.array(grey.point(_SHADE_OF))
    ink = np.asarray(mask.point(_INK_OF))
    codes[corner[1] : corner[1] + mask.height, corner[0] : corner[0] + mask.width] |= ink
    image = Image.fromarray(codes)
    image.putpalette(_blends(tint))
    return image


@lru_cache(maxsize=32)
def _blends(tint: Colour) -> bytes:
    """The palette: from paper to ink for each step of the colour."""
    parts = [step / (_SHADES - 1) for step in range(_SHADES)]
    return bytes(round(255 * paper * (1 - part) + value * part) for part in parts for paper in parts for value in tint)


def viridis(count: int) -> NDArray[np.uint8]:
    """The colour map in `count` even steps, dark to light: (count, 3) of 0..255."""
    anchors = np.array(
        [[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in _VIRIDIS.split()], dtype=np.float64
    )
    at = np.linspace(0, len(anchors) - 1, count)
    columns = [np.interp(at, np.arange(len(anchors)), anchors[:, channel]) for channel in range(3)]
    return np.rint(np.column_stack(columns)).astype(np.uint8)


def along(part: float) -> Colour:
    """The colour at a fraction (0 to 1) of the map."""
    red, green, blue = viridis(256)[round(255 * min(max(part, 0.0), 1.0))]
    return int(red), int(green), int(blue)
