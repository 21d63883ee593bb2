"""Spectra of light: Woollam CompleteEASE ellipsometry, WITec's exported text, PerkinElmer UV WinLab's `.asc`.

Sources: the CompleteEASE manual ("Data file formats": comment, `VASEmethod[...]`, unit, rows that begin with their type); WITec Project's ASCII
export; the positional header of PerkinElmer's `PE UV SUBTECH` files as nomad-measurements' `transmission` reader names its lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail

_VASE: Final = re.compile(r"[^\n]*\n\s*VASEmethod\s*\[([^\]\n]*)\]")
_ROW: Final = re.compile(r"([A-Za-z]+)[\t ]+([-+\d.].*)")
_ELLIPSOMETRIC: Final = ("Psi", "Delta", "Psi error", "Delta error")


def recognises_woollam(head: str, candidate: Candidate) -> str | None:
    """`VASEmethod[` in the second line."""
    del candidate
    return "second line VASEmethod[" if _VASE.match(head) else None


def read_woollam(text: Decoded, candidate: Candidate) -> Reading:
    """One table for each type of row: E (Psi and Delta in degrees), and the others with value and error."""
    lines = lines_of(text.text)
    match = _VASE.match(text.text)
    if match is None:
        raise UnreadableError("There is no VASEmethod[ in the second line.")
    fields = {
        key.strip(): value_of(value.strip())
        for key, _, value in (part.partition("=") for part in match[1].split(","))
        if key.strip()
    }
    at = next((index for index, line in enumerate(lines[2:12], 2) if _ROW.match(line)), 2)
    unit = lines[at - 1].strip() if at > 2 else ""  # noqa: PLR2004 comment and method come first
    kinds: dict[str, list[str]] = {}
    for line in lines[at:]:
        row = _ROW.match(line)
        if row is not None:
            kinds.setdefault(row[1], []).append(row[2])
    if not kinds:
        raise UnreadableError("This ellipsometry file has no points yet.")
    tables: list[Table] = []
    warnings: list[str] = []
    for kind, rows in kinds.items():
        width = len(rows[0].split())
        values = list(_ELLIPSOMETRIC) if kind == "E" else ["value", "error"]
        names = ["Energy" if unit == "eV" else "Wavelength", "Angle", *values][:width]
        units = [unit or None, "deg", *(["deg"] * 4 if kind == "E" else [])]
        table, found = numbers(rows, names=names, units=units, title=kind)
        tables.append(table)
        warnings += found
    sample = lines[0].strip()
    return Reading(
        data_type="Woollam CompleteEASE data",
        measurement="Ellipsometry",
        name=sample,
        samples=(sample,),
        keywords=("ellipsometry",),
        metadata={"sample": sample, "method": fields, "unit": unit},
        tables=tuple(tables),
        thumbnails=_angles(tables[0], sample or candidate.stem),
        warnings=tuple(warnings),
    )


def _angles(table: Table, title: str) -> tuple[Thumbnail, ...]:
    """The first value (Psi) against the wavelength, one line an angle of incidence."""
    x, angle, y = (*table.columns[:3],) if len(table.columns) > 2 else (None, None, None)  # noqa: PLR2004
    if x is None or angle is None or y is None or angle.is_text:
        return ()
    lines = []
    for value in np.unique(angle.values[np.isfinite(angle.values)])[:24]:
        here = angle.values == value
        lines.append((Column(x.name, x.unit, x.values[here]), Column(y.name, y.unit, y.values[here]), f"{value:g} deg"))
    return plots.drawn(lines, caption=f"{y.name} against {x.name}, by angle", title=title, log_y=False)


def recognises_witec(head: str, candidate: Candidate) -> str | None:
    """`//Exported ASCII-File` in the first line."""
    del candidate
    return "first line //Exported ASCII-File" if re.match(r"\ufeff?//\s*Exported ASCII-File", head) else None


def read_witec(text: Decoded, candidate: Candidate) -> Reading:
    """`[Header]` keys, a line of names and a line of units below `[Data]`."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.strip() == "[Data]"), None)
    if start is None or start + 3 >= len(lines):
        raise UnreadableError("This WITec file has no [Data] section yet.")
    texts = {
        key.strip(): value.strip() for key, equals, value in (line.partition("=") for line in lines[:start]) if equals
    }
    names, units = _cells(lines[start + 1]), _cells(lines[start + 2])
    first = start + (3 if facts.number(units[0] if units else "") is None else 2)
    table, warnings = numbers(
        [line for line in lines[first:] if line.strip()], names=names, units=units if first == start + 3 else ()
    )
    fields: dict[str, Any] = {key: value_of(value) for key, value in texts.items()}
    for axis in "XYZ":
        value = fields.get(f"Position{axis}")
        if isinstance(value, (int, float)) and texts.get("PositionUnit"):
            fields[f"Position{axis}"] = Quantity(value, texts["PositionUnit"])
    x_unit = texts.get("XAxisUnit", "")
    raman = (
        "1/cm" in x_unit
        or "raman" in (texts.get("FileName", "") + texts.get("GraphName", "") + candidate.name).casefold()
    )
    return Reading(
        data_type="WITec spectrum",
        measurement="Raman spectroscopy" if raman else "",
        name=texts.get("GraphName", ""),
        instrument="WITec",
        keywords=("WITec", *(["Raman"] if raman else [])),
        metadata=fields,
        tables=(table,),
        thumbnails=plots.charts([_labelled(table, x_unit)], title=texts.get("GraphName", "") or candidate.stem),
        warnings=tuple(warnings),
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"[,\t]", line.rstrip(",\t\r\n"))]


def _labelled(table: Table, unit: str) -> Table:
    """The abscissa by what its unit says it is: the export calls it X-Axis."""
    kind = {"nm": "Wavelength", "rel. 1/cm": "Raman shift", "1/cm": "Wavenumber", "eV": "Energy"}.get(unit)
    if kind is None or not table.columns or not re.match(r"x.?axis", table.columns[0].name, re.IGNORECASE):
        return table
    first = table.columns[0]
    return Table(table.title, (Column(kind, first.unit, first.values), *table.columns[1:]))


def recognises_perkin_elmer(head: str, candidate: Candidate) -> str | None:
    """`PE UV` and `ASCII` in the first line."""
    del candidate
    match = re.match(r"\ufeff?PE (\w+) +\w+ +\w+ +ASCII", head)
    return f"first line PE {match[1]} ... ASCII" if match else None


def read_perkin_elmer(text: Decoded, candidate: Candidate) -> Reading:
    """A header by position: name, date (year first), time, operator, instrument, serial number, software; then the points."""
    lines = [line.strip() for line in lines_of(text.text)]
    marks = {line: index for index, line in enumerate(lines) if line in {"#HDR", "#GR", "#DATA"}}
    data = marks.get("#DATA")
    if data is None or len(lines) < 14:  # noqa: PLR2004 the positional header
        raise UnreadableError("This PerkinElmer file has no #DATA section yet.")
    units = lines[marks["#GR"] + 1 : marks["#GR"] + 3] if "#GR" in marks else ["", ""]
    names = [
        {"nm": "Wavelength", "CM-1": "Wavenumber"}.get(units[0], "x"),
        {"%T": "Transmittance", "%R": "Reflectance", "A": "Absorbance"}.get(units[1], "y"),
    ]
    table, warnings = numbers([line for line in lines[data + 1 :] if line], names=names, units=units)
    when = dates.parse(f"{lines[3]} {lines[4]}", dates.YEAR_FIRST)
    if not when.iso:  # PE IR has the day first
        when = dates.undecided(f"{lines[3]} {lines[4]}")
    infrared = lines[0].startswith("PE IR")
    model = lines[11]
    fields = {
        "file": lines[2],
        "created": f"{lines[3]} {lines[4]}",
        "operator": lines[7],
        "instrument": model,
        "serial_number": lines[12],
        "software": lines[13],
    }
    return Reading(
        data_type="PerkinElmer spectrum",
        measurement="Infrared spectroscopy"
        if infrared
        else "UV-Vis-NIR spectroscopy"
        if "NIR" in text.text[:4000].upper() or "UV" in lines[0]
        else "",
        timestamp=when.iso,
        instrument=f"PerkinElmer {model}".strip(),
        keywords=("IR" if infrared else "UV-Vis",),
        metadata={
            **{key: value for key, value in fields.items() if value},
            "settings": _positions(lines[14 : marks.get("#HDR", 14)]),
        },
        tables=(table,),
        thumbnails=plots.charts([table], title=candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _positions(lines: Sequence[str]) -> dict[str, Any]:
    """What the other lines hold, by the number of the line: the file has no keys."""
    return {f"line {index}": value_of(line) for index, line in enumerate(lines, 15) if line}
