"""A fake SciCat's datasets: created, validated, found, changed, and their lifecycle."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.httpserver import Reply
from tests.fakes.scicat_keeping import encoded, found, halves, merged, now, quantities, times
from tests.fakes.scicat_state import FORBIDDEN, UNAUTHORIZED, WRONG, FakeScicatDataset, FakeUser, ScicatState, not_found
from tests.fakes.scicat_validation import bad, filter_refused, problems, refused

if TYPE_CHECKING:
    from tests.fakes.httpserver import Seen

_RAW: Final = "CreateRawDatasetObsoleteDto"


class ScicatDatasets(ScicatState):
    """The routes of datasets."""

    def create(self, seen: Seen, user: FakeUser | None) -> Reply:
        """POST /v4/datasets."""
        body = seen.json()
        refusal = self._refused(body, user)
        if refusal is not None or user is None:
            return refusal or Reply(403, FORBIDDEN)
        if "owner" not in body:
            return Reply(500, WRONG)
        if body.get("pid") in self.datasets:
            text = f"A dataset with pid {body['pid']} already exists!"
            return Reply(409, {"message": text, "error": "Conflict", "statusCode": 409})
        record = self.whole(times(body), user, "4")
        record["scientificMetadata"] = encoded(quantities(record["scientificMetadata"]))
        record["sourceFolder"] = record["sourceFolder"].rstrip("/") or "/"
        self.datasets[record["pid"]] = FakeScicatDataset(record)
        if self.generation == "5" and None in (body.get("scientificMetadata") or {}).values():
            return Reply(500, WRONG)  # and yet it was created
        return Reply(201, self._answered(record))

    def create_v3(self, seen: Seen, user: FakeUser | None) -> Reply:
        """POST /v3/datasets: of raw data here; its rules come as JSON inside of JSON."""
        body = seen.json()
        if user is None:
            return Reply(403, FORBIDDEN)
        told = list(problems(self.generation, _RAW, body))
        if told:
            rules = [{"property": text.split(" ")[0], "children": [], "constraints": {"rule": text}} for text in told]
            return Reply(400, {"status": 400, "message": json.dumps(rules)})
        singular = {"proposalIds": "proposalId", "sampleIds": "sampleId", "instrumentIds": "instrumentId"}
        record = self.whole(times(body), user, "3")
        record |= {name: [body.get(one)] for name, one in singular.items()}
        record["principalInvestigators"] = [body["principalInvestigator"]]
        self.datasets[record["pid"]] = FakeScicatDataset(record)
        return Reply(201, record)

    def is_valid(self, seen: Seen, user: FakeUser | None) -> Reply:
        """POST /v4/datasets/isValid: what may not be done is a 403, what is wrong has no reason."""
        refusal = self._refused(seen.json(), user)
        if refusal is not None and refusal.status == 403:
            return refusal
        return Reply(200, {"valid": refusal is None})

    def find(self, seen: Seen, user: FakeUser | None) -> Reply:
        """GET /v4/datasets with a filter."""
        text = seen.asked("filter", "{}")
        records = [one.record for one in self.datasets.values() if self.readable(user, one)]
        return filter_refused(text, "Dataset", self.generation) or Reply(body=found(records, json.loads(text)))

    def find_one(self, seen: Seen, user: FakeUser | None) -> Reply:
        """GET /v4/datasets/findOne: an empty body if there is none."""
        reply = self.find(seen, user)
        return Reply(body=next(iter(reply.body), None)) if reply.status == 200 else reply

    def get(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        """GET /v4/datasets/{pid}."""
        one = self.known(user, pid, "null")
        if isinstance(one, Reply):
            return one
        related = {"attachments": one.attachments, "origdatablocks": one.blocks}
        return Reply(body={**one.record, **{value: related[value] for name, value in seen.query if name == "include"}})

    def get_v3(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        """GET /v3/datasets/{pid}."""
        one = self.known(user, pid)
        return one if isinstance(one, Reply) else Reply(body=one.record)

    def patch(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        """PATCH /v4/datasets/{pid}: replaced, or merged if the content type says so."""
        if user is None:
            return Reply(403, FORBIDDEN)
        one = refused(self.generation, "PartialUpdateDatasetDto", seen.json()) or self.own(user, pid)
        if isinstance(one, Reply):
            return one
        since = seen.headers.get("if-unmodified-since")
        if since and parsedate_to_datetime(since) < datetime.fromisoformat(one.record["updatedAt"]):
            text = f"Dataset #{pid} has been modified on server since {since}"
            return Reply(412, {"message": text, "statusCode": 412})
        body = times(seen.json())
        if "scientificMetadata" in body:
            wrong = halves(body["scientificMetadata"], one.record["scientificMetadata"])
            if wrong:
                return bad(f"Original dataset {pid} contains both value and unit in {wrong}. Please provide both.")
        merging = seen.headers["content-type"] == "application/merge-patch+json"
        changed = merged(one.record, body) if merging else {**one.record, **body}
        changed["scientificMetadata"] = quantities(encoded(changed["scientificMetadata"]))
        one.record.clear()
        one.record |= {**changed, "updatedAt": now()}
        return Reply(body=self._answered(one.record))

    def patch_lifecycle(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        """PATCH /v4/datasets/{pid}/datasetlifecycle: 409 if it says so already, whoever asks."""
        one = self.datasets.get(pid)
        if user is None:
            return Reply(403, FORBIDDEN)
        if one is None:
            return not_found(f"dataset with pid {pid} not found")
        if all(one.record["datasetlifecycle"].get(key) == value for key, value in seen.json().items()):
            return Reply(409, {"message": f"dataset: {pid} already has the same lifecycle", "statusCode": 409})
        owned = self.own(user, pid)
        if isinstance(owned, Reply):
            return owned
        owned.record["datasetlifecycle"].update(seen.json())
        return Reply(body=owned.record["datasetlifecycle"])

    def delete(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        """DELETE /v4/datasets/{pid}: nobody here is in DELETE_GROUPS."""
        del user, pid
        return Reply(403, FORBIDDEN)

    def _answered(self, record: dict[str, Any]) -> dict[str, Any]:
        """Generation 4 adds mongoose's `id` to what it has just written."""
        return {**record, "id": record["pid"]} if self.generation == "4" else record

    def _refused(self, body: dict[str, Any], user: FakeUser | None) -> Reply | None:
        if user is None:
            return Reply(403, FORBIDDEN)
        refusal = refused(self.generation, "CreateDatasetDto", body)
        if refusal is not None:
            return refusal
        foreign = body["ownerGroup"] not in user.groups and user.rights not in {"privileged", "admin"}
        if foreign or ("pid" in body and user.rights == "create"):
            return Reply(403, UNAUTHORIZED)
        return None
