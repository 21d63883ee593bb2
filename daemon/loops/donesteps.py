"""Finished steps on their way to the disk: many small ones share one write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.clock import Clock
    from daemon.model import Step
    from daemon.store.deliveries import Deliveries, DeliveryRow

SECONDS: Final = 0.25
"""The most work, in seconds, that a crash makes us look up again instead of knowing."""


class DoneSteps:
    """Collects what is done of one delivery.

    Losing it in a crash is harmless: the next try is a repeated one, and a repeated step looks before it acts. So only
    the time is bounded; `flush` once more in the transaction that ends the delivery. `skipped` is why the catalog wants
    nothing of the dataset, if it does not.
    """

    def __init__(self, deliveries: Deliveries, delivery: DeliveryRow, clock: Clock) -> None:
        self._deliveries = deliveries
        self._delivery = delivery
        self._clock = clock
        self._pending: list[tuple[Step, Mapping[str, Any]]] = []
        self._since = clock.monotonic()
        self.count = 0
        self.skipped = ""

    def add(self, step: Step, outcome: Mapping[str, Any]) -> None:
        """A step is done."""
        self.count += 1
        told = (str(outcome[name]) for name in ("skipped", "note") if outcome.get(name))
        self.skipped = self.skipped or ("; ".join(told) if "skipped" in outcome else "")
        self._pending.append((step, outcome))
        if self._clock.monotonic() - self._since > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet. Raises StateError."""
        self._deliveries.steps_done(self._delivery, self._pending)
        self._pending = []
        self._since = self._clock.monotonic()
