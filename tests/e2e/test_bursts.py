"""More files than events survive: the scan finds what inotify lost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from daemon.clock import SystemClock
from daemon.store.database import Database
from daemon.store.opening import Store, visit_store
from tests.harness import Daemon, configuration, eventually

if TYPE_CHECKING:
    from pathlib import Path


def create(folder: Path, start: int, count: int, folders: int) -> None:
    """Make `count` tiny files in `folders` nested new folders as fast as possible."""
    for number in range(start, start + count):
        place = folder / f"a{number % folders // 20}" / f"b{number % folders}"
        if number < start + folders:
            place.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place / f"{number}.dat", os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, b"%d\n" % number)
        os.close(descriptor)


def settled(store: Store) -> int:
    """How many files have settled."""
    return store.files.counts().get("settled", (0, 0))[0]


def burst(folder: Path, count: int, folders: int, seconds: float) -> None:
    """A burst, a burst while the daemon is stopped, and a tree that is moved in; then count."""
    config = configuration(folder, settle={"quiet": "100ms"})
    with Daemon(config) as daemon:
        daemon.wait_for("catalog.address")
        create(folder / "data", 0, count, folders)
        daemon.signal(signal.SIGSTOP)
        create(folder / "data", count, count, folders)
        create(folder / "elsewhere", 2 * count, count // 10, 20)
        daemon.signal(signal.SIGCONT)
        (folder / "elsewhere").rename(folder / "data" / "moved in")
        total = 2 * count + count // 10
        store = visit_store(folder / "state", SystemClock())
        eventually(lambda: settled(store) == total, f"{total} settled files", seconds, every=0.5)
        eventually(
            lambda: not store.datasets.in_work() and not store.deliveries.in_work(),
            "the last delivery",
            seconds,
            every=0.5,
        )
        rows = store.database.select(
            "SELECT COUNT(*) AS n, COUNT(DISTINCT unique_id) AS ids FROM datasets WHERE kind = 'measurement'"
        )
        store.close()
        assert (rows[0]["n"], rows[0]["ids"]) == (total, total)
        assert len(daemon.named("file.settled")) == total
    catalog = Database(folder / "catalog" / "catalog.sqlite", "daemon.localcatalog", read_only=True)
    kept = catalog.select("SELECT COUNT(*) AS files, COUNT(DISTINCT sha256) AS hashes FROM files")
    catalog.close()
    assert (kept[0]["files"], kept[0]["hashes"]) == (total, total)


@pytest.mark.timeout(180)
def test_a_burst_misses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """200 files in 40 new folders, as many while the daemon is stopped, and a tree moved in: each is one dataset."""
    burst(tmp_path, 200, 40, 120)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_thousand_files_twice_miss_nothing(tmp_path: Path) -> None:
    """20,000 files in 400 nested new folders, and 20,000 more while the daemon is stopped: each is one dataset."""
    burst(tmp_path, 20_000, 400, 3000)
