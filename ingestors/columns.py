"""Tables in memory, and what a catalog shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LONGEST_LABEL: Final = 80
_MOST_COLUMNS: Final = 64  # described one by one


@dataclass(frozen=True)
class Column:
    """One column: its name and unit as the file gives them, `values` float64 of shape (rows,), or texts."""

    name: str
    unit: str | None
    values: NDArray[Any]

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return self.values.dtype.kind in "UO"

    @property
    def label(self) -> str:
        """Name and unit for an axis: `Energy (eV)`; a name of any length is cut, an axis has no room for it."""
        name = self.name[:_LONGEST_LABEL]
        return f"{name} ({self.unit[:_LONGEST_LABEL]})" if self.unit and self.unit != self.name else name


@dataclass(frozen=True)
class Table:
    """Columns of the same length, and what stands above them in the file (may be empty)."""

    title: str
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].values) if self.columns else 0


def described(tables: Sequence[Table]) -> dict[str, Any]:
    """What a catalog shows of tables: rows, and each column's name, unit, least and greatest value (NaN left out).

    One table: `{"table": {...}}`; several: `{"tables": [{"title", ...}, ...]}`; none: `{}`. Of more than 64 columns the
    rest is counted in `omitted_columns`.
    """
    if len(tables) == 1:
        return {"table": _described(tables[0])}
    return {"tables": [{"title": table.title, **_described(table)} for table in tables]} if tables else {}


def _described(table: Table) -> dict[str, Any]:
    shown = table.columns[:_MOST_COLUMNS]
    found: dict[str, Any] = {"rows": table.rows, "columns": [_summary(column) for column in shown]}
    if len(table.columns) > len(shown):
        found["omitted_columns"] = len(table.columns) - len(shown)
    return found


def _summary(column: Column) -> dict[str, Any]:
    low = high = None
    if not column.is_text:
        known = column.values[~np.isnan(column.values)]
        if known.size:
            low, high = float(known.min()), float(known.max())
    return {"name": column.name, "unit": column.unit, "min": low, "max": high}
