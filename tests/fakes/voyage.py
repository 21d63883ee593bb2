"""One measurement's whole way into a catalog, by the daemon's own parts and a real store, in one thread.

Time is told: where the daemon would wait, the clock jumps. So an hour of backoff costs nothing, and the same voyage
makes the same transactions and requests in the same order, which is what faults at the n-th of them need.
"""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from daemon.clock import ManualClock
from daemon.extract.outcome import ChildOutcome, Outcome, ThumbnailImage
from daemon.mfid import mfid_of_part
from daemon.model import DeliveryState
from tests.fakes.workshop import Workshop

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from daemon.catalogs.catalog import Catalog
    from daemon.clock import Clock

CATALOG: Final = "crucible"
MOST_WAITS: Final = 400
"""A voyage that waits more often than that does not end by itself."""

MEASURED: Final = 1_746_515_289
KEYWORDS: Final = ("gold", "Raman & PL")
POSITION: Final = "S01"
"""The key of the one part of the measurement that is a dataset of its own."""


def picture(shade: int) -> bytes:
    """A grey PNG of one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack("!IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes([0, shade]))) + chunk(b"IEND", b"")


def load(folder: Path) -> None:
    """Write a measurement's files: a primary one of several parts, an image beside it, and an empty log."""
    contents = {"map.h5": bytes(range(251)) * 600, "map.h5_images/view.png": picture(9), "map.log": b""}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MEASURED, MEASURED))


class Tide(ManualClock):
    """Waiting moves it, and asks whether there is anything left to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.over: Callable[[], None] = lambda: None

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Jump to the end of the wait."""
        self.over()
        return super().wait(event, seconds)


@dataclass
class Voyage:
    """The way of the one measurement in `folder`/data, with a session around it.

    `problems` is what the daemon said of each delivery that did not end, in its own words.
    """

    folder: Path
    adapter: Callable[[int, Clock], Catalog]
    port: int
    sample: str
    project: str
    public: bool = False
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the store."""
        self.clock = Tide()
        self.catalog = self.adapter(self.port, self.clock)
        self.workshop = Workshop(
            self.folder, self._settings(), catalogs=(self.catalog.name,), extraction=self._found(), clock=self.clock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.workshop.close()
        self.catalog.close()

    def embark(self) -> None:
        """From the disk to what is owed to the catalog."""
        self.workshop.settling.resume()
        self.workshop.whole()

    def sail(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Deliver until nothing is owed, or until it is enough. A person retries what was refused, again and again."""
        context, deliveries = self.workshop.context, self.workshop.store.deliveries
        loop, _ = self.workshop.deliverer(self.catalog)
        waits = itertools.count()

        def over() -> None:
            failing = deliveries.failing(100)
            self.problems += [delivery.error for delivery in failing if delivery.error not in self.problems]
            for delivery in failing:
                if delivery.state is DeliveryState.PARKED and not enough():
                    deliveries.requeue(delivery.id)
            assert not any("bug" in problem for problem in self.problems), self.problems
            assert next(waits) < MOST_WAITS, f"it never ends: {self.problems}"
            if enough() or not (deliveries.in_work() or deliveries.parked()):
                context.stopping.set()

        self.clock.over = over
        context.stopping.clear()
        loop.run("delivering")
        self.clock.over = lambda: None

    def restart(self) -> None:
        """End and begin anew over the same state."""
        self.workshop.restart()

    def whole(self, enough: Callable[[], bool] = lambda: False) -> None:
        """All of it, from wherever an earlier process stopped; then the session's parent is brought up to date."""
        self.embark()
        self.sail(enough)
        if not enough():
            self.workshop.housekeeping.update_parents()
            self.sail(enough)

    def ids(self) -> list[str]:
        """The ids of the measurement, of its session's parent, and of the measurement's child, in this order."""
        rows = self.workshop.store.database.select("SELECT unique_id FROM datasets ORDER BY kind")
        own, *parent = [row["unique_id"] for row in rows]
        return [own, *parent, mfid_of_part(own, POSITION)]

    def _settings(self) -> dict[str, Any]:
        attributes = {"project_id": self.project, **({"public": True} if self.public else {})}
        return {"session": {"parent": True}, "settle": {"empty": 1}, "attributes": attributes}

    def _found(self) -> Outcome:
        return Outcome(
            "fake",
            "1",
            attributes={
                "measurement": "hyperspec",
                "session_name": "a sitting",
                "timestamp": "2025-05-06T07:08:09+00:00",
            },
            scientific_metadata={"laser": {"power": {"value": 1.5, "unit": "mW"}}},
            keywords=KEYWORDS,
            samples=({"name": "a wafer", "unique_id": self.sample},),
            thumbnails=(ThumbnailImage("map", picture(7), 1, 1),),
            children=(
                ChildOutcome(
                    POSITION,
                    {"dataset_name": "scan of a wafer"},
                    {"position": POSITION},
                    samples=({"name": "a wafer", "unique_id": self.sample},),
                    thumbnails=(ThumbnailImage("spectrum", picture(8), 1, 1),),
                ),
            ),
        )
