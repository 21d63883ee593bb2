"""What SQLite's error codes mean for a person, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
"""Beginnings of the codes that say that a file cannot be trusted."""


def explain(code: str, text: str, path: Path) -> StateError:
    """Say in one sentence what happened to the database file, and what to do. `code` as `SQLITE_FULL`, empty if there is none."""
    if code.startswith("SQLITE_FULL"):
        return StateError(f"The disk that holds {path} is full.", "Free some space; labferry goes on by itself.")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return StateError(
            f"labferry may not write {path}.", "Make its folder writable for the user that runs labferry."
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StateError(f"{path} is in use by another program.", "Close it, or try again in a moment.")
    if code.startswith(DAMAGED):
        return damaged(path, text)
    return StateError(f"{path}: {text} ({code or 'no SQLite code'}).", "See the disk's health (dmesg), then try again.")


def damaged(path: Path, how: str) -> StateError:
    """The error for a database file that cannot be trusted any more."""
    return StateError(
        f"{path} is damaged ({how}).",
        "Nothing is guessed from it. Stop the daemon, then `labferry rebuild CONFIG`: it keeps this file aside, begins with"
        " the newest backup, and finds the rest again in the folders and in the catalogs.",
    )
