"""A small Crucible v3 in memory, with the answers that its official client was recorded with.

Not idempotent on purpose: keywords, thumbnails and ingestion requests are added as often as they are asked for, so a
test sees a request that was repeated without looking.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import google_crc32c

from daemon.mfid import new_mfid
from tests.fakes.httpserver import Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

BASE: Final = "/api/v3"
KEY: Final = "TESTKEY"


@dataclass
class FakeUpload:
    """A begun upload; `blobs` by part number, or by offset for the resumable route."""

    dataset: str
    filename: str
    size: int
    sha256: str
    replaces: str | None = None
    blobs: dict[int, bytes] = field(default_factory=dict)
    signed: dict[int, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """What has arrived."""
        return b"".join(self.blobs[number] for number in sorted(self.blobs))


@dataclass
class FakeDataset:
    """Everything of one dataset."""

    record: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    keywords: list[str] = field(default_factory=list)
    thumbnails: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)


def detail(status: int, what: Any) -> Reply:
    """A refusal as FastAPI writes it."""
    return Reply(status, {"detail": what})


class FakeCrucible:
    """The server's state; `answer` is what a server calls, `seen` every request in order."""

    def __init__(self, part_size: int = 64 * 2**20) -> None:
        self.part_size = part_size
        self.signed_enabled = True
        self.empty_allowed = True
        self.ingestors = ["ScopeFoundryH5Ingestor", "H5Ingestor"]
        self.capabilities: dict[str, bool | None] = {"can_create_dataset": True, "can_create_for_others": True}
        self.expires_at = "2099-01-01T00:00:00Z"
        self.url_expires_at = "2099-01-01T00:00:00Z"
        self.projects = ["MFP12345"]
        self.instruments = ["hip-microscope"]
        self.datasets: dict[str, FakeDataset] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.uploads: dict[str, FakeUpload] = {}
        self.requests: list[dict[str, Any]] = []
        self.seen: list[Seen] = []
        self.refuse: Callable[[Seen], Reply | None] = lambda _: None
        self._idempotent: dict[str, str] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._routes = [(method, re.compile(path), handler) for method, path, handler in self._table()]

    def answer(self, seen: Seen) -> Reply:
        """Answer one request."""
        with self._lock:
            self.seen.append(seen)
            refused = self.refuse(seen)
            if refused is not None:
                return refused
            if seen.path.startswith("/storage/"):
                return self._store(seen)
            if not seen.path.startswith(BASE):
                return detail(404, "Not Found")
            if seen.headers.get("authorization") != f"Bearer {KEY}" and not seen.path.endswith("/health/live"):
                return detail(401, "Invalid API key")
            return self._route(seen, seen.path.removeprefix(BASE))

    def _route(self, seen: Seen, path: str) -> Reply:
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and method == seen.method:
                try:
                    return handler(seen, *match.groups())
                except KeyError as missing:
                    return detail(404, f"{missing} not found")
        return detail(404, "Not Found")

    def files_of(self, dataset: str) -> list[dict[str, Any]]:
        """The file records of a dataset."""
        return [file for file in self.files.values() if file["dataset_mfid"] == dataset]

    def add_dataset(self, unique_id: str, **fields: Any) -> None:
        """Put a dataset there as if somebody had made it."""
        self.datasets[unique_id] = FakeDataset({"unique_id": unique_id, "resource_type": "dataset", **fields})

    def add_file(self, dataset: str, filename: str, content: bytes) -> str:
        """Put a file there as if somebody had uploaded it; gives its id."""
        mfid = self._new_id()
        self._keep(mfid, dataset, filename, content)
        return mfid

    def _table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        one = "([^/]+)"
        multipart = f"/datasets/{one}/upload/multipart"
        return [
            ("GET", "/health/live", lambda _: Reply(body={"status": "ok"})),
            ("GET", "/account/verify", lambda _: Reply(body={"valid": True, "expires_at": self.expires_at})),
            ("GET", "/account/profile", lambda _: Reply(body={"capabilities": self.capabilities})),
            ("GET", "/projects", lambda seen: self._slugs(self.projects, seen.asked("project_id"))),
            ("GET", "/instruments", lambda seen: self._slugs(self.instruments, seen.asked("instrument_id"))),
            ("GET", "/ingestors", lambda _: Reply(body=self.ingestors)),
            ("GET", "/ingestion_requests", self._list_requests),
            ("POST", "/datasets", self._create),
            ("GET", f"/datasets/{one}", lambda _, dataset: Reply(body=self.datasets[dataset].record)),
            ("PATCH", f"/datasets/{one}", self._patch),
            ("PUT", f"/datasets/{one}/instrument", self._patch),
            ("PUT", f"/resources/{one}/access/public", lambda _, dataset: self._publish(dataset, public=True)),
            ("DELETE", f"/resources/{one}/access/public", lambda _, dataset: self._publish(dataset, public=False)),
            ("PATCH", f"/resources/{one}/metadata", self._merge),
            ("GET", f"/resources/{one}/metadata", self._metadata),
            ("GET", f"/resources/{one}/links", lambda _, dataset: Reply(body=self.datasets[dataset].links)),
            ("POST", f"/datasets/{one}/keywords", self._add_keyword),
            ("GET", f"/datasets/{one}/keywords", self._list_keywords),
            ("POST", f"/datasets/{one}/thumbnails", self._add_thumbnail),
            ("GET", f"/datasets/{one}/thumbnails", lambda _, d: Reply(body=self.datasets[d].thumbnails)),
            ("PATCH", f"/datasets/{one}/thumbnails/{one}", self._change_thumbnail),
            ("POST", f"/datasets/{one}/samples/{one}", self._link_sample),
            ("POST", f"/datasets/{one}/children/{one}", self._link_child),
            ("GET", f"/datasets/{one}/files", lambda _, dataset: Reply(body=self.files_of(dataset))),
            ("POST", f"/datasets/{one}/files", self._add_record),
            ("GET", f"/files/{one}", lambda _, file: Reply(body=self.files[file])),
            ("POST", f"/files/{one}/ingest", self._ingest),
            ("POST", f"{multipart}/initiate", self._initiate),
            ("POST", f"/files/{one}/upload/multipart/initiate", self._replace),
            ("POST", f"{multipart}/complete", self._complete),
            ("GET", f"{multipart}/{one}", self._status),
            ("POST", f"{multipart}/{one}/parts", self._sign),
            ("DELETE", f"{multipart}/{one}", self._abort),
            ("POST", f"/datasets/{one}/upload/initiate", self._initiate_resumable),
            ("POST", f"/datasets/{one}/upload/complete", self._complete),
        ]

    def _new_id(self) -> str:
        self._count += 1
        return new_mfid(1_800_000_000_000_000_000 + self._count)

    def _slugs(self, known: list[str], asked: str) -> Reply:
        items = [{"unique_id": self._new_id(), "project_id": slug} for slug in known if slug == asked]
        return Reply(body={"items": items, "total": len(items)})

    def _create(self, seen: Seen) -> Reply:
        body = seen.json()
        if body["unique_id"] in self.datasets:
            return detail(409, f"Dataset {body['unique_id']} already exists")
        if body.get("owner") and not self.capabilities.get("can_create_for_others"):
            return detail(403, "Your account may not create datasets for others")
        self.add_dataset(body["unique_id"], **{name: value for name, value in body.items() if name != "unique_id"})
        return Reply(body=self.datasets[body["unique_id"]].record)

    def _patch(self, seen: Seen, dataset: str) -> Reply:
        self.datasets[dataset].record.update(seen.json())
        return Reply(body=self.datasets[dataset].record)

    def _publish(self, dataset: str, *, public: bool) -> Reply:
        self.datasets[dataset].record["public"] = public
        return Reply(204)

    def _merge(self, seen: Seen, dataset: str) -> Reply:
        self.datasets[dataset].metadata.update(seen.json())
        return self._metadata(seen, dataset)

    def _metadata(self, seen: Seen, dataset: str) -> Reply:
        return Reply(body={"unique_id": dataset, "scientific_metadata": self.datasets[dataset].metadata})

    def _add_keyword(self, seen: Seen, dataset: str) -> Reply:
        self.datasets[dataset].keywords.append(seen.asked("keyword"))
        return Reply(body={"keyword": seen.asked("keyword"), "num_datasets": 1})

    def _list_keywords(self, seen: Seen, dataset: str) -> Reply:
        return Reply(body=[{"keyword": keyword, "num_datasets": 1} for keyword in self.datasets[dataset].keywords])

    def _add_thumbnail(self, seen: Seen, dataset: str) -> Reply:
        self._count += 1
        record = {"id": self._count, "dataset_id": 345, "mime_type": "image/png", **seen.json()}
        self.datasets[dataset].thumbnails.append(record)
        return Reply(body=record)

    def _change_thumbnail(self, seen: Seen, dataset: str, number: str) -> Reply:
        record = next(item for item in self.datasets[dataset].thumbnails if str(item["id"]) == number)
        record.update(seen.json())
        return Reply(body=record)

    def _link_sample(self, seen: Seen, dataset: str, sample: str) -> Reply:
        self.datasets[dataset].links.append({"unique_id": sample, "resource_type": "sample"})
        return Reply(body={"dataset_id": dataset, "samples": sample})

    def _link_child(self, seen: Seen, parent: str, child: str) -> Reply:
        if parent not in self.datasets:
            return detail(404, f"Dataset {parent} not found")
        relation = seen.asked("relationship_type", "is_derived_from")
        self.datasets[child].links.append(
            {"unique_id": parent, "resource_type": "dataset", "relationship_type": relation}
        )
        return Reply(body={"dataset_id": parent, "children": child})

    def _ingest(self, seen: Seen, file: str) -> Reply:
        self._count += 1
        request = {"id": self._count, "status": seen.asked("status"), "file_mfid": file, "ingestion_class": None}
        self.requests.append(request)
        return Reply(body=request)

    def _list_requests(self, seen: Seen) -> Reply:
        return Reply(body={"items": [r for r in self.requests if r["file_mfid"] == seen.asked("file_mfid")]})

    def _keep(self, mfid: str, dataset: str, filename: str, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        self.contents[mfid] = content
        self.files[mfid] = {
            "mfid": mfid,
            "dataset_mfid": dataset,
            "filename": filename,
            "size": len(content),
            "sha256_hash": digest,
            "storage_backend": "gcs",
            "etag": f'"{digest[:8]}"',
        }
        return self.files[mfid]

    def _add_record(self, seen: Seen, dataset: str) -> Reply:
        mfid = self._new_id()
        self.files[mfid] = {"mfid": mfid, "dataset_mfid": dataset, **seen.json()}
        return Reply(body=self.files[mfid])

    def _begin(self, key: str, upload: FakeUpload) -> Reply:
        upload_id = self._idempotent.get(key)
        if upload_id is None:
            upload_id = hashlib.sha256(self._new_id().encode()).hexdigest()[:32]
            self.uploads[upload_id] = upload
            self._idempotent[key] = upload_id
        begun = {"upload_id": upload_id, "state": "uploading", "part_size": self.part_size, "existing_file": None}
        return Reply(body={**begun, "parts": []})

    def _initiate(self, seen: Seen, dataset: str) -> Reply:
        body = seen.json()
        if not self.signed_enabled:
            return detail(503, "New multipart uploads are disabled")
        if dataset not in self.datasets:
            return detail(404, "Dataset not found")
        if body["size"] == 0 and not self.empty_allowed:
            return detail(422, [{"loc": ["body", "size"], "msg": "Input should be greater than 0"}])
        there = next((file for file in self.files_of(dataset) if file["filename"] == body["filename"]), None)
        if there is not None:
            names = {"code": "filename_exists", "message": "Filename already exists"}
            return detail(409, {**names, "file_mfid": there["mfid"], "etag": there["etag"]})
        upload = FakeUpload(dataset, body["filename"], body["size"], body["sha256_hash"])
        return self._begin(seen.headers["idempotency-key"], upload)

    def _replace(self, seen: Seen, file: str) -> Reply:
        body, there = seen.json(), self.files[file]
        if seen.headers["if-match"] not in {there["etag"], "*"}:
            return detail(412, {"code": "etag_mismatch", "message": "The file has changed"})
        upload = FakeUpload(there["dataset_mfid"], there["filename"], body["size"], body["sha256_hash"], file)
        return self._begin(seen.headers["idempotency-key"], upload)

    def _status(self, seen: Seen, dataset: str, upload_id: str) -> Reply:
        if upload_id not in self.uploads:
            return detail(404, "Upload not found")
        marker = int(seen.asked("part_number_marker", "0"))
        page = [number for number in sorted(self.uploads[upload_id].blobs) if number > marker][:2]
        more = page[-1] if page and page[-1] < max(self.uploads[upload_id].blobs) else None
        parts = [{"part_number": number} for number in page]
        return Reply(
            body={"upload_id": upload_id, "state": "uploading", "parts": parts, "next_part_number_marker": more}
        )

    def _sign(self, seen: Seen, dataset: str, upload_id: str) -> Reply:
        if upload_id not in self.uploads:
            return detail(404, "Upload not found")
        upload, parts = self.uploads[upload_id], []
        for part in seen.json()["parts"]:
            number = part["part_number"]
            upload.signed[number] = part["crc32c"]
            offset = (number - 1) * self.part_size
            parts.append(
                {
                    "part_number": number,
                    "url": f"http://{seen.headers['host']}/storage/{upload_id}/{number}?X-Goog-Signature=abc",
                    "headers": {"x-goog-hash": f"crc32c={part['crc32c']}"},
                    "offset": offset,
                    "size": min(self.part_size, upload.size - offset),
                    "expires_at": self.url_expires_at,
                }
            )
        return Reply(body={"parts": parts})

    def _abort(self, seen: Seen, dataset: str, upload_id: str) -> Reply:
        self.uploads.pop(upload_id, None)
        return Reply(204)

    def _store(self, seen: Seen) -> Reply:
        _, upload_id, number = seen.segments()
        if "authorization" in seen.headers or upload_id not in self.uploads:
            return Reply(400 if "authorization" in seen.headers else 404)
        upload = self.uploads[upload_id]
        if number == "resumable":
            return self._store_chunk(seen, upload)
        checksum = base64.b64encode(google_crc32c.value(seen.body).to_bytes(4, "big")).decode()
        if seen.headers.get("x-goog-hash") != f"crc32c={checksum}" or upload.signed.get(int(number)) != checksum:
            return Reply(400)
        upload.blobs[int(number)] = seen.body
        return Reply(200)

    def _store_chunk(self, seen: Seen, upload: FakeUpload) -> Reply:
        spoken = seen.headers["content-range"]
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", spoken)
        if match and int(match[1]) == len(upload.content):
            upload.blobs[int(match[1])] = seen.body
        if len(upload.content) == upload.size:
            return Reply(200, {"kind": "storage#object"})
        stored = len(upload.content)
        return Reply(308, headers={"Range": f"bytes=0-{stored - 1}"} if stored else {})

    def _initiate_resumable(self, seen: Seen, dataset: str) -> Reply:
        body = seen.json()
        begun = self._begin(self._new_id(), FakeUpload(dataset, body["filename"], body["size"], body["sha256_hash"]))
        upload_id = begun.body["upload_id"]
        uri = f"http://{seen.headers['host']}/storage/{upload_id}/resumable"
        return Reply(
            body={"upload_id": upload_id, "existing_file": None, "resumable_uri": uri, "chunk_size_hint": 8388608}
        )

    def _complete(self, seen: Seen, dataset: str) -> Reply:
        upload = self.uploads.get(seen.json()["upload_id"])
        if upload is None:
            return detail(404, "Upload not found")
        content = upload.content
        if len(content) != upload.size or hashlib.sha256(content).hexdigest() != upload.sha256:
            return detail(409, "Parts are missing")
        del self.uploads[seen.json()["upload_id"]]
        return Reply(body=self._keep(upload.replaces or self._new_id(), dataset, upload.filename, content))
