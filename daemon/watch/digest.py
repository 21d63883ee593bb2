"""Read a file once for all the checksums that anybody will ask for, and notice if it changed meanwhile."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

import google_crc32c

from daemon.errors import LabferryError
from daemon.model import Digests
from daemon.watch.lease import open_for_reading
from daemon.watch.scan import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.model import Fingerprint

PART_SIZE: Final = 64 * 2**20
CHUNK: Final = 2**20
HUGE: Final = 4 * 2**30
"""Bytes from which on a file is not left in the page cache: it would push the acquisition's own data out."""


class Changed(LabferryError):  # noqa: N818 reads as the event it reports
    """The file is not the one that was looked at; it has to settle again."""


def _nothing() -> None:
    return None


def digest(
    path: Path, fingerprint: Fingerprint, part_size: int = PART_SIZE, alive: Callable[[], None] = _nothing
) -> Digests:
    """Read the whole file; `alive` is called about every MiB and may raise to stop. sha256 takes nearly all of the time.

    Raises Changed if the file is another one than `fingerprint` says, before or after; OSError if it cannot be read.
    """
    descriptor = open_for_reading(path)
    try:
        _demand(descriptor, fingerprint)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        sha256, whole, parts = hashlib.sha256(), 0, list[int]()
        done = 0
        while done < fingerprint.size:
            alive()
            chunk = os.read(descriptor, min(CHUNK, part_size - done % part_size, fingerprint.size - done))
            if not chunk:
                raise Changed(f"The file became shorter while it was read: {done} of {fingerprint.size} bytes.")
            sha256.update(chunk)
            whole = google_crc32c.extend(whole, chunk)
            if done % part_size == 0:
                parts.append(0)
            parts[-1] = google_crc32c.extend(parts[-1], chunk)
            done += len(chunk)
            if fingerprint.size >= HUGE and done % part_size == 0:
                os.posix_fadvise(descriptor, done - part_size, part_size, os.POSIX_FADV_DONTNEED)
        _demand(descriptor, fingerprint)
    finally:
        os.close(descriptor)
    if fingerprint_of(path.lstat()) != fingerprint:
        raise Changed("Another file took its name while it was read.")
    return Digests(sha256.hexdigest(), whole, part_size, tuple(parts))


def prefix_sha256(path: Path, size: int, alive: Callable[[], None] = _nothing) -> str:
    """The sha256 of the first `size` bytes (of all, if there are fewer): did a file only grow? Raises OSError."""
    descriptor = open_for_reading(path)
    try:
        sha256, left = hashlib.sha256(), size
        while left > 0 and (chunk := os.read(descriptor, min(CHUNK, left))):
            alive()
            sha256.update(chunk)
            left -= len(chunk)
    finally:
        os.close(descriptor)
    return sha256.hexdigest()


def _demand(descriptor: int, fingerprint: Fingerprint) -> None:
    if fingerprint_of(os.fstat(descriptor)) != fingerprint:
        raise Changed("The file changed.")
