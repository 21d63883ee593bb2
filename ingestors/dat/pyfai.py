"""pyFAI's integrated patterns: `# == pyFAI calibration ==` and lines of keys, or JSON in comment lines since 2024.

Source: pyFAI `io/__init__.py` (DefaultAiWriter) and `io/_json.py`; the last comment line names the columns (`2th_deg`, `q_nm^-1`, `q_A^-1`, `r_mm`).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.dat import plots
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, pairs
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from ingestors.api import Candidate

_UNITS: Final = re.compile(r"(2th|q|r|chi|d\*?2?|qx|qy|logq|logr)_(deg|rad|nm\^-1|A\^-1|mm|m|None|.*)")
_DIFFRACTION: Final = "X-ray diffraction"


def recognises(head: str, candidate: Candidate) -> str | None:
    """`# == pyFAI calibration ==`, or JSON with a detector and then `# Mask applied:`."""
    del candidate
    if re.match(r"\ufeff?#\s*== pyFAI calibration ==", head):
        return "header pyFAI calibration"
    if re.match(r"\ufeff?#\s*\{", head) and re.search(r"^# Mask applied:", head, re.MULTILINE):
        return "JSON header and # Mask applied"
    return "names pyFAI" if re.match(r"#[^\n]*\n(#[^\n]*\n){0,40}?#[^\n]*pyFAI", head[:4000]) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Geometry and options as the header nests them, intensity against angle or q."""
    lines = lines_of(text.text)
    header = [line[1:].strip() for line in lines if line.startswith("#")]
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    geometry, rest = _geometry(header)
    names = header[-1].split() if header else []
    titles = [_title(name) for name in names]
    table, warnings = numbers(
        rows, names=[name for name, _ in titles] if _fits(names, rows) else (), units=[unit for _, unit in titles]
    )
    x = table.columns[0]
    return Reading(
        data_type="pyFAI integrated pattern",
        measurement=_DIFFRACTION,
        keywords=("pyFAI", "azimuthal integration"),
        metadata={**({"geometry": geometry} if geometry else {}), **pairs(rest[:-1])},
        tables=(table,),
        thumbnails=plots.drawn([(x, table.columns[1], "")], title=candidate.stem, log_y=None)
        if len(table.columns) > 1
        else (),
        warnings=tuple(warnings),
    )


def _geometry(header: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The JSON at the start, and the lines after it."""
    if not header or not header[0].startswith("{"):
        return {}, header
    end = next((index for index, line in enumerate(header) if line == "}"), None)
    if end is None:
        return {}, header
    try:
        found = json.loads("\n".join(header[: end + 1]))
    except (ValueError, RecursionError):
        return {}, header
    return (found if isinstance(found, dict) else {}), header[end + 1 :]


def _title(name: str) -> tuple[str, str | None]:
    match = _UNITS.fullmatch(name)
    return (match[1], match[2]) if match else (name, None)


def _fits(names: list[str], rows: list[str]) -> bool:
    return bool(rows) and len(names) == len(rows[0].split())
