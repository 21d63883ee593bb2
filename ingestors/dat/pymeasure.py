"""PyMeasure results: `#Procedure:`, `#Parameters:`, `#Metadata:`, `#Data:`, then comma-separated values with units in the names.

Source: pymeasure `experiment/results.py` (Results.header, Results.parse).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.facts import sample_of
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, value_of
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence


def recognises(head: str, candidate: Candidate) -> str | None:
    """`#Procedure: <` in the first line."""
    del candidate
    match = re.match(r"\ufeff?#Procedure: <(\S+)>", head)
    return f"#Procedure {match[1]}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Parameters and metadata with units, the procedure's name as the measurement, the epoch as a time in UTC."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.startswith("#Data:")), None)
    if start is None or len(lines) < start + 3:
        raise UnreadableError("This PyMeasure file has no data yet.")
    match = re.search(r"<(\S+)>", lines[0])
    procedure = match[1].rsplit(".", 1)[-1] if match else ""
    sections = _sections(lines[1:start])
    titles = [split_name(name) for name in lines[start + 1].split(",")]
    rows = [line for line in lines[start + 2 :] if line.strip() and not line.startswith("#")]
    table, warnings = numbers(
        rows, names=[name for name, _ in titles], units=[unit for _, unit in titles], delimiter=","
    )
    when = _when(sections.get("Metadata", {}))
    sample = sample_of(sections.get("Parameters", {}))
    return Reading(
        data_type="PyMeasure results",
        measurement=procedure.removesuffix("Procedure"),
        timestamp=when.iso,
        samples=(sample,),
        keywords=("PyMeasure", procedure),
        metadata={"Procedure": match[1] if match else "", **sections},
        tables=(table,),
        thumbnails=plots.charts([table], title=sample or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _sections(lines: Sequence[str]) -> dict[str, dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] = {}
    for line in lines:
        if re.match(r"#\w+:$", line.rstrip()):
            current = sections.setdefault(line.strip("#: \r\n"), {})
        elif line.startswith("#\t"):
            key, colon, value = line[2:].partition(": ")
            if colon:
                current[key.strip()] = value_of(value.strip())
    return sections


def _when(metadata: dict[str, Any]) -> dates.Moment:
    start = metadata.get("Start time")
    if isinstance(start, (int, float)):
        return dates.epoch(start)
    return dates.iso(str(start)) if start else dates.NEVER
