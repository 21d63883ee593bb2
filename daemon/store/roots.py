"""The roots that were ever watched, and what each folder was when it was last seen."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.clock import Clock
    from daemon.store.database import Database
    from daemon.store.journal import JournalTable


class Roots:
    """The table of roots."""

    def __init__(self, database: Database, journal: JournalTable, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def add(self, path: Path) -> int:
        """The root's row; made when the store meets it for the first time."""
        with self._database.transaction():
            self._database.run("add_root", path=os.fsencode(path))
            row = self._database.one("root_by_path", path=os.fsencode(path))
        return 0 if row is None else int(row["id"])

    def find(self, path: Path) -> int | None:
        """The root's row, if the store knows it."""
        row = self._database.one("root_by_path", path=os.fsencode(path))
        return None if row is None else int(row["id"])

    def identity(self, path: Path) -> Mapping[str, Any] | None:
        """What the folder was when it was last scanned, or None if it never was."""
        row = self._database.one("root_by_path", path=os.fsencode(path))
        if row is None or row["identity"] is None:
            return None
        identity: Mapping[str, Any] = json.loads(row["identity"])
        return identity

    def keep_identity(self, root: int, identity: Mapping[str, Any]) -> None:
        """Remember what the folder is."""
        self._database.run("set_root_identity", id=root, identity=json.dumps(identity))

    def scanned(self, root: int) -> None:
        """A scan of the whole root ended."""
        self._database.run("set_root_scanned", id=root, at=stamp(self._clock.now()))

    def problem(self, root: int, text: str) -> None:
        """Why the root cannot be watched now; an empty text when it can."""
        with self._database.transaction():
            self._database.run("set_root_problem", id=root, problem=text)
            self._journal.write("root", root, "root.failed" if text else "root.recovered", problem=text)

    def keep_mode(self, root: int, mode: str) -> None:
        """How the root is watched: by events, or why it is only scanned."""
        self._database.run("set_root_mode", id=root, mode=mode)

    def state(self, path: Path) -> tuple[str, str]:
        """The problem and the mode of a root, for people."""
        row = self._database.one("root_by_path", path=os.fsencode(path))
        return ("", "") if row is None else (row["problem"], row["mode"])

    def scanned_at(self, path: Path) -> str | None:
        """When the last whole scan ended."""
        row = self._database.one("root_by_path", path=os.fsencode(path))
        return None if row is None else row["scanned_at"]
