"""The lines of a long text without a list of them: a list takes five times the memory of the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, overload

import numpy as np

from ingestors.textfile import unified

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE: Final = 1024 * 1024


class Lines(Sequence[str]):
    """The lines of `text` as `textfile.lines_of` gives them, cut out when they are asked for."""

    def __init__(self, text: str) -> None:
        self._text = unified(text)
        ends = _ends(self._text)
        if self._text and not self._text.endswith("\n"):
            ends = np.append(ends, len(self._text))
        self._ends = ends

    def __len__(self) -> int:
        return int(self._ends.size)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            return (
                self._text[self._start(first) : int(self._ends[last - 1])].split("\n")[::step] if last > first else []
            )
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._text[self._start(place) : int(self._ends[place])]

    def _start(self, index: int) -> int:
        return int(self._ends[index - 1]) + 1 if index else 0


def _ends(text: str) -> NDArray[np.int64]:
    """The places of the line feeds."""
    found = []
    for start in range(0, len(text), _PIECE):
        letters = np.frombuffer(text[start : start + _PIECE].encode("utf-32-le", "surrogatepass"), dtype="<u4")
        found.append(np.flatnonzero(letters == ord("\n")) + start)
    return np.concatenate(found).astype(np.int64) if found else np.empty(0, dtype=np.int64)
