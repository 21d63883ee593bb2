"""An embedded catalog with datasets in it, put there through its own database, and a server for it on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn

from daemon.localcatalog.app import Application
from daemon.localcatalog.content import content_path
from daemon.localcatalog.ingestion import Ingestion
from daemon.mfid import new_mfid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.types import ASGIApp

    from daemon.localcatalog.folder import LocalCatalog

START = 1_780_000_000
"""Seconds since the epoch of the first dataset that `add_many` makes."""

_MANY = """
INSERT INTO datasets (unique_id, dataset_name, instrument, measurement, data_type, data_format, session_name, timestamp,
  owner, creation_time, modification_time)
SELECT value ->> 'id', value ->> 'name', value ->> 'instrument', value ->> 'measurement', 'map', 'h5',
  value ->> 'session', value ->> 'at', 'someone', value ->> 'at', value ->> 'at' FROM json_each(?)
"""


@dataclass(frozen=True)
class Given:
    """A dataset to put into a catalog. `pictures`: name and bytes; `files`: name and content."""

    name: str
    measurement: str | None = None
    instrument: str | None = None
    session: str | None = None
    timestamp: str | None = None
    data_format: str | None = "h5"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    pictures: Sequence[tuple[str, bytes]] = ()
    files: Sequence[tuple[str, bytes]] = ()
    seconds: int = START


def png(width: int, height: int, shade: int = 128) -> bytes:
    """A PNG of one grey."""
    rows = b"".join(b"\x00" + bytes([shade]) * width for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def add(catalog: LocalCatalog, given: Given) -> str:
    """Put a dataset with everything that belongs to it into the catalog; its id."""
    database = catalog.database
    unique_id = new_mfid(given.seconds * 1_000_000_000)
    with database.transaction():
        instrument = None if given.instrument is None else add_instrument(catalog, given.instrument)
        database.select("INSERT INTO resources VALUES (?, 'dataset')", [unique_id])
        row = {
            "id": unique_id,
            "name": given.name,
            "instrument": instrument,
            "measurement": given.measurement,
            "session": given.session,
            "at": given.timestamp or "2026-05-28T20:26:40+00:00",
        }
        database.select(_MANY, [json.dumps([row])])
        key = database.select("SELECT id FROM datasets WHERE unique_id = ?", [unique_id])[0][0]
        database.select(
            "UPDATE datasets SET data_format = ?, timestamp = ? WHERE id = ?", [given.data_format, given.timestamp, key]
        )
        if given.metadata:
            database.select("INSERT INTO metadata VALUES (?, ?)", [unique_id, json.dumps(given.metadata)])
        for word in given.keywords:
            database.select("INSERT OR IGNORE INTO keywords (keyword) VALUES (?)", [word])
            database.select("INSERT INTO dataset_keywords SELECT ?, id FROM keywords WHERE keyword = ?", [key, word])
        for name, data in given.pictures:
            database.select(
                "INSERT INTO thumbnails (dataset, name, mime_type, sha256, image) VALUES (?, ?, 'image/png', ?, ?)",
                [key, name, hashlib.sha256(data).hexdigest(), data],
            )
        for name, data in given.files:
            _add_file(catalog, key, name, data)
    return unique_id


def _add_file(catalog: LocalCatalog, dataset: int, name: str, data: bytes) -> None:
    mfid, content = new_mfid(time.time_ns()), secrets.token_hex(16)
    path = content_path(catalog, content)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    catalog.database.select(
        "INSERT INTO files (mfid, dataset, filename, size, sha256, etag, storage_backend, content, creation_time) "
        "VALUES (?, ?, ?, ?, ?, 'x', 'local', ?, '2026-05-28T20:26:40+00:00')",
        [mfid, dataset, name, len(data), hashlib.sha256(data).hexdigest(), content],
    )


def add_instrument(catalog: LocalCatalog, name: str) -> int:
    """Make sure that there is an instrument of this name; its key."""
    found = catalog.database.select("SELECT id FROM instruments WHERE instrument_name = ?", [name])
    if found:
        return int(found[0][0])
    unique_id = new_mfid(time.time_ns())
    with catalog.database.transaction():
        catalog.database.select("INSERT INTO resources VALUES (?, 'instrument')", [unique_id])
        catalog.database.select(
            "INSERT INTO instruments (unique_id, instrument_id, instrument_name, creation_time, modification_time) "
            "VALUES (?, ?, ?, 'x', 'x')",
            [unique_id, name.lower().replace(" ", "-"), name],
        )
    return int(catalog.database.select("SELECT id FROM instruments WHERE instrument_name = ?", [name])[0][0])


def link(catalog: LocalCatalog, parent: str, child: str) -> None:
    """Make one dataset the parent of another."""
    with catalog.database.transaction():
        catalog.database.select("INSERT INTO links VALUES (?, ?, 'is_part_of')", [parent, child])


def add_many(catalog: LocalCatalog, count: int) -> None:
    """Put many plain datasets into the catalog at once: ten measurements, five instruments, a session for each 250."""
    instruments = [add_instrument(catalog, f"Instrument {letter}") for letter in "ABCDE"]
    for begin in range(0, count, 10_000):
        rows = [
            {
                "id": new_mfid((START + 60 * number) * 1_000_000_000),
                "name": f"run {number:06} of the series",
                "instrument": instruments[number % 5],
                "measurement": f"Measurement {number % 10}",
                "session": f"session {number // 250:04}",
                "at": "2026-05-28T20:26:40+00:00",
            }
            for number in range(begin, min(count, begin + 10_000))
        ]
        with catalog.database.transaction():
            text = json.dumps(rows)
            catalog.database.select("INSERT INTO resources SELECT value ->> 'id', 'dataset' FROM json_each(?)", [text])
            catalog.database.select(_MANY, [text])


def application(catalog: LocalCatalog) -> ASGIApp:
    """The catalog's server."""
    return Application(catalog, Ingestion(catalog))


def logged_in(catalog: LocalCatalog, address: str) -> str:
    """The address that logs a browser in."""
    return f"{address}/?token={catalog.token}"


@contextlib.contextmanager
def served(catalog: LocalCatalog) -> Iterator[str]:
    """Serve the catalog on a free port of loopback; its address."""
    app = application(catalog)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", timeout_keep_alive=75)
    )
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    ready = threading.Event()
    deadline = time.monotonic() + 10
    while not (server.started and server.servers):
        if time.monotonic() > deadline:
            message = "the server did not start within ten seconds"
            raise TimeoutError(message)
        ready.wait(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
