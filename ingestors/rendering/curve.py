"""Line plots of one or many series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ingestors.conventions import falls
from ingestors.rendering import axes, legend, lettering
from ingestors.rendering.colours import LINES, along, tinted
from ingestors.rendering.scales import axis_of, floats, place, same_scale, wants_log, wants_log_x
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.rendering.colours import Colour

Floats = NDArray[np.float64]
Line = tuple[Floats, Floats, str]

_MOST_SERIES: Final = 48
_FEW_POINTS: Final = 40  # up to here the points themselves are marked
_DENSE: Final = 150  # points: from here on corners are too close to need to be rounded, and lines to be finer
_LINE_WIDTH: Final = 2.0
_JUMP: Final = 0.2  # of the axis: a step as long as this, and far longer than the others, was not measured
_FAR_LONGER: Final = 20.0


@dataclass(frozen=True)
class Series:
    """A line: `x` and `y` of the same length (the shorter one counts), NaN makes a gap, `label` for the legend."""

    x: NDArray[np.generic]
    y: NDArray[np.generic]
    label: str = ""


def curve(
    series: Sequence[Series],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    x_reversed: bool | None = None,
    log_x: bool | None = None,
    log_y: bool | None = None,
    equal: bool = False,
) -> bytes:
    """Draw the series as a PNG of 400x300 pixels.

    `x_reversed`: large x at the left; None asks how the field draws what `x_label` names (binding energies). `log_x`, `log_y`: None decides by the data (points taken at
    logarithmic distances; a decay, a scattering curve: most of the points spread over decades). `equal`: the same scale
    on both axes (Nyquist plots). No points at all give empty axes that say so.
    """
    words = axes.Words(title, x_label, y_label)
    image = plotted(series, words, x_reversed=x_reversed, log_x=log_x, log_y=log_y, equal=equal)
    if image.mode != "RGB":
        return axes.encode(image)
    return axes.encode(image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))


def plotted(
    series: Sequence[Series],
    words: axes.Words,
    *,
    x_reversed: bool | None = None,
    log_x: bool | None = None,
    log_y: bool | None = None,
    equal: bool = False,
    size: axes.Size = axes.WHOLE,
    colours: Sequence[Colour] = (),
) -> Image.Image:
    """As `curve`, as a picture of the given size, in the given colours (one for each series).

    Grey (`L`) if there are no points, with a palette (`P`) if there is one line, else `RGB`.
    """
    backwards = falls(*split_name(words.x_label)) if x_reversed is None else x_reversed
    lines = [line for line in map(cleaned, _chosen(series)) if line[0].size]
    use_log_x = wants_log_x([x for x, _, _ in lines]) if log_x is None else log_x
    use_log_y = wants_log([y for _, y, _ in lines]) if log_y is None else log_y
    lines, use_log_x, use_log_y = _loggable(lines, log_x=use_log_x, log_y=use_log_y)
    known = [x[np.isfinite(y)] for x, y, _ in lines]
    marked = any(part.size <= _FEW_POINTS or _is_scatter(part) for part in known)
    x_axis = axis_of(known, log=use_log_x, margin=0.03 if marked else 0.0, count=round(size[0] / 80))
    up = axis_of([y[np.isfinite(y)] for _, y, _ in lines], log=use_log_y, margin=0.05, count=max(2, size[1] // 60))
    box = axes.margins(words, x_axis, up, size)
    tints = list(colours) or [_colour(index, len(lines)) for index in range(len(lines))]
    named = legend.entries([label for _, _, label in lines], tints[: len(lines)])

    def laid(area: axes.Box) -> tuple[tuple[axes.Axis, axes.Axis], list[Image.Image]]:
        scales = same_scale(x_axis, up, area) if equal else (x_axis, up)
        return scales, _masks(lines, scales, area, x_reversed=backwards)

    scales, masks = laid(box)
    free = legend.free_place(masks, named) if named.shown else None
    area = box
    if named.shown and free is None:
        area = (box[0], box[1] + legend.ROW, box[2], box[3])
        scales, masks = laid(area)
    grey = axes.frame(area, words, *scales, x_reversed=backwards, size=size)
    if not any(np.isfinite(y).any() for _, y, _ in lines):
        lettering.write(grey, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), "no data", 16, 140, "m")
        return grey
    if len(masks) == 1 and not named.shown:
        return tinted(grey, masks[0], tints[0], (area[0], area[1]))
    image = grey.convert("RGB")
    for mask, tint in zip(masks, tints, strict=False):
        image.paste(tint, (area[0], area[1]), mask)
    if free is not None:
        legend.draw_box(image, named, (area[0] + free[0], area[1] + free[1]))
    elif named.shown:
        note = lettering.width(up.note, axes.TICK_SIZE) + 12 if up.note else 0
        legend.draw_row(image, named, (box[0] + note, box[2], box[1] - 4 - (axes.TICK_SIZE if note else 0) // 2))
    return image


def _chosen(series: Sequence[Series]) -> list[Series]:
    """All series, or as many as can be told apart, evenly spread."""
    if len(series) <= _MOST_SERIES:
        return list(series)
    return [series[round(index)] for index in np.linspace(0, len(series) - 1, _MOST_SERIES)]


def cleaned(line: Series) -> Line:
    """The numbers of a series, of equal length; what cannot be drawn is NaN."""
    x, y = floats(line.x), floats(line.y)
    count = min(x.size, y.size)
    x, y = x[:count], y[:count]
    return x, np.where(np.isfinite(x), y, np.nan), line.label


def _loggable(lines: list[Line], *, log_x: bool, log_y: bool) -> tuple[list[Line], bool, bool]:
    """The lines without what a logarithmic scale cannot show, and whether anything is left for one."""
    for axis, log in ((0, log_x), (1, log_y)):
        if not log:
            continue
        cut = [(x, np.where((x, y)[axis] > 0, y, np.nan), label) for x, y, label in lines]
        if any(np.isfinite(y).any() for _, y, _ in cut):
            lines = [(np.where(x > 0, x, np.nan), y, label) for x, y, label in cut] if axis == 0 else cut
        elif axis == 0:
            log_x = False
        else:
            log_y = False
    return lines, log_x, log_y


def _masks(
    lines: Sequence[Line], scales: tuple[axes.Axis, axes.Axis], box: axes.Box, *, x_reversed: bool
) -> list[Image.Image]:
    few = len(lines) <= len(LINES)
    return [
        drawn(
            place(x, scales[0], reverse=x_reversed),
            place(y, scales[1], reverse=True),
            box,
            3 if few and x.size < _DENSE else 2,
        )
        for x, y, _ in lines
    ]


def drawn(x: Floats, y: Floats, box: axes.Box, scale: int) -> Image.Image:
    """The line as a mask of the plot area, antialiased by drawing it `scale` times as large."""
    across, down = box[2] - box[0], box[3] - box[1]
    mask = Image.new("L", (across * scale, down * scale), 0)
    draw = ImageDraw.Draw(mask)
    broken = _jumps(x[np.isfinite(y)])
    keep = thinned(x, y, across * 2)
    x, y = x[keep] * (mask.width - 1), y[keep] * (mask.height - 1)
    finite = np.isfinite(y)
    scattered = _is_scatter(x[finite])
    sparse = int(finite.sum()) <= _FEW_POINTS
    ends = np.diff(finite) | (np.abs(np.diff(x)) > broken * mask.width)
    for part in np.split(np.arange(x.size), np.flatnonzero(ends) + 1):
        if not part.size or not finite[part[0]]:
            continue
        points = np.column_stack((x[part], y[part])).ravel().tolist()
        if not scattered and part.size > 1:
            draw.line(points, fill=255, width=round(_LINE_WIDTH * scale), joint="curve" if part.size < _DENSE else None)
        if scattered or sparse or part.size == 1:
            radius = (2.6 if sparse else 1.7) * scale
            for left, top in zip(points[::2], points[1::2], strict=True):
                draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=255)
    return mask.reduce(scale)


def _jumps(x: Floats) -> float:
    """The step, as a fraction of the axis, from which a line of many points is broken: it leads to another branch.

    Where x goes one way only, a long step is a gap in a single branch, and is drawn.
    """
    steps = np.diff(x)
    if steps.size < _FEW_POINTS or (steps >= 0).all() or (steps <= 0).all():
        return np.inf
    return max(_JUMP, _FAR_LONGER * float(np.percentile(np.abs(steps), 95)))


def thinned(x: Floats, y: Floats, chunks: int) -> NDArray[np.intp]:
    """Indices of the points that matter to the eye: first, last and extreme ones of each of `chunks` stretches."""
    if x.size <= chunks * 4:
        return np.arange(x.size)
    length = -(-x.size // chunks)
    padded = length * (-(-x.size // length))
    index = np.minimum(np.arange(padded), x.size - 1).reshape(-1, length)
    rows = np.arange(index.shape[0])
    picked = [index[:, 0], index[:, -1]]
    for values in (x[index], y[index]):
        picked.append(index[rows, np.where(np.isnan(values), np.inf, values).argmin(axis=1)])
        picked.append(index[rows, np.where(np.isnan(values), -np.inf, values).argmax(axis=1)])
    return np.unique(np.concatenate(picked))


def _is_scatter(x: Floats) -> bool:
    """Whether x jumps to and fro so often that a line would only scribble."""
    if x.size < 8:  # noqa: PLR2004 a few points are joined
        return False
    steps = np.sign(np.diff(x))
    turns = np.count_nonzero(steps[1:] * steps[:-1] < 0)
    return bool(turns > 0.2 * steps.size)


def _colour(index: int, count: int) -> Colour:
    return LINES[index] if count <= len(LINES) else along(0.9 * index / (count - 1))
