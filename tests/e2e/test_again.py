"""What is done again when somebody asks or when its reason may be gone: reingest, and parked work after a change."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.catalogserver import Server
from tests.e2e.test_commands import TABLE, as_json, labferry, refuse_records
from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.httpserver import serve
from tests.harness import Daemon, configuration

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)


def run_once(config: Path, status: int = 0, **environment: str) -> Daemon:
    """Run until nothing is left to do."""
    daemon = Daemon(config, environment=environment).start("--once")
    assert daemon.wait() == status, daemon.raw[-5:]
    return daemon


@pytest.mark.slow
def test_reading_again_without_a_new_word_changes_nothing_in_the_catalog(tmp_path: Path) -> None:
    """`reingest` reads what was asked for again; the same reading sends nothing, and a person's correction stays."""
    config = configuration(tmp_path, settle={"quiet": "100ms"})
    for name in ("a.xy", "b.dat"):
        (tmp_path / "data" / name).write_bytes(TABLE)
    run_once(config)
    server = Server(tmp_path / "catalog").start()
    first = {one["dataset_name"]: one for one in server.ok("GET", "/datasets?limit=50")["items"]}
    server.ok("PATCH", f"/datasets/{first['a']['unique_id']}", {"dataset_name": "my scan"})
    server.ok("PATCH", f"/resources/{first['a']['unique_id']}/metadata", {"note": "mine"})
    before = server.ok("GET", "/datasets?limit=50&include_metadata=true")
    server.stop()
    ingestor = as_json("explain", config, tmp_path / "data" / "a.xy")[1]["dataset"]["ingestor"]
    assert as_json("reingest", config, "--ingestor", "nobody") == (0, {"datasets": 0})
    assert as_json("reingest", config, "--since", "2100-01-01") == (0, {"datasets": 0})
    assert as_json("reingest", config, "--ingestor", ingestor, "--since", "2000-01-01")[1]["datasets"] >= 1
    daemon = run_once(config)
    again = daemon.named("dataset.composed")
    assert [one["revision"] for one in again if one["path"] == "a.xy"] == [2]
    assert {one["steps"] for one in daemon.named("delivery.delivered")} == {0}
    server.start()
    assert server.ok("GET", "/datasets?limit=50&include_metadata=true") == before
    server.stop()
    assert daemon.named("reingest.ended")
    assert not run_once(config).named("dataset.composed"), "the request is over"


def test_parked_work_is_tried_again_when_the_configuration_changed(tmp_path: Path) -> None:
    """After a correction in the YAML file the next start composes what is parked anew; without one it stays parked."""
    fake = FakeCrucible()
    fake.instruments = ["test-bench"]
    fake.refuse = lambda seen: refuse_records(seen) if b"MFP99999" in seen.body else None
    with serve(fake.answer) as url:
        catalog = {"type": "crucible", "url": f"{url}/api/v3"}
        parts = {"catalogs": [catalog], "session": {"parent": False}, "settle": {"quiet": "100ms"}}
        config = configuration(tmp_path, attributes={"project_id": "MFP99999"}, **parts)
        (tmp_path / "data" / "a.xy").write_bytes(TABLE)
        environment = {"LABFERRY_CRUCIBLE_API_KEY": KEY, "HOME": os.fspath(tmp_path)}
        run_once(config, 3, **environment)
        assert not run_once(config, 3, **environment).named("parked.retried")
        config.write_text(json.dumps({**json.loads(config.read_text()), "attributes": {"project_id": "MFP12345"}}))
        daemon = run_once(config, 0, **environment)
        assert daemon.named("parked.retried")[0]["count"] == 1
        assert [one.record["project_id"] for one in fake.datasets.values()] == ["MFP12345"]
        assert labferry("status", config)[0] == 0
