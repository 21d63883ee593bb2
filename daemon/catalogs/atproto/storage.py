"""Where the shards of a dataset go: into the PDS as blobs, into a folder that a web server shows, or into an object store.

Each form of the lexicon's union is one class with `limit`, `put` and `storage`. A shard is known by the sha256 of its bytes
everywhere, so bringing it again changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from daemon.catalogs.answers import nonsense
from daemon.catalogs.atproto.ids import blob_cid
from daemon.catalogs.atproto.lexicon import BLOB, BLOBS, HTTP, S3
from daemon.errors import CatalogRefused, CatalogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from daemon.catalogs.atproto.session import Session
    from daemon.catalogs.atproto.shards import Shard

TAR: Final = "application/x-tar"
UNTOLD: Final = 5 * 2**20
"""Bytes of a blob that a server takes which does not say how many."""
ELSEWHERE: Final = BLOB
"""Bytes of a shard outside of a PDS: the same, so that a dataset may move into one."""


class TooLarge(Exception):  # noqa: N818 a state: the server's limit is another one now
    """The server takes smaller blobs than it said."""


class Storage(Protocol):
    """One form of storage. Raises a CatalogError."""

    def limit(self) -> int:
        """Bytes of one shard at the most."""

    def has(self, shard: Shard) -> Mapping[str, Any] | None:
        """What `put` would give, if the shard is there for everybody already."""

    def put(self, shard: Shard, folder: str) -> Mapping[str, Any]:
        """Bring one shard; what the entry says of it. `folder` keeps a dataset's shards together. Raises TooLarge."""

    def storage(self, shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The entry's `storage` for these shards."""


def checksum(shard: Shard) -> dict[str, str]:
    """What readers compare a shard with."""
    return {"algorithm": "sha256", "digest": shard.sha256}


class Blobs:
    """In the PDS itself."""

    def __init__(self, session: Session, configured: int | None) -> None:
        self._session = session
        self._configured = configured

    def limit(self) -> int:
        """What lexicon, server and configuration allow."""
        told = self._session.ask("GET", "com.atproto.server.describeServer")
        if not told.ok:
            raise self._session.judged(told)
        limit = told.mapping().get("blobUploadLimit")
        server = limit if isinstance(limit, int) and limit > 0 else self._configured or UNTOLD
        return min(BLOB, server, self._configured or BLOB)

    def has(self, shard: Shard) -> Mapping[str, Any] | None:
        """A blob that a record names is public; until then nobody can see it."""
        cid = blob_cid(shard.sha256)
        query = [("did", self._session.identity().did), ("cid", cid)]
        there = self._session.ask("HEAD", "com.atproto.sync.getBlob", query=query)
        if not there.ok or there.headers.get("content-length") != str(len(shard.data)):
            return None
        return self._told(shard, {"$type": "blob", "ref": {"$link": cid}, "mimeType": TAR, "size": len(shard.data)})

    def put(self, shard: Shard, folder: str) -> Mapping[str, Any]:
        """Upload, and compare what the server says of it with what we know. The server looks into the bytes for their type."""
        del folder
        # After a refused upload the connection is of no use any more.
        headers = {"Content-Type": TAR, "Connection": "close"}
        answer = self._session.call(
            "POST",
            "com.atproto.repo.uploadBlob",
            body=shard.data,
            headers=headers,
            also=("PayloadTooLarge",),
            slow=True,
        )
        if not answer.ok:
            raise TooLarge
        blob = answer.mapping().get("blob")
        if not isinstance(blob, dict):
            raise nonsense(answer)
        expected = {"ref": {"$link": blob_cid(shard.sha256)}, "mimeType": TAR, "size": len(shard.data)}
        wrong = [name for name, value in expected.items() if blob.get(name) != value]
        if wrong:
            raise CatalogUnavailable(
                f"{answer.catalog} has other {' and '.join(wrong)} for an uploaded shard than it was given "
                f"({', '.join(f'{blob.get(name)} for {expected[name]}' for name in wrong)})."
            )
        return self._told(shard, blob)

    def storage(self, shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`storageBlobs`."""
        return {"$type": BLOBS, "blobs": [dict(shard) for shard in shards]}

    def _told(self, shard: Shard, blob: Mapping[str, Any]) -> dict[str, Any]:
        return {"blob": dict(blob), "checksum": checksum(shard)}


@dataclass(frozen=True, slots=True)
class Folder:
    """In a folder that a web server shows under `address`."""

    folder: Path
    address: str

    def limit(self) -> int:
        """As for blobs."""
        return ELSEWHERE

    def has(self, shard: Shard) -> Mapping[str, Any] | None:
        """Asked by `put`, which knows the folder."""
        del shard
        return None

    def put(self, shard: Shard, folder: str) -> Mapping[str, Any]:
        """Write under a temporary name, make it durable, rename. The name tells the bytes, so nothing is ever overwritten."""
        target = self.folder / folder / f"{shard.sha256}.tar"
        try:
            if not (target.is_file() and target.stat().st_size == len(shard.data)):
                target.parent.mkdir(parents=True, exist_ok=True)
                _settle(self.folder)
                _write(target, shard.data)
        except OSError as error:
            raise CatalogUnavailable(
                f"The shard {target} cannot be written: {error.strerror}.", "Look at the folder's rights and disk."
            ) from None
        return {"url": f"{self.address}/{folder}/{target.name}", "checksum": checksum(shard)}

    def storage(self, shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`storageHttp`."""
        return {"$type": HTTP, "shards": [dict(shard) for shard in shards]}


@dataclass(frozen=True, slots=True)
class Bucket:
    """In an object store; `send` brings bytes to a key there, and says whether they were there already."""

    bucket: str
    prefix: str
    region: str | None
    endpoint: str | None
    send: Callable[[str, bytes], None]

    def limit(self) -> int:
        """As for blobs."""
        return ELSEWHERE

    def has(self, shard: Shard) -> Mapping[str, Any] | None:
        """Asked by `send`."""
        del shard
        return None

    def put(self, shard: Shard, folder: str) -> Mapping[str, Any]:
        """An object appears only when it is whole."""
        key = "/".join(part for part in (self.prefix, folder, f"{shard.sha256}.tar") if part)
        self.send(key, shard.data)
        return {"key": key, "checksum": checksum(shard)}

    def storage(self, shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`storageS3`."""
        told = {"region": self.region, "endpoint": self.endpoint}
        where = {name: value for name, value in told.items() if value}
        return {"$type": S3, "bucket": self.bucket, **where, "shards": [dict(shard) for shard in shards]}


def gone(code: str) -> bool:
    """Whether the server lost blobs that no record named yet, so that they have to be brought again."""
    return code == "BlobNotFound"


def refused_size(limit: int, size: int) -> CatalogRefused:
    """A dataset that is too large to be published this way."""
    return CatalogRefused(
        f"The dataset has {size} bytes; at most {limit} are published as blobs.",
        "Raise `max_size` of this catalog, or publish shards by `storage: http` or `storage: s3`.",
    )


def _write(target: Path, data: bytes) -> None:
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(target)
    _settle(target.parent)


def _settle(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
