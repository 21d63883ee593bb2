"""Line plots of one or many series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ingestors.rendering import axes, lettering
from ingestors.rendering.colours import LINES, along

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

_MOST_SERIES: Final = 48
_IN_LEGEND: Final = 5
_FEW_POINTS: Final = 40  # up to here the points themselves are marked
_TOO_LARGE: Final = 1e200  # fill values and garbage: their differences would overflow


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
    x_reversed: bool = False,
    log_y: bool | None = None,
) -> bytes:
    """Draw the series as a PNG of 400x300 pixels.

    `x_reversed`: large x at the left (binding energies). `log_y`: None decides by the data (a decay, a scattering
    curve: most of the points spread over decades). No points at all give empty axes that say so.
    """
    lines = [line for line in map(_clean, _chosen(series)) if line[0].size]
    log = _wants_log([y for _, y, _ in lines]) if log_y is None else log_y
    if log:
        lines = [(x, np.where(y > 0, y, np.nan), label) for x, y, label in lines]
        log = any(np.isfinite(y).any() for _, y, _ in lines)
    known = [x[np.isfinite(y)] for x, y, _ in lines]
    marked = any(part.size <= _FEW_POINTS or _is_scatter(part) for part in known)
    x_axis = _axis(known, log=False, margin=0.03 if marked else 0.0, count=5)
    y_axis = _axis([y[np.isfinite(y)] for _, y, _ in lines], log=log, margin=0.05, count=5)
    box = axes.margins(title, x_label, y_label, y_axis, x_axis)
    grey = axes.frame(
        box, title=title, x_label=x_label, y_label=y_label, x_axis=x_axis, y_axis=y_axis, x_reversed=x_reversed
    )
    if not any(np.isfinite(y).any() for _, y, _ in lines):
        lettering.write(grey, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), "no data", 16, 140, "m")
        return axes.encode(grey)
    image = grey.convert("RGB")
    covered = np.zeros((box[3] - box[1], box[2] - box[0]), dtype=bool)
    for index, (x, y, _) in enumerate(lines):
        mask = _drawn(
            _place(x, x_axis, reverse=x_reversed),
            _place(y, y_axis, reverse=True),
            box,
            3 if len(lines) <= len(LINES) else 2,
        )
        image.paste(_colour(index, len(lines)), (box[0], box[1]), mask)
        covered |= np.asarray(mask) > 0
    _legend(image, box, [label for _, _, label in lines], covered)
    return axes.encode(image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))


def _chosen(series: Sequence[Series]) -> list[Series]:
    """All series, or as many as can be told apart, evenly spread."""
    if len(series) <= _MOST_SERIES:
        return list(series)
    return [series[round(index)] for index in np.linspace(0, len(series) - 1, _MOST_SERIES)]


def _clean(line: Series) -> tuple[Floats, Floats, str]:
    x, y = _floats(line.x), _floats(line.y)
    count = min(x.size, y.size)
    x, y = x[:count], y[:count]
    return x, np.where(np.isfinite(x), y, np.nan), line.label


def _floats(values: NDArray[np.generic]) -> Floats:
    """One dimension of float64; infinities, fill values and what is no number become NaN, complex its magnitude."""
    flat = np.asarray(values).ravel()
    if np.iscomplexobj(flat):
        flat = np.abs(flat)
    with np.errstate(all="ignore"):
        try:
            numbers = flat.astype(np.float64)
        except (TypeError, ValueError):
            return np.full(flat.size, np.nan)
        return np.where(np.abs(numbers) < _TOO_LARGE, numbers, np.nan)


def _wants_log(values: Sequence[Floats]) -> bool:
    """Whether the bulk of the points, not only a peak, spreads over decades."""
    everything = np.concatenate([y[np.isfinite(y)] for y in values]) if values else np.empty(0)
    if everything.size < 8:  # noqa: PLR2004 too few to speak of a bulk
        return False
    positive = everything[everything > 0]
    if positive.size < 0.98 * everything.size:
        return False
    low, lower, upper, high = np.log10(np.percentile(positive, [0, 15, 85, 100]))
    return bool(upper - lower > 1.2 and 2 < high - low < 15)  # noqa: PLR2004 decades


def _axis(values: Sequence[Floats], *, log: bool, margin: float, count: int) -> axes.Axis:
    finite = [part for part in (part[np.isfinite(part)] for part in values) if part.size]
    if not finite:
        return axes.linear_axis(0.0, 1.0, margin=margin, count=count)
    low, high = min(float(part.min()) for part in finite), max(float(part.max()) for part in finite)
    return axes.log_axis(low, high, count=count) if log else axes.linear_axis(low, high, margin=margin, count=count)


def _place(values: Floats, axis: axes.Axis, *, reverse: bool) -> Floats:
    """Values as fractions of the axis, in the direction of the pixels."""
    low, high = (np.log10(axis.low), np.log10(axis.high)) if axis.log else (axis.low, axis.high)
    part = ((np.log10(values) if axis.log else values) - low) / (high - low)
    return 1 - part if reverse else part


def _drawn(x: Floats, y: Floats, box: axes.Box, scale: int) -> Image.Image:
    """The line as a mask of the plot area, antialiased by drawing it `scale` times as large."""
    across, down = box[2] - box[0], box[3] - box[1]
    mask = Image.new("L", (across * scale, down * scale), 0)
    draw = ImageDraw.Draw(mask)
    keep = thinned(x, y, across * 2)
    x, y = x[keep] * (mask.width - 1), y[keep] * (mask.height - 1)
    finite = np.isfinite(y)
    scattered = _is_scatter(x[finite])
    sparse = int(finite.sum()) <= _FEW_POINTS
    for part in np.split(np.arange(x.size), np.flatnonzero(np.diff(finite)) + 1):
        if not part.size or not finite[part[0]]:
            continue
        points = np.column_stack((x[part], y[part])).ravel().tolist()
        if not scattered and part.size > 1:
            draw.line(points, fill=255, width=round(1.7 * scale), joint="curve" if part.size < 400 else None)  # noqa: PLR2004 joints cost
        if scattered or sparse or part.size == 1:
            radius = (2.3 if sparse else 1.5) * scale
            for left, top in zip(points[::2], points[1::2], strict=True):
                draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=255)
    return mask.reduce(scale)


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


def _colour(index: int, count: int) -> tuple[int, int, int]:
    return LINES[index] if count <= len(LINES) else along(0.9 * index / (count - 1))


def _legend(image: Image.Image, box: axes.Box, labels: Sequence[str], covered: NDArray[np.bool_]) -> None:
    """Names of the series in the corner that hides the least."""
    named = [(index, lettering.fitted(label, 12, 130)) for index, label in enumerate(labels) if label.strip()]
    if len(labels) < 2 or not named:  # noqa: PLR2004 one series is named by the title and the axis
        return
    shown = named[:_IN_LEGEND]
    more = f"and {len(named) - _IN_LEGEND} more" if len(named) > _IN_LEGEND else ""
    width = max(lettering.width(text, 12) for _, text in [*shown, (0, more)]) + 32
    height = 16 * (len(shown) + bool(more)) + 6
    left, top = _emptiest(covered, width, height)
    patch = Image.new("L", (width, height), axes.PAPER)
    for row, (_, text) in enumerate([*shown, *([(-1, more)] if more else [])]):
        lettering.write(patch, (26, 15 + 16 * row), text, 12, axes.INK)
    place = (box[0] + left, box[1] + top)
    image.paste(patch.convert("RGB"), place, Image.new("L", patch.size, 225))
    draw = ImageDraw.Draw(image)
    for row, (index, _) in enumerate(shown):
        y = place[1] + 11 + 16 * row
        draw.line([(place[0] + 5, y), (place[0] + 20, y)], fill=_colour(index, len(labels)), width=3)


def _emptiest(covered: NDArray[np.bool_], width: int, height: int) -> tuple[int, int]:
    rows, columns = covered.shape
    corners = [(columns - width - 4, 4), (4, 4), (columns - width - 4, rows - height - 4), (4, rows - height - 4)]
    corners = [(max(left, 0), max(top, 0)) for left, top in corners]
    return min(corners, key=lambda at: int(covered[at[1] : at[1] + height, at[0] : at[0] + width].sum()))
