"""The words above a table: which line names the columns, which one gives their units, which one is a title.

Standard library only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors.textvalues import is_pair, number_of, strip_marks
from ingestors.titlelines import are_units, bare_unit, cells_of, is_word, separated, trimmed
from ingestors.units import is_unit, looks_like_unit, split_title

if TYPE_CHECKING:
    from collections.abc import Sequence

Titles = tuple[list[str], list[str | None]]
"""Names and units of the columns; an empty name where a delimited line has an empty cell."""

_FAR: Final = 30  # lines above the rows that may hold the names
_LONGEST_TITLE: Final = 120
_PAIR: Final = 2
_SHORTEST_AXIS: Final = 3
_RULE: Final = re.compile(r"[-=_*#+~\s|]*")
_KEYED: Final = re.compile(r"[^\t,;]*:\s*[\t,;]")  # a key with a value for each column
_LINES: Final = 3  # that titles may take
_MOSTLY: Final = 0.5


def names_and_units(line: str, count: int, delimiter: str | None) -> Titles | None:
    """Names and units of `count` columns in one line, or None if it does not hold them.

    The line is split at the rows' own delimiter, tabs, two blanks, commas, semicolons or ` - `, and last at single
    blanks. Comment marks and a leading `Data:` are passed over. Units are read from the titles (`Energy (eV)`).
    """
    found = cells_of(line, count, delimiter, loosely=True)
    return None if found is None else _titles(found)


def width_above(lines: Sequence[str], low: int, high: int, delimiter: str) -> int:
    """How many titles the last line above the rows has at this delimiter, if that is from `low` to `high`, else 0."""
    for line in reversed(lines[-3:]):
        if line.strip():
            cells = trimmed(separated(line, delimiter))
            return (
                len(cells)
                if low <= len(cells) <= high and all(number_of(cell) is None for cell in filter(None, cells))
                else 0
            )
    return 0


def names_above(lines: Sequence[str], count: int, delimiter: str | None) -> Titles | None:
    """Names and units of the columns from the lines above the rows: the nearest line that fits, and a row of units."""
    found = titles_above(lines, count, delimiter)
    return None if found is None else found[:2]


def titles_above(
    lines: Sequence[str], count: int, delimiter: str | None
) -> tuple[list[str], list[str | None], frozenset[str]] | None:
    """As `names_above`, and the lines that the names and units came from."""
    axis = axis_above(lines, count, delimiter)
    if axis is not None:
        return *axis, frozenset({next(line for line in reversed(lines) if line.strip())})
    units: list[str] | None = None
    near = True
    used: set[str] = set()
    kept = [line for line in lines[-_FAR:] if not _RULE.fullmatch(line)]
    for at in range(len(kept) - 1, -1, -1):
        line = kept[at]
        cells = cells_of(line, count, delimiter, loosely=near)
        if cells is None and units is not None and delimiter is not None:
            cells = _grouping(line, count, delimiter)
        if cells is None:
            if count == _PAIR and delimiter and units is None and len(trimmed(separated(line, delimiter))) == count:
                return None  # keys and values in the columns' own way: no titles above them
            near = near and is_pair(line)
            continue
        used.add(line)
        labelled = cells[0].casefold() in {"units", "unit"}
        if units is None and (
            are_units(cells[1:] if labelled else cells) or _are_mostly_units(cells, kept[:at], delimiter)
        ):
            units = cells
            continue
        return _completed(cells, units, kept[:at], delimiter, used)
    if units is None and delimiter is None and (short := _one_short(kept, count)) is not None:
        return short
    if units is not None and not all(unit.startswith(("[", "(")) for unit in units):
        return *_titles(units), frozenset(used)  # names such as T and V, which are units as well
    return None


def _one_short(lines: Sequence[str], count: int) -> tuple[list[str], list[str | None], frozenset[str]] | None:
    """Names of all columns but the last one, each with its unit, in the line right above the rows: `time/s  E/V  I/A`."""
    found = names_and_units(lines[-1], count - 1, None) if lines and count > _PAIR else None
    if found is None or not all(found[1]):
        return None
    return [*found[0], ""], [*found[1], None], frozenset({lines[-1]})


def _completed(
    cells: list[str], units: list[str] | None, above: list[str], delimiter: str | None, used: set[str]
) -> tuple[list[str], list[str | None], frozenset[str]]:
    """Names and units from the line of names, the units below it, and what may stand above both."""
    nearest = above[-2:]
    if units is None and delimiter is not None and (over := _over(nearest, cells, delimiter)):
        (cells, units), used = over, {*used, *nearest}
    if delimiter is not None and not all(cells):
        cells, used = _filled_from(above[-_LINES:], cells, delimiter, used)
    if units is not None and cells[0] and not all(cells):  # one name above a pair of columns
        for index in range(1, len(cells)):
            cells[index] = cells[index] or cells[index - 1]
    names, own = _titles(cells)
    if len(set(names)) < len(cells) and units is None and delimiter is not None and above:
        for line in above[: -_LINES - 1 : -1]:
            if _KEYED.match(line):
                continue
            told = _told_apart(names, _grouping(line, len(cells), delimiter))
            told = _in_two_lines(names, line, delimiter) if told == names else told
            if told != names:
                names, used = told, used | {line}
                break
    if units is not None:
        own = [bare_unit(unit) or known for unit, known in zip(units, own, strict=True)]
    return names, own, frozenset(used)


def _filled_from(above: Sequence[str], cells: list[str], delimiter: str, used: set[str]) -> tuple[list[str], set[str]]:
    """Titles in several lines: what a column has none of in the nearest one, from the lines above that have as many."""
    for line in reversed(above):
        row = [cell.strip().strip("\"' ") for cell in separated(line, delimiter)]
        words = [cell for cell in row if is_word(cell)]
        if len(words) < _PAIR or len(row) < len(cells) - 1 or is_pair(row[0] or "-"):
            continue
        filled = [cell or (row[at] if at < len(row) and is_word(row[at]) else "") for at, cell in enumerate(cells)]
        if filled != cells:
            cells, used = filled, {*used, line}
    return cells, used


def _over(above: Sequence[str], cells: list[str], delimiter: str) -> tuple[list[str], list[str]] | None:
    """The names and units of tables whose titles take three lines (names, units, remarks), seen from the last one."""
    rows = [separated(line, delimiter) for line in above]
    count = len(cells)
    if count <= _PAIR or not rows or any(len(row) != count or not all(map(is_word, filter(None, row))) for row in rows):
        return None
    names = [cell.strip() for cell in rows[0]]
    lower = [cell.strip() for cell in rows[-1]] if len(rows) > 1 else cells
    units = [cell if looks_like_unit(cell.strip("[]()")) else "" for cell in lower]
    return (names, units) if all(names) and any(units) else None


def _grouping(line: str, count: int, delimiter: str) -> list[str] | None:
    """Titles that stand above the first of several columns each: `Sample A,,Sample B,` is one for every column."""
    cells = [cell.strip().strip("\"'") for cell in separated(line, delimiter)][:count]
    words = [cell for cell in cells if cell]
    if (
        not cells
        or not cells[0]
        or not words
        or len(words) > count
        or not all(is_word(cell) or cell.isdigit() for cell in words)
    ):
        return None
    if len(cells) < count - 1 or not is_word(cells[0]):
        return None
    cells += [""] * (count - len(cells))
    for index in range(1, count):
        cells[index] = cells[index] or cells[index - 1]
    return cells


def _in_two_lines(names: list[str], line: str, delimiter: str) -> list[str]:
    """Names that come several times with the word that stands right above each: `Hi Temp`, `Low Temp`."""
    row = [cell.strip().strip("\"' ") for cell in separated(line, delimiter)]
    row += [""] * (len(names) - len(row))
    joined = [f"{above} {name}".strip() for above, name in zip(row, names, strict=False)]
    plain = len(row) == len(names) and all(is_word(cell) for cell in row if cell) and not row[0]
    return joined if plain and sum(map(bool, row)) >= _PAIR and len(set(joined)) == len(names) else names


def _told_apart(names: list[str], groups: list[str] | None) -> list[str]:
    """Names that come several times with the title above them: `%T (Glass 1)`."""
    if groups is None or len(set(zip(names, groups, strict=True))) < len(names):
        return names
    return [f"{name} ({group})" if names.count(name) > 1 else name for name, group in zip(names, groups, strict=True)]


def is_axis(line: str, delimiter: str | None) -> bool:
    """Whether the line has nothing in its first cells and only numbers in the others: the axis above a matrix."""
    if delimiter is None or not line.startswith(delimiter):
        return False
    cells = line.strip(" \r").split(delimiter)
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) >= _SHORTEST_AXIS and all(number_of(cell) is not None for cell in filled)


def axis_above(lines: Sequence[str], count: int, delimiter: str | None) -> Titles | None:
    """The numbers above a matrix as the names of its columns: the last line, with a word or nothing in its first cells."""
    line = next((line for line in reversed(lines) if line.strip()), "")
    if delimiter is None or count <= _SHORTEST_AXIS or delimiter not in line:
        return None
    cells = [cell.strip().strip("\"'") for cell in strip_marks(line).split(delimiter)] if line[:1] in "#%" else None
    cells = cells or [cell.strip().strip("\"'") for cell in line.split(delimiter)]
    numeric = [bool(cell) and number_of(cell) is not None for cell in cells]
    first = numeric.index(True) if True in numeric else count
    if len(cells) != count or not 0 < first < count - 1 or not all(numeric[first:]):
        return None
    split = _titles(cells[:first])
    return [*split[0], *cells[first:]], [*split[1], *[None] * (count - first)]


def are_titles(line: str, names: Sequence[str], delimiter: str | None) -> bool:
    """Whether the line is the one that `names` came from, or the units below it."""
    if axis_above([line], len(names), delimiter) is not None:
        return True
    cells = cells_of(line, len(names), delimiter, loosely=True)
    return cells is not None and (are_units(cells) or _titles(cells)[0] == list(names))


def title_above(lines: Sequence[str], names: Sequence[str]) -> str:
    """The nearest line above the rows that says something else than the names, as a title; may be empty."""
    for line in reversed(lines[-_FAR:]):
        bare = strip_marks(line)[:_LONGEST_TITLE]
        if not bare or _RULE.fullmatch(bare) or sum(name in bare for name in names) * 2 > len(names):
            continue
        if any(letter.isalpha() for letter in bare):
            return bare.strip("[]").strip()
    return ""


def _are_mostly_units(cells: Sequence[str], above: Sequence[str], delimiter: str | None) -> bool:
    """Whether most of four cells at least are units, and the line above has as many words that are none."""
    share = sum(is_unit(bare_unit(cell) or "") for cell in cells)
    filled = sum(map(bool, cells))
    if filled < _SHORTEST_AXIS + 1 or share <= _MOSTLY * filled or not above:
        return False
    names = cells_of(above[-1], len(cells), delimiter, loosely=True)
    return names is not None and 2 * sum(map(is_unit, names)) < share


def _plain(title: str) -> str:
    r"""The title without LaTeX's marks: `r($\AA$)`, `G($\AA^{-2}$)`."""
    if "$" not in title and "\\" not in title:
        return title
    return re.sub(r"\^\{(-?\d+)\}", r"^\1", title.replace("\\AA", "Å").replace("\\mu", "µ")).replace("$", "")


def _titles(cells: Sequence[str]) -> Titles:
    split = [split_title(_plain(cell)) for cell in cells]
    return [name.rstrip("/ ") or name for name, _ in split], [unit for _, unit in split]
