"""A watcher in a process of its own: `python -m tests.fakes.watcher_process ROOT STATE`. Prints a JSON list for each thing it says."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from daemon.clock import SystemClock
from daemon.watch.events import WatchedRoot, Watcher


class Speaking:
    """A sink that prints."""

    def hint(self, root_index: int, path: str) -> None:
        """A file."""

    def hint_folder(self, root_index: int, folder: str) -> None:
        """A folder."""

    def lost(self, root_index: int | None, reason: str) -> None:
        """A loss."""
        say("lost", root_index, reason)


def say(*what: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Watch until killed."""
    clock = SystemClock()
    watcher = Watcher([WatchedRoot(0, Path(sys.argv[1]))], Speaking(), Path(sys.argv[2]) / "cookies", clock)
    watcher.start()
    before = None
    while True:
        health = watcher.check(clock.monotonic())
        if health != before:
            say("health", health.alive, sorted(health.watching), health.problem)
        before = health
        clock.wait(threading.Event(), 0.1)


if __name__ == "__main__":
    main()
