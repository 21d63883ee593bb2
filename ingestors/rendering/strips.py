"""Several quantities over one abscissa: a strip for each, with a scale of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from ingestors.conventions import falls
from ingestors.rendering import axes, legend, lettering
from ingestors.rendering.colours import LINES
from ingestors.rendering.curve import Series, cleaned, drawn
from ingestors.rendering.scales import axis_of, place, wants_log, wants_log_x
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.rendering.curve import Line

_MOST: Final = 4
_MOST_LINES: Final = 3


@dataclass(frozen=True)
class Strip:
    """Lines of one quantity; `unit` stands behind their names."""

    lines: Sequence[Series]
    unit: str = ""


def strips(
    parts: Sequence[Strip],
    *,
    title: str = "",
    x_label: str = "",
    x_reversed: bool | None = None,
    log_x: bool | None = None,
) -> bytes:
    """Draw up to four strips below each other as a PNG of 400x300 pixels; large values at the top of each.

    The names of the lines stand above their strip. Scales are chosen as in `curve`.
    """
    backwards = falls(*split_name(x_label)) if x_reversed is None else x_reversed
    chosen = [[cleaned(line) for line in part.lines[:_MOST_LINES]] for part in parts[:_MOST]]
    known = [x[np.isfinite(y)] for lines in chosen for x, y, _ in lines]
    use_log_x = wants_log_x(known) if log_x is None else log_x and any((x > 0).any() for x in known)
    x_axis = axis_of([x[x > 0] for x in known] if use_log_x else known, log=use_log_x, margin=0.0, count=5)
    y_axes = [_y_axis(lines) for lines in chosen]
    image = Image.new("L", axes.WHOLE, axes.PAPER)
    axes.write_title(image, title)
    widest = max((lettering.width(text, axes.TICK_SIZE) for axis in y_axes for _, text in axis.ticks), default=0)
    boxes = _boxes(len(chosen), 14 + widest, title=bool(title), named=bool(x_label or x_axis.note))
    for number, (axis, box) in enumerate(zip(y_axes, boxes, strict=True)):
        axes.ticks_below(image, box, x_axis, reverse=backwards, labelled=number == len(boxes) - 1)
        axes.ticks_beside(image, box, axis)
        ImageDraw.Draw(image).line([(box[0], box[1]), (box[0], box[3]), (box[2], box[3])], fill=150)
    if boxes:
        axes.label_across(image, boxes[-1], x_label, x_axis.note)
    whole = image.convert("RGB")
    colours = iter(LINES * 2)
    for part, lines, axis, box in zip(parts, chosen, y_axes, boxes, strict=False):
        _draw(
            whole, part.unit, lines, (x_axis, axis), box, x_reversed=backwards, colours=[next(colours) for _ in lines]
        )
    return axes.encode(whole.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))


def _y_axis(lines: Sequence[Line]) -> axes.Axis:
    values = [y[np.isfinite(y)] for _, y, _ in lines]
    log = wants_log(values)
    return axis_of([y[y > 0] for y in values] if log else values, log=log, margin=0.08, count=3)


def _boxes(count: int, left: int, *, title: bool, named: bool) -> list[axes.Box]:
    """The plot areas from the top down, with room for names above each and the abscissa below the last."""
    top = 6 + (axes.TITLE_SIZE + 8 if title else 0)
    bottom = axes.HEIGHT - 8 - axes.TICK_SIZE - 4 - (axes.LABEL_SIZE + 5 if named else 0)
    each = (bottom - top) / max(count, 1)
    return [
        (left, round(top + each * number) + legend.ROW, axes.WIDTH - 14, round(top + each * (number + 1)) - 3)
        for number in range(count)
    ]


def _draw(
    image: Image.Image,
    unit: str,
    lines: Sequence[Line],
    scales: tuple[axes.Axis, axes.Axis],
    box: axes.Box,
    *,
    x_reversed: bool,
    colours: Sequence[tuple[int, int, int]],
) -> None:
    for (x, y, _), colour in zip(lines, colours, strict=True):
        with np.errstate(invalid="ignore"):
            shown = np.where(y > 0, y, np.nan) if scales[1].log else y
            shown = np.where(x > 0, shown, np.nan) if scales[0].log else shown
            across = np.where(x > 0, x, np.nan) if scales[0].log else x
        mask = drawn(place(across, scales[0], reverse=x_reversed), place(shown, scales[1], reverse=True), box, 3)
        image.paste(colour, (box[0], box[1]), mask)
    names = [lettering.with_unit(f"{label} ({unit})" if unit else label) for _, _, label in lines]
    note = f" {scales[1].note}" if scales[1].note else ""
    entries = tuple(
        legend.Entry(lettering.fitted(name + note, axes.TICK_SIZE, (box[2] - box[0]) // len(lines) - 40), colour)
        for name, colour in zip(names, colours, strict=True)
    )
    legend.draw_row(image, legend.Legend(entries), (box[0], box[2], box[1] - legend.ROW - 1))
