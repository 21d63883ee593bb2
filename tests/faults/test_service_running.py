"""What goes wrong while the service runs: a root that goes away, a full disk, a catalog that is killed, signals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Bench, Catalog, Daemon, configuration, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)
MOUNT, UMOUNT = shutil.which("mount") or "/bin/mount", shutil.which("umount") or "/bin/umount"


def status(config: Path) -> dict[str, Any]:
    """What `labferry status --json` says."""
    command = [sys.executable, "-m", "daemon", "status", os.fspath(config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode in {0, 3}, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of this size in the folder; skips where nobody may mount."""
    folder.mkdir()
    command = [MOUNT, "-t", "tmpfs", "-o", f"size={size}", "none", os.fspath(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be made by root in a container or machine that allows mounts")
    try:
        yield folder
    finally:
        subprocess.run([UMOUNT, "--lazy", os.fspath(folder)], check=True)


def enlarge(folder: Path, size: str) -> None:
    """Give the small disk more space."""
    subprocess.run([MOUNT, "-o", f"remount,size={size}", os.fspath(folder)], check=True)


def test_a_root_that_goes_away_is_an_error_and_comes_back(tmp_path: Path) -> None:
    """A root that vanishes while the daemon runs is told in the log and in `status`; no file counts as deleted; it recovers."""
    with Bench(tmp_path, scan={"every": "1s", "every_without_events": "1s"}) as bench:
        (bench.data / "before.dat").write_bytes(b"1 2\n")
        bench.delivered("before.dat")
        bench.data.rename(tmp_path / "away")
        told = bench.daemon.wait_for("root.failed")
        assert os.fspath(bench.data) in told["problem"]
        assert status(bench.config)["roots"][0]["problem"] == told["problem"]
        (tmp_path / "away").rename(bench.data)
        (bench.data / "after.dat").write_bytes(b"3 4\n")
        bench.delivered("after.dat")
        assert bench.daemon.named("root.recovered")
        assert not bench.daemon.named("file.vanished")
        assert status(bench.config)["roots"][0]["problem"] == ""
        assert sorted(file["filename"] for file in bench.catalog.all_files()) == ["after.dat", "before.dat"]


def test_an_empty_folder_in_place_of_a_disk_is_no_deletion(tmp_path: Path) -> None:
    """An unmounted disk leaves an empty folder: the root is in error, and what was known stays known."""
    with Bench(tmp_path, scan={"every": "1s", "every_without_events": "1s"}) as bench:
        (bench.data / "before.dat").write_bytes(b"1 2\n")
        bench.delivered("before.dat")
        bench.data.rename(tmp_path / "away")
        bench.data.mkdir()
        bench.daemon.wait_for("root.failed")
        assert not bench.daemon.named("file.vanished")


def test_a_full_state_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """With the state's disk full the daemon says so and waits; with space again every file arrives, once."""
    with small_disk(tmp_path / "state", "2m") as state:
        config = configuration(tmp_path, settle={"quiet": "100ms"})
        with Daemon(config) as daemon:
            daemon.wait_for("catalog.address")
            left = os.statvfs(state)
            (state / "ballast").write_bytes(bytes(left.f_bavail * left.f_bsize - (1 << 16)))
            expected = []
            for number in range(60):
                content = b"%d %d\n" % (number, number)
                (tmp_path / "data" / f"{number:04}.dat").write_bytes(content)
                expected.append(hashlib.sha256(content).hexdigest())
            told = daemon.wait_for("store.failed")
            assert "full" in told["problem"]
            enlarge(state, "64m")
            eventually(lambda: len(daemon.named("delivery.delivered")) >= len(expected), "every delivery", 90)
            assert not daemon.named("loop.failed")
            assert not daemon.named("dataset.parked")
            assert not daemon.named("delivery.parked")
        assert Daemon(config).start("--once").wait() == 0
        with Catalog(tmp_path / "catalog") as catalog:
            assert sorted(expected) == sorted(file["sha256_hash"] for file in catalog.all_files())


@pytest.mark.parametrize("which", ["state", "catalog"])
def test_a_start_on_a_full_disk_is_one_sentence(tmp_path: Path, which: str) -> None:
    """With no space for the store or the catalog the start ends with 75 and says so; with space it works."""
    with small_disk(tmp_path / which, "2m") as folder:
        config = configuration(tmp_path)
        (tmp_path / "data" / "a.dat").write_bytes(b"1 2\n")
        (folder / "ballast").write_bytes(b"x" * (2 << 20))
        first = Daemon(config).start()
        assert first.wait(60) == 75
        said = [line for line in first.raw if "{" not in line]
        assert len(said) == 1, said
        assert "full" in said[0] or "space" in said[0]
        (folder / "ballast").unlink()
        enlarge(folder, "64m")
        second = Daemon(config).start("--once")
        assert second.wait() == 0
        assert second.named("delivery.delivered")


def test_a_full_catalog_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """With the catalog's disk full deliveries wait with the reason; with space again every file arrives, once."""
    with small_disk(tmp_path / "catalog", "2m") as folder, Bench(tmp_path, settle={"quiet": "100ms"}) as bench:
        expected = []
        for number in range(8):
            content = os.urandom(1 << 19)
            (bench.data / f"{number}.bin").write_bytes(content)
            expected.append(hashlib.sha256(content).hexdigest())

        def told() -> dict[str, Any] | None:  # whichever of several deliveries speaks first
            lines = [*bench.daemon.named("delivery.waiting"), *bench.daemon.named("catalog.down")]
            return lines[0] if lines else None

        waiting = eventually(told, "the reason why nothing is delivered")
        assert "full" in waiting["problem"].lower() or "space" in waiting["problem"].lower()
        enlarge(folder, "64m")
        eventually(lambda: len(bench.catalog.all_files()) >= len(expected), "every file", 90)
        assert sorted(expected) == sorted(file["sha256_hash"] for file in bench.catalog.all_files())
        assert not bench.daemon.named("delivery.parked")


def test_a_catalog_server_that_is_killed_is_started_again(tmp_path: Path) -> None:
    """When the embedded catalog's process dies, deliveries wait and go on at the same address."""
    with Bench(tmp_path) as bench:
        (bench.data / "a.dat").write_bytes(b"1 2\n")
        bench.delivered("a.dat")
        own = bench.daemon.process.pid
        children = [
            int(child)
            for task in Path(f"/proc/{own}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        servers = [
            child for child in children if b"catalog" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        ]
        assert len(servers) == 1
        os.kill(servers[0], signal.SIGKILL)
        (bench.data / "b.dat").write_bytes(b"3 4\n")
        bench.delivered("b.dat")
        assert bench.daemon.named("catalog.ended")
        assert sorted(file["filename"] for file in bench.catalog.all_files()) == ["a.dat", "b.dat"]


def test_a_wrong_configuration_at_reload_changes_nothing_and_a_right_one_is_taken_over(tmp_path: Path) -> None:
    """SIGHUP with mistakes logs them with their lines and keeps on; with a correct file the new one is in force."""
    with Bench(tmp_path) as bench:
        right = bench.config.read_text("utf-8")
        bench.config.write_text('instrument: test-bench\nroots: [{path: data}]\nsettle: {quiet: "soon"}\n', "utf-8")
        bench.daemon.signal(signal.SIGHUP)
        rejected = bench.daemon.wait_for("config.rejected")
        assert [":3:" in problem for problem in rejected["problems"]] == [True]
        (bench.data / "still.dat").write_bytes(b"1 2\n")
        bench.delivered("still.dat")
        values = json.loads(right)
        (tmp_path / "second").mkdir()
        values["roots"].append({"path": "second"})
        bench.config.write_text(json.dumps(values), "utf-8")
        bench.daemon.signal(signal.SIGHUP)
        bench.daemon.wait_for("config.reloaded")
        (tmp_path / "second" / "new.dat").write_bytes(b"5 6\n")
        bench.delivered("new.dat")


def test_stopping_in_the_middle_of_a_large_upload_is_quick_and_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM while a large file is sent ends the daemon within ten seconds; the next start finishes the upload."""
    size = 300 * 2**20
    with (tmp_path / "large.bin").open("wb") as stream:
        block = os.urandom(2**20)
        for number in range(size // len(block)):
            stream.write(number.to_bytes(8, "big") + block[8:])
    config = configuration(tmp_path, settle={"quiet": "0s"})
    (tmp_path / "large.bin").rename(tmp_path / "data" / "large.bin")
    with Daemon(config) as daemon:
        daemon.wait_for("dataset.composed")
        eventually(
            lambda: any(path.stat().st_size for path in (tmp_path / "catalog" / "uploads").rglob("*")), "an upload"
        )
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 10
        assert "large" not in {event["name"] for event in daemon.named("delivery.delivered")}
    second = Daemon(config).start("--once")
    assert second.wait() == 0
    with Catalog(tmp_path / "catalog") as catalog:
        files = catalog.all_files()
        assert [(file["filename"], int(file["size"])) for file in files] == [("large.bin", size)]


class Systemd:
    """The end of sd_notify(3) that the service manager holds."""

    def __init__(self, path: Path) -> None:
        self.messages: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(path))
        self._socket.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def count(self, word: str) -> int:
        """How many messages held this line."""
        return sum(any(line.startswith(word) for line in message.splitlines()) for message in list(self.messages))

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                self.messages.append(self._socket.recv(65536).decode())


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """A socket to notify."""
    listener = Systemd(tmp_path / "notify")
    yield listener
    listener.close()


def test_the_service_manager_is_told_what_it_needs(tmp_path: Path, systemd: Systemd) -> None:
    """READY once it works, WATCHDOG while it lives, RELOADING and READY around a reload, STOPPING at the end."""
    environment = {"NOTIFY_SOCKET": os.fspath(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    daemon = Daemon(configuration(tmp_path), environment=environment)
    with daemon:
        eventually(lambda: systemd.count("READY=1"), "READY")
        daemon.wait_for("service.started")
        eventually(lambda: systemd.count("WATCHDOG=1") > 3, "a fed watchdog")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: systemd.count("READY=1") == 2, "READY after the reload")
        order = [message.split("\n")[0] for message in systemd.messages if "WATCHDOG" not in message]
        assert order.index("RELOADING=1") > order.index("READY=1")
        assert systemd.count("MONOTONIC_USEC=") == 1
        assert systemd.count("STOPPING=1") == 0
        assert daemon.stop() == 0
    eventually(lambda: systemd.count("STOPPING=1"), "STOPPING")
    assert systemd.count("STOPPING=1") == 1


def test_a_stopped_daemon_does_not_feed_the_watchdog(tmp_path: Path, systemd: Systemd) -> None:
    """A process that does not run (SIGSTOP) sends nothing, so systemd starts it again."""
    environment = {"NOTIFY_SOCKET": os.fspath(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    with Daemon(configuration(tmp_path), environment=environment) as daemon:
        eventually(lambda: systemd.count("WATCHDOG=1"), "a fed watchdog")
        daemon.signal(signal.SIGSTOP)
        fed = systemd.count("WATCHDOG=1")
        assert not threading.Event().wait(1.5)
        assert systemd.count("WATCHDOG=1") <= fed + 1
        daemon.signal(signal.SIGCONT)
        eventually(lambda: systemd.count("WATCHDOG=1") > fed + 2, "a fed watchdog")
