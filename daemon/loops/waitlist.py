"""Who is to be looked at when: a heap of due times over items that may change or leave meanwhile."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from daemon.clock import Clock

Item = TypeVar("Item")


class Waitlist(Generic[Item]):
    """Items by an integer key, each with a due time on the monotonic clock. Safe for threads.

    An item that was taken is in one thread's hands until that thread calls `again` or `remove`; a `put` meanwhile
    makes it due at once after that, so no two threads ever look at the same key.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, int]] = []
        self._items: dict[int, Item] = {}
        self._entries: dict[int, int] = {}  # key -> the heap entry that counts; older ones are skipped
        self._taken: dict[int, bool] = {}  # key -> whether it was put again meanwhile
        self._order = itertools.count()

    def put(self, key: int, item: Item) -> None:
        """Add or replace an item: due now."""
        with self._condition:
            self._items[key] = item
            if key in self._taken:
                self._taken[key] = True
            else:
                self._push(key, 0.0)

    def again(self, key: int, item: Item, seconds: float) -> None:
        """Give a taken item back, to be looked at in so many seconds, unless it left or was put again meanwhile."""
        with self._condition:
            renewed = self._taken.pop(key, False)
            if key in self._items:
                self._push(key, 0.0 if renewed or self._items[key] is not item else seconds)

    def done(self, key: int, item: Item) -> None:
        """A taken item needs no more looks, unless another one was put under its key meanwhile."""
        with self._condition:
            self._taken.pop(key, None)
            if self._items.get(key) is item:
                del self._items[key]
            elif key in self._items:
                self._push(key, 0.0)

    def get(self, key: int) -> Item | None:
        """The item of a key."""
        with self._condition:
            return self._items.get(key)

    def remove(self, key: int) -> None:
        """Take an item off the list, in whose hands it may be."""
        with self._condition:
            self._items.pop(key, None)
            self._entries.pop(key, None)

    def take(self, most: int, seconds: float) -> list[Item]:
        """Wait up to so many seconds for due items and take them."""
        with self._condition:
            self._wait(seconds)
            now = self._clock.monotonic()
            due: list[Item] = []
            while self._heap and self._heap[0][0] <= now and len(due) < most:
                _, order, key = heapq.heappop(self._heap)
                if self._entries.get(key) == order:
                    del self._entries[key]
                    self._taken[key] = False
                    due.append(self._items[key])
            if self._heap and self._heap[0][0] <= now:
                self._condition.notify()  # there is more for another thread
            return due

    def wake(self) -> None:
        """End every wait."""
        with self._condition:
            self._condition.notify_all()

    def __len__(self) -> int:
        with self._condition:
            return len(self._items)

    def _wait(self, seconds: float) -> None:
        while self._heap and self._entries.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        wait = min(self._heap[0][0] - self._clock.monotonic(), seconds) if self._heap else seconds
        if wait > 0:
            self._condition.wait(wait)

    def _push(self, key: int, seconds: float) -> None:
        order = self._entries[key] = next(self._order)
        heapq.heappush(self._heap, (self._clock.monotonic() + seconds, order, key))
        self._condition.notify()
