from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.model import Fingerprint
from daemon.settings import Settle
from daemon.watch.lease import Writers
from daemon.watch.settle import Decision, Observation, SettleRules, Track, Verdict, decide, observe
from daemon.watch.superblock import Agreement, State
from tests.fakes.writers import finish, writing

if TYPE_CHECKING:
    from pathlib import Path

PRINT = Fingerprint(size=100, mtime_ns=1, ctime_ns=1, inode=1, device=1)
FREE = Observation(PRINT, Writers.NONE, Agreement.NOT_HDF5)
TORN = Observation(PRINT, Writers.NONE, Agreement(State.INCOMPLETE, "end of file missing, 1 of 2 bytes"))
RULES = SettleRules(Settle(patterns={"*.dat": 30.0}, markers={"*.raw": "{stem}.done"}))


def at(now: float, observation: Observation = FREE, path: str = "x.xy", since: float = 0.0) -> Decision:
    """The decision for a file that was first seen at 0."""
    return decide(path, observation, Track(PRINT, since=since, first_seen=0.0), RULES, now)


def test_a_quiet_file_is_complete() -> None:
    """Nobody writes, nothing changed for the quiet period: hash it."""
    assert at(2.0).verdict is Verdict.HASH
    early = at(0.8)
    assert (early.verdict, early.until) == (Verdict.WAIT, 2.0)
    assert early.reason == "quiet period: changed 0.8 s ago, waits for 2 s"


def test_a_pattern_has_its_own_quiet_period() -> None:
    """A program that reopens and appends gets the time that its pattern says."""
    assert at(29.0, path="a/x.dat").until == 30.0
    assert at(30.0, path="a/x.dat").verdict is Verdict.HASH


def test_without_leases_the_quiet_period_is_longer() -> None:
    """Where the kernel cannot tell who writes, the longer of both periods holds."""
    unknown = replace(FREE, writers=Writers.UNKNOWN)
    assert at(9.0, unknown).until == 10.0
    assert at(29.0, unknown, path="x.dat").until == 30.0
    assert at(10.0, unknown).verdict is Verdict.HASH


def test_a_writer_starts_the_quiet_period_anew() -> None:
    """While a program has the file open we look again at growing intervals, and quiet begins when it is seen closed."""
    held = replace(FREE, writers=Writers.SOME)
    first, later = at(0.1, held), at(600.0, held)
    assert first.until == pytest.approx(0.3)
    assert later.until == 602.0
    assert later.reason == "open: a program has it open for writing"
    closed = decide("x.xy", FREE, later.track, RULES, 600.5)
    assert (closed.verdict, closed.until) == (Verdict.WAIT, 602.0)
    assert decide("x.xy", held, closed.track, RULES, 601.0).reason.startswith("reopened:")


def test_a_change_starts_the_quiet_period_anew() -> None:
    """Any part of the fingerprint that differs is a change, whatever direction a time jumped."""
    changed = replace(FREE, fingerprint=replace(PRINT, mtime_ns=-5))
    decision = at(100.0, changed)
    assert (decision.verdict, decision.until, decision.track.since) == (Verdict.WAIT, 102.0, 100.0)


def test_an_empty_file_waits_longer() -> None:
    """Programs create files long before they fill them; after the time for empty files it is what it is."""
    empty = Observation(replace(PRINT, size=0), Writers.NONE, Agreement.NOT_HDF5)
    track = Track(empty.fingerprint, since=0.0, first_seen=0.0)
    waiting = decide("x.xy", empty, track, RULES, 3.0)
    assert (waiting.verdict, waiting.until) == (Verdict.WAIT, 60.0)
    assert decide("x.xy", empty, track, RULES, 60.0).verdict is Verdict.HASH


def test_a_torn_hdf5_file_waits_and_is_delivered_with_a_note() -> None:
    """It may still be completed; after `broken` seconds without a writer it goes, flagged."""
    waiting = at(10.0, TORN, path="x.h5")
    assert waiting.reason == "HDF5: end of file missing, 1 of 2 bytes"
    assert 10.0 < waiting.until <= 20.0
    given_up = at(300.0, TORN, path="x.h5")
    assert given_up.verdict is Verdict.HASH
    assert given_up.reason == "incomplete HDF5, nobody is writing it any more: end of file missing, 1 of 2 bytes"


def test_a_name_that_promises_hdf5_counts_where_leases_do_not_work() -> None:
    """On a share, a `.h5` file without a signature is one whose beginning is not written yet."""
    unknown = replace(FREE, writers=Writers.UNKNOWN)
    assert at(20.0, unknown, path="x.H5").reason == "HDF5: no HDF5 signature"
    assert at(20.0, FREE, path="x.h5").verdict is Verdict.HASH


def test_a_marker_is_waited_for() -> None:
    """However quiet a file is, it waits for the marker that the instrument writes."""
    waiting = at(1000.0, replace(FREE, marker_present=False), path="a/x.raw")
    assert waiting.reason == "marker: waits for x.done"
    assert at(1000.0, replace(FREE, marker_present=True), path="a/x.raw").verdict is Verdict.HASH


@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 20.0),
            st.sampled_from(list(Writers)),
            st.sampled_from([Agreement.OK, Agreement.NOT_HDF5, TORN.agreement]),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_no_history_of_looks_hashes_early(history: list[tuple[float, Writers, Agreement, int]]) -> None:
    """Hashing needs a quiet period since the last change and the last writer we saw, and every wait ends in the future."""
    now, track, last = 0.0, Track(PRINT, since=0.0, first_seen=0.0), 0.0
    for pause, someone, agreement, change in history:
        now += pause
        seen = replace(PRINT, mtime_ns=change)
        if seen != track.fingerprint or someone is Writers.SOME:
            last = now
        decision = decide("x.h5", Observation(seen, someone, agreement), track, RULES, now)
        track = decision.track
        if decision.verdict is Verdict.HASH:
            assert now - last >= (2.0 if someone is Writers.NONE else 10.0)
            assert agreement.state is not State.INCOMPLETE or now - last >= 300.0
        else:
            assert decision.until > now
            assert decision.reason


@pytest.mark.parametrize("kind", ["silent", "appending", "preallocated", "mapped", "hdf5"])
def test_no_writer_is_taken_while_it_writes(tmp_path: Path, kind: str) -> None:
    """However long it is silent, a file that is open for writing is not hashed; once closed and quiet it is."""
    path = tmp_path / "x.h5"
    with writing(kind, path) as process:
        held = observe(path, "x.h5", RULES)
        track = Track(held.fingerprint, since=0.0, first_seen=0.0)
        assert decide("x.h5", held, track, RULES, 3600.0).verdict is Verdict.WAIT
        finish(process)
        after = observe(path, "x.h5", RULES)
        assert decide("x.h5", after, Track(after.fingerprint, 3600.0, 0.0), RULES, 3602.0).verdict is Verdict.HASH


def test_a_renamed_file_is_seen_complete_only(tmp_path: Path) -> None:
    """A writer that renames into place has no file of that name before it is complete."""
    path = tmp_path / "x.xy"
    with writing("renamed", path) as process:
        with pytest.raises(FileNotFoundError):
            observe(path, "x.xy", RULES)
        finish(process)
        assert observe(path, "x.xy", RULES).writers is Writers.NONE


def test_a_marker_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    """The marker's template is filled with the file's name, in the file's folder."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "x.raw"
    path.write_text("x")
    assert observe(path, "a/x.raw", RULES).marker_present is False
    (tmp_path / "a" / "x.done").touch()
    assert observe(path, "a/x.raw", RULES).marker_present is True
    (tmp_path / "y.xy").touch()
    assert observe(tmp_path / "y.xy", "y.xy", RULES).marker_present is None


def test_what_is_no_regular_file_any_more_is_not_found(tmp_path: Path) -> None:
    """A link, a pipe, a folder or nothing in the file's place: there is no such file."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "nothing", "file/below"):
        with pytest.raises(FileNotFoundError):
            observe(tmp_path / name, name, RULES)
