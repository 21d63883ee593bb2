"""Broken inputs of every family of readers: a short look at each run; `make fuzz` looks for longer."""

from __future__ import annotations

import gc
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.measured import Measured, Reading
from tests.fuzz.__main__ import troubles
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import FOUND, families

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

LIBRARY = {"hdf5", "scopefoundry"}
SEEDS = cache(families)  # made when the first test asks for them, not whenever tests are collected
FINDS = sorted(path for path in FOUND.iterdir() if path.name != "README.md")


@pytest.fixture(scope="module")
def measured() -> Iterator[Measured]:
    """One worker for all of them."""
    with Measured(timeout=20) as measured:
        yield measured
    gc.collect()


def unexpected(reading: Reading, family: str) -> list[str]:
    """What went wrong; the HDF5 library itself may crash or loop on a broken file, which the sandbox is there for."""
    allowed = {"contained"} if family in LIBRARY else set()
    return [reason for kind, reason in troubles(reading) if kind not in allowed]


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10**6), which=st.integers(0, 10**6), number=st.integers(0, 10**9))
def test_broken_inputs_are_read_or_refused(
    measured: Measured, tmp_path: Path, place: int, which: int, number: int
) -> None:
    """No reader crashes, hangs, eats memory or raises anything but its own refusal, whatever is done to a file."""
    family, seeds = list(SEEDS().items())[place % len(SEEDS())]
    suffix, content = seeds[which % len(seeds)]
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(mutated(content, [other for _, other in seeds], Random(number)))
    assert unexpected(measured.read(path, ingestor=family), family) == []


@pytest.mark.parametrize("find", FINDS, ids=lambda path: path.name)
def test_what_was_found_once_stays_mended(measured: Measured, find: Path) -> None:
    """Inputs that made a reader stumble are read or refused."""
    family = find.name.partition("-")[0]
    assert unexpected(measured.read(find, ingestor=family), family) == []


def test_every_family_of_the_registry_has_seeds() -> None:
    """A new built-in that nothing is mutated for would not be looked at."""
    assert {"binary", "dat", "hdf5", "image", "scopefoundry", "xy"} <= set(SEEDS())
