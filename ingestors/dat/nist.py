"""Reference data pages of NIST's Statistical Reference Datasets (StRD): prose, certified values, and the data below `Data:`.

Source: www.itl.nist.gov/div898/strd (format of the ASCII files).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import plots
from ingestors.dat.facts import number
from ingestors.dat.reading import Reading
from ingestors.tables import numbers
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY: Final = re.compile(r"([A-Z][A-Za-z ]{2,24}):\s{1,}(\S.*)")
_PARAMETER: Final = re.compile(r"\s*(b\d+|B\d+)\s*=\s*(.*)")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`NIST/ITL StRD` in the first line."""
    del candidate
    return "first line NIST/ITL StRD" if re.match(r"\ufeff?\s*NIST/ITL StRD", head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The page's keys, the certified parameters, and the observations: x against y although y stands first."""
    lines = lines_of(text.text)
    start = next(
        (
            index
            for index in range(len(lines) - 1, -1, -1)
            if re.match(r"Data:", lines[index]) and index + 1 < len(lines)
        ),
        None,
    )
    if start is None:
        raise UnreadableError("This NIST page has no Data: section.")
    names = lines[start].split()[1:]
    table, warnings = numbers([line for line in lines[start + 1 :] if line.strip()], names=names)
    fields = _fields(lines[:start])
    name = str(fields.get("Dataset Name", "")).split("(")[0].strip()
    x, y = plots.find(table, r"^x"), plots.find(table, r"^y")
    return Reading(
        data_type="NIST StRD reference data",
        name=name,
        keywords=("NIST", "reference data"),
        metadata=fields,
        tables=(table,),
        thumbnails=plots.drawn([(x, y, "")], title=name)
        if x is not None and y is not None
        else plots.charts([table], title=name or candidate.stem),
        warnings=tuple(warnings),
    )


def _fields(lines: Sequence[str]) -> dict[str, Any]:
    """Keys at the line's beginning with the indented lines below them; the parameters by their names."""
    fields: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    current = ""
    for line in lines:
        key, parameter = _KEY.match(line), _PARAMETER.match(line)
        if parameter is not None and re.fullmatch(r"[-+\d.eE\s]+", parameter[2]):
            parameters[parameter[1]] = [number(word) for word in parameter[2].split()]
            current = ""
        elif key is not None:
            current = key[1].strip()
            value = number(key[2])
            fields[current] = key[2].strip() if value is None else value
        elif line.startswith(" ") and line.strip() and current and isinstance(fields[current], str):
            fields[current] = f"{fields[current]} {' '.join(line.split())}"
        elif not line.strip():
            current = current if current == "Model" else ""
    if parameters:
        fields["parameters (starts, certified value, standard deviation)"] = parameters
    return fields
