"""A small SciCat in memory, of both generations, with the answers and the traps that were recorded from real ones.

Not idempotent, as they are not: a block that is sent twice counts twice, an attachment stands there twice. Every request is
held against both OpenAPI documents; what they have against it is collected in `violations`. `tests/contracts/test_scicat_fake.py`
holds the fake itself against the recordings.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tests.fakes.httpserver import Reply, Seen
from tests.fakes.scicat_contract import contracts, document
from tests.fakes.scicat_datasets import ScicatDatasets
from tests.fakes.scicat_files import ScicatFiles
from tests.fakes.scicat_keeping import now
from tests.fakes.scicat_state import FORBIDDEN, PREFIX, FakeScicatDataset, FakeUser, made_by, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PASSWORD", "PREFIX", "FakeScicat", "FakeScicatDataset", "FakeUser"]

PASSWORD: Final = "correct horse"
LARGEST: Final = 16 * 2**20
_UNKNOWN: Final = {"message": "Unauthorized", "statusCode": 401}


class FakeScicat(ScicatDatasets, ScicatFiles):
    """The server's state; `answer` is what a server calls, `seen` every request in order."""

    def __init__(self, generation: str = "5", rights: str = "create") -> None:
        super().__init__()
        self.generation = generation
        self.users = {"ingestor": FakeUser("ingestor", ("ingestor",), rights)}
        self.instruments = [{"pid": f"{PREFIX}46da", "uniqueName": "tem1", "name": "TEM 1"}]
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
            ("GET", "/api/v3/health", self._health),
            ("GET", "/explorer-json", lambda *_: Reply(body=document(self.generation))),
            ("GET", "/api/v3/instruments", self._find_instruments),
            ("GET", f"/api/v3/instruments/{one}", self._get_instrument),
            ("GET", f"/api/v3/proposals/{one}", lambda _, __, name: not_found(f"Proposal: {name} not found")),
            ("GET", f"/api/v3/samples/{one}", lambda _, __, name: not_found(f"Sample: {name} not found")),
            ("POST", "/api/v4/jobs", self._job),
            ("POST", "/api/v3/datasets", self.create_v3),
            ("GET", f"/api/v3/datasets/{one}", self.get_v3),
            ("POST", "/api/v4/datasets", self.create),
            ("POST", "/api/v4/datasets/isValid", self.is_valid),
            ("GET", "/api/v4/datasets", self.find),
            ("GET", "/api/v4/datasets/findOne", self.find_one),
            ("GET", f"/api/v4/datasets/{one}", self.get),
            ("PATCH", f"/api/v4/datasets/{one}", self.patch),
            ("DELETE", f"/api/v4/datasets/{one}", self.delete),
            ("PATCH", f"/api/v4/datasets/{one}/datasetlifecycle", self.patch_lifecycle),
            ("POST", f"/api/v3/datasets/{one}/origdatablocks", self.add_block),
            ("GET", f"/api/v3/datasets/{one}/origdatablocks", self.list_blocks),
            ("POST", "/api/v4/origdatablocks", self.add_block_v4),
            ("GET", "/api/v4/origdatablocks", self.find_blocks),
            ("GET", f"/api/v4/origdatablocks/{one}", self.get_block),
            ("PATCH", f"/api/v4/origdatablocks/{one}", self.patch_block),
            ("POST", f"/api/v3/datasets/{one}/attachments", self.attach),
            ("GET", f"/api/v3/datasets/{one}/attachments", self.list_attachments),
            ("GET", f"/api/v3/datasets/{one}/thumbnail", self.thumbnail),
            ("POST", "/api/v4/attachments", self.attach_v4),
            ("PATCH", f"/api/v4/attachments/{one}", self.patch_attachment),
        ]
        self._routes = [(method, re.compile(path, re.IGNORECASE), handler) for method, path, handler in routes]

    def answer(self, seen: Seen) -> Reply:
        """Answer one request."""
        with self._lock:
            self.seen.append(seen)
            refused = self.refuse(seen)
            if refused is not None:
                return refused
            if len(seen.body) > LARGEST:
                return Reply(500, "Internal server error")
            kind = seen.headers.get("content-type", "").split(";")[0]
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
                parts = [unquote(part) for part in match.groups()]
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
            return Reply(401, _UNKNOWN)
        self.logins += 1
        claims = {"username": user.name, "exp": int(time.time()) + self.expires_in, "n": self.logins}
        token = f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"
        self._tokens[token] = user.name
        life = {"expires_in": self.expires_in, "ttl": self.expires_in, "created": now(), "userId": "6b00"}
        told = {**_person(user), "authStrategy": "local", "_id": "6b00", "__v": 0, "id": "6b00"}
        return Reply(201, {"access_token": token, "id": token, **life, "user": told})

    def _health(self, *_: Any) -> Reply:
        up = {"mongodb": {"status": "up"}}
        if self.well:
            return Reply(body={"status": "ok", "info": up, "error": {}, "details": up})
        return Reply(503, {"status": "error", "info": {}, "error": {"mongodb": {"status": "down"}}, "details": {}})

    def _who(self, _: Seen, user: FakeUser | None) -> Reply:
        if user is None:
            return Reply(200)
        groups = {"currentGroups": list(user.groups), "authStrategy": "local"}
        return Reply(body={"_id": "6b00", **_person(user), **groups})

    def _self(self, _: Seen, user: FakeUser | None) -> Reply:
        if user is None:
            return Reply(401, {"message": "Unauthenticated", "error": "Unauthorized", "statusCode": 401})
        return Reply(body={"id": "6b00", "username": user.name})

    # What is not a dataset

    def _find_instruments(self, seen: Seen, _: FakeUser | None) -> Reply:
        where = json.loads(seen.asked("filter", "{}")).get("where", {})
        found = []
        for instrument in self.instruments:
            for key, wanted in where.items():
                names = wanted.get("inq", []) if isinstance(wanted, dict) else []  # a bare text may be taken for a date
                if instrument.get(key) in names:
                    found.append(_whole_instrument(instrument))
        return Reply(body=found)

    def _get_instrument(self, _: Seen, __: Any, pid: str) -> Reply:
        return Reply(body=next((_whole_instrument(one) for one in self.instruments if one["pid"] == pid), None))

    def _job(self, seen: Seen, user: FakeUser | None) -> Reply:
        body = seen.json()
        if user is None or (body.get("ownerGroup") is None and self.generation == "5"):
            return Reply(403, FORBIDDEN)
        number = str(uuid.uuid4())
        job = {
            **made_by(user, now()), "ownerGroup": body["ownerGroup"], "accessGroups": [], "isPublished": False, "_id": number,
            "id": number, "ownerUser": user.name, "statusCode": "jobSubmitted", "statusMessage": "Job submitted.",
            "configVersion": "v1.0 2025-01-01", "jobResultObject": {}, "__v": 0, **body,
        }  # fmt: skip
        return Reply(201, job)


def _person(user: FakeUser) -> dict[str, str]:
    return {"username": user.name, "email": f"{user.name}@your.site"}


def _whole_instrument(instrument: dict[str, str]) -> dict[str, Any]:
    number = {"_id": instrument["pid"], "__v": 0, "id": instrument["pid"]}
    return {**made_by(FakeUser("admin", ()), now()), "customMetadata": {}, **instrument, **number}
