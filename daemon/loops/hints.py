"""Hints: paths that somebody thinks are worth a look. Never the truth; when there are too many, a scan replaces them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.loops.context import Bell

MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Hint:
    """One path below a root; a folder means: list it and everything below."""

    root: int
    path: str
    is_folder: bool = False


class Hints:
    """Collects hints from the watcher's threads for the watching loop; each path once, in order of arrival."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lock = threading.Lock()
        self._hints: dict[Hint, None] = {}
        self._lost: dict[int | None, str] = {}

    def hint(self, root_index: int, path: str) -> None:
        """Look at this file."""
        self._add(Hint(root_index, path))

    def hint_folder(self, root_index: int, folder: str) -> None:
        """List this folder and everything below it."""
        self._add(Hint(root_index, folder, is_folder=True))

    def lost(self, root_index: int | None, reason: str) -> None:
        """Events were lost: scan this root, or all of them."""
        with self._lock:
            self._lost[root_index] = reason
        self._bell.ring()

    def take(self, most: int) -> list[Hint]:
        """The oldest hints, at most so many."""
        with self._lock:
            taken = [hint for hint, _ in zip(self._hints, range(most), strict=False)]
            for hint in taken:
                del self._hints[hint]
        return taken

    def take_lost(self) -> dict[int | None, str]:
        """Which roots have to be scanned, and why."""
        with self._lock:
            lost, self._lost = self._lost, {}
        return lost

    def __len__(self) -> int:
        with self._lock:
            return len(self._hints) + len(self._lost)

    def _add(self, hint: Hint) -> None:
        with self._lock:
            if len(self._hints) >= MOST:
                self._hints.clear()
                self._lost[None] = f"more than {MOST} hints were waiting"
            else:
                self._hints[hint] = None
        self._bell.ring()
