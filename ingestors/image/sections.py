"""The texts that microscopes put into their pictures: sections of keys and values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION: Final = re.compile(r"\s*\[([^\]]+)\]\s*")
_EQUAL: Final = re.compile(r"\s*([^=]{1,80}?)\s*=\s*(.*?)\s*")
_COLON: Final = re.compile(r"\s*([A-Z][^=:]{0,60}?)\s:\s*(.*?)\s*")  # Zeiss: `Date :12 Feb 2020`
_MOST_LINES: Final = 5000


def microscope_text(text: str) -> dict[str, Any]:
    """`[Section]` lines and `key=value` lines, as microscopes write them, as nested texts, numbers and quantities."""
    found: dict[str, Any] = {}
    section = found
    for line in text.splitlines()[:_MOST_LINES]:
        if match := _SECTION.fullmatch(line):
            inner = found.setdefault(match[1], {})
            section = inner if isinstance(inner, dict) else found
        elif match := _EQUAL.fullmatch(line) or _COLON.fullmatch(line):
            section[match[1]] = value_of(match[2])
    return found


def section_of(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The section of that name, or an empty one."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
