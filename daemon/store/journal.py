"""The journal: one row for every move, in the transaction that makes it. The audit trail, and what `explain` prints."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from daemon.model import Journal

if TYPE_CHECKING:
    from daemon.clock import Clock
    from daemon.store.database import Database, Row


def stamp(moment: datetime) -> str:
    """A moment as the store writes it: ISO 8601, UTC, milliseconds, so that text order is time order."""
    return moment.isoformat(timespec="milliseconds")


class JournalTable:
    """Writes and reads the journal."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def write(self, entity: str, entity_id: int, event: str, **detail: Any) -> None:
        """Add one row; call it inside the transaction of the move it tells of."""
        self._database.run(
            "add_journal",
            at=stamp(self._clock.now()),
            entity=entity,
            entity_id=entity_id,
            event=event,
            detail=json.dumps(detail, ensure_ascii=True) if detail else "{}",
        )

    def of(self, entity: str, entity_id: int) -> list[Journal]:
        """The story of one file, dataset, session, delivery or root, oldest first."""
        return [_journal(row) for row in self._database.all("journal_of", entity=entity, entity_id=entity_id)]

    def recent(self, limit: int) -> list[Journal]:
        """The last moves, newest first."""
        return [_journal(row) for row in self._database.all("recent_journal", limit=limit)]


def _journal(row: Row) -> Journal:
    return Journal(
        at=datetime.fromisoformat(row["at"]),
        entity=row["entity"],
        entity_id=row["entity_id"],
        event=row["event"],
        detail=json.loads(row["detail"]),
    )
