"""What the loops share: the configuration, the store, the clock, the bells that wake them and proof that they live."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.clock import Clock
    from daemon.settings import Instrument, Root
    from daemon.store.opening import Store


class Stopping(Exception):  # noqa: N818 no error: the service was asked to stop
    """Ends long work in the middle when the service stops; what was begun is found again at the next start."""


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
    """Handed to every loop by the composition root."""

    instrument: Instrument
    store: Store
    clock: Clock
    roots: tuple[WatchedFolder, ...]
    stopping: threading.Event
    heartbeats: Heartbeats
    extract_bell: Bell
    deliver_bells: dict[str, Bell] = field(default_factory=dict)

    def wake_deliveries(self) -> None:
        """A delivery was queued."""
        for bell in self.deliver_bells.values():
            bell.ring()
