"""Pictures of patterns and spectra."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.conventions import falls
from ingestors.rendering import Series, curve, thumbnail
from ingestors.rendering.scales import floats, is_dwarfed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail
    from ingestors.tables import Column, Table

_MOST_PICTURES: Final = 6
_MOST_LINES: Final = 6
_ERROR: Final = re.compile(r"^(sigma|sig|err|error|std|esd|d[iy]|delta).*|.*(error|sigma)$", re.IGNORECASE)


def pictures(
    tables: Sequence[Table], *, title: str, x_reversed: bool = False, measurement: str = ""
) -> tuple[Thumbnail, ...]:
    """One picture for each title among the tables (the scans of one region in one picture), six at most.

    `x_reversed`: large values at the left; they are so anyway where the field draws that abscissa so.
    """
    groups: dict[str, list[Table]] = {}
    for table in tables:
        groups.setdefault(region_of(table.title), []).append(table)
    shown = list(groups.items())[:_MOST_PICTURES]
    found = []
    for name, members in shown:
        heading = " · ".join(part for part in (title, name) if part) if len(groups) > 1 else title
        caption = name if len(groups) > 1 else ""
        found += _picture(members, heading, caption, x_reversed=x_reversed, measurement=measurement)
    return tuple(found)


def region_of(title: str) -> str:
    """The part of a table's title that names its region: what stands before the cycle in brackets."""
    return title.split(" (Cycle", 1)[0]


def _picture(
    members: Sequence[Table], title: str, caption: str, *, x_reversed: bool, measurement: str
) -> list[Thumbnail]:
    lines: list[Series] = []
    axes: tuple[str, str] | None = None
    for table in members:
        numeric = [column for column in table.columns if not column.is_text]
        if not numeric:
            continue
        x, drawn = _axes(numeric)
        several = len(drawn) > 1 and len(members) == 1
        lines += [Series(x, column.values, column.name if several else "") for column in drawn]
        x_reversed = x_reversed or (len(numeric) > 1 and falls(numeric[0].name, numeric[0].unit, measurement))
        axes = axes or (numeric[0].label if len(numeric) > 1 else "row", "" if several else drawn[0].label)
    if axes is None:
        return []
    dwarfed = "diffraction" in measurement.casefold() and is_dwarfed([floats(line.y) for line in lines])
    png = curve(
        lines, title=title, x_label=axes[0], y_label=axes[1], x_reversed=x_reversed, log_y=True if dwarfed else None
    )
    return [thumbnail(caption or "Pattern", png)]


def _axes(numeric: Sequence[Column]) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], list[Column]]:
    """The abscissa (the row number if there is one column only) and the columns that are drawn over it."""
    if len(numeric) == 1:
        return np.arange(numeric[0].values.size, dtype=np.float64), [numeric[0]]
    others = [column for column in numeric[1:] if not _ERROR.fullmatch(column.name)] or [numeric[1]]
    return numeric[0].values, others[:_MOST_LINES]
