"""Notes that people leave beside the data: `session.yaml` in a folder, `NAME.meta.yaml` or `.json` beside a file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon.yamltext import parse
from ingestors.api import display_name, jsonable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from daemon.store.files import FileRow

log = structlog.get_logger("labferry.compose")

SESSION_FILE: Final = "session.yaml"
OWN_FILES: Final = (f"**/{SESSION_FILE}",)
"""Files that a person puts into a root for labferry itself: evidence, not data."""

SIDECARS: Final = (".meta.yaml", ".meta.json")
MAX_BYTES: Final = 65536


def nearest_session_file(root: Path, path: str) -> tuple[str | None, dict[str, Any] | None]:
    """The nearest session.yaml from the file's folder up to the root: its folder and its content.

    One that cannot be read is no evidence; the log says so.
    """
    folder = path.rpartition("/")[0]
    while True:
        content = _content(root / folder / SESSION_FILE)
        if content is not None or not folder:
            return (folder, content) if content is not None else (None, None)
        folder = folder.rpartition("/")[0]


def sidecar_of(root: Path, members: Sequence[FileRow]) -> dict[str, Any]:
    """The attributes that the primary file's sidecar gives; the primary comes first among the members.

    Values are plain JSON. One that cannot be read gives nothing; the log says so.
    """
    names = {members[0].path + suffix for suffix in SIDECARS}
    attributes: dict[str, Any] = {}
    for member in members:
        if member.path in names:
            content = _content(root / member.path) or {}
            attributes |= {str(key): jsonable(value) for key, value in content.items()}
    return attributes


def _content(path: Path) -> dict[str, Any] | None:
    """The mapping in a small YAML (or JSON) file, or None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            text = os.read(descriptor, MAX_BYTES + 1) if regular else b""
        finally:
            os.close(descriptor)
    except OSError:
        return None
    problem = "" if regular else "it is no regular file"
    problem = "it is longer than 64 KiB" if len(text) > MAX_BYTES else problem
    try:
        document = parse(text.decode("utf-8"))
    except UnicodeDecodeError:
        problem = problem or "it is not UTF-8"
    else:
        problem = problem or "; ".join(one.text for one in document.problems)
        if not problem and isinstance(document.values, dict):
            return document.values
    log.warning("session.unreadable", path=display_name(os.fspath(path)), problem=problem or "it is no mapping")
    return None
