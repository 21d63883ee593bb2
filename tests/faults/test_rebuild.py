"""A store that is lost, damaged or old: the daemon refuses to guess, and `labferry rebuild` finds everything again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.scopefoundry_files import FILM, tray
from tests.harness import Daemon, configuration, eventually

pytestmark = pytest.mark.timeout(300)
CORPUS = Path(__file__).parents[1] / "data" / "corpus"
TRY_LATER = 75
NOT_OURS = {"sqlite_sequence"}
"""Tables of the catalog that say nothing of what it holds."""


def labferry(*arguments: str | Path, status: int) -> subprocess.CompletedProcess[str]:
    """A command with its exit code checked; never a traceback."""
    command = [sys.executable, "-m", "daemon", *(os.fspath(one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def rebuild(config: Path, *arguments: str | Path) -> dict[str, Any]:
    """`labferry rebuild` that ends well; its report."""
    report: dict[str, Any] = json.loads(labferry("rebuild", config, "--json", *arguments, status=0).stdout)
    return report


def everything(catalog: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of a local catalog."""
    with closing(sqlite3.connect(f"file:{catalog / 'catalog.sqlite'}?mode=ro", uri=True)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: sorted(database.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in names
            if name not in NOT_OURS and "search" not in name
        }


def run_once(config: Path) -> None:
    """Deliver what is owed."""
    assert Daemon(config).start("--once").wait() == 0


def lose(state: Path) -> None:
    """The whole state folder is gone."""
    shutil.rmtree(state)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of real and made files in sessions of every kind and a tray, delivered by two runs with a change in between."""
    folder = tmp_path_factory.mktemp("rebuild") / "bench"
    folder.mkdir()
    config = configuration(folder, settle={"quiet": "100ms", "empty": "500ms"}, defaults={"keywords": ["bench", "xrd"]})
    data = folder / "data"
    for kind in ("xy", "dat"):
        for path in sorted((CORPUS / kind).rglob("*"))[:12]:
            if path.is_file() and path.stat().st_size < 200_000:
                (data / kind).mkdir(exist_ok=True)
                shutil.copy(path, data / kind / path.name)
    for name in ("run1", "run2"):  # the same bytes under the same name twice, and an empty file beside each
        (data / name).mkdir()
        (data / name / "same.xy").write_bytes(b"1 2\n3 4\n")
        (data / name / "empty.dat").write_bytes(b"")
    (data / "loose.xy").write_bytes(b"5 6\n7 8\n")
    tray(data / "tray.h5", {"film 0": FILM, "film 1": ""})
    (data / "grows.dat").write_bytes(b"1 1\n")
    run_once(config)
    with (data / "grows.dat").open("ab") as stream:
        stream.write(b"2 2\n")
    run_once(config)
    return folder


@pytest.fixture
def bench(delivered: Path, tmp_path: Path) -> Path:
    """A copy of the delivered bench; its files are other inodes, its root another path."""
    folder = tmp_path / "bench"
    shutil.copytree(delivered, folder, symlinks=True)
    return folder


def test_a_lost_state_folder_is_rebuilt_from_the_catalog(bench: Path) -> None:
    """After the loss the daemon refuses and names the command; rebuild and another run leave every row of the catalog as it was."""
    config, catalog = bench / "instrument.yaml", bench / "catalog"
    before = everything(catalog)
    lose(bench / "state")
    refused = labferry("run", config, "--once", "--log", "json", status=TRY_LATER)
    assert "labferry rebuild" in refused.stderr
    assert everything(catalog) == before
    report = rebuild(config)
    assert (report["owed"], report["parked"]) == (0, 0)
    assert report["datasets"] == {"delivered": sum(report["datasets"].values())}
    assert everything(catalog) == before
    run_once(config)
    assert everything(catalog) == before
    told = json.loads(labferry("verify", config, "--json", status=0).stdout)
    assert (told["unsafe"], told["safe"]) == (0, report["files"])
    (bench / "data" / "run1" / "later.xy").write_bytes(b"9 9\n")
    run_once(config)
    after = everything(catalog)
    assert len(after["datasets"]) == len(before["datasets"]) + 1, "a later file joins the session that was found"
    assert len(after["links"]) == len(before["links"]) + 1


@pytest.mark.slow
def test_a_rebuild_that_is_killed_goes_on(bench: Path) -> None:
    """Killed again and again at any moment, rebuild ends with what one that was left alone finds; the daemon waits for it."""
    config, catalog = bench / "instrument.yaml", bench / "catalog"
    before = everything(catalog)
    lose(bench / "state")
    store = bench / "state" / "store.sqlite"

    def count(sql: str) -> int:
        try:
            with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
                return int(database.execute(sql).fetchone()[0])
        except sqlite3.Error:
            return 0

    goals = [
        "SELECT COUNT(*) > 5 FROM files",
        "SELECT COUNT(*) > 8 FROM datasets WHERE state = 'composed'",
        "SELECT COUNT(*) > 5 FROM deliveries WHERE state = 'delivered'",
    ]
    for goal in goals:
        command = [sys.executable, "-m", "daemon", "rebuild", os.fspath(config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            eventually(lambda goal=goal: process.poll() is not None or count(goal), goal, every=0.01)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
    if count("SELECT COUNT(*) FROM facts WHERE key = 'rebuilding' AND value <> ''"):
        assert "rebuild" in labferry("run", config, "--once", "--log", "json", status=TRY_LATER).stderr
    report = rebuild(config)
    assert (report["owed"], report["parked"]) == (0, 0)
    run_once(config)
    assert everything(catalog) == before


@pytest.mark.slow
@pytest.mark.parametrize("how", ["garbage", "page", "gone"])
def test_a_damaged_store_is_refused_kept_and_replaced_by_its_backup(bench: Path, how: str) -> None:
    """Neither a torn nor a missing store is used or overwritten; the backup and the catalog give back what came later too."""
    config, state = bench / "instrument.yaml", bench / "state"
    store = state / "store.sqlite"
    labferry("rebuild", config, status=0)  # its files have other inodes here: settle that first
    run_once(config)
    assert list((state / "backups").iterdir())
    (bench / "data" / "after the backup.xy").write_bytes(b"1 9\n")
    run_once(config)
    before = everything(bench / "catalog")
    if how == "gone":
        store.unlink()
    else:
        data = bytearray(store.read_bytes())
        at = 0 if how == "garbage" else 4096 * 3
        data[at : at + 4096] = b"\xa5" * 4096
        store.write_bytes(data)
    damaged = store.read_bytes() if store.exists() else None
    refused = labferry("run", config, "--once", "--log", "json", status=TRY_LATER)
    assert "labferry rebuild" in refused.stderr
    assert (store.read_bytes() if store.exists() else None) == damaged
    report = rebuild(config)
    assert (report["owed"], report["parked"]) == (0, 0)
    if damaged is not None:
        assert [path.read_bytes() for path in state.glob("damaged-*/store.sqlite")] == [damaged]
    run_once(config)
    assert everything(bench / "catalog") == before


@pytest.mark.slow
def test_a_damaged_backup_is_not_taken(bench: Path) -> None:
    """A backup named by hand that is damaged is refused with a sentence; without a sound one it begins with nothing."""
    config, state = bench / "instrument.yaml", bench / "state"
    before = everything(bench / "catalog")
    backup = state / "backups" / "store-20260101T000000Z.sqlite"
    backup.parent.mkdir(exist_ok=True)
    for old in backup.parent.iterdir():
        old.unlink()
    backup.write_bytes(b"nothing that SQLite knows" * 500)
    (state / "store.sqlite").unlink()
    assert "damaged" in labferry("rebuild", config, "--from-backup", backup, status=TRY_LATER).stderr
    assert rebuild(config)["owed"] == 0
    assert everything(bench / "catalog") == before


@pytest.mark.slow
def test_a_catalog_that_is_away_ends_the_rebuild_with_a_reason(bench: Path) -> None:
    """Without a catalog's key nothing is concluded; the rebuild can be made when it is there."""
    config = bench / "instrument.yaml"
    values = json.loads(config.read_text())
    lose(bench / "state")
    values["catalogs"].append({"type": "crucible", "name": "far", "url": "http://127.0.0.1:9/api/v3"})
    config.write_text(json.dumps(values))
    labferry("rebuild", config, status=1)
    values["catalogs"].pop()
    config.write_text(json.dumps(values))
    assert rebuild(config)["owed"] == 0
