"""Circuits, hints, bells and heartbeats."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from daemon.clock import ManualClock
from daemon.loops import hints as hints_module
from daemon.loops.circuit import CREDENTIALS_SECONDS, TOLERATED, Circuit, CircuitState
from daemon.loops.context import Bell, Heartbeats
from daemon.loops.hints import Hint, Hints

if TYPE_CHECKING:
    import pytest


def opened(clock: ManualClock) -> Circuit:
    """A circuit whose catalog is down."""
    circuit = Circuit(clock, random.Random(1))
    for _ in range(TOLERATED):
        assert circuit.failed("down", None) is False
        assert circuit.admit() is None
    assert circuit.failed("down", None) is True
    return circuit


def test_a_few_failures_keep_the_circuit_closed() -> None:
    """Only the failure after the tolerated ones says that the catalog is down, and it says so once."""
    circuit = opened(ManualClock())
    assert circuit.failed("down", None) is False
    assert circuit.report().state is CircuitState.OPEN
    assert circuit.report().problem == "down"


def test_one_probe_asks_a_catalog_that_is_down() -> None:
    """When the wait is over one delivery may ask; the others wait until it has an answer."""
    clock = ManualClock()
    circuit = opened(clock)
    wait = circuit.admit()
    assert wait is not None
    assert wait > 0
    clock.advance(wait)
    assert circuit.admit() is None
    assert circuit.report().state is CircuitState.PROBING
    assert circuit.admit() is not None
    assert circuit.answered() is True
    assert circuit.admit() is None
    assert circuit.answered() is False


def test_a_probe_that_found_nothing_to_do_lets_the_next_one_ask() -> None:
    """Giving the turn back leaves no circuit that nobody may pass."""
    clock = ManualClock()
    circuit = opened(clock)
    clock.advance(circuit.report().seconds)
    assert circuit.admit() is None
    circuit.unused()
    assert circuit.admit() is None


def test_a_catalog_is_not_asked_before_the_time_it_named() -> None:
    """Retry-After is the least that the circuit waits."""
    clock = ManualClock()
    circuit = opened(clock)
    circuit.failed("busy", 120.0)
    assert circuit.report().seconds >= 120.0


def test_refused_credentials_open_the_circuit_at_once() -> None:
    """A key that is not accepted is asked for again after minutes, not seconds."""
    circuit = Circuit(ManualClock(), random.Random(1))
    assert circuit.failed("no key", None, credentials=True) is True
    assert circuit.report().seconds >= CREDENTIALS_SECONDS


def test_each_path_waits_once_in_order() -> None:
    """A path that is hinted at a hundred times is looked at once, in its turn."""
    hints = Hints(Bell(ManualClock(), threading.Event()))
    for _ in range(100):
        hints.hint(0, "a")
        hints.hint(0, "b")
        hints.hint_folder(0, "a")
    assert hints.take(2) == [Hint(0, "a"), Hint(0, "b")]
    assert hints.take(9) == [Hint(0, "a", is_folder=True)]
    assert not hints


def test_too_many_hints_become_one_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded: the hints are forgotten and every root is scanned."""
    monkeypatch.setattr(hints_module, "MOST", 10)
    hints = Hints(Bell(ManualClock(), threading.Event()))
    for number in range(25):
        hints.hint(0, str(number))
    assert list(hints.take_lost()) == [None]
    assert len(hints) <= 10
    assert hints.take_lost() == {}


def test_a_bell_that_rang_before_anybody_waited_is_heard() -> None:
    """Work that comes between a look and the wait does not wait for the end of the wait."""
    clock = ManualClock()
    bell = Bell(clock, threading.Event())
    bell.ring()
    bell.wait(100.0)
    assert clock.monotonic() == 0.0
    bell.wait(100.0)
    assert clock.monotonic() == 100.0


def test_a_loop_that_does_not_keep_its_word_is_late() -> None:
    """Each loop says when it will beat next; one that ended on purpose is not missed."""
    clock = ManualClock()
    heartbeats = Heartbeats(clock)
    heartbeats.beat("slow", within=100.0)
    heartbeats.beat("quick", within=10.0)
    clock.advance(11.0)
    assert heartbeats.late() == ["quick"]
    clock.advance(100.0)
    assert heartbeats.late() == ["quick", "slow"]
    heartbeats.forget("slow")
    heartbeats.beat("quick")
    assert heartbeats.late() == []
