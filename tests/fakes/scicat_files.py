"""A fake SciCat's file lists and pictures, with the ways in which the server counts."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.httpserver import Reply
from tests.fakes.scicat_keeping import found, now, times
from tests.fakes.scicat_state import (
    FORBIDDEN,
    UNAUTHORIZED,
    FakeScicatDataset,
    FakeUser,
    ScicatState,
    made_by,
    not_found,
)
from tests.fakes.scicat_validation import bad, filter_refused, refused

if TYPE_CHECKING:
    from tests.fakes.httpserver import Seen

_NESTED_LIMIT: Final = 100
_COUNTED: Final = 10


class ScicatFiles(ScicatState):
    """The routes of origdatablocks and attachments."""

    def _allowed(self, user: FakeUser, pid: str) -> FakeScicatDataset | Reply:
        """The v3 nested routes: open to who owns it, and to who may create for everybody."""
        if user.rights == "privileged" and pid in self.datasets:
            return self.datasets[pid]
        return self.own(user, pid)

    def add_block(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        """POST /v3/datasets/{pid}/origdatablocks."""
        if user is None:
            return Reply(403, FORBIDDEN)
        one = self._files_refused("CreateDatasetOrigDatablockDto", seen.json()) or self._allowed(user, pid)
        if isinstance(one, Reply):
            return one
        block = self._stored(one, seen.json(), user)
        one.record["size"] += block["size"]  # read, added and written: whatever was wrong before stays wrong
        one.record["numberOfFiles"] += len(block["dataFileList"])
        return Reply(201, _with_ids(block))

    def add_block_v4(self, seen: Seen, user: FakeUser | None) -> Reply:
        """POST /v4/origdatablocks: closed to who does not own the dataset."""
        if user is None:
            return Reply(403, FORBIDDEN)
        body = seen.json()
        refusal = self._files_refused("CreateOrigDatablockDto", body)
        if refusal is not None:
            return refusal
        one = self.datasets.get(body["datasetId"])
        if one is None:
            group = body.get("ownerGroup")
            text = f"Dataset: {body['datasetId']} not found for attaching an origdatablock"
            return not_found(text) if group and self.owns(user, group) else Reply(403, UNAUTHORIZED)
        if not self.owns(user, one.record["ownerGroup"]):
            return Reply(403, UNAUTHORIZED)
        block = self._stored(one, body, user)
        self._count(one)
        return Reply(201, _with_ids(block))

    def list_blocks(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        """GET /v3/datasets/{pid}/origdatablocks: the first hundred, without a word."""
        one = self.known(user, pid)
        return one if isinstance(one, Reply) else Reply(body=one.blocks[:_NESTED_LIMIT])

    def find_blocks(self, seen: Seen, user: FakeUser | None) -> Reply:
        """GET /v4/origdatablocks with a filter."""
        text = seen.asked("filter", "{}")
        blocks = [block for one in self.datasets.values() if self.readable(user, one) for block in one.blocks]
        return filter_refused(text, "OrigDatablock", self.generation) or Reply(body=found(blocks, json.loads(text)))

    def get_block(self, _: Seen, user: FakeUser | None, number: str) -> Reply:
        """GET /v4/origdatablocks/{id}."""
        for one in self.datasets.values():
            for block in one.blocks:
                if block["_id"] == number:
                    return Reply(body=block) if self.readable(user, one) else Reply(403, UNAUTHORIZED)
        return not_found(f"OrigDatablock: {number} not found")

    def patch_block(self, seen: Seen, user: FakeUser | None, number: str) -> Reply:
        """PATCH /v4/origdatablocks/{id}."""
        for pid, one in self.datasets.items():
            for block in one.blocks:
                if block["_id"] == number:
                    owned = self.own(user, pid)
                    refusal = owned if isinstance(owned, Reply) else None
                    refusal = refusal or self._files_refused("PartialUpdateOrigDatablockDto", seen.json())
                    if refusal is not None:
                        return refusal
                    block.update({**seen.json(), "dataFileList": _filed(seen.json()["dataFileList"])})
                    self._count(one)
                    return Reply(body=block)
        return not_found(f"OrigDatablock: {number} not found")

    def _files_refused(self, name: str, body: dict[str, Any]) -> Reply | None:
        refusal = refused(self.generation, name, body)
        if refusal is None and any("metadata" in item for item in body.get("dataFileList", ())):
            words = "Datafile metadata is not following the configured schema"
            return bad(f"{words}: metadata must NOT have additional properties")
        return refusal

    def _stored(self, one: FakeScicatDataset, body: dict[str, Any], user: FakeUser) -> dict[str, Any]:
        shared = {name: one.record[name] for name in ("ownerGroup", "accessGroups")}
        block = {
            **made_by(user, now()), **shared, "isPublished": False, "datasetId": one.record["pid"],
            **{key: value for key, value in body.items() if key not in shared},
            "dataFileList": _filed(body["dataFileList"]), "_id": str(uuid.uuid4()), "__v": 0,
        }  # fmt: skip
        one.blocks.append(block)
        return block

    def _count(self, one: FakeScicatDataset) -> None:
        """v4 adds up what it finds; in generation 4 that are the newest ten lists (findAllComplete's own limit)."""
        blocks = one.blocks if self.generation == "5" else one.blocks[-_COUNTED:]
        one.record["size"] = sum(block["size"] for block in blocks)
        one.record["numberOfFiles"] = sum(len(block["dataFileList"]) for block in blocks)

    # Pictures

    def attach(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        """POST /v3/datasets/{pid}/attachments."""
        if user is None:
            return Reply(403, FORBIDDEN)
        one = refused(self.generation, "CreateAttachmentV3Dto", seen.json()) or self._allowed(user, pid)
        return one if isinstance(one, Reply) else Reply(201, self._hung(one, seen.json(), user))

    def attach_v4(self, seen: Seen, user: FakeUser | None) -> Reply:
        """POST /v4/attachments: before 5.2 for administrators only."""
        if user is None or (self.generation == "4" and user.rights != "admin"):
            return Reply(403, FORBIDDEN)
        body = seen.json()
        refusal = refused(self.generation, "CreateAttachmentV4Dto", body)
        if refusal is not None:
            return refusal
        hung: dict[str, Any] = {}
        for relation in body["relationships"]:
            if relation["targetId"] in self.datasets:
                hung = self._hung(self.datasets[relation["targetId"]], body, user)
        related = [{"relationType": "is attached to", **relation} for relation in body["relationships"]]
        own = {key: value for key, value in hung.items() if key != "datasetId"}
        return Reply(201, {**own, "aid": hung["_id"], "relationships": related})

    def list_attachments(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        """GET /v3/datasets/{pid}/attachments."""
        one = self.known(user, pid)
        return one if isinstance(one, Reply) else Reply(body=one.attachments)

    def thumbnail(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        """GET /v3/datasets/{pid}/thumbnail: the first attachment's."""
        one = self.known(user, pid)
        if isinstance(one, Reply):
            return one
        return Reply(body={"thumbnail": next((item["thumbnail"] for item in one.attachments), "")})

    def patch_attachment(self, seen: Seen, user: FakeUser | None, number: str) -> Reply:
        """PATCH /v4/attachments/{aid}."""
        if user is None or (self.generation == "4" and user.rights != "admin"):
            return Reply(403, FORBIDDEN)
        refusal = refused(self.generation, "PartialUpdateAttachmentV4Dto", seen.json())
        for one in self.datasets.values():
            for attachment in one.attachments:
                if attachment["_id"] == number and refusal is None:
                    if not self.owns(user, attachment["ownerGroup"]):
                        return Reply(403, UNAUTHORIZED)
                    attachment.update(seen.json())
                    return Reply(body=attachment)
        return refusal or not_found(f"Attachment: {number} not found")

    def _hung(self, one: FakeScicatDataset, body: dict[str, Any], user: FakeUser) -> dict[str, Any]:
        number = str(uuid.uuid4())
        shown: dict[str, Any] = {key: body[key] for key in ("ownerGroup", "thumbnail", "caption") if key in body}
        attachment: dict[str, Any] = {
            **made_by(user, now()), "accessGroups": body.get("accessGroups", []), "isPublished": False, **shown,
            "_id": number, "__v": 0, "datasetId": one.record["pid"], "id": number,
        }  # fmt: skip
        one.attachments.append(attachment)
        return attachment


def _filed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**times(item), "_id": uuid.uuid4().hex[:24]} for item in items]


def _with_ids(block: dict[str, Any]) -> dict[str, Any]:
    """What was just written has mongoose's `id` beside each `_id`."""
    files = [{**item, "id": item["_id"]} for item in block["dataFileList"]]
    return {**block, "dataFileList": files, "id": block["_id"]}
