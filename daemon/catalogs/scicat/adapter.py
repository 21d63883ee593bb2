"""SciCat as a catalog: one dataset of the v4 API, its file lists and pictures by the v3 nested routes, nothing twice.

Which routes and why: blocks and attachments of v4 are closed to many accounts, v3's filters lose texts that look like dates,
and v3's PUT and DELETE of attachments hit another attachment than the one that is named; those two are never used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import error_of, nonsense
from daemon.catalogs.catalog import digest_of
from daemon.catalogs.http import segment
from daemon.catalogs.scicat import check as scicat_check
from daemon.catalogs.scicat.account import Renewed, ServerError, in_flight, object_with
from daemon.catalogs.scicat.files import entries
from daemon.catalogs.scicat.listing import DATASETS
from daemon.catalogs.scicat.lookups import RECORD_KEY
from daemon.catalogs.scicat.pictures import Pictures
from daemon.catalogs.scicat.reading import SciCatReading
from daemon.catalogs.scicat.record import CREATED, WAITING, chosen_pid
from daemon.catalogs.scicat.update import Update
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused, NotYet
from daemon.model import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.catalog import Attempt, Finding
    from daemon.catalogs.scicat.files import Placement
    from daemon.catalogs.scicat.lookups import SciCatOptions
    from daemon.clock import Clock
    from daemon.model import DatasetRecord

BLOCK_KEY: Final = "files"
LIFECYCLE_KEY: Final = "archivable"
MOST_ERRORS: Final = 5
"""Times that a 500 is answered, by a server that is otherwise well, until a person has to look."""

_CONFLICT: Final = 409
_CLOSED: Final = (403, 404)
_NOT_FOUND: Final = 404


class SciCat(SciCatReading):
    """The adapter; see `daemon.catalogs.catalog.Catalog`. Raises ConfigurationError for an unusable address."""

    def __init__(self, options: SciCatOptions, clock: Clock) -> None:
        super().__init__(options, clock)
        self._update = Update(self._account)
        self._pictures = Pictures(self._account, self._attachments, self._settings.thumbnail)

    def check(self) -> Sequence[Finding]:
        """What our account may do, and whether the instrument and the storage are there."""
        findings = scicat_check.check(self._client, self._account, self._options, self.instruments)
        return [*findings, *(self._mover.check() if self._mover is not None else [])]

    def plan(self, record: DatasetRecord) -> Sequence[Step]:
        """The steps, in order. Raises CatalogRefused for a record that the configuration makes nothing valid of.

        A child dataset has none: SciCat's datasets are files of a folder, and may name many samples; the parent does.
        """
        if record.part or (not record.files and not self._settings.parents):
            return []
        steps = [Step(StepKind.RECORD, RECORD_KEY, digest_of(self._mapping.body(record)))]
        if self._mover is not None:
            steps += [Step(StepKind.FILE, file.name, file.sha256) for file in record.files]
        if record.files:
            listed = [[file.name, file.size, file.sha256] for file in record.files]
            steps.append(Step(StepKind.BLOCK, BLOCK_KEY, digest_of(listed)))
        steps += [Step(StepKind.THUMBNAIL, thumbnail.name, thumbnail.sha256) for thumbnail in record.thumbnails]
        if self._mapping.delayed(record):
            steps.append(Step(StepKind.LIFECYCLE, LIFECYCLE_KEY, ""))
        if record.parent_id is not None and self._settings.parents:
            steps.append(Step(StepKind.LINK, record.parent_id, ""))
        return steps

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Do one step; see the protocol. After a new log-in the step begins anew, and looks first."""
        attempt.alive()
        for _ in range(3):
            try:
                return self._perform(step, record, attempt)
            except Renewed:
                attempt = replace(attempt, repeated=True)
            except ServerError as error:
                raise self._judged(error, attempt) from None
        raise CredentialsRefused(f"{self.name} forgets each token that it gives us.", "Look at its clock and its keys.")

    def _perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        match step.kind:
            case StepKind.RECORD:
                return self._record(record, attempt)
            case StepKind.FILE:
                return self._file(step.key, record, attempt)
            case StepKind.BLOCK:
                return self._blocks(record, attempt)
            case StepKind.THUMBNAIL:
                return self._thumbnail(step.key, record, attempt)
            case StepKind.LIFECYCLE:
                return self._lifecycle(attempt)
            case StepKind.LINK:
                return self._link(step.key, attempt)
            case _:
                raise CatalogRefused(f"{self.name} knows no step of the kind {step.kind}.")

    def _judged(self, error: ServerError, attempt: Attempt) -> CatalogRefused | CatalogUnavailable:
        """A 500 is often for good. A server that is not well is waited for; one that is gets a few tries."""
        health = self._client.call("GET", "/api/v3/health", also=(500, 502, 503, 504, 404))
        if not health.ok and health.status not in _CLOSED:
            return CatalogUnavailable(error.message, error.advice, error.retry_after)
        count = int(attempt.memory.get("errors", 0)) + 1
        attempt.remember({**attempt.memory, "errors": count % MOST_ERRORS})
        if count < MOST_ERRORS:
            return error
        return CatalogRefused(
            f"{error.message} That was its answer {count} times, while it was well otherwise.",
            "Show this to SciCat's operators: their log says what it was; then retry.",
        )

    # The record

    def _record(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        earlier = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY), {})
        body = self._mapping.body(record, earlier.get("base"))
        if "pid" in earlier:
            return {**earlier, **self._update.later(earlier, body)}
        placement = self._mapping.placement(record)
        chosen = self._chosen(record.unique_id)
        found = self._find(record.unique_id)  # with a chosen pid too: it may have been made before one was configured
        kept = {
            "revision": record.revision,
            "base": placement.base,
            "store": placement.store,
            "folder": placement.folder,
        }
        if found is None:
            pid, made, left = self._create(record, body, chosen)
            if made:
                self._remember_pid(record.unique_id, pid)
                return {"pid": pid, "created": True, **kept, **self._update.sent(body), "left": left}
            found = pid
        self._remember_pid(record.unique_id, found)
        return {"pid": found, "created": False, **kept, **self._update.adopted(found, body)}

    def _create(
        self, record: DatasetRecord, body: Mapping[str, Any], chosen: str | None
    ) -> tuple[str, bool, dict[str, str]]:
        """The pid, whether this request made it, and what was left out."""
        ids, left = self._instrument_ids(record)
        group = self._account.identity().group(self._settings.group)
        whole = {
            **body,
            "accessGroups": list(dict.fromkeys([*body["accessGroups"], *([group] if group else [])])),
            **({"instrumentIds": ids} if ids else {}),
            **({"pid": chosen} if chosen else {}),
            **({"datasetlifecycle": lifecycle} if (lifecycle := self._born(record)) else {}),
        }
        if chosen and record.parent_id and self._settings.parents:
            whole["inputDatasets"] = [chosen_pid(self._settings.pid_prefix or "", record.parent_id)]
        try:
            answer = self._account.call("POST", DATASETS, body=whole, slow=True, also=(_CONFLICT,))
            if answer.status == _CONFLICT:
                return self._conflicting(record, chosen, answer), False, left
            pid = object_with(answer, "pid")["pid"]
        except ServerError:
            found = self._find(record.unique_id)  # it answers so although it created it, for instance at a null
            if found is None:
                raise
            return found, False, left
        except CatalogUnavailable as error:
            raise in_flight(error) from None
        return pid, True, left

    def _conflicting(self, record: DatasetRecord, chosen: str | None, answer: Answer) -> str:
        """The pid of what is there already; unreadable for us, if it is another group's."""
        found = self._find(record.unique_id)
        if found is None and chosen is not None:
            told = self._account.call("GET", f"{DATASETS}/{segment(chosen)}", also=_CLOSED)
            found = chosen if told.status != _NOT_FOUND else None
        if found is None:
            raise nonsense(answer)
        return found

    def _born(self, record: DatasetRecord) -> dict[str, Any]:
        """The lifecycle that a dataset begins with; what is not said is the server's own default."""
        told = self._settings.dataset.datasetlifecycle.model_dump(exclude_none=True)
        archivable = told.pop("archivable")
        if self._mapping.delayed(record):
            return {"isOnCentralDisk": False, **told, "archivable": False, "archiveStatusMessage": WAITING}
        return {**told, **({"archivable": archivable} if isinstance(archivable, bool) else {})}

    def _lifecycle(self, attempt: Attempt) -> Mapping[str, Any]:
        """Every file is in place and listed: the archive may begin. 409 says that it was told so already."""
        told = self._settings.dataset.datasetlifecycle
        body = {"archivable": True, "archiveStatusMessage": CREATED}
        if told.isOnCentralDisk is None:
            body["isOnCentralDisk"] = True
        pid = self._pid(attempt)
        path = f"{DATASETS}/{segment(pid)}"
        answer = self._account.call(
            "PATCH", f"{path}/datasetlifecycle", body=body, merge=True, also=(_CONFLICT, *_CLOSED)
        )
        if answer.status in _CLOSED:  # who may change a dataset may not always use that route
            answer = self._account.call("PATCH", path, body={"datasetlifecycle": body}, merge=True, also=_CLOSED)
        if answer.status in _CLOSED:
            raise CatalogRefused(
                f"The dataset stays closed to the archive: {error_of(answer).message}",
                "Let our account's group own the dataset, or say `archivable: true` in `datasetlifecycle`; then retry.",
            )
        there = self._there(pid)
        if there is not None and there.get("datasetlifecycle", {}).get("archivable") is not True:
            raise nonsense(answer)
        return {}

    def _link(self, parent: str, attempt: Attempt) -> Mapping[str, Any]:
        pid = self._chosen(parent) or self._find(parent, sure=True)
        if pid is None:
            raise NotYet(f"The session's dataset {parent} is not in {self.name} yet.")
        own = self._pid(attempt)
        there = object_with(self._account.call("GET", f"{DATASETS}/{segment(own)}"), "pid")
        known = [item for item in there.get("inputDatasets") or () if isinstance(item, str)]
        if pid in known:
            return {"how": "already there"}
        return self._update.patched(own, {"inputDatasets": [*known, pid]})

    # Files

    def _file(self, name: str, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        file = self._named(record).get(name)
        if file is None or self._mover is None:
            raise NotYet(f"The record of {record.unique_id} has no file {name} to be moved.")
        placement = self._placement(record, attempt)
        return self._mover.deliver(placement.store, placement.names[name], file, attempt)

    def _placement(self, record: DatasetRecord, attempt: Attempt) -> Placement:
        """Where files go: beside those of the earlier revisions, whatever the attributes say now."""
        earlier = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY), {})
        known: tuple[DatasetRecord, Any, Placement] | None = getattr(self._last, "placed", None)
        if known is not None and known[0] is record and known[1] == earlier.get("base"):  # one for thousands of files
            return known[2]
        placement = self._mapping.placement(record, earlier.get("base"))
        placement = replace(placement, store=earlier.get("store", placement.store))
        self._last.placed = (record, earlier.get("base"), placement)
        return placement

    def _blocks(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """List the files that are not listed yet; the server adds up whatever it is told twice."""
        wanted = entries(record, self._placement(record, attempt))
        fresh = self._fresh(record, attempt)
        return self._lists.bring(self._pid(attempt), wanted, attempt.alive, fresh=fresh)

    def _thumbnail(self, name: str, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        picture = next((thumbnail for thumbnail in record.thumbnails if thumbnail.name == name), None)
        if picture is None:
            raise NotYet(f"The record of {record.unique_id} has no thumbnail {name}.")
        earlier = attempt.outcomes.get((StepKind.THUMBNAIL, name), {}).get("attachment")
        fresh, group = self._fresh(record, attempt), self._mapping.owner_group(record)
        return self._pictures.bring(self._pid(attempt), group, picture, earlier, fresh=fresh)
