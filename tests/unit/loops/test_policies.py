"""Which delivery goes when: quiet hours, small before large, a broken dataset, a catalog that is down for a week."""

from __future__ import annotations

import resource
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog

from daemon.catalogs.pace import Pace
from daemon.clock import ManualClock
from daemon.errors import CatalogUnavailable
from daemon.model import DeliveryState, StepKind
from daemon.policies import Delivered, hours, quiet_seconds
from tests.fakes.scripted import ScriptedCatalog
from tests.fakes.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.catalog import Attempt
    from daemon.loops.delivering import Delivering
    from daemon.model import DatasetRecord, Step


MOST_ASKED: Final = 600
"""Questions to a catalog that is down for a week: the backoff grows to an hour."""
MOST_GROWN: Final = 60e6
"""Bytes of memory; SQLite's caches are 16 MB of them."""


def step(loop: Delivering, *, small: bool = False) -> float:
    """One turn of the loop; what it leased for the next one is given back."""
    held: list[Any] = []
    pause, following = loop._next("delivering", held, None, small=small)
    if following is not None:
        loop._deliveries.finish(following, DeliveryState.QUEUED)
    return pause


def delivered(workshop: Workshop) -> list[str]:
    """The datasets that are in the catalog."""
    return sorted(key for key, (state, _) in workshop.groups().items() if state == "delivered")


@pytest.mark.parametrize(
    ("span", "hour", "minute", "seconds"),
    [
        ("08:00-18:00", 7, 59, 0),
        ("08:00-18:00", 8, 0, 36_000),
        ("08:00-18:00", 17, 59, 60),
        ("08:00-18:00", 18, 0, 0),
        ("22:00-06:30", 23, 0, 27_000),
        ("22:00-06:30", 6, 29, 60),
        ("22:00-06:30", 12, 0, 0),
        ("18:00-24:00", 23, 30, 1800),
    ],
)
def test_quiet_hours_end_when_they_say(span: str, hour: int, minute: int, seconds: float) -> None:
    """Within the span the seconds to its end, also over midnight; outside of it none."""
    assert quiet_seconds(span, datetime(2026, 1, 1, hour, minute, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("text", ["", "8-18", "08:00", "25:00-26:00", "08:00-08:00", "00:00-24:00", "08:00-24:30"])
def test_a_span_that_is_none_is_refused(text: str) -> None:
    """What is no part of a day is told when the configuration is read."""
    with pytest.raises(ValueError, match="part of the day"):
        hours(text)


def test_nothing_is_sent_in_quiet_hours(tmp_path: Path) -> None:
    """In quiet hours no delivery begins and one that is under way pauses; afterwards it goes on where it was."""
    local = ManualClock().now().astimezone()
    now = local.hour * 60 + local.minute
    span = f"{(now + 60) % 1440 // 60:02}:{now % 60:02}-{(now + 180) % 1440 // 60:02}:{now % 60:02}"
    workshop = Workshop(tmp_path, policy=Delivered(quiet_hours=span))
    workshop.write("a.dat")
    workshop.whole()

    class Slow(ScriptedCatalog):
        def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
            found = super().perform(step, record, attempt)
            if step.kind is StepKind.METADATA and not attempt.repeated:
                workshop.clock.advance(3660)
            return found

    catalog = Slow()
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    assert [kind for kind, _ in catalog.calls] == ["record", "metadata"]
    assert step(loop) == 60.0
    assert len(catalog.calls) == 2
    workshop.clock.advance(7200)
    step(loop)
    assert delivered(workshop) == ["a.dat"]
    assert len(catalog.effects) == 3
    workshop.close()


def test_small_datasets_pass_large_ones(tmp_path: Path) -> None:
    """The worker that is kept for small datasets leaves the large one alone; a single worker takes the small ones first."""
    for workers in (1, 4):
        folder = tmp_path / str(workers)
        folder.mkdir()
        workshop = Workshop(folder, policy=Delivered(workers=workers, large=100))
        workshop.write("large.dat", b"x" * 500)
        workshop.whole()
        workshop.write("small.dat", b"y")
        workshop.whole()
        loop, _ = workshop.deliverer(ScriptedCatalog())
        step(loop, small=workers > 1)
        assert delivered(workshop) == ["small.dat"]
        step(loop, small=workers > 1)
        assert delivered(workshop) == (["large.dat", "small.dat"] if workers == 1 else ["small.dat"])
        workshop.close()


def test_a_broken_dataset_does_not_starve_the_others(workshop: Workshop) -> None:
    """When all trouble was about one dataset, the next one is tried at once, however long the catalog seems to be down."""

    class Choosy(ScriptedCatalog):
        def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
            if record.files[0].name == "broken.dat":
                raise CatalogUnavailable("crucible answered with 500: boom.")
            return super().perform(step, record, attempt)

    workshop.write("broken.dat")
    workshop.whole()
    loop, circuit = workshop.deliverer(Choosy())
    for _ in range(12):
        step(loop)
        workshop.clock.advance(4000)
    step(loop)
    assert circuit.report().seconds > 0 or circuit.admit() is not None
    workshop.write("good.dat", b"good")
    workshop.whole()
    step(loop)
    assert delivered(workshop) == ["good.dat"]


def test_a_catalog_that_asks_for_time_gets_it_from_everybody(workshop: Workshop) -> None:
    """After a 429 with Retry-After nobody asks before that time, however many datasets wait; then they go on in order."""

    class Busy(ScriptedCatalog):
        until = workshop.clock.monotonic() + 90.0

        def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
            left = self.until - workshop.clock.monotonic()
            if left > 0:
                self.calls.append(("too early", attempt.repeated))
                raise CatalogUnavailable("crucible answered with 429.", retry_after=left)
            return super().perform(step, record, attempt)

    for number in range(20):
        workshop.write(f"{number:02}.dat", b"%d" % number)
    workshop.whole()
    catalog = Busy()
    loop, circuit = workshop.deliverer(catalog)
    for _ in range(10):
        pause = step(loop)
        workshop.clock.advance(min(pause, 5.0))
    assert catalog.calls == [("too early", False)]
    assert circuit.report().seconds > 0
    while workshop.store.deliveries.in_work(1):
        workshop.clock.advance(step(loop))
    assert [kind for kind, _ in catalog.calls].count("record") == 20


def test_a_rewritten_file_takes_the_place_of_the_old_one_where_the_policy_says_so(tmp_path: Path) -> None:
    """With `rewritten: replace` the catalog is asked for the file under its own name, without a version."""
    workshop = Workshop(tmp_path, policy=Delivered(rewritten="replace"))
    catalog = ScriptedCatalog()
    loop, _ = workshop.deliverer(catalog)
    for content in (b"one content", b"another one"):
        workshop.write("a.dat", content)
        workshop.whole()
        step(loop)
    files = [name for _, name, _ in catalog.effects if name.startswith("file:")]
    assert files == ["file:a.dat", "file:a.dat"]
    workshop.close()


def test_a_pace_gives_out_so_many_bytes_a_second() -> None:
    """The bytes stay the same, and the time that passes is theirs at the rate, however many threads share it."""
    clock = ManualClock()
    pace = Pace(clock, 10_000)
    content = [bytes([n]) * 5_000 for n in range(8)]
    assert b"".join(pace.slices(content)) == b"".join(content)
    assert clock.monotonic() == pytest.approx(4.0, abs=0.6)
    threads = [threading.Thread(target=lambda: list(pace.slices(content))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.monotonic() >= 15.0


def resident() -> float:
    """The bytes of memory of this process."""
    return float(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


class Down(ScriptedCatalog):
    """A catalog that does not answer until it is up; `order` are the files as their records came."""

    def __init__(self) -> None:
        super().__init__()
        self.up = False
        self.asked = 0
        self.order: list[str] = []

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Nobody answers; then everything is taken."""
        del attempt
        self.asked += 1
        if not self.up:
            raise CatalogUnavailable("Nobody answers.")
        if step.kind is StepKind.RECORD:
            self.order.append(record.files[0].path)
        return {}


def week(workshop: Workshop, files: int) -> tuple[list[str], int, float]:
    """A catalog that is down for a simulated week while files come in 50 folders, one after the other.

    The paths in the order of their delivery, the lines of the log about it, and the bytes of memory that it took, from
    the fifth folder to the last delivery.
    """
    catalog = Down()
    loop, circuit = workshop.deliverer(catalog)
    seconds, batches = 7 * 86_400.0, 50
    with structlog.testing.capture_logs() as said:
        for batch in range(batches):
            for number in range(files // batches):
                workshop.write(f"{batch:02}/{number:05}.dat", b"%d %d" % (batch, number))
            workshop.look(f"{batch:02}")
            workshop.settle()
            workshop.settle()
            workshop.compose()
            if batch == batches // 10:
                kept = resident()
            until = workshop.clock.monotonic() + seconds / batches
            while workshop.clock.monotonic() < until:
                workshop.clock.advance(max(1.0, step(loop)))
        told = sum(line["event"] in {"delivery.waiting", "catalog.down"} for line in said)
    assert catalog.asked < MOST_ASKED
    catalog.up = True
    workshop.clock.advance(circuit.report().seconds + 1)
    while len(catalog.order) < files:
        workshop.clock.advance(step(loop))
    assert not workshop.store.deliveries.in_work()
    return catalog.order, told, resident() - kept


def in_order(order: list[str], files: int) -> None:
    """Each file once, folder by folder."""
    assert len(set(order)) == len(order) == files
    folders = [path.rsplit("/", 2)[1] for path in order]
    assert folders == sorted(folders)


def test_a_week_without_the_catalog(workshop: Workshop) -> None:
    """Files that come while the catalog is down wait quietly, then go in the order in which they came, each once."""
    order, told, _ = week(workshop, 200)
    in_order(order, 200)
    assert told < MOST_ASKED


@pytest.mark.slow
@pytest.mark.timeout(1700)
def test_fifty_thousand_files_in_a_week_without_the_catalog(workshop: Workshop) -> None:
    """50,000 files in a simulated week: memory does not grow with them, the log stays short, all arrive in order."""
    order, told, grown = week(workshop, 50_000)
    in_order(order, 50_000)
    assert told < MOST_ASKED
    assert grown < MOST_GROWN
