"""The cells of a line above a table: how it is parted, and whether they can be titles or units.

Standard library only.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from ingestors.textvalues import is_pair, number_of, strip_marks
from ingestors.units import is_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST: Final = 1_000_000
_LONGEST_TITLE: Final = 120
_BLANKS: Final = re.compile(r"\s{2,}|\t")
_PREFIX: Final = re.compile(
    r"(?:waves(?:/\w+)*|the \d+ columns are|data columns(?: are)?|data|column ?labels|columns?|names?|labels?|fields?)\s*[:=]?\s+",
    re.IGNORECASE,
)
_SPEC: Final = re.compile(r"\s*#[LC]\s+")  # SPEC's labels and remarks
_MARKED: Final = re.compile(r"[ ]*(?:[#;%!*']+|//+)?[ ]*")
_AXIS: Final = re.compile(r"[xy][\s_\-]*(?:axis|label)", re.IGNORECASE)
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_PATH: Final = re.compile(r"[A-Za-z]:\\|\\\\\w|/\w+/\w+/")
_SECTION: Final = re.compile(r"\s*\[[^\[\]]*\]\s*")
_PAIR: Final = 2


def cells_of(line: str, count: int, delimiter: str | None, *, loosely: bool) -> list[str] | None:
    """The `count` titles in the line, or None; `loosely` parts it at single blanks as well, and takes too few or too many."""
    if len(line) > _LONGEST or _SECTION.fullmatch(line):
        return None
    for bare in _variants(line, delimiter):
        for cells in _ways(bare, delimiter, loosely=loosely):
            if len(cells) == count and _are_names(cells, bare):
                return cells
    return _adapted(line, count, delimiter) if loosely and delimiter is not None and delimiter in line else None


def _adapted(line: str, count: int, delimiter: str) -> list[str] | None:
    """Delimited titles with blank cells between them (`#Wave<TAB><TAB>#Intensity`), too few or too many for the rows below."""
    filled = [cell.lstrip("#% ") for cell in separated(line, delimiter) if cell.strip()]
    if len(filled) == count and _are_names(filled, " ".join(filled)):
        return filled
    for bare in _variants(line, delimiter):
        for cells in _ways(bare, delimiter, loosely=True):
            found = _fitted(cells, count) if delimiter in bare else cells
            if len(found) == count and _are_names(found, bare):
                return found
    return None


def _fitted(cells: list[str], count: int) -> list[str]:
    """Delimited titles where the last ones are empty as the cells below them are, or hold nothing below them."""
    alone = len(cells) == 1 and count == _PAIR and cells[0] not in _LETTERS and is_unit(bare_unit(cells[0]) or "")
    if not count > 1 or not (len(cells) > 1 or alone) or not all(map(is_word, cells[count:])):
        return cells
    return [*cells[:count], *[""] * (count - len(cells))]


def _variants(line: str, delimiter: str | None) -> list[str]:
    spec = _SPEC.match(line)
    if spec:
        return [line[spec.end() :].strip()]
    bare = strip_marks(line)
    if bare[:1] == bare[-1:] == '"' and bare.count('"') == 2:  # noqa: PLR2004 the whole line in quotes
        bare = bare.strip('" ')
    prefix = _PREFIX.match(bare)
    found = [bare[prefix.end() :].strip(), bare] if prefix else [bare]
    if (
        delimiter is not None and delimiter in line and not (prefix and prefix[0].startswith("WAVES"))
    ):  # an empty first cell counts
        found.insert(0, line if line.startswith(delimiter) else line[_end_of_mark(line) :])
    return found


def _end_of_mark(line: str) -> int:
    match = _MARKED.match(line)
    return match.end() if match else 0


def _ways(bare: str, delimiter: str | None, *, loosely: bool) -> list[list[str]]:
    if delimiter is not None and delimiter in bare:
        return [trimmed(separated(bare, delimiter))]
    ways: list[Callable[[str], list[str]]] = [_BLANKS.split]
    ways += [lambda text: separated(text, ","), lambda text: separated(text, ";"), lambda text: text.split(" - ")]
    ways.append(lambda text: text.rstrip("| ").rpartition("are |")[2].split("|"))
    if loosely:
        ways.append(_words)
    return [trimmed(way(bare)) for way in ways]


def _words(text: str) -> list[str]:
    """The words, a unit in brackets joined to the word before it."""
    found: list[str] = []
    for word in text.split():
        if found and word[0] in "([" and word[-1] in ")]":
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def trimmed(cells: Sequence[str]) -> list[str]:
    """The cells without blanks, quotes, and empty ones at the end."""
    found = [cell.strip().strip("\"'").strip() for cell in cells]
    while found and not found[-1]:
        found.pop()
    return found


def separated(text: str, delimiter: str) -> list[str]:
    """The cells between delimiters, quotes heeded."""
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a field beyond csv's own limit
        return []


def _are_names(cells: Sequence[str], line: str) -> bool:
    """Whether the cells can be titles: words, none of them twice as long as a title, and no key with its value."""
    if not any(is_word(cell) for cell in cells) or any(len(cell) > _LONGEST_TITLE for cell in cells):
        return False
    if (
        _AXIS.fullmatch(cells[0])
        or any(map(_is_broken, cells))
        or (len(cells) == _PAIR and cells[0].endswith(("=", ":")))
    ):
        return False
    if len(cells) == 1:
        return not is_pair(line)
    numeric = sum(bool(cell) and number_of(cell) is not None for cell in cells)
    if len(cells) == _PAIR + 1 and numeric == 1 and number_of(cells[1]) is not None and is_unit(cells[2]):
        return False  # a setting with its unit
    listed = len(cells) > _PAIR and "=" not in line and ("," in line or ";" in line)
    told = cells[0] if listed else line  # `Comment: a, b`; not `Time, GMT-07:00`
    return 2 * numeric < len(cells) and not (is_pair(told) and "\t" not in line)


def _is_broken(cell: str) -> bool:
    """Whether the cell is a path, or half of what stands in brackets."""
    return _PATH.match(cell) is not None or (cell.count("[") != cell.count("]") and len(cell) > _PAIR)


def is_word(cell: str) -> bool:
    """Whether the cell holds a letter and is no number."""
    return any(letter.isalpha() or letter in "%°" for letter in cell) and number_of(cell) is None


def are_units(cells: Sequence[str]) -> bool:
    """Whether every cell is a unit or a mark for none, and at least one is a unit."""
    known = [cell for cell in cells if cell.strip("[]()#- ") not in {"", "1"}]
    return bool(known) and all(is_unit(bare_unit(cell) or "") for cell in known)


def bare_unit(unit: str) -> str | None:
    """The unit without its brackets; None for a mark of none."""
    bare = unit.strip().strip("[]").removeprefix("(").removesuffix(")").strip("-# ")
    return bare if bare not in {"", "1"} else None
