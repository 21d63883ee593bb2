"""A fake PDS as the fault tests see it. A session's parent has no files, so it is not published."""

from __future__ import annotations

import functools
import hashlib
import io
import re
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgpack

from daemon.catalogs.atproto.adapter import AtProto, Options
from daemon.catalogs.atproto.lexicon import ENTRY, LABEL
from daemon.catalogs.atproto.reading import key_of
from daemon.catalogs.atproto.record import Publishing
from daemon.catalogs.atproto.session import Session
from daemon.catalogs.atproto.storage import Blobs
from daemon.catalogs.credentials import Key
from daemon.catalogs.http import DEFAULT_TIMEOUTS, HttpClient, Timeouts
from daemon.clock import SystemClock
from tests.fakes.httpserver import serve
from tests.fakes.pds import HANDLE, PASSWORD, FakePds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from daemon.catalogs.catalog import Catalog
    from daemon.clock import Clock
    from tests.fakes.served import Served

_HURRIED = Timeouts(connect=5.0, read=0.3, slow=0.3, storage=0.3)
_BLOB_LIMIT = 102_400


def adapter(port: int, clock: Clock) -> Catalog:
    """The adapter that finds the server at a port; on any clock but the real one it hurries."""
    timeouts = DEFAULT_TIMEOUTS if isinstance(clock, SystemClock) else _HURRIED
    client = HttpClient("atproto", f"http://127.0.0.1:{port}", "", clock, timeouts=timeouts)
    session = Session(client, clock, HANDLE, Key(PASSWORD, "a test"))
    return AtProto(Options("atproto", Publishing(), None), session, Blobs(session, None))


def contents(fake: FakePds, unique_id: str) -> dict[str, Any] | None:
    """Everything of a dataset, its files as a stranger puts them together."""
    entry, label = (fake.records.get((collection, key_of(unique_id))) for collection in (ENTRY, LABEL))
    if entry is None or label is None:
        return None
    back: dict[str, bytes] = {}
    for item in entry["storage"]["blobs"]:
        with tarfile.open(fileobj=io.BytesIO(fake.blobs[item["blob"]["ref"]["$link"]].data)) as archive:
            for member in archive.getmembers():
                stream = archive.extractfile(member)
                sample = msgpack.unpackb(stream.read() if stream is not None else b"")
                back[sample["path"]] = back.get(sample["path"], b"") + sample["data"]
    named = [
        (path, hashlib.sha256(data).hexdigest()) for path, data in back.items() if not path.startswith(".metadata")
    ]
    pictures = sorted(one for one in named if one[0].startswith("thumbnails/"))
    return {
        "record": (entry["name"], label["name"]),
        "metadata": entry["contentMetadata"]["scientific_metadata"],
        "keywords": sorted(entry["contentMetadata"]["keywords"]),
        "thumbnails": pictures,
        "links": sorted((label["datasetUri"].rpartition("/")[0], entry["schemaRef"])),
        "files": sorted(one for one in named if one not in pictures),
    }


def title(line: str) -> str:
    """A request without what differs between datasets."""
    return re.sub(r"\?.*", "", line).replace("/xrpc/com.atproto.", "")


@contextmanager
def atproto(made: Callable[..., Served], folder: Path) -> Iterator[Served]:
    """The fake with small blobs, so that small files lie in several shards."""
    del folder
    fake = FakePds(blob_limit=_BLOB_LIMIT)
    with serve(fake.answer) as url:
        yield made(
            urlsplit(url).port or 0,
            adapter,
            functools.partial(contents, fake),
            lambda: sum(collection == ENTRY for collection, _ in fake.records),
            title,
            public=True,
        )
