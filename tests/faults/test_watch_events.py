from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from daemon.clock import SystemClock
from daemon.patterns import PathFilter
from daemon.watch.events import WatchedRoot, Watcher
from daemon.watch.scan import join, walk
from tests.fakes.sink import Sink, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERYTHING: Final = PathFilter(["**/*"], [])
QUEUE: Final = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
BURST: Final = """
import os, sys
for folder in range(400):
    path = os.path.join(sys.argv[1], f"{folder // 100}", f"{folder // 10}", f"{folder}")
    os.makedirs(path)
    for number in range(50):
        os.close(os.open(os.path.join(path, f"{number}"), os.O_CREAT | os.O_WRONLY))
"""
FLAT: Final = """
import os, sys
for number in range(int(sys.argv[2])):
    os.close(os.open(os.path.join(sys.argv[1], f"{number}"), os.O_CREAT | os.O_WRONLY))
"""


class Watched:
    """A root that is watched, and what was heard of it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir(exist_ok=True)
        self.sink = Sink()
        self.clock = SystemClock()
        self.watcher = Watcher([WatchedRoot(0, self.root)], self.sink, folder / "state" / "cookies", self.clock)

    def begin(self) -> None:
        """Start, and wait until the root is heard."""
        self.watcher.start()
        assert until(lambda: self.is_watching() and self.is_proven())

    def is_proven(self) -> bool:
        """Every cookie that was sent came back."""
        return self.watcher._cookies._heard == self.watcher._cookies._sent > 0

    def is_watching(self) -> bool:
        """The watcher says that it hears the root."""
        return 0 in self.watcher.check(self.clock.monotonic()).watching

    def check_later(self, seconds: float) -> bool:
        """A check that takes place some time from now; what it says about life."""
        return self.watcher.check(self.clock.monotonic() + seconds).alive

    def hears(self, name: str) -> bool:
        """A file that is written now is heard within a second."""
        (self.root / name).write_text("x")
        return until(lambda: name in self.sink.files, 1.0)

    def found(self) -> set[str]:
        """The files that were heard of, and those in the folders that were heard of."""
        listings = walk(self.root, EVERYTHING)
        below = {join(one.folder, name) for one in listings if one.folder in self.sink.folders for name in one.files}
        return self.sink.files | below

    def settle(self) -> None:
        """Wait until nothing new is heard."""
        before = -1
        while before != (before := len(self.sink.files)):
            until(lambda: False, 0.4)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: other programs' disk traffic is not the subject."""
    memory = Path("/dev/shm")  # noqa: S108 a folder of its own is made there
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    """A root that is not watched yet."""
    one = Watched(folder)
    yield one
    one.watcher.stop()


def run(code: str, *arguments: object) -> None:
    """Run some lines in a process of their own."""
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, timeout=50)


def test_no_file_of_a_burst_into_new_folders_is_missed(watched: Watched) -> None:
    """20,000 files as fast as possible in 400 new nested folders: each is heard of, or lies in a folder that is."""
    watched.begin()
    run(BURST, watched.root)
    watched.settle()
    everything = {join(one.folder, name) for one in walk(watched.root, EVERYTHING) for name in one.files}
    assert len(everything) == 20_000
    watched.sink.folders.discard("")  # the listing at the start does not count
    assert watched.sink.losses or watched.found() >= everything


def test_a_tree_that_is_moved_in_is_heard_as_a_folder(watched: Watched, folder: Path) -> None:
    """Its files may make no events, its folder does; what is written there later is heard too."""
    run(
        FLAT.replace("os.path.join", "os.makedirs(sys.argv[1], exist_ok=True) or os.path.join"),
        folder / "out/a/b",
        200,
    )
    watched.begin()
    (folder / "out").rename(watched.root / "in")
    assert until(lambda: "in" in watched.sink.folders)
    assert until(lambda: watched.hears("in/a/b/late"))
    (watched.root / "in").rename(watched.root / "moved")
    assert until(lambda: "moved" in watched.sink.folders)
    assert until(lambda: watched.hears("moved/a/b/later"))


def test_six_thousand_folders_are_watched_without_effort(watched: Watched) -> None:
    """Starting does not wait for the watches, rest costs nothing, and a new file is heard within a second."""
    for number in range(6000):
        path = watched.root / f"{number // 100}"
        if number % 100 == 0:
            path.mkdir()
        (path / f"{number % 100}").mkdir()
    began = time.monotonic()
    watched.watcher.start()
    assert time.monotonic() - began < 0.2
    assert until(watched.is_watching)
    watched.settle()
    before = time.process_time()
    until(lambda: False, 1.0)
    assert time.process_time() - before < 0.1  # a hundred looks at the condition; the watcher itself takes nothing
    assert watched.hears("59/99/new.h5")
    assert watched.sink.losses == []


@pytest.mark.skipif(QUEUE > 100_000, reason="this machine's queue of events is too long to fill quickly")
def test_an_overflow_is_told_and_survived(folder: Path) -> None:
    """While the watcher is stopped more happens than the kernel keeps; it says so when it goes on, and still hears."""
    root = folder / "root"
    root.mkdir()
    with watcher_process(root, folder) as (process, say):
        assert hears(say) == ["health", True, [0], None]
        process.send_signal(signal.SIGSTOP)
        run(FLAT, root, QUEUE // 2 + 2000)
        process.send_signal(signal.SIGCONT)
        assert say() == ["lost", None, "the kernel's queue of file events overflowed"]
        shutil.rmtree(root)
        lines = [say(), say()]  # the health may be told first
        assert ["lost", 0, "the root is gone or was replaced"] in lines


def hears(say: Callable[[], list[Any]]) -> list[Any]:
    """The line that tells that the root is heard: the first one, or the one after it."""
    said = say()
    return say() if said == ["health", True, [], None] else said


class watcher_process:  # noqa: N801 reads as a statement
    """A watcher in a process of its own, and what it says line by line."""

    def __init__(self, root: Path, state: Path, *before: str) -> None:
        command = [*before, sys.executable, "-m", "tests.fakes.watcher_process", os.fspath(root), os.fspath(state)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self) -> tuple[subprocess.Popen[str], Any]:
        return self.process, self.say

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def say(self) -> list[Any]:
        """The next line."""
        assert self.process.stdout is not None
        return list(json.loads(self.process.stdout.readline() or '["ended"]'))


def test_a_full_table_of_watches_is_explained_once(folder: Path) -> None:
    """At the limit the service goes on by scanning, and names the setting that helps."""
    for number in range(60):
        (folder / "root" / f"{number}").mkdir(parents=True)
    limit = 'echo 40 > /proc/sys/user/max_inotify_watches && exec "$@"'
    space = ["unshare", "-Ur", "sh", "-c", limit, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no user namespaces")
    with watcher_process(folder / "root", folder, *space) as (_, say):
        lines = [say(), say()]
    problem = next(line[3] for line in lines if line[0] == "health" and line[3] is not None)
    assert "sysctl fs.inotify.max_user_watches" in problem
    assert [line[2] for line in lines] == [[], []]


def test_a_thread_that_dies_is_replaced(watched: Watched) -> None:
    """An exception inside the reading thread ends it; the next check builds a new watcher and asks for a scan."""
    watched.begin()

    def broken(event: object) -> None:
        raise KeyError(event)

    observer: Any = watched.watcher._observer
    observer._inotify_fd.handle_event = broken
    (watched.root / "unheard").write_text("x")
    assert until(lambda: not observer._inotify_fd.is_alive())
    assert until(lambda: watched.is_watching() and len(watched.sink.losses) == 1)
    assert "KeyError" in watched.sink.losses[0][1]
    assert watched.hears("heard")


def test_a_watcher_that_lives_but_is_deaf_is_replaced(watched: Watched) -> None:
    """All threads run and nothing arrives: the cookie that does not come back gives it away."""
    watched.begin()
    observer: Any = watched.watcher._observer
    observer._inotify_fd.handle_event = lambda _event: None
    watched.check_later(31.0)  # this cookie is not heard
    watched.check_later(40.0)  # there is still time
    assert watched.watcher._observer is observer
    watched.check_later(60.0)
    assert until(lambda: watched.sink.losses == [(0, "the watcher hears nothing")])
    assert until(lambda: watched.hears("heard"))


def test_a_cookie_that_comes_back_is_proof(watched: Watched) -> None:
    """A quiet watcher that hears its cookies is left alone for as long as it does."""
    watched.begin()
    observer = watched.watcher._observer
    for minutes in range(1, 6):
        assert watched.check_later(60.0 * minutes)
        assert until(watched.is_proven)
    assert watched.watcher._observer is observer
    assert watched.sink.losses == []
    assert [path.name for path in watched.watcher._cookies.folder.iterdir()] == ["probe"]


def test_a_root_that_goes_away_is_lost_and_heard_again_when_it_returns(watched: Watched, folder: Path) -> None:
    """Deleted or moved away, the root is told as lost and no longer counts as watched."""
    watched.begin()
    watched.root.rename(folder / "away")
    assert until(lambda: not watched.is_watching())
    assert watched.sink.losses == [(0, "the root is gone or was replaced")]
    watched.root.mkdir()
    watched.sink.folders.clear()
    watched.check_later(11.0)
    assert until(lambda: "" in watched.sink.folders)
    assert watched.hears("again")


@pytest.mark.parametrize("name", [b"\xff\xfe.h5", b"a\nb.xy", b"y" * 255, "\u732b.dat".encode(), b"%s"])
def test_odd_names_are_heard(watched: Watched, name: bytes) -> None:
    """Undecodable bytes and newlines arrive as the same bytes, in files and in folders."""
    watched.begin()
    folder = os.fsencode(watched.root) + b"/" + name
    os.mkdir(folder)  # noqa: PTH102 bytes
    assert until(lambda: name in {os.fsencode(path) for path in watched.sink.folders})
    with open(folder + b"/" + name, "wb") as stream:  # noqa: PTH123 bytes
        stream.write(b"x")
    assert until(lambda: name + b"/" + name in {os.fsencode(path) for path in watched.sink.files})


def test_an_appended_file_is_heard_at_each_close_only(watched: Watched) -> None:
    """A program that writes all day makes no storm of hints; its close is heard."""
    watched.begin()
    with (watched.root / "log.dat").open("wb") as stream:
        assert until(lambda: "log.dat" in watched.sink.files)
        watched.settle()
        watched.sink.files.clear()
        for _ in range(1000):
            stream.write(b"line\n")
            stream.flush()
        assert watched.hears("other")
        assert watched.sink.files == {"other"}
    assert until(lambda: "log.dat" in watched.sink.files)


def test_a_link_to_a_root_is_watched(folder: Path) -> None:
    """A root may be given by a symbolic link; what happens behind it is heard."""
    (folder / "real").mkdir()
    (folder / "root").symlink_to("real")
    one = Watched(folder)
    try:
        one.begin()
        assert one.hears("x.h5")
    finally:
        one.watcher.stop()
