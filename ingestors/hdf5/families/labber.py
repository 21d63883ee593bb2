"""Logs of Labber (Keysight): quantum devices.

Source: Labber's API documentation and its files: `Data/Data` (points, columns, entries) with `Data/Channel names`,
`Channels` (compound: name, instrument, quantity, unitPhys...), `Tags`, `Log list`, root attributes `log_name`, `creation_time`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Quantity
from ingestors.columns import Column, Table, described
from ingestors.hdf5 import plainvalues, reading
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment, title

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_DATA: Final = 3
_MOST_VALUES: Final = 4_000_000
_MOST_ROWS: Final = 1000


def recognised(file: h5py.File) -> str:
    """The log's name at the root, or the datasets that a log always has."""
    whole = (
        reading.child_data(file, "Data/Channel names") is not None and reading.child_data(file, "Channels") is not None
    )
    return "Data/Channel names and Channels of Labber" if whole else ""


def read(source: Source) -> Told:
    """Name, comment, time, tags, channels with their units, and the table of the log."""
    channels = _rows(reading.child_data(source.file, "Channels"))
    units = {str(row.get("name", "")): str(row.get("unitPhys") or row.get("unitInstr") or "") for row in channels}
    found = _table(source.file, units)
    comment = reading.attribute_text(source.file, "comment")
    tags = reading.child_group(source.file, "Tags")
    keywords = [str(tag) for tag in _list(tags, "Tags")] if tags is not None else []
    metadata: dict[str, Any] = described([found]) if found is not None else {}
    if comment:
        metadata["comments"] = comment
    if instruments := _rows(reading.child_data(source.file, "Instruments")):
        metadata["instruments"] = instruments
    metadata["channels"] = [{key: value for key, value in row.items() if value not in ("", None)} for row in channels]
    metadata["steps"] = {
        str(row.get("channel_name", index)): _step(source.file, row, units)
        for index, row in enumerate(_rows(reading.child_data(source.file, "Step list")))
    }
    picture = drawn_or_none(lambda: _picture(found, source.stem))
    return Told(
        attributes={
            "dataset_name": title(reading.attribute_text(source.file, "log_name")) or source.stem,
            "data_type": FAMILY.name,
            "timestamp": moment(reading.attribute(source.file, "creation_time")).iso,
        },
        keywords=keywords,
        metadata={key: value for key, value in metadata.items() if value},
        thumbnails=[picture] if picture is not None else [],
    )


def _rows(data: h5py.Dataset | None) -> list[dict[str, Any]]:
    try:
        if (
            data is None
            or not data.shape
            or data.ndim != 1
            or not data.size
            or data.size > _MOST_ROWS
            or not data.dtype.names
        ):
            return []
        return [plain for row in data[()] if isinstance(plain := plainvalues.plain(row), dict)]
    except reading.H5_ERRORS:
        return []


def _list(group: h5py.Group, name: str) -> list[Any]:
    value = reading.attribute(group, name)
    return value if isinstance(value, list) else [value] if isinstance(value, str) and value else []


def _step(file: h5py.File, row: dict[str, Any], units: dict[str, str]) -> Any:
    """Where a channel that was stepped begins and ends, if the file says so."""
    name = str(row.get("channel_name", ""))
    items = _rows(reading.child_data(file, f"Step config/{name}/Step items"))
    first = items[0] if items else {}
    ends = [first.get(key) for key in ("start", "stop")]
    if not all(isinstance(end, (int, float)) for end in ends):
        return {"unit": units.get(name, "")}
    points = first.get("n_pts")
    found: dict[str, Any] = {
        key: Quantity(end, units.get(name, "")) for key, end in zip(("start", "stop"), ends, strict=True)
    }
    return found | ({"points": points} if isinstance(points, int) else {})


def _table(file: h5py.File, units: dict[str, str]) -> Table | None:
    """All entries of the log one below the other; real and imaginary parts are joined to a magnitude's two columns."""
    data = reading.child_data(file, "Data/Data")
    names = _rows(reading.child_data(file, "Data/Channel names"))
    if data is None or data.ndim != _DATA or data.size > _MOST_VALUES or len(names) != data.shape[1]:
        return None
    values = reading.read(data, data.shape)
    if values is None:
        return None
    columns = []
    for index, row in enumerate(names):
        name, info = str(row.get("name", index)), str(row.get("info", ""))
        flat = np.asarray(values[:, index, :], dtype=np.float64).T.ravel()
        columns.append(Column(f"{name} ({info})" if info else name, units.get(name) or None, flat))
    return Table("", tuple(columns))


def _picture(found: Table | None, shown: str) -> Thumbnail | None:
    """The first log channel over the first step channel, a line for each value of the second."""
    if found is None or found.rows < 2 or len(found.columns) < 2:  # noqa: PLR2004 a line
        return None
    x, rest = found.columns[0], found.columns[1:]
    measured = next((column for column in rest if np.unique(column.values).size > 0.5 * found.rows), rest[-1])
    length = int(np.argmax(np.diff(x.values) < 0)) + 1 if np.any(np.diff(x.values) < 0) else found.rows
    starts = range(0, found.rows - length + 1, length)
    series = [rendering.Series(x.values[at : at + length], measured.values[at : at + length]) for at in starts]
    png = rendering.curve(series, title=shown, x_label=x.label, y_label=measured.label)
    return rendering.thumbnail(measured.name, png)


FAMILY: Final = Family("Labber log", recognised, read)
