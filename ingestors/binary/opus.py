"""Bruker OPUS files of infrared and Raman spectrometers (`.0`, `.1`, ...).

Source: the layout as the readers `brukeropus` and `spectrochempy` document it: 0A 0A FE FE, a version, a directory of blocks (type, length in words of 4 bytes,
offset). A type is six fields of bits: part of a complex number, sample or reference, kind of parameters, kind of data, derivative, more.
Parameters are names of three letters with a type (0: int, 1: double, else text) and a length; data are 32-bit floats along an even axis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import text_of
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.source import Source

MAGIC: Final = b"\x0a\x0a\xfe\xfe"
_MOST_BLOCKS: Final = 400
_MOST_PARAMETERS: Final = 200
_SECTIONS: Final = {2: "instrument", 3: "acquisition", 4: "Fourier transform", 6: "optics", 7: "chromatography", 10: "sample", 11: "process"}  # fmt: skip
_DATA: Final = {
    1: "Single channel", 2: "Interferogram", 3: "Phase", 4: "Absorbance", 5: "Transmittance", 6: "Kubelka-Munk", 7: "Trace", 10: "Raman intensity",
    11: "Emission", 12: "Reflectance", 14: "Power", 15: "log Reflectance", 16: "ATR", 17: "Photoacoustic", 18: "Transmittance", 19: "Absorbance",
}  # fmt: skip
_SIDES: Final = {1: "sample", 2: "reference"}
_AXES: Final = {
    "WN": ("Wavenumber", "1/cm"), "MI": ("Wavelength", "µm"), "LGW": ("log Wavenumber", ""), "MIN": ("Time", "min"), "PNT": ("Point", ""),
    "RS": ("Raman shift", "1/cm"),
}  # fmt: skip
_NAMES: Final = {
    "CNM": ("operator", ""), "SNM": ("sample name", ""), "SFM": ("sample form", ""), "CPY": ("company", ""), "DPM": ("department", ""), "EXP": ("experiment", ""),
    "INS": ("instrument", ""), "SRN": ("serial number", ""), "RES": ("resolution", "1/cm"), "NSS": ("sample scans", ""), "NSR": ("background scans", ""),
    "ASS": ("scans", ""), "ASG": ("scans", ""), "LWN": ("laser wavenumber", "1/cm"), "RLW": ("Raman laser wavenumber", "1/cm"), "RLP": ("Raman laser power", "mW"),
    "HFL": ("high folding limit", "1/cm"), "LFL": ("low folding limit", "1/cm"), "HFQ": ("end frequency limit", "1/cm"), "LFQ": ("start frequency limit", "1/cm"),
    "HFW": ("wanted high frequency limit", "1/cm"), "LFW": ("wanted low frequency limit", "1/cm"), "APF": ("apodization", ""), "PHZ": ("phase correction", ""),
    "ZFF": ("zero filling factor", ""), "SRC": ("source", ""), "BMS": ("beam splitter", ""), "DTC": ("detector", ""), "APT": ("aperture", ""), "VEL": ("velocity", ""),
    "SGN": ("signal gain", ""), "CHN": ("channel", ""), "PLF": ("result spectrum", ""), "DUR": ("duration", "s"), "HUM": ("relative humidity", "%"),
    "TSC": ("scanner temperature", "degC"), "PRS": ("pressure", "hPa"),
}  # fmt: skip


@dataclass(frozen=True)
class _Block:
    """One entry of the directory, its type taken apart."""

    part: int
    side: int
    section: int
    kind: int
    derivative: int
    offset: int
    length: int


def recognises(candidate: Candidate) -> str | None:
    """The magic number, and a directory in the file."""
    head = candidate.head
    if not head.startswith(MAGIC) or len(head) < 24:
        return None
    start = int.from_bytes(head[12:16], "little")
    return "signature 0A 0A FE FE" if 24 <= start < candidate.size else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Every spectrum with its axis; the parameters in sections, the first of each kind."""
    blocks = _blocks(source)
    told: dict[str, Any] = {}
    for block in blocks:
        if block.section in _SECTIONS and block.side != 2:
            found = _told(_parameters(source, block))
            told[_SECTIONS[block.section]] = found | told.get(_SECTIONS[block.section], {})
    signals: list[Signal] = []
    warnings: list[str] = []
    written: dict[str, Any] = {}
    for block in _by_meaning(blocks):
        status = next((one for one in blocks if one.section == 1 and _same(one, block)), None)
        known = _parameters(source, status) if status is not None else {}
        try:
            signal = _signal(source, block, known)
        except UnreadableError as error:
            warnings.append(f"A spectrum is missing: {error}")
            continue
        if signal is not None:
            signals.append(signal)
            written = written or known
    if not signals and not told:
        raise UnreadableError("This OPUS file holds neither spectra nor parameters.")
    when = _moment(written)
    sample, instrument = told.get("sample", {}), told.get("instrument", {})
    raman = any(one.name.startswith("Raman") for one in signals) or told.get("acquisition", {}).get(
        "result spectrum"
    ) in {"RAM", "RAMAN"}
    return Reading(
        data_type="OPUS spectrum",
        measurement="Raman spectroscopy" if raman else "Fourier-transform infrared spectroscopy",
        timestamp=when.iso,
        instrument=str(instrument.get("instrument", "")),
        samples=(str(sample.get("sample name", "")),),
        metadata=told | described(signals),
        thumbnails=drawn(
            signals[:1], candidate.stem, reverse=bool(signals) and signals[0].axes[0].unit == "1/cm" and not raman
        ),
        warnings=(*when.warnings, *warnings),
    )


def _blocks(source: Source) -> list[_Block]:
    start, _, count = source.unpack("<III", 12)
    found = []
    for index in range(min(count, _MOST_BLOCKS)):
        kind, words, offset = source.unpack("<III", start + 12 * index)
        if 0 < offset < source.size and words:
            bits = (kind & 3, kind >> 2 & 3, kind >> 4 & 63, kind >> 10 & 127, kind >> 17 & 3)
            if kind >> 19 & 7 == 0:  # else tables, series, reports
                found.append(_Block(*bits, offset, 4 * words))
    return found


def _same(one: _Block, other: _Block) -> bool:
    return (one.part, one.side, one.kind, one.derivative) == (other.part, other.side, other.kind, other.derivative)


def _by_meaning(blocks: list[_Block]) -> list[_Block]:
    """The data: results first, then single channels, then interferograms and phases; the first one of each."""
    found: dict[tuple[int, ...], _Block] = {}
    for one in blocks:
        if one.section == 0 and one.kind in _DATA:
            found.setdefault((one.part, one.side, one.kind, one.derivative), one)
    rank = {1: 1, 2: 2, 3: 3}
    return sorted(found.values(), key=lambda one: (rank.get(one.kind, 0), one.side == 2))


def _parameters(source: Source, block: _Block) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at, end = block.offset, block.offset + block.length
    while at + 8 <= min(end, source.size) and len(found) < _MOST_PARAMETERS:
        name = source.read(at, 3).decode("latin-1")
        kind, words = source.unpack("<HH", at + 4)
        at += 8
        if name == "END" or not name.isalnum():
            break
        if kind == 0 and words == 2:
            found[name] = int(source.number("<i", at))
        elif kind == 1 and words == 4:
            found[name] = float(source.number("<d", at))
        elif text := text_of(source.some(at, min(2 * words, 1000))):
            found[name] = text
        at += 2 * words
    return found


def _told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in parameters.items():
        name, unit = _NAMES.get(key, (key, ""))
        found[name] = Quantity(value, unit) if unit and isinstance(value, (int, float)) else value
    return found


def _signal(source: Source, block: _Block, known: Mapping[str, Any]) -> Signal | None:
    count, first, last = known.get("NPT"), known.get("FXV"), known.get("LXV")
    if not isinstance(count, int) or count < 2 or not isinstance(first, float) or not isinstance(last, float):
        return None
    values, _ = source.array(block.offset, "<f4", (min(count, block.length // 4),))
    factor = known.get("CSF", 1.0)
    scaled = values * np.float32(factor) if isinstance(factor, float) and factor not in {0.0, 1.0} else values
    name, unit = _AXES.get(str(known.get("DXU", "")), ("x", ""))
    title = " ".join(word for word in (_DATA[block.kind], _SIDES.get(block.side, "")) if word)
    return Signal(scaled, (Axis(name, unit, first, (last - first) / (count - 1)),), title)


def _moment(known: Mapping[str, Any]) -> dates.Moment:
    """`DAT` (day first, or the year) and `TIM` (`15:11:58.123 (GMT+1)`)."""
    clock = re.match(r"(\d\d?:\d\d:\d\d(?:\.\d+)?)(?:.*GMT([+-]\d+))?", str(known.get("TIM", "")))
    text = f"{known.get('DAT', '')} {clock[1] if clock else ''}".strip()
    when = dates.parse(text, (*dates.EUROPEAN, *dates.YEAR_FIRST))
    if not when.iso or clock is None or clock[2] is None:
        return when
    return dates.Moment(f"{when.iso}{int(clock[2]):+03}:00", when.warnings)
