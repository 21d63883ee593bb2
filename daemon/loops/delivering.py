"""The delivering loop: makes the steps of due deliveries, each once, and decides what a failure means."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon.backoff import next_delay
from daemon.catalogs.catalog import Attempt
from daemon.errors import (
    CatalogRefused,
    CatalogUnavailable,
    CredentialsRefused,
    LabferryError,
    NotYet,
    SourceChanged,
    StateError,
)
from daemon.loops import parts
from daemon.loops.context import Stopping
from daemon.loops.donesteps import DoneSteps
from daemon.loops.stubborn import Stubborn, worth_telling
from daemon.model import DeliveryState
from daemon.policies import last_versions_only, quiet_seconds
from daemon.record_json import from_json
from ingestors.api import display_name

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from daemon.catalogs.catalog import Catalog
    from daemon.loops.circuit import Circuit
    from daemon.loops.context import Context
    from daemon.loops.hints import Hints
    from daemon.model import DatasetRecord, Step
    from daemon.policies import Delivered
    from daemon.store.deliveries import DeliveryRow

log = structlog.get_logger("labferry.deliver")

NOT_YET_SECONDS: Final = 1.0
SOURCE_CHANGED_SECONDS: Final = 5.0
TOLD_SECONDS: Final = 60.0
"""At most one line about a delivery that waits in so many seconds, for each catalog; the journal has all of them."""
STEP_SECONDS: Final = 900.0
"""The longest that one request of a step may take before the loop counts as hanging."""


class Delivering:
    """Delivers to one catalog; several threads may run it."""

    def __init__(
        self,
        context: Context,
        catalog: Catalog,
        circuit: Circuit,
        randomness: random.Random,
        hints: Hints,
        policy: Delivered,
        known: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`known`: asked before each delivery; False if this store must not deliver to the catalog of this name."""
        self._known = known
        self._context = context
        self._deliveries = context.store.deliveries
        self._catalog = catalog
        self._circuit = circuit
        self._randomness = randomness
        self._hints = hints
        self._policy = policy
        self._reserved = threading.Lock()
        self._told_at = float("-inf")
        self._stubborn = Stubborn()

    def run(self, name: str) -> None:
        """Deliver what is due until the service stops."""
        bell = self._context.deliver_bells[name]
        # The first worker leaves large datasets to the others, so that small ones always find one that is free.
        small = self._policy.workers > 1 and self._reserved.acquire(blocking=False)
        held: list[DeliveryRow] = []
        following: DeliveryRow | None = None
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name, within=STEP_SECONDS)
            try:
                while held:  # the store failed while we had it
                    self._deliveries.finish(held[-1], DeliveryState.QUEUED)
                    held.pop()
                pause, following = self._next(name, held, following, small=small)
            except StateError as error:
                self._context.store_failed(error)
                pause, following = 5.0, None
            if pause > 0:
                bell.wait(pause)
        if small:
            self._reserved.release()
        self._context.heartbeats.forget(name)

    def _next(
        self, name: str, held: list[DeliveryRow], following: DeliveryRow | None, *, small: bool = False
    ) -> tuple[float, DeliveryRow | None]:
        """Make one delivery, held while it is under way.

        `following` was leased already, with the end of the one before. The seconds until there may be another, and the
        delivery that follows if it is leased.
        """
        if following is not None:
            held.append(following)
        wait = self._quiet() or self._circuit.admit()
        besides = None
        if wait is not None:
            if following is not None:
                self._deliveries.finish(following, DeliveryState.QUEUED)
                held.pop()
                following = None
            besides = None if self._quiet() else self._circuit.suspect()
            if besides is None or not self._circuit.probe():
                return min(wait, 60.0), None
        try:
            delivery = following or self._lease(small=small, besides=besides)
            if delivery is None:
                due = self._deliveries.next_due(self._catalog.name)
                seconds = 60.0 if due is None else (due - self._context.clock.now()).total_seconds()
                return min(60.0, max(0.05, seconds, wait or 0.0, 1.0 if small else 0.0)), None
            if following is None:
                held.append(delivery)
            record = self._record(delivery)
            if record is None:
                self._park(
                    delivery, None, LabferryError("Its dataset has no record.", "The store is damaged; report it.")
                )
                following = None
            else:
                following = self._deliver(delivery, record, name, small=small)
            held.pop()
        finally:
            self._circuit.unused()  # whatever became of it, the next one may ask
        return 0.0, following

    def _lease(self, *, small: bool, besides: int | None = None) -> DeliveryRow | None:
        """The due delivery of the oldest dataset; small ones alone, or, for a single worker, small ones first."""
        found = None
        if small or self._policy.workers == 1:
            found = self._deliveries.lease(self._catalog.name, besides=besides, most=self._policy.large)
        if found is None and not small:
            found = self._deliveries.lease(self._catalog.name, besides=besides)
        return found

    def _quiet(self) -> float | None:
        """The seconds until the quiet hours end, or None if it is not quiet."""
        return quiet_seconds(self._policy.quiet_hours, self._context.clock.now().astimezone()) or None

    def _deliver(
        self, delivery: DeliveryRow, record: DatasetRecord, name: str, *, small: bool = False
    ) -> DeliveryRow | None:
        """Make one delivery; the next one, if it is leased already."""
        began = self._context.clock.monotonic()
        done = DoneSteps(self._deliveries, delivery, self._context.clock)
        try:
            self._make_steps(delivery, record, done, name)
        except Stopping:
            self._deliveries.finish(delivery, DeliveryState.QUEUED)
        except CatalogUnavailable as error:
            self._unavailable(delivery, record, str(error), error.retry_after)
        except CredentialsRefused as error:
            self._credentials(delivery, error)
        except NotYet as error:
            self._answered()
            self._wait(delivery, NOT_YET_SECONDS * min(60, delivery.attempts), str(error))
        except SourceChanged as error:
            self._source_changed(delivery, record, error)
        except CatalogRefused as error:
            self._answered()
            self._park(delivery, record, error)
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 a bug in an adapter must not keep the other deliveries waiting
            self._park(delivery, record, self._explained(record, error))
        else:
            self._answered()
            return self._delivered(delivery, record, done, self._context.clock.monotonic() - began, small=small)
        return None

    def _explained(self, record: DatasetRecord, error: Exception) -> LabferryError:
        if isinstance(error, LabferryError):
            return error
        log.error("delivery.failed", catalog=self._catalog.name, dataset=record.unique_id, exc_info=error)
        return LabferryError(f"A bug of labferry: {type(error).__name__}: {error}", "Report it; the log tells more.")

    def _record(self, delivery: DeliveryRow) -> DatasetRecord | None:
        dataset = self._context.store.datasets.get(delivery.dataset)
        if dataset is None or dataset.record is None or dataset.unique_id is None:
            return None
        record = from_json(
            dataset.record,
            unique_id=dataset.unique_id,
            revision=dataset.revision,
            thumbnails=self._context.store.datasets.thumbnails(delivery.dataset),
        )
        return record if self._policy.rewritten == "version" else last_versions_only(record)

    def _make_steps(self, delivery: DeliveryRow, record: DatasetRecord, done: DoneSteps, name: str) -> None:
        """Make every step that is not done yet, in order. What was done before a failure is kept."""
        try:
            if not self._known(self._catalog.name):
                raise Stopping  # noqa: TRY301 as when the service is asked to stop: it is about to
            self._make_in_order(delivery, record, done, name)
        except BaseException:
            done.flush()
            raise

    def _make_in_order(self, delivery: DeliveryRow, record: DatasetRecord, done: DoneSteps, name: str) -> None:
        known = self._deliveries.steps(delivery.dataset, delivery.catalog)
        outcomes = parts.outcomes(record, known)
        for part, step in parts.planned(self._catalog, record):
            own = parts.kept(part, step)
            row = known.get((own.kind.value, own.key))
            if row is not None and row.done and row.digest == own.digest:
                continue
            self._alive(name)
            attempt = Attempt(
                repeated=delivery.attempts > 1 or row is not None,
                memory=row.memory if row is not None and row.digest == own.digest else {},
                remember=lambda memory, own=own: self._remember(delivery, own, memory, name),  # type: ignore[misc]
                outcomes=outcomes[part.part],
                alive=lambda: self._alive(name),
            )
            outcome = self._catalog.perform(step, part, attempt)
            done.add(own, outcome)
            outcomes[part.part][step.kind.value, step.key] = outcome

    def _remember(self, delivery: DeliveryRow, step: Step, memory: Mapping[str, Any], name: str) -> None:
        self._deliveries.extend(delivery, step, memory)
        self._context.heartbeats.beat(name, within=STEP_SECONDS)

    def _alive(self, name: str) -> None:
        self._context.heartbeats.beat(name, within=STEP_SECONDS)
        if self._context.stopping.is_set() or self._quiet():
            raise Stopping

    def _answered(self) -> None:
        if self._circuit.answered():
            self._deliveries.hurry(self._catalog.name)
            self._context.wake_deliveries()
            log.info("catalog.back", catalog=self._catalog.name)

    def _unavailable(
        self, delivery: DeliveryRow, record: DatasetRecord, problem: str, retry_after: float | None
    ) -> None:
        now = self._context.clock.monotonic()
        if self._circuit.failed(problem, retry_after, delivery.dataset):
            self._told_at = now
            log.warning("catalog.down", catalog=self._catalog.name, problem=problem)
        delay = next_delay(delivery.attempts, self._randomness, retry_after)
        alone = self._stubborn.words(delivery.dataset, delivery.attempts)
        problem = f"{problem} {alone}".rstrip()
        self._wait(delivery, delay, problem)
        stubborn = bool(alone) and worth_telling(delivery.attempts)
        if (
            not stubborn and now - self._told_at < TOLD_SECONDS
        ):  # a week of a catalog that is down is not all of the log
            return
        self._told_at = now
        told = {
            "catalog": self._catalog.name,
            "dataset": record.unique_id,
            "attempt": delivery.attempts,
            "seconds": round(delay, 1),
            "problem": problem,
        }
        if stubborn:
            log.warning("delivery.waiting", **told)
        else:
            log.info("delivery.waiting", **told)

    def _credentials(self, delivery: DeliveryRow, error: CredentialsRefused) -> None:
        if self._circuit.failed(error.message, None, credentials=True):
            log.error("catalog.credentials", catalog=self._catalog.name, problem=error.message, advice=error.advice)
        self._wait(delivery, 1.0, str(error))

    def _source_changed(self, delivery: DeliveryRow, record: DatasetRecord, error: SourceChanged) -> None:
        """The watching loop has to look; the next revision replaces this delivery."""
        hinted = 0
        for root in self._context.roots:
            for file in record.files:
                prefix = f"{root.path}/"
                if file.path.startswith(prefix):
                    self._hints.hint(root.index, file.path[len(prefix) :])
                    hinted += 1
        if not hinted:
            self._park(
                delivery,
                record,
                LabferryError(f"{error.message} Its root is no longer in the configuration.", error.advice),
            )
            return
        self._wait(delivery, SOURCE_CHANGED_SECONDS, str(error))
        log.info("delivery.source_changed", dataset=record.unique_id, problem=error.message)

    def _wait(self, delivery: DeliveryRow, seconds: float, problem: str) -> None:
        until = self._context.clock.now() + timedelta(seconds=seconds)
        self._deliveries.finish(delivery, DeliveryState.WAITING, error=problem, not_before=until)

    def _park(self, delivery: DeliveryRow, record: DatasetRecord | None, error: LabferryError) -> None:
        self._deliveries.finish(delivery, DeliveryState.PARKED, error=str(error))
        log.error(
            "delivery.parked",
            catalog=self._catalog.name,
            dataset=record.unique_id if record else delivery.dataset,
            path=display_name(record.files[0].path) if record and record.files else None,
            problem=error.message,
            advice=error.advice or "Repair the cause, then `labferry retry`.",
        )

    def _delivered(
        self, delivery: DeliveryRow, record: DatasetRecord, done: DoneSteps, seconds: float, *, small: bool
    ) -> DeliveryRow | None:
        """End the delivery and lease the next one: each commit waits for the disk, so one serves both."""
        with self._context.store.database.transaction():
            done.flush()
            skipped = f"skipped: {done.skipped}" if done.skipped else ""
            self._deliveries.finish(delivery, DeliveryState.DELIVERED, error=skipped)
            self._context.store.datasets.delivered_if_all(delivery.dataset)
            stopping = self._context.stopping.is_set()
            following = None if stopping else self._lease(small=small)
        self._stubborn.arrived(delivery.dataset)
        if skipped:
            name = record.value("dataset_name")
            log.info(
                "delivery.skipped", catalog=self._catalog.name, dataset=record.unique_id, name=name, reason=done.skipped
            )
            return following
        log.info(
            "delivery.delivered",
            catalog=self._catalog.name,
            dataset=record.unique_id,
            name=record.value("dataset_name"),
            steps=done.count,
            seconds=round(seconds, 3),
            page=self._catalog.page(record.unique_id),
        )
        return following
