"""What a look at the disk means for the store, with real files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.errors import StateError
from daemon.loops.arrivals import BATCH, Arrivals
from daemon.loops.context import Heartbeats
from daemon.model import DatasetState, DeliveryState, FileState
from daemon.store.datasets import VANISHED
from daemon.watch.scan import list_folder

if TYPE_CHECKING:
    from tests.fakes.workshop import Workshop


def delivered(workshop: Workshop) -> None:
    """Say that every catalog has everything."""
    while (delivery := workshop.store.deliveries.lease("crucible")) is not None:
        workshop.store.deliveries.finish(delivery, DeliveryState.DELIVERED)
        workshop.store.datasets.delivered_if_all(delivery.dataset)


def test_a_new_file_settles_and_becomes_a_dataset(workshop: Workshop) -> None:
    """A file that nobody writes is hashed after its quiet period and its dataset is ready."""
    workshop.write("run/x.dat", b"abc")
    workshop.arrive()
    file, dataset = workshop.file("run/x.dat"), workshop.dataset("run/x.dat")
    assert file is not None
    assert file.state is FileState.SETTLED
    assert file.digests is not None
    assert file.digests.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert dataset is not None
    assert dataset.state is DatasetState.READY


def test_a_second_look_at_what_is_known_changes_nothing(workshop: Workshop) -> None:
    """Scanning what has not changed writes no line into the journal."""
    workshop.write("x.dat")
    workshop.whole()
    before = len(workshop.store.journal.recent(1000))
    workshop.scan()
    assert len(workshop.store.journal.recent(1000)) == before


def test_a_changed_file_makes_its_dataset_wait_and_come_again(workshop: Workshop) -> None:
    """New bytes after the first composition are another revision of the same dataset."""
    workshop.write("x.dat", b"one")
    workshop.whole()
    first = workshop.dataset("x.dat")
    workshop.write("x.dat", b"other")
    workshop.look("x.dat")
    waiting = workshop.dataset("x.dat")
    assert waiting is not None
    assert waiting.state is DatasetState.WAITING
    workshop.settle()
    workshop.settle()
    assert workshop.compose() == 1
    second = workshop.dataset("x.dat")
    assert first is not None
    assert second is not None
    assert (second.id, second.unique_id, second.revision) == (first.id, first.unique_id, 2)


def test_a_renamed_file_keeps_its_dataset_and_is_not_sent_again(workshop: Workshop) -> None:
    """After delivery a rename moves the row and the dataset's key; nothing is owed because of it."""
    workshop.write("x.dat")
    workshop.whole()
    delivered(workshop)
    before = workshop.dataset("x.dat")
    (workshop.data / "x.dat").rename(workshop.data / "y.dat")
    workshop.whole()
    after = workshop.dataset("y.dat")
    assert before is not None
    assert after is not None
    assert (after.id, after.revision, after.state) == (before.id, 1, DatasetState.DELIVERED)
    assert workshop.dataset("x.dat") is None
    assert workshop.store.deliveries.in_work() == 0


def test_a_file_renamed_before_its_delivery_is_composed_with_its_new_path(workshop: Workshop) -> None:
    """What is owed names files that are there: a rename before the delivery makes another revision."""
    workshop.write("x.dat")
    workshop.whole()
    (workshop.data / "x.dat").rename(workshop.data / "y.dat")
    workshop.whole()
    after = workshop.dataset("y.dat")
    assert after is not None
    assert after.record is not None
    assert (after.revision, after.record["files"][0]["path"]) == (2, str(workshop.data / "y.dat"))
    assert [delivery.revision for delivery in workshop.store.deliveries.of_dataset(after.id)] == [2]


def test_a_name_given_on_is_told_from_a_change(workshop: Workshop) -> None:
    """When `x` becomes `x.1` and a new `x` is written, the old dataset follows its file and the new `x` is another."""
    workshop.write("x.dat", b"old bytes")
    workshop.whole()
    delivered(workshop)
    before = workshop.dataset("x.dat")
    (workshop.data / "x.dat").rename(workshop.data / "x.1.dat")
    workshop.write("x.dat", b"new bytes")
    workshop.whole()
    old, new = workshop.dataset("x.1.dat"), workshop.dataset("x.dat")
    assert before is not None
    assert old is not None
    assert new is not None
    assert (old.id, old.state) == (before.id, DatasetState.DELIVERED)
    assert (new.id != before.id, new.revision) == (True, 1)


def test_a_hard_link_is_a_second_file(workshop: Workshop) -> None:
    """Two names of one inode that are both there are two files in two datasets."""
    workshop.write("x.dat")
    workshop.whole()
    os.link(workshop.data / "x.dat", workshop.data / "y.dat")
    workshop.whole()
    assert {key: members for key, (_, members) in workshop.groups().items()} == {
        "x.dat": {"x.dat"},
        "y.dat": {"y.dat"},
    }


def test_a_file_that_another_replaced_by_renaming_is_changed(workshop: Workshop) -> None:
    """Another file under the name is the same file with other bytes."""
    workshop.write("x.dat", b"old")
    workshop.whole()
    workshop.write("x.tmp", b"new and longer").rename(workshop.data / "x.dat")
    workshop.whole()
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert dataset.revision == 2
    assert list(workshop.groups()) == ["x.dat"]


def test_a_file_that_vanished_after_its_delivery_leaves_it_alone(workshop: Workshop) -> None:
    """What every catalog has stays delivered, whatever is deleted here."""
    workshop.write("x.dat")
    workshop.whole()
    delivered(workshop)
    (workshop.data / "x.dat").unlink()
    workshop.whole()
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert dataset.state is DatasetState.DELIVERED


def test_a_complete_file_that_vanished_before_its_delivery_is_parked_and_goes_on_when_it_is_back(
    workshop: Workshop,
) -> None:
    """It is shown with its reason, keeps nothing busy, and comes as another revision when it returns."""
    file = workshop.write("x.dat", b"precious")
    workshop.whole()
    file.unlink()
    workshop.scan()
    parked = workshop.dataset("x.dat")
    assert parked is not None
    assert (parked.state, parked.reason) == (DatasetState.PARKED, VANISHED)
    assert workshop.store.deliveries.in_work() == 0
    assert workshop.store.deliveries.lease("crucible") is None
    workshop.write("x.dat", b"precious")
    workshop.whole()
    back = workshop.dataset("x.dat")
    assert back is not None
    assert (back.id, back.state, back.revision) == (parked.id, DatasetState.COMPOSED, 2)


def test_a_delivery_that_was_quicker_than_the_loss_of_its_file_counts(workshop: Workshop) -> None:
    """A dataset whose file vanished while it was being sent is delivered when the catalog has it."""
    file = workshop.write("x.dat")
    workshop.whole()
    deliveries = workshop.store.deliveries
    sending = deliveries.lease("crucible")
    file.unlink()
    workshop.scan()
    assert sending is not None
    deliveries.finish(sending, DeliveryState.DELIVERED)
    workshop.store.datasets.delivered_if_all(sending.dataset)
    dataset = workshop.dataset("x.dat")
    assert dataset is not None
    assert dataset.state is DatasetState.DELIVERED


def test_an_unfinished_file_that_vanished_leaves_only_its_story(workshop: Workshop) -> None:
    """A temporary file's dataset is forgotten, and the journal says so."""
    file = workshop.write("x.dat")
    workshop.scan()
    dataset = workshop.dataset("x.dat")
    file.unlink()
    workshop.scan()
    assert workshop.groups() == {}
    assert dataset is not None
    assert [line.event for line in workshop.store.journal.of("dataset", dataset.id)] == [
        "dataset.waiting",
        "dataset.forgotten",
    ]
    assert workshop.store.datasets.in_work() == 0


def test_a_changed_file_that_vanished_before_it_settled_keeps_nobody_busy(workshop: Workshop) -> None:
    """The change that is lost is parked with its reason; what was delivered stays."""
    file = workshop.write("x.dat")
    workshop.whole()
    delivered(workshop)
    workshop.write("x.dat", b"changed")
    workshop.scan()
    file.unlink()
    workshop.scan()
    assert workshop.groups()["x.dat"][0] == "parked"
    assert workshop.store.datasets.in_work() == 0


def test_a_file_of_a_folder_that_was_moved_keeps_its_dataset(workshop: Workshop) -> None:
    """Renaming a folder changes the paths of its files and nothing else."""
    for name in ("a.dat", "b.dat"):
        workshop.write(f"run/{name}", name.encode())
    workshop.whole()
    delivered(workshop)
    (workshop.data / "run").rename(workshop.data / "archive")
    workshop.whole()
    assert workshop.groups() == {
        "archive/a.dat": ("delivered", {"archive/a.dat"}),
        "archive/b.dat": ("delivered", {"archive/b.dat"}),
    }


def test_a_file_that_the_configuration_excludes_and_includes_again_goes_on(workshop: Workshop) -> None:
    """An excluded file is ignored without being forgotten; included again it settles and is composed."""
    workshop.write("x.dat")
    workshop.arrive()
    workshop.restart(roots=[{"path": str(workshop.data), "exclude": ["*.dat"]}])
    workshop.scan()
    ignored = workshop.file("x.dat")
    assert ignored is not None
    assert ignored.state is FileState.IGNORED
    assert workshop.store.datasets.in_work() == 0
    workshop.restart(roots=[{"path": str(workshop.data)}])
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("composed", {"x.dat"})}


def test_companions_find_another_place_when_their_primary_goes(workshop: Workshop) -> None:
    """Before the first delivery the companions of a vanished or excluded primary are datasets of their own."""
    workshop.write("x.h5", b"not settled yet")
    workshop.write("x.log")
    workshop.scan()
    assert workshop.groups()["x.h5"][1] == {"x.h5", "x.log"}
    (workshop.data / "x.h5").unlink()
    workshop.whole()
    assert workshop.groups() == {"x.log": ("composed", {"x.log"})}


def test_companions_of_an_excluded_primary_find_another_place(workshop: Workshop) -> None:
    """The configuration that excludes the primary leaves no companion waiting for it."""
    workshop.write("x.h5.meta.yaml", b"measurement: m")
    workshop.write("x.h5")
    workshop.scan()
    workshop.restart(roots=[{"path": str(workshop.data), "exclude": ["*.h5"]}])
    workshop.whole()
    assert workshop.groups() == {"x.h5.meta.yaml": ("composed", {"x.h5.meta.yaml"})}


def test_companions_of_a_delivered_primary_stay_with_it(workshop: Workshop) -> None:
    """Tidying up a delivered measurement, primary first, makes no dataset of what is left."""
    workshop.write("x.dat")
    workshop.write("x.log")
    workshop.whole()
    delivered(workshop)
    (workshop.data / "x.dat").unlink()
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("delivered", {"x.log"})}


def test_a_settled_file_joins_the_primary_that_comes_late(workshop: Workshop) -> None:
    """A companion that was a dataset of its own moves to its primary's dataset, which is ready without further looks."""
    workshop.write("x.log")
    workshop.arrive()
    workshop.write("x.dat")
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("composed", {"x.dat", "x.log"})}


def test_a_file_that_was_being_looked_at_is_looked_at_again_after_a_lost_hint(workshop: Workshop) -> None:
    """A scan takes up every unsettled file that nobody holds any more."""
    workshop.write("x.dat")
    workshop.scan()
    row = workshop.file("x.dat")
    assert row is not None
    workshop.settling.forget(row.id)
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("composed", {"x.dat"})}


def test_a_name_of_any_bytes_comes_through(workshop: Workshop) -> None:
    """Names that are no UTF-8 text, with newlines or 0xFF at their end, are files like others."""
    names = [b"a\xff\xff.dat", b"two\nlines.dat", b"\xff" * 200]
    for name in names:
        (workshop.data / os.fsdecode(name)).write_bytes(name)
    workshop.whole()
    assert {state for state, _ in workshop.groups().values()} == {"composed"}
    assert {os.fsencode(path) for _, paths in workshop.groups().values() for path in paths} == set(names)


def test_a_store_that_fails_is_no_reason_to_lose_a_file(workshop: Workshop) -> None:
    """What a failed transaction did not record is found by the next scan."""
    workshop.write("x.dat")
    workshop.store.database._connection.execute("PRAGMA query_only = ON")
    try:
        workshop.scan()
    except StateError:
        workshop.store.database._connection.execute("PRAGMA query_only = OFF")
    else:
        raise AssertionError("the store did not fail")
    workshop.whole()
    assert workshop.groups() == {"x.dat": ("composed", {"x.dat"})}


class Counting(Heartbeats):
    """Heartbeats that are counted."""

    beats = 0

    def beat(self, name: str, within: float = 60.0) -> None:
        """One more."""
        self.beats += name == "watching"
        super().beat(name, within)


def test_a_folder_of_thousands_does_not_look_like_a_loop_that_hangs(workshop: Workshop) -> None:
    """The watchdog hears of every batch: comparing one folder of 45,000 new files took longer than it waits."""
    for number in range(BATCH + 1):
        workshop.write(f"many/{number}.dat", b"x")
    heartbeats = Counting(workshop.clock)
    context = replace(workshop.context, heartbeats=heartbeats)
    arrivals = Arrivals(context, workshop.placing, workshop.settling, workshop.filters)
    listing = list_folder(workshop.data, "many", workshop.filters[0])
    assert arrivals.compare(workshop.root, listing) == BATCH + 1
    assert heartbeats.beats == 2
    assert arrivals.compare(workshop.root, replace(listing, files={})) == BATCH + 1
    assert heartbeats.beats == 4
