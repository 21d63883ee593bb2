"""A TCP proxy in front of an HTTP server that breaks one chosen request in one chosen way."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEAD_END: Final = b"\r\n\r\n"
_CHUNK: Final = 65536


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `upload`: at most so many bytes of its body reach the server, then the connection dies (None: all of it arrives).
    `forward`: whether the server hears of it at all. `reply`: raw bytes in place of the server's answer.
    `cut`: so many bytes of the answer come back. `ending`: how the connection goes on afterwards.
    `act`: something that happens when the server has heard of it, or would have.
    """

    name: str
    forward: bool = True
    upload: int | None = None
    reply: bytes | None = None
    cut: int | None = None
    ending: str = "close"  # close | reset | stall
    act: Callable[[], None] | None = None


def raw(status: str, body: bytes = b"", kind: str = "application/json", *headers: str) -> bytes:
    """An HTTP answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + _HEAD_END + body


class FaultProxy:
    """Listens on a free port of loopback. `arm` breaks the next request that fits; the others are as `choose` says, or pass."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._armed: tuple[re.Pattern[str], Fault] | None = None
        self._skip = 0
        self.choose: Callable[[str], Fault | None] = lambda _: None
        self.stall_seconds = 30.0
        self.struck = 0
        self.lines: list[str] = []
        self.released = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def arm(self, pattern: str, fault: Fault, *, skip: int = 0) -> None:
        """Break the next request whose `METHOD path` the pattern is found in, after as many others as are skipped."""
        with self._lock:
            self._armed = (re.compile(pattern), fault)
            self._skip = skip
            self.struck = 0

    def disarm(self) -> None:
        """Let everything pass."""
        with self._lock:
            self._armed = None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                head, rest = _head(client)
                if not head:
                    return
                fault = self._fault(head)
                if fault is None:
                    _pass(client, server, head, rest)
                else:
                    self._strike(client, server, fault, head + b"".join(_body(client, head, rest)))
                    return

    def _fault(self, head: bytes) -> Fault | None:
        line = head.split(b"\r\n", 1)[0].decode("latin-1").rsplit(" ", 1)[0]
        with self._lock:
            self.lines.append(line)
            if self._armed is None or not self._armed[0].search(line):
                return self.choose(line)
            if self._skip:
                self._skip -= 1
                return None
            fault = self._armed[1]
            self._armed = None
            self.struck += 1
            return fault

    def _strike(self, client: socket.socket, server: socket.socket, fault: Fault, request: bytes) -> None:
        if fault.upload is not None:
            server.sendall(request[: request.index(_HEAD_END) + len(_HEAD_END) + fault.upload])
        elif fault.forward:
            server.sendall(request)
            head, rest = _head(server)
            answer = head + b"".join(_answer(server, request, head, rest))
            if fault.cut is not None:
                client.sendall(answer[: fault.cut])
        if fault.act is not None:
            fault.act()
        if fault.reply is not None:
            client.sendall(fault.reply)
        if fault.ending == "stall":
            self.released.wait(self.stall_seconds)
        elif fault.ending == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _pass(client: socket.socket, server: socket.socket, head: bytes, rest: bytes) -> None:
    server.sendall(head)
    for chunk in _body(client, head, rest):
        server.sendall(chunk)
    answer, rest = _head(server)
    client.sendall(answer)
    for chunk in _answer(server, head, answer, rest):
        client.sendall(chunk)


def _answer(server: socket.socket, request: bytes, head: bytes, rest: bytes) -> Iterator[bytes]:
    """The answer's body; to a HEAD there is none, whatever length it tells."""
    return iter(()) if request.startswith(b"HEAD ") else _body(server, head, rest)


def _head(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while _HEAD_END not in data:
        chunk = sock.recv(_CHUNK)
        if not chunk:
            return b"", b""
        data += chunk
    end = data.index(_HEAD_END) + len(_HEAD_END)
    return data[:end], data[end:]


def _body(sock: socket.socket, head: bytes, rest: bytes) -> Iterator[bytes]:
    match = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    missing = int(match[1]) if match else 0
    while missing > 0:
        chunk = rest or sock.recv(min(_CHUNK, missing))
        rest = b""
        if not chunk:
            return
        missing -= len(chunk)
        yield chunk
