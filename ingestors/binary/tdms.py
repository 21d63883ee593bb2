"""National Instruments TDMS: the properties of file, groups and channels, and the first raw values.

Source: NI, "TDMS File Format Internal Structure": segments of a lead-in (`TDSm`, flags, version, two offsets), metadata (objects with paths, raw data indices and
properties) and raw data; channels one after the other or interleaved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import times
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

MAGIC: Final = b"TDSm"
_LEAD: Final = 28
_TYPES: Final = {
    1: "i1",
    2: "i2",
    3: "i4",
    4: "i8",
    5: "u1",
    6: "u2",
    7: "u4",
    8: "u8",
    9: "f4",
    10: "f8",
    0x19: "f4",
    0x1A: "f8",
    0x21: "u1",
    0x08000C: "c8",
    0x10000D: "c16",
}
_STRING, _TIME = 0x20, 0x44
_NONE, _SAME = 0xFFFFFFFF, 0
_DAQMX: Final = frozenset({0x00001269, 0x00001369, 0x69120000, 0x69130000})
_METADATA, _NEW_LIST, _RAW, _INTERLEAVED, _BIG = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 6
_MOST_SEGMENTS: Final = 100_000
_MOST_OBJECTS: Final = 2000
_MOST_PROPERTIES: Final = 500
_MOST_TEXT: Final = 100_000
_MOST_VALUES: Final = 1_000_000  # of one channel
_MOST_CHANNELS: Final = 16


@dataclass
class _Object:
    """A group or channel: its properties, how its raw data look in the current segment, and where its values are."""

    properties: dict[str, Any] = field(default_factory=dict)
    kind: int = 0
    count: int = 0
    total: int = 0
    pieces: list[tuple[int, int, int]] = field(default_factory=list)  # offset, count, stride in bytes


def recognises(candidate: Candidate) -> str | None:
    """`TDSm` and a version of the format."""
    return (
        "signature TDSm"
        if candidate.head.startswith(MAGIC) and int.from_bytes(candidate.head[8:12], "little") in {4712, 4713}
        else None
    )


def read(source: Source, candidate: Candidate) -> Reading:
    """Groups and channels with their properties; the values of the first channels."""
    reader = _Reader(source)
    reader.run()
    top = reader.objects.get("/", _Object()).properties
    groups: dict[str, Any] = {}
    for path, one in list(reader.objects.items())[:_MOST_OBJECTS]:
        parts = _parts(path)
        if len(parts) == 1:
            groups.setdefault(parts[0], {}).update(one.properties)
        elif len(parts) == 2:
            told = _plain(one.properties) | ({"values": one.total} if one.total else {})
            groups.setdefault(parts[0], {}).setdefault("channels", {})[parts[1]] = told
    signals = [
        signal
        for path, one in list(reader.objects.items())
        if one.pieces and (signal := _signal(source, path, one, reader.order)) is not None
    ][:_MOST_CHANNELS]
    when = _moment(reader)
    title = str(top.get("name", "") or top.get("Title", "")).strip()
    return Reading(
        data_type="LabVIEW TDMS",
        name=title,
        timestamp=when.iso,
        metadata={"properties": _plain(top), "groups": {name: _plain(group) for name, group in groups.items()}}
        | described(signals),
        thumbnails=drawn(signals, title or candidate.stem),
        warnings=(*when.warnings, *reader.warnings),
    )


class _Reader:
    """Goes through the segments; keeps the list of objects with raw data as the format does."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.objects: dict[str, _Object] = {}
        self.warnings: list[str] = []
        self.order = "<"
        self._listed: list[str] = []
        self._at = 0

    def run(self) -> None:
        """Read all segments. Raises UnreadableError if the first one is damaged."""
        at = 0
        for _ in range(_MOST_SEGMENTS):
            if at + _LEAD > self.source.size or self.source.read(at, 4) != MAGIC:
                break
            flags = self.source.number("<I", at + 4)
            self.order = ">" if flags & _BIG else "<"
            size, raw = self.source.unpack(self.order + "QQ", at + 12)
            end = self.source.size if size == 2**64 - 1 else at + _LEAD + size
            try:
                if flags & _METADATA:
                    self._metadata(at + _LEAD, new=bool(flags & _NEW_LIST))
            except UnreadableError:
                if not at:
                    raise
                self.warnings.append("The file is cut off within a segment; what stands before it was read.")
                return
            if flags & _RAW:
                self._raw(at + _LEAD + raw, min(end, self.source.size), interleaved=bool(flags & _INTERLEAVED))
            if end > self.source.size or end <= at:
                self.warnings.append("The last segment is incomplete.")
                return
            at = end

    def _take(self, layout: str) -> Any:
        value = self.source.number(self.order + layout, self._at)
        self._at += {"I": 4, "Q": 8, "q": 8, "d": 8}[layout]
        return value

    def _text(self) -> str:
        length = self._take("I")
        if length > _MOST_TEXT * 10:
            raise UnreadableError("The TDMS file is damaged: a text is too long.")
        text = self.source.read(self._at, length).decode("utf-8", "replace")
        self._at += length
        return text[:_MOST_TEXT]

    def _metadata(self, at: int, *, new: bool) -> None:
        self._at = at
        if new:
            self._listed = []
        for _ in range(min(self._take("I"), _MOST_OBJECTS)):
            path = self._text()
            one = self.objects.setdefault(path, _Object())
            self._index(path, one)
            for _ in range(min(self._take("I"), _MOST_PROPERTIES)):
                name = self._text()
                one.properties[name] = self._value(self._take("I"))

    def _index(self, path: str, one: _Object) -> None:
        length = self._take("I")
        if length == _NONE:
            return
        if path not in self._listed:
            self._listed.append(path)
        if length == _SAME:
            return
        if length in _DAQMX:
            raise UnreadableError("This TDMS file holds raw DAQmx data; those are not read.")
        one.kind = self._take("I")
        self._take("I")
        one.count = self._take("Q")
        if one.kind == _STRING:
            self._take("Q")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _TIME:
            fraction, seconds = self._take("Q"), self._take("q")
            return times.mac_utc(seconds + fraction / 2.0**64)
        code = _TYPES.get(kind)
        if code is None:
            raise UnreadableError(f"The TDMS file is damaged: there is no type {kind:#x}.")
        value = np.frombuffer(self.source.read(self._at, np.dtype(code).itemsize), np.dtype(self.order + code))[
            0
        ].item()
        self._at += np.dtype(code).itemsize
        return bool(value) if kind == 0x21 else value

    def _raw(self, start: int, end: int, *, interleaved: bool) -> None:
        """Note where each channel's values stand; a segment may hold the same list several times."""
        listed = [self.objects[path] for path in self._listed]
        sizes = [np.dtype(_TYPES[one.kind]).itemsize if one.kind in _TYPES else 0 for one in listed]
        if not all(sizes) or not listed:
            return
        chunk = sum(size * one.count for size, one in zip(sizes, listed, strict=True))
        if chunk <= 0:
            return
        repeats = max((end - start) // chunk, 0)
        for number in range(min(repeats, 10_000)):
            at = start + number * chunk
            width = sum(sizes)
            for size, one in zip(sizes, listed, strict=True):
                one.pieces.append((at, one.count, width if interleaved else size))
                at += size if interleaved else size * one.count
        for one in listed:
            one.total += one.count * repeats


def _parts(path: str) -> list[str]:
    """`/'Group'/'Channel'` without its quotes."""
    return (
        [part.replace("''", "'") for part in path.strip("/").removeprefix("'").removesuffix("'").split("'/'")]
        if path != "/"
        else []
    )


def _signal(source: Source, path: str, one: _Object, order: str) -> Signal | None:
    if one.kind not in _TYPES:
        return None
    kind = np.dtype(order + _TYPES[one.kind])
    parts: list[np.ndarray[Any, Any]] = []
    left = _MOST_VALUES
    for offset, count, stride in one.pieces:
        wanted = min(count, left)
        if wanted <= 0:
            break
        if stride == kind.itemsize:
            values, _ = source.array(offset, kind, (wanted,))
        else:
            whole = source.some(offset, min(wanted * stride, 60_000_000))
            rows = len(whole) // stride
            values = np.ndarray((rows,), kind, whole, 0, (stride,)) if rows else np.empty(0, kind)
        parts.append(np.asarray(values))
        left -= wanted
    values = np.concatenate(parts) if parts else np.empty(0)
    if values.size < 2:
        return None
    about = one.properties
    name, unit = _parts(path)[-1], str(about.get("unit_string", about.get("NI_UnitDescription", "")))
    step, first = about.get("wf_increment"), about.get("wf_start_offset", 0.0)
    if isinstance(step, float) and step > 0:
        axis = Axis(
            str(about.get("wf_xname", "")) or "Time",
            str(about.get("wf_xunit_string", "")) or "s",
            float(first) if isinstance(first, (int, float)) else 0.0,
            step,
        )
    else:
        axis = Axis("point")
    return Signal(values, (axis,), name, unit, (one.total,), about={"label": name})


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    found = {key: value.iso if isinstance(value, dates.Moment) else value for key, value in properties.items()}
    if isinstance(found.get("wf_increment"), float):
        found["wf_increment"] = Quantity(found["wf_increment"], str(found.get("wf_xunit_string", "")) or "s")
    return found


def _moment(reader: _Reader) -> dates.Moment:
    """The file's own time, else the earliest start of a waveform."""
    top = reader.objects.get("/", _Object()).properties
    for key in ("DateTime", "datetime", "Date", "StartTime", "wf_start_time"):
        if isinstance(top.get(key), dates.Moment) and top[key].iso:
            return top[key]  # type: ignore[no-any-return]
    moments = [
        value
        for one in reader.objects.values()
        for value in one.properties.values()
        if isinstance(value, dates.Moment) and value.iso
    ]
    return min(moments, key=lambda one: one.iso) if moments else dates.NEVER
