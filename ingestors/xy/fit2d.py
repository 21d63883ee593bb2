"""FIT2D's `.chi`: a title, the labels of both axes, the number of points, the points.

Source: FIT2D's documentation of "CHIPLOT" files, and files that Dioptas carries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors.api import UnreadableError
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Dialect, Table, numbers
from ingestors.textfile import lines_of
from ingestors.units import split_title
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_HEADER: Final = 4
_MARKS: Final = ("#", "!", ";", "%", "//", "<", "{")
_COUNT: Final = re.compile(r"\s*(\d{1,9})\s*")
_TWO_THETA: Final = re.compile(r"(2|two)[\s_-]*th(eta)?\b", re.IGNORECASE)
_AT_LEAST: Final = 2


def recognises(head: str, candidate: Candidate) -> str | None:
    """Three lines of words, then a count, then at least two columns of numbers."""
    del candidate
    lines = lines_of(head[:8192])[: _HEADER + 1]
    if len(lines) <= _HEADER or any(line.lstrip().startswith(_MARKS) for line in lines):
        return None
    match = _COUNT.fullmatch(lines[3])
    words = lines[0].strip() and lines[1].strip() and not any(Dialect().width(line) for line in lines[:3])
    if not match or not words or Dialect().width(lines[_HEADER]) < _AT_LEAST:
        return None
    return f"title, axis labels, and {match[1]} points announced in line 4"


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The pattern and its title. Raises UnreadableError, NotATableError."""
    lines = lines_of(text.text)
    match = _COUNT.fullmatch(lines[3]) if len(lines) > _HEADER else None
    if match is None:
        raise UnreadableError("Line 4 does not hold the number of points, as a FIT2D .chi file has it.")
    declared = int(match[1])
    raw, odd = numbers(lines[_HEADER:], delimiter=" ")
    warnings = list(odd)
    if raw.rows != declared:
        warnings.append(f"The header announces {declared} points, the file holds {raw.rows}.")
    columns = [
        _labelled(column, lines[1 + index] if index < _AT_LEAST else "") for index, column in enumerate(raw.columns)
    ]
    table = Table("", tuple(columns))
    title = re.split(r"[\\/]", lines[0].strip())[-1].strip()  # of a path only the file's name
    label = f"{lines[1]} {lines[2]}"
    return Reading(
        data_type="FIT2D pattern",
        measurement="X-ray diffraction" if _TWO_THETA.search(label) else "",
        keywords=("FIT2D",),
        metadata={"title": title, "declared points": declared},
        tables=(table,),
        thumbnails=pictures((table,), title=candidate.stem),
        warnings=tuple(warnings),
    )


def _labelled(column: Column, label: str) -> Column:
    name, unit = split_title(label)
    return Column(name or column.name, unit, column.values)
