"""File content on disk: where it lies, how it arrives, how it becomes durable, what a crash left behind.

While it arrives, content lies in `uploads/<upload id>`, each part at its offset; when it is complete and verified it
is renamed to `files/<first two letters>/<upload id>`. No byte is copied. A transaction names the content only after it
is on the disk; content that no row names is removed at the start.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import google_crc32c

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

BLOCK: Final = 1024 * 1024
SMALL: Final = 256 * 1024
"""Bytes. Up to here a file is sent again after a crash, rather than that each of its steps waits for the disk."""
UPLOAD_LIFETIME: Final = timedelta(days=30)
"""How long an upload that nobody goes on with is kept. Checked at a start."""
_NAME: Final = re.compile(r"[0-9a-f]{32}")


def new_crc32c() -> Any:
    """A running CRC32C of no bytes yet."""
    checksum: Any = google_crc32c.Checksum
    return checksum()


def content_path(catalog: LocalCatalog, content: str) -> Path:
    """Where complete content lies."""
    return catalog.files / content[:2] / content


def upload_path(catalog: LocalCatalog, upload: str) -> Path:
    """Where content lies while it arrives."""
    return catalog.uploads / upload


@dataclass
class Arrival:
    """What this process knows of an upload's bytes. Lost at a restart; then completing reads the file once.

    The digests cover the first `position` bytes, as far as they came in order.
    """

    position: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)
    crc32c: Any = field(default_factory=new_crc32c)
    busy: set[int] = field(default_factory=set)
    completing: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Trust nothing of what was digested; it is read again from the disk."""
        self.position, self.sha256, self.crc32c = 0, hashlib.sha256(), new_crc32c()


class PartWriter:
    """Writes one part at its offset and digests it. Use from one thread at a time."""

    def __init__(self, path: Path, offset: int, arrival: Arrival) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._offset = offset
        self._arrival = arrival
        self._crc32c = new_crc32c()
        in_order = arrival.position == offset
        self._ahead = (arrival.sha256.copy(), arrival.crc32c.copy()) if in_order else None
        self.written = 0

    def write(self, data: bytes) -> None:
        """Write the next bytes. Raises OSError."""
        view = memoryview(data)
        at = self._offset + self.written
        while view:
            count = os.pwrite(self._descriptor, view, at)
            view, at = view[count:], at + count
        self._crc32c.update(data)
        if self._ahead is not None:
            self._ahead[0].update(data)
            self._ahead[1].update(data)
        self.written += len(data)

    def checksum(self) -> str:
        """The part's crc32c as the wire has it."""
        return encoded(self._crc32c)

    def settle(self, *, durable: bool = True) -> None:
        """Bring the part to the disk, if it has to be there already, and take its digests over. Raises OSError."""
        if durable:
            os.fdatasync(self._descriptor)
        if self._ahead is not None and self._arrival.position == self._offset:
            self._arrival.sha256, self._arrival.crc32c = self._ahead
            self._arrival.position = self._offset + self.written

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def encoded(checksum: Any) -> str:
    """A crc32c as Google Cloud Storage writes it: base64 of the big-endian four bytes."""
    return base64.b64encode(checksum.digest()).decode()


def digests(catalog: LocalCatalog, upload: str, arrival: Arrival) -> tuple[int, str, str]:
    """Size, sha256 and crc32c of what arrived; reads only what did not arrive in order. Raises OSError."""
    with upload_path(catalog, upload).open("rb") as stream:
        stream.seek(arrival.position)
        while block := stream.read(BLOCK):
            arrival.sha256.update(block)
            arrival.crc32c.update(block)
            arrival.position += len(block)
        size = os.fstat(stream.fileno()).st_size
    return size, arrival.sha256.hexdigest(), encoded(arrival.crc32c)


def settle(catalog: LocalCatalog, upload: str, *, durable: bool) -> None:
    """Make the upload's bytes read-only, and bring them to the disk if that can take a while. Raises OSError."""
    descriptor = os.open(upload_path(catalog, upload), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o400)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def promote(catalog: LocalCatalog, upload: str) -> None:
    """Rename a settled upload to content and make bytes and name durable. Raises OSError."""
    target = content_path(catalog, upload)
    upload_path(catalog, upload).rename(target)
    descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # after the rename, so that one entry of the file system's journal holds both
    finally:
        os.close(descriptor)
    _sync_folder(target.parent)


def demote(catalog: LocalCatalog, upload: str) -> None:
    """Undo `promote`: the transaction that should name the content did not end. Raises OSError."""
    content_path(catalog, upload).rename(upload_path(catalog, upload))


def empty_discarded(catalog: LocalCatalog) -> None:
    """Remove content that no file names any more."""
    for row in catalog.database.all("discarded"):
        content_path(catalog, row["content"]).unlink(missing_ok=True)
        with catalog.database.transaction():
            catalog.database.run("forget_discarded", content=row["content"])


def recover(catalog: LocalCatalog) -> None:
    """After a start: make the folders, undo what a crash cut in two, remove what nobody names. Raises OSError."""
    for number in range(256):
        (catalog.files / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
    _sync_folder(catalog.files)
    shutil.rmtree(catalog.folder / "scratch", ignore_errors=True)
    oldest = (catalog.clock.now() - UPLOAD_LIFETIME).isoformat().replace("+00:00", "Z")
    with catalog.database.transaction():
        catalog.database.run("delete_stale_uploads", before=oldest)
    wanted = {row["id"]: row for row in catalog.database.all("open_uploads")}
    for upload, row in wanted.items():
        if content_path(catalog, upload).exists():
            demote(catalog, upload)
        if not _arrived(catalog, row):
            with catalog.database.transaction():
                catalog.database.run("delete_parts", upload=upload)
    for name in _names(catalog.uploads):
        if name not in wanted:
            upload_path(catalog, name).unlink(missing_ok=True)
    empty_discarded(catalog)


def _arrived(catalog: LocalCatalog, row: Row) -> bool:
    """Whether the acknowledged parts of an upload are there: of a small one, whose bytes did not wait for the disk, by their hash."""
    path = upload_path(catalog, row["id"])
    if row["size"] > SMALL or not path.is_file():
        return path.is_file()
    return path.stat().st_size == int(row["size"]) and hashlib.sha256(path.read_bytes()).hexdigest() == str(
        row["sha256"]
    )


def _names(folder: Path) -> Iterator[str]:
    """Only names that we gave; whatever else a person put there stays."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                yield entry.name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Arrivals:
    """The arrivals of this process, by upload."""

    def __init__(self) -> None:
        self._known: dict[str, Arrival] = {}
        self._lock = threading.Lock()

    def of(self, upload: str) -> Arrival:
        """The upload's arrival; nothing digested yet if this process does not know it."""
        with self._lock:
            return self._known.setdefault(upload, Arrival())

    def drop(self, upload: str) -> None:
        """Forget an upload that is over."""
        with self._lock:
            self._known.pop(upload, None)
