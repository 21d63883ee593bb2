"""X-ray absorption: which columns are energy, incident and transmitted intensity, and the absorption they give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.dat import plots
from ingestors.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.tables import Table

METHOD: Final = "X-ray absorption spectroscopy"
_ENERGY: Final = (r"^(mono[ _.:]*)?energy\b", r"^zapenergy$", r"energy", r"^e$", r"^ev$")
_READY: Final = (r"^(x?mu|mutrans|mu_?t|norm|mu01)$", r"^chi(\(k\))?$")
_INCIDENT: Final = (r"^i0$", r"^io$", r"\bi0\b", r"^mon(itor)?[_ ]?1?$", r"ion_?1_?1")
_TRANSMITTED: Final = (r"^i1$", r"^it(rans)?$", r"\bit\b", r"^i2$", r"ion_?1_?2")
_FLUORESCENCE: Final = (
    r"^(if|iff|ifluor|lytle|pips|flatot)$",
    r"_k[ab]_|ka_sum|ka_mca",
    r"^ifch|^dtc|^fla?\d*|sca\d",
    r"^mca\d+$",
)
_FEWEST: Final = 5  # points of a spectrum


def energy(table: Table) -> Column | None:
    """The column of the photon energy, or None."""
    return plots.find(table, *_ENERGY)


def absorption(table: Table) -> tuple[Column, Column] | None:
    """Energy and absorption: the file's own mu, ln(I0/It) or a fluorescence over I0, whichever shows an edge best; or None."""
    x = energy(table)
    if x is None or table.rows < _FEWEST:
        return None
    choices = [column for pattern in _READY for column in _matching(table, pattern)]
    incident = next(
        (column for pattern in _INCIDENT for column in _matching(table, pattern) if _one_sign(column.values)), None
    )
    if incident is not None:
        passed = [column for pattern in _TRANSMITTED for column in _matching(table, pattern)]
        choices += [
            _transmission(incident, column) for column in passed if column is not incident and _one_sign(column.values)
        ]
        choices += [_fluorescence(incident, found) for pattern in _FLUORESCENCE if (found := _matching(table, pattern))]
    return (x, max(choices, key=lambda column: _edge(x.values, column.values))) if choices else None


def pictures(table: Table, title: str) -> tuple[Thumbnail, ...]:
    """The absorption spectrum, or the table's own axes where no absorption can be made."""
    pair = absorption(table)
    if pair is None:
        return plots.charts([table], title=title)
    return plots.drawn([(*pair, "")], title=title, log_y=False)


def _matching(table: Table, pattern: str) -> list[Column]:
    return [
        column
        for column in plots.numeric(table)
        if re.search(pattern, column.name.strip(), re.IGNORECASE) and column.values.any()
    ]


def _transmission(incident: Column, passed: Column) -> Column:
    with np.errstate(all="ignore"):
        values = np.log(np.abs(incident.values) / np.abs(passed.values))
    return Column(f"ln({incident.name}/{passed.name})", None, values)


def _fluorescence(incident: Column, found: Sequence[Column]) -> Column:
    name = found[0].name if len(found) == 1 else f"{found[0].name}..."
    with np.errstate(all="ignore"):
        return Column(
            f"{name}/{incident.name}", None, np.sum([column.values for column in found], axis=0) / incident.values
        )


def _one_sign(values: NDArray[np.float64]) -> bool:
    """Positive throughout, or negative (amplifiers invert it), and never zero."""
    known = values[np.isfinite(values)]
    return known.size > 0 and bool((known > 0).all() or (known < 0).all())


def _edge(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """How much larger what is left of the curve without its slope is than the noise from point to point."""
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < max(_FEWEST, 0.5 * known.size) or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return 0.0
    across, up = (x[known] - x[known].mean()) / np.ptp(x[known]), (y[known] - y[known].mean()) / np.ptp(y[known])
    slope = float((across * up).sum() / (across * across).sum())
    return float(np.std(up - slope * across) / (np.mean(np.abs(np.diff(up, n=2))) + 1e-6))
