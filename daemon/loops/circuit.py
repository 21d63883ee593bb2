"""A circuit for each catalog: one that is down is asked now and then by one delivery, not by a thousand."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daemon.backoff import next_delay

if TYPE_CHECKING:
    import random

    from daemon.clock import Clock

TOLERATED: Final = 2
"""Failures in a row that may be a single delivery's bad luck."""
CREDENTIALS_SECONDS: Final = 300.0
_ENOUGH: Final = 2


class CircuitState(StrEnum):
    """Closed: deliveries flow. Open: nobody asks until a moment. Probing: one delivery asks."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class CircuitReport:
    """What the circuit says of its catalog. `seconds` until the next probe."""

    state: CircuitState
    problem: str
    seconds: float


class Circuit:
    """Counts failures in a row and decides who may ask. Safe for threads."""

    def __init__(self, clock: Clock, randomness: random.Random) -> None:
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._held_until = float("-inf")
        self._probing = False
        self._problem = ""
        self._suspects: set[int] = set()

    def admit(self) -> float | None:
        """None: go ahead. Else the seconds to wait before asking again."""
        with self._lock:
            held = self._held_until - self._clock.monotonic()
            if held > 0:
                return held
            if self._failures <= TOLERATED:
                return None
            remaining = self._until - self._clock.monotonic()
            if remaining > 0:
                return remaining
            if self._probing:
                return 1.0
            self._probing = True
            return None

    def suspect(self) -> int | None:
        """The one dataset that all failures since the last answer were about: perhaps it is to blame, and not the catalog."""
        with self._lock:
            if self._held_until > self._clock.monotonic():
                return None  # it asked everybody to wait
            return next(iter(self._suspects)) if len(self._suspects) == 1 else None

    def probe(self) -> bool:
        """Ask with another dataset although it is not time yet; False if somebody else is asking."""
        with self._lock:
            if self._probing:
                return False
            self._probing = True
            return True

    def unused(self) -> None:
        """Who was admitted found nothing to deliver."""
        with self._lock:
            self._probing = False

    def answered(self) -> bool:
        """The catalog answered sensibly (be it a refusal). True if it had been down."""
        with self._lock:
            was_down = self._failures > TOLERATED
            self._failures, self._probing, self._problem = 0, False, ""
            self._suspects.clear()
            return was_down

    def failed(
        self, problem: str, retry_after: float | None, dataset: int | None = None, *, credentials: bool = False
    ) -> bool:
        """The catalog did not answer, or not sensibly, when asked about a dataset. True if it counts as down from now on.

        `retry_after`: the seconds that it asks us to wait (429, 503): nobody asks before, whoever was told.
        """
        with self._lock:
            if retry_after is not None:
                self._held_until = max(self._held_until, self._clock.monotonic() + retry_after)
            if dataset is not None and len(self._suspects) < _ENOUGH:
                self._suspects.add(dataset)
            was_down = self._failures > TOLERATED
            self._failures = TOLERATED + 1 if credentials and not was_down else self._failures + 1
            self._probing, self._problem = False, problem
            delay = next_delay(max(0, self._failures - TOLERATED), self._randomness, retry_after)
            if credentials:
                delay = max(delay, CREDENTIALS_SECONDS)
            self._until = self._clock.monotonic() + max(delay, 0.5)
            return self._failures > TOLERATED and not was_down

    def report(self) -> CircuitReport:
        """The state for status pages and `--once`."""
        with self._lock:
            held = self._held_until - self._clock.monotonic()
            if held > 0 and self._failures <= TOLERATED:
                return CircuitReport(CircuitState.OPEN, self._problem, held)
            if self._failures <= TOLERATED:
                return CircuitReport(CircuitState.CLOSED, self._problem, 0.0)
            state = CircuitState.PROBING if self._probing else CircuitState.OPEN
            return CircuitReport(state, self._problem, max(0.0, self._until - self._clock.monotonic()))
