"""Bytes of a file that may lie: every length is checked against the file before anything is read or made."""

from __future__ import annotations

import io
import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ingestors.api import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Array = NDArray[Any]

_MOST_BYTES: Final = 64 * 2**20  # of one piece that is no array
_MOST_VALUES: Final = 8_000_000  # of one array that is looked at
_MOST_ARRAY: Final = 64 * 2**20  # bytes of it
_MOST_SIDE: Final = 2**40


class Source:
    """Random access to bytes: a file, or what was in an archive. Raises UnreadableError for everything that is not there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, io.SEEK_END)

    @classmethod
    def of(cls, content: bytes) -> Source:
        """The same for bytes in memory."""
        return cls(io.BytesIO(content))

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise UnreadableError(
                f"The file is cut off or damaged: it has {self.size} bytes, but {count} should stand at {offset}."
            )
        if count > _MOST_BYTES:
            raise UnreadableError(f"The file is damaged: a part of {count} bytes is no header.")
        self._stream.seek(offset)
        return self._stream.read(count)

    def some(self, offset: int, count: int) -> bytes:
        """At most `count` bytes, fewer at the end of the file."""
        return self.read(offset, max(0, min(count, self.size - offset))) if 0 <= offset <= self.size else b""

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """Fields in the notation of `struct`."""
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def number(self, layout: str, offset: int) -> Any:
        """One field in the notation of `struct`."""
        return self.unpack(layout, offset)[0]

    def text(self, offset: int, count: int, encoding: str = "latin-1") -> str:
        """A text in a field of fixed length, up to its first NUL, without blanks around."""
        return text_of(self.read(offset, count), encoding)

    def array(self, offset: int, dtype: str | np.dtype[Any], shape: tuple[int, ...]) -> tuple[Array, Array]:
        """An array (C order) and which of its first index were read: all, or as many as is good for a look.

        Of one dimension that is too long the beginning, of several evenly spread slabs. What the file does not hold
        (it is cut off) is left out. Raises UnreadableError if nothing at all is there.
        """
        kind = np.dtype(dtype)
        if not shape or any(not 0 <= side < _MOST_SIDE for side in shape) or not kind.itemsize:
            raise UnreadableError("The file is damaged: its data have impossible dimensions.")
        slab = math.prod(shape[1:])
        there = max(0, self.size - offset) // kind.itemsize // max(slab, 1) if offset >= 0 else 0
        count = min(shape[0], there)
        if slab <= 0 or count <= 0:
            raise UnreadableError("The file holds no data, or less than one row of them.")
        if slab > 4 * _MOST_VALUES or slab * kind.itemsize > 4 * _MOST_ARRAY:
            raise UnreadableError(f"One plane of the data has {slab} values: too many to look at.")
        wanted = max(1, min(count, _MOST_VALUES // slab, _MOST_ARRAY // (slab * kind.itemsize)))
        if len(shape) == 1 or wanted == count:
            chosen = np.arange(wanted)
            return self._values(offset, kind, wanted * slab).reshape(wanted, *shape[1:]), chosen
        chosen = np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))
        parts = [self._values(offset + int(at) * slab * kind.itemsize, kind, slab) for at in chosen]
        return np.stack(parts).reshape(len(chosen), *shape[1:]), chosen

    def _values(self, offset: int, kind: np.dtype[Any], count: int) -> Array:
        self._stream.seek(offset)
        found = self._stream.read(count * kind.itemsize)
        if len(found) < count * kind.itemsize:
            raise UnreadableError("The file became shorter while it was read.")
        return np.frombuffer(found, kind)


def text_of(content: bytes, encoding: str = "latin-1") -> str:
    """The text before the first NUL, without blanks around; bytes that do not fit the encoding as Latin-1."""
    bare = content.split(b"\0", 1)[0]
    try:
        return bare.decode(encoding).strip()
    except UnicodeDecodeError:
        return bare.decode("latin-1").strip()


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file as a source. Raises OSError."""
    with path.open("rb") as stream:
        yield Source(stream)
