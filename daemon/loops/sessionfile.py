"""`session.yaml`: a note that a person leaves in a folder, to say which session its files belong to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon.yamltext import parse
from ingestors.api import display_name

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger("labferry.compose")

SESSION_FILE: Final = "session.yaml"
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


def _content(path: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        text = stream.read(MAX_BYTES + 1)
    problem = "it is longer than 64 KiB" if len(text) > MAX_BYTES else ""
    try:
        document = parse(text.decode("utf-8"))
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    else:
        problem = problem or "; ".join(one.text for one in document.problems)
        if not problem and isinstance(document.values, dict):
            return document.values
    log.warning("session.unreadable", path=display_name(os.fspath(path)), problem=problem or "it is no mapping")
    return None
