"""Single values in text: numbers as programs spell them, quantities, and the key-value lines of headers.

Standard library only. Every pattern here is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity
from ingestors.units import is_unit, looks_like_unit, split_title

if TYPE_CHECKING:
    from collections.abc import Iterable

NAN: Final = float("nan")
_TO_E: Final = str.maketrans({"d": "e", "D": "e"})
_LONGEST_NUMBER: Final = 64
_LONGEST_KEY: Final = 100
_LONGEST_LINE: Final = 4000
_EXPONENT: Final = r"(?:[eEdD][+-]?\d{1,5})?"
_FLOAT: Final = re.compile(rf"[+-]?(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}", re.ASCII)
_COMMA_FLOAT: Final = re.compile(rf"[+-]?(?:\d+(?:,\d*)?|,\d+){_EXPONENT}", re.ASCII)
_COMPLEX: Final = re.compile(
    r"\(?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)?\s*([+-]\s*(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*[ij]\s*\)?",
    re.ASCII,
)
_BARE_EXPONENT: Final = re.compile(r"([+-]?\d*\.\d+)([+-]\d{3})", re.ASCII)  # Fortran drops the letter from 1.0E-100
_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})", re.ASCII)
_PLAIN: Final = re.compile(rf"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+){_EXPONENT}", re.ASCII)
_SURE_COMMA: Final = re.compile(r"[+-]?(?:0,\d+|[1-9]\d*,(?:\d{1,2}|\d{4,})|\d+,\d+[eEdD][+-]?\d{1,5})", re.ASCII)
_MISSING: Final = frozenset(
    {"", "nan", "+nan", "-nan", "n/a", "#n/a", "na", "--", "-", "---", "null", "none", "?", "missing", "undefined"}
    | {"1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "nan(ind)", "-nan(ind)", "1.#qnan0", "-1.#ind0", "nodata", "<na>"}
)
_INFINITE: Final = {"inf": 1, "+inf": 1, "-inf": -1, "infinity": 1, "+infinity": 1, "-infinity": -1, "∞": 1}
_INFINITE_MSVC: Final = {"1.#inf": 1, "+1.#inf": 1, "-1.#inf": -1}

_COMPASS: Final = frozenset("NESW")  # degrees and minutes north, no newtons
_UNIT_OF: Final = re.compile(r"(.+?)[ _]?units?", re.IGNORECASE)
_NUMBER_AND_UNIT: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)([A-Za-zµμ°%Ω][A-Za-z]{0,4})")
_MARK: Final = re.compile(r"\s*(?:[#;%!*'][#;%!*'\s]*|//+)\s?")
_HOURS: Final = re.compile(r"(?:^|[\sT:])\d{1,2}$")
_PARTING: Final = re.compile(r"[:=\t]")
_BETWEEN: Final = re.compile(r"\s{2,}|;\s+")
_BEFORE_KEY: Final = re.compile(r"\s{2,}(?=[A-Za-z][\w .#/%()-]{0,40}?\s{0,20}[:=]\s)")


def number_of(text: str, *, decimal_comma: bool = False) -> float | None:
    """The number that a table's cell holds; NaN for a mark of a missing value or an empty cell; None if it is text."""
    cell = text.strip().replace("\u2212", "-")  # the minus sign of typography
    if len(cell) > _LONGEST_NUMBER:
        return None
    if (_COMMA_FLOAT if decimal_comma else _FLOAT).fullmatch(cell):
        return float(cell.replace(",", ".").translate(_TO_E))
    lower = cell.casefold()
    if lower in _MISSING or (cell and not cell.strip("*")):  # Fortran fills a field that is too narrow with asterisks
        return NAN
    sign = _INFINITE.get(lower) or _INFINITE_MSVC.get(lower)
    if sign:
        return sign * float("inf")
    bare = _BARE_EXPONENT.fullmatch(cell)
    return float(f"{bare[1]}E{bare[2]}") if bare else None


def is_complex(cell: str) -> bool:
    """Whether the cell is a complex number: `1.0+2.5j`, `(1-2i)`, `1e-3 - 2e-4i`."""
    return (
        len(cell) <= _LONGEST_NUMBER
        and cell[-2:].strip(")")[-1:] in {"i", "j"}
        and _COMPLEX.fullmatch(cell) is not None
    )


def complex_of(cell: str) -> complex:
    """The complex number in the cell; NaN if it holds none."""
    match = _COMPLEX.fullmatch(cell)
    if match is None:
        number = number_of(cell)
        return complex(NAN if number is None else number)
    return complex(float(match[1] or 0), float(match[2].replace(" ", "")))


def value_of(text: str, *, decimal_comma: bool = False) -> Any:
    """The value that a header's text means: int, float, bool (true, false only), a Quantity, else the text itself.

    Numbers with leading zeros (serial numbers) and dates stay text; a decimal comma counts only where it cannot part
    thousands or a list, or where the file writes its numbers so. A list is read only with a unit: `8.7e-02, 8.3e-02 m`.
    A unit may stand close to its number: `532.09nm`, `10%`.
    """
    bare = text.strip()
    if not bare or len(bare) > _LONGEST_LINE:
        return bare
    if decimal_comma and _COMMA_FLOAT.fullmatch(bare) and "," in bare:
        return float(bare.replace(",", ".").translate(_TO_E))
    number = _plain_number(bare)
    if number is not None:
        return number
    if bare.casefold() in {"true", "false"}:
        return bare.casefold() == "true"
    words = bare.split()
    return _quantity(words) or _close(bare) or bare


def strip_marks(line: str) -> str:
    """The line without its comment marks (`#`, `;`, `%`, `!`, `//`, `*`, `'`) and blanks at both ends."""
    match = _MARK.match(line)
    return (line[match.end() :] if match else line).strip()


def pairs(lines: Iterable[str]) -> dict[str, Any]:
    """The key-value lines among `lines`: `key: value`, `key = value`, `key<TAB>value`, behind comment marks or not.

    Values are typed by `value_of`; `Temperature (K): 5` gives `{"Temperature": Quantity(5, "K")}`. Keys without a value
    are left out; a key that comes again with another value makes a list. Lines that are no pairs are passed over.
    """
    return gathered(
        typed(key, text) for line in lines if len(line) <= _LONGEST_LINE for key, text in pairs_in(strip_marks(line))
    )


def gathered(found: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Keys and values as a mapping: a key that comes again with another value makes a list.

    A number and its unit in two fields (`SPEED` and `SPEED_UNIT`) become one.
    """
    known: dict[str, list[Any]] = {}
    for key, value in found:
        values = known.setdefault(key, [])
        if value not in values:
            values.append(value)
    fields = {key: values[0] if len(values) == 1 else values for key, values in known.items()}
    for key in [key for key in fields if _UNIT_OF.fullmatch(key)]:
        match = _UNIT_OF.fullmatch(key)
        of, unit = match[1] if match else "", fields[key]
        number = fields.get(of)
        if isinstance(number, (int, float)) and not isinstance(number, bool) and isinstance(unit, str) and unit:
            fields[of] = Quantity(number, unit)
            del fields[key]
    return fields


def is_pair(line: str) -> bool:
    """Whether the line holds a key and its value, or a key alone (`Sample:`)."""
    bare = strip_marks(line)
    return _one_pair(bare) is not None or bare.endswith((":", "="))


def pairs_in(bare: str) -> list[tuple[str, str]]:
    """The keys and values of one line without marks: one pair, several parted by wide blanks, or none."""
    for parting in (_BETWEEN, _BEFORE_KEY) if bare.count(":") + bare.count("=") > 1 else ():
        several = [_one_pair(part) for part in parting.split(bare)]
        if len(several) > 1 and all(pair is not None and pair[1] for pair in several):
            return [pair for pair in several if pair is not None]
    pair = _one_pair(bare)
    return [pair] if pair is not None and pair[1] else []


def _one_pair(bare: str) -> tuple[str, str] | None:
    """Key and value of a line: the first `:`, `=` or tab parts them. A colon before a slash or a colon is a path's."""
    match = _parting(bare) if len(bare) <= _LONGEST_LINE else None
    if match is None:
        return None
    key = bare[: match.start()].strip().strip("\"'").lstrip(".>@- ")
    value = bare[match.end() :].strip()
    if match[0] == "\t":
        key, value = key.rstrip(":= "), value.lstrip(":= \t")
        if number_of(key) is not None:
            return None
    elif match[0] == ":" and value[:1] in {"/", "\\", ":"} and bare[match.end() : match.end() + 1].strip():
        return None
    return (key, " ".join(value.split()).strip("\"'")) if is_key(key) else None


def _parting(bare: str) -> re.Match[str] | None:
    """The first mark between key and value that does not stand in brackets: `Full time (mm:ss) = 0:22`."""
    marks = [mark for mark in _PARTING.finditer(bare) if not (mark[0] == ":" and _is_clock(bare, mark.start()))]
    first = marks[0] if marks else None
    if first is None or first[0] == "\t":
        return first
    for match in marks:
        before = bare[: match.start()]
        if before.count("(") <= before.count(")") and before.count("[") <= before.count("]"):
            return match
    closed = first is not None and any(mark in bare[first.end() :] for mark in ")]")
    return None if closed else first


def _is_clock(text: str, at: int) -> bool:
    """Whether the colon stands in a time of day: `12:03`."""
    return _HOURS.search(text[max(0, at - 3) : at]) is not None and text[at + 1 : at + 3].isdigit()


def is_key(key: str) -> bool:
    """Whether the text can name a value: short, with a letter, and no section's or column's bracket in front."""
    return 0 < len(key) <= _LONGEST_KEY and any(letter.isalpha() for letter in key) and not key.startswith(("[", "("))


def typed(key: str, text: str, *, decimal_comma: bool = False) -> tuple[str, Any]:
    """Key and typed value; the unit of a key like `Temperature (K)` goes to its number."""
    value = value_of(text, decimal_comma=decimal_comma)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        name, unit = split_title(key)
        if unit is not None and is_unit(unit):
            return name, Quantity(value, unit)
    return key, value


def _plain_number(text: str) -> int | float | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PLAIN.fullmatch(text):
        return float(text.translate(_TO_E))
    if _SURE_COMMA.fullmatch(text):
        return float(text.replace(",", ".").translate(_TO_E))
    return None


def _close(text: str) -> Quantity | None:
    """A number with its unit right behind it: `532.09nm`. Of single letters only K and V are units there (not `2D`, `3A`, `5H`)."""
    match = _NUMBER_AND_UNIT.fullmatch(text)
    exact = match is not None and "e" in match[1].casefold()
    if match is None or not (exact or len(match[2]) > 1 or match[2] in "%°KV") or not looks_like_unit(match[2]):
        return None
    number = _plain_number(match[1])
    return Quantity(number, match[2]) if number is not None else None


def _quantity(words: list[str]) -> Quantity | None:
    """Numbers, then a unit: the unit is what follows the last number."""
    numbers: list[int | float] = []
    for index, word in enumerate(words):
        number = _plain_number(word.rstrip(",")) if index < len(words) - 1 else None
        if number is None:
            unit = " ".join(words[index:])
            if not numbers or not is_unit(unit) or (len(numbers) > 1 and unit in _COMPASS):
                return None
            return Quantity(numbers[0] if len(numbers) == 1 else numbers, unit.strip("[]"))
        numbers.append(number)
    return None
