"""Reading datasets again: because a person asked (`labferry reingest`), or because what parked them may have changed.

A request is a fact in the store, so it survives everything; it is worked off a few datasets at a time, and only while
nothing else waits to be read. The new revision's deliveries make only the steps whose content differs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Final

import structlog

from daemon.store.datasets import ROOT_LEFT, VANISHED
from daemon.store.deliveries import LEFT_CONFIGURATION

if TYPE_CHECKING:
    from daemon.loops.context import Context
    from daemon.settings import Instrument
    from daemon.store.opening import Store

log = structlog.get_logger("labferry.reingest")

REQUEST: Final = "reingest"
CONDITIONS: Final = "conditions"
BATCH: Final = 25
ASKED: Final = "it is read again, as asked"
CHANGED: Final = "the configuration or a plugin changed"


@dataclass(frozen=True, slots=True)
class Request:
    """Which datasets are to be read again: those after one row up to another, of an ingestor, seen since a moment."""

    after: int
    last: int
    ingestor: str | None = None
    since: str | None = None

    def keep(self, store: Store) -> None:
        """Write it into the store; it replaces another one."""
        store.keep_fact(REQUEST, json.dumps(asdict(self)))


def requested(store: Store) -> Request | None:
    """The request that is being worked off."""
    text = store.fact(REQUEST)
    return Request(**json.loads(text)) if text else None


class Reingesting:
    """Works off a request; `tick` is called now and then."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def tick(self) -> None:
        """Make a few more datasets ready, if the last ones are read."""
        request = requested(self._store)
        if request is None or self._store.datasets.in_work(1):
            return
        with self._store.database.transaction():
            chosen = self._store.datasets.to_reingest(
                request.after, request.last, request.ingestor, request.since, limit=BATCH
            )
            for dataset in chosen:
                self._store.datasets.again(dataset, ASKED)
            if chosen:
                replace(request, after=int(chosen[-1])).keep(self._store)
            else:
                self._store.keep_fact(REQUEST, "")
        if not chosen:
            log.info("reingest.ended", last=request.last)
        self._context.extract_bell.ring()

    def pending(self) -> bool:
        """Whether a request is not worked off."""
        return requested(self._store) is not None


def retry_after_change(store: Store, instrument: Instrument) -> int:
    """Try again what is parked if the configuration or a plugin is another one than when the daemon ran last.

    Datasets are read and composed anew, so that what was corrected is in their next revision. How many were tried.
    """
    now, before = conditions(instrument), store.fact(CONDITIONS)
    if now == before:
        return 0
    with store.database.transaction():
        store.keep_fact(CONDITIONS, now)
        tried = 0 if before is None else _retry(store)
    if tried:
        log.info("parked.retried", count=tried, reason=CHANGED)
    return tried


def conditions(instrument: Instrument) -> str:
    """A digest of everything that decides what becomes of a dataset: the configuration, labferry, the plugins."""
    plugins = sorted(
        f"{point.name} {point.value} {point.dist.version if point.dist else ''}"
        for point in entry_points(group="labferry.ingestors")
    )
    words = [instrument.model_dump_json(), version("labferry"), *plugins]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _retry(store: Store) -> int:
    tried = 0
    for dataset in store.datasets.parked():
        if dataset.reason not in {ROOT_LEFT, VANISHED}:
            tried += store.datasets.retry(dataset.id, CHANGED)
    for delivery in store.deliveries.parked():
        if delivery.error == LEFT_CONFIGURATION:
            continue
        if not store.datasets.again(delivery.dataset, CHANGED):  # its files are gone: what was composed has to do
            store.deliveries.requeue(delivery.id)
        tried += 1
    return tried
