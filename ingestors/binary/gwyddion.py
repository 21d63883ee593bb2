"""Gwyddion's native files (`.gwy`): fields with their real sizes and units, metadata, and the log of what was done.

Source: the Gwyddion user guide, "Gwyddion Native Format": `GWYP`, then one serialised object: name, size, and components of name, type letter and
value; little-endian.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import facts
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.binary.source import Source

MAGIC: Final = b"GWYP"
_SCALARS: Final = {"b": ("<B", 1), "c": ("<B", 1), "i": ("<i", 4), "q": ("<q", 8), "d": ("<d", 8)}
_MOST_DEPTH: Final = 12
_MOST_ITEMS: Final = 20_000
_MOST_NAME: Final = 4096
_MOST_FIELDS: Final = 16
_INLINE: Final = 64


@dataclass(frozen=True)
class _Array:
    """Where the values of an array component stand."""

    offset: int
    count: int
    dtype: str


@dataclass
class _Object:
    name: str
    items: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        return self.items.get(key, default)


@dataclass
class _Reader:
    source: Source
    left: int = _MOST_ITEMS

    def string(self, offset: int, end: int) -> tuple[str, int]:
        """A text that ends with NUL, and where the next thing begins."""
        piece = self.source.some(offset, min(_MOST_NAME, end - offset))
        stop = piece.find(b"\0")
        if stop < 0:
            whole = self.source.some(offset, min(end - offset, 1_000_000))
            stop = whole.find(b"\0")
            if stop < 0:
                raise UnreadableError("The Gwyddion file is damaged: a text has no end.")
            piece = whole
        return piece[:stop].decode("utf-8", "replace"), offset + stop + 1

    def object(self, offset: int, end: int, depth: int) -> tuple[_Object, int]:
        """One object and where the next begins."""
        name, at = self.string(offset, end)
        size = self.source.number("<I", at)
        at, stop = at + 4, at + 4 + size
        if depth > _MOST_DEPTH or stop > end:
            raise UnreadableError(
                "The Gwyddion file is damaged or cut off: an object is larger than what it stands in."
            )
        found = _Object(name)
        while at < stop:
            self.left -= 1
            if self.left < 0:
                break
            key, at = self.string(at, stop)
            letter = chr(self.source.number("<B", at))
            value, at = self.value(letter, at + 1, stop, depth)
            found.items[key] = value
        return found, stop

    def value(self, letter: str, at: int, end: int, depth: int) -> tuple[Any, int]:
        """One value of the type that the letter names, and where the next component begins."""
        if letter in _SCALARS:
            layout, size = _SCALARS[letter]
            value = self.source.number(layout, at)
            return (bool(value) if letter == "b" else value), at + size
        if letter == "s":
            return self.string(at, end)
        if letter == "o":
            return self.object(at, end, depth + 1)
        if letter not in "CIQDSO":
            raise UnreadableError(f"The Gwyddion file is damaged: there is no type {letter!r}.")
        count = self.source.number("<I", at)
        at += 4
        if letter in "SO":
            items = []
            for _ in range(min(count, self.left)):
                item, at = self.string(at, end) if letter == "S" else self.object(at, end, depth + 1)
                items.append(item)
                self.left -= 1
            return items, at
        layout, size = _SCALARS[letter.lower()]
        if at + count * size > end:
            raise UnreadableError("The Gwyddion file is damaged or cut off: an array is larger than what it stands in.")
        return _Array(at, count, "<" + {"C": "u1", "I": "i4", "Q": "i8", "D": "f8"}[letter]), at + count * size


def recognises(candidate: Candidate) -> str | None:
    """`GWYP`, and a name behind it (`GWYO`, the format before 2.0, is not read)."""
    return "signature GWYP" if candidate.head.startswith(MAGIC) and candidate.head[4:5].isalpha() else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Every data field with its title, size and unit; each channel's metadata."""
    top, _ = _Reader(source).object(len(MAGIC), source.size, 0)
    signals: list[Signal] = []
    metadata: dict[str, Any] = {}
    for key, one in _fields(top):
        number = re.match(r"/(?:brick/|surface/)?(\d+)", key)
        title = _title(top, key) or (f"channel {number[1]}" if number else key)
        if len(signals) < _MOST_FIELDS:
            signals.append(_signal(source, one, title))
    for key, one in top.items.items():
        if isinstance(one, _Object) and key.endswith("/meta"):
            channel = {name: value_of(text) for name, text in one.items.items() if isinstance(text, str)}
            metadata.setdefault("meta", {})[key.strip("/").partition("/")[0]] = channel
        elif isinstance(one, _Object) and key.endswith("/log"):
            done = one.get("strings", [])
            if isinstance(done, list) and done:
                metadata.setdefault("log", {})[key.strip("/").partition("/")[0]] = done[-50:]
    filename = top.get("/filename")
    first: dict[str, Any] = next(iter(metadata.get("meta", {}).values()), {})
    when = facts.time_of(first)
    title = signals[0].name if len(signals) == 1 else ""
    return Reading(
        data_type="Gwyddion data",
        name="",
        timestamp=when.iso,
        instrument=facts.instrument_of(first),
        samples=(facts.sample_of(first),),
        metadata=metadata | ({"filename": filename} if isinstance(filename, str) else {}) | described(signals),
        thumbnails=drawn(signals, title or candidate.stem),
        warnings=when.warnings,
    )


def _fields(top: _Object) -> Iterator[tuple[str, _Object]]:
    """The data fields (`/0/data`), volume data (`/brick/0`) and graphs of the file, in the file's order."""
    for key, one in top.items.items():
        if (
            isinstance(one, _Object)
            and one.name in {"GwyDataField", "GwyBrick", "GwyDataLine"}
            and re.match(r"/(brick/)?\d+(/data)?$", key)
        ):
            yield key, one


def _title(top: _Object, key: str) -> str:
    for name in (f"{key}/title", f"{key}/untitled"):
        title = top.get(name)
        if isinstance(title, str) and title.strip():
            return title.strip()
    return ""


def _signal(source: Source, one: _Object, title: str) -> Signal:
    array = one.get("data")
    names = [letter for letter in "zyx" if isinstance(one.get(f"{letter}res"), int)] or [""]
    shape = tuple(max(int(one.get(f"{letter}res", one.get("res", 0)) or 0), 0) for letter in names)
    if not isinstance(array, _Array) or not shape:
        raise UnreadableError("The Gwyddion file is damaged: a data field has no data.")
    total = 1
    for side in shape:
        total *= side
    if total != array.count:
        raise UnreadableError(f"The Gwyddion file is damaged: a field of {shape} has {array.count} values.")
    values, chosen = source.array(array.offset, array.dtype, shape)
    axes = []
    sizes: dict[str, Quantity] = {}
    for letter, count in zip(names, shape, strict=True):
        unit = _unit(one.get(f"si_unit_{letter}") or one.get("si_unit_xy"))
        real = float(one.get(f"{letter}real") or one.get("real") or 0.0)
        first = float(one.get(f"{letter}off") or one.get("off") or 0.0)
        step = real / count if real else 1.0
        axes.append(Axis(letter or "x", unit, first + step / 2, step))
        sizes[f"{letter or 'x'} size"] = Quantity(real, unit)
    value_unit = _unit(one.get("si_unit_w" if "z" in names else "si_unit_y" if names == [""] else "si_unit_z"))
    return Signal(
        values,
        tuple(axes),
        title,
        value_unit,
        shape,
        chosen,
        rows_down=True,
        spectral=0 if len(shape) > 2 else None,
        about=sizes,
    )


def _unit(unit: Any) -> str:
    text = unit.get("unitstr", "") if isinstance(unit, _Object) else ""
    return text.strip() if isinstance(text, str) else ""
