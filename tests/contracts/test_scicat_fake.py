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
