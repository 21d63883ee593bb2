"""The database allows exactly the moves of the transition tables."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from daemon.clock import ManualClock
from daemon.model import (
    DATASET_TRANSITIONS,
    DELIVERY_TRANSITIONS,
    FILE_TRANSITIONS,
    SESSION_TRANSITIONS,
    DatasetState,
    DeliveryState,
    FileState,
    SessionState,
)
from daemon.store.database import IntegrityError, Row
from daemon.store.opening import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import StrEnum
    from pathlib import Path

NEW_ROWS = {
    "files": (
        "INSERT INTO files (root, folder, name, state, size, mtime_ns, ctime_ns, inode, device, sha256, first_seen)"
        " VALUES (1, x'', x'61', ?, 0, 0, 0, 0, 0, '" + "0" * 64 + "', '') RETURNING id"
    ),
    "datasets": (
        "INSERT INTO datasets (kind, root, key, unique_id, record, state, first_seen)"
        " VALUES ('measurement', 1, x'62', 'id', '{}', ?, '') RETURNING id"
    ),
    "sessions": (
        "INSERT INTO sessions (evidence, key, name, state, started_at, ended_at, active_at)"
        " VALUES ('gap', 'k', 'n', ?, '', '', '') RETURNING id"
    ),
    "deliveries": (
        "INSERT INTO deliveries (dataset, revision, catalog, state, not_before, age, queued_at)"
        " VALUES (99, 1, 'c', ?, '', '', '') RETURNING id"
    ),
}


def change(store: Store, sql: str, *values: object) -> list[Row]:
    """Write as any program with SQLite could."""
    with store.database.transaction():
        return store.database.select(sql, values)


def moves() -> Iterator[tuple[str, StrEnum, StrEnum, bool]]:
    """Every pair of states of every table, and whether the move is allowed."""
    tables: list[tuple[str, type[StrEnum], Mapping[Any, frozenset[Any]]]] = [
        ("files", FileState, FILE_TRANSITIONS),
        ("datasets", DatasetState, DATASET_TRANSITIONS),
        ("sessions", SessionState, SESSION_TRANSITIONS),
        ("deliveries", DeliveryState, DELIVERY_TRANSITIONS),
    ]
    for table, states, transitions in tables:
        for old, new in itertools.product(states, states):
            yield table, old, new, old is new or new in transitions[old]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store with a root and a dataset that the other rows can point to."""
    made = open_store(tmp_path_factory.mktemp("state"), "bench", ManualClock())
    made.roots.add(tmp_path_factory.getbasetemp())
    change(
        made,
        "INSERT INTO datasets (id, kind, root, key, state, first_seen) VALUES (99, 'measurement', 1, x'63', 'waiting', '')",
    )
    yield made
    made.close()


@pytest.mark.parametrize(("table", "old", "new", "allowed"), list(moves()))
def test_the_triggers_are_the_tables(store: Store, table: str, old: StrEnum, new: StrEnum, *, allowed: bool) -> None:
    """A move that the table does not name is refused whoever tries it; one that it names is made."""
    (row,) = change(store, NEW_ROWS[table], old.value)
    try:
        if allowed:
            change(store, f"UPDATE {table} SET state = ? WHERE id = ?", new.value, row["id"])
            (after,) = store.database.select(f"SELECT state FROM {table} WHERE id = ?", (row["id"],))
            assert after["state"] == new.value
        else:
            with pytest.raises(IntegrityError, match="may not make this move"):
                change(store, f"UPDATE {table} SET state = ? WHERE id = ?", new.value, row["id"])
    finally:
        change(store, f"DELETE FROM {table} WHERE id = ?", row["id"])


def test_another_program_obeys_the_same_tables(tmp_path: Path) -> None:
    """The tables are in the file: a program that opens it without labferry is refused too."""
    store = open_store(tmp_path, "bench", ManualClock())
    expected = {
        (entity, old.value, new.value)
        for entity, table in (
            ("file", FILE_TRANSITIONS),
            ("dataset", DATASET_TRANSITIONS),
            ("session", SESSION_TRANSITIONS),
            ("delivery", DELIVERY_TRANSITIONS),
        )
        for old, news in table.items()
        for new in news
    }
    assert {tuple(row) for row in store.database.select("SELECT entity, old, new FROM transitions")} == expected
    store.close()
