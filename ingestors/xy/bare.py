"""Columns of two or three numbers, with whatever header: the x-y files of a hundred programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.dat import facts
from ingestors.dat.general import reading
from ingestors.tables import NotATableError, Text
from ingestors.tables import read as read_tables
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.dat.reading import Reading
    from ingestors.textfile import Decoded

_PATTERN: Final = range(2, 4)  # columns of a pattern
_COUNTED: Final = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def looked_at(head: str, *, whole: bool) -> Text | None:
    """The tables in the head of a file (its last line may be cut), or None if there are none."""
    text = head if whole or "\n" not in head else head[: head.rfind("\n")]
    try:
        return read_tables(text)
    except NotATableError:
        return None


def is_pattern(found: Text) -> bool:
    """Whether there is one table of two or three columns of numbers whose first one goes one way only."""
    if len(found.tables) != 1 or len(found.tables[0].columns) not in _PATTERN or found.tables[0].columns[0].is_text:
        return False
    with np.errstate(all="ignore"):
        steps = np.diff(found.tables[0].columns[0].values)
    return bool(steps.size and ((steps > 0).all() or (steps < 0).all()))


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header fields and columns. The measurement stays open unless the file says it. Raises NotATableError."""
    found = read_tables(text)
    count = max(len(table.columns) for table in found.tables)
    title = facts.title_of(found.fields) or candidate.stem
    plain = reading(found, candidate, data_type=f"{_COUNTED.get(count, count)}-column text", thumbnails=())
    return replace(plain, thumbnails=pictures(found.tables, title=title, measurement=plain.measurement))
