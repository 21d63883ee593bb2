"""A root, a real store and the loops' parts around it, on a clock that is told: every round is made by the test."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from daemon.clock import ManualClock
from daemon.extract.sandbox import Outcome
from daemon.grouping.datasets import CompanionRules
from daemon.loops.arrivals import Arrivals
from daemon.loops.circuit import Circuit
from daemon.loops.composing import Composing
from daemon.loops.context import Bell, Context, Heartbeats, WatchedFolder
from daemon.loops.delivering import Delivering
from daemon.loops.grouping import Placing
from daemon.loops.hints import Hints
from daemon.loops.housekeeping import Housekeeping
from daemon.loops.settling import Settling
from daemon.loops.watching import Watching
from daemon.patterns import PathFilter
from daemon.policies import Delivered
from daemon.settings import Instrument
from daemon.store.opening import Store, open_store
from daemon.watch.settle import SettleRules
from ingestors.api import display_name

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.catalogs.catalog import Catalog
    from daemon.store.datasets import DatasetRow
    from daemon.store.files import FileRow

QUIET = 2.0


@dataclass
class Workshop:
    """Everything of one instrument but its threads. `extraction` is what every ingestor says."""

    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)
    catalogs: tuple[str, ...] = ("crucible",)
    extraction: Outcome = field(default_factory=lambda: Outcome("fallback", "1"))
    clock: ManualClock = field(default_factory=ManualClock)
    policy: Delivered = field(default_factory=Delivered)

    def __post_init__(self) -> None:
        """Build it: the root is `folder`/data, the state `folder`/state."""
        self.data, self.state = self.folder / "data", self.folder / "state"
        self.data.mkdir(exist_ok=True)
        self.state.mkdir(exist_ok=True)
        self.open()

    def open(self) -> None:
        """Start anew over the same state, as after a restart."""
        values = {
            "instrument": "bench",
            "roots": [{"path": str(self.data)}],
            "session": {"parent": False},
            **self.changes,
        }
        self.instrument = Instrument.model_validate(values)
        self.store: Store = open_store(self.state, "bench", self.clock)
        stopping = threading.Event()
        self.context = Context(
            instrument=self.instrument,
            store=self.store,
            clock=self.clock,
            roots=tuple(
                WatchedFolder(index, self.store.roots.add(root.path), root.path, root)
                for index, root in enumerate(self.instrument.roots)
            ),
            stopping=stopping,
            heartbeats=Heartbeats(self.clock),
            extract_bell=Bell(self.clock, stopping),
        )
        self.root = self.context.roots[0]
        bell = Bell(self.clock, stopping)
        self.hints = Hints(bell)
        self.placing = Placing(self.store, CompanionRules(self.instrument.datasets))
        self.settling = Settling(self.context, SettleRules(self.instrument.settle), self.placing, self.hints)
        self.filters = tuple(PathFilter(root.include, root.exclude) for root in self.instrument.roots)
        self.arrivals = Arrivals(self.context, self.placing, self.settling, self.filters)
        self.watching = Watching(
            self.context, self.arrivals, self.filters, self.hints, bell=bell, listening=lambda: frozenset({0})
        )
        self.composing = Composing(self.context, self.catalogs)
        self.housekeeping = Housekeeping(self.context, self.catalogs, ())

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def restart(self, **changes: Any) -> None:
        """Stop and start, with another configuration if one is given."""
        self.close()
        self.changes = {**self.changes, **changes}
        self.open()
        self.settling.resume()

    def write(self, path: str, content: bytes = b"content") -> Path:
        """Write a file below the root."""
        file = self.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def look(self, *paths: str) -> None:
        """Hint at paths and let the watching loop look."""
        for path in paths:
            self.hints.hint(0, path)
        self._rounds()

    def scan(self) -> None:
        """Compare the whole root with the store."""
        self.watching.rescan("a test asks")
        self._rounds()

    def settle(self) -> None:
        """Look at every unsettled file, and again after the quiet period."""
        for _ in range(2):
            while held := {item.id: item for item in self.settling._waitlist.take(64, 0.0)}:
                self.settling._look(held, "settling")
            self.clock.advance(QUIET + 0.1)

    def arrive(self) -> None:
        """Scan, and settle what was found."""
        self.scan()
        self.settle()
        self.settle()

    def compose(self) -> int:
        """Extract and compose everything that is ready; how many."""
        count = 0
        while (dataset := self.store.datasets.lease_ready()) is not None:
            self.keep(dataset)
            count += 1
        return count

    def keep(self, dataset: DatasetRow) -> bool:
        """Compose a dataset that was leased."""
        members = self.members(dataset)
        return self.composing.keep(dataset, members, replace(self.extraction)) is not None

    def members(self, dataset: DatasetRow) -> list[FileRow]:
        """The files of a dataset as the extracting loop takes them."""
        return self.store.files.of_dataset(dataset.id)

    def deliverer(self, catalog: Catalog, seed: int = 1) -> tuple[Delivering, Circuit]:
        """The delivering loop of one catalog, with its circuit."""
        circuit = Circuit(self.clock, random.Random(seed))
        self.context.deliver_bells["delivering"] = Bell(self.clock, self.context.stopping)
        return Delivering(self.context, catalog, circuit, random.Random(seed), self.hints, self.policy), circuit

    def whole(self) -> None:
        """Bring everything as far as it goes without a catalog."""
        self.arrive()
        self.compose()

    def dataset(self, key: str) -> DatasetRow | None:
        """The dataset of a key."""
        return self.store.datasets.by_key(self.root.id, key)

    def file(self, path: str) -> FileRow | None:
        """The file at a path."""
        return self.store.files.by_path(self.root.id, path)

    def groups(self) -> dict[str, tuple[str, set[str]]]:
        """Every dataset's state and members, by its key."""
        rows = self.store.database.select("SELECT id FROM datasets WHERE kind = 'measurement'")
        found = [self.store.datasets.get(row["id"]) for row in rows]
        return {
            display_name(row.key or ""): (row.state.value, {file.path for file in self.members(row)})
            for row in found
            if row is not None
        }

    def _rounds(self) -> None:
        while self.watching._round() or len(self.hints):
            pass
