from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from daemon.watch.lease import Writers, leases_work, probe, writers
from tests.fakes.writers import finish, writing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["silent", "appending", "preallocated", "mapped", "hdf5"])
def test_a_writer_is_seen_until_it_closes(tmp_path: Path, kind: str) -> None:
    """Whatever way a program writes, the kernel tells while it does and no longer."""
    path = tmp_path / "x.h5"
    with writing(kind, path) as process:
        assert writers(path) is Writers.SOME
        finish(process)
        assert writers(path) is Writers.NONE


def test_a_reader_is_no_writer(tmp_path: Path) -> None:
    """Somebody who only looks does not keep a file from being complete."""
    path = tmp_path / "x"
    path.write_text("x")
    with path.open("rb"):
        assert writers(path) is Writers.NONE


def test_the_lease_is_given_back_at_once(tmp_path: Path) -> None:
    """After a probe, with the descriptor still open, a writer opens without waiting."""
    path = tmp_path / "x"
    path.write_text("x")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert writers(descriptor) is Writers.NONE
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    finally:
        os.close(descriptor)


def test_an_opening_writer_never_fails_while_it_is_probed(tmp_path: Path) -> None:
    """A thousand opens for writing beside a prober that never rests all succeed, and the prober survives."""
    path = tmp_path / "x"
    path.write_text("x")
    code = (
        "import sys, pathlib; from daemon.watch.lease import probe, prepare\n"
        "prepare(); path = pathlib.Path(sys.argv[1]); print('ready', flush=True)\n"
        "while True: probe(path)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) as prober:
        assert prober.stdout is not None
        assert prober.stdout.readline() == "ready\n"
        for _ in range(1000):
            with path.open("ab") as stream:
                stream.write(b"x")
        assert prober.poll() is None
        prober.kill()
    assert path.stat().st_size == 1001


def test_a_broken_lease_does_not_end_the_process(tmp_path: Path) -> None:
    """The signal for a lease that is broken is one that is ignored by default, even where nothing was prepared."""
    path = tmp_path / "x"
    path.write_text("x")
    code = """if True:
        import fcntl, sys, threading
        from pathlib import Path
        from daemon.watch.lease import probe
        path, plain = Path(sys.argv[1]), fcntl.fcntl
        def interrupted(descriptor, command, argument):
            if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_UNLCK):
                threading.Thread(target=lambda: path.open("a").close()).start()
                while plain(descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK:
                    pass
                print("broken", end=" ")
            return plain(descriptor, command, argument)
        fcntl.fcntl = interrupted
        probe(path)
        print("alive")
    """
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "broken alive"), (
        signal.strsignal(-done.returncode or 0) or done.stderr
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_file_of_another_user_is_unknown_with_the_reason(tmp_path: Path) -> None:
    """Without CAP_LEASE the kernel answers the owner only; the reason says so."""
    path = tmp_path / "x"
    path.write_text("x")
    path.chmod(0o644)
    descriptor = os.open(path, os.O_RDONLY)
    pid = os.fork()
    if pid == 0:
        os.setresuid(65534, 65534, 65534)
        answer = probe(descriptor)
        os._exit(0 if answer.writers is Writers.UNKNOWN and "CAP_LEASE" in answer.reason else 1)
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_where_leases_do_not_exist_nothing_is_claimed(tmp_path: Path) -> None:
    """A file that cannot be leased is unknown, not free; an ordinary one can be leased."""
    (tmp_path / "x").touch()
    assert leases_work(tmp_path / "x") is None
    descriptor = os.open("/proc/self/status", os.O_RDONLY)
    try:
        answer = probe(descriptor)
    finally:
        os.close(descriptor)
    assert answer.writers is not Writers.SOME


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """The probe never looks at what a link points to."""
    (tmp_path / "x").touch()
    (tmp_path / "link").symlink_to("x")
    with pytest.raises(OSError, match="symbolic links"):
        writers(tmp_path / "link")
