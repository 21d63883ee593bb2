"""The watching loop: a scan is the truth, hints are reasons to look early.

One thread; it never hashes a file and never waits for a catalog.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import structlog

from daemon.errors import RootError, StateError
from daemon.loops.recognising import recognise
from daemon.watch.roots import events_work
from daemon.watch.scan import list_folder, walk
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.loops.arrivals import Arrivals
    from daemon.loops.context import Bell, Context, WatchedFolder
    from daemon.loops.hints import Hint, Hints
    from daemon.patterns import PathFilter
    from daemon.watch.roots import RootIdentity
    from daemon.watch.scan import Listing

log = structlog.get_logger("labferry.watch")

HINTS_AT_ONCE: Final = 100
BACKFILL_SECONDS: Final = 0.25
"""Between two looks whether more old files may come."""
BACKFILL_FILES: Final = 32
FAILED_ROOT_SECONDS: Final = 5.0


@dataclasses.dataclass(slots=True)
class _Scan:
    """One root's scan: when the next is due, and the one under way."""

    due: float
    walking: Iterator[None] | None = None
    finished: int = 0
    problem: str = ""
    by_events: bool = True


class Watching:
    """Finds out what is there. `Hints` is filled by the watcher's threads."""

    def __init__(
        self,
        context: Context,
        arrivals: Arrivals,
        filters: tuple[PathFilter, ...],
        hints: Hints,
        *,
        bell: Bell,
        listening: Callable[[], frozenset[int]],
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        """`room`: whether files of a folder that is backfilled may come now."""
        self._context = context
        self._arrivals = arrivals
        self._filters = filters
        self._hints = hints
        self._bell = bell
        self._listening = listening
        self._room = room
        self._scans = {root.index: _Scan(due=0.0) for root in context.roots}
        self._done = {root.index for root in context.roots if root.done}

    def run(self, name: str) -> None:
        """Work off hints and scans until the service stops."""
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name)
            try:
                if not self._round():
                    self._bell.wait(self._pause())
            except StateError as error:
                self._context.store_failed(error)
                for scan in self._scans.values():  # what it could not write down it has to find again
                    scan.due, scan.walking = self._context.clock.monotonic(), None
                self._context.clock.wait(self._context.stopping, 2.0)
        self._context.heartbeats.forget(name)

    def rescan(self, reason: str, root_index: int | None = None) -> None:
        """Scan a root, or all of them, as soon as possible."""
        self._hints.lost(root_index, reason)

    def idle(self) -> bool:
        """Whether every root that can be read was scanned to its end and no hint waits."""
        return not self._hints and all(
            (scan.finished or scan.problem) and scan.walking is None
            for index, scan in self._scans.items()
            if index not in self._done
        )

    def problems(self) -> dict[int, str]:
        """The roots that cannot be watched, and why."""
        return {index: scan.problem for index, scan in self._scans.items() if scan.problem}

    def _round(self) -> bool:
        """One piece of work; False if there is none."""
        now = self._context.clock.monotonic()
        for root_index, reason in self._hints.take_lost().items():
            log.warning("watch.rescan", reason=reason, root=root_index)
            for index, scan in self._scans.items():
                if root_index in {None, index}:
                    scan.due, scan.walking = now, None
        worked = self._work_off_hints()
        for root in self._context.roots:
            scan = self._scans[root.index]
            if root.index in self._done or (root.backfill and not self._room()):
                continue
            if scan.walking is None and scan.due <= now:
                scan.walking = self._scan(root, scan)
            if scan.walking is not None:
                self._step(root, scan)
                worked = True
        return worked

    def _pause(self) -> float:
        now = self._context.clock.monotonic()
        dues = [scan.due - now for index, scan in self._scans.items() if index not in self._done]
        waiting = any(root.backfill and root.index not in self._done for root in self._context.roots)
        return max(BACKFILL_SECONDS if waiting else 0.0, min(BACKFILL_SECONDS if waiting else 30.0, *dues, 30.0))

    def _work_off_hints(self) -> bool:
        """Look at some hinted files in one transaction: they come in crowds, and each commit waits for the disk.

        Folders are listed afterwards, each in transactions of its own: a whole tree must not keep the others waiting.
        """
        hints = self._hints.take(HINTS_AT_ONCE)
        if not hints:
            return False
        with self._context.store.database.transaction():
            folders = [hint for hint in hints if self._hinted(hint, self._is_folder)]
        for hint in folders:
            self._hinted(hint, self._list_below)
        return True

    def _hinted(self, hint: Hint, look: Callable[[WatchedFolder, str], bool | None]) -> bool:
        """Look at a hint; True if it is a folder. What is missing below a failed root says nothing: its scan looks later."""
        root = self._context.roots[hint.root]
        scan = self._scans[root.index]
        if scan.problem:
            return False
        if hint.is_folder and look == self._is_folder:
            return True
        try:
            return bool(look(root, hint.path))
        except RootError as error:
            self._failed(root, scan, error)
            return False

    def _is_folder(self, root: WatchedFolder, path: str) -> bool:
        """Look at a hinted path; True if it has to be listed. Raises RootError."""
        try:
            return self._arrivals.look(root, path)
        except OSError as error:
            log.warning("watch.unreadable", path=display_name(path), problem=error.strerror)
            return False

    def _list_below(self, root: WatchedFolder, folder: str) -> None:
        """List a folder and everything below: what happened in it before its watch was there was heard by nobody."""
        wanted = self._filters[root.index]
        waiting = [folder]
        while waiting and not self._context.stopping.is_set():
            here = waiting.pop()
            if here and not wanted.enters(here):
                continue
            listing = list_folder(root.path, here, wanted)
            self._arrivals.compare(root, listing)
            waiting += [f"{here}/{name}" if here else name for name in listing.folders]
            self._context.heartbeats.beat("watching")

    def _step(self, root: WatchedFolder, scan: _Scan) -> None:
        """Some folders of a scan; the rest in the next rounds, so that hints are not kept waiting."""
        until = self._context.clock.monotonic() + 0.2
        try:
            while scan.walking is not None and self._context.clock.monotonic() < until:
                if root.backfill and not self._room():
                    break
                if next(scan.walking, self) is self:
                    scan.walking = None
        except RootError as error:
            self._failed(root, scan, error)

    def _scan(self, root: WatchedFolder, scan: _Scan) -> Iterator[None]:
        """Compare the whole root with the store, folder by folder."""
        began = self._context.clock.monotonic()
        identity = recognise(self._context.store, root)
        if scan.problem:
            scan.problem = ""
            self._context.store.roots.problem(root.id, "")
            log.info("root.recovered", root=str(root.path))
        self._note_mode(root, scan, identity)
        met: set[str] = set()
        changes = 0
        for listing in walk(root.path, self._filters[root.index]):
            met.add(listing.folder)
            if listing.error is not None:
                if not listing.folder:
                    raise RootError(f"The root {root.path} cannot be read: {listing.error}.")
                log.warning("watch.unreadable", path=display_name(listing.folder), problem=listing.error)
            for part in _parts(listing) if root.backfill else (listing,):
                changes += self._arrivals.compare(root, part)
                yield
        recognise(self._context.store, root)  # a root that went away in the middle leaves nothing to conclude from
        # Folders that the walk did not meet: deleted, excluded, or made after their parent was listed. Look, do not conclude.
        for folder in sorted(self._context.store.files.folders(root.id) - met):
            changes += self._arrivals.compare(root, list_folder(root.path, folder, self._filters[root.index]))
            yield
        self._context.store.roots.scanned(root.id)
        every = self._context.instrument.scan
        now = self._context.clock.monotonic()
        # A scan that takes long is not made more often than its cost allows: at most a twentieth of the time.
        scan.due = now + max(every.every if scan.by_events else every.every_without_events, 20 * (now - began))
        scan.finished += 1
        if root.backfill:
            self._done.add(root.index)
        log.info("watch.scanned", root=str(root.path), folders=len(met), changes=changes, seconds=round(now - began, 3))

    def _note_mode(self, root: WatchedFolder, scan: _Scan, identity: RootIdentity) -> None:
        """Whether events are heard here, kept for `status`."""
        scan.by_events = False
        if root.settings.events == "never":
            mode = "scanned only, as configured"
        elif not events_work(identity):
            mode = f"scanned only: {identity.filesystem} tells no events"
        elif root.index not in self._listening():
            mode = "scanned only: no watch is there yet"
        else:
            scan.by_events, mode = True, "heard by events, and scanned"
        if self._context.store.roots.state(root.path)[1] != mode:
            self._context.store.roots.keep_mode(root.id, mode)

    def _failed(self, root: WatchedFolder, scan: _Scan, error: RootError) -> None:
        scan.walking = None
        scan.due = self._context.clock.monotonic() + FAILED_ROOT_SECONDS
        if scan.problem != error.message:
            scan.problem = error.message
            self._context.store.roots.problem(root.id, error.message)
            log.error("root.failed", root=str(root.path), problem=error.message, advice=error.advice)


def _parts(listing: Listing) -> Iterator[Listing]:
    """A folder of old data a few files at a time; nothing may be concluded from what a part does not hold."""
    names = sorted(listing.files)
    for start in range(0, len(names), BACKFILL_FILES):
        files = {name: listing.files[name] for name in names[start : start + BACKFILL_FILES]}
        yield dataclasses.replace(listing, files=files, error="a part of it")
