"""The segments of a TDMS file: its objects with their properties, and where the raw values of each channel stand.

Source: NI, "TDMS File Format Internal Structure": a lead-in (`TDSm`, flags, version, two offsets), metadata (objects with paths, raw data indices and
properties) and raw data; channels one after the other or interleaved, or DAQmx' own buffers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import UnreadableError
from ingestors.binary import times

if TYPE_CHECKING:
    from ingestors.binary.source import Source

MAGIC: Final = b"TDSm"
_LEAD: Final = 28
TYPES: Final = {
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
_ANALOG, _DIGITAL = 0x1269, 0x1369  # what stands in place of a length where DAQmx wrote its own buffers
_DAQMX_TYPES: Final = {0: "u1", 1: "i1", 2: "u2", 3: "i2", 4: "u4", 5: "i4"}
_METADATA, _NEW_LIST, _RAW, _INTERLEAVED, _BIG = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 6
_MOST_SEGMENTS: Final = 100_000
_MOST_OBJECTS: Final = 2000
_MOST_PROPERTIES: Final = 500
_MOST_TEXT: Final = 100_000
_MOST_VALUES: Final = 1_000_000  # of one channel
_MOST_CHANNELS: Final = 16


@dataclass
class Object:
    """A group or channel: its properties, how its raw data look in the current segment, and where its values are."""

    properties: dict[str, Any] = field(default_factory=dict)
    kind: int = 0
    count: int = 0
    total: int = 0
    pieces: list[tuple[int, int, int]] = field(default_factory=list)  # offset, count, stride in bytes
    daqmx: _Buffer | None = None


@dataclass(frozen=True)
class _Buffer:
    """Where a channel stands in DAQmx' interleaved buffers: which one, how far into its rows, and how long the rows of all buffers are."""

    number: int
    offset: int
    widths: tuple[int, ...]
    dtype: str


class Segments:
    """Goes through the segments; keeps the list of objects with raw data as the format does."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.objects: dict[str, Object] = {}
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
            one = self.objects.setdefault(path, Object())
            self._index(path, one)
            for _ in range(min(self._take("I"), _MOST_PROPERTIES)):
                name = self._text()
                one.properties[name] = self._value(self._take("I"))

    def _index(self, path: str, one: Object) -> None:
        length = self._take("I")
        if length == _NONE:
            return
        if path not in self._listed:
            self._listed.append(path)
        if length == _SAME:
            return
        if length in {_ANALOG, _DIGITAL}:
            self._buffer(one, digital=length == _DIGITAL)
            return
        one.daqmx = None
        one.kind = self._take("I")
        self._take("I")
        one.count = self._take("Q")
        if one.kind == _STRING:
            self._take("Q")

    def _buffer(self, one: Object, *, digital: bool) -> None:
        """How DAQmx laid out a channel: its first scaler (those of further ones are skipped), and the widths of the buffers' rows."""
        one.kind = self._take("I")
        self._take("I")
        one.count = self._take("Q")
        scalers = []
        for _ in range(min(self._take("I"), _MOST_OBJECTS)):
            kind, number, offset = self._take("I"), self._take("I"), self._take("I")
            self._at += 1 if digital else 4  # the format of the sample
            self._take("I")
            scalers.append((kind, number, offset // 8 if digital else offset))
        widths = tuple(self._take("I") for _ in range(min(self._take("I"), _MOST_CHANNELS)))
        kind, number, offset = scalers[0] if scalers else (-1, 0, 0)
        code = _DAQMX_TYPES.get(kind)
        known = code is not None and number < len(widths) and offset + int(code[1]) <= widths[number]
        one.daqmx = _Buffer(number, offset, widths, code) if code is not None and known else None

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _TIME:
            first, second = self._take("Q"), self._take("Q")  # little-endian: the fraction comes first
            fraction, seconds = (first, second) if self.order == "<" else (second, first)
            seconds -= 2**64 if seconds >= 2**63 else 0
            return times.mac_utc(seconds + fraction / 2.0**64)
        code = TYPES.get(kind)
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
        if any(one.daqmx is not None for one in listed):
            self._rows(listed, start, end)
            return
        sizes = [np.dtype(TYPES[one.kind]).itemsize if one.kind in TYPES else 0 for one in listed]
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

    def _rows(self, listed: list[Object], start: int, end: int) -> None:
        """DAQmx' buffers: one behind the other, each with one row for each sample."""
        buffers = [one.daqmx for one in listed if one.daqmx is not None]
        widths = buffers[0].widths
        samples = max((one.count for one in listed), default=0)
        chunk = sum(widths) * samples
        if chunk <= 0:
            return
        repeats = min(max((end - start) // chunk, 0), 10_000)
        for one in listed:
            if one.daqmx is None or one.daqmx.widths != widths:
                continue
            before = sum(widths[: one.daqmx.number]) * samples + one.daqmx.offset
            width = widths[one.daqmx.number]
            one.pieces += [(start + number * chunk + before, one.count, width) for number in range(repeats)]
            one.total += one.count * repeats
