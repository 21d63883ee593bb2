"""Runs of rows in a text: where tables begin and end, which of them belong together, and which are worth a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors.rows import Block, Dialect
from ingestors.textvalues import is_pair, number_of, strip_marks
from ingestors.titles import is_axis, names_above, width_above

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDY_SHARES: Final = (0.5, 0.2)
_WIDE: Final = 5  # columns: a single row of them is a table
_FEWEST_ROWS: Final = 3
_LONGEST_HEADER: Final = 200_000
_MOST_BLOCKS: Final = 20_000
_MOST_TABLES: Final = 32
_MOST_PASSED: Final = 1000
_COUNTED: Final = re.compile(r"[^\d,;\t]{1,20}(?:[,;\t]\s*0?\d{1,2})+")
_PAIR: Final = re.compile(r"\w *[:=](?: |$)")
_WIDE_BLANKS: Final = re.compile(r"(?<=\S) {2,}(?=\S)")
_DIGIT: Final = re.compile(r"\d")


def blocks(lines: Sequence[str], dialect: Dialect) -> list[Block]:
    """All runs of rows with the same number of cells, in their order."""
    found: list[Block] = []
    at = 0
    while at < len(lines) and len(found) < _MOST_BLOCKS:
        count = dialect.width(lines[at]) if _DIGIT.search(lines[at]) or "nan" in lines[at].lower() else 0
        if not count or _is_names_row(lines, at, dialect, count):
            at += 1
            if not found and at > _LONGEST_HEADER:
                break
            continue
        if dialect.delimiter is not None and lines[at].count(dialect.delimiter) >= count:  # empty cells at the end
            most = lines[at].count(dialect.delimiter) + 1
            count = width_above(lines[max(0, at - 3) : at], count + 1, most, dialect.delimiter) or count
        block = Block(dialect, count, at, at)
        block.take(lines)
        if block.rows:
            found.append(block)
        at = max(block.end, at + 1)  # a row that its own block refuses
    return found


def parted_by_blanks(lines: Sequence[str]) -> list[str]:
    """The lines with a tab for two blanks and more, as printed reports part cells in which words have blanks."""
    return [line if _PAIR.search(line) else _WIDE_BLANKS.sub("\t", line.strip()) for line in lines]


def with_words(lines: Sequence[str], *, fewest: int = 2) -> tuple[Dialect, list[Block]]:
    """Tables whose rows are half words or more (`Fe,100`): only with titles above them, and at least three rows or five columns.

    Of the ways to part the cells the one that gives most cells; `fewest` columns.
    """
    ways = [_wordy(lines, Dialect(delimiter, share=share)) for share in _WORDY_SHARES for delimiter in ("\t", ";", ",")]
    ways = [(dialect, [block for block in found if block.count >= fewest]) for dialect, found in ways]
    best = max(ways, key=lambda way: sum(block.rows * block.count for block in way[1]))
    return best if best[1] else (Dialect(), [])


def _wordy(lines: Sequence[str], dialect: Dialect) -> tuple[Dialect, list[Block]]:
    found, end = [], 0
    for block in blocks(lines, dialect):
        enough = block.rows >= _FEWEST_ROWS or (block.count >= _WIDE and not _is_sentence(lines[block.start], dialect))
        if (
            enough
            and block.count > 1
            and not _are_settings(lines[end : block.start], lines[block.end : block.end + 1], block)
            and names_above(lines[end : block.start], block.count, dialect.delimiter) is not None
        ):
            found.append(block)
        end = block.end
    return dialect, found


def _is_sentence(line: str, dialect: Dialect) -> bool:
    """Whether most of the marks between the cells have a blank behind them, as in prose and in programs."""
    mark = dialect.delimiter or ""
    return bool(mark.strip()) and 2 * line.count(f"{mark} ") > line.count(mark)


def _are_settings(above: Sequence[str], below: Sequence[str], block: Block) -> bool:
    """Whether two columns of words go on with keys and values: not only one line of two cells stands above them, or one below."""
    alike = sum(len(block.dialect.cells(line)) == block.count for line in above)
    alike += sum(len(block.dialect.cells(line)) == block.count for line in below)
    return block.count == 2 and alike > 1  # noqa: PLR2004 key and value


def _is_names_row(lines: Sequence[str], at: int, dialect: Dialect, count: int) -> bool:
    """Whether a row is none: `wavelength 300 350 400`, or the same with nothing in its first cell, above numbers only."""

    def words(line: str) -> int:
        return sum(number_of(cell, decimal_comma=dialect.decimal_comma) is None for cell in dialect.cells(line))

    if at + 1 >= len(lines):
        return False
    if is_axis(lines[at], dialect.delimiter) and not is_axis(lines[at + 1], dialect.delimiter):
        return True
    if not words(lines[at]):
        return False
    if _COUNTED.fullmatch(lines[at].strip(" \t,;")) and words(lines[at + 1]):  # `<>,1,2,3` above the rows of a plate
        return [number_of(cell) for cell in dialect.cells(lines[at])[1:]] == list(range(1, count))
    return dialect.width(lines[at + 1]) == count and not words(lines[at + 1])


def joined(lines: Sequence[str], blocks: Sequence[Block]) -> list[Block]:
    """Blocks with their continuations behind a blank line or a remark put together.

    As in gnuplot one blank line is a pause in the same table, two begin another; and a first column that starts again
    begins another as well. More blocks than anybody would look at are one table.
    """
    found: list[Block] = []
    loose = len(blocks) > _MOST_TABLES
    for block in blocks:
        if found and (
            _continues(lines, found[-1], block, loose=loose)
            or (found[-1].end == block.start and block.count != found[-1].count and block.follows(found[-1]))
        ):
            between = lines[found[-1].end : block.start]
            found[-1].passed += (
                [line for line in between if line.strip()] if len(found[-1].passed) < _MOST_PASSED else []
            )
            found[-1].append(block)
        else:
            found.append(block)
    return found


def _continues(lines: Sequence[str], before: Block, block: Block, *, loose: bool) -> bool:
    if before.count != block.count:
        return False
    between = [line.strip() for line in lines[before.end : block.start]]
    if not any(between):
        if loose or block.rows == 1:
            return True
        return len(between) == 1 and not _starts_again(before, block)
    bare = [line for line in between if line and line == strip_marks(line)]
    if (
        len(bare) == 1 == len(between) and is_pair(bare[0]) and min(before.rows, block.rows) > 1
    ):  # a result among the rows
        return block.goes_on(before)
    if bare:  # words without a mark: a header
        return False
    return names_above(between, block.count, block.dialect.delimiter) is None and not _starts_again(before, block)


def _starts_again(before: Block, block: Block) -> bool:
    first, last, new = before.corner(0), before.corner(-1), block.corner(0)
    return first == new or (new - last) * (last - first) < 0


def worthwhile(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that are tables: not the stray numbers of a header. Of stray numbers only, the largest block."""
    longest = max((block.rows for block in blocks), default=0)
    good = [block for block in blocks if block.rows >= _FEWEST_ROWS and (block.count > 1 or 2 * block.rows >= longest)]
    if good:
        return good
    best = max(blocks, key=lambda block: block.rows * block.count, default=None)
    return [best] if best is not None and best.rows * best.count > 1 else []


def gaps(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """First and last line (exclusive) of what stands above each block."""
    starts = [0, *(block.end for block in blocks)]
    return [(start, block.start) for start, block in zip(starts, blocks, strict=False)]
