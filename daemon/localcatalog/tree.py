"""Scientific metadata as a tree to read, with its tables of columns set apart. Pure.

The names `table`, `tables` and `datasets` are those of the ingestors' metadata:
`table: {rows, columns: [{name, unit, min, max}]}`, `tables` several with a `title`, and
`datasets: {"/path": {shape, dtype, unit}}` for the arrays of an HDF5 file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog.views import Shown, lengths, scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_NODES: Final = 4000
"""How many values one page shows; the rest is in the JSON."""

_DEEPEST: Final = 24
_MOST_OBJECTS: Final = 100
_OPEN_WHOLE: Final = 40
_OPEN_BRANCH: Final = 14
_OPEN_LINES: Final = 20
_MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree: a value (`shown`) or a branch (`children`); `count` values stand below, `more` were left out."""

    label: str
    shown: Shown | None = None
    children: tuple[Node, ...] = ()
    count: int = 1
    more: int = 0
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, unit and range."""

    name: str
    unit: str
    low: Shown | None
    high: Shown | None


@dataclass(frozen=True, slots=True)
class Table:
    """A text table of the data: title, number of rows if known, columns; `more` columns were left out."""

    title: str
    rows: str
    columns: tuple[Column, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Array:
    """An array of the data file: its path, its lengths, its element type and unit."""

    path: str
    shape: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """A dataset's scientific metadata, sorted for the page."""

    nodes: tuple[Node, ...]
    tables: tuple[Table, ...]
    arrays: tuple[Array, ...]
    more: int
    more_arrays: int = 0


def arrange(metadata: Mapping[str, Any]) -> Metadata:
    """Sort metadata into tables, arrays and a tree. What does not look as expected stays in the tree."""
    rest = dict(metadata)
    tables: list[Table] = []
    if (table := _table(rest.get("table"))) is not None:
        tables.append(table)
        rest.pop("table")
    several = rest.get("tables")
    if isinstance(several, list):
        made = [_table(item) for item in several]
        if made and all(item is not None for item in made):
            tables.extend(item for item in made if item is not None)
            rest.pop("tables")
    arrays = _arrays(rest.get("datasets"))
    if arrays:
        rest.pop("datasets")
    budget = _Budget(MOST_NODES)
    nodes = _children(rest, 0, budget)
    total = sum(node.count for node in nodes)
    opened = tuple(_opened(node, 0, whole=total <= _OPEN_WHOLE) for node in nodes)
    return Metadata(
        opened, tuple(tables[:_MOST_ROWS]), arrays[:_MOST_ROWS], budget.refused, max(0, len(arrays) - _MOST_ROWS)
    )


class _Budget:
    """How many more nodes a page may show."""

    def __init__(self, nodes: int) -> None:
        self.left = nodes
        self.refused = 0

    def take(self) -> bool:
        if self.left:
            self.left -= 1
            return True
        self.refused += 1
        return False


def quantity(value: Any) -> tuple[Any, str] | None:
    """The number and unit of `{"value": 1.5, "unit": "V"}`, or None for every other object."""
    if isinstance(value, dict) and value.keys() == {"value", "unit"}:
        unit, number = value["unit"], value["value"]
        if (unit is None or isinstance(unit, str)) and not isinstance(number, dict):
            return number, (unit or "").strip()
    return None


def _children(branch: Mapping[str, Any], depth: int, budget: _Budget) -> tuple[Node, ...]:
    """The lines below a branch: values first, then branches, each in the order of the file."""
    nodes = [_node(str(key), value, depth, budget) for key, value in _values_first(branch) if budget.take()]
    return tuple(nodes)


def _values_first(branch: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    items = list(branch.items())
    yield from ((key, value) for key, value in items if not _is_branch(value))
    yield from ((key, value) for key, value in items if _is_branch(value))


def _is_branch(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and quantity(value) is None
    return isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value[:_MOST_OBJECTS])


def _node(label: str, value: Any, depth: int, budget: _Budget) -> Node:
    measured = quantity(value)
    if measured is not None:
        return Node(label, scalar(*measured))
    if not _is_branch(value) or depth >= _DEEPEST:
        empty = isinstance(value, dict) and not value
        return Node(label, Shown("empty", kind="quiet") if empty else scalar(value))
    if isinstance(value, dict):
        branch: Mapping[str, Any] = value
        more = 0
    else:
        branch = {str(index): item for index, item in enumerate(value[:_MOST_OBJECTS], start=1)}
        more = len(value) - len(branch)
    children = _children(branch, depth + 1, budget)
    return Node(label, None, children, sum(node.count for node in children), more)


def _opened(node: Node, depth: int, *, whole: bool) -> Node:
    """Open what is small enough to be read at a glance."""
    if node.shown is not None:
        return node
    children = tuple(_opened(child, depth + 1, whole=whole) for child in node.children)
    short = len(children) <= _OPEN_LINES and (depth == 0 or (depth == 1 and node.count <= _OPEN_BRANCH))
    return Node(node.label, None, children, node.count, node.more, opened=whole or short)


def _table(value: Any) -> Table | None:
    if not isinstance(value, dict) or not isinstance(value.get("columns"), list):
        return None
    found = value["columns"]
    if not found or not all(isinstance(column, dict) for column in found):
        return None
    if not set(value) <= {"title", "rows", "columns"}:
        return None  # it says more than a table on the page would
    columns = tuple(_columns(found[:_MOST_ROWS]))
    return Table(_word(value.get("title")), _word(value.get("rows")), columns, len(found) - len(columns))


def _columns(found: Iterable[Mapping[str, Any]]) -> Iterator[Column]:
    for column in found:
        low, high = column.get("min"), column.get("max")
        yield Column(
            _word(column.get("name")),
            _word(column.get("unit")),
            None if low is None else scalar(low),
            None if high is None else scalar(high),
        )


def _arrays(value: Any) -> tuple[Array, ...]:
    if not isinstance(value, dict) or not value:
        return ()
    if not all(isinstance(item, dict) and isinstance(item.get("shape"), list) for item in value.values()):
        return ()
    if not all(set(item) <= {"shape", "dtype", "unit"} for item in value.values()):
        return ()
    return tuple(
        Array(
            str(path),
            lengths(_word(length) for length in item["shape"]) or "one value",
            _word(item.get("dtype")),
            _word(item.get("unit")),
        )
        for path, item in value.items()
    )


def _word(value: Any) -> str:
    return "" if value is None else scalar(value).text
