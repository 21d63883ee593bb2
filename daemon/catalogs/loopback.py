"""HTTP/1.1 to servers on this computer, as a transport of httpx.

A small dataset is ten small requests to the embedded catalog, and with httpx's own transport they were half of what the
daemon did: a parser in Python, and locks for what a connection without TLS, proxy or HTTP/2 does not have. Here llhttp
parses (by httptools, which the embedded catalog's server needs anyway); the errors are httpx's.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httptools
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDLE_SECONDS: Final = 30.0
_READ: Final = 64 * 1024
_HEAD_MOST: Final = 256 * 1024
_SMALL: Final = 64 * 1024
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CONTINUE: Final = range(100, 200)


class LoopbackTransport(httpx.BaseTransport):
    """Keeps connections that are free for the next request. Safe from several threads."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, int], list[_Connection]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the answer's head; the body comes as it is asked for. Raises httpx.HTTPError."""
        limits = request.extensions["timeout"]
        address = request.url.host, request.url.port or 80
        connection = self._take(address) or _Connection(address, limits["connect"])
        try:
            parsed = connection.ask(request, limits)
        except BaseException:
            connection.close()
            raise
        return httpx.Response(parsed.status, headers=parsed.headers, stream=_Body(self, connection, parsed))

    def close(self) -> None:
        """Close the free connections; those at work are closed when they have their answer."""
        with self._lock:
            self._closed = True
            free = [connection for connections in self._free.values() for connection in connections]
            self._free.clear()
        for connection in free:
            connection.close()

    def give_back(self, connection: _Connection) -> None:
        """A connection whose answer was read to its end is free."""
        with self._lock:
            if not self._closed:
                connection.free_since = time.monotonic()
                self._free.setdefault(connection.address, []).append(connection)
                return
        connection.close()

    def _take(self, address: tuple[str, int]) -> _Connection | None:
        while True:
            with self._lock:
                free = self._free.get(address)
                connection = free.pop() if free else None
            if connection is None or connection.usable():
                return connection
            connection.close()


class _Parsed:
    """An answer as far as it came: what llhttp calls back. `free`: another request may follow on the connection."""

    def __init__(self, request: httpx.Request) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self._bodiless = request.method == "HEAD"  # whatever length it tells
        self._last = request.headers.get("connection", "").lower() == "close"
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.has_head = self.is_whole = self.free = False
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """The next bytes from the server. Raises httpx.RemoteProtocolError."""
        if not self.has_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise httpx.RemoteProtocolError(f"the answer is no HTTP ({error})") from None
        if not self.has_head and self._head_bytes > _HEAD_MOST:
            raise httpx.RemoteProtocolError("the answer's header does not end")

    def end(self) -> None:
        """The server closed the connection. Raises httpx.RemoteProtocolError if something is missing."""
        if not self.has_head:
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        if not self.is_whole and any(
            name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self.headers
        ):
            raise httpx.RemoteProtocolError("the server closed the connection in the middle of its answer")
        self.is_whole, self.free = True, False

    def on_message_begin(self) -> None:
        """Called by llhttp: an answer begins, the first or, after `100 Continue`, the next."""
        if self.is_whole:
            raise httpx.RemoteProtocolError("the server answered twice")
        self.status, self.headers = 0, []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by llhttp."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Called by llhttp."""
        self.status = self.parser.get_status_code()
        self.has_head = self.status not in _CONTINUE
        if self._bodiless and self.has_head:
            self._complete()

    def on_body(self, body: bytes) -> None:
        """Called by llhttp."""
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        """Called by llhttp."""
        if self.has_head:
            self._complete()

    def _complete(self) -> None:
        self.is_whole = True
        self.free = self.parser.should_keep_alive() and not self._last


class _Connection:
    """One socket, used by one thread at a time."""

    def __init__(self, address: tuple[str, int], seconds: float) -> None:
        self.address = address
        self.free_since = 0.0
        try:
            self._socket = socket.create_connection(address, seconds)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def usable(self) -> bool:
        """Whether the server still holds it: what is free has nothing to say."""
        if time.monotonic() - self.free_since > _IDLE_SECONDS:
            return False
        look = select.poll()
        look.register(self._socket, select.POLLIN)
        return not look.poll(0)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def ask(self, request: httpx.Request, limits: dict[str, float]) -> _Parsed:
        """Send a request, and read until the answer's head is there. Raises httpx.HTTPError."""
        parsed = _Parsed(request)
        try:
            self._send(request, limits["write"])
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:  # it may have said why it hung up
            with contextlib.suppress(httpx.HTTPError):
                self._read_head(parsed, limits["read"])
                parsed.free = False
                return parsed
            raise httpx.WriteError(str(error)) from error
        self._read_head(parsed, limits["read"])
        if request.method == "HEAD":  # whatever length it names, no body follows; llhttp waits for one
            parsed.is_whole, parsed.free = True, False
        return parsed

    def read(self, parsed: _Parsed) -> None:
        """The next bytes of an answer. Raises httpx.HTTPError."""
        try:
            data = self._socket.recv(_READ)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        if data:
            parsed.feed(data)
        else:
            parsed.end()

    def _read_head(self, parsed: _Parsed, seconds: float) -> None:
        self._socket.settimeout(seconds)
        while not parsed.has_head:
            self.read(parsed)

    def _send(self, request: httpx.Request, seconds: float) -> None:
        self._socket.settimeout(seconds)
        waiting = _head(request)
        announced, sent = int(request.headers.get("content-length", "0")), 0
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise httpx.LocalProtocolError("the request's body cannot be read")
        for piece in request.stream:
            sent += len(piece)
            if sent > announced:
                break
            waiting = waiting + piece if waiting else piece
            if len(waiting) > _SMALL:
                self._socket.sendall(waiting)
                waiting = b""
        if sent != announced:
            raise httpx.LocalProtocolError(f"{announced} bytes were announced, not {sent}")
        self._socket.sendall(waiting)


class _Body(httpx.SyncByteStream):
    """The body as it comes. Closing it frees the connection if it was read to its end."""

    def __init__(self, transport: LoopbackTransport, connection: _Connection, parsed: _Parsed) -> None:
        self._transport = transport
        self._connection: _Connection | None = connection
        self._parsed = parsed

    def __iter__(self) -> Iterator[bytes]:
        """The body's pieces. Raises httpx.HTTPError."""
        while self._connection is not None:
            pieces, self._parsed.pieces = self._parsed.pieces, []
            yield from pieces
            if self._parsed.is_whole:
                return
            self._connection.read(self._parsed)

    def close(self) -> None:
        """Free the connection, or close it if bytes are still to come."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._parsed.free:
            self._transport.give_back(connection)
        else:
            connection.close()


def _head(request: httpx.Request) -> bytes:
    """The request line and the headers. Raises httpx.LocalProtocolError for what would forge another request."""
    target: Any = request.extensions.get("target", request.url.raw_path)
    parts = [request.method.encode("ascii"), b" ", target, b" HTTP/1.1\r\n"]
    if b" " in target or _CONTROL.search(target) or not target:
        raise httpx.LocalProtocolError("the request's path is not usable")
    for name, value in request.headers.raw:
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise httpx.LocalProtocolError(f"the header {name!r} is not usable")
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"\r\n")
    return b"".join(parts)
