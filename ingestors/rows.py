"""Rows of text to columns of numbers: the part of the table reader that has to be fast.

Clean stretches go through `numpy.loadtxt` thousands of rows at a time; only what it refuses is looked at cell by cell.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.textvalues import is_complex, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LONGEST_LINE: Final = 1024 * 1024
_FIRST_CHUNK: Final = 64
_LARGEST_CHUNK: Final = 16384
_CHUNK_CHARACTERS: Final = 4 * 1024 * 1024
_NUMERIC_SHARE: Final = 0.8
_FEWEST_GOING_ON: Final = 3
_MOST_ADDED: Final = 3  # columns that begin or end within a table
_MARKS: Final = frozenset("#%!")
_EXPONENT_D: Final = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")
_TIME: Final = re.compile(
    r"\d{1,4}([-/.:]\d{1,2})[-/.:]\d{1,4}([.,]\d{1,9})?([ T]+\d{1,2}(:\d{1,2}){1,2}([.,]\d{1,9})?)?([+-]\d{2}:?\d{2}|Z| ?[AaPp][Mm])?|\d{1,2}:\d{2}"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How rows are written: `delimiter` None is any blanks; `decimal_comma` 1,5 for 1.5.

    `share` is the part of a row's cells that has to be numbers.
    """

    delimiter: str | None = None
    decimal_comma: bool = False
    share: float = _NUMERIC_SHARE

    def cells(self, line: str) -> list[str]:
        """The row's cells without blanks and quotes around them; empty cells at the end don't count.

        A line of more than a million characters has none: it is no row.
        """
        if len(line) > _LONGEST_LINE:
            return []
        if '"' in line:
            found = _unquoted(line, self.delimiter)
        elif self.delimiter is None:
            return line.rstrip(" ;,\t").split()  # MATLAB ends rows with a semicolon
        else:
            found = [cell.strip() for cell in line.split(self.delimiter)]
        while found and not found[-1]:
            found.pop()
        return found

    def width(self, line: str) -> int:
        """How many cells the line has if it is a row of data (at least 80 % numbers, one at least), else 0."""
        cells = self.cells(line)
        return len(cells) if cells and self.is_data(cells) else 0

    def is_data(self, cells: Sequence[str]) -> bool:
        """Whether at least 80 % of the cells are numbers, missing values or times, and one is a number."""
        if (
            not cells
            or cells[0][:1] in _MARKS
            or cells[0][:2] == "//"
            or (cells[0][:1] == ";" and self.delimiter != ";")
        ):
            return False
        numeric, other = 0, 0
        for cell in cells:
            number = number_of(cell, decimal_comma=self.decimal_comma)
            if number is None:
                other += _TIME.fullmatch(cell) is not None or is_complex(cell)
            elif number == number or "nan" in cell.casefold():  # noqa: PLR0124 a NaN is not equal to itself
                numeric += 1
            else:
                other += 1
        return numeric > 0 and numeric + other >= self.share * len(cells)

    def bulk(self, lines: Sequence[str], count: int) -> NDArray[np.float64] | None:
        """All lines as an array (rows, count) if every one of them is a clean row of numbers, else None."""
        found = self._loaded(lines, count)
        if found is None and self._has_gaps(lines[0]):
            return self._loaded([self._filled(line, count) for line in lines], count)
        if found is None and _EXPONENT_D.search(lines[0]):
            return self._loaded([_EXPONENT_D.sub("E", line) for line in lines], count)
        return found

    def _has_gaps(self, line: str) -> bool:
        return self.delimiter is not None and not all(map(str.strip, line.split(self.delimiter))) and '"' not in line

    def _filled(self, line: str, count: int) -> str:
        """The row with NaN in its empty cells, and without empty cells beyond the last column."""
        delimiter = self.delimiter or " "
        cells = [cell if cell.strip() else "nan" for cell in line.split(delimiter)]
        if len(cells) > count and set(cells[count:]) == {"nan"}:
            del cells[count:]
        return delimiter.join(cells)

    def _loaded(self, lines: Sequence[str], count: int) -> NDArray[np.float64] | None:
        delimiter = None if self.delimiter in {None, "\t"} else self.delimiter
        if self.decimal_comma:
            lines = [line.replace(",", ".") for line in lines]
        try:
            found = np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2, dtype=np.float64)
        except (ValueError, UnicodeError):
            return None
        return found if found.shape == (len(lines), count) else None


@dataclass
class Block:
    """A run of rows with the same number of cells, as it grows: `start` and `end` are line numbers from 0."""

    dialect: Dialect
    count: int
    start: int
    end: int
    parts: list[NDArray[np.float64] | list[list[str]]] = field(default_factory=list)
    ragged: int = 0
    passed: list[str] = field(default_factory=list)
    """Lines between its rows that are none."""

    @property
    def rows(self) -> int:
        """How many rows were taken."""
        return sum(len(part) for part in self.parts)

    def starts_empty(self) -> bool:
        """Whether the first cell of the first row holds nothing."""
        value = self.parts[0][0][0]
        return not value.strip() if isinstance(value, str) else bool(np.isnan(value))

    def corner(self, row: int) -> float:
        """The first column's value in the first (0) or last (-1) row; NaN if it is no number."""
        value = self.parts[row][row][0]
        if isinstance(value, str):
            number = number_of(value, decimal_comma=self.dialect.decimal_comma)
            return np.nan if number is None else number
        return float(value)

    def follows(self, before: Block) -> bool:
        """Whether this block of other width goes on with the rows of the one right above it: its last columns begin or end here."""
        enough = min(before.rows, self.rows) >= _FEWEST_GOING_ON
        if self.dialect.delimiter is not None or not enough or abs(self.count - before.count) > _MOST_ADDED:
            return False
        return self.goes_on(before)

    def goes_on(self, before: Block) -> bool:
        """Whether the first column goes on in the direction that it had in the block before this one."""
        first, last, new, end = before.corner(0), before.corner(-1), self.corner(0), self.corner(-1)
        return bool((last - first) * (new - last) > 0 and (new - last) * (end - new) > 0)

    def append(self, other: Block) -> None:
        """Take the rows of a block below this one as they are; what one of the two has no column for is NaN."""
        widest = max(self.count, other.count)
        for block in (self, other):
            if block.count < widest:
                block.ragged += block.rows
                block.parts = [_widened(part, widest) for part in block.parts]
                block.count = widest
        self.parts.extend(other.parts)
        self.ragged += other.ragged
        self.end = other.end

    def take(self, lines: Sequence[str]) -> None:
        """Take rows from line `end` on, as many as belong to the block."""
        chunk = _FIRST_CHUNK
        if self._take_singly(lines, 2) < 2:  # noqa: PLR2004 most blocks that are no table end here, cheaply
            return
        while self.end < len(lines):
            piece = lines[self.end : self.end + chunk]
            found = self.dialect.bulk(piece, self.count) if any(map(str.strip, piece)) else None
            if found is not None:
                self.parts.append(found)
                self.end += len(piece)
                room = _CHUNK_CHARACTERS // (1 + max(len(piece[0]), len(piece[-1])))
                chunk = max(1, min(chunk * 4, _LARGEST_CHUNK, room))
            elif self._take_singly(lines, chunk) < len(piece):
                return
            else:
                chunk = _FIRST_CHUNK

    def take_all(self, lines: Sequence[str]) -> int:
        """Take all lines that can be rows, whatever their length; how many others were passed over (blank ones aside)."""
        passed = 0
        while self.end < len(lines):
            self.take(lines)
            if self.end >= len(lines):
                break
            cells = self.dialect.cells(lines[self.end])
            if cells and (self.dialect.is_data(cells) or len(cells) == self.count):
                self.ragged += len(cells) != self.count
                self.parts.append([cells])
            else:
                passed += bool(cells)
            self.end += 1
        return passed

    def _take_singly(self, lines: Sequence[str], most: int) -> int:
        """Take up to `most` rows one by one; how many were taken."""
        rows: list[list[str]] = []
        first = self.end
        while self.end < len(lines) and len(rows) < most:
            cells = self.dialect.cells(lines[self.end])
            if not cells or not self.dialect.is_data(cells):
                break
            if len(cells) != self.count:
                if not self._is_slip(lines, cells):
                    break
                self.ragged += 1
            rows.append(cells)
            self.end += 1
        if rows:
            self.parts.append(rows)
        return self.end - first

    def _is_slip(self, lines: Sequence[str], cells: Sequence[str]) -> bool:
        """Whether a row of another length is a slip: empty cells at its end, the file's last line, or the old length comes back."""
        if self.dialect.delimiter is not None and 1 < len(cells) < self.count:
            raw = lines[self.end].count(self.dialect.delimiter) + 1
            if raw >= self.count:
                self.ragged -= 1
                return True
        following = [line for line in lines[self.end + 1 : self.end + 4] if line.strip()]
        if not following:
            return len(cells) < self.count
        widths = [self.dialect.width(line) for line in following]
        return self.count in widths and 0 not in widths[: widths.index(self.count)]  # words between them: a new header

    def arrays(self) -> tuple[list[NDArray[Any]], list[str]]:
        """One array per column, and a sentence for everything that was not as it should be."""
        warnings = []
        if self.ragged:
            warnings.append(
                f"{self.ragged} of {self.rows} rows have another number of values than {self.count}; what is missing is NaN."
            )
        return [self._column(index) for index in range(self.count)], warnings

    def _column(self, index: int) -> NDArray[Any]:
        pieces: list[NDArray[np.float64]] = []
        texts, numbers = 0, 0
        for part in self.parts:
            if isinstance(part, np.ndarray):
                pieces.append(part[:, index])
                numbers += len(part)
                continue
            values = [
                number_of(row[index], decimal_comma=self.dialect.decimal_comma) if index < len(row) else np.nan
                for row in part
            ]
            texts += values.count(None)
            numbers += len(values) - values.count(None)
            pieces.append(np.array([np.nan if value is None else value for value in values], dtype=np.float64))
        if texts <= numbers:
            return np.concatenate(pieces)
        return np.array(self._texts(index), dtype=np.str_)

    def _texts(self, index: int) -> list[str]:
        found: list[str] = []
        for part in self.parts:
            if isinstance(part, np.ndarray):
                found.extend(f"{value:g}" for value in part[:, index])
            else:
                found.extend(row[index] if index < len(row) else "" for row in part)
        return found


def _widened(part: NDArray[np.float64] | list[list[str]], count: int) -> NDArray[np.float64] | list[list[str]]:
    """The rows with NaN in columns that they lack; rows of text may be short."""
    if isinstance(part, list):
        return part
    return np.pad(part, ((0, 0), (0, count - part.shape[1])), constant_values=np.nan)


def _unquoted(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        line, delimiter = " ".join(line.split()), " "
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error:  # a field beyond csv's own limit
        return [line]
