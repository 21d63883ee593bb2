"""What `verify` and `rebuild` ask the AT Protocol index: what an entry lists, the bytes of its shards. Reads only."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgpack

from daemon.catalogs.atproto.contents import paths_of
from daemon.catalogs.atproto.ids import blob_cid, tid
from daemon.catalogs.atproto.lexicon import BLOB, BLOBS, ENTRY, HTTP, LABEL, SCHEMA
from daemon.catalogs.atproto.record import DOCUMENT, SCHEMA_KEY, schema_record
from daemon.catalogs.atproto.session import code_of
from daemon.catalogs.catalog import Held
from daemon.errors import CatalogRefused, CatalogUnavailable
from daemon.mfid import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.catalogs.atproto.session import Session
    from daemon.model import DatasetRecord, Step

SCHEMA_STEP: Final = "schema"
SHARDS_STEP: Final = "shards"
ENTRY_STEP: Final = "entry"
LABEL_STEP: Final = "label"
WITHDRAWAL_STEP: Final = "withdrawal"

_PAGE: Final = 100
_GET_BLOB: Final = "com.atproto.sync.getBlob"


def unwanted(record: DatasetRecord) -> str:
    """Why a dataset is not published; an empty text if it is."""
    if record.value("public") is not True:
        return "private"
    return "" if record.files else "no files"


def key_of(unique_id: str) -> str:
    """The record key of a dataset's entry and label: from its id alone, so that nothing has to be remembered."""
    return tid(moment_of(unique_id), unique_id)


class AtProtoReading:
    """The reading half of the adapter; see `daemon.catalogs.catalog.Readable`."""

    name: str

    def __init__(self, session: Session) -> None:
        self._session = session

    def holds(self, unique_id: str) -> Sequence[Held] | None:
        """Every file that the entry lists, with the size and the sha256 that it had when it was published."""
        there = self._own_entry(unique_id)
        if there is None:
            return None
        return self._held(unique_id, there["value"])

    def read(self, held: Held, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes of one file, from the shards as they are now; each shard is compared with its checksum."""
        there = self._own_entry(held.dataset)
        if there is None:
            raise CatalogRefused(f"{self.name} has no entry for {held.dataset}.")
        for sample in self._samples(there["value"], alive):
            if sample.get("path") == held.ref:
                yield bytes(sample.get("data", b""))

    def find(self, sha256: str) -> Sequence[Held]:
        """The files with this content in our own entries."""
        found = []
        for entry in self._entries():
            unique_id = entry_id(entry)
            if unique_id:
                found += [item for item in self._held(unique_id, entry) if item.sha256 == sha256]
        return found

    def recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        """Whether the entry of this dataset, its shards and its label are there already."""
        if step.key in {SCHEMA_STEP, LABEL_STEP}:
            collection, key = (SCHEMA, SCHEMA_KEY) if step.key == SCHEMA_STEP else (LABEL, key_of(record.unique_id))
            there = self._record(collection, key)
            usable = there is not None and (step.key == LABEL_STEP or there["value"] == schema_record())
            return _kept(there) if there is not None and usable else None
        there = self._own_entry(record.unique_id)
        if step.key == WITHDRAWAL_STEP:
            return {"skipped": unwanted(record)} if there is None else None
        wanted = {(file.name, file.size, file.sha256) for file in record.files}
        if there is None or wanted != set(self._listed(there["value"])):
            return None
        if step.key == SHARDS_STEP:
            return {"storage": there["value"].get("storage"), "size": there["value"].get("size")}
        return {**_kept(there), "revision": record.revision}

    def parents(self, unique_id: str) -> Sequence[tuple[str, str]]:
        """None: the index knows no links."""
        del unique_id
        return ()

    def trace(self, instrument: str) -> str | None:
        """The id of some dataset of this instrument."""
        for entry in self._entries():
            told = entry.get("contentMetadata")
            if isinstance(told, dict) and told.get("instrument_id") == instrument:
                return entry_id(entry)
        return None

    def _own_entry(self, unique_id: str) -> dict[str, Any] | None:
        """The entry of this dataset; what somebody else wrote under its key is none."""
        there = self._record(ENTRY, key_of(unique_id))
        return there if there is not None and entry_id(there["value"]) == unique_id else None

    def _record(self, collection: str, key: str) -> dict[str, Any] | None:
        """`{"uri", "cid", "value"}`, or None if there is no such record."""
        query = [("repo", self._session.identity().did), ("collection", collection), ("rkey", key)]
        answer = self._session.ask("GET", "com.atproto.repo.getRecord", query=query)
        if answer.ok and isinstance(answer.mapping().get("value"), dict):
            return answer.mapping()
        if code_of(answer) == "RecordNotFound":
            return None
        raise self._session.judged(answer)

    def _entries(self) -> Iterator[dict[str, Any]]:
        """Every entry of the account."""
        cursor = ""
        while True:
            query = [("repo", self._session.identity().did), ("collection", ENTRY), ("limit", str(_PAGE))]
            query += [("cursor", cursor)] if cursor else []
            answer = self._session.ask("GET", "com.atproto.repo.listRecords", query=query)
            if not answer.ok:
                raise self._session.judged(answer)
            told = answer.mapping()
            for item in told.get("records") or ():
                if isinstance(item, dict) and isinstance(item.get("value"), dict):
                    yield item["value"]
            following = told.get("cursor")
            if not isinstance(following, str) or following == cursor or not told.get("records"):
                return
            cursor = following

    def _held(self, unique_id: str, entry: Mapping[str, Any]) -> list[Held]:
        listed = self._listed(entry)
        paths = paths_of(name for name, _, _ in listed)
        return [Held(unique_id, name, paths[name], size, sha256) for name, size, sha256 in listed]

    def _listed(self, entry: Mapping[str, Any]) -> list[tuple[str, int, str]]:
        """Name, size and sha256 of each file: from the exact metadata, or where they are too many from the document."""
        try:
            text = entry["metadata"]["$bytes"]
            told = msgpack.unpackb(base64.b64decode(text + "=" * (-len(text) % 4)))
            files = told.get("files")
            if files is None:
                files = json.loads(self._document(entry))["files"]
            return [(str(name), int(size), str(sha256)) for name, size, sha256 in files]
        except (KeyError, TypeError, ValueError, msgpack.UnpackException):
            return []  # an entry that somebody else wrote lists nothing that we know

    def _document(self, entry: Mapping[str, Any]) -> bytes:
        """The document with everything, from the end of the shards."""
        for address in reversed(self._addresses(entry)):
            parts = [one for one in self._unpacked([address], lambda: None) if one.get("path") == DOCUMENT]
            if parts and parts[0].get("offset") == 0 and sum(len(one["data"]) for one in parts) == parts[0]["size"]:
                return b"".join(one["data"] for one in parts)
        whole = [one for one in self._samples(entry, lambda: None) if one.get("path") == DOCUMENT]
        return b"".join(one["data"] for one in whole)

    def _samples(self, entry: Mapping[str, Any], alive: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Every sample of every shard, in order. Raises CatalogRefused for other bytes than the entry says."""
        return self._unpacked(self._addresses(entry), alive)

    def _unpacked(self, addresses: Sequence[tuple[str, str]], alive: Callable[[], None]) -> Iterator[dict[str, Any]]:
        for url, digest in addresses:
            alive()
            data = bytearray()
            for chunk in self._session.fetch(url):
                data += chunk
                if len(data) > BLOB:
                    raise CatalogRefused(f"{url} is larger than a shard can be.")
            if hashlib.sha256(data).hexdigest() != digest:
                raise CatalogRefused(f"{url} has other bytes than the entry says.")
            yield from _taken_apart(bytes(data), url)

    def _addresses(self, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Address and sha256 of each shard. Raises CatalogRefused for a storage that cannot be read from here."""
        storage = entry.get("storage", {})
        if storage.get("$type") == BLOBS:
            digests = [str(item["checksum"]["digest"]) for item in storage["blobs"]]
            did = self._session.identity().did
            queries = [urlencode({"did": did, "cid": blob_cid(digest)}) for digest in digests]
            return [
                (self._session.url(_GET_BLOB, query), digest) for query, digest in zip(queries, digests, strict=True)
            ]
        if storage.get("$type") == HTTP:
            return [(str(item["url"]), str(item["checksum"]["digest"])) for item in storage["shards"]]
        raise CatalogRefused("The shards of this entry lie in an object store, which is not read from here.")


def entry_id(entry: Mapping[str, Any]) -> str | None:
    """The id of the dataset that an entry is about, if it is one of labferry's."""
    told = entry.get("contentMetadata")
    found = told.get("unique_id") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _kept(there: Mapping[str, Any]) -> dict[str, Any]:
    return {"uri": there.get("uri"), "cid": there.get("cid")}


def _taken_apart(data: bytes, url: str) -> Iterator[dict[str, Any]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is not None:
                    yield msgpack.unpackb(stream.read())
    except (tarfile.TarError, ValueError, msgpack.UnpackException) as error:
        raise CatalogUnavailable(f"{url} is no shard: {error}.") from None
