"""Text from file names and files, made fit for a log, a terminal and a sentence. Pure."""

from __future__ import annotations

import re
from typing import Final

from ingestors.api import display_name

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, line ends, and the marks that turn the writing direction."""
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONGEST: Final = 8000


def escaped(text: str) -> str:
    r"""One line: control characters as `\n`, `\t` or `\x1b`."""
    return CONTROL.sub(lambda match: _SHORT.get(match[0], f"\\x{ord(match[0]):02x}"), printable(text))


def printable(text: str) -> str:
    """Valid Unicode, whatever the bytes were; a very long text is cut."""
    try:
        text = display_name(text)
    except UnicodeEncodeError:  # half a character, as "\\ud83d" in JSON may be
        text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
