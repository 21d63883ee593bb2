"""Datasets as WebDataset shards: plain tar files of MessagePack samples, the same bytes for the same dataset.

One sample is one member `NNNNNNNN.msgpack` = {path, sha256, size, offset, data}: a whole file, or a part of one that is
larger than a shard. Readers put parts together by path and offset, and check the sha256 of the whole. The shards are never
compressed: a PDS would give a compressed one another media type, which the lexicon does not take.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIELDS: Final = ("path", "sha256", "size", "offset", "data")
SMALLEST_PART: Final = 64 * 1024
"""A part of a file is begun in a shard only if this much of it fits."""


class Content(Protocol):
    """What can be read of one file: `size` bytes whose sha256 is known."""

    @property
    def path(self) -> str:
        """Its name in the dataset."""

    @property
    def sha256(self) -> str:
        """Of the whole file, 64 hex digits."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises SourceChanged or OSError."""


@dataclass(frozen=True, slots=True)
class Part:
    """`length` bytes of one file from `offset` on: one sample."""

    content: Content
    offset: int
    length: int

    def sample(self, data: bytes) -> dict[str, str | int | bytes]:
        """The sample with these bytes."""
        content = self.content
        return {
            "path": content.path,
            "sha256": content.sha256,
            "size": content.size,
            "offset": self.offset,
            "data": data,
        }

    @property
    def member_size(self) -> int:
        """What it takes of a shard: a header and whole blocks."""
        head = len(msgpack.packb(self.sample(b""), use_bin_type=True)) - 2
        payload = head + _bin_header(self.length) + self.length
        return tarfile.BLOCKSIZE + -(-payload // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class Shard:
    """One tar file: its bytes, their sha256 as 64 hex digits, and the number of samples."""

    data: bytes
    sha256: str
    samples: int


def planned(contents: Iterable[Content], limit: int) -> list[tuple[Part, ...]]:
    """Which parts go into which shard, none larger than `limit` bytes. Whole files stay together where they fit.

    Raises ValueError if the limit holds not even a small part.
    """
    room = limit // tarfile.RECORDSIZE * tarfile.RECORDSIZE - 2 * tarfile.BLOCKSIZE
    shards: list[list[Part]] = [[]]
    left = room
    for content in contents:
        offset = 0
        while True:
            whole = Part(content, offset, content.size - offset)
            if whole.member_size <= left:
                shards[-1].append(whole)
                left -= whole.member_size
                break
            fitting = _fitting(content, offset, left)
            if shards[-1] and (whole.member_size <= room or fitting < SMALLEST_PART):
                shards.append([])
                left = room
                continue
            if fitting <= 0:
                raise ValueError(f"a shard of {limit} bytes is too small")
            shards[-1].append(Part(content, offset, fitting))
            offset += fitting
            shards.append([])
            left = room
    return [tuple(parts) for parts in shards if parts]


def build(parts: Sequence[Part], first: int) -> Shard:
    """The tar file of these parts; `first` is the number of its first sample. Raises what reading raises."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, part in enumerate(parts, first):
            data = msgpack.packb(part.sample(part.content.read(part.offset, part.length)), use_bin_type=True)
            member = tarfile.TarInfo(f"{number:08}.msgpack")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    whole = stream.getvalue()
    return Shard(whole, hashlib.sha256(whole).hexdigest(), len(parts))


def _fitting(content: Content, offset: int, left: int) -> int:
    """How many bytes of the file fit into what is left of a shard."""
    overhead = Part(content, offset, 0).member_size + 4  # the length's own bytes grow with it
    return max(0, (left - overhead) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE - tarfile.BLOCKSIZE)


def _bin_header(length: int) -> int:
    """Bytes that MessagePack writes before so many bytes (bin 8, 16, 32)."""
    return 2 if length < 2**8 else 3 if length < 2**16 else 5
