"""Programs that write files the way instruments do. Run as `python -m tests.fakes.writers KIND PATH`.

Prints `ready` when the state to be tested is reached, waits for a line on stdin, ends its work, prints `done`, waits for another line.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = 1 << 16


def _step(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    sys.stdin.readline()


def silent(path: Path) -> None:
    """Opens, writes half, keeps it open without a word, then writes the rest."""
    with path.open("wb") as stream:
        stream.write(b"a" * SIZE)
        stream.flush()
        _step("ready")
        stream.write(b"b" * SIZE)


def appending(path: Path) -> None:
    """Opens for appending, as a logger does."""
    with path.open("ab") as stream:
        stream.write(b"line\n")
        stream.flush()
        _step("ready")
        stream.write(b"line\n")


def preallocated(path: Path) -> None:
    """Takes the whole space at once, then fills it."""
    with path.open("w+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, 2 * SIZE)
        _step("ready")
        stream.write(b"x" * 2 * SIZE)


def mapped(path: Path) -> None:
    """Maps the file, closes the descriptor, goes on writing through the map."""
    with path.open("w+b") as stream:
        stream.truncate(2 * SIZE)
        content = mmap.mmap(stream.fileno(), 0)
    _step("ready")
    content[:] = b"m" * 2 * SIZE
    content.close()


def hdf5(path: Path) -> None:
    """Flushes after a line of the scan, as ScopeFoundry does."""
    import h5py  # noqa: PLC0415 only this writer needs it

    with h5py.File(path, "a") as file:
        file.attrs["half"] = True
        file.flush()
        _step("ready")
        file.attrs["whole"] = True


def renamed(path: Path) -> None:
    """Writes under another name and renames when it is complete."""
    other = path.with_name(path.name + ".tmp")
    other.write_bytes(b"r" * SIZE)
    _step("ready")
    other.rename(path)


KINDS: Final = {
    "silent": silent, "appending": appending, "preallocated": preallocated, "mapped": mapped, "hdf5": hdf5, "renamed": renamed,
}  # fmt: skip


@contextmanager
def writing(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a writer in a process of its own until it says `ready`; `finish` ends its work."""
    command = [sys.executable, "-m", "tests.fakes.writers", kind, os.fspath(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            _expect(process, "ready")
            yield process
        finally:
            process.kill()


def finish(process: subprocess.Popen[str]) -> None:
    """Let the writer end its work and wait until it says so."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    _expect(process, "done")


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line == word, line


if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]))
    _step("done")
