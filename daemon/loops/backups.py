"""The backup loop: a whole copy of the store now and then, while everything else goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from daemon.errors import StateError
from daemon.store.backups import back_up, backups

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.loops.context import Context

log = structlog.get_logger("labferry.store")

LOOK_SECONDS: Final = 900.0
LONGEST_SECONDS: Final = 3600.0


class BackingUp:
    """Makes a backup when the newest one is too old."""

    def __init__(self, context: Context, state: Path) -> None:
        self._context = context
        self._state = state
        self._settings = context.instrument.store

    def run(self, name: str) -> None:
        """Look now and then until the service stops."""
        beats = self._context.heartbeats
        while not self._context.stopping.is_set():
            beats.beat(name, within=LONGEST_SECONDS + LOOK_SECONDS)
            try:
                if self.due():
                    self.make()
            except StateError as error:
                self._context.store_failed(error)
            self._context.clock.wait(self._context.stopping, LOOK_SECONDS)
        beats.forget(name)

    def due(self) -> bool:
        """Whether the newest backup is older than the configuration allows, or is of a future that a clock made up."""
        if not self._settings.backup:
            return False
        newest = next(iter(backups(self._state)), None)
        if newest is None:
            return self._context.store.database.one("some_file") is not None  # nothing is known yet
        try:
            made = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
        except OSError:
            return True
        return abs((self._context.clock.now() - made).total_seconds()) >= self._settings.backup

    def make(self) -> None:
        """Make one; a failure is told and tried again at the next look."""
        clock = self._context.clock
        began = clock.monotonic()
        try:
            path = back_up(self._context.store.database, self._state, clock.now(), self._settings.keep)
        except StateError as error:
            log.error("store.backup_failed", problem=error.message, advice=error.advice)
            return
        log.info("store.backed_up", path=str(path), seconds=round(clock.monotonic() - began, 2))
