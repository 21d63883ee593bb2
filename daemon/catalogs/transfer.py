"""The bytes on their way to a facility's storage, for catalogs that only list files: left in place, copied, or sent.

Whatever the way: a file appears under its name only when all of it is there, other bytes are never overwritten, and what
arrived is compared with what was hashed. Trying again after any crash goes on or finds it done.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from daemon.catalogs.catalog import Finding, Health
from daemon.catalogs.source import CHUNK, Source
from daemon.errors import CatalogRefused, CatalogUnavailable, NotYet, SourceChanged
from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.pace import Pace
    from daemon.model import RecordFile

PART: Final = ".labferry-part"
OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})
"""fsspec's storages whose objects appear whole or not at all, and that know no folders."""

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES})
_NEVER: Final = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})
_NO_FSYNC: Final = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP})


class Mover(Protocol):
    """Brings files to a storage. Used by several threads at once; raises only a `daemon.errors.CatalogError`."""

    def check(self) -> Sequence[Finding]:
        """Whether the storage can be reached. Never raises."""

    def deliver(self, folder: str, name: str, file: RecordFile, attempt: Attempt) -> dict[str, Any]:
        """Make the file be at `name` below `folder`; `{"path", "size", "sha256", "how"}`."""

    def there(self, folder: str, name: str, file: RecordFile, alive: Callable[[], None]) -> bool:
        """Whether exactly these bytes are there."""

    def read(self, location: str, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes at a location (folder/name). Raises CatalogRefused if there are none."""

    def close(self) -> None:
        """Give back connections."""


def outcome(name: str, file: RecordFile, how: str) -> dict[str, Any]:
    """What is kept of a file that was brought."""
    return {"path": name, "size": file.size, "sha256": file.sha256, "how": how}


def others(location: str) -> CatalogRefused:
    """The error for a name under which other bytes are."""
    return CatalogRefused(
        f"There are other bytes at {location} already, and labferry never overwrites what is not its own.",
        "Look at both; move or rename one of them, or choose another `transfer.layout`, then retry.",
    )


def same_or_earlier(there: Callable[[int], str], size: int, source: Source, attempt: Attempt) -> bool | None:
    """Of a file of `size` bytes that is there: True if it is this one, None if it may be replaced, else False.

    Replaced is the beginning of this one, and what we brought ourselves last time. `there` gives the sha256 of its first
    n bytes.
    """
    file = source.file
    last = attempt.outcomes.get((StepKind.FILE, file.name), {})
    if size > file.size and size != last.get("size"):
        return False
    digest = there(size)
    if (size, digest) == (file.size, file.sha256):
        return True
    if (size, digest) == (last.get("size"), last.get("sha256")):
        return None
    return None if size < file.size and digest == source.sha256(size, attempt.alive) else False


def paced(pace: Pace | None, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, as fast as all uploads of the catalog together may be."""
    return chunks if pace is None else pace.slices(chunks)


class Copier:
    """Copies into a mounted folder. `root` must be there: a share that is not mounted is not made as a folder."""

    def __init__(self, root: str, *, read_back: bool, pace: Pace | None = None) -> None:
        self._root = Path(root)
        self._read_back = read_back
        self._pace = pace

    def check(self) -> Sequence[Finding]:
        """Whether the folder is there, can be written, and is not the system's own disk."""
        shown = f"The storage {self._root}"
        try:
            device = self._root.stat().st_dev
            same = device == Path("/").stat().st_dev
        except OSError as error:
            return [Finding(Health.FAILED, f"{shown} is not there ({error.strerror}); is it mounted?")]
        if not os.access(self._root, os.W_OK | os.X_OK, effective_ids=True):
            return [Finding(Health.FAILED, f"{shown} cannot be written by this user; give it the right to.")]
        if same:
            return [Finding(Health.WARNING, f"{shown} is on this computer's system disk; is the share mounted?")]
        return [Finding(Health.OK, f"{shown} can be written.")]

    def deliver(self, folder: str, name: str, file: RecordFile, attempt: Attempt) -> dict[str, Any]:
        """Copy under a temporary name, compare, then give it its name."""
        target = Path(folder, name)
        part = target.with_name(f".{file.sha256[:24]}{PART}")
        with Source(file) as source:
            source.verify()
            try:
                if not self._root.is_dir():
                    raise CatalogUnavailable(f"The storage {self._root} is not there.", "Is it mounted?")
                grown = self._look(target, source, attempt)
                if grown is True:
                    part.unlink(missing_ok=True)  # of a try that was killed between its last two steps
                    return outcome(name, file, "already there")
                target.parent.mkdir(parents=True, exist_ok=True)
                with _Part(part) as stream:
                    self._fill(stream, source, attempt.alive)
                    source.verify()
                    _dress(stream, file)
                    how = self._publish(part, target, source, attempt, replace=grown is None)
            except OSError as error:
                raise _failed(error, target) from None
        return outcome(name, file, how)

    def there(self, folder: str, name: str, file: RecordFile, alive: Callable[[], None]) -> bool:
        """Size first, then every byte."""
        target = Path(folder, name)
        try:
            if target.lstat().st_size != file.size:
                return False
            return _sha256(target, file.size, alive) == file.sha256
        except OSError:
            return False

    def read(self, location: str, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes from the disk, not from memory."""
        try:
            yield from _bytes(Path(location), None, alive)
        except OSError as error:
            raise CatalogRefused(f"{location} cannot be read: {error.strerror}.") from None

    def close(self) -> None:
        """Nothing is held."""

    def _look(self, target: Path, source: Source, attempt: Attempt) -> bool | None:
        """False if nothing is there, True if all of it is, None if what is there may be replaced. Raises CatalogRefused."""
        try:
            status = target.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(status.st_mode):
            raise others(str(target))
        found = same_or_earlier(lambda size: _sha256(target, size, attempt.alive), status.st_size, source, attempt)
        if found is False:
            raise others(str(target))
        return found

    def _fill(self, stream: int, source: Source, alive: Callable[[], None]) -> None:
        """Bring all bytes into the temporary file, going on where an earlier try stopped if that was right."""
        for begin in (min(os.fstat(stream).st_size, source.file.size), 0):
            if self._written(stream, begin, source, alive) == source.file.sha256:
                break
            if begin == 0:
                raise SourceChanged(f"{source.file.name} is no longer the file that was hashed.")
        os.fsync(stream)
        if self._read_back:
            os.posix_fadvise(stream, 0, 0, os.POSIX_FADV_DONTNEED)
            if _digest(stream, source.file.size, alive) != source.file.sha256:
                os.ftruncate(stream, 0)
                raise CatalogUnavailable(f"The storage {self._root} gave back other bytes than it was given.")

    def _written(self, stream: int, begin: int, source: Source, alive: Callable[[], None]) -> str:
        digest = hashlib.sha256()
        for chunk in _chunks(stream, begin, alive):
            digest.update(chunk)
        os.ftruncate(stream, begin)
        os.lseek(stream, begin, os.SEEK_SET)
        for chunk in paced(self._pace, source.chunks(begin, source.file.size - begin, alive)):
            digest.update(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(stream, rest) :]
        return digest.hexdigest()

    def _publish(self, part: Path, target: Path, source: Source, attempt: Attempt, *, replace: bool) -> str:
        """Give the temporary file its name, if nobody else has taken that meanwhile."""
        if replace:
            part.replace(target)
            _sync_folder(target.parent)
            return "replaced"
        try:
            os.link(part, target)
        except FileExistsError:
            self._look(target, source, attempt)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if self._look(target, source, attempt) is False:
                part.rename(target)
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        _sync_folder(target.parent)
        return "copied"


class _Part:
    """A temporary file, open and locked: two deliveries of the same bytes to the same place do not mix."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._stream = os.open(self._path, flags, 0o666)
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._stream)
            raise NotYet(f"{self._path} is written by another delivery.") from None
        except OSError:  # a file system without locks; one process writes there anyway
            pass
        return self._stream

    def __exit__(self, *_: object) -> None:
        os.close(self._stream)


def _dress(stream: int, file: RecordFile) -> None:
    with contextlib.suppress(OSError):  # some shares keep their own times
        os.utime(stream, ns=(file.fingerprint.mtime_ns, file.fingerprint.mtime_ns))


def _chunks(stream: int, size: int, alive: Callable[[], None]) -> Iterator[bytes]:
    position = 0
    while position < size:
        alive()
        chunk = os.pread(stream, min(CHUNK, size - position), position)
        if not chunk:
            return
        position += len(chunk)
        yield chunk


def _digest(stream: int, size: int, alive: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(stream, size, alive):
        digest.update(chunk)
    return digest.hexdigest()


def _bytes(path: Path, size: int | None, alive: Callable[[], None]) -> Iterator[bytes]:
    stream = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.posix_fadvise(stream, 0, 0, os.POSIX_FADV_DONTNEED)
        yield from _chunks(stream, os.fstat(stream).st_size if size is None else size, alive)
    finally:
        os.close(stream)


def _sha256(path: Path, size: int, alive: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    for chunk in _bytes(path, size, alive):
        digest.update(chunk)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    stream = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(stream)
    except OSError as error:
        if error.errno not in _NO_FSYNC:  # shares that cannot
            raise
    finally:
        os.close(stream)


def _failed(error: OSError, target: Path) -> CatalogRefused | CatalogUnavailable:
    sentence = f"{target} cannot be written: {error.strerror or error}."
    if error.errno in _NEVER:
        return CatalogRefused(sentence, "Choose another `transfer.layout`, or rename the file, then retry.")
    return CatalogUnavailable(sentence, "Look at the storage's mount, its free space and this user's rights there.")
