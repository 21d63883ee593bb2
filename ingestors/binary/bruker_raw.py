"""Bruker and Siemens diffraction scans (`.raw`), versions 1 to 4.

Source: the layouts as `xylib`'s `bruker_raw.cpp` and GSAS-II's `G2pwd_BrukerRAW` document them: `RAW ` (156 bytes before each range), `RAW2` (256 bytes, ranges of
their own length), `RAW1.01` (712 bytes, ranges of 304 and what they add), `RAW4.00` (segments).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import diffraction
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

_MOST_RANGES: Final = 500
_MOST_SEGMENTS: Final = 20_000
_MOST_POINTS: Final = 4_000_000
_VERSIONS: Final = {b"RAW ": "1", b"RAW2": "2", b"RAW1.01": "3", b"RAW4.00": "4"}


def recognises(candidate: Candidate) -> str | None:
    """The signature of one of the four versions (that of the first and second could begin a text: then numbers must follow)."""
    for magic, version in _VERSIONS.items():
        if candidate.head.startswith(magic) and (len(magic) > 4 or b"\0" in candidate.head[4:40]):
            return f"signature {magic.decode().strip()}, version {version}"
    return None


def read(source: Source, candidate: Candidate) -> Reading:
    """Each range as a table of 2theta and counts."""
    magic = source.some(0, 7)
    reader = (
        _third
        if magic == b"RAW1.01"
        else _fourth
        if magic == b"RAW4.00"
        else _second
        if magic[:4] == b"RAW2"
        else _first
    )
    scans, about, warnings = reader(source)
    sample = str(about.get("sample", ""))
    written = f"{about.pop('date', '')} {about.pop('time', '')}".strip()
    when = (
        dates.parse(written, dates.US)  # as .NET writes dates whatever the computer's language is
        if magic == b"RAW4.00"
        else dates.undecided(written)
        if written and "-" not in written
        else dates.parse(written, ("%d-%b-%Y", "%d-%b-%y", "%m-%d-%y"))
    )
    return Reading(
        data_type="Bruker RAW diffraction scan",
        measurement=diffraction.MEASUREMENT,
        name=sample,
        timestamp=when.iso,
        samples=(sample,),
        keywords=("XRD",),
        metadata={
            "written": written,
            **{key: value for key, value in about.items() if value not in ("", None)},
            "ranges": len(scans),
        },
        tables=diffraction.tables(scans),
        thumbnails=diffraction.thumbnails(scans, sample or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


Parts = tuple[list[diffraction.Scan], dict[str, Any], list[str]]


def _scan(source: Source, at: int, steps: int, first: float, step: float, size: int = 4) -> diffraction.Scan:
    """A range whose points have `size` bytes each and begin with the counts."""
    if not 0 < steps < _MOST_POINTS or not (np.isfinite(first) and np.isfinite(step)):
        raise UnreadableError("a range of this RAW file has an impossible number of steps.")
    points, _ = source.array(at, _record(size), (steps,))
    positions = first + step * np.arange(steps)
    return diffraction.scanned(name="2theta", unit="deg", positions=positions, counts=points["counts"])


def _record(size: int) -> np.dtype[Any]:
    return np.dtype({"names": ["counts"], "formats": ["<f4"], "offsets": [0], "itemsize": size})


def _first(source: Source) -> Parts:
    scans: list[diffraction.Scan] = []
    about: dict[str, Any] = {}
    at = 4
    while len(scans) < _MOST_RANGES:
        steps, seconds, step, mode = source.unpack("<IffI", at)
        first = source.number("<f", at + 20)
        about.setdefault("sample", source.text(at + 36, 32))
        about.setdefault("time per step", Quantity(round(seconds, 6), "s"))
        about.setdefault("scan mode", int(mode))
        alpha1, alpha2 = source.unpack("<ff", at + 68)
        about.setdefault("wavelengths", Quantity([round(alpha1, 6), round(alpha2, 6)], "Å"))
        more = source.number("<I", at + 148)
        scans.append(_scan(source, at + 152, steps, first, step))
        at += 152 + 4 * steps
        if not more or at + 156 > source.size:
            break
    return scans, about, []


def _second(source: Source) -> Parts:
    count = source.number("<H", 4)
    written = source.text(168, 20)
    alpha1, alpha2, ratio = source.unpack("<fff", 190)
    about: dict[str, Any] = {
        "date": written,
        "anode": source.text(188, 2),
        "wavelengths": Quantity([round(alpha1, 6), round(alpha2, 6)], "Å"),
        "intensity ratio": round(ratio, 6),
    }
    scans: list[diffraction.Scan] = []
    at = 256
    for _ in range(min(count, _MOST_RANGES)):
        length, steps = source.unpack("<HH", at)
        seconds, step, first = source.unpack("<fff", at + 8)
        about.setdefault("time per step", Quantity(round(seconds, 6), "s"))
        kelvin = source.number("<H", at + 46)
        if kelvin:
            about.setdefault("temperature", Quantity(int(kelvin), "K"))
        scans.append(_scan(source, at + length, steps, first, step))
        at += length + 4 * steps
    return scans, about, []


def _third(source: Source) -> Parts:
    count = source.number("<I", 12)
    average, alpha1, alpha2, beta, ratio = source.unpack("<5d", 616)
    about: dict[str, Any] = {
        "date": source.text(16, 10),
        "time": source.text(26, 10),
        "user": source.text(36, 72),
        "site": source.text(108, 218),
        "sample": source.text(326, 60),
        "comment": source.text(386, 160),
        "anode": source.text(608, 4),
        "wavelengths": Quantity([average, alpha1, alpha2, beta], "Å"),
        "intensity ratio": ratio,
    }
    scans: list[diffraction.Scan] = []
    warnings: list[str] = []
    at = 712
    for _ in range(min(count, _MOST_RANGES)):
        length, steps = source.unpack("<II", at)
        if length < 304 or at + length > source.size:
            warnings.append(f"The file is cut off: {len(scans)} of {count} ranges were read.")
            break
        first, step = source.number("<d", at + 16), source.number("<d", at + 176)
        about.setdefault("time per step", Quantity(round(source.number("<f", at + 192), 6), "s"))
        size, more = source.unpack("<II", at + 252)
        size = size if size in range(4, 260, 8) else 4  # one float, and two for each drive whose place is noted
        scans.append(_scan(source, at + length + more, steps, first, step, size))
        at += length + more + size * steps
    return scans, about, warnings


def _fourth(source: Source) -> Parts:
    """A chain of segments (type, length); where the type is 0 or 160, a range stands instead, and the chain goes on behind it."""
    about: dict[str, Any] = {"date": source.text(12, 12), "time": source.text(24, 10)}
    scans: list[diffraction.Scan] = []
    warnings: list[str] = []
    at = 61
    for _ in range(_MOST_SEGMENTS):
        if at + 8 > source.size or len(scans) >= _MOST_RANGES:
            break
        kind, length = source.unpack("<II", at)
        if kind in {0, 160}:
            try:
                scan, at = _range(source, at, about)
            except UnreadableError as error:
                warnings.append(f"The file is cut off or of an unknown variant: {error}")
                break
            scans.append(scan)
            continue
        if kind == 10 and length > 36:
            name, value = source.text(at + 12, 24), source.text(at + 36, min(length - 36, 4000))
            if name.isprintable() and name:
                about["sample" if name.upper() == "SAMPLEID" else name.casefold()] = value
        elif kind == 30 and length >= 120:
            *waves, ratio = source.unpack("<5d", at + 72)
            about |= {"wavelengths": Quantity(waves, "Å"), "intensity ratio": ratio, "anode": source.text(at + 116, 4)}
        at += max(length, 8)
    return scans, about, warnings


def _range(source: Source, at: int, about: dict[str, Any]) -> tuple[diffraction.Scan, int]:
    """One range: a header of 160 bytes, segments (type 50: a drive, where it stood, and whether it is the one that moved), and the points."""
    first, step, steps, milliseconds = source.unpack("<ddIf", at + 72)
    volts, milliamperes = source.unpack("<ff", at + 100)
    size, more = source.unpack("<II", at + 136)
    if not 0 < steps < _MOST_POINTS or not (np.isfinite(first) and np.isfinite(step)) or not 4 <= size <= 1024:
        raise UnreadableError("a range of this RAW file has an impossible number of steps.")
    begin = at + 160 + more
    drives: dict[str, float] = {}
    moved = ""
    here = at + 160
    while here + 64 <= begin:
        kind, length = source.unpack("<II", here)
        if kind == 50 and length >= 64:
            name, place = source.text(here + 12, 24), source.number("<d", here + 56)
            drives.setdefault(name, round(place, 6))
            moved = name if source.number("<I", here + 8) and place == first else moved
        elif kind == 40:
            about.setdefault("detector", source.text(here + 12, 32))
        here += max(length, 8)
    about.setdefault("scan type", source.text(at + 32, 24))
    about.setdefault("time per step", Quantity(round(milliseconds, 6), "ms"))
    about.setdefault("generator voltage", Quantity(volts, "kV"))
    about.setdefault("generator current", Quantity(milliamperes, "mA"))
    about.setdefault("wavelength", Quantity(source.number("<d", at + 112), "Å"))
    about.setdefault("drives", drives)
    points, _ = source.array(begin, _record(size), (steps,))
    positions = first + step * np.arange(points.size)
    scan = diffraction.scanned(name=moved or "2theta", unit="deg", positions=positions, counts=points["counts"])
    return scan, begin + size * steps
