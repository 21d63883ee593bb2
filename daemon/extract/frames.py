"""Messages between the daemon and its worker: a length, JSON, then raw bytes (pictures). Never pickle: the other side is not trusted.

A frame is the magic `LFx1`, the length of the JSON text (4 bytes, big endian), the text, and the blobs whose lengths the
text's `blobs` lists. Text is ASCII JSON, so that surrogate escapes of file names survive.
"""

from __future__ import annotations

import json
import struct
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

MAGIC: Final = b"LFx1"
MAX_JSON: Final = 32 * 2**20
MAX_BLOBS: Final = 64 * 2**20
_HEADER: Final = struct.Struct("!4sI")


class BrokenFrameError(Exception):
    """What came is no message: the other side is broken or hostile."""


def send(channel: socket.socket, message: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Send one message. Raises OSError when the other side is gone, ValueError for what JSON cannot hold."""
    content = {**message, "blobs": [len(blob) for blob in blobs]} if blobs else message
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    channel.sendall(b"".join((_HEADER.pack(MAGIC, len(text)), text, *blobs)))


def receive(channel: socket.socket, deadline: float | None = None) -> tuple[dict[str, Any], list[bytes]] | None:
    """Receive one message, or None when the other side closed the channel.

    `deadline` on `time.monotonic`, which stands still while the machine sleeps: a suspend is no time-out.
    Raises TimeoutError, BrokenFrameError, OSError.
    """
    header = _exactly(channel, _HEADER.size, deadline)
    if header is None:
        return None
    magic, length = _HEADER.unpack(header)
    if magic != MAGIC or length > MAX_JSON:
        raise BrokenFrameError("not a message")
    text = _exactly(channel, length, deadline)
    if text is None:
        return None
    try:
        message = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BrokenFrameError("not JSON") from error
    if not isinstance(message, dict):
        raise BrokenFrameError("not a JSON object")
    return _with_blobs(channel, message, deadline)


def _no_number(text: str) -> None:
    raise ValueError(text)


def _with_blobs(
    channel: socket.socket, message: dict[str, Any], deadline: float | None
) -> tuple[dict[str, Any], list[bytes]] | None:
    lengths = message.pop("blobs", [])
    if not isinstance(lengths, list) or not all(type(length) is int and length >= 0 for length in lengths):
        raise BrokenFrameError("wrong lengths")
    if sum(lengths) > MAX_BLOBS:
        raise BrokenFrameError("too long")
    blobs: list[bytes] = []
    for length in lengths:
        blob = _exactly(channel, length, deadline)
        if blob is None:
            return None
        blobs.append(blob)
    return message, blobs


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytes | None:
    """That many bytes, or None at the end of the stream."""
    received = bytearray()
    while len(received) < count:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        else:
            channel.settimeout(None)
        piece = channel.recv(min(count - len(received), 2**20))
        if not piece:
            return None
        received += piece
    return bytes(received)
