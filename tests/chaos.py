"""`make chaos`: minutes of random faults and kills over many files, and a count of what was lost or doubled.

`python -m tests.chaos [--minutes 10] [--files 2000] [--kills 100] [--seed 1]`. The real daemon, the real embedded catalog
as another process, a proxy between them that breaks requests, `kill -9` for both of them. The same seed gives the same
files, faults and moments of death; where they fall depends on the machine. Exit status 1 if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fakes.faultproxy import FaultProxy
from tests.fakes.faults import FAULTS
from tests.harness import Catalog, Daemon, configuration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.faultproxy import Fault
    from tests.harness import CatalogView

PROBABILITY: Final = 0.04
"""Of a fault for each request."""

SERVER_KILLS: Final = 10
"""For how many kills of the daemon the catalog's server is killed once."""

LARGE_EVERY: Final = 60
RETRY_EVERY: Final = 12
LAST_TRIES: Final = 12


@dataclass
class Tally:
    """What was done to the deliveries, and what became of them."""

    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    server_kills: int = 0
    files: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def told(self) -> str:
        """For a person."""
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        done = f"files {self.files}, kills of the daemon {self.kills}, kills of the catalog {self.server_kills}"
        return "\n".join(
            [
                f"{done}, faults {sum(self.faults.values())} ({kinds})",
                f"lost {len(self.lost)}, doubled {len(self.doubled)}",
                *self.lost[:20],
                *self.doubled[:20],
            ]
        )


class Storm:
    """A folder, a daemon, a catalog and a proxy between them."""

    def __init__(self, folder: Path, seed: int, *, minutes: float, files: int, kills: int) -> None:
        self.folder = folder
        self.tally = Tally()
        self._chance = random.Random(seed)
        self._seconds, self._files, self._kills = minutes * 60, files, kills
        self._catalog_port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self.expected: dict[str, str] = {}

    def rage(self) -> Tally:
        """All of it."""
        self._serve()
        token = (self.folder / "catalog" / "token").read_text("ascii").strip()
        with FaultProxy(self._catalog_port) as proxy:
            proxy.stall_seconds = 3.0
            proxy.choose = self._fault
            url = f"http://127.0.0.1:{proxy.port}/api/v3"
            config = configuration(
                self.folder, settle={"quiet": "50ms"}, catalogs=[{"type": "crucible", "url": url, "workers": 4}]
            )
            self._daemon = {"LABFERRY_CRUCIBLE_API_KEY": token}
            writer = threading.Thread(target=self._write, daemon=True)
            writer.start()
            self._kill_and_kill(config)
            writer.join()
            proxy.choose = lambda _: None
            self._finish(config)
        self._end_server()
        with Catalog(self.folder / "catalog") as view:
            self._judge(view)
        return self.tally

    def _fault(self, line: str) -> Fault | None:
        del line
        if self._chance.random() >= PROBABILITY:
            return None
        fault = self._chance.choice(FAULTS)
        self.tally.faults[fault.name] += 1
        return fault

    def _write(self) -> None:
        """An instrument that measures for most of the time; some files are large, each has bytes of its own."""
        chance = random.Random(self._files)
        for number in range(self._files):
            path = self.folder / "data" / f"sitting{number * 20 // self._files:02}" / f"scan_{number:05}.xy"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(f"{x} {number + x * x}\n" for x in range(40)).encode()
            if number % LARGE_EVERY == 0:
                path = path.with_suffix(".bin")
                text = chance.randbytes(chance.randrange(1 << 20, 6 << 20))
            path.write_bytes(text)
            self.expected[hashlib.sha256(text).hexdigest()] = os.fspath(path.relative_to(self.folder))
            self._over.wait(self._seconds * 0.8 / self._files)
        self.tally.files = len(self.expected)

    def _kill_and_kill(self, config: Path) -> None:
        until = time.monotonic() + self._seconds
        pause = threading.Event()
        for number in range(self._kills):
            left = (until - time.monotonic()) / (self._kills - number)
            daemon = Daemon(config, environment=self._daemon).start()
            pause.wait(max(0.2, self._chance.uniform(0.4, 1.6) * left))
            if number % SERVER_KILLS == SERVER_KILLS - 1:
                self._end_server()
                self.tally.server_kills += 1
                self._serve()
            daemon.stop(signal.SIGKILL)
            self.tally.kills += 1
            if number % RETRY_EVERY == 0:
                self._retry(config)
            sys.stderr.write(".")
            sys.stderr.flush()

    def _finish(self, config: Path) -> None:
        """A person retries what was refused; a last quiet run brings the rest."""
        for _ in range(LAST_TRIES):
            self._retry(config)
            status = Daemon(config, environment=self._daemon).start("--once").wait(600)
            if status == 0:
                return
        self.tally.lost.append(f"the last run ended with {status}")

    def _retry(self, config: Path) -> None:
        command = [sys.executable, "-m", "daemon", "retry", os.fspath(config)]
        subprocess.run(command, capture_output=True, check=False, env={**os.environ, **self._daemon})

    def _serve(self) -> None:
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "daemon", "catalog", os.fspath(self.folder / "catalog")]
        command += ["--port", str(self._catalog_port), "--ready-fd", str(writing)]
        self._server = subprocess.Popen(command, pass_fds=(writing,), stdin=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as stream:
            stream.readline()

    def _end_server(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def _judge(self, view: CatalogView) -> None:
        """Every file once with its own bytes, and nothing of a dataset twice."""
        arrived: Counter[str] = Counter()
        for dataset in view.measurements():
            unique_id = dataset["unique_id"]
            for file in view.files(unique_id):
                arrived[hashlib.sha256(view.download(file["mfid"])).hexdigest()] += 1
                query = {"dataset_mfid": unique_id, "file_mfid": file["mfid"]}
                self._once("ingestion request", file["filename"], view.get("ingestion_requests", **query)["items"])
            links = view.get(f"resources/{unique_id}/links")
            self._once("session", unique_id, [link for link in links if link["relationship_type"] == "is_part_of"])
            for part, name in (("thumbnails", "thumbnail_name"), ("keywords", "keyword")):
                names = [one[name] for one in view.get(f"datasets/{unique_id}/{part}")]
                if len(names) != len(set(names)):
                    self.tally.doubled.append(f"{part} of {unique_id}: {names}")
        for digest, path in self.expected.items():
            if not arrived[digest]:
                self.tally.lost.append(path)
            elif arrived[digest] > 1:
                self.tally.doubled.append(f"{path} is there {arrived[digest]} times")
        self.tally.doubled += [
            f"bytes that nobody wrote: {digest}" for digest in arrived if digest not in self.expected
        ]

    def _once(self, what: str, name: str, found: Sequence[object]) -> None:
        if len(found) != 1:
            self.tally.doubled.append(f"{what} of {name}: {len(found)}")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def storm(folder: Path, seed: int, *, minutes: float, files: int, kills: int) -> Tally:
    """Rage, and count."""
    return Storm(folder, seed, minutes=minutes, files=files, kills=kills).rage()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="labferry-chaos-"))
    began = time.monotonic()
    tally = storm(folder, options.seed, minutes=options.minutes, files=options.files, kills=options.kills)
    sys.stdout.write(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s: {tally.told()}\n")
    if tally.lost or tally.doubled:
        sys.stdout.write(f"everything is still in {folder}\n")
        return 1
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
