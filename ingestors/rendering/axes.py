"""Scales, ticks and the frame around a plot: everything that curves and maps have in common."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from ingestors.rendering import lettering

WIDTH: Final = 400
HEIGHT: Final = 300
PAPER: Final = 255
INK: Final = 40
MUTED: Final = 95
GRID: Final = 228
TITLE_SIZE: Final = 17
LABEL_SIZE: Final = 15
TICK_SIZE: Final = 14
_LONG: Final = 2e4  # ratio of numbers to their spacing from which their common part is written once
_COMPRESSION: Final = 2  # beyond this, zlib takes twice the time for a fifth of the bytes

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels"""
Size = tuple[int, int]
"""width, height in pixels"""

WHOLE: Final[Size] = (WIDTH, HEIGHT)

_SMALLEST_DECADE: Final = -300.0
_LARGEST_DECADE: Final = 300.0
"""Powers of ten that a float still holds, with room for the margins."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One scale: its limits (low < high), whether it is logarithmic, and its ticks.

    `note` is the factor or offset that all tick labels share ("x10⁶", "+1600000000"); `minor` are ticks without one.
    """

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]
    note: str = ""
    minor: tuple[float, ...] = ()

    def fraction(self, value: float) -> float:
        """Where a value lies between the limits: 0 at `low`, 1 at `high`."""
        if self.log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)


def linear_axis(low: float, high: float, *, margin: float = 0.0, count: int = 5) -> Axis:
    """A scale over finite limits with about `count` ticks at 1, 2 or 5 times a power of ten."""
    if not high > low or high - low < 1e-12 * max(abs(low), abs(high)):
        pad = abs(low) * 0.05 or 0.5
        low, high = low - pad, high + pad
    span = high - low
    low, high = low - margin * span, high + margin * span
    step = _step((high - low) / max(count, 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [index * step for index in range(first, min(last, first + 50) + 1)]
    labels, note = _labels(values, step)
    return Axis(low, high, log=False, ticks=tuple(zip(values, labels, strict=True)), note=note)


def log_axis(low: float, high: float, *, count: int = 5) -> Axis:
    """A logarithmic scale over positive limits, with a tick at each decade (or at every second, third ... one)."""
    bottom, top = math.log10(low), math.log10(high)
    pad = 0.04 * (top - bottom) or 0.5
    bottom = max(bottom - pad, _SMALLEST_DECADE)
    top = max(min(top + pad, _LARGEST_DECADE), bottom + pad)
    every = max(1, math.ceil((top - bottom) / max(count, 1)))
    decades = [ten for ten in range(math.ceil(bottom), math.floor(top) + 1) if ten % every == 0]
    if len(decades) > 1:
        ticks = tuple((10.0**ten, _decade(ten)) for ten in decades)
    else:  # one label would say nothing about the scale
        steps = [m * 10.0**ten for ten in range(math.floor(bottom), math.ceil(top) + 1) for m in (1, 2, 5)]
        ticks = tuple((value, f"{value:g}") for value in steps if bottom <= math.log10(value) <= top)
    between = [m * 10.0**ten for ten in range(math.floor(bottom), math.ceil(top)) for m in range(2, 10)]
    if every > 1:
        between = [10.0**ten for ten in range(math.ceil(bottom), math.floor(top) + 1) if ten % every]
    minor = tuple(value for value in between if bottom <= math.log10(value) <= top)
    return Axis(10.0**bottom, 10.0**top, log=True, ticks=ticks, minor=minor)


def _decade(ten: int) -> str:
    return f"{10**ten}" if 0 <= ten <= 3 else lettering.drawable(f"10^{ten}")  # noqa: PLR2004 up to 1000 reads well


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    part = rough / power
    return power * (1 if part < 1.5 else 2 if part < 3.5 else 5 if part < 7.5 else 10)  # noqa: PLR2004 the nearest in logarithm


def _labels(values: list[float], step: float) -> tuple[list[str], str]:
    """Tick labels, and what they have in common if they would be long otherwise."""
    if not values:
        return [], ""
    largest = max(abs(value) for value in values)
    offset = 0.0
    if largest > step * _LONG:  # an epoch, a long encoder count
        offset = values[0]
        values = [index * step for index in range(len(values))]
        largest = max(values)
    power = math.floor(math.log10(largest)) if largest > 0 else 0
    power = 3 * (power // 3) if power >= 5 or power <= -4 else 0  # noqa: PLR2004 up to 99999 and down to 0.001 reads well
    scaled = step / 10.0**power
    decimals = min(max(0, -math.floor(math.log10(scaled) + 1e-9)), 12)
    texts = [f"{round(value / 10.0**power, 12) + 0.0:.{decimals}f}" for value in values]
    note = lettering.drawable(f"x10^{power}") if power else ""
    return texts, (note + f" +{offset:.12g}".replace("+-", "-") if offset else note).strip()


@dataclass(frozen=True, slots=True)
class Words:
    """What stands around a plot."""

    title: str = ""
    x_label: str = ""
    y_label: str = ""


def margins(words: Words, x_axis: Axis, y_axis: Axis, size: Size = WHOLE) -> Box:
    """The plot area that leaves room for what stands around it."""
    left = 14 + max((lettering.width(text, TICK_SIZE) for _, text in y_axis.ticks), default=0)
    left += LABEL_SIZE + 6 if words.y_label else 0
    top = 10 + (TITLE_SIZE + 6 if words.title else 0) + (TICK_SIZE if y_axis.note else 0)
    right = size[0] - 14
    bottom = size[1] - 8 - (TICK_SIZE + 4) - (LABEL_SIZE + 5 if words.x_label or x_axis.note else 0)
    return left, top, max(right, left + 24), max(bottom, top + 24)


def frame(
    box: Box,
    words: Words,
    x_axis: Axis,
    y_axis: Axis,
    *,
    x_reversed: bool = False,
    y_reversed: bool = False,
    size: Size = WHOLE,
) -> Image.Image:
    """Draw grid, frame, ticks and labels on a fresh grey image."""
    image = Image.new("L", size, PAPER)
    ticks_below(image, box, x_axis, reverse=x_reversed)
    ticks_beside(image, box, y_axis, reverse=y_reversed)
    left, top, right, bottom = box
    ImageDraw.Draw(image).line([(left, top), (left, bottom), (right, bottom)], fill=150)
    label_across(image, box, words.x_label, x_axis.note)
    widest = max((lettering.width(text, TICK_SIZE) for _, text in y_axis.ticks), default=0)
    label_up(image, box, words.y_label, max(2, left - widest - LABEL_SIZE - 16))
    if y_axis.note:
        lettering.write(image, (left, top - 5), y_axis.note, TICK_SIZE - 1, MUTED)
    write_title(image, words.title)
    return image


def ticks_below(image: Image.Image, box: Box, axis: Axis, *, reverse: bool = False, labelled: bool = True) -> None:
    """Grid lines and labels of the horizontal axis: every label, or every second, third ... one if they would touch."""
    draw = ImageDraw.Draw(image)
    _, top, _, bottom = box
    for value in axis.minor:
        x = _across(axis, value, box, reverse=reverse)
        draw.line([(x, bottom - 4), (x, bottom)], fill=170)
    marks = [(float(_across(axis, value, box, reverse=reverse)), text) for value, text in axis.ticks]
    for at, _ in marks:
        draw.line([(at, top), (at, bottom)], fill=GRID)
    for at, text in _apart(sorted(marks), image.width) if labelled else ():
        lettering.write(image, (at, bottom + TICK_SIZE + 2), text, TICK_SIZE, MUTED, "m")


def _apart(marks: list[tuple[float, str]], room: int) -> list[tuple[float, str]]:
    """Labels with their centres moved into the picture, evenly thinned until none touches the next."""
    for every in range(1, len(marks) + 1):
        chosen = marks[(len(marks) - 1) % every // 2 :: every]
        placed: list[tuple[float, str]] = []
        ends = [-math.inf]
        for x, text in chosen:
            half = lettering.width(text, TICK_SIZE) / 2
            centre = min(max(x, half + 1), room - half - 2)
            if centre - half <= ends[-1] + 6:
                break
            placed.append((centre, text))
            ends.append(centre + half)
        else:
            return placed
    return []


def ticks_beside(image: Image.Image, box: Box, axis: Axis, *, reverse: bool = False) -> None:
    """Grid lines and labels of the vertical axis."""
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = box

    def height(value: float) -> int:
        part = axis.fraction(value)
        return bottom - round((1 - part if reverse else part) * (bottom - top))

    for value in axis.minor:
        draw.line([(left, height(value)), (left + 4, height(value))], fill=170)
    every = 1 + round(TICK_SIZE * len(axis.ticks) / max(bottom - top, 1) - 0.2)  # labels that do not touch
    for number, (value, text) in enumerate(axis.ticks):
        draw.line([(left, height(value)), (right, height(value))], fill=GRID)
        if (len(axis.ticks) - 1 - number) % max(every, 1) == 0:
            lettering.write(image, (left - 5, height(value) + TICK_SIZE * 0.36), text, TICK_SIZE, MUTED, "r")


def _across(axis: Axis, value: float, box: Box, *, reverse: bool) -> int:
    part = axis.fraction(value)
    return round(box[0] + (1 - part if reverse else part) * (box[2] - box[0]))


def write_title(image: Image.Image, title: str) -> None:
    """One line at the top left, cut in the middle where it is too long."""
    if title:
        text = lettering.fitted(title, TITLE_SIZE, image.width - 20)
        lettering.write(image, (10, 8 + TITLE_SIZE * 0.72 + 1), text, TITLE_SIZE, INK)


def label_across(image: Image.Image, box: Box, label: str, note: str) -> None:
    """The horizontal axis' label below its ticks, with the ticks' common factor at its right."""
    base = box[3] + TICK_SIZE + LABEL_SIZE + 6
    note_room = 0
    if note:
        note_room = lettering.width(note, TICK_SIZE - 1) + 12
        lettering.write(image, (image.width - 6, base), note, TICK_SIZE - 1, MUTED, "r")
    if label:
        text = lettering.fitted(lettering.with_unit(label), LABEL_SIZE, image.width - 20 - note_room)
        half = lettering.width(text, LABEL_SIZE) / 2
        centre = min(max((box[0] + box[2]) / 2, half + 6), image.width - 6 - note_room - half)
        lettering.write(image, (centre, base), text, LABEL_SIZE, INK, "m")


def label_up(image: Image.Image, box: Box, label: str, left: int = 2) -> None:
    """The vertical axis' label, turned, `left` pixels from the left edge; never higher than its axis, where the title is."""
    if label:
        text = lettering.fitted(lettering.with_unit(label), LABEL_SIZE, image.height - box[1] - 12)
        strip = Image.new("L", (lettering.width(text, LABEL_SIZE) + 8, LABEL_SIZE + 8), PAPER)
        lettering.write(strip, (4, LABEL_SIZE), text, LABEL_SIZE, INK)
        turned = strip.rotate(90, expand=True)
        middle = (box[1] + box[3]) // 2
        place = min(max(middle - turned.height // 2, box[1] - 4), image.height - turned.height - 2)
        image.paste(turned, (min(left, image.width - turned.width), max(place, 0)))


def encode(image: Image.Image) -> bytes:
    """PNG bytes without any metadata, so that equal pictures are equal bytes."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=_COMPRESSION)
    return stream.getvalue()
