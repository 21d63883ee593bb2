"""What must not leave the laboratory in an open record: places in its file systems, names of computers and accounts, addresses.

Records of the AT Protocol are public for good. So whatever looks like such a thing is taken out of the metadata, and the
names of what was taken out are told. The files themselves are what a person decided to publish.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(
    r"(?:^|[\W_])(?:user|user ?name|login|account|host|host ?name|computer|computer ?name|pc ?name|machine|node|ip|"
    r"ip ?address|mac ?address|e ?mail|mail|phone|password|token|api ?key|orcid|home|working ?dir(?:ectory)?|cwd|serial ?port)$",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(
    r"^\s*[\"']?(?:file://|~?/(?:[^/\s]+/)+|~/|[A-Za-z]:[\\/]|\\\\[^\\\s]+\\)|(?<![\w/])/(?:home|Users|root|mnt|media)/\S|[A-Za-z]:\\\S"
)
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_ORCID: Final = re.compile(r"\b\d{4}-\d{4}-\d{4}-\d{3}[\dX]\b")
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-.]+")


def without_private(values: Mapping[str, Any], *, orcid: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The metadata without what is private, and the dotted names of what was taken out.

    `orcid`: ORCIDs may stay. Values under a name such as `user` or `hostname` go, and so do texts that are a path or hold
    a mail address.
    """
    removed: list[str] = []
    return _mapping(values, "", removed, orcid=orcid), removed


def is_private(name: str, text: str, *, orcid: bool = False) -> bool:
    """Whether a text, or what a name says of it, tells who or where somebody is."""
    if orcid and (_ORCID.search(text) or "orcid" in name.casefold()):
        return False
    if _NAME.search(_WORDS.sub(" ", name)):
        return True
    return bool(_PLACE.search(text) or _ADDRESS.search(text) or _ORCID.search(text))


def _mapping(values: Mapping[str, Any], path: str, removed: list[str], *, orcid: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        below = f"{path}.{name}" if path else str(name)
        if isinstance(value, dict):
            kept[name] = _mapping(value, below, removed, orcid=orcid)
        elif isinstance(value, (list, tuple)):
            kept[name] = _items(str(name), value, below, removed, orcid=orcid)
        elif is_private(str(name), value if isinstance(value, str) else "", orcid=orcid) and not isinstance(
            value, bool
        ):
            removed.append(below)
        else:
            kept[name] = value
    return kept


def _items(name: str, values: Any, path: str, removed: list[str], *, orcid: bool) -> list[Any]:
    kept: list[Any] = []
    for number, value in enumerate(values):
        below = f"{path}[{number}]"
        if isinstance(value, dict):
            kept.append(_mapping(value, below, removed, orcid=orcid))
        elif isinstance(value, (list, tuple)):
            kept.append(_items(name, value, below, removed, orcid=orcid))
        elif isinstance(value, str) and is_private(name, value, orcid=orcid):
            removed.append(below)
        else:
            kept.append(value)
    return kept
