"""Files made to hurt: every one ends as a value with a reason, read in the sandbox as the daemon reads it."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING

import pytest

from daemon.extract.sandbox import Outcome, Sandbox
from tests.fakes.hostile import HOSTILE, SECRET, Hostile, secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)

MEMORY = 2**30


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all of them, as in the daemon."""
    sandbox = Sandbox(timeout=120, memory=MEMORY)
    yield sandbox
    sandbox.close()
    gc.collect()


def said(outcome: Outcome) -> str:
    """Everything that a person is told about the reading."""
    return "\n".join([*(failure.reason for failure in outcome.failures), *outcome.warnings])


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_files_are_values_with_a_reason(sandbox: Sandbox, tmp_path: Path, hostile: Hostile) -> None:
    """A built-in reader reads what is good in it or refuses it in its own words; it needs no sandbox to survive it."""
    folder = tmp_path / "data"
    folder.mkdir()
    secrets(folder)
    path = folder / hostile.name
    hostile.make(path)
    before = {one.name: one.stat().st_mtime_ns for one in folder.iterdir()}
    outcome = sandbox.extract(path, [])
    assert outcome.ingestor in hostile.read_by, outcome.failures
    for failure in outcome.failures:
        assert failure.refused, failure
    assert hostile.said in said(outcome)
    assert outcome.attributes["dataset_name"]
    assert {one.name: one.stat().st_mtime_ns for one in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["links.h5", "storage.h5", "view.h5"])
def test_nothing_outside_of_a_file_is_read(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    """Links, raw storage and views that lead to other files are named and not followed."""
    secrets(tmp_path)
    path = tmp_path / name
    next(hostile for hostile in HOSTILE if hostile.name == name).make(path)
    outcome = sandbox.extract(path, [])
    everything = json.dumps([outcome.attributes, outcome.scientific_metadata, outcome.samples, outcome.warnings])
    assert SECRET not in everything
    assert "7391" not in everything
    assert "root:" not in everything
    assert not outcome.thumbnails


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("filled", [b"1.5 2.25 -3e4 ", b"1", b"\0"], ids=["numbers", "one number", "zeros"])
def test_a_line_of_four_gigabytes_is_a_value(tmp_path: Path, filled: bytes) -> None:
    """A text of 4 GB without a line end is read as far as the limits go, within the sandbox's memory."""
    path = tmp_path / "line.dat"
    with path.open("wb") as stream:
        if filled == b"\0":
            stream.write(b"1 2\n3 4\n5 6\n")
            stream.truncate(4 * 2**30)
        else:
            block = filled * (2**24 // len(filled))
            while stream.tell() < 4 * 2**30:
                stream.write(block)
    sandbox = Sandbox(timeout=300, memory=2 * 2**30)
    outcome = sandbox.extract(path, [])
    sandbox.close()
    os.truncate(path, 0)
    assert outcome.ingestor in {"dat", "xy", "fallback"}
    assert all(failure.refused for failure in outcome.failures)
