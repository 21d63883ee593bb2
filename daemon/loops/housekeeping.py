"""The housekeeping loop: what has to be done now and then, and the proof that everybody lives."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from daemon.errors import StateError
from daemon.loops.parents import Sheets, compose_parent
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.loops.context import Context

log = structlog.get_logger("labferry.housekeeping")

TICK_SECONDS: Final = 2.0
PARENT_SECONDS: Final = 20.0
HOURLY: Final = 3600.0
KEEP_THUMBNAILS: Final = timedelta(days=2)
JUMP_SECONDS: Final = 60.0
OLDEST_IDLE: Final = 1800.0


class Housekeeping:
    """Sessions close, their parent records keep up, other processes' changes are noticed."""

    def __init__(self, context: Context, catalogs: Sequence[str], ticks: Sequence[Callable[[], None]]) -> None:
        self._context = context
        self._catalogs = tuple(catalogs)
        self._ticks = tuple(ticks)
        self._version = context.store.database.data_version()
        self._parents_due = 0.0
        self._sheets = Sheets(context)
        self._hourly_due = 0.0
        self._offset = context.clock.now().timestamp() - context.clock.monotonic()

    def run(self, name: str) -> None:
        """Tick until the service stops."""
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name)
            try:
                self._tick()
            except StateError as error:
                self._context.store_failed(error)
            self._context.clock.wait(self._context.stopping, TICK_SECONDS)
        self._context.heartbeats.forget(name)

    def _tick(self) -> None:
        if self._context.trouble.problem:
            self._context.store.keep_fact("written", stamp(self._context.clock.now()))
            self._context.trouble.over()
        for tick in self._ticks:
            tick()
        self._watch_the_clock()
        version = self._context.store.database.data_version()
        if version != self._version:  # `labferry retry` or `session` wrote from another process
            self._version = version
            self._context.extract_bell.ring()
            self._context.wake_deliveries()
        now = self._context.clock.monotonic()
        if now >= self._parents_due:
            self._parents_due = now + PARENT_SECONDS
            self.close_idle_sessions()
            self.update_parents()
        if now >= self._hourly_due:
            self._hourly_due = now + HOURLY
            self._context.store.datasets.purge_thumbnails(stamp(self._context.clock.now() - KEEP_THUMBNAILS))

    def _watch_the_clock(self) -> None:
        """The next tries are written down in wall time: when that jumps, all of them are due, or would be never."""
        clock = self._context.clock
        offset = clock.now().timestamp() - clock.monotonic()
        jumped = offset - self._offset
        self._offset = offset
        if abs(jumped) < JUMP_SECONDS:
            return
        log.warning("clock.jumped", seconds=round(jumped))
        for catalog in self._catalogs:
            self._context.store.deliveries.hurry(catalog)
        self._context.wake_deliveries()

    def close_idle_sessions(self) -> None:
        """A session that no dataset joined for longer than the pause is over; a late one still joins it."""
        idle = max(self._context.instrument.session.gap, OLDEST_IDLE)
        before = self._context.clock.now() - timedelta(seconds=idle)
        for session in self._context.store.sessions.idle(before):
            self._context.store.sessions.close(session.id)
            log.info("session.closed", name=session.name)

    def update_parents(self) -> int:
        """Bring the parent records of changed sessions up to date; how many there were."""
        changed = self._context.store.sessions.changed()
        for session in changed:
            sheet = self._sheets.draw(session.id)
            with self._context.store.database.transaction():
                compose_parent(self._context, self._catalogs, session.id, sheet=sheet)
            self._context.wake_deliveries()
        return len(changed)
