"""Messages between the daemon and the worker."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.extract import frames

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a channel."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@given(
    st.dictionaries(st.text().filter(lambda key: key != "blobs"), JSON, max_size=4),
    st.lists(st.binary(max_size=99), max_size=3),
)
def test_messages_arrive_as_they_were_sent(message: dict[str, Any], blobs: list[bytes]) -> None:
    """Any JSON object and any pictures arrive unchanged."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frames.send(ours, message, blobs)
        assert frames.receive(theirs, time.monotonic() + 5) == (message, blobs)


def test_names_that_are_no_text_survive(pair: tuple[socket.socket, socket.socket]) -> None:
    """A path with undecodable bytes arrives as it was."""
    frames.send(pair[0], {"path": "/data/caf\udce9\n.h5"})
    assert frames.receive(pair[1]) == ({"path": "/data/caf\udce9\n.h5"}, [])


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish rubbish",
        struct.pack("!4sI", frames.MAGIC, frames.MAX_JSON + 1),
        struct.pack("!4sI", frames.MAGIC, 3) + b"[1]",
        struct.pack("!4sI", frames.MAGIC, 3) + b"{,}",
        struct.pack("!4sI", frames.MAGIC, 3) + b"\xff\xff\xff",
        struct.pack("!4sI", frames.MAGIC, 9) + b'{"a":NaN}',
        struct.pack("!4sI", frames.MAGIC, 14) + b'{"blobs":[-1]}',
        struct.pack("!4sI", frames.MAGIC, 23) + b'{"blobs":[99999999999]}',
        struct.pack("!4sI", frames.MAGIC, 200_000) + b"[" * 200_000,
    ],
)
def test_rubbish_is_told_from_a_message(pair: tuple[socket.socket, socket.socket], rubbish: bytes) -> None:
    """What is no message raises at once, without waiting for more and without taking memory for it."""
    pair[0].sendall(rubbish)
    with pytest.raises(frames.BrokenFrameError):
        frames.receive(pair[1], time.monotonic() + 5)


def test_a_closed_channel_is_none(pair: tuple[socket.socket, socket.socket]) -> None:
    """The end of the channel, also in the middle of a message, is None."""
    pair[0].sendall(struct.pack("!4sI", frames.MAGIC, 50) + b'{"kind":')
    pair[0].close()
    assert frames.receive(pair[1], time.monotonic() + 5) is None


def test_silence_ends_at_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    """Half a message and then nothing is a time-out."""
    pair[0].sendall(frames.MAGIC)
    with pytest.raises(TimeoutError):
        frames.receive(pair[1], time.monotonic() + 0.05)
