"""A start that cannot succeed ends at once with one sentence and the exit code that scripts and systemd know."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness import Catalog, Daemon, configuration, without_privileges

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)
CONFIGURATION, TRY_LATER = 78, 75


def refused(config: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a run that ends by itself, and what it said; never a traceback."""
    command = [sys.executable, "-m", "daemon", "run", os.fspath(config), "--log", "json", *arguments]
    done = subprocess.run(without_privileges(command), capture_output=True, text=True, timeout=50, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


def told(said: str) -> list[str]:
    """The sentences for a person: what is no log event."""
    return [line for line in said.splitlines() if "{" not in line]


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """When another program listens on the catalog's port, the exit code is 75 and the sentence names the port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = configuration(tmp_path, catalogs=[{"type": "local", "path": "catalog", "port": port}])
        status, said = refused(config)
    assert status == TRY_LATER
    assert len(told(said)) == 1
    assert str(port) in said
    assert "in use" in said


def test_a_state_folder_has_one_owner(tmp_path: Path) -> None:
    """A second daemon on the same state folder ends with 75 and says so; the first does not notice."""
    config = configuration(tmp_path)
    with Daemon(config) as first:
        first.wait_for("service.started")
        status, said = refused(config)
        assert (status, len(told(said))) == (TRY_LATER, 1)
        assert "already runs" in said
        (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
        first.wait_for("delivery.delivered")


def test_a_state_folder_of_another_instrument_is_refused(tmp_path: Path) -> None:
    """The store knows whose it is, so two instruments never mix."""
    assert Daemon(configuration(tmp_path)).start("--once").wait() == 0
    status, said = refused(configuration(tmp_path, instrument="another"))
    assert (status, len(told(said))) == (TRY_LATER, 1)
    assert "test-bench" in said
    assert "another" in said


def test_a_missing_root_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    """A root that is not there when the service starts ends it with 78, the file's line, and nothing is made."""
    config = configuration(tmp_path, roots=[{"path": "not mounted"}])
    status, said = refused(config)
    assert status == CONFIGURATION
    assert "not mounted" in said
    assert f"{config}:1:" in said
    assert not (tmp_path / "state").exists()


def test_a_root_that_may_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    """An unreadable root ends the start with 78 and says which user may not read what."""
    config = configuration(tmp_path)
    (tmp_path / "data").chmod(0)
    try:
        status, said = refused(config)
    finally:
        (tmp_path / "data").chmod(0o755)
    assert status == CONFIGURATION
    assert f"may not read {tmp_path / 'data'}" in said
    assert len(told(said)) == 1


def test_every_mistake_of_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    """A file with several mistakes ends the start with 78 and a line for each, with its place."""
    config = tmp_path / "wrong.yaml"
    config.write_text("instrument: x y\nroots: []\nsettle: {quiet: soon}\nsetle: {}\n", "utf-8")
    status, said = refused(config)
    assert status == CONFIGURATION
    lines = told(said)
    assert [line.partition("wrong.yaml:")[2].split(":")[0] for line in lines] == ["1", "2", "3", "4"]


def test_a_configuration_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """A wrong path ends with 78 and names it."""
    status, said = refused(tmp_path / "nowhere.yaml")
    assert (status, len(told(said))) == (CONFIGURATION, 1)
    assert "nowhere.yaml" in said


def test_without_a_key_for_crucible_the_start_says_where_to_put_it(tmp_path: Path) -> None:
    """A catalog that needs a key and finds none ends the start with a sentence, not with a failing loop."""
    config = configuration(tmp_path, catalogs=[{"type": "crucible", "url": "http://127.0.0.1:9/api/v3"}])
    environment = {key: value for key, value in os.environ.items() if "CRUCIBLE" not in key}
    environment |= {"HOME": os.fspath(tmp_path), "XDG_CONFIG_HOME": os.fspath(tmp_path / "none")}
    command = [sys.executable, "-m", "daemon", "run", os.fspath(config), "--log", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=environment)
    assert done.returncode in {1, TRY_LATER, CONFIGURATION}
    assert "Traceback" not in done.stderr
    assert "LABFERRY_CRUCIBLE_API_KEY" in done.stderr


def test_events_before_a_refusal_are_lines_of_json(tmp_path: Path) -> None:
    """Whatever the daemon logs is one JSON object for each line, so that a program can read it."""
    config = configuration(tmp_path)
    (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
    daemon = Daemon(config).start("--once")
    assert daemon.wait() == 0
    for line in daemon.raw:
        assert json.loads(line[line.index("{") :])["event"]


def test_a_catalog_that_somebody_serves_already_is_used(tmp_path: Path) -> None:
    """When `labferry catalog` serves the folder, the daemon delivers to that server."""
    config = configuration(tmp_path)
    (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
    with Catalog(tmp_path / "catalog") as catalog:
        daemon = Daemon(config).start("--once")
        assert daemon.wait() == 0, daemon.raw
        assert daemon.named("catalog.shared")
        assert [file["filename"] for file in catalog.all_files()] == ["a.dat"]


def test_a_port_that_a_stranger_took_is_not_taken_for_the_catalog(tmp_path: Path) -> None:
    """A catalog that answered on a port once is not believed to be there when another program has the port now."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        config = configuration(
            tmp_path, catalogs=[{"type": "local", "path": "catalog", "port": other.getsockname()[1]}]
        )
    assert Daemon(config).start("--once").wait() == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", json.loads(config.read_text())["catalogs"][0]["port"]))
        other.listen()
        assert refused(config)[0] == TRY_LATER


def test_the_catalog_keeps_its_address_over_a_restart(tmp_path: Path) -> None:
    """A bookmark of the pages is true after the daemon was restarted."""
    config = configuration(tmp_path)
    pages = []
    for _ in range(2):
        with Daemon(config) as daemon:
            pages.append(daemon.wait_for("catalog.address")["page"])
    assert pages[0] == pages[1]


def test_a_state_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A read-only state folder ends the start with 75 and names the folder; nothing in the root is touched."""
    config = configuration(tmp_path)
    (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
    (tmp_path / "state").mkdir(mode=0o555)
    status, said = refused(config)
    assert (status, len(told(said))) == (TRY_LATER, 1)
    assert f"{tmp_path / 'state'}" in said


def test_a_store_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A state folder that became read-only after it was used ends the start with 75; made writable, all goes on."""
    config = configuration(tmp_path)
    assert Daemon(config).start("--once").wait() == 0
    (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
    state = tmp_path / "state"
    modes = {path: path.stat().st_mode for path in (state, *state.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    status, said = refused(config)
    assert (status, len(told(said))) == (TRY_LATER, 1)
    for path, mode in modes.items():
        path.chmod(mode)
    daemon = Daemon(config).start("--once")
    assert daemon.wait() == 0
    assert daemon.named("delivery.delivered")
