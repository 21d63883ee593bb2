"""Which scale shows given numbers best: linear or logarithmic, and its limits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ingestors.rendering import axes

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

TOO_LARGE: Final = 1e200  # fill values and garbage: their differences would overflow
_ENOUGH: Final = 8  # points, to speak of a bulk
_NOT_POSITIVE: Final = 0.02  # share of points that a logarithmic scale may lose
_FAR_OUTSIDE: Final = 1e6  # lengths of the axis
_ZEROS: Final = 0.1  # the same, if they are zeros: a detector that counted nothing, a source at rest


def floats(values: NDArray[np.generic]) -> Floats:
    """One dimension of float64; infinities, fill values and what is no number become NaN, complex its magnitude."""
    return numbers(np.asarray(values).ravel())


def numbers(values: NDArray[np.generic]) -> Floats:
    """As `floats`, in the shape that the values have."""
    array = np.abs(values) if np.iscomplexobj(values) else values
    with np.errstate(all="ignore"):
        try:
            found = array.astype(np.float64)
        except (TypeError, ValueError):
            return np.full(array.shape, np.nan)
        return np.where(np.abs(found) < TOO_LARGE, found, np.nan)


def wants_log(values: Sequence[Floats]) -> bool:
    """Whether the bulk of the points, not only a peak, spreads over decades."""
    everything = np.concatenate([y[np.isfinite(y)] for y in values]) if values else np.empty(0)
    if everything.size < _ENOUGH:
        return False
    positive = everything[everything > 0]
    if positive.size < (1 - _ZEROS) * everything.size or np.mean(everything < 0) > _NOT_POSITIVE:
        return False
    low, lower, upper, high = np.log10(np.percentile(positive, [0, 15, 85, 100]))
    return bool(upper - lower > 1.2 and 2 < high - low < 15) and not all(map(_is_peak, values))  # noqa: PLR2004 decades


def _is_peak(values: Floats) -> bool:
    """Whether a line rises from next to nothing and falls back to it: a spectrum, whose tails nobody wants to see in decades.

    Counts are left out: a rocking curve is one of them.
    """
    known = values[np.isfinite(values)]
    if known.size < _ENOUGH or (known == np.rint(known)).all():
        return False
    place, few = int(known.argmax()) / known.size, max(1, known.size // 20)
    ends = max(float(np.median(known[:few])), float(np.median(known[-few:])))
    return bool(0.1 < place < 0.9 and ends < 0.01 * known.max())  # noqa: PLR2004 in the middle; next to nothing


def wants_log_x(values: Sequence[Floats]) -> bool:
    """Whether the points were taken at logarithmic distances: frequencies of an impedance, lag times, q of scattering."""
    longest = max(values, key=len, default=np.empty(0))
    x = np.unique(longest[np.isfinite(longest)])
    if x.size < _ENOUGH or x[0] <= 0 or x[-1] < 30 * x[0]:
        return False
    steps, factors = np.diff(x), np.diff(np.log(x))
    return bool(steps.std() / steps.mean() > 2 * factors.std() / factors.mean())


def is_dwarfed(values: Sequence[Floats]) -> bool:
    """Whether one peak of counts is so high that a linear scale shows nothing of the others."""
    everything = np.concatenate([y[np.isfinite(y)] for y in values]) if values else np.empty(0)
    if everything.size < 10 * _ENOUGH or (everything < 0).any() or np.mean(everything == 0) > _ZEROS:
        return False
    middle, most, highest = np.percentile(everything, [50, 98, 100])
    return bool(highest > 30 * most and most < 20 * middle)


def axis_of(values: Sequence[Floats], *, log: bool, margin: float, count: int) -> axes.Axis:
    """The axis that holds all values; from 0 to 1 if there are none."""
    finite = [part for part in (part[np.isfinite(part)] for part in values) if part.size]
    if not finite:
        return axes.linear_axis(0.0, 1.0, margin=margin, count=count)
    low, high = min(float(part.min()) for part in finite), max(float(part.max()) for part in finite)
    return axes.log_axis(low, high, count=count) if log else axes.linear_axis(low, high, margin=margin, count=count)


def place(values: Floats, axis: axes.Axis, *, reverse: bool) -> Floats:
    """Values as fractions of the axis, in the direction of the pixels."""
    low, high = (math.log10(axis.low), math.log10(axis.high)) if axis.log else (axis.low, axis.high)
    with np.errstate(all="ignore"):  # what is far outside of the axis is outside
        part = ((np.log10(values) if axis.log else values) - low) / (high - low)
        part = np.where(np.abs(part) < _FAR_OUTSIDE, part, np.nan)
    return 1 - part if reverse else part


def same_scale(x_axis: axes.Axis, y_axis: axes.Axis, box: axes.Box) -> tuple[axes.Axis, axes.Axis]:
    """Both linear axes with the same units for each pixel, the one with room to spare widened around its middle."""
    across, up = (x_axis.high - x_axis.low) / (box[2] - box[0]), (y_axis.high - y_axis.low) / (box[3] - box[1])
    if x_axis.log or y_axis.log or not 1e-3 < across / up < 1e3:  # noqa: PLR2004 one of them would be a line
        return x_axis, y_axis
    wide, pixels = (x_axis, box[2] - box[0]) if across < up else (y_axis, box[3] - box[1])
    middle, half = (wide.low + wide.high) / 2, max(across, up) * pixels / 2
    wider = replace(axes.linear_axis(middle - half, middle + half, count=len(wide.ticks)), log=False)
    return (wider, y_axis) if across < up else (x_axis, wider)
