"""Copies of the store: made while it is in use, kept in a small number, put back when the store is lost or damaged."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Final

from daemon.errors import StateError
from daemon.store.database import Database, unsound
from daemon.store.opening import STORE_NAME, UNASKED, state_error

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

FOLDER: Final = "backups"
_NAME: Final = re.compile(r"store-\d{8}T\d{6}Z\.sqlite")
_PARTS: Final = ("", "-wal", "-shm")


def backups(state: Path) -> list[Path]:
    """The backups in a state folder, newest first."""
    try:
        found = [path for path in (state / FOLDER).iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(found, key=lambda path: path.name, reverse=True)


def back_up(database: Database, state: Path, now: datetime, keep: int) -> Path:
    """Write a backup, see that it is sound, and remove all but the newest `keep`. Raises StateError.

    The copy appears under its name only when it is whole and on the disk.
    """
    folder = state / FOLDER
    target, beside = folder / f"store-{now:%Y%m%dT%H%M%SZ}.sqlite", folder / "unfinished"
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
        beside.unlink(missing_ok=True)
        database.back_up(beside)
        wrong = unsound(beside)
        if wrong is not None:
            raise StateError(f"The copy of {database.path} is damaged ({wrong}).", "See the disk's health (dmesg).")
        _synchronise(beside)
        beside.rename(target)
        _synchronise(folder)
        for old in backups(state)[max(1, keep) :]:
            old.unlink()
    except OSError as error:
        raise state_error(error, folder) from error
    return target


def set_aside(state: Path, now: datetime) -> Path:
    """Move the store that cannot be used into a folder of its own, so that nothing of it is lost. Raises StateError."""
    folder = state / f"damaged-{now:%Y%m%dT%H%M%SZ}"
    try:
        folder.mkdir(mode=0o750)
        for part in reversed(_PARTS):  # the store itself last: without it nothing looks whole
            path = state / (STORE_NAME + part)
            if path.exists():
                path.rename(folder / path.name)
        _synchronise(state)
    except OSError as error:
        raise state_error(error, state) from error
    return folder


def restore(state: Path, backup: Path) -> None:
    """Put a backup in the place of a store that is not there. Raises StateError if it is damaged or cannot be copied."""
    if not backup.is_file():
        raise StateError(f"There is no backup {backup}.", f"`ls {state / FOLDER}` shows those that are there.")
    wrong = unsound(backup)
    if wrong is not None:
        raise StateError(f"The backup {backup} is damaged ({wrong}).", "Name an older one with --from-backup.")
    beside = state / f"{STORE_NAME}.new"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o750)
        shutil.copyfile(backup, beside)
        _synchronise(beside)
        for part in _PARTS[1:]:  # those of another store would be replayed into this one
            (state / (STORE_NAME + part)).unlink(missing_ok=True)
        beside.rename(state / STORE_NAME)
        _synchronise(state)
    except OSError as error:
        raise state_error(error, state) from error


def newest_sound(state: Path) -> Path | None:
    """The newest backup that is whole and was not begun anew."""
    return next((path for path in backups(state) if unsound(path) is None and not began_anew(path)), None)


def began_anew(path: Path) -> bool:
    """Whether this store gave ids to what an earlier one may have delivered: a catalog could not be asked. Raises StateError."""
    database = Database(path, "daemon.store", read_only=True)
    try:
        row = database.one("fact", key=UNASKED)
        return row is not None and bool(row["value"])
    finally:
        database.close()


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
