"""Hints from inotify. The only module that imports watchdog; nothing here is needed for correctness, the scan is the truth.

What watchdog 7.1 does wrong, and the answer here:
* Without an `event_filter` its own walks cause events that overflow the queue for ever on a tree of about 5,000 folders: `HEARD`.
* It says nothing to its handlers when the kernel's queue overflows: a handler on its logger does, and when a cookie written after that has
  come back, the watches are whole again and the sink is told to scan.
* Its threads may die while `is_alive()` says True: a cookie file in the state folder's own watched directory must come back.
* It swallows the watch limit (ENOSPC) below a root: one more watch is tried after each root.
* It has no word for an unmounted root: the root's device and inode are compared at every check.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver
from watchdog.utils import BaseThread

from daemon.errors import RootError, exhausted
from daemon.watch.cookies import Cookies
from daemon.watch.roots import events_work, identify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watchdog.observers.api import ObservedWatch

    from daemon.clock import Clock

HEARD: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent, DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
]  # fmt: skip
"""No opens and no closes after reading (they feed back), no modifications (a storm; the close or the scan finds the file)."""
RETRY_SECONDS: Final = 10.0
LIMIT_RETRY_SECONDS: Final = 600.0
UNPROVABLE: Final = (
    "The state folder is on a network share, where nothing proves that events are heard; the roots are scanned instead."
    " Put `state` on a local disk."
)
HOPELESS: Final = 3
"""After so many rebuilt watchers that heard nothing, only a restart of the service can help."""
WATCH_LIMIT: Final = (
    "The limit of inotify watches is reached, so some folders are only scanned. Raise it with"
    " `sysctl fs.inotify.max_user_watches=1048576 fs.inotify.max_user_instances=1024` (and in /etc/sysctl.d to keep it)."
)


@dataclass(frozen=True, slots=True)
class WatchedRoot:
    """A root as the watcher knows it."""

    index: int
    path: Path


@dataclass(frozen=True, slots=True)
class WatcherHealth:
    """`watching`: the indexes of the roots whose events are heard; `problem`: a sentence for people, if there is one."""

    alive: bool
    watching: frozenset[int]
    problem: str | None = None


class HintSink(Protocol):
    """Where hints go. Called from the watcher's threads; must return at once and raise nothing."""

    def hint(self, root_index: int, path: str) -> None:
        """Look at this file (root-relative path)."""

    def hint_folder(self, root_index: int, folder: str) -> None:
        """List this folder and everything below it; an empty text is the root."""

    def lost(self, root_index: int | None, reason: str) -> None:
        """Events were lost: scan this root, or all of them."""


class Watcher:
    """Watches the roots that have events and proves at every `check` that it hears. `cookies`: a folder of its own, in the state folder."""

    def __init__(self, roots: Sequence[WatchedRoot], sink: HintSink, cookies: Path, clock: Clock) -> None:
        self.sink = sink
        self._roots = tuple(roots)
        self._cookies = Cookies(cookies)
        self._clock = clock
        self._lock = threading.Lock()
        self._observer: InotifyObserver | None = None
        self._watches: dict[int, _Watch] = {}
        self._stale: list[ObservedWatch] = []
        self._limited: set[int] = set()
        self._set_up_by: threading.Thread | None = None
        self._set_up_at = 0.0
        self._dead: str | None = None
        self._problem: str | None = None
        self._unproven: str | None = None
        self._scheduling = False
        self._reason: str | None = None
        self._failures = 0
        self._progress = 0
        self._seen_progress = 0
        self._listener = _OverflowListener(self)
        self._previous_hook: Callable[[threading.ExceptHookArgs], Any] | None = None

    def start(self) -> None:
        """Begin in the background: adding thousands of watches takes seconds. Raises OSError if `cookies` cannot be made."""
        self._cookies.prepare()
        # its text holds every watch: 100 kB and more for each
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        logging.getLogger("watchdog.observers").addHandler(self._listener)
        self._previous_hook, threading.excepthook = threading.excepthook, self._thread_died
        self._begin(self._clock.monotonic())

    def stop(self) -> None:
        """End every thread of the watcher that can be ended."""
        logging.getLogger("watchdog.observers").removeHandler(self._listener)
        if self._previous_hook is not None and threading.excepthook == self._thread_died:
            threading.excepthook = self._previous_hook
        if self._set_up_by is not None:
            self._set_up_by.join(RETRY_SECONDS)
        self._tear_down(wait=True)

    def restart(self, reason: str) -> None:
        """Tear down and build anew; each root is reported as lost when it is heard again."""
        self._tear_down(wait=False)
        self._reason = reason
        self._begin(self._clock.monotonic())

    def check(self, now: float) -> WatcherHealth:
        """Repair what is broken and ask for the next proof; quick. `now` in seconds of the monotonic clock; call it every few seconds."""
        if self._busy() and (self._scheduling or self._observer is None):
            return self._health()  # events wait until the watches are there
        reason = self._diagnosis(now)
        if reason is not None:
            self._failures += 1
            self.restart(reason)
            return self._health()
        self._look_at_roots()
        if self._limited and now - self._set_up_at >= LIMIT_RETRY_SECONDS:
            self.restart("the limit of watches may have been raised")
        elif self._observer is not None and self._cookies.due(now):
            self._unproven = self._cookies.send(now)
            if not self._busy():
                self._probe_limit(self._observer, set(self._watches))
        if len(self._watches) < len(self._roots) and now - self._set_up_at >= RETRY_SECONDS and not self._busy():
            self._begin(now)
        return self._health()

    def _health(self) -> WatcherHealth:
        heard = frozenset(self._watches) - self._limited if self._cookies.provable else frozenset[int]()
        problem = self._problem or self._unproven or (None if self._cookies.provable else UNPROVABLE)
        return WatcherHealth(self._failures < HOPELESS, heard, problem)

    def _diagnosis(self, now: float) -> str | None:
        """Why the watcher does not hear, or None."""
        busy, self._seen_progress = self._progress != self._seen_progress, self._progress
        observer = self._observer
        if observer is None:
            return None
        if self._dead is not None:
            return self._dead
        ours = {watch.observed for watch in self._watches.values()}
        if not observer.is_alive() or any(one.watch in ours and not one.is_alive() for one in observer.emitters.copy()):
            return "a thread of the watcher ended"
        if self._cookies.provable and self._cookies.overdue(now) and not busy:
            return "the watcher hears nothing"
        return None

    # In the background thread.

    def _busy(self) -> bool:
        return self._set_up_by is not None and self._set_up_by.is_alive()

    def _begin(self, now: float) -> None:
        self._set_up_at = now
        self._set_up_by = threading.Thread(target=self._set_up, name="watch-setup", daemon=True)
        self._set_up_by.start()

    def _set_up(self) -> None:
        """Watch whatever is not watched yet, if there are memory and threads for it; else the scans go on."""
        try:
            self._listen()
        except (MemoryError, RuntimeError) as error:
            told = exhausted(error)
            if told is None:
                raise
            self._problem = told.message

    def _listen(self) -> None:
        if not self._limited:
            self._problem = None
        try:
            observer = self._observer or self._new_observer()
        except OSError as error:
            self._problem = _sentence(error)
            return
        for watch in self._stale:
            with contextlib.suppress(KeyError):
                observer.unschedule(watch)
        self._stale.clear()
        for root in self._roots:
            if root.index not in self._watches and self._observer is observer:
                self._watch(observer, root)

    def _new_observer(self) -> InotifyObserver:
        """An observer that hears cookies. Raises OSError at a limit of the kernel."""
        observer = InotifyObserver()
        try:
            observer.start()
            observer.schedule(_CookieHandler(self), os.fspath(self._cookies.folder), event_filter=[FileClosedEvent])
        except (OSError, MemoryError, RuntimeError):
            _stop(observer)
            raise
        self._dead = None
        self._cookies.forget()
        self._observer = observer
        return observer

    def _watch(self, observer: InotifyObserver, root: WatchedRoot) -> None:
        """Add the watches of one root, then have it listed: what happened before a watch was there was not heard."""
        try:
            if not events_work(identify(root.path)):
                return
            place = os.path.realpath(root.path)
            identity = _identity(place)
            if self._observer is not observer:
                return  # a new one was made while a dead share kept us waiting
            self._scheduling = True
            observed = observer.schedule(
                _RootHandler(self, root.index, place), place, recursive=True, event_filter=HEARD
            )
        except RootError:
            return
        except OSError as error:
            self._problem = _sentence(error)
            return
        finally:
            self._scheduling = False
        self._watches[root.index] = _Watch(observed, place, identity)
        self._probe_limit(observer, {root.index})
        if self._reason is None:
            self.sink.hint_folder(root.index, "")
        else:
            self.sink.lost(root.index, self._reason)

    def _probe_limit(self, observer: InotifyObserver, roots: set[int]) -> None:
        """Watchdog hides a full table of watches; trying one more does not."""
        try:
            probe = observer.schedule(
                _CookieHandler(self), os.fspath(self._cookies.probe), event_filter=[FileClosedEvent]
            )
            observer.unschedule(probe)
        except OSError as error:
            self._limited |= roots
            self._problem = _sentence(error)

    def _tear_down(self, *, wait: bool) -> None:
        with self._lock:
            observer, self._observer = self._observer, None
            self._watches.clear()
            self._limited.clear()
            self._stale.clear()
        if observer is not None:
            ender = threading.Thread(target=_stop, args=(observer,), name="watch-stop", daemon=True)
            ender.start()  # a stuck thread of the observer must not hold us up
            ender.join(RETRY_SECONDS if wait else 0)

    # Called by the observer's threads.

    def note_progress(self) -> None:
        """An event was heard."""
        self._progress += 1

    def cookie_heard(self, path: Path) -> None:
        """A cookie came back: everything written before it was heard too."""
        self.note_progress()
        self._failures = 0
        if self._cookies.heard(path):
            self.sink.lost(None, "the kernel's queue of file events overflowed")

    def overflowed(self) -> None:
        """Events were lost. watchdog builds its watches anew now, before it reads on: a cookie that is sent now comes back after that."""
        problem = self._cookies.send(self._clock.monotonic(), after_overflow=True)
        if problem is not None:
            self._dead = "the kernel's queue of file events overflowed"

    def broken(self, reason: str) -> None:
        """The observer cannot go on; the next check builds another one."""
        self._dead = reason

    def root_gone(self, index: int) -> None:
        """The root was deleted, moved away or unmounted."""
        with self._lock:
            watch = self._watches.pop(index, None)
            self._limited.discard(index)
            if watch is None:
                return
            self._stale.append(watch.observed)
        self.sink.lost(index, "the root is gone or was replaced")

    def _look_at_roots(self) -> None:
        for index, watch in list(self._watches.items()):
            try:
                same = _identity(watch.place) == watch.identity
            except OSError:
                same = False
            if not same:
                self.root_gone(index)

    def _thread_died(self, args: threading.ExceptHookArgs) -> None:
        if isinstance(args.thread, BaseThread):
            self._dead = f"a thread of the watcher died: {args.exc_type.__name__}: {args.exc_value}"
        elif self._previous_hook is not None:
            self._previous_hook(args)


@dataclass(frozen=True, slots=True)
class _Watch:
    observed: ObservedWatch
    place: str
    identity: tuple[int, int]


class _RootHandler(FileSystemEventHandler):
    """Turns the events of one root into hints."""

    def __init__(self, watcher: Watcher, index: int, place: str) -> None:
        self._watcher = watcher
        self._index = index
        self._place = place
        self._prefix = place if place.endswith("/") else place + "/"

    def dispatch(self, event: FileSystemEvent) -> None:
        """Any event means: look. Those that watchdog makes up for the content of a moved folder are covered by the folder."""
        self._watcher.note_progress()
        if event.is_synthetic:
            return
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path == self._place:
                self._watcher.root_gone(self._index)
            elif path.startswith(self._prefix):
                tell = self._watcher.sink.hint_folder if event.is_directory else self._watcher.sink.hint
                tell(self._index, path[len(self._prefix) :])


class _CookieHandler(FileSystemEventHandler):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def dispatch(self, event: FileSystemEvent) -> None:
        self._watcher.cookie_heard(Path(os.fsdecode(event.src_path)))


class _OverflowListener(logging.Handler):
    """watchdog tells an overflow to nobody but its log: `inotify_c` once for the queue, then `inotify` once for each root."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(logging.WARNING)
        self._watcher = watcher

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.endswith("inotify_c") and "overflow" in str(record.msg):
            self._watcher.overflowed()
        elif "Unable to rebuild" in str(record.msg):
            self._watcher.broken(record.getMessage())


def _stop(observer: InotifyObserver) -> None:
    with contextlib.suppress(RuntimeError, OSError):  # a thread that never started, a descriptor that is closed already
        observer.stop()
        observer.join(RETRY_SECONDS)


def _identity(place: str) -> tuple[int, int]:
    status = Path(place).stat()
    return status.st_dev, status.st_ino


def _sentence(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EMFILE}:
        return WATCH_LIMIT
    return f"Events cannot be heard ({error.strerror or error}); the folders are scanned."
