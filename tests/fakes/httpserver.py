"""A real HTTP/1.1 server on a free port of loopback, whose answers are a Python function."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Seen:
    """A request as it came in; header names in lower case, the path still quoted."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body) if self.body else None

    def asked(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return dict(self.query).get(name, default)

    def segments(self) -> list[str]:
        """The path's parts, unquoted."""
        return [unquote(part) for part in self.path.split("/") if part]


@dataclass(frozen=True)
class Reply:
    """What goes out: JSON unless the body is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> tuple[str, bytes]:
        """Content type and bytes."""
        if isinstance(self.body, bytes):
            return self.headers.get("Content-Type", "application/octet-stream"), self.body
        return "application/json", b"" if self.body is None else json.dumps(self.body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write for head and body
    answer: Callable[[Seen], Reply]

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # the client died in the middle of its request: nobody asked anything
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        reply = type(self).answer(Seen(self.command, parts.path, query, headers, body))
        kind, content = reply.content()
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, **reply.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)
        self.wfile.flush()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method of HTTP is served alike (http.server looks for `do_GET` and so on)."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name of the overridden parameter
        """Say nothing: a test's output is its own."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the tests."""


@contextmanager
def serve(answer: Callable[[Seen], Reply]) -> Iterator[str]:
    """Run the server while the block runs; gives its address without a path."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
