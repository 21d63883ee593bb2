"""What need not be said again and again: each text once a minute. Pure: standard library only."""

from __future__ import annotations

import threading
from typing import Final

SECONDS: Final = 60.0
_MOST: Final = 100


class Seldom:
    """Remembers what was said when, by the seconds of a monotonic clock. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def due(self, text: str, now: float) -> bool:
        """Whether a text is to be said now: it was not in the last minute."""
        with self._lock:
            if now - self._said.get(text, float("-inf")) < SECONDS:
                return False
            if len(self._said) >= _MOST:
                self._said.clear()
            self._said[text] = now
            return True

    def forget(self) -> None:
        """The next time each text is to be said at once."""
        with self._lock:
            self._said.clear()
