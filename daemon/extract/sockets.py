"""No sockets for the worker: a filter of six lines that the kernel asks at each system call.

Landlock closes TCP only. With this no process of the worker can open a socket of any kind (UDP, raw, Unix, netlink), nor
get one through io_uring. A network namespace would do the same, but the hardened service may not make one, and neither
may an ordinary user on many distributions; every kernel since 3.17 has this. Source: Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
# linux/bpf_common.h and linux/seccomp.h
_LOAD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_JUMP_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EACCES
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_X32: Final = 0x40000000  # a second set of numbers for the same calls
_IO_URING_SETUP: Final = 425
_SOCKET: Final = {
    "x86_64": (0xC000003E, 41),
    "aarch64": (0xC00000B7, 198),
    "riscv64": (0xC00000F3, 198),
}
"""linux/audit.h's name of the architecture, and its number of socket(2)."""


def forbid(libc: ctypes.CDLL) -> bool:
    """Let no socket be opened by this process and its children from now on; False where that cannot be done.

    The process needs `no_new_privs`. What is open stays open.
    """
    known = _SOCKET.get(platform.machine())
    if known is None:
        return False
    architecture, socket_call = known
    lines = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 0, 5, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_AT_LEAST, 3, 0, _X32),
        (_JUMP_IF_EQUAL, 2, 0, socket_call),
        (_JUMP_IF_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    # struct sock_fprog: a count, padding, a pointer
    header = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(program)))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0) == 0)
