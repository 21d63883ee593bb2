"""Text, times and units as plain values. Offered by `ingestors.api`. Standard library only."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from ingestors.ucum import ucum

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def display_name(name: str) -> str:
    r"""Text that every catalog can carry: surrogate escapes of undecodable bytes become `\xNN`, the rest stays.

    Half a character, as JSON can write it, becomes its number: `\ud83d`.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def is_time(value: Any) -> bool:
    """Whether this is text that is a date or a time as ISO 8601 writes them, the date first: `2026-11-21T14:30:00+01:00`."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def units_in(metadata: Any) -> dict[str, str]:
    """The UCUM code of every unit in plain metadata, by the unit as it stands there: `{"degC": "Cel", "1/nm": "nm-1"}`.

    A unit is the text under a key `unit`: of a quantity, a column, an array. Units that nobody knows are not listed.
    """
    codes: dict[str, str] = {}
    waiting = [metadata]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            unit = value.get("unit")
            if isinstance(unit, str) and (code := ucum(unit)) is not None:
                codes[unit] = code
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return codes
