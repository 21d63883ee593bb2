"""A picture of the data of any HDF5 group: the dataset that looks most like them, drawn by its shape and its axes."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, scales, unit_of
from ingestors.hdf5.told import drawn_or_none

if TYPE_CHECKING:
    from ingestors.api import Thumbnail

X_NAMES: Final = (
    "wls", "wavelength", "wavelengths", "lambda", "raman_shifts", "raman_shift", "wave_numbers", "wavenumber", "wavenumbers",
    "q", "two_theta", "twotheta", "tth", "2theta", "energy", "energies", "ev", "x", "time", "time_array", "times", "t", "frequency",
    "frequencies", "freq", "f", "h_array", "voltage", "v", "bias", "field", "temperature", "delay", "angle", "theta", "position",
    "index", "timestamp", "timestamps", "mass", "m_z", "mz", "kinetic_energy", "binding_energy", "shift", "pixel",
)  # fmt: skip


_PLACES: Final = {re.sub(r"[^a-z0-9]", "", name): place for place, name in reversed(list(enumerate(X_NAMES)))}
_FLAGS: Final = ("mask", "error", "sigma", "std", "uncertaint", "flag", "weight", "pixel_mask", "flatfield")
_PLANE: Final = 2
_CUBE: Final = 3
_FEW_ROWS: Final = 64
_FEW_COLUMNS: Final = 8


def main_picture(where: h5py.Group, title: str) -> Thumbnail | None:
    """A picture of the dataset that looks most like the data of a group: the largest, by shape."""
    candidates = sorted(_numeric(where), key=lambda data: (_rank(data), -data.size, str(data.name)))
    for data in [data for data in candidates if data.size > 1][:8]:
        thumbnail = drawn_or_none(partial(_by_shape, data, title))
        if thumbnail is not None:
            return thumbnail
    return None


def is_bookkeeping(name: str) -> bool:
    """Whether a dataset's name says that it only tells where and when the data were taken."""
    own = name.rsplit("/", 1)[-1].lower()
    return any(word in own for word in ("index", "indices", "position", "pixel_time", "slow_move", "extent", "corner"))


def _rank(data: h5py.Dataset) -> int:
    """How unlikely a dataset is the measured one: axes, masks and errors come after all else."""
    name = own_name(data).lower()
    scale = reading.attribute_text(data, "CLASS") == "DIMENSION_SCALE"
    if scale or is_bookkeeping(name):
        return 3
    if any(word in name for word in _FLAGS):
        return 2
    return int(data.ndim == 1 and _place(name) is not None)


def _numeric(where: h5py.Group) -> list[h5py.Dataset]:
    """Numeric datasets below a group; not the code units of MATLAB's texts."""
    return [
        thing
        for thing in reading.walk(where)
        if isinstance(thing, h5py.Dataset)
        and reading.numeric(thing)
        and reading.attribute_text(thing, "MATLAB_class") != "char"
    ]


def _by_shape(data: h5py.Dataset, title: str) -> Thumbnail | None:
    shape = tuple(length for length in data.shape if length > 1)
    fixed = (0,) * next((index for index, length in enumerate(data.shape) if length > 1), 0)
    axes = _axes(data)
    if len(shape) <= 1:
        return _line(data, axes, title)
    if data.ndim == len(fixed) + _CUBE and data.shape[-1] in {3, 4} and data.dtype.kind == "u":
        values = reading.read(data, (1200, 1600, 4), fixed)
        return None if values is None else shapes.photograph(values, title=title, caption=own_name(data))
    if data.ndim == len(fixed) + _PLANE:
        return _two(data, fixed, axes, title)
    return shapes.stack(data, title=title)


def _line(data: h5py.Dataset, axes: list[h5py.Dataset | None], title: str) -> Thumbnail | None:
    """One dimension, also where others of length 1 stand around it (MATLAB's vectors)."""
    if data.ndim == 1:
        return shapes.line(data, axes[0], title=title)
    at = data.shape.index(max(data.shape))
    if data.ndim > _PLANE:
        return None
    values = reading.read(data, (100_000,) * data.ndim)
    if values is None:
        return None
    beside = axes[at]
    x = None if beside is None else reading.read(beside, (100_000,) * beside.ndim)
    return shapes.flat_line(values.ravel(), None if x is None else x.ravel(), data, beside, title=title)


def _two(data: h5py.Dataset, fixed: tuple[int, ...], axes: list[h5py.Dataset | None], title: str) -> Thumbnail | None:
    """Rows and columns: spectra in a few rows, a map with its axes, an image of integers."""
    down, across = axes[-2], axes[-1]
    if across is not None and down is None and data.shape[-2] <= _FEW_ROWS and not fixed:
        return shapes.lines(data, across, title=title)
    if data.shape[-1] <= _FEW_COLUMNS and data.shape[-2] >= _FEW_ROWS // 2 and across is None and not fixed:
        return shapes.columns(data, down, title=title)
    if across is None and down is None and data.dtype.kind in "ub":
        return shapes.plane(data, fixed, title=title, as_picture=True)
    values = [None if axis is None else reading.read(axis, axis.shape) for axis in (across, down)]
    h, v = (None if axis is None else shapes.edges(axis) for axis in values)
    extent = (*(h or (0.0, float(data.shape[-1]))), *(v or (0.0, float(data.shape[-2]))))
    labels = tuple(
        shapes.label(own_name(axis), unit_of(axis)) if axis is not None and edge is not None else ""
        for axis, edge in ((across, h), (down, v))
    )
    return shapes.plane(
        data,
        fixed,
        title=title,
        extent=extent if h or v else None,
        labels=(labels[0], labels[1]),
        upright=down is not None,
    )


def _axes(data: h5py.Dataset) -> list[h5py.Dataset | None]:
    """What each dimension stands on: its dimension scale, else a dataset beside it of a well-known name and the same length."""
    found = [scale for _, scale in scales(data)] or [None] * data.ndim
    used = {axis.name for axis in found if axis is not None}
    for dimension in reversed(range(data.ndim)):
        if found[dimension] is not None or data.shape[dimension] < 2:  # noqa: PLR2004 an axis
            continue
        beside = _beside(data, data.shape[dimension], used)
        if beside is not None:
            found[dimension] = beside
            used.add(beside.name)
    return found


def _beside(data: h5py.Dataset, length: int, used: set[str]) -> h5py.Dataset | None:
    """A dataset in the same group with that many values: of a name that axes have, else the only one that runs evenly on."""
    members = []
    for name in reading.names(data.parent, 200):
        x = reading.child_data(data.parent, name) if name != own_name(data) else None
        if x is not None and reading.numeric(x) and x.size == length and max(x.shape) == length and x.name not in used:
            members.append(x)
    named = [(place, x) for x in members if (place := _place(own_name(x))) is not None]
    if named:
        return min(named, key=lambda pair: pair[0])[1]
    running = [x for x in members if _runs_on(x)] if not _runs_on(data) else []
    return running[0] if len(running) == 1 and data.ndim == 1 else None


def _place(name: str) -> int | None:
    """How usual a name is for an axis, 0 the most; None if it is none."""
    words = re.sub(r"[^a-z0-9]", "", re.sub(r"[\[(].*", "", name.lower()))
    return _PLACES.get(words)


def _runs_on(data: h5py.Dataset) -> bool:
    """Whether the values only rise or only fall."""
    values = reading.read(data, (2000,) * data.ndim) if data.ndim <= _PLANE and data.dtype.kind in "iuf" else None
    steps = np.diff(np.asarray(values, dtype=np.float64).ravel()) if values is not None else np.empty(0)
    return steps.size > 1 and bool((steps > 0).all() or (steps < 0).all())
