"""The daemon delivering to SciCat: a session, a death, a token that ends, a replay; and other catalogs while it is down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.httpserver import Reply, serve
from tests.fakes.scicat import PASSWORD
from tests.fakes.scicat_session import SECRET, arrived, measure, scicat, sitting
from tests.harness import Daemon, configuration, eventually


@pytest.mark.parametrize(
    ("generation", "count"),
    [("5", 12), *(pytest.param(generation, 30, marks=pytest.mark.slow) for generation in ("4", "5"))],
)
def test_a_session_arrives_exactly_once(tmp_path: Path, generation: str, count: int) -> None:
    """Datasets of 3 files, a kill -9 and two lost tokens in the middle, and a replay: exact counts, sizes, bytes, one picture each."""
    with sitting(tmp_path, generation, count) as done:
        found = arrived(done.fake)
        assert sorted(found) == sorted(done.written)
        for name, one in found.items():
            contents = done.written[name]
            assert (one.record["numberOfFiles"], one.record["size"]) == (3, sum(map(len, contents.values())))
            assert len(one.attachments) == 1
            assert one.record["datasetlifecycle"]["archivable"] is True
            copies = {path.name: path.read_bytes() for path in Path(one.record["sourceFolder"]).iterdir()}
            assert copies == contents
        parents = [one for one in done.fake.datasets.values() if not one.blocks]
        assert {tuple(one.record["inputDatasets"]) for one in found.values()} == {(parents[0].record["pid"],)}
        assert len(parents) == 1


@pytest.mark.parametrize("mode", ["in-place", pytest.param("copy", marks=pytest.mark.slow)])
def test_verify_tells_the_facility_s_own_copy_from_a_second_one(tmp_path: Path, mode: str) -> None:
    """In place: hashed, compared with the record, and never safe although another catalog has the bytes; copied: safe."""
    (tmp_path / "storage").mkdir()
    transfer = {"mode": mode, **({"to": str(tmp_path / "storage")} if mode == "copy" else {})}
    with scicat("4", transfer=transfer, path_map=[{"here": str(tmp_path), "there": "/facility"}]) as (fake, catalog):
        config = configuration(tmp_path, catalogs=[catalog, {"type": "local", "path": "catalog"}])
        measure(tmp_path / "data", 1)
        assert Daemon(config, environment=SECRET).start("--once").wait() == 0
        (there,) = arrived(fake).values()
        listed = there.blocks[0]["dataFileList"]
        wrong = next(item for item in listed if item["path"].endswith(".ini"))
        wrong["chk"] = "0" * 64
        command = [sys.executable, "-m", "daemon", "verify", str(config), "--json"]
        done = subprocess.run(command, capture_output=True, env={**os.environ, **SECRET}, check=False)
        told = {Path(one["path"]).name: one for one in json.loads(done.stdout)["files"]}
    assert done.returncode == 3
    assert told.pop(wrong["path"])["why"] == "scicat holds other bytes under its name"
    for name, one in told.items():
        assert one["safe"] == (mode == "copy")
        if mode == "in-place":
            words = "it is the facility's own copy: scicat lists it with this size and sha256 as /facility/data/"
            assert one["why"].startswith(words + name)


def test_a_scicat_that_is_down_or_slow_touches_no_other_catalog(tmp_path: Path) -> None:
    """Crucible and the embedded catalog get everything while one SciCat answers 503, one is silent and one is not there."""
    crucible, awake = FakeCrucible(), threading.Event()
    with scicat("5") as (fake, catalog), scicat("4") as (silent, silently), serve(crucible.answer) as url:
        fake.refuse = lambda _: Reply(503, b"", {"Content-Type": "text/plain", "Retry-After": "1"})
        silent.refuse = lambda _: None if awake.wait(60) else Reply(503)
        elsewhere = [
            catalog,
            {**silently, "name": "silent"},
            {"type": "local", "path": "catalog"},
            {"type": "crucible", "url": f"{url}/api/v3", "ingestion": "not_requested"},
            {**catalog, "name": "nowhere", "url": "http://127.0.0.1:9"},
        ]
        attributes = {"project_id": "MFP12345", "instrument_id": "hip-microscope"}
        config = configuration(tmp_path, catalogs=elsewhere, attributes=attributes, session={"parent": False})
        secrets = {**SECRET, "LABFERRY_SILENT_PASSWORD": PASSWORD, "LABFERRY_CRUCIBLE_API_KEY": KEY}
        try:
            with Daemon(config, environment=secrets) as daemon:
                for number in range(3):
                    measure(tmp_path / "data", number)
                for name in ("local", "crucible"):
                    eventually(
                        lambda name=name: (
                            sum(one["catalog"] == name for one in daemon.named("delivery.delivered")) >= 3
                        ),  # type: ignore[misc]
                        f"three deliveries to {name}",
                    )
                told = ("delivery.waiting", "catalog.down")  # whichever of several deliveries speaks first
                eventually(
                    lambda: [one for name in told for one in daemon.named(name) if one["catalog"] == "scicat"],
                    "the reason why nothing comes to SciCat",
                )
                assert (fake.datasets, silent.datasets) == ({}, {})
                awake.set()
                fake.refuse = lambda _: None
                eventually(lambda: len(arrived(fake)) == 3, "three datasets in SciCat", 60)
        finally:
            awake.set()


@pytest.mark.slow
def test_a_dataset_of_45000_files_arrives_exactly_once(tmp_path: Path) -> None:
    """A folder with 45,000 frames, a kill -9 in the middle of its lists: one dataset, 45,000 files, the exact size."""
    with scicat("5") as (fake, catalog):
        config = configuration(tmp_path, catalogs=[catalog], datasets={"folders": ["tomo_*"]})
        folder = tmp_path / "data" / "tomo_1"
        folder.mkdir()
        size = 0
        for number in range(45_000):
            content = f"frame {number}\n".encode()
            (folder / f"frame_{number:05}.raw").write_bytes(content)
            size += len(content)
        daemon = Daemon(config, environment=SECRET).start()
        eventually(lambda: any(one.blocks for one in fake.datasets.values()), "the first list", 1500, 0.2)
        daemon.stop(signal.SIGKILL)
        fake.garble()
        with Daemon(config, environment=SECRET) as again:
            again.wait_for("delivery.delivered", seconds=600)
        assert Daemon(config, environment=SECRET).start("--once").wait(600) == 0
        (one,) = [one for one in fake.datasets.values() if one.blocks]
        assert (one.record["numberOfFiles"], one.record["size"]) == (45_000, size)
        assert max(len(block["dataFileList"]) for block in one.blocks) <= 20_000
