"""The waitlist: nothing is lost, and no two threads hold the same key."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.clock import ManualClock, SystemClock
from daemon.loops.waitlist import Waitlist

if TYPE_CHECKING:
    from collections.abc import Sequence


class Item:
    """Something with a key."""

    def __init__(self, key: int) -> None:
        self.key = key


MOVES = st.lists(
    st.tuples(st.sampled_from(["put", "take", "again", "done", "remove", "advance"]), st.integers(0, 3)), max_size=60
)


@settings(max_examples=300)
@given(MOVES)
def test_every_item_is_due_held_or_gone(moves: Sequence[tuple[str, int]]) -> None:  # noqa: C901 one branch per move
    """After any moves each key that was put and not removed comes again, and none comes while it is held."""
    clock = ManualClock()
    waitlist: Waitlist[Item] = Waitlist(clock)
    wanted: dict[int, Item] = {}
    held: dict[int, Item] = {}
    for move, key in moves:
        if move == "put":
            wanted[key] = Item(key)
            waitlist.put(key, wanted[key])
        elif move == "take":
            for item in waitlist.take(key + 1, 0.0):
                assert item.key not in held
                assert wanted.get(item.key) is item
                held[item.key] = item
        elif move == "again" and key in held:
            waitlist.again(key, held.pop(key), 5.0)
        elif move == "done" and key in held:
            item = held.pop(key)
            waitlist.done(key, item)
            if wanted.get(key) is item:
                del wanted[key]
        elif move == "remove":
            wanted.pop(key, None)
            waitlist.remove(key)
        elif move == "advance":
            clock.advance(3.0)
    for key, item in held.items():
        waitlist.again(key, item, 0.0)
    clock.advance(10.0)
    assert sorted(item.key for item in waitlist.take(99, 0.0)) == sorted(wanted)
    assert len(waitlist) == len(wanted)


def test_what_is_put_while_it_is_held_is_due_at_once_afterwards() -> None:
    """A change that comes during a look is looked at, and not after the wait that the look decided on."""
    clock = ManualClock()
    waitlist: Waitlist[str] = Waitlist(clock)
    waitlist.put(1, "old")
    assert waitlist.take(1, 0.0) == ["old"]
    waitlist.put(1, "new")
    assert waitlist.take(1, 0.0) == []
    waitlist.again(1, "old", 100.0)
    assert waitlist.take(1, 0.0) == ["new"]


def test_threads_never_hold_the_same_key() -> None:
    """Four threads that take, put and give back two hundred keys never meet at one, and each is done in the end."""
    waitlist: Waitlist[Item] = Waitlist(SystemClock())
    held: set[int] = set()
    lock, done = threading.Lock(), set[int]()
    faults: list[int] = []
    deadline = SystemClock().monotonic() + 10.0

    def work(seed: int) -> None:
        chance = random.Random(seed)
        while len(done) < 200 and SystemClock().monotonic() < deadline:
            for item in waitlist.take(5, 0.05):
                with lock:
                    faults.extend([item.key] if item.key in held else [])
                    held.add(item.key)
                if chance.random() < 0.2:
                    waitlist.put(item.key, Item(item.key))
                with lock:
                    held.discard(item.key)
                if chance.random() < 0.3:
                    waitlist.again(item.key, item, 0.001)
                else:
                    waitlist.done(item.key, item)
                    if waitlist.get(item.key) is None:
                        done.add(item.key)

    for key in range(200):
        waitlist.put(key, Item(key))
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert faults == []
    assert len(done) == 200
    assert len(waitlist) == 0
