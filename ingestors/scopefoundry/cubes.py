"""Maps with a spectrum in every pixel: the mean over the spectrum as a map, the mean spectrum as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.survey import unit_of

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_NAMES = ("spec_map", "hyperspectral_map", "spectral_map", "hyperspec_map")


def cube(scene: Scene) -> list[Thumbnail]:
    """(rows, columns, spectrum), behind any number of frame axes; (frame, rows, columns, 1, spectrum) too."""
    data = scene.data(*_NAMES)
    if data is None or data.ndim < 3:  # noqa: PLR2004 a cube
        return []
    fixed = (0,) * (data.ndim - 3)
    if data.ndim == 5 and data.shape[3] == 1 and data.shape[1] > 1:  # noqa: PLR2004 the piezo stage's order
        return _piezo(scene, data)
    flat, spectrum = shapes.cube_map(data, fixed), shapes.cube_spectrum(data, fixed)
    return _pictures(scene, data, flat, spectrum)


def _piezo(scene: Scene, data: h5py.Dataset) -> list[Thumbnail]:
    coarse, fine = reading.read(data, (220, 280, 1, 64), (0,)), reading.read(data, (24, 24, 1, 6000), (0,))
    flat = None if coarse is None else shapes.mean(coarse, (2, 3))
    spectrum = None if fine is None else shapes.mean(fine, (0, 1, 2))
    return _pictures(scene, data, flat, spectrum, rows_columns=data.shape[1:3])


def _pictures(
    scene: Scene,
    data: h5py.Dataset,
    flat: np.ndarray | None,
    spectrum: np.ndarray | None,
    rows_columns: tuple[int, int] | None = None,
) -> list[Thumbnail]:
    if flat is None or spectrum is None:
        return []
    rows, columns = rows_columns or data.shape[-3:-1]
    extent, labels = _emd(data) or (scene.extent(rows, columns), scene.scan_labels())
    if extent is None:  # pixels are counted then, and have no unit
        labels = ("column", "row")
    unit = unit_of(data)
    png = rendering.heatmap(
        flat, title=scene.name, extent=extent, x_label=labels[0], y_label=labels[1], unit=shapes.label("mean", unit)
    )
    found = [rendering.thumbnail("mean over the spectrum", png)]
    x = scene.x_axis(data.shape[-1]) or _dimension(data, data.ndim)
    across = None if x is None else reading.read(x, [6000])
    line = rendering.Series(
        np.arange(spectrum.size) if across is None or across.shape != spectrum.shape else across, spectrum
    )
    x_label = "channel" if x is None else _dimension_label(x)
    png = rendering.curve(
        [line], title=f"{scene.name}, mean spectrum", x_label=x_label, y_label=shapes.label("mean", unit)
    )
    return [*found, rendering.thumbnail("mean spectrum", png)]


def _dimension(data: h5py.Dataset, number: int) -> h5py.Dataset | None:
    """The EMD group's axis for a dimension, counted from 1."""
    return reading.child_data(data.parent, f"dim{number}")


def _dimension_label(axis: h5py.Dataset) -> str:
    return shapes.label(reading.attribute_text(axis, "name") or str(axis.name), unit_of(axis))


def _emd(data: h5py.Dataset) -> tuple[tuple[float, float, float, float] | None, tuple[str, str]] | None:
    """Extent and labels from an EMD group's dim arrays (name and unit are attributes), None if it is not EMD."""
    down, across = _dimension(data, data.ndim - 2), _dimension(data, data.ndim - 1)
    if down is None or across is None:
        return None
    rows, columns = reading.read(down, [4000]), reading.read(across, [4000])
    v = None if rows is None or down.shape != data.shape[-3:-2] else shapes.edges(rows)
    h = None if columns is None or across.shape != data.shape[-2:-1] else shapes.edges(columns)
    labels = (_dimension_label(across), _dimension_label(down))
    return ((*h, *v) if h is not None and v is not None else None), labels
