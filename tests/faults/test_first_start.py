"""A first start while a catalog is away: what is measured waits for it, and if there was a store before nothing is sent."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.catalogserver import Server
from tests.fakes.faultproxy import Fault, FaultProxy
from tests.faults.test_rebuild import TRY_LATER, everything, labferry, rebuild, run_once
from tests.harness import Daemon, configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(150)
AWAY = Fault("away", forward=False, ending="reset")


class Far:
    """A catalog behind a link that can be cut, and an instrument that delivers to it."""

    def __init__(self, folder: Path, proxy: FaultProxy, server: Server) -> None:
        self.folder, self.proxy = folder, proxy
        url = f"http://127.0.0.1:{proxy.port}/api/v3"
        self.catalogs = [{"type": "crucible", "name": "far", "url": url, "api_key": server.token}]

    def configure(self, *others: dict[str, object]) -> Path:
        """Deliver to it, and to others."""
        config = configuration(self.folder, settle={"quiet": "50ms"}, catalogs=[*self.catalogs, *others])
        config.chmod(0o600)
        return config

    def cut(self) -> None:
        """Nothing gets through any more."""
        self.proxy.choose = lambda _: AWAY

    def mend(self) -> None:
        """Everything gets through."""
        self.proxy.choose = lambda _: None

    def datasets(self) -> list[tuple[object, ...]]:
        """The rows of the far catalog's datasets."""
        return everything(self.folder / "far")["datasets"]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    """The link is whole."""
    server = Server(tmp_path / "far").start()
    with FaultProxy(int(server.address.rpartition(":")[2])) as proxy:
        yield Far(tmp_path, proxy, server)
    server.stop()


@pytest.mark.slow
def test_a_first_start_without_the_catalog_delivers_when_it_is_back(far: Far) -> None:
    """The other catalog gets everything at once, the log says what waits; the one that was away gets it all, once."""
    config = far.configure({"type": "local", "name": "near", "path": "near"})
    far.cut()
    (far.folder / "data" / "a.xy").write_text("1 2\n3 4\n")
    with Daemon(config) as daemon:
        new = daemon.wait_for("store.new", catalog="far")
        assert "nothing is sent" in new["advice"]
        daemon.wait_for("delivery.delivered", catalog="near")
        daemon.wait_for("delivery.waiting", catalog="far")
        assert far.datasets() == []
    far.mend()
    run_once(config)
    assert len(far.datasets()) == 2, "the dataset and its session"
    run_once(config)
    assert len(far.datasets()) == 2


def test_a_store_that_was_lost_while_the_catalog_is_away_sends_nothing_twice(far: Far) -> None:
    """When the catalog is back it tells that there was a store: the daemon ends, and rebuild finds what was delivered."""
    config = far.configure()
    (far.folder / "data" / "a.xy").write_text("1 2\n3 4\n")
    run_once(config)
    before = everything(far.folder / "far")
    far.cut()
    shutil.rmtree(far.folder / "state")
    (far.folder / "data" / "b.xy").write_text("5 6\n7 8\n")
    daemon = Daemon(config).start()
    daemon.wait_for("delivery.waiting", catalog="far")
    far.mend()
    assert daemon.wait() == TRY_LATER
    assert "labferry rebuild" in "\n".join(daemon.raw)
    assert everything(far.folder / "far") == before
    refused = labferry("run", config, "--once", "--log", "json", status=TRY_LATER)
    assert "labferry rebuild" in refused.stderr
    assert rebuild(config)["found"] >= 1
    assert everything(far.folder / "far") == before
    run_once(config)
    after = {json.dumps(row[:1], default=str) for row in far.datasets()}
    assert after > {json.dumps(row[:1], default=str) for row in before["datasets"]}
    assert len(after) == len(before["datasets"]) + 1, "only what was measured meanwhile came"
