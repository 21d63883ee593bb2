"""Proof that events are heard: a file that is written must come back as an event."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from daemon.errors import RootError
from daemon.watch.roots import events_work, identify

if TYPE_CHECKING:
    from pathlib import Path

COOKIE_SECONDS: Final = 30.0
"""How often the watcher has to prove that it hears."""
DEAF_SECONDS: Final = 20.0
"""A cookie that has not come back for so long, while nothing else was heard either, means that the watcher is deaf."""
_COOKIE: Final = "cookie-"


class Cookies:
    """Files in a folder that the watcher watches itself: each one that comes back proves that the whole way works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.probe = folder / "probe"
        self.provable = True
        self._lock = threading.Lock()
        self._sent = 0
        self._heard = 0
        self._sent_at = float("-inf")
        self._overflow = 0

    def prepare(self) -> None:
        """Make the folder and remove what a crash left in it. Raises OSError."""
        self.probe.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob(f"{_COOKIE}*"):
            old.unlink(missing_ok=True)
        try:
            self.provable = events_work(identify(self.folder))
        except RootError as error:
            raise OSError(str(error)) from error

    def forget(self) -> None:
        """A new watcher begins: what the old one did not hear does not count."""
        with self._lock:
            self._heard, self._sent_at, self._overflow = self._sent, float("-inf"), 0

    def due(self, now: float) -> bool:
        """True if it is time for the next proof."""
        with self._lock:
            return self._heard == self._sent and now - self._sent_at >= COOKIE_SECONDS

    def overdue(self, now: float) -> bool:
        """True if a proof has been missing for too long."""
        with self._lock:
            return self._heard < self._sent and now - self._sent_at >= DEAF_SECONDS

    def send(self, now: float, *, after_overflow: bool = False) -> str | None:
        """Write the next one. A sentence if that is not possible."""
        with self._lock:
            number = self._sent + 1
            try:
                (self.folder / f"{_COOKIE}{number}").write_bytes(b"")
            except OSError as error:
                return f"The state folder cannot be written to ({error.strerror}), so nothing proves that events are heard."
            if self._heard == self._sent:
                self._sent_at = now
            self._sent = number
            if after_overflow:
                self._overflow = number
            return None

    def heard(self, path: Path) -> bool:
        """One came back. True if the watches have been built anew after an overflow."""
        number = path.name.removeprefix(_COOKIE)
        if not number.isdecimal():
            return False
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        with self._lock:
            self._heard = max(self._heard, min(int(number), self._sent))
            repaired = 0 < self._overflow <= self._heard
            if repaired:
                self._overflow = 0
            return repaired
