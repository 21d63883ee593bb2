"""The fault matrix: every fault at every request of a delivery, to every catalog, through the daemon's own queue and store.

After each fault the daemon starts anew; then everything is in the catalog exactly once, as after a voyage without a fault.
`make test` tries a part of the cells in which every fault and every request occurs, `make test-long` all of them; both
print the table.
"""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.fakes.faultproxy import Fault, FaultProxy
from tests.fakes.faults import FAULTS
from tests.fakes.served import SERVERS
from tests.fakes.voyage import Voyage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.served import Served

SPARSE: Final = 11
"""Of so many cells one is tried in the short version."""


@dataclass
class Sea:
    """A catalog behind a proxy, what an undisturbed voyage leaves there, and its requests in order."""

    name: str
    served: Served
    proxy: FaultProxy
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)
    requests: list[str] = field(default_factory=list)
    expected: tuple[Any, ...] = ()

    def voyage(self) -> Voyage:
        """A folder of its own, with a measurement."""
        folder = self.folder / f"{next(self.numbers)}"
        folder.mkdir()
        voyage = Voyage(folder, self.served.adapter, self.proxy.port, self.served.sample, self.served.project)
        voyage.load()
        return voyage

    def sail_undisturbed(self) -> None:
        """Learn the requests and what they leave."""
        with self.voyage() as voyage:
            self.proxy.lines.clear()
            voyage.whole()
            self.requests = [self.served.title(line) for line in self.proxy.lines]
            self.expected = self.arrived(voyage)

    def arrived(self, voyage: Voyage) -> tuple[Any, ...]:
        """What the catalog holds of a voyage; ids by their role."""
        ids = voyage.ids()
        return tuple(
            _named(self.served.contents(unique_id), dict(zip(ids, ("own", "parent"), strict=True))) for unique_id in ids
        )

    def disturbed(self, fault: Fault, number: int) -> list[str]:
        """One voyage whose n-th request meets a fault, then a new start; what is wrong afterwards."""
        before = self.served.count()
        with self.voyage() as voyage:
            voyage.embark()
            self.proxy.arm("", fault, skip=number)
            voyage.sail(enough=lambda: self.proxy.struck > 0)
            struck = self.proxy.struck
            self.proxy.disarm()
            voyage.restart()
            voyage.whole()
            return [
                *(["the fault was not met"] if not struck else []),
                *_differences(self.expected, self.arrived(voyage)),
                *(["a dataset too many or too few"] if self.served.count() - before != len(self.expected) else []),
            ]


def _named(value: Any, names: dict[str, str]) -> Any:
    """The value with the voyage's own ids replaced by their roles; lists in one order, whatever the ids were."""
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_named(item, names) for item in value), key=repr)
    if isinstance(value, tuple):
        return tuple(_named(item, names) for item in value)
    if isinstance(value, str):
        for unique_id, name in names.items():
            value = value.replace(unique_id, name)
    return value


def _differences(expected: tuple[Any, ...], found: tuple[Any, ...]) -> list[str]:
    return [
        f"{name}: {found_one.get(name) if found_one else None!r} in place of {part!r}"
        for one, found_one in zip(expected, found, strict=True)
        for name, part in one.items()
        if not found_one or found_one.get(name) != part
    ]


@pytest.fixture(scope="module", params=SERVERS)
def sea(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    """Each catalog once for all faults; every cell has a dataset of its own."""
    folder = tmp_path_factory.mktemp("sea")
    with ExitStack() as stack:
        served = stack.enter_context(SERVERS[request.param](folder))
        proxy = stack.enter_context(FaultProxy(served.port))
        made = Sea(request.param, served, proxy, folder)
        made.sail_undisturbed()
        yield made


def table(sea: Sea, cells: dict[tuple[str, int], list[str]]) -> str:
    """The cells as lines of text: a point for one that holds, a cross for one that does not, a blank for one not tried."""
    marks = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    columns = marks[: len(sea.requests)]
    lines = [f"faults at the requests of a delivery to: {sea.name}", f"{'':16}{columns}"]
    for fault in FAULTS:
        row = (cells.get((fault.name, number)) for number in range(len(columns)))
        lines.append(f"{fault.name:16}" + "".join(" " if one is None else "x" if one else "." for one in row))
    lines += [f"  {mark}  {title}" for mark, title in zip(columns, sea.requests, strict=False)]
    wrong = sum(bool(one) for one in cells.values())
    return "\n".join([*lines, f"{len(cells)} cells tried, {wrong} wrong"])


def try_cells(sea: Sea, sparse: int) -> dict[tuple[str, int], list[str]]:
    """What is wrong in each cell, of every `sparse`-th one."""
    return {
        (fault.name, number): sea.disturbed(fault, number)
        for row, fault in enumerate(FAULTS)
        for number in range(len(sea.requests))
        if (row * 3 + number) % sparse == 0
    }


def judge(sea: Sea, sparse: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Try the cells, print the table, and fail with everything that is wrong."""
    cells = try_cells(sea, sparse)
    with capsys.disabled():
        print(f"\n{table(sea, cells)}")  # noqa: T201 the table is what this test shows
    wrong = {cell: found for cell, found in cells.items() if found}
    assert not wrong
    tried = Counter(fault for fault, _ in cells)
    assert all(tried[fault.name] for fault in FAULTS)
    assert {number for _, number in cells} == set(range(len(sea.requests)))


def test_an_undisturbed_voyage_brings_everything_once(sea: Sea) -> None:
    """What the matrix compares with is right itself: three files, two keywords, a picture, and no refusals."""
    own, parent = sea.expected
    assert [name for name, *_ in own["files"]] == ["map.h5", "map.log", "view.png"]
    assert len(own["keywords"]) == len(own["links"]) == 2
    assert len(own["thumbnails"]) == 1
    assert parent is not None


def test_a_fault_at_any_request_leaves_everything_there_once(sea: Sea, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault, and every request of a delivery: after a new start everything is there exactly once, bytes and all."""
    judge(sea, SPARSE, capsys)


def test_a_voyage_that_loses_every_reply_once_still_ends(sea: Sea) -> None:
    """Each request of the whole delivery loses its reply once, one after the other; nothing is there twice."""
    with sea.voyage() as voyage:
        voyage.embark()
        for number in range(len(sea.requests)):
            sea.proxy.arm("", Fault("reply lost"), skip=number)
            voyage.sail(enough=lambda: sea.proxy.struck > 0)
        sea.proxy.disarm()
        voyage.whole()
        assert _differences(sea.expected, sea.arrived(voyage)) == []


@pytest.mark.slow
def test_every_fault_at_every_request_leaves_everything_there_once(
    sea: Sea, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole matrix: every fault at every request."""
    judge(sea, 1, capsys)
