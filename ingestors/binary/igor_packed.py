"""Igor Pro packed experiments (`.pxp`, `.pxt`): the waves of all data folders, and the history.

Source: WaveMetrics Technical Note 003, "Packed Experiment File Format": records, each with a header of 8 bytes (type, version, bytes that follow);
type 3 is a binary wave, 2 the history, 9 and 10 begin and end a data folder; the highest bit marks records that newer ones replace.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import UnreadableError
from ingestors.binary import igor, times
from ingestors.binary.signals import Signal, described, drawn
from ingestors.binary.source import Source, text_of
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Candidate

_HEADER: Final = 8
_HISTORY, _WAVE, _FOLDER_END = 2, 3, 10
_FOLDER, _LONG_FOLDER = 9, 101  # the second one, since names may have more than 31 bytes, with their number before them
_REPLACED: Final = 0x8000
_HIGHEST: Final = 255  # of the types that were seen; the note knows the first 26
_MOST_RECORDS: Final = 20_000
_MOST_WAVES: Final = 200
_LARGEST: Final = 32 * 2**20  # bytes of a wave that is looked at
_MOST_BYTES: Final = 64 * 2**20  # of all waves together
_SHOWN_HISTORY: Final = 4000


def recognises(candidate: Candidate) -> str | None:
    """A chain of at least three records of known types that stays in the file, or ends where it ends."""
    head = candidate.head
    for order in "<", ">":
        at = count = 0
        while at + _HEADER <= len(head):
            kind, version, size = struct.unpack_from(order + "HhI", head, at)
            if (kind & ~_REPLACED) > _HIGHEST or not 0 <= version < 2000 or at + _HEADER + size > candidate.size:
                break
            at, count = at + _HEADER + size, count + 1
        else:
            if (count >= 3 or at == candidate.size) and candidate.suffix in {".pxp", ".pxt"} and count:
                return f"chain of {count} or more records of a packed Igor experiment"
    return None


@dataclass
class _Found:
    """What was met on the way through the records."""

    waves: dict[str, Any] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    history: str = ""
    newest: float = 0.0
    total: int = 0

    def wave(self, source: Source, where: list[str], offset: int, size: int) -> None:
        """Take in a wave, as long as there are not too many."""
        self.total += 1
        held = sum(one.values.nbytes for one in self.signals)
        if size > _LARGEST or len(self.waves) >= _MOST_WAVES or held > _MOST_BYTES:
            return
        try:
            wave, values, lost = igor.wave_of(Source.of(source.read(offset, size)))
        except (UnreadableError, struct.error, ValueError) as error:
            self.warnings.append(f"A wave cannot be read: {error}")
            return
        self.newest = max(self.newest, wave.modified)
        self.warnings += lost
        self.waves[":".join([*where, wave.name])] = _about(wave, values)
        self.signals += values


def read(source: Source, candidate: Candidate) -> Reading:
    """Folder, name, shape and range of every wave; pictures of the largest ones. A single wave (Scienta's `.pxt`) tells what it tells alone."""
    alone = [(offset, size) for kind, offset, size in _records(source) if kind == _WAVE][:2]
    if len(alone) == 1 and alone[0][1] <= _LARGEST:
        return replace(igor.read(Source.of(source.read(*alone[0])), candidate), data_type="Igor packed experiment")
    found = _walked(source)
    if not found.total:
        raise UnreadableError("This packed Igor experiment holds no wave.")
    missing = found.total - len(found.waves)
    when = times.mac(found.newest)
    largest = sorted(found.signals, key=lambda one: (-one.values.ndim, -one.values.size))
    return Reading(
        data_type="Igor packed experiment",
        timestamp=when.iso,
        metadata={"wave count": found.total, "waves": found.waves}
        | ({"history": found.history} if found.history else {}),
        thumbnails=drawn(largest, candidate.stem, most=2),
        warnings=(
            *when.warnings,
            *([f"The experiment holds {found.total} waves; {missing} of them were not read."] if missing else []),
            *found.warnings[:20],
        ),
    )


def _walked(source: Source) -> _Found:
    found = _Found()
    folder: list[str] = []
    for kind, offset, size in _records(source):
        if kind == _FOLDER:
            folder.append(source.text(offset, min(size, 32), "utf-8"))
        elif kind == _LONG_FOLDER:
            folder.append(source.text(offset + 4, min(max(size - 4, 0), 1000), "utf-8"))
        elif kind == _FOLDER_END:
            del folder[-1:]
        elif kind == _HISTORY:
            found.history = text_of(source.some(offset, min(size, _SHOWN_HISTORY)), "utf-8").replace("\r", "\n")
        elif kind == _WAVE:
            found.wave(source, folder, offset, size)
    return found


def _records(source: Source) -> Iterator[tuple[int, int, int]]:
    """Type, offset and size of each record; ends where the file does."""
    kinds = [source.number(order + "H", 0) & ~_REPLACED for order in "<>"]
    order = "<" if kinds[0] <= _HIGHEST else ">"
    at = 0
    for _ in range(_MOST_RECORDS):
        if at + _HEADER > source.size:
            return
        kind, _, size = source.unpack(order + "HhI", at)
        if at + _HEADER + size > source.size:
            return
        if not kind & _REPLACED:
            yield kind, at + _HEADER, size
        at += _HEADER + size


def _about(wave: igor.Wave, values: tuple[Signal, ...]) -> dict[str, Any]:
    """A wave as it is listed: its data, its note and when it was changed."""
    data = (described(values) or igor.described_texts(wave))["data"]
    found: dict[str, Any] = dict(data) if isinstance(data, dict) else {"layers": data}
    if modified := times.mac(wave.modified).iso:
        found["modified"] = modified
    if wave.note.strip():
        found["note"] = igor.noted(wave.note) or wave.note[:2000].replace("\r", "\n")
    return found
