"""What a look at the disk means for the store: new, changed, moved, returned, vanished and excluded files."""

from __future__ import annotations

import stat
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog

from daemon.model import DatasetState, FileId, FileState, Fingerprint
from daemon.store.files import KnownFile
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.loops.context import Context, WatchedFolder
    from daemon.loops.grouping import Placing
    from daemon.loops.settling import Settling
    from daemon.patterns import PathFilter
    from daemon.watch.scan import Listing

log = structlog.get_logger("labferry.watch")

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

    def compare(self, root: WatchedFolder, listing: Listing) -> int:
        """Record what is different in one folder; the number of differences."""
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
        for names in batched(arrived):
            with self._store.database.transaction():
                for name in names:
                    self._arrived(root, prefix + name, arrived[name], known.get(name))
        for names in batched(missing):
            with self._store.database.transaction():
                for name in names:
                    self._missing(root, prefix + name, known[name])
        return len(arrived) + len(missing)

    def look(self, root: WatchedFolder, path: str) -> bool:
        """Look at one path that somebody hinted at. True if it is a folder, which has to be listed. Raises OSError."""
        row = self._store.files.by_path(root.id, path)
        known = None if row is None else KnownFile(row.id, row.state, row.fingerprint, row.dataset)
        try:
            status = (root.path / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            if known is not None and known.present:
                with self._store.database.transaction():
                    self._missing(root, path, known)
            return False
        if stat.S_ISDIR(status.st_mode):
            return True
        if not stat.S_ISREG(status.st_mode) or not self._filters[root.index].wants(path):
            return False
        fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        unsettled = known is not None and known.state in {FileState.SEEN, FileState.SETTLING}
        if known is None or not known.present or _differs(known.fingerprint, fingerprint):
            with self._store.database.transaction():
                self._arrived(root, path, fingerprint, known)
        elif unsettled:
            self._settling.track(known.id, root.index, path, fingerprint)
        return False

    def _arrived(self, root: WatchedFolder, path: str, fingerprint: Fingerprint, known: KnownFile | None) -> None:
        files = self._store.files
        if known is None:
            file = self._moved_here(root, path, fingerprint)
            if file is None:
                file = files.discover(root.id, path, fingerprint)
                log.debug("file.seen", path=display_name(path), size=fingerprint.size)
            self._placing.place(root.id, path, file)
        else:
            file = known.id
            if known.state not in {FileState.SEEN, FileState.SETTLING}:
                returned = not known.present
                files.settling(file, fingerprint, "it is back" if returned else "it changed")
                log.info("file.changed", path=display_name(path), size=fingerprint.size, returned=returned)
                if returned:
                    self._placing.place(root.id, path, file)
                dataset = known.dataset
                if dataset is not None:
                    self._placing.changed(dataset, path)
        row = files.get(file)
        if row is not None and row.state in {FileState.SEEN, FileState.SETTLING}:
            self._settling.track(file, root.index, path, fingerprint)

    def _moved_here(self, root: WatchedFolder, path: str, fingerprint: Fingerprint) -> FileId | None:
        """A file that the store knows under a path where it is no longer: the same inode with the same bytes."""
        for row in self._store.files.by_inode(root.id, fingerprint):
            same = (row.fingerprint.size, row.fingerprint.mtime_ns) == (fingerprint.size, fingerprint.mtime_ns)
            if not same or _there(root, row.path):  # other bytes in a used-up inode, or a hard link: a second file
                continue
            self._store.files.moved(row.id, path)
            if row.state in {FileState.VANISHED, FileState.IGNORED}:
                self._store.files.settling(row.id, fingerprint, "it was moved")
            else:
                self._store.files.touched(row.id, fingerprint)
            dataset = None if row.dataset is None else self._store.datasets.get(row.dataset)
            if dataset is not None and dataset.key == row.path and self._store.datasets.by_key(root.id, path) is None:
                self._store.datasets.rekey(dataset.id, path)
                if dataset.state is DatasetState.PARKED:
                    self._store.datasets.wait(dataset.id, "its file was found again")
            log.info("file.moved", path=display_name(path), old_path=display_name(row.path))
            return row.id
        return None

    def _missing(self, root: WatchedFolder, path: str, known: KnownFile) -> None:
        if not self._filters[root.index].wants(path) and _there(root, path):
            self._store.files.ignored(known.id)
            log.info("file.ignored", path=display_name(path))
        else:
            self._store.files.vanished(known.id)
            log.info("file.vanished", path=display_name(path))
        self._settling.forget(known.id)
        if known.dataset is None:
            return
        dataset = self._store.datasets.get(known.dataset)
        members = self._store.files.of_dataset(known.dataset)
        if dataset is not None and not members and not dataset.revision and known.state is FileState.SETTLED:
            if dataset.state in {DatasetState.WAITING, DatasetState.READY, DatasetState.EXTRACTING}:
                self._store.datasets.park(dataset.id, "its file vanished before it was delivered")
                log.warning(
                    "dataset.parked", path=display_name(path), reason="its file vanished before it was delivered"
                )
        elif self._placing.left(known.dataset):
            self._context.extract_bell.ring()


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


def _there(root: WatchedFolder, path: str) -> bool:
    try:
        (root.path / path).lstat()
    except OSError:
        return False
    return True
