"""What is said about one dataset: unit, element type, range of its values, and what its axes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import units
from ingestors.hdf5 import plainvalues, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_VALUES: Final = 2_000_000  # of one dataset whose range is told
_MOST_BYTES: Final = 32 * 2**20  # that the ranges of one file may cost
_UNITS: Final = ("units", "unit", "Units", "Unit", "UNITS", "unit_symbol", "unitSymbol", "IGORWaveUnits")
_FIRST_TWO: Final = 2
_SHOWN_AXIS: Final = 100_000  # elements of an axis that is described


def unit_of(data: h5py.Dataset) -> str:
    """The dataset's unit in usual spelling, empty if it has none."""
    there = set(reading.attribute_names(data, 500))
    for name in _UNITS:
        found = reading.attribute(data, name) if name in there else None
        text = found if isinstance(found, str) else ""
        if isinstance(found, list) and found and isinstance(found[0], str) and len({*found} - {""}) == 1:
            text = max(found)
        if text.strip():
            return units.normalised(text)
    return ""


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The element type in numpy's names; `string` for text of any kind."""
    if h5py.check_string_dtype(dtype) is not None:
        return "string"
    if dtype.names:
        return "compound(" + ", ".join(dtype.names) + ")"
    if h5py.check_vlen_dtype(dtype) is not None:
        return "variable-length"
    return dtype.name


class Ranges:
    """Least and greatest values of a file's datasets, for as many bytes as one file may cost."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._left = most_bytes

    def of(self, data: h5py.Dataset) -> dict[str, int | float]:
        """`{"min", "max"}` without NaN and the infinities; empty for text, complex, single and too many values."""
        if not reading.numeric(data) or data.dtype.kind not in "iuf" or not 1 < data.size <= _MOST_VALUES:
            return {}
        cost = data.size * data.dtype.itemsize
        if cost > self._left:
            return {}
        values = reading.read(data, data.shape)
        if values is None:
            return {}
        self._left -= cost
        return extremes(values)


def extremes(values: NDArray[np.generic]) -> dict[str, int | float]:
    """`{"min", "max"}` of numbers, empty if none is finite."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return {"min": finite.min().item(), "max": finite.max().item()} if finite.size else {}


def axes_of(data: h5py.Dataset) -> list[dict[str, Any]]:
    """What a dataset's dimensions are, where the file says so: `name`, `unit`, `min`, `max` of each; else empty.

    Source: EMD's `dim1`... beside `data` (py4DSTEM counts from 0), HDF5's dimension scales and their labels.
    """
    if data.ndim < 1:
        return []
    found = _emd(data) or scales(data)
    if not any(name or axis for name, axis in found):
        return []
    return [described(name, axis, length) for (name, axis), length in zip(found, data.shape, strict=False)]


def described(name: str, axis: h5py.Dataset | None, length: int = 0) -> dict[str, Any]:
    """An axis by its name, and what its dataset says about it; `length` elements may be given by the first two."""
    about: dict[str, Any] = {"name": name}
    if axis is None:
        return about
    if unit := unit_of(axis):
        about["unit"] = unit
    values = places(axis, length or axis.size)
    return about | (extremes(values) if values is not None and values.dtype.kind in "iuf" else {})


def places(axis: h5py.Dataset, length: int) -> NDArray[np.generic] | None:
    """An axis' values; EMD also allows the first two only, from which all `length` follow."""
    if not reading.numeric(axis) or not 0 < length <= _SHOWN_AXIS or axis.size > _SHOWN_AXIS:
        return None
    values = reading.read(axis, axis.shape)
    if values is None or values.size != _FIRST_TWO or length == _FIRST_TWO or axis.ndim != 1:
        return values
    first, second = (float(value) for value in values)
    return first + (second - first) * np.arange(length)


def emd_dimensions(data: h5py.Dataset) -> list[h5py.Dataset | None]:
    """The datasets `dim1`, `dim2`, ... (or from `dim0` on) beside an EMD group's data; empty if this is none."""
    group = data.parent
    first = next((number for number in (0, 1) if reading.child_data(group, f"dim{number}") is not None), None)
    if first is None:
        return []
    return [reading.child_data(group, f"dim{number}") for number in range(first, first + data.ndim)]


def own_name(thing: h5py.Dataset | h5py.Group) -> str:
    """The last part of an object's path."""
    return str(thing.name or "").rsplit("/", 1)[-1]


def _emd(data: h5py.Dataset) -> Sequence[tuple[str, h5py.Dataset | None]]:
    if own_name(data) not in {"data", "datacube"}:
        return []
    found = emd_dimensions(data)
    return [(reading.attribute_text(axis, "name") if axis is not None else "", axis) for axis in found]


def scales(data: h5py.Dataset) -> Sequence[tuple[str, h5py.Dataset | None]]:
    """Label and first scale of each dimension; empty if the dataset has no dimension scales."""
    if not {"DIMENSION_LIST", "DIMENSION_LABELS"} & set(reading.attribute_names(data)):
        return []
    found: list[tuple[str, h5py.Dataset | None]] = []
    for dimension in data.dims:
        try:
            scale = dimension[0] if len(dimension) else None
            label = plainvalues.text(dimension.label.encode()) if dimension.label else ""
        except reading.H5_ERRORS:
            scale, label = None, ""
        found.append((label or (own_name(scale) if scale is not None else ""), scale))
    return found
