"""Files made to hurt and ingestors gone mad, through the whole daemon: everything is delivered, and the daemon works on."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.fakes.hostile import HOSTILE, secrets
from tests.harness import Catalog, Daemon, configuration

pytestmark = pytest.mark.timeout(300)

TROUBLESOME = Path(__file__).parents[1] / "fakes" / "troublesome"
DEEDS = {
    "segfault": "it crashed (SIGSEGV)",
    "abort": "it crashed (SIGABRT)",
    "hang": "it took longer than",
    "bytes_bomb": "it needed more memory than it may have",
    "garbage": "it disturbed the channel to the daemon",
    "vanish": "it ended by itself",
    "raise": "ZeroDivisionError",
}


LONG = {"columns.csv", "crowd.h5", "endless.h5"}
"""Read within seconds of processor time: tests/faults/test_hostile_files.py waits for them."""


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_hostile_files_and_mad_ingestors_cost_no_file(tmp_path: Path) -> None:
    """Each file arrives with its bytes, each failure is on the record with its reason, and the daemon ends in order."""
    config = configuration(
        tmp_path,
        settle={"quiet": "100ms", "empty": "200ms", "broken": "200ms"},
        datasets={"companions": []},
        extract={"timeout": "3s", "memory": "1GiB"},
    )
    data = tmp_path / "data"
    secrets(data)
    for hostile in HOSTILE:
        if hostile.name not in LONG:
            hostile.make(data / hostile.name)
    for deed in ("chatter", *DEEDS):
        (data / f"{deed}.trouble").write_text(deed)
    expected = {path.name: digest(path) for path in data.iterdir()}
    paths = os.pathsep.join([str(TROUBLESOME), *filter(None, [os.environ.get("PYTHONPATH")])])
    daemon = Daemon(config, environment={"PYTHONPATH": paths}).start("--once")
    assert daemon.wait(240) == 0, daemon.raw[-5:]
    failed = {event["path"]: event["reason"] for event in daemon.named("ingestor.failed")}
    for deed, reason in DEEDS.items():
        assert reason in failed[f"{deed}.trouble"]
    assert "chatter.trouble" not in failed
    assert not daemon.named("loop.failed")
    assert not daemon.named("dataset.parked")
    with Catalog(tmp_path / "catalog") as catalog:
        arrived = {
            file["filename"]: hashlib.sha256(catalog.download(file["mfid"])).hexdigest() for file in catalog.all_files()
        }
    assert arrived == expected
