"""Igor Pro binary waves (`.ibw`, versions 1, 2, 3 and 5), with the notes of Scienta SES and of Asylum Research's microscopes.

Source: WaveMetrics Technical Note 003, "Igor Binary Format": BinHeader, WaveHeader2 (110 bytes) or WaveHeader5 (320 bytes), the values
(first dimension fastest), then formula, note, units and labels, whose lengths stand in the BinHeader.
"""

from __future__ import annotations

import math
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

    from ingestors.api import Thumbnail

_BIN_HEADERS: Final = {1: 8, 2: 16, 3: 20, 5: 64}
_TYPES: Final = {0x02: "f4", 0x04: "f8", 0x08: "i1", 0x10: "i2", 0x20: "i4", 0x80: "i8"}
_COMPLEX, _UNSIGNED, _TEXT = 0x01, 0x40, 0x00
_OLD_HEADER: Final = 110
_NEW_HEADER: Final = 320
_PADDING: Final = 16  # behind the values of old waves
_DIMENSIONS: Final = 4
_LABEL: Final = 32
_NEW: Final = 5
_MOST_TEXTS: Final = 1000
_LONGEST_TEXT: Final = 500
_SHOWN_TEXTS: Final = 16
_ASYLUM: Final = {
    "ScanSize": "m", "FastScanSize": "m", "SlowScanSize": "m", "XOffset": "m", "YOffset": "m", "ScanRate": "Hz", "ScanSpeed": "m/s", "ScanAngle": "deg",
    "SpringConstant": "N/m", "InvOLS": "m/V", "AmpInvOLS": "m/V", "DriveFrequency": "Hz", "DriveAmplitude": "V", "Setpoint": "V", "TriggerPoint": "N",
    "AmplitudeSetpointVolts": "V", "DeflectionSetpointVolts": "V", "PhaseOffset": "deg", "TipVoltage": "V", "Velocity": "m/s", "ApproachVelocity": "m/s",
    "RetractVelocity": "m/s", "ForceDist": "m", "ForceScanRate": "Hz", "DwellTime": "s", "NumPtsPerSec": "Hz", "ThermalFrequency": "Hz",
}  # fmt: skip
"""Units of the settings that Asylum Research's microscopes note without one; their program shows them so."""


@dataclass(frozen=True)
class Wave:
    """What the headers say: lengths and scaling of the dimensions, where the values begin and how many bytes are `stored`."""

    version: int
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
    stored: int
    texts: tuple[str, ...] = ()


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
        header = _NEW_HEADER if version == _NEW else _OLD_HEADER
        fits = header <= size <= candidate.size and 0 <= count <= candidate.size and _sized(kind, count, size - header)
        if fits and (kind & ~(_COMPLEX | _UNSIGNED) in _TYPES or (kind == _TEXT and candidate.suffix == ".ibw")):
            return f"Igor binary wave of version {version}"
    return None


def _sized(kind: int, count: int, stored: int) -> bool:
    """Whether the values fit into what is stored of them; a formula has none."""
    code = _TYPES.get(kind & ~(_COMPLEX | _UNSIGNED))
    return code is None or stored <= _PADDING or count * int(code[1]) * (1 + (kind & _COMPLEX)) <= stored


def wave_of(source: Source) -> tuple[Wave, tuple[Signal, ...], tuple[str, ...]]:
    """The wave, its values, and what is missing of them."""
    order = "<" if 0 < source.number("<H", 0) < 256 else ">"
    version = source.number(order + "H", 0)
    if version not in _BIN_HEADERS:
        raise UnreadableError(f"There is no version {version} of Igor's binary waves.")
    wave = _new(source, order) if version == _NEW else _old(source, order, version)
    return wave, *_signals(source, wave, order)


def read(source: Source, candidate: Candidate) -> Reading:
    """The wave with its scaling and note."""
    wave, signals, warnings = wave_of(source)
    fields = noted(wave.note)
    flat = {key: value for key, value in fields.items() if not isinstance(value, list)}
    written = _moment(wave.note, flat)
    made = times.mac(wave.created or wave.modified)
    when = made if not (written.iso or written.warnings) or made.iso.startswith(f"{written.iso}T") else written
    about = {"name": wave.name, "version": wave.version} | (
        {"modified": times.mac(wave.modified).iso} if wave.modified else {}
    )
    asylum = _is_asylum(fields)
    title = wave.name or candidate.stem
    pulled = _force_curve(signals, title) if asylum else ()
    return Reading(
        data_type="Igor binary wave",
        measurement=_measurement(flat),
        name=wave.name,
        timestamp=when.iso,
        instrument="Asylum Research" if asylum else facts.instrument_of(flat),
        samples=(facts.sample_of(flat),),
        metadata={"wave": {key: value for key, value in about.items() if value}, **({"note": fields} if fields else {})}
        | ({"note_text": wave.note[:20_000]} if wave.note.strip() and not fields else {})
        | (described(signals) or described_texts(wave)),
        thumbnails=pulled
        or drawn(signals, title, reverse="binding" in wave.axes[0].name.casefold() if wave.axes else False),
        warnings=(*when.warnings, *warnings),
    )


def noted(note: str) -> dict[str, Any]:
    """What the note says in pairs: a line for each (Igor ends lines with CR), or all in one line with `;` between them."""
    lines = [line for line in re.split(r"[\r\n]+", note) if line.strip()]
    if len(lines) == 1 and re.fullmatch(r"(?:[^;=]+=[^;]*;){2,}\s*(?:[^;=]+=[^;]*)?", lines[0]):
        lines = lines[0].split(";")
    fields = dict(pairs(lines))
    if _is_scienta(fields):
        return {key: valued(key, str(value)) for key, value in fields.items()}
    if _is_asylum(fields):
        return {
            key: Quantity(value, _ASYLUM[key]) if key in _ASYLUM and isinstance(value, (int, float)) else value
            for key, value in fields.items()
        }
    return fields


def _is_scienta(fields: Mapping[str, Any]) -> bool:
    return {"Lens Mode", "Pass Energy", "Excitation Energy"} <= fields.keys()


def _is_asylum(fields: Mapping[str, Any]) -> bool:
    return "InvOLS" in fields and "SpringConstant" in fields


def described_texts(wave: Wave) -> dict[str, Any]:
    """A text wave, or one without points."""
    found: dict[str, Any] = {"shape": list(wave.shape[::-1]) or [0]}
    if wave.kind == _TEXT:
        found |= {"dtype": "text", "values": list(wave.texts[:_SHOWN_TEXTS])}
    return {"data": found}


def _force_curve(signals: tuple[Signal, ...], title: str) -> tuple[Thumbnail, ...]:
    """Asylum's force curve: the deflection against the sensor of the height."""
    named = {one.name: one for one in signals if one.values.ndim == 1}
    deflection = named.get("Defl")
    height = named.get("ZSnsr", named.get("Raw"))
    if deflection is None or height is None:
        return ()
    along = Axis(height.name, height.unit, points=height.values)
    return drawn([Signal(deflection.values, (along,), deflection.name, deflection.unit)], title)


def _old(source: Source, order: str, version: int) -> Wave:
    sizes = source.unpack(order + {1: "i", 2: "ii", 3: "iii"}[version], 2)
    start = _BIN_HEADERS[version]
    kind = source.number(order + "H", start)
    count = source.number(order + "i", start + 42)
    step, first = source.unpack(order + "dd", start + 48)
    created = source.number(order + "I", start + 96)
    modified = source.number(order + "I", start + 102)
    unit, x_unit = source.text(start + 34, 4), source.text(start + 38, 4)
    note = text_of(source.some(start + sizes[0], max(sizes[1], 0))) if len(sizes) > 1 else ""
    axis = Axis("x" if x_unit else "", x_unit, first, step)
    data = start + _OLD_HEADER
    return Wave(
        version,
        source.text(start + 6, 20),
        kind,
        (count,),
        (axis,),
        unit,
        data,
        note,
        (),
        created,
        modified,
        sizes[0] - _OLD_HEADER,
    )


def _new(source: Source, order: str) -> Wave:
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
    return Wave(
        _NEW,
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
        wave - _NEW_HEADER,
        _strings(source, order, start + _NEW_HEADER, offset, rest[2 * _DIMENSIONS]) if kind == _TEXT else (),
    )


def _strings(source: Source, order: str, data: int, offset: int, size: int) -> tuple[str, ...]:
    """The values of a text wave: one text behind the other, and behind the labels where each of them ends."""
    count = min(size // 4, _MOST_TEXTS)
    ends = np.frombuffer(source.some(offset, 4 * count), order + "i4").tolist() if count else []
    found = []
    for begin, end in zip([0, *ends], ends, strict=False):
        found.append(_decoded(source.some(data + begin, min(max(end - begin, 0), _LONGEST_TEXT))))
    return tuple(found)


def _decoded(content: bytes) -> str:
    return text_of(content, "utf-8")


def _named(text: str, index: int) -> tuple[str, str]:
    """`Binding Energy [eV]` as name and unit; a bare unit belongs to x, y, z or t."""
    name, unit = split_name(text)
    return (name, unit) if unit is not None else ("xyzt"[index] if text else "", text)


def _signals(source: Source, wave: Wave, order: str) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """The values as arrays whose last dimension is Igor's first; the layers of labelled stacks one by one; and what is missing."""
    code = _TYPES.get(wave.kind & ~(_COMPLEX | _UNSIGNED))
    if code is None or not wave.shape or 0 in wave.shape:
        return (), ()
    if wave.kind & _UNSIGNED and code[0] == "i":
        code = "u" + code[1]
    if wave.kind & _COMPLEX:
        code = "c" + str(2 * int(code[1]))
    if wave.stored < np.dtype(code).itemsize * math.prod(wave.shape):
        if wave.stored > _PADDING:
            raise UnreadableError("The wave is damaged: it has more points than its part of the file holds.")
        return (), ("The wave's values are not in the file: Igor calculates them from a formula.",)
    values, chosen = source.array(wave.data, np.dtype(order + code), wave.shape[::-1])
    name, unit = split_name(wave.unit)
    name, unit = (name, unit) if unit is not None else ("", wave.unit)
    axes = wave.axes[::-1]
    last = len(wave.shape) - 1
    labels = wave.labels[last] if 0 < last < len(wave.labels) else ()
    if not any(labels):
        return (Signal(values, axes, name, unit, wave.shape[::-1], chosen),), ()
    layers = [labels[at] if at < len(labels) else f"layer {at + 1}" for at in chosen.tolist()]
    return tuple(Signal(values[row], axes[1:], layer, unit) for row, layer in enumerate(layers)), ()


def _moment(written: str, fields: Mapping[str, Any]) -> dates.Moment:
    """The note's own time: Scienta and Asylum both write `Date` (year first) and `Time`."""
    note = re.sub(r"[\r\n]+", "\n", written)
    day = re.search(r"^\s*Date\s*[:=]\s*(\d{4}-\d\d-\d\d)", note, re.MULTILINE)
    clock = re.search(r"^\s*Time\s*[:=]\s*(\d{1,2}:\d\d:\d\d(?: ?[AP]M)?)", note, re.MULTILINE)
    if day is not None:
        return dates.parse(f"{day[1]} {clock[1] if clock else ''}".strip(), dates.YEAR_FIRST)
    return facts.time_of(fields)


def _measurement(fields: Mapping[str, Any]) -> str:
    if _is_scienta(fields):
        if str(fields["Lens Mode"]).startswith("Angular"):
            return "Angle-resolved photoemission spectroscopy"
        energy = fields.get("Excitation Energy")
        return method_of({"Excitation Energy": str(energy.value)} if isinstance(energy, Quantity) else {})
    return "Atomic force microscopy" if _is_asylum(fields) else ""
