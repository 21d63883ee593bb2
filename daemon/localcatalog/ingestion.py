"""Ingestion requests: a durable queue and one thread that lets labferry's own ingestors read the uploaded files.

What was provided is never overwritten: attributes set by a person or program stay, and so does every metadata value
that is there; an ingestor fills what is open. Keywords, samples and pictures are never doubled, so asking again
changes nothing. (The dataset-model page says that newly parsed values update existing metadata keys; the ingestors of
the real service let existing values win, and this catalog does too.)
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import LabferryError, StateError
from daemon.extract.outcome import Outcome
from daemon.extract.sandbox import Sandbox, SandboxClosedError
from daemon.localcatalog import content, datasets, describing, references, requests, search
from daemon.localcatalog.wire import Answer, Refusal, Request, answer
from daemon.mfid import mfid_of_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from daemon.extract.outcome import ChildOutcome
    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

_INHERITED: Final = (*datasets.TEXT_ATTRIBUTES, "project", "instrument")
_FALLBACKS: Final = frozenset({"", "none", "fallback"})
_TIMEOUT: Final = 120.0
_MEMORY: Final = 2 * 2**30
_IDLE: Final = 60.0
_PAUSE: Final = 5.0
_LOG: Final = logging.getLogger("labferry.catalog")


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: str
    ingestor: str | None = None
    message: str | None = None


class Ingestion:
    """Works off the requests of one catalog, oldest first. Also keeps the search index fresh while nobody searches."""

    def __init__(self, catalog: LocalCatalog) -> None:
        self._catalog = catalog
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._sandbox: Sandbox | None = None
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="ingestion", daemon=True)

    def start(self) -> None:
        """Put requests that a stop interrupted back into the queue, and begin."""
        with self._catalog.database.transaction():
            self._catalog.database.run("requeue")
        self._thread.start()

    def stop(self) -> None:
        """End the reading that is going on (its request stays in the queue) and wait for the thread."""
        self._stopping.set()
        self._wake.set()
        with self._guard:
            if self._sandbox is not None:
                self._sandbox.close()
        if self._thread.is_alive():
            self._thread.join()

    def request(self, request: Request) -> Answer:
        """POST /files/{mfid}/ingest."""
        reply = requests.request_ingestion(request)
        if request.text("status") != requests.NOT_REQUESTED:
            self._wake.set()
        return reply

    def list_ingestors(self, request: Request) -> Answer:
        """GET /ingestors: the names that `ingestion_class` may have."""
        del request
        from ingestors.registry import Registry  # noqa: PLC0415 only who asks pays for loading the plugins

        return answer(sorted(plugin.name for plugin in Registry.load().plugins))

    def _run(self) -> None:
        """The loop. What the disk does to it is logged and tried again; the requests stay where they are."""
        while not self._stopping.is_set():
            try:
                self._wake.clear()
                if self._next():
                    continue
            except StateError as error:
                _LOG.warning("ingestion waits: %s", error)
                self._catalog.clock.wait(self._stopping, _PAUSE)
                continue
            if not self._catalog.clock.wait(self._wake, _IDLE) and not self._stopping.is_set():
                self._rest()

    def _next(self) -> bool:
        """Read one file; False if nobody asked."""
        with self._catalog.database.transaction():  # sees a request whose commit is still to come
            row = self._catalog.database.one("next_request")
            if row is None:
                return False
            self._catalog.database.run("start_request", id=row["id"], now=self._catalog.now())
        try:
            verdict = self._ingest(row)
        except SandboxClosedError:
            return True
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 the edge of a loop: one file must not end the reading of all others
            _LOG.exception("bug while ingesting file %s", row["file_mfid"])
            verdict = _Verdict("failed", message=f"A bug of labferry: {error}")
        with self._catalog.database.transaction():
            self._catalog.database.run(
                "finish_request",
                id=row["id"],
                status=verdict.status,
                ingestor=verdict.ingestor,
                message=verdict.message,
                now=self._catalog.now(),
            )
        return True

    def _ingest(self, row: Row) -> _Verdict:
        if row["content"] is None or not content.content_path(self._catalog, row["content"]).exists():
            return _Verdict("file not found", message="The catalog does not hold the content of this file.")
        wanted = row["ingestion_class"]
        sandbox = self._reader()
        if wanted is not None and wanted not in {plugin.name for plugin in sandbox.plugins()}:
            return _Verdict("not supported", message=f"There is no ingestion class {wanted} here.")
        scratch = self._catalog.folder / "scratch" / str(row["id"])
        try:
            path, companions = self._lay_out(row, scratch)
            outcome = sandbox.extract(path, companions, ingestor=wanted)
        except OSError as error:
            return _Verdict("failed", message=f"The file could not be laid out for reading: {error.strerror}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self._judge(row, outcome)

    def _judge(self, row: Row, outcome: Outcome) -> _Verdict:
        failures = "; ".join(f"{failure.ingestor}: {failure.reason}" for failure in outcome.failures) or None
        if outcome.ingestor in _FALLBACKS and row["ingestion_class"] not in _FALLBACKS - {""}:
            return _Verdict("failed" if failures else "not supported", message=failures)
        try:
            with self._catalog.database.transaction():
                fill(self._catalog, row["dataset"], row["dataset_mfid"], row["filename"], outcome)
        except (Refusal, LabferryError) as error:
            if isinstance(error, StateError):
                raise
            return _Verdict("failed", outcome.ingestor, str(error))
        return _Verdict("complete", f"{outcome.ingestor} {outcome.version}".strip(), failures)

    def _lay_out(self, row: Row, scratch: Path) -> tuple[Path, list[Path]]:
        """Give the dataset's files their real names for the reading. The content is read-only, so links are enough."""
        shutil.rmtree(scratch, ignore_errors=True)
        primary: Path | None = None
        companions = []
        for member in self._catalog.database.all("files_of_dataset", dataset=row["dataset"]):
            if member["content"] is None:
                continue
            path = scratch / _safe(member["filename"])
            path.parent.mkdir(parents=True, exist_ok=True)
            source = content.content_path(self._catalog, member["content"])
            try:
                path.hardlink_to(source)
            except FileExistsError:
                continue
            if member["mfid"] == row["file_mfid"]:
                primary = path
            else:
                companions.append(path)
        if primary is None:
            raise FileNotFoundError(2, "its content is gone")
        return primary, companions

    def _reader(self) -> Sandbox:
        with self._guard:
            if self._stopping.is_set():
                raise SandboxClosedError
            if self._sandbox is None:
                self._sandbox = Sandbox(timeout=_TIMEOUT, memory=_MEMORY, workers=1)
            return self._sandbox

    def _rest(self) -> None:
        """Nobody asked for a while: give the worker's memory back, and index what is new before somebody searches."""
        with contextlib.suppress(StateError):
            search.refresh(self._catalog)
        with self._guard:
            if self._sandbox is not None and not self._stopping.is_set():
                self._sandbox.close()
                self._sandbox = None


def _safe(filename: str) -> PurePosixPath:
    """A name that the file system takes: each part at most 255 bytes, its suffix kept."""
    parts = []
    for part in PurePosixPath(filename).parts:
        raw = part.encode()
        suffix = PurePosixPath(part).suffix.encode()[:32]
        parts.append(part if len(raw) <= 255 else (raw[:200] + suffix).decode(errors="ignore"))  # noqa: PLR2004 NAME_MAX
    return PurePosixPath(*parts)


def fill(catalog: LocalCatalog, dataset: int, unique_id: str, filename: str, outcome: Outcome | ChildOutcome) -> None:
    """Write what an ingestor found where nothing was provided. Within a transaction; twice is the same as once."""
    children = outcome.children if isinstance(outcome, Outcome) else ()
    theirs = [sample for child in children for sample in child.samples]
    row = datasets.visible(catalog, unique_id)
    _fill_attributes(catalog, row, outcome.attributes)
    if outcome.scientific_metadata:
        old = describing.stored_metadata(catalog, unique_id) or {}
        document = describing.merged(outcome.scientific_metadata, old)
        if document != old:
            catalog.database.run("write_metadata", unique_id=unique_id, document=references.dumped(document))
    for keyword in outcome.keywords:
        if keyword.strip():
            describing.attach_keyword(catalog, dataset, keyword.strip())
    for sample in outcome.samples:
        if sample in theirs:
            continue
        name = sample.get("name") or sample.get("unique_id")
        if name:
            key = references.sample_key(catalog, name, sample.get("unique_id"), row["project"])
            catalog.database.run("attach_sample", dataset=dataset, sample=key)
    for picture in outcome.thumbnails:
        known = catalog.database.one("thumbnail_by_sha256", dataset=dataset, sha256=describing.digest(picture.png))
        if known is None:
            describing.store_thumbnail(catalog, dataset, picture.caption or filename, picture.png)
    _fill_children(catalog, datasets.visible(catalog, unique_id), filename, children)


def _fill_children(catalog: LocalCatalog, parent: Row, filename: str, children: Sequence[ChildOutcome]) -> None:
    """Make the children that the parent has not yet, known by their names as in Crucible, with the parent's attributes."""
    unique_id = parent["unique_id"]
    below = {link["name"] for link in describing.links_of(catalog, unique_id)} if children else set()
    for child in children:
        name = child.attributes.get("dataset_name") or f"{parent['dataset_name'] or filename} ({child.key})"
        own = mfid_of_part(unique_id, child.key)
        if name in below or catalog.database.one("resource_type", unique_id=own) is not None:
            continue
        below.add(name)
        datasets.insert(catalog, own, {"owner": parent["owner"]}, public=bool(parent["public"]))
        fill(catalog, describing.dataset_key(catalog, own), own, filename, child)
        row = datasets.visible(catalog, own)
        inherited = {one: parent[one] for one in _INHERITED if row[one] is None and parent[one] is not None}
        datasets.change(catalog, row, inherited | {"dataset_name": name}, provided=[])
        catalog.database.run("write_link", parent=unique_id, child=own, relationship="is_part_of")


def _fill_attributes(catalog: LocalCatalog, row: Row, attributes: dict[str, str]) -> None:
    values: dict[str, Any] = {
        name: attributes[name] for name in datasets.TEXT_ATTRIBUTES if attributes.get(name) and row[name] is None
    }
    if attributes.get("instrument_name") and row["instrument"] is None:
        values["instrument"] = references.instrument_key(catalog, None, None, attributes["instrument_name"])
    if attributes.get("project_id") and row["project"] is None:
        with contextlib.suppress(Refusal):
            values["project"] = references.project_key(catalog, attributes["project_id"], None)
    datasets.change(catalog, row, values, provided=[])
