"""`labferry verify` on a delivered tree in which nearly every file was tampered with, here, in the store or in a catalog."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.cli.receipt import seal
from tests.catalogserver import Server
from tests.harness import Daemon, configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.timeout(180)

Report = dict[str, dict[str, Any]]


def content(name: str) -> bytes:
    """Bytes that no other file of the tree has."""
    return b"".join(b"%d %s\n" % (number, name.encode()) for number in range(40))


def verify(*arguments: str | Path, status: int) -> subprocess.CompletedProcess[bytes]:
    """`labferry verify` with its exit code checked."""
    command = [sys.executable, "-m", "daemon", "verify", *(os.fspath(one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def report(config: Path, *arguments: str | Path, status: int) -> Report:
    """The verdicts by file name."""
    told = json.loads(verify(config, *arguments, "--json", status=status).stdout)
    assert told["safe"] + told["unsafe"] == len(told["files"])
    return {Path(one["path"]).name: one for one in told["files"]}


def flip(path: Path, at: int = 20) -> None:
    """Change one bit in the middle, and let the times say that nothing happened."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    """Another file of the same size and times under the name."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"#" * before.st_size)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def link(path: Path) -> None:
    """A link to the same bytes elsewhere under the name."""
    aside = path.parents[1] / f"aside {path.name}"
    path.rename(aside)
    path.symlink_to(aside)


def extend(path: Path) -> None:
    """More lines at the end."""
    with path.open("ab") as stream:
        stream.write(b"1 2\n")


def cut(path: Path) -> None:
    """Fewer bytes."""
    os.truncate(path, path.stat().st_size - 1)


def linked(stored: Path) -> None:
    """What a program that saves space by links does: the catalog's bytes are those of the local file."""
    data = next(path for path in stored.parents if (path / "data").is_dir()) / "data"
    same = next(path for path in data.iterdir() if path.is_file() and path.read_bytes() == stored.read_bytes())
    stored.unlink()
    stored.symlink_to(same)


LOCALLY: dict[str, Callable[[Path], object]] = {
    "flipped here": flip, "replaced here": replace, "cut here": cut, "grown here": extend, "link": link,
}  # fmt: skip
STORED: dict[str, Callable[[Path], object]] = {
    "flipped there": flip, "cut there": cut, "emptied there": lambda path: os.truncate(path, 0), "bytes gone": Path.unlink,
    "replaced there": lambda path: path.write_bytes(b"#" * path.stat().st_size), "a link there": linked,
}  # fmt: skip
IN_THE_STORE = {
    "wrong hash": "UPDATE files SET sha256 = printf('%064d', 7) WHERE name = :name",
    "parked": "UPDATE datasets SET state = 'parked', reason = 'a test' WHERE key = :name",
    "waiting": "UPDATE datasets SET state = 'waiting' WHERE key = :name",
    "delivery gone": "DELETE FROM deliveries WHERE catalog = 'second' AND dataset = (SELECT id FROM datasets WHERE key = :name)",
    "never sent": "UPDATE datasets SET revision = 7 WHERE key = :name",
    "another id": "UPDATE datasets SET unique_id = '0000000000000000000000000r' WHERE key = :name",
    "not settled": "UPDATE files SET state = 'settling' WHERE name = :name",
    "unknown": "DELETE FROM files WHERE name = :name",
    "no dataset": "UPDATE files SET dataset = NULL WHERE name = :name",
    "no record": "UPDATE datasets SET record = '{\"files\": 7}' WHERE key = :name",
    "no time": "UPDATE deliveries SET state = 'waiting', not_before = 'soon' WHERE catalog = 'second' AND dataset ="
    " (SELECT id FROM datasets WHERE key = :name)",
}
BY_API = ("file deleted", "dataset deleted", "lacking in one")
OTHERS = ("excluded.tmp", "new", "open", "untouched", "untouched too", "both wrong")


class Tree:
    """A delivered folder with two local catalogs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        catalogs = [{"type": "local", "path": "catalog"}, {"type": "local", "name": "second", "path": "second"}]
        root = {"path": "data", "exclude": ["**/*.tmp"]}
        settle = {"quiet": "100ms", "empty": "500ms"}
        self.config = configuration(folder, catalogs=catalogs, roots=[root], settle=settle, session={"parent": False})

    def deliver(self) -> None:
        """Bring everything into both catalogs."""
        assert Daemon(self.config).start("--once").wait() == 0

    def in_store(self, sql: str, name: str) -> None:
        """Tamper with the store behind the daemon's back."""
        with closing(sqlite3.connect(self.folder / "state" / "store.sqlite")) as store, store:
            for trigger in ("files_moves", "datasets_moves", "deliveries_moves"):
                store.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            assert store.execute(sql, {"name": os.fsencode(name)}).rowcount == 1, name

    def stored(self, catalog: str, name: str) -> Path:
        """Where a catalog keeps the bytes of a file."""
        found = [path for path in (self.folder / catalog / "files").rglob("*") if path.is_file()]
        return next(path for path in found if path.read_bytes() == content(name))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The whole tree, delivered to both catalogs and then tampered with in every way."""
    tree = Tree(tmp_path_factory.mktemp("verify"))
    names = [*LOCALLY, *STORED, *IN_THE_STORE, *BY_API, *OTHERS]
    for name in names:
        if name != "new":
            (tree.data / name).write_bytes(content(name))
    (tree.data / "nothing").write_bytes(b"")
    (tree.data / "moved").mkdir()
    (tree.data / "moved" / "through a link").write_bytes(content("through a link"))
    tree.deliver()
    shutil.copytree(tree.folder, tree.folder.with_name("pristine"), dirs_exist_ok=True)
    sabotage(tree)
    servers = [Server(tree.folder / catalog).start() for catalog in ("catalog", "second")]
    with (tree.data / "open").open("r+b"):
        yield tree
    for server in servers:
        server.stop()


def sabotage(tree: Tree) -> None:
    """Everything that may go wrong with a file between its delivery and the day it is to be deleted."""
    for name, tamper in LOCALLY.items():
        tamper(tree.data / name)
    for name, tamper in STORED.items():
        tamper(tree.stored("second", name))
    for name, sql in IN_THE_STORE.items():
        tree.in_store(sql, name)
    for catalog in ("catalog", "second"):
        server = Server(tree.folder / catalog).start()
        files = {file["filename"]: file for file in server.ok("GET", "/files?limit=200")["items"]}
        server.ok("DELETE", f"/files/{files['file deleted']['mfid']}")
        server.ok("POST", f"/resources/{files['dataset deleted']['dataset_mfid']}/delete?reason=test")
        if catalog == "second":
            server.ok("DELETE", f"/files/{files['lacking in one']['mfid']}")
        server.stop()
    (tree.data / "new").write_bytes(content("new"))
    flip(tree.data / "both wrong")
    tree.in_store(f"UPDATE files SET sha256 = '{_sha256(tree.data / 'both wrong')}' WHERE name = :name", "both wrong")
    (tree.data / "moved").rename(tree.folder / "elsewhere")
    (tree.data / "moved").symlink_to(tree.folder / "elsewhere")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_that_was_tampered_with_is_called_safe(tree: Tree) -> None:
    """Of more than 25 kinds of sabotage none is called safe, each with a reason; what was left alone is, with a time."""
    found = report(tree.config, status=3)
    safe = {name for name, one in found.items() if one["safe"]}
    assert safe == {"untouched", "untouched too", "nothing"}
    assert len(found) - len(safe) >= 25
    assert all(one["why"] and not one["since"] for one in found.values() if not one["safe"])
    untouched = found["untouched"]
    assert untouched["since"]
    assert {one["proved_by"] for one in untouched["catalogs"].values()} == {"every byte read back"}
    assert "second" in found["lacking in one"]["why"]
    assert "link" in found["moved"]["why"]
    assert "open for writing" in found["open"]["why"]


def test_the_list_for_a_cleaning_script_holds_safe_files_only(tree: Tree) -> None:
    """`--list-safe0` prints exactly the safe paths, ended by NUL; a folder's or a file's own verdict has their exit code."""
    listed = verify(tree.config, "--list-safe0", status=3).stdout
    assert sorted(listed.split(b"\0")) == [
        b"", *(os.fsencode(tree.data / name) for name in ("nothing", "untouched", "untouched too"))
    ]  # fmt: skip
    assert verify(tree.config, tree.data / "untouched", status=0).stdout.startswith(b"safe")
    assert verify(tree.config, tree.data / "flipped there", status=3).stdout.startswith(b"NOT SAFE")
    assert b"no such file" in verify(tree.config, tree.data / "never", status=3).stdout
    assert b"below no root" in verify(tree.config, tree.folder, status=1).stderr
    through = report(tree.config, tree.data / "moved" / "through a link", status=3)
    assert not through["through a link"]["safe"]


def test_the_store_of_another_instrument_is_not_believed(tree: Tree, tmp_path: Path) -> None:
    """A store that was copied from another instrument is refused in a sentence, and no file is called safe."""
    config = tmp_path / "other.yaml"
    values = json.loads(tree.config.read_text())
    values.update(instrument="another-bench", state=str(tree.folder / "state"))
    for part in (*values["roots"], *values["catalogs"]):
        part["path"] = str(tree.folder / part["path"])
    config.write_text(json.dumps(values))
    refused = verify(config, "--list-safe0", status=75)
    assert refused.stdout == b""
    assert b"belongs to the instrument test-bench" in refused.stderr


@pytest.mark.slow
def test_the_word_of_a_catalog_is_taken_only_when_asked_for(tree: Tree) -> None:
    """`--quick` says so in its verdict and finds less; without it every byte is read."""
    found = report(tree.config, tree.data / "flipped there", "--quick", status=0)["flipped there"]
    assert {one["proved_by"] for one in found["catalogs"].values()} == {"the catalog's own hash"}


@pytest.fixture
def pristine(tree: Tree, tmp_path: Path) -> Tree:
    """A copy of the tree from before the sabotage; its files have other inodes, as after a restore."""
    shutil.copytree(tree.folder.with_name("pristine"), tmp_path, dirs_exist_ok=True, symlinks=True)
    other = Tree(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state" / "store.sqlite")) as store, store:
        store.execute("UPDATE roots SET path = ?", (os.fsencode(other.data),))
    return other


@pytest.mark.slow
def test_a_catalog_that_cannot_be_asked_makes_everything_unsafe(pristine: Tree) -> None:
    """With one catalog's folder gone, or its key not there, no file is safe, and the reason is the catalog."""
    (pristine.folder / "second").rename(pristine.folder / "away")
    found = report(pristine.config, status=3)
    assert not any(one["safe"] for one in found.values())
    assert "second" in found["untouched"]["why"]
    values = json.loads(pristine.config.read_text())
    values["catalogs"][1] = {"type": "crucible", "name": "second", "url": "http://127.0.0.1:9/api/v3", "api_key": "k"}
    pristine.config.write_text(json.dumps(values))
    pristine.config.chmod(0o600)
    assert not any(one["safe"] for one in report(pristine.config, status=3).values())


@pytest.mark.slow
def test_a_stale_store_calls_nothing_safe_that_changed_since(pristine: Tree) -> None:
    """With the store of last week, files that were rewritten and delivered meanwhile, and new ones, are not safe."""
    shutil.copy(pristine.folder / "state" / "store.sqlite", pristine.folder / "old")
    (pristine.data / "untouched").write_bytes(content("rewritten"))
    (pristine.data / "new").write_bytes(content("new"))
    pristine.deliver()
    assert report(pristine.config, pristine.data / "untouched", status=0)["untouched"]["safe"]
    for name in ("store.sqlite", "store.sqlite-wal", "store.sqlite-shm"):
        (pristine.folder / "state" / name).unlink(missing_ok=True)
    shutil.copy(pristine.folder / "old", pristine.folder / "state" / "store.sqlite")
    found = report(pristine.config, status=3)
    assert not found["untouched"]["safe"]
    assert not found["new"]["safe"]


@pytest.mark.slow
def test_a_receipt_names_every_file_with_hash_id_and_time(pristine: Tree) -> None:
    """A session's receipt is sealed, complete when all is proved, and says what is not when one file is tampered with."""
    with closing(sqlite3.connect(pristine.folder / "state" / "store.sqlite")) as store:
        number, name = store.execute("SELECT id, name FROM sessions ORDER BY id LIMIT 1").fetchone()
    output = pristine.folder / "receipt.json"
    pristine.deliver()
    verify(pristine.config, "--receipt", str(number), "--output", output, status=0)
    receipt = json.loads(output.read_text())
    assert receipt["complete"]
    assert receipt["session"]["name"] == name
    assert receipt["sha256"] == seal(receipt)
    assert all(len(one["sha256"]) == 64 and one["dataset"] and one["since"] for one in receipt["files"])
    filled = [number for number, one in enumerate(receipt["files"]) if one["size"]][:2]
    flip(Path(receipt["files"][filled[0]]["path"]))
    Path(receipt["files"][filled[1]]["path"]).unlink()
    verify(pristine.config, "--receipt", str(number), "--output", output, status=3)
    files = json.loads(output.read_text())["files"]
    assert [files[number]["verdict"] for number in filled] == ["not safe", "gone"]
    assert b"no session" in verify(pristine.config, "--receipt", "none such", status=1).stderr
