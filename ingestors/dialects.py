"""Which delimiter and which decimal mark the rows of a text are written with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors.rows import Dialect
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DIALECTS: Final = (
    Dialect("\t"),
    Dialect("\t", decimal_comma=True),
    Dialect(";"),
    Dialect(";", decimal_comma=True),
    Dialect(),
    Dialect(","),
    Dialect(decimal_comma=True),
    Dialect(",", decimal_comma=True),  # with quotes around the numbers
)
_PROBED: Final = 300  # characters of a line, and about as many lines of each part of the file
_SPACED: Final = re.compile(r"(?:^|\t)[^\t]*[A-Za-z][^\t]* \d|(?:^|\t)[^\t]*\d [^\t]*[A-Za-z]")
"""Between tabs a word and a number with a blank: `sample 1`. Then blanks part no cells."""
_DIGIT: Final = re.compile(r"\d")
_LEADING_ZERO: Final = re.compile(r"\s*[+-]?\d+,0\d+\s*")
_WHOLE: Final = re.compile(r"\s*[+-]?\d+,\d+\s*")


def dialect_of(lines: Sequence[str]) -> Dialect:
    """How most rows of numbers among the lines are written, judged by lines from its beginning, middle and end."""
    middle = len(lines) // 2
    parts = (lines[: _PROBED * 4], lines[middle : middle + _PROBED], lines[-_PROBED:])
    probe = [line[:_PROBED] for part in parts for line in part if _DIGIT.search(line[:_PROBED])]
    possible = _possible("\n".join(probe))
    if len(possible) == 1:
        return possible[0]
    scores = [_score(dialect, probe) for dialect in possible]
    best = possible[scores.index(max(scores))]
    if best.delimiter == "," and _is_one_column(probe):
        return Dialect(decimal_comma=True)
    return best


def _possible(text: str) -> list[Dialect]:
    """The dialects whose delimiter and decimal mark occur at all; without a comma, its decimal twin reads the same."""
    return [
        dialect
        for dialect in _DIALECTS
        if (dialect.delimiter is None or dialect.delimiter in text) and (not dialect.decimal_comma or "," in text)
    ]


def _score(dialect: Dialect, probe: Iterable[str]) -> int:
    score = 0
    for line in probe:
        if dialect.delimiter is None and "\t" in line and _SPACED.search(line):
            continue
        if dialect.delimiter is None or dialect.delimiter in line:
            cells = dialect.cells(line)
            if dialect.is_data(cells):
                score += sum(number_of(cell, decimal_comma=dialect.decimal_comma) is not None for cell in cells if cell)
    return score


def _is_one_column(probe: Sequence[str]) -> bool:
    """Whether `1,05` is one number: all rows have one comma, and somewhere a zero stands behind it, as in no integer."""
    rows = [line for line in probe if Dialect(",").width(line)]
    return all(_WHOLE.fullmatch(line) for line in rows) and any(_LEADING_ZERO.fullmatch(line) for line in rows)
