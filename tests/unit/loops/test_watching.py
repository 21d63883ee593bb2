"""A root that goes away, at any moment, says nothing about its files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.workshop import Workshop

from daemon.loops.watching import FAILED_ROOT_SECONDS


@pytest.fixture
def known(workshop: Workshop) -> Workshop:
    """A workshop that has delivered to the queue what is in three folders."""
    for path in ("x.dat", "a/x.dat", "b/c/x.dat"):
        workshop.write(path, path.encode())
    workshop.whole()
    return workshop


def present(workshop: Workshop) -> int:
    """How many files the store believes to be there."""
    return len(workshop.store.files.some_present(workshop.root.id, 100))


def unmount(workshop: Workshop, *, empty: bool) -> None:
    """Take the root away; `empty`: the mount point stays."""
    workshop.data.rename(workshop.folder / "elsewhere")
    if empty:
        workshop.data.mkdir()


def mount(workshop: Workshop) -> None:
    """Bring the root back."""
    shutil.rmtree(workshop.data, ignore_errors=True)
    (workshop.folder / "elsewhere").rename(workshop.data)


@pytest.mark.parametrize("empty", [True, False])
def test_a_root_that_is_gone_at_the_next_scan_is_an_error(known: Workshop, *, empty: bool) -> None:
    """Nothing vanishes, the root's problem is kept for people, and it recovers by itself when it is back."""
    unmount(known, empty=empty)
    known.scan()
    assert present(known) == 3
    assert list(known.watching.problems()) == [0]
    assert known.store.roots.state(known.data)[0] != ""
    mount(known)
    known.clock.advance(FAILED_ROOT_SECONDS + 1)
    known._rounds()
    assert known.watching.problems() == {}
    assert known.store.roots.state(known.data)[0] == ""
    assert present(known) == 3


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("folders", [1, 2, 3])
def test_a_root_that_goes_away_in_the_middle_of_a_scan_loses_no_file(
    known: Workshop, *, empty: bool, folders: int
) -> None:
    """However many folders were listed before, nothing is concluded from the others."""
    scan = known.watching._scans[0]
    walking = known.watching._scan(known.root, scan)
    for _ in range(folders):
        next(walking)
    scan.walking = walking
    unmount(known, empty=empty)
    known._rounds()
    assert present(known) == 3
    assert list(known.watching.problems()) == [0]


@pytest.mark.parametrize("empty", [True, False])
def test_a_hint_below_a_root_that_is_gone_says_nothing(known: Workshop, *, empty: bool) -> None:
    """Hints come from the watcher, the settling and the delivering loops: none of them makes a file vanish then."""
    unmount(known, empty=empty)
    known.hints.hint(0, "a/x.dat")
    known.hints.hint_folder(0, "b")
    known._rounds()
    assert present(known) == 3
    assert list(known.watching.problems()) == [0]


def test_files_that_were_settling_when_the_root_went_away_settle_when_it_is_back(workshop: Workshop) -> None:
    """The settling loop lets go of a file that it cannot find; the scan of the recovered root takes it up."""
    workshop.write("x.dat")
    workshop.scan()
    unmount(workshop, empty=True)
    workshop.settle()
    workshop._rounds()
    assert len(workshop.settling) == 0
    mount(workshop)
    workshop.clock.advance(FAILED_ROOT_SECONDS + 1)
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("composed", {"x.dat"})}


def test_a_root_that_a_person_emptied_is_believed(known: Workshop) -> None:
    """The same folder without its files: they are gone."""
    for entry in known.data.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    known.scan()
    assert present(known) == 0
    assert known.watching.problems() == {}


def test_a_folder_that_cannot_be_listed_loses_no_file(known: Workshop) -> None:
    """What replaced a folder is no folder: its files are gone, those of the others are not."""
    shutil.rmtree(known.data / "a")
    (known.data / "a").write_bytes(b"a file now")
    known.scan()
    assert known.file("a/x.dat") is not None
    assert present(known) == 3  # x.dat, b/c/x.dat and the new a


def test_lost_hints_bring_a_scan(workshop: Workshop) -> None:
    """Files that nobody hinted at are found when hints were lost."""
    workshop.scan()
    workshop.write("x.dat")
    workshop._rounds()
    assert present(workshop) == 0
    workshop.hints.lost(0, "overflow")
    workshop._rounds()
    assert present(workshop) == 1


def test_a_hinted_folder_is_listed_with_everything_below(workshop: Workshop) -> None:
    """What came into a new folder before its watch did is found by listing it."""
    workshop.scan()
    workshop.write("new/deep/x.dat")
    workshop.look("new")
    assert workshop.file("new/deep/x.dat") is not None


def test_scans_are_made_when_they_are_due(workshop: Workshop) -> None:
    """Without any hint a new file is found by the next scan."""
    workshop.scan()
    workshop.write("x.dat")
    workshop.clock.advance(workshop.instrument.scan.every + 1)
    workshop._rounds()
    assert workshop.file("x.dat") is not None
    assert workshop.store.roots.scanned_at(workshop.data) is not None
