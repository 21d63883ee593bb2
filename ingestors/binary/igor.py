"""Igor Pro binary waves (`.ibw`, versions 1, 2, 3 and 5), with the notes of Scienta SES and of Asylum Research's microscopes.

Source: WaveMetrics Technical Note 003, "Igor Binary Format": BinHeader, WaveHeader2 (110 bytes) or WaveHeader5 (320 bytes), the values
(first dimension fastest), then formula, note, units and labels, whose lengths stand in the BinHeader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import times
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import Source, text_of
from ingestors.dat import dates, facts
from ingestors.dat.photoemission import method_of, valued
from ingestors.dat.reading import Reading
from ingestors.textvalues import pairs
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_BIN_HEADERS: Final = {1: 8, 2: 16, 3: 20, 5: 64}
_TYPES: Final = {0x02: "f4", 0x04: "f8", 0x08: "i1", 0x10: "i2", 0x20: "i4", 0x80: "i8"}
_COMPLEX, _UNSIGNED, _TEXT = 0x01, 0x40, 0x00
_OLD_HEADER: Final = 110
_NEW_HEADER: Final = 320
_PADDING: Final = 16  # behind the values of old waves
_DIMENSIONS: Final = 4
_LABEL: Final = 32
_NEW: Final = 5


@dataclass(frozen=True)
class _Wave:
    """What the headers say: sizes of the parts in bytes, lengths and scaling of the dimensions."""

    name: str
    kind: int
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    unit: str
    data: int
    note: str
    labels: tuple[tuple[str, ...], ...]
    created: float
    modified: float


def recognises(candidate: Candidate) -> str | None:
    """The version in the byte order that the type's number agrees with, and lengths that fit the file."""
    head = candidate.head
    for order in "<", ">":
        version = int.from_bytes(head[:2], "little" if order == "<" else "big")
        if version not in _BIN_HEADERS or len(head) < _BIN_HEADERS[version] + _OLD_HEADER:
            continue
        source = Source.of(head)
        start = _BIN_HEADERS[version]
        kind = source.number(order + "H", start + (16 if version == _NEW else 0))
        size = source.number(order + "i", 4 if version == _NEW else 2)
        count = source.number(order + "i", start + (12 if version == _NEW else 42))
        fits = _OLD_HEADER <= size <= candidate.size and 0 <= count <= candidate.size
        if fits and (kind & ~(_COMPLEX | _UNSIGNED) in _TYPES or (kind == _TEXT and candidate.suffix == ".ibw")):
            return f"Igor binary wave of version {version}"
    return None


def read(source: Source, candidate: Candidate) -> Reading:
    """The wave with its scaling and note. A text wave is only described."""
    order = "<" if 0 < source.number("<H", 0) < 256 else ">"
    version = source.number(order + "H", 0)
    if version not in _BIN_HEADERS:
        raise UnreadableError(f"There is no version {version} of Igor's binary waves.")
    wave = _new(source, order) if version == _NEW else _old(source, order, version)
    lines = re.split(r"[\r\n]+", wave.note)  # Igor ends lines with CR
    fields = pairs(lines)
    if "[SES]" in wave.note:
        fields = {key: valued(key, str(value)) for key, value in fields.items()}
    flat = {key: value for key, value in fields.items() if not isinstance(value, list)}
    signals = _signals(source, wave, order)
    written = _moment("\n".join(lines), flat)
    made = times.mac(wave.created)
    when = made if not (written.iso or written.warnings) or made.iso.startswith(f"{written.iso}T") else written
    about = {"name": wave.name, "version": version} | (
        {"modified": times.mac(wave.modified).iso} if wave.modified else {}
    )
    return Reading(
        data_type="Igor binary wave",
        measurement=_measurement(wave.note, flat),
        name=wave.name,
        timestamp=when.iso,
        instrument=facts.instrument_of(flat),
        samples=(facts.sample_of(flat),),
        metadata={"wave": {key: value for key, value in about.items() if value}, **({"note": fields} if fields else {})}
        | ({"note_text": wave.note[:20_000]} if wave.note.strip() and not fields else {})
        | described(signals),
        thumbnails=drawn(
            signals,
            wave.name or candidate.stem,
            reverse="binding" in wave.axes[0].name.casefold() if wave.axes else False,
        ),
        warnings=when.warnings,
    )


def _old(source: Source, order: str, version: int) -> _Wave:
    sizes = source.unpack(order + {1: "i", 2: "ii", 3: "iii"}[version], 2)
    start = _BIN_HEADERS[version]
    kind = source.number(order + "H", start)
    count = source.number(order + "i", start + 42)
    step, first = source.unpack(order + "dd", start + 48)
    created = source.number(order + "I", start + 90)
    modified = source.number(order + "I", start + 100)
    unit, x_unit = source.text(start + 34, 4), source.text(start + 38, 4)
    note = text_of(source.some(start + sizes[0], max(sizes[1], 0))) if len(sizes) > 1 else ""
    axis = Axis("x" if x_unit else "", x_unit, first, step)
    return _Wave(
        source.text(start + 6, 20), kind, (count,), (axis,), unit, start + _OLD_HEADER, note, (), created, modified
    )


def _new(source: Source, order: str) -> _Wave:
    sizes = source.unpack(order + "15i", 4)
    wave, formula, note_size, data_unit, *rest = (max(size, 0) for size in sizes)
    start = _BIN_HEADERS[_NEW]
    created, modified, _, kind = source.unpack(order + "IIiH", start + 4)
    lengths = source.unpack(order + "4i", start + 68)
    steps, firsts = source.unpack(order + "4d", start + 84), source.unpack(order + "4d", start + 116)
    units = [source.text(start + 148 + 4 * index, 4) for index in range(1 + _DIMENSIONS)]
    texts: list[str] = []
    offset = start + wave + formula
    for size in (note_size, data_unit, *rest[:_DIMENSIONS]):
        texts.append(_decoded(source.some(offset, size)))
        offset += size
    labels: list[tuple[str, ...]] = []
    for size in rest[_DIMENSIONS : 2 * _DIMENSIONS]:
        packed = source.some(offset, size)
        labels.append(tuple(text_of(packed[at : at + _LABEL], "utf-8") for at in range(_LABEL, len(packed), _LABEL)))
        offset += size
    shape = tuple(lengths[: next((index for index, length in enumerate(lengths) if length <= 0), _DIMENSIONS)])
    axes = tuple(
        Axis(*_named(texts[2 + index] or units[1 + index], index), firsts[index], steps[index])
        for index in range(len(shape))
    )
    return _Wave(
        source.text(start + 28, 32),
        kind,
        shape,
        axes,
        texts[1] or units[0],
        start + _NEW_HEADER,
        texts[0],
        tuple(labels),
        created,
        modified,
    )


def _decoded(content: bytes) -> str:
    return text_of(content, "utf-8")


def _named(text: str, index: int) -> tuple[str, str]:
    """`Binding Energy [eV]` as name and unit; a bare unit belongs to x, y, z or t."""
    name, unit = split_name(text)
    return (name, unit) if unit is not None else ("xyzt"[index] if text else "", text)


def _signals(source: Source, wave: _Wave, order: str) -> tuple[Signal, ...]:
    """The values as arrays whose last dimension is Igor's first; the layers of labelled stacks one by one."""
    code = _TYPES.get(wave.kind & ~(_COMPLEX | _UNSIGNED))
    if code is None or not wave.shape:
        return ()
    if wave.kind & _UNSIGNED and code[0] == "i":
        code = "u" + code[1]
    if wave.kind & _COMPLEX:
        code = "c" + str(2 * int(code[1]))
    values, chosen = source.array(wave.data, np.dtype(order + code), wave.shape[::-1])
    name, unit = split_name(wave.unit)
    name, unit = (name, unit) if unit is not None else ("", wave.unit)
    axes = wave.axes[::-1]
    last = len(wave.shape) - 1
    labels = wave.labels[last] if 0 < last < len(wave.labels) else ()
    if not any(labels):
        return (Signal(values, axes, name, unit, wave.shape[::-1], chosen),)
    return tuple(
        Signal(values[row], axes[1:], labels[at] if at < len(labels) else f"layer {at + 1}", unit)
        for row, at in enumerate(chosen.tolist())
    )


def _moment(note: str, fields: Mapping[str, Any]) -> dates.Moment:
    """The note's own time: Scienta and Asylum both write `Date` (year first) and `Time`."""
    day = re.search(r"^\s*Date\s*[:=]\s*(\d{4}-\d\d-\d\d)", note, re.MULTILINE)
    clock = re.search(r"^\s*Time\s*[:=]\s*(\d{1,2}:\d\d:\d\d(?: ?[AP]M)?)", note, re.MULTILINE)
    if day is not None:
        return dates.parse(f"{day[1]} {clock[1] if clock else ''}".strip(), dates.YEAR_FIRST)
    return facts.time_of(fields)


def _measurement(note: str, fields: Mapping[str, Any]) -> str:
    if "[SES]" in note:
        energy = fields.get("Excitation Energy")
        return method_of({"Excitation Energy": str(energy.value)} if isinstance(energy, Quantity) else {})
    if "ImagingMode" in fields and "ScanSize" in fields:
        return "Atomic force microscopy"
    return ""
