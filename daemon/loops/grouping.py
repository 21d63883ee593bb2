"""Placing files in datasets: the pure rules applied to what the store knows."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from daemon.model import DatasetState, FileState

if TYPE_CHECKING:
    from collections.abc import Collection

    from daemon.grouping.datasets import CompanionRules
    from daemon.model import DatasetId, FileId
    from daemon.store.opening import Store

_SETTLED_BEFORE = frozenset(
    {
        DatasetState.READY,
        DatasetState.EXTRACTING,
        DatasetState.COMPOSED,
        DatasetState.DELIVERED,
        DatasetState.PARKED,
    }
)


class Placing:
    """Keeps every file in the dataset that the rules say, whatever order the files arrive in."""

    def __init__(self, store: Store, rules: CompanionRules) -> None:
        self._store = store
        self._rules = rules

    def place(self, root: int, path: str, file: FileId) -> None:
        """Put a file where it belongs, and those beside it whose place it changes. Call it inside a transaction."""
        self._assign(root, path, file)
        for other in self._rules.affected_by(path, under=lambda prefix: self._store.files.under(root, prefix)):
            if other == path:
                continue
            known = self._store.files.by_path(root, other)
            if known is not None and known.state not in {FileState.VANISHED, FileState.IGNORED}:
                self._assign(root, other, known.id)

    def changed(self, dataset: DatasetId, path: str) -> None:
        """A member has to settle (again): what follows is another revision."""
        row = self._store.datasets.get(dataset)
        if row is not None and row.state in _SETTLED_BEFORE:
            self._store.datasets.wait(dataset, f"{posixpath.basename(path)} is not complete yet")

    def left(self, dataset: DatasetId) -> bool:
        """A member went away: an unfinished dataset may be complete without it, or be gone. True if it is ready now."""
        self._store.datasets.forget_if_empty(dataset)
        return self._store.datasets.ready_if_settled(dataset)

    def _assign(self, root: int, path: str, file: FileId) -> None:
        membership = self._rules.membership(
            path, lambda other: self._exists(root, other), lambda folder: self._siblings(root, folder)
        )
        row = self._store.files.get(file)
        found = self._store.datasets.by_key(root, membership.key)
        dataset = self._store.datasets.create(root, membership.key) if found is None else found.id
        before = None if row is None else row.dataset
        if before == dataset:
            return
        self._store.files.assign(file, dataset, membership.role)
        if row is None or row.state is not FileState.SETTLED:
            self.changed(dataset, path)
        elif found is not None and found.state in _SETTLED_BEFORE:
            self._store.datasets.wait(dataset, f"{posixpath.basename(path)} joined")
        if before is not None:
            self.left(before)

    def _exists(self, root: int, path: str) -> bool:
        row = self._store.files.by_path(root, path)
        return row is not None and row.state not in {FileState.VANISHED, FileState.IGNORED}

    def _siblings(self, root: int, folder: str) -> Collection[str]:
        return self._store.files.names(root, folder)
