"""The catalog's folder and what lives in it: the database (one writer, one reader), the content, the token, the lock."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.clock import Clock, SystemClock
from daemon.errors import StateError
from daemon.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE: Final = "daemon.localcatalog"
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True)
class LocalCatalog:
    """An open catalog. `database` writes; `reader` is a connection of its own, so that a long read delays no write."""

    folder: Path
    database: Database
    reader: Database
    token: str
    clock: Clock = field(default_factory=SystemClock)
    lock: int = -1

    @property
    def files(self) -> Path:
        """Where complete content lies."""
        return self.folder / "files"

    @property
    def uploads(self) -> Path:
        """Where content lies while it arrives."""
        return self.folder / "uploads"

    def now(self) -> str:
        """The wall time as the API writes it: ISO 8601, UTC, microseconds."""
        return self.clock.now().isoformat().replace("+00:00", "Z")

    def close(self) -> None:
        """Close the database and give the folder back."""
        self.reader.close()
        self.database.close()
        if self.lock >= 0:
            os.close(self.lock)


def open_catalog(folder: Path, clock: Clock | None = None) -> LocalCatalog:
    """Open the catalog in the folder, making what is missing. Raises StateError if that can't be done."""
    try:
        for path in (folder, folder / "files", folder / "uploads"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _take_lock(folder)
        token = read_token(folder)
    except OSError as error:
        raise StateError(
            f"The catalog's folder {folder} cannot be used: {error.strerror or error}.",
            "Make it writable for the user that runs labferry, or name another folder.",
        ) from error
    try:
        database = Database(folder / "catalog.sqlite", PACKAGE)
        reader = Database(folder / "catalog.sqlite", PACKAGE, read_only=True)
    except BaseException:
        os.close(lock)
        raise
    return LocalCatalog(folder, database, reader, token, clock or SystemClock(), lock)


def token_file(folder: Path) -> Path:
    """Where the token stands."""
    return folder / "token"


def read_token(folder: Path) -> str:
    """The catalog's token; made at the first start. Raises StateError if others could read it, OSError."""
    path = token_file(folder)
    if not path.exists():
        _write_token(path, secrets.token_urlsafe(_TOKEN_BYTES))
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StateError(
            f"The token in {path} can be read by other users (mode {stat.S_IMODE(mode):04o}).",
            f"Delete the file so that a new token is made, or run: chmod 600 {path}",
        )
    token = path.read_text("ascii", errors="replace").strip()
    if not token:
        raise StateError(f"{path} is empty.", "Delete the file; a new token is made at the next start.")
    return token


def _write_token(path: Path, token: str) -> None:
    """Write it beside and rename it, so that a crash leaves a whole token or none."""
    beside = path.with_name("token.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.rename(path)


def _take_lock(folder: Path) -> int:
    """One server per folder. The lock goes with the process, however it ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateError(
            f"The catalog in {folder} is already being served by another process.",
            "Use that one, or stop it first.",
        ) from None
    return descriptor
