"""What the pages (and the listing of the API) read: newest datasets, facets, one dataset, sessions. Never writes.

Every listing goes by keyset: `before` is the last id of the page before, so the thousandth page costs what the first
does. Times are ISO 8601 as they were given; sizes in bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

FACETS: Final[Mapping[str, str]] = {
    "session": "d.session_name",
    "measurement": "d.measurement",
    "data_format": "d.data_format",
    "owner": "d.owner",
    "instrument": "d.instrument",
    "project": "d.project",
}
_CARD: Final = """SELECT d.id, d.unique_id, d.dataset_name, d.measurement, d.session_name, d.timestamp, d.creation_time,
  d.data_format, d.size, i.instrument_name, i.instrument_id, p.project_id,
  (SELECT min(t.id) FROM thumbnails t WHERE t.dataset = d.id) AS thumbnail,
  (SELECT count(*) FROM files f WHERE f.dataset = d.id) AS files
FROM datasets d LEFT JOIN instruments i ON i.id = d.instrument LEFT JOIN projects p ON p.id = d.project"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which datasets; None: any. `instrument` is its slug or its name, `text` what a person typed in the search box."""

    session: str | None = None
    measurement: str | None = None
    instrument: str | None = None
    data_format: str | None = None
    project: str | None = None
    keyword: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A dataset in a listing. `thumbnail` is the id of its first picture."""

    unique_id: str
    name: str | None
    measurement: str | None
    session: str | None
    instrument: str | None
    instrument_id: str | None
    project_id: str | None
    data_format: str | None
    timestamp: str | None
    creation_time: str
    size: int
    files: int
    thumbnail: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of datasets, newest id first; `next_before` is None on the last page."""

    cards: tuple[Card, ...]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One value of a facet; None stands for the datasets that have none."""

    value: str | None
    label: str | None
    count: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a dataset. `downloadable` is False for files that are only catalogued."""

    mfid: str
    filename: str
    size: int | None
    sha256: str | None
    crc32c: str | None
    storage_backend: str
    storage_path: str | None
    creation_time: str
    downloadable: bool


@dataclass(frozen=True, slots=True)
class ThumbnailEntry:
    """A picture; its bytes come from `thumbnail`."""

    id: int
    name: str
    mime_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """Another resource. `direction`: source = a parent, target = a child, undirected = a sample."""

    unique_id: str
    type: str
    name: str | None
    direction: str
    relationship: str | None


@dataclass(frozen=True, slots=True)
class IngestionEntry:
    """How the reading of one file went."""

    id: int
    filename: str
    status: str
    ingestor: str | None
    message: str | None
    time_completed: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything about one dataset. `attributes` holds what the card does not, by the API's names."""

    card: Card
    attributes: Mapping[str, Any]
    metadata: Mapping[str, Any]
    keywords: tuple[str, ...]
    files: tuple[FileEntry, ...]
    thumbnails: tuple[ThumbnailEntry, ...]
    links: tuple[LinkEntry, ...]
    ingestions: tuple[IngestionEntry, ...]


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session: how many datasets, their first and last timestamp, the newest dataset and its picture."""

    name: str
    datasets: int
    first: str | None
    last: str | None
    newest: str
    thumbnail: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is."""

    datasets: int
    sessions: int
    instruments: int
    files: int
    bytes: int


def datasets(catalog: LocalCatalog, wanted: Filter, before: str | None = None, limit: int = 60) -> Listing:
    """The datasets that match, newest id first, those with an id below `before`; at most `limit`."""
    conditions, values = where(catalog, wanted)
    if before is not None:
        conditions.append("d.unique_id < ?")
        values.append(before)
    sql = f"{_CARD} WHERE {' AND '.join(conditions)} ORDER BY d.unique_id DESC LIMIT ?"
    rows = catalog.reader.select(sql, [*values, limit + 1])
    cards = tuple(_card(row) for row in rows[:limit])
    return Listing(cards, cards[-1].unique_id if len(rows) > limit else None)


def count(catalog: LocalCatalog, wanted: Filter) -> int:
    """How many datasets match."""
    conditions, values = where(catalog, wanted)
    rows = catalog.reader.select(f"SELECT count(*) FROM datasets d WHERE {' AND '.join(conditions)}", values)
    return int(rows[0][0])


def facet(catalog: LocalCatalog, name: str, wanted: Filter | None = None, limit: int = 100) -> tuple[Bucket, ...]:
    """The values of one facet (a key of FACETS) among the datasets that match, the most frequent first."""
    conditions, values = where(catalog, wanted or Filter())
    column = FACETS[name]
    rows = catalog.reader.select(
        f"SELECT {column} AS value, count(*) AS count FROM datasets d WHERE {' AND '.join(conditions)} "
        f"GROUP BY {column} ORDER BY count DESC, value LIMIT ?",
        [*values, limit],
    )
    return tuple(_bucket(catalog, name, row) for row in rows)


def dataset(catalog: LocalCatalog, unique_id: str) -> Detail | None:
    """One dataset with everything that hangs on it, or None if there is none (or its deletion was requested)."""
    reader = catalog.reader
    rows = reader.select(f"{_CARD} WHERE d.unique_id = ? AND d.hidden = 0", [unique_id])
    record = reader.one("read_dataset", unique_id=unique_id)
    if not rows or record is None:
        return None
    key = record["id"]
    document = reader.one("read_metadata", unique_id=unique_id)
    names = ("data_type", "owner", "modification_time", "project_title", "project_mfid", "instrument_mfid")
    return Detail(
        card=_card(rows[0]),
        attributes={**{name: record[name] for name in names}, "public": bool(record["public"])},
        metadata=json.loads(document["document"]) if document else {},
        keywords=tuple(row["keyword"] for row in reader.all("read_keywords", dataset=key)),
        files=tuple(_file(row) for row in reader.all("read_files", dataset=key)),
        thumbnails=tuple(ThumbnailEntry(*row) for row in reader.all("read_thumbnails", dataset=key)),
        links=_links(catalog, unique_id, key),
        ingestions=tuple(_ingestion(row) for row in reader.all("read_ingestions", dataset=key)),
    )


def thumbnail(catalog: LocalCatalog, thumbnail_id: int) -> tuple[str, bytes, str] | None:
    """A picture as (mime type, bytes, sha256), or None."""
    row = catalog.reader.one("read_thumbnail", id=thumbnail_id)
    return None if row is None else (row["mime_type"], row["image"], row["sha256"])


def sessions(catalog: LocalCatalog, after: int = 0, limit: int = 60) -> tuple[SessionEntry, ...]:
    """Sessions, the one with the newest dataset first; `after` is how many to leave out."""
    rows = catalog.reader.select(
        """SELECT s.*, (SELECT min(t.id) FROM thumbnails t JOIN datasets d ON d.id = t.dataset
              WHERE d.unique_id = s.newest) AS thumbnail
           FROM (SELECT session_name, count(*) AS count, min(timestamp) AS first, max(timestamp) AS last,
              max(unique_id) AS newest FROM datasets WHERE hidden = 0 AND session_name IS NOT NULL
              GROUP BY session_name ORDER BY newest DESC LIMIT ? OFFSET ?) s ORDER BY newest DESC""",
        [limit, after],
    )
    return tuple(SessionEntry(*row) for row in rows)


def totals(catalog: LocalCatalog) -> Totals:
    """How many datasets, sessions, instruments, files and bytes the catalog holds."""
    row = catalog.reader.one("read_totals")
    return Totals(*(int(value or 0) for value in row)) if row else Totals(0, 0, 0, 0, 0)


def where(catalog: LocalCatalog, wanted: Filter) -> tuple[list[str], list[Any]]:
    """The conditions on `datasets d` that a filter stands for, and their values."""
    conditions, values = ["d.hidden = 0"], list[Any]()
    for column, value in (
        ("d.session_name", wanted.session),
        ("d.measurement", wanted.measurement),
        ("d.data_format", wanted.data_format),
    ):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    for condition, value in (
        ("d.project = (SELECT id FROM projects WHERE project_id = ?1)", wanted.project),
        (
            "d.id IN (SELECT dk.dataset FROM dataset_keywords dk JOIN keywords k ON k.id = dk.keyword WHERE k.keyword = ?1)",
            wanted.keyword,
        ),
    ):
        if value is not None:
            conditions.append(condition.replace("?1", "?"))
            values.extend([value] * condition.count("?1"))
    if wanted.instrument is not None:
        conditions.append(_instrument_condition(catalog, wanted.instrument))
    if wanted.text is not None and wanted.text.strip():
        conditions.append(_text_condition(catalog, wanted.text, values))
    return conditions, values


def _instrument_condition(catalog: LocalCatalog, name: str) -> str:
    """Rows looked up beforehand: with one of them, SQLite walks its index newest first instead of sorting it all."""
    found = catalog.reader.select(
        "SELECT id FROM instruments WHERE instrument_id = ? UNION SELECT id FROM instruments WHERE instrument_name = ?",
        [name, name],
    )
    keys = [str(row["id"]) for row in found]
    return f"d.instrument = {keys[0]}" if len(keys) == 1 else f"d.instrument IN ({', '.join(keys)})"


def _text_condition(catalog: LocalCatalog, text: str, values: list[Any]) -> str:
    expression = search.match_expression(text)
    if expression is None:
        return "0"
    search.refresh(catalog)
    values.append(expression)
    # The plus keeps SQLite from sorting every hit: it walks the newest ids and stops when the page is full.
    return "+d.id IN (SELECT rowid FROM search WHERE search MATCH ?)"


def _card(row: Row) -> Card:
    return Card(
        unique_id=row["unique_id"],
        name=row["dataset_name"],
        measurement=row["measurement"],
        session=row["session_name"],
        instrument=row["instrument_name"],
        instrument_id=row["instrument_id"],
        project_id=row["project_id"],
        data_format=row["data_format"],
        timestamp=row["timestamp"],
        creation_time=row["creation_time"],
        size=row["size"],
        files=row["files"],
        thumbnail=row["thumbnail"],
    )


def _bucket(catalog: LocalCatalog, name: str, row: Row) -> Bucket:
    value = row["value"]
    if value is not None and name in {"instrument", "project"}:
        columns = (
            "instrument_id, instrument_name" if name == "instrument" else "project_id, coalesce(title, project_id)"
        )
        found = catalog.reader.select(f"SELECT {columns} FROM {name}s WHERE id = ?", [value])[0]
        return Bucket(found[0], found[1], row["count"])
    return Bucket(value, value, row["count"])


def _file(row: Row) -> FileEntry:
    return FileEntry(
        mfid=row["mfid"],
        filename=row["filename"],
        size=row["size"],
        sha256=row["sha256"],
        crc32c=row["crc32c"],
        storage_backend=row["storage_backend"],
        storage_path=row["storage_path"],
        creation_time=row["creation_time"],
        downloadable=row["content"] is not None,
    )


def _links(catalog: LocalCatalog, unique_id: str, key: int) -> tuple[LinkEntry, ...]:
    linked = [
        LinkEntry(row["unique_id"], row["type"], row["name"], row["direction"], row["relationship"])
        for row in catalog.reader.all("read_links", unique_id=unique_id)
        if not row["hidden"]
    ]
    samples: Sequence[Row] = catalog.reader.all("read_samples", dataset=key)
    linked += [LinkEntry(row["unique_id"], "sample", row["sample_name"], "undirected", None) for row in samples]
    return tuple(linked)


def _ingestion(row: Row) -> IngestionEntry:
    return IngestionEntry(
        row["id"], row["filename"], row["status"], row["ingestor"], row["message"], row["time_completed"]
    )
