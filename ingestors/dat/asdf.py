"""The packed numbers of JCAMP-DX: AFFN, PAC, SQZ, DIF and DUP.

Source: R. S. McDonald and P. A. Wilks, Applied Spectroscopy 42 (1988) 151, section 4.5. A letter stands for a sign and the
first digit of a value (SQZ), of the difference to the value before (DIF), or of how often the one before stands there (DUP).
A line that ends with a difference is checked by the first value of the next one, which is that value again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_SQUEEZED: Final = {
    **{letter: str(n) for n, letter in enumerate("@ABCDEFGHI")},
    **{letter: f"-{n}" for n, letter in enumerate("abcdefghi", 1)},
}
_DIFFERENCE: Final = {
    **{letter: str(n) for n, letter in enumerate("%JKLMNOPQR")},
    **{letter: f"-{n}" for n, letter in enumerate("jklmnopqr", 1)},
}
_REPEATED: Final = {letter: str(n) for n, letter in enumerate("STUVWXYZs", 1)}
_TOKEN: Final = re.compile(r"([@A-Ia-i%J-Rj-rS-Zs])(\d*(?:\.\d*)?)|([+-]?(?:\d+\.?\d*|\.\d+))|(\?)")
_PLAIN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|\?")
_PACKED: Final = re.compile(r"[@A-DF-Za-df-z%]")
_MOST_REPEATS: Final = 10_000_000


class PackedError(ValueError):
    """The numbers cannot be unpacked. The message is one sentence."""


def unpacked(lines: Iterable[str], most: int = _MOST_REPEATS) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """The first number of each line, all the others, and how many lines did not begin with the value that they should.

    Raises PackedError for a difference without a value before it and for more than `most` values.
    """
    rows = [line for line in lines if line.strip()]
    if not any(_PACKED.search(row) for row in rows):
        return _plain(rows)
    heads: list[float] = []
    values: list[float] = []
    check, wrong = False, 0
    for row in rows:
        head, found, ends_with_difference = _row(row)
        if len(values) + len(found) > most:
            raise PackedError("The packed numbers are more than the file says.")
        heads.append(head)
        if check and values and found:
            wrong += found[0] != values[-1]
            found = found[1:]
        values += found
        check = ends_with_difference
    return np.array(heads), np.array(values), wrong


def _plain(rows: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    cells = [[float("nan") if cell == "?" else float(cell) for cell in _PLAIN.findall(row)] for row in rows]
    cells = [row for row in cells if row]
    return np.array([row[0] for row in cells]), np.array([value for row in cells for value in row[1:]]), 0


def _row(row: str) -> tuple[float, list[float], bool]:
    """The first number, the values behind it, and whether the last one was given as a difference."""
    head = float("nan")
    values: list[float] = []
    step: float | None = None
    for index, match in enumerate(_TOKEN.finditer(row)):
        letter, digits, plain, missing = match.groups()
        if index == 0 and plain is not None:
            head = float(plain)
        elif letter in _REPEATED:
            _repeat(values, step, int(float(_REPEATED[letter] + digits)))
        elif letter in _DIFFERENCE:
            if not values:
                raise PackedError("A line of packed numbers begins with a difference.")
            step = float(_DIFFERENCE[letter] + digits)
            values.append(values[-1] + step)
        else:
            step = None
            values.append(
                float("nan") if missing else float(plain if plain is not None else _SQUEEZED[letter] + digits)
            )
    return head, values, step is not None


def _repeat(values: list[float], step: float | None, times: int) -> None:
    if not values or not 0 < times <= _MOST_REPEATS:
        raise PackedError("A repetition of packed numbers has nothing to repeat.")
    last = values[-1]
    values.extend(last + (step or 0.0) * n for n in range(1, times))
