"""A bar on stderr for commands that take long, and work in a few threads that keeps its order."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS: Final = 4
WINDOW: Final = 64


@contextlib.contextmanager
def bar(what: str, total: float | None = None) -> Iterator[Callable[[float, float | None], None]]:
    """A bar while the block runs, if stderr is a terminal; call what it gives with how much is done, and of how much."""
    progress = _progress()
    task = progress.add_task(what, total=total)

    def show(done: float, whole: float | None = None) -> None:
        progress.update(task, completed=done, total=whole)  # None leaves it as it is

    with progress:
        yield show


def in_order(
    what: str, items: Sequence[Item], work: Callable[[Item], Result], weight: Callable[[Item], float]
) -> Iterator[Result]:
    """The results in the order of the items, a few at work at a time; an error ends the others that wait."""
    done = 0.0
    with bar(what, sum(weight(item) for item in items)) as show, ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        rest = iter(items)
        try:
            while True:
                waiting.extend((item, pool.submit(work, item)) for item in islice(rest, WINDOW - len(waiting)))
                if not waiting:
                    return
                item, future = waiting.popleft()
                yield future.result()
                done += weight(item)
                show(done, None)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Interrupt:
    """Ends long work in other threads when the main one leaves: hand `alive` in, set it at the end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def alive(self) -> None:
        """Raise KeyboardInterrupt if the command is ending."""
        if self._event.is_set():
            raise KeyboardInterrupt

    def end(self) -> None:
        """The command ends."""
        self._event.set()


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
