"""Gas adsorption files of BELSORP instruments (MicrotracBEL): sections between rules of `=`, quoted keys with units after a slash.

Source: pyGAPS `parsing/bel_dat.py`; dates are year first (`19/04/30`), the time of measurement is a duration and can pass 24 hours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail


def recognises(head: str, candidate: Candidate) -> str | None:
    """A rule of `=` and `System property Ver`, or the quoted key of the date."""
    del candidate
    if re.match(r"\s*={5,}", head) and (
        match := re.search(r'System property Ver[\d.]*|"Date of measurement:"|"Adsorptive:"', head)
    ):
        return f"rule of = and {match[0].strip(chr(34))}"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The sections as nested metadata, one table for adsorption and one for desorption; unmeasured rows of zeros left out."""
    fields: dict[str, Any] = {}
    tables: list[Table] = []
    warnings: list[str] = []
    for title, lines in _sections(lines_of(text.text)):
        head = next((index for index, line in enumerate(lines) if re.match(r'"?No\.?"?\t', line)), None)
        section, _ = _keys(lines[:head])
        if section:
            fields[title] = section
        if head is not None and (
            rows := [line for line in lines[head + 1 :] if re.match(r"\s*\d", line) and not _unmeasured(line)]
        ):
            titles = [_named(name) for name in lines[head].split("\t")]
            table, found = numbers(
                rows,
                names=[name for name, _ in titles],
                units=[unit for _, unit in titles],
                title=title,
                delimiter="\t",
            )
            tables.append(table)
            warnings += found
    if not tables:
        raise UnreadableError("This BELSORP file has no points yet.")
    everything = {key: value for section in fields.values() for key, value in section.items()}
    when = dates.parse(str(everything.get("Date of measurement", "")), dates.YEAR_FIRST)
    sample = facts.said(everything, ("Sample", "Sample name", "Sample ID"))
    serial = everything.get("Instrument S/N", "")
    gas = str(everything.get("Adsorptive", ""))
    return Reading(
        data_type="BELSORP adsorption data",
        measurement="Gas adsorption",
        timestamp=when.iso,
        instrument=f"BELSORP {serial}".strip(),
        samples=(sample,),
        keywords=("adsorption", gas),
        metadata=fields,
        tables=tuple(tables),
        thumbnails=_thumbnails(tables, f"{sample or candidate.stem} {gas}".strip()),
        warnings=(*when.warnings, *warnings),
    )


def _sections(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Title and lines of each section: a title stands between two rules."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    index = 0
    while index < len(lines):
        if re.match(r"={5,}", lines[index]):
            if index + 2 < len(lines) and re.match(r"={5,}", lines[index + 2]):
                sections.append((lines[index + 1].strip(), []))
                index += 3
                continue
        elif lines[index].strip():
            sections[-1][1].append(lines[index])
        index += 1
    return sections


def _keys(lines: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    other = []
    for line in lines:
        match = re.match(r'"(.*?):?"\t"?(.*?)"?\s*$', line)
        if match is None:
            other.append(line)
            continue
        value = facts.number(match[2])
        name, unit = _named(match[1]) if value is not None else (match[1], None)
        if match[1] == "Instrument S/N":
            name, value = match[1], None
        found[name] = Quantity(value, unit) if unit and value is not None else match[2] if value is None else value
    return found, other


def _named(title: str) -> tuple[str, str | None]:
    """`V/ml(STP) g-1` as ("V", "ml(STP) g-1")."""
    name, slash, unit = title.strip().strip('":').partition("/")
    return (name.strip(), unit.strip() or None) if slash else (name.strip(), None)


def _unmeasured(line: str) -> bool:
    """Whether a row is the filler `0 0 0 ...` that ends a table."""
    values = [facts.number(cell) for cell in line.split("\t") if cell.strip()]
    return len(values) > 1 and not any(values)


def _thumbnails(tables: Sequence[Table], title: str) -> tuple[Thumbnail, ...]:
    """Uptake against relative pressure p/p0 would need p0 of every point; the pressure itself is what was measured."""
    lines = []
    for table in tables:
        x, y = plots.find(table, r"^(Pe|P)$", r"p/p0", r"pressure"), plots.find(table, r"^(V|Va|n)$", r"uptake")
        if x is not None and y is not None:
            lines.append((x, y, table.title.replace(" data", "")))
    return plots.drawn(lines, title=title, log_y=False) if lines else plots.charts(tables, title=title)
