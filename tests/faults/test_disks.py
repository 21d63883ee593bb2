"""Disks that fail in the middle of work: every kind of write answers now and then that it could not.

The kernel's answers are made by strace(1); where it is not installed or may not trace, these tests skip.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness import Catalog, Daemon, configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(150)

FILES: Final = 6
SECONDS: Final = 25.0
CASES: Final = (
    ("pwrite64", "ENOSPC", "150+45"),
    ("pwrite64", "EIO", "150+45"),
    ("pwrite64", "EROFS", "150+45"),
    ("write,writev", "EROFS", "8+7"),
    ("write,writev,pwrite64", "EDQUOT", "60+9"),
    ("write,writev", "EIO", "8+7"),
    ("fdatasync", "EIO", "3+5"),
    ("fdatasync", "EIO", "9+6"),
    ("fsync", "EIO", "1+3"),
    ("fsync", "ENOSPC", "2+3"),
    ("ftruncate", "EIO", "1+2"),
    ("rename,renameat,renameat2,link,linkat", "EIO", "1+3"),
    ("rename,renameat,renameat2,link,linkat", "ENOSPC", "2+3"),
    ("unlink,unlinkat", "EIO", "1+2"),
    ("mkdir,mkdirat", "ENOSPC", "1+2"),
)


def failing(calls: str, error: str, when: str) -> list[str]:
    """The command that runs another one, of whose system calls some fail: the n-th of each thread, and so on."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    command = [strace, "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={calls}"]
    if subprocess.run([*command, "/bin/true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here, or is too old")
    return [*command, "-e", f"inject={calls}:error={error}:when={when}"]


def survives(folder: Path, calls: str, error: str, when: str) -> None:
    """Deliver under a failing disk for a while, then without: everything arrives once, and nothing was said by a traceback."""
    config = configuration(folder, settle={"quiet": "50ms"})
    expected = []
    for number in range(FILES):
        text = "".join(f"{x} {number + x * x}\n" for x in range(40 + number))
        (folder / "data" / f"{number}.xy").write_text(text, "ascii")
        expected.append(hashlib.sha256(text.encode()).hexdigest())
    daemon = Daemon(config, under=failing(calls, error, when)).start("--once")
    try:
        status = daemon.wait(SECONDS)
    except subprocess.TimeoutExpired:
        status = daemon.stop(9)
    assert status in {0, 75, -9}, daemon.raw[-5:]
    assert not [line for line in daemon.raw if "Traceback" in line]
    assert not daemon.named("loop.failed")
    assert not daemon.named("delivery.parked")
    assert Daemon(config).start("--once").wait() == 0
    with Catalog(folder / "catalog") as catalog:
        assert sorted(file["sha256_hash"] for file in catalog.all_files()) == sorted(expected)
        assert sorted(
            hashlib.sha256(catalog.download(file["mfid"])).hexdigest() for file in catalog.all_files()
        ) == sorted(expected)
        for dataset in catalog.measurements():
            thumbnails = catalog.get(f"datasets/{dataset['unique_id']}/thumbnails")
            assert len(thumbnails) == len({picture["thumbnail_name"] for picture in thumbnails})


def test_a_disk_that_cannot_write_loses_nothing(tmp_path: Path) -> None:
    """With ENOSPC for many writes of the catalog and of other files, deliveries wait; in the end each file is there once."""
    survives(tmp_path, "write,writev", "ENOSPC", "8+7")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of some megabytes there."""
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", os.fspath(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield
    finally:
        subprocess.run([unmount, "-l", os.fspath(folder)], check=True)


def fill(path: Path) -> None:
    """Take all the space that is left."""
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"x" * 4096)


@pytest.mark.parametrize(
    ("disk", "event"), [("state", "store.failed"), pytest.param("catalog", "catalog.down", marks=pytest.mark.slow)]
)
def test_a_full_disk_is_said_once_and_ends_by_itself(tmp_path: Path, disk: str, event: str) -> None:
    """With the state folder or the catalog full, one line says so; when there is space again everything is delivered."""
    config = configuration(tmp_path, settle={"quiet": "50ms"}, session={"parent": False})
    with small_disk(tmp_path / disk), Daemon(config) as daemon:
        (tmp_path / "data" / "before.xy").write_text("1 2\n3 4\n")
        daemon.wait_for("delivery.delivered", name="before")
        fill(tmp_path / disk / "ballast")
        for number in range(4):
            (tmp_path / "data" / f"{number}.xy").write_text(f"{number} 2\n3 4\n")
        told = daemon.wait_for(event)
        assert "full" in told["problem"]
        (tmp_path / disk / "ballast").unlink()
        for number in range(4):
            daemon.wait_for("delivery.delivered", name=str(number))
        said = [line["problem"] for line in daemon.events if line["event"] == event]
        assert len(said) == len(set(said)) <= 2, "each sentence once"
        assert not [line for line in daemon.raw if "Traceback" in line]
        daemon.wait_for("store.recovered" if disk == "state" else "catalog.back")


@pytest.mark.slow
@pytest.mark.parametrize(("calls", "error", "when"), CASES)
def test_no_failing_write_loses_or_doubles_anything(tmp_path: Path, calls: str, error: str, when: str) -> None:
    """EIO or ENOSPC at any kind of write, now and then: sentences, no tracebacks, and each file arrives once."""
    survives(tmp_path, calls, error, when)
