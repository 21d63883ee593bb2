"""The ingestor of text tables: asks the families, most specific first, and the general table reader last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.dat import createc, general, notes
from ingestors.dat.families import families_for
from ingestors.dat.reading import Family, extraction
from ingestors.tables import NotATableError
from ingestors.textfile import Decoded, NotTextError, decode, read_text, unified

if TYPE_CHECKING:
    from ingestors.api import Candidate

GENERAL: Final = Family("general table", general.recognises, general.read)
NOTES: Final = Family("settings", notes.recognises, notes.read)
_GENERAL_CLAIM: Final = Specificity.CONTAINER + 1
_NOTES_CLAIM: Final = Specificity.CONTAINER - 5
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")


class Dat:
    """Text tables with any suffix, of a known family or of none. Declines binaries, prose, JSON and XML."""

    name = "dat"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """A family's tell-tale claims as a format, any other table as a container. Raises OSError."""
        head = _head(candidate)
        if head is None:
            return None
        for family in families_for(head):
            reason = family.recognises(head, candidate)
            if reason is not None:
                return Claim(Specificity.FORMAT, f"{family.name}: {reason}")
        reason = GENERAL.recognises(head, candidate)
        if reason is not None:
            return Claim(_GENERAL_CLAIM, reason)
        reason = NOTES.recognises(head, candidate)
        return Claim(_NOTES_CLAIM, reason) if reason is not None else None

    def extract(self, candidate: Candidate) -> Extraction:
        """Read the file as its family. Raises UnreadableError with a sentence, and OSError."""
        head = _head(candidate)
        if head is None:
            raise UnreadableError("The file is binary or empty, not a text table.")
        family = next((family for family in (*families_for(head), GENERAL) if family.recognises(head, candidate)), None)
        if family is None:
            family = NOTES if NOTES.recognises(head, candidate) else GENERAL
        try:
            text = _text(candidate)
            with np.errstate(all="ignore"):  # fill values overflow in sums and differences; what comes out is checked
                reading = family.read(text, candidate)
        except (NotTextError, NotATableError) as error:
            raise UnreadableError(f"{error}") from error
        return extraction(reading, candidate, text.warnings)


def _head(candidate: Candidate) -> str | None:
    """The first bytes as text, or None for an empty file or a binary."""
    head = candidate.head
    if not head.strip():
        return None
    if head.startswith(createc.MAGIC):
        return createc.header_of(head).text
    try:
        return unified(decode(_whole(head, candidate)).text)
    except NotTextError:
        return None


def _whole(head: bytes, candidate: Candidate) -> bytes:
    """The head up to its last whole line: what is cut there may be half a character."""
    end = head.rfind(b"\n")
    return head if candidate.size <= len(head) or end < 0 or head.startswith(_WIDE) else head[: end + 1]


def _text(candidate: Candidate) -> Decoded:
    if candidate.head.startswith(createc.MAGIC[:3]):
        return createc.header_of(candidate.head)
    found = read_text(candidate.path)
    return replace(found, text=unified(found.text))
