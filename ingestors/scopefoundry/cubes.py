"""Maps with a spectrum in every pixel: the sum over the spectrum as a map, the sum of the spectra as a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import emd_dimensions, unit_of

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_NAMES: Final = (
    "spec_map", "hyperspectral_map", "spectral_map", "hyperspec_map", "time_trace_map", "auger_chan_map", "hyperspec_data",
)  # fmt: skip
_CUBE: Final = 3
_WITH_CHANNELS: Final = 5  # (frame, rows, columns, channel, spectrum)
_WHOLE: Final = 4_000_000  # values up to which the whole cube is summed


@dataclass(frozen=True)
class _Sums:
    """A cube's map (rows, columns) and spectrum, and what they are: sums, or means of evenly chosen parts."""

    flat: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    word: str
    field: tuple[int, int]  # rows and columns of the whole map


def cube(scene: Scene) -> list[Thumbnail]:
    """(rows, columns, spectrum), behind any number of frame axes; (frame, rows, columns, channel, spectrum) too."""
    data = scene.data(*_NAMES)
    if data is None or data.ndim < _CUBE:
        return []
    sums = _sums(data, _dark(scene, data.shape[-1]))
    return [] if sums is None else _pictures(scene, data, sums)


def _dark(scene: Scene, length: int) -> NDArray[np.intp]:
    """Channels that saw no light (`dark_indices`), as FoundryDataBrowser leaves them out."""
    found = scene.values("dark_indices")
    if found is None or found.size >= length:
        return np.empty(0, dtype=np.intp)
    return np.unique(found[(found >= 0) & (found < length)]).astype(np.intp)


def _sums(data: h5py.Dataset, dark: NDArray[np.intp]) -> _Sums | None:
    """The first frame's sums; of a cube that is too large to be read, means of 64 channels and of 24x24 pixels."""
    channels = data.ndim == _WITH_CHANNELS and data.shape[3] <= 16 and data.shape[1] > data.shape[3]  # noqa: PLR2004 detectors
    fixed = (0,) if channels else (0,) * (data.ndim - _CUBE)
    shape = data.shape[len(fixed) :]
    if np.prod(shape, dtype=np.float64) <= _WHOLE and (whole := reading.read(data, shape, fixed)) is not None:
        numbers = np.nan_to_num(np.asarray(whole, dtype=np.float64), posinf=0.0, neginf=0.0)
        numbers = np.delete(numbers.sum(axis=2) if channels else numbers, dark, axis=-1)
        return _Sums(numbers.sum(axis=-1), numbers.sum(axis=(0, 1)), "sum", shape[:2])
    inner = shape[2:-1]
    coarse = reading.read(data, (220, 280, *inner, 64), fixed)
    fine = reading.read(data, (24, 24, *inner, 6000), fixed)
    if coarse is None or fine is None:
        return None
    many = tuple(range(2, coarse.ndim))
    flat = np.asarray(shapes.mean(coarse, many), dtype=np.float64)
    spectrum = np.asarray(shapes.mean(fine, (0, 1, *many[:-1])), dtype=np.float64)
    return _Sums(flat, spectrum, "mean", shape[:2])


def _pictures(scene: Scene, data: h5py.Dataset, sums: _Sums) -> list[Thumbnail]:
    extent, labels = _emd(data) or (scene.extent(*sums.field), scene.scan_labels())
    if extent is None:  # pixels are counted then, and have no unit
        labels = ("column", "row")
    intensity = shapes.label(sums.word, unit_of(data))
    line, x_label = _line(scene, data, sums)
    field = None if extent is None else (abs(extent[1] - extent[0]), abs(extent[3] - extent[2]))
    unit = _unit(labels[0]) if _unit(labels[0]) == _unit(labels[1]) else ""
    both = rendering.map_beside_curve(
        sums.flat, line, title=scene.name, x_label=x_label, field=field if unit else None, unit=unit
    )
    flat = rendering.heatmap(
        sums.flat, title=scene.name, extent=extent, x_label=labels[0], y_label=labels[1], unit=intensity
    )
    curve = rendering.curve(
        [line], title=f"{scene.name}, {sums.word} of the spectra", x_label=x_label, y_label=intensity
    )
    return [
        rendering.thumbnail("map and spectrum", both),
        rendering.thumbnail(f"{sums.word} over the spectrum", flat),
        rendering.thumbnail(f"{sums.word} of the spectra", curve),
    ]


def _unit(label: str) -> str:
    return label.rsplit("(", 1)[1].rstrip(")") if label.endswith(")") and "(" in label else ""


def _line(scene: Scene, data: h5py.Dataset, sums: _Sums) -> tuple[rendering.Series, str]:
    """The spectrum over its axis: a dataset of the measurement, the EMD group's last dimension, or the channel's number."""
    length = data.shape[-1]
    axis = scene.x_axis(length)
    if axis is None:
        dimensions = emd_dimensions(data)
        axis = (
            dimensions[-1] if dimensions and dimensions[-1] is not None and dimensions[-1].shape == (length,) else None
        )
        label = "channel" if axis is None else _dimension_label(axis)
    else:
        label = scene.x_label(axis)
    across = None if axis is None else scene.along(axis)
    x = np.arange(length, dtype=np.float64) if across is None else np.asarray(across)
    if x.size != sums.spectrum.size:  # without the dark channels, or thinned
        kept = np.delete(x, _dark(scene, length))
        x = kept if kept.size == sums.spectrum.size else x[:: -(-x.size // max(sums.spectrum.size, 1))]
    return rendering.Series(x, sums.spectrum), label


def _dimension_label(axis: h5py.Dataset) -> str:
    return shapes.label(reading.attribute_text(axis, "name") or str(axis.name), unit_of(axis))


def _emd(data: h5py.Dataset) -> tuple[tuple[float, float, float, float] | None, tuple[str, str]] | None:
    """Extent and labels from an EMD group's dim arrays (name and unit are attributes), None if it is not EMD."""
    dimensions = emd_dimensions(data)
    if len(dimensions) < _CUBE:
        return None
    down, across = dimensions[-3], dimensions[-2]
    if down is None or across is None:
        return None
    edges = []
    for axis, length in ((across, data.shape[-2]), (down, data.shape[-3])):
        values = reading.read(axis, [4000]) if axis.shape == (length,) else None
        edges.append(None if values is None else shapes.edges(values))
    labels = (_dimension_label(across), _dimension_label(down))
    if edges[0] is None or edges[1] is None:
        return None, labels
    return (*edges[0], *edges[1]), labels
