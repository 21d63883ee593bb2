"""GSAS powder data (`.gsa`, `.gda`, `.fxye`, `.gsas`, `.raw` as text): a title, then banks.

Source: the GSAS manual, "Powder data files". `BANK number points records type start step 0 0 form`: with `CONST` start and step are
hundredths of a degree; times of flight (`SLOG`, `RALF`, `TIME_MAP`) are µs. Forms: STD (pairs of an I2 count of detectors and an I6
intensity, ten to a line), ESD (pairs of intensity and uncertainty), FXYE (position, intensity, uncertainty), FXY, ALT.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import headers
from ingestors.api import UnreadableError
from ingestors.dat import plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_BANK: Final = re.compile(r"BANK\s+(\d+)\s+(\d+)\s+(\d+)\s+([A-Z_]+)\s*(.*)")
_FORMS: Final = frozenset({"STD", "ESD", "FXYE", "FXY", "ALT"})
_STD_FIELD: Final = 8
_CENTI: Final = 100.0
_ALT_CLOCK: Final = 32.0  # positions of ALT are in 1/32 µs


def recognises(head: str, candidate: Candidate) -> str | None:
    """A line `BANK 1 … CONST …` or of another type."""
    del candidate
    match = next(filter(None, map(_BANK.match, head.split("\n")[:200])), None)
    return f"line {match[0][:40].strip()!r}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The title, the lines above the first bank, and a table for each bank. Raises UnreadableError."""
    lines = lines_of(text.text)
    starts = [index for index, line in enumerate(lines) if _BANK.match(line)]
    tables: list[Table] = []
    warnings: list[str] = []
    banks: list[dict[str, Any]] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = _BANK.match(lines[start])
        if match is None:
            continue
        table = _bank(match, lines[start + 1 : end])
        if table is not None:
            tables.append(table)
            if table.rows != int(match[2]):
                warnings.append(f"Bank {match[1]} announces {match[2]} points, the file holds {table.rows}.")
        banks.append({"bank": int(match[1]), "type": match[4], "points": int(match[2]), "form": _form(match)})
    if not tables:
        raise UnreadableError("The GSAS file holds no points.")
    above = lines[: starts[0]]
    title = above[0].strip().lstrip("#").strip() if above else ""
    fields, remarks = headers.read(above[1:])
    flight = any(table.columns[0].name == "Time of flight" for table in tables)
    return Reading(
        data_type="GSAS powder pattern",
        measurement="Time-of-flight neutron diffraction" if flight else "Powder diffraction",
        name=re.sub(r"^Title\s*:?\s+", "", title),
        keywords=("GSAS",),
        metadata={"title": title, **fields, **({"comments": remarks} if remarks else {}), "banks": banks},
        tables=tuple(tables),
        thumbnails=plots.charts(tables, title=title or candidate.stem),
        warnings=tuple(warnings),
    )


def _form(match: re.Match[str]) -> str:
    last = match[5].split()[-1:] or [""]
    return last[0] if last[0] in _FORMS else "STD"


def _bank(match: re.Match[str], lines: Sequence[str]) -> Table | None:
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if not rows:
        return None
    form, constant = _form(match), match[4].startswith("CON")
    settings = [number_of(cell) or 0.0 for cell in match[5].split()[:2]]
    start, step = (*settings, 0.0, 0.0)[:2]
    name, unit = ("2theta", "deg") if constant else ("Time of flight", "µs")
    if form in {"FXYE", "FXY"}:
        names = (name, "Intensity", "sigma")[: len(form) - 1]
        units = (unit, None, None)[: len(form) - 1]
        table, _ = numbers(rows, names=names, units=units, title=f"bank {match[1]}")
        first = table.columns[0]
        if first.is_text:
            raise UnreadableError(f"The positions of bank {match[1]} are no numbers.")
        return Table(
            table.title, (Column(name, unit, first.values / (_CENTI if constant else 1.0)), *table.columns[1:])
        )
    factor = _CENTI if constant else 1.0
    if form == "STD":
        counted = [_standard(rows)]
    else:
        cells = np.array([number_of(cell) or 0.0 for line in rows for cell in line.split()], dtype=np.float64)
        width = 3 if form == "ALT" else 2
        counted = list(cells[: cells.size // width * width].reshape(-1, width).T)
    if form == "ALT":
        across, *counted = counted
        return Table(f"bank {match[1]}", (Column(name, unit, across / _ALT_CLOCK), *_counted(counted)))
    x = start + step * np.arange(len(counted[0]))
    return Table(f"bank {match[1]}", (Column(name, unit, x / factor), *_counted(counted)))


def _counted(columns: Sequence[NDArray[Any]]) -> list[Column]:
    return [Column(name, None, values) for name, values in zip(("Intensity", "sigma"), columns, strict=False)]


def _standard(rows: Sequence[str]) -> NDArray[Any]:
    """Fields of eight characters: two for the number of detectors, six for the intensity."""
    fields = [row[at + 2 : at + _STD_FIELD] for row in rows for at in range(0, len(row.rstrip()), _STD_FIELD)]
    return np.array([number_of(cell) or 0.0 for cell in fields], dtype=np.float64)
