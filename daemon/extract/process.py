"""The parent's side of one worker process: start it clean, ask it, end it with everything it started."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import StateError
from daemon.extract import frames
from daemon.extract.outcome import text
from daemon.extract.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START_SECONDS: Final = 60.0
_LAST_WORDS_SECONDS: Final = 1.0
_LOOKS: Final = 10  # at who is at work, for each time that one may take
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "HDF5_PLUGIN_PATH")
_FIXED: Final = {
    "HDF5_USE_FILE_LOCKING": "FALSE",  # a lock of ours could make the instrument's own open fail
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class WorkerDiedError(Exception):
    """The worker ended, or said what no worker says; the text says how it ended."""


class DisturbedError(WorkerDiedError):
    """What came over the channel was no message. It is not known who wrote it, unless each was announced there."""


class WorkerProcess:
    """One running worker. One thread at a time asks it; `kill` may be called from any."""

    def __init__(self, *, memory: int, scratch: Path, idle: float, observe: bool = False) -> None:
        """Start it and wait until it is ready. Raises StateError when it cannot be started.

        `memory` in bytes; after `idle` seconds without work it leaves. `observe`: it tells what ingestors do beside reading.
        """
        arguments = [str(memory), str(os.getpid()), str(idle), *(["observe"] if observe else [])]
        self.tired = False
        try:
            self._pulse, page = Pulse.create()
        except OSError as error:
            raise _unstartable(error.strerror or str(error)) from error
        try:
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError as error:
            os.close(page)
            raise _unstartable(error.strerror or str(error)) from error
        started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()
        self._keeper = threading.Thread(
            target=_keep,
            args=(started, (theirs.fileno(), page), scratch, arguments),
            name="extract-keeper",
            daemon=True,
        )
        with theirs:
            self._keeper.start()
            process = started.get()
        os.close(page)
        if isinstance(process, OSError):
            self._channel.close()
            raise _unstartable(process.strerror or str(process))
        self._process = process
        self.plugins = self._greeting()

    def ask(self, request: Mapping[str, Any]) -> None:
        """Hand over a request. Raises WorkerDiedError when nobody is there (an idle worker leaves by itself)."""
        self._pulse.tell("")
        try:
            self._channel.settimeout(START_SECONDS)
            frames.send(self._channel, request)
        except OSError as error:
            raise WorkerDiedError(self.end()) from error

    def at_work(self) -> str:
        """The ingestor that worked last: whom to blame for a worker that died."""
        return text(self._pulse.name())

    def answer(self, timeout: float) -> tuple[dict[str, Any], list[bytes]]:
        """The next message. Raises WorkerDiedError, and TimeoutError if one ingestor worked for `timeout` seconds: it is gone then."""
        try:
            self._await(timeout)
            received = frames.receive(self._channel, time.monotonic() + timeout)
        except TimeoutError:
            self.end()
            raise
        except frames.BrokenFrameError:
            self.end()
            raise DisturbedError("it disturbed the channel to the daemon") from None
        except OSError:
            received = None
        if received is None:
            raise WorkerDiedError(self.end())
        return received

    def _await(self, timeout: float) -> None:
        """Wait until it says something. Raises TimeoutError when nothing was said or begun for that many seconds.

        The monotonic clock stands still while the machine sleeps: a suspend is no time-out.
        """
        waiting = select.poll()
        waiting.register(self._channel, select.POLLIN)
        seen, until = self._pulse.count(), time.monotonic() + timeout
        while not waiting.poll(max(1.0, 1000 * min(until - time.monotonic(), timeout / _LOOKS))):
            if self._pulse.count() != seen:
                seen, until = self._pulse.count(), time.monotonic() + timeout
            elif time.monotonic() >= until:
                raise TimeoutError

    def alive(self) -> bool:
        """Whether it still waits for work."""
        return self._keeper.is_alive() and not self._hung_up()

    def kill(self) -> None:
        """End the process and everything that it started; whoever waits for its answer hears of it."""
        if not self._keeper.is_alive():
            return
        for process in [*_descendants(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    def end(self) -> str:
        """Make sure that it is gone, give back its channel, and say how it ended if it did so by itself."""
        if self._hung_up():
            self._keeper.join(_LAST_WORDS_SECONDS)  # on its way out: its exit status is worth a moment
        by_itself = not self._keeper.is_alive()
        self.kill()
        self._keeper.join()
        self._channel.close()
        return _how(self._process.returncode) if by_itself else "it was ended"

    def _greeting(self) -> list[Any]:
        try:
            ready = frames.receive(self._channel, time.monotonic() + START_SECONDS)
        except (OSError, frames.BrokenFrameError):
            ready = None
        if ready is None or ready[0].get("kind") != "ready":
            raise _unstartable(self.end())
        plugins = ready[0].get("plugins")
        return plugins if isinstance(plugins, list) else []

    def _hung_up(self) -> bool:
        try:
            self._channel.settimeout(0.0)
            return self._channel.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


def _keep(
    started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError],
    descriptors: tuple[int, int],
    scratch: Path,
    arguments: Sequence[str],
) -> None:
    """Start the process, wait until it ends, and end what it left behind.

    In a thread of its own: the kernel's parent-death signal means the thread that started the child, not the process.
    """
    try:
        process = _start(descriptors, scratch, arguments)
    except OSError as error:
        started.put(error)
        return
    started.put(process)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped yet: its number still means its group
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _unstartable(how: str) -> StateError:
    return StateError(
        f"The process that reads instrument files could not be started ({how}).",
        "Look whether memory or the number of processes is short; `labferry check` tries it.",
    )


def _start(descriptors: tuple[int, int], scratch: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    importable = os.pathsep.join(dict.fromkeys(path for path in sys.path if path))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "daemon.extract.worker", *map(str, descriptors), *arguments],
        env={**environment, **_FIXED, "PYTHONPATH": importable, "HOME": str(scratch), "TMPDIR": str(scratch)},
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    )


def _descendants(process: int) -> list[int]:
    """Every process that this one started, and those started theirs, even in sessions of their own; deepest first."""
    found: list[int] = []
    try:
        tasks = list(Path(f"/proc/{process}/task").glob("*/children"))
    except OSError:  # it ended while we looked
        return []
    for task in tasks:
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text("ascii").split()):
                found += [*_descendants(child), child]
    return found


def _how(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"it crashed ({signal.Signals(-status).name})"
    return f"it ended by itself (status {status})"
