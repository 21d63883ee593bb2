"""The composition root: builds every part, starts the loops, listens to signals, tells systemd, and ends in order."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import structlog

from daemon.assembly import connect
from daemon.continuity import Continuity, readable
from daemon.errors import exhausted
from daemon.extract.sandbox import Sandbox
from daemon.grouping.datasets import CompanionRules
from daemon.loops.arrivals import Arrivals
from daemon.loops.backfilling import Backfilling, with_backfills
from daemon.loops.backups import BackingUp
from daemon.loops.circuit import Circuit, CircuitState
from daemon.loops.composing import Composing
from daemon.loops.context import Bell, Context, Heartbeats, WatchedFolder
from daemon.loops.delivering import Delivering
from daemon.loops.extracting import Extracting
from daemon.loops.following import Following
from daemon.loops.grouping import Placing
from daemon.loops.hints import Hints
from daemon.loops.housekeeping import Housekeeping
from daemon.loops.recalling import Recalling
from daemon.loops.reingesting import Reingesting, retry_after_change
from daemon.loops.settling import Settling
from daemon.loops.sidecars import OWN_FILES
from daemon.loops.watching import Watching
from daemon.patterns import PathFilter
from daemon.settings import catalogs_of
from daemon.store.opening import open_store
from daemon.watch.events import WatchedRoot, Watcher
from daemon.watch.settle import SettleRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.clock import Clock
    from daemon.settings import Instrument, Root

log = structlog.get_logger("labferry.service")

SETTLE_THREADS: Final = 2
EXTRACT_THREADS: Final = 2
JOIN_SECONDS: Final = 20.0
WATCHER_SECONDS: Final = 5.0


class Progress(Enum):
    """How far a run with `--once` is."""

    WORKING = "working"
    DONE = "done"
    PARKED = "parked"
    HELD_UP = "held up"  # only catalogs that do not answer are left


@dataclass(frozen=True, slots=True)
class _Loop:
    name: str
    run: Callable[[str], None]


class Service:
    """One instrument's daemon. `start` and `stop` once each; the owner of the state folder calls them.

    `recall`: nothing is delivered; `recalling` asks the catalogs what they have, so that a lost store is known again.
    """

    def __init__(self, instrument: Instrument, state: Path, clock: Clock, *, recall: bool = False) -> None:
        self._clock = clock
        self._stopping = threading.Event()
        self._heartbeats = Heartbeats(clock)
        self._randomness = random.SystemRandom()
        self.store = open_store(state, instrument.instrument, clock)
        self._closers: list[Callable[[], None]] = [self.store.close]
        self._backfilling = Backfilling(self.store, clock)
        self._instrument = with_backfills(instrument, self.store)
        self._configured = instrument
        self.failed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._recall = recall
        try:
            self._build(state)
            if not recall:
                self._continuity.demand()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start the loops."""
        self._settling.resume()
        self._watcher.start()
        for loop in self._loops:
            thread = threading.Thread(target=self._guarded, args=(loop,), name=loop.name, daemon=True)
            thread.start()
            self._threads.append(thread)
        log.info(
            "service.started",
            instrument=self._instrument.instrument,
            roots=[str(root.path) for root in self._context.roots],
            catalogs={circuit: connection.where for circuit, connection in self.connections.items()},
        )

    def stop(self) -> None:
        """End every loop, then everything they use. What was begun is found again at the next start."""
        self._stopping.set()
        for ring in getattr(self, "_wakers", ()):
            ring()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        for close in reversed(self._closers):
            close()
        if self._threads:
            log.info("service.stopped", instrument=self._instrument.instrument)
        self._threads = []

    def late(self) -> list[str]:
        """The loops that do not go round any more; empty while everything lives."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        deaf = [] if self._watcher_alive else ["watcher"]
        return sorted({*self._heartbeats.late(), *dead, *deaf})

    def gathered(self) -> bool:
        """Whether everything that is on the disk was composed, as far as it can be now."""
        if self._reingesting.pending():
            return False
        return self._watching.idle() and not len(self._settling) and not self.store.datasets.in_work(1)

    def progress(self) -> Progress:
        """Whether there is anything left that the daemon can do by itself."""
        if not self.gathered():
            return Progress.WORKING
        if self.store.deliveries.in_work(1):
            counts = self.store.deliveries.counts()
            down = {
                name for name, circuit in self._circuits.items() if circuit.report().state is not CircuitState.CLOSED
            }
            owed = {
                name
                for name, states in counts.items()
                if any(states.get(state) for state in ("queued", "sending", "waiting"))
            }
            return Progress.HELD_UP if owed and owed <= down else Progress.WORKING
        if self.update_parents():
            return Progress.WORKING
        return Progress.PARKED if self.store.deliveries.parked() or self.store.datasets.parked() else Progress.DONE

    def update_parents(self) -> int:
        """Bring the parent records of sessions up to date; how many there were."""
        return self._housekeeping.update_parents()

    def summary(self) -> str:
        """One line for `systemctl status`; asks for nothing that grows with what is done already."""
        owed = self.store.deliveries.open_counts()
        waiting = sum(owed.values()) - owed.get("parked", 0)
        problems = [*self._watching.problems().values()]
        problems += [f"{name}: {one.report().problem}" for name, one in self._circuits.items() if one.report().problem]
        text = f"{len(self._settling)} files settling, {waiting} deliveries waiting, {owed.get('parked', 0)} parked"
        return f"{text}. {'; '.join(problems)}" if problems else text

    @property
    def configured(self) -> Instrument:
        """The configuration that the service was made with."""
        return self._configured

    @property
    def outdated(self) -> bool:
        """Whether a folder was asked for that this service does not know: it has to be made anew."""
        return self._backfilling.changed

    def demand_known(self) -> None:
        """Raises StateError if a catalog said meanwhile that an earlier store knew more than ours."""
        if self._continuity.lost is not None:
            raise self._continuity.lost

    def problems(self) -> dict[int, str]:
        """The roots that cannot be watched now."""
        return self._watching.problems()

    def _build(self, state: Path) -> None:
        """Connect the catalogs, then make every loop and what it needs."""
        instrument = self._instrument
        self.connections = connect(catalogs_of(instrument), instrument, self._clock)
        for connection in self.connections.values():
            self._closers.append(connection.close)
        self._continuity = Continuity(self.store, state, instrument, self.connections, self._stopping.set)
        watch_bell = Bell(self._clock, self._stopping)
        self._context = Context(
            instrument=instrument,
            store=self.store,
            clock=self._clock,
            roots=tuple(self._watched(index, root) for index, root in enumerate(instrument.roots)),
            stopping=self._stopping,
            heartbeats=self._heartbeats,
            extract_bell=Bell(self._clock, self._stopping),
        )
        hints, rules = Hints(watch_bell), CompanionRules(instrument.datasets)
        self._make_finders(state, hints, watch_bell, rules)
        extracting, sandbox = self._make_readers(state, hints, rules)
        self._make_keepers()
        self._circuits: dict[str, Circuit] = {}
        sending = (
            ()
            if self._recall
            else (*self._delivering_loops(hints), _Loop("backups", BackingUp(self._context, state).run))
        )
        following = Following(self._context, {name: one.catalog for name, one in self.connections.items()})
        self._loops = [
            _Loop("watching", self._watching.run),
            *(_Loop(f"settling-{number}", self._settling.run) for number in range(SETTLE_THREADS)),
            *(_Loop(f"extracting-{number}", extracting.run) for number in range(EXTRACT_THREADS)),
            *sending,
            _Loop("following", following.run),
            _Loop("housekeeping", self._housekeeping.run),
        ]
        self._wakers = [
            watch_bell.ring, self._settling.wake, self._context.extract_bell.ring, self._context.wake_deliveries, sandbox.close,
        ]  # fmt: skip

    def _make_finders(self, state: Path, hints: Hints, bell: Bell, rules: CompanionRules) -> None:
        """What finds files and waits until they are complete."""
        instrument = self._instrument
        filters = tuple(PathFilter(root.include, (*root.exclude, *OWN_FILES)) for root in instrument.roots)
        placing = Placing(self.store, rules)
        self._adopt(placing)
        self._settling = Settling(self._context, SettleRules(instrument.settle), placing, hints)
        arrivals = Arrivals(self._context, placing, self._settling, filters)
        self._watcher = self._make_watcher(state, hints)
        self._watching = Watching(
            self._context, arrivals, filters, hints, bell=bell, listening=lambda: self._heard,
            room=self._backfilling.room,
        )  # fmt: skip

    def _make_readers(self, state: Path, hints: Hints, rules: CompanionRules) -> tuple[Extracting, Sandbox]:
        """What reads datasets and composes their records."""
        extract = self._instrument.extract
        sandbox = Sandbox(
            timeout=extract.timeout, memory=extract.memory, workers=EXTRACT_THREADS, scratch=state / "scratch"
        )
        self._closers.append(sandbox.close)
        composing = Composing(self._context, list(self.connections))
        self.recalling = Recalling(self._context, readable(self.connections)) if self._recall else None
        beside = Recalling(self._context, readable(self.connections), live=True)
        extracting = Extracting(
            self._context, sandbox, composing, rules, hints,
            recalling=lambda root: self.recalling or (beside if root.backfill else None),
        )  # fmt: skip
        return extracting, sandbox

    def _make_keepers(self) -> None:
        """What is done now and then."""
        self._reingesting = Reingesting(self._context)
        ticks = [
            self._watch_the_watcher,
            self._reingesting.tick,
            self._backfilling.tick,
            *(connection.tick for connection in self.connections.values()),
        ]
        self._housekeeping = Housekeeping(self._context, list(self.connections), ticks)

    def _watched(self, index: int, root: Root) -> WatchedFolder:
        old = index >= len(self._configured.roots)
        under_way = {one.path for one in self._backfilling.under_way()}
        done = old and str(root.path) not in under_way
        return WatchedFolder(index, self.store.roots.add(root.path), root.path, root, backfill=old, done=done)

    def _delivering_loops(self, hints: Hints) -> list[_Loop]:
        loops = []
        for name, connection in self.connections.items():
            circuit = self._circuits[name] = Circuit(self._clock, self._randomness)
            delivering = Delivering(
                self._context, connection.catalog, circuit, self._randomness, hints, connection.policy,
                self._continuity.ask,
            )  # fmt: skip
            for number in range(connection.policy.workers):
                loop = _Loop(f"delivering-{name}-{number}", delivering.run)
                self._context.deliver_bells[loop.name] = Bell(self._clock, self._stopping)
                loops.append(loop)
        return loops

    def _make_watcher(self, state: Path, hints: Hints) -> Watcher:
        self._heard: frozenset[int] = frozenset()
        self._watcher_alive = True
        self._watcher_due = 0.0
        listened = [
            WatchedRoot(root.index, root.path) for root in self._context.roots if root.settings.events == "auto"
        ]
        watcher = Watcher(listened, hints, state / "cookies", self._clock)
        self._closers.append(watcher.stop)
        return watcher

    def _watch_the_watcher(self) -> None:
        now = self._clock.monotonic()
        if now < self._watcher_due:
            return
        self._watcher_due = now + WATCHER_SECONDS
        health = self._watcher.check(now)
        self._heard, self._watcher_alive = health.watching, health.alive
        if health.problem is not None and health.problem != getattr(self, "_watcher_problem", None):
            log.warning("watch.limited", problem=health.problem)
        self._watcher_problem = health.problem

    def _adopt(self, placing: Placing) -> None:
        """What belongs to roots or catalogs that left the configuration is nobody's work any more, until they are back."""
        placing.adopt_roots({root.id for root in self._context.roots})
        retry_after_change(self.store, self._configured)
        left = self.store.deliveries.adopt(list(self.connections))
        if left:
            log.warning("catalog.removed", deliveries=left, advice="`labferry drop` gives them up.")

    def _guarded(self, loop: _Loop) -> None:
        """A loop that fails ends the service: systemd starts it anew, and the store knows where everything was."""
        try:
            loop.run(loop.name)
        except Exception as error:
            told = exhausted(error)
            if told is None:
                log.exception("loop.failed", loop=loop.name)
            else:
                log.error("loop.failed", loop=loop.name, problem=told.message, advice=told.advice)
            self.failed.set()
