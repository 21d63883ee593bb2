"""A session of measurements through the daemon to a fake SciCat, with a death, two lost tokens and a replay in its middle."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.httpserver import serve
from tests.fakes.scicat import PASSWORD, FakeScicat
from tests.fakes.scicat_bench import DATASET
from tests.harness import Daemon, configuration, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = {"LABFERRY_SCICAT_PASSWORD": PASSWORD}


@contextmanager
def scicat(generation: str, **changes: Any) -> Iterator[tuple[FakeScicat, dict[str, Any]]]:
    """A served fake, and the options of a catalog that reaches it."""
    fake = FakeScicat(generation)
    with serve(fake.answer) as url:
        yield fake, {"type": "scicat", "url": url, "username": "ingestor", "dataset": DATASET, **changes}
    assert fake.violations == []


def measure(folder: Path, number: int) -> dict[str, bytes]:
    """One measurement: a curve, its log and its settings."""
    rows = "".join(f"{x / 10:.1f} {(x * number) % 97}\n" for x in range(200))
    contents = {
        f"scan_{number:02}.xy": f"# Energy (eV)  Counts\n{rows}".encode(),
        f"scan_{number:02}.log": f"scan {number} done\n".encode(),
        f"scan_{number:02}.ini": f"[scan]\nnumber = {number}\n".encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return contents


def arrived(fake: FakeScicat) -> dict[str, Any]:
    """The measurements that are there, by name; each must be there once."""
    found = [one for one in fake.datasets.values() if one.blocks]
    named = {one.record["datasetName"]: one for one in found}
    assert len(named) == len(found)
    return named


@dataclass(frozen=True)
class Sitting:
    """What was delivered: the server, its address, and each measurement's files by its name."""

    fake: FakeScicat
    url: str
    written: dict[str, dict[str, bytes]]


@contextmanager
def sitting(folder: Path, generation: str, count: int) -> Iterator[Sitting]:
    """Deliver so many measurements of 3 files; the block begins when all is over."""
    storage, run = folder / "storage", folder / "data" / "20261120_ann"
    storage.mkdir()
    with scicat(generation, transfer={"mode": "copy", "to": str(storage)}) as (fake, catalog):
        config = configuration(folder, catalogs=[catalog])
        run.mkdir()
        daemon = Daemon(config, environment=SECRET).start()
        written = {f"scan_{number:02}": measure(run, number) for number in range(1, count + 1)}
        eventually(lambda: len(arrived(fake)) >= 3, "the first datasets")
        daemon.stop(signal.SIGKILL)
        fake.expire()
        with Daemon(config, environment=SECRET) as again:
            eventually(lambda: len(arrived(fake)) >= 6, "more datasets")
            fake.garble()
            eventually(lambda: len(again.named("delivery.delivered")) and whole(fake, count), "all of them", 120)
            again.stop()
        assert Daemon(config, environment=SECRET).start("--once").wait() == 0  # a replay
        yield Sitting(fake, catalog["url"], written)


def whole(fake: FakeScicat, count: int) -> bool:
    """Whether so many datasets are there with everything."""
    found = arrived(fake).values()
    done = [
        one
        for one in found
        if one.attachments and one.record["inputDatasets"] and one.record["datasetlifecycle"]["archivable"]
    ]
    return len(done) == count
