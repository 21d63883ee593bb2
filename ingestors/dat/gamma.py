"""Spectra of multichannel analysers: Amptek's `.mca`, the `.Spe` of ORTEC and others with `$` sections.

Sources: Amptek's DPPMCA files (`<<PMCA SPECTRUM>>`, `KEY - value`); the IAEA's description of the `$SPEC_ID:` format. Both write dates with the
month first. The energy of a channel is a polynomial of its number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate, Thumbnail
    from ingestors.textfile import Decoded

_MARKS: Final = re.compile(r"<<([^<>]+)>>\s*")
_PAIR: Final = re.compile(r"([A-Za-z][\w ]*?)\s+-\s*(.*)")
_SECTION: Final = re.compile(r"\$([A-Z_0-9]+):\s*(.*)")
_MOST_TERMS: Final = 4
_XRAYS: Final = 100.0  # keV: beyond it no fluorescence


def recognises_amptek(head: str, candidate: Candidate) -> str | None:
    """`<<PMCA SPECTRUM>>` in the first line."""
    del candidate
    return "first line <<PMCA SPECTRUM>>" if head.lstrip().startswith("<<PMCA SPECTRUM>>") else None


def read_amptek(text: Decoded, candidate: Candidate) -> Reading:
    """Keys of all sections, counts, and the energy if two channels of it are known. Raises UnreadableError."""
    sections = _sections(lines_of(text.text), _MARKS)
    values = _numbers(sections.get("DATA", []))
    if not values:
        raise UnreadableError("The spectrum holds no counts.")
    top = gathered(
        (match[1], value_of(match[2]))
        for line in sections.get("PMCA SPECTRUM", [])
        if (match := _PAIR.fullmatch(line)) and match[2]
    )
    for key in ("LIVE_TIME", "REAL_TIME", "PRESET_TIME"):
        if isinstance(top.get(key), (int, float)):
            top[key] = Quantity(top[key], "s")
    points = [tuple(_numbers([line])) for line in sections.get("CALIBRATION", [])]
    points = [point for point in points if len(point) == 2]  # noqa: PLR2004 channel and energy
    terms = _line(points)
    unit = next(
        (line.partition("-")[2].strip() for line in sections.get("CALIBRATION", []) if line.startswith("LABEL")), ""
    )
    when = dates.parse(str(top.get("START_TIME", "")), dates.US)
    more = {name.title(): gathered(pair for line in lines if (pair := _loose(line))) for name, lines in sections.items()
            if name not in {"PMCA SPECTRUM", "DATA", "CALIBRATION", "END", "ROI"}}  # fmt: skip
    calibration = {"calibration": {"points": [list(point) for point in points], "unit": unit}} if points else {}
    table, pictures = _spectrum(values, terms, unit, candidate.stem)
    xrays = table.columns[1].unit == "keV" and float(table.columns[1].values.max()) < _XRAYS
    return Reading(
        data_type="Amptek MCA spectrum",
        measurement="X-ray fluorescence" if xrays else "Pulse-height spectrum",
        name=str(top.get("DESCRIPTION", "")),
        timestamp=when.iso,
        instrument="Amptek",
        keywords=("MCA",),
        metadata={**top, **calibration, **{key: value for key, value in more.items() if value}},
        tables=(table,),
        thumbnails=pictures,
        warnings=when.warnings,
    )


def recognises_sections(head: str, candidate: Candidate) -> str | None:
    """`$SPEC_ID:` or `$DATE_MEA:` and `$DATA:`."""
    del candidate
    return (
        "sections $SPEC_ID:, $DATA:"
        if re.match(r"\s*\$[A-Z_]+:", head) and re.search(r"^\$(?:DATA|MEAS_TIM):", head, re.MULTILINE)
        else None
    )


def read_sections(text: Decoded, candidate: Candidate) -> Reading:
    """Every section; counts, live and real time, the energy calibration. Raises UnreadableError."""
    sections = _sections(lines_of(text.text), _SECTION)
    first, *counts = _numbers(sections.get("DATA", [])) or [0.0]
    values = counts[1:]
    if not values:
        raise UnreadableError("The spectrum holds no counts.")
    calibration = sections.get("MCA_CAL", [])
    unit = calibration[1].split()[-1] if len(calibration) > 1 and calibration[1].split()[-1].isalpha() else "keV"
    terms = (
        _numbers([re.sub(r"[A-Za-z]+$", "", calibration[1])])
        if len(calibration) > 1
        else _numbers(sections.get("ENER_FIT", []))
    )
    when = dates.parse(" ".join(sections.get("DATE_MEA", [])[:1]), dates.US)
    times = _numbers(sections.get("MEAS_TIM", []))
    metadata: dict[str, Any] = {}
    for name, lines in sections.items():
        if name not in {"DATA", "MEAS_TIM"} and lines:
            metadata[name] = value_of(lines[0]) if len(lines) == 1 else [value_of(line) for line in lines]
    if len(times) > 1:
        metadata |= {"live time": Quantity(times[0], "s"), "real time": Quantity(times[1], "s")}
    table, pictures = _spectrum(values, terms, unit, candidate.stem, first)
    return Reading(
        data_type="Gamma spectrum (SPE)",
        measurement="Gamma-ray spectroscopy",
        name=" ".join(sections.get("SPEC_ID", [])).strip(),
        timestamp=when.iso,
        keywords=("MCA",),
        metadata=metadata,
        tables=(table,),
        thumbnails=pictures,
        warnings=when.warnings,
    )


def _spectrum(
    values: Sequence[float], terms: Sequence[float], unit: str, title: str, first: float = 0.0
) -> tuple[Table, tuple[Thumbnail, ...]]:
    """Channels, their energies if the terms of a polynomial are known, and counts; and the last two drawn."""
    channels = first + np.arange(len(values))
    columns = [Column("Channel", None, channels), Column("Counts", "counts", np.array(values))]
    known = [float(term) for term in terms[:_MOST_TERMS]]
    if len(known) > 1 and known[1]:
        columns.insert(1, Column("Energy", unit or None, np.polyval(known[::-1], channels)))
    return Table("", tuple(columns)), plots.charts([Table("", tuple(columns[-2:]))], title=title)


def _line(points: Sequence[Sequence[float]]) -> list[float]:
    """Offset and slope of the straight line through channels and energies; nothing if there are less than two."""
    if len({point[0] for point in points}) < 2:  # noqa: PLR2004 a line
        return []
    grid = np.array(points)
    slope, offset = np.polyfit(grid[:, 0], grid[:, 1], 1)
    return [float(offset), float(slope)]


def _sections(lines: Sequence[str], mark: re.Pattern[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    into: list[str] = []
    for line in map(str.strip, lines):
        match = mark.fullmatch(line)
        if match:
            into = found.setdefault(match[1], [])
            if mark.groups > 1 and match[2]:
                into.append(match[2])
        elif line:
            into.append(line)
    return found


def _loose(line: str) -> tuple[str, Any] | None:
    key, colon, value = line.partition(":")
    if not colon:
        key, colon, value = line.partition("=")
    return (key.strip(), value_of(value.rstrip("; "))) if colon and value.strip() else None


def _numbers(lines: Sequence[str]) -> list[float]:
    cells = (number_of(cell) for line in lines for cell in line.split())
    return [cell for cell in cells if cell is not None]
