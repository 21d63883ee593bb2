"""What stands in a dataset's shards, in this order: the document with everything, thumbnails, files by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.catalogs.atproto_record import DOCUMENT
from daemon.catalogs.source import Source
from daemon.errors import SourceChanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.catalogs.atproto_shards import Content
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
    """A file of the instrument, read only if it is still the one that was hashed."""

    file: RecordFile

    @property
    def path(self) -> str:
        """Its name in the dataset."""
        return self.file.name

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
    """The document, `thumbnails/…`, and the files; the same order each time."""
    pictures = [Held(f"thumbnails/{picture.name}", picture.png) for picture in record.thumbnails]
    return [
        Held(DOCUMENT, document),
        *pictures,
        *(OnDisk(file) for file in sorted(record.files, key=lambda file: file.name)),
    ]
