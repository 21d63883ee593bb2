"""Is this store the one that knew everything? Each catalog is asked once, before a new store's first delivery to it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

from daemon.catalogs.catalog import Readable
from daemon.errors import CatalogRefused, CatalogUnavailable, LabferryError, StateError
from daemon.store.opening import BEGUN, REBUILDING, UNASKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from daemon.assembly import Connection
    from daemon.catalogs.catalog import Catalog
    from daemon.settings import Instrument
    from daemon.store.opening import Store

log = structlog.get_logger("labferry.store")

PATIENCE: Final = 5.0
"""Seconds that a start waits for catalogs to say what they know: a silent one must not keep the others waiting."""

_REBUILD: Final = (
    "`labferry rebuild CONFIG` finds again what was known, in the folders and in the catalogs; nothing is sent twice."
)


class Continuity:
    """Asks the catalogs whether they hold what an earlier store of this instrument delivered. Safe for threads.

    One that cannot be asked at a first start stops nothing but its own deliveries: the store keeps its name until it
    has answered. `lost` is set, and `stop` called, if one says later that there was a store before.
    """

    def __init__(
        self,
        store: Store,
        state: Path,
        instrument: Instrument,
        connections: Mapping[str, Connection],
        stop: Callable[[], None],
    ) -> None:
        self._store = store
        self._state = state
        self._slug = str(instrument.attributes.get("instrument_id", instrument.instrument))
        self._catalogs = readable(connections)
        self._stop = stop
        self._lock = threading.Lock()
        self._unasked: frozenset[str] = frozenset()
        self.lost: StateError | None = None

    def demand(self) -> None:
        """Refuse to begin, at a start, if a catalog knows an earlier store. Raises StateError."""
        if self._store.fact(REBUILDING):
            raise StateError(
                f"The store in {self._state} is being rebuilt, and that did not end.",
                "Run `labferry rebuild CONFIG` again; it goes on.",
            )
        known = self._store.fact(BEGUN) or self._store.database.one("some_file") is not None
        waiting = json.loads(self._store.fact(UNASKED) or "[]")
        self._keep(self._silent(waiting if known else list(self._catalogs)))
        self._store.keep_fact(BEGUN, "1")

    def ask(self, name: str) -> bool:
        """Ask a catalog that could not be asked before; False if nothing may be delivered to it.

        Raises a CatalogError if it does not answer now either.
        """
        if name not in self._unasked:
            return self.lost is None
        with self._lock:
            if name in self._unasked and self.lost is None:
                try:
                    self._look(name)
                except StateError as error:
                    self.lost = error
                    self._stop()
                else:
                    self._keep(self._unasked - {name})
        return self.lost is None

    def _silent(self, names: Sequence[str]) -> set[str]:
        """Ask these catalogs, all at once; those that do not answer soon are asked again before they get anything.

        Raises StateError if one knows something.
        """
        told: dict[str, LabferryError | None] = {}
        threads = [threading.Thread(target=self._listen, args=(name, told), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        silent = set()
        for name in names:
            problem = told.get(name, CatalogUnavailable(f"{name} did not answer within {PATIENCE:.0f} seconds."))
            if isinstance(problem, StateError):
                raise problem
            if problem is not None:
                silent.add(name)
                log.warning(
                    "store.new",
                    state=str(self._state),
                    catalog=name,
                    problem=str(problem),
                    advice="What is measured waits; nothing is sent to it before it has said that it knows nothing of this"
                    " instrument yet.",
                )
        return silent

    def _listen(self, name: str, told: dict[str, LabferryError | None]) -> None:
        try:
            self._look(name)
        except LabferryError as error:
            told[name] = error
        else:
            told[name] = None

    def _look(self, name: str) -> None:
        """Raises StateError if the catalog knows something; CatalogUnavailable, CredentialsRefused or NotYet."""
        if name not in self._catalogs:
            return
        try:
            there = self._catalogs[name][1].trace(self._slug)
        except CatalogRefused as error:  # it never will answer this, and that must not keep everything waiting
            log.warning("store.new", state=str(self._state), catalog=name, problem=str(error))
            return
        if there is not None:
            raise StateError(
                f"The store in {self._state} is new, but {name} holds datasets that labferry made for {self._slug},"
                f" such as {there}: what was known of them is lost.",
                _REBUILD,
            )

    def _keep(self, names: Iterable[str]) -> None:
        self._unasked = frozenset(names)
        self._store.keep_fact(UNASKED, json.dumps(sorted(self._unasked)) if self._unasked else "")


def readable(connections: Mapping[str, Connection]) -> dict[str, tuple[Catalog, Readable]]:
    """The catalogs that can be asked what they hold."""
    return {
        name: (connection.catalog, connection.catalog)
        for name, connection in connections.items()
        if isinstance(connection.catalog, Readable)
    }
