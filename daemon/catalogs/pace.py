"""A bandwidth limit that all uploads of one catalog share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.clock import Clock

_SMALLEST: Final = 4096
_PER_SECOND: Final = 4


class Pace:
    """Gives out the right to send bytes, so many each second. Safe for threads."""

    def __init__(self, clock: Clock, bytes_per_second: int) -> None:
        self._clock = clock
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = clock.monotonic()
        self._never = threading.Event()

    def slices(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, in pieces that are small against a second, each given out when its time has come."""
        piece = max(_SMALLEST, self._rate // _PER_SECOND)
        for chunk in chunks:
            for start in range(0, len(chunk), piece):
                part = chunk[start : start + piece]
                self._wait_for(len(part))
                yield part

    def _wait_for(self, size: int) -> None:
        with self._lock:
            now = self._clock.monotonic()
            begins = max(now, self._free_at)
            self._free_at = begins + size / self._rate
        if begins > now:
            self._clock.wait(self._never, begins - now)
