"""Time as a value that is handed in, so that no test sleeps. Pure: standard library only."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for waiting; and the only ways to wait."""

    def now(self) -> datetime:
        """The wall time, aware, UTC. May jump; never measure a duration with it."""

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait until the event is set or the seconds are over (None: no limit); True if it was set."""


class SystemClock:
    """The real clocks."""

    def now(self) -> datetime:
        """The wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """CLOCK_BOOTTIME: it goes on while the machine sleeps, so a quiet period ends on time after a suspend."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait for the event."""
        return event.wait(seconds)


class ManualClock:
    """A clock that stands still until told: for tests and simulations. Waiting moves it to the end of the wait."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The simulated wall time."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """The simulated monotonic time in seconds."""
        with self._lock:
            return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set to another time; no time passes."""
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Jump to the end of the wait at once; a wait without an end really waits for the event."""
        if event.is_set():
            return True
        if seconds is None:
            return event.wait()
        self.advance(seconds)
        return event.is_set()
