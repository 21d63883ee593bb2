"""What X-ray diffractometers' files have in common: one scan after the other, each a table of axes and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.columns import Column, Table
from ingestors.dat import plots
from ingestors.rendering import Series, curve, heatmap, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail

MEASUREMENT: Final = "X-ray diffraction"
_MOST_TABLES: Final = 32
_MAP_FROM: Final = 8  # scans of the same points: a map says more than lines


@dataclass(frozen=True)
class Scan:
    """Columns of one scan, the axis that was scanned first and the counts last."""

    columns: tuple[Column, ...]
    title: str = ""

    @property
    def x(self) -> Column:
        """The axis that was scanned."""
        return self.columns[0]

    @property
    def y(self) -> Column:
        """What was counted."""
        return self.columns[-1]


def scanned(
    *, name: str, unit: str, positions: NDArray[Any], counts: NDArray[Any], counts_unit: str = "counts"
) -> Scan:
    """A scan with one axis."""
    length = min(len(positions), len(counts))
    x = Column(name, unit or None, np.asarray(positions[:length], dtype=np.float64))
    return Scan((x, Column("Intensity", counts_unit or None, np.asarray(counts[:length], dtype=np.float64))))


def tables(scans: Sequence[Scan]) -> tuple[Table, ...]:
    """The scans as tables, as far as a catalog should list them."""
    return tuple(Table(scan.title, scan.columns) for scan in scans[:_MOST_TABLES])


def thumbnails(scans: Sequence[Scan], title: str) -> tuple[Thumbnail, ...]:
    """Lines of a few scans (logarithmic if the peaks are), a map of many."""
    long = [scan for scan in scans if scan.x.values.size > 1]
    if not long:
        return ()
    lengths = {scan.y.values.size for scan in long}
    if len(long) >= _MAP_FROM and len(lengths) == 1:
        return _map(long, title)
    shown = plots.spread([(scan.x, scan.y, scan.title) for scan in long])
    png = curve(
        [Series(x.values, y.values, label) for x, y, label in shown],
        title=title,
        x_label=long[0].x.label,
        y_label=long[0].y.label,
        log_y=_wide(long[0].y.values) or None,
    )
    return (thumbnail(f"{long[0].y.name} against {long[0].x.name}", png),)


def _map(scans: Sequence[Scan], title: str) -> tuple[Thumbnail, ...]:
    values = np.stack([scan.y.values for scan in scans])
    x = scans[0].x
    edges = (float(x.values[0]), float(x.values[-1]), 0.0, float(len(scans)))
    png = heatmap(values, title=title, extent=edges, x_label=x.label, y_label="scan", unit=scans[0].y.label)
    return (thumbnail(f"{scans[0].y.name} of {len(scans)} scans over {x.name}", png),)


def _wide(counts: NDArray[np.float64]) -> bool:
    """Whether peaks stand so far above the background that a linear picture hides the rest."""
    positive = counts[counts > 0]
    return bool(positive.size > 8 and positive.max() > 300 * np.median(positive))
