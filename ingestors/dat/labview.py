"""LabVIEW measurement files (`.lvm`): tab- or comma-separated keys, `***End_of_Header***`, one header and table a segment.

Source: National Instruments, "Specification for the LabVIEW Measurement File (.lvm)"; the date is year first.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXTS: Final = frozenset(
    {"Date", "Time", "Y_Unit_Label", "X_Unit_Label", "X_Dimension", "Y_Dimension", "Test_Name", "Notes", "Description"}
)
_END: Final = "***End_of_Header***"


def recognises(head: str, candidate: Candidate) -> str | None:
    """`LabVIEW Measurement` in the first line."""
    del candidate
    return "first line LabVIEW Measurement" if re.match(r"\ufeff?LabVIEW Measurement", head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header keys, and a table for each segment, with the channels' units."""
    lines = lines_of(text.text)
    ends = [index for index, line in enumerate(lines) if line.startswith(_END)]
    if not ends:
        raise UnreadableError("This LabVIEW measurement file has no end of header yet.")
    mark = "\t" if "\t" in lines[1] else "," if "," in lines[1] else ";"
    header = _keys(lines[1 : ends[0]], mark)
    comma = str(header.get("Decimal_Separator", ".")) == ","
    tables: list[Table] = []
    segments: list[dict[str, Any]] = []
    warnings: list[str] = []
    for start, end, stop in _segments(lines, ends):
        segment = _keys(lines[start:end], mark, comma=comma)
        segments.append(segment)
        table, found = _table(lines[end:stop], segment, mark, comma=comma)
        tables += [table] if table is not None else []
        warnings += found
    if not tables:
        raise UnreadableError("This LabVIEW measurement file has no points yet.")
    when = dates.parse(f"{header.get('Date', '')} {header.get('Time', '')}", dates.YEAR_FIRST)
    return Reading(
        data_type="LabVIEW measurement",
        name=str(header.get("Description", "")),
        timestamp=when.iso,
        keywords=("LabVIEW",),
        metadata={
            **header,
            "segments": segments,
        },
        tables=tuple(tables),
        thumbnails=plots.charts(tables, title=candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _segments(lines: Sequence[str], ends: Sequence[int]) -> list[tuple[int, int, int]]:
    """First line, first line after the header and end of each segment; a file may have only its own header."""
    if len(ends) == 1:
        return [(ends[0] + 1, ends[0] + 1, len(lines))]
    starts = [ends[0] + 1]
    for before, end in itertools.pairwise(ends[1:]):
        blank = next((index for index in range(end, before, -1) if not lines[index].strip()), before)
        starts.append(blank)
    return [
        (start, end + 1, stop) for start, end, stop in zip(starts, ends[1:], [*starts[1:], len(lines)], strict=True)
    ]


def _keys(lines: Sequence[str], mark: str, *, comma: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in lines:
        key, *values = line.rstrip("\t\r\n ").split(mark)
        if key.strip() and values:
            typed = [
                value_of(value, decimal_comma=comma) if key.strip() not in _TEXTS else value.strip() for value in values
            ]
            found[key.strip()] = typed[0] if len(typed) == 1 else typed
    return found


def _table(
    lines: Sequence[str], segment: dict[str, Any], mark: str, *, comma: bool
) -> tuple[Table | None, tuple[str, ...]]:
    body = [line for line in lines if line.strip()]
    if len(body) < 2:  # noqa: PLR2004 names and a row
        return None, ()
    names = [name.strip() for name in body[0].rstrip("\r\n").split(mark)]
    units = segment.get("Y_Unit_Label", [])
    units = [units] if isinstance(units, str) else list(units)
    if names and names[-1] == "Comment":
        names = names[:-1]
    x = "s" if "Time" in segment.get("X_Dimension", "") else None
    rows = [mark.join(line.split(mark)[: len(names)]) for line in body[1:]]
    return numbers(
        rows, names=names, units=[x, *units], title=str(segment.get("Notes", "")), delimiter=mark, decimal_comma=comma
    )
