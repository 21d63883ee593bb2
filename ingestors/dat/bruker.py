"""Bruker's diffraction texts: DIFFRAC `.uxd`, and the `.xy` with one line of settings that EVA and TOPAS users export.

Sources: files of both kinds. A `.uxd` has `_KEY=value` lines for the file, then for each range; the rows begin below a mark
that says what they are: `_COUNTS` or `_CPS` (intensities only, from `_START` in steps of `_STEPSIZE`, any number to a line) or
`_2THETACOUNTS`, `_2THETACPS` (position and intensity; the position is that of `_DRIVE`, whatever the mark says).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import headers
from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_KEY: Final = re.compile(r"_(\+?[A-Z][A-Z0-9_]*)\s*=\s*(.*)")
_ROWS: Final = re.compile(r"_(2THETA)?(COUNTS|CPS|COUNTSTIME)\s*(?:=.*)?")
_DRIVES: Final = {
    "COUPLED": "2theta",
    "2THETA": "2theta",
    "THETA": "theta",
    "OMEGA": "theta",
    "KHI": "khi",
    "CHI": "chi",
    "PHI": "phi",
}
_UNITS: Final = {
    "KV": "kV", "MA": "mA", "STEPTIME": "s", "STEPSIZE": "deg", "START": "deg", "THETA": "deg", "2THETA": "deg", "KHI": "deg",
    "PHI": "deg", "OMEGA": "deg", "CHI": "deg", "GONIOMETER_RADIUS": "mm", "WL1": "Å", "WL2": "Å", "WL3": "Å",
    "TEMPERATURE": "°C", "DIVERGENCE": "deg", "ANTISCATTER": "deg",
}  # fmt: skip
_SETTINGS: Final = re.compile(r"\s*'?Id:\s*\".*(?:Anode|Scantype|TimePerStep):")


def recognises_uxd(head: str, candidate: Candidate) -> str | None:
    """A line `_FILEVERSION=`, or `_DRIVE=` with the mark of rows."""
    del candidate
    lines = head.split("\n")[:400]
    if any(line.startswith("_FILEVERSION") for line in lines):
        return "line _FILEVERSION="
    marked = any(line.startswith("_DRIVE") for line in lines) and any(_ROWS.fullmatch(line.strip()) for line in lines)
    return "lines _DRIVE= and a mark of rows" if marked else None


def read_uxd(text: Decoded, candidate: Candidate) -> Reading:
    """The file's settings, and settings and a table for each range. Raises UnreadableError."""
    top, ranges = _ranges(lines_of(text.text))
    tables = tuple(_uxd_table(kind, settings, rows, f"range {number}" if len(ranges) > 1 else "")
                   for number, (kind, settings, rows) in enumerate(ranges, 1) if rows)  # fmt: skip
    if not tables:
        raise UnreadableError("The UXD file holds no rows of numbers.")
    written = str(top.get("DATEMEASURED", ""))
    when = facts.anywhere(written) if written else dates.NEVER
    settings = [_measured(settings) for _, settings, _ in ranges]
    sample = str(top.get("SAMPLE", "")).strip()
    return Reading(
        data_type="Bruker UXD pattern",
        measurement="X-ray diffraction",
        timestamp=when.iso,
        instrument="Bruker",
        samples=(sample,),
        keywords=("XRD", "Bruker"),
        metadata={**_measured(top), **({"range": settings[0]} if len(settings) == 1 else {"ranges": settings})},
        tables=tables,
        thumbnails=plots.charts(tables, title=candidate.stem),
        warnings=when.warnings,
    )


def recognises_xy(head: str, candidate: Candidate) -> str | None:
    """A first line `Id: "…" Comment: "…" … Anode: "…" Scantype: "…"`."""
    del candidate
    return 'first line Id: "…" … Anode: "…"' if _SETTINGS.match(head.split("\n", 1)[0]) else None


def read_xy(text: Decoded, candidate: Candidate) -> Reading:
    """The settings of the first line, and the pattern below it. Raises NotATableError."""
    first, *rows = lines_of(text.text)
    fields, _ = headers.read([first])
    scan = str(fields.get("Scantype", ""))
    axis = "2theta" if "twotheta" in scan.casefold() else (scan or "position")
    table, warnings = numbers(rows, names=(axis, "Intensity"), units=("deg", None))
    sample = str(fields.get("Id", ""))
    return Reading(
        data_type="Bruker XY pattern",
        measurement="X-ray diffraction",
        instrument="Bruker",
        samples=(sample,),
        keywords=("XRD", "Bruker"),
        metadata=fields,
        tables=(table,),
        thumbnails=plots.charts([table], title=candidate.stem),
        warnings=warnings,
    )


_Range = tuple[str, dict[str, Any], list[str]]


def _ranges(lines: Sequence[str]) -> tuple[dict[str, Any], list[_Range]]:
    """The settings of the file, and mark, settings and rows of each range. A range's settings begin with `_DRIVE`."""
    top: dict[str, Any] = {}
    ranges: list[_Range] = []
    settings = top
    for line in map(str.strip, lines):
        mark, pair = _ROWS.fullmatch(line), _KEY.fullmatch(line)
        if mark:
            ranges.append((line, settings, []))
        elif pair:
            if pair[1] == "DRIVE" or (ranges and ranges[-1][2] and settings is ranges[-1][1]):
                settings = {}
            settings[pair[1]] = value_of(pair[2].strip("'\" "))
        elif line and line[0] not in "_;" and ranges:
            ranges[-1][2].append(line)
    return top, ranges


def _measured(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: Quantity(value, _UNITS[key]) if key in _UNITS and isinstance(value, (int, float)) else value
        for key, value in settings.items()
        if value != ""
    }


def _uxd_table(kind: str, settings: Mapping[str, Any], rows: Sequence[str], title: str) -> Table:
    match = _ROWS.fullmatch(kind)
    unit = "cps" if match and match[2] == "CPS" else "counts"
    drive = str(settings.get("DRIVE", "COUPLED")).upper()
    name = _DRIVES.get(drive, drive.lower())
    if match and match[1]:
        return numbers(rows, names=(name, "Intensity"), units=("deg", unit), title=title)[0]
    start, step = settings.get("START", settings.get("2THETA")), settings.get("STEPSIZE")
    if not isinstance(start, (int, float)) or not isinstance(step, (int, float)):
        raise UnreadableError("The range does not say where it starts and how far a step is.")
    found = [number_of(cell) for line in rows for cell in line.replace(",", " ").split()]
    values = np.array([np.nan if value is None else value for value in found])
    return Table(title, (Column(name, "deg", start + step * np.arange(values.size)), Column("Intensity", unit, values)))
