"""A loop that hangs is noticed, so that nobody feeds the watchdog and systemd starts the service again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from daemon.clock import SystemClock
from daemon.service import Service
from daemon.yamlfile import load
from tests.harness import configuration, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = 120.0
"""Seconds, longer than the watching loop may be silent."""


class SkippingClock(SystemClock):
    """The real clock, but an hour can be left out."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        """The real monotonic time and what was left out."""
        return super().monotonic() + self.skipped


@pytest.fixture
def clock() -> SkippingClock:
    """The clock of the service under test."""
    return SkippingClock()


@pytest.fixture
def service(tmp_path: Path, clock: SkippingClock) -> Iterator[Service]:
    """A service in this process."""
    instrument = load(configuration(tmp_path))
    (tmp_path / "state").mkdir()
    service = Service(instrument, tmp_path / "state", clock)
    service.start()
    yield service
    service.stop()


def test_a_loop_that_does_not_come_back_is_late_until_it_does(
    service: Service, clock: SkippingClock, tmp_path: Path
) -> None:
    """While the watching loop waits for something that does not come, the service is late, and alive again afterwards."""
    eventually(lambda: not service.late(), "a service that lives")
    (tmp_path / "data" / "first.dat").write_bytes(b"1 2\n")
    eventually(lambda: service.store.files.counts().get("settled"), "a settled file")
    with service.store.database.transaction():  # nobody else gets at the store meanwhile
        (tmp_path / "data" / "second.dat").write_bytes(b"3 4\n")
        threading.Event().wait(1.0)  # for the hint to arrive
        clock.skipped += LONG
        assert "watching" in service.late()
    eventually(lambda: "watching" not in service.late(), "a watching loop that goes round again")


def test_a_loop_that_ends_on_its_own_is_late(service: Service) -> None:
    """A thread of the service that is gone counts as hanging."""
    eventually(lambda: not service.late(), "a service that lives")
    gone = threading.Thread(target=int, name="settling-9")
    gone.start()
    gone.join()
    service._threads.append(gone)
    assert service.late() == ["settling-9"]
