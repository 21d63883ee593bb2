"""A hashed file on its way to a catalog: read in slices, never as another file than the one that was hashed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import google_crc32c

from daemon.errors import NotYet, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.model import RecordFile

CHUNK: Final = 2**20
"""Bytes read and sent at once; what a transfer keeps in memory for each connection."""

_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR})


class Source:
    """The file, open for reading. Raises SourceChanged if it is not the hashed one, NotYet if it cannot be read now."""

    def __init__(self, file: RecordFile) -> None:
        self.file = file
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO in its place must not block us
        try:
            self._fd = os.open(file.path, flags)
        except OSError as error:
            raise self._failed(error) from None
        except ValueError:
            raise SourceChanged(f"{file.name} has a path that no file can have.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def verify(self) -> None:
        """Compare what is at the path now, and what is open, with the fingerprint: size, mtime_ns, inode."""
        expected = self.file.fingerprint
        for target in (self.file.path, self._fd):
            try:
                now = Path(target).lstat() if isinstance(target, str) else os.fstat(target)
            except OSError as error:
                raise self._failed(error) from None
            same = (now.st_size, now.st_mtime_ns, now.st_ino) == (expected.size, expected.mtime_ns, expected.inode)
            if not same or not stat.S_ISREG(now.st_mode):
                raise self._changed()

    def chunks(self, offset: int, size: int, alive: Callable[[], None], crc32c: int | None = None) -> Iterator[bytes]:
        """The bytes from `offset` on, in chunks. With `crc32c` the last chunk is given out only if the sum agrees."""
        position, end, checksum = offset, offset + size, 0
        while position < end:
            alive()
            chunk = self._read(position, min(CHUNK, end - position))
            position += len(chunk)
            if crc32c is not None:
                checksum = google_crc32c.extend(checksum, chunk)
                if position == end and checksum != crc32c:
                    raise self._changed()
            yield chunk

    def crc32c(self, offset: int, size: int, alive: Callable[[], None]) -> int:
        """The checksum of a slice, read anew."""
        checksum = 0
        for chunk in self.chunks(offset, size, alive):
            checksum = google_crc32c.extend(checksum, chunk)
        return int(checksum)

    def sha256(self, size: int, alive: Callable[[], None]) -> str:
        """The hex digest of the first `size` bytes, read anew."""
        digest = hashlib.sha256()
        for chunk in self.chunks(0, size, alive):
            digest.update(chunk)
        return digest.hexdigest()

    def _read(self, position: int, size: int) -> bytes:
        try:
            chunk = os.pread(self._fd, size, position)
        except OSError as error:
            raise self._failed(error) from None
        if not chunk:
            raise self._changed()
        return chunk

    def _changed(self) -> SourceChanged:
        return SourceChanged(f"{self.file.name} is no longer the file that was hashed.")

    def _failed(self, error: OSError) -> SourceChanged | NotYet:
        if error.errno in _GONE:
            return SourceChanged(f"{self.file.name} is no longer at its path.")
        return NotYet(
            f"{self.file.name} cannot be read now: {error.strerror}.", "Look at the folder's rights and disk."
        )


def crc32c_text(checksum: int) -> str:
    """A CRC32C as storage services write it: base64 of the four bytes, most significant first."""
    return b64encode(checksum.to_bytes(4, "big")).decode()
