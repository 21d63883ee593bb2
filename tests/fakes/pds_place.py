"""A PDS with an account, an adapter for it, and datasets to publish there."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgpack

from daemon.catalogs.atproto.adapter import AtProto, Options
from daemon.catalogs.atproto.lexicon import ENTRY
from daemon.catalogs.atproto.record import Publishing
from daemon.catalogs.atproto.session import Session
from daemon.catalogs.atproto.storage import Blobs
from daemon.catalogs.credentials import Key
from daemon.catalogs.http import HttpClient
from daemon.clock import ManualClock
from daemon.mfid import new_mfid
from tests.fakes.deliveries import dataset_record, record_file, thumbnail
from tests.fakes.httpserver import serve
from tests.fakes.pds import DID, HANDLE, PASSWORD, FakePds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.catalogs.atproto.storage import Storage
    from daemon.model import DatasetRecord


@dataclass
class Place:
    """A PDS and an account on it; `fake` where it is the fake."""

    url: str
    handle: str
    password: str
    fake: FakePds | None = None
    made: list[AtProto] = field(default_factory=list)

    def close(self) -> None:
        """Every adapter gives back its connections."""
        for adapter in self.made:
            adapter.close()

    def adapter(self, clock: ManualClock | None = None, storage: Storage | None = None, **options: Any) -> AtProto:
        """An adapter with a session of its own."""
        clock = clock or ManualClock()
        client = HttpClient("atproto", self.url, "", clock)
        session = Session(client, clock, self.handle, Key(self.password, "a test"))
        publishing = options.pop("publishing", Publishing(license="CC-BY-4.0"))
        chosen = Options("atproto", publishing, options.pop("max_size", 10**9))
        adapter = AtProto(chosen, session, storage or Blobs(session, options.pop("blob_limit", None)))
        self.made.append(adapter)
        return adapter

    def get(self, name: str, **query: str) -> httpx.Response:
        """A request without an account, as everybody makes it."""
        return httpx.get(f"{self.url}/xrpc/{name}", params=query)

    def record(self, collection: str, key: str, repo: str = "") -> dict[str, Any]:
        """A record's value."""
        answer = self.get("com.atproto.repo.getRecord", repo=repo or self.handle, collection=collection, rkey=key)
        assert answer.status_code == 200, answer.text
        value: dict[str, Any] = answer.json()["value"]
        return value

    def files(self, key: str) -> dict[str, bytes]:
        """Every sample of an entry's shards, by plain getRecord and getBlob, as a stranger reads them."""
        entry = self.record(ENTRY, key)
        did = self.get("com.atproto.identity.resolveHandle", handle=self.handle).json()["did"] if not self.fake else DID
        back: dict[str, bytearray] = {}
        for item in entry["storage"]["blobs"]:
            answer = self.get("com.atproto.sync.getBlob", did=did, cid=item["blob"]["ref"]["$link"])
            assert hashlib.sha256(answer.content).hexdigest() == item["checksum"]["digest"]
            with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
                for member in archive.getmembers():
                    stream = archive.extractfile(member)
                    assert stream is not None
                    sample = msgpack.unpackb(stream.read())
                    part = back.setdefault(sample["path"], bytearray())
                    assert sample["offset"] == len(part)
                    part += sample["data"]
        return {path: bytes(data) for path, data in back.items()}


@contextmanager
def fake_place() -> Iterator[Place]:
    """The fake."""
    fake = FakePds()
    with serve(fake.answer) as url, closing(Place(url, HANDLE, PASSWORD, fake)) as made:
        yield made


def measured(folder: Path, *, public: bool = True, revision: int = 1, **parts: Any) -> DatasetRecord:
    """A dataset of a large file, an empty one and one with letters beyond ASCII."""
    contents = {"map.h5": os.urandom(300_000), "leer.log": b"", "größe.dat": b"1 2\n"}
    for name, content in contents.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
    files = tuple(record_file(folder / name, primary=name == "map.h5") for name in contents)
    metadata = parts.pop("scientific_metadata", {"laser": {"power": {"value": 1.5, "unit": "mW"}}, "large": 2**60})
    return dataset_record(
        parts.pop("unique_id", new_mfid(1_763_700_000_000_000_000)),
        {"public": public, "dataset_name": "Karte 7", "measurement": "Raman", **parts.pop("attributes", {})},
        scientific_metadata=metadata,
        keywords=("gold",),
        files=files,
        thumbnails=(thumbnail("map.png", b"\x89PNG picture"),),
        revision=revision,
        **parts,
    )
