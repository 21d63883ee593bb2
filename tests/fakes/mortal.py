"""A voyage in a process of its own that is killed at a chosen point, as kill -9 or a power cut would.

The points are those between which nothing is decided: before each transaction begins (which is after the one before it
is on the disk), before each is committed, and, through the proxy, before and after each request. The process is forked
from a server that has imported everything, so that a hundred deaths take seconds.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.voyage import Voyage

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, ForkServerProcess
    from pathlib import Path

    from tests.fakes.served import Served

TRANSACTION: Final = ("BEGIN", "COMMIT")
LIFETIME: Final = 40.0


class Mortal(sqlite3.Connection):
    """Counts the transactions of this process and ends it at the one with the number `at` (from 0); None: counts only."""

    at: int | None = None
    count = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.set_trace_callback(_statement)


def _statement(statement: str) -> None:
    if statement.lstrip().upper().startswith(TRANSACTION):
        if Mortal.count == Mortal.at:
            os.kill(os.getpid(), signal.SIGKILL)
        Mortal.count += 1


def _live(at: int | None, folder: Path, *way: Any) -> None:
    """The process: a whole voyage."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    Mortal.at = at
    vars(sqlite3)["connect"] = functools.partial(sqlite3.connect, factory=Mortal)  # what the daemon will call
    with Voyage(folder, *way) as voyage:
        voyage.whole()
    (folder / "transactions").write_text(str(Mortal.count), "ascii")


class Mortals:
    """Makes voyages in processes of their own."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.fakes.mortal", "tests.fakes.served"])

    def voyage(self, folder: Path, served: Served, port: int, at: int | None = None) -> int | None:
        """One voyage; the exit status, which is -SIGKILL for one that was killed."""
        process = self.process(folder, served, port, at)
        process.start()
        process.join(LIFETIME)
        assert process.exitcode is not None, "the voyage neither ended nor died"
        return process.exitcode

    def process(self, folder: Path, served: Served, port: int, at: int | None = None) -> ForkServerProcess:
        """A voyage that has not begun yet."""
        way = (served.adapter, port, served.sample, served.project, served.public)
        return self._context.Process(target=_live, args=(at, folder, *way))
