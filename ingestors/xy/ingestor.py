"""The ingestor of x-y patterns: three formats by their content, and bare columns weakly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.dat.reading import Family, extraction
from ingestors.tables import NotATableError
from ingestors.textfile import NotTextError, decode, read_text, unified
from ingestors.xy import bare, fit2d, pyfai, specs

if TYPE_CHECKING:
    from ingestors.api import Candidate

FAMILIES: Final = (
    Family("SPECS", specs.recognises, specs.read),
    Family("pyFAI", pyfai.recognises, pyfai.read),
    Family("FIT2D", fit2d.recognises, fit2d.read),
)
_SUFFIXES: Final = frozenset({".xy", ".xye", ".chi", ".tsv"})
_BY_SUFFIX: Final = Specificity.CONTAINER + 10
_BY_COLUMNS: Final = Specificity.CONTAINER + 2
_OTHERS: Final = frozenset(
    {".dat"}
)  # `dat` is meant for these, knows pyFAI as well, and goes first; here it goes second
_PARTIAL: Final = 4  # bytes that a character cut in two can have


class XY:
    """x-y patterns with any suffix: SPECS, pyFAI, FIT2D, and text of two or three columns of numbers."""

    name = "xy"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """A format by its first lines; bare columns as a container, more so if the suffix says x-y. Raises OSError."""
        head = _head(candidate)
        if head is None:
            return None
        for family in FAMILIES:
            reason = family.recognises(head, candidate)
            if reason is not None:
                known = Specificity.FORMAT + (-1 if candidate.suffix in _OTHERS else 1)
                return Claim(known, f"{family.name}: {reason}")
        found = bare.looked_at(head, whole=candidate.size <= len(candidate.head))
        if found is None:
            return None
        count = max(len(table.columns) for table in found.tables)
        reason = f"{count} column{'s' if count > 1 else ''} of numbers"
        if candidate.suffix in _SUFFIXES:
            return Claim(_BY_SUFFIX, f"{reason}, suffix {candidate.suffix}")
        if not bare.is_pattern(found):
            return None
        return Claim(Specificity.CONTAINER if candidate.suffix in _OTHERS else _BY_COLUMNS, reason)

    def extract(self, candidate: Candidate) -> Extraction:
        """Read the pattern. Raises UnreadableError with a sentence, and OSError."""
        head = _head(candidate)
        if head is None:
            raise UnreadableError("The file is empty or binary, not a text table.")
        family = next((family for family in FAMILIES if family.recognises(head, candidate)), None)
        try:
            text = read_text(candidate.path)
            reading = (family.read if family else bare.read)(text, candidate)
        except (NotTextError, NotATableError) as error:
            raise UnreadableError(f"{error}") from error
        return extraction(reading, candidate, text.warnings)


def _head(candidate: Candidate) -> str | None:
    """The first bytes as text, or None for an empty or a binary file."""
    head = candidate.head
    if candidate.size > len(head):  # the last line may be cut, and its last character as well
        end = max(head.rfind(b"\n"), head.rfind(b"\r"))
        head = head[: end + 1] if end > _PARTIAL else head[: -(len(head) % _PARTIAL) or None]
    if not head.strip(b"\0 \t\r\n"):
        return None
    try:
        return unified(decode(head).text)
    except NotTextError:
        return None
