"""A root with thousands of folders: rest costs nothing, and a new file is still heard at once."""

from __future__ import annotations

import itertools
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness import Bench, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = 6000
QUIET = 0.3


def cpu_seconds(process: int) -> float:
    """The CPU time that a process has used, user and system (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(process: int) -> list[int]:
    """The processes that this one started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A daemon on a root that has 6,000 folders already, all of them watched."""
    folder = tmp_path_factory.mktemp("many folders")
    for number in range(FOLDERS):
        (folder / "data" / f"run{number // 100}" / f"point{number:04}").mkdir(parents=True)
    with Bench(folder, settle={"quiet": f"{QUIET}s"}) as bench:
        eventually(lambda: [e for e in bench.daemon.named("watch.scanned") if e["folders"] > FOLDERS], "the first scan")
        numbers = itertools.count()
        eventually(lambda: _heard(bench, f"probe{next(numbers)}.dat"), "every watch", every=0)
        yield bench


def _heard(bench: Bench, name: str) -> bool:
    """Whether a new file is heard by events: the next whole scan is minutes away."""
    (bench.data / "run59" / "point5999" / name).write_bytes(name.encode())
    pause = threading.Event()
    return not pause.wait(2) and any(event["path"].endswith(name) for event in bench.daemon.named("file.settled"))


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_rest_costs_less_than_one_percent_of_a_core(bench: Bench) -> None:
    """With 6,000 watched folders and nothing to do, the daemon and its catalog stay under 1 % CPU over 20 seconds."""
    processes = [bench.daemon.process.pid, *children(bench.daemon.process.pid)]
    before = sum(map(cpu_seconds, processes))
    seconds = 20.0
    threading.Event().wait(seconds)
    used = sum(map(cpu_seconds, processes)) - before
    assert used < seconds / 100, f"{used:.2f} CPU seconds in {seconds:g} s"


@pytest.mark.timeout(150)
def test_a_new_file_among_thousands_of_folders_is_heard_at_once(bench: Bench) -> None:
    """A file in any old folder, and one in a folder made just now, settle within a second after their quiet period."""
    for path in ("run3/point0377/new.dat", "run59/point5998/deeper/still deeper/new.dat"):
        (bench.data / path).parent.mkdir(parents=True, exist_ok=True)
        (bench.data / path).write_bytes(path.encode())
        closed = time.monotonic()
        bench.daemon.wait_for("file.settled", path=path)
        assert time.monotonic() - closed < QUIET + 1.0
