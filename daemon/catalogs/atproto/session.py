"""Our account on a PDS: logged in once, refreshed when its token ends, and left alone for a while where it is refused.

Facts (run against @atproto/pds 0.5): most trouble with tokens comes as 400, told apart by `error`; an access token lives two
hours, a refresh token ninety days; the right password is refused too while log-ins are limited (30 in five minutes, 300 a
day). So no log-in is ever repeated at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import error_of, nonsense
from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable, CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.credentials import Key
    from daemon.catalogs.http import HttpClient
    from daemon.clock import Clock

LOGIN_SECONDS: Final = 900.0
"""After a refused log-in the next one is tried so much later."""

_HELD: Final = {
    "AccountTakedown": "the account was taken down",
    "AccountDeactivated": "the account is deactivated",
    "AccountNotFound": "the account is not on this server",
}
_STALE: Final = frozenset({"InvalidToken", "AuthMissing", "AuthenticationRequired"})
_TOLD: Final = (400, 401, 403, 404, 413, 429, 500)
_LIMITED: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are there, and the tokens of the session."""

    did: str
    handle: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Session:
    """The session of one catalog. Safe for threads: one of them logs in, the others wait for it."""

    def __init__(self, client: HttpClient, clock: Clock, identifier: str, password: Key | None) -> None:
        self._client = client
        self._clock = clock
        self._identifier = identifier.removeprefix("@")
        self._password = password
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._held: tuple[float, CredentialsRefused] | None = None
        if password is not None:
            client.conceal(password.text)

    def identity(self) -> Identity:
        """Who we are. Raises CatalogUnavailable, or CredentialsRefused with what a person has to do."""
        with self._lock:
            if self._identity is None:
                self._identity = self._log_in()
            return self._identity

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def url(self, name: str, query: str) -> str:
        """The whole address of a request that needs no account."""
        return f"{self._client.base}/xrpc/{name}?{query}"

    def fetch(self, url: str) -> Iterator[bytes]:
        """The bytes at a public address. Raises CatalogUnavailable or CatalogRefused."""
        return self._client.fetch(url)

    def ask(self, method: str, name: str, **request: Any) -> Answer:
        """A request that anybody may make; every status comes back."""
        return self._client.call(method, f"/xrpc/{name}", also=_TOLD, **request)

    def call(
        self,
        method: str,
        name: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        also: Sequence[str] = (),
        slow: bool = False,
    ) -> Answer:
        """Ask as ourselves. Errors whose code is in `also` are returned like 2xx; for the others see `HttpClient.call`."""
        for last in (False, False, True):
            identity = self.identity()
            own = {**(headers or {}), "Authorization": f"Bearer {identity.access}"}
            answer = self.ask(method, name, query=query, body=body, headers=own, slow=slow)
            if answer.ok or code_of(answer) in also:
                return answer
            if last or not self._renewed(identity, answer, uploading=isinstance(body, bytes)):
                raise self.judged(answer)
        raise AssertionError("the last round returns or raises")

    def judged(self, answer: Answer) -> CatalogError:
        """What an answer means for the delivery: later, the whole catalog waits, or never."""
        code = code_of(answer)
        if code in _HELD or code in _STALE or code == "ExpiredToken":
            return self._hold(f"{self._client.catalog} refuses the account {self._identifier}: {_said(answer)}.")
        if answer.status == _LIMITED:
            return CatalogUnavailable(f"{self._client.catalog} limits our requests.", retry_after=self._wait(answer))
        if not code and answer.status != _SERVER_ERROR:
            return nonsense(answer)  # a PDS names every error
        return error_of(answer)

    def _renewed(self, identity: Identity, answer: Answer, *, uploading: bool) -> bool:
        """Whether the answer was about the token only, and there is a new one."""
        code = code_of(answer)
        if answer.status == _SERVER_ERROR and uploading:  # with a token that is none an upload is answered so
            there = self.ask(
                "GET", "com.atproto.server.getSession", headers={"Authorization": f"Bearer {identity.access}"}
            )
            code = "" if there.ok else code_of(there)
        if code not in _STALE and code != "ExpiredToken":
            return False
        with self._lock:
            if self._identity is identity:
                self._identity = self._refreshed(identity) if code == "ExpiredToken" else self._log_in()
        return True

    def _refreshed(self, identity: Identity) -> Identity:
        """The next pair of tokens; the old refresh token gives the same one again, so a lost answer is harmless."""
        own = {"Authorization": f"Bearer {identity.refresh}"}
        answer = self.ask("POST", "com.atproto.server.refreshSession", headers=own)
        if answer.ok:
            return self._taken(answer)
        if code_of(answer) in _STALE or code_of(answer) == "ExpiredToken":
            return self._log_in()
        raise self.judged(answer)

    def _log_in(self) -> Identity:
        if self._held is not None and self._clock.monotonic() < self._held[0]:
            raise self._held[1]
        if self._password is None:
            raise CredentialsRefused(
                f"There is no app password for {self._client.catalog}.",
                "Make one in the account's settings and put it where the README says.",
            )
        body = {"identifier": self._identifier, "password": self._password.text}
        try:
            answer = self.ask("POST", "com.atproto.server.createSession", body=body)
        except CatalogRefused as error:
            raise CatalogUnavailable(error.message, error.advice) from None
        if answer.status == _LIMITED:
            wait = self._wait(answer) or LOGIN_SECONDS
            problem = f"{self._client.catalog} limits our log-ins."
            self._held = (self._clock.monotonic() + wait, CredentialsRefused(problem, "It is tried again by itself."))
            raise CatalogUnavailable(problem, retry_after=wait)
        if not answer.ok:
            if not code_of(answer):
                raise nonsense(answer)
            raise self._hold(
                f"{self._client.catalog} does not accept the app password of {self._identifier} "
                f"(from {self._password.origin}): {_said(answer)}."
            )
        return self._taken(answer)

    def _taken(self, answer: Answer) -> Identity:
        told = answer.mapping()
        texts = [told.get(name) for name in ("did", "handle", "accessJwt", "refreshJwt")]
        if not all(isinstance(text, str) and text for text in texts):
            raise nonsense(answer)
        if told.get("active") is False:
            raise self._hold(f"{self._client.catalog}: {_HELD['AccountDeactivated']} ({told.get('status', '')}).")
        did, handle, access, refresh = (str(text) for text in texts)
        before = self._identity
        self._client.conceal(access, instead_of=before.access if before else "")
        self._client.conceal(refresh, instead_of=before.refresh if before else "")
        self._held = None
        return Identity(did, handle, access, refresh)

    def _hold(self, problem: str) -> CredentialsRefused:
        """A person has to look; until then no log-in is burned."""
        error = CredentialsRefused(
            problem, "Look at the account and its app password; the deliveries go on by themselves."
        )
        self._identity = None
        self._held = (self._clock.monotonic() + LOGIN_SECONDS, error)
        return error

    def _wait(self, answer: Answer) -> float | None:
        """Seconds until we may ask again: Retry-After, else when the window ends (seconds of Unix time)."""
        if answer.wait is not None:
            return answer.wait
        reset = answer.headers.get("ratelimit-reset", "")
        return max(1.0, float(reset) - self._clock.now().timestamp()) if reset.isdecimal() else None


def code_of(answer: Answer) -> str:
    """The name of the error (`ExpiredToken`), or an empty text if the answer is none of a PDS."""
    try:
        told = answer.value()
    except CatalogError:
        return ""
    return str(told["error"]) if isinstance(told, dict) and isinstance(told.get("error"), str) else ""


def _said(answer: Answer) -> str:
    told = answer.mapping()
    return f"{told.get('error')}: {told.get('message', '')}".rstrip(" .:")
