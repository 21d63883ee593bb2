"""What stands in a dataset's shards, in this order: files by name, thumbnails, the document with everything.

What a new ingestor or a person changes comes last, so that a later revision of the same files sends its last shard only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.catalogs.atproto.record import DOCUMENT
from daemon.catalogs.source import Source
from daemon.errors import SourceChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daemon.catalogs.atproto.shards import Content
    from daemon.model import DatasetRecord, RecordFile


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that are in memory already."""

    path: str
    data: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.data).hexdigest()

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes."""
        return self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file of the instrument under its path in the shards, read only if it is still the one that was hashed."""

    file: RecordFile
    path: str

    @property
    def size(self) -> int:
        """In bytes."""
        return self.file.size

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return self.file.sha256

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises SourceChanged or NotYet.

        With the first of them the whole file is compared with its sha256: what is published cannot be taken back.
        """
        with Source(self.file) as source:
            source.verify()
            if offset == 0 and source.sha256(self.size, lambda: None) != self.sha256:
                raise SourceChanged(f"{self.path} is no longer the file that was hashed.")
            data = b"".join(source.chunks(offset, length, lambda: None))
            source.verify()
        return data


def contents_of(record: DatasetRecord, document: bytes) -> Sequence[Content]:
    """The files, `thumbnails/…`, and the document; the same order each time, and no path twice."""
    paths = paths_of(file.name for file in record.files)
    files = [OnDisk(file, paths[file.name]) for file in sorted(record.files, key=lambda file: file.name)]
    taken = {*paths.values(), DOCUMENT}
    pictures = []
    for picture in record.thumbnails:
        pictures.append(Held(_free(f"thumbnails/{picture.name}", taken), picture.png))
        taken.add(pictures[-1].path)
    return [*files, *pictures, Held(DOCUMENT, document)]


def paths_of(names: Iterable[str]) -> dict[str, str]:
    """Where each file of these names stands in the shards: under its name, unless that is the document's."""
    known = set(names)
    return {name: name if name != DOCUMENT else _free(name, {*known, DOCUMENT}) for name in known}


def _free(path: str, taken: set[str]) -> str:
    """The path, or the next one that nothing else has: readers put together what has the same path."""
    while path in taken:
        path = f"_{path}"
    return path
