"""Ingestors that do everything that an ingestor must not do: what, the file's name says (`abort.trouble`)."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestors.api import Candidate, Child, Claim, Extraction, Quantity, Sample, Thumbnail, UnreadableError, curve

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 2**30


def hang(candidate: Candidate) -> Any:
    """Never come back."""
    while True:
        time.sleep(60)


def hang_with_children(candidate: Candidate) -> Any:
    """Start processes, one of them in a session of its own, and hang."""
    for own in (False, True):
        subprocess.Popen(["sleep", "600"], start_new_session=own)  # noqa: S607 any sleep
    return hang(candidate)


def leave_children(candidate: Candidate) -> Any:
    """Succeed, but leave a process behind."""
    subprocess.Popen(["sleep", "600"])  # noqa: S607 any sleep
    return Extraction(keywords=("left one",))


def fork_bomb(candidate: Candidate) -> Any:
    """Fork a hundred children that never end, as far as the system lets it."""
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(600)
    return hang(candidate)


def bytes_bomb(candidate: Candidate) -> Any:
    """Take 4 GiB."""
    return Extraction(keywords=(str(len(bytearray(4 * GIB))),))


def map_bomb(candidate: Candidate) -> Any:
    """Take 4 GiB of shared memory, page by page."""
    return Extraction(keywords=(str(mmap.mmap(-1, 4 * GIB).find(b"x")),))


def garbage(candidate: Candidate) -> Any:
    """Write rubbish to every open file descriptor."""
    for descriptor in range(1024):
        try:
            os.write(descriptor, b"rubbish " * 8)
        except OSError:
            continue
    return Extraction(keywords=("rubbish",))


def chatter(candidate: Candidate) -> Any:
    """Print, read the standard input, and write to the descriptors of a terminal."""
    print("hello" * 10000)  # noqa: T201 that is the point
    print("hello", file=sys.stderr)  # noqa: T201 that is the point
    os.write(1, b"hello" * 10000)
    return Extraction(keywords=("chatter", repr(sys.stdin.read())))


def deep(candidate: Candidate) -> Any:
    """Nest metadata a hundred thousand levels deep."""
    tree: dict[str, Any] = {}
    for _ in range(100_000):
        tree = {"down": tree}
    return Extraction(scientific_metadata=tree, keywords=("deep",))


def circle(candidate: Candidate) -> Any:
    """Put metadata into themselves, twice."""
    tree: dict[str, Any] = {}
    tree.update(left=tree, right=tree)
    return Extraction(scientific_metadata=tree, keywords=("circle",))


def flood(candidate: Candidate) -> Any:
    """Return more metadata than a catalog can take."""
    return Extraction(scientific_metadata={"all": ["x" * 50] * 400_000, "few": {"n": 1}}, keywords=("flood",))


def recursion(candidate: Candidate) -> Any:
    """Call itself for ever."""
    return recursion(candidate)


def nonsense(candidate: Candidate) -> Any:
    """Return values of wrong kinds, some of them hostile."""
    return Extraction(
        attributes={"measurement": "fine\x00\udcff", "colour": "red", "timestamp": "yesterday", "project_id": ""},
        scientific_metadata={"nan": float("nan"), "nul": "a\x00b", "bytes": b"\xff", "set": {1, 2}, "object": object},
        keywords=("a", "a", ""),
        samples=(Sample("S1", "id"), Sample("", None)),
        thumbnails=(Thumbnail("no picture", b"GIF89a", 1, 1),),
        warnings=("odd",),
        children=(
            Child("a", {"dataset_name": "first", "unique_id": "mine"}, thumbnails=(Thumbnail("no", b"GIF", 1, 1),)),
            Child("a"),
            Child(" "),
        ),
    )


def parts(candidate: Candidate) -> Any:
    """Children with pictures, the first ones of two."""
    pictures = tuple(curve(f"picture {number}", [0, 1], [number, 1]) for number in range(3))
    first = Child("S1", {"dataset_name": "one"}, {"power": Quantity(1, "mW")}, ("film",), (Sample("F1"),), pictures[1:])
    return Extraction(thumbnails=pictures[:1], children=(first, Child("S2", {"dataset_name": "two"})))


def meddle(candidate: Candidate) -> Any:
    """Try to write beside the data, remove them, call somebody, end the daemon, and read its secrets."""
    done = []
    port = int(candidate.path.read_text("ascii"))
    parent = os.getppid()
    attempts: dict[str, Callable[[], Any]] = {
        "write": lambda: candidate.path.with_suffix(".index").write_bytes(b"x"),
        "change": lambda: candidate.path.open("r+b"),
        "remove": candidate.path.unlink,
        "scratch": lambda: Path("big").write_bytes(b"x" * 10_000_000),
        "connect": lambda: socket.create_connection(("127.0.0.1", port), timeout=2),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
        "unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "child": lambda: subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], check=True),
        "kill": lambda: os.kill(parent, signal.SIGUSR1),
        "secrets": lambda: Path(f"/proc/{parent}/environ").read_bytes()[0],
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, IndexError, subprocess.CalledProcessError):
            continue
        done.append(name)
    return Extraction(keywords=("tried", *done))


def late_garbage(candidate: Candidate) -> Any:
    """Succeed, and disturb the channel a moment later from a thread."""

    def disturb() -> None:
        time.sleep(0.05)
        garbage(candidate)

    threading.Thread(target=disturb).start()
    return Extraction(keywords=("late",))


def moody(candidate: Candidate) -> Any:
    """Say something else in each process."""
    return Extraction(attributes={"data_type": str(os.getpid())}, keywords=(str(os.getpid()),))


def refuse(candidate: Candidate) -> Any:
    """Say properly that the file is broken."""
    message = "the header ends in the middle of a line"
    raise UnreadableError(message)


DEEDS: dict[str, Callable[[Candidate], Any]] = {
    **{deed.__name__: deed for deed in (hang, hang_with_children, leave_children, fork_bomb, bytes_bomb, map_bomb)},
    **{deed.__name__: deed for deed in (garbage, chatter, deep, circle, flood, recursion, nonsense, meddle, moody)},
    "refuse": refuse,
    "late_garbage": late_garbage,
    "abort": lambda _: os.abort(),
    "segfault": lambda _: ctypes.string_at(0),
    "exit": lambda _: sys.exit("bye"),
    "vanish": lambda _: os._exit(0),
    "nothing": lambda _: None,
    "raise": lambda _: 1 / 0,
    "fine": lambda _: Extraction(keywords=("fine",)),
    "parts": parts,
}


class Trouble:
    """Misbehaves on `DEED.trouble` while it reads, on `DEED.claimtrouble` while it claims."""

    name = "trouble"
    version = "6.6"

    def claim(self, candidate: Candidate) -> Claim | None:
        """Claim or misbehave."""
        if candidate.suffix == ".claimtrouble":
            DEEDS[candidate.stem](candidate)
            return Claim(1000, "more than anybody")
        return Claim(90, "it smells of trouble") if candidate.suffix == ".trouble" else None

    def extract(self, candidate: Candidate) -> Extraction:
        """Misbehave."""
        found: Extraction = DEEDS[candidate.stem](candidate)
        return found


class Calm:
    """Reads the same files, less specifically, and behaves."""

    name = "calm"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """Claim what trouble claims, a little less."""
        return Claim(60, "it looks like trouble") if candidate.suffix.endswith("trouble") else None

    def extract(self, candidate: Candidate) -> Extraction:
        """Read nothing, properly."""
        return Extraction(attributes={"measurement": "calm"}, keywords=("calm",))


class Nameless:
    """A plugin without a usable name."""

    name = ""
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """Decline."""

    def extract(self, candidate: Candidate) -> Extraction:
        """Read nothing."""
        return Extraction()


class Impostor(Calm):
    """A plugin that takes a built-in's name."""

    name = "fallback"
