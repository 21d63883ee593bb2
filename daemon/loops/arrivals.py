"""What a look at the disk means for the store: new, changed, moved, returned, vanished and excluded files."""

from __future__ import annotations

import contextlib
import stat
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog

from daemon.loops.recognising import recognise, there
from daemon.model import FileId, FileState, Fingerprint
from daemon.store.datasets import VANISHED
from daemon.store.files import KnownFile
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.loops.context import Context, WatchedFolder
    from daemon.loops.grouping import Placing
    from daemon.loops.settling import Settling
    from daemon.patterns import PathFilter
    from daemon.store.files import FileRow
    from daemon.watch.scan import Listing

log = structlog.get_logger("labferry.watch")

UNSETTLED: Final = frozenset({FileState.SEEN, FileState.SETTLING})
LOOP: Final = "watching"
"""The loop that asks, as the watchdog knows it."""
BATCH: Final = 500
"""Files for each transaction: others get their turn in between."""


class Arrivals:
    """Compares folders and single paths with the store and records the difference, one transaction each."""

    def __init__(self, context: Context, placing: Placing, settling: Settling, filters: tuple[PathFilter, ...]) -> None:
        self._context = context
        self._store = context.store
        self._placing = placing
        self._settling = settling
        self._filters = filters
        self._ready = False

    def compare(self, root: WatchedFolder, listing: Listing) -> int:
        """Record what is different in one folder; the number of differences. Raises RootError."""
        known = self._store.files.in_folder(root.id, listing.folder)
        prefix = f"{listing.folder}/" if listing.folder else ""
        arrived = {
            name: fingerprint
            for name, fingerprint in listing.files.items()
            if name not in known or not known[name].present or _differs(known[name].fingerprint, fingerprint)
        }
        missing = []
        if listing.error is None:
            missing = [name for name, file in known.items() if file.present and name not in listing.files]
        for name, file in known.items():
            if file.unsettled and name in listing.files and name not in arrived and not self._settling.holds(file.id):
                self._settling.track(file.id, root.index, prefix + name, listing.files[name])
        if missing:
            recognise(self._store, root)  # a root that went away leaves nothing to conclude from
        # New names first: a file that was renamed takes its row along before another one takes its name.
        for names in batched(sorted(arrived, key=known.__contains__)):
            self._context.heartbeats.beat(LOOP)  # a folder of 100,000 files takes minutes
            with self._recording():
                for name in names:
                    self._arrived(root, prefix + name, arrived[name], known=name in known)
        for names in batched(missing):
            self._context.heartbeats.beat(LOOP)
            with self._recording():
                for name in names:
                    self._missing(root, prefix + name)
        return len(arrived) + len(missing)

    def look(self, root: WatchedFolder, path: str) -> bool:
        """Look at one path that somebody hinted at. True if it is a folder, which has to be listed.

        Raises OSError, and RootError if the file is missing because the root is.
        """
        row = self._store.files.by_path(root.id, path)
        known = None if row is None else KnownFile(row.id, row.state, row.fingerprint, row.dataset)
        try:
            status = (root.path / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            if known is not None and known.present:
                recognise(self._store, root)
                with self._recording():
                    self._missing(root, path)
            return False
        if stat.S_ISDIR(status.st_mode):
            return True
        if not stat.S_ISREG(status.st_mode) or not self._filters[root.index].wants(path):
            return False
        fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        if known is None or not known.present or _differs(known.fingerprint, fingerprint):
            with self._recording():
                self._arrived(root, path, fingerprint, known=known is not None)
        elif known.unsettled:
            self._settling.track(known.id, root.index, path, fingerprint)
        return False

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        """One transaction; whoever extracts hears of what became ready once it is over."""
        self._ready = False
        with self._store.database.transaction():
            yield
        if self._ready:
            self._context.extract_bell.ring()

    def _arrived(self, root: WatchedFolder, path: str, fingerprint: Fingerprint, *, known: bool) -> None:
        files = self._store.files
        row = files.by_path(root.id, path) if known else None
        if row is None:
            file = self._moved_here(root, path, fingerprint)
            if file is None:
                file = files.discover(root.id, path, fingerprint)
                log.debug("file.seen", path=display_name(path), size=fingerprint.size)
            self._ready |= self._placing.place(root.id, path, file)
        else:
            file = row.id
            if row.state not in UNSETTLED:
                self._changed(root, row, fingerprint)
        row = files.get(file)
        if row is not None and row.state in UNSETTLED:
            self._settling.track(file, root.index, path, fingerprint)

    def _changed(self, root: WatchedFolder, row: FileRow, fingerprint: Fingerprint) -> None:
        """A file that had settled, vanished or been excluded is there with other bytes, or again."""
        returned = row.state is not FileState.SETTLED
        self._store.files.settling(row.id, fingerprint, "it is back" if returned else "it changed")
        log.info("file.changed", path=display_name(row.path), size=fingerprint.size, returned=returned)
        place = self._placing.place if returned else self._placing.place_alone
        self._ready |= place(root.id, row.path, row.id)
        now = self._store.files.get(row.id)
        if now is not None and now.dataset is not None:
            self._placing.changed(now.dataset, row.path)

    def _moved_here(self, root: WatchedFolder, path: str, fingerprint: Fingerprint) -> FileId | None:
        """A file that the store knows under a path where it is no longer: the same inode with the same bytes."""
        for row in self._store.files.by_inode(root.id, fingerprint):
            same = (row.fingerprint.size, row.fingerprint.mtime_ns) == (fingerprint.size, fingerprint.mtime_ns)
            # Other bytes: the inode was used again. The same inode at both paths: a hard link, a second file.
            if not same or there(root, row.path, fingerprint.inode):
                continue
            self._store.files.moved(row.id, path)
            if row.state in {FileState.VANISHED, FileState.IGNORED}:
                self._store.files.settling(row.id, fingerprint, "it was moved")
            else:
                self._store.files.touched(row.id, fingerprint)
            if row.dataset is not None:
                self._ready |= self._placing.renamed(root.id, row.dataset, row.path, path)
            log.info("file.moved", path=display_name(path), old_path=display_name(row.path))
            return row.id
        return None

    def _missing(self, root: WatchedFolder, path: str) -> None:
        row = self._store.files.by_path(root.id, path)
        if row is None or row.state in {FileState.VANISHED, FileState.IGNORED}:
            return  # a rename took it along
        self._settling.forget(row.id)
        if not self._filters[root.index].wants(path) and there(root, path):
            self._store.files.ignored(row.id)
            log.info("file.ignored", path=display_name(path))
            if row.dataset is not None:
                self._ready |= self._placing.excluded(root.id, row.dataset, path)
            return
        self._store.files.vanished(row.id)
        log.info("file.vanished", path=display_name(path))
        if row.dataset is None:
            return
        settled = row.state is FileState.SETTLED
        ready, parked = self._placing.vanished(root.id, row.dataset, path, settled=settled)
        self._ready |= ready
        if parked:
            log.warning("dataset.parked", path=display_name(path), reason=VANISHED)


def batched(names: Iterable[str]) -> Iterator[list[str]]:
    """Slices of at most BATCH names."""
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _differs(known: Fingerprint, now: Fingerprint) -> bool:
    """Device numbers change with a reboot; everything else means that the bytes may be others."""
    return (known.size, known.mtime_ns, known.ctime_ns, known.inode) != (
        now.size,
        now.mtime_ns,
        now.ctime_ns,
        now.inode,
    )
