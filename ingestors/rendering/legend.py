"""Which line is which: a box where no line is, else a row above the plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from ingestors.rendering import axes, lettering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.rendering.colours import Colour

ROW: Final = 18  # height of one line
_SIZE: Final = 14
_MOST: Final = 5
_KEY: Final = 22  # the stroke of colour and the gap after it
_WIDEST: Final = 150
_STEP: Final = 6  # pixels between the places that are looked at


@dataclass(frozen=True)
class Entry:
    """One line's name and colour."""

    text: str
    colour: Colour


@dataclass(frozen=True)
class Legend:
    """The lines that are named, and how many there are if not all are."""

    shown: tuple[Entry, ...] = ()
    more: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the box."""
        width = max(lettering.width(text, _SIZE) for text in [*(entry.text for entry in self.shown), self.more])
        return width + _KEY + 12, ROW * (len(self.shown) + bool(self.more)) + 6


def entries(labels: Sequence[str], colours: Sequence[Colour]) -> Legend:
    """The names of six lines at most; none if there is one line only."""
    named = [
        Entry(lettering.fitted(label, _SIZE, _WIDEST), colour)
        for label, colour in zip(labels, colours, strict=True)
        if label.strip()
    ]
    if len(labels) < 2 or len({entry.text for entry in named}) < 2:  # noqa: PLR2004 the title and the axis name a single line
        return Legend()
    if len(named) <= _MOST + 1:
        return Legend(tuple(named))
    spread = tuple(named[round(index)] for index in np.linspace(0, len(named) - 1, _MOST))
    return Legend(spread, f"{len(named)} lines")


def free_place(masks: Sequence[Image.Image], names: Legend) -> tuple[int, int] | None:
    """The left and top of a box for the names that no line touches, corners first; None if there is none."""
    covered = np.logical_or.reduce([np.asarray(mask) > 0 for mask in masks])
    rows, columns = covered.shape
    width, height = names.size
    if width + 8 > columns or height + 8 > rows:
        return None
    total = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    total[1:, 1:] = covered.cumsum(axis=0).cumsum(axis=1)
    lefts = [columns - width - 4, 4, *range(4, columns - width - 4, _STEP)]
    tops = [4, rows - height - 4, *range(4, rows - height - 4, _STEP)]
    for top in tops:
        for left in lefts:
            below, right = top + height, left + width
            if total[below, right] - total[top, right] - total[below, left] + total[top, left] == 0:
                return left, top
    return None


def draw_box(image: Image.Image, names: Legend, place: tuple[int, int]) -> None:
    """The names below each other on a colour picture."""
    left, top = place
    for row, entry in enumerate(names.shown):
        _draw(image, entry, (left + 5, top + 3 + ROW * row))
    if names.more:
        _write(image, names.more, (left + 5, top + 3 + ROW * len(names.shown)))


def draw_row(image: Image.Image, names: Legend, room: tuple[int, int, int]) -> None:
    """The names beside each other from the left, `room` being left, right and top; those that do not fit are left out."""
    left, right, top = room
    last = lettering.width(names.more, _SIZE) + 8 if names.more else 0
    for entry in names.shown:
        wide = lettering.width(entry.text, _SIZE) + _KEY + 12
        if left + wide + last > right + 12:
            break
        _draw(image, entry, (left, top))
        left += wide
    if names.more:
        _write(image, names.more, (left, top))


def _draw(image: Image.Image, entry: Entry, place: tuple[int, int]) -> None:
    left, top = place
    ImageDraw.Draw(image).line([(left, top + ROW // 2), (left + _KEY - 7, top + ROW // 2)], fill=entry.colour, width=4)
    _write(image, entry.text, (left + _KEY, top))


def _write(image: Image.Image, text: str, place: tuple[int, int]) -> None:
    patch = Image.new("L", (lettering.width(text, _SIZE) + 4, ROW), 0)
    lettering.write(patch, (1, ROW - 5), text, _SIZE, 255)
    image.paste((axes.INK,) * 3, place, patch)
