"""Opening an instrument's store: one owner at a time, the transition tables in force, the crash repaired."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any, Final, Self

from daemon.errors import StateError
from daemon.model import DATASET_TRANSITIONS, DELIVERY_TRANSITIONS, FILE_TRANSITIONS, SESSION_TRANSITIONS
from daemon.store.database import Database, unsound
from daemon.store.datasets import Datasets
from daemon.store.deliveries import Deliveries
from daemon.store.diagnosis import damaged
from daemon.store.files import Files
from daemon.store.journal import JournalTable
from daemon.store.roots import Roots
from daemon.store.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from daemon.clock import Clock

STORE_NAME: Final = "store.sqlite"
MADE_NAME: Final = "store.made"
"""Stands beside the store from its first opening on: a folder with this name and without a store has lost it."""

BEGUN: Final = "begun"
UNASKED: Final = "unasked"
"""The catalogs, as a JSON list, that could not be asked yet whether an earlier store delivered to them."""
REBUILDING: Final = "rebuilding"
_TABLES: Final[Mapping[str, Mapping[Any, frozenset[Any]]]] = {
    "file": FILE_TRANSITIONS,
    "dataset": DATASET_TRANSITIONS,
    "session": SESSION_TRANSITIONS,
    "delivery": DELIVERY_TRANSITIONS,
}


class Store:
    """The tables of one instrument over one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.journal = JournalTable(database, clock)
        self.roots = Roots(database, self.journal, clock)
        self.files = Files(database, self.journal, clock)
        self.datasets = Datasets(database, self.journal, clock)
        self.sessions = Sessions(database, self.journal, clock)
        self.deliveries = Deliveries(database, self.journal, clock)

    def fact(self, key: str) -> str | None:
        """A word that the store keeps about itself."""
        row = self.database.one("fact", key=key)
        return None if row is None else str(row["value"])

    def keep_fact(self, key: str, value: str) -> None:
        """Keep a word; an empty one is as none."""
        self.database.run("set_fact", key=key, value=value)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


class Ownership:
    """The lock that makes one process the owner of a state folder. The kernel gives it back when the process dies."""

    def __init__(self, state: Path) -> None:
        """Take the lock. Raises StateError when another process has it or the folder cannot be written."""
        self._descriptor = _locked(state)

    def move(self, state: Path) -> None:
        """Own another state folder instead: the configuration was changed while the daemon ran."""
        descriptor = _locked(state)
        os.close(self._descriptor)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _locked(state: Path) -> int:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o750)
        descriptor = os.open(state / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise state_error(error, state) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateError(
            f"Another labferry already runs with the state folder {state}.",
            "Stop it first (systemctl stop labferry@NAME), or give this instrument a state folder of its own.",
        ) from None
    return descriptor


def state_error(error: OSError, state: Path) -> StateError:
    """What went wrong with the state folder, in a sentence."""
    return StateError(
        f"The state folder {state} cannot be used: {error.strerror}.",
        "Make it writable for the user that runs labferry, free some space, or set `state:` to another folder.",
    )


def open_store(state: Path, instrument: str, clock: Clock) -> Store:
    """Open for the owner: create or migrate, check that the store is this instrument's, repair after a crash.

    Raises StateError, also for a store that was there and is lost or damaged: nothing is guessed then.
    """
    path, made = state / STORE_NAME, state / MADE_NAME
    if not path.exists() and made.exists():
        raise StateError(
            f"The store {path} was there and is lost.",
            "`labferry rebuild CONFIG` begins with the newest backup, if there is one, and finds the rest again in the"
            " folders and in the catalogs; nothing is sent twice.",
        )
    wrong = unsound(path) if path.exists() else None
    if wrong is not None:
        raise damaged(path, wrong)
    database = Database(path, "daemon.store")
    store = Store(database, clock)
    try:
        made.touch()
        with database.transaction():
            _claim(database, state, instrument)
            store.datasets.recover()
            store.deliveries.recover()
    except BaseException:
        store.close()
        raise
    return store


def demand_instrument(database: Database, state: Path, instrument: str) -> None:
    """Raises StateError if the store is another instrument's."""
    known = database.one("fact", key="instrument")
    if known is not None and known["value"] != instrument:
        raise StateError(
            f"The state folder {state} belongs to the instrument {known['value']}, not to {instrument}.",
            "Give every instrument a state folder of its own.",
        )


def _claim(database: Database, state: Path, instrument: str) -> None:
    """Make sure that the store is this instrument's, and that its triggers obey this program's tables."""
    demand_instrument(database, state, instrument)
    database.run("set_fact", key="instrument", value=instrument)
    database.run("forget_transitions")
    database.run_many(
        "add_transition",
        (
            {"entity": entity, "old": old, "new": new}
            for entity, table in _TABLES.items()
            for old, news in table.items()
            for new in news
        ),
    )


def visit_store(state: Path, clock: Clock, *, write: bool = False) -> Store:
    """Open a store that a daemon may be using right now: to read, or for one short change.

    Raises StateError when there is none.
    """
    path = state / STORE_NAME
    if not path.exists():
        raise StateError(
            f"There is no store in {state} yet.", "It is made by the first `labferry run`; check the configuration."
        )
    return Store(Database(path, "daemon.store", read_only=not write), clock)
