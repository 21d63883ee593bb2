"""Any other text table: what its header says, its columns, and the pair of columns that shows it best."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import tables
from ingestors.dat import dates, facts, planes, plots
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.api import Candidate, Thumbnail
    from ingestors.tables import Column, Table, Text
    from ingestors.textfile import Decoded

_NO_TABLE: Final = re.compile(r"\s*(?:<[?!a-zA-Z]|\{\s*[\"}]|\[\s*[\[{\"]|VAMAS Surface Chemical Analysis)")
_SOURCES: Final = frozenset(
    {".py", ".pyi", ".ipynb", ".c", ".h", ".cc", ".cpp", ".hpp", ".rs", ".go", ".js", ".mjs", ".ts", ".java", ".jl", ".m", ".sh", ".bat",
     ".ps1", ".css", ".scss", ".html", ".tex", ".bib", ".md", ".rst", ".yaml", ".yml", ".toml", ".json"}
)  # fmt: skip
"""Suffixes of programs and documents, in which rows of numbers are no measurement."""
_SIDE: Final = 8  # rows and columns of a matrix at least
_ZONED: Final = re.compile(r"\b(?:GMT|UTC) ?([+-]\d\d:?\d\d)")
_DATED: Final = re.compile(
    r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d|\.\d)|\d{1,2}[- ][A-Za-z]{3})"
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?")
_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")
_EPOCH: Final = re.compile(
    r"column 1|uts|(?:unix|epoch|posix|utc)?[ _]?(?:time)?(?:[ _]?stamp)?(?:[ _]?\(?(?:utc|unix|epoch)\)?)?|epoch.*",
    re.IGNORECASE,
)
_PARTS: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"#?y{2,4}|year|yr",
        r"mm|month|mon|mo",
        r"dd|day|dy",
        r"hh|hour|hr",
        r"mm|mn|min|minute",
        r"ss|sec|second",
    )
)
_LAST_CENTURY: Final = 9.4e8  # seconds since 1970: the end of 1999
_NEXT_DECADES: Final = 2.6e9
_MOST_SAMPLES: Final = 24
_UNZONED: Final = 19  # characters of a time to the second without a zone
_REMARKS: Final = 12  # that may name the method


def recognises(head: str, candidate: Candidate) -> str | None:
    """Lines of numbers that agree in their count, below any header; never JSON, XML or prose."""
    if candidate.suffix in _SOURCES or _NO_TABLE.match(head):
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
    said = {**found.after, **found.fields} if found.after else found.fields
    when = facts.time_of(said)
    if not when.iso and not when.warnings:
        when = facts.time_among(found.remarks[:_REMARKS])
    if not when.iso and not when.warnings:
        when = first_time(found.tables)
    title, sample = facts.title_of(said), facts.sample_of(said)
    instrument = facts.instrument_of(said) or facts.instrument_among(found.remarks[:_REMARKS])
    texts = (
        title,
        *(table.title for table in found.tables[:1]),
        *found.remarks[:_REMARKS],
        instrument,
        *found.comments[:1],
    )
    if thumbnails is None:
        thumbnails = pictures(found.tables, title or sample or candidate.stem)
    return Reading(
        data_type=data_type,
        measurement=method_of(said, found.tables, texts, candidate.stem),
        name=title,
        timestamp=when.iso,
        instrument=instrument,
        samples=(sample,) if sample else _samples(found.tables),
        metadata={**metadata_of(found), **matrix_of(found.tables)},
        tables=found.tables,
        thumbnails=thumbnails,
        warnings=(*when.warnings, *found.warnings),
    )


def first_time(found: tuple[Table, ...]) -> dates.Moment:
    """The time of the first row, where a column of texts holds dates (and another the time of day)."""
    texts = [column for table in found[:1] for column in table.columns[:16] if column.is_text and column.values.size]
    dated = next((column for column in texts if _DATED.match(str(column.values[0]))), None)
    if dated is None:
        return _first_second(found)
    written = str(dated.values[0])
    clock = next((str(column.values[0]) for column in texts if _CLOCK.fullmatch(str(column.values[0]))), "")
    whole = written if ":" in written else f"{written} {clock}".strip()
    first = facts.anywhere(whole)
    if not first.iso and _SLASHED.match(written):
        first = _ordered(dated, whole) or first
    zone = _ZONED.search(dated.name)
    return dates.iso(f"{first.iso}{zone[1]}") if zone and "T" in first.iso and len(first.iso) == _UNZONED else first


def _first_second(found: tuple[Table, ...]) -> dates.Moment:
    """The first row's time where the first column counts the seconds since 1970 and is named so, or not at all."""
    told = _from_parts(found)
    if told.iso:
        return told
    first = found[0].columns[0] if found and len(found[0].columns) > 1 else None
    if first is None or first.is_text or not first.values.size or not _EPOCH.fullmatch(first.name):
        return dates.NEVER
    seconds = first.values
    if not (_LAST_CENTURY < seconds[0] <= seconds[-1] < _NEXT_DECADES) or (np.diff(seconds) < 0).any():
        return dates.NEVER
    return dates.epoch(float(seconds[0]))


def _from_parts(found: tuple[Table, ...]) -> dates.Moment:
    """The first row's time where the first columns are year, month, day, and perhaps hour, minute and second."""
    columns = found[0].columns[: len(_PARTS)] if found else ()
    same = [
        bool(part.fullmatch(column.name)) and not column.is_text for part, column in zip(_PARTS, columns, strict=False)
    ]
    count = same.index(False) if False in same else len(same)
    if count < 3 or not found[0].rows:  # noqa: PLR2004 year, month, day
        return dates.NEVER
    values = [float(column.values[0]) for column in columns[:count]]
    if not all(value == int(value) for value in values if np.isfinite(value)) or not np.isfinite(values).all():
        return dates.NEVER
    year, month, day, hour, minute, second = (*(int(value) for value in values), 0, 0, 0)[: len(_PARTS)]
    hours = f"T{hour:02}:{minute:02}:{second:02}" if count > 3 else ""  # noqa: PLR2004 a time of day as well
    return dates.iso(f"{year:04}-{month:02}-{day:02}{hours}")


def _samples(found: tuple[Table, ...]) -> tuple[str, ...]:
    """What the columns of text that are headed by a word for sample name, where that is a few samples."""
    for table in found[:4]:
        for column in sorted(table.columns[:32], key=lambda column: "sample" not in column.name.casefold()):
            if column.is_text and facts.sample_of({column.name: "one"}):
                names = dict.fromkeys(str(value) for value in column.values if str(value).strip())
                return tuple(names) if len(names) <= _MOST_SAMPLES else ()
    return ()


def _ordered(column: Column, written: str) -> dates.Moment | None:
    """The first time in the order that another row of the column proves: a day above 12."""
    match = _SLASHED.match(written)
    if match and len(match[3]) == 2 and int(match[3]) <= 31:  # noqa: PLR2004 the day may as well stand last
        return None
    for order, group in ((dates.EUROPEAN_SLASHED, 1), (dates.US, 2)):
        if any((match := _SLASHED.match(str(cell))) and int(match[group]) > 12 for cell in column.values):  # noqa: PLR2004 months
            return dates.parse(written, order)
    return None


def matrix_of(found: tuple[Table, ...]) -> dict[str, object]:
    """What a table of many nameless columns of numbers is: a matrix, with its least and greatest value."""
    if not _is_matrix(found):
        return {}
    known = np.array([column.values for column in found[0].columns])
    finite = known[np.isfinite(known)]
    ends = {"min": float(finite.min()), "max": float(finite.max())} if finite.size else {}
    return {"matrix": {"rows": found[0].rows, "columns": len(found[0].columns), **ends}}


def _is_matrix(found: tuple[Table, ...]) -> bool:
    if len(found) != 1 or len(found[0].columns) < _SIDE or found[0].rows < _SIDE:
        return False
    return all(not column.is_text and column.name.startswith("column ") for column in found[0].columns)


def metadata_of(found: Text) -> dict[str, object]:
    """Header fields as they are; other lines of the header and the footer where there are any."""
    after = (
        {**found.after, **({"comments": list(found.footer)} if found.footer else {})}
        if found.after
        else list(found.footer)
    )
    extra: dict[str, object] = {"comments": list(found.remarks), "footer": after}
    return {**found.fields, **{key: value for key, value in extra.items() if value and key not in found.fields}}


def pictures(found: tuple[Table, ...], title: str) -> tuple[Thumbnail, ...]:
    """A map where the rows are the points of a grid, else lines."""
    if len(found) == 1:
        grid = planes.gridded(found[0])
        if grid is not None:
            return planes.plane_map(grid[0], grid[1], found[0].columns[2], title=title)
        if whole := planes.matrix(found[0], title=title):
            return whole
    return plots.charts(found, title=title)
