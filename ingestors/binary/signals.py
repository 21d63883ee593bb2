"""Arrays with axes, as NeXus calls them, and what is said and shown of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ingestors.rendering import Series, curve, heatmap, map_beside_curve, montage, picture, thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.api import Thumbnail

Array = NDArray[Any]

_MOST_LINES: Final = 6
_MOST_FRAMES: Final = 12
_MOST_SIGNALS: Final = 64


_PREFIXED: Final = frozenset({"m", "s", "A", "V", "W", "F", "N", "T"})
_PREFIXES: Final = ((1e3, "m"), (1e6, "µ"), (1e9, "n"), (1e12, "p"), (1e15, "f"))
_SMALL: Final = 0.01


def _labelled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit and name and unit.casefold() != name.casefold() else name or unit


@dataclass(frozen=True)
class Axis:
    """Coordinates along one dimension: `start + index * step`, or `points` one by one. Without a name: pixel numbers."""

    name: str = ""
    unit: str = ""
    start: float = 0.0
    step: float = 1.0
    points: Array | None = None

    @property
    def label(self) -> str:
        """Name and unit for a picture: `Energy (eV)`."""
        return _labelled(self.name, self.unit)

    def at(self, indices: Array) -> NDArray[np.float64]:
        """The coordinates of these indices."""
        if self.points is not None:
            known = indices[indices < self.points.size]
            return np.asarray(self.points[known], dtype=np.float64)
        return self.start + self.step * indices.astype(np.float64)

    def edges(self, count: int) -> tuple[float, float]:
        """Where the first point of `count` begins and the last one ends."""
        ends = self.at(np.array([0, max(count - 1, 0)]))
        first, last = (float(one) for one in ends) if ends.size > 1 else (0.0, float(count - 1))
        half = (last - first) / (count - 1) / 2 if count > 1 else abs(self.step) / 2 or 0.5
        return first - half, last + half


@dataclass(frozen=True)
class Signal:
    """Values (numpy, any number of dimensions) with an axis for each dimension, the slowest one first.

    `shape`: as in the file; `values` may be a part of it: along the first dimension those of `chosen`. `rows_down`:
    the first row of a plane is at the top. `spectral`: the dimension along which each point has its spectrum, if one.
    """

    values: Array
    axes: tuple[Axis, ...]
    name: str = ""
    unit: str = ""
    shape: tuple[int, ...] = ()
    chosen: Array | None = None
    rows_down: bool = False
    spectral: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and unit for a picture."""
        return _labelled(self.name, self.unit)

    def at(self, dimension: int) -> NDArray[np.float64]:
        """Coordinates of the values that are here along a dimension."""
        length = self.values.shape[dimension]
        return self.axes[dimension].at(self.chosen if dimension == 0 and self.chosen is not None else np.arange(length))


def described(signals: Sequence[Signal]) -> dict[str, Any]:
    """What a catalog shows of signals: shape, type, unit, range, and name, unit and range of each axis."""
    if not signals:
        return {}
    shown = [_described(one) for one in signals[:_MOST_SIGNALS]]
    return {"data": shown[0]} if len(signals) == 1 else {"data": shown}


def _described(signal: Signal) -> dict[str, Any]:
    shape = signal.shape or signal.values.shape
    found: dict[str, Any] = {"name": signal.name} if signal.name else {}
    found |= {"shape": [int(side) for side in shape], "dtype": signal.values.dtype.newbyteorder("=").name}
    found |= {"unit": signal.unit} if signal.unit else {}
    low, high = span(signal.values)
    if low is not None:
        found |= {"min": low, "max": high}
    if signal.values.shape[0] < shape[0]:
        found["read"] = f"{signal.values.shape[0]} of {int(shape[0])}: the range is theirs"
    axes = [_axis(axis, length) for axis, length in zip(signal.axes, shape, strict=False) if axis.label]
    return found | ({"axes": axes} if axes else {}) | dict(signal.about)


def _axis(axis: Axis, length: int) -> dict[str, Any]:
    first, last = axis.at(np.array([0])), axis.at(np.array([max(length - 1, 0)]))
    found: dict[str, Any] = {"name": axis.name} | ({"unit": axis.unit} if axis.unit else {}) | {"points": int(length)}
    return found | ({"first": float(first[0]), "last": float(last[0])} if first.size and last.size else {})


def span(values: Array) -> tuple[float | None, float | None]:
    """The least and the greatest number, or None twice where there is none."""
    if values.dtype.kind not in "iufb" or not values.size:
        return None, None
    if values.dtype.kind != "f":
        return float(values.min()), float(values.max())
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def drawn(signals: Sequence[Signal], title: str, *, reverse: bool = False, most: int = 4) -> tuple[Thumbnail, ...]:
    """Pictures: curves of one x axis together, planes as maps, stacks as montages, cubes of spectra as map and spectrum."""
    lines = [one for one in signals if one.values.ndim == 1 and one.values.size > 1]
    pictures: list[Thumbnail] = []
    if lines:
        same = [one for one in lines if one.axes[0].label == lines[0].axes[0].label and one.label == lines[0].label]
        pictures.append(_curves(same if len(same) > 1 else lines[:1], title, reverse=reverse))
    for one in sorted((one for one in signals if one.values.ndim > 1 and one.values.size), key=_is_flat):
        if len(pictures) >= most:
            break
        pictures += _shown(one, title, reverse=reverse)
    return tuple(pictures[:most])


def _is_flat(signal: Signal) -> bool:
    """Whether there is nothing to see: all values are the same."""
    low, high = span(signal.values)
    return low == high


def _curves(lines: Sequence[Signal], title: str, *, reverse: bool) -> Thumbnail:
    first = lines[0]
    spread = [lines[round(at)] for at in np.linspace(0, len(lines) - 1, min(len(lines), _MOST_LINES))]
    x_factor, x_unit = _prefix(first.axes[0].unit, first.at(0))
    factor, unit = _prefix(first.unit, first.values)
    png = curve(
        [Series(one.at(0) * x_factor, one.values * factor, str(one.about.get("label", one.name))) for one in spread],
        title=title,
        x_label=_labelled(first.axes[0].name, x_unit),
        y_label=_labelled(first.name, unit),
        x_reversed=reverse,
    )
    return thumbnail(f"{first.name or 'signal'} against {first.axes[0].name or 'index'}", png)


def _shown(signal: Signal, title: str, *, reverse: bool) -> list[Thumbnail]:
    values, axes = signal.values, signal.axes
    if values.ndim == 2 and values.shape[1] == 1:
        return [_curves([Signal(values[:, 0], (axes[0],), signal.name, signal.unit)], title, reverse=reverse)]
    if values.ndim == 2 and values.shape[0] <= _MOST_LINES and values.shape[1] > 4 * _MOST_LINES:
        rows = [
            Signal(row, (axes[1],), signal.name, signal.unit, about={"label": label})
            for row, label in zip(values, _labels(signal), strict=False)
        ]
        return [_curves(rows, title, reverse=reverse)]
    if values.ndim == 2:
        return [plane(signal, title)]
    if signal.spectral is not None:
        return _cube(signal, title, reverse=reverse)
    frames = values.reshape(-1, *values.shape[-2:])
    if len(frames) == 1:
        return [plane(Signal(frames[0], axes[-2:], signal.name, signal.unit, rows_down=signal.rows_down), title)]
    picked = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _MOST_FRAMES)).astype(int))
    tiles = [frames[at] if signal.rows_down else frames[at][::-1] for at in picked]
    labels = [_labels(signal)[at] for at in picked] if len(frames) == values.shape[0] else []
    total = int(np.prod((signal.shape or values.shape)[:-2]))
    return [thumbnail(f"{len(picked)} of {total} frames", montage(tiles, title=title, labels=labels))]


def _labels(signal: Signal) -> list[str]:
    """What tells the slabs of the first dimension from each other: their coordinate, else their number."""
    known = signal.axes[0]
    if not known.label:
        return [str(index + 1) for index in range(signal.values.shape[0])]
    return [f"{value:.4g} {known.unit}".strip() for value in signal.at(0)]


def _cube(signal: Signal, title: str, *, reverse: bool) -> list[Thumbnail]:
    """The sum of each point's spectrum as a map, and the mean spectrum beside it."""
    along = signal.spectral or 0
    numbers = np.abs(signal.values) if np.iscomplexobj(signal.values) else signal.values
    rest = tuple(index for index in range(numbers.ndim) if index != along)
    mean = numbers.mean(axis=rest, dtype=np.float64)
    chosen = signal.chosen if along == 0 else None
    spectrum = Signal(mean, (signal.axes[along],), f"mean {signal.name}".strip(), signal.unit, chosen=chosen)
    total = numbers.sum(axis=along, dtype=np.float64)
    if total.ndim != 2 or min(total.shape) < 2:
        return [_curves([spectrum], title, reverse=reverse)]
    down, across = (signal.axes[index] for index in rest)
    rows = signal.shape[0] if signal.shape and rest[0] == 0 else total.shape[0]
    field = (_extent(across, total.shape[1]), _extent(down, rows))
    same = across.unit == down.unit and across.unit
    factor, unit = _prefix(spectrum.axes[0].unit, spectrum.at(0))
    png = map_beside_curve(
        total[::-1] if signal.rows_down else total,
        Series(spectrum.at(0) * factor, mean),
        title=title,
        x_label=_labelled(spectrum.axes[0].name, unit),
        field=field if same else None,
        unit=across.unit,
    )
    return [thumbnail(f"sum and mean of {signal.name}" if signal.name else "sum and mean spectrum", png)]


def _extent(axis: Axis, count: int) -> float:
    first, last = axis.edges(count)
    return abs(last - first)


def _prefix(unit: str, values: Array) -> tuple[float, str]:
    """A factor and a unit with which small SI values are easy to read; 1 and the unit itself for all others."""
    low, high = span(np.asarray(values))
    largest = max(abs(low), abs(high)) if low is not None and high is not None else 0.0
    if unit not in _PREFIXED or not 0 < largest < _SMALL:
        return 1.0, unit
    factor, letter = next(((factor, letter) for factor, letter in _PREFIXES if largest * factor >= 1), _PREFIXES[-1])
    return factor, letter + unit


def plane(signal: Signal, title: str) -> Thumbnail:
    """A map with its scales; whole numbers of which no scale is known (a camera's) and colours as a plain picture."""
    name = signal.name or "map"
    whole = signal.values.dtype.kind in "iub"
    if signal.values.ndim != 2 or (whole and not any(axis.label for axis in signal.axes)):
        values = signal.values if signal.rows_down or signal.values.ndim != 2 else signal.values[::-1]
        return thumbnail(name, picture(values, title))
    down, across = signal.axes
    x, y = (
        np.array(across.edges(signal.values.shape[1])),
        np.array(down.edges((signal.shape or signal.values.shape)[0])),
    )
    together = across.unit == down.unit  # lengths that belong together have one unit
    x_factor, x_unit = _prefix(across.unit, np.concatenate([x, y]) if together else x)
    y_factor, y_unit = (x_factor, x_unit) if together else _prefix(down.unit, y)
    (left, right), (bottom, top) = (x * x_factor).tolist(), (y * y_factor).tolist()
    factor, unit = _prefix(signal.unit, signal.values)
    png = heatmap(
        signal.values * factor if factor != 1.0 else signal.values,
        title=title,
        extent=(left, right, top, bottom) if signal.rows_down else (left, right, bottom, top),
        x_label=_labelled(across.name, x_unit),
        y_label=_labelled(down.name, y_unit),
        unit=_labelled(signal.name, unit),
        origin="upper" if signal.rows_down else "lower",
        equal=together,
    )
    return thumbnail(name, png)
