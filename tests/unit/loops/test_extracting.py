"""The extracting loop: what it hands to the sandbox, and what becomes of a dataset that meets trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from daemon.errors import StateError
from daemon.extract.sandbox import Sandbox, SandboxClosedError
from daemon.grouping.datasets import CompanionRules
from daemon.loops.extracting import Extracting
from daemon.model import DatasetState
from daemon.store.datasets import ROOT_LEFT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.workshop import Workshop


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A real sandbox; its workers start when they are needed."""
    made = Sandbox(timeout=20.0, memory=2**31)
    yield made
    made.close()


def loop(workshop: Workshop, sandbox: Sandbox) -> Extracting:
    """The loop over a workshop."""
    rules = CompanionRules(workshop.instrument.datasets)
    return Extracting(workshop.context, sandbox, workshop.composing, rules, workshop.hints)


def attempt(workshop: Workshop, extracting: Extracting) -> None:
    """Take the next dataset and try it."""
    dataset = workshop.store.datasets.lease_ready()
    assert dataset is not None
    extracting._attempt(dataset)


def test_a_ready_dataset_is_read_by_an_ingestor_and_composed(workshop: Workshop, sandbox: Sandbox) -> None:
    """A text table goes through a real worker and comes back as a record."""
    workshop.write("x.xy", b"# two columns\n1.0 2.0\n2.0 3.0\n3.0 4.0\n")
    workshop.arrive()
    attempt(workshop, loop(workshop, sandbox))
    dataset = workshop.dataset("x.xy")
    assert dataset is not None
    assert (dataset.state, dataset.revision) == (DatasetState.COMPOSED, 1)
    assert dataset.ingestor != ""


def test_a_dataset_of_a_root_that_left_is_parked_until_it_is_back(
    workshop: Workshop, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It says why, keeps nothing busy, and is ready again with the configuration that has its root."""
    workshop.write("x.dat")
    workshop.arrive()
    (tmp_path / "other").mkdir()
    workshop.restart(roots=[{"path": str(tmp_path / "other")}])
    attempt(workshop, loop(workshop, sandbox))
    assert [(row.state, row.reason) for row in workshop.store.datasets.parked()] == [(DatasetState.PARKED, ROOT_LEFT)]
    assert workshop.store.datasets.in_work() == 0
    workshop.restart(roots=[{"path": str(workshop.data)}])
    workshop.placing.adopt_roots({root.id for root in workshop.context.roots})
    assert workshop.groups()["x.dat"][0] == "ready"


def test_a_bug_of_ours_parks_one_dataset(workshop: Workshop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback is logged, the dataset shows the error, and the next one is read."""
    workshop.write("x.dat")
    workshop.write("y.dat")
    workshop.arrive()
    extracting = loop(workshop, sandbox)
    with monkeypatch.context() as patch, structlog.testing.capture_logs() as logs:
        patch.setattr(extracting, "_extract", lambda _: 1 // 0)
        attempt(workshop, extracting)
    attempt(workshop, extracting)
    assert [line["log_level"] for line in logs if line["event"] == "dataset.parked"] == ["error"]
    assert sorted(state for state, _ in workshop.groups().values()) == ["composed", "parked"]


def test_a_dataset_that_was_held_when_the_store_failed_is_read_again(
    workshop: Workshop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No dataset stays in the hands of a loop that has forgotten it."""
    workshop.write("x.dat")
    workshop.arrive()
    extracting = loop(workshop, sandbox)
    tries = 0

    def failing(_: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            raise SandboxClosedError
        raise StateError("The disk is full.")

    monkeypatch.setattr(extracting, "_extract", failing)
    extracting.run("extracting")
    assert tries == 3
    assert workshop.groups()["x.dat"][0] == "ready"


def test_a_changed_dataset_is_given_back_without_a_move_it_must_not_make(workshop: Workshop, sandbox: Sandbox) -> None:
    """Releasing a dataset that waits for its file again leaves it waiting."""
    workshop.write("x.dat")
    workshop.arrive()
    dataset = workshop.store.datasets.lease_ready()
    assert dataset is not None
    workshop.write("x.dat", b"changed")
    workshop.scan()
    workshop.store.datasets.release(dataset.id)
    assert workshop.groups()["x.dat"][0] == "waiting"


@pytest.mark.parametrize(
    ("ingestor", "reader", "said"),
    [
        ("fallback", "fallback", ""),
        ({"*.h5": "xy", "run/*": "fallback", "*": "hdf5"}, "fallback", ""),
        ({"*.h5": "fallback"}, "xy", ""),
        ("hdf5", "xy", "hdf5: it is named for this file, but declines it; the others were asked"),
        ("gone", "xy", "gone: it is named for this file, but is not installed; the others were asked"),
    ],
)
def test_the_ingestor_that_the_configuration_names_goes_first(
    workshop: Workshop, sandbox: Sandbox, ingestor: object, reader: str, said: str
) -> None:
    """For every file or by pattern; if it declines, the most specific other one reads the file and the record says so."""
    workshop.restart(ingestor=ingestor)
    workshop.write("run/x.xy", b"# two columns\n1.0 2.0\n2.0 3.0\n3.0 4.0\n")
    workshop.arrive()
    attempt(workshop, loop(workshop, sandbox))
    dataset = workshop.dataset("run/x.xy")
    assert dataset is not None
    assert dataset.record is not None
    assert dataset.ingestor == reader
    assert [warning for warning in dataset.record["warnings"] if "named" in warning] == ([said] if said else [])
