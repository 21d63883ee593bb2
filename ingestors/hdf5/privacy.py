"""What a file says about its computer rather than about the measurement is not for a catalog that others read.

Removed: the user's name in the path of a home folder, the account in an address, and values that are called passwords.
All else stays, also the rest of the path: it says where the data lay. The file itself is delivered unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "…"

_HOMES: Final = re.compile(
    r"""(?P<home>(?:[A-Za-z]:)?[\\/]+(?:Users|Documents[ ]and[ ]Settings)[\\/]+ | (?<![\w/])/home/)(?P<user>[^\\/:*?"<>|\n]+)""",
    re.VERBOSE,
)
_SHARED: Final = frozenset({"public", "shared", "default", "all users"})
_ACCOUNT: Final = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET: Final = re.compile(
    r"pass(?:word|wd|phrase)|(?:api|access|private|secret)[-_ ]?key|(?:auth|access|api|bearer)[-_ ]?token|client[-_ ]?secret",
    re.IGNORECASE,
)


def cleaned(value: Any) -> Any:
    """The same tree of plain values without what is private; other objects stay as they are."""
    if isinstance(value, str):
        return cleaned_text(value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(item, str) and item and _SECRET.search(str(key)) else cleaned(item)
            for key, item in value.items()
        }
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def cleaned_text(text: str) -> str:
    """A text without users' names in paths and without accounts in addresses."""
    if "://" in text:
        text = _ACCOUNT.sub("", text)
    return _HOMES.sub(_hidden, text) if "/" in text or "\\" in text else text


def _hidden(match: re.Match[str]) -> str:
    user = match["user"]
    return match[0] if user.casefold().strip() in _SHARED else match["home"] + HIDDEN
