"""Rigaku's diffraction texts: SmartLab `.ras` (and the `.txt` of the same keys) and the older `.asc`.

Sources: files of both kinds. In `.ras` each scan has a header of `*KEY "value"` between `*RAS_HEADER_START` and
`*RAS_HEADER_END` and rows of position, intensity, attenuation between `*RAS_INT_START` and `*RAS_INT_END`; times are
month/day/year. In `.asc` a scan has `*KEY = value` lines, then intensities only, four to a line, from `*START` in steps of
`*STEP`. Headers may be Japanese (cp932).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_RAS: Final = re.compile(r"\*([A-Za-z][\w\-.]*)\s+\"(.*)\"\s*")
_ASC: Final = re.compile(r"\*([A-Z][A-Z0-9_\-]*)\s*=\s*(.*)")
_GROUPS: Final = ("DISP", "FILE", "HW", "MEAS")
_AXES: Final = {"TwoThetaTheta": "2theta/theta", "TwoTheta": "2theta", "TwoThetaOmega": "2theta/omega"}


def recognises_ras(head: str, candidate: Candidate) -> str | None:
    """`*RAS_DATA_START`, or a first line `*KEY "value"` with the key of a scan below it."""
    del candidate
    first = head.lstrip().split("\n", 1)[0].strip()
    if first in {"*RAS_DATA_START", "*RAS_HEADER_START"}:
        return f"first line {first}"
    return 'keys *KEY "value" with MEAS_SCAN' if _RAS.fullmatch(first) and "*MEAS_SCAN" in head else None


def read_ras(text: Decoded, candidate: Candidate) -> Reading:
    """Headers in their four groups and one table for each scan. Raises UnreadableError."""
    scans = _scans(lines_of(text.text))
    tables: list[Table] = []
    headers: list[dict[str, Any]] = []
    warnings: list[str] = []
    for number, (header, rows) in enumerate(scans, 1):
        if rows:
            table, odd = _ras_table(header, rows, f"scan {number}" if len(scans) > 1 else "")
            tables.append(table)
            warnings += odd
            declared = header.get("MEAS_DATA_COUNT", "")
            if declared.isdigit() and int(declared) != table.rows:
                warnings.append(f"The header announces {declared} points, the file holds {table.rows}.")
        headers.append(_grouped(header))
    if not tables:
        raise UnreadableError("The Rigaku file holds no rows of numbers.")
    first = scans[0][0]
    when = dates.parse(first.get("MEAS_SCAN_START_TIME", ""), dates.US)
    return Reading(
        data_type="Rigaku RAS pattern",
        measurement="X-ray diffraction",
        timestamp=when.iso,
        instrument=_instrument(first),
        samples=(first.get("FILE_SAMPLE", ""),),
        keywords=("XRD", "Rigaku", first.get("HW_XG_TARGET_NAME", "")),
        metadata=headers[0] if len(headers) == 1 else {"scans": headers},
        tables=tuple(tables),
        thumbnails=plots.charts(tables, title=candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_asc(head: str, candidate: Candidate) -> str | None:
    """`*TYPE = Raw` in the first lines, `*START` and `*STEP` below."""
    del candidate
    keys = {match[1] for match in map(_ASC.match, head.split("\n")[:200]) if match}
    return "keys *TYPE =, *START, *STEP" if {"TYPE", "START", "STEP"} <= keys else None


def read_asc(text: Decoded, candidate: Candidate) -> Reading:
    """The header and one table for each group of intensities. Raises UnreadableError."""
    header: dict[str, str] = {}
    group: dict[str, str] = {}
    tables: list[Table] = []
    rows: list[str] = []
    for line in [*lines_of(text.text), "*END"]:
        match = _ASC.match(line)
        if match:
            (group if "BEGIN" in group else header)[match[1]] = match[2].strip()
        elif line.startswith("*BEGIN"):
            group = {"BEGIN": ""}
        elif line.startswith("*END") and rows:
            tables.append(_asc_table({**header, **group}, rows))
            rows = []
        elif line.strip() and not line.startswith("*"):
            rows.append(line)
    if not tables:
        raise UnreadableError("The Rigaku file holds no intensities.")
    when = facts.anywhere(header.get("DATE", "")) if header.get("DATE") else dates.NEVER
    return Reading(
        data_type="Rigaku ASC pattern",
        measurement="X-ray diffraction",
        timestamp=when.iso,
        instrument=f"Rigaku {header['GONIO']}" if header.get("GONIO") else "Rigaku",
        samples=(header.get("SAMPLE", ""),),
        keywords=("XRD", "Rigaku"),
        metadata=gathered((key, value_of(value)) for key, value in header.items()),
        tables=tuple(tables),
        thumbnails=plots.charts(tables, title=candidate.stem),
        warnings=when.warnings,
    )


def _scans(lines: Sequence[str]) -> list[tuple[dict[str, str], list[str]]]:
    """Header and rows of each scan; the rows end at the next key, and a header after rows begins another scan."""
    scans: list[tuple[dict[str, str], list[str]]] = [({}, [])]
    for line in lines:
        match = _RAS.fullmatch(line)
        if match:
            if scans[-1][1]:
                scans.append(({}, []))
            scans[-1][0][match[1]] = match[2].rsplit("|", 1)[-1].strip()
        elif line.strip() and not line.startswith(("*", "#")):
            scans[-1][1].append(line)
    return scans


def _ras_table(header: dict[str, str], rows: Sequence[str], title: str) -> tuple[Table, tuple[str, ...]]:
    axis = header.get("MEAS_SCAN_AXIS_X", "") or "position"
    names = [_AXES.get(axis, axis), "Intensity", "Attenuation"]
    units = [header.get("MEAS_SCAN_UNIT_X") or None, header.get("MEAS_SCAN_UNIT_Y") or None, None]
    count = min(len(rows[0].split()), len(names))
    return numbers(rows, names=names[:count], units=units[:count], title=title, delimiter=" ")


def _grouped(header: dict[str, str]) -> dict[str, Any]:
    """`MEAS_SCAN_STEP` is `SCAN_STEP` of the group `MEAS`; the numbered axes are a mapping by their names."""
    groups: dict[str, Any] = {}
    for group in _GROUPS:
        found = [
            (key.removeprefix(f"{group}_"), value_of(text)) for key, text in header.items() if key.startswith(group)
        ]
        if found:
            groups[group] = gathered((key, value) for key, value in found if value != "" and not _AXIS.match(key))
    axes = _axes(header)
    if axes:
        groups["MEAS"]["axes"] = axes
    unit = groups.get("HW", {}).pop("XG_WAVE_LENGTH_UNIT", None)
    for key in [key for key in groups.get("HW", {}) if key.startswith("XG_WAVE_LENGTH") and unit]:
        groups["HW"].update(gathered([(key, groups["HW"][key]), (f"{key} unit", unit)]))
    return groups


_AXIS: Final = re.compile(r"COND_AXIS_([A-Z_]+)-(\d+)")


def _axes(header: dict[str, str]) -> dict[str, Any]:
    known: dict[str, dict[str, str]] = {}
    for key, text in header.items():
        match = _AXIS.fullmatch(key.removeprefix("MEAS_"))
        if match:
            known.setdefault(match[2], {})[match[1]] = text
    pairs = [
        pair
        for axis in known.values()
        if axis.get("NAME") and axis.get("POSITION")
        for pair in ((axis["NAME"], value_of(axis["POSITION"])), (f"{axis['NAME']} unit", axis.get("UNIT", "")))
        if pair[1] != ""
    ]
    return gathered(pairs)


def _instrument(header: dict[str, str]) -> str:
    name = header.get("FILE_SYSTEM", "") or header.get("HW_GONIOMETER_NAME-0", "")
    return name if "rigaku" in name.casefold() else f"Rigaku {name}".strip()


def _asc_table(header: dict[str, str], rows: Sequence[str]) -> Table:
    """Intensities from `START` in steps of `STEP`; a file of pairs says so by having two numbers in every row."""
    cells = [[number_of(cell) for cell in line.replace(",", " ").split()] for line in rows]
    start, step = number_of(header.get("START", "")), number_of(header.get("STEP", ""))
    if start is None or step is None:
        raise UnreadableError("The Rigaku file does not say where its scan starts and how far a step is.")
    values = np.array([np.nan if value is None else value for row in cells for value in row])
    axis = header.get("AXIS") or header.get("SCAN_AXIS") or "position"
    x = Column(axis, header.get("XUNIT", "").rstrip(".") or None, start + step * np.arange(values.size))
    return Table(header.get("GROUP", ""), (x, Column("Intensity", header.get("YUNIT") or None, values)))
