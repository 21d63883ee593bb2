"""Does any program have this file open for writing? On a local file system the kernel knows exactly.

`fcntl(F_SETLEASE, F_RDLCK)` fails with EAGAIN while anyone has the file open for writing or mapped for writing
(fcntl(2), "Leases"). A lease that is granted is given back at once. A program that opens the file for writing in those few
microseconds waits until then; the kernel tells us so with a signal whose default action would end the process. Two measures make that
harmless: the descriptor asks for SIGURG (ignored by default) instead of SIGIO, and `prepare` ignores SIGIO, which the kernel uses when
its queue of signals is full.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from daemon.watch.filesystems import is_shared

if TYPE_CHECKING:
    from pathlib import Path

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_REASONS: Final = {
    errno.EACCES: "leases need the file's owner or CAP_LEASE",
    errno.EPERM: "leases need the file's owner or CAP_LEASE",
    errno.EINVAL: "this file system has no leases",
    errno.EOPNOTSUPP: "this file system has no leases",
    errno.ENOLCK: "the kernel has no more leases",
    errno.ENOSYS: "this kernel has no leases",
}


class Writers(Enum):
    """Whether a program has the file open for writing."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """The kernel's answer; `reason` says why it is not known."""

    writers: Writers
    reason: str = ""


def prepare() -> None:
    """Ignore SIGIO in this process. Call once, from the main thread, before the first probe."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def open_for_reading(path: Path) -> int:
    """Open a file without following a link, waiting, or touching its access time where that is allowed. Raises OSError."""
    try:
        return os.open(path, _READ | os.O_NOATIME)
    except PermissionError:
        return os.open(path, _READ)


def writers(target: Path | int) -> Writers:
    """Ask for a path, or for a descriptor that is open for reading only. Raises OSError if the path cannot be opened."""
    return probe(target).writers


def probe(target: Path | int) -> Probe:
    """The same with the reason. Raises OSError if the path cannot be opened."""
    if isinstance(target, int):
        return _probe(target)
    try:
        descriptor = open_for_reading(target)
    except BlockingIOError:
        return Probe(Writers.SOME)  # a file server holds a write lease on it
    try:
        return _probe(descriptor)
    finally:
        os.close(descriptor)


def leases_work(path: Path) -> str | None:
    """None if leases answer for this file, else the reason why they do not. Raises OSError if it cannot be opened."""
    answer = probe(path)
    return answer.reason if answer.writers is Writers.UNKNOWN else None


def _probe(descriptor: int) -> Probe:
    if is_shared(descriptor):
        return Probe(Writers.UNKNOWN, "other machines may write here, and leases do not know of them")
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # every time: the kernel forgets it with the lease
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return Probe(Writers.SOME)
        return Probe(Writers.UNKNOWN, _REASONS.get(error.errno or 0, error.strerror or str(error)))
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Probe(Writers.NONE)
