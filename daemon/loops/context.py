"""What the loops share: the configuration, the store, the clock, the bells that wake them and proof that they live."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from daemon.seldom import Seldom

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.clock import Clock
    from daemon.errors import StateError
    from daemon.settings import Instrument, Root
    from daemon.store.opening import Store


log = structlog.get_logger("labferry.store")


class Stopping(Exception):  # noqa: N818 no error: the service was asked to stop
    """Ends long work in the middle when the service stops; what was begun is found again at the next start."""


class StoreTrouble:
    """What the log says while the store cannot be written: each problem once, then once a minute, and when it is over.

    Every loop meets it again and again. Safe for threads.
    """

    def __init__(self) -> None:
        self._told = Seldom()
        self.problem = ""
        """What it is now; empty if the store works."""

    def failed(self, error: StateError, now: float) -> None:
        """A loop could not use the store at this moment of the monotonic clock."""
        self.problem = error.message
        if self._told.due(error.message, now):
            log.error("store.failed", problem=error.message, advice=error.advice)

    def over(self) -> None:
        """The store was written."""
        problem, self.problem = self.problem, ""
        self._told.forget()
        if problem:
            log.info("store.recovered", problem=problem)


class Bell:
    """Wakes one loop. Ringing before anybody waits is not lost."""

    def __init__(self, clock: Clock, stopping: threading.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._event = threading.Event()

    def ring(self) -> None:
        """There may be work."""
        self._event.set()

    def wait(self, seconds: float | None) -> None:
        """Sleep until the bell rings, the time is over, or the service stops (its stop rings every bell)."""
        if not self._stopping.is_set():
            self._clock.wait(self._event, seconds)
        self._event.clear()


class Heartbeats:
    """Every loop beats when it goes round; the systemd watchdog is fed only while all of them do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def beat(self, name: str, within: float = 60.0) -> None:
        """The loop lives, and will beat again within this many seconds."""
        with self._lock:
            self._until[name] = self._clock.monotonic() + within

    def forget(self, name: str) -> None:
        """The loop ended on purpose."""
        with self._lock:
            self._until.pop(name, None)

    def late(self) -> list[str]:
        """The loops that have not kept their word."""
        now = self._clock.monotonic()
        with self._lock:
            return sorted(name for name, until in self._until.items() if until < now)


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A root with its row in the store. `backfill`: old data, which comes slowly; `done`: and all of it came."""

    index: int
    id: int
    path: Path
    settings: Root
    backfill: bool = False
    done: bool = False


@dataclass(frozen=True)
class Context:
    """Handed to every loop by the composition root. `arriving`: after a rest, a file is on its way to be extracted."""

    instrument: Instrument
    store: Store
    clock: Clock
    roots: tuple[WatchedFolder, ...]
    stopping: threading.Event
    heartbeats: Heartbeats
    extract_bell: Bell
    arriving: threading.Event = field(default_factory=threading.Event)
    deliver_bells: dict[str, Bell] = field(default_factory=dict)
    trouble: StoreTrouble = field(default_factory=StoreTrouble)

    def store_failed(self, error: StateError) -> None:
        """A loop could not use the store; it goes on later."""
        self.trouble.failed(error, self.clock.monotonic())

    def wake_deliveries(self) -> None:
        """A delivery was queued."""
        for bell in self.deliver_bells.values():
            bell.ring()
