"""Composing: the transaction that makes a dataset a record, puts it into its session and owes it to every catalog."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon import compose as composition
from daemon.children import ExtractedChild, former_children, pictures
from daemon.compose import Extracted, Member, Provided
from daemon.errors import LabferryError
from daemon.grouping.sessions import Evidence, Span, evidence_for, gap_session, name_for_gap, path_attributes
from daemon.loops.parents import compose_parent
from daemon.loops.sidecars import Sidecar, nearest_session_file, sidecar_of
from daemon.mfid import new_mfid
from daemon.model import DatasetState, SampleRef, SessionEvidence
from daemon.record_json import to_json, with_known_names
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.extract.outcome import ThumbnailImage
    from daemon.extract.sandbox import Outcome
    from daemon.loops.context import Context, WatchedFolder
    from daemon.loops.recalling import Parent, Recalled
    from daemon.model import DatasetRecord, RecordThumbnail, SessionId
    from daemon.store.datasets import DatasetRow
    from daemon.store.files import FileRow
    from daemon.store.sessions import SessionRow

log = structlog.get_logger("labferry.compose")

_PLAUSIBLE_YEARS: Final = range(1900, 2200)
"""What a wrong clock or a hostile file says beside these is no evidence, and no calendar could reckon with it."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What people left beside the data: a session.yaml with its folder, and the primary file's sidecar."""

    session_folder: str | None
    session_file: Mapping[str, Any] | None
    sidecar: Sidecar


@dataclass(frozen=True, slots=True)
class Kept:
    """A composed revision: its record, the primary file's path and the session's name."""

    record: DatasetRecord
    path: str
    session: str
    revision: int


class Composing:
    """Brings what everybody says of a dataset together, once for each revision."""

    def __init__(self, context: Context, catalogs: Sequence[str]) -> None:
        self._context = context
        self._store = context.store
        self._catalogs = tuple(catalogs)
        self._roots = {root.id: root for root in context.roots}
        pattern = context.instrument.session.path
        self._pattern = None if pattern is None else re.compile(pattern)

    def keep(
        self, dataset: DatasetRow, members: Sequence[FileRow], outcome: Outcome, recalled: Recalled | None = None
    ) -> Kept | None:
        """Compose and queue, in one transaction; `announce` it when that is on the disk.

        `recalled`: what a catalog knows of the dataset already, when a store is rebuilt. None if the dataset changed
        meanwhile: it comes again.
        """
        root = self._roots[dataset.root or 0]
        primary = members[0]
        notes = Notes(*nearest_session_file(root.path, primary.path), sidecar_of(root.path, members))
        extracted = _extracted(outcome, members, notes.sidecar)
        with self._store.database.transaction():
            current = self._store.datasets.get(dataset.id)
            if current is None or current.state is not DatasetState.EXTRACTING or self._others(dataset, members):
                return None
            session = self._session(current, primary, extracted, notes, None if recalled is None else recalled.parent)
            parent = self._parent(session, None if recalled is None else recalled.parent)
            unique_id = self._unique_id(current, extracted, None if recalled is None else recalled.unique_id)
            record = composition.compose(
                unique_id=unique_id,
                revision=current.revision + 1,
                members=[_member(root, file, primary=file is primary) for file in members],
                provided=self._provided(primary, session, notes),
                extracted=extracted,
                thumbnails=_thumbnails(outcome.thumbnails),
                parent_id=parent,
            )
            record = replace(record, files=with_known_names(record.files, current.record))
            former = former_children(current.record, record)
            revision = self._store.datasets.compose(
                dataset.id,
                unique_id=unique_id,
                session=session.id,
                ingestor=outcome.ingestor,
                record={**to_json(record), **({"former_children": former} if former else {})},
                thumbnails=pictures(record),
            )
            for catalog in self._catalogs:
                self._store.deliveries.put(dataset.id, revision, catalog, dataset.first_seen)
            if recalled is not None:
                self._store.deliveries.suspect_dataset(dataset.id)
        return Kept(record, primary.path, session.name, revision)

    def announce(self, kept: Kept) -> None:
        """Tell the deliveries and the log; only what is on the disk is told."""
        self._context.wake_deliveries()
        record = kept.record
        log.info(
            "dataset.composed",
            path=display_name(kept.path),
            dataset=record.unique_id,
            name=record.value("dataset_name"),
            ingestor=record.ingestor,
            measurement=record.value("measurement"),
            session=kept.session,
            revision=kept.revision,
            files=len(record.files),
            **({"children": len(record.children)} if record.children else {}),
            **({"warnings": list(record.warnings)} if record.warnings else {}),
        )

    def _others(self, dataset: DatasetRow, members: Sequence[FileRow]) -> bool:
        """Whether the members or their bytes are others than those that were read: somebody else reads these."""
        now = self._store.files.of_dataset(dataset.id)
        return {(file.id, file.path, file.digests) for file in now} != {
            (file.id, file.path, file.digests) for file in members
        }

    def _provided(self, primary: FileRow, session: SessionRow, notes: Notes) -> Provided:
        instrument = self._context.instrument
        by_person = session.evidence is SessionEvidence.PERSON
        return Provided(
            session_name=session.name,
            session_evidence=session.evidence,
            session=session.attributes if by_person else {},
            sidecar=notes.sidecar.attributes,
            sidecar_metadata=notes.sidecar.metadata,
            sidecar_files=notes.sidecar.files,
            path=path_attributes(self._pattern, primary.path),
            configuration={"instrument_id": instrument.instrument, **instrument.attributes},
            defaults={"instrument_name": instrument.instrument, **instrument.defaults},
        )

    def _session(
        self, dataset: DatasetRow, primary: FileRow, extracted: Extracted, notes: Notes, recalled: Parent | None
    ) -> SessionRow:
        """The session that the strongest evidence names; opened when the first dataset of it comes.

        One that a catalog remembers is this one, whatever the evidence says today.
        """
        settings = self._context.instrument.session
        at = measured_at(extracted, primary)
        known = None if recalled is None else self._store.sessions.of_parent(recalled.unique_id)
        if known is not None:
            return self._joined(known, at)
        before = None if dataset.session is None else self._store.sessions.get(dataset.session)
        if before is not None and (before.opened_by_hand or before.evidence is SessionEvidence.GAP):
            return self._joined(before.id, at)  # of its time, not of this revision's
        opened = None if before is not None else self._store.sessions.opened()
        evidence = evidence_for(
            primary.path,
            opened=None
            if opened is None
            else Evidence(SessionEvidence.PERSON, opened.key, opened.name, opened.attributes),
            session_file=notes.session_file,
            session_folder=notes.session_folder,
            extraction_attributes=extracted.attributes,
            path_pattern=self._pattern,
            folder=settings.folder,
        )
        if recalled is not None:
            unheard = self._unheard(at) if evidence is None else None
            if unheard is not None:
                self._store.sessions.rename(unheard, recalled.session)
                return self._joined(unheard.id, at)
            evidence = recalled.evidence(evidence, f"{at.isoformat()} {primary.id}")
        if evidence is None:
            near = self._store.sessions.near(at, settings.gap)
            spans = [Span(session.id, session.started_at, session.ended_at) for session in near]
            known = gap_session(spans, at, settings.gap)
            if known is not None:
                return self._joined(known, at)
            name = name_for_gap(self._context.instrument.instrument, at.astimezone())
            evidence = Evidence(SessionEvidence.GAP, f"{at.isoformat()} {primary.id}", name)
        row = self._store.sessions.by_key(evidence.kind, evidence.key)
        if row is not None:
            return self._joined(row.id, at)
        session = self._store.sessions.open(evidence.kind, evidence.key, evidence.name, evidence.attributes, at)
        log.info("session.open", name=evidence.name, evidence=evidence.kind.value)
        return self._joined(session, at)

    def _unheard(self, at: datetime) -> SessionRow | None:
        """The session of this time if no catalog can have heard of it: datasets that none knew opened it in this rebuild."""
        for session in self._store.sessions.near(at, self._context.instrument.session.gap):
            parent = self._store.sessions.parent(session.id)
            deliveries = [] if parent is None else self._store.deliveries.of_dataset(parent[0])
            if parent is None or not any(one.attempts or one.delivered_at for one in deliveries):
                return session
        return None

    def _joined(self, session: SessionId, at: datetime) -> SessionRow:
        self._store.sessions.join(session, at)
        row = self._store.sessions.get(session)
        if row is None:
            raise LabferryError(f"Session {session} is not in the store any more.", "Run `labferry check`.")
        return row

    def _parent(self, session: SessionRow, recalled: Parent | None) -> str | None:
        """The id of the session's parent dataset, chosen and stored before any catalog hears of it."""
        if not self._context.instrument.session.parent:
            return None
        known = self._store.sessions.parent(session.id)
        if known is not None and (recalled is None or recalled.unique_id == known[1]):
            return known[1]
        if known is not None and recalled is not None:  # chosen for a dataset that no catalog knew; not sent yet
            self._store.sessions.change_parent(session.id, known, recalled.unique_id)
            self._store.deliveries.suspect_dataset(known[0])
            return recalled.unique_id
        unique_id = new_mfid(time.time_ns()) if recalled is None else recalled.unique_id
        parent = self._store.sessions.add_parent(session.id, unique_id, session.started_at)
        # Owed first, so that its datasets can be linked to it.
        compose_parent(self._context, self._catalogs, session.id, coming=True)
        if recalled is not None:
            self._store.deliveries.suspect_dataset(parent)
        return unique_id

    def _unique_id(self, dataset: DatasetRow, extracted: Extracted, recalled: str | None) -> str:
        """A copy of a file has the same own id: only the first dataset gets it."""
        if recalled is not None and dataset.unique_id is None and self._store.datasets.by_unique_id(recalled) is None:
            return recalled
        fresh = new_mfid(time.time_ns())
        chosen = composition.chosen_id(extracted.attributes, dataset.unique_id, fresh)
        holder = self._store.datasets.by_unique_id(chosen)
        return chosen if holder in {None, dataset.id} else fresh


def measured_at(extracted: Extracted, primary: FileRow) -> datetime:
    """When the dataset was measured: what the file says (local time if it names no zone), else its last change."""
    text = extracted.attributes.get("timestamp", "")
    for moment in (_parsed(text), composition.changed_at(primary.fingerprint)):
        if moment is not None and moment.year in _PLAUSIBLE_YEARS:
            return moment
    return datetime.fromisoformat(primary.first_seen)


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _extracted(outcome: Outcome, members: Sequence[FileRow], sidecar: Sidecar) -> Extracted:
    failures = [f"{failure.ingestor}: {failure.reason}" for failure in outcome.failures]
    notes = [f"{display_name(file.path)}: {file.reason}" for file in members if file.reason]
    return Extracted(
        ingestor=outcome.ingestor,
        version=outcome.version,
        attributes=outcome.attributes,
        scientific_metadata=outcome.scientific_metadata,
        keywords=outcome.keywords,
        samples=_samples(outcome.samples),
        warnings=[*outcome.warnings, *failures, *notes, *sidecar.warnings],
        units=outcome.units,
        cleaned=outcome.cleaned,
        children=[
            ExtractedChild(
                part=child.key,
                attributes=child.attributes,
                scientific_metadata=child.scientific_metadata,
                keywords=child.keywords,
                samples=_samples(child.samples),
                thumbnails=_thumbnails(child.thumbnails, child.key),
                units=child.units,
            )
            for child in outcome.children
        ],
    )


def _samples(samples: Sequence[Mapping[str, str | None]]) -> list[SampleRef]:
    return [SampleRef(sample["name"] or "", sample.get("unique_id")) for sample in samples]


def _member(root: WatchedFolder, file: FileRow, *, primary: bool) -> Member:
    if file.digests is None:
        raise LabferryError(f"{display_name(file.path)} has no hash although it settled.", "Report this.")
    return Member(
        path=file.path,
        absolute=os.fspath(root.path / file.path),
        fingerprint=file.fingerprint,
        sha256=file.digests.sha256,
        crc32c=file.digests.crc32c,
        part_size=file.digests.part_size,
        part_crc32c=file.digests.part_crc32c,
        version=file.version,
        primary=primary,
    )


def _thumbnails(images: Sequence[ThumbnailImage], part: str = "") -> tuple[RecordThumbnail, ...]:
    named: list[RecordThumbnail] = []
    for image in images:
        taken = [picture.name for picture in named]
        picture = composition.thumbnail(image.caption, image.png, image.width, image.height, taken)
        named.append(replace(picture, part=part))
    return tuple(named)
