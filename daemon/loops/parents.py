"""The parent dataset of a session: what it says, and owing it to every catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.compose import Provided, session_record
from daemon.model import SessionEvidence
from daemon.record_json import to_json
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.loops.context import Context
    from daemon.model import SessionId


def compose_parent(context: Context, catalogs: Sequence[str], session_id: SessionId) -> None:
    """Bring the parent record up to date. Call it in a transaction; does nothing for a session without a parent."""
    store, instrument = context.store, context.instrument
    session = store.sessions.get(session_id)
    if session is None:
        return
    store.sessions.current(session.id)
    parent = store.sessions.parent(session.id)
    if parent is None:
        return
    dataset, unique_id = parent
    count, size = store.sessions.summary(session.id)
    by_person = session.evidence is SessionEvidence.PERSON
    record = session_record(
        unique_id=unique_id,
        instrument=instrument.instrument,
        name=session.name,
        started_at=session.started_at,
        ended_at=session.ended_at,
        datasets=count,
        size=size,
        provided=Provided(
            session=session.attributes if by_person else {},
            configuration={"instrument_id": instrument.instrument, **instrument.attributes},
        ),
    )
    revision = store.sessions.compose_parent(dataset, to_json(record))
    for catalog in catalogs:
        store.deliveries.put(dataset, revision, catalog, stamp(session.started_at))
