"""What a catalog's HTTP answer means: every outcome becomes plain JSON or one of `daemon.errors`. Pure.

The statuses and bodies are those of Crucible v3 (FastAPI: `{"detail": …}`, older routes `message` or `error`) and of
what stands between us and it: proxies, captive portals, load balancers (RFC 9110, RFC 6585).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable, CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT: Final = 86_400.0
"""Seconds. A Retry-After beyond a day is taken as a day: nothing should stop a delivery for longer unseen."""

_LATER: Final = frozenset({408, 425, 429})
_MISPLACED: Final = frozenset({403, 404, 405})
_WORDS_LENGTH: Final = 500
_ADVICE: Final = {
    403: "Ask the project's owner to give this key's account the right to write there.",
    404: "Look whether it was deleted in the catalog, and whether the address in the configuration is right.",
    409: "Look at what the catalog holds under this name or id.",
    413: "Ask the catalog's operators to accept bodies of this size.",
    422: "Correct the attribute that is named, then retry.",
}


class Unanswered(CatalogUnavailable):
    """No answer came: the connection broke or stayed silent. What was sent may have arrived in part."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole. `request` is method and path for sentences, `headers` has lower-case names."""

    catalog: str
    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    wait: float | None = None  # Retry-After in seconds

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 the success class of RFC 9110

    def value(self) -> Any:
        """The JSON value, None for an empty body. Raises CatalogUnavailable for anything else."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise nonsense(self) from None

    def mapping(self) -> dict[str, Any]:
        """The JSON object. Raises CatalogUnavailable if the body is none."""
        value = self.value()
        if not isinstance(value, dict):
            raise nonsense(self)
        return value

    def items(self) -> list[Any]:
        """The members of a JSON list or of the paging envelope `{"items": […]}`. Raises CatalogUnavailable."""
        value = self.value()
        if isinstance(value, dict):
            value = value.get("items")
        if not isinstance(value, list):
            raise nonsense(self)
        return value


def nonsense(answer: Answer) -> CatalogUnavailable:
    """The error for an answer of the wrong shape: a captive portal, a proxy's page, another service."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip() or "no content type"
    return CatalogUnavailable(
        f"{answer.catalog} answered {answer.request} with something that is no answer of this catalog "
        f"({answer.status}, {kind}, {len(answer.body)} bytes).",
        "Look whether a login page, a proxy or another server stands at the configured address.",
        retry_after=answer.wait,
    )


def error_of(answer: Answer) -> CatalogError:
    """The error that an answer outside 2xx stands for."""
    status, words = answer.status, said(answer)
    sentence = f"{answer.catalog} answered {answer.request} with {status}" + (f": {words}" if words else "") + "."
    if status == 401 or (status == 403 and "/account" in answer.request):  # noqa: PLR2004 HTTP statuses
        return CredentialsRefused(
            f"{answer.catalog} does not accept our key ({status}" + (f": {words})." if words else ")."),
            "Make a new key and put it where the old one was; the deliveries go on by themselves.",
        )
    if status in _LATER or status >= 500:  # noqa: PLR2004 the server error class
        return CatalogUnavailable(sentence, retry_after=answer.wait)
    if status == 407:  # noqa: PLR2004 Proxy Authentication Required
        return CatalogUnavailable(sentence, "The proxy asks for a log-in: put it into the HTTPS_PROXY variable.")
    if status < 400 or (status in _MISPLACED and _detail(answer) is None):  # noqa: PLR2004 redirects and pages
        return nonsense(answer)
    return CatalogRefused(sentence, _ADVICE.get(status, ""))


def said(answer: Answer) -> str:
    """The catalog's own words on one line, at most 500 characters, or an empty string."""
    detail = _detail(answer)
    text = "" if detail is None else _readable(detail)
    text = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).strip().rstrip(".")
    return text if len(text) <= _WORDS_LENGTH else text[: _WORDS_LENGTH - 1] + "…"


def code_of(answer: Answer) -> tuple[str, Mapping[str, Any]]:
    """The machine-readable code of a refusal and the object that carries it; an empty string if there is none."""
    detail = _detail(answer)
    if isinstance(detail, dict) and isinstance(detail.get("code"), str):
        return detail["code"], detail
    return "", {}


def _detail(answer: Answer) -> Any:
    """`detail`, `message` or `error` of a JSON object, or a JSON text; None if the body is neither."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, str):
        return value or None
    if not isinstance(value, dict):
        return None
    for name in ("detail", "message", "error"):
        if value.get(name):
            return value[name]
    return value


def _readable(detail: Any) -> str:
    if isinstance(detail, str):
        return _validated(detail)
    if isinstance(detail, list):  # FastAPI: [{"loc": ["body", "timestamp"], "msg": "…", "type": "…"}, …]
        return "; ".join(_readable(item) for item in detail)
    if isinstance(detail, dict):
        message = detail.get("msg") or detail.get("message")
        if not isinstance(message, str):
            return json.dumps(detail, ensure_ascii=False) if detail else ""
        place = detail.get("loc") or detail.get("code")
        place = ".".join(str(part) for part in place) if isinstance(place, list) else place
        return f"{place}: {message}" if place else message
    return str(detail)


def _validated(text: str) -> str:
    """A sentence; or, where it is JSON once more, the rules in it (SciCat v3: class-validator's objects as one text)."""
    if not text.startswith("[{"):
        return text
    try:
        rules = [rule for item in json.loads(text) for rule in item["constraints"].values()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return text
    return "; ".join(str(rule) for rule in rules) or text


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or an HTTP date); None if it says nothing.

    `now` is aware. A time in the past gives 0; anything beyond a day counts as a day.
    """
    if text is None:
        return None
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text):
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_WAIT)
