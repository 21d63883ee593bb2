"""The API's ASGI edge: finds the handler, reads the body, checks the token, turns errors into JSON.

Handlers are plain functions. Those that touch one short transaction run right in the event loop: the hop to the thread
pool costs more than they do, and those that come together share a commit. Listings, searches, completing an upload and
verifying much content run in the pool.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from daemon.errors import StateError
from daemon.localcatalog.arriving import Gate
from daemon.localcatalog.committing import Committing
from daemon.localcatalog.content import Arrivals
from daemon.localcatalog.routes import Manner, Routes
from daemon.localcatalog.uploads import Uploads
from daemon.localcatalog.wire import Answer, Refusal, Request, answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.localcatalog.ingestion import Ingestion

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX: Final = "/api/v3"
_BODY_MAX: Final = 256 * 1024 * 1024
_OPEN: Final = frozenset({"/health/live", "/health/ready"})
_RETRY: Final = {"Retry-After": "5"}
_LOG: Final = logging.getLogger("labferry.catalog")


class Api:
    """The API of one catalog, below `/api/v3`, and the two gates for bytes beside it, as an ASGI application."""

    def __init__(self, catalog: LocalCatalog, ingestion: Ingestion) -> None:
        self._catalog = catalog
        arrivals = Arrivals()
        self._committing = Committing(catalog.database)
        self._gate = Gate(catalog, arrivals, self._committing)
        self._routes = Routes(Uploads(catalog, arrivals), ingestion)
        self._authorization = f"Bearer {catalog.token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._safely(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply.body)).encode())]
        headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        if reply.status in {204, 308}:
            headers = headers[1:] if reply.status == 308 else headers[2:]  # noqa: PLR2004 no body, so no type of it
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _safely(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._answered(scope, receive)
        except Refusal as refusal:
            return answer({"detail": refusal.detail}, refusal.status, refusal.headers)
        except RecursionError:
            return answer({"detail": "The request is nested too deeply"}, 422)
        except (StateError, OSError) as error:
            _LOG.warning("catalog unavailable: %s", error)
            return _unavailable(error)
        except Exception:  # noqa: BLE001 the edge of the server: a bug is one answer, not the end of the connection
            _LOG.exception("bug while answering %s %s", scope["method"], scope["path"])
            return answer({"detail": "Internal Server Error"}, 500)

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = _query(scope["query_string"])
        if not path.startswith(PREFIX + "/"):
            return await self._at_the_gate(method, path, query, headers, receive)
        path = path[len(PREFIX) :]
        if path not in _OPEN and not hmac.compare_digest(
            headers.get("authorization", "").encode(), self._authorization
        ):
            raise Refusal(401, "Not authenticated: send the catalog's token as Authorization: Bearer …")
        handler, chosen, names = self._routes.find(method, path)
        body = await _body(receive) if method != "GET" else b""
        origin = f"{scope['scheme']}://{headers.get('host', '')}"
        request = Request(self._catalog, method, path, names, query, headers, body, origin)
        manner = chosen if isinstance(chosen, Manner) else chosen(request)
        if manner is Manner.POOL:
            return await asyncio.to_thread(handler, request)
        if manner is not Manner.NOW:
            return await self._committing.run(lambda: handler(request), durable=manner is Manner.SHARED)
        return handler(request)

    async def _at_the_gate(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], receive: Receive
    ) -> Answer:
        if method != "PUT":
            raise Refusal(405, "Method Not Allowed", {"Allow": "PUT"})
        if path.startswith("/gcs-signed/"):
            return await self._gate.put_part(path, query, headers, receive)
        return await self._gate.put_next(path, query, headers, receive)


def _query(text: bytes) -> dict[str, list[str]]:
    if not text:
        return {}
    try:
        return parse_qs(text.decode("latin-1"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise Refusal(400, "The query string has too many fields") from None


async def _body(receive: Receive) -> bytes:
    message = await receive()
    data: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return data
    pieces, size = [data], len(data)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "The request ended early")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > _BODY_MAX:
            raise Refusal(413, f"The body is larger than {_BODY_MAX} bytes")
    return b"".join(pieces)


def _unavailable(error: StateError | OSError) -> Answer:
    """503, which every client of Crucible repeats later: nothing is lost while the disk is full."""
    if isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        text = "The catalog's disk is full" if full else f"The catalog cannot use its folder: {error.strerror}"
    else:
        text = str(error)
    return Answer(json.dumps({"detail": text}).encode(), 503, _RETRY)
