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
    """Items by an integer key, each with a due time on the monotonic clock. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, int, Item]] = []
        self._items: dict[int, Item] = {}
        self._order = itertools.count()

    def put(self, key: int, item: Item, seconds: float = 0.0) -> None:
        """Add or replace an item: due in so many seconds."""
        with self._condition:
            self._items[key] = item
            self._push(key, item, seconds)

    def again(self, key: int, item: Item, seconds: float) -> None:
        """Look at an item again later, unless it left or was replaced meanwhile."""
        with self._condition:
            if self._items.get(key) is item:
                self._push(key, item, seconds)

    def get(self, key: int) -> Item | None:
        """The item of a key."""
        with self._condition:
            return self._items.get(key)

    def remove(self, key: int, item: Item | None = None) -> None:
        """Take an item off the list; if `item` is given, only while it is still that one."""
        with self._condition:
            if item is None or self._items.get(key) is item:
                self._items.pop(key, None)

    def take(self, most: int, seconds: float) -> list[Item]:
        """Wait up to so many seconds for due items; each is handed out once per `put` or `again`."""
        with self._condition:
            now = self._clock.monotonic()
            wait = min(self._heap[0][0] - now, seconds) if self._heap else seconds
            if wait > 0:
                self._condition.wait(wait)
            now = self._clock.monotonic()
            due: list[Item] = []
            while self._heap and self._heap[0][0] <= now and len(due) < most:
                _, _, key, item = heapq.heappop(self._heap)
                if self._items.get(key) is item:
                    due.append(item)
            return due

    def wake(self) -> None:
        """End every wait."""
        with self._condition:
            self._condition.notify_all()

    def __len__(self) -> int:
        with self._condition:
            return len(self._items)

    def _push(self, key: int, item: Item, seconds: float) -> None:
        heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._order), key, item))
        self._condition.notify()
