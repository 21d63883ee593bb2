"""Well logs in the Log ASCII Standard (`.las`), versions 1.2 and 2.0.

Source: Canadian Well Logging Society, "LAS 1.2" and "LAS 2.0": sections that begin with `~`, lines of `MNEM.UNIT value : description` (in version
1.2 the texts of the well section stand behind the colon), curves in the order of `~C`, `NULL` for missing values, wrapped rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_LINE: Final = re.compile(r"\s*([^.:\s][^.:]*?)\s*\.(\S*)\s*(.*)")
_NAMES: Final = {"V": "version", "W": "well", "P": "parameters", "O": "other"}


def recognises(head: str, candidate: Candidate) -> str | None:
    """A section `~V` with `VERS.` in it."""
    del candidate
    told = re.match(r"(?:\s*#.*\n|\s*\n)*~V", head, re.IGNORECASE) and re.search(
        r"^\s*VERS\s*\.", head, re.MULTILINE | re.IGNORECASE
    )
    return "section ~V with VERS." if told else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Every section's lines with their units, and the curves. Raises UnreadableError."""
    sections, rows = _sections(lines_of(text.text))
    old = str(_value(sections.get("V", []), "VERS")).startswith("1")
    wrapped = str(_value(sections.get("V", []), "WRAP")).upper() == "YES"
    curves = [match for line in sections.get("C", []) if (match := _LINE.fullmatch(line))]
    if not curves or not rows:
        raise UnreadableError("This well log holds no curves yet.")
    table, warnings = _curves(rows, curves, wrapped=wrapped)
    well = _fields(sections.get("W", []), turned=old)
    missing = well.get("NULL")
    if isinstance(missing, (int, float)):
        table = Table("", tuple(Column(one.name, one.unit, _known(one, float(missing))) for one in table.columns))
    when = facts.anywhere(str(well["DATE"])) if well.get("DATE") else facts.time_of(well)
    name = str(well.get("WELL", ""))
    described = {match[1].strip(): match[3].rpartition(":")[2].strip() for match in curves}
    return Reading(
        data_type="LAS well log",
        measurement="Well logging",
        name=name,
        timestamp=when.iso,
        instrument=str(well.get("SRVC", "")),
        samples=(name,),
        keywords=("LAS",),
        metadata={
            **{_NAMES[key]: _fields(sections[key], turned=old and key == "W") for key in _NAMES if sections.get(key)},
            "curves": {key: value for key, value in described.items() if value},
        },
        tables=(table,),
        thumbnails=plots.charts([table], title=name or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _sections(lines: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The lines of each section by the letter behind its `~`, and those below `~A`."""
    found: dict[str, list[str]] = {}
    into: list[str] = []
    for at, line in enumerate(lines):
        bare = line.strip()
        if bare.startswith("~"):
            letter = bare[1:2].upper()
            if letter == "A":
                return found, [row for row in lines[at + 1 :] if row.strip() and not row.lstrip().startswith("#")]
            into = found.setdefault(letter, [])
        elif bare and not bare.startswith("#"):
            into.append(bare)
    return found, []


def _fields(lines: Sequence[str], *, turned: bool) -> dict[str, Any]:
    """Mnemonics with their values; `turned` where texts stand behind the colon and what they are before it."""
    fields: dict[str, Any] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        value, _, described = (part.strip() for part in match[3].rpartition(":"))
        if turned and number_of(value or "x") is None:
            value = described
        typed = value_of(value)
        numeric = isinstance(typed, (int, float)) and not isinstance(typed, bool)
        if value:
            fields[match[1].strip()] = Quantity(typed, match[2]) if numeric and match[2] else typed
    return fields


def _value(lines: Sequence[str], key: str) -> Any:
    return _fields(lines, turned=False).get(key, "")


def _curves(rows: Sequence[str], curves: Sequence[re.Match[str]], *, wrapped: bool) -> tuple[Table, tuple[str, ...]]:
    names, units = [match[1].strip() for match in curves], [match[2] or None for match in curves]
    if not wrapped:
        return numbers(rows, names=names, units=units)
    cells = [number_of(cell) for row in rows for cell in row.split()]
    values = np.array([np.nan if cell is None else cell for cell in cells])
    whole = values[: values.size // len(names) * len(names)].reshape(-1, len(names))
    if not whole.size:
        raise UnreadableError("This well log holds no whole row yet.")
    cut = ("The last row of the well log is not complete.",) if whole.size < values.size else ()
    return Table(
        "", tuple(Column(name, unit, whole[:, at]) for at, (name, unit) in enumerate(zip(names, units, strict=True)))
    ), cut


def _known(column: Column, missing: float) -> Any:
    return column.values if column.is_text else np.where(column.values == missing, np.nan, column.values)
