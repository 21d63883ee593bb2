"""Patterns that pyFAI (and Dioptas, which uses it) integrated: geometry in the header, radial unit in the names.

Source: pyFAI's `DefaultAiWriter` and `io.ponifile`, and files of pyFAI 2013, 0.20 and 2026.9. Lengths are in metres,
rotations in radians, also where the header does not say so.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, number_of, pairs, strip_marks
from ingestors.tables import read as read_tables
from ingestors.textfile import lines_of
from ingestors.titles import are_titles
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_PER_ANGSTROM: Final = {"A^-1": 1.0, "nm^-1": 0.1}
_WIDE_ANGLE: Final = 0.628  # 1/Å
_HEADER: Final = 100_000  # characters
_OLD: Final = "== pyFAI calibration =="
_SECTION: Final = re.compile(r"#\s*==\s*(.+?)\s*==\s*")
_NAMES: Final = re.compile(
    r"#\s*(2th|q|r|chi|d\*2|log10\(q\.m\)|logq|ln\(q\.nm\)|qx?|tth|exit_angle\w*)[_ ]?\(?([\w^.-]+?)\)?(\s|$)"
)
_CENTRE: Final = re.compile(r"x=([-\d.eE+]+),\s*y=([-\d.eE+]+)\s*(pix\w*)?")
_METRES: Final = frozenset({"dist", "poni1", "poni2", "wavelength", "pixel1", "pixel2", "Wavelength"})
_RADIANS: Final = frozenset({"rot1", "rot2", "rot3"})


def recognises(head: str, candidate: Candidate) -> str | None:
    """The heading of the calibration, or the geometry as JSON in the comment lines."""
    del candidate
    comments = [line for line in head.split("\n", 60) if line.startswith("#")]
    if any(_OLD in line for line in comments):
        return f"the comment line {_OLD!r}"
    start = "\n".join(comments)
    if '"poni1"' in start and '"dist"' in start:
        return "the geometry (dist, poni1) as JSON in the comment lines"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Geometry, corrections and the pattern. Raises NotATableError."""
    found = read_tables(text)
    comments = [line for line in lines_of(text.text[:_HEADER]) if line.startswith("#")]
    table = _named(found.tables[0], comments)
    warnings = list(found.warnings)
    said = [line for line in comments if not are_titles(line, [column.name for column in table.columns], None)]
    metadata = _geometry(said, warnings)
    return Reading(
        data_type="pyFAI pattern",
        measurement=_method(table),
        keywords=("pyFAI",),
        metadata=metadata,
        tables=(table, *found.tables[1:]),
        thumbnails=pictures((table,), title=candidate.stem),
        warnings=tuple(warnings),
    )


def _method(table: Table) -> str:
    """Diffraction over angles, and over q where it goes beyond what small angles reach (d below 10 Å)."""
    x = table.columns[0]
    if x.name.startswith(("2th", "tth")):
        return "X-ray diffraction"
    unit = (x.unit or "").replace("Å", "A")
    if not x.name.startswith("q") or unit not in _PER_ANGSTROM or x.is_text:
        return ""
    farthest = float(np.nanmax(x.values, initial=0)) * _PER_ANGSTROM[unit]
    return "X-ray diffraction" if farthest > _WIDE_ANGLE else "Small-angle X-ray scattering"


def _named(table: Table, comments: Sequence[str]) -> Table:
    """The table with names where the names line does not agree with the columns (with sigma in pyFAI 2026.9)."""
    if not table.columns[0].name.startswith("column "):
        return table
    match = next((match for match in map(_NAMES.match, reversed(comments)) if match), None)
    if match is None:
        return table
    titles = [(match[1], match[2]), ("I", None), ("sigma", None)]
    columns = [Column(name, unit, column.values) for column, (name, unit) in zip(table.columns, titles, strict=False)]
    return Table(table.title, (*columns, *table.columns[len(columns) :]))


def _geometry(comments: Sequence[str], warnings: list[str]) -> dict[str, Any]:
    """The header nested as in the file: sections between `== … ==` and the next empty comment line."""
    found, rest = _from_json(comments, warnings)
    section: dict[str, Any] = found
    for line in rest:
        heading = _SECTION.fullmatch(line.strip())
        if heading:
            section = found.setdefault(heading[1], {})
        elif not strip_marks(line):
            section = found
        elif not strip_marks(line).startswith("-->"):  # the path on the computer that wrote the file
            section.update(_typed(line))
    return {key: value for key, value in found.items() if value not in ({}, None)}


def _typed(line: str) -> dict[str, Any]:
    bare = strip_marks(line)
    if bare.startswith("Detector ") and "PixelSize" in bare:
        name, _, size = bare.partition("PixelSize")
        return {"Detector": name.removeprefix("Detector ").strip(), **pairs([f"PixelSize{size}"])}
    found: dict[str, Any] = {}
    for key, value in pairs([line]).items():
        centre = _CENTRE.fullmatch(value) if isinstance(value, str) else None
        x, y = (number_of(centre[1]), number_of(centre[2])) if centre else (None, None)
        if centre and x is not None and y is not None:
            unit = centre[3] or "pix"
            found[key] = {"x": Quantity(x, unit), "y": Quantity(y, unit)}
        elif value not in {"None", ""} if isinstance(value, str) else True:
            found[key] = _with_unit(key, value)
    return found


def _with_unit(key: str, value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if key in _METRES:
            return Quantity(value, "m")
        if key in _RADIANS:
            return Quantity(value, "rad")
    return value


def _from_json(comments: Sequence[str], warnings: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The geometry of the newer header, which is JSON spread over comment lines, and the other lines."""
    opening = next((index for index, line in enumerate(comments) if strip_marks(line) == "{"), None)
    if opening is None:
        return {}, list(comments)
    closing = next((index for index, line in enumerate(comments) if line.rstrip() in {"# }", "#}"}), len(comments) - 1)
    words = "\n".join(line.lstrip("#") for line in comments[opening : closing + 1])
    try:
        known = json.loads(words)
    except (ValueError, RecursionError):
        warnings.append("The geometry in the header is no valid JSON and is left out.")
        known = {}
    rest = [*comments[:opening], *comments[closing + 1 :]]
    return {"pyFAI calibration": _nested(known)} if isinstance(known, dict) and known else {}, rest


def _nested(known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _nested(value) if isinstance(value, dict) else _with_unit(key, value)
        for key, value in known.items()
        if value is not None
    }
