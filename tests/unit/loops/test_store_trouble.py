"""What the log says of a store that cannot be written: every loop meets it, and one line a minute is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from daemon.errors import StateError

if TYPE_CHECKING:
    from tests.fakes.workshop import Workshop

FULL = StateError("The disk is full.", "Free some space.")


def test_a_store_that_fails_is_told_once_a_minute_and_when_it_is_over(workshop: Workshop) -> None:
    """Of a hundred failures in a minute one is told, of another kind one more; the first write afterwards ends it."""
    with structlog.testing.capture_logs() as said:
        for _ in range(100):
            workshop.context.store_failed(FULL)
        workshop.context.store_failed(StateError("The disk is gone."))
        workshop.clock.advance(61)
        workshop.context.store_failed(FULL)
        workshop.housekeeping._tick()
        workshop.housekeeping._tick()
        workshop.context.store_failed(FULL)
    assert [line["event"] for line in said] == ["store.failed"] * 3 + ["store.recovered", "store.failed"]
    assert said[0]["advice"] == "Free some space."
