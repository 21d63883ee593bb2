"""Three-way merging of scientific metadata: what we sent, what we know now, what the catalog holds. Pure.

What a person changed, added or deleted in the catalog stays as the person left it. Of what was sent only a short digest
for each leaf is kept: enough to recognise our own words, a fraction of their size.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIGITS: Final = 8
"""Hex digits kept of each leaf."""

_Path = tuple[str, ...]
_ABSENT: Final = object()


def marks(metadata: Mapping[str, Any]) -> str:
    """The digests of every leaf with its path, one after the other: what has to be kept of what was sent."""
    return "".join(sorted(_mark(path, value) for path, value in _leaves(metadata)))


def updates(ours: Mapping[str, Any], sent: str, theirs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of `ours` has to be merged into `theirs`, and the paths that a person decided and that are left alone."""
    known = {sent[start : start + DIGITS] for start in range(0, len(sent), DIGITS)}
    patch: dict[str, Any] = {}
    left: list[str] = []
    for path, value in _leaves(ours):
        place, there = _at(theirs, path)
        if place == path and there is not _ABSENT and _text(there) == _text(value):
            continue
        last = value if there is _ABSENT else there
        if _known(place, last, known) == (there is _ABSENT):  # deleted there, or not our words any more
            left.append("/".join(path))
            continue
        _put(patch, path, value)
    return patch, left


def agreed(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """The marks of the leaves that both have: what must have come from us when nobody remembers."""
    same = ((path, value) for path, value in _leaves(ours) if _at(theirs, path)[0] == path)
    return "".join(sorted(_mark(path, value) for path, value in same if _text(_at(theirs, path)[1]) == _text(value)))


def _known(path: _Path, value: Any, known: set[str]) -> bool:
    """Whether all that stands there is what we sent."""
    if isinstance(value, dict) and value:
        return all(_mark(below, leaf) in known for below, leaf in _leaves(value, path))
    return _mark(path, value) in known


def _leaves(tree: Mapping[str, Any], above: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """Everything that is no filled object, with the keys that lead to it."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _at(tree: Any, path: _Path) -> tuple[_Path, Any]:
    """What stands at the path, or at the part of it that is no object there, with the way to it."""
    for depth, key in enumerate(path):
        if not isinstance(tree, dict):
            return path[:depth], tree
        if key not in tree:
            return path, _ABSENT
        tree = tree[key]
    return path, tree


def _put(tree: dict[str, Any], path: _Path, value: Any) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def _mark(path: _Path, value: Any) -> str:
    return hashlib.sha256(f"{json.dumps(path)} {_text(value)}".encode()).hexdigest()[:DIGITS]


def _text(value: Any) -> str:
    """A value as one text, the same for 1 and 1.0: catalogs write numbers in their own way."""
    return "" if value is _ABSENT else json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
