"""The settling loop with real files, writers and hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from daemon.errors import StateError
from daemon.loops.context import Stopping
from daemon.loops.settling import Settled
from daemon.model import FileState
from tests.fakes.workshop import QUIET

if TYPE_CHECKING:
    from daemon.store.files import FileRow
    from tests.fakes.workshop import Workshop


def known(workshop: Workshop, path: str = "x.dat") -> FileRow:
    """The file at a path."""
    row = workshop.file(path)
    assert row is not None
    return row


def once(workshop: Workshop) -> None:
    """One look at what is due."""
    held = {item.id: item for item in workshop.settling._waitlist.take(64, 0.0)}
    workshop.settling._look(held, "settling")
    assert held == {}


def test_a_file_that_somebody_writes_waits_with_its_reason(workshop: Workshop) -> None:
    """While a program has it open nothing is taken; the store says why; closing it begins the quiet period."""
    with workshop.write("x.dat").open("ab") as stream:
        workshop.scan()
        for _ in range(3):
            workshop.settle()
            stream.write(b"more")
            stream.flush()
        assert known(workshop).state is FileState.SETTLING
        assert "open for writing" in known(workshop).reason
    once(workshop)
    assert known(workshop).state is FileState.SETTLING
    workshop.settle()
    workshop.settle()
    assert known(workshop).state is FileState.SETTLED


def test_a_change_in_the_quiet_period_begins_it_anew(workshop: Workshop) -> None:
    """Quiet is measured from the last change that was seen."""
    workshop.write("x.dat", b"1")
    workshop.scan()
    once(workshop)
    workshop.clock.advance(QUIET - 0.1)
    workshop.write("x.dat", b"22")
    workshop.look("x.dat")
    once(workshop)
    workshop.clock.advance(QUIET - 0.1)
    once(workshop)
    assert known(workshop).state is FileState.SETTLING
    workshop.clock.advance(0.2)
    once(workshop)
    digests = known(workshop).digests
    assert digests is not None
    assert digests.sha256 == hashlib.sha256(b"22").hexdigest()


def test_a_hint_does_not_prolong_the_quiet_period(workshop: Workshop) -> None:
    """Somebody who thinks that a file is worth a look does not keep it from settling."""
    workshop.write("x.dat")
    workshop.scan()
    once(workshop)
    workshop.clock.advance(QUIET - 0.1)
    workshop.look("x.dat")
    workshop.clock.advance(0.2)
    once(workshop)
    assert known(workshop).state is FileState.SETTLED


def test_an_empty_file_waits_longer_and_is_taken_as_it_is(workshop: Workshop) -> None:
    """Nothing is lost, not even a file without content."""
    workshop.write("x.dat", b"")
    workshop.arrive()
    assert known(workshop).state is FileState.SETTLING
    workshop.clock.advance(workshop.instrument.settle.empty)
    workshop.settle()
    assert known(workshop).state is FileState.SETTLED


def test_unsettled_files_are_taken_up_after_a_restart(workshop: Workshop) -> None:
    """A stop in the middle loses nothing: the file settles in the next run."""
    workshop.write("x.dat")
    workshop.scan()
    workshop.restart()
    assert len(workshop.settling) == 1
    workshop.settle()
    workshop.settle()
    assert known(workshop).state is FileState.SETTLED


def test_a_file_that_vanished_while_it_settled_is_left_to_the_watching_loop(workshop: Workshop) -> None:
    """The settling loop concludes nothing from a missing file; it lets go of it and hints."""
    workshop.write("x.dat").unlink()
    workshop.write("y.dat")
    workshop.scan()
    (workshop.data / "y.dat").unlink()
    once(workshop)
    assert known(workshop, "y.dat").state is FileState.SEEN
    assert [hint.path for hint in workshop.hints.take(9)] == ["y.dat"]
    assert len(workshop.settling) == 0


def test_a_file_that_vanishes_between_its_hash_and_the_store_is_not_settled(workshop: Workshop) -> None:
    """What the watching loop has seen vanish meanwhile stays vanished."""
    workshop.write("x.dat")
    workshop.scan()
    once(workshop)
    workshop.clock.advance(QUIET + 1)
    held = {item.id: item for item in workshop.settling._waitlist.take(64, 0.0)}
    (item,) = held.values()
    settled = workshop.settling._look_at(item, "settling")
    assert isinstance(settled, Settled)
    (workshop.data / "x.dat").unlink()
    workshop.scan()
    workshop.settling._keep([settled], held)
    assert known(workshop).state is FileState.VANISHED


def test_a_stop_ends_a_hash_in_the_middle(workshop: Workshop) -> None:
    """A stopping service does not wait for a large file."""
    workshop.write("x.dat", b"x" * 3_000_000)
    workshop.scan()
    once(workshop)
    workshop.clock.advance(QUIET + 1)
    workshop.context.stopping.set()
    with pytest.raises(Stopping):
        once(workshop)
    assert known(workshop).state is FileState.SETTLING


def test_a_failing_store_gives_back_only_what_is_still_held(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is not back on the list when the store fails is still held, and so is looked at again."""
    workshop.write("a.dat", b"1")
    workshop.write("b.dat", b"22")
    workshop.scan()
    held = {item.id: item for item in workshop.settling._waitlist.take(64, 0.0)}
    looked: list[str] = []
    real = workshop.settling._look_at

    def second_fails(item: object, name: str) -> object:
        path = getattr(item, "path", "")
        looked.append(path)
        if path == "b.dat":
            raise StateError("The disk is full.")
        return real(item, name)  # type: ignore[arg-type]

    monkeypatch.setattr(workshop.settling, "_look_at", second_fails)
    with pytest.raises(StateError):
        workshop.settling._look(held, "settling")
    assert looked == ["a.dat", "b.dat"]
    assert sorted(item.path for item in held.values()) == ["a.dat", "b.dat"]


def test_a_file_settles_once_although_a_scan_s_view_of_the_store_was_older(workshop: Workshop) -> None:
    """A folder of thousands settles while it is compared: whoever is tracked once more is not settled once more."""
    workshop.write("x.dat")
    workshop.scan()
    row = known(workshop)
    workshop.settle()
    assert known(workshop).state is FileState.SETTLED
    before = workshop.store.journal.of("file", row.id)
    for seconds in (0.0, QUIET + 1):  # it waits for its quiet period, then it would be hashed
        workshop.settling.track(row.id, 0, "x.dat", known(workshop).fingerprint)
        if seconds:
            (item,) = workshop.settling._waitlist.take(64, 0.0)
            workshop.clock.advance(seconds)
            settled = workshop.settling._look_at(item, "settling")
            assert isinstance(settled, Settled)
            workshop.settling._keep([settled], {item.id: item})
        else:
            once(workshop)
        assert len(workshop.settling) == 0
    assert known(workshop).reason == ""
    assert workshop.store.journal.of("file", row.id) == before
    (dataset,) = workshop.groups().values()
    assert dataset[0] == "ready"


def test_only_the_first_file_after_a_rest_is_announced_to_those_who_extract(workshop: Workshop) -> None:
    """A file that begins to settle where nothing did lets a reader start; one that is appended to again and again does not."""
    arriving = workshop.context.arriving
    workshop.write("x.dat", b"1")
    workshop.scan()
    assert arriving.is_set()
    arriving.clear()
    for size in range(2, 5):
        workshop.write("x.dat", b"1" * size)
        workshop.look("x.dat")
    assert not arriving.is_set()
