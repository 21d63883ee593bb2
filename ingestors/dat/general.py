"""Any other text table: what its header says, its columns, and the pair of columns that shows it best."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors import tables
from ingestors.dat import facts, plots
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.api import Candidate, Thumbnail
    from ingestors.tables import Table, Text
    from ingestors.textfile import Decoded

_NO_TABLE: Final = re.compile(r"\s*(?:<[?!a-zA-Z]|\{\s*[\"}]|\[\s*[\[{\"]|VAMAS Surface Chemical Analysis)")
_REMARKS: Final = 12  # that may name the method


def recognises(head: str, candidate: Candidate) -> str | None:
    """Lines of numbers that agree in their count, below any header; never JSON, XML or prose."""
    if _NO_TABLE.match(head):
        return None
    lines = head.split("\n")
    whole = candidate.size <= len(candidate.head)
    text = "\n".join(lines if whole or len(lines) == 1 else lines[:-1])
    try:
        found = tables.read(text)
    except tables.NotATableError:
        return None
    columns = max((len(table.columns) for table in found.tables), default=0)
    return f"text table of {columns} column{'s' if columns != 1 else ''}" if columns else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header fields, comments, tables. Raises tables.NotATableError."""
    found = tables.read(text)
    return reading(found, candidate, data_type="Text table")


def reading(
    found: Text, candidate: Candidate, *, data_type: str, thumbnails: tuple[Thumbnail, ...] | None = None
) -> Reading:
    """What the header and the columns of any table say. Thumbnails are drawn unless they are given."""
    when = facts.time_of(found.fields)
    title, sample = facts.title_of(found.fields), facts.sample_of(found.fields)
    texts = (title, *(table.title for table in found.tables[:1]), *found.remarks[:_REMARKS])
    if thumbnails is None:
        thumbnails = pictures(found.tables, title or sample or candidate.stem)
    return Reading(
        data_type=data_type,
        measurement=method_of(found.fields, found.tables, texts, candidate.stem),
        name=title,
        timestamp=when.iso,
        instrument=facts.instrument_of(found.fields),
        samples=(sample,),
        metadata=metadata_of(found),
        tables=found.tables,
        thumbnails=thumbnails,
        warnings=(*when.warnings, *found.warnings),
    )


def metadata_of(found: Text) -> dict[str, object]:
    """Header fields as they are; other lines of the header and the footer where there are any."""
    extra = {"comments": list(found.remarks), "footer": list(found.footer)}
    return {**found.fields, **{key: value for key, value in extra.items() if value and key not in found.fields}}


def pictures(found: tuple[Table, ...], title: str) -> tuple[Thumbnail, ...]:
    """A map where the rows are the points of a grid, else lines."""
    if len(found) == 1:
        grid = plots.gridded(found[0])
        if grid is not None:
            return plots.plane_map(grid[0], grid[1], found[0].columns[2], title=title)
        if whole := plots.matrix(found[0], title=title):
            return whole
    return plots.charts(found, title=title)
