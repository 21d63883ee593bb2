"""Writers that share one commit: each is all or nothing, on disk when it returns, whatever the others do."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from daemon.errors import StateError
from daemon.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

THREADS = 8
ROUNDS = 40


class RefusedError(Exception):
    """A body that fails on purpose."""


def refuse(fails: bool) -> None:  # noqa: FBT001 a coin that was thrown
    """Fail if it is so decided."""
    if fails:
        raise RefusedError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """An empty store."""
    return Database(tmp_path / "store.sqlite", "daemon.store")


def facts(database: Database) -> dict[str, str]:
    """What another connection sees: only what is committed."""
    return {row["key"]: row["value"] for row in database.select("SELECT key, value FROM facts")}


def test_each_writer_sees_its_work_committed_and_a_failed_one_leaves_nothing(database: Database) -> None:
    """Threads that write at the same time, a third of them failing in the middle: exactly the others' work is there."""
    expected: dict[str, str] = {}
    problems: list[str] = []
    lock = threading.Lock()

    def write(thread: int) -> None:
        chance = random.Random(thread)
        for number in range(ROUNDS):
            key, fails = f"{thread}/{number}", chance.random() < 0.33
            try:
                with database.transaction():
                    database.run("set_fact", key=key, value="first")
                    with database.transaction():
                        database.run("set_fact", key=key, value="second")
                    refuse(fails)
            except RefusedError:
                pass
            seen = facts(database).get(key)
            if seen != (None if fails else "second"):
                problems.append(f"{key}: {seen}")
            if not fails:
                with lock:
                    expected[key] = "second"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert facts(database) == expected
    database.close()


def test_writers_that_wait_for_each_other_share_a_commit(database: Database) -> None:
    """While one writer is at work, those that come meanwhile are committed together with it."""
    inside, others = threading.Event(), 5
    commits: list[str] = []
    database._connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)

    def first() -> None:
        with database.transaction():
            inside.set()
            database.run("set_fact", key="first", value="1")
            while database._waiting < others:
                threading.Event().wait(0.001)

    def later(number: int) -> None:
        inside.wait()
        database.run("set_fact", key=str(number), value="1")

    threads = [threading.Thread(target=first), *(threading.Thread(target=later, args=(n,)) for n in range(others))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(facts(database)) == others + 1
    assert len(commits) == 1
    database.close()


def test_a_commit_that_fails_fails_for_everybody_who_shared_it(database: Database) -> None:
    """When the disk refuses the commit, every writer of the batch hears of it, and the store works again afterwards."""
    inside = threading.Event()
    heard: list[str] = []

    def write(key: str, wait_for: int) -> None:
        try:
            with database.transaction():
                inside.set()
                database.run("set_fact", key=key, value="1")
                while database._waiting < wait_for:
                    threading.Event().wait(0.001)
                if not wait_for:
                    database._connection.execute("ROLLBACK")  # as SQLite does by itself on a full disk
        except StateError as error:
            heard.append(error.message)

    threads = [threading.Thread(target=write, args=("first", 1)), threading.Thread(target=write, args=("second", 0))]
    threads[0].start()
    inside.wait()
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(heard) == 2
    assert facts(database) == {}
    database.run("set_fact", key="later", value="1")
    assert facts(database) == {"later": "1"}
    database.close()


def test_what_is_deferred_counts_once_it_is_settled(database: Database) -> None:
    """Pieces of one thread share a commit: nobody sees them before `settle`, everybody after it; a failed one leaves nothing."""
    batches = []
    for number in range(3):
        with database.deferred() as batch:
            database.run("set_fact", key=str(number), value="1")
        batches.append(batch)

    def failing() -> None:
        with database.deferred() as batch:
            batches.append(batch)
            database.run("set_fact", key="refused", value="1")
            raise RefusedError

    with pytest.raises(RefusedError):
        failing()
    assert len(set(batches)) == 1
    assert facts(database) == {}
    database.settle(batches[0])
    assert facts(database) == dict.fromkeys("012", "1")
    database.settle(batches[0])
    database.close()


def test_a_writer_that_joins_what_is_deferred_commits_it(database: Database) -> None:
    """A transaction of anybody brings what was deferred before it to the disk along with its own."""
    with database.deferred() as batch:
        database.run("set_fact", key="deferred", value="1")
    database.run("set_fact", key="own", value="1")
    assert facts(database) == {"deferred": "1", "own": "1"}
    database.settle(batch)
    database.close()


def test_a_deferred_piece_hears_that_its_commit_failed(database: Database) -> None:
    """When the disk refuses, `settle` raises for the batch and nothing of it was kept."""
    with database.deferred() as batch:
        database.run("set_fact", key="lost", value="1")
    database._connection.execute("ROLLBACK")  # as SQLite does by itself on a full disk
    with pytest.raises(StateError):
        database.settle(batch)
    assert facts(database) == {}
    database.run("set_fact", key="later", value="1")
    assert facts(database) == {"later": "1"}
    database.close()


def test_only_what_is_durable_waits_for_the_disk(database: Database) -> None:
    """A passing batch commits under synchronous NORMAL; a durable writer never joins it but begins its own under FULL."""
    with database.deferred(durable=False) as passing:
        database.run("set_fact", key="passing", value="1")
    assert not passing.durable
    with database.deferred() as durable:
        database.run("set_fact", key="durable", value="1")
        assert database._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert durable is not passing
    assert facts(database) == {"passing": "1"}
    with database.deferred(durable=False) as joined:
        database.run("set_fact", key="joined", value="1")
    assert joined is durable
    for batch in (passing, durable):
        database.settle(batch)
    assert set(facts(database)) == {"passing", "durable", "joined"}
    database.close()
