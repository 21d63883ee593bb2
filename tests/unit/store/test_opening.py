"""The store's file: migrations, its one owner, its one instrument, and what the disk does to it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.clock import ManualClock
from daemon.errors import StateError
from daemon.model import DatasetId, Digests, FileState, Fingerprint, RecordThumbnail, SessionEvidence
from daemon.store.database import Database, IntegrityError
from daemon.store.opening import STORE_NAME, Ownership, Store, open_store, visit_store

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = ManualClock()
BIG = Fingerprint(2**40, 1_700_000_000_123_456_789, 5, 2**64 - 1, 2**63)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    made = open_store(tmp_path, "bench", CLOCK)
    yield made
    made.close()


def test_an_empty_folder_gets_the_whole_schema(store: Store) -> None:
    """Every table is STRICT, the log is written ahead and synchronised, and the schema's number is that of its scripts."""
    tables = store.database.select(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
    )
    assert {row["name"] for row in tables} >= {
        "files",
        "datasets",
        "sessions",
        "deliveries",
        "steps",
        "journal",
        "roots",
    }
    assert {row["strict"] for row in tables} == {1}
    scripts = list((Path(__file__).parents[3] / "daemon" / "store" / "migrations").glob("*.sql"))
    with store.database.transaction():  # what counts is the connection that writes
        found = [
            store.database.select(f"PRAGMA {name}")[0][0]
            for name in ("user_version", "journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == [len(scripts), "wal", 2, 1]


def test_opening_again_changes_nothing(tmp_path: Path, store: Store) -> None:
    """A second start finds what the first one left."""
    root = store.roots.add(Path("/data"))
    store.files.discover(root, "x.dat", BIG)
    store.close()
    again = open_store(tmp_path, "bench", CLOCK)
    row = again.files.by_path(root, "x.dat")
    assert row is not None
    assert (row.fingerprint, row.state) == (BIG, FileState.SEEN)
    again.close()


def test_a_store_from_before_child_datasets_keeps_its_pictures(tmp_path: Path) -> None:
    """Pictures that were kept before a child could have any are the dataset's own; a reader that comes first sees them too."""
    scripts = sorted((Path(__file__).parents[3] / "daemon" / "store" / "migrations").glob("*.sql"))
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript("".join(script.read_text("utf-8") for script in scripts[:3]))
        old.execute(
            "INSERT INTO datasets (id, kind, session, state, first_seen) VALUES (7, 'session', NULL, 'ready', '')"
        )
        old.execute("INSERT INTO thumbnails VALUES (7, 0, 'a.png', 'a', 1, 1, '0', x'00')")
        old.execute("PRAGMA user_version = 3")
    expected = (RecordThumbnail("a.png", "a", 1, 1, "0", b"\0"),)
    visitor = visit_store(tmp_path, CLOCK)
    assert visitor.datasets.thumbnails(DatasetId(7)) == expected
    visitor.close()
    owner = open_store(tmp_path, "bench", CLOCK)
    assert owner.datasets.thumbnails(DatasetId(7)) == expected
    owner.datasets.keep_thumbnails(DatasetId(7), [*expected, replace(expected[0], part="S01")])
    assert [one.part for one in owner.datasets.thumbnails(DatasetId(7))] == ["", "S01"]
    owner.close()


def test_a_store_of_a_newer_program_is_not_touched(tmp_path: Path, store: Store) -> None:
    """An older labferry says so instead of guessing."""
    with store.database.transaction():
        store.database.select("PRAGMA user_version = 999")
    store.close()
    with pytest.raises(StateError, match="newer labferry"):
        open_store(tmp_path, "bench", CLOCK)


def test_a_constraint_takes_the_whole_transaction_back(tmp_path: Path) -> None:
    """What came before the row that the schema refuses is not there either."""
    database = Database(tmp_path / "x.sqlite", "daemon.store")
    with pytest.raises(IntegrityError):
        _both(database)
    assert database.select("SELECT * FROM facts") == []
    database.close()


def test_another_instruments_state_folder_is_refused(tmp_path: Path, store: Store) -> None:
    """Two instruments never share a store; the file can be opened by its own one right after."""
    store.close()
    with pytest.raises(StateError, match="belongs to the instrument bench, not to other"):
        open_store(tmp_path, "other", CLOCK)
    open_store(tmp_path, "bench", CLOCK).close()


def test_a_second_owner_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    """One process owns a state folder; the kernel gives it back when that process dies."""
    program = (
        "import sys, pathlib; from daemon.store.opening import Ownership;"
        " owner = Ownership(pathlib.Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, os.fspath(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        with pytest.raises(StateError, match="Another labferry already runs"):
            Ownership(tmp_path)
        other.kill()
    with Ownership(tmp_path) as owner, pytest.raises(StateError):
        owner.move(tmp_path)


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to look at" * 30, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_damaged_store_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """What is no database is kept and named, not overwritten."""
    (tmp_path / STORE_NAME).write_bytes(content)
    with pytest.raises(StateError, match="damaged"):
        open_store(tmp_path, "bench", CLOCK)
    assert (tmp_path / STORE_NAME).read_bytes() == content


def test_a_visitor_needs_a_store_and_may_not_write(tmp_path: Path) -> None:
    """`status` and the like read beside the daemon; there is nothing to read before the first run."""
    with pytest.raises(StateError, match="no store"):
        visit_store(tmp_path, CLOCK)
    owner = open_store(tmp_path, "bench", CLOCK)
    visitor = visit_store(tmp_path, CLOCK)
    owner.roots.add(Path("/data"))
    assert visitor.roots.find(Path("/data")) is not None
    with pytest.raises(StateError, match="may not write"):
        visitor.roots.add(Path("/other"))
    visitor.close()
    owner.close()


def test_the_owner_notices_that_another_process_wrote(tmp_path: Path, store: Store) -> None:
    """Its own writes do not change the number, those of a visitor do."""
    before = store.database.data_version()
    store.roots.add(Path("/mine"))
    assert store.database.data_version() == before
    visitor = visit_store(tmp_path, CLOCK, write=True)
    visitor.roots.add(Path("/theirs"))
    visitor.close()
    assert store.database.data_version() != before


def test_only_one_session_is_opened_by_hand(store: Store) -> None:
    """The schema itself keeps a second one out."""
    now = CLOCK.now()
    store.sessions.open(SessionEvidence.PERSON, "opened:1", "one", {}, now)
    store.sessions.open(SessionEvidence.PERSON, "session.yaml:run", "note", {}, now)
    with pytest.raises(IntegrityError):
        store.sessions.open(SessionEvidence.PERSON, "opened:2", "two", {}, now)


@pytest.mark.parametrize(
    "path",
    [b"\xff\xfe.dat", b"a\nb/\xc3\x28.h5", b"x" * 255, b"\xff" * 255, "Größe/µ.dat".encode(), b"a/\xff\xff/\xff"],
)
def test_any_bytes_are_a_path(store: Store, path: bytes) -> None:
    """Names come back as they went in, by path, by folder and by beginning."""
    root, name = store.roots.add(Path("/data")), os.fsdecode(path)
    file = store.files.discover(root, name, BIG)
    folder, _, last = name.rpartition("/")
    assert store.files.is_present(root, name)
    assert list(store.files.in_folder(root, folder)) == [last]
    for length in range(len(name) + 1):
        assert store.files.under(root, name[:length]) == [name]
    assert store.files.under(root, name + "\udcff") == []
    row = store.files.get(file)
    assert row is not None
    assert row.path == name


def test_numbers_of_64_bits_without_a_sign_are_kept(store: Store) -> None:
    """Inodes and devices of network shares use the whole range; a rename is found by them."""
    root = store.roots.add(Path("/data"))
    file = store.files.discover(root, "x.dat", BIG)
    row = store.files.get(file)
    assert row is not None
    assert row.fingerprint == BIG
    assert [one.id for one in store.files.by_inode(root, BIG)] == [file]
    assert store.files.in_folder(root, "")["x.dat"].fingerprint == BIG


def test_the_same_beginning_in_other_folders_is_not_confused(store: Store) -> None:
    """`under` means the path's text: names that begin so, folders that begin so, nothing else, nothing twice."""
    root = store.roots.add(Path("/data"))
    paths = ["X.h5", "X.h5_images/1.png", "X.h5.JPG", "X", "Y/X.h5", "X/y", "W", "X.h5\udcff"]
    for path in paths:
        store.files.discover(root, path, BIG)
    for prefix in ("", "X", "X.h5", "X.h5_images/", "X/", "Y/X", "Z"):
        assert sorted(store.files.under(root, prefix)) == sorted(path for path in paths if path.startswith(prefix))


def test_a_beginning_is_a_range_of_the_index(store: Store) -> None:
    """Neither part of the query reads a folder or the table: the plan searches by folder and name."""
    queries = (Path(__file__).parents[3] / "daemon" / "store" / "queries.sql").read_text("utf-8")
    query = queries.split("-- name: files_under\n")[1].split("\n\n-- name:")[0]
    plan = [
        row["detail"]
        for row in store.database.select(
            f"EXPLAIN QUERY PLAN {query}",
            {"root": 1, "folder": b"", "beginning": b"X", "beginning_end": b"Y", "prefix": b"X", "prefix_end": b"Y"},
        )
    ]
    searches = [detail for detail in plan if detail.startswith("SEARCH")]
    assert "(root=? AND folder=? AND name>? AND name<?)" in searches[0]
    assert "(root=? AND folder>? AND folder<?)" in searches[1]
    assert not any(detail.startswith("SCAN") for detail in plan)


def test_a_settled_file_has_its_hash(store: Store) -> None:
    """The schema keeps a file from counting as complete without one."""
    root = store.roots.add(Path("/data"))
    file = store.files.discover(root, "x.dat", BIG)
    store.files.settling(file, BIG, "new")
    with pytest.raises(IntegrityError):
        store.database.run("set_file_state", id=file, state=FileState.SETTLED, reason="")
    store.files.settle(file, BIG, Digests("0" * 64, 1, 2, (3, 4)), version=1, note="")
    row = store.files.get(file)
    assert row is not None
    assert row.digests == Digests("0" * 64, 1, 2, (3, 4))


def test_every_move_leaves_its_line(store: Store) -> None:
    """The journal tells a file's and a dataset's story in order."""
    root = store.roots.add(Path("/data"))
    file = store.files.discover(root, "x.dat", BIG)
    dataset = store.datasets.create(root, "x.dat")
    store.files.assign(file, dataset, "primary")
    store.files.settling(file, BIG, "new")
    store.files.settle(file, BIG, Digests("0" * 64, 1, 2, ()), version=1, note="")
    assert store.datasets.ready_if_settled(dataset)
    store.files.moved(file, "y\udcff.dat")
    assert [line.event for line in store.journal.of("file", file)] == [
        "file.seen", "file.grouped", "file.settling", "file.settled", "file.moved",
    ]  # fmt: skip
    assert [line.event for line in store.journal.of("dataset", dataset)] == ["dataset.waiting", "dataset.ready"]


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    """An error in the middle takes back what came before, also in nested use."""
    root = store.roots.add(Path("/data"))
    with pytest.raises(KeyError):
        _discover_and_fail(store, root)
    assert store.files.by_path(root, "x.dat") is None
    assert store.journal.recent(10) == []


def test_a_dataset_that_a_person_gave_up_owes_nothing(store: Store) -> None:
    """Dropping a parked dataset forgets what is owed of it; dropping one that was never composed forgets it."""
    root = store.roots.add(Path("/data"))
    fresh, composed = store.datasets.create(root, "a"), store.datasets.create(root, "b")
    for state in ("ready", "extracting"):
        store.database.run("set_dataset_state", id=composed, state=state, reason="")
    store.datasets.compose(composed, unique_id="u", session=None, ingestor="i", record={}, thumbnails=())
    store.deliveries.put(composed, 1, "one", "")
    for dataset in (fresh, composed):
        store.datasets.park(dataset, "why")
        store.datasets.drop(dataset)
    assert store.datasets.get(fresh) is None
    assert store.deliveries.of_dataset(composed) == []
    assert store.datasets.parked() == []
    assert store.datasets.in_work() == 0


def _both(database: Database) -> None:
    with database.transaction():
        database.select("INSERT INTO facts VALUES ('a', '1')")
        database.select("INSERT INTO facts VALUES ('a', '2')")


def _discover_and_fail(store: Store, root: int) -> None:
    with store.database.transaction():
        store.files.discover(root, "x.dat", BIG)
        with store.database.transaction():
            store.datasets.create(root, "x.dat")
        raise KeyError
