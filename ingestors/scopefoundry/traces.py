"""Spectra, time traces and sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.hdf5.pictures import is_bookkeeping
from ingestors.scopefoundry.scene import X_NAMES

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_TIME: Final = ("time_array", "time", "times", "t", "elapsed_time", "timestamps")
_POINTS: Final = 100_000
_ROWS: Final = 400
_LINES: Final = 12
_SPECTRA: Final = (
    "spectrum", "spectra", "intensities", "counts", "intensity", "chan_data", "time_histogram", "histogram", "histograms",
    "picoharp_histograms", "hydraharp_histograms", "psd_history", "integrated_spectra",
)  # fmt: skip


def spectrum(scene: Scene) -> list[Thumbnail]:
    """`spectrum` (or its mean over a detector's rows), `spectra`, or a histogram of photons, over its axis."""
    data = scene.data(*_SPECTRA)
    if data is None or data.ndim > 3:  # noqa: PLR2004 a line, rows of lines, rows of frames
        return []
    first = ("raman_shifts",) if scene.name.lower().startswith(("picam", "raman")) else ()
    x = scene.x_axis(data.shape[-1], *first)
    name = own_name(data)
    logarithmic = True if "histogram" in name else None
    values = reading.read(data, (*((_ROWS,) * (data.ndim - 1)), _POINTS))
    if values is None:
        return []
    rows = np.asarray(values).reshape(-1, values.shape[-1])
    across = None if x is None else scene.along(x)
    if across is None or across.shape != rows.shape[-1:]:
        x, across = None, np.arange(rows.shape[-1], dtype=np.float64)
    if len(rows) > 1 and (name == "spectrum" or data.ndim > 2):  # noqa: PLR2004 a detector's rows are one spectrum
        rows = np.asarray(shapes.mean(rows, (0,)))[None]
        name = f"mean of the rows of {name}"
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(_LINES, len(rows))).astype(int))
    series = [rendering.Series(across, rows[row], f"{row}") for row in chosen]
    label = scene.x_label(x) if own_name(data) != "time_histogram" or x is None or unit_of(x) else "time (ps)"
    png = rendering.curve(
        series,
        title=scene.name,
        x_label=label,
        y_label=shapes.label(name, unit_of(data)),
        log_x=False,
        log_y=logarithmic,
    )
    return [rendering.thumbnail(own_name(data), png)]


def powers(scene: Scene) -> list[Thumbnail]:
    """A power scan: the integrated signal over the power in double logarithmic axes, and the spectra."""
    power = scene.values("pm_powers") if scene.data("pm_powers") is not None else scene.values("pm_powers_after")
    signal = scene.data("integrated_spectra", "spectra", "picoharp_histograms", "hydraharp_histograms", "count_rates")
    if power is None or power.ndim != 1 or signal is None or signal.shape[:1] != power.shape:
        return spectrum(scene)
    values = reading.read(signal, (power.size, *((_ROWS,) * (signal.ndim - 2)), _POINTS)[: signal.ndim])
    if values is None:
        return spectrum(scene)
    numbers = np.asarray(values, dtype=np.float64)
    total = numbers.reshape(len(numbers), -1).sum(axis=1)
    unit = next((scene.units[name] for name in ("pm_powers", "power", "pm_power") if name in scene.units), "") or "W"
    lit = bool((power > 0).all() and (total > 0).all())
    png = rendering.curve(
        [rendering.Series(power, total)],
        title=scene.name,
        x_label=f"power ({unit})",
        y_label="integrated signal",
        log_x=lit,
        log_y=lit,
    )
    return [rendering.thumbnail("signal over power", png), *spectrum(scene)]


def current_voltage(scene: Scene) -> list[Thumbnail]:
    """`I` over `V`."""
    voltage, current = scene.values("V"), scene.values("I")
    if voltage is None or current is None or voltage.ndim != 1 or voltage.shape != current.shape:
        return []
    png = rendering.curve(
        [rendering.Series(voltage, current)],
        title=scene.name,
        x_label="voltage (V)",
        y_label="current (A)",
        log_y=False,
    )
    return [rendering.thumbnail("current over voltage", png)]


def trace(scene: Scene) -> list[Thumbnail]:
    """Signals over the time array of the same length, or a `buffer` over its points."""
    time = scene.data(*_TIME)
    named = [
        (name, scene.data(name))
        for name in reading.names(scene.group, 60)
        if name not in _TIME and name not in X_NAMES and not is_bookkeeping(name)
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
