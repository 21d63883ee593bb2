"""kill -9 at any moment: after the last start everything is in the catalog exactly once."""

from __future__ import annotations

import hashlib
import random
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests.harness import Catalog, Daemon, configuration

if TYPE_CHECKING:
    from pathlib import Path


def run_over_kills(folder: Path, files: int, kills: int, seed: int) -> None:
    """Deliver `files` small files with `kills` kills at random moments, then compare."""
    chance = random.Random(seed)
    config = configuration(folder, settle={"quiet": "50ms"})
    expected = []
    for number in range(files):
        path = folder / "data" / f"run{number % 7}" / f"scan_{number:04}.xy"
        path.parent.mkdir(exist_ok=True)
        text = "".join(f"{x} {number + x * x}\n" for x in range(40))
        path.write_text(text, "ascii")
        expected.append(hashlib.sha256(path.read_bytes()).hexdigest())
    pause = threading.Event()
    for _ in range(kills):
        daemon = Daemon(config).start()
        pause.wait(chance.uniform(0.3, 3.0))
        daemon.stop(signal.SIGKILL)
    assert Daemon(config).start("--once").wait(240) == 0
    with Catalog(folder / "catalog") as catalog:
        arrived = [file["sha256_hash"] for file in catalog.all_files()]
        assert len(arrived) == len(set(arrived)) == files
        assert sorted(arrived) == sorted(expected)
        datasets = catalog.measurements()
        assert len(datasets) == files
        for dataset in datasets:
            links = catalog.get(f"resources/{dataset['unique_id']}/links")
            assert len([link for link in links if link["relationship_type"] == "is_part_of"]) == 1
            thumbnails = catalog.get(f"datasets/{dataset['unique_id']}/thumbnails")
            names = [picture["thumbnail_name"] for picture in thumbnails]
            assert len(names) == len(set(names))


@pytest.mark.timeout(120)
def test_a_few_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Six kills at random moments over 80 files: each file, link and thumbnail is there once."""
    run_over_kills(tmp_path, files=80, kills=6, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Fifty kills at random moments over 500 files: each file, link and thumbnail is there once."""
    run_over_kills(tmp_path, files=500, kills=50, seed=2)
