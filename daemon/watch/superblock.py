"""Would the HDF5 library open this file? Answered from the superblock alone: no library, no lock, a few bytes read.

Source: HDF5 File Format Specification version 3.0, section II.A "Format Signature and Superblock"; the end-of-file and
consistency-flag rules as `H5F__super_read` and `H5F_open` of HDF5 1.10 to 2.0 apply them to a file that is opened for reading.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from daemon.watch.lease import open_for_reading

if TYPE_CHECKING:
    from pathlib import Path

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
FIRST_USERBLOCK: Final = 512
_HEAD_BYTES: Final = 256  # version 1 with 32-byte addresses is the longest
_WRITE: Final = 1
_SWMR: Final = 4
_ALL_FLAGS: Final = 7
_ADDRESS_SIZES: Final = (2, 4, 8, 16, 32)
FIRST_NEW: Final = 2
FIRST_WITH_FLAGS: Final = 3
LAST_VERSION: Final = 3
LAST_CACHE_KIND: Final = 2
DAMAGED: Final = "its superblock is damaged"
_MASK: Final = 0xFFFFFFFF


class State(Enum):
    """What the superblock says."""

    OK = "ok"
    NOT_HDF5 = "not hdf5"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether the format agrees that the file is complete; `reason` is a sentence part for people."""

    state: State
    reason: str = ""

    OK: ClassVar[Agreement]
    NOT_HDF5: ClassVar[Agreement]


Agreement.OK = Agreement(State.OK)
Agreement.NOT_HDF5 = Agreement(State.NOT_HDF5)


def hdf5_state(target: Path | int, size: int) -> Agreement:
    """Look at a path or an open descriptor of `size` bytes. Raises OSError if it cannot be read."""
    if not isinstance(target, int):
        descriptor = open_for_reading(target)
        try:
            return hdf5_state(descriptor, size)
        finally:
            os.close(descriptor)
    offset = 0
    while offset + len(SIGNATURE) <= size:
        head = os.pread(target, _HEAD_BYTES, offset)
        if head.startswith(SIGNATURE):
            reason = _problem(target, head, offset, size)
            return Agreement.OK if reason is None else Agreement(State.INCOMPLETE, reason)
        offset = offset * 2 or FIRST_USERBLOCK
    return Agreement.NOT_HDF5


@dataclass(frozen=True, slots=True)
class _Superblock:
    """What matters here. `root` is the address of the root group's header where the library reads it to open the file."""

    base: int
    end: int
    root: int | None
    flags: int = 0


def _problem(descriptor: int, head: bytes, offset: int, size: int) -> str | None:
    """What is wrong with the superblock `head` that was found at `offset` of a file of `size` bytes."""
    try:
        version = head[8]
        if version > LAST_VERSION:
            return f"superblock version {version} is not known"
        block = _old(head) if version < FIRST_NEW else _new(head)
    except (IndexError, ValueError, struct.error):
        return "its first bytes are not all there"
    if block is None:
        return DAMAGED
    return _against(descriptor, block, offset, size)


def _against(descriptor: int, block: _Superblock, offset: int, size: int) -> str | None:
    """Compare what the superblock says with the file."""
    stored = (
        block.end + offset - block.base
    ) % 2**64  # if a user block was put in front, the library counts from there
    if size < stored:
        return f"end of file missing, {size} of {stored} bytes"
    if block.root is not None and not _is_header(descriptor, offset + block.root, stored):
        return DAMAGED
    if block.flags & (_WRITE | _SWMR):
        how = "SWMR writing" if block.flags & _SWMR else "writing"
        return f"it is flagged open for {how} (`h5clear -s` clears the flag if no program has it open)"
    return None


def _is_header(descriptor: int, position: int, end: int) -> bool:
    """True if an object header of version 1 or 2 begins there (section IV.A)."""
    start = os.pread(descriptor, 4, position) if position + 4 <= end else b""
    return start == b"OHDR" or start[:1] == b"\x01"


def _old(head: bytes) -> _Superblock | None:
    """Versions 0 and 1: no checksum, consistency flags that nobody uses. None if a field has an impossible value."""
    width, length = head[13], head[14]
    leaf, internal, flags = struct.unpack_from("<HHI", head, 16)
    start, chunk = 24, 1
    if head[8] == 1:
        (chunk,) = struct.unpack_from("<H", head, 24)
        start = 28
    if width not in _ADDRESS_SIZES or length not in _ADDRESS_SIZES or head[9] or head[10] or head[12]:
        return None
    if not (leaf and internal and chunk) or flags & ~_ALL_FLAGS:
        return None
    base, freespace, end, driver, _, root = (_address(head, start + width * index, width) for index in range(6))
    cache, _ = struct.unpack_from("<II16x", head, start + 6 * width)
    undefined = 2 ** (8 * width) - 1
    if cache > LAST_CACHE_KIND or freespace != undefined or driver != undefined:
        return None
    return _Superblock(base, end, root)


def _new(head: bytes) -> _Superblock | None:
    """Versions 2 and 3, with a checksum; version 3 uses the consistency flags. None if a field has an impossible value."""
    version, width, length, flags = head[8:12]
    if width not in _ADDRESS_SIZES or length not in _ADDRESS_SIZES or flags & ~_ALL_FLAGS:
        return None
    base, _, end = (_address(head, 12 + width * index, width) for index in range(3))
    checked = 12 + 4 * width
    if lookup3(head[:checked]) != _address(head, checked, 4):
        return None
    return _Superblock(base, end, None, flags if version >= FIRST_WITH_FLAGS else 0)


def _address(head: bytes, start: int, count: int) -> int:
    if len(head) < start + count:
        raise IndexError(start)
    return int.from_bytes(head[start : start + count], "little")


def _rotate(value: int, count: int) -> int:
    return ((value << count) | (value >> (32 - count))) & _MASK


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash `hashlittle` with start value 0 (lookup3.c, 2006, public domain): HDF5's metadata checksum."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    if not data:
        return c
    blocks = -(-len(data) // 12)
    words = struct.unpack(f"<{blocks * 3}I", data.ljust(blocks * 12, b"\0"))
    for index in range(0, len(words), 3):
        a, b, c = (a + words[index]) & _MASK, (b + words[index + 1]) & _MASK, (c + words[index + 2]) & _MASK
        if index < len(words) - 3:
            a, b, c = _mix(a, b, c)
    for first, second, third in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _rotate(b, first)) & _MASK
        a = ((a ^ c) - _rotate(c, second)) & _MASK
        b = ((b ^ a) - _rotate(a, third)) & _MASK
    return ((c ^ b) - _rotate(b, 24)) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for one, two, three in ((4, 6, 8), (16, 19, 4)):
        a, c = ((a - c) & _MASK) ^ _rotate(c, one), (c + b) & _MASK
        b, a = ((b - a) & _MASK) ^ _rotate(a, two), (a + c) & _MASK
        c, b = ((c - b) & _MASK) ^ _rotate(b, three), (b + a) & _MASK
    return a, b, c
