from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingestors.columns import Column, Table
from ingestors.dat import plots

if TYPE_CHECKING:
    from numpy.typing import NDArray

X = np.linspace(200, 800, 50)


def table(**columns: NDArray[np.float64]) -> Table:
    """A table without units; `__` in a name stands before its unit."""
    named = (name.partition("__") for name in columns)
    return Table(
        "",
        tuple(
            Column(name, unit or None, values) for (name, _, unit), values in zip(named, columns.values(), strict=True)
        ),
    )


def drawn(made: Table) -> list[str]:
    """The names of the columns that would be drawn together."""
    pair = plots.axes_of(made)
    assert pair is not None
    return [column.name for column in plots.alike(made, *pair)]


def test_columns_of_a_kind_are_drawn_together() -> None:
    """Spectra of several samples, or a fit beside its data, belong into one picture."""
    peak = np.exp(-(((X - 500) / 50) ** 2))
    assert drawn(table(wavelength__nm=X, blank__a=peak * 0.3, A1__a=peak, A2__a=peak * 0.7)) == ["blank", "A1", "A2"]
    assert drawn(table(t=X, y=peak, fit=peak * 1.02)) == ["y", "fit"]


def test_columns_of_other_units_sizes_and_meanings_are_not() -> None:
    """A temperature beside a current, a monitor of millions beside counts of ten, errors, clocks and indices stay out."""
    counts = 10 + 5 * np.sin(X / 40)
    made = table(
        energy__eV=X, counts=counts, temperature__K=counts, monitor=counts * 1e6, sigma=np.sqrt(counts), time=X
    )
    assert drawn(made) == ["counts"]


def test_an_unnamed_uncertainty_is_no_curve() -> None:
    """Three bare columns are mostly x, y and the error of y; a background is nearly as large as y and is drawn."""
    y = np.exp(-X / 100)
    assert drawn(Table("", tuple(Column(f"column {n}", None, v) for n, v in ((1, X), (2, y), (3, y * 0.2))))) == [
        "column 2"
    ]
    assert drawn(Table("", tuple(Column(f"column {n}", None, v) for n, v in ((1, X), (2, y), (3, y * 1.1))))) == [
        "column 2",
        "column 3",
    ]
