"""The fault matrix: every fault at every request of a delivery, to every catalog, through the daemon's own queue and store.

After each fault the daemon starts anew; then everything is in the catalog exactly once, as after a voyage without a fault.
`make test` tries a part of the cells in which every fault and every request occurs, `make test-long` all of them; both
print the table.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from daemon.loops.localfiles import local_files
from daemon.loops.verifying import Verdict, Verifying
from tests.fakes.faultproxy import Fault
from tests.fakes.faults import FAULTS

if TYPE_CHECKING:
    from tests.fakes.sea import Sea
    from tests.fakes.voyage import Voyage

SPARSE: Final = 23
"""Of so many cells one is tried in the short version."""
WITHOUT_DOWNLOADS: Final = "crucible in small parts"


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
        if (row + number) % sparse == 0
    }


def judge(sea: Sea, sparse: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Try the cells, print the table, and fail with everything that is wrong."""
    cells = try_cells(sea, min(sparse, len(sea.requests)))  # so that every fault is tried
    with capsys.disabled():
        print(f"\n{table(sea, cells)}")  # noqa: T201 the table is what this test shows
    wrong = {cell: found for cell, found in cells.items() if found}
    assert not wrong
    tried = Counter(fault for fault, _ in cells)
    assert all(tried[fault.name] for fault in FAULTS)
    assert {number for _, number in cells} == set(range(len(sea.requests)))


def test_an_undisturbed_voyage_brings_everything_once(sea: Sea) -> None:
    """What the matrix compares with is right itself: three files, two keywords, a picture, a child, and no refusals."""
    own, parent, child = sea.expected
    assert [name for name, *_ in own["files"]] == ["map.h5", "map.log", "view.png"]
    assert len(own["keywords"]) == 2
    assert len(own["thumbnails"]) == 1
    assert (parent is None) == sea.served.public
    assert (child is not None) == sea.name.startswith("crucible")
    if child is not None:
        told = repr(child["links"])
        assert ("own" in told, sea.served.sample in told, sea.served.sample in repr(own["links"])) == (
            True,
            True,
            False,
        )
        assert (child["files"], child["keywords"], len(child["thumbnails"])) == ([], [], 1)


def test_a_fault_at_any_request_leaves_everything_there_once(sea: Sea, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault, and every request of a delivery: after a new start everything is there exactly once, bytes and all."""
    judge(sea, SPARSE, capsys)


def test_a_voyage_that_loses_every_reply_once_still_ends(sea: Sea) -> None:
    """Each request of the whole delivery loses its reply once, one after the other; nothing is there twice."""
    with sea.voyage() as voyage:
        for number in range(len(sea.requests)):
            sea.proxy.arm("", Fault("reply lost"), skip=number)
            voyage.whole(enough=lambda: sea.proxy.struck > 0)
        sea.proxy.disarm()
        voyage.whole()
        assert sea.wrong(voyage) == []


def unsafe(voyage: Voyage) -> dict[str, str]:
    """What `verify` calls not safe of a voyage's files now, and why."""
    workshop = voyage.workshop
    verifying = Verifying(workshop.instrument, workshop.store, {voyage.catalog.name: voyage.catalog})
    checked = [verifying.check(file) for file in local_files(workshop.instrument.roots, None)]
    return {one.path: one.why for one in checked if one.verdict is not Verdict.SAFE}


def test_no_answer_but_the_right_one_makes_a_file_safe(sea: Sea) -> None:
    """A fault at a request of `verify` makes a file unsafe, with a reason, unless it asks again; undisturbed all are safe."""
    if sea.name == WITHOUT_DOWNLOADS:
        pytest.skip("this double hands out no bytes")
    with sea.voyage() as voyage:
        voyage.whole()
        assert sea.wrong(voyage) == []
        sea.proxy.lines.clear()
        assert not unsafe(voyage)
        asked = len(sea.proxy.lines)
        for row, fault in enumerate(FAULTS):
            for number in range(row % 3, asked, 3):
                sea.proxy.arm("", fault, skip=number)
                sea.proxy.lines.clear()
                found = unsafe(voyage)
                sea.proxy.disarm()
                assert found or len(sea.proxy.lines) > asked, f"{fault.name} at request {number}"
                assert all(found.values())


@pytest.mark.slow
def test_every_fault_at_every_request_leaves_everything_there_once(
    sea: Sea, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole matrix: every fault at every request."""
    judge(sea, 1, capsys)
