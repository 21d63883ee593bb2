"""Crucible v3 as a catalog: a dataset record becomes steps, and each step a few requests that are safe to repeat.

The first try of a step sends at once; a repeated one looks first, because an answer may have been lost. The requests
are those of nano-crucible 3.3.0 (`resources/datasets.py`, `files.py`, `ingestion.py`), one key for all of them.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from daemon.catalogs.answers import nonsense
from daemon.catalogs.catalog import THEIR_ID, Finding, Health, digest_of, known_there
from daemon.catalogs.crucible import check as crucible_check
from daemon.catalogs.crucible.files import FileTransfer
from daemon.catalogs.crucible.ingestion import ONGOING, Policy, status_for
from daemon.catalogs.crucible.linking import BY_NAME, DERIVED, PART, CrucibleLinking
from daemon.catalogs.crucible.merging import marks, updates
from daemon.catalogs.crucible.record import (
    PATCHABLE,
    changes,
    contradictions,
    corrected,
    dataset_body,
    left_out,
    linked_samples,
    named_samples,
    open_fields,
)
from daemon.catalogs.http import DEFAULT_TIMEOUTS, HttpClient, Timeouts, segment
from daemon.catalogs.pace import Pace
from daemon.errors import CatalogRefused, CatalogUnavailable, LabferryError, NotYet
from daemon.model import Source, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.credentials import Key
    from daemon.clock import Clock
    from daemon.model import DatasetRecord, RecordFile, RecordThumbnail

PUBLIC_SITE: Final = "https://crucible.lbl.gov/"
PUBLIC_PAGE: Final = PUBLIC_SITE + "explore/{project_id}/datasets/{unique_id}"
RECORD_KEY: Final = "dataset"
METADATA_KEY: Final = "scientific_metadata"

_CLASSES_SECONDS: Final = 3600.0
_LEFT_SHOWN: Final = 50
_ASKED: Final = frozenset({Source.SESSION, Source.SIDECAR, Source.PATH, Source.CONFIGURATION})


@dataclass(frozen=True, slots=True)
class CrucibleOptions:
    """How one Crucible is reached. `page` may hold `{unique_id}` and `{project_id}`; project, instrument and owner are for `check`."""

    url: str
    key: Key
    name: str = "crucible"
    ingestion: Policy = "auto"
    page: str | None = None
    verify: bool | Path = True
    project_id: str | None = None
    instrument_id: str | None = None
    owner: str | None = None
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    bandwidth: int | None = None
    metadata: Literal["merge", "replace"] = "merge"
    known_files: Literal["link", "send"] = "send"
    samples_by_name: bool = False


class Crucible(CrucibleLinking):
    """The adapter; see `daemon.catalogs.catalog.Catalog`. Raises ConfigurationError for an unusable address or key."""

    def __init__(self, options: CrucibleOptions, clock: Clock) -> None:
        client = HttpClient(
            options.name,
            options.url,
            options.key.text,
            clock,
            verify=options.verify,
            timeouts=options.timeouts,
            pace=None if options.bandwidth is None else Pace(clock, options.bandwidth),
        )
        super().__init__(client)
        self.name = options.name
        self._options = options
        self._clock = clock
        self._files = FileTransfer(self._client, clock)
        self._classes: tuple[float, frozenset[str]] | None = (
            None  # the server's ingestors, and until when to believe it
        )

    def check(self) -> Sequence[Finding]:
        """Whether a delivery would work, one sentence each."""
        options = self._options
        findings = [Finding(Health.OK, f"The key for {self.name} comes from {options.key.origin}.")]
        if options.key.warning:
            findings.append(Finding(Health.WARNING, options.key.warning))
        try:
            findings += crucible_check.check(
                self._client, self._clock, options.project_id, options.instrument_id, options.owner
            )
        except LabferryError as error:
            findings.append(Finding(Health.FAILED, str(error)))
        return findings

    def plan(self, record: DatasetRecord) -> Sequence[Step]:
        """The steps, in order. All files come before the first ingestion: an ingestor may look at a companion."""
        steps = [Step(StepKind.RECORD, RECORD_KEY, digest_of(dataset_body(record)))]
        if record.scientific_metadata:
            steps.append(Step(StepKind.METADATA, METADATA_KEY, digest_of(record.scientific_metadata)))
        keywords = dict.fromkeys(keyword.strip() for keyword in record.keywords)
        steps += [Step(StepKind.KEYWORD, keyword, "") for keyword in keywords if keyword]
        steps += [Step(StepKind.FILE, file.name, file.sha256) for file in record.files]
        steps += [Step(StepKind.INGESTION, file.name, file.sha256) for file in record.files]
        steps += [Step(StepKind.THUMBNAIL, thumbnail.name, thumbnail.sha256) for thumbnail in record.thumbnails]
        steps += [Step(StepKind.SAMPLE, sample, "") for sample in linked_samples(record)]
        if self._options.samples_by_name:
            steps += [Step(StepKind.SAMPLE, name, BY_NAME) for name in named_samples(record)]
        if record.parent_id is not None:
            steps.append(Step(StepKind.LINK, record.parent_id, ""))
        steps += [Step(StepKind.LINK, source, DERIVED) for source in record.derived_from if source != record.parent_id]
        return steps

    def perform(  # noqa: PLR0911 one return for each kind of step
        self, step: Step, record: DatasetRecord, attempt: Attempt
    ) -> Mapping[str, Any]:
        """Do one step; see the protocol."""
        attempt.alive()
        record = known_there(record, attempt.outcomes)
        match step.kind:
            case StepKind.RECORD:
                return self._record(record, attempt)
            case StepKind.METADATA:
                return self._metadata(record, attempt)
            case StepKind.KEYWORD:
                return self._keyword(step.key, record, attempt)
            case StepKind.FILE:
                return self._file(step, record, attempt)
            case StepKind.INGESTION:
                return self._ingestion(step, record, attempt)
            case StepKind.THUMBNAIL:
                return self._thumbnail(step, record, attempt)
            case StepKind.SAMPLE:
                return self._sample(step, record, fresh=self._fresh(record, attempt))
            case StepKind.LINK:
                return self._link(step.key, step.digest or PART, record, fresh=self._fresh(record, attempt))
            case StepKind.BLOCK | StepKind.LIFECYCLE:
                raise CatalogRefused(f"{self.name} knows no step of the kind {step.kind}.")

    def page(self, unique_id: str) -> str | None:
        """Where a person can look at the dataset, if a page is configured."""
        project = self._options.project_id
        public = PUBLIC_PAGE if self._options.url.startswith(PUBLIC_SITE) else None
        template = self._options.page or public
        if template is None or ("{project_id}" in template and not project):
            return None
        return template.replace("{unique_id}", segment(unique_id)).replace("{project_id}", segment(project or ""))

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    # The record

    def _record(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        body = dataset_body(record)
        earlier = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY))
        if earlier is not None and isinstance(earlier.get("sent"), dict):
            return self._update(record, body, earlier)
        there = self._dataset(record.unique_id) if attempt.repeated else None
        if there is not None:
            return self._adopt(record, body, there)
        theirs = self._child_there(record)
        if theirs is not None:
            return {"created": False, "revision": record.revision, "sent": body, "left": {}, THEIR_ID: theirs}
        try:
            return self._create(record, body)
        except CatalogRefused:
            there = self._dataset(record.unique_id)
            if there is None:
                raise
            return self._adopt(record, body, there)

    def _create(self, record: DatasetRecord, body: dict[str, Any]) -> dict[str, Any]:
        left = left_out(record)
        owner = record.attributes.get("owner_orcid")
        named = owner is not None and owner.source in _ASKED
        answer = self._client.call("POST", "/datasets", body=body, also=() if named or "owner" not in body else (403,))
        if not answer.ok:  # the file names an owner for whom our account may not create; better ours than not there
            left["owner"] = f"our account may not create datasets for {body.pop('owner')}"
            answer = self._client.call("POST", "/datasets", body=body)
        if answer.mapping().get("unique_id") != record.unique_id:
            raise nonsense(answer)
        return {"created": True, "revision": record.revision, "sent": body, "left": left}

    def _adopt(self, record: DatasetRecord, body: dict[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
        """A record of this id is there: ours whose answer was lost, or one that somebody made beforehand for this file."""
        differences = contradictions(body, there)
        if differences:
            raise CatalogRefused(
                f"{self.name} holds another dataset under the id {record.unique_id}: {'; '.join(differences)}.",
                "Look at both; correct the attribute here, or give this dataset another id.",
            )
        fields = open_fields(body, there)
        if fields:
            self._client.call("PATCH", f"/datasets/{segment(record.unique_id)}", body=fields)
        return {"created": False, "revision": record.revision, "sent": body, "left": left_out(record)}

    def _update(self, record: DatasetRecord, body: dict[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
        sent: dict[str, Any] = earlier["sent"]
        changed, left = changes(body, sent)
        dataset = segment(record.unique_id)
        if changed:
            kept = corrected(changed, sent, self._dataset(record.unique_id) or {})
            changed = {name: value for name, value in changed.items() if name not in kept}
            left.update(dict.fromkeys(kept, "a person changed it in the catalog"))
        fields = {name: value for name, value in changed.items() if name in PATCHABLE}
        if fields:
            self._client.call("PATCH", f"/datasets/{dataset}", body=fields)
        instrument = {name: value for name, value in changed.items() if name in {"instrument_id", "instrument_mfid"}}
        if instrument:
            self._client.call("PUT", f"/datasets/{dataset}/instrument", body=instrument)
        if "public" in changed:
            method = "PUT" if changed["public"] else "DELETE"
            self._client.call(method, f"/resources/{dataset}/access/public")
        return {**earlier, "sent": {**sent, **changed}, "left": {**left_out(record), **left}}

    def _fresh(self, record: DatasetRecord, attempt: Attempt) -> bool:
        """Whether nothing of this step can be there yet: our first try, on a record that this revision made."""
        made = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY), {})
        return not attempt.repeated and made.get("created") is True and made.get("revision") == record.revision

    def _metadata(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """A deep merge, the same however often it is sent; what a person changed or added there stays."""
        sent = attempt.outcomes.get((StepKind.METADATA, METADATA_KEY), {}).get("sent")
        ours, left = dict(record.scientific_metadata), list[str]()
        path = f"/resources/{segment(record.unique_id)}/metadata"
        if self._options.metadata == "replace" and not self._fresh(record, attempt):
            self._client.call("POST", path, query=[("overwrite", "True")], body=ours).mapping()
            return {"sent": marks(record.scientific_metadata)}
        if isinstance(sent, str):
            ours, left = updates(ours, sent, self._described(record.unique_id))
        if ours:
            self._client.call("PATCH", path, body=ours).mapping()
        return {"sent": marks(record.scientific_metadata), **({"left": left[:_LEFT_SHOWN]} if left else {})}

    def _keyword(self, keyword: str, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        path = f"/datasets/{segment(record.unique_id)}/keywords"
        if not self._fresh(record, attempt) and keyword in self._keywords(record.unique_id):
            return {"how": "already there"}
        self._client.call("POST", path, query=[("keyword", keyword)]).mapping()
        return {}

    # Files

    def _file(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        file = next((file for file in record.files if file.name == step.key), None)
        if file is None:
            raise NotYet(f"The record of {record.unique_id} has no file {step.key}.")
        if self._options.known_files == "link" and file.size and not attempt.memory:
            linked = self._known_elsewhere(file, record, attempt)
            if linked is not None:
                return linked
        return self._files.deliver(record.unique_id, file, attempt, look=attempt.repeated)

    def _known_elsewhere(self, file: RecordFile, record: DatasetRecord, attempt: Attempt) -> dict[str, Any] | None:
        """If another dataset has these bytes, tell so in ours, and link ours to it; None if they have to be sent."""
        if not self._fresh(record, attempt) and self._files.find(record.unique_id, file) is not None:
            return None
        try:
            found = [held for held in self.find(file.sha256) if held.stored and held.size == file.size]
            if not found or any(held.dataset == record.unique_id for held in found):
                return None
            known = min(found, key=lambda held: held.ref)
            self._link(known.dataset, DERIVED, record, fresh=self._fresh(record, attempt))
        except (CatalogRefused, NotYet):  # a server that does not offer it, or a dataset that we may not link to
            return None
        return self._files.tell(record.unique_id, file, known)

    def _ingestion(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        file_id = attempt.outcomes.get((StepKind.FILE, step.key), {}).get("file_mfid")
        if not isinstance(file_id, str):
            raise NotYet(f"The file {step.key} of {record.unique_id} is not in {self.name} yet.")
        earlier = attempt.outcomes.get((StepKind.INGESTION, step.key), {}).get("request_id")
        if attempt.repeated:
            request = self._requested(record.unique_id, file_id, earlier)
            if request is not None:
                return request
        classes = self._server_classes() if self._options.ingestion == "auto" else frozenset()
        query = [("status", status_for(self._options.ingestion, step.key, classes))]
        answer = self._client.call("POST", f"/files/{segment(file_id)}/ingest", query=query).mapping()
        return {"request_id": answer.get("id"), "status": answer.get("status")}

    def follow(self, outcome: Mapping[str, Any]) -> str | None:
        """Ask for an ingestion request. `failed` and `not supported` are ends like `complete`."""
        number = outcome.get("request_id")
        if not isinstance(number, int):
            return "unknown"
        answer = self._client.call("GET", f"/ingestion_requests/{number}", also=(404,))
        status = answer.mapping().get("status") if answer.ok else "gone"
        return None if status in ONGOING else str(status)

    def _server_classes(self) -> frozenset[str]:
        """The names of the server's ingestors, asked for once an hour."""
        known = self._classes
        if known is None or self._clock.monotonic() >= known[0]:
            known = self._classes = (self._clock.monotonic() + _CLASSES_SECONDS, self._ask_for_classes())
        return known[1]

    def _ask_for_classes(self) -> frozenset[str]:
        names = self._optional("/ingestors")
        if not all(isinstance(name, str) for name in names):
            raise CatalogUnavailable(f"{self.name} answered with a list of ingestors that is none.")
        return frozenset(names)

    # Pictures and links

    def _thumbnail(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        thumbnail = next((thumbnail for thumbnail in record.thumbnails if thumbnail.name == step.key), None)
        if thumbnail is None:
            raise NotYet(f"The record of {record.unique_id} has no thumbnail {step.key}.")
        path = f"/datasets/{segment(record.unique_id)}/thumbnails"
        body = {"thumbnail_name": thumbnail.name, "thumbnail_b64str": b64encode(thumbnail.png).decode()}
        if not self._fresh(record, attempt):
            there = self._pictured(path, thumbnail)
            if there is not None and there.get("thumbnail_b64str") == body["thumbnail_b64str"]:
                return {"thumbnail_id": there.get("id"), "how": "already there"}
            if there is not None:
                path = f"{path}/{segment(str(there.get('id')))}"
                self._client.call("PATCH", path, body=body).mapping()
                return {"thumbnail_id": there.get("id"), "how": "replaced"}
        answer = self._client.call("POST", path, body=body).mapping()
        return {"thumbnail_id": answer.get("id")}

    def _pictured(self, path: str, thumbnail: RecordThumbnail) -> dict[str, Any] | None:
        named = (item for item in self._mappings(path) if item.get("thumbnail_name") == thumbnail.name)
        return next(named, None)
