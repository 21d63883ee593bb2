"""The half of the Crucible adapter that only reads: what is there, its bytes, and what need not be done again.

The requests are those of nano-crucible 3.3.0 (`resources/datasets.py`, `files.py`); see `daemon.catalogs.catalog.Readable`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import nonsense
from daemon.catalogs.catalog import THEIR_ID, Held
from daemon.catalogs.crucible.merging import agreed
from daemon.catalogs.crucible.record import contradictions, dataset_body, left_out, open_fields
from daemon.catalogs.http import segment
from daemon.errors import CatalogRefused
from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.catalogs.http import HttpClient
    from daemon.model import DatasetRecord, Step

MISSING: Final = (403, 404)
NOT_OFFERED: Final = (404, 405, 422)  # a server of another version; what it does not offer is done without

_PROVENANCE: Final = "labferry"
_SESSION: Final = "session"  # the ingestor that a session's parent record names
_LATEST: Final = 20
_PAGE: Final = 500
_PAGES: Final = 1000
"""Pages of a listing at the most: one that never ends is no listing."""
_STORED: Final = "gcs"


class CrucibleReading:
    """Questions to one Crucible. Nothing here changes anything there."""

    name: str

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def holds(self, unique_id: str) -> Sequence[Held] | None:
        """Every file of a dataset, or None if there is no such dataset that we may see."""
        path = f"/datasets/{segment(unique_id)}/files"
        found: list[Held] = []
        cursor = ""
        for _ in range(_PAGES):  # today's servers list all at once
            answer = self._client.call("GET", path, query=[("cursor", cursor)] if cursor else (), also=MISSING)
            if not answer.ok:
                return None
            found += [held for item in answer.items() if (held := _held(item, unique_id)) is not None]
            value = answer.value()
            cursor = str(value.get("next_cursor") or "") if isinstance(value, dict) else ""
            if not cursor:
                return found
        raise nonsense(answer)

    def read(self, held: Held, alive: Callable[[], None]) -> Iterator[bytes]:
        """The stored bytes through a download link; the storage answers, not the record."""
        answer = self._client.call("GET", f"/files/{segment(held.ref)}/download_link", also=MISSING)
        link = answer.mapping().get("url") if answer.ok else None
        if answer.ok and link is not None and not isinstance(link, str):
            raise nonsense(answer)
        if link is None:
            raise CatalogRefused(f"{self.name} has a record of {held.name}, but not its bytes.")
        for chunk in self._client.fetch(link):
            alive()
            yield chunk

    def find(self, sha256: str) -> Sequence[Held]:
        """Files with this content in every dataset that our account may see."""
        query = [("sha256_hash", sha256), ("limit", str(_PAGE))]
        answer = self._client.call("GET", "/files", query=query, also=NOT_OFFERED)
        items = answer.items() if answer.ok else []
        found = [held for item in items if (held := _held(item, None)) is not None and held.sha256 == sha256]
        return [replace(held, path=self._path(held.dataset)) for held in found]

    def parents(self, unique_id: str) -> Sequence[tuple[str, str]]:
        """The datasets that this one is part of."""
        return [
            (item["unique_id"], str(item.get("name") or ""))
            for item in self._links(unique_id)
            if item.get("relationship_type") == "is_part_of" and item.get("direction") in {"source", None}
        ]

    def trace(self, instrument: str) -> str | None:
        """The newest dataset of this instrument whose metadata says that labferry made it."""
        query = [("instrument_id", instrument), ("limit", "2")]
        for known in self._mappings("/instruments", query):
            query = [("instrument_mfid", str(known.get("unique_id"))), ("limit", str(_LATEST))]
            for dataset in self._mappings("/datasets", query):
                unique_id = dataset.get("unique_id")
                if isinstance(unique_id, str) and _PROVENANCE in self._described(unique_id):
                    return unique_id
        return None

    def recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        """What `perform` would give for a step whose effect is there already, else None."""
        match step.kind:
            case StepKind.RECORD:
                return self._recall_record(record)
            case StepKind.METADATA:
                marks = agreed(record.scientific_metadata, self._described(record.unique_id))
                return {"sent": marks} if marks else None
            case StepKind.KEYWORD:
                there = step.key in self._keywords(record.unique_id)
            case StepKind.FILE:
                return self._recall_file(step, record)
            case StepKind.INGESTION:
                return self._recall_ingestion(step, record)
            case StepKind.THUMBNAIL:
                pictures = self._mappings(f"/datasets/{segment(record.unique_id)}/thumbnails")
                named = [item for item in pictures if item.get("thumbnail_name") == step.key]
                return {"thumbnail_id": named[0].get("id"), "how": "already there"} if named else None
            case StepKind.SAMPLE | StepKind.LINK:
                there = any(item.get("unique_id") == step.key for item in self._links(record.unique_id))
            case _:
                there = False
        return {"how": "already there"} if there else None

    def _recall_record(self, record: DatasetRecord) -> Mapping[str, Any] | None:
        there = self._dataset(record.unique_id)
        body = dataset_body(record)
        theirs = self._child_there(record) if there is None else None
        if theirs is not None:
            return {"created": False, "revision": record.revision, "sent": body, "left": {}, THEIR_ID: theirs}
        if record.ingestor == _SESSION:
            body.pop("timestamp", None)  # of the first dataset that is still known, which may be a later one
        if there is None or contradictions(body, there):
            return None
        missing = open_fields(body, there)
        sent = {name: value for name, value in body.items() if name not in missing}
        return {"created": False, "revision": record.revision, "sent": sent, "left": left_out(record)}

    def _recall_file(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        size = next((file.size for file in record.files if file.name == step.key), None)
        for held in self.holds(record.unique_id) or ():
            if held.name == step.key and held.sha256 == step.digest and held.size == size:
                return {"file_mfid": held.ref, "sha256": held.sha256, "size": size, "how": "already there"}
        return None

    def _recall_ingestion(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        file = self._recall_file(step, record)
        return None if file is None else self._requested(record.unique_id, file["file_mfid"], None)

    def _dataset(self, unique_id: str) -> dict[str, Any] | None:
        answer = self._client.call("GET", f"/datasets/{segment(unique_id)}", also=MISSING)
        return answer.mapping() if answer.ok else None

    def _described(self, unique_id: str) -> dict[str, Any]:
        """The scientific metadata of a dataset; empty if there is none."""
        answer = self._client.call("GET", f"/resources/{segment(unique_id)}/metadata", also=(404,))
        value = answer.value() if answer.ok else None
        if value is not None and not isinstance(value, dict):
            raise nonsense(answer)
        metadata = (value or {}).get("scientific_metadata")
        return metadata if isinstance(metadata, dict) else {}

    def _path(self, unique_id: str) -> str | None:
        provenance = self._described(unique_id).get(_PROVENANCE)
        path = provenance.get("path") if isinstance(provenance, dict) else None
        return path if isinstance(path, str) else None

    def _keywords(self, unique_id: str) -> list[Any]:
        listed = self._client.call("GET", f"/datasets/{segment(unique_id)}/keywords").items()
        return [item.get("keyword") if isinstance(item, dict) else item for item in listed]

    def _child_there(self, record: DatasetRecord) -> str | None:
        """The id of a child of this name that its parent has already: Crucible's ingestors tell theirs by the name."""
        name = record.value("dataset_name")
        if not record.part or record.parent_id is None:
            return None
        below = (item for item in self._links(record.parent_id) if item.get("direction") in {"target", None})
        named = (item["unique_id"] for item in below if item.get("name") == name)
        return next((unique_id for unique_id in named if unique_id != record.unique_id), None)

    def _links(self, unique_id: str) -> list[dict[str, Any]]:
        items = self._mappings(f"/resources/{segment(unique_id)}/links")
        return [item for item in items if isinstance(item.get("unique_id"), str)]

    def _requested(self, dataset: str, file_id: str, earlier: Any) -> dict[str, Any] | None:
        """The newest ingestion request of this file that is not the one of an earlier revision."""
        query = [("dataset_mfid", dataset), ("file_mfid", file_id), ("limit", "1000")]
        found = [
            item
            for item in self._optional("/ingestion_requests", query)
            if isinstance(item, dict) and isinstance(item.get("id"), int) and item.get("file_mfid", file_id) == file_id
        ]
        newer = [item for item in found if not isinstance(earlier, int) or item["id"] > earlier]
        if not newer:
            return None
        newest = max(newer, key=lambda item: int(item["id"]))
        return {"request_id": newest["id"], "status": newest.get("status")}

    def _optional(self, path: str, query: Sequence[tuple[str, str]] = ()) -> list[Any]:
        """A list that servers of other versions do not offer: empty there. Such a server says so twice, a proxy once."""
        for _ in range(2):
            answer = self._client.call("GET", path, query=query, also=NOT_OFFERED)
            if answer.ok:
                return answer.items()
        return []

    def _mappings(self, path: str, query: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
        return [item for item in self._client.call("GET", path, query=query).items() if isinstance(item, dict)]


def _held(item: Any, dataset: str | None) -> Held | None:
    """A file record, or None if it is none or of a dataset without an id."""
    if not isinstance(item, dict) or not isinstance(item.get("mfid"), str) or not isinstance(item.get("filename"), str):
        return None
    owner = item.get("dataset_mfid") or dataset
    if not isinstance(owner, str) or dataset not in {None, owner}:
        return None
    size, sha256 = item.get("size"), item.get("sha256_hash")
    return Held(
        dataset=owner,
        name=item["filename"],
        ref=item["mfid"],
        size=size if isinstance(size, int) else None,
        sha256=sha256.lower() if isinstance(sha256, str) and sha256 else None,
        stored=item.get("storage_backend") in {_STORED, None},
    )
