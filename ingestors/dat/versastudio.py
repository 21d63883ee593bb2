"""VersaStudio and PowerSuite files of PAR potentiostats (`.par`): sections in angle brackets, the rows in `<Segment1>`.

Source: files of VersaSTAT and PARSTAT instruments: `Key=value` in `<Application>`, `<Instrument>`, `<Experiment>`, `<ActionN>`; in a segment
`Definition=` names the columns with their units. Dates have the month first, as the program has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading
from ingestors.headers import flat
from ingestors.tables import NotATableError, Table, numbers
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, typed
from ingestors.titles import names_and_units

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_SECTION: Final = re.compile(r"<(/?)([A-Za-z][\w ]*)>")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`<Application>` in the first line and `Name=VersaStudio` or a `<Segment`."""
    del candidate
    told = re.match(r"\s*<Application>\s*\n", head) and re.search(
        r"^(?:Name=Versa|<Segment|Definition=)", head, re.MULTILINE
    )
    return "sections <Application>, <Segment>" if told else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Every section's keys, a table for each segment. Raises UnreadableError."""
    sections: dict[str, list[tuple[str, Any]]] = {}
    rows: dict[str, list[str]] = {}
    inside = ""
    for line in map(str.strip, lines_of(text.text)):
        mark = _SECTION.fullmatch(line)
        key, equals, value = line.partition("=")
        if mark is not None:
            inside = "" if mark[1] else mark[2]
        elif inside.startswith("Segment") and re.match(r"[+-]?[\d.]", line):
            rows.setdefault(inside, []).append(line)
        elif inside and equals and value.strip():
            sections.setdefault(inside, []).append((key.strip(), value.strip()))
    fields = {
        name: gathered(typed(key, value) for key, value in pairs if key != "Definition")
        for name, pairs in sections.items()
    }
    tables, warnings = _segments(rows, {name: dict(pairs).get("Definition", "") for name, pairs in sections.items()})
    if not tables:
        raise UnreadableError("This VersaStudio file holds no rows yet.")
    known = flat(fields)
    when = facts.time_of(known, dates.US)
    actions = " ".join(str(fields[name].get("Name", "")) for name in fields if name.startswith("Action"))
    return Reading(
        data_type="VersaStudio data",
        measurement=method_of({}, tables, (actions,), candidate.stem),
        timestamp=when.iso,
        instrument=f"PAR {fields.get('Instrument', {}).get('Model', '')}".strip(),
        samples=(facts.sample_of(known),),
        keywords=("electrochemistry",),
        metadata=fields,
        tables=tables,
        thumbnails=plots.charts(tables, title=candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _segments(rows: dict[str, list[str]], definitions: dict[str, str]) -> tuple[tuple[Table, ...], list[str]]:
    found: list[Table] = []
    warnings: list[str] = []
    for name, lines in rows.items():
        count = len(lines[0].split(","))
        names, units = names_and_units(definitions.get(name, ""), count, ",") or ([], [])
        try:
            table, odd = numbers(lines, names=names, units=units, title=name if len(rows) > 1 else "", delimiter=",")
        except NotATableError:
            continue
        found.append(table)
        warnings += odd
    return tuple(found), warnings
