"""Years of old data beside live work: all of it arrives once, live files pass, and nothing that ends it loses anything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_commands import as_json, labferry
from tests.harness import Bench, Catalog, configuration, eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)


def archive(folder: Path, count: int) -> Path:
    """Old files in one large folder and in small ones, with an excluded one between them."""
    old = folder / "archive"
    for number in range(count):
        path = old / ("flat" if number % 2 else f"year{number % 5}") / f"scan{number:04d}.xy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number} 1\n{number} 2\n")
    (old / "flat" / "left out.tmp").write_text("x")
    return old


def names(datasets: list[dict[str, Any]]) -> list[str]:
    """The measurements' names in order."""
    return sorted(str(one["dataset_name"]) for one in datasets)


@pytest.mark.slow
def test_a_backfill_without_a_daemon_is_resumed_after_a_kill(tmp_path: Path) -> None:
    """A dry run counts; killed in the middle and called again it delivers every file once; with its store lost, none twice."""
    config = configuration(tmp_path, settle={"quiet": "50ms"}, session={"parent": False})
    old = archive(tmp_path, 60)
    status, report = as_json("backfill", config, old, "--dry-run")
    assert (status, report["files"]) == (0, 60)
    assert not (tmp_path / "state").exists()
    command = [sys.executable, "-m", "daemon", "backfill", os.fspath(config), os.fspath(old)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:

        def under_way() -> bool:
            if not (tmp_path / "state" / "store.sqlite").exists():
                return False
            status, out, _ = labferry("status", config, "--json")
            return status == 0 and json.loads(out)["datasets"].get("delivered", 0) > 10

        eventually(under_way, "some delivered datasets")
        process.send_signal(signal.SIGKILL)
    assert as_json("backfill", config, old)[1]["delivered"] == 60
    expected = [f"scan{number:04d}" for number in range(60)]
    with Catalog(tmp_path / "catalog") as catalog:
        first = catalog.measurements()
    assert names(first) == expected
    assert as_json("verify", config, old)[1]["safe"] == 60
    shutil.rmtree(tmp_path / "state")
    assert labferry("rebuild", config)[0] == 0
    assert as_json("backfill", config, old)[0] == 0
    with Catalog(tmp_path / "catalog") as catalog:
        again = catalog.measurements()
    assert sorted(one["unique_id"] for one in again) == sorted(one["unique_id"] for one in first)


@pytest.mark.slow
def test_live_files_pass_old_ones(tmp_path: Path) -> None:
    """While a running daemon backfills, a live file is delivered long before the last old one, and both all arrive."""
    with Bench(tmp_path, settle={"quiet": "50ms"}, session={"parent": False}) as bench:
        old = archive(tmp_path, 240)
        with subprocess.Popen(
            [sys.executable, "-m", "daemon", "backfill", os.fspath(bench.config), os.fspath(old)]
        ) as command:
            eventually(lambda: len(bench.daemon.named("delivery.delivered")) > 20, "old files on their way")
            (bench.data / "live.xy").write_text("1 2\n")
            bench.daemon.wait_for("delivery.delivered", name="live")
            before = len(bench.daemon.named("delivery.delivered"))
            assert before < 200, "the live file came among the last"
            assert command.wait(120) == 0
        bench.daemon.wait_for("backfill.ended", path=os.fspath(old))
    with Catalog(tmp_path / "catalog") as catalog:
        assert names(catalog.measurements()) == sorted(["live", *(f"scan{number:04d}" for number in range(240))])


def test_folders_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    """A folder that is not there, one that is watched, one around a root or around labferry's own folders: one sentence each."""
    config = configuration(tmp_path)
    (tmp_path / "data" / "below").mkdir()
    for folder, word in (("nowhere", "no folder"), ("data/below", "watched"), (".", "lies in"), ("data", "watched")):
        status, _, said = labferry("backfill", config, tmp_path / folder)
        assert (status, word in said) == (1, True), said
