"""A PDS that does what a real one (@atproto/pds 0.5) was seen doing: its errors, limits and oddities, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.atproto.ids import blob_cid, is_record_key
from tests.fakes.httpserver import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.httpserver import Seen

DID: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
HANDLE: Final = "alice.test"
PASSWORD: Final = "abcd-efgh-ijkl-mnop"
_LINK: Final = r'"\$link": "([a-z0-9]+)"'
_LARGEST_RECORD: Final = 1_000_000


@dataclass
class Stored:
    """A blob: its bytes, and the type that the server found in them."""

    data: bytes
    mime: str


@dataclass
class FakePds:
    """One account. Every public field may be changed by a test while it runs."""

    blob_limit: int = 5_242_880
    tells_limit: bool = True
    active: bool = True
    limited: float | None = None
    window_ends: float | None = None
    password: str = PASSWORD
    blobs: dict[str, Stored] = field(default_factory=dict)
    records: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    commits: int = 0
    logins: int = 0
    requests: list[str] = field(default_factory=list)
    heads: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    refuse: Callable[[Seen], Reply | None] = field(default=lambda _: None)
    _tokens: itertools.count[int] = field(default_factory=itertools.count)
    _live: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, seen: Seen) -> Reply:
        """One request."""
        with self._lock:
            name = seen.path.removeprefix("/xrpc/")
            self.requests.append(f"{seen.method} {name}")
            self.heads.append((name, dict(seen.headers)))
            if self.window_ends is not None and seen.method == "POST":
                told = {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
                return Reply(429, told, {"ratelimit-reset": str(int(self.window_ends))})
            refused = self.refuse(seen)
            return self.route(seen) if refused is None else refused

    def route(self, seen: Seen) -> Reply:
        """What the server does with a request, whatever becomes of its answer."""
        name = seen.path.removeprefix("/xrpc/")
        with self._lock:
            route = self._routes().get(name)
            return _error(501, "MethodNotImplemented", "Method Not Implemented") if route is None else route(seen)

    def expire(self) -> None:
        """Let every access token that was given end now."""
        self.expired |= self._live

    def collect(self) -> None:
        """Forget every blob that no record names, as a server may at any time."""
        self.blobs = {cid: blob for cid, blob in self.blobs.items() if self._named(cid)}

    def _routes(self) -> dict[str, Callable[[Seen], Reply]]:
        return {
            "com.atproto.server.describeServer": self._describe,
            "com.atproto.server.createSession": self._log_in,
            "com.atproto.server.refreshSession": self._refresh,
            "com.atproto.server.getSession": lambda seen: self._as_us(seen, lambda: Reply(200, {"did": DID})),
            "com.atproto.repo.uploadBlob": self._upload,
            "com.atproto.repo.putRecord": lambda seen: self._as_us(seen, lambda: self._put(seen)),
            "com.atproto.repo.deleteRecord": lambda seen: self._as_us(seen, lambda: self._delete(seen)),
            "com.atproto.repo.getRecord": self._get,
            "com.atproto.repo.listRecords": self._list,
            "com.atproto.sync.getBlob": self._blob,
        }

    def _describe(self, _: Seen) -> Reply:
        limit = {"blobUploadLimit": self.blob_limit} if self.tells_limit else {}
        return Reply(200, {"did": "did:web:localhost", "availableUserDomains": [".test"], **limit})

    # Sessions: most trouble comes as 400

    def _log_in(self, seen: Seen) -> Reply:
        self.logins += 1
        if self.limited is not None:
            return Reply(
                429,
                {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
                {"retry-after": str(self.limited)},
            )
        body = seen.json()
        if body.get("identifier") not in {HANDLE, DID} or body.get("password") != self.password:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._pair()

    def _pair(self) -> Reply:
        number = next(self._tokens)
        self._live.add(f"access-{number}")
        told = {"accessJwt": f"access-{number}", "refreshJwt": f"refresh-{number}", "did": DID, "handle": HANDLE}
        return Reply(200, {**told, "active": self.active, **({} if self.active else {"status": "deactivated"})})

    def _refresh(self, seen: Seen) -> Reply:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if not re.fullmatch(r"refresh-\d+", token):
            return _error(400, "InvalidToken", "Token could not be verified")
        if token in self.expired:
            return _error(400, "ExpiredToken", "Token has been revoked")
        return self._pair()

    def _as_us(self, seen: Seen, then: Callable[[], Reply]) -> Reply:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return _error(401, "AuthMissing", "Authentication Required")
        if token not in self._live:
            return _error(400, "InvalidToken", "Token could not be verified")
        if token in self.expired:
            return _error(400, "ExpiredToken", "Token has expired")
        return then() if self.active else _error(401, "AccountDeactivated", "Account is deactivated")

    # Blobs

    def _upload(self, seen: Seen) -> Reply:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self._live:
            return _error(500, "InternalServerError", "Internal Server Error")  # an oddity of this route
        return self._as_us(seen, lambda: self._store(seen))

    def _store(self, seen: Seen) -> Reply:
        if not seen.headers.get("content-type"):
            return _error(400, "InvalidRequest", "Request encoding (Content-Type) required but not provided")
        if len(seen.body) > self.blob_limit:
            return _error(413, "PayloadTooLarge", "request entity too large")
        mime = seen.headers["content-type"]
        mime = "application/gzip" if seen.body[:2] == b"\x1f\x8b" else mime
        mime = "application/x-tar" if seen.body[257:262] == b"ustar" else mime
        cid = blob_cid(hashlib.sha256(seen.body).hexdigest())
        self.blobs[cid] = Stored(seen.body, mime)
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(seen.body)}
        return Reply(200, {"blob": blob})

    def _blob(self, seen: Seen) -> Reply:
        blob = self.blobs.get(seen.asked("cid"))
        if blob is None or not self._named(seen.asked("cid")):
            return _error(400, "InvalidRequest", "Blob not found")
        return Reply(200, blob.data, {"Content-Type": blob.mime})

    def _named(self, cid: str) -> bool:
        return any(cid in json.dumps(record) for record in self.records.values())

    # Records

    def _put(self, seen: Seen) -> Reply:
        body = seen.json()
        collection, key, record = body["collection"], body["rkey"], body["record"]
        wrong = self._refusal(len(seen.body), collection, key, record)
        if wrong is not None:
            return wrong
        before = self.records.get((collection, key))
        told = {"uri": f"at://{DID}/{collection}/{key}", "cid": _cid(record), "validationStatus": "unknown"}
        if before == record:
            return Reply(200, told)  # no commit: nothing was written
        if "swapRecord" in body and body["swapRecord"] != (None if before is None else _cid(before)):
            return _error(400, "InvalidSwap", f"Record was at {None if before is None else _cid(before)}")
        self.records[collection, key] = record
        self._drop_blobs_of(before)
        self.commits += 1
        return Reply(200, {**told, "commit": {"cid": "bafycommit", "rev": str(self.commits)}})

    def _refusal(self, size: int, collection: str, key: str, record: dict[str, Any]) -> Reply | None:
        if size > _LARGEST_RECORD:
            return _error(413, "PayloadTooLargeError", "request entity too large")
        if not is_record_key(key):
            return _error(400, "InvalidRequest", f'Invalid record key (got "{key}") at $.rkey')
        if record.get("$type", collection) != collection:
            return _error(400, "InvalidRequest", f"Invalid $type: expected {collection}")
        return next(filter(None, map(_unstorable, _leaves(record))), None) or self._missing(record)

    def _missing(self, record: dict[str, Any]) -> Reply | None:
        missing = [cid for cid in re.findall(_LINK, json.dumps(record)) if cid not in self.blobs]
        return _error(400, "BlobNotFound", f"Could not find blob: {missing[0]}") if missing else None

    def _drop_blobs_of(self, record: dict[str, Any] | None) -> None:
        """A blob goes with the last record that names it."""
        for cid in re.findall(_LINK, json.dumps(record)) if record is not None else ():
            if not self._named(cid):
                self.blobs.pop(cid, None)

    def _delete(self, seen: Seen) -> Reply:
        body = seen.json()
        before = self.records.pop((body["collection"], body["rkey"]), None)
        self._drop_blobs_of(before)
        self.commits += before is not None
        return Reply(200, {"commit": {"rev": str(self.commits)}} if before is not None else {})

    def _get(self, seen: Seen) -> Reply:
        key = seen.asked("collection"), seen.asked("rkey")
        if seen.asked("repo") not in {DID, HANDLE}:
            return _error(400, "InvalidRequest", "Could not locate record")
        if key not in self.records:
            return _error(400, "RecordNotFound", f"Could not locate record: at://{DID}/{'/'.join(key)}")
        return Reply(200, self._shown(*key))

    def _list(self, seen: Seen) -> Reply:
        keys = sorted(key for key in self.records if key[0] == seen.asked("collection"))
        keys = [key for key in keys if not seen.asked("cursor") or key[1] > seen.asked("cursor")]
        page = keys[: int(seen.asked("limit", "50"))]
        more = {"cursor": page[-1][1]} if len(keys) > len(page) else {}
        return Reply(200, {"records": [self._shown(*key) for key in page], **more})

    def _shown(self, collection: str, key: str) -> dict[str, Any]:
        record = self.records[collection, key]
        return {"uri": f"at://{DID}/{collection}/{key}", "cid": _cid(record), "value": _reordered(record)}


def _reordered(value: Any) -> Any:
    """Keys come back in the order of DAG-CBOR: shorter ones first; bytes come back without padding."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return {"$bytes": base64.b64encode(base64.b64decode(value["$bytes"] + "===")).decode().rstrip("=")}
        return {name: _reordered(value[name]) for name in sorted(value, key=lambda name: (len(name), name))}
    return [_reordered(item) for item in value] if isinstance(value, list) else value


def _unstorable(value: Any) -> Reply | None:
    """What a record must not hold, as the server says it."""
    if isinstance(value, float):
        told = f"Expected one of null, boolean, integer, string, cid, bytes, array or object value type (got {value})"
        return _error(400, "InvalidRequest", f"{told} at $.record")
    if isinstance(value, int) and abs(value) > 2**53 - 1:
        return _error(500, "InternalServerError", "Internal Server Error")
    return _error(400, "InvalidRequest", "Legacy blobs are not allowed ($.record)") if isinstance(value, dict) else None


def _leaves(value: Any) -> Any:
    """Every value that is no container; and a container that looks like a blob of the old kind."""
    if isinstance(value, dict):
        if {"cid", "mimeType"} <= value.keys():
            yield value
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _cid(record: dict[str, Any]) -> str:
    """Some name of this content; a real one is a CID of its DAG-CBOR."""
    return "bafyrei" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:40]


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"error": code, "message": message})
