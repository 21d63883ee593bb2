"""A sandbox whose worker is watched: processor time and memory of each reading, taken in the child by the kernel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from daemon.extract.sandbox import Outcome, Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """What one reading came to, its processor seconds, and the most memory in bytes that its worker ever held.

    `ended`: the worker was gone afterwards, so that both are unknown (None).
    """

    outcome: Outcome
    seconds: float | None
    peak: int | None

    @property
    def ended(self) -> bool:
        """Whether the worker did not outlive the reading, or grew too much to be kept."""
        return self.seconds is None


class Measured:
    """One worker, one reading after the other."""

    def __init__(self, *, timeout: float = 60.0, memory: int = 2**30) -> None:
        self.sandbox = Sandbox(timeout=timeout, memory=memory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()

    def read(self, path: Path, companions: Sequence[Path] = (), *, ingestor: str | None = None) -> Reading:
        """Read a file, the named ingestor first."""
        self.sandbox.plugins()  # starts the first worker, so that its start is not counted
        before = self._worker()
        started = processor_seconds(before) if before is not None else 0.0
        outcome = self.sandbox.extract(path, list(companions), ingestor=ingestor)
        after = self._worker()
        if after is None or after != before:
            return Reading(outcome, None, None)
        try:
            return Reading(outcome, processor_seconds(after) - started, peak_bytes(after))
        except OSError:
            return Reading(outcome, None, None)

    def _worker(self) -> int | None:
        running = list(self.sandbox._running)
        return running[0]._process.pid if running else None


def processor_seconds(process: int) -> float:
    """User and system time of a process and of those that it waited for. Raises OSError."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def peak_bytes(process: int) -> int:
    """The largest resident size that a process ever had. Raises OSError."""
    for line in Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"process {process} has no memory any more")
