"""The queue as a state machine, against a model of what is owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from daemon.clock import ManualClock
from daemon.model import DatasetId, DeliveryId, DeliveryState, Step, StepKind
from daemon.store.deliveries import LEFT_CONFIGURATION, DeliveryRow
from daemon.store.journal import stamp
from daemon.store.opening import Store, open_store

CATALOGS = ("one", "two")
DATASETS = 3


@dataclass
class Owed:
    """What the model knows of one dataset in one catalog."""

    revision: int = 0  # the newest that was put
    delivered: int = 0  # the newest that arrived
    dropped: int = 0  # the newest that a person gave up
    tries: int = 0  # since nothing was owed


class Queue(RuleBasedStateMachine):
    """put, lease, extend, finish, recover, adopt, requeue and drop, in any order."""

    @initialize()
    def begin(self) -> None:
        """A store with composed datasets of different ages."""
        self.folder = TemporaryDirectory()
        self.clock = ManualClock()
        self.store: Store = open_store(Path(self.folder.name), "bench", self.clock)
        root = self.store.roots.add(Path("/data"))
        self.datasets: list[DatasetId] = []
        for number in range(DATASETS):
            dataset = self.store.datasets.create(root, f"{number}.dat")
            for state in ("ready", "extracting"):
                self.store.database.run("set_dataset_state", id=dataset, state=state, reason="")
            self.store.datasets.compose(
                dataset, unique_id=f"id{number}", session=None, ingestor="i", record={}, thumbnails=()
            )
            self.datasets.append(dataset)
        self.model = {(dataset, catalog): Owed() for dataset in self.datasets for catalog in CATALOGS}
        self.leased: dict[DeliveryId, DeliveryRow] = {}

    def teardown(self) -> None:
        """Close the store."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def rows(self, *states: DeliveryState) -> list[DeliveryRow]:
        """Every delivery in one of the states."""
        found = [row for dataset in self.datasets for row in self.store.deliveries.of_dataset(dataset)]
        return [row for row in found if not states or row.state in states]

    @rule(which=st.integers(0, DATASETS - 1), catalog=st.sampled_from(CATALOGS))
    def put(self, which: int, catalog: str) -> None:
        """The dataset has a new revision."""
        dataset = self.datasets[which]
        owed = self.model[dataset, catalog]
        owed.revision += 1
        age = stamp(self.clock.now() - timedelta(days=DATASETS - which))
        self.store.deliveries.put(dataset, owed.revision, catalog, age[:10])

    @rule(catalog=st.sampled_from(CATALOGS))
    def lease(self, catalog: str) -> None:
        """Take the next one: it was due, nothing older was, and nobody else sends this dataset there."""
        sending = {(row.dataset, row.catalog) for row in self.rows(DeliveryState.SENDING)}
        now = self.clock.now()
        due = [
            row
            for row in self.rows(DeliveryState.QUEUED, DeliveryState.WAITING)
            if row.catalog == catalog
            and (row.dataset, catalog) not in sending
            and (row.not_before is None or row.not_before <= now)
        ]
        taken = self.store.deliveries.lease(catalog)
        if taken is None:
            assert due == []
            return
        assert taken.state is DeliveryState.SENDING
        assert taken.id in {row.id for row in due}
        assert taken.age == min(row.age for row in due)
        self.model[taken.dataset, catalog].tries += 1
        assert taken.attempts == self.model[taken.dataset, catalog].tries
        self.leased[taken.id] = taken

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        """A step's memory is there when it is asked for."""
        delivery = self.leased[data.draw(st.sampled_from(sorted(self.leased)))]
        self.store.deliveries.extend(delivery, Step(StepKind.FILE, "x", "d"), {"part": 1})
        steps = self.store.deliveries.steps(delivery.dataset, delivery.catalog)
        assert steps["file", "x"].memory == {"part": 1}

    @precondition(lambda self: self.leased)
    @rule(data=st.data(), how=st.sampled_from(["delivered", "waiting", "parked", "queued"]))
    def finish(self, data: st.DataObject, how: str) -> None:
        """End a lease in one of the four ways."""
        delivery = self.leased.pop(data.draw(st.sampled_from(sorted(self.leased))))
        until = self.clock.now() + timedelta(seconds=10) if how == "waiting" else None
        self.store.deliveries.finish(
            delivery, DeliveryState(how), error="why" if how == "parked" else "", not_before=until
        )
        owed = self.model[delivery.dataset, delivery.catalog]
        if how == "delivered":
            owed.delivered = delivery.revision
            owed.tries = 0

    @rule(seconds=st.integers(1, 20))
    def time(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule(catalog=st.sampled_from(CATALOGS))
    def hurry(self, catalog: str) -> None:
        """A catalog is back."""
        self.store.deliveries.hurry(catalog)
        assert not [row for row in self.rows(DeliveryState.WAITING) if row.catalog == catalog]

    @rule()
    def recover(self) -> None:
        """A crash and a start: nothing is being sent any more, nothing is lost."""
        self.store.close()
        self.store = open_store(Path(self.folder.name), "bench", self.clock)
        self.leased.clear()
        assert self.rows(DeliveryState.SENDING) == []

    @precondition(lambda self: not self.leased)
    @rule(catalogs=st.sets(st.sampled_from(CATALOGS)))
    def adopt(self, catalogs: set[str]) -> None:
        """A start with another configuration parks what is owed to absent catalogs, and only that."""
        self.store.deliveries.adopt(sorted(catalogs))
        for row in self.rows(DeliveryState.QUEUED, DeliveryState.WAITING, DeliveryState.PARKED):
            if row.catalog in catalogs:
                assert row.error != LEFT_CONFIGURATION
            else:
                assert row.state is DeliveryState.PARKED

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A person asks for what is parked."""
        parked = self.store.deliveries.parked()
        if parked:
            delivery = data.draw(st.sampled_from(parked))
            self.store.deliveries.requeue(delivery.id)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """A person gives up what is parked."""
        parked = self.store.deliveries.parked()
        if parked:
            delivery = data.draw(st.sampled_from(parked))
            self.store.deliveries.drop(delivery.id)
            owed = self.model[delivery.dataset, delivery.catalog]
            owed.dropped = delivery.revision
            owed.tries = 0 if not self.sends(delivery.dataset, delivery.catalog) else owed.tries

    def sends(self, dataset: DatasetId, catalog: str) -> bool:
        """Whether somebody sends this dataset to this catalog."""
        return any(row.dataset == dataset and row.catalog == catalog for row in self.rows(DeliveryState.SENDING))

    @invariant()
    def at_most_one_owed_and_one_sending(self) -> None:
        """For each dataset and catalog."""
        if not hasattr(self, "store"):
            return
        owed = [(row.dataset, row.catalog) for row in self.rows() if row.state.value in {"queued", "waiting", "parked"}]
        sending = [(row.dataset, row.catalog) for row in self.rows(DeliveryState.SENDING)]
        assert len(owed) == len(set(owed))
        assert len(sending) == len(set(sending))

    @invariant()
    def no_revision_is_lost(self) -> None:
        """The newest revision is delivered, under way, owed, or was given up by a person."""
        if not hasattr(self, "store"):
            return
        for (dataset, catalog), owed in self.model.items():
            mine = [row for row in self.rows() if (row.dataset, row.catalog) == (dataset, catalog)]
            newest = max((row.revision for row in mine), default=0)
            assert max(newest, owed.dropped) == owed.revision
            assert owed.delivered <= owed.revision


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
