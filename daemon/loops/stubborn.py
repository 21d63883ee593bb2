"""Deliveries that fail although their catalog answers others: what it can never take may look as if it were away."""

from __future__ import annotations

import threading
from typing import Final

TRIES: Final = 8
"""Failures of one delivery before it is told apart: a few may be bad luck."""
_MOST: Final = 1000


class Stubborn:
    """Counts for each failing dataset how many others arrived since it failed first. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrived = 0
        self._since: dict[int, int] = {}

    def arrived(self, dataset: int) -> None:
        """A dataset was delivered."""
        with self._lock:
            self._arrived += 1
            self._since.pop(dataset, None)

    def words(self, dataset: int, attempts: int) -> str:
        """What to add to the reason of a failure; an empty text while it may be the catalog."""
        with self._lock:
            if dataset not in self._since and len(self._since) >= _MOST:
                self._since.clear()
            others = self._arrived - self._since.setdefault(dataset, self._arrived)
        if attempts < TRIES or not others:
            return ""
        are = "one other dataset" if others == 1 else f"{others} other datasets"
        return f"It took {are} meanwhile, so it may be this one that it cannot take; it is tried again now and then."


def worth_telling(attempts: int) -> bool:
    """Whether this failure has a line of its own in the log: the eighth, the sixteenth and so on."""
    return attempts >= TRIES and attempts & (attempts - 1) == 0
