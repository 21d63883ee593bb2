"""What the worker may do: read. Applied by the worker to itself, before it meets the first file.

Limits that every kernel has; no sockets at all (`sockets`); and Landlock where the kernel has it: then the worker cannot
create, write or remove a file anywhere but in its scratch folder, signal the daemon or read its environment. What a
kernel lacks is left out: the rest still holds.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import struct
from pathlib import Path
from typing import Final

from daemon.extract import sockets

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_NICENESS: Final = 10
_SPARE_TASKS: Final = 64

# include/uapi/linux/landlock.h; the system call numbers are the same on every architecture that has them.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1
_WRITE_RIGHTS: Final = 0b1_1111_1111_0010  # every file system right of version 1 but execute, read file and read folder
_WRITE_FILE: Final = 1 << 1
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_TCP_RIGHTS: Final = 0b11  # bind, connect
_SCOPES: Final = 0b11  # abstract sockets and signals: of its own children only
_KNOWS_REFER: Final = 2  # the version of Landlock that brought each of these
_KNOWS_TRUNCATE: Final = 3
_KNOWS_TCP: Final = 4
KNOWS_SCOPES: Final = 6
"""From this version of Landlock on everything above holds."""


def confine(*, memory: int, parent: int, scratch: str) -> None:
    """Bind this process for the rest of its life. `memory` in bytes, on top of what it has mapped already.

    `parent` is the process to die with; `scratch` the folder in which writing is allowed (files stay empty: the size
    limit is zero). Raises SystemExit when the parent is gone already.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.nice(_NICENESS)
    gc.freeze()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, _tasks_of_user() + _SPARE_TASKS)
    _limit(resource.RLIMIT_AS, mapped_bytes() + memory)
    _landlock(libc, scratch)
    sockets.forbid(libc)


def landlock_version() -> int:
    """The version of Landlock that the kernel has; below 1: none, or somebody forbids it."""
    return int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def mapped_bytes() -> int:
    """The size of this process's address space in bytes."""
    return _statm(0)


def resident_bytes() -> int:
    """The memory that this process really uses, in bytes."""
    return _statm(1)


def _statm(column: int) -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[column]) * resource.getpagesize()


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))


def _tasks_of_user() -> int:
    """How many processes and threads this user has now: RLIMIT_NPROC counts them all."""
    count = 0
    user = os.getuid()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if process.stat().st_uid == user:
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # it ended meanwhile
    return count


def _landlock(libc: ctypes.CDLL, scratch: str) -> None:
    """Forbid writing outside the scratch folder, TCP, and signals to others. Source: Documentation/userspace-api/landlock.rst."""
    version = landlock_version()
    if version < 1:
        return
    rights = _WRITE_RIGHTS | (_REFER if version >= _KNOWS_REFER else 0)
    rights |= _TRUNCATE if version >= _KNOWS_TRUNCATE else 0
    network = _TCP_RIGHTS if version >= _KNOWS_TCP else 0
    scopes = _SCOPES if version >= KNOWS_SCOPES else 0
    attributes = struct.pack("=QQQ", rights, network, scopes)
    size = len(attributes) if scopes else 16 if network else 8
    ruleset = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return
    for allowed in (scratch, os.devnull):
        descriptor = os.open(allowed, os.O_PATH | os.O_CLOEXEC)
        # A right that only folders have makes the kernel refuse the rule for a file.
        granted = rights if allowed == scratch else rights & (_WRITE_FILE | _TRUNCATE)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", granted, descriptor), 0)
        os.close(descriptor)
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
