"""A Crucible in memory behind a real server, and an adapter that talks to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.catalogs.http import Timeouts
from daemon.clock import ManualClock
from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.httpserver import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_SIZE = 1000


@dataclass(frozen=True)
class Bench:
    """The server's state, its address and the adapter."""

    fake: FakeCrucible
    url: str
    clock: ManualClock
    crucible: Crucible

    def asked(self, method: str, ending: str = "") -> int:
        """How many requests of this method came in for paths with this ending."""
        return sum(seen.method == method and seen.path.endswith(ending) for seen in self.fake.seen)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A fresh catalog that takes parts of 1000 bytes."""
    fake, clock = FakeCrucible(PART_SIZE), ManualClock()
    with serve(fake.answer) as url:
        timeouts = Timeouts(connect=5.0, read=5.0, slow=5.0, storage=5.0)
        crucible = Crucible(CrucibleOptions(f"{url}/api/v3", Key(KEY, "a test"), timeouts=timeouts), clock)
        yield Bench(fake, f"{url}/api/v3", clock, crucible)
        crucible.close()
