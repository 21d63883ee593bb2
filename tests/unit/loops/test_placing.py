"""Files to datasets through a real store: in any order, and never by looking at the whole folder."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.clock import ManualClock
from daemon.grouping.datasets import CompanionRules
from daemon.loops.grouping import Placing
from daemon.model import Digests, FileState, Fingerprint
from daemon.settings import Datasets
from daemon.store.opening import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES = CompanionRules(Datasets(sequences=("*_[0-9]*.tif",), folders=("*.d",)))
PATHS = (
    "X.h5", "X.h5.JPG", "X.log", "X.png", "X_settings.ini", "X.h5_images/1.png", "X.h5_images/1.png.jpg",
    "run/X.dat", "run/X.png", "run/X.dat.meta.yaml", "run/f_1.tif", "run/f_2.tif", "run/f_2.log", "a.d/x", "a.d/y/z",
)  # fmt: skip
NUMBERS = itertools.count(1)


def arrive(store: Store, placing: Placing, root: int, path: str, *, settled: bool) -> None:
    """A file is seen, and perhaps complete, before the next one comes."""
    inode = next(NUMBERS)
    fingerprint = Fingerprint(1, inode, inode, inode, 1)
    with store.database.transaction():
        file = store.files.discover(root, path, fingerprint)
        placing.place(root, path, file)
        if settled:
            store.files.settling(file, fingerprint, "")
            store.files.settle(file, fingerprint, Digests("0" * 64, 0, 1, (0,)), version=1, note="")
            row = store.files.get(file)
            if row is not None and row.dataset is not None:
                store.datasets.ready_if_settled(row.dataset)


def groups(store: Store) -> dict[str, tuple[str, frozenset[str]]]:
    """Every dataset by its key: its state and members."""
    found = {}
    for line in store.database.select("SELECT id FROM datasets"):
        row = store.datasets.get(line["id"])
        assert row is not None
        assert row.key is not None
        found[row.key] = (row.state.value, frozenset(file.path for file in store.files.of_dataset(row.id)))
    return found


def placed(arrivals: Iterable[tuple[str, bool]]) -> dict[str, tuple[str, frozenset[str]]]:
    """What a fresh store holds after these arrivals."""
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder), "bench", ManualClock())
        try:
            root = store.roots.add(Path("/data"))
            placing = Placing(store, RULES)
            for path, settled in arrivals:
                arrive(store, placing, root, path, settled=settled)
            return groups(store)
        finally:
            store.close()


EXPECTED = placed((path, True) for path in PATHS)


@settings(deadline=None, max_examples=25)
@given(st.permutations(PATHS))
def test_the_order_of_arrival_does_not_matter(order: list[str]) -> None:
    """The same files are the same datasets in the same states, however they came."""
    assert placed((path, True) for path in order) == EXPECTED


@settings(deadline=None, max_examples=25)
@given(st.permutations(PATHS), st.sets(st.sampled_from(PATHS)))
def test_a_dataset_is_ready_when_all_its_members_are_settled(order: list[str], late: set[str]) -> None:
    """A dataset with a member that has not settled waits; no other one does."""
    for key, (state, members) in placed((path, path not in late) for path in order).items():
        assert members == EXPECTED[key][1]
        assert state == ("waiting" if members & late else "ready")


def test_twenty_thousand_frames_in_one_folder_are_looked_up_by_name() -> None:
    """Which dataset a file belongs to takes a few look-ups, however many files are beside it."""
    known = {f"frame_{number:05}.png" for number in range(20_000)}
    listed = sorted(known)
    asked = 0

    def exists(path: str) -> bool:
        nonlocal asked
        asked += 1
        return path in known

    def under(prefix: str) -> list[str]:
        nonlocal asked
        found = (
            [path for path in listed[int(prefix[6:11]) :][:2] if path.startswith(prefix)] if "frame_" in prefix else []
        )
        asked += 1 + len(found)
        return found

    for path in listed[::500]:
        assert RULES.membership(path, exists, under).key == path
    assert asked <= 6 * len(listed[::500])


def test_a_vanished_primary_gives_its_companions_free(tmp_path: Path) -> None:
    """Looking beside a path that vanished puts every companion where it belongs without it."""
    store = open_store(tmp_path, "bench", ManualClock())
    root = store.roots.add(Path("/data"))
    placing = Placing(store, RULES)
    for path in PATHS:
        arrive(store, placing, root, path, settled=True)
    row = store.files.by_path(root, "X.h5")
    assert row is not None
    assert row.state is FileState.SETTLED
    with store.database.transaction():
        store.files.vanished(row.id)
        placing.place_beside(root, "X.h5")
    found = groups(store)
    assert "X.h5_images/1.png" in found
    assert found["X.h5_images/1.png"][1] == {"X.h5_images/1.png", "X.h5_images/1.png.jpg"}
    store.close()
