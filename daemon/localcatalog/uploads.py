"""The API's upload routes: the signed multipart flow (resumable across restarts), and the sequential one.

Empty files: the signed route accepts size 0; the upload has no parts and is completed at once. Crucible's own client
sends empty files by a third route, which hands out a token for a cloud bucket; here that route stores an empty file
right away and answers `existing_file`, so that the client has nothing left to upload. For any other size it is 501.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import content, files, signing
from daemon.localcatalog.describing import dataset_key
from daemon.localcatalog.references import fresh_mfid
from daemon.localcatalog.wire import Answer, Refusal, Request, answer, invalid, missing, sha256_field, whole_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.localcatalog.content import Arrival, Arrivals
    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

PART_SIZE: Final = 64 * 1024 * 1024
_SIGN_MAX: Final = 1000
_EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_KEY_MAX: Final = 255


class Uploads:
    """The upload routes of one catalog; holds what this process digested of the bytes that are arriving."""

    def __init__(self, catalog: LocalCatalog, arrivals: Arrivals) -> None:
        self._catalog = catalog
        self._arrivals = arrivals

    def initiate(self, request: Request) -> Answer:
        """POST /datasets/{mfid}/upload/multipart/initiate. The same Idempotency-Key gives the same upload."""
        body = request.json()
        key = dataset_key(self._catalog, request.names[0])
        name = files.filename_of(body)
        with self._catalog.database.transaction():
            existing = self._catalog.database.one("file_by_name", dataset=key, filename=name)
            return self._begin(request, body, key, name, existing, replace=False)

    def initiate_replacement(self, request: Request) -> Answer:
        """POST /files/{mfid}/upload/multipart/initiate with If-Match: replace a file's content, keep its id."""
        body = request.json()
        with self._catalog.database.transaction():
            row = files.find(self._catalog, request.names[0])
            wanted = request.headers.get("if-match", "*")
            if wanted not in {"*", row["etag"]}:
                raise _etag_mismatch(row)
            return self._begin(request, body, row["dataset"], row["filename"], row, replace=True)

    def initiate_sequential(self, request: Request) -> Answer:
        """POST /datasets/{mfid}/upload/initiate: one link, bytes in order (PUT with Content-Range)."""
        body = request.json()
        key = dataset_key(self._catalog, request.names[0])
        name = files.filename_of(body)
        if whole_field(body, "size") == 0:
            return self._store_empty(request, body, key, name)
        with self._catalog.database.transaction():
            existing = self._catalog.database.one("file_by_name", dataset=key, filename=name)
            return self._begin(request, body, key, name, existing, replace=False, route="resumable")

    def initiate_token(self, request: Request) -> Answer:
        """POST /datasets/{mfid}/upload/initiate/multipart: only for empty files (see the module)."""
        body = request.json()
        if whole_field(body, "size"):
            raise Refusal(501, "This catalog has no cloud bucket; use signed uploads (upload_protocol=signed)")
        key = dataset_key(self._catalog, request.names[0])
        name = files.filename_of(body)
        return self._store_empty(request, body, key, name)

    def status(self, request: Request) -> Answer:
        """GET /datasets/{mfid}/upload/multipart/{upload}[?part_number_marker=]: the acknowledged parts."""
        row = self._find(request, request.names[1])
        after = request.whole("part_number_marker", 0, 0, 2**31)
        return answer(self._shown(request, row, after))

    def sign(self, request: Request) -> Answer:
        """POST /datasets/{mfid}/upload/multipart/{upload}/parts: one link for each part."""
        row = self._open(request, request.names[1])
        wanted = request.json().get("parts")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= _SIGN_MAX:
            raise invalid(("body", "parts"), "list_type", f"Input should be a list of 1 to {_SIGN_MAX} parts")
        return answer({"parts": [self._signed(request, row, part) for part in wanted]})

    def complete(self, request: Request) -> Answer:
        """POST …/upload/multipart/complete or …/upload/complete: verify, make durable, name. Safe to repeat."""
        body = request.json()
        row = self._find(request, str(body.get("upload_id")))
        if row["state"] == "complete":
            return answer(files.record(files.find(self._catalog, row["file"])))
        if "sha256_hash" in body and sha256_field(body) != row["sha256"]:
            raise Refusal(422, {"code": "sha256_mismatch", "message": "sha256_hash is not the one of the initiation."})
        arrival = self._arrivals.of(row["id"])
        if not arrival.completing.acquire(blocking=False):
            raise Refusal(503, "This upload is being completed for another request", {"Retry-After": "1"})
        try:
            return self._completed(self._find(request, row["id"]), arrival, body.get("crc32c"))
        finally:
            arrival.completing.release()

    def _completed(self, row: Row, arrival: Arrival, crc32c: Any) -> Answer:
        if row["state"] != "complete":
            self._require_all(row)
            if arrival.busy:
                raise Refusal(503, "A part is still arriving; complete afterwards", {"Retry-After": "1"})
            self._name(row, self._verified(row, crc32c))
            self._arrivals.drop(row["id"])
            content.empty_discarded(self._catalog)
            row = self._again(row["id"])
        return answer(files.record(files.find(self._catalog, row["file"])))

    def is_small(self, request: Request) -> bool:
        """Whether completing is done in a moment, so that a thread for it would cost more."""
        row = self._catalog.database.one("upload", id=str(request.json().get("upload_id")))
        return row is None or row["size"] <= content.SMALL

    def abort(self, request: Request) -> Answer:
        """DELETE /datasets/{mfid}/upload/multipart/{upload}."""
        row = self._find(request, request.names[1])
        if row["state"] == "complete":
            raise Refusal(409, {"code": "upload_complete", "message": "The upload is complete; delete the file."})
        with self._catalog.database.transaction():
            self._catalog.database.run("delete_upload", id=row["id"])
        content.upload_path(self._catalog, row["id"]).unlink(missing_ok=True)
        self._arrivals.drop(row["id"])
        return Answer(b"", 204)

    def _begin(
        self, request: Request, body: dict[str, Any], key: int, name: str, existing: Row | None, *, replace: bool,
        route: str = "signed",
    ) -> Answer:  # fmt: skip
        size, sha256 = whole_field(body, "size"), sha256_field(body)
        if size == 0 and sha256 != _EMPTY:
            raise invalid(("body", "sha256_hash"), "value_error", "This is not the sha256 of an empty file")
        if existing is not None and existing["sha256"] == sha256 and existing["size"] == size and existing["content"]:
            return answer({**_NOTHING, "existing_file": files.record(existing)})
        if existing is not None and not replace:
            raise files.filename_exists(existing)
        idempotency = request.headers.get("idempotency-key", "")[:_KEY_MAX] or None
        row = self._catalog.database.one("upload_by_key", dataset=key, key=idempotency) if idempotency else None
        if row is not None and (row["filename"], row["size"], row["sha256"]) != (name, size, sha256):
            raise Refusal(422, {"code": "idempotency_key_reused", "message": "The key belongs to another upload."})
        if row is None or (row["state"] == "complete" and existing is None):
            row = self._insert(key, name, size, sha256, idempotency if row is None else None, existing, request, route)
        return answer(self._shown(request, row, 0))

    def _insert(
        self, key: int, name: str, size: int, sha256: str, idempotency: str | None, existing: Row | None,
        request: Request, route: str,
    ) -> Row:  # fmt: skip
        upload = secrets.token_hex(16)
        named = request.headers.get("if-match", "*")
        self._catalog.database.run(
            "insert_upload",
            id=upload,
            route=route,
            dataset=key,
            filename=name,
            size=size,
            sha256=sha256,
            part_size=PART_SIZE,
            key=idempotency,
            replaces=existing["id"] if existing is not None else None,
            etag=named if existing is not None and named != "*" else None,
            now=self._catalog.now(),
        )
        return self._again(upload)

    def _store_empty(self, request: Request, body: dict[str, Any], key: int, name: str) -> Answer:
        existing = self._catalog.database.one("file_by_name", dataset=key, filename=name)
        sha256 = sha256_field(body)
        if sha256 != _EMPTY:
            raise invalid(("body", "sha256_hash"), "value_error", "This is not the sha256 of an empty file")
        if existing is not None and existing["sha256"] != _EMPTY:
            raise files.filename_exists(existing)
        if existing is not None:
            return answer({**_NOTHING, "existing_file": files.record(existing)})
        with self._catalog.database.transaction():
            row = self._insert(key, name, 0, sha256, None, None, request, "signed")
        mfid = self._name(row, self._verified(row, None))
        self._arrivals.drop(row["id"])
        return answer({**_NOTHING, "existing_file": files.record(files.find(self._catalog, mfid))})

    def _shown(self, request: Request, row: Row, after: int) -> dict[str, Any]:
        count = part_count(row)
        limit = 1000
        rows = self._catalog.database.all("parts", upload=row["id"], after=after, limit=limit + 1)
        parts = [{"part_number": part["number"], "crc32c": part["crc32c"]} for part in rows[:limit]]
        shown = {
            "upload_id": row["id"],
            "state": row["state"],
            "filename": row["filename"],
            "size": row["size"],
            "part_size": row["part_size"],
            "part_count": count,
            "parts": parts,
            "next_part_number_marker": parts[-1]["part_number"] if len(rows) > limit else None,
            "existing_file": None,
        }
        if row["route"] == "resumable":
            path, _ = signing.sign(self._catalog, f"/gcs-resumable/{row['id']}", {})
            shown |= {"parts": [], "resumable_uri": request.origin + path, "chunk_size_hint": PART_SIZE // 2}
        return shown

    def _signed(self, request: Request, row: Row, part: Any) -> dict[str, Any]:
        number = part.get("part_number") if isinstance(part, dict) else None
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= part_count(row):
            message = f"Input should be an integer from 1 to {part_count(row)}"
            raise invalid(("body", "parts", "part_number"), "int_range", message)
        crc32c = _crc32c(part.get("crc32c"), ("body", "parts", "crc32c"))
        path, expires = signing.sign(self._catalog, f"/gcs-signed/{row['id']}/{number}", {"crc32c": crc32c})
        offset = (number - 1) * row["part_size"]
        return {
            "part_number": number,
            "url": request.origin + path,
            "headers": {"x-goog-hash": f"crc32c={crc32c}"},
            "offset": offset,
            "size": min(row["part_size"], row["size"] - offset),
            "expires_at": expires,
        }

    def _require_all(self, row: Row) -> None:
        parts = self._catalog.database.one("count_parts", upload=row["id"])
        count, last = (parts["count"], parts["last"] or 0) if parts else (0, 0)
        whole = last == row["size"] if row["route"] == "resumable" else count == part_count(row)
        if not whole and row["size"]:
            message = "Bytes are missing; ask for the upload's status and send the rest."
            raise Refusal(409, {"code": "parts_missing", "message": message})

    def _verified(self, row: Row, crc32c: Any) -> str:
        arrival = self._arrivals.of(row["id"])
        content.settle(self._catalog, row["id"], durable=row["size"] > content.SMALL)
        size, sha256, found = content.digests(self._catalog, row["id"], arrival)
        wrong = (size, sha256) != (row["size"], row["sha256"])
        if wrong or (crc32c is not None and crc32c != found):
            with self._catalog.database.transaction():
                self._catalog.database.run("delete_parts", upload=row["id"])
            content.upload_path(self._catalog, row["id"]).unlink(missing_ok=True)
            arrival.forget()
            message = "What arrived is not what was announced (size, sha256 or crc32c); nothing of it was kept."
            raise Refusal(422, {"code": "checksum_mismatch", "message": message})
        return found

    def _name(self, row: Row, crc32c: str) -> str:
        """The transaction that makes the verified upload a file. The content is in its place before it commits."""
        catalog = self._catalog
        with self._undone_together(row["id"]), catalog.database.transaction():
            current = catalog.database.one("file_by_name", dataset=row["dataset"], filename=row["filename"])
            if current is not None and current["id"] != row["replaces"]:
                raise files.filename_exists(current)
            if current is not None and row["etag"] is not None and row["etag"] != current["etag"]:
                raise _etag_mismatch(current)
            content.promote(catalog, row["id"])
            mfid = _write_file(catalog, row, current, crc32c)
            catalog.database.run("complete_upload", id=row["id"], file=mfid)
            catalog.database.run("delete_parts", upload=row["id"])
        return mfid

    @contextlib.contextmanager
    def _undone_together(self, upload: str) -> Iterator[None]:
        """If the transaction within does not end, the content goes back to where uploads lie."""
        try:
            yield
        except BaseException:
            if content.content_path(self._catalog, upload).exists():
                content.demote(self._catalog, upload)
            raise

    def _find(self, request: Request, upload: str) -> Row:
        row = self._catalog.database.one("upload", id=upload)
        if row is None or row["dataset_mfid"] != request.names[0]:
            raise missing("Upload", upload)
        return row

    def _again(self, upload: str) -> Row:
        row = self._catalog.database.one("upload", id=upload)
        if row is None:
            raise missing("Upload", upload)
        return row

    def _open(self, request: Request, upload: str) -> Row:
        row = self._find(request, upload)
        if row["state"] != "uploading":
            raise Refusal(409, {"code": "upload_complete", "message": "The upload is complete."})
        return row


_NOTHING: Final[Mapping[str, Any]] = {
    "upload_id": None,
    "state": "complete",
    "part_size": PART_SIZE,
    "part_count": 0,
    "parts": [],
}


def part_count(row: Row) -> int:
    """How many parts an upload has; an empty file has none."""
    return -(-int(row["size"]) // int(row["part_size"]))


def _write_file(catalog: LocalCatalog, row: Row, current: Row | None, crc32c: str) -> str:
    mfid = current["mfid"] if current is not None else fresh_mfid(catalog)
    values = {
        "size": row["size"],
        "sha256": row["sha256"],
        "crc32c": crc32c,
        "etag": f'"{row["id"][:16]}"',
        "storage_path": files.stored_path(row["dataset_mfid"], mfid),
        "content": row["id"],
    }
    if current is not None:
        if current["content"] is not None:
            catalog.database.run("discard", content=current["content"])
        catalog.database.run("replace_file", id=current["id"], **values)
        return str(mfid)
    catalog.database.run(
        "insert_file",
        mfid=mfid,
        dataset=row["dataset"],
        filename=row["filename"],
        storage_backend=files.STORED,
        access_note=None,
        now=catalog.now(),
        **values,
    )
    return str(mfid)


def _etag_mismatch(row: Row) -> Refusal:
    message = "The file was changed since; look at it and try again."
    return Refusal(412, {"code": "etag_mismatch", "message": message, "file_mfid": row["mfid"], "etag": row["etag"]})


def _crc32c(value: Any, location: tuple[str, ...]) -> str:
    try:
        good = isinstance(value, str) and len(base64.b64decode(value, validate=True)) == 4  # noqa: PLR2004 32 bits
    except (binascii.Error, ValueError):
        good = False
    if not good:
        raise invalid(location, "crc32c", "Input should be the base64 of four bytes")
    return str(value)
