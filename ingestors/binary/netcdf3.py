"""netCDF classic (versions 1, 2 and 5): dimensions, attributes and variables, as chromatographs (ANDI), beamlines and simulations write them.

Source: Unidata, "NetCDF Classic Format Specification": `CDF` and the version, then big-endian lists of dimensions, attributes and variables with where their values
begin; the values of variables with the unlimited dimension are interleaved record by record. ASTM E1947 (ANDI/AIA) fixes the names of chromatograms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates, facts
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.source import Source

_VERSIONS: Final = {1: "I", 2: "Q", 5: "Q"}  # how an offset is written
_TYPES: Final = {
    1: "i1",
    2: "S1",
    3: ">i2",
    4: ">i4",
    5: ">f4",
    6: ">f8",
    7: "u1",
    8: ">u2",
    9: ">u4",
    10: ">i8",
    11: ">u8",
}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_MOST: Final = 5000
_MOST_TEXT: Final = 20_000
_MOST_SIGNALS: Final = 64
_RECORDS: Final = 1_000_000
_FILL: Final = 9.969209968386869e36
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([+-]\d{4})?")
_ANDI: Final = {
    "ordinate_values": ("Intensity", "actual_delay_time", "actual_sampling_interval", "detector_unit"),
    "total_intensity": ("Total ion current", "", "", ""),
}


@dataclass(frozen=True)
class _Variable:
    """A variable: its dimensions by number, attributes, and where its values are."""

    name: str
    dimensions: tuple[int, ...]
    attributes: Mapping[str, Any]
    kind: int
    size: int
    begin: int


def recognises(candidate: Candidate) -> str | None:
    """`CDF` and a known version, and a list of dimensions behind it."""
    head = candidate.head
    if not head.startswith(b"CDF") or len(head) < 16 or head[3] not in _VERSIONS:
        return None
    at = 12 if head[3] == 5 else 8
    return f"signature CDF, version {head[3]}" if int.from_bytes(head[at : at + 4], "big") in {0, _DIMENSIONS} else None


def read(source: Source, candidate: Candidate) -> Reading:
    """All attributes, and the variables with their dimensions as axes."""
    reader = _Reader(source)
    records, dimensions, attributes, variables = reader.header()
    named = {one.name: one for one in variables}
    step = sum(one.size for one in variables if reader.is_record(one, dimensions))
    signals: list[Signal] = []
    warnings: list[str] = []
    coordinates = {
        name: values
        for name, one in named.items()
        if (values := _coordinate(reader, one, dimensions, records, step)) is not None
    }
    for one in variables:
        if len(signals) >= _MOST_SIGNALS or one.name in coordinates or one.kind == 2 or not one.dimensions:
            continue
        try:
            signals.append(_signal(reader, one, (dimensions, records, step), coordinates, named))
        except UnreadableError as error:
            warnings.append(f"The values of {one.name} are missing: {error}")
    known = dict(attributes)
    stamp = _STAMP.match(str(known.get("injection_date_time_stamp", known.get("dataset_date_time_stamp", ""))))
    when = (
        _stamped(stamp) if stamp else facts.time_of({key: text for key, text in known.items() if isinstance(text, str)})
    )
    chromatogram = "ordinate_values" in named or "aia_template_revision" in known
    told = {"attributes": known, "dimensions": {name: length or records for name, length in dimensions}}
    return Reading(
        data_type="ANDI chromatogram" if chromatogram else "netCDF file",
        measurement="Mass spectrometry" if "mass_values" in named else "Chromatography" if chromatogram else "",
        name=str(known.get("title", known.get("experiment_title", ""))),
        timestamp=when.iso,
        instrument=str(known.get("detector_name", "")) or facts.instrument_of(known),
        samples=(str(known.get("sample_name", "")) or facts.sample_of(known),),
        metadata=told | described(signals),
        thumbnails=drawn(
            sorted(signals, key=lambda one: (one.name not in {"Intensity", "Total ion current"}, -one.values.size)),
            candidate.stem,
            most=2,
        ),
        warnings=(*when.warnings, *warnings),
    )


def _stamped(match: re.Match[str]) -> dates.Moment:
    """`20090401155543-0700`."""
    zone = match[7] or ""
    return dates.iso(
        f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}{zone[:3]}{':' if zone else ''}{zone[3:]}"
    )


def _without_fill(values: np.ndarray[Any, Any], attributes: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """NaN for what was never written: the file's own fill values, or the library's for floats."""
    marks = [
        attributes[key] for key in ("_FillValue", "missing_value") if isinstance(attributes.get(key), (int, float))
    ]
    marks += [_FILL] if values.dtype.kind == "f" else []
    filled = (
        np.isin(values, np.asarray(marks, values.dtype))
        if marks and values.dtype.kind in "iuf"
        else np.zeros(values.shape, bool)
    )
    return np.where(filled, np.nan, values.astype(np.float64)) if filled.any() else values


class _Reader:
    """Goes through the header; every count is bounded."""

    def __init__(self, source: Source) -> None:
        self.source = source
        version = source.number("B", 3)
        self._offset = _VERSIONS[version]
        self._count = "Q" if version == 5 else "I"
        self._at = 4

    def _take(self, layout: str) -> Any:
        value = self.source.number(">" + layout, self._at)
        self._at += {"I": 4, "Q": 8}[layout]
        return value

    def _counted(self) -> int:
        count = int(self._take(self._count))
        if count > _MOST:
            raise UnreadableError("The netCDF file is damaged: a list in its header is too long.")
        return count

    def _name(self) -> str:
        length = self._counted()
        text = self.source.read(self._at, length).decode("utf-8", "replace")
        self._at += -(-length // 4) * 4
        return text

    def header(self) -> tuple[int, list[tuple[str, int]], dict[str, Any], list[_Variable]]:
        """The number of records, the dimensions (a length of 0 is the unlimited one), the attributes, the variables."""
        records = self._take(self._count)
        records = 0 if records in {2**32 - 1, 2**64 - 1} else int(records)
        self._take("I")
        dimensions = [(self._name(), int(self._take(self._count))) for _ in range(self._counted())]
        attributes = self._attributes()
        self._take("I")
        return records, dimensions, attributes, [self._variable() for _ in range(self._counted())]

    def _attributes(self) -> dict[str, Any]:
        self._take("I")
        found: dict[str, Any] = {}
        for _ in range(self._counted()):
            name, kind, count = self._name(), self._take("I"), int(self._take(self._count))
            if kind not in _TYPES or count > _RECORDS:
                raise UnreadableError("The netCDF file is damaged: an attribute has an impossible type or length.")
            width = np.dtype(_TYPES[kind]).itemsize * count
            content = self.source.read(self._at, width)
            self._at += -(-width // 4) * 4
            if kind == 2:
                found[name] = content[:_MOST_TEXT].decode("utf-8", "replace").strip("\0 \r\n")
            else:
                values = np.frombuffer(content, _TYPES[kind])[:64].tolist()
                found[name] = values[0] if len(values) == 1 else values
        return found

    def _variable(self) -> _Variable:
        name = self._name()
        dimensions = tuple(int(self._take(self._count)) for _ in range(self._counted()))
        attributes = self._attributes()
        kind, size, begin = self._take("I"), int(self._take(self._count)), int(self._take(self._offset))
        return _Variable(name, dimensions, attributes, kind, size, begin)

    def is_record(self, one: _Variable, dimensions: list[tuple[str, int]]) -> bool:
        """Whether the variable grows along the unlimited dimension."""
        return bool(one.dimensions) and one.dimensions[0] < len(dimensions) and dimensions[one.dimensions[0]][1] == 0

    def shape(self, one: _Variable, dimensions: list[tuple[str, int]], records: int) -> tuple[int, ...]:
        """Its lengths. Raises UnreadableError for a dimension that is not there."""
        if any(number >= len(dimensions) for number in one.dimensions) or one.kind not in _TYPES:
            raise UnreadableError("it refers to a dimension or a type that does not exist.")
        return tuple(dimensions[number][1] or records for number in one.dimensions)

    def values(
        self, one: _Variable, dimensions: list[tuple[str, int]], records: int, step: int
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The values and which of the first index they are."""
        shape = self.shape(one, dimensions, records)
        kind = np.dtype(_TYPES[one.kind])
        if not self.is_record(one, dimensions):
            return self.source.array(one.begin, kind, shape)
        row = np.dtype((kind, shape[1:])) if len(shape) > 1 else kind
        if step == row.itemsize or (row.itemsize < 4 and step == one.size):
            return self.source.array(one.begin, kind, shape)
        record = np.dtype({"names": ["value"], "formats": [row], "offsets": [0], "itemsize": max(step, row.itemsize)})
        rows, chosen = self.source.array(one.begin, record, (shape[0],))
        return rows["value"], chosen


def _coordinate(
    reader: _Reader, one: _Variable, dimensions: list[tuple[str, int]], records: int, step: int
) -> np.ndarray[Any, Any] | None:
    """The values of a variable that has the name of its one dimension."""
    if (
        len(one.dimensions) != 1
        or one.dimensions[0] >= len(dimensions)
        or dimensions[one.dimensions[0]][0] != one.name
        or one.kind == 2
    ):
        return None
    try:
        return reader.values(one, dimensions, records, step)[0].astype(np.float64)
    except UnreadableError:
        return None


def _signal(
    reader: _Reader,
    one: _Variable,
    layout: tuple[list[tuple[str, int]], int, int],
    coordinates: Mapping[str, np.ndarray[Any, Any]],
    named: Mapping[str, _Variable],
) -> Signal:
    dimensions, records, step = layout
    shape = reader.shape(one, dimensions, records)
    values, chosen = reader.values(one, dimensions, records, step)
    axes = []
    for number in one.dimensions:
        name = dimensions[number][0]
        unit = str(named[name].attributes.get("units", "")) if name in named else ""
        axes.append(Axis(name, unit, points=coordinates[name]) if name in coordinates else Axis(name))
    title, begin, interval, unit_of = _ANDI.get(
        one.name, (str(one.attributes.get("long_name", "")) or one.name, "", "", "")
    )
    unit = str(one.attributes.get("units", ""))
    if interval and interval in named and begin in named:
        first, width = (
            float(reader.source.number(_TYPES[named[key].kind].replace("f4", "f").replace("f8", "d"), named[key].begin))
            for key in (begin, interval)
        )
        axes = [Axis("Time", "s", first, width)] if width > 0 else axes
        unit = unit or str(named.get(unit_of, one).attributes.get("units", ""))
    values = _without_fill(values, one.attributes)
    scale, offset = one.attributes.get("scale_factor", 1.0), one.attributes.get("add_offset", 0.0)
    if isinstance(scale, (int, float)) and isinstance(offset, (int, float)) and (scale, offset) != (1.0, 0.0):
        values = values.astype(np.float64) * scale + offset
    about = {key: value for key, value in one.attributes.items() if key not in {"units", "long_name"}} | (
        {"variable": one.name} if title != one.name else {}
    )
    return Signal(values, tuple(axes), title, unit, shape, chosen, about=about)
