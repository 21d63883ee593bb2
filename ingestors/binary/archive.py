"""ZIP archives as containers of a measurement: members by name, never larger than they may be."""

from __future__ import annotations

import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.binary.xmltree import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC: Final = b"PK\x03\x04"
_MOST_MEMBERS: Final = 20_000
_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    KeyError,
)


class Archive:
    """An open archive: the names in it, and the content of each. Raises UnreadableError."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = archive.namelist()[:_MOST_MEMBERS]

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """A member's content; more than `most` bytes is refused before they exist, whatever the directory says."""
        try:
            with self._archive.open(name) as member:
                content = member.read(most + 1)
        except _ERRORS as error:
            raise UnreadableError(f"{name} in the archive cannot be read: {error}") from error
        if len(content) > most:
            raise UnreadableError(f"{name} in the archive has more than {most} bytes: too many to read.")
        return content


def names_of(candidate: Candidate) -> list[str]:
    """The names of an archive's members, or nothing if the file is none."""
    if not candidate.head.startswith(MAGIC):
        return []
    try:
        with opened(candidate.path) as archive:
            return archive.names
    except UnreadableError:
        return []


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive. Raises UnreadableError."""
    try:
        archive = zipfile.ZipFile(path)
    except _ERRORS as error:
        raise UnreadableError(f"The archive is damaged or cut off: {error}") from error
    with archive:
        yield Archive(archive)
