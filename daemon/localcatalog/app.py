"""The whole server as one ASGI application: API, gates for bytes, downloads, and the pages behind a cookie.

Three ways in, for three kinds of caller:
* programs send `Authorization: Bearer TOKEN` to `/api/v3`;
* signed links (uploads, downloads) carry their own permission, for an hour;
* a browser opens `/?token=TOKEN` once and then has a cookie that scripts and other sites cannot use.

A request whose Host header is not one of ours is refused, so that a web site that points its own name at this machine
(DNS rebinding) gets nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import json
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from daemon.localcatalog import content, files, pages, signing
from daemon.localcatalog.api import PREFIX, Api
from daemon.localcatalog.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, MutableMapping

    from starlette.requests import Request

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.localcatalog.ingestion import Ingestion

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

COOKIE: Final = "labferry_catalog"
_YEAR: Final = 365 * 24 * 3600
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_INLINE: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
}
_STRICT: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


class Application:
    """The ASGI application of one catalog. `hosts`: names beside the loopback ones by which it may be called."""

    def __init__(self, catalog: LocalCatalog, ingestion: Ingestion, hosts: Collection[str] = ()) -> None:
        self._catalog = catalog
        self._hosts = _LOCAL | {name.lower() for name in hosts}
        self._api = Api(catalog, ingestion)
        self._pages = Starlette(routes=pages.routes(catalog), exception_handlers={HTTPException: _plain})
        self._cookie = hmac.new(catalog.token.encode(), b"pages", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if not self._ours(scope):
            await _refused(400, "This address is not one of this catalog's")(scope, receive, send)
        elif path.startswith((PREFIX + "/", "/gcs-signed/", "/gcs-resumable/")):
            await self._api(scope, receive, send)
        elif path.startswith("/download/"):
            await self._download(scope)(scope, receive, send)
        elif path.startswith("/static/") or self._has_cookie(scope):
            await self._page(scope, receive, send)
        else:
            await self._welcome(scope)(scope, receive, send)

    def _ours(self, scope: Scope) -> bool:
        host = _header(scope, b"host").lower()
        name = urlsplit(f"//{host}").hostname if host else None
        return name is not None and (name in self._hosts or f"[{name}]" in self._hosts)

    def _has_cookie(self, scope: Scope) -> bool:
        try:
            morsel = SimpleCookie(_header(scope, b"cookie")).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self._cookie.encode())

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "token=" in scope["query_string"].decode("latin-1"):
            await self._welcome(scope)(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def _welcome(self, scope: Scope) -> Response:
        """Take the token from the link, give a cookie for it, and leave the token out of the address."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = query.get("token", [""])[-1]
        if token and hmac.compare_digest(token.encode(), self._catalog.token.encode()):
            response: Response = RedirectResponse(scope["path"] if scope["path"].startswith("/datasets/") else "/", 303)
            response.set_cookie(COOKIE, self._cookie, max_age=_YEAR, httponly=True, samesite="strict", path="/")
            response.headers["Referrer-Policy"] = "no-referrer"
            return response
        if scope["path"].startswith("/api/"):
            return _refused(404, "Not Found")
        text = (
            "Open the address that labferry printed; it ends in ?token= and works for this browser from then on. "
            "The token stands in the file “token” in the catalog's folder."
        )
        return pages.message(401, "This catalog asks for its token", text, way_out=False)

    def _download(self, scope: Scope) -> Response:
        """GET /download/{file}?…: content by a signed link, with ranges."""
        try:
            path = scope["path"]
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            values = signing.check(self._catalog, path, query)
            if scope["method"] not in {"GET", "HEAD"}:
                return _refused(405, "Method Not Allowed")
            row = files.find(self._catalog, path.split("/")[2])
        except Refusal as refusal:
            return _refused(refusal.status, refusal.detail)
        if row["content"] is None:
            return _refused(404, "The content of this file is not stored here")
        stored = content.content_path(self._catalog, row["content"])
        if stored.is_symlink() or not stored.is_file():  # a link may lead to the very file that is to be deleted
            return _refused(410, "The content of this file is not in the catalog's folder any more")
        suffix = "." + row["filename"].rsplit(".", 1)[-1].lower()
        inline = values.get("disposition") == "inline" and suffix in _INLINE
        headers = {
            **_STRICT,
            "Content-Disposition": files.disposition(row["filename"], inline=inline),
            "ETag": row["etag"],
        }
        media = _INLINE[suffix] if inline else "application/octet-stream"
        return LargeFileResponse(stored, media_type=media, headers=headers)


class LargeFileResponse(FileResponse):
    """A file in blocks that suit files of gigabytes."""

    chunk_size = content.BLOCK


def own_hosts(host: str) -> frozenset[str]:
    """By which names a server bound to this address may be called: the address, or this machine's name for all of them."""
    import socket  # noqa: PLC0415 only the server needs it

    name = socket.gethostname()
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        return frozenset({host.lower()})
    found = {name, socket.getfqdn()}
    with contextlib.suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    return frozenset(found)


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def _refused(status: int, detail: Any) -> Response:
    return Response(json.dumps({"detail": detail}), status, media_type="application/json")


def _plain(request: Request, error: Exception) -> Response:
    """What the pages do not know how to show."""
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"detail": getattr(error, "detail", "Internal Server Error")}, status)
