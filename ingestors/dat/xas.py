"""X-ray absorption: which columns are energy, incident and transmitted intensity, and the absorption they give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ingestors.dat import plots
from ingestors.tables import Column

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.tables import Table

METHOD: Final = "X-ray absorption spectroscopy"
_ENERGY: Final = (r"^(mono[ _.:]*)?energy\b", r"^zapenergy$", r"energy", r"^e$", r"^ev$")
_READY: Final = (r"^(x?mu|mutrans|mu_?t|xmu|norm|mu01)\b$", r"^chi(\(k\))?$")
_INCIDENT: Final = (r"^i0$", r"^io$", r"\bi0\b", r"^mon(itor)?[_ ]?1?$", r"ion_?1_?1")
_TRANSMITTED: Final = (r"^i1$", r"^it(rans)?$", r"\bit\b", r"ion_?1_?2")
_FLUORESCENCE: Final = (r"^(if|iff|ifluor|lytle|pips|flatot)$", r"_k[ab]_|ka_sum|ka_mca", r"^ifch|^dtc|^fla?\d*|sca\d")
_LEAST_RISE: Final = 0.02  # relative change that an edge makes


def energy(table: Table) -> Column | None:
    """The column of the photon energy, or None."""
    return plots.find(table, *_ENERGY)


def absorption(table: Table) -> tuple[Column, Column] | None:
    """Energy and absorption: the file's own mu, else ln(I0/It) or the fluorescence over I0, whichever shows more; or None."""
    x = energy(table)
    if x is None or table.rows < 3:  # noqa: PLR2004 no spectrum
        return None
    ready = plots.find(table, *_READY)
    if ready is not None:
        return x, ready
    incident = plots.find(table, *_INCIDENT)
    if incident is None or not _positive(incident.values):
        return None
    choices = [column for column in (_transmission(table, incident), _fluorescence(table, incident)) if column is not None]
    return (x, max(choices, key=lambda column: _edge(column.values))) if choices else None


def pictures(table: Table, title: str) -> tuple[Thumbnail, ...]:
    """The absorption spectrum, or the table's own axes where no absorption can be made."""
    pair = absorption(table)
    if pair is None:
        return plots.charts([table], title=title)
    return plots.drawn([(*pair, "")], title=title, log_y=False)


def _transmission(table: Table, incident: Column) -> Column | None:
    passed = plots.find(table, *_TRANSMITTED)
    if passed is None or not _positive(passed.values) or passed is incident:
        return None
    with np.errstate(all="ignore"):
        values = np.log(np.abs(incident.values) / np.abs(passed.values))
    return Column(f"ln({incident.name}/{passed.name})", None, values)


def _fluorescence(table: Table, incident: Column) -> Column | None:
    for pattern in _FLUORESCENCE:
        found = [column for column in plots.numeric(table) if re.search(pattern, column.name.strip(), re.IGNORECASE) and column.values.any()]
        if found:
            with np.errstate(all="ignore"):
                total = np.sum([column.values for column in found], axis=0)
                name = found[0].name if len(found) == 1 else f"{found[0].name}..."
                return Column(f"{name}/{incident.name}", None, total / incident.values)
    return None


def _positive(values: NDArray[np.float64]) -> bool:
    """One sign throughout (amplifiers invert it) and never zero."""
    known = values[np.isfinite(values)]
    return known.size > 0 and bool((known > 0).all() or (known < 0).all())


def _edge(values: NDArray[np.float64]) -> float:
    """How much larger the whole change is than the noise from point to point."""
    known = values[np.isfinite(values)]
    if known.size < 3:  # noqa: PLR2004 no spectrum
        return 0.0
    span = float(np.ptp(known))
    if span < _LEAST_RISE * float(np.max(np.abs(known))):
        return 0.0
    return span / (float(np.median(np.abs(np.diff(known)))) + 1e-12 * span)
