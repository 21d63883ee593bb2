"""Reading instrument files in a child process, because neither they nor the plugins that read them are trusted.

A crash, a hang, a memory bomb or rubbish is a value: the ingestor that was at work is on the record as a failure, the
next most specific one gets a fresh worker, and at the end there is always an outcome.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import LabferryError, StateError
from daemon.extract.outcome import (
    MINIMAL,
    ClaimRow,
    Failure,
    Outcome,
    PluginRow,
    ThumbnailImage,
    accepted,
    claims_in,
    minimal,
    names_in,
    observed_in,
    text,
)
from daemon.extract.process import DisturbedError, WorkerDiedError, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "ClaimRow",
    "Failure",
    "Outcome",
    "PluginRow",
    "Sandbox",
    "SandboxClosedError",
    "ThumbnailImage",
    "installed",
]

_MAX_FAILURES: Final = 50
_MAX_UNEXPLAINED: Final = 3
"""How often a worker may vanish with nobody to blame (an idle one left just then) until we go on without ingestors."""


def installed() -> list[PluginRow]:
    """Every ingestor of this installation, and those that cannot be loaded, from a worker that is started for it.

    Raises StateError when none can be started.
    """
    sandbox = Sandbox(timeout=10.0, memory=2**30)
    try:
        return sandbox.plugins()
    finally:
        sandbox.close()


class SandboxClosedError(LabferryError):
    """The sandbox was closed while, or before, it read a file. Nothing is known of the file."""

    def __init__(self) -> None:
        super().__init__("The reading of files was stopped.", "It starts again with the daemon.")


@dataclass(slots=True)
class _Story:
    """What is known of one extraction while it goes on, across workers."""

    path: Path
    failures: list[Failure] = field(default_factory=list)
    claims: tuple[ClaimRow, ...] = ()
    ties: tuple[tuple[str, ...], ...] = ()
    without: set[str] = field(default_factory=set)
    unexplained: int = 0
    careful: bool = False
    announced: str = ""

    def blame(self, ingestor: str, reason: str) -> None:
        """Put the ingestor that was at work on the record."""
        if ingestor:
            self.failed(ingestor, reason)
        else:
            self.unexplained += 1
            if self.unexplained > _MAX_UNEXPLAINED:
                self.failures.append(Failure(MINIMAL, text(f"the process that reads files kept ending: {reason}")))

    def failed(self, ingestor: str, reason: str, *, refused: bool = False) -> None:
        """Note a failure; nobody asks this ingestor again about this file."""
        self.failures.append(Failure(ingestor, text(reason), refused))
        self.without.add(ingestor)


class Sandbox:
    """A pool of warm workers.

    `timeout` in seconds for each ingestor's claim and for its reading, `memory` in bytes for each worker; a worker that
    had nothing to do for `idle` seconds leaves, so that at rest nothing is there. `scratch` is the empty folder in which
    they stand, a new one below the machine's temporary folder if it is None; what a crash left in it is removed.
    `observe`: outcomes tell what the ingestors did beside reading.
    """

    def __init__(
        self,
        *,
        timeout: float,
        memory: int,
        workers: int = 1,
        idle: float = 60.0,
        scratch: Path | None = None,
        observe: bool = False,
    ) -> None:
        self._observe = observe
        self._timeout = timeout
        self._idle_seconds = idle
        self._memory = memory
        self._scratch = _emptied(scratch)
        self._idle: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        self._running: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._plugins: tuple[PluginRow, ...] = ()
        for _ in range(workers):
            self._idle.put(None)

    def extract(
        self, path: Path, companions: Sequence[Path], *, ingestor: str | None = None, only: str | None = None
    ) -> Outcome:
        """Let the most specific ingestor read the file.

        One named by `ingestor` (name or class) goes first if it claims the file at all; if not, the outcome's failures
        say so. `only`: no other ingestor is asked, and the outcome's own is empty if this one gives nothing. Safe from several threads; waits until a worker is free. Raises SandboxClosedError, and StateError when no
        worker can be started at all (out of memory or processes): then nothing is known of the file, try later.
        """
        story = _Story(path)
        request = {"path": str(path), "companions": [str(one) for one in companions], "first": ingestor, "only": only}
        while story.unexplained <= _MAX_UNEXPLAINED and len(story.without) < _MAX_FAILURES:
            outcome = self._once({**request, "without": sorted(story.without), "careful": story.careful}, story)
            if outcome is not None:
                return outcome
        return minimal(path, story.claims, story.failures)

    def warm_up(self) -> None:
        """Have a worker that waits for the next file. If none can be started, whoever needs one will hear why."""
        with contextlib.suppress(StateError), self._worker():
            pass

    def plugins(self) -> list[PluginRow]:
        """Every ingestor of this installation, and those that could not be loaded. Raises as `extract` does."""
        if not self._plugins:
            with self._worker():
                pass
        return list(self._plugins)

    def close(self) -> None:
        """End every worker, also those at work: whoever waits for one gets SandboxClosedError."""
        with self._lock:
            self._closed.set()
            running = list(self._running)
        for worker in running:
            worker.kill()
        with contextlib.suppress(queue.Empty):
            while True:
                idle = self._idle.get_nowait()
                if idle is not None:
                    self._forget(idle)
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._idle.put(None)  # wakes one that waits; it wakes the next

    def _once(self, request: dict[str, Any], story: _Story) -> Outcome | None:
        """One worker's answer, or None if it failed on the way (the story says how far it came)."""
        with self._worker() as worker:
            try:
                worker.ask(request)
                while True:
                    message, blobs = worker.answer(self._timeout)
                    if message.get("kind") == "done":
                        worker.tired = message.get("last") is not False
                        return self._finished(message, blobs, story)
                    _listen(message, story)
            except TimeoutError:
                story.blame(worker.at_work(), f"it took longer than {self._timeout:g} s")
            except WorkerDiedError as error:
                if self._closed.is_set():
                    raise SandboxClosedError from None
                if isinstance(error, DisturbedError) and not story.careful:
                    story.careful = True  # who it was is known once each announces itself in the same channel
                else:
                    story.blame(story.announced or worker.at_work(), str(error))
        return None

    def _finished(self, message: dict[str, Any], blobs: list[bytes], story: _Story) -> Outcome | None:
        if "ingestor" not in message:
            nothing = minimal(story.path, story.claims, story.failures)
            return replace(nothing, observed=observed_in(message.get("observed")))
        try:
            outcome = accepted(message, blobs)
        except (RecursionError, MemoryError):
            story.blame(text(message.get("ingestor")), "its answer cannot be understood")
            return None
        return replace(outcome, claims=story.claims, failures=tuple(story.failures), ties=story.ties)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        """Borrow a worker, started if need be; it comes back unless it is tired or dead."""
        kept: WorkerProcess | None = None
        slot = self._idle.get()
        try:
            if slot is not None and not slot.alive():
                self._forget(slot)  # it left, as an idle worker does
                slot = None
            worker = slot or self._start()
            try:
                yield worker
                kept = worker if not worker.tired else None
            finally:
                if kept is None:
                    self._forget(worker)
        finally:
            self._idle.put(kept)

    def _start(self) -> WorkerProcess:
        if self._closed.is_set():
            raise SandboxClosedError
        worker = WorkerProcess(
            memory=self._memory, scratch=self._scratch, idle=self._idle_seconds, observe=self._observe
        )
        self._plugins = tuple(PluginRow(*map(text, row)) for row in worker.plugins if isinstance(row, list))
        with self._lock:
            self._running.add(worker)
            closed = self._closed.is_set()
        if closed:
            self._forget(worker)
            raise SandboxClosedError
        return worker

    def _forget(self, worker: WorkerProcess) -> None:
        worker.end()
        with self._lock:
            self._running.discard(worker)


def _listen(message: dict[str, Any], story: _Story) -> None:
    """Take note of what the worker found out on its way."""
    kind = message.get("kind")
    if kind == "at work":
        story.announced = text(message.get("ingestor"))
    elif kind == "failed":
        story.failed(text(message.get("ingestor")), text(message.get("reason")), refused=message.get("refused") is True)
    elif kind == "claims":
        story.claims = story.claims or claims_in(message.get("claims"))
        story.ties = story.ties or names_in(message.get("ties"))


def _emptied(scratch: Path | None) -> Path:
    if scratch is None:
        return Path(tempfile.mkdtemp(prefix="labferry-extract-"))
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, mode=0o700, exist_ok=True)
    return scratch
