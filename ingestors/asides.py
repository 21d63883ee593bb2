"""Settings that a program writes beside its table instead of above it: `300.0<TAB>3.9<TAB>WL-Range<TAB>300-900nm`.

Standard library only.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ingestors.textvalues import is_key, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBED: Final = 400  # lines that may have something beside them
_LONGEST: Final = 2000
_FEWEST: Final = 2  # columns of a table, cells of an aside, rows with one


def parted(lines: Sequence[str], delimiter: str | None) -> tuple[Sequence[str], list[str]]:
    """The lines without what stands beside the table, and that as lines of their own.

    An aside is a key and its value in the last cells of some rows; in as many rows at least there is nothing.
    """
    if delimiter is None:
        return lines, []
    cells = [line.split(delimiter) if len(line) < _LONGEST else [] for line in lines[:_PROBED]]
    widths = [_width(row) for row in cells]
    width, rows = Counter(filter(None, widths)).most_common(1)[0] if any(widths) else (0, 0)
    alone = sum(_is_alone(row, width) for row in cells) if rows >= _FEWEST else 0
    keys = {_filled(row[width:])[0] for row, found in zip(cells, widths, strict=True) if found == width and found}
    if rows < _FEWEST or alone < rows or len(keys) < _FEWEST:
        return lines, []
    kept, aside = list(lines), []
    for at, row in enumerate(cells):
        above = at + 1 < len(cells) and widths[at + 1] == width and len(_filled(row[width:])) == _FEWEST
        if widths[at] == width or (above and all(map(str.strip, row[:width]))):
            kept[at] = delimiter.join(row[:width])
            aside.append(delimiter.join(_filled(row[width:])))
    return kept, aside


def _width(row: Sequence[str]) -> int:
    """How many numbers stand before a key and a value, 0 if this is not what the row is."""
    first = next((at for at, cell in enumerate(row) if not cell.strip() or number_of(cell) is None), len(row))
    beside = _filled(row[first:])
    told = len(beside) == _FEWEST and is_key(beside[0]) and number_of(beside[0]) is None
    return first if first >= _FEWEST and told else 0


def _is_alone(row: Sequence[str], width: int) -> bool:
    """Whether the row has its numbers and nothing beside them."""
    numbers = len(row) >= width and all(cell.strip() and number_of(cell) is not None for cell in row[:width])
    return numbers and not any(map(str.strip, row[width:]))


def _filled(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]
