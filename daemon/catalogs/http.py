"""HTTP for the catalogs; with `pools` and `loopback` below it, all that knows httpx.

One `HttpClient` per catalog, shared by all threads: a connection pool, the bearer key, bounded answers, the proxies
of the environment. Every outcome is an `Answer` or one of `daemon.errors`; no error's text contains the key.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import httpx

from daemon.catalogs.answers import Answer, Unanswered, error_of, nonsense, retry_after
from daemon.catalogs.pools import Pools
from daemon.errors import CatalogRefused, CatalogUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from daemon.catalogs.pace import Pace
    from daemon.clock import Clock

ANSWER_LIMIT: Final = 64 * 2**20
"""Bytes. A catalog's answer beyond that is not read on."""

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds of silence that are waited for: the connection, an answer, a slow answer (a completed upload), a storage."""

    connect: float = 5.0
    read: float = 30.0
    slow: float = 120.0
    storage: float = 300.0


DEFAULT_TIMEOUTS: Final = Timeouts()


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="", errors="replace")


class HttpClient:
    """A catalog's base URL and key ("" if it goes along with each request). Raises ConfigurationError for what HTTP cannot carry."""

    def __init__(
        self,
        catalog: str,
        url: str,
        key: str,
        clock: Clock,
        *,
        verify: bool | Path = True,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        pace: Pace | None = None,
    ) -> None:
        self.catalog = catalog
        self._pace = pace
        self._base = _checked(catalog, url)
        self._encrypted = self._base.startswith("https:")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError([f"The key of the catalog {catalog} has characters that no key has."])
        self._secrets = {key} if key else set()
        self._clock = clock
        self._timeouts = timeouts
        self._headers = [
            ("Host", urlsplit(self._base).netloc.rpartition("@")[2]),
            ("User-Agent", "labferry"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            *([("Authorization", f"Bearer {key}")] if key else []),
        ]
        logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes signed addresses into the log
        self._url = httpx.URL(self._base)
        self._path = self._url.raw_path.rstrip(b"/")
        self._pools = Pools(catalog, verify)
        self._pools.reaching(self._url)  # an unusable proxy is found now

    @property
    def base(self) -> str:
        """The base URL, without a slash at its end."""
        return self._base

    def conceal(self, secret: str, *, instead_of: str = "") -> None:
        """Let this text appear in no error either: a password, or a token that stands in a request's own headers."""
        self._secrets.discard(instead_of)
        if secret:
            self._secrets.add(secret)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        slow: bool = False,
        also: Sequence[int] = (),
    ) -> Answer:
        """Ask the catalog; `path` begins with a slash and is quoted. Statuses in `also` are returned like 2xx.

        `body` is a JSON value, or bytes that go as they are.

        Raises CatalogUnavailable, CredentialsRefused or CatalogRefused for every other outcome.
        """
        target = path + ("?" + urlencode(query, errors="replace") if query else "")
        fields = [*self._headers, *headers.items()] if headers else list(self._headers)
        content = b""
        if body is not None:
            content = body if isinstance(body, bytes) else _encoded(self.catalog, body)
            if not any(name.lower() == "content-type" for name, _ in fields):
                fields.append(("Content-Type", "application/json"))
        if content or method in {"POST", "PUT", "PATCH"}:
            fields.append(("Content-Length", str(len(content))))
        limits = self._limits(self._timeouts.slow if slow else self._timeouts.read)
        # The address is taken apart once and not for each request: httpcore takes the target for itself.
        extensions = {"timeout": limits, "target": self._path + target.encode("ascii")}
        stream = httpx.ByteStream(content)
        if self._pace is not None and isinstance(body, bytes):
            stream = _Paced(content, self._pace)
        request = httpx.Request(method, self._url, headers=fields, stream=stream, extensions=extensions)
        answer = self._send(request, f"{method} {path}")
        if answer.ok or answer.status in also:
            return answer
        raise error_of(answer)

    def store(self, url: str, chunks: Iterable[bytes], length: int, headers: Mapping[str, str]) -> Answer:
        """PUT `length` bytes to a storage address that the catalog gave, without our key. Any status is returned.

        What `chunks` raises comes through. Raises CatalogUnavailable if the storage did not answer, or if the address
        would send the data unencrypted although the catalog itself is not.
        """
        target = self._storage(url)
        own = {"host", "content-length", "authorization", "transfer-encoding", "connection"}
        fields = [(name, value) for name, value in headers.items() if name.lower() not in own]
        fields += [
            ("Host", target.netloc.rpartition("@")[2]),
            ("Content-Length", str(length)),
            ("User-Agent", "labferry"),
        ]
        limits = self._limits(self._timeouts.storage)
        if self._pace is not None:
            chunks = self._pace.slices(chunks)
        try:
            request = httpx.Request("PUT", url, headers=fields, content=chunks, extensions={"timeout": limits})
        except (httpx.InvalidURL, ValueError):
            raise CatalogUnavailable(f"{self.catalog} gave a storage address that is no URL.") from None
        return self._send(request, f"PUT to its storage {target.hostname}")

    def fetch(self, url: str) -> Iterator[bytes]:
        """GET a storage address that the catalog gave, without our key: its bytes in chunks, however many.

        Raises CatalogUnavailable if it does not answer or breaks off, CatalogRefused if there is nothing.
        """
        target = self._storage(url)
        name = f"GET from its storage {target.hostname}"
        fields = [
            ("Host", target.netloc.rpartition("@")[2]),
            ("User-Agent", "labferry"),
            ("Accept-Encoding", "identity"),
        ]
        limits = self._limits(self._timeouts.storage)
        try:
            request = httpx.Request("GET", url, headers=fields, extensions={"timeout": limits})
            response = self._pools.reaching(request.url).handle_request(request)
            try:
                if response.status_code != _OK:
                    body = self._scrub(self._read(response, name).decode("utf-8", "replace")).encode()
                    raise error_of(Answer(self.catalog, name, response.status_code, dict(response.headers), body))
                yield from response.iter_bytes()
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            raise CatalogUnavailable(self._scrub(f"{self.catalog} did not answer {name}: {_reason(error)}.")) from None

    def close(self) -> None:
        """Give back the connections."""
        self._pools.close()

    def _storage(self, url: str) -> SplitResult:
        """The parts of a storage address. Raises CatalogUnavailable for one that nothing should be sent to."""
        try:
            target = urlsplit(url)
            usable = target.scheme in {"http", "https"} and bool(target.hostname)
        except ValueError:
            usable = False
        if not usable or (self._encrypted and target.scheme == "http"):
            raise CatalogUnavailable(f"{self.catalog} gave a storage address that is not https.")
        return target

    def _send(self, request: httpx.Request, name: str) -> Answer:
        try:
            response = self._pools.reaching(request.url).handle_request(request)
            try:
                body = self._read(response, name)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise Unanswered(f"{self.catalog} did not answer {name} in time ({_kind(error)}).") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unanswered(self._scrub(f"{self.catalog} did not answer {name}: {_reason(error)}.")) from None
        headers = {field.lower(): value for field, value in response.headers.items()}
        if response.status_code >= 300:  # noqa: PLR2004 only such bodies are quoted in errors
            body = self._scrub(body.decode("utf-8", "replace")).encode()
        wait = retry_after(headers.get("retry-after"), self._clock.now())
        return Answer(self.catalog, name, response.status_code, headers, body, wait)

    def _read(self, response: httpx.Response, name: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in _pieces(response):
            parts.append(part)
            size += len(part)
            if size > ANSWER_LIMIT:
                raise nonsense(
                    Answer(self.catalog, name, response.status_code, dict(response.headers), b"".join(parts))
                )
        return b"".join(parts)

    def _limits(self, seconds: float) -> dict[str, float]:
        return {"connect": self._timeouts.connect, "read": seconds, "write": seconds, "pool": seconds}

    def _scrub(self, text: str) -> str:
        for secret in tuple(self._secrets):
            text = text.replace(secret, "***")
        return text


class _Paced(httpx.ByteStream):
    """A body that is an upload itself: as fast as all uploads of the catalog together may be."""

    def __init__(self, content: bytes, pace: Pace) -> None:
        super().__init__(content)
        self._content, self._pace = content, pace

    def __iter__(self) -> Iterator[bytes]:
        return self._pace.slices([self._content])


def _pieces(response: httpx.Response) -> Iterable[bytes]:
    """The body as it comes; through httpx's decoders only if somebody compressed it although we said `identity`."""
    stream = response.stream
    if isinstance(stream, httpx.SyncByteStream) and "content-encoding" not in response.headers:
        return stream
    return response.iter_bytes()


def _checked(catalog: str, url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
        httpx.URL(url.strip())
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise ConfigurationError(
            [f"The address of the catalog {catalog} is not usable: {url!r}."],
            "It should look like https://crucible.lbl.gov/api/v3.",
        )
    return url.strip().rstrip("/")


def _encoded(catalog: str, body: Any) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise CatalogRefused(f"The record for {catalog} holds a value that JSON cannot carry: {error}.") from None


def _kind(error: httpx.TimeoutException) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection"
    return "no free connection" if isinstance(error, httpx.PoolTimeout) else "the connection is silent"


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
