"""The datasets: which files they group, how far each is, and its composed record."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.model import DATASET_TRANSITIONS, DatasetId, DatasetState, RecordThumbnail, SessionId
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.clock import Clock
    from daemon.store.database import Database, Row
    from daemon.store.journal import JournalTable


ROOT_LEFT: Final = "its root is no longer in the configuration"
VANISHED: Final = "its file vanished before it was delivered"


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One dataset. `key` says which files it groups (a path below the root); a session's parent has none."""

    id: DatasetId
    kind: str
    root: int | None
    key: str | None
    session: SessionId | None
    unique_id: str | None
    state: DatasetState
    reason: str
    revision: int
    first_seen: str
    composed_at: str | None
    ingestor: str
    record: Mapping[str, Any] | None


class Datasets:
    """The table of datasets. Every move writes its line into the journal in the same transaction."""

    def __init__(self, database: Database, journal: JournalTable, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def get(self, dataset: DatasetId) -> DatasetRow | None:
        """One dataset by its id."""
        row = self._database.one("dataset", id=dataset)
        return None if row is None else _dataset(row)

    def by_key(self, root: int, key: str) -> DatasetRow | None:
        """The dataset that groups this key's files."""
        row = self._database.one("dataset_by_key", root=root, key=os.fsencode(key))
        return None if row is None else _dataset(row)

    def by_unique_id(self, unique_id: str) -> DatasetId | None:
        """The dataset that has this id."""
        row = self._database.one("dataset_by_unique_id", unique_id=unique_id)
        return None if row is None else DatasetId(row["id"])

    def create(self, root: int, key: str) -> DatasetId:
        """A dataset for a key that has none: waiting for its members."""
        with self._database.transaction():
            dataset = self._database.insert("add_dataset", root=root, key=os.fsencode(key), at=stamp(self._clock.now()))
            self._journal.write("dataset", dataset, "dataset.waiting")
        return DatasetId(dataset)

    def rekey(self, dataset: DatasetId, key: str) -> None:
        """The dataset's primary file was renamed."""
        self._database.run("set_dataset_key", id=dataset, key=os.fsencode(key))

    def forget_if_empty(self, dataset: DatasetId) -> None:
        """Remove a dataset that lost its last member before it was ever composed."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is None or row.revision or self.has_members(dataset):
                return
            self._forget(dataset, "dataset.forgotten")

    def wait(self, dataset: DatasetId, reason: str) -> None:
        """A member is not settled (any more): the next composition is another revision."""
        self._move(dataset, DatasetState.WAITING, reason)

    def ready_if_settled(self, dataset: DatasetId) -> bool:
        """Move a waiting dataset on when every member is settled; True if it is ready now."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is None or row.state is not DatasetState.WAITING or self._members(dataset):
                return False
            if not self._settled(dataset):
                return False
            self._move(dataset, DatasetState.READY)
            return True

    def lease_ready(self) -> DatasetRow | None:
        """Take the oldest ready dataset: extracting."""
        with self._database.transaction():
            row = self._database.one("next_ready_dataset")
            if row is None:
                return None
            self._move(DatasetId(row["id"]), DatasetState.EXTRACTING)
            return _dataset(row)

    def release(self, dataset: DatasetId) -> None:
        """Give a dataset back that was being extracted (and still is): ready."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is not None and row.state is DatasetState.EXTRACTING:
                self._move(dataset, DatasetState.READY)

    def recover(self) -> int:
        """After a crash: what was being extracted is ready again."""
        return self._database.run("requeue_extracting")

    def park(self, dataset: DatasetId, reason: str) -> None:
        """Only a person can help."""
        self._move(dataset, DatasetState.PARKED, reason)

    def park_for(self, dataset: DatasetId, reason: str) -> bool:
        """Park a dataset that nobody else has parked or finished yet; True if it was."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is None or row.state in {DatasetState.PARKED, DatasetState.DELIVERED}:
                return False
            self.park(dataset, reason)
            return True

    def retry(self, dataset: DatasetId, reason: str) -> bool:
        """Try a parked dataset again, unless none of its files is there; True if it is ready now."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is None or row.state is not DatasetState.PARKED or not self.has_members(dataset):
                return False
            self.wait(dataset, reason)
            return self.ready_if_settled(dataset)

    def again(self, dataset: DatasetId, reason: str) -> bool:
        """Read a dataset again that was composed before and whose members are all there and settled; True if it will be."""
        with self._database.transaction():
            row = self.get(dataset)
            done = {DatasetState.DELIVERED, DatasetState.COMPOSED, DatasetState.PARKED}
            if row is None or row.kind != "measurement" or row.state not in done:
                return False
            if self._members(dataset) or not self._settled(dataset):
                return False
            self._move(dataset, DatasetState.READY, reason)
            return True

    def to_reingest(
        self, after: int, last: int, ingestor: str | None, since: str | None, *, limit: int
    ) -> list[DatasetId]:
        """Measurements that every catalog has, by row: read by this ingestor, first seen since, if those are named."""
        rows = self._database.all(
            "datasets_to_reingest", after=after, last=last, ingestor=ingestor, since=since, limit=limit
        )
        return [DatasetId(row["id"]) for row in rows]

    def last_id(self) -> int:
        """The row of the newest dataset."""
        row = self._database.one("last_dataset")
        return int(row["id"]) if row is not None and row["id"] is not None else 0

    def parked_for(self, reason: str) -> list[DatasetRow]:
        """The datasets that were parked with exactly these words."""
        return [_dataset(row) for row in self._database.all("datasets_parked_for", reason=reason)]

    def stand(self, dataset: DatasetId, reason: str) -> None:
        """All its files belong to others now: what was composed of it last remains as it is."""
        with self._database.transaction():
            for state in (DatasetState.READY, DatasetState.EXTRACTING, DatasetState.COMPOSED):
                row = self.get(dataset)
                if row is not None and state in DATASET_TRANSITIONS[row.state]:
                    self._move(dataset, state, reason)
            self.delivered_if_all(dataset)

    def drop(self, dataset: DatasetId) -> None:
        """A person gave a parked dataset up. Its files stay known, so that a change of one brings it back."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is not None and not row.revision:
                self._forget(dataset, "dataset.dropped")
            elif row is not None:
                self._journal.write("dataset", dataset, "dataset.dropped")
                self._database.run("forget_owed_deliveries", dataset=dataset)
                self._move(dataset, DatasetState.COMPOSED, "given up by a person")
                self.delivered_if_all(dataset)

    def compose(
        self,
        dataset: DatasetId,
        *,
        unique_id: str,
        session: SessionId | None,
        ingestor: str,
        record: Mapping[str, Any],
        thumbnails: Sequence[RecordThumbnail],
    ) -> int:
        """Keep the composed record; the new revision's number. Call it in the transaction that queues the deliveries."""
        with self._database.transaction():
            row = self.get(dataset)
            revision = (row.revision if row else 0) + 1
            self._database.run(
                "compose_dataset",
                id=dataset,
                revision=revision,
                unique_id=unique_id,
                session=session,
                ingestor=ingestor,
                record=json.dumps(record),
                at=stamp(self._clock.now()),
            )
            self.keep_thumbnails(dataset, thumbnails)
            self._journal.write(
                "dataset", dataset, "dataset.composed", revision=revision, ingestor=ingestor, unique_id=unique_id
            )
        return revision

    def keep_thumbnails(self, dataset: DatasetId, thumbnails: Sequence[RecordThumbnail]) -> None:
        """Replace the dataset's thumbnails."""
        self._database.run("forget_thumbnails", dataset=dataset)
        for position, picture in enumerate(thumbnails):
            self._database.run(
                "add_thumbnail",
                dataset=dataset,
                position=position,
                part=picture.part,
                name=picture.name,
                caption=picture.caption,
                width=picture.width,
                height=picture.height,
                sha256=picture.sha256,
                png=picture.png,
            )

    def thumbnails(self, dataset: DatasetId) -> tuple[RecordThumbnail, ...]:
        """The dataset's thumbnails in their order, then those of its children."""
        return tuple(
            RecordThumbnail(
                row["name"],
                row["caption"],
                row["width"],
                row["height"],
                row["sha256"],
                row["png"],
                row["part"] if "part" in row.keys() else "",  # noqa: SIM118 a Row is no mapping; read before migrating
            )
            for row in self._database.all("thumbnails", dataset=dataset)
        )

    def delivered_if_all(self, dataset: DatasetId) -> bool:
        """Move a composed dataset on when every catalog has its revision."""
        with self._database.transaction():
            row = self.get(dataset)
            if row is None or self._count("undelivered_of_dataset", dataset=dataset):
                return False
            if (
                row.state is DatasetState.PARKED and row.reason == VANISHED
            ):  # while it was being sent: in time after all
                self._move(dataset, DatasetState.COMPOSED)
            elif row.state is not DatasetState.COMPOSED:
                return False
            self._move(dataset, DatasetState.DELIVERED)
            return True

    def counts(self) -> Mapping[str, int]:
        """Number of measurements in each state."""
        return {row["state"]: row["count"] for row in self._database.all("dataset_counts")}

    def in_work(self, most: int = -1) -> int:
        """Datasets that the daemon still has to bring forward by itself, counted up to a number if one is given."""
        return self._count("datasets_in_work", most=most)

    def parked(self) -> list[DatasetRow]:
        """Datasets that only a person can help."""
        return [_dataset(row) for row in self._database.all("parked_datasets")]

    def delivered(self) -> list[DatasetRow]:
        """The measurements that every catalog has, oldest first."""
        return [_dataset(row) for row in self._database.all("delivered_datasets")]

    def of_session(self, session: SessionId) -> list[DatasetRow]:
        """The measurements of a session, oldest first."""
        return [_dataset(row) for row in self._database.all("measurements_of_session", session=session)]

    def stuck(self, limit: int) -> list[DatasetRow]:
        """Waiting and parked datasets, oldest first."""
        return [_dataset(row) for row in self._database.all("waiting_or_parked_datasets", limit=limit)]

    def purge_thumbnails(self, before: str) -> None:
        """Forget the pictures of datasets that every catalog has since the given time."""
        self._database.run("purge_thumbnails", before=before)

    def has_members(self, dataset: DatasetId) -> bool:
        """Whether any file of the dataset is there."""
        return bool(self._members(dataset) or self._settled(dataset))

    def _forget(self, dataset: DatasetId, event: str) -> None:
        self._journal.write("dataset", dataset, event)
        self._database.run("release_files", dataset=dataset)
        self._database.run("delete_dataset", id=dataset)

    def _members(self, dataset: DatasetId) -> int:
        return self._count("dataset_open_members", dataset=dataset)

    def _settled(self, dataset: DatasetId) -> int:
        return self._count("dataset_settled_members", dataset=dataset)

    def _count(self, query: str, **parameters: Any) -> int:
        row = self._database.one(query, **parameters)
        return 0 if row is None else int(row["count"])

    def _move(self, dataset: DatasetId, state: DatasetState, reason: str = "") -> None:
        with self._database.transaction():
            self._database.run("set_dataset_state", id=dataset, state=state, reason=reason)
            detail = {"reason": reason} if reason else {}
            self._journal.write("dataset", dataset, f"dataset.{state}", **detail)


def _dataset(row: Row) -> DatasetRow:
    return DatasetRow(
        id=DatasetId(row["id"]),
        kind=row["kind"],
        root=row["root"],
        key=None if row["key"] is None else os.fsdecode(row["key"]),
        session=None if row["session"] is None else SessionId(row["session"]),
        unique_id=row["unique_id"],
        state=DatasetState(row["state"]),
        reason=row["reason"],
        revision=row["revision"],
        first_seen=row["first_seen"],
        composed_at=row["composed_at"],
        ingestor=row["ingestor"],
        record=None if row["record"] is None else json.loads(row["record"]),
    )
