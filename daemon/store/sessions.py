"""The sessions: sittings that datasets belong to, and the parent dataset that stands for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from daemon.model import DatasetId, SessionEvidence, SessionId, SessionState
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.clock import Clock
    from daemon.store.database import Database, Row
    from daemon.store.journal import JournalTable


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. `started_at` and `ended_at` are times of its datasets; `count` is known in listings only."""

    id: SessionId
    evidence: SessionEvidence
    key: str
    name: str
    attributes: Mapping[str, Any]
    state: SessionState
    started_at: datetime
    ended_at: datetime
    count: int = 0

    @property
    def opened_by_hand(self) -> bool:
        """Whether a person opened it with `labferry session start`."""
        return self.evidence is SessionEvidence.PERSON and self.key.startswith("opened:")


class Sessions:
    """The table of sessions."""

    def __init__(self, database: Database, journal: JournalTable, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def get(self, session: SessionId) -> SessionRow | None:
        """One session by its id."""
        row = self._database.one("session", id=session)
        return None if row is None else _session(row)

    def by_key(self, evidence: SessionEvidence, key: str) -> SessionRow | None:
        """The session that this evidence names."""
        row = self._database.one("session_by_key", evidence=evidence, key=key)
        return None if row is None else _session(row)

    def opened(self) -> SessionRow | None:
        """The session that a person has opened by hand and not closed."""
        row = self._database.one("opened_session")
        return None if row is None else _session(row)

    def near(self, at: datetime, gap: float) -> list[SessionRow]:
        """The sessions by pause whose datasets lie within `gap` seconds of a moment."""
        earliest = datetime.fromtimestamp(at.timestamp() - gap, at.tzinfo)
        latest = datetime.fromtimestamp(at.timestamp() + gap, at.tzinfo)
        rows = self._database.all("gap_sessions_near", earliest=stamp(earliest), latest=stamp(latest))
        return [_session(row) for row in rows]

    def open(
        self, evidence: SessionEvidence, key: str, name: str, attributes: Mapping[str, Any], at: datetime
    ) -> SessionId:
        """A new session that begins at a moment."""
        with self._database.transaction():
            session = self._database.insert(
                "add_session",
                evidence=evidence,
                key=key,
                name=name,
                attributes=json.dumps(attributes),
                started_at=stamp(at),
                ended_at=stamp(at),
                at=stamp(self._clock.now()),
            )
            self._journal.write("session", session, "session.open", name=name, evidence=evidence)
        return SessionId(session)

    def join(self, session: SessionId, at: datetime) -> None:
        """A dataset of this moment belongs to the session; late ones too, for a published session never splits."""
        self._database.run("extend_session", id=session, at=stamp(at), now=stamp(self._clock.now()))

    def close(self, session: SessionId) -> None:
        """The sitting is over."""
        with self._database.transaction():
            self._database.run("close_session", id=session, at=stamp(self._clock.now()))
            self._journal.write("session", session, "session.closed")

    def idle(self, before: datetime) -> list[SessionRow]:
        """Open sessions that no dataset joined since."""
        return [_session(row) for row in self._database.all("idle_sessions", before=stamp(before))]

    def changed(self) -> list[SessionRow]:
        """Sessions whose parent record is behind."""
        return [_session(row) for row in self._database.all("changed_sessions")]

    def current(self, session: SessionId) -> None:
        """The parent record tells what the session is now."""
        self._database.run("session_is_current", id=session)

    def all(self, limit: int) -> list[SessionRow]:
        """The latest sessions with the number of their datasets."""
        return [_session(row) for row in self._database.all("sessions", limit=limit)]

    def named(self, name: str) -> list[SessionRow]:
        """The sessions of this name, oldest first."""
        return [_session(row) for row in self._database.all("sessions_named", name=name)]

    def summary(self, session: SessionId) -> tuple[int, int]:
        """Number of datasets and bytes of a session."""
        row = self._database.one("session_summary", session=session)
        return (0, 0) if row is None else (int(row["count"]), int(row["bytes"] or 0))

    def pictures(self, session: SessionId, most: int) -> list[bytes]:
        """The first picture of each dataset of a session as PNG, so many of the latest at the most, oldest first."""
        rows = self._database.all("session_pictures", session=session, most=most)
        return [row["png"] for row in reversed(rows)]

    def parent(self, session: SessionId) -> tuple[DatasetId, str] | None:
        """The parent dataset's row and id in the catalogs."""
        row = self._database.one("parent_of_session", session=session)
        return None if row is None else (DatasetId(row["id"]), str(row["unique_id"]))

    def add_parent(self, session: SessionId, unique_id: str, at: datetime) -> DatasetId:
        """Choose and keep the parent dataset's id before anybody hears of it."""
        with self._database.transaction():
            parent = self._database.insert(
                "add_parent", session=session, unique_id=unique_id, at=stamp(at), record="{}"
            )
            self._journal.write("dataset", parent, "dataset.composed", session=session, unique_id=unique_id)
        return DatasetId(parent)

    def of_parent(self, unique_id: str) -> SessionId | None:
        """The session whose parent dataset has this id."""
        row = self._database.one("session_of_parent", unique_id=unique_id)
        return None if row is None else SessionId(row["session"])

    def change_parent(self, session: SessionId, parent: tuple[DatasetId, str], unique_id: str) -> None:
        """Give the parent dataset the id that a catalog knows it by, before anybody heard of the one it has."""
        with self._database.transaction():
            self._database.run("set_unique_id", id=parent[0], unique_id=unique_id)
            self._database.run("change_parent_id", session=session, old=parent[1], new=unique_id)
            self._journal.write("dataset", parent[0], "dataset.recalled", unique_id=unique_id)

    def rename(self, session: SessionRow, name: str) -> None:
        """Give a session, and the records of its datasets, the name that a catalog knows, before anybody heard of ours."""
        with self._database.transaction():
            self._database.run("rename_session", session=session.id, name=name)
            self._database.run("rename_session_of_datasets", session=session.id, old=session.name, new=name)

    def compose_parent(self, parent: DatasetId, record: Mapping[str, Any]) -> int:
        """Keep what the parent record says now; its revision."""
        with self._database.transaction():
            row = self._database.one("dataset", id=parent)
            revision = (row["revision"] if row else 0) + 1
            self._database.run(
                "compose_parent", id=parent, revision=revision, record=json.dumps(record), at=stamp(self._clock.now())
            )
        return revision


def _session(row: Row) -> SessionRow:
    return SessionRow(
        id=SessionId(row["id"]),
        evidence=SessionEvidence(row["evidence"]),
        key=row["key"],
        name=row["name"],
        attributes=json.loads(row["attributes"]),
        state=SessionState(row["state"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]),
        count=row["count"] if "count" in row.keys() else 0,  # noqa: SIM118 a Row is no mapping
    )
