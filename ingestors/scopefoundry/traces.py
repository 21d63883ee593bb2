"""Spectra, time traces and sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.ingestor import is_bookkeeping
from ingestors.hdf5.survey import unit_of

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_TIME: Final = ("time_array", "time", "times", "t", "elapsed_time", "timestamps")
_POINTS: Final = 100_000


def spectrum(scene: Scene) -> list[Thumbnail]:
    """`spectrum` (or its mean over a detector's rows) or `spectra` over the spectral axis."""
    data = scene.data("spectrum", "spectra", "intensities", "counts", "intensity", "integrated_spectra")
    if data is None or data.ndim > 2:  # noqa: PLR2004 a line or rows of lines
        return []
    x = scene.x_axis(data.shape[-1])
    if data.ndim == 1:
        found = shapes.line(data, x, title=scene.name)
    elif str(data.name).endswith("/spectrum"):
        found = _mean_line(scene, data, x)
    else:
        found = shapes.lines(data, x, title=scene.name)
    return [found] if found is not None else []


def _mean_line(scene: Scene, data: h5py.Dataset, x: h5py.Dataset | None) -> Thumbnail | None:
    values = reading.read(data, (400, 6000))
    if values is None:
        return None
    across = None if x is None else reading.read(x, [6000])
    mean = np.asarray(values, dtype=np.float64).mean(axis=0)
    line = rendering.Series(np.arange(mean.size) if across is None or across.shape != mean.shape else across, mean)
    x_label = "channel" if x is None else shapes.label(str(x.name), unit_of(x))
    png = rendering.curve(
        [line], title=scene.name, x_label=x_label, y_label=shapes.label("mean of rows", unit_of(data))
    )
    return rendering.thumbnail("spectrum", png)


def trace(scene: Scene) -> list[Thumbnail]:
    """Signals over the time array of the same length, or a `buffer` over its points."""
    time = scene.data(*_TIME)
    named = [
        (name, scene.data(name))
        for name in reading.names(scene.group, 60)
        if name not in _TIME and not is_bookkeeping(name)
    ]
    signals = [(name, data) for name, data in named if data is not None and data.ndim == 1 and data.size > 1]
    if time is not None:
        signals = [(name, data) for name, data in signals if data.shape == time.shape] or signals
    if not signals:
        return []
    unit = unit_of(signals[0][1])
    together = [(name, data) for name, data in signals if unit_of(data) == unit and data.shape == signals[0][1].shape][
        :6
    ]
    across = None if time is None or time.shape != together[0][1].shape else reading.read(time, [_POINTS])
    series = []
    for name, data in together:
        values = reading.read(data, [_POINTS])
        if values is not None:
            series.append(rendering.Series(np.arange(values.size) if across is None else across, values, name))
    if not series:
        return []
    x_label = "point" if across is None or time is None else shapes.label(str(time.name), unit_of(time))
    y_label = shapes.label(series[0].label if len(series) == 1 else "", unit) if len(series) == 1 or unit else ""
    png = rendering.curve(series, title=scene.name, x_label=x_label, y_label=y_label)
    return [rendering.thumbnail(", ".join(line.label for line in series[:3]), png)]


def sweep(scene: Scene) -> list[Thumbnail]:
    """What collectors recorded over the ranges of one or two actuators (`range_<actuator>`)."""
    ranges = [name for name in reading.names(scene.group, 200) if name.startswith("range_")]
    axes = [data for data in map(scene.data, ranges) if data is not None and data.ndim == 1]
    if not axes:
        return []
    for name in sorted(reading.names(scene.group, 200), key=lambda name: (name.endswith("_raw"), name)):
        data = scene.data(name)
        if data is None or name in ranges or is_bookkeeping(name):
            continue
        shape = tuple(length for length in data.shape if length > 1)
        if data.ndim == 1 and data.shape == axes[0].shape:
            found = shapes.line(data, axes[0], title=scene.name, name=name)
            return [found] if found is not None else []
        if data.ndim == 2 and len(axes) > 1 and shape == axes[0].shape + axes[1].shape:  # noqa: PLR2004 two actuators
            return _sweep_map(scene, name, data, (axes[0], axes[1]))
    return []


def _sweep_map(scene: Scene, name: str, data: h5py.Dataset, axes: tuple[h5py.Dataset, h5py.Dataset]) -> list[Thumbnail]:
    down, across = (reading.read(axis, [_POINTS]) for axis in axes)
    v, h = (None if values is None else shapes.edges(values) for values in (down, across))
    labels = tuple(
        shapes.label(str(axis.name).rsplit("/", 1)[-1].removeprefix("range_"), unit_of(axis)) for axis in axes
    )
    extent = (*h, *v) if h is not None and v is not None else None
    found = shapes.plane(data, title=scene.name, caption=name, extent=extent, labels=(labels[1], labels[0]))
    return [found] if found is not None else []
