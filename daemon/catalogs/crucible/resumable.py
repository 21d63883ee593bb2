"""The resumable route: one address, one chunk after the other, and after a break from the very byte that arrived.

For catalogs whose signed multipart uploads are switched off, and for large files over links that break: there a part
that was cut is lost as a whole.

Wire facts (nano-crucible 3.3.0, `resources/gcs/upload.py`; Google Cloud Storage, "Resumable uploads"):
`POST /datasets/{id}/upload/initiate` gives `upload_id`, `resumable_uri` and `chunk_size_hint`; chunks go there by PUT
with `Content-Range: bytes a-b/total`; 308 means go on (its `Range` header says what arrived), 200 or 201 means all is
there; `Content-Range: bytes */total` asks; `POST …/upload/complete` makes the file record.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import error_of, nonsense
from daemon.catalogs.crucible.signed import UploadGone
from daemon.catalogs.http import segment
from daemon.errors import CatalogRefused, CatalogUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.http import HttpClient
    from daemon.catalogs.source import Source
    from daemon.clock import Clock

ROUTE: Final = "resumable"
_SMALLEST_CHUNK: Final = 32 * 2**20
_UNIT: Final = 256 * 2**10  # chunks are multiples of 256 KiB
_GONE: Final = frozenset({404, 410})
_DONE: Final = frozenset({200, 201})
_GO_ON: Final = 308
_LONGEST_PAUSE: Final = 4.0
_FUTILE_TRIES: Final = 5


def begin_resumable(client: HttpClient, dataset: str, source: Source, attempt: Attempt) -> dict[str, Any]:
    """Begin an upload: what has to be remembered of it, or `{"existing_file": …}`. Raises a CatalogError."""
    file = source.file
    body = {"filename": file.name, "size": file.size, "sha256_hash": file.sha256}
    answer = client.call("POST", f"/datasets/{segment(dataset)}/upload/initiate", body=body)
    started = answer.mapping()
    existing = started.get("existing_file")
    if isinstance(existing, dict):
        return {"existing_file": existing}
    if not isinstance(started.get("resumable_uri"), str) or not isinstance(started.get("upload_id"), str):
        raise nonsense(answer)
    memory = {
        "route": ROUTE,
        "sha256": file.sha256,
        "upload_id": started["upload_id"],
        "resumable_uri": started["resumable_uri"],
        "chunk": _chunk_size(started.get("chunk_size_hint")),
    }
    attempt.remember(memory)
    return memory


def send_resumable(
    client: HttpClient, clock: Clock, dataset: str, source: Source, attempt: Attempt, memory: Mapping[str, Any]
) -> dict[str, Any]:
    """Bring the rest of the file into the storage and return the catalog's file record. Raises UploadGone or a CatalogError.

    `memory` is that of an upload that was begun.
    """
    if isinstance(memory.get("existing_file"), dict):
        return dict(memory["existing_file"])
    _send_rest(client, clock, source, memory, attempt)
    source.verify()
    body = {"upload_id": memory["upload_id"], "sha256_hash": source.file.sha256}
    path = f"/datasets/{segment(dataset)}/upload/complete"
    answer = client.call("POST", path, body=body, slow=True, also=tuple(_GONE))
    if answer.status in _GONE:
        raise UploadGone
    return answer.mapping()


def _send_rest(client: HttpClient, clock: Clock, source: Source, memory: Mapping[str, Any], attempt: Attempt) -> None:
    """Send what the storage does not have. After a break it says how far it came; that many tries without progress fail."""
    total, chunk, uri = source.file.size, int(memory["chunk"]), memory["resumable_uri"]
    stored, futile = 0, 0
    if memory.get("begun"):
        stored = _stored(client, uri, total)
    elif total > 0:
        attempt.remember({**memory, "begun": True})
    while stored < total:
        attempt.alive()
        source.verify()
        size = min(chunk, total - stored)
        headers = {"Content-Range": f"bytes {stored}-{stored + size - 1}/{total}"}
        try:
            answer = client.store(uri, source.chunks(stored, size, attempt.alive), size, headers)
            arrived = _arrived(answer, total, otherwise=stored + size)
        except CatalogUnavailable as error:
            arrived = _patiently(client, clock, uri, total, error)
        futile = 0 if arrived > stored else futile + 1
        if futile > _FUTILE_TRIES:
            raise CatalogUnavailable(f"{client.catalog}'s storage did not take the next bytes of {source.file.name}.")
        if arrived > stored:
            attempt.remember({**memory, "begun": True, "stored": arrived})
        stored = arrived


def _patiently(client: HttpClient, clock: Clock, uri: str, total: int, error: CatalogUnavailable) -> int:
    """How far it came, asked after a break until the storage says it: sending on without knowing would send twice."""
    never = threading.Event()
    for turn in range(_FUTILE_TRIES + 1):
        clock.wait(never, min(_LONGEST_PAUSE, max(error.retry_after or 0.0, 2.0 ** (turn - 2))))
        try:
            return _stored(client, uri, total)
        except CatalogUnavailable as again:
            error = again
    raise error


def _stored(client: HttpClient, uri: str, total: int) -> int:
    """How many bytes the storage has of an upload that was begun earlier."""
    answer = client.store(uri, (), 0, {"Content-Range": f"bytes */{total}"})
    return _arrived(answer, total, otherwise=0)


def _arrived(answer: Answer, total: int, otherwise: int) -> int:
    if answer.status in _DONE and "html" not in answer.headers.get("content-type", ""):
        return total
    if answer.status == _GO_ON:
        match = re.fullmatch(r"bytes=0-([0-9]{1,15})", answer.headers.get("range", ""))
        return min(int(match[1]) + 1, total) if match else min(otherwise, total - 1)
    if answer.status in _GONE:
        raise UploadGone
    if answer.ok:
        raise nonsense(answer)
    error = error_of(answer)
    if isinstance(error, CatalogUnavailable):
        raise error
    raise CatalogRefused(f"{answer.catalog}'s storage rejected a part of the file ({answer.status}).")


def _chunk_size(hint: Any) -> int:
    size = hint if isinstance(hint, int) and not isinstance(hint, bool) else 0
    return max(_SMALLEST_CHUNK, -(-size // _UNIT) * _UNIT)
