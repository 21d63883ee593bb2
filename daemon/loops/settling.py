"""The settling loop: looks at unsettled files until each is complete, hashes it, and moves its dataset on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from daemon.errors import StateError
from daemon.loops.context import Stopping
from daemon.loops.waitlist import Waitlist
from daemon.model import FileState
from daemon.watch.settle import Changed, SettleRules, Track, Verdict, decide, digest, observe, prefix_sha256
from ingestors.api import display_name

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.loops.context import Context
    from daemon.loops.grouping import Placing
    from daemon.loops.hints import Hints
    from daemon.model import Digests, FileId, Fingerprint
    from daemon.store.files import FileRow

log = structlog.get_logger("labferry.settle")

BATCH: Final = 64
BATCH_SECONDS: Final = 0.05
REASON_SECONDS: Final = 30.0
UNREADABLE_SECONDS: Final = 15.0
LARGE: Final = 256 * 2**20
"""Bytes from which on a file is hashed one at a time, so that a thread is always free for the small ones."""


@dataclass(slots=True)
class Unsettled:
    """A file on its way, as the loop keeps it in memory; a scan finds everything in it again."""

    id: FileId
    root_index: int
    path: str
    absolute: Path
    track: Track
    reason: str = ""
    told_at: float = float("-inf")
    untold: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Settled:
    """A complete file."""

    item: Unsettled
    fingerprint: Fingerprint
    digests: Digests
    note: str
    version: int


class Settling:
    """Files wait in a list ordered by when to look again; a few threads look."""

    def __init__(self, context: Context, rules: SettleRules, placing: Placing, hints: Hints) -> None:
        self._context = context
        self._rules = rules
        self._placing = placing
        self._hints = hints
        self._waitlist: Waitlist[Unsettled] = Waitlist(context.clock)
        self._large = threading.Lock()

    def resume(self) -> None:
        """After a start: everything that had not settled is looked at anew, with a new quiet period."""
        index = {root.id: root.index for root in self._context.roots}
        for row in self._context.store.files.unsettled():
            if row.root in index:
                self.track(row.id, index[row.root], row.path, row.fingerprint)

    def track(self, file: FileId, root_index: int, path: str, fingerprint: Fingerprint) -> None:
        """Look at a new or changed file; its quiet period begins now."""
        now = self._context.clock.monotonic()
        known = self._waitlist.get(file)
        if known is not None and known.track.fingerprint == fingerprint and known.path == path:
            self._waitlist.put(file, known)  # somebody thinks that it is worth a look now; its quiet period goes on
            return
        first_seen = known.track.first_seen if known else now
        track = Track(fingerprint=fingerprint, since=now, first_seen=first_seen)
        absolute = self._context.roots[root_index].path / path
        if not len(self._waitlist):
            self._context.arriving.set()
            self._context.extract_bell.ring()
        self._waitlist.put(file, Unsettled(file, root_index, path, absolute, track))

    def forget(self, file: FileId) -> None:
        """The file vanished or is excluded."""
        self._waitlist.remove(file)

    def holds(self, file: FileId) -> bool:
        """Whether the file is being looked at."""
        return self._waitlist.get(file) is not None

    def __len__(self) -> int:
        return len(self._waitlist)

    def wake(self) -> None:
        """Let the threads see that the service stops."""
        self._waitlist.wake()

    def run(self, name: str) -> None:
        """Look at what is due until the service stops."""
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name)
            held = {item.id: item for item in self._waitlist.take(BATCH, 20.0)}
            try:
                self._look(held, name)
            except Stopping:
                break
            except StateError as error:
                self._context.store_failed(error)
                for item in held.values():
                    self._waitlist.again(item.id, item, 5.0)
                self._context.clock.wait(self._context.stopping, 2.0)
        self._context.heartbeats.forget(name)

    def _look(self, held: dict[FileId, Unsettled], name: str) -> None:
        """Look at every item; those that were given back to the list are no longer held."""
        settled: list[Settled] = []
        waiting: list[Unsettled] = []
        began = self._context.clock.monotonic()
        for item in sorted(held.values(), key=lambda item: item.track.fingerprint.size):
            result = self._look_at(item, name)
            if isinstance(result, Settled):
                settled.append(result)
            elif result is None:
                del held[item.id]
            else:
                item.seconds = result
                waiting.append(item)
            if self._context.clock.monotonic() - began > BATCH_SECONDS:
                self._give_back(settled, waiting, held)
                settled, waiting, began = [], [], self._context.clock.monotonic()
        self._give_back(settled, waiting, held)

    def _give_back(self, settled: list[Settled], waiting: list[Unsettled], held: dict[FileId, Unsettled]) -> None:
        if settled:
            self._keep(settled, held)
        if waiting:
            self._tell(waiting)
            for item in waiting:
                del held[item.id]

    def _look_at(self, item: Unsettled, name: str) -> Settled | float | None:
        """One look: settled, or the seconds until the next one, or gone. Everything that the disk says has an answer."""
        now = self._context.clock.monotonic()
        try:
            observation = observe(item.absolute, item.path, self._rules)
            if observation.fingerprint != item.track.fingerprint:
                item.track = Track(observation.fingerprint, since=now, first_seen=item.track.first_seen)
            decision = decide(item.path, observation, item.track, self._rules, now)
            item.track = decision.track
            if decision.verdict is Verdict.WAIT:
                return self._wait(item, decision.until - now, decision.reason)
            large = observation.fingerprint.size >= LARGE
            if large and not self._large.acquire(blocking=False):
                return self._wait(item, 1.0, "turn: another large file is being hashed")
            try:
                digests = digest(item.absolute, observation.fingerprint, alive=lambda: self._alive(name))
                version = self._version(item, observation.fingerprint, digests, name)
            finally:
                if large:
                    self._large.release()
        except FileNotFoundError:
            self._waitlist.done(item.id, item)
            self._hints.hint(item.root_index, item.path)  # the watching loop tells a rename from a lost root
        except Changed:
            item.track = Track(item.track.fingerprint, since=now, first_seen=item.track.first_seen)
            return self._wait(item, 0.2, "changed while it was read")
        except OSError as error:
            return self._wait(item, UNREADABLE_SECONDS, f"cannot be read ({error.strerror})")
        else:
            return Settled(item, observation.fingerprint, digests, decision.reason, version)
        return None

    def _alive(self, name: str) -> None:
        self._context.heartbeats.beat(name)
        if self._context.stopping.is_set():
            raise Stopping

    def _wait(self, item: Unsettled, seconds: float, reason: str) -> float:
        """Look again later; the reason is told when it is another one, or now and then: not at every look."""
        now = self._context.clock.monotonic()
        kind = reason.partition(":")[0]
        if kind != item.reason or now - item.told_at > REASON_SECONDS:
            if kind != item.reason:
                log.debug("file.settling", path=display_name(item.path), reason=reason)
            item.reason, item.told_at, item.untold = kind, now, reason
        return max(0.0, seconds)

    def _tell(self, items: list[Unsettled]) -> None:
        """Keep the reasons of files that wait, in one transaction, and put them back on the list."""
        untold = [item for item in items if item.untold]
        files, over = self._context.store.files, set()
        if untold:
            with self._context.store.database.transaction():
                for item in untold:
                    row = files.get(item.id)
                    if row is None or not self._is_of(row, item):
                        continue
                    if _settled_already(row, item.track.fingerprint):
                        over.add(item.id)
                    elif row.state is FileState.SEEN:
                        files.settling(item.id, item.track.fingerprint, item.untold)
                    else:
                        files.waits(item.id, item.untold)
        for item in items:
            item.untold = ""
            if item.id in over:
                self._waitlist.done(item.id, item)
            else:
                self._waitlist.again(item.id, item, item.seconds)

    def _is_of(self, row: FileRow, item: Unsettled) -> bool:
        """Whether the row is this item's: after a failed commit another file may have got its id."""
        return (row.root, row.path) == (self._context.roots[item.root_index].id, item.path)

    def _keep(self, settled: list[Settled], held: dict[FileId, Unsettled]) -> None:
        """One transaction for the whole batch: the files are settled and their datasets may be ready."""
        store = self._context.store
        kept, ready = [], False
        with store.database.transaction():
            for one in settled:
                row = store.files.get(one.item.id)
                if (
                    row is None
                    or not self._is_of(row, one.item)
                    or row.state in {FileState.VANISHED, FileState.IGNORED}
                    or _settled_already(row, one.fingerprint)
                ):
                    continue  # while it was hashed
                if row.state is not FileState.SETTLING:
                    store.files.settling(row.id, one.fingerprint, "looked at")
                    if row.dataset is not None:
                        self._placing.changed(row.dataset, one.item.path)
                store.files.settle(row.id, one.fingerprint, one.digests, version=one.version, note=one.note)
                kept.append(one)
                if row.dataset is not None and store.datasets.ready_if_settled(row.dataset):
                    ready = True
        if ready:
            self._context.extract_bell.ring()
        for one in settled:
            self._waitlist.done(one.item.id, one.item)
            del held[one.item.id]
        for one in kept:
            log.info(
                "file.settled",
                path=display_name(one.item.path),
                size=one.fingerprint.size,
                sha256=one.digests.sha256,
                **({"note": one.note} if one.note else {}),
            )

    def _version(self, item: Unsettled, now: Fingerprint, digests: Digests, name: str) -> int:
        """A file that grew after it was delivered keeps its name there; a rewritten one gets the next version."""
        row = self._context.store.files.get(item.id)
        if row is None or row.digests is None or row.dataset is None or row.digests.sha256 == digests.sha256:
            return 1 if row is None else row.version
        if not self._context.store.files.was_sent(row.dataset, row.digests.sha256):
            return row.version
        old = row.settled_size
        begins_alike = old <= now.size and (
            prefix_sha256(item.absolute, old, alive=lambda: self._alive(name)) == row.digests.sha256
        )
        return row.version if begins_alike else row.version + 1


def _settled_already(row: FileRow, fingerprint: Fingerprint) -> bool:
    """Whether this very content has settled: a scan whose view of the store was older than that asked for another look."""
    return row.state is FileState.SETTLED and row.fingerprint == fingerprint
