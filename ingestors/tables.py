"""The general reader of text tables: finds delimiter, decimal mark, comments, header, names, units and blocks by itself.

It looks for runs of rows with the same number of cells, most of them numbers; what stands above is the header, what
follows the last run the footer. It never guesses a meaning: a column without a name is called `column 1`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import asides, headers
from ingestors.blocks import blocks, gaps, joined, parted_by_blanks, with_words, worthwhile
from ingestors.columns import Column, Table, described
from ingestors.dialects import dialect_of
from ingestors.lines import Lines
from ingestors.rows import Block, Dialect
from ingestors.textfile import Decoded
from ingestors.textvalues import complex_of, is_complex, is_pair, number_of, pairs, strip_marks, value_of
from ingestors.titles import names_and_units, title_above, titles_above
from ingestors.units import split_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Column",
    "Dialect",
    "NotATableError",
    "Table",
    "Text",
    "described",
    "dialect_of",
    "is_pair",
    "names_and_units",
    "number_of",
    "numbers",
    "pairs",
    "read",
    "strip_marks",
    "value_of",
]

_FEWEST_ROWS: Final = 3
_LONGEST_FOOTER: Final = 2000
_SMALL: Final = 65536


class NotATableError(Exception):
    """The text holds no table of numbers. The message is one sentence."""


@dataclass(frozen=True)
class Text:
    """A text file taken apart.

    `fields`: the header's keys and values, nested by its sections; `comments`: all its lines
    without marks; `remarks`: those that are neither fields nor titles; `after`: the fields among the lines below the last
    table, `footer`: the others.
    """

    fields: dict[str, Any]
    comments: tuple[str, ...]
    remarks: tuple[str, ...]
    tables: tuple[Table, ...]
    footer: tuple[str, ...]
    after: dict[str, Any]
    warnings: tuple[str, ...]
    encoding: str
    delimiter: str | None
    decimal_comma: bool


def read(text: Decoded | str) -> Text:
    """Take a text with one or more tables of numbers apart. Raises NotATableError."""
    decoded = text if isinstance(text, Decoded) else Decoded(text, "utf-8")
    return _taken_apart_once(decoded) if len(decoded.text) <= _SMALL else _taken_apart(decoded)


def _taken_apart(decoded: Decoded) -> Text:
    if decoded.text[:1000].lstrip().startswith(("<", "{", "[{")):
        raise NotATableError("The text is XML, JSON or RTF, no table.")
    lines: Sequence[str] = Lines(decoded.text)
    dialect = dialect_of(lines)
    lines, beside = asides.parted(lines, dialect.delimiter)
    found = worthwhile(joined(lines, blocks(lines, dialect)))
    if max((block.rows for block in found), default=0) < _FEWEST_ROWS:  # nothing, or stray numbers among words
        worded = with_words(lines)
        if sum(block.rows for block in worded[1]) > sum(block.rows for block in found):
            dialect, found = worded
    if not found and len(decoded.text) <= _SMALL:
        lines = parted_by_blanks(lines)
        dialect, found = with_words(lines, fewest=3)
    if not found:
        raise NotATableError("There are no rows of numbers in the text.")
    warnings = list(decoded.warnings)
    said: set[str] = set()
    tables = _tables(lines, found, warnings, said)
    above = [line for start, end in gaps(found) for line in lines[start:end] if line.strip()] + beside
    above += [line for block in found for line in block.passed]
    fields, remarks = headers.read(
        (line for line in above if line not in said), dialect.delimiter, decimal_comma=dialect.decimal_comma
    )
    after, footer = _footer(lines[found[-1].end :], dialect)
    if len(tables) == 1:
        tables = (
            _named(
                tables[0],
                headers.listed_names(fields, len(tables[0].columns))
                or headers.numbered_names(remarks, len(tables[0].columns)),
            ),
        )
    return Text(
        fields=fields,
        comments=tuple(filter(None, map(strip_marks, above))),
        remarks=tuple(remarks),
        tables=tables,
        footer=footer,
        after=after,
        warnings=tuple(warnings),
        encoding=decoded.encoding,
        delimiter=dialect.delimiter,
        decimal_comma=dialect.decimal_comma,
    )


def _footer(lines: Sequence[str], dialect: Dialect) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Fields and other lines below the last table; a few words there are no fields."""
    kept = [line for line in lines[:_LONGEST_FOOTER] if line.strip()]
    fields, remarks = headers.read(kept, dialect.delimiter, decimal_comma=dialect.decimal_comma)
    told = [remark for remark in remarks if not remark.endswith(":")]
    if len(headers.flat(fields)) < (max(2, len(told)) if told else 1):
        return {}, tuple(line.strip() for line in kept)
    return fields, tuple(remarks)


_taken_apart_once = lru_cache(maxsize=4)(_taken_apart)
"""Small texts are asked for by several ingestors in a row, to claim and to read: the answer is a value, so it is kept."""


def numbers(
    lines: Sequence[str],
    *,
    names: Sequence[str] = (),
    units: Sequence[str | None] = (),
    title: str = "",
    delimiter: str | None = None,
    decimal_comma: bool | None = None,
) -> tuple[Table, tuple[str, ...]]:
    """The table in lines that are known to be its rows, and warnings (one sentence each).

    Rows of another length are padded with NaN or cut, lines that are no rows are passed over, both with a warning.
    Without `delimiter` it is found; the number of columns is that of the names, else the most frequent one.
    Raises NotATableError if there is no row.
    """
    dialect = dialect_of(lines)
    if delimiter is not None:
        comma = dialect.decimal_comma if dialect.delimiter == delimiter else False
        dialect = Dialect(None if delimiter in {"", " "} else delimiter, comma)
    if decimal_comma is not None:
        dialect = Dialect(dialect.delimiter, decimal_comma)
    widths = Counter(len(dialect.cells(line)) for line in lines[:1000] if line.strip())
    count = len(names) or (widths.most_common(1)[0][0] if widths else 0)
    if not count:
        raise NotATableError("There are no rows of numbers here.")
    block = Block(dialect, count, 0, 0)
    passed = block.take_all(lines)
    if not block.rows:
        raise NotATableError("There are no rows of numbers here.")
    arrays, warnings = block.arrays()
    if passed:
        warnings.append(f"{passed} lines among the rows are no rows of numbers and are left out.")
    columns = tuple(_column(index, array, names, units) for index, array in enumerate(arrays))
    return Table(title, columns), tuple(warnings)


def _tables(lines: Sequence[str], blocks: Sequence[Block], warnings: list[str], said: set[str]) -> tuple[Table, ...]:
    """A table for each block; what was odd goes to `warnings`, the lines that gave names and units to `said`."""
    tables: list[Table] = []
    for (start, end), block in zip(gaps(blocks), blocks, strict=True):
        above = lines[start:end]
        titles = titles_above(above, block.count, block.dialect.delimiter)
        indented = False
        if titles is None and block.count > 1 and block.starts_empty():  # rows that begin with a tab
            titles = titles_above(above, block.count - 1, block.dialect.delimiter)
            indented = True
        found = None
        if titles is not None:
            said |= titles[2]
            found = ["", *titles[0]] if indented else titles[0], [None, *titles[1]] if indented else titles[1]
        if found is None and tables and len(tables[-1].columns) == block.count:
            found = [column.name for column in tables[-1].columns], [column.unit for column in tables[-1].columns]
        names, units = found or ([], [])
        arrays, odd = block.arrays()
        warnings.extend(note if len(blocks) == 1 else f"Table {len(tables) + 1}: {note}" for note in odd)
        columns = tuple(_column(index, array, names, units) for index, array in enumerate(arrays))
        if found is not None:  # rows that begin with a delimiter have nothing in the first column
            columns = tuple(
                column
                for column, name in zip(columns, names, strict=True)
                if (name and not name.endswith(":")) or not _is_empty(column)
            )
        if indented and not names and _is_empty(columns[0]):
            columns = tuple(Column(f"column {at}", None, column.values) for at, column in enumerate(columns[1:], 1))
        columns = tuple(part for column in columns for part in _parts(column))
        tables.append(Table(title_above(above, names) if len(blocks) > 1 else "", columns))
    return tuple(tables)


def _named(table: Table, names: Sequence[str] | None) -> Table:
    """The table with names from its header, if it has none above its columns; else with units from there, if it has none."""
    if names is None:
        return table
    split = [split_title(name) for name in names]
    if not all(column.name.startswith("column ") for column in table.columns):
        told = all(name.startswith(column.name) for name, column in zip(names, table.columns, strict=True))
        if not told or any(column.unit for column in table.columns):
            return table
        split = [(column.name, unit) for (_, unit), column in zip(split, table.columns, strict=True)]
    return Table(
        table.title,
        tuple(Column(name, unit, column.values) for (name, unit), column in zip(split, table.columns, strict=True)),
    )


def _column(index: int, values: NDArray[Any], names: Sequence[str], units: Sequence[str | None]) -> Column:
    name = names[index] if index < len(names) else ""
    return Column(name or f"column {index + 1}", (units[index] or None) if index < len(units) else None, values)


def _parts(column: Column) -> list[Column]:
    """The column, or of complex numbers one for each part."""
    if not column.is_text or not column.values.size or not all(map(is_complex, map(str, column.values[:20]))):
        return [column]
    values = np.array([complex_of(str(cell)) for cell in column.values])
    return [
        Column(f"Re({column.name})", column.unit, values.real),
        Column(f"Im({column.name})", column.unit, values.imag),
    ]


def _is_empty(column: Column) -> bool:
    return not column.is_text and bool(np.isnan(column.values).all())
