from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingestors.columns import Column, Table
from ingestors.dat import clock, planes, plots
from ingestors.rendering.scales import is_dwarfed

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


def texts(*values: str) -> NDArray[np.str_]:
    """A column of words."""
    return np.array(values)


@pytest.mark.parametrize(
    ("columns", "unit", "last"),
    [
        ([["2024-03-01 00:00:00", "2024-03-01 12:00:00", "2024-03-02 00:00:00"]], "h", 24.0),
        ([["31.12.2023 23:59", "01.01.2024 00:00", "01.01.2024 00:01"]], "s", 120.0),
        ([["2024/03/01", "2024/03/11", "2024/03/21"]], "d", 20.0),
        ([["12:00:00.5", "12:00:01.0", "12:00:02.5"]], "s", 2.0),
        ([["03/01/2024", "03/01/2024", "03/01/2024"], ["11:59:00 PM", "11:59:30 PM", "11:59:59 PM"]], "s", 59.0),
    ],
    ids=["ISO", "German", "days", "clock", "date and time"],
)
def test_dates_become_the_time_that_passed(columns: list[list[str]], unit: str, last: float) -> None:
    """Whatever way a logger writes its dates, the axis counts from its first row in a unit of fitting size."""
    made = Table(
        "", (*(Column(f"c{n}", None, texts(*column)) for n, column in enumerate(columns)), Column("y", "K", X[:3]))
    )
    found = clock.elapsed(made)
    assert found is not None
    assert (found.unit, found.values[0], round(found.values[-1], 6)) == (unit, 0.0, last)
    pair = plots.axes_of(made)
    assert pair is not None
    assert (pair[0].unit, pair[1].name) == (unit, "y")


def test_names_of_samples_are_no_dates() -> None:
    """Values of samples are drawn row by row."""
    made = Table(
        "", (Column("Well", None, texts("A1", "A2", "B1", "B2")), Column("OD", None, np.array([1.0, 3.0, 2.0, 4.0])))
    )
    assert clock.elapsed(made) is None
    made = Table("", (*made.columns, Column("blank", None, np.array([2.0, 1.0, 2.0, 1.0]))))
    pair = plots.axes_of(made)
    assert pair is not None
    assert (pair[0].name, pair[1].name) == ("row", "OD")


def test_quantities_of_several_units_get_a_strip_each() -> None:
    """A logger's temperature and pressure stand below each other; a single kind is one picture."""
    both = plots.charts([table(time__s=X, temperature__K=X * 2 + 1, pressure__mbar=1 / X)])
    one = plots.charts([table(time__s=X, temperature__K=X * 2 + 1)])
    assert (both[0].caption, one[0].caption) == ("temperature, pressure against time", "temperature against time")
    assert (both[0].width, both[0].height) == (400, 300)


def test_numbers_without_names_in_rows_and_columns_are_a_map() -> None:
    """A matrix is seen as a picture; a pattern of ten columns over a rising first one is not."""
    wave = np.sin(np.arange(12.0))
    columns = tuple(Column(f"column {n + 1}", None, wave * n) for n in range(12))
    assert planes.matrix(Table("", columns), title="m")
    assert not planes.matrix(Table("", (Column("column 1", None, np.arange(12.0)), *columns[1:])), title="m")
    assert not planes.matrix(Table("", (Column("field", None, wave), *columns[1:])), title="m")


def test_one_giant_peak_is_told_from_a_pattern() -> None:
    """A substrate's reflection that hides all others asks for a logarithmic scale, a pattern of many peaks does not."""
    angle = np.linspace(5, 90, 2000)
    pattern = 100 + 5000 * np.exp(-(((angle % 10) - 5) ** 2) / 0.02)
    substrate = 1e6 * np.exp(-(((angle - 69) / 0.05) ** 2))
    assert not is_dwarfed([pattern])
    assert is_dwarfed([100 + 50 * np.sin(angle) + substrate])
