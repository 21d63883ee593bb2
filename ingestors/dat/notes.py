"""Texts of keys and values without a table: settings (`.ini`), logs of parameters, sidecars of instruments.

Nothing but the share of such lines tells them; sources, markup and prose are left to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestors import headers
from ingestors.api import UnreadableError
from ingestors.dat import facts
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading
from ingestors.textfile import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_SUFFIXES: Final = frozenset(
    {".ini", ".cfg", ".conf", ".inf", ".info", ".txt", ".dat", ".log", ".par", ".param", ".params", ".set", ".settings", ".hdr", ".header",
     ".meta", ".metadata", ".prm", ".instprm", ".seq", ".asc", ".csv", ".tsv", ".mps", ".poni", ".jdx", ".sts", ".opt", ""}
)  # fmt: skip
_MOST_LINES: Final = 5000
_FEWEST: Final = 4
_SHARE: Final = 0.7


def recognises(head: str, candidate: Candidate) -> str | None:
    """Most lines are keys with values."""
    if candidate.suffix not in _SUFFIXES or head.lstrip()[:1] in {"<", "{"}:
        return None
    fields, remarks = headers.read(head.split("\n")[:_MOST_LINES], _delimiter(head))
    count = len(headers.flat(fields))
    return f"{count} keys with values" if count >= _FEWEST and count >= _SHARE * (count + len(remarks)) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The fields, nested by sections. Raises UnreadableError."""
    lines: Sequence[str] = lines_of(text.text)[:_MOST_LINES]
    fields, remarks = headers.read(lines, _delimiter(text.text[:4000]))
    if not fields:
        raise UnreadableError("The text holds no keys with values.")
    when = facts.time_of(fields)
    return Reading(
        data_type="Settings as text",
        measurement=method_of(fields, (), (facts.title_of(fields),), candidate.stem),
        name=facts.title_of(fields),
        timestamp=when.iso,
        instrument=facts.instrument_of(fields),
        samples=(facts.sample_of(fields),),
        metadata={**fields, **({"comments": remarks} if remarks else {})},
        warnings=when.warnings,
    )


def _delimiter(text: str) -> str | None:
    """The mark between key and value where it is no colon, equals sign or tab."""
    lines = [line for line in text.split("\n")[:200] if line.strip()]
    for mark in (",", ";"):
        if lines and sum(
            mark in line and ":" not in line.split(mark)[0] and "=" not in line for line in lines
        ) > _SHARE * len(lines):
            return mark
    return None
