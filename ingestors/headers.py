"""The lines above a table as nested, typed fields: pairs in every spelling, sections, and what is left as remarks.

Standard library only.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity
from ingestors.textvalues import gathered, is_key, number_of, pairs_in, strip_marks, typed, value_of
from ingestors.units import looks_like_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LONGEST_LINE: Final = 4000
_SECTION: Final = re.compile(r"\[+\s*([^\[\]=]{1,80}?)\s*\]+")
_RULE: Final = re.compile(r"[-=_*#+~<>.\s|/\\]*")
_QUOTED: Final = re.compile(r"([A-Za-z][\w .\-/()%]{0,60}?)\s*[:=]\s*\"([^\"]*)\"")
_KEY_AND_QUOTED: Final = re.compile(r"\*?([A-Za-z_][\w.\-]{0,80})\s+\"([^\"]*)\"")
_LISTED: Final = re.compile(
    r"@?(?:column|col|sig|signal|channel|chan|field|var|variable|name)[\s._\-#]*(\d{1,3})", re.IGNORECASE
)
_ALL_NAMES: Final = frozenset({"variables", "columns", "column names", "column labels", "fields", "col_headers"})
_IN_QUOTES: Final = re.compile(r"\"([^\"]{1,80})\"|'([^']{1,80})'")
_NUMBERED: Final = re.compile(r"(\d{1,3})\s*[.):=-]?\s+([A-Za-z].{0,120})")
_AXIS: Final = re.compile(r"([xy])[\s_\-]*(?:axis)?[\s_\-]*(?:label|title|name|axis)", re.IGNORECASE)
_WIDE: Final = re.compile(r"([A-Za-z](?:[^\s,;]| (?! )){1,40}) {3,}(\S+(?: \S+){0,5})")
_ALONE: Final = re.compile(r"[A-Za-z][^:=\t]{0,60}:")
"""A key whose value stands in the next line."""
_HAS_TIME: Final = re.compile(r"\d{1,2}:\d\d")
_FEWEST_IN_RECORD: Final = 4
_FEWEST_QUOTED: Final = 2


def read(
    lines: Iterable[str], delimiter: str | None = None, *, decimal_comma: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Fields and the lines that are none, without their marks.

    `key: value`, `key = value`, `key<TAB>value`, `key "value"`, several `Key: "value"` in a line, and `key,value,unit` where
    the rows below are delimited so. A line `[Section]` opens a mapping of its own; one without fields is left out.
    Values are typed as `textvalues.value_of` types them; a key that comes again with another value makes a list.
    """
    top: list[tuple[str, Any]] = []
    sections: dict[str, list[tuple[str, Any]]] = {}
    remarks: list[str] = []
    inside = top
    waiting = ""
    for line in _without_records(lines, delimiter, top):
        bare = strip_marks(line)
        if delimiter is not None:
            bare = bare.rstrip(f"{delimiter} ")
        if not bare or _RULE.fullmatch(bare):
            continue
        section = _SECTION.fullmatch(bare.rstrip(",;\t "))
        if section and not looks_like_unit(section[1]):
            inside = sections.setdefault(section[1].strip(), [])
            continue
        found = _fields(line, bare, delimiter, decimal_comma=decimal_comma) if len(bare) <= _LONGEST_LINE else []
        inside.extend(found)
        if waiting and not found:
            _told_below(waiting, bare, inside, remarks)
        elif not found and _ALONE.fullmatch(bare):
            waiting = bare[:-1].strip()
            continue
        elif not found:
            remarks.append(bare)
        remarks += [f"{waiting}:"] if waiting and found else []
        waiting = ""
    remarks += [f"{waiting}:"] if waiting else []
    fields = gathered(top)
    for name, pairs in sections.items():
        if pairs:
            fields[name if name not in fields else f"[{name}]"] = gathered(pairs)
    return fields, remarks


def _told_below(key: str, bare: str, fields: list[tuple[str, Any]], remarks: list[str]) -> None:
    """A key alone in its line with the line below it: its value, or the first of a list below a heading."""
    if _NUMBERED.fullmatch(bare):
        remarks += [f"{key}:", bare]
    else:
        fields.append((key, bare))


def _without_records(lines: Iterable[str], delimiter: str | None, into: list[tuple[str, Any]]) -> Iterable[str]:
    """The lines but for a row of names with one row of values below it; what these say goes to `into`."""
    if delimiter is None:
        return lines
    kept = list(lines)
    rows = [_cells(line, delimiter) or [] for line in kept]
    for at in range(len(kept) - 1, 0, -1):
        names, values = rows[at - 1], rows[at]
        if len(values) >= _FEWEST_IN_RECORD and len(values) <= len(names) and _is_record(names, values):
            pairs = [typed(name, value) for name, value in zip(names, values, strict=False) if value.strip(' "=')]
            into.extend(pairs)
            kept[at - 1 : at + 1] = []
            rows[at - 1 : at + 1] = [[], []]
            if at < len(kept):
                rows[at - 1 : at + 1] = []
    return kept


def _is_record(names: Sequence[str], values: Sequence[str]) -> bool:
    """Whether every name is a word of its own and the values hold a number or a time in a cell that is no word."""
    told = all(is_key(name) and number_of(name) is None and ":" not in name and "=" not in name for name in names)
    distinct = len(set(names)) == len(names)
    other = any(number_of(value) is not None or _HAS_TIME.search(value) for value in values if value)
    return told and distinct and other and not set(names) & set(values)


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of all sections in one mapping; a key of an outer or earlier section wins."""
    found = {key: value for key, value in fields.items() if not isinstance(value, dict)}
    for value in fields.values():
        if isinstance(value, dict):
            found = {**flat(value), **found}
    return found


def listed_names(fields: Mapping[str, Any], count: int) -> list[str] | None:
    """The names of `count` columns that the header lists one by one: `Sig1 = Time (min)`, `Column 2: q`; else None."""
    found: dict[int, str] = {}
    said: dict[str, Any] = {}
    for key, value in flat(fields).items():
        axis = _AXIS.fullmatch(key.strip())
        if axis:
            said[axis[1].casefold()] = value
        match = _LISTED.fullmatch(key.strip())
        if match and isinstance(value, str):
            found.setdefault(int(match[1]), value)
    whole = next((str(value) for key, value in flat(fields).items() if key.casefold() in _ALL_NAMES), "")
    listed = [name.strip(" \"'") for name in re.split(r"\"\s*,?\s*\"|[,;\t]", whole)]
    if len(listed) == count and all(listed):
        return listed
    axes = [said.get(axis) for axis in ("x", "y")]
    if count == len(axes) and all(isinstance(axis, str) and axis for axis in axes):
        return [str(axis) for axis in axes]
    first = min(found, default=0)
    wanted = range(first, first + count)
    return [found[index] for index in wanted] if first in (0, 1) and all(index in found for index in wanted) else None


def numbered_names(remarks: Sequence[str], count: int) -> list[str] | None:
    """The names of `count` columns in lines that begin with their numbers: `1 time (s)`, `2: q`; else None."""
    found = [match for match in map(_NUMBERED.fullmatch, remarks) if match]
    numbers = [int(match[1]) for match in found]
    if numbers in (list(range(1, count + 1)), list(range(count))):
        return [match[2] for match in found]
    return next((names for names in map(_quoted_names, remarks) if len(names) == count > 1), None)


def _quoted_names(remark: str) -> list[str]:
    """What stands in quotes in a line that holds nothing else: `"gate Voltage" "drain Current" ]`."""
    rest = _IN_QUOTES.sub("", remark)
    return (
        [] if any(letter.isalnum() for letter in rest) else [one or other for one, other in _IN_QUOTES.findall(remark)]
    )


def _fields(line: str, bare: str, delimiter: str | None, *, decimal_comma: bool) -> list[tuple[str, Any]]:
    quoted = list(_QUOTED.finditer(bare))
    if len(quoted) >= _FEWEST_QUOTED:
        return [(match[1].strip(), value_of(match[2])) for match in quoted if match[2].strip()]
    single = _KEY_AND_QUOTED.fullmatch(bare)
    if single:
        return [typed(single[1], single[2])] if single[2].strip() else [(single[1], "")]
    if delimiter is not None and delimiter in bare:
        cells = _cells(bare, delimiter)
        several = [pairs_in(cell) for cell in cells or () if cell]
        if len(several) >= _FEWEST_QUOTED and all(
            len(pair) == 1 and ":" in cell for pair, cell in zip(several, filter(None, cells or ()), strict=True)
        ):
            return [typed(key, text, decimal_comma=decimal_comma) for pair in several for key, text in pair]
        grouped = _grouped(cells or ())
        if grouped:
            return [typed(key, text, decimal_comma=decimal_comma) for key, text in grouped]
        if cells is not None and _is_delimited_pair(cells, delimiter, bare, marked=strip_marks(line) != line.strip()):
            return [_from_cells(cells, decimal_comma=decimal_comma)]
    wide = _WIDE.fullmatch(bare)
    found = pairs_in(bare) or ([(wide[1], wide[2])] if wide else [])
    return [typed(key, text, decimal_comma=decimal_comma) for key, text in found]


def _cells(bare: str, delimiter: str) -> list[str] | None:
    try:
        cells = [cell.strip() for cell in next(csv.reader([bare], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error:  # a field beyond csv's own limit
        return None
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _grouped(cells: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs with empty cells between them, as in two blocks side by side: `Mode,AC,,Bias,0`; or nothing."""
    groups: list[list[str]] = [[]]
    for cell in cells:
        if cell:
            groups[-1].append(cell)
        elif groups[-1]:
            groups.append([])
    pairs = [(group[0].rstrip(":= "), group[1]) for group in groups if len(group) == 2]  # noqa: PLR2004 key and value
    whole = len(pairs) == len(groups) >= _FEWEST_QUOTED
    return pairs if whole and all(is_key(key) and number_of(key) is None for key, _ in pairs) else []


def _is_delimited_pair(cells: Sequence[str], delimiter: str, bare: str, *, marked: bool) -> bool:
    """Whether the first cell is a key and the others its value: not a sentence with a comma, not `key: a, b`."""
    if len(cells) < 2 or not is_key(cells[0].rstrip(":= ")) or number_of(cells[0]) is not None:  # noqa: PLR2004 key and value
        return False
    if not any(cells[1:]):
        return False
    if delimiter == "\t" or cells[0].endswith((":", "=")):
        return True
    if re.search(r"[:=]\s*\S", cells[0]):
        return False
    if number_of(cells[1]) is not None:
        return True
    return not marked and not (delimiter == "," and ", " in bare and len(cells[1].split()) > 1)  # a sentence, a date


def _from_cells(cells: Sequence[str], *, decimal_comma: bool) -> tuple[str, Any]:
    key = cells[0].rstrip(":= ")
    values = [cell.strip("\"'") for cell in cells[1:]]
    if len(values) == 1:
        return typed(key, values[0], decimal_comma=decimal_comma)
    known = [value for value in values if value]
    if len(known) == 2 and looks_like_unit(known[1]) and number_of(known[1]) is None:  # noqa: PLR2004 number and unit
        number = value_of(known[0], decimal_comma=decimal_comma)
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            return key, Quantity(number, known[1].strip("[]()"))
    if len(known) == 1:
        return typed(key, known[0], decimal_comma=decimal_comma)
    return key, [value_of(value, decimal_comma=decimal_comma) for value in values]
