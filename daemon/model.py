"""The words of the design as values, and their transition tables. Pure: standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FileId = NewType("FileId", int)
DatasetId = NewType("DatasetId", int)
SessionId = NewType("SessionId", int)
DeliveryId = NewType("DeliveryId", int)


class FileState(StrEnum):
    """A file on its way to being complete."""

    SEEN = "seen"  # known, not looked at yet
    SETTLING = "settling"  # waiting until it is complete; the reason stands beside it
    SETTLED = "settled"  # complete and hashed
    VANISHED = "vanished"  # no longer at its path
    IGNORED = "ignored"  # the configuration no longer includes it


class DatasetState(StrEnum):
    """A dataset on its way to the catalogs."""

    WAITING = "waiting"  # a member is not settled
    READY = "ready"  # every member is settled
    EXTRACTING = "extracting"
    COMPOSED = "composed"  # the record is made and owed to every catalog
    DELIVERED = "delivered"  # every catalog has this revision
    PARKED = "parked"  # only a person can help


class SessionState(StrEnum):
    """A sitting."""

    OPEN = "open"
    CLOSED = "closed"


class DeliveryState(StrEnum):
    """One dataset revision owed to one catalog."""

    QUEUED = "queued"
    SENDING = "sending"
    WAITING = "waiting"  # until its `not_before`
    DELIVERED = "delivered"
    PARKED = "parked"


FILE_TRANSITIONS: Final[Mapping[FileState, frozenset[FileState]]] = {
    FileState.SEEN: frozenset({FileState.SETTLING, FileState.VANISHED, FileState.IGNORED}),
    FileState.SETTLING: frozenset({FileState.SETTLED, FileState.VANISHED, FileState.IGNORED}),
    FileState.SETTLED: frozenset({FileState.SETTLING, FileState.VANISHED, FileState.IGNORED}),
    FileState.VANISHED: frozenset({FileState.SETTLING, FileState.SEEN}),
    FileState.IGNORED: frozenset({FileState.SEEN, FileState.VANISHED}),
}

DATASET_TRANSITIONS: Final[Mapping[DatasetState, frozenset[DatasetState]]] = {
    DatasetState.WAITING: frozenset({DatasetState.READY, DatasetState.PARKED}),
    DatasetState.READY: frozenset({DatasetState.EXTRACTING, DatasetState.WAITING, DatasetState.PARKED}),
    DatasetState.EXTRACTING: frozenset(
        {DatasetState.COMPOSED, DatasetState.READY, DatasetState.WAITING, DatasetState.PARKED}
    ),
    DatasetState.COMPOSED: frozenset(
        {DatasetState.DELIVERED, DatasetState.WAITING, DatasetState.READY, DatasetState.PARKED}
    ),
    # A changed member makes revision n+1; a session's parent record is composed anew without being read.
    DatasetState.DELIVERED: frozenset({DatasetState.WAITING, DatasetState.READY, DatasetState.COMPOSED}),
    DatasetState.PARKED: frozenset({DatasetState.WAITING, DatasetState.READY, DatasetState.COMPOSED}),
}

SESSION_TRANSITIONS: Final[Mapping[SessionState, frozenset[SessionState]]] = {
    SessionState.OPEN: frozenset({SessionState.CLOSED}),
    SessionState.CLOSED: frozenset(),
}

DELIVERY_TRANSITIONS: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.PARKED}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.DELIVERED, DeliveryState.WAITING, DeliveryState.PARKED, DeliveryState.QUEUED}
    ),
    DeliveryState.WAITING: frozenset({DeliveryState.SENDING, DeliveryState.QUEUED, DeliveryState.PARKED}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.PARKED: frozenset({DeliveryState.QUEUED}),
}


class SessionEvidence(StrEnum):
    """Why a dataset belongs to a session, strongest first."""

    PERSON = "person"  # `labferry session start`, or a session.yaml in the folder
    FILE = "file"  # what the file itself says
    PATH = "path"  # a named group of the path pattern
    FOLDER = "folder"  # the run folder
    GAP = "gap"  # no long pause


class Source(StrEnum):
    """Where an attribute's value came from, strongest first."""

    SESSION = "session"  # a person, through a session
    SIDECAR = "sidecar"
    PATH = "path"
    CONFIGURATION = "configuration"
    INGESTOR = "ingestor"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What `stat` says of a file's content without reading it. Times in nanoseconds of the file system's clock."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class Digests:
    """One pass over a file's bytes: sha256 as 64 hex digits, crc32c of the whole and of each part as integers.

    `part_size` in bytes; the last part may be shorter. An empty file has no parts.
    """

    sha256: str
    crc32c: int
    part_size: int
    part_crc32c: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A dataset attribute and where it came from."""

    value: Any
    source: Source


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of a dataset as the catalogs get it. `name` is unique within the dataset and is valid Unicode."""

    name: str
    path: str  # absolute; undecodable bytes as surrogate escapes (os.fsdecode)
    size: int
    sha256: str
    crc32c: int
    part_size: int
    part_crc32c: tuple[int, ...]
    primary: bool
    fingerprint: Fingerprint
    plain_name: str = ""  # the name without its version, for catalogs that keep the last version only; empty: the same


@dataclass(frozen=True, slots=True)
class RecordThumbnail:
    """A picture of a dataset. `sha256` of the PNG bytes identifies it; width and height in pixels.

    `part` is the key of the child dataset that it belongs to; empty for the dataset itself.
    """

    name: str
    caption: str
    width: int
    height: int
    sha256: str
    png: bytes
    part: str = ""


@dataclass(frozen=True, slots=True)
class SampleRef:
    """A sample that a dataset names. `in_child`: a child dataset is about it, and a catalog that has that links it there."""

    name: str
    unique_id: str | None = None
    in_child: bool = False


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """Everything that a catalog may want to know of one dataset revision.

    `attributes` holds Crucible's names (dataset_name, measurement, ...) with their source. `scientific_metadata` and
    everything below it is plain JSON. `parent_id` is the id of the dataset that this one is part of: its session's, if
    one is kept. `children` are the parts of a measurement that are datasets of their own: without files and children,
    delivered with it; in such a one `part` is its key within the measurement, and `parent_id` the measurement's id.
    """

    unique_id: str
    revision: int
    attributes: Mapping[str, Attribute]
    scientific_metadata: Mapping[str, Any]
    keywords: tuple[str, ...] = ()
    samples: tuple[SampleRef, ...] = ()
    files: tuple[RecordFile, ...] = ()
    thumbnails: tuple[RecordThumbnail, ...] = ()
    parent_id: str | None = None
    derived_from: tuple[str, ...] = ()  # ids of the datasets that this one was made of
    warnings: tuple[str, ...] = ()
    ingestor: str = ""
    ingestor_version: str = ""
    children: tuple[DatasetRecord, ...] = ()
    part: str = ""

    def value(self, name: str) -> Any:
        """An attribute's value, or None."""
        attribute = self.attributes.get(name)
        return None if attribute is None else attribute.value


class StepKind(StrEnum):
    """The steps of a delivery, in the order in which they are made."""

    RECORD = "record"
    METADATA = "metadata"
    KEYWORD = "keyword"
    FILE = "file"
    BLOCK = "block"
    INGESTION = "ingestion"
    THUMBNAIL = "thumbnail"
    SAMPLE = "sample"
    LIFECYCLE = "lifecycle"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a catalog must know. Done once for each (kind, key, digest), whatever happens in between.

    `key` names it within the dataset (a keyword, a file name); `digest` changes when its content does.
    """

    kind: StepKind
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Journal:
    """One line of a dataset's or file's story."""

    at: datetime
    entity: str
    entity_id: int
    event: str
    detail: Mapping[str, Any] = field(default_factory=dict)
