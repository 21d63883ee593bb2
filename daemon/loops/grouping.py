"""Placing files in datasets: the pure rules applied to what the store knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.model import DatasetState, FileState
from daemon.store.datasets import ROOT_LEFT, VANISHED
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from daemon.grouping.datasets import CompanionRules
    from daemon.model import DatasetId, FileId
    from daemon.store.opening import Store

_SETTLED_BEFORE: Final = frozenset(DatasetState) - {DatasetState.WAITING}
_TAKEN_UP: Final = frozenset({DatasetState.EXTRACTING, DatasetState.COMPOSED})
"""States in which somebody works with a list of the members."""


class Placing:
    """Keeps every file in the dataset that the rules say, whatever order the files arrive in.

    Every method is to be called inside a transaction; those that return a bool say whether a dataset became ready.
    """

    def __init__(self, store: Store, rules: CompanionRules) -> None:
        self._store = store
        self._rules = rules

    def adopt_roots(self, present: Collection[int]) -> None:
        """Files of roots that left the configuration are nobody's work; datasets of a root that is back go on."""
        with self._store.database.transaction():
            for row in self._store.files.unsettled():
                if row.root not in present:
                    self._store.files.ignored(row.id)
                    if row.dataset is not None:
                        self.left(row.dataset)
            for dataset in self._store.datasets.parked_for(ROOT_LEFT):
                if dataset.root in present:
                    self._store.datasets.retry(dataset.id, "its root is in the configuration again")

    def place(self, root: int, path: str, file: FileId) -> bool:
        """Put a file where it belongs, and those beside it whose place it changes."""
        ready = self.place_alone(root, path, file)
        return self.place_beside(root, path) or ready

    def place_alone(self, root: int, path: str, file: FileId) -> bool:
        """Put a file where it belongs now."""
        membership = self._rules.membership(
            path,
            lambda other: self._store.files.is_present(root, other),
            lambda prefix: self._store.files.under(root, prefix),
        )
        row = self._store.files.get(file)
        found = self._store.datasets.by_key(root, membership.key)
        dataset = self._store.datasets.create(root, membership.key) if found is None else found.id
        before = None if row is None else row.dataset
        if before == dataset:
            return False
        self._store.files.assign(file, dataset, membership.role)
        self.changed(
            dataset, path, "joined" if row is not None and row.state is FileState.SETTLED else "is not complete yet"
        )
        ready = self._store.datasets.ready_if_settled(dataset)
        return (before is not None and self.left(before)) or ready

    def place_beside(self, root: int, path: str) -> bool:
        """This path appeared or vanished: put the files where they belong whose place that changes."""
        ready = False
        for other in self._rules.affected_by(path, under=lambda prefix: self._store.files.under(root, prefix)):
            known = self._store.files.by_path(root, other)
            if known is not None and known.state not in {FileState.VANISHED, FileState.IGNORED}:
                ready = self.place_alone(root, other, known.id) or ready
        return ready

    def changed(self, dataset: DatasetId, path: str, how: str = "is not complete yet") -> None:
        """A member joined or has to settle (again): what follows is another revision."""
        row = self._store.datasets.get(dataset)
        if row is not None and row.state in _SETTLED_BEFORE:
            self._store.datasets.wait(dataset, f"{display_name(path.rpartition('/')[2])} {how}")

    def renamed(self, root: int, dataset: DatasetId, old: str, new: str) -> bool:
        """The file that gave a dataset its key has another name: it is the same dataset, and what was delivered stays."""
        datasets = self._store.datasets
        row = datasets.get(dataset)
        if row is None or row.key != old or datasets.by_key(root, new) is not None:
            return False
        datasets.rekey(dataset, new)
        if row.state in _TAKEN_UP or row.state is DatasetState.PARKED:
            datasets.wait(dataset, "its file has another name now")
        ready = datasets.ready_if_settled(dataset)
        return (not row.revision and self.place_beside(root, old)) or ready

    def left(self, dataset: DatasetId) -> bool:
        """A member joined another dataset or is excluded."""
        datasets = self._store.datasets
        row = datasets.get(dataset)
        if row is None or row.state in {DatasetState.DELIVERED, DatasetState.PARKED}:
            return False
        if datasets.has_members(dataset):
            if row.state in _TAKEN_UP:
                datasets.wait(dataset, "a file left it")
            return datasets.ready_if_settled(dataset)
        if not row.revision:
            datasets.forget_if_empty(dataset)
        elif row.state is not DatasetState.COMPOSED:
            datasets.stand(dataset, "its files belong to other datasets now")
        return False

    def excluded(self, root: int, dataset: DatasetId, path: str) -> bool:
        """The configuration no longer includes a member: what it kept together before the first delivery falls apart."""
        row = self._store.datasets.get(dataset)
        ready = row is not None and not row.revision and self.place_beside(root, path)
        return self.left(dataset) or ready

    def vanished(self, root: int, dataset: DatasetId, path: str, *, settled: bool) -> tuple[bool, bool]:
        """A member is no longer on disk: whether a dataset is ready now, and whether this one was parked.

        What every catalog has stays there. What was complete and is not delivered is nobody's to forget: it is parked.
        """
        datasets = self._store.datasets
        row = datasets.get(dataset)
        if row is None or row.state is DatasetState.DELIVERED:
            return False, False
        ready = not row.revision and self.place_beside(root, path)
        if datasets.get(dataset) is None:
            return ready, False
        whole = not datasets.has_members(dataset)
        if (whole or row.key == path) and (row.revision or settled):
            return ready, datasets.park_for(dataset, VANISHED)
        return self.left(dataset) or ready, False
