"""The parent dataset of a session: what it says and shows, and owing it to every catalog."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from daemon import compose as composition
from daemon.compose import Provided, session_record
from daemon.extract.sheet import MOST_PICTURES, contact_sheet
from daemon.model import SessionEvidence
from daemon.record_json import to_json
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.loops.context import Context
    from daemon.model import RecordThumbnail, SessionId


def compose_parent(
    context: Context,
    catalogs: Sequence[str],
    session_id: SessionId,
    *,
    sheet: RecordThumbnail | None = None,
    coming: bool = False,
) -> None:
    """Bring the parent record up to date. Call it in a transaction; does nothing for a session without a parent.

    `sheet`: its picture, if there is a new one. `coming`: a dataset joins in this transaction, so it will be behind.
    """
    store, instrument = context.store, context.instrument
    session = store.sessions.get(session_id)
    if session is None:
        return
    if not coming:
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
    if sheet is not None:
        store.datasets.keep_thumbnails(dataset, [sheet])
    for catalog in catalogs:
        store.deliveries.put(dataset, revision, catalog, stamp(session.started_at))


class Sheets:
    """The contact sheets of sessions, drawn anew only when there are other pictures. For one thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._drawn: dict[SessionId, str] = {}

    def draw(self, session: SessionId) -> RecordThumbnail | None:
        """The sheet of a session, or None if it is the one that was drawn last, or there is nothing to show."""
        pictures = self._context.store.sessions.pictures(session, MOST_PICTURES)
        known = hashlib.sha256(b"".join(hashlib.sha256(png).digest() for png in pictures)).hexdigest()
        if not pictures or self._drawn.get(session) == known:
            return None
        image = contact_sheet(pictures)
        self._drawn[session] = known
        if image is None:
            return None
        return composition.thumbnail(image.caption, image.png, image.width, image.height, ())
