"""Backfilling: folders of old data beside the roots, brought in a few files at a time so that live ones pass.

A backfilled folder is a root of its own that is scanned once. It is asked for by a fact in the store, so the daemon goes on
with it after every restart; when everything in it is settled, it is done and only kept for what refers to it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from daemon.settings import Root
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from daemon.clock import Clock
    from daemon.settings import Instrument
    from daemon.store.opening import Store

log = structlog.get_logger("labferry.backfill")

FOLDERS: Final = "backfills"
AT_ONCE: Final = 32
"""Old files and datasets that may be under way before more are looked for."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """A folder of old data. `asked` and `done` are times, `done` is empty while it is under way."""

    path: str
    asked: str
    done: str = ""


def backfills(store: Store) -> list[Backfill]:
    """Every folder that was ever asked for."""
    return [Backfill(**one) for one in json.loads(store.fact(FOLDERS) or "[]")]


def ask(store: Store, folder: Path, clock: Clock) -> None:
    """Remember that a folder is to be backfilled (again)."""
    with store.database.transaction():
        others = [one for one in backfills(store) if one.path != os.fspath(folder)]
        _keep(store, [*others, Backfill(os.fspath(folder), stamp(clock.now()))])


def with_backfills(instrument: Instrument, store: Store) -> Instrument:
    """The instrument with the backfilled folders behind its own roots; what is wanted in them is as in the first root."""
    first = instrument.roots[0]
    more = tuple(
        Root(path=Path(one.path), include=first.include, exclude=first.exclude, events="never")
        for one in backfills(store)
    )
    return instrument.model_copy(update={"roots": (*instrument.roots, *more)}) if more else instrument


class Backfilling:
    """Says when old files may come, and when a folder is done. `tick` is called now and then."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = self._asked()
        self.changed = False
        """Whether another folder was asked for since the service started: it has to start anew."""

    def under_way(self) -> list[Backfill]:
        """The folders that are not done."""
        return [one for one in backfills(self._store) if not one.done]

    def room(self) -> bool:
        """Whether so little is under way that more old files may come."""
        if self._store.deliveries.in_work(AT_ONCE) >= AT_ONCE:
            return False
        return self._store.files.unsettled_up_to(AT_ONCE) + self._store.datasets.in_work(AT_ONCE) < AT_ONCE

    def tick(self) -> None:
        """Notice new requests, and what is done."""
        self.changed = self._asked() != self._known
        done = {one.path for one in self.under_way() if is_done(self._store, Path(one.path))}
        if not done:
            return
        with self._store.database.transaction():
            now = stamp(self._clock.now())
            _keep(self._store, [replace(one, done=now) if one.path in done else one for one in backfills(self._store)])
        for path in sorted(done):
            log.info("backfill.ended", path=path)

    def _asked(self) -> set[tuple[str, str]]:
        return {(one.path, one.asked) for one in backfills(self._store)}


def is_done(store: Store, folder: Path) -> bool:
    """Whether a folder was scanned and everything in it is delivered or parked."""
    root = store.roots.find(folder)
    asked = next((one.asked for one in backfills(store) if one.path == os.fspath(folder)), "")
    scanned = store.roots.scanned_at(folder)
    if root is None or scanned is None or scanned < asked:
        return False
    return store.database.one("work_below_root", root=root) is None


def progress(store: Store, folder: Path) -> int:
    """How many files of a folder belong to datasets that every catalog has."""
    root = store.roots.find(folder)
    row = None if root is None else store.database.one("delivered_files_of_root", root=root)
    return 0 if row is None else int(row["count"])


def _keep(store: Store, folders: list[Backfill]) -> None:
    store.keep_fact(FOLDERS, json.dumps([asdict(one) for one in folders]))
