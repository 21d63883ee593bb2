"""Tables in HDF5: compound datasets, planes whose columns are named by an attribute, pandas' stores, columns side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.columns import Column, Table
from ingestors.hdf5 import plainvalues, reading
from ingestors.hdf5.describing import own_name
from ingestors.units import split_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingestors.api import Thumbnail

_MOST_TABLES: Final = 12
_MOST_BYTES: Final = 24 * 2**20
_MOST_COLUMNS: Final = 200
_NAMES: Final = (
    "columns", "column_names", "columnnames", "column names", "names", "labels", "fields", "field_names", "channels", "channel_names",
    "channel names", "legend", "header", "colnames", "Columns", "Channel names",
)  # fmt: skip
_UNITS: Final = ("units", "unit", "column_units", "Units", "columnunits")
_PLANE: Final = 2


def tables(where: h5py.Group) -> Iterator[Table]:
    """The tables below a group, at most a dozen."""
    count = 0
    for thing in reading.walk(where):
        found = table(thing) if isinstance(thing, h5py.Dataset) else _pandas(thing)
        if found is not None:
            count += 1
            yield found
        if count >= _MOST_TABLES:
            return


def table(data: h5py.Dataset) -> Table | None:
    """A compound dataset's fields, or the columns of a plane whose attributes name them; None for others."""
    try:
        if (
            data.shape is None
            or not data.size
            or data.size * data.dtype.itemsize > _MOST_BYTES
            or reading.obstacle(data)
        ):
            return None
        if data.dtype.names and data.ndim == 1:
            return _fields(data)
        return _named(data) if data.ndim == _PLANE and reading.numeric(data) else None
    except reading.H5_ERRORS:
        return None


def _fields(data: h5py.Dataset) -> Table | None:
    """Numbers are read; texts are only named: those of variable length may be far larger than their table."""
    names = [name for name in (data.dtype.names or ())[:_MOST_COLUMNS] if not data.dtype[name].shape]
    numbers = [name for name in names if data.dtype[name].kind in "biufc"]
    if not numbers:
        return None
    rows = data.fields(numbers)[()]
    units = _texts(data, _UNITS)
    columns: list[Column] = []
    for index, name in enumerate(data.dtype.names or ()):
        if name not in names:
            continue
        title = reading.attribute_text(data, f"FIELD_{index}_NAME") or name
        unit = reading.attribute_text(data, f"FIELD_{index}_UNITS") or (units[index] if index < len(units) else "")
        columns.append(_column(title, unit, rows[name] if name in numbers else None))
    return Table(own_name(data), tuple(columns))


def _named(data: h5py.Dataset) -> Table | None:
    names, units = _texts(data, _NAMES), _texts(data, _UNITS)
    if len(names) not in data.shape or not 1 < len(names) <= _MOST_COLUMNS:
        return None
    values = reading.read(data, data.shape)
    if values is None:
        return None
    turned = values if len(names) == data.shape[1] else values.T
    units = units if len(units) == len(names) else [""] * len(names)
    return Table(
        own_name(data),
        tuple(_column(*pair, turned[:, index]) for index, pair in enumerate(zip(names, units, strict=True))),
    )


def _pandas(group: h5py.Group) -> Table | None:
    """A data frame that pandas stored: `axis0` names the columns, `block<k>_items` and `block<k>_values` hold them."""
    if reading.attribute_text(group, "pandas_type") != "frame":
        return None
    columns: list[Column] = []
    for number in range(16):
        items, values = (reading.child_data(group, f"block{number}_{part}") for part in ("items", "values"))
        if items is None or values is None:
            break
        block = (
            reading.read(values, values.shape)
            if values.ndim == _PLANE and values.size * values.dtype.itemsize < _MOST_BYTES
            else None
        )
        names = _strings(items)
        if block is not None and block.shape[1] == len(names):
            columns += [_column(name, "", block[:, index]) for index, name in enumerate(names[:_MOST_COLUMNS])]
    return Table(own_name(group), tuple(columns)) if columns else None


def _strings(data: h5py.Dataset) -> list[str]:
    try:
        found = plainvalues.plain(data[()]) if data.size < _MOST_COLUMNS else []
    except reading.H5_ERRORS:
        return []
    return [str(name) for name in found] if isinstance(found, list) else [str(found)]


def _texts(data: h5py.Dataset, names: Sequence[str]) -> list[str]:
    for name in names:
        value: Any = plainvalues.decoded(reading.attribute(data, name))
        if isinstance(value, str) and "," in value:
            value = [part.strip() for part in value.split(",")]
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return value
    return []


def _column(title: str, unit: str, values: np.ndarray[Any, Any] | None) -> Column:
    """A column of numbers, or (None) of texts that are not told."""
    name, own = (title, unit) if unit else split_title(title)
    if values is None:
        return Column(name, own or None, np.empty(0, dtype="U1"))
    return Column(
        name, own or None, np.asarray(np.abs(values) if values.dtype.kind == "c" else values, dtype=np.float64)
    )


def picture(found: Table, title: str) -> Thumbnail | None:
    """The table's columns over its first one, or over their row where the first one does not run on."""
    numbers = [column for column in found.columns if not column.is_text and np.isfinite(column.values).any()]
    if not numbers or found.rows < 2:  # noqa: PLR2004 a line
        return None
    first, rest = numbers[0], numbers[1:]
    steps = np.sign(np.diff(first.values[np.isfinite(first.values)]))
    runs = (
        bool(rest) and steps.size > 0 and (bool((steps >= 0).all()) or bool((steps <= 0).all())) and bool(steps.any())
    )
    x = first.values if runs else np.arange(found.rows, dtype=np.float64)
    shown = rest if runs else numbers
    unit = shown[0].unit
    together = [column for column in shown if column.unit == unit][:6] if unit else shown[:1]
    series = [rendering.Series(x, column.values, column.name) for column in together]
    y_label = together[0].label if len(together) == 1 else f"({unit})"
    png = rendering.curve(series, title=title, x_label=first.label if runs else "row", y_label=y_label)
    return rendering.thumbnail(", ".join(column.name for column in together[:3]), png)
