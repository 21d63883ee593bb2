"""Our account in a SciCat: tokens that are renewed before they end, and what a refusal really means.

Facts (run against 4.27 and 5.2): a log-in answers 201 with `access_token` and `expires_in` (seconds); there is no renewal
but another log-in. A malformed token makes its sender anonymous (reads see public datasets only, writes answer 403, whoami
answers 200 with nothing); so does an expired one before 5.2, later it is 401. Only `users/my/self` tells for sure.
"""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from daemon.catalogs.answers import error_of, nonsense
from daemon.catalogs.credentials import credential_of, variable_of
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.credentials import Key
    from daemon.catalogs.http import HttpClient
    from daemon.clock import Clock

LOGINS: Final = {"local": "/api/v3/auth/login", "ldap": "/api/v3/auth/ldap", "msad": "/api/v3/auth/msad"}
WHO: Final = "/api/v3/auth/whoami"
SELF: Final = "/api/v3/users/my/self"

IN_FLIGHT: Final = 5.0
"""Seconds until what was perhaps created is looked up: a request may still be under way in the server."""

_LIFE: Final = 3600.0
"""Seconds that a token lives if nobody says it; the backend's default."""
_MARGIN: Final = 300.0
_SHARE: Final = 0.2
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_SERVER_ERROR: Final = 500


class Renewed(Exception):  # noqa: N818 a state, not a failure
    """The token of a request was none any more, and there is another one: look again and do the step again."""


class ServerError(CatalogUnavailable):
    """A 500, which SciCat also answers to what it can never do, and sometimes to what it has done."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are at the moment. `until` by the monotonic clock; `group` is the account's own."""

    token: str = field(repr=False)
    username: str
    groups: tuple[str, ...]
    until: float

    @property
    def header(self) -> dict[str, str]:
        """What a request carries. SciCat reads no other header and no query parameter."""
        return {"Authorization": f"Bearer {self.token}"}

    def group(self, configured: str | None) -> str | None:
        """The one group that stands for the account: the configured one, the one with its name, the only one."""
        if configured:
            return configured
        if self.username in self.groups:
            return self.username
        return self.groups[0] if len(self.groups) == 1 else None


class Account:
    """The account of one catalog. Safe for threads: one of them logs in, the others wait for it."""

    def __init__(
        self,
        client: HttpClient,
        clock: Clock,
        *,
        username: str | None,
        password: Key | None,
        token: Key | None,
        login: str,
    ) -> None:
        self._client = client
        self._clock = clock
        self._username = username or ""
        self._password = password
        self._token = token
        self._path = LOGINS[login]
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._latest = ""
        for secret in (password, token):
            if secret is not None:
                client.conceal(secret.text)

    @property
    def renews(self) -> bool:
        """Whether another token can be had."""
        return self._password is not None

    def identity(self) -> Identity:
        """Who we are, with a token that lives long enough. Raises CatalogUnavailable or CredentialsRefused."""
        with self._lock:
            known = self._identity
            if known is None or self._clock.monotonic() >= known.until:
                known = self._identity = self._fresh()
            return known

    def forget(self, identity: Identity) -> None:
        """Its token is none any more; the next who asks makes another one."""
        with self._lock:
            if self._identity is identity:
                self._identity = None

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        merge: bool = False,
        slow: bool = False,
        also: Sequence[int] = (),
    ) -> Answer:
        """Ask as ourselves. `merge`: a body that is merged into what is there (RFC 7386).

        Statuses in `also` are returned too, if it is SciCat itself that answered so and nothing in between. Raises Renewed if the token was none any more, ServerError for a 500, else as `HttpClient.call`. A 403 that comes
        back is true: somebody who is known was refused.
        """
        identity = self.identity()
        headers = {**identity.header, **({"Content-Type": "application/merge-patch+json"} if merge else {})}
        told = (_UNAUTHORIZED, _FORBIDDEN, _SERVER_ERROR, *also)
        answer = self._client.call(method, path, query=query, body=body, headers=headers, slow=slow, also=told)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN} and not self._known(identity, answer):
            self._lost(identity)
        if answer.ok or (answer.status in also and _meant(answer)):
            return answer
        if answer.status == _SERVER_ERROR:
            raise ServerError(str(error_of(answer)), retry_after=answer.wait)
        raise error_of(answer)

    def confirm(self) -> None:
        """Make sure that it was us who found nothing: a token that is none any more sees public datasets only.

        Raises Renewed or CredentialsRefused if it was not.
        """
        identity = self.identity()
        if not self._is_known(identity):
            self._lost(identity)

    def _known(self, identity: Identity, answer: Answer) -> bool:
        return answer.status != _UNAUTHORIZED and self._is_known(identity)

    def _is_known(self, identity: Identity) -> bool:
        told = self._ask(SELF, identity.header)
        return told.ok and isinstance(told.value(), dict)

    def _lost(self, identity: Identity) -> NoReturn:
        self.forget(identity)
        if not self.renews:
            raise CredentialsRefused(
                f"{self._client.catalog} does not know our token any more.",
                "Make a new one, or give `username` and a password, so that labferry makes them itself.",
            )
        raise Renewed

    def _ask(self, path: str, header: Mapping[str, str]) -> Answer:
        """Who we are is never a question that a dataset is refused for."""
        try:
            return self._client.call("GET", path, headers=header, also=(_UNAUTHORIZED, _FORBIDDEN))
        except CatalogRefused as error:
            raise CatalogUnavailable(error.message, error.advice) from None

    def _fresh(self) -> Identity:
        if self._password is not None:
            token, life = self._log_in(self._password)
        elif self._token is not None:
            token, life = self._token.text, self._left(self._token.text)
        else:
            name = self._client.catalog
            raise CredentialsRefused(
                f"There is no account and no token for {name}.",
                f"Give `username` and a password in the variable {variable_of(name, 'password')} or the systemd credential "
                f"{credential_of(name, 'password')}, or a token in {variable_of(name, 'token')} or {credential_of(name, 'token')}.",
            )
        self._client.conceal(token, instead_of=self._latest)
        self._latest = token
        until = self._clock.monotonic() + life - min(_MARGIN, _SHARE * life)
        who = self._ask(WHO, {"Authorization": f"Bearer {token}"})
        told = who.value() if who.ok else None
        if not isinstance(told, dict) or not isinstance(told.get("username"), str):
            raise CredentialsRefused(
                f"{self._client.catalog} takes our token for nobody's.",
                "Make a new token, or look at the functional account; the deliveries go on by themselves.",
            )
        groups = told.get("currentGroups")
        names = tuple(str(group) for group in groups) if isinstance(groups, list) else ()
        return Identity(token, told["username"], names, until)

    def _log_in(self, password: Key) -> tuple[str, float]:
        """A new token and the seconds that it lives."""
        body = {"username": self._username, "password": password.text}
        try:
            answer = self._client.call("POST", self._path, body=body)
        except CredentialsRefused:
            raise CredentialsRefused(
                f"{self._client.catalog} does not accept the password of the account {self._username} (from {password.origin}).",
                "Correct `username` or the password; the deliveries go on by themselves.",
            ) from None
        except CatalogRefused as error:
            raise CredentialsRefused(error.message, "Look at `username` and `login` of the catalog.") from None
        told = answer.value()
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise nonsense(answer)
        life = told.get("expires_in")
        return token, float(life) if isinstance(life, (int, float)) and life > 0 else _LIFE

    def _left(self, token: str) -> float:
        """The seconds that a given token still lives, as it says itself. Raises CredentialsRefused if it is over."""
        ends = _claims(token).get("exp")
        if not isinstance(ends, (int, float)):
            return _LIFE
        left = ends - self._clock.now().timestamp()
        if left <= 0:
            day = datetime.fromtimestamp(ends, UTC).isoformat(timespec="minutes")
            raise CredentialsRefused(
                f"Our token for {self._client.catalog} ended at {day}.",
                "Make a new one, or give `username` and a password, so that labferry makes them itself.",
            )
        return float(left)


def rows(answer: Answer) -> list[dict[str, Any]]:
    """The objects of a list. Raises CatalogUnavailable for anything else: nothing found is a list with nothing in it."""
    items = answer.value()
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise nonsense(answer)
    return items


def object_with(answer: Answer, *names: str) -> dict[str, Any]:
    """The object of an answer that has these texts. Raises CatalogUnavailable for anything else."""
    value = answer.mapping()
    if not all(isinstance(value.get(name), str) and value[name] for name in names):
        raise nonsense(answer)
    return value


def in_flight(error: CatalogUnavailable) -> CatalogUnavailable:
    """The same error; the next try not before the server has surely ended what it may still be doing."""
    return CatalogUnavailable(error.message, error.advice, max(error.retry_after or 0.0, IN_FLIGHT))


def _meant(answer: Answer) -> bool:
    """Whether the body is one of SciCat's refusals (NestJS: message and statusCode)."""
    try:
        value = answer.value()
    except CatalogUnavailable:
        return False
    return isinstance(value, dict) and value.get("statusCode") == answer.status


def _claims(token: str) -> Mapping[str, Any]:
    """What a JSON Web Token says of itself (RFC 7519), unproven; nothing if it is none."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
