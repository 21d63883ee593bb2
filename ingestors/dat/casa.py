"""CasaXPS's exported regions: what was fitted above, kinetic energies and counts beside binding energies and counts per second.

Source: the program's ASCII export (`Cycle 0:block:region`, `Characteristic Energy eV`, `Name`, `Position`, ..., then `K.E.<TAB>Counts`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of
from ingestors.units import is_unit
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_NAMES: Final = re.compile(r"^(?:K\.E\.|B\.E\.)\t", re.MULTILINE)
_BLOCK: Final = re.compile(r"Cycle\s+\d+\s*:\s*(.*)")
_ENERGIES: Final = {"K.E.": "eV", "B.E.": "eV", "CPS": "counts/s", "Counts": "counts"}


def recognises(head: str, candidate: Candidate) -> str | None:
    """A line of names that begins with `K.E.` or `B.E.`, below `Cycle` or `Characteristic Energy`."""
    del candidate
    told = _NAMES.search(head) and re.search(r"^Cycle\s+\d+|Characteristic Energy", head, re.MULTILINE)
    return "names K.E., Counts below Characteristic Energy" if told else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """A table for each block of rows, the lines above it as keys. Raises UnreadableError."""
    lines = lines_of(text.text)
    starts = [at for at, line in enumerate(lines) if _NAMES.match(line)]
    if not starts:
        raise UnreadableError("No line names the columns.")
    tables: list[Table] = []
    said: list[dict[str, Any]] = []
    warnings: list[str] = []
    end = 0
    for start in starts:
        title, fields = _above(lines[end:start])
        names = [name.strip() for name in lines[start].rstrip("\t").split("\t")]
        end = next((at for at in range(start + 1, len(lines)) if not re.match(r"[+-]?[\d.]", lines[at])), len(lines))
        if end == start + 1:
            continue
        units = [_ENERGIES.get(name.rpartition(" ")[2]) for name in names]
        table, odd = numbers(
            lines[start + 1 : end], names=[name or "blank" for name in names], units=units, delimiter="\t"
        )
        kept = tuple(column for column, name in zip(table.columns, names, strict=True) if name)
        tables.append(Table(title, kept))
        said.append({**({"region": title} if title else {}), **fields})
        warnings += odd
    if not tables:
        raise UnreadableError("This export holds no points yet.")
    parts = tables[0].title.split(":")
    return Reading(
        data_type="CasaXPS spectrum",
        measurement="X-ray photoelectron spectroscopy",
        name=parts[0].strip() if len(tables) == 1 else "",
        samples=(parts[0].strip(),) if len(parts) > 1 else (),
        keywords=("XPS",),
        metadata=said[0] if len(said) == 1 else {"regions": said},
        tables=tuple(tables),
        thumbnails=pictures([_shown(table) for table in tables], title=candidate.stem, measurement="XPS"),
        warnings=tuple(warnings),
    )


def _above(lines: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The block's title and its keys: `Acquisition Time s<TAB>2.0` carries its unit, `Position` a list."""
    title, fields = "", dict[str, Any]()
    for line in lines:
        block = _BLOCK.match(line.strip())
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if block is not None:
            title = block[1].strip()
        elif _alternates(cells):
            for key, value in zip(cells[::2], cells[1::2], strict=False):
                fields.update([_with_unit(key, value)])
        elif len(cells) > 1:
            values = [value_of(cell) for cell in cells[1:]]
            fields[cells[0]] = values if len(values) > 1 else values[0]
    return title, fields


def _alternates(cells: Sequence[str]) -> bool:
    """Whether words and numbers take turns: keys with a value each."""
    return bool(cells) and all((number_of(cell) is None) == (at % 2 == 0) for at, cell in enumerate(cells))


def _with_unit(key: str, text: str) -> tuple[str, Any]:
    name, _, unit = key.rpartition(" ")
    value = value_of(text)
    if name and is_unit(unit) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return name, Quantity(value, unit)
    return key, value


def _shown(table: Table) -> Table:
    """Binding energies and counts per second where they are there, else the first columns."""
    at = next((index for index, column in enumerate(table.columns) if column.name == "B.E."), 0)
    return Table(table.title, table.columns[at:])
