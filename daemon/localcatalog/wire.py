"""Requests and answers of the API as values: reading JSON and query strings strictly, answering the way FastAPI does.

The API that Crucible's clients know is a FastAPI server, so every answer here is JSON and every refusal is
`{"detail": ...}`; a wrong parameter or field is status 422 with a list of `{"type", "loc", "msg"}`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.mfid import is_mfid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.localcatalog.folder import LocalCatalog

PAGE_MAX: Final = 1000
_TEXT_MAX: Final = 10_000
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "f", "n"})


class Refusal(Exception):  # noqa: N818 it is an answer, not an accident
    """The request is answered with this status and detail."""

    def __init__(self, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `names` are the variable parts of the path, `origin` how the client reaches us (`http://host:port`)."""

    catalog: LocalCatalog
    method: str
    path: str
    names: tuple[str, ...]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    origin: str

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refusal 422."""
        value = parse_json(self.body)
        if not isinstance(value, dict):
            raise invalid("body", "dict_type", "Input should be a valid JSON object")
        return value

    def text(self, name: str) -> str | None:
        """A query parameter, the last one if it is repeated; an empty one counts as absent."""
        values = self.query.get(name)
        return values[-1] if values and values[-1] else None

    def flag(self, name: str) -> bool:
        """A query parameter as a truth value; absent is False. Raises Refusal 422."""
        value = self.text(name)
        if value is None or value.lower() in _FALSE:
            return False
        if value.lower() in _TRUE:
            return True
        raise invalid(("query", name), "bool_parsing", "Input should be a valid boolean")

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A query parameter as an integer within limits. Raises Refusal 422."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.lstrip("-").isdigit() and low <= int(value[:18]) <= high):
            raise invalid(("query", name), "int_range", f"Input should be an integer from {low} to {high}")
        return int(value)

    def limit(self, default: int = 100) -> int:
        """How many items the caller wants on a page."""
        return self.whole("limit", default, 1, PAGE_MAX)

    def only(self, known: Collection[str]) -> None:
        """Refuse query parameters that this route does not know. Raises Refusal 422."""
        unknown = [name for name in self.query if name not in known]
        if unknown:
            raise Refusal(422, [_problem(("query", name), "extra_forbidden", _EXTRA) for name in unknown])


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers of an answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


_EXTRA: Final = "Extra inputs are not permitted"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A value as a JSON answer."""
    return Answer(json.dumps(value, separators=(",", ":")).encode(), status, headers or {})


def parse_json(body: bytes) -> Any:
    """A JSON value; NaN and the infinities are no JSON. Raises Refusal 422."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise invalid("body", "json_invalid", "The JSON is nested too deeply") from None
    except ValueError as error:
        raise invalid("body", "json_invalid", f"JSON decode error: {error}") from None


def invalid(location: str | tuple[str | int, ...], kind: str, message: str) -> Refusal:
    """A refusal in FastAPI's shape for one wrong input."""
    where = (location,) if isinstance(location, str) else location
    return Refusal(422, [_problem(where, kind, message)])


def unknown_fields(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse fields of a body that the route does not know. Raises Refusal 422."""
    unknown = [name for name in body if name not in known]
    if unknown:
        raise Refusal(422, [_problem(("body", name), "extra_forbidden", _EXTRA) for name in unknown])


def text_field(body: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """A text field of a body; null counts as absent. Raises Refusal 422."""
    value = body.get(name)
    if value is None:
        if required:
            raise invalid(("body", name), "missing", "Field required")
        return None
    if not isinstance(value, str):
        raise invalid(("body", name), "string_type", "Input should be a valid string")
    if required and not value.strip():
        raise invalid(("body", name), "string_too_short", "Input should not be blank")
    return checked_text(value, ("body", name))


def checked_text(value: str, location: tuple[str, ...]) -> str:
    """Text that can be stored and shown: valid Unicode, no NUL, not endless. Raises Refusal 422."""
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        raise invalid(location, "string_unicode", "Input should be valid Unicode") from None
    if length > _TEXT_MAX or "\x00" in value:
        raise invalid(location, "string_too_long", f"Input should have at most {_TEXT_MAX} bytes and no NUL")
    return value


def whole_field(body: Mapping[str, Any], name: str) -> int:
    """A required count of bytes in a body. Raises Refusal 422."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise invalid(("body", name), "int_range", "Input should be an integer from 0 to 2**53")
    return value


def sha256_field(body: Mapping[str, Any]) -> str:
    """The required `sha256_hash` of a body, in lower case. Raises Refusal 422."""
    value = body.get("sha256_hash")
    if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
        raise invalid(("body", "sha256_hash"), "string_pattern", "Input should be 64 hexadecimal digits")
    return value.lower()


def mfid_of(value: str, location: tuple[str, ...] = ("path", "mfid")) -> str:
    """An id that is one. Raises Refusal 422."""
    if not is_mfid(value):
        raise invalid(location, "mfid", "Input should be a valid MFID (26 characters)")
    return value


def missing(kind: str, reference: str) -> Refusal:
    """The refusal for something that is not there."""
    return Refusal(404, f"{kind} {reference[:100]} not found")


def _problem(location: tuple[str | int, ...], kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "loc": list(location), "msg": message}


def _no_constant(name: str) -> Any:
    message = f"{name} is not a JSON value"
    raise ValueError(message)
