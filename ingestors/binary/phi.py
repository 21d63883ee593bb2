"""PHI MultiPak spectra (`.spe`, `.pro`, `.sxi` alike begin `SOFH`): a text header, then the intensities of each region.

Source: the header's own words; the layout of the binary part as pynxtools-xps describes it and as the files show it: 16 bytes (the second word counts
the spectra), for each spectrum 24 words (points in the sixth, `f4` or `f8`, bytes and offset behind it), then the values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.binary.source import Source

MAGIC: Final = b"SOFH"
_LONGEST_HEADER: Final = 1_000_000
_WORDS: Final = 24
_MOST_SPECTRA: Final = 64
_TECHNIQUES: Final = {
    "XPS": "X-ray photoelectron spectroscopy",
    "UPS": "Ultraviolet photoelectron spectroscopy",
    "AES": "Auger electron spectroscopy",
}


@dataclass(frozen=True)
class _Region:
    name: str
    points: int
    step: float
    first: float
    pass_energy: float | None


def recognises(candidate: Candidate) -> str | None:
    """`SOFH` alone in the first line."""
    return "first line SOFH" if re.match(rb"SOFH\r?\n", candidate.head) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Header fields, regions, and a spectrum for each region that was measured."""
    head = source.some(0, _LONGEST_HEADER)
    match = re.search(rb"^EOFH\r?\n", head, re.MULTILINE)
    if match is None:
        raise UnreadableError("The header of this PHI file has no end (EOFH).")
    pairs = [
        (key.strip(), value.strip())
        for key, colon, value in (
            line.partition(":") for line in head[: match.start()].decode("cp1252", "replace").splitlines()
        )
        if colon and value.strip()
    ]
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if not key.startswith(("SpectralReg", "Channel Info", "TFCParameters")):
            fields.setdefault(key, value_of(_unit_mended(value)))
    regions = [region for key, value in pairs if key == "SpectralRegDef" and (region := _region(value)) is not None]
    signals, warnings = _spectra(source, match.end(), regions)
    words = dict(pairs)
    day = re.fullmatch(r"(\d{4}) (\d{1,2}) (\d{1,2})(.*)", words.get("AcqFileDate", words.get("FileDate", "")))
    when = dates.iso(f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}{day[4]}") if day else dates.NEVER
    description = re.fullmatch(r"\(\d+, ?(.*)\)", words.get("FileDesc", ""))
    title = description[1].strip() if description else ""
    return Reading(
        data_type="PHI MultiPak file",
        measurement=_TECHNIQUES.get(words.get("Technique", "").upper(), ""),
        name=title,
        timestamp=when.iso,
        instrument=f"PHI {words['InstrumentModel']}" if words.get("InstrumentModel") else "",
        metadata={**fields, "regions": [_told(region) for region in regions]} | described(signals),
        thumbnails=drawn(signals, title or candidate.stem, reverse=True),
        warnings=(*when.warnings, *warnings),
    )


def _unit_mended(text: str) -> str:
    """`45.0 d` is degrees, `10.0 msec` milliseconds."""
    return re.sub(r"^([-\d.]+) d$", r"\1 deg", re.sub(r" msec$", " ms", text))


def _region(text: str) -> _Region | None:
    """`1 1 Su1s 111 1751 -0.8000 1400.0000 0.0000 ... 224.00 AREA`: name, element, points, step, first and last energy, ..., pass energy."""
    words = text.split()
    try:
        first = 2 if len(words) > 12 and words[1].isdigit() else 1
        energy = float(words[first + 9]) if len(words) > first + 9 else None
        return _Region(words[first], int(words[first + 2]), float(words[first + 3]), float(words[first + 4]), energy)
    except (ValueError, IndexError):
        return None


def _told(region: _Region) -> dict[str, Any]:
    found: dict[str, Any] = {"name": region.name, "points": region.points}
    found |= {"start": Quantity(region.first, "eV"), "step": Quantity(region.step, "eV")}
    return found | ({"pass energy": Quantity(region.pass_energy, "eV")} if region.pass_energy is not None else {})


def _spectra(source: Source, start: int, regions: Sequence[_Region]) -> tuple[list[Signal], list[str]]:
    signals: list[Signal] = []
    if source.size < start + 16 + 4 * _WORDS:
        return signals, ["The file holds a header only, no spectra yet."]
    count = source.number("<I", start + 4)
    for index in range(min(count, _MOST_SPECTRA, len(regions))):
        words = source.read(start + 16 + 4 * _WORDS * index, 4 * _WORDS)
        numbers = np.frombuffer(words, "<u4")
        code = words[72:74].decode("latin-1")
        size, offset, points = int(numbers[19]), int(numbers[20]), int(numbers[5])
        region = regions[index]
        if code not in {"f4", "f8"} or points <= 0 or size % (points * int(code[1])):
            return signals, ["The intensities are stored in a way that is not known here; only the header was read."]
        scans = size // (points * int(code[1]))
        values, chosen = source.array(start + offset, "<" + code, (scans, points))
        axis = Axis("Binding energy", "eV", region.first, region.step)
        unit = words[56:60].split(b"\0")[0].decode("latin-1").strip()
        unit = unit if "/" in unit else "c/s" if b"c/s" in words else unit
        name = region.name
        if scans == 1:
            signals.append(Signal(values[0], (axis,), name, unit))
        else:
            signals.append(Signal(values, (Axis("cycle"), axis), name, unit, (scans, points), chosen))
    return signals, []
