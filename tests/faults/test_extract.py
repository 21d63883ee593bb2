"""Plugins that crash, hang, eat memory, lie and meddle: the daemon gets a value for all of it."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.extract.confinement import KNOWS_SCOPES, landlock_version
from daemon.extract.outcome import MAX_METADATA, Failure, Outcome
from daemon.extract.sandbox import Sandbox, SandboxClosedError
from daemon.extract.worker import MAX_DATASETS

if TYPE_CHECKING:
    from collections.abc import Iterator

TROUBLESOME = Path(__file__).parents[1] / "fakes" / "troublesome"
LIMIT = 1.5


@pytest.fixture(scope="module")
def plugins_installed() -> Iterator[None]:
    """The troublesome plugins, installed as far as Python can tell."""
    sys.path.append(str(TROUBLESOME))
    yield
    sys.path.remove(str(TROUBLESOME))


@pytest.fixture(scope="module")
def sandbox(plugins_installed: None) -> Iterator[Sandbox]:
    """One sandbox for all troubles, as in the daemon."""
    sandbox = Sandbox(timeout=LIMIT, memory=2**30)
    yield sandbox
    sandbox.close()
    gc.collect()  # an unclosed socket or process would warn, and warnings are errors


def read(sandbox: Sandbox, folder: Path, deed: str, content: str = "data") -> Outcome:
    """What the sandbox makes of a file whose name tells the plugin what to do."""
    path = folder / deed
    path.write_text(content)
    return sandbox.extract(path, [])


def until_gone(process: int) -> bool:
    """Whether a process ends within five seconds."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 5)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("abort", "it crashed (SIGABRT)"),
        ("segfault", "it crashed (SIGSEGV)"),
        ("vanish", "it ended by itself (status 0)"),
        ("hang", "it took longer than 1.5 s"),
        ("bytes_bomb", "it needed more memory than it may have"),
        ("map_bomb", "OSError: [Errno 12] Cannot allocate memory"),
        ("garbage", "it disturbed the channel to the daemon"),
        ("exit", "SystemExit: bye"),
        ("raise", "ZeroDivisionError: division by zero"),
        ("recursion", "it went round in circles (recursion limit)"),
        ("nothing", "extract() returned NoneType instead of an Extraction"),
        ("refuse", "the header ends in the middle of a line"),
    ],
)
def test_trouble_while_reading_is_on_the_record_and_the_next_one_reads(
    sandbox: Sandbox, tmp_path: Path, deed: str, reason: str
) -> None:
    """An ingestor that fails in any way is named with its reason, and the next most specific one reads the file."""
    outcome = read(sandbox, tmp_path, f"{deed}.trouble")
    assert outcome.failures == (Failure("trouble", reason, refused=deed == "refuse"),)
    assert (outcome.ingestor, outcome.attributes["measurement"]) == ("calm", "calm")
    assert [(claim.ingestor, claim.specificity) for claim in outcome.claims][:2] == [("trouble", 90), ("calm", 60)]


@pytest.mark.parametrize("deed", ["abort", "hang", "garbage", "raise", "exit", "fine"])
def test_trouble_while_claiming_hurts_nobody_else(sandbox: Sandbox, tmp_path: Path, deed: str) -> None:
    """A claim that crashes, hangs, raises or is nonsense is on the record; the others are asked all the same."""
    outcome = read(sandbox, tmp_path, f"{deed}.claimtrouble")
    assert [failure.ingestor for failure in outcome.failures] == ["trouble"]
    assert outcome.ingestor == "calm"


def test_good_files_after_bad_ones(sandbox: Sandbox, tmp_path: Path) -> None:
    """A crash costs the next file nothing but a fresh worker."""
    read(sandbox, tmp_path, "abort.trouble")
    assert read(sandbox, tmp_path, "fine.trouble").keywords == ("fine",)


def test_processes_that_a_plugin_started_end_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """After a time-out nothing runs on, not even what went into a session of its own."""
    before = set(children_named("sleep"))
    outcome = read(sandbox, tmp_path, "hang_with_children.trouble")
    assert outcome.failures == (Failure("trouble", "it took longer than 1.5 s"),)
    assert all(until_gone(process) for process in set(children_named("sleep")) - before)


def children_named(name: str) -> list[int]:
    """The processes of that name that came out of a sandbox's scratch folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == name and "labferry-extract-" in str(
                (process / "cwd").readlink()
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_fork_bomb_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    """A plugin that forks until it is stopped fails like any other, and nothing of it runs on."""
    read(sandbox, tmp_path, "fine.trouble")
    (worker,) = sandbox._running
    outcome = read(sandbox, tmp_path, "fork_bomb.trouble")
    assert [failure.ingestor for failure in outcome.failures] == ["trouble"]
    assert outcome.ingestor == "calm"
    assert all(until_gone(process) for process in running_in_group(worker._process.pid))


def running_in_group(group: int) -> list[int]:
    """The processes of a group that are more than an entry nobody has collected yet."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group_of = (process / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group_of) == group and state != "Z":
            found.append(int(process.name))
    return found


def test_processes_left_behind_end(sandbox: Sandbox, tmp_path: Path) -> None:
    """An ingestor that succeeds but leaves a process running gets its result, and the process ends."""
    before = set(children_named("sleep"))
    assert read(sandbox, tmp_path, "leave_children.trouble").keywords == ("left one",)
    assert all(until_gone(process) for process in set(children_named("sleep")) - before)


def test_chatter_reaches_nobody(sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What a plugin prints goes nowhere, and its standard input is empty."""
    assert read(sandbox, tmp_path, "chatter.trouble").keywords == ("chatter", "''")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("deed", ["deep", "circle"])
def test_endless_metadata_are_cut(sandbox: Sandbox, tmp_path: Path, deed: str) -> None:
    """Metadata nested without end are cut to a depth that catalogs can take, and a warning says so."""
    outcome = read(sandbox, tmp_path, f"{deed}.trouble")
    assert outcome.keywords == (deed,)
    assert "…" in json.dumps(outcome.scientific_metadata, ensure_ascii=False)
    assert any("cut" in warning for warning in outcome.warnings)


def test_too_much_metadata_are_left_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """Metadata beyond the size limit are left out, the largest first, and a warning says so."""
    outcome = read(sandbox, tmp_path, "flood.trouble")
    assert outcome.keywords == ("flood",)
    assert outcome.scientific_metadata["few"] == {"n": 1}
    assert len(json.dumps(outcome.scientific_metadata)) < MAX_METADATA
    assert outcome.warnings


def test_nonsense_is_sorted_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """Values of wrong kinds are left out with a warning; the good ones beside them are kept."""
    outcome = read(sandbox, tmp_path, "nonsense.trouble")
    assert outcome.attributes == {"measurement": "fine␀\\xff"}
    assert outcome.scientific_metadata["nan"] == "NaN"
    assert outcome.scientific_metadata["nul"] == "a␀b"
    assert (outcome.keywords, outcome.samples) == (("a",), ({"name": "S1", "unique_id": "id"},))
    assert outcome.thumbnails == ()
    assert ["'colour'" in "".join(outcome.warnings), "'yesterday'" in "".join(outcome.warnings)] == [True, True]


def test_children_come_with_their_own_pictures(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each child has its attributes, its metadata with units, its samples and just the pictures that are its own."""
    outcome = read(sandbox, tmp_path, "parts.trouble")
    first, second = outcome.children
    assert [one.caption for one in outcome.thumbnails] == ["picture 0"]
    assert [one.caption for one in first.thumbnails] == ["picture 1", "picture 2"]
    assert (first.key, first.attributes, first.keywords) == ("S1", {"dataset_name": "one"}, ("film",))
    assert (first.scientific_metadata, first.units) == ({"power": {"value": 1, "unit": "mW"}}, {"mW": "mW"})
    assert (first.samples, second.thumbnails) == (({"name": "F1", "unique_id": None},), ())
    assert (outcome.warnings, second.key) == ((), "S2")


@pytest.mark.skipif(landlock_version() < KNOWS_SCOPES, reason="this kernel has no Landlock, or an older one")
def test_plugins_can_only_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """A plugin can neither write beside the data nor remove them, call anybody, signal the daemon or read its environment."""
    heard = threading.Event()
    previous = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            outcome = read(sandbox, tmp_path, "meddle.trouble", str(server.getsockname()[1]))
    finally:
        signal.signal(signal.SIGUSR1, previous)
    # Newer kernels let a process with CAP_PERFMON, as root has it, read every environment; the service has none.
    assert set(outcome.keywords) - ({"secrets"} if os.geteuid() == 0 else set()) == {"tried"}
    assert not heard.is_set()
    assert [path.name for path in tmp_path.iterdir()] == ["meddle.trouble"]


def test_disturbance_between_files_blames_nobody(sandbox: Sandbox, tmp_path: Path) -> None:
    """Rubbish on the channel after an answer costs a fresh worker, and the next file is read without a failure."""
    assert read(sandbox, tmp_path, "late_garbage.trouble").keywords == ("late",)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and sandbox_is_quiet(sandbox):
        select.select([], [], [], 0.01)
    outcome = read(sandbox, tmp_path, "fine.trouble")
    assert (outcome.keywords, outcome.failures) == (("fine",), ())


def sandbox_is_quiet(sandbox: Sandbox) -> bool:
    """Whether nothing waits unread on the channel of the idle worker."""
    (worker,) = sandbox._running
    return not select.select([worker._channel], [], [], 0)[0]


def test_every_plugin_is_listed_with_its_origin_or_its_error(sandbox: Sandbox) -> None:
    """A plugin that cannot be loaded, has no name or takes a name that is taken is listed with the reason."""
    rows = {row.name: row for row in sandbox.plugins()}
    assert (rows["trouble"].version, rows["trouble"].origin) == ("6.6", "troublesome-ingestors 1.0")
    assert (rows["fallback"].origin, rows["fallback"].error) == ("built-in", "")
    errors = {name.partition(" ")[0]: row.error for name, row in rows.items() if "troublesome" in row.origin}
    assert errors["unloadable"] == "RuntimeError: this plugin needs a licence dongle"
    assert "Missing" in errors["missing"]
    assert "name" in errors["nameless"]
    assert "already taken by an ingestor of built-in" in errors["impostor"]


def test_a_worker_that_died_while_idle_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    """A worker killed between two files (by the kernel's memory killer, say) costs nothing but a fresh one."""
    read(sandbox, tmp_path, "fine.trouble")
    (worker,) = sandbox._running
    os.kill(worker._process.pid, signal.SIGKILL)
    outcome = read(sandbox, tmp_path, "fine.trouble")
    assert (outcome.keywords, outcome.failures) == (("fine",), ())


def test_an_idle_worker_leaves(plugins_installed: None, tmp_path: Path) -> None:
    """At rest there is no worker; the next file gets a fresh one and blames nobody."""
    sandbox = Sandbox(timeout=LIMIT, memory=2**30, idle=0.1)
    assert read(sandbox, tmp_path, "fine.trouble").keywords == ("fine",)
    (worker,) = sandbox._running
    assert until_gone(worker._process.pid)
    outcome = read(sandbox, tmp_path, "fine.trouble")
    sandbox.close()
    assert (outcome.keywords, outcome.failures) == (("fine",), ())


def test_a_worker_is_replaced_after_many_files(sandbox: Sandbox, tmp_path: Path) -> None:
    """What plugins leak is bounded: after so many files the worker is another process, without a hitch."""
    path = tmp_path / "fine.trouble"
    path.write_text("data")
    seen = set()
    for _ in range(MAX_DATASETS + 1):
        assert sandbox.extract(path, []).keywords == ("fine",)
        seen |= {worker._process.pid for worker in sandbox._running}
    assert len(seen) == 2


def test_close_interrupts(plugins_installed: None, tmp_path: Path) -> None:
    """Closing ends a reading at once and blames no ingestor for it."""
    sandbox = Sandbox(timeout=60, memory=2**30)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            read(sandbox, tmp_path, "hang.trouble")
        except SandboxClosedError as error:
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]  # one reads, two wait for the worker
    for thread in threads:
        thread.start()
    while not sandbox._running:
        select.select([], [], [], 0.01)
    sandbox.close()
    for thread in threads:
        thread.join(5)
    assert len(raised) == 3
    with pytest.raises(SandboxClosedError):
        sandbox.extract(tmp_path / "hang.trouble", [])


def test_worker_dies_with_the_daemon(plugins_installed: None, tmp_path: Path) -> None:
    """When the daemon is killed in the middle of a reading, its worker does not run on."""
    (tmp_path / "hang.trouble").write_text("data")
    script = (
        "import sys, threading, pathlib; from daemon.extract.sandbox import Sandbox; s = Sandbox(timeout=60, memory=2**30)\n"
        "threading.Thread(target=s.extract, args=(pathlib.Path(sys.argv[1]), []), daemon=True).start()\n"
        "import time\nwhile not s._running: time.sleep(0.01)\n"
        "print(next(iter(s._running))._process.pid, flush=True); threading.Event().wait()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "hang.trouble")], stdout=subprocess.PIPE, env=environment
    ) as daemon:
        assert daemon.stdout is not None
        worker = int(daemon.stdout.readline())
        daemon.kill()
    assert until_gone(worker)
