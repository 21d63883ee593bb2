"""Pictures of HDF5 data by shape: a line, a plane, a stack, a cube with a spectrum in every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading
from ingestors.hdf5.describing import unit_of

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from ingestors.api import Thumbnail

_LINE: Final = 100_000  # points that a line is thinned to before it is drawn
_PLANE: Final = (1200, 1600)
_SPECTRA: Final = 12
_FRAMES: Final = 6
_SPECTRAL: Final = (
    "energy", "wavelength", "wavenumber", "wave number", "raman", "frequency", "lambda", "channel", "kinetic", "binding", "m/z",
    "delay", "bias", "voltage", "wls", "spectr",
)  # fmt: skip
_SPECTRAL_UNITS: Final = frozenset(
    {
        "eV",
        "keV",
        "meV",
        "1/cm",
        "cm^-1",
        "cm-1",
        "Hz",
        "kHz",
        "MHz",
        "GHz",
        "THz",
        "V",
        "mV",
        "s",
        "ms",
        "ns",
        "ps",
        "fs",
    }
)


def label(name: str, unit: str) -> str:
    """An axis' label."""
    name = name.rsplit("/", 1)[-1]
    return f"{name} ({unit})" if unit and unit != name else name


def line(
    data: h5py.Dataset, x: h5py.Dataset | None, *, title: str, name: str = "", log: bool | None = None
) -> Thumbnail | None:
    """A line over another dataset of the same length, or over the point's number; None if it cannot be read."""
    y = reading.read(data, [_LINE])
    if y is None:
        return None
    across = None if x is None else _places(x, data)
    return flat_line(y, across, data, x, title=title, name=name, log=log)


def _places(x: h5py.Dataset, data: h5py.Dataset) -> NDArray[np.generic] | None:
    """Where the points of a line are; the middles of bins whose edges are given."""
    if x.shape == data.shape:
        return reading.read(x, [_LINE])
    return _along(x, data.shape[0]) if x.ndim == 1 else None


def _along(x: h5py.Dataset, length: int) -> NDArray[np.generic] | None:
    """An axis for so many points, given by them or by the edges of their bins."""
    if x.shape == (length,):
        return reading.read(x, [_LINE])
    bins = reading.read(x, [_LINE]) if x.shape == (length + 1,) and length < _LINE else None
    if bins is None:
        return None
    numbers = np.asarray(bins, dtype=np.float64)
    return (numbers[1:] + numbers[:-1]) / 2


def flat_line(
    y: NDArray[np.generic],
    across: NDArray[np.generic] | None,
    data: h5py.Dataset,
    x: h5py.Dataset | None,
    *,
    title: str,
    name: str = "",
    log: bool | None = None,
) -> Thumbnail:
    """A line of values that were read (perhaps thinned) from `data`, over those of `x` if they are as many."""
    step = -(-max(data.shape) // _LINE)
    across = across if across is not None and across.shape == y.shape else None
    png = rendering.curve(
        [rendering.Series(np.arange(y.size) * step if across is None else across, y)],
        title=title,
        x_label="point" if across is None or x is None else label(str(x.name), unit_of(x)),
        y_label=label(name or str(data.name), unit_of(data)),
        log_y=log,
    )
    return rendering.thumbnail(label(name or str(data.name), ""), png)


def lines(data: h5py.Dataset, x: h5py.Dataset | None, *, title: str, name: str = "") -> Thumbnail | None:
    """The rows of a plane as lines over a common axis."""
    rows = np.unique(np.linspace(0, data.shape[0] - 1, min(_SPECTRA, data.shape[0])).astype(int))
    across = None if x is None or x.ndim != 1 else _along(x, data.shape[-1])
    series = []
    for row in rows:
        y = reading.read(data, [_LINE], fixed=(int(row),))
        if y is None:
            return None
        here = np.arange(y.size) if across is None or across.shape != y.shape else across
        series.append(rendering.Series(here, y, f"{name or 'row'} {row}"))
    x_label = label(str(x.name), unit_of(x)) if x is not None else "point"
    png = rendering.curve(series, title=title, x_label=x_label, y_label=label(str(data.name), unit_of(data)))
    return rendering.thumbnail(label(str(data.name), ""), png)


def columns(data: h5py.Dataset, x: h5py.Dataset | None, *, title: str) -> Thumbnail | None:
    """The few columns of a long plane as lines over a common axis."""
    values = reading.read(data, (_LINE, data.shape[1]))
    if values is None:
        return None
    across = None if x is None or x.shape != data.shape[:1] else reading.read(x, [_LINE])
    here = np.arange(len(values)) * -(-data.shape[0] // _LINE) if across is None else across
    series = [rendering.Series(here, values[:, column], f"column {column}") for column in range(values.shape[1])]
    x_label = "row" if across is None or x is None else label(str(x.name), unit_of(x))
    png = rendering.curve(series, title=title, x_label=x_label, y_label=label(str(data.name), unit_of(data)))
    return rendering.thumbnail(label(str(data.name), ""), png)


def plane(
    data: h5py.Dataset,
    fixed: tuple[int, ...] = (),
    *,
    title: str,
    caption: str = "",
    extent: tuple[float, float, float, float] | None = None,
    labels: tuple[str, str] = ("", ""),
    as_picture: bool = False,
    upright: bool = True,
) -> Thumbnail | None:
    """One plane of the data in colours, or in grey `as_picture`; None if it cannot be read.

    `upright`: the first row at the bottom, as in scans; else at the top, as in matrices without axes.
    """
    values = reading.read(data, _PLANE, fixed)
    if values is None:
        return None
    caption = caption or label(str(data.name), "")
    if as_picture:
        return rendering.thumbnail(caption, rendering.picture(values, title))
    png = rendering.heatmap(
        values,
        title=title,
        extent=extent,
        x_label=labels[0],
        y_label=labels[1],
        unit=label(caption, unit_of(data)),
        origin="lower" if upright or extent is not None else "upper",
    )
    return rendering.thumbnail(caption, png)


def photograph(values: NDArray[np.generic], *, title: str, caption: str) -> Thumbnail:
    """Pixels (rows, columns, channels) as they are."""
    return rendering.thumbnail(label(caption, ""), rendering.picture(values, title))


def stack(data: h5py.Dataset, *, title: str, caption: str = "") -> Thumbnail | None:
    """Frames (..., rows, columns), evenly chosen, side by side."""
    leading = data.shape[:-2]
    count = int(np.prod(leading, dtype=np.float64))
    if count == 1:
        return plane(data, (0,) * len(leading), title=title, caption=caption, as_picture=True)
    chosen = [int(index) for index in np.unique(np.linspace(0, count - 1, min(_FRAMES, count)).astype(np.int64))]
    frames = []
    for index in chosen:
        where = tuple(int(part) for part in np.unravel_index(index, leading))
        frame = reading.read(data, (300, 400), where)
        if frame is None:
            return None
        frames.append(frame)
    png = rendering.montage(frames, title=title, labels=[f"{index}" for index in chosen])
    return rendering.thumbnail(caption or label(str(data.name), ""), png)


def cube_map(data: h5py.Dataset, fixed: tuple[int, ...] = ()) -> NDArray[np.generic] | None:
    """The mean over the last axis of a cube (rows, columns, spectrum), from at most 64 evenly spaced channels."""
    values = reading.read(data, (220, 280, 64), fixed)
    return None if values is None else mean(values, (2,))


def cube_spectrum(data: h5py.Dataset, fixed: tuple[int, ...] = ()) -> NDArray[np.generic] | None:
    """The mean spectrum of a cube (rows, columns, spectrum), from at most 24x24 evenly spaced pixels."""
    values = reading.read(data, (24, 24, 6000), fixed)
    return None if values is None else mean(values, (0, 1))


def is_spectral(name: str, unit: str) -> bool:
    """Whether an axis is one of spectra, by its name or by a unit that no length has."""
    words = name.casefold().replace("_", " ")
    return any(word in words for word in _SPECTRAL) or unit in _SPECTRAL_UNITS


def cube(
    data: h5py.Dataset,
    x: NDArray[np.generic] | None,
    x_label: str,
    *,
    title: str,
    field: tuple[float, float] | None = None,
    unit: str = "",
) -> Thumbnail | None:
    """A cube (rows, columns, spectrum) as its map beside its mean spectrum; `field` is the map's width and height."""
    flat, spectrum = cube_map(data), cube_spectrum(data)
    if flat is None or spectrum is None:
        return None
    step = -(-data.shape[-1] // 6000)
    across = np.arange(data.shape[-1]) if x is None or x.size != data.shape[-1] else x
    line = rendering.Series(across[::step][: spectrum.size], spectrum)
    png = rendering.map_beside_curve(flat, line, title=title, x_label=x_label, field=field, unit=unit)
    return rendering.thumbnail("map and mean spectrum", png)


def mean(values: NDArray[np.generic], axis: tuple[int, ...]) -> NDArray[np.generic]:
    """The mean over some axes without NaN and the infinities; NaN where nothing else is."""
    numbers = np.abs(values) if np.iscomplexobj(values) else np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    count = known.sum(axis=axis)
    total = np.where(known, numbers, 0.0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def edges(axis: NDArray[np.generic]) -> tuple[float, float] | None:
    """Outer edges of evenly spaced pixels whose centres are given; None if they are not even."""
    centres = np.asarray(axis, dtype=np.float64).ravel()
    if centres.size == 0 or not np.isfinite(centres).all():
        return None
    if centres.size == 1:
        return float(centres[0]) - 0.5, float(centres[0]) + 0.5
    step = float(centres[-1] - centres[0]) / (centres.size - 1)
    if step == 0 or np.abs(np.diff(centres) - step).max() > 0.2 * abs(step):
        return None
    return float(centres[0]) - step / 2, float(centres[-1]) + step / 2
