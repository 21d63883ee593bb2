"""Programs that write slowly, rename, append, preallocate or map: no unfinished file is ever taken."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness import CatalogView, Daemon, configuration, eventually

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 3.0
"""How long each writer takes: ten times the quiet period of these tests."""

WRITERS = {
    "appending": """
for n in range(20):
    with open(path, "ab") as stream:
        stream.write(b"%d %d\\n" % (n, n * n)); stream.flush()
    pause(seconds / 20)
""",
    "renaming": """
with open(path + ".tmp", "wb") as stream:
    for n in range(20):
        stream.write(b"%d %d\\n" % (n, n * n)); stream.flush(); pause(seconds / 20)
os.rename(path + ".tmp", path)
""",
    "silent": """
stream = open(path, "wb")
stream.write(b"1 2\\n"); stream.flush(); pause(seconds); stream.write(b"3 4\\n"); stream.close()
""",
    "preallocating": """
stream = open(path, "wb")
os.posix_fallocate(stream.fileno(), 0, 40960)
for n in range(10):
    stream.seek(n * 4096); stream.write(bytes([n + 1]) * 4096); stream.flush(); pause(seconds / 10)
stream.close()
""",
    "mapping": """
import mmap
stream = open(path, "w+b"); stream.truncate(40960)
view = mmap.mmap(stream.fileno(), 40960); stream.close()
for n in range(10):
    view[n * 4096:(n + 1) * 4096] = bytes([n + 1]) * 4096; pause(seconds / 10)
view.close()
""",
}
PREAMBLE = """
import os, sys, threading
path, seconds = sys.argv[1], float(sys.argv[2])
pause = threading.Event().wait
"""


@pytest.mark.timeout(90)
def test_only_finished_files_are_taken_whatever_way_they_are_written(tmp_path: Path) -> None:
    """Each writer's file is one dataset with exactly its final bytes, and was never in the catalog with others."""
    config = configuration(tmp_path, settle={"quiet": "500ms"})
    with Daemon(config) as daemon:
        address = daemon.wait_for("catalog.address")
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PREAMBLE + code, os.fspath(tmp_path / "data" / f"{name}.dat"), str(SECONDS)]
            )
            for name, code in WRITERS.items()
        ]
        assert [process.wait(30) for process in processes] == [0] * len(processes)
        expected = {
            f"{name}.dat": hashlib.sha256((tmp_path / "data" / f"{name}.dat").read_bytes()).hexdigest()
            for name in WRITERS
        }
        with CatalogView(tmp_path / "catalog", address["page"].rstrip("/") + "/api/v3") as catalog:
            eventually(lambda: len(catalog.all_files()) >= len(WRITERS), "all the writers' files")
            arrived = catalog.all_files()
        assert expected == {file["filename"]: file["sha256_hash"] for file in arrived}
        assert len(arrived) == len(WRITERS)
        settled = {event["path"]: event["sha256"] for event in daemon.named("file.settled")}
        assert settled == expected
        assert len(daemon.named("file.settled")) == len(WRITERS)
