"""The extracting loop: hands complete datasets to the sandbox and what comes back to composing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from daemon.errors import StateError
from daemon.extract.sandbox import SandboxClosedError
from daemon.loops.context import Stopping
from daemon.patterns import PatternTable
from daemon.store.datasets import ROOT_LEFT
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.extract.sandbox import Sandbox
    from daemon.grouping.datasets import CompanionRules
    from daemon.loops.composing import Composing
    from daemon.loops.context import Context, WatchedFolder
    from daemon.loops.hints import Hints
    from daemon.loops.recalling import Recalling
    from daemon.store.datasets import DatasetRow
    from daemon.store.files import FileRow

log = structlog.get_logger("labferry.extract")


class Extracting:
    """Takes ready datasets, oldest first."""

    def __init__(
        self,
        context: Context,
        sandbox: Sandbox,
        composing: Composing,
        rules: CompanionRules,
        hints: Hints,
        recalling: Callable[[WatchedFolder], Recalling | None] = lambda _: None,
    ) -> None:
        self._context = context
        self._sandbox = sandbox
        self._composing = composing
        self._rules = rules
        self._hints = hints
        self._recalling = recalling
        self._roots = {root.id: root for root in context.roots}
        self._first = PatternTable(context.instrument.ingestor)

    def run(self, name: str) -> None:
        """Extract until the service stops."""
        limit = self._context.instrument.extract.timeout
        held: DatasetRow | None = None
        failed = False
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name, within=60.0 + 10 * limit)  # every ingestor may use its whole time
            try:
                if failed and held is not None:
                    self._context.store.datasets.release(held.id)
                    held, failed = None, False
                held = held or self._context.store.datasets.lease_ready()
                if held is None:
                    if self._context.arriving.is_set():  # who reads it can be there when it is complete
                        self._context.arriving.clear()
                        self._sandbox.warm_up()
                    self._context.extract_bell.wait(20.0)
                    continue
                self._context.extract_bell.ring()  # another thread may take the next one meanwhile
                held = self._attempt(held)
            except SandboxClosedError:
                break
            except StateError as error:
                self._context.store_failed(error)
                failed = True
                self._context.clock.wait(self._context.stopping, 2.0)
        self._context.heartbeats.forget(name)

    def _attempt(self, dataset: DatasetRow) -> DatasetRow | None:
        """One dataset that meets a bug of ours is parked with it; the others go on. The next one, if it is taken already."""
        try:
            return self._extract(dataset)
        except SandboxClosedError:
            self._context.store.datasets.release(dataset.id)
            raise
        except Stopping:
            self._context.store.datasets.release(dataset.id)
            return None
        except StateError:
            raise
        except Exception as error:  # whatever one dataset does to us must not keep the others waiting
            log.exception("dataset.parked", dataset=dataset.id)
            self._context.store.datasets.park_for(dataset.id, f"a bug of labferry: {type(error).__name__}: {error}")
        return None

    def _extract(self, dataset: DatasetRow) -> DatasetRow | None:
        root = self._roots.get(dataset.root or 0)
        if root is None:
            self._context.store.datasets.park_for(dataset.id, ROOT_LEFT)
            log.warning("dataset.parked", dataset=dataset.id, reason=ROOT_LEFT)
            return None
        members = self._primary_first(self._context.store.files.of_dataset(dataset.id))
        if not members or any(file.digests is None for file in members):
            self._context.store.datasets.wait(dataset.id, "a member is not complete")
            return None
        paths = [root.path / file.path for file in members]
        outcome = self._sandbox.extract(paths[0], paths[1:], ingestor=self._first.get(members[0].path))
        for failure in outcome.failures:
            log.warning(
                "ingestor.failed",
                path=display_name(members[0].path),
                ingestor=failure.ingestor,
                reason=failure.reason,
            )
        recalling = self._recalling(root)
        recalled = None if recalling is None else recalling.dataset(dataset, members)
        with self._context.store.database.transaction():  # each commit waits for the disk: one for both
            kept = self._composing.keep(dataset, members, outcome, recalled)
            following = None if self._context.stopping.is_set() else self._context.store.datasets.lease_ready()
        if kept is not None:
            self._composing.announce(kept)
        else:
            log.debug("dataset.changed_meanwhile", path=display_name(members[0].path))
            self._hints.hint(root.index, members[0].path)
        return following

    def _primary_first(self, members: Sequence[FileRow]) -> list[FileRow]:
        """Companion datasets know their primary; in a folder or sequence the members choose it together."""
        if not members or any(file.role == "primary" for file in members):
            return list(members)
        primary = self._rules.primary_of([file.path for file in members])
        return sorted(members, key=lambda file: file.path != primary)
