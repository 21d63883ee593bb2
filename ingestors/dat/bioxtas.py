"""Scattering curves of BioXTAS RAW: the points first, a JSON header at the end (or, in newer files, before them).

Source: bioxtasraw `SASFileIO.py` (`### DATA:`, a count, `Q I(Q) Error`, `### HEADER:` and JSON behind `#` marks).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.dat import facts, sas
from ingestors.dat.reading import Reading
from ingestors.tables import numbers
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from ingestors.api import Candidate

_MARK: Final = "### HEADER:"
_TAIL: Final = 65536


def recognises(head: str, candidate: Candidate) -> str | None:
    """`### DATA:` or `### HEADER:` at the start, or the header's mark near the end below rows of numbers."""
    match = re.match(r"\s*### (DATA|HEADER):", head)
    if match is not None:
        return f"first line ### {match[1]}:"
    if re.match(r"[\s#]*(?:Q\b|[-+]?\d)", head) and _MARK.encode() in candidate.tail(_TAIL):
        return "### HEADER: at the end"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Q, I(Q) and its error; the header nested as RAW keeps it."""
    before, _, after = text.text.partition(_MARK)
    header, warnings = _header(after)
    body = before if "### DATA:" in before or not after else f"{before}\n{after}"
    rows = [line for line in lines_of(body) if re.match(r"\s*[-+]?[\d.]", line) and len(line.split()) > 1]
    named = next(
        (line.lstrip("# ").split() for line in lines_of(body) if re.match(r"#\s*Q\s+I", line, re.IGNORECASE)),
        ["Q", "I(Q)", "Error"],
    )
    table, found = numbers(rows, names=named)
    counters = header.get("counters")
    counters = counters if isinstance(counters, dict) else {}
    image = header.get("imageHeader")
    known = {
        **(image if isinstance(image, dict) else {}),
        **counters,
        **{key: value for key, value in header.items() if isinstance(value, (str, int))},
    }
    when = facts.time_of(known)
    sample = facts.sample_of(known)
    title = sample or str(header.get("filename") or "").rsplit(".", 1)[0] or candidate.stem
    return Reading(
        data_type="BioXTAS RAW scattering curve",
        measurement="Small-angle X-ray scattering",
        timestamp=when.iso,
        instrument=facts.instrument_of(known),
        samples=(sample,),
        keywords=("SAXS", "BioXTAS RAW"),
        metadata=header,
        tables=(table,),
        thumbnails=sas.scattering(table, title),
        warnings=(*when.warnings, *warnings, *found),
    )


def _header(after: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The JSON between the first and the last brace, with or without `#` marks."""
    start, end = after.find("{"), after.rfind("}")
    if start < 0 or end < start:
        return {}, ()
    plain = re.sub(r"^#", "", after[start : end + 1], flags=re.MULTILINE)
    try:
        found = json.loads(plain)
    except (ValueError, RecursionError):
        return {"header": plain[:20_000]}, ("The header at the end of the file is no JSON; it is kept as text.",)
    return (found, ()) if isinstance(found, dict) else ({"header": found}, ())
