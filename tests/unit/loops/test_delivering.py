"""The delivering loop against a scripted catalog and a real store."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from daemon.errors import (
    CatalogRefused,
    CatalogUnavailable,
    CredentialsRefused,
    LabferryError,
    NotFoundError,
    NotYet,
    SourceChanged,
    StateError,
)
from daemon.loops.circuit import CREDENTIALS_SECONDS, TOLERATED, CircuitState
from daemon.loops.context import Stopping
from daemon.model import DatasetState, DeliveryState, StepKind
from daemon.store.datasets import VANISHED
from tests.fakes.scripted import Crash, ScriptedCatalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.catalog import Attempt
    from daemon.clock import ManualClock
    from daemon.loops.delivering import Delivering
    from daemon.model import DatasetRecord, Step
    from daemon.store.deliveries import DeliveryRow
    from tests.fakes.workshop import Workshop


LEASED: dict[Delivering, DeliveryRow | None] = {}
"""What each loop has leased with the end of its last delivery."""


def step(loop: Delivering) -> float:
    """One turn of the loop; the seconds that it wants to wait."""
    pause, LEASED[loop] = loop._next("delivering", [], LEASED.get(loop))
    return pause


def only(workshop: Workshop) -> DeliveryRow:
    """The one delivery of the store."""
    rows = workshop.store.database.select("SELECT id FROM deliveries")
    assert len(rows) == 1
    delivery = workshop.store.deliveries.get(rows[0]["id"])
    assert delivery is not None
    return delivery


def ready(workshop: Workshop, *paths: str) -> None:
    """Owe datasets to the catalog."""
    for path in paths or ("x.dat",):
        workshop.write(path, path.encode())
    workshop.whole()


def test_every_step_is_made_once_in_order(workshop: Workshop) -> None:
    """A delivery that meets no trouble makes its plan and is delivered; there is nothing left to do."""
    ready(workshop)
    catalog = ScriptedCatalog()
    loop, _ = workshop.deliverer(catalog)
    assert step(loop) == 0.0
    assert catalog.calls == [("record", False), ("metadata", False), ("file", False)]
    assert only(workshop).state is DeliveryState.DELIVERED
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert dataset.state is DatasetState.DELIVERED
    assert step(loop) > 0.0
    assert len(catalog.effects) == 3


def test_a_catalog_that_is_away_is_tried_later_from_where_it_stopped(workshop: Workshop) -> None:
    """Steps that are done are not repeated; the one that failed knows that it is a repetition and what it remembered."""
    ready(workshop)
    catalog = ScriptedCatalog(script={StepKind.FILE: [CatalogUnavailable("The network is gone.")]})
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    waiting = only(workshop)
    assert (waiting.state, waiting.error, waiting.attempts) == (DeliveryState.WAITING, "The network is gone.", 1)
    workshop.clock.advance(4000)
    step(loop)
    assert catalog.calls[3:] == [("file", True)]
    assert catalog.memories[-1] == {"begun": "x.dat"}
    assert only(workshop).state is DeliveryState.DELIVERED


def test_the_catalog_names_the_time(workshop: Workshop) -> None:
    """With Retry-After nothing is tried before it is over, and it is tried soon after."""
    ready(workshop)
    busy = CatalogUnavailable("Too many requests.", retry_after=100.0)
    loop, _ = workshop.deliverer(ScriptedCatalog(script={StepKind.RECORD: [busy]}))
    step(loop)
    until = only(workshop).not_before
    assert until is not None
    assert timedelta(seconds=100) <= until - workshop.clock.now() <= timedelta(seconds=102)
    workshop.clock.advance(99)
    assert step(loop) > 0
    workshop.clock.advance(3)
    assert step(loop) == 0
    assert only(workshop).state is DeliveryState.DELIVERED


def test_a_catalog_that_is_down_is_asked_by_one_delivery(workshop: Workshop) -> None:
    """With ten deliveries waiting, a dead catalog gets a request now and then; when it answers they all flow."""
    ready(workshop, *(f"{number}.dat" for number in range(10)))
    down = [CatalogUnavailable("Nobody answers.") for _ in range(8)]
    catalog = ScriptedCatalog(script={StepKind.RECORD: [*down]})
    loop, circuit = workshop.deliverer(catalog)
    for _ in range(20):
        step(loop)
    assert len(catalog.calls) == TOLERATED + 1
    assert circuit.report().state is CircuitState.OPEN
    for _ in range(200):
        workshop.clock.advance(max(0.05, step(loop)))
        if workshop.store.deliveries.in_work() == 0:
            break
    assert workshop.store.deliveries.counts() == {"crucible": {"delivered": 10}}
    assert circuit.report().state is CircuitState.CLOSED
    assert len(set(catalog.effects)) == len(catalog.effects) == 30


class Choosy(ScriptedCatalog):
    """It answers 500 whenever it is given one file, and takes everything else."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock, self.tries = clock, []  # type: ignore[var-annotated]

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Every time the same for the same."""
        if step.key == "a.dat":
            self.tries.append(self.clock.monotonic())
            raise CatalogUnavailable("It answered 500.")
        return super().perform(step, record, attempt)


def test_a_dataset_that_a_catalog_cannot_take_waits_alone_and_says_so(workshop: Workshop) -> None:
    """The same 500 for ever: ever later tries, the others go on, and status and log say that it is this dataset."""
    ready(workshop, "a.dat")
    catalog = Choosy(workshop.clock)
    loop, _ = workshop.deliverer(catalog)
    with structlog.testing.capture_logs() as lines:
        for number in range(3000):
            if number == 20:
                ready(workshop, "b.dat", "c.dat")
            step(loop)
            workshop.clock.advance(10)
    (bad,) = workshop.store.deliveries.failing(9)
    assert bad.error.startswith("It answered 500. It took 2 other datasets meanwhile, so it may be this one")
    assert sum(line["event"] == "delivery.delivered" for line in lines) == 2
    warned = [line for line in lines if line["event"] == "delivery.waiting" and line["log_level"] == "warning"]
    assert [line["attempt"] for line in warned if line["attempt"] > 8] == [16]
    assert all("other datasets meanwhile" in line["problem"] for line in warned)
    gaps = [later - earlier for earlier, later in itertools.pairwise(catalog.tries)]
    assert len(gaps) < 200
    assert max(gaps) > 600
    assert min(gaps[10:]) >= 10


def test_a_refused_key_stops_the_catalog_and_parks_nothing(workshop: Workshop) -> None:
    """Until a person acts nothing is delivered there; nothing is lost or parked by it."""
    ready(workshop, "a.dat", "b.dat")
    catalog = ScriptedCatalog(script={StepKind.RECORD: [CredentialsRefused("The key has expired.")]})
    loop, circuit = workshop.deliverer(catalog)
    step(loop)
    assert step(loop) == 60.0
    assert circuit.report().problem == "The key has expired."
    workshop.clock.advance(CREDENTIALS_SECONDS + 10)
    for _ in range(4):
        step(loop)
        workshop.clock.advance(2.0)
    assert workshop.store.deliveries.counts() == {"crucible": {"delivered": 2}}


def test_a_refusal_parks_the_delivery_with_the_catalogs_words(workshop: Workshop) -> None:
    """Nothing is repeated by itself; a person's retry goes on behind the steps that are done."""
    ready(workshop)
    no = CatalogRefused("Project MFP0 does not exist.", "Create it.")
    catalog = ScriptedCatalog(script={StepKind.METADATA: [no]})
    loop, circuit = workshop.deliverer(catalog)
    step(loop)
    parked = only(workshop)
    assert (parked.state, parked.error) == (DeliveryState.PARKED, "Project MFP0 does not exist. Create it.")
    workshop.clock.advance(10_000)
    step(loop)
    assert len(catalog.calls) == 2
    assert circuit.report().state is CircuitState.CLOSED
    workshop.store.deliveries.requeue(parked.id)
    step(loop)
    assert [kind for kind, _ in catalog.calls] == ["record", "metadata", "metadata", "file"]
    assert only(workshop).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("bug", [ZeroDivisionError("division by zero"), KeyError("id"), RecursionError()])
def test_a_bug_of_an_adapter_parks_one_delivery(workshop: Workshop, bug: Exception) -> None:
    """The loop goes on, the traceback is logged, and what waits behind it is delivered."""
    ready(workshop, "a.dat", "b.dat")
    loop, _ = workshop.deliverer(ScriptedCatalog(script={StepKind.METADATA: [bug]}))
    with structlog.testing.capture_logs() as logs:
        step(loop)
    step(loop)
    assert [line["exc_info"] for line in logs if line["event"] == "delivery.failed"] == [bug]
    assert workshop.store.deliveries.counts() == {"crucible": {"parked": 1, "delivered": 1}}
    assert type(bug).__name__ in workshop.store.deliveries.parked()[0].error


@pytest.mark.parametrize("error", [NotFoundError("No such project."), LabferryError("Something else.", "Do this.")])
def test_any_other_error_of_ours_parks_with_its_words(workshop: Workshop, error: LabferryError) -> None:
    """A sentence that was written for a person reaches the person."""
    ready(workshop)
    loop, _ = workshop.deliverer(ScriptedCatalog(script={StepKind.RECORD: [error]}))
    step(loop)
    assert (only(workshop).state, only(workshop).error) == (DeliveryState.PARKED, str(error))


def test_an_effect_whose_answer_was_lost_is_not_made_twice(workshop: Workshop) -> None:
    """Every step's answer gets lost once; in the end the catalog has each effect once."""
    ready(workshop)
    lost: dict[StepKind, list[Exception | Crash | None]] = {
        kind: [Crash(CatalogUnavailable("lost"))] for kind in (StepKind.RECORD, StepKind.METADATA, StepKind.FILE)
    }
    catalog = ScriptedCatalog(script=lost)
    loop, _ = workshop.deliverer(catalog)
    for _ in range(30):
        workshop.clock.advance(step(loop) + 3600)
    assert only(workshop).state is DeliveryState.DELIVERED
    assert len(catalog.effects) == 3


def test_a_crash_in_any_step_repeats_nothing_that_reached_the_catalog(workshop: Workshop) -> None:
    """After a kill between an effect and its answer the next start looks before it acts."""
    ready(workshop)
    catalog = ScriptedCatalog(script={StepKind.RECORD: [Crash(SystemExit(9))], StepKind.FILE: [Crash(SystemExit(9))]})  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(SystemExit):
            step(workshop.deliverer(catalog)[0])
        workshop.restart()
    step(workshop.deliverer(catalog)[0])
    assert only(workshop).state is DeliveryState.DELIVERED
    assert len(catalog.effects) == 3


def test_a_newer_revision_knows_that_an_older_one_may_have_reached_the_catalog(workshop: Workshop) -> None:
    """The record's answer was lost and the file changed: the next revision looks before it makes the record."""
    ready(workshop)
    catalog = ScriptedCatalog(script={StepKind.RECORD: [Crash(CatalogUnavailable("lost"))]})
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    workshop.write("x.dat", b"changed")
    workshop.whole()
    workshop.clock.advance(4000)
    step(loop)
    assert only(workshop).revision == 2
    assert catalog.calls[1] == ("record", True)


def test_what_another_delivery_brings_is_waited_for(workshop: Workshop) -> None:
    """NotYet is nobody's failure: it is tried again within seconds and the circuit stays closed."""
    ready(workshop)
    loop, circuit = workshop.deliverer(ScriptedCatalog(script={StepKind.FILE: [NotYet("The parent comes first.")]}))
    step(loop)
    workshop.clock.advance(1.1)
    step(loop)
    assert only(workshop).state is DeliveryState.DELIVERED
    assert circuit.report().problem == ""


def test_a_file_that_changed_before_it_was_sent_comes_as_its_next_revision(workshop: Workshop) -> None:
    """The watching loop is told to look; the new revision replaces the delivery."""
    ready(workshop)
    workshop.write("x.dat", b"other bytes")
    catalog = ScriptedCatalog(script={StepKind.FILE: [SourceChanged("x.dat changed.")]})
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    assert only(workshop).state is DeliveryState.WAITING
    workshop._rounds()
    workshop.settle()
    workshop.settle()
    workshop.compose()
    step(loop)
    assert (only(workshop).revision, only(workshop).state) == (2, DeliveryState.DELIVERED)


def test_a_probe_whose_file_changed_leaves_the_circuit_passable(workshop: Workshop) -> None:
    """An outcome that says nothing of the catalog gives the turn to ask to the next delivery."""
    ready(workshop, "a.dat", "b.dat")
    down = [CatalogUnavailable("away") for _ in range(TOLERATED + 1)]
    loop, circuit = workshop.deliverer(
        ScriptedCatalog(script={StepKind.RECORD: [*down, SourceChanged("a.dat changed.")]})
    )
    for _ in range(50):
        workshop.clock.advance(step(loop) + 1.0)
    assert circuit.report().state is CircuitState.CLOSED
    assert workshop.store.deliveries.counts() == {"crucible": {"delivered": 2}}


def test_a_file_that_is_gone_before_it_was_sent_is_parked(workshop: Workshop) -> None:
    """Nobody asks the catalog for ever for a file that is not there."""
    ready(workshop)
    (workshop.data / "x.dat").unlink()
    loop, _ = workshop.deliverer(ScriptedCatalog(script={StepKind.FILE: [SourceChanged("x.dat is gone.")]}))
    step(loop)
    workshop._rounds()
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert (dataset.state, dataset.reason) == (DatasetState.PARKED, VANISHED)
    workshop.clock.advance(1000)
    assert step(loop) > 0
    assert workshop.store.deliveries.in_work() == 0


def test_a_touched_file_costs_no_second_upload(workshop: Workshop) -> None:
    """When only the time of a delivered file changed, the record is sent again and its bytes are not."""
    ready(workshop)
    catalog = ScriptedCatalog()
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    (workshop.data / "x.dat").touch()
    workshop.whole()
    step(loop)
    assert [kind for kind, _ in catalog.calls[3:]] in ([], ["record"])
    assert workshop.store.deliveries.in_work() == 0
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert (dataset.revision, dataset.state) == (2, DatasetState.DELIVERED)


def test_a_rewritten_file_is_sent_under_a_versioned_name_and_a_grown_one_under_its_own(workshop: Workshop) -> None:
    """Delivered bytes are never replaced by others unless those begin with them."""
    ready(workshop)
    catalog = ScriptedCatalog()
    loop, _ = workshop.deliverer(catalog)
    step(loop)
    workshop.write("x.dat", b"x.dat and more")
    workshop.whole()
    step(loop)
    workshop.write("x.dat", b"something else")
    workshop.whole()
    step(loop)
    names = [name for _, name, _ in catalog.effects if name.startswith("file:")]
    assert names == ["file:x.dat", "file:x.dat", "file:x.v2.dat"]


def test_a_stop_gives_the_delivery_back(workshop: Workshop) -> None:
    """A service that stops in the middle leaves a queued delivery, not one that seems to be sent."""
    ready(workshop)
    loop, _ = workshop.deliverer(ScriptedCatalog(script={StepKind.FILE: [Stopping()]}))
    step(loop)
    assert only(workshop).state is DeliveryState.QUEUED


def test_a_store_that_failed_gets_its_delivery_back(workshop: Workshop) -> None:
    """A full disk in the middle of a delivery leaves nothing that nobody would ever send."""
    ready(workshop)
    catalog = ScriptedCatalog(script={StepKind.METADATA: [StateError("The disk is full.")]})
    loop, _ = workshop.deliverer(catalog)
    waits: list[float | None] = []

    def passing(seconds: float | None) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            workshop.context.stopping.set()

    workshop.context.deliver_bells["delivering"].wait = passing  # type: ignore[method-assign]
    loop.run("delivering")
    assert waits[0] == 5.0
    assert only(workshop).state is DeliveryState.DELIVERED
    assert workshop.context.heartbeats.late() == []


def test_datasets_go_in_the_order_of_their_age(workshop: Workshop) -> None:
    """The dataset that was seen first is delivered first, whatever was queued later."""
    for name in ("c.dat", "a.dat", "b.dat"):
        workshop.write(name, name.encode())
        workshop.scan()
        workshop.clock.advance(1.0)
    workshop.whole()
    catalog = ScriptedCatalog()
    loop, _ = workshop.deliverer(catalog)
    for _ in range(3):
        step(loop)
    assert [name for _, name, _ in catalog.effects if name.startswith("file:")] == [
        "file:c.dat",
        "file:a.dat",
        "file:b.dat",
    ]
