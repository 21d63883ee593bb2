"""Diffraction patterns that give a start, a step and a stop, then intensities only: PSI (DMC, HRPT), ILL, FullProf, DBWS, Sietronics CPI.

Source: the FullProf manual's formats for INSTRM 0, 3 and 8 and files of these instruments. Nothing but the count of the numbers tells
them: it has to be that of the steps, once, or twice where as many uncertainties follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import headers
from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, facts, methods, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_LOOKED_AT: Final = 12  # lines that may hold start, step and stop
_FEWEST: Final = 10
_MOST: Final = 1_000_000
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_THREE: Final = re.compile(rf"\s*({_NUMBER})[,\s]+({_NUMBER})[,\s]+({_NUMBER})(?![\d.])(.*)")
_NEUTRONS: Final = re.compile(r"\b(HRPT|DMC|D1A|D1B|D2B|D20|SPODI|E9|HB2A|BT-?1|G4\.?1|3T2|neutron)\b", re.IGNORECASE)
_MDI: Final = re.compile(rf"\s*({_NUMBER})\s+({_NUMBER})\s+\w+\s+([A-Z][a-z]?)\s+({_NUMBER})\s+({_NUMBER})\s+(\d+)\s*")
_CPI: Final = "SIETRONICS XRD SCAN"


def recognises(head: str, candidate: Candidate) -> str | None:
    """A line of start, step and stop among the first ones, and as many numbers below as there are steps (fewer in a cut head)."""
    if head.startswith(_CPI):
        return f"first line {_CPI}"
    lines = head.split("\n")
    if len(lines) > 2 and _MDI.fullmatch(lines[1]):  # noqa: PLR2004 title, range, rows
        return "second line says start, step, anode, wavelength, stop and count (MDI)"
    found = _range(lines[:_LOOKED_AT])
    if found is None:
        return None
    at, _, _, count = found
    below = next((line for line in lines[at + 1 :] if line.strip()), "").replace(",", " ").split()
    if len(below) == len(lines[at].replace(",", " ").split()):  # rows of one table
        return None
    whole = candidate.size <= len(candidate.head)
    values = _values(lines[at + 1 :] if whole else lines[at + 1 : -1])
    if values.size in (count, 2 * count) or (not whole and _FEWEST < values.size < 2 * count):
        return f"line {at + 1} says {count} steps, as many numbers follow"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The header's words and the pattern. Raises UnreadableError."""
    lines = lines_of(text.text)
    if lines[0].startswith(_CPI):
        return _read_cpi(lines, candidate)
    mdi = _MDI.fullmatch(lines[1]) if len(lines) > 1 else None
    if mdi is not None:
        return _read_mdi(lines, mdi, candidate)
    found = _range(lines[:_LOOKED_AT])
    if found is None:
        raise UnreadableError("No line says where the pattern starts and how far a step is.")
    at, start, step, count = found
    values = _values(lines[at + 1 :])
    three = _THREE.match(lines[at])
    rest = three[4].strip(" ,.") if three else ""
    fields, remarks = headers.read(part for line in (*lines[:at], rest) for part in _parts(line))
    warnings = (
        []
        if values.size in (count, 2 * count)
        else [f"The header announces {count} points, the file holds {values.size}."]
    )
    x = start + step * np.arange(min(count, values.size))
    columns = [Column("2theta", "deg", x), Column("Intensity", None, values[: x.size])]
    if values.size == 2 * count:
        columns.append(Column("sigma", None, values[count:]))
    table = Table("", tuple(columns))
    when = facts.time_of(fields)
    title = next((remark for remark in remarks if any(letter.isalpha() for letter in remark)), "")
    said = "\n".join(lines[:at])
    return Reading(
        data_type="Powder pattern in equal steps",
        measurement="Neutron diffraction" if _NEUTRONS.search(said) else methods.named(said) or "Powder diffraction",
        timestamp=when.iso,
        instrument=facts.instrument_of(fields) or (match[0] if (match := _NEUTRONS.search(said)) else ""),
        samples=(facts.sample_of(fields),),
        metadata={"start": start, "step": step, "points": count, **fields, **({"title": title} if title else {})},
        tables=(table,),
        thumbnails=plots.charts([table], title=title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _read_mdi(lines: Sequence[str], told: re.Match[str], candidate: Candidate) -> Reading:
    """Materials Data's text: date and title, then start, step, scan, anode, wavelength, stop and count, then intensities."""
    values, count = _values(lines[2:]), int(told[6])
    x = float(told[1]) + float(told[2]) * np.arange(values.size)
    date, _, title = lines[0].strip().partition(" ")
    when = dates.parse(date, dates.US) if re.match(r"\d{1,2}/\d{1,2}/\d{2,4}$", date) else dates.NEVER
    title = title.strip().removeprefix("DIF").strip() if when.iso else lines[0].strip()
    table = Table("", (Column("2theta", "deg", x), Column("Intensity", None, values)))
    short = [f"The header announces {count} points, the file holds {values.size}."] if count != values.size else []
    return Reading(
        data_type="MDI powder pattern",
        measurement="X-ray diffraction",
        name=title,
        timestamp=when.iso,
        metadata={
            "start": float(told[1]),
            "step": float(told[2]),
            "points": count,
            "anode": told[3],
            "wavelength": Quantity(float(told[4]), "Å"),
        },
        tables=(table,),
        thumbnails=plots.charts([table], title=title or candidate.stem),
        warnings=tuple(short),
    )


def _parts(line: str) -> list[str]:
    """`lambda= 1.494, T= 0.0, Date=2001-06-16` has a pair between the commas, unless they stand in quotes."""
    parts = [part.strip() for part in re.split(r",\s+(?=[A-Za-z]\w*\s*=)", line)]
    return parts if len(parts) > 1 else [line]


def _range(lines: Sequence[str]) -> tuple[int, float, float, int] | None:
    """Line, start, step and count of the first line that gives them, as start, step, stop or start, stop, step."""
    for at, line in enumerate(lines):
        match = _THREE.match(line)
        if match is None:
            continue
        start, second, third = (float(match[index]) for index in (1, 2, 3))
        for step, stop in ((second, third), (third, second)):
            if step > 0 and stop > start and step < (stop - start) / (_FEWEST - 1.5):
                count = (stop - start) / step + 1
                if count < _MOST and abs(count - round(count)) < 0.05:  # noqa: PLR2004 rounding in the header
                    return at, start, step, round(count)
    return None


def _values(lines: Sequence[str]) -> NDArray[np.float64]:
    """All numbers up to the first line that holds anything else."""
    found: list[float] = []
    for line in lines:
        cells = [number_of(cell) for cell in line.replace(",", " ").split()]
        if None in cells or len(found) > 2 * _MOST:
            break
        found += [cell for cell in cells if cell is not None]
    return np.array(found)


def _read_cpi(lines: Sequence[str], candidate: Candidate) -> Reading:
    """Sietronics: start, stop, step, anode, wavelength, date, monochromator and title line by line, then `SCANDATA`."""
    at = next((index for index, line in enumerate(lines) if line.strip() == "SCANDATA"), None)
    numbers = [number_of(line) for line in lines[1:4]]
    if at is None or None in numbers:
        raise UnreadableError("The CPI file does not say where its scan starts and how far a step is.")
    start, _, step = (float(number or 0) for number in numbers)
    values = _values(lines[at + 1 :])
    table = Table(
        "", (Column("2theta", "deg", start + step * np.arange(values.size)), Column("Intensity", "counts", values))
    )
    names = ("anode", "wavelength", "date", "monochromator", "title")
    words = dict(zip(names, (line.strip() for line in lines[4:at]), strict=False))
    when = facts.anywhere(words["date"]) if re.search(r"\d{1,2}\D", words.get("date", "")) else dates.NEVER
    return Reading(
        data_type="Sietronics CPI pattern",
        measurement="X-ray diffraction",
        name=words.get("title", ""),
        timestamp=when.iso,
        metadata={key: value for key, value in words.items() if value},
        tables=(table,),
        thumbnails=plots.charts([table], title=candidate.stem),
        warnings=when.warnings,
    )
