"""Recalling: what a lost store knew, asked of the catalogs. Only `labferry rebuild` uses it; it sends nothing.

Before a dataset is composed for the first time, the catalogs are asked for its primary file's bytes: the dataset that
holds them gives it its id, and its parent there names the session. Afterwards each step of each delivery that is owed is
looked for; what is there already is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from daemon.catalogs.catalog import known_there
from daemon.errors import CatalogError, CatalogUnavailable, NotYet
from daemon.grouping.sessions import Evidence
from daemon.loops import parts
from daemon.loops.context import Stopping
from daemon.model import DeliveryState, SessionEvidence, StepKind
from daemon.record_json import from_json
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.catalogs.catalog import Catalog, Held, Readable
    from daemon.loops.context import Context
    from daemon.model import DatasetRecord, Step
    from daemon.store.datasets import DatasetRow
    from daemon.store.deliveries import DeliveryRow
    from daemon.store.files import FileRow

log = structlog.get_logger("labferry.rebuild")

Answer = TypeVar("Answer")

AGAIN_SECONDS: Final = 2.0
OWED: Final = "not all of it was found when the store was rebuilt; the daemon makes the rest"
_UNTIL_THE_END: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent dataset of a session as a catalog knows it; `session` is the session's name."""

    unique_id: str
    session: str

    def evidence(self, today: Evidence | None, moment: str) -> Evidence:
        """The evidence that the session was opened with: today's if it gives the same name, else as a person's word.

        `moment` makes the key of a session that only the time named.
        """
        if today is None:
            return Evidence(SessionEvidence.GAP, moment, self.session)
        if today.name == self.session:
            return today
        return Evidence(SessionEvidence.PERSON, f"recalled:{self.unique_id}", self.session)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A dataset as a catalog knows it: its id, and its session's parent dataset if it has one."""

    unique_id: str
    parent: Parent | None = None


class Recalling:
    """Asks every catalog, and waits for one that does not answer: without it nothing could be concluded."""

    def __init__(
        self, context: Context, catalogs: Mapping[str, tuple[Catalog, Readable]], *, live: bool = False
    ) -> None:
        """`live`: beside a daemon's work, where nobody waits, and only labferry's own datasets count."""
        self._live = live
        self._context = context
        self._store = context.store
        self.catalogs = catalogs
        self._prefix = f"{context.instrument.instrument} session: "
        self.found = 0
        self.problem = ""
        """What a catalog refused to tell; whoever runs the rebuild ends it then."""

    def dataset(self, dataset: DatasetRow, members: Sequence[FileRow]) -> Recalled | None:
        """Which dataset of a catalog this one is, if it has no id yet. Raises Stopping."""
        if dataset.unique_id is not None or members[0].digests is None:
            return None
        sha256 = members[0].digests.sha256
        for _, readable in self.catalogs.values():
            try:
                chosen = self._chosen(self._asked(partial(readable.find, sha256)), members[0])
                if chosen is None:
                    continue
                parents = self._asked(partial(readable.parents, chosen))
            except CatalogError as error:
                log.warning("rebuild.waiting", problem=str(error))
                continue
            ours = [
                Parent(unique_id, name.removeprefix(self._prefix))
                for unique_id, name in parents
                if name.startswith(self._prefix)
            ]
            return Recalled(chosen, ours[0] if ours else None)
        return None

    def delivery(self, catalog: str) -> bool:
        """Look for the steps of the next delivery that is owed to a catalog; False if none is left.

        What is found entirely is delivered; the rest waits for the daemon.
        """
        deliveries = self._store.deliveries
        delivery = deliveries.lease(catalog)
        if delivery is None:
            return False
        try:
            record = self._record(delivery)
            missing = 1 if record is None else self._steps(delivery, record)
        except BaseException:
            deliveries.finish(delivery, DeliveryState.QUEUED)
            raise
        if missing:
            until = self._context.clock.now() + _UNTIL_THE_END
            deliveries.finish(delivery, DeliveryState.WAITING, error=OWED, not_before=until)
        else:
            with self._store.database.transaction():
                deliveries.finish(delivery, DeliveryState.DELIVERED)
                self._store.datasets.delivered_if_all(delivery.dataset)
            self.found += 1
        return True

    def _steps(self, delivery: DeliveryRow, record: DatasetRecord) -> int:
        """Keep what is found of the delivery's steps; how many are missing."""
        catalog, readable = self.catalogs[delivery.catalog]
        known = self._store.deliveries.steps(delivery.dataset, delivery.catalog)
        found: list[tuple[Step, Mapping[str, Any]]] = []
        missing = 0
        outcomes = parts.outcomes(record, known)
        lost: set[str] = set()
        for part, step in parts.planned(catalog, record):
            own = parts.kept(part, step)
            row = known.get((own.kind.value, own.key))
            if row is not None and row.done and row.digest == own.digest:
                continue
            if part.part in lost:
                missing += 1
                continue
            there = known_there(part, outcomes[part.part])
            outcome = self._asked(partial(readable.recall, step, there))
            if outcome is not None:
                found.append((own, outcome))
                outcomes[part.part][step.kind.value, step.key] = outcome
                continue
            missing += 1
            if step.kind is StepKind.RECORD and not part.part:
                break  # nothing else can be there
            if step.kind is StepKind.RECORD:
                lost.add(part.part)
        self._store.deliveries.steps_done(delivery, found)
        return missing

    def _record(self, delivery: DeliveryRow) -> DatasetRecord | None:
        dataset = self._store.datasets.get(delivery.dataset)
        if dataset is None or dataset.record is None or dataset.unique_id is None:
            return None
        thumbnails = self._store.datasets.thumbnails(delivery.dataset)
        return from_json(dataset.record, unique_id=dataset.unique_id, revision=dataset.revision, thumbnails=thumbnails)

    def _chosen(self, found: Sequence[Held], primary: FileRow) -> str | None:
        """The one of several datasets with these bytes that is this file's, and no other's already."""
        path = display_name(primary.path)
        name = path.rpartition("/")[2]
        free = [held for held in found if self._store.datasets.by_unique_id(held.dataset) is None]
        here = [held for held in free if held.path == path]
        named = [held for held in free if held.name == name and held.path is None]
        return next((held.dataset for held in ((*here,) if self._live else (*here, *named))), None)

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        """An answer, however long it takes. Raises Stopping, also when a catalog refuses to answer."""
        while not self._context.stopping.is_set():
            if self._live:
                return ask()
            try:
                return ask()
            except (CatalogUnavailable, NotYet) as error:
                log.warning("rebuild.waiting", problem=str(error))
                self._context.clock.wait(self._context.stopping, AGAIN_SECONDS)
            except CatalogError as error:
                self.problem = str(error)
                raise Stopping from None
        raise Stopping
