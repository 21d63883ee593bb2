"""One file into one Crucible dataset, exactly once: look, begin, send what is missing, complete.

The routes (nano-crucible 3.3.0): signed multipart; resumable where that is switched off; a record without bytes for
an empty file that the catalog does not take as an upload (its storage has no upload of nothing).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import code_of, error_of, nonsense, said
from daemon.catalogs.crucible.resumable import ROUTE, begin_resumable, send_resumable
from daemon.catalogs.crucible.signed import LinkBreaks, PartSender, Upload, UploadGone
from daemon.catalogs.http import HttpClient, segment
from daemon.catalogs.source import Source, crc32c_text
from daemon.errors import CatalogRefused, CatalogUnavailable, SourceChanged
from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.catalog import Attempt, Held
    from daemon.clock import Clock
    from daemon.model import RecordFile

PART_SIZE: Final = 64 * 2**20
"""Bytes of a part if the catalog does not say it."""

_SWITCHED_OFF: Final = "multipart uploads are disabled"
_EMPTY_REFUSED: Final = (400, 404, 405, 411, 413, 415, 422)
_GONE: Final = (404, 410)
_CONFLICT: Final = 409
_PRECONDITION: Final = 412
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class _Job:
    """One file on its way. `generation` counts the uploads that the catalog forgot; `memory` is what still holds."""

    dataset: str
    source: Source
    attempt: Attempt
    generation: int
    memory: Mapping[str, Any]

    @property
    def file(self) -> RecordFile:
        return self.source.file


class FileTransfer:
    """Delivers files. Used by several threads at once: it holds nothing of a single transfer."""

    def __init__(self, client: HttpClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def deliver(self, dataset: str, file: RecordFile, attempt: Attempt, *, look: bool) -> dict[str, Any]:
        """Make `file` part of the dataset and return `{"file_mfid", "sha256", "size", "how"}`.

        `look`: ask first whether it is there. Raises a CatalogError; SourceChanged if the file is not the hashed one.
        """
        if look:
            found = self.find(dataset, file)
            if found is not None:
                return _outcome(found, file, "already there")
        memory = attempt.memory if attempt.memory.get("sha256") == file.sha256 else {}
        generation = memory.get("generation", 0)
        with Source(file) as source:
            source.verify()
            try:
                return self._upload(_Job(dataset, source, attempt, generation, memory))
            except UploadGone:
                attempt.remember({"sha256": file.sha256, "generation": generation + 1})
                return self._again(_Job(dataset, source, attempt, generation + 1, {}))

    def find(self, dataset: str, file: RecordFile) -> dict[str, Any] | None:
        """The dataset's file of this name with exactly this content, or None."""
        answer = self._client.call("GET", f"/datasets/{segment(dataset)}/files")
        listed = [item for item in answer.items() if isinstance(item, dict)]
        return next((item for item in listed if item.get("filename") == file.name and _same(item, file)), None)

    def tell(self, dataset: str, file: RecordFile, known: Held) -> dict[str, Any] | None:
        """A record of a file whose bytes are another dataset's; None if the catalog does not take it like that."""
        body = {
            "filename": file.name,
            "storage_backend": "local",
            "size": file.size,
            "sha256_hash": file.sha256,
            "access_note": f"The same bytes are the file {known.ref} of the dataset {known.dataset}.",
        }
        path = f"/datasets/{segment(dataset)}/files"
        answer = self._client.call("POST", path, body=body, also=(_CONFLICT, *_EMPTY_REFUSED))
        if not answer.ok:
            return None
        return {**_outcome(answer.mapping(), file, "linked"), "same_as": [known.dataset, known.ref]}

    def _again(self, job: _Job) -> dict[str, Any]:
        found = self.find(job.dataset, job.file)
        if found is not None:
            return _outcome(found, job.file, "already there")
        try:
            return self._upload(job)
        except UploadGone:
            raise CatalogUnavailable(f"{self._client.catalog} forgot the upload of {job.file.name} twice.") from None

    def _upload(self, job: _Job) -> dict[str, Any]:
        file, memory = job.file, job.memory
        if memory.get("route") == ROUTE:
            return self._send_resumable(job)
        if "upload_id" in memory:
            return self._finish(Upload(job.dataset, memory["upload_id"], memory["part_size"]), job, memory)
        answer = self._initiate(job)
        if answer.status == _CONFLICT:
            return self._conflict(answer, job)
        if answer.ok:
            return self._begun(answer, job, "uploaded")
        return self._record_only(job.dataset, file) if file.size == 0 else self._send_resumable(job)

    def _send_resumable(self, job: _Job) -> dict[str, Any]:
        memory = job.memory
        if memory.get("route") != ROUTE:
            memory = begin_resumable(self._client, job.dataset, job.source, job.attempt)
        record = send_resumable(self._client, self._clock, job.dataset, job.source, job.attempt, memory)
        return _outcome(record, job.file, "uploaded")

    def _initiate(self, job: _Job) -> Answer:
        """Begin an upload. Returns 2xx, 409, 503 if signed uploads are switched off, or the refusal of an empty file."""
        file = job.file
        answer = self._client.call(
            "POST",
            f"/datasets/{segment(job.dataset)}/upload/multipart/initiate",
            body={"filename": file.name, "size": file.size, "sha256_hash": file.sha256},
            headers={"Idempotency-Key": _idempotency_key(job)},
            also=(_CONFLICT, _UNAVAILABLE, *(_EMPTY_REFUSED if file.size == 0 else ())),
        )
        if answer.status == _UNAVAILABLE and _SWITCHED_OFF not in said(answer):
            raise error_of(answer)
        return answer

    def _begun(self, answer: Answer, job: _Job, how: str) -> dict[str, Any]:
        """Go on from the catalog's answer to an initiate request."""
        value, file = answer.mapping(), job.file
        existing = value.get("existing_file")
        if isinstance(existing, str):
            existing = self._client.call("GET", f"/files/{segment(existing)}").mapping()
        if isinstance(existing, dict):
            return _outcome(existing, file, "already there")
        upload_id, part_size = value.get("upload_id"), value.get("part_size") or PART_SIZE
        if not isinstance(upload_id, str) or not isinstance(part_size, int) or part_size <= 0:
            raise nonsense(answer)
        memory = {
            "sha256": file.sha256,
            "generation": job.generation,
            "upload_id": upload_id,
            "part_size": part_size,
            "how": how,
        }
        if file.size > part_size:  # a single part is begun again under the same Idempotency-Key
            job.attempt.remember(memory)
        return self._finish(Upload(job.dataset, upload_id, part_size), job, memory)

    def _finish(self, upload: Upload, job: _Job, memory: Mapping[str, Any]) -> dict[str, Any]:
        """Send the missing parts and complete the upload."""
        file, how = job.file, str(memory.get("how", "uploaded"))
        try:
            if file.size:
                self._send_parts(upload, job, memory)
            job.source.verify()
        except SourceChanged:
            self._abort(upload)
            raise
        except LinkBreaks:
            return self._byte_by_byte(upload, job, memory)
        body = {"upload_id": upload.upload_id, "sha256_hash": file.sha256, "crc32c": crc32c_text(file.crc32c)}
        path = f"/datasets/{segment(upload.dataset)}/upload/multipart/complete"
        answer = self._client.call("POST", path, body=body, slow=True, also=(_CONFLICT, *_GONE))
        if answer.ok:
            return _outcome(answer.mapping(), file, how)
        found = self.find(upload.dataset, file)  # completed already, and the answer was lost
        if found is not None:
            return _outcome(found, file, how)
        if answer.status == _CONFLICT:
            raise error_of(answer)
        raise UploadGone

    def _send_parts(self, upload: Upload, job: _Job, memory: Mapping[str, Any]) -> None:
        trusted = memory.get("trusted", True) is True
        sender = PartSender(self._client, self._clock, job.source, upload, job.attempt, trusted=trusted)
        sender.run(memory)

    def _byte_by_byte(self, upload: Upload, job: _Job, memory: Mapping[str, Any]) -> dict[str, Any]:
        """Go on over the route that resumes in the middle of a part, if the catalog has it; else part after part."""
        try:
            begun = begin_resumable(self._client, job.dataset, job.source, job.attempt)
        except CatalogRefused:
            untrusted = {**memory, "trusted": False}
            job.attempt.remember(untrusted)
            return self._finish(upload, job, untrusted)
        self._abort(upload)
        return self._send_resumable(replace(job, memory=begun))

    def _conflict(self, answer: Answer, job: _Job) -> dict[str, Any]:
        """The dataset has a file of this name: the same one, an earlier revision of ours, or somebody else's."""
        file = job.file
        code, detail = code_of(answer)
        file_id = detail.get("file_mfid")
        if code != "filename_exists" or not isinstance(file_id, str):
            raise error_of(answer)
        there = self._client.call("GET", f"/files/{segment(file_id)}").mapping()
        if _same(there, file):
            return _outcome(there, file, "already there")
        if not _delivered_earlier(there, job) and not _grown(there, job):
            raise CatalogRefused(
                f"{self._client.catalog} has another file named {file.name} in this dataset, and it is not from here: "
                f"{there.get('size')} bytes, sha256 {there.get('sha256_hash')}.",
                "Look at both; rename the local one or delete the other in the catalog, then retry.",
            )
        answer = self._client.call(
            "POST",
            f"/files/{segment(file_id)}/upload/multipart/initiate",
            body={"size": file.size, "sha256_hash": file.sha256},
            headers={
                "If-Match": str(detail.get("etag") or "*"),
                "Idempotency-Key": _idempotency_key(job, replaces=file_id),
            },
            also=(_CONFLICT, _PRECONDITION),
        )
        if not answer.ok:  # somebody else replaces it at this moment; the next try looks again
            raise CatalogUnavailable(f"{self._client.catalog} could not replace {file.name} now: {said(answer)}.")
        return self._begun(answer, job, "replaced")

    def _record_only(self, dataset: str, file: RecordFile) -> dict[str, Any]:
        """An empty file that cannot be uploaded: its record alone says everything that there is to say."""
        body = {
            "filename": file.name,
            "storage_backend": "local",
            "size": 0,
            "sha256_hash": file.sha256,
            "access_note": "An empty file: there are no bytes to store.",
        }
        answer = self._client.call("POST", f"/datasets/{segment(dataset)}/files", body=body)
        return _outcome(answer.mapping(), file, "record only")

    def _abort(self, upload: Upload) -> None:
        """Give the storage of a file that changed meanwhile free. A failure costs nothing: uploads expire."""
        try:
            self._client.call("DELETE", upload.path)
        except (CatalogUnavailable, CatalogRefused):
            return


def _idempotency_key(job: _Job, replaces: str = "") -> str:
    """The same for every try of one upload, without storing it; another one after the catalog forgot an upload."""
    words = "\0".join((job.dataset, job.file.name, job.file.sha256, str(job.generation), replaces))
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _delivered_earlier(there: Mapping[str, Any], job: _Job) -> bool:
    """Whether the catalog's file is what we delivered last under this name, and nobody changed it since."""
    earlier = job.attempt.outcomes.get((StepKind.FILE, job.file.name), {})
    ours = (earlier.get("file_mfid"), earlier.get("sha256"))
    return None not in ours and ours == (there.get("mfid"), there.get("sha256_hash"))


def _grown(there: Mapping[str, Any], job: _Job) -> bool:
    """Whether the catalog's file is the beginning of ours, so that replacing it loses nothing, whoever sent it."""
    size = there.get("size")
    if not isinstance(size, int) or not 0 <= size < job.file.size:
        return False
    return job.source.sha256(size, job.attempt.alive) == there.get("sha256_hash")


def _same(there: Mapping[str, Any], file: RecordFile) -> bool:
    return there.get("sha256_hash") == file.sha256 and there.get("size") == file.size


def _outcome(there: Mapping[str, Any], file: RecordFile, how: str) -> dict[str, Any]:
    """What is kept of a delivered file. Raises CatalogUnavailable for a record that is none, CatalogRefused for other bytes."""
    file_id = there.get("mfid")
    if not isinstance(file_id, str) or not file_id:
        raise CatalogUnavailable(f"The catalog answered with a file record without an id for {file.name}.")
    digest, size = there.get("sha256_hash", file.sha256), there.get("size", file.size)
    if (digest is not None and digest != file.sha256) or (size is not None and size != file.size):
        raise CatalogRefused(
            f"The catalog holds other bytes than were sent as {file.name}: {size} bytes, sha256 {digest}.",
            "Keep the local file; show this to the catalog's operators.",
        )
    return {"file_mfid": file_id, "sha256": file.sha256, "size": file.size, "how": how}
