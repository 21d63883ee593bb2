"""HTTP to servers on this computer: the same outcomes as httpx's own transport, whatever the server does."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.catalogs.loopback import LoopbackTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LIMITS = {"connect": 5.0, "read": 0.4, "write": 5.0, "pool": 5.0}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
ANSWERS = {
    "whole": OK,
    "chunked": CHUNKED,
    "until the end of the connection": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "continue first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "refused": b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel",
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "binary": bytes(range(256)),
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello",
}


class Script:
    """A server that reads a request and sends given pieces, connection after connection."""

    def __init__(self, pieces: Sequence[bytes], *, hold: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self.connections = 0
        self.hung_up = threading.Semaphore(0)
        self._pieces, self._hold = pieces, hold
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                self.received.append(data)
                for piece in self._pieces:
                    connection.sendall(piece)
                if not self._hold:
                    break
        self.hung_up.release()

    def close(self) -> None:
        """No more connections."""
        self._listener.close()


@contextlib.contextmanager
def serving(pieces: Sequence[bytes], *, hold: bool = False) -> Iterator[Script]:
    """A server that follows the script while it is in use."""
    server = Script(pieces, hold=hold)
    try:
        yield server
    finally:
        server.close()


def request(port: int, method: str = "GET", length: int | None = None, content: Iterable[bytes] = ()) -> httpx.Request:
    """A request as the catalogs' client makes it."""
    headers = [("Host", f"127.0.0.1:{port}"), *([] if length is None else [("Content-Length", str(length))])]
    return httpx.Request(
        method,
        f"http://127.0.0.1:{port}/x",
        headers=headers,
        content=None if length is None else content,
        extensions={"timeout": LIMITS},
    )


def outcome(transport: httpx.BaseTransport, ask: httpx.Request) -> object:
    """Status, headers and body, or the kind of the failure."""
    try:
        response = transport.handle_request(ask)
        try:
            body = b"".join(response.stream)  # type: ignore[arg-type]
        finally:
            response.close()
    except httpx.HTTPError as error:
        return "timeout" if isinstance(error, httpx.TimeoutException) else "failed"
    return response.status_code, sorted(response.headers.items()), body


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_means_what_it_means_to_httpx(name: str) -> None:
    """Whole, chunked, broken and senseless answers end as with httpx's HTTPTransport."""
    with serving([ANSWERS[name]] if ANSWERS[name] else []) as server, httpx.HTTPTransport(trust_env=False) as theirs:
        expected = outcome(theirs, request(server.port))
        with LoopbackTransport() as ours:
            assert outcome(ours, request(server.port)) == expected


def test_a_head_is_answered_without_a_body() -> None:
    """HEAD names the length of a body that does not follow: the answer is whole at once."""
    with serving([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], hold=True) as server, LoopbackTransport() as ours:
        for _ in range(2):
            assert outcome(ours, request(server.port, "HEAD")) == (200, [("content-length", "5")], b"")


@given(st.sampled_from([OK, CHUNKED, ANSWERS["continue first"]]), st.lists(st.integers(1, 120), max_size=5))
def test_an_answer_may_come_in_any_pieces(answer: bytes, cuts: list[int]) -> None:
    """However TCP cuts an answer, the body is the same."""
    places = sorted({0, *(cut for cut in cuts if cut < len(answer)), len(answer)})
    pieces = [answer[start:end] for start, end in itertools.pairwise(places)]
    with serving(pieces) as server, LoopbackTransport() as ours:
        response = ours.handle_request(request(server.port))
        assert (response.status_code, b"".join(response.stream)) == (200, b"hello")  # type: ignore[arg-type]
        response.close()


def test_a_silent_server_is_a_time_out() -> None:
    """A server that accepts and says nothing, or stops within the body, ends as a read time-out."""
    for said in ([], [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"]):
        with serving(said, hold=True) as server, LoopbackTransport() as ours:
            assert outcome(ours, request(server.port)) == "timeout"


def test_nobody_there_is_a_connection_error() -> None:
    """A port where nobody listens: httpx.ConnectError."""
    with socket.socket() as held, LoopbackTransport() as ours:
        held.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(httpx.ConnectError):
            ours.handle_request(request(held.getsockname()[1]))


def test_a_connection_serves_one_request_after_the_other() -> None:
    """A connection whose answer was read to its end is used again; one that was left in the middle is not."""
    with serving([OK], hold=True) as server, LoopbackTransport() as ours:
        for _ in range(3):
            assert outcome(ours, request(server.port))
        assert server.connections == 1
    with serving([ANSWERS["half a body"]], hold=True) as server, LoopbackTransport() as ours:
        for _ in range(3):
            ours.handle_request(request(server.port)).close()
        assert server.connections == 3


def test_a_request_that_is_the_last_one_takes_its_connection_with_it() -> None:
    """Who says `Connection: close` is believed by the server, so the next request gets a connection of its own."""
    with serving([OK], hold=True) as server, LoopbackTransport() as ours:
        for _ in range(3):
            last = request(server.port)
            last.headers["Connection"] = "close"
            assert outcome(ours, last) == (200, [("content-length", "5")], b"hello")
        assert server.connections == 3


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    """A keep-alive answer and a closed connection: the next request gets a connection of its own."""
    with serving([OK]) as server, LoopbackTransport() as ours:
        for _ in range(3):
            assert outcome(ours, request(server.port)) == (200, [("content-length", "5")], b"hello")
            assert server.hung_up.acquire(timeout=5)
        assert server.connections == 3


def test_what_follows_an_answer_is_not_taken_for_the_next_one() -> None:
    """A second answer that nobody asked for ends the connection, not the belief in the next answer."""
    with serving([OK + OK.replace(b"hello", b"forge")], hold=True) as server, LoopbackTransport() as ours:
        assert outcome(ours, request(server.port)) == "failed"


def test_a_refusal_is_read_although_the_body_could_not_be_sent() -> None:
    """A server that says 413 and hangs up while the body is still on its way: the answer is 413."""
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    size = 64 * 2**20
    with serving([refusal]) as server, LoopbackTransport() as ours:
        body = itertools.repeat(bytes(2**16), size // 2**16)
        response = ours.handle_request(request(server.port, "PUT", size, body))
        assert response.status_code == 413
        response.close()


@pytest.mark.parametrize("length", [3, 7])
def test_a_body_of_another_length_than_announced_is_never_sent_as_whole(length: int) -> None:
    """Too few or too many bytes for Content-Length: LocalProtocolError, and the connection is given up."""
    with serving([OK], hold=True) as server, LoopbackTransport() as ours:
        with pytest.raises(httpx.LocalProtocolError):
            ours.handle_request(request(server.port, "PUT", 5, iter([b"x" * length])))
        assert outcome(ours, request(server.port))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ask: ask.headers.update({"x-signed": "a\r\nHost: elsewhere"}),
        lambda ask: ask.extensions.update(target=b"/x HTTP/1.1\r\nHost: elsewhere\r\n\r\nGET /"),
        lambda ask: ask.headers.update({"two words": "1"}),
    ],
)
def test_no_header_forges_another_request(spoil: Callable[[httpx.Request], None]) -> None:
    """Line ends in a header or a path (a hostile catalog signs what it likes): nothing is sent."""
    with serving([OK]) as server, LoopbackTransport() as ours:
        ask = request(server.port)
        spoil(ask)
        with pytest.raises(httpx.LocalProtocolError):
            ours.handle_request(ask)
        assert not server.received


def test_a_head_without_end_is_cut() -> None:
    """A server that sends headers for ever: RemoteProtocolError, bounded memory."""
    endless = b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 300_000
    with serving([endless], hold=True) as server, LoopbackTransport() as ours, pytest.raises(httpx.RemoteProtocolError):
        ours.handle_request(request(server.port))
