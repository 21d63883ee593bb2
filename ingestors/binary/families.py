"""The kinds of binary files, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestors.binary import brml, drs4, gwyddion, igor, phi, rigaku, xrdml

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingestors.api import Candidate
    from ingestors.binary.source import Source
    from ingestors.dat.reading import Reading


@dataclass(frozen=True)
class Family:
    """A kind of binary file.

    `recognises` gets the candidate and answers with the tell-tale in a few words, or None; `read` raises UnreadableError
    if the file is not what it looked like.
    """

    name: str
    recognises: Callable[[Candidate], str | None]
    read: Callable[[Source, Candidate], Reading]


FAMILIES: Final = (
    Family("DRS4 board", drs4.recognises, drs4.read),
    Family("Gwyddion", gwyddion.recognises, gwyddion.read),
    Family("PHI MultiPak", phi.recognises, phi.read),
    Family("Bruker BRML", brml.recognises, brml.read),
    Family("PANalytical XRDML", xrdml.recognises, xrdml.read),
    Family("Rigaku RASX", rigaku.recognises, rigaku.read),
    Family("Igor binary wave", igor.recognises, igor.read),
)
