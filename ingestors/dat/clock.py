"""Columns of dates and times as an abscissa: how much time passed since the first row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.columns import Table

_MOST: Final = 1000  # rows that are parsed; the others lie evenly between them
_DATES: Final = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%m/%d/%y",
    "%d.%m.%y",
)
_CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_FORMATS: Final = (
    *(f"{date}{gap}{clock}" for date in _DATES for clock in _CLOCKS for gap in (" ", "T", ", ")),
    *_DATES,
    *_CLOCKS,
)  # fmt: skip
_UNITS: Final = ((4 * 86400.0, 86400.0, "d"), (3 * 3600.0, 3600.0, "h"), (300.0, 60.0, "min"), (0.0, 1.0, "s"))
"""From how many seconds on, divided by what, called what."""


def elapsed(table: Table) -> Column | None:
    """The time since the first row, if one of the first two columns (or both together) are dates or times that never go back."""
    first = [column for column in table.columns[:2] if column.is_text]
    together = [" ".join(pair) for pair in zip(*(column.values for column in first), strict=True)]
    ways: list[Sequence[str]] = [together] if len(first) > 1 else []
    ways += [[str(value) for value in column.values] for column in first]
    for texts in ways:
        seconds = _seconds(texts)
        if seconds is not None:
            _, divisor, unit = next(row for row in _UNITS if seconds[-1] >= row[0])
            return Column(f"time since {' '.join(texts[0].split())}", unit, seconds / divisor)
    return None


def _seconds(texts: Sequence[str]) -> NDArray[np.float64] | None:
    if len(texts) < 2 or len(texts[0]) > 40:  # noqa: PLR2004 no dates, or more than a date
        return None
    rows = np.unique(np.linspace(0, len(texts) - 1, min(_MOST, len(texts))).astype(int))
    words = [" ".join(texts[row].split()).removesuffix("Z") for row in rows]
    for pattern in _FORMATS:
        try:
            moments = [datetime.strptime(word, pattern) for word in words[:1] + words[-1:]]  # noqa: DTZ007 only differences count
            if moments[-1] <= moments[0]:
                continue
            moments = [datetime.strptime(word, pattern) for word in words]  # noqa: DTZ007 only differences count
        except ValueError:
            continue
        passed = np.array([(moment - moments[0]).total_seconds() for moment in moments])
        if (np.diff(passed) >= 0).all():
            return np.asarray(np.interp(np.arange(len(texts)), rows, passed))
    return None
