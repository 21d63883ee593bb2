"""kill -9 before and after every transaction and every request, at each catalog: the next start makes it whole, once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.fakes.faultproxy import Fault
from tests.fakes.mortal import Mortals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.fakes.sea import Sea

SPARSE: Final = 31
"""Of so many deaths one is died in the short version."""


@pytest.fixture(scope="module")
def mortals() -> Mortals:
    """One server of processes."""
    return Mortals()


def transactions(sea: Sea, mortals: Mortals) -> int:
    """How many begins and commits a voyage has."""
    folder = sea.harbour()
    assert mortals.voyage(folder, sea.served, sea.proxy.port) == 0
    with sea.voyage(folder) as voyage:
        assert sea.wrong(voyage) == []
    return int((folder / "transactions").read_text("ascii"))


def died_in_the_store(sea: Sea, mortals: Mortals, points: Sequence[int]) -> dict[int, list[str]]:
    """What is wrong after a death at each of these points, and a new start.

    The last ones may not be reached: parts of a file that are acknowledged together are written down together.
    """
    wrong: dict[int, list[str]] = {}
    for point in points:
        folder = sea.harbour()
        ended = mortals.voyage(folder, sea.served, sea.proxy.port, point)
        assert ended == -signal.SIGKILL or len(wrong) > 0.8 * len(points)
        if ended == 0:
            break
        with sea.voyage(folder) as voyage:
            voyage.whole()
            wrong[point] = sea.wrong(voyage)
    return wrong


def died_at_a_request(
    sea: Sea, mortals: Mortals, points: Iterable[tuple[int, bool]]
) -> dict[tuple[int, bool], list[str]]:
    """The same for deaths at requests: the n-th, after (True) or before the catalog heard of it."""
    wrong = {}
    for number, heard in points:
        folder = sea.harbour()
        process = mortals.process(folder, sea.served, sea.proxy.port)
        sea.proxy.arm("", Fault("killed", forward=heard, act=process.kill), skip=number)
        process.start()
        process.join(40)
        assert process.exitcode == -signal.SIGKILL
        with sea.voyage(folder) as voyage:
            voyage.whole()
            wrong[number, heard] = sea.wrong(voyage)
    return wrong


def judge(sea: Sea, mortals: Mortals, sparse: int) -> None:
    """Die everywhere, or at every n-th of the points."""
    in_store = died_in_the_store(sea, mortals, range(0, transactions(sea, mortals), sparse))
    requests = [(number, heard) for number in range(len(sea.requests)) for heard in (False, True)]
    at_requests = died_at_a_request(sea, mortals, requests[::sparse])
    print(f"{sea.name}: {len(in_store)} deaths at transactions, {len(at_requests)} at requests")  # noqa: T201 told with -s
    assert not {point: found for point, found in in_store.items() if found}
    assert not {point: found for point, found in at_requests.items() if found}


def test_a_death_loses_nothing_and_doubles_nothing(sea: Sea, mortals: Mortals) -> None:
    """Killed at every thirty-first transaction or request of a voyage, the next start brings everything, each thing once."""
    judge(sea, mortals, SPARSE)


@pytest.mark.slow
def test_no_death_anywhere_loses_or_doubles_anything(sea: Sea, mortals: Mortals) -> None:
    """Killed before or after any transaction or request, the next start brings everything, each thing once."""
    judge(sea, mortals, 1)
