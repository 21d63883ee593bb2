"""A wall clock that is set to another day, in both directions, while deliveries wait; a machine that slept for a week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from daemon.errors import CatalogUnavailable
from daemon.model import DeliveryState, StepKind
from tests.fakes.scripted import ScriptedCatalog

if TYPE_CHECKING:
    from daemon.store.deliveries import DeliveryRow
    from tests.fakes.workshop import Workshop

DAY = 86_400.0


def waiting(workshop: Workshop) -> ScriptedCatalog:
    """A dataset whose catalog asked to come back in half an hour."""
    catalog = ScriptedCatalog(script={StepKind.RECORD: [CatalogUnavailable("busy", retry_after=1800.0)]})
    workshop.write("x.dat")
    workshop.whole()
    loop, _ = workshop.deliverer(catalog)
    loop._next("delivering", [], None)
    assert only(workshop).state is DeliveryState.WAITING
    return catalog


def only(workshop: Workshop) -> DeliveryRow:
    """The one delivery."""
    rows = workshop.store.database.select("SELECT id FROM deliveries")
    delivery = workshop.store.deliveries.get(rows[0]["id"])
    assert delivery is not None
    return delivery


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_jump_of_the_clock_makes_what_waits_due(workshop: Workshop, seconds: float) -> None:
    """Whichever way the clock jumps by a day, the next look delivers what waited; without a jump it goes on waiting."""
    catalog = waiting(workshop)
    workshop.housekeeping._tick()
    assert only(workshop).state is DeliveryState.WAITING
    workshop.clock.jump(seconds)
    workshop.housekeeping._tick()
    loop, _ = workshop.deliverer(catalog)
    loop._next("delivering", [], None)
    assert only(workshop).state is DeliveryState.DELIVERED


def test_a_clock_that_was_days_ahead_before_a_restart_keeps_nobody_waiting(workshop: Workshop) -> None:
    """A moment that was written down by a wrong clock is no moment to wait for: at the next start it is due."""
    waiting(workshop)
    workshop.clock.jump(-3 * DAY)
    workshop.restart()
    due = only(workshop).not_before
    assert due is not None
    assert due <= workshop.clock.now()


def test_files_settle_by_a_clock_that_never_jumps(workshop: Workshop) -> None:
    """A file that is being written while the clock jumps settles after its quiet period, neither at once nor never."""
    workshop.write("x.dat")
    workshop.scan()
    workshop.clock.jump(DAY)
    held = workshop.settling._waitlist.take(8, 0.0)
    workshop.settling._look({item.id: item for item in held}, "settling")
    assert len(workshop.settling) == 1, "a jump ahead is no quiet period"
    workshop.clock.jump(-2 * DAY)
    workshop.settle()
    workshop.settle()
    assert len(workshop.settling) == 0


def test_a_week_of_sleep_is_an_ordinary_week(workshop: Workshop) -> None:
    """After a week in which both clocks went on and nobody looked, what waited is delivered and no jump is reported."""
    catalog = waiting(workshop)
    before = workshop.housekeeping._offset
    workshop.clock.advance(timedelta(days=7).total_seconds())
    workshop.housekeeping._tick()
    assert workshop.housekeeping._offset == pytest.approx(before)
    loop, _ = workshop.deliverer(catalog)
    loop._next("delivering", [], None)
    assert only(workshop).state is DeliveryState.DELIVERED
