"""The truth about a root: what is there now, folder by folder.

Symbolic links are never followed: neither out of the root nor to a second path of a file that is inside. They are reported
as skipped. Folders are opened name by name from the root, so a folder that is replaced by a link meanwhile is not followed either.
"""

from __future__ import annotations

import errno
import heapq
import os
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from daemon.model import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from daemon.patterns import PathFilter

_READ_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PASS_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_KINDS: Final = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder as it is now; `folder` is root-relative, the root itself is an empty text. Names are `os.fsdecode` text.

    `gone`: there is no such folder any more. `error`: a sentence; what is listed may then be a part only, so nothing may be
    concluded from what is missing. `mounts`: those of `folders` where another file system begins.
    """

    folder: str
    files: dict[str, Fingerprint] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    error: str | None = None
    gone: bool = False


def fingerprint_of(status: os.stat_result) -> Fingerprint:
    """The fingerprint in what `stat` returned."""
    return Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def join(folder: str, name: str) -> str:
    """The root-relative path of a name in a root-relative folder."""
    return f"{folder}/{name}" if folder else name


def list_folder(root: Path, folder: str, wanted: PathFilter | None = None) -> Listing:
    """List one folder; with `wanted`, only its wanted files and the folders where wanted files may be. Raises nothing.

    A root that cannot be opened is an error, never a folder that is gone.
    """
    return _list(root, folder, wanted)[0]


def walk(root: Path, wanted: PathFilter, first: Iterable[str] = ()) -> Iterator[Listing]:
    """List the folders of `first`, then the root and all below, the most recently changed folder next.

    Memory: one name for each folder that waits for its turn, no listing. A folder of `first` is listed a second time in its turn.
    """
    for folder in dict.fromkeys(first):
        if wanted.enters(folder):
            yield list_folder(root, folder, wanted)
    queue: list[tuple[int, str]] = [(0, "")]
    while queue:
        _, folder = heapq.heappop(queue)
        listing, times = _list(root, folder, wanted)
        for name, changed in times.items():
            heapq.heappush(queue, (-changed, join(folder, name)))
        yield listing


def _list(root: Path, folder: str, wanted: PathFilter | None) -> tuple[Listing, dict[str, int]]:
    """The listing, and the mtime_ns of each of its folders."""
    try:
        base = os.open(root, _READ_FOLDER)
    except OSError as error:
        return Listing(folder, error=f"the root cannot be read: {error.strerror}"), {}
    listing, times = Listing(folder), dict[str, int]()
    try:
        descriptor = _descend(base, folder)
        try:
            _read(descriptor, listing, times, wanted)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _GONE:
            return Listing(folder, gone=True), {}
        return replace(listing, error=f"the folder cannot be read: {error.strerror}"), times
    finally:
        os.close(base)
    return listing, times


def _descend(base: int, folder: str) -> int:
    """Open a folder below the descriptor `base`, name by name, through no link. Raises OSError."""
    here = os.dup(base)
    names = folder.split("/") if folder else []
    for index, name in enumerate(names):
        flags = _READ_FOLDER | os.O_NOFOLLOW if index == len(names) - 1 else _PASS_FOLDER
        try:
            below = os.open(name, flags, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def _read(descriptor: int, listing: Listing, times: dict[str, int], wanted: PathFilter | None) -> None:
    """Fill the listing. A name that vanishes meanwhile is left out; one that cannot be looked at is skipped with the reason."""
    device = os.fstat(descriptor).st_dev
    prefix = f"{listing.folder}/" if listing.folder else ""
    with os.scandir(descriptor) as entries:
        for entry in entries:
            name = entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if wanted is None or wanted.enters(prefix + name):
                        status = entry.stat(follow_symlinks=False)
                        listing.folders.append(name)
                        times[name] = status.st_mtime_ns
                        if status.st_dev != device:
                            listing.mounts.append(name)
                elif wanted is None or wanted.wants(prefix + name):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        listing.files[name] = fingerprint_of(status)
                    else:
                        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
                        listing.skipped.append((name, kind))
            except OSError as error:
                if error.errno not in _GONE:
                    listing.skipped.append((name, f"cannot be looked at: {error.strerror}"))
