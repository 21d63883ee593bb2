"""Opening SQLite the way a promise needs it: WAL, synchronous FULL, STRICT tables, numbered migrations, named queries.

The only module that imports sqlite3. The instrument's store and the embedded catalog both stand on it.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import StateError
from daemon.store.diagnosis import DAMAGED, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Row = sqlite3.Row
IntegrityError = sqlite3.IntegrityError

_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_MIGRATION: Final = re.compile(r"(\d{4})_\w+\.sql")
_BUSY_SECONDS: Final = 30.0
_BATCH_MOST: Final = 64
"""Transactions for each commit at the most, so that the first of them need not wait for ever."""


def named_queries(package: str, filename: str) -> dict[str, str]:
    """Read a .sql file of the package: each query stands below a line `-- name: its_name`."""
    text = resources.files(package).joinpath(filename).read_text("utf-8")
    pieces = _NAME.split(text)
    names, bodies = pieces[1::2], pieces[2::2]
    if len(set(names)) != len(names):
        message = f"{package}/{filename}: a query name stands twice"
        raise ValueError(message)
    return {name: body.strip() for name, body in zip(names, bodies, strict=True)}


class Batch:
    """Transactions that share one COMMIT, and so one wait for the disk. `durable`: it does wait for the disk."""

    def __init__(self, *, durable: bool) -> None:
        self.size = 0
        self.durable = durable
        self.ended = threading.Event()
        self.error: sqlite3.Error | None = None


class Database:
    """One SQLite file, shared by threads: one connection that writes, one that reads what is committed.

    A commit waits for the disk, which takes longer than everything else. So writers that come while another one is at
    work share its commit: each transaction is a savepoint, the last writer in the row commits for all, and each returns
    when its work is on the disk. Raises StateError, with a sentence for a person, for everything that the disk can do.
    """

    def __init__(self, path: Path, package: str, queries: str = "queries.sql", *, read_only: bool = False) -> None:
        """Open (and create) the file, apply the migrations found in `package`/migrations."""
        self.path = path
        self._queries = named_queries(package, queries)
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._owner: int | None = None
        self._batch: Batch | None = None
        self._waits = True
        with self._explained():
            self._connection = _open(path, read_only=read_only)
            try:
                if not read_only:
                    self._migrate(package)
                self._reader = self._connection if read_only else _open(path, read_only=True)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the connections; SQLite folds the write-ahead log into the file."""
        with self._writing, self._reading:
            self._reader.close()
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it returns. Nested use joins the outer transaction."""
        if self._owner == threading.get_ident():
            yield
            return
        with self._explained():
            batch = self._enter()
            try:
                yield
            except BaseException as failure:
                self._leave(batch, failure)
                raise
            self._leave(batch, None)
            batch.ended.wait()
            if batch.error is not None:
                raise batch.error

    @contextlib.contextmanager
    def deferred(self, *, durable: bool = True) -> Iterator[Batch]:
        """As `transaction`, for a thread that has more to write before it waits for the disk.

        What was done counts once `settle` returned for the batch, which has to be called whatever happens here. Not
        `durable`: a crash of the machine (not of this process) may undo it, until the next commit that is.
        """
        with self._explained():
            batch = self._enter(durable=durable)
            try:
                yield batch
            except BaseException as failure:
                self._leave(batch, failure, deferred=True)
                raise
            self._leave(batch, None, deferred=True)

    def settle(self, batch: Batch) -> None:
        """Bring what was deferred to the disk, unless another writer of the batch did. Raises StateError: nothing of it was kept."""
        with self._explained():
            with self._writing:
                if not batch.ended.is_set():
                    try:
                        self._commit(batch)
                    except sqlite3.Error as error:
                        self._undo(batch, error)
            if batch.error is not None:
                raise batch.error

    def run(self, name: str, /, **parameters: Any) -> int:
        """Run a named query; the number of rows it changed."""
        with self.transaction():
            return self._connection.execute(self._queries[name], parameters).rowcount

    def run_many(self, name: str, /, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a named query once for each row of parameters."""
        with self.transaction():
            self._connection.executemany(self._queries[name], rows)

    def insert(self, name: str, /, **parameters: Any) -> int:
        """Run a named INSERT; the new row's id."""
        with self.transaction():
            return int(self._connection.execute(self._queries[name], parameters).lastrowid or 0)

    def one(self, name: str, /, **parameters: Any) -> Row | None:
        """The first row of a named query, or None."""
        with self._looking() as connection:
            row: Row | None = connection.execute(self._queries[name], parameters).fetchone()
            return row

    def all(self, name: str, /, **parameters: Any) -> list[Row]:
        """Every row of a named query."""
        with self._looking() as connection:
            return connection.execute(self._queries[name], parameters).fetchall()

    def select(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Every row of a query that code put together (filters of a listing); values only through parameters."""
        with self._looking() as connection:
            return connection.execute(sql, parameters).fetchall()

    def data_version(self) -> int:
        """A number that changes when another process wrote to the file."""
        with self._writing, self._explained():
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def back_up(self, target: Path) -> None:
        """Write a whole, compact copy of what is committed now to a file that is not there yet; nobody waits for it.

        Raises StateError.
        """
        with self._explained():
            connection = _open(self.path, read_only=True)
            try:
                connection.execute("VACUUM INTO ?", (str(target),))
            finally:
                connection.close()

    def _enter(self, *, durable: bool = True) -> Batch:
        """Wait for our turn to write, and begin a batch if none is open that does for the disk what ours needs."""
        with self._counting:
            self._waiting += 1
        self._writing.acquire()
        with self._counting:
            self._waiting -= 1
        try:
            if self._batch is not None and durable and not self._batch.durable:
                self._commit(self._batch)
            if self._batch is None:
                self._batch = self._begin(durable=durable)
            self._connection.execute("SAVEPOINT writer")
        except BaseException as failure:
            if self._batch is not None:  # those who count on us to commit must hear of it
                self._undo(self._batch, _told_by_sqlite(failure) or sqlite3.OperationalError(str(failure)))
            self._writing.release()
            raise
        self._owner = threading.get_ident()
        return self._batch

    def _leave(self, batch: Batch, failure: BaseException | None, *, deferred: bool = False) -> None:
        """End our part, undone if it failed; if nobody waits to write, and nobody promised to settle, commit for all."""
        try:
            if not self._connection.in_transaction:  # SQLite undid the whole batch itself: a full disk
                told = None if failure is None else _told_by_sqlite(failure)
                raise told or sqlite3.OperationalError("the transaction was rolled back")
            if failure is not None:
                self._connection.execute("ROLLBACK TO writer")
            self._connection.execute("RELEASE writer")
            batch.size += 1
            with self._counting:
                last = self._waiting == 0 or batch.size >= _BATCH_MOST
            if last and not deferred:
                self._commit(batch)
        except sqlite3.Error as error:
            self._undo(batch, error)
        finally:
            self._owner = None
            self._writing.release()

    def _commit(self, batch: Batch) -> None:
        self._connection.execute("COMMIT")
        self._end(batch, None)

    def _begin(self, *, durable: bool) -> Batch:
        """Begin a batch. SQLite lets nobody choose within a transaction whether it waits for the disk."""
        if durable != self._waits:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._waits = durable
        self._connection.execute("BEGIN IMMEDIATE")
        return Batch(durable=durable)

    def _undo(self, batch: Batch, error: sqlite3.Error) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._end(batch, error)

    def _end(self, batch: Batch, error: sqlite3.Error | None) -> None:
        self._batch = None
        batch.error = error
        batch.ended.set()

    @contextlib.contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        """The connection to read with: our own unfinished transaction, or what is committed."""
        with self._explained():
            if self._owner == threading.get_ident():
                yield self._connection
            else:
                with self._reading:
                    yield self._reader

    def _migrate(self, package: str) -> None:
        folder = resources.files(package).joinpath("migrations")
        names = sorted(entry.name for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name))
        with self._writing:
            version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            if version > len(names):
                raise StateError(
                    f"{self.path} was written by a newer labferry (schema {version}, this one knows {len(names)}).",
                    "Install that version again, or point `state:` to another folder.",
                )
            for number, name in enumerate(names[version:], start=version + 1):
                script = folder.joinpath(name).read_text("utf-8")
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite reports of the disk into a sentence; constraint violations stay what they are."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise explain(_code(error), str(error), self.path) from error


def unsound(path: Path) -> str | None:
    """What SQLite finds wrong with a database file, or None. Reads every page once; changes nothing."""
    try:
        connection = _open(path, read_only=True)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return str(error) if _code(error).startswith(DAMAGED) else None
    return None if found == "ok" else str(found)


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "?mode=rwc")
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        for pragma in ("foreign_keys = ON", "temp_store = MEMORY", "cache_size = -8000"):
            connection.execute(f"PRAGMA {pragma}")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _told_by_sqlite(failure: BaseException) -> sqlite3.Error | None:
    """The error of SQLite behind a failure, if there is one."""
    for error in (failure, failure.__cause__):
        if isinstance(error, sqlite3.Error):
            return error
    return None


def _code(error: sqlite3.Error) -> str:
    """SQLite's name for an error, as `SQLITE_FULL`."""
    return getattr(error, "sqlite_errorname", "") or ""
