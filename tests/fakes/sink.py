"""What a watcher is connected to in tests, and waiting with a deadline."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Sink:
    """Remembers every hint."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self.losses: list[tuple[int | None, str]] = []

    def hint(self, root_index: int, path: str) -> None:
        """Remember the file."""
        self.files.add(path)

    def hint_folder(self, root_index: int, folder: str) -> None:
        """Remember the folder."""
        self.folders.add(folder)

    def lost(self, root_index: int | None, reason: str) -> None:
        """Remember the loss."""
        self.losses.append((root_index, reason))


def until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait for the condition, at most so long; its last value."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (fulfilled := condition()) and time.monotonic() < deadline:
        pause.wait(0.01)
    return fulfilled
