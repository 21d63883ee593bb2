"""Pictures of tables whose rows are points in a plane, or whose cells are the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingestors.dat.plots import SMALL_TABLE, TOO_LARGE, UNNAMED, numeric, one_way
from ingestors.rendering import heatmap, thumbnail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.tables import Column, Table


def matrix(table: Table, *, title: str) -> tuple[Thumbnail, ...]:
    """A map of a table that is nothing but numbers without names in rows and columns; nothing if it is another one."""
    columns = numeric(table)
    unnamed = len(columns) == len(table.columns) and all(UNNAMED.fullmatch(column.name) for column in columns)
    if not unnamed or min(len(columns), table.rows) < SMALL_TABLE or one_way(columns[0].values):
        return ()
    png = heatmap(
        np.column_stack([column.values for column in columns]),
        title=title,
        x_label="column",
        y_label="row",
        origin="upper",
    )
    return (thumbnail("Matrix", png),)


def plane_map(
    x: Column, y: Column, z: Column, *, caption: str = "", title: str = "", log: bool | None = None
) -> tuple[Thumbnail, ...]:
    """A map of z over points (x, y) in a plane: their means in as many cells as the points allow, blank where there are none."""
    if x.is_text or y.is_text or z.is_text:
        return ()
    known = np.all([np.abs(column.values) < TOO_LARGE for column in (x, y, z)], axis=0)
    across, up, values = x.values[known], y.values[known], z.values[known]
    if across.size < 4 or np.ptp(across) == 0 or np.ptp(up) == 0:  # noqa: PLR2004 a plane has corners
        return ()
    bins = (_cells(up, across.size), _cells(across, across.size))
    total, y_edges, x_edges = np.histogram2d(up, across, bins=bins, weights=values)
    count, _, _ = np.histogram2d(up, across, bins=bins)
    cells = _closed(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    png = heatmap(
        cells,
        title=title,
        extent=(float(x_edges[0]), float(x_edges[-1]), float(y_edges[0]), float(y_edges[-1])),
        x_label=x.label,
        y_label=y.label,
        unit=z.label,
        log=log,
    )
    return (thumbnail(caption or f"{z.name} over {x.name} and {y.name}", png),)


def gridded(table: Table) -> tuple[Column, Column] | None:
    """The two leading columns if the rows are all points of a grid (a slow and a fast axis), as (fast, slow)."""
    if len(table.columns) < 3 or table.rows < 16:  # noqa: PLR2004 two axes and a value, and enough points for a map
        return None
    slow, fast = table.columns[:2]
    if any(column.is_text for column in table.columns[:3]):
        return None
    if not (np.isfinite(slow.values).all() and np.isfinite(fast.values).all()):
        return None
    across, up = np.unique(fast.values).size, np.unique(slow.values).size
    if min(across, up) < 3 or not 0.8 * across * up <= table.rows <= across * up:  # noqa: PLR2004 the last line may be unfinished
        return None
    return (fast, slow) if _turns(slow.values) <= _turns(fast.values) else (slow, fast)


def _turns(values: NDArray[np.float64]) -> int:
    return int(np.count_nonzero(np.diff(values)))


def _closed(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cells between points that are further apart than a cell get the mean of their neighbours; larger holes stay."""
    for _ in range(3):
        padded = np.pad(cells, 1, constant_values=np.nan)
        around = [
            padded[1 + down : padded.shape[0] - 1 + down, 1 + across : padded.shape[1] - 1 + across]
            for down in (-1, 0, 1)
            for across in (-1, 0, 1)
        ]
        known = np.sum([np.isfinite(part) for part in around], axis=0)
        mean = np.nansum(around, axis=0) / np.maximum(known, 1)
        cells = np.where(np.isnan(cells) & (known >= 3), mean, cells)  # noqa: PLR2004 points on two sides
    return cells


def _cells(values: NDArray[np.float64], points: int) -> int:
    """Cells along one axis: the distinct values of a true grid, else about one cell for each point."""
    distinct = np.unique(values).size
    side = max(4, int(np.sqrt(points) * 0.9))
    return int(min(distinct, 2 * side, 400)) if distinct <= 2 * side else min(side, 400)
