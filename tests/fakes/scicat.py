"""A small SciCat in memory, of both generations, with the answers and the traps that were recorded from real ones.

Not idempotent, as they are not: a block that is sent twice counts twice, an attachment stands there twice. Every request is
held against both OpenAPI documents; what they have against it is collected in `violations`.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon import scicat_rules
from tests.fakes.httpserver import Reply, Seen
from tests.fakes.scicat_contract import contracts, document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PASSWORD: Final = "correct horse"
PREFIX: Final = "PID.SAMPLE.PREFIX"
LARGEST: Final = 16 * 2**20
_MISSING: Final = object()
_FORBIDDEN: Final = {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403}
_UNAUTHORIZED: Final = {"message": "Unauthorized access", "error": "Forbidden", "statusCode": 403}
_WRONG: Final = {"message": "Something went wrong. Please try again later.", "statusCode": 500}


@dataclass
class FakeUser:
    """An account. `rights`: create, pid, privileged or admin."""

    name: str
    groups: tuple[str, ...]
    rights: str = "create"


@dataclass
class FakeScicatDataset:
    """Everything of one dataset."""

    record: dict[str, Any]
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)


class FakeScicat:
    """The server's state; `answer` is what a server calls, `seen` every request in order."""

    def __init__(self, generation: str = "5", rights: str = "create") -> None:
        self.generation = generation
        self.users = {"ingestor": FakeUser("ingestor", ("ingestor",), rights)}
        self.instruments = [{"pid": f"{PREFIX}46da", "uniqueName": "tem1", "name": "TEM 1"}]
        self.datasets: dict[str, FakeScicatDataset] = {}
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        self.refuse: Callable[[Seen], Reply | None] = lambda _: None
        self.expires_in = 3600
        self.logins = 0
        self.well = True
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._contracts = contracts()
        one = "([^/]+)"
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("POST", "/api/v3/auth/(?:login|ldap|msad)", self._log_in),
            ("POST", "/api/v3/users/login", lambda *_: Reply(201)),
            ("GET", "/api/v3/auth/whoami", self._who),
            ("GET", "/api/v3/users/my/self", self._self),
            (
                "GET",
                "/api/v3/health",
                lambda *_: Reply(200 if self.well else 503, {"status": "ok" if self.well else "error"}),
            ),
            ("GET", "/explorer-json", lambda *_: Reply(body=document(self.generation))),
            ("GET", "/api/v3/instruments", self._find_instruments),
            ("POST", "/api/v4/datasets", self._create),
            ("POST", "/api/v4/datasets/isValid", self._valid),
            ("GET", "/api/v4/datasets", self._find_datasets),
            ("GET", f"/api/v4/datasets/{one}", self._get),
            ("PATCH", f"/api/v4/datasets/{one}", self._patch),
            ("PATCH", f"/api/v4/datasets/{one}/datasetlifecycle", self._patch_lifecycle),
            ("POST", f"/api/v3/datasets/{one}/origdatablocks", self._add_block),
            ("GET", f"/api/v3/datasets/{one}/origdatablocks", self._list_blocks),
            ("GET", "/api/v4/origdatablocks", self._find_blocks),
            ("PATCH", f"/api/v4/origdatablocks/{one}", self._patch_block),
            ("POST", f"/api/v3/datasets/{one}/attachments", self._attach),
            ("GET", f"/api/v3/datasets/{one}/attachments", self._list_attachments),
            ("PATCH", f"/api/v4/attachments/{one}", self._patch_attachment),
        ]
        self._routes = [(method, re.compile(path), handler) for method, path, handler in routes]

    def answer(self, seen: Seen) -> Reply:
        """Answer one request."""
        with self._lock:
            self.seen.append(seen)
            refused = self.refuse(seen)
            if refused is not None:
                return refused
            kind = seen.headers.get("content-type", "").split(";")[0]
            if len(seen.body) > LARGEST:
                return Reply(500, "Internal server error")
            for contract in self._contracts:
                self.violations += contract.problems(seen.method, seen.path, seen.json(), kind)
            return self._route(seen)

    def _route(self, seen: Seen) -> Reply:
        user = self._user(seen)
        if user == "expired":
            return Reply(401, {"message": "SESSION_EXPIRED", "statusCode": 401})
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(seen.path)
            if match and method == seen.method:
                parts = [re.sub("%2F", "/", part) for part in match.groups()]
                return handler(seen, user, *parts)
        missing = f"Cannot {seen.method} {seen.path}"
        return Reply(404, {"message": missing, "error": "Not Found", "statusCode": 404})

    # For tests

    def expire(self) -> None:
        """Every token that was given is over."""
        self._tokens = dict.fromkeys(self._tokens, "expired")

    def garble(self) -> None:
        """The server's key changed: tokens that were given are nobody's."""
        self._tokens.clear()

    def named(self, name: str) -> list[FakeScicatDataset]:
        """The datasets of this name."""
        return [one for one in self.datasets.values() if one.record["datasetName"] == name]

    def asked(self, method: str, pattern: str) -> list[Seen]:
        """The requests whose path fits."""
        return [seen for seen in self.seen if seen.method == method and re.search(pattern, seen.path)]

    # Accounts

    def _user(self, seen: Seen) -> FakeUser | str | None:
        """Who asks: somebody, nobody (None), or `expired` where the generation says so."""
        scheme, _, token = seen.headers.get("authorization", "").partition(" ")
        name = self._tokens.get(token) if scheme == "Bearer" else None
        if name == "expired":
            return "expired" if self.generation == "5" else None
        return self.users.get(name) if name else None

    def _log_in(self, seen: Seen, _: Any) -> Reply:
        body = seen.json() or {}
        user = self.users.get(str(body.get("username")))
        if user is None or body.get("password") != PASSWORD:
            return Reply(401, {"message": "Unauthorized", "statusCode": 401})
        self.logins += 1
        claims = {"username": user.name, "exp": int(time.time()) + self.expires_in, "n": self.logins}
        token = f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"
        self._tokens[token] = user.name
        life = {"expires_in": self.expires_in, "ttl": self.expires_in, "created": _now(), "userId": "6b00"}
        return Reply(201, {"access_token": token, "id": token, **life, "user": {"username": user.name}})

    def _who(self, _: Seen, user: FakeUser | None) -> Reply:
        if user is None:
            return Reply(200)
        return Reply(
            body={"_id": "6b00", "username": user.name, "currentGroups": list(user.groups), "authStrategy": "local"}
        )

    def _self(self, _: Seen, user: FakeUser | None) -> Reply:
        if user is None:
            return Reply(401, {"message": "Unauthenticated", "error": "Unauthorized", "statusCode": 401})
        return Reply(body={"id": "6b00", "username": user.name})

    # Datasets

    def _create(self, seen: Seen, user: FakeUser | None) -> Reply:
        body = seen.json()
        refused = self._refused(body, user)
        if refused is not None:
            return refused
        if "owner" not in body:
            return Reply(500, _WRONG)
        pid = body.get("pid") or f"{PREFIX}/{uuid.uuid4()}"
        if pid in self.datasets:
            text = f"A dataset with pid {pid} already exists!"
            return Reply(409, {"message": text, "error": "Conflict", "statusCode": 409})
        lifecycle = {
            "archivable": True,
            "retrievable": False,
            "isOnCentralDisk": True,
            "archiveStatusMessage": "datasetCreated",
        }
        record = {
            "accessGroups": [], "isPublished": False, "keywords": [], "techniques": [], "relationships": [],
            "principalInvestigators": [], "proposalIds": [], "sampleIds": [], "instrumentIds": [], "inputDatasets": [],
            "usedSoftware": [], "scientificMetadata": {}, **_times(body), "pid": pid, "_id": pid, "createdAt": _now(),
            "size": 0, "numberOfFiles": 0, "version": "4", "createdBy": "ingestor",
            "datasetlifecycle": {**lifecycle, **body.get("datasetlifecycle", {})},
        }  # fmt: skip
        record["scientificMetadata"] = _quantities(_encoded(record["scientificMetadata"]))
        self.datasets[pid] = FakeScicatDataset(record)
        if self.generation == "5" and None in body.get("scientificMetadata", {}).values():
            return Reply(500, _WRONG)  # and yet it was created
        return Reply(201, record)

    def _refused(self, body: dict[str, Any], user: FakeUser | None) -> Reply | None:
        if user is None:
            return Reply(403, _FORBIDDEN)
        wrong = [
            f"{name} must be a string"
            for name in ("type", "ownerGroup", "datasetName")
            if not isinstance(body.get(name), str)
        ]
        for name, text in (
            ("contactEmail", "Expected an email"),
            ("sourceFolderHost", "sourceFolderHost must be a URL address"),
        ):
            value = body.get(name)
            if (value is None and name == "contactEmail") or (
                isinstance(value, str) and scicat_rules.TEXTS[name](value)
            ):
                wrong.append(text)
        if not body.get("sourceFolder"):
            wrong.append("sourceFolder should not be empty")
        if "T" not in str(body.get("creationTime", "")):
            wrong.append("creationTime must be a valid ISO 8601 date string")
        if wrong:
            return Reply(400, {"message": wrong, "error": "Bad Request", "statusCode": 400})
        foreign = body["ownerGroup"] not in user.groups and user.rights not in {"privileged", "admin"}
        if foreign or ("pid" in body and user.rights == "create"):
            return Reply(403, _UNAUTHORIZED)
        return None

    def _valid(self, seen: Seen, user: FakeUser | None) -> Reply:
        refused = self._refused(seen.json(), user)
        if refused is not None and refused.status == 403:
            return refused
        return Reply(200, {"valid": refused is None})

    def _readable(self, user: FakeUser | None, one: FakeScicatDataset) -> bool:
        groups = set() if user is None else set(user.groups)
        own = {one.record["ownerGroup"], *one.record["accessGroups"]}
        return bool(one.record["isPublished"] or groups & own or (user is not None and user.rights == "admin"))

    def _find_datasets(self, seen: Seen, user: FakeUser | None) -> Reply:
        asked = json.loads(seen.asked("filter", "{}"))
        records = [one.record for one in self.datasets.values() if self._readable(user, one)]
        found = [record for record in records if _fits(record, asked.get("where", {}))]
        limits = asked.get("limits", {})
        found = found[limits.get("skip", 0) :][: limits.get("limit", 10)]
        fields = asked.get("fields")
        if fields:
            found = [
                {"_id": record["pid"], **{name: record[name] for name in fields if name in record}} for record in found
            ]
        return Reply(body=found)

    def _known(self, user: FakeUser | None, pid: str) -> FakeScicatDataset | Reply:
        one = self.datasets.get(pid)
        if one is None:
            return Reply(404, {"message": "dataset: null not found", "error": "Not Found", "statusCode": 404})
        return one if self._readable(user, one) else Reply(403, _UNAUTHORIZED)

    def _get(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._known(user, pid)
        if isinstance(one, Reply):
            return one
        related = {"attachments": one.attachments, "origdatablocks": one.blocks}
        return Reply(body={**one.record, **{value: related[value] for name, value in seen.query if name == "include"}})

    def _own(self, user: FakeUser | None, pid: str) -> FakeScicatDataset | Reply:
        one = self.datasets.get(pid)
        if one is None:
            return Reply(404, {"message": f"dataset: {pid} not found", "error": "Not Found", "statusCode": 404})
        mine = user is not None and (one.record["ownerGroup"] in user.groups or user.rights == "admin")
        return one if mine else Reply(403, _UNAUTHORIZED if user else _FORBIDDEN)

    def _patch(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._own(user, pid)
        if isinstance(one, Reply):
            return one
        body = _times(seen.json())
        if {"pid", "type"} & set(body):
            return Reply(400, {"message": ["property pid should not exist"], "error": "Bad Request", "statusCode": 400})
        if "scientificMetadata" in body:
            halves = _halves(body["scientificMetadata"], one.record["scientificMetadata"])
            if halves:
                return Reply(400, {"message": f"contains both value and unit in {halves}", "statusCode": 400})
            body["scientificMetadata"] = _quantities(_encoded(body["scientificMetadata"]))
        merging = seen.headers["content-type"] == "application/merge-patch+json"
        one.record.update(_merged(one.record, body) if merging else body)
        return Reply(body=one.record)

    def _patch_lifecycle(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self.datasets.get(pid)
        if one is not None and all(
            one.record["datasetlifecycle"].get(key) == value for key, value in seen.json().items()
        ):
            return Reply(409, {"message": f"dataset: {pid} already has the same lifecycle", "statusCode": 409})
        owned = self._own(user, pid)
        if isinstance(owned, Reply):
            return owned
        owned.record["datasetlifecycle"].update(seen.json())
        return Reply(body=owned.record["datasetlifecycle"])

    # Files and pictures

    def _allowed(self, user: FakeUser | None, pid: str) -> FakeScicatDataset | Reply:
        """The v3 nested routes: open to who owns it, and to who may create for everybody."""
        if user is not None and user.rights == "privileged" and pid in self.datasets:
            return self.datasets[pid]
        return self._own(user, pid)

    def _add_block(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._allowed(user, pid)
        if isinstance(one, Reply):
            return one
        body = seen.json()
        if any("T" not in item["time"] for item in body["dataFileList"]):
            text = "dataFileList.0.time must be a valid ISO 8601 date string"
            return Reply(400, {"message": [text], "error": "Bad Request", "statusCode": 400})
        files = [{**_times(item), "_id": uuid.uuid4().hex[:24]} for item in body["dataFileList"]]
        block = {
            **body,
            "dataFileList": files,
            "_id": str(uuid.uuid4()),
            "datasetId": pid,
            "ownerGroup": one.record["ownerGroup"],
        }
        one.blocks.append(block)
        self._count(one)
        return Reply(201, block)

    def _count(self, one: FakeScicatDataset) -> None:
        one.record["size"] = sum(block["size"] for block in one.blocks)
        one.record["numberOfFiles"] = sum(len(block["dataFileList"]) for block in one.blocks)

    def _list_blocks(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._known(user, pid)
        return one if isinstance(one, Reply) else Reply(body=one.blocks[:100])

    def _find_blocks(self, seen: Seen, user: FakeUser | None) -> Reply:
        asked = json.loads(seen.asked("filter", "{}"))
        blocks = [block for one in self.datasets.values() if self._readable(user, one) for block in one.blocks]
        found = [block for block in blocks if _fits(block, asked.get("where", {}))]
        limits = asked.get("limits", {})
        return Reply(body=found[limits.get("skip", 0) :][: limits.get("limit", 10)])

    def _patch_block(self, seen: Seen, user: FakeUser | None, number: str) -> Reply:
        for pid, one in self.datasets.items():
            for block in one.blocks:
                if block["_id"] == number:
                    owned = self._own(user, pid)
                    if isinstance(owned, Reply):
                        return owned
                    block.update(seen.json())
                    self._count(one)
                    return Reply(body=block)
        return Reply(404, {"message": "Not Found", "statusCode": 404})

    def _attach(self, seen: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._allowed(user, pid)
        if isinstance(one, Reply):
            return one
        number = str(uuid.uuid4())
        attachment = {**seen.json(), "_id": number, "id": number, "datasetId": pid, "createdAt": _now()}
        one.attachments.append(attachment)
        return Reply(201, attachment)

    def _list_attachments(self, _: Seen, user: FakeUser | None, pid: str) -> Reply:
        one = self._known(user, pid)
        return one if isinstance(one, Reply) else Reply(body=one.attachments)

    def _patch_attachment(self, seen: Seen, user: FakeUser | None, number: str) -> Reply:
        if user is None or (self.generation == "4" and user.rights != "admin"):
            return Reply(403, _FORBIDDEN)
        for one in self.datasets.values():
            for attachment in one.attachments:
                if attachment["_id"] == number:
                    attachment.update(seen.json())
                    return Reply(body=attachment)
        return Reply(404, {"message": "Not Found", "statusCode": 404})

    def _find_instruments(self, seen: Seen, _: FakeUser | None) -> Reply:
        where = json.loads(seen.asked("filter", "{}")).get("where", {})
        found = []
        for instrument in self.instruments:
            for key, wanted in where.items():
                names = wanted.get("inq", []) if isinstance(wanted, dict) else []  # a bare text may be taken for a date
                if instrument.get(key) in names:
                    found.append(instrument)
        return Reply(body=found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _times(body: dict[str, Any]) -> dict[str, Any]:
    """The times as the server keeps them: UTC, to the millisecond."""
    kept = dict(body)
    for name in ("creationTime", "startTime", "endTime", "time"):
        if isinstance(kept.get(name), str):
            moment = datetime.fromisoformat(kept[name]).astimezone(UTC)
            kept[name] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return kept


def _encoded(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    kept = {key: value for key, value in tree.items() if key not in {"__proto__", "constructor"}}
    return {re.sub(r"^\$", "%24", key.replace(".", "%2E")): _encoded(value) for key, value in kept.items()}


def _quantities(tree: dict[str, Any]) -> dict[str, Any]:
    """As `appendSIUnitToPhysicalQuantity`: whatever has a key with u and one with v is taken for a quantity."""
    result = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            unit = next((value[k] for k in reversed(value) if k.startswith("u") and not k.endswith("SI")), None)
            amount = next((value[k] for k in reversed(value) if k.startswith("v") and not k.endswith("SI")), _MISSING)
            if amount is not _MISSING and isinstance(unit, (str, list)) and unit:
                result[key] = {**value, "valueSI": amount, "unitSI": unit}
                continue
            result[key] = _quantities(value)
            continue
        result[key] = value
    return result


def _halves(patch: Any, there: Any) -> str:
    """A quantity of which only one half is patched."""
    if not isinstance(patch, dict) or not isinstance(there, dict):
        return ""
    if {"value", "unit"} <= set(there) and len({"value", "unit"} & set(patch)) == 1:
        return "it"
    return next((f"{key}.{found}" for key, value in patch.items() if (found := _halves(value, there.get(key)))), "")


def _merged(there: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(there) if isinstance(there, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _fits(record: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    return all(wanted in _at(record, path.split(".")) for path, wanted in where.items())


def _at(tree: Any, path: list[str]) -> list[Any]:
    if not path:
        return [tree]
    if isinstance(tree, list):
        return [found for item in tree for found in _at(item, path)]
    return _at(tree[path[0]], path[1:]) if isinstance(tree, dict) and path[0] in tree else []
