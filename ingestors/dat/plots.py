"""Pictures of tables: which column against which, several scans or quantities in one picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.columns import Column
from ingestors.conventions import falls
from ingestors.dat import clock
from ingestors.rendering import Series, Strip, curve, strips, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.tables import Table

MOST_SCANS: Final = 6
_ABSCISSA: Final = (
    r"(mono.?)?energy\b|^e$|^en$|.*energy$|zapenergy",
    r"2.?th(eta)?\b|two.?theta|^tth$|angle",
    r"^q\b|^qx\b|^k$|^r$",
    r"(magnetic )?field|^h$|^b$",
    r"bias|voltage|potential|^v$|^vf$",
    r"wave.?(length|number)|raman.?shift|binding|kinetic|^lambda",
    r"freq",
    r"lag.?time|time|^t$|elapsed|seconds|epoch",
    r"temp",
    r"^x\b|x.?(axis|value)",
)
_LEADING: Final = tuple(pattern for pattern in _ABSCISSA if "time" not in pattern)
"""What the first column is measured over if it bears such a name: not so a time, which is often there beside the real one."""
_NOT_ORDINATE: Final = re.compile(
    r"^(d|sd|se|sig|sigma|err|error|std|delta|dq|unc)|err(or)?$|std|epoch|^pt\.?$|^#?index$|^time|clock|_sp$|setpoint|requested|preset|status|counts?_?time|comment",
    re.IGNORECASE,
)
UNNAMED: Final = re.compile(r"col(umn)?[ _]?\d+", re.IGNORECASE)
TOO_LARGE: Final = 1e200  # fill values, whose differences overflow
SMALL_TABLE: Final = 8  # columns: in larger ones most are of no interest
_ALIKE: Final = 8.0  # ratio of two ranges that still fill one picture
_WAVY: Final = 0.05  # share of steps against the trend that an abscissa may have


def numeric(table: Table) -> list[Column]:
    """The columns of numbers."""
    return [column for column in table.columns if not column.is_text]


def find(table: Table, *patterns: str) -> Column | None:
    """The first column with data whose name matches a pattern (case ignored), patterns in the order of preference."""
    for pattern in patterns:
        for column in numeric(table):
            if re.search(pattern, column.name.strip(), re.IGNORECASE) and np.isfinite(column.values).any():
                return column
    return None


def axes_of(table: Table) -> tuple[Column, Column] | None:
    """The pair of columns that shows a table best, or None if there is nothing to draw.

    The abscissa is the time that passed where a column holds dates, a column with a name of the kind (energy, angle, field, time, ...) that goes one way, else any that does,
    else the first; the ordinate is the first other column that varies and is no error, index or clock.
    """
    varied = [column for column in numeric(table) if _varies(column)]
    passed = clock.elapsed(table)
    if passed is not None and varied:
        return passed, next((column for column in varied if not _NOT_ORDINATE.search(column.name.strip())), varied[0])
    if len(varied) < 2:  # noqa: PLR2004 a pair
        return None
    x = _abscissa(varied)
    if table.columns[0].is_text and not one_way(x.values):  # samples, wells: one value each
        return Column("row", None, np.arange(1.0, table.rows + 1)), varied[0]
    at = next(index for index, column in enumerate(varied) if column is x)
    after = varied[at + 1 :] or varied[:at]
    telling = [column for column in after if not _NOT_ORDINATE.search(column.name.strip())]
    return x, (telling or after)[0]


def drawn(
    lines: Sequence[tuple[Column, Column, str]],
    *,
    caption: str = "",
    title: str = "",
    reverse: bool | None = None,
    log_x: bool | None = None,
    log_y: bool | None = None,
    equal: bool = False,
) -> tuple[Thumbnail, ...]:
    """One picture of up to six lines (x, y, label), spread over all that are given; the first one names the axes.

    `reverse`: None asks how the field draws that abscissa. `equal`: the same scale on both axes.
    """
    chosen = spread(lines)
    if not chosen:
        return ()
    x, y, _ = chosen[0]
    png = curve(
        [Series(across.values, up.values, label) for across, up, label in chosen],
        title=title,
        x_label=x.label,
        y_label=y.label,
        x_reversed=falls(x.name, x.unit) if reverse is None else reverse,
        log_x=log_x,
        log_y=log_y,
        equal=equal,
    )
    return (thumbnail(caption or f"{y.name} against {x.name}", png),)


def charts(tables: Sequence[Table], *, title: str = "") -> tuple[Thumbnail, ...]:
    """One picture of the tables that share the commonest pair of axes; of a single table, all columns of a kind."""
    pairs = [(table, axes_of(table)) for table in tables if table.rows > 1]
    lines = [(*pair, table.title) for table, pair in pairs if pair is not None]
    if len(lines) == 1:
        table, (x, y) = next((table, pair) for table, pair in pairs if pair is not None)
        return _several(table, x, y, title=title)
    if not lines:
        return ()
    names = [(x.name, y.name) for x, y, _ in lines]
    commonest = max(
        dict.fromkeys(names),
        key=lambda pair: sum(line[0].values.size for line, name in zip(lines, names, strict=True) if name == pair),
    )
    return drawn([line for line, name in zip(lines, names, strict=True) if name == commonest], title=title)


def _several(table: Table, x: Column, y: Column, *, title: str) -> tuple[Thumbnail, ...]:
    """The columns of y's kind in one picture; where a small table has quantities of other units too, a strip for each."""
    first = alike(table, x, y)
    groups = [first] if y.unit and len(numeric(table)) <= SMALL_TABLE else []
    for column in ordinates(table, x) if groups else ():
        if column.unit and all(column.unit != group[0].unit for group in groups):
            groups.append(alike(table, x, column))
    if len(groups) < 2:  # noqa: PLR2004 strips are for several
        return _together(x, first, title=title)
    parts = [
        Strip([Series(x.values, column.values, column.name) for column in group], group[0].unit or "")
        for group in groups
    ]
    png = strips(parts, title=title, x_label=x.label, x_reversed=falls(x.name, x.unit))
    return (thumbnail(_caption([group[0] for group in groups], x), png),)


def ordinates(table: Table, x: Column) -> list[Column]:
    """The columns that are worth a line over x: they vary, and are no error, index or clock."""
    return [
        column
        for column in numeric(table)
        if column is not x and _varies(column) and not _NOT_ORDINATE.search(column.name.strip())
    ]


def _caption(columns: Sequence[Column], x: Column) -> str:
    named = ", ".join(column.name for column in columns[:3]) + (" ..." if len(columns) > 3 else "")  # noqa: PLR2004 a caption
    return f"{named} against {x.name}"


def alike(table: Table, x: Column, y: Column) -> list[Column]:
    """The columns that can be compared with y in one picture: its unit, its size, and no error, index or clock."""
    return [
        y,
        *(
            column
            for column in ordinates(table, x)
            if column is not y
            and column.unit == y.unit
            and _same_size(column.values, y.values)
            and not _is_error_of(column, y)
        ),
    ]


def _is_error_of(column: Column, y: Column) -> bool:
    """Whether a column without a name is the uncertainty of y: never negative, and mostly smaller."""
    if not UNNAMED.fullmatch(column.name):
        return False
    known = (np.abs(column.values) < TOO_LARGE) & (np.abs(y.values) < TOO_LARGE)
    error, size = column.values[known], np.abs(y.values[known])
    return bool((error >= 0).all() and np.mean(error < size) > 0.5)  # noqa: PLR2004 mostly


def _together(x: Column, columns: Sequence[Column], *, title: str) -> tuple[Thumbnail, ...]:
    y = columns[0]
    if len(columns) == 1:
        return drawn([(x, y, "")], title=title)
    png = curve(
        [Series(x.values, column.values, column.name) for column in columns],
        title=title,
        x_label=x.label,
        y_label=y.unit or "",
        x_reversed=falls(x.name, x.unit),
    )
    return (thumbnail(_caption(columns, x), png),)


def _same_size(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two columns fill one picture: ranges (without a twentieth at each end) that overlap and are alike in width."""
    known = [values[np.abs(values) < TOO_LARGE] for values in (one, other)]
    if min(part.size for part in known) < 2:  # noqa: PLR2004 a range
        return False
    (low, high), (lower, higher) = (np.percentile(part, [5, 95]) for part in known)
    spans = sorted((high - low, higher - lower))
    return bool(spans[1] < _ALIKE * spans[0] and min(high, higher) + spans[1] > max(low, lower))


def spread(lines: Sequence[tuple[Column, Column, str]], most: int = MOST_SCANS) -> list[tuple[Column, Column, str]]:
    """All of them, or `most` evenly spread."""
    if len(lines) <= most:
        return list(lines)
    return [lines[round(index)] for index in np.linspace(0, len(lines) - 1, most)]


def _varies(column: Column) -> bool:
    known = column.values[np.isfinite(column.values)]
    return known.size > 1 and bool(known.min() < known.max())


def _abscissa(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if one_way(first.values) and any(re.match(pattern, first.name.strip(), re.IGNORECASE) for pattern in _LEADING):
        return first
    for pattern in _ABSCISSA:
        for column in columns:
            if re.match(pattern, column.name.strip(), re.IGNORECASE) and one_way(column.values):
                return column
    for pattern in _ABSCISSA[:6]:
        for column in columns:
            if re.match(pattern, column.name.strip(), re.IGNORECASE) and column is columns[0]:
                return column
    return next((column for column in columns if one_way(column.values) and not _counts_rows(column)), columns[0])


def one_way(values: NDArray[np.float64]) -> bool:
    """Whether the values go up or down all the way, but for a little to and fro and some rests."""
    known = values[np.isfinite(values)]
    if known.size < 2 or known.size < 0.5 * values.size:  # noqa: PLR2004 a step
        return False
    steps = np.diff(known)
    moved = steps[steps != 0]
    return bool(moved.size > 0.3 * steps.size and min(np.mean(moved > 0), np.mean(moved < 0)) <= _WAVY)


def _counts_rows(column: Column) -> bool:
    steps = np.diff(column.values)
    return bool((steps == 1).all()) and column.values[0] in (0, 1)
