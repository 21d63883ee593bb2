"""How SQLite answers the queries that are asked all the time: by an index, whatever the store holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from daemon.clock import ManualClock
from daemon.store.database import named_queries
from daemon.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

ASKED_FOR_EVERY_FILE = (
    "due_delivery", "next_due", "next_ready_dataset", "owed_delivery", "retry_waiting", "datasets_in_work", "deliveries_in_work", "undelivered_of_dataset",
    "file", "file_by_path", "files_in_folder", "files_by_inode", "dataset_by_key", "dataset_open_members", "dataset_settled_members",
    "steps", "session_by_key", "file_was_sent", "open_delivery_counts",
)  # fmt: skip
COUNTED_NOW_AND_THEN = ("file_counts", "dataset_counts", "delivery_counts")


@pytest.fixture
def plans(tmp_path: Path) -> dict[str, str]:
    """What SQLite would do for each of them."""
    store = open_store(tmp_path, "bench", ManualClock())
    queries = named_queries("daemon.store", "queries.sql")
    found = {}
    for name in (*ASKED_FOR_EVERY_FILE, *COUNTED_NOW_AND_THEN, "files_of_dataset"):
        parameters = dict.fromkeys(re.findall(r":([a-z]\w*)", queries[name]))
        rows = store.database.select(f"EXPLAIN QUERY PLAN {queries[name]}", parameters)
        found[name] = "; ".join(row["detail"] for row in rows)
    store.close()
    return found


def test_what_is_asked_for_every_file_reads_only_what_it_needs(plans: dict[str, str]) -> None:
    """No such query reads a whole table or sorts one: with 100,000 files each of them would take longer than the work."""
    slow = {
        name: plans[name]
        for name in ASKED_FOR_EVERY_FILE
        if re.search(r"\bSCAN (?!\(subquery)|TEMP B-TREE", plans[name])
    }
    assert not slow


def test_members_are_found_by_their_dataset(plans: dict[str, str]) -> None:
    """Of the indexes that fit, SQLite takes the one that leads to a handful of rows."""
    for name in ("dataset_open_members", "dataset_settled_members", "files_of_dataset"):
        assert "files_members" in plans[name]


def test_counting_reads_an_index_and_no_rows(plans: dict[str, str]) -> None:
    """The counts that status shows every few seconds are read from an index."""
    assert all(
        "USING COVERING INDEX" in plans[name] or "USING INDEX" in plans[name] for name in COUNTED_NOW_AND_THEN
    ), plans
