"""The queue: which dataset revision is owed to which catalog, and how far its steps are.

The loops use four verbs: `put`, `lease`, `extend` (remember a step) and `finish`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.model import DatasetId, DeliveryId, DeliveryState, Step
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.clock import Clock
    from daemon.store.database import Database, Row
    from daemon.store.journal import JournalTable

LONGEST_WAIT: Final = timedelta(days=1)
"""No catalog is waited for longer (`daemon.catalogs.answers.LONGEST_WAIT`)."""

LEFT_CONFIGURATION: Final = "The catalog is no longer in the configuration."


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One dataset revision owed to one catalog. `unique_id` and `key` of its dataset in listings only."""

    id: DeliveryId
    dataset: DatasetId
    revision: int
    catalog: str
    state: DeliveryState
    attempts: int
    not_before: datetime | None
    error: str
    age: str
    queued_at: str
    delivered_at: str | None
    unique_id: str | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """What is known of one step: done or begun, what it remembered, what it gave, and when that was."""

    digest: str
    done: bool
    memory: Mapping[str, Any]
    outcome: Mapping[str, Any]
    at: str = ""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Work of a catalog that goes on after its step: what the step gave, and since when."""

    dataset: DatasetId
    catalog: str
    kind: str
    key: str
    at: datetime
    outcome: Mapping[str, Any] = field(compare=False)


class Deliveries:
    """The table of deliveries and their steps."""

    def __init__(self, database: Database, journal: JournalTable, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def put(self, dataset: DatasetId, revision: int, catalog: str, age: str) -> None:
        """Owe a revision to a catalog. An older revision that is not under way yet is replaced by it."""
        with self._database.transaction():
            owed = self._database.one("owed_delivery", dataset=dataset, catalog=catalog)
            if owed is not None:
                self._supersede(owed["id"], revision)
            delivery = self._database.insert(
                "add_delivery",
                dataset=dataset,
                revision=revision,
                catalog=catalog,
                age=age,
                at=stamp(self._clock.now()),
                attempts=0 if owed is None else owed["attempts"],  # what was tried may have reached the catalog
            )
            self._journal.write("delivery", delivery, "delivery.queued", catalog=catalog, revision=revision)

    def lease(self, catalog: str, *, besides: int | None = None, most: int | None = None) -> DeliveryRow | None:
        """Take the due delivery of the oldest dataset: sending.

        `besides`: a dataset that is left where it is; `most`: no dataset whose files have more bytes.
        """
        with self._database.transaction():
            now = stamp(self._clock.now())
            row = self._database.one("due_delivery", catalog=catalog, now=now, besides=besides, most=most)
            if row is None:
                return None
            self._database.run("lease_delivery", id=row["id"])
            self._journal.write("delivery", row["id"], "delivery.sending")
            return self.get(DeliveryId(row["id"]))

    def extend(self, delivery: DeliveryRow, step: Step, memory: Mapping[str, Any]) -> None:
        """Remember how far a step is, durably."""
        self._database.run(
            "remember_step",
            dataset=delivery.dataset,
            catalog=delivery.catalog,
            kind=step.kind,
            key=step.key,
            digest=step.digest,
            memory=json.dumps(memory),
            at=stamp(self._clock.now()),
        )

    def steps_done(self, delivery: DeliveryRow, steps: Sequence[tuple[Step, Mapping[str, Any]]]) -> None:
        """Steps with their outcomes are done and are never made again."""
        if not steps:
            return
        now = stamp(self._clock.now())
        with self._database.transaction():
            for step, outcome in steps:
                self._database.run(
                    "finish_step",
                    dataset=delivery.dataset,
                    catalog=delivery.catalog,
                    kind=step.kind,
                    key=step.key,
                    digest=step.digest,
                    outcome=json.dumps(outcome),
                    at=now,
                )

    def steps(self, dataset: DatasetId, catalog: str) -> dict[tuple[str, str], StepRow]:
        """Every step of a dataset in a catalog, by kind and key."""
        rows = self._database.all("steps", dataset=dataset, catalog=catalog)
        return {
            (row["kind"], row["key"]): StepRow(
                row["digest"], bool(row["done"]), json.loads(row["memory"]), json.loads(row["outcome"]), row["at"]
            )
            for row in rows
        }

    def open_requests(self, catalog: str) -> list[OpenRequest]:
        """The ingestions that a catalog has not ended yet, as far as we know."""
        return [
            OpenRequest(
                DatasetId(row["dataset"]),
                catalog,
                row["kind"],
                row["key"],
                datetime.fromisoformat(row["at"]),
                json.loads(row["outcome"]),
            )
            for row in self._database.all("open_requests", catalog=catalog)
        ]

    def followed(self, request: OpenRequest, outcome: Mapping[str, Any]) -> None:
        """What became of it."""
        self._database.run(
            "set_step_outcome",
            dataset=request.dataset,
            catalog=request.catalog,
            kind=request.kind,
            key=request.key,
            outcome=json.dumps(outcome),
        )

    def finish(
        self, delivery: DeliveryRow, state: DeliveryState, *, error: str = "", not_before: datetime | None = None
    ) -> None:
        """End a lease: delivered, waiting until a moment, parked, or queued again."""
        now = stamp(self._clock.now())
        with self._database.transaction():
            owed = self._database.one("owed_delivery", dataset=delivery.dataset, catalog=delivery.catalog)
            if owed is not None and state is not DeliveryState.DELIVERED:
                self._replaced(delivery.id, delivery.attempts, owed)
                return
            self._database.run(
                "finish_delivery",
                id=delivery.id,
                state=state,
                error=error,
                not_before=None if not_before is None else stamp(not_before),
                delivered_at=now if state is DeliveryState.DELIVERED else None,
            )
            self._journal.write("delivery", delivery.id, f"delivery.{state}", **({"error": error} if error else {}))

    def requeue(self, delivery: DeliveryId) -> None:
        """A person asked to try a parked delivery again."""
        with self._database.transaction():
            self._database.run(
                "finish_delivery",
                id=delivery,
                state=DeliveryState.QUEUED,
                error="",
                not_before=None,
                delivered_at=None,
            )
            self._journal.write("delivery", delivery, "delivery.retried")

    def drop(self, delivery: DeliveryId) -> None:
        """A person gave a parked delivery up; its story stays in the journal."""
        with self._database.transaction():
            self._database.run("delete_delivery", id=delivery)
            self._journal.write("delivery", delivery, "delivery.dropped")

    def hurry(self, catalog: str) -> int:
        """The catalog is back: what waited for it is due now."""
        return self._database.run("retry_waiting", catalog=catalog)

    def suspect(self) -> None:
        """Everything that is owed may have reached its catalog already: its next try looks before it does anything."""
        self._database.run("suspect_deliveries")

    def suspect_dataset(self, dataset: DatasetId) -> None:
        """The same for what is owed of one dataset."""
        self._database.run("suspect_dataset", dataset=dataset)

    def adopt(self, catalogs: Sequence[str]) -> int:
        """Park what is owed to catalogs that left the configuration, and queue it again when they are back.

        The number that was parked.
        """
        with self._database.transaction():
            parked = 0
            for row in self._database.all("owed_deliveries"):
                known = row["catalog"] in catalogs
                if not known and row["state"] != DeliveryState.PARKED:
                    self._database.run("park_delivery", id=row["id"], error=LEFT_CONFIGURATION)
                    self._journal.write("delivery", row["id"], "delivery.parked", error=LEFT_CONFIGURATION)
                    parked += 1
                elif known and row["error"] == LEFT_CONFIGURATION:
                    self.requeue(DeliveryId(row["id"]))
            return parked

    def recover(self) -> int:
        """After a crash: what was being sent is queued again; its next try looks before it repeats."""
        with self._database.transaction():
            for row in self._database.all("sending_deliveries"):
                owed = self._database.one("owed_delivery", dataset=row["dataset"], catalog=row["catalog"])
                if owed is not None:  # a newer revision is owed already
                    self._replaced(DeliveryId(row["id"]), row["attempts"], owed)
            now = self._clock.now()  # a clock that was a day ahead when it was written down
            self._database.run("hurry_far", now=stamp(now), latest=stamp(now + LONGEST_WAIT))
            return self._database.run("requeue_sending")

    def get(self, delivery: DeliveryId) -> DeliveryRow | None:
        """One delivery by its id."""
        row = self._database.one("delivery", id=delivery)
        return None if row is None else _delivery(row)

    def next_due(self, catalog: str) -> datetime | None:
        """When the next waiting delivery of a catalog is due."""
        row = self._database.one("next_due", catalog=catalog)
        return None if row is None or row["at"] is None else datetime.fromisoformat(row["at"])

    def of_dataset(self, dataset: DatasetId) -> list[DeliveryRow]:
        """Every delivery of a dataset."""
        return [_delivery(row) for row in self._database.all("deliveries_of_dataset", dataset=dataset)]

    def parked(self) -> list[DeliveryRow]:
        """The deliveries that a person has to look at."""
        return [_delivery(row) for row in self._database.all("parked_deliveries")]

    def failing(self, limit: int) -> list[DeliveryRow]:
        """Parked deliveries and those that wait after an error, oldest first."""
        return [_delivery(row) for row in self._database.all("failing_deliveries", limit=limit)]

    def in_work(self, most: int = -1) -> int:
        """Deliveries that the daemon still has to make by itself, counted up to a number if one is given."""
        row = self._database.one("deliveries_in_work", most=most)
        return 0 if row is None else int(row["count"])

    def open_counts(self) -> dict[str, int]:
        """Number of deliveries in each state but delivered: a look at a small index, however much is done."""
        return {row["state"]: row["count"] for row in self._database.all("open_delivery_counts")}

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of deliveries by catalog and state."""
        counts: dict[str, dict[str, int]] = {}
        for row in self._database.all("delivery_counts"):
            counts.setdefault(row["catalog"], {})[row["state"]] = row["count"]
        return counts

    def skipped(self) -> list[tuple[str, str, int]]:
        """Catalog, reason (`skipped: private`) and number of what a catalog does not want; looks at everything delivered."""
        return [(row["catalog"], row["error"], row["count"]) for row in self._database.all("skipped_deliveries")]

    def _replaced(self, delivery: DeliveryId, attempts: int, owed: Row) -> None:
        """A newer revision is owed already; it has to know that something may have reached the catalog."""
        self._supersede(delivery, owed["revision"])
        self._database.run("inherit_attempts", id=owed["id"], attempts=attempts)

    def _supersede(self, delivery: DeliveryId, revision: int) -> None:
        self._database.run("delete_delivery", id=delivery)
        self._journal.write("delivery", delivery, "delivery.superseded", revision=revision)


def _delivery(row: Row) -> DeliveryRow:
    names = row.keys()
    return DeliveryRow(
        id=DeliveryId(row["id"]),
        dataset=DatasetId(row["dataset"]),
        revision=row["revision"],
        catalog=row["catalog"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        not_before=None if row["not_before"] is None else datetime.fromisoformat(row["not_before"]),
        error=row["error"],
        age=row["age"],
        queued_at=row["queued_at"],
        delivered_at=row["delivered_at"],
        unique_id=row["unique_id"] if "unique_id" in names else None,
        key=row["key"] if "key" in names else None,
    )
