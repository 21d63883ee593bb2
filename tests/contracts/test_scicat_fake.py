"""The fake SciCat held against what real ones of both generations were recorded to answer: request by request, in their order."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.fakes.httpserver import Seen
from tests.fakes.scicat import PASSWORD, FakeScicat, FakeUser
from tests.fakes.scicat_contract import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS: Final = {"4": "4.27+", "5": "v5"}
BY_ADMIN: Final = frozenset(
    {"pid supplied by admin", "same pid again", "attachment v4 as admin", "attachment v4 no isPublished"}
)
NOBODY: Final = frozenset({"no token", "login ok", "login wrong password", "health"})
MALFORMED: Final = frozenset({"whoami malformed token", "users/my/self malformed token", "malformed token"})
STATED: Final = 5
"""Of long lists the recordings keep the first items."""


def rows(generation: str) -> list[dict[str, Any]]:
    """What was recorded of one generation."""
    return [row for row in recorded() if row["server"].startswith(SERVERS[generation])]


class Replay:
    """Sends recorded requests to a fake; the pids that the real server gave become those of the fake."""

    def __init__(self, generation: str) -> None:
        self.fake = FakeScicat(generation)
        self.fake.users["admin"] = FakeUser("admin", ("admin",), "admin")
        if generation == "4":  # as it was: one recorded server knew the instrument, the other did not
            self.fake.instruments.clear()
        self.names: dict[str, str] = {}
        self.tokens = {name: self._token(name) for name in self.fake.users}

    def answer(self, row: dict[str, Any]) -> tuple[int, Any]:
        """The fake's status and body for a recorded request."""
        label, body = row["label"], row["request"]
        if label == "body over 16mb":
            content = b" " * (16 * 2**20 + 1)
        elif label == "login ok":
            content = json.dumps({"username": "ingestor", "password": PASSWORD}).encode()
        else:
            content = b"" if body is None else self._translated(json.dumps(body)).encode()
        query = tuple((key, self._translated(value)) for key, value in (row["params"] or {}).items())
        reply = self.fake.answer(
            Seen(row["method"], self._translated(row["path"]), query, self._headers(label), content)
        )
        given = json.loads(json.dumps(reply.body))
        self._learn(row["response"], given)
        return reply.status, given

    def _headers(self, label: str) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        if label in MALFORMED:
            return {**headers, "authorization": "Bearer garbled"}
        if label in NOBODY:
            return headers
        return {**headers, "authorization": f"Bearer {self.tokens['admin' if label in BY_ADMIN else 'ingestor']}"}

    def _token(self, name: str) -> str:
        content = json.dumps({"username": name, "password": PASSWORD}).encode()
        headers = {"content-type": "application/json"}
        return str(self.fake.answer(Seen("POST", "/api/v3/auth/login", (), headers, content)).body["access_token"])

    def _translated(self, text: str) -> str:
        for real, ours in self.names.items():
            text = text.replace(real, ours).replace(real.replace("/", "%2F"), ours.replace("/", "%2F"))
        return text

    def _learn(self, real: Any, ours: Any) -> None:
        if isinstance(real, dict) and isinstance(ours, dict) and "pid" in real and "pid" in ours:
            self.names[real["pid"]] = ours["pid"]


def different(real: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ in keys or kinds of values; what they say in words has to be the same."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in sorted(set(real) ^ set(ours)):
            yield f"{path}/{key} only in the {'recording' if key in real else 'fake'}"
        for key in sorted(set(real) & set(ours)):
            yield from different(real[key], ours[key], f"{path}/{key}")
    elif isinstance(real, list) and isinstance(ours, list):
        if path.endswith("/message"):
            if real[:STATED] != ours[:STATED]:
                yield f"{path}: {real} in the recording, {ours} in the fake"
        elif bool(real) != bool(ours) or len(real) != min(len(ours), STATED):
            yield f"{path}: {len(real)} items in the recording, {len(ours)} in the fake"
        for one, other in zip(real, ours, strict=False):
            yield from different(one, other, f"{path}[]")
    elif kind(real) != kind(ours) or (
        path.endswith("/message") and not real.startswith("[{") and plain(real) != plain(ours)
    ):
        yield f"{path}: {real!r} in the recording, {ours!r} in the fake"


def kind(value: Any) -> str:
    """A number is a number, and a time is a time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", value):
        return "time"
    return type(value).__name__


def plain(text: str) -> str:
    """A sentence without what differs between two runs."""
    return re.sub(r"at position \d+.*", "at position N", text)


@pytest.mark.parametrize("generation", SERVERS)
def test_the_fake_answers_as_the_real_ones_did(generation: str) -> None:
    """Every recorded request in order: the same status, the same keys and kinds of values, the same words of refusal."""
    replay, wrong = Replay(generation), []
    for row in rows(generation):
        status, body = replay.answer(row)
        if status != row["status"]:
            wrong.append(f"{row['label']}: {row['status']} in the recording, {status} in the fake ({body})")
        wrong += [f"{row['label']}: {text}" for text in different(row["response"], body)]
    assert not wrong, "\n".join(wrong)
    assert len(rows(generation)) == 64


LEAST: Final = {
    "ownerGroup": "ingestor", "owner": "Ann", "contactEmail": "a@b.org", "sourceFolder": "/data/s1/",
    "creationTime": "2026-11-20T10:00:00+01:00", "datasetName": "scan 1", "type": "raw",
}  # fmt: skip
FILE: Final = {"path": "a.tif", "size": 12, "time": "2026-11-20T10:00:00Z", "chk": "a"}


class Asked:
    """A fake and an account that asks it."""

    def __init__(self, generation: str, rights: str = "create") -> None:
        self.fake = FakeScicat(generation, rights)
        told = self.ask("POST", "/api/v3/auth/login", {"username": "ingestor", "password": PASSWORD})[1]
        self.token = told["access_token"]
        self.pid = self.ask("POST", "/api/v4/datasets", {**LEAST, "scientificMetadata": {"a b": {"x": 1, "y": 2}}})[1][
            "pid"
        ]
        self.path = f"/api/v4/datasets/{self.pid.replace('/', '%2F')}"
        self.blocks = f"{self.path.replace('v4', 'v3')}/origdatablocks"

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> tuple[int, Any]:
        """Status and body; `filter` is a query, everything else a header."""
        query = (("filter", more.pop("filter")),) if "filter" in more else ()
        headers = {"content-type": "application/json", "authorization": f"Bearer {getattr(self, 'token', '')}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        content = b"" if body is None else json.dumps(body).encode()
        reply = self.fake.answer(Seen(method, path, query, headers, content))
        return reply.status, json.loads(json.dumps(reply.body))

    def stored(self) -> dict[str, Any]:
        """The dataset."""
        return self.fake.datasets[self.pid].record


@pytest.fixture(params=SERVERS)
def asked(request: pytest.FixtureRequest) -> Asked:
    """Both generations."""
    return Asked(request.param)


def test_a_patch_replaces_and_a_merge_merges(asked: Asked) -> None:
    """Plain JSON replaces the metadata; a merge patch meets keys as the database spells them, and no others."""
    merge = "application/merge-patch+json"
    assert asked.ask("PATCH", asked.path, {"scientificMetadata": {"c": {"x": 1, "y": 2}}})[0] == 200
    assert asked.stored()["scientificMetadata"] == {"c": {"x": 1, "y": 2}}
    asked.ask("PATCH", asked.path, {"scientificMetadata": {"c": {"x": 3}, "a b": {"z": 1}}}, content_type=merge)
    assert asked.stored()["scientificMetadata"] == {"c": {"x": 3, "y": 2}, "a%20b": {"z": 1}}
    asked.ask("PATCH", asked.path, {"scientificMetadata": {"a b": {"w": 1}}}, content_type=merge)
    assert asked.stored()["scientificMetadata"]["a%20b"] == {"w": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pid": "z"}, "pid"),
        ({"type": "raw"}, "type"),
        ({"proposalId": "P"}, "proposalId"),
        ({"history": []}, "history"),
    ],
)
def test_a_patch_takes_what_is_listed_only(asked: Asked, body: dict[str, Any], words: str) -> None:
    """What is not of the class is a 400 that names it."""
    status, told = asked.ask("PATCH", asked.path, body)
    assert (status, told["message"]) == (400, [f"property {words} should not exist"])


def test_a_patch_of_something_older_is_412(asked: Asked) -> None:
    """If-Unmodified-Since before the record's last change; without it the last one wins."""
    body = {"description": "new"}
    assert asked.ask("PATCH", asked.path, body, if_unmodified_since="Sat, 01 Nov 2025 00:00:00 GMT")[0] == 412
    assert asked.ask("PATCH", asked.path, body, if_unmodified_since="Sat, 01 Nov 2036 00:00:00 GMT")[0] == 200


def test_what_is_stored_is_what_the_server_makes_of_it(asked: Asked) -> None:
    """UTC to the millisecond, no slash at a folder's end, classification and lifecycle of its own, sums of its own."""
    there = asked.stored()
    assert (there["creationTime"], there["sourceFolder"]) == ("2026-11-20T09:00:00.000Z", "/data/s1")
    assert (there["classification"], there["size"], there["version"]) == ("IN=medium,AV=low,CO=low", 0, "4")
    assert there["datasetlifecycle"]["archivable"] is True
    asked.ask("POST", asked.blocks, {"size": 12, "dataFileList": [FILE]})
    asked.ask("POST", asked.blocks, {"size": 12, "dataFileList": [FILE]})
    assert (there["size"], there["numberOfFiles"]) == (24, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataFileList": []}, "dataFileList should not be empty"),
        ({"ownerGroup": "ingestor"}, "property ownerGroup should not exist"),
        ({"datasetId": "x"}, "property datasetId should not exist"),
        ({"dataFileList": [{**FILE, "time": "2026-11-20 10:00:00"}]}, "dataFileList.0.time must be a valid ISO 8601 date string"),
        ({"dataFileList": [{**FILE, "uid": 0}]}, "dataFileList.0.uid must be a string"),
        ({"dataFileList": [{**FILE, "host": "x"}]}, "dataFileList.0.property host should not exist"),
    ],
)  # fmt: skip
def test_a_nested_block_is_strict(asked: Asked, change: dict[str, Any], words: str) -> None:
    """Trap: what the flat routes take, the nested one does not."""
    status, told = asked.ask("POST", asked.blocks, {"size": 12, "dataFileList": [FILE], **change})
    assert (status, words in told["message"]) == (400, True)


@pytest.mark.parametrize(
    ("place", "query", "part"),
    [
        ("datasets", {"where": {"$and": [{"pid": "x"}]}}, ""),
        ("datasets", {"where": {"scientificMetadata.any thing.at all": 1}}, ""),
        ("datasets", {"where": {"pid": {"inq": ["x"]}}}, "where.pid.inq"),
        ("datasets", {"limits": {"sort": {"_id": "asc"}}}, "limits.sort._id"),
        ("origdatablocks", {"where": {"dataFileList.chk": "x"}}, ""),
        ("origdatablocks", {"limits": {"limit": 1, "skip": 2, "sort": {"createdAt": "asc"}}}, ""),
        ("origdatablocks", {"limits": {"sort": {"_id": "asc"}}}, "limits.sort._id"),
        ("origdatablocks", {"where": {"_id": "x"}}, "where._id"),
    ],
)
def test_a_filter_may_name_what_records_have(asked: Asked, place: str, query: dict[str, Any], part: str) -> None:
    """Trap: `_id` is in no output class, so neither a condition nor an order may name it."""
    status, told = asked.ask("GET", f"/api/v4/{place}", filter=json.dumps(query))
    assert status == (400 if part else 200)
    assert not part or told["message"] == f"Property {part} should not exist in the filter object"


def test_lists_end_where_nobody_would_think(asked: Asked) -> None:
    """Trap: ten of v4 without a limit, a hundred of the nested list; both without a word."""
    asked.ask("POST", asked.blocks, {"size": 12, "dataFileList": [FILE]})
    blocks = asked.fake.datasets[asked.pid].blocks
    blocks += [{**blocks[0], "_id": str(number)} for number in range(100)]
    assert len(asked.ask("GET", asked.blocks)[1]) == 100
    assert len(asked.ask("GET", "/api/v4/origdatablocks", filter="{}")[1]) == 10
    assert len(asked.ask("GET", "/api/v4/origdatablocks", filter='{"limits": {"limit": 1000}}')[1]) == 101


def test_a_token_that_is_none_any_more(asked: Asked) -> None:
    """Trap: expired is 401 since 5.2 and nobody before; garbled is nobody in both, who reads what is public."""
    expired = 401 if asked.fake.generation == "5" else 403
    asked.fake.expire()
    assert asked.ask("POST", "/api/v4/datasets", LEAST)[0] == expired
    asked.token = "garbled"
    assert asked.ask("POST", "/api/v4/datasets", LEAST)[0] == 403
    assert asked.ask("GET", "/api/v4/datasets", filter="{}") == (200, [])
    assert asked.ask("GET", asked.path)[0] == 403
    asked.stored()["isPublished"] = True
    assert len(asked.ask("GET", "/api/v4/datasets", filter="{}")[1]) == 1


@pytest.mark.parametrize(
    ("rights", "other", "pid", "flat", "nested", "read", "patch"),
    [("create", 403, 403, 0, 0, 0, 0), ("pid", 403, 201, 0, 0, 0, 0), ("privileged", 201, 201, 403, 201, 403, 403), ("admin", 201, 201, 201, 201, 200, 200)],
)  # fmt: skip
def test_what_an_account_may_do(
    rights: str, other: int, pid: int, flat: int, nested: int, read: int, patch: int
) -> None:
    """The table of rights: another group's dataset, a pid of our own, and what may be done with what another group owns."""
    asked = Asked("5", rights)
    assert asked.ask("POST", "/api/v4/datasets", {**LEAST, "pid": "P/1"})[0] == pid
    status, made = asked.ask("POST", "/api/v4/datasets", {**LEAST, "ownerGroup": "p1"})
    assert status == other
    if status == 201:
        path = f"/api/v4/datasets/{made['pid'].replace('/', '%2F')}"
        block = {"size": 12, "dataFileList": [FILE]}
        assert asked.ask("POST", "/api/v4/origdatablocks", {**block, "datasetId": made["pid"]})[0] == flat
        assert asked.ask("POST", f"{path.replace('v4', 'v3')}/origdatablocks", block)[0] == nested
        assert asked.ask("GET", path)[0] == read
        assert asked.ask("PATCH", path, {"description": "x"})[0] == patch
        asked.fake.datasets[made["pid"]].record["accessGroups"] = ["ingestor"]
        assert asked.ask("GET", path)[0] == 200
        assert asked.ask("DELETE", path)[0] == 403
