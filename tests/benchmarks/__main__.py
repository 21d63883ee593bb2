"""`make bench`: the numbers of the README, measured on this machine with the real daemon and the real local catalog.

`python -m tests.benchmarks [latency] [throughput] [large] [idle]`
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from daemon.clock import SystemClock
from daemon.store.opening import Store, visit_store
from tests.benchmarks.known import know_files
from tests.harness import CatalogView, Daemon, configuration, eventually

QUIET = 0.3
LATENCY_FILES = 60
SMALL_FILES = 2000
LARGE_BYTES = 2 * 2**30
KNOWN_FILES = 100_000
IDLE_SECONDS = 60.0
PAUSE = threading.Event()


def report(name: str, value: str, target: str) -> None:
    """One line of the table."""
    sys.stdout.write(f"{name:<66} {value:>16}   target {target}\n")
    sys.stdout.flush()


def pattern(number: int) -> str:
    """A small diffraction pattern."""
    return "".join(f"{10 + x * 0.05:.3f} {100 + (x * number) % 971}\n" for x in range(200))


def latency(folder: Path) -> None:
    """From the close of a file until its dataset, with its file, is visible in the catalog."""
    config = configuration(folder, settle={"quiet": f"{QUIET}s"}, session={"folder": False})
    with Daemon(config) as daemon:
        url = daemon.wait_for("catalog.address")["page"].rstrip("/") + "/api/v3"
        daemon.wait_for("watch.scanned")
        PAUSE.wait(2)
        with CatalogView(folder / "catalog", url) as catalog:
            seconds = [
                _visible_after(catalog, folder / "data" / f"scan_{number:04}.xy", number)
                for number in range(LATENCY_FILES)
            ]
    seconds.sort()
    above = [one - QUIET for one in seconds]
    report(
        "close of a file to dataset visible, above the quiet period, p50",
        f"{statistics.median(above):.3f} s",
        "< 0.3 s",
    )
    report("the same, p99", f"{above[int(0.99 * (len(above) - 1))]:.3f} s", "")


def _visible_after(catalog: CatalogView, path: Path, number: int) -> float:
    path.write_text(pattern(number), "ascii")
    closed = time.monotonic()

    def there() -> bool:
        found = catalog.get("datasets", dataset_name=path.stem, limit=1)["items"]
        return bool(found) and bool(catalog.files(found[0]["unique_id"]))

    eventually(there, path.name, every=0.005)
    return time.monotonic() - closed


def throughput(folder: Path) -> None:
    """Many small files at once, until the last one is delivered."""
    config = configuration(folder, settle={"quiet": f"{QUIET}s"})
    with Daemon(config) as daemon:
        daemon.wait_for("watch.scanned")
        store = visit_store(folder / "state", SystemClock())
        began = time.monotonic()
        for number in range(SMALL_FILES):
            (folder / "data" / f"scan_{number:04}.xy").write_text(pattern(number), "ascii")
        eventually(lambda: _delivered(store) >= SMALL_FILES, "all small files", 600, every=0.1)
        seconds = time.monotonic() - began
        store.close()
    report(f"{SMALL_FILES} small files, first write to last delivery", f"{SMALL_FILES / seconds:.0f} files/s", "> 100")


def _delivered(store: Store) -> int:
    return store.datasets.counts().get("delivered", 0)


def large(folder: Path) -> None:
    """One large file, against what the machine's own tools need in the same run."""
    source = folder / "large.bin"
    with source.open("wb") as stream:
        block = os.urandom(2**20)
        for _ in range(LARGE_BYTES // 2**20):
            stream.write(block)
    rates = {}
    for name, command in {
        "sha256sum": ["sha256sum", os.fspath(source)],
        "cp": ["cp", os.fspath(source), os.fspath(folder / "copy.bin")],
    }.items():
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rates[name] = LARGE_BYTES / (time.monotonic() - began) / 1e6
    (folder / "copy.bin").unlink()
    config = configuration(folder, settle={"quiet": "0s"})
    with Daemon(config) as daemon:
        daemon.wait_for("watch.scanned")
        PAUSE.wait(1)
        began = time.monotonic()
        source.rename(folder / "data" / "large.bin")
        daemon.wait_for("delivery.delivered", seconds=300, name="large")
        rate = LARGE_BYTES / (time.monotonic() - began) / 1e6
    slower = min(rates.values())
    detail = ", ".join(f"{name} {value:.0f}" for name, value in rates.items())
    report(
        f"2 GiB file, rename to delivered ({detail} MB/s)", f"{rate:.0f} MB/s", f"> {slower / 2:.0f} (half the slower)"
    )


def idle(folder: Path) -> None:
    """A minute of nothing with many known files."""
    config = configuration(folder)
    know_files(folder, KNOWN_FILES)
    with Daemon(config) as daemon:
        # The first scan, and the second once events are heard; the third comes five minutes later.
        eventually(lambda: len(daemon.named("watch.scanned")) > 1, "two scans", 300)
        PAUSE.wait(5)
        pids = _family(daemon.process.pid)
        before = {pid: _cpu_seconds(pid) for pid in pids}
        PAUSE.wait(IDLE_SECONDS)
        spent = {pid: _cpu_seconds(pid) - before[pid] for pid in pids}
        memory = {pid: _memory(pid) for pid in pids}
    ours = daemon.process.pid
    report(f"CPU of an idle minute, {KNOWN_FILES} known files, daemon", f"{spent[ours]:.2f} s", "< 0.1 s")
    report("the same, with the catalog's server", f"{sum(spent.values()):.2f} s", "")
    report("memory, daemon (PSS)", f"{memory[ours]:.0f} MB", "< 150 MB")
    report("memory, with the catalog's server (PSS)", f"{sum(memory.values()):.0f} MB", "")


def _family(pid: int) -> list[int]:
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607 fixed command
    return [pid, *(int(text) for text in children.stdout.split())]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    names = sys.argv[1:] or ["latency", "throughput", "large", "idle"]
    cores = os.cpu_count()
    sys.stdout.write(
        f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {tempfile.gettempdir()}\n"
    )
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"labferry-bench-{name}-"))
        try:
            {"latency": latency, "throughput": throughput, "large": large, "idle": idle}[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
