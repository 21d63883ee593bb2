"""Who is at work in the worker: a page of memory that it shares with the daemon, so that telling it wakes nobody.

An ingestor is asked or tried many times a second; only when a worker dies or hangs does anybody want to know which it was.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Final, Self

_SIZE: Final = 4096
_HEAD: Final = struct.Struct("=QH")  # how often it was told, bytes of the name
_LONGEST: Final = _SIZE - _HEAD.size


class Pulse:
    """One page: a counter, and the name of the ingestor at work. The daemon reads it as it would any message of a worker."""

    def __init__(self, descriptor: int) -> None:
        """Map the page behind the descriptor. Raises OSError."""
        self._page = mmap.mmap(descriptor, _SIZE)
        self._count = 0

    @classmethod
    def create(cls) -> tuple[Self, int]:
        """A new page, and the descriptor that a worker inherits; the caller closes it. Raises OSError."""
        descriptor = os.memfd_create("labferry-pulse")
        try:
            os.ftruncate(descriptor, _SIZE)
            return cls(descriptor), descriptor
        except BaseException:
            os.close(descriptor)
            raise

    def tell(self, name: str) -> None:
        """An ingestor begins to work; an empty name: nobody is at work."""
        written = name.encode("utf-8", "replace")[:_LONGEST]
        self._count = (self._count + 1) % 2**64
        self._page[_HEAD.size : _HEAD.size + len(written)] = written
        self._page[: _HEAD.size] = _HEAD.pack(self._count, len(written))

    def count(self) -> int:
        """A number that changes whenever something was told."""
        return int(_HEAD.unpack_from(self._page)[0])

    def name(self) -> str:
        """What was told last; whatever stands there, if the worker is hostile."""
        length = min(_HEAD.unpack_from(self._page)[1], _LONGEST)
        return self._page[_HEAD.size : _HEAD.size + length].decode("utf-8", "replace")
