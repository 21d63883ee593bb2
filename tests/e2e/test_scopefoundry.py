"""The real ScopeFoundry measures into the watched folder while the daemon runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.harness import Bench

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".oracles" / "scopefoundry" / "bin" / "python"
APP = ROOT / "tests" / "fakes" / "scopefoundry_app.py"


def sitting(folder: Path, data: Path) -> list[str]:
    """Let ScopeFoundry measure into `data`; the names of its files."""
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyqt6", "HOME": os.fspath(folder), "TZ": "UTC",
    }  # fmt: skip
    done = subprocess.run(
        [PYTHON, APP, data], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


@pytest.mark.oracle
@pytest.mark.timeout(180)
def test_every_measurement_of_a_live_scopefoundry_arrives_once_and_complete(tmp_path: Path) -> None:
    """No unfinished file is taken; each finished one is one dataset with time, people, settings with units and a picture."""
    if not PYTHON.exists():
        pytest.skip("ScopeFoundry is not installed in .oracles/scopefoundry; `make oracle-scopefoundry` does that")
    (tmp_path / "app").mkdir()
    with Bench(tmp_path, settle={"quiet": "500ms"}) as bench:
        names = sitting(tmp_path / "app", bench.data)
        assert len(names) == 4
        expected = {name: hashlib.sha256((bench.data / name).read_bytes()).hexdigest() for name in names}
        datasets = {name: bench.delivered(name) for name in names}
        settled = [(event["path"], event["sha256"]) for event in bench.daemon.named("file.settled")]
        assert sorted(settled) == sorted(expected.items())
        assert len(bench.catalog.measurements()) == len(names)
        assert {event["revision"] for event in bench.daemon.named("dataset.composed")} == {1}
        for name, dataset in datasets.items():
            assert [(file["filename"], file["sha256_hash"]) for file in bench.catalog.files(dataset)] == [
                (name, expected[name])
            ]
            look_at(bench, name, dataset)


def look_at(bench: Bench, name: str, dataset: str) -> None:
    """What the catalog says of one of the app's measurements."""
    measurement = Path(name).stem.split("_", 2)[2]
    record = bench.catalog.get(f"datasets/{dataset}")
    assert record["measurement"] == measurement
    assert record["instrument_name"] == "test-bench"  # its name in the configuration, whatever the program calls itself
    assert record["session_name"] == "perovskite films, run 7"
    assert record["project_id"] == "MFP01234"
    assert record["owner_orcid"] == "0000-0002-1825-0097"
    stamp = f"20{name[0:2]}-{name[2:4]}-{name[4:6]}T{name[7:9]}:{name[9:11]}:{name[11:13]}"
    assert record["timestamp"].startswith(stamp)
    metadata = bench.catalog.get(f"resources/{dataset}/metadata")["scientific_metadata"]
    assert metadata["hardware"]["test_laser"]["settings"]["power"] == {"value": 1.25, "unit": "mW"}
    assert metadata["hardware"]["test_laser"]["settings"]["wavelength"] == {"value": 532.0, "unit": "nm"}
    own = {
        "slow_trace": ("step", {"value": 0.1, "unit": "s"}),
        "line_map": ("pixel_size", {"value": 0.25, "unit": "um"}),
        "spectrum": ("exposure", {"value": 0.5, "unit": "s"}),
    }[measurement]
    assert metadata["measurement"][measurement]["settings"][own[0]] == own[1]
    keywords = {
        word if isinstance(word, str) else word["keyword"] for word in bench.catalog.get(f"datasets/{dataset}/keywords")
    }
    assert {"perovskite", "raman"} <= keywords
    assert bench.catalog.get(f"datasets/{dataset}/thumbnails")
    links = bench.catalog.get(f"resources/{dataset}/links")
    assert [link["relationship_type"] for link in links].count("is_part_of") == 1
