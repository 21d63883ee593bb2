"""What a fake SciCat has in its database, and who may do what with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.httpserver import Reply
from tests.fakes.scicat_keeping import now

PREFIX: Final = "PID.SAMPLE.PREFIX"
FORBIDDEN: Final = {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403}
UNAUTHORIZED: Final = {"message": "Unauthorized access", "error": "Forbidden", "statusCode": 403}
WRONG: Final = {"message": "Something went wrong. Please try again later.", "statusCode": 500}
_SINCE: Final = "2026-11-20T15:40:40.824Z"


@dataclass
class FakeUser:
    """An account. `rights`: create, pid, privileged or admin."""

    name: str
    groups: tuple[str, ...]
    rights: str = "create"


@dataclass
class FakeScicatDataset:
    """Everything of one dataset. A new one is filled as the server fills it; `record` has what is stored."""

    record: dict[str, Any]
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)


class ScicatState:
    """The database, and its rules of access."""

    generation: str

    def __init__(self) -> None:
        self.datasets: dict[str, FakeScicatDataset] = {}

    def readable(self, user: FakeUser | None, one: FakeScicatDataset) -> bool:
        """Whether somebody may read a dataset and what belongs to it."""
        groups = set() if user is None else set(user.groups)
        own = {one.record["ownerGroup"], *one.record["accessGroups"]}
        return bool(one.record["isPublished"] or groups & own or (user is not None and user.rights == "admin"))

    def known(self, user: FakeUser | None, pid: str, shown: str | None = None) -> FakeScicatDataset | Reply:
        """A dataset to be read; v4 says `null` for the name of one that is not there."""
        one = self.datasets.get(pid)
        if one is None:
            return not_found(f"dataset: {shown or pid} not found")
        return one if self.readable(user, one) else Reply(403, UNAUTHORIZED)

    def own(self, user: FakeUser | None, pid: str) -> FakeScicatDataset | Reply:
        """A dataset to be changed: its owner's group, or an administrator."""
        if user is None:
            return Reply(403, FORBIDDEN)
        one = self.datasets.get(pid)
        if one is None:
            return not_found(f"dataset: {pid} not found")
        return one if self.owns(user, one.record["ownerGroup"]) else Reply(403, UNAUTHORIZED)

    def owns(self, user: FakeUser, group: str) -> bool:
        """Whether a group is the account's own."""
        return group in user.groups or user.rights == "admin"

    def whole(self, body: dict[str, Any], user: FakeUser, version: str) -> dict[str, Any]:
        """A new dataset with everything that the server adds."""
        pid = body.get("pid") or f"{PREFIX}/{uuid.uuid4()}"
        moment = now()
        empty: dict[str, Any] = {
            name: []
            for name in (
                "accessGroups", "keywords", "techniques", "relationships", "sharedWith", "principalInvestigators",
                "proposalIds", "sampleIds", "instrumentIds", "inputDatasets", "usedSoftware",
            )
        }  # fmt: skip
        counters = {"size": 0, "packedSize": 0, "numberOfFiles": 0, "numberOfFilesArchived": 0}
        record = {
            **empty,
            "classification": "IN=medium,AV=low,CO=low",
            "isPublished": False,
            "scientificMetadata": {},
            **body,
            **counters,
            "pid": pid,
            "_id": pid,
            "__v": 0,
            "version": version,
            **made_by(user, moment),
        }
        record["datasetlifecycle"] = {
            "archivable": True,
            "retrievable": False,
            "publishable": False,
            "dateOfDiskPurging": _SINCE,
            "publishedOn": _SINCE,
            "isOnCentralDisk": True,
            "archiveStatusMessage": "datasetCreated",
            "retrieveStatusMessage": "",
            "retrieveIntegrityCheck": False,
            "archiveRetentionTime": "2026-11-05T00:00:00.000Z",
            "dateOfPublishing": "2026-11-05T00:00:00.000Z",
            **body.get("datasetlifecycle", {}),
            "_id": self.inner_id(version),
        }
        for name in ("techniques", "relationships"):
            record[name] = [{**item, **self._inner_ids()} for item in record[name]]
        return record

    def inner_id(self, version: str = "4") -> Any:
        """The id of a part of a document; generation 5 shows its bytes where v4 made it."""
        number = uuid.uuid4().hex[:24]
        return (
            {"buffer": {"type": "Buffer", "data": [107, 0, 106, 72, 48]}}
            if self.generation == "5" and version == "4"
            else number
        )

    def _inner_ids(self) -> dict[str, Any]:
        number = self.inner_id()
        return {"_id": number, **({"id": number} if isinstance(number, str) else {})}


def made_by(user: FakeUser, moment: str) -> dict[str, str]:
    """Who made a record, and when."""
    return {"createdBy": user.name, "updatedBy": user.name, "createdAt": moment, "updatedAt": moment}


def not_found(text: str) -> Reply:
    """A 404 as NestJS words it."""
    return Reply(404, {"message": text, "error": "Not Found", "statusCode": 404})
