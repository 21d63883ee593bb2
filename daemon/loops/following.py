"""The following loop: what is asked of catalogs beside the deliveries.

At the start, whether deliveries can work there; then what became of the ingestion requests that they took on, for a day
at the most.

An ingestion is the catalog's own business: however it ends, the upload is as it was. So it is asked about beside the
deliveries, and what it came to is shown.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon.catalogs.catalog import Follows, Health
from daemon.errors import CatalogError, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.catalog import Catalog
    from daemon.loops.context import Context
    from daemon.store.deliveries import OpenRequest

log = structlog.get_logger("labferry.deliver")

TICK_SECONDS: Final = 30.0
FIRST_SECONDS: Final = 5.0
DEADLINE: Final = timedelta(days=1)
GAVE_UP: Final = "no word for a day"


class Following:
    """Asks again and again, each time after a longer pause."""

    def __init__(self, context: Context, catalogs: Mapping[str, Catalog]) -> None:
        self._context = context
        self._all = dict(catalogs)
        self._catalogs: dict[str, Follows] = {
            name: catalog for name, catalog in catalogs.items() if isinstance(catalog, Follows)
        }
        self._due: dict[OpenRequest, tuple[float, float]] = {}

    def run(self, name: str) -> None:
        """Look at every catalog once, then ask until the service stops."""
        self._context.heartbeats.beat(name, within=900.0)
        self.look()
        while not self._context.stopping.is_set():
            self._context.heartbeats.beat(name, within=900.0)
            try:
                self.ask()
            except StateError as error:
                self._context.store_failed(error)
            self._context.clock.wait(self._context.stopping, TICK_SECONDS)
        self._context.heartbeats.forget(name)

    def look(self) -> None:
        """What `labferry check` would say of the catalogs, as far as it is no good news."""
        for name, catalog in self._all.items():
            for finding in catalog.check():
                if finding.health is not Health.OK:
                    log.warning("catalog.finding", catalog=name, problem=finding.text)

    def ask(self) -> None:
        """One round: every request that is due. A catalog that does not answer is left alone until the next round."""
        since = self._context.clock.now() - DEADLINE
        for name, catalog in self._catalogs.items():
            for request in self._context.store.deliveries.open_requests(name):
                if request.at < since:
                    self._ended(request, {**request.outcome, "status": GAVE_UP})
                    continue
                now = self._context.clock.monotonic()
                due, pause = self._due.get(request, (0.0, FIRST_SECONDS))
                if now < due:
                    continue
                self._due[request] = (now + pause, pause * 2)
                try:
                    status = catalog.follow(request.outcome)
                except CatalogError:
                    break
                if status is not None:
                    self._ended(request, {**request.outcome, "status": status})

    def _ended(self, request: OpenRequest, outcome: Mapping[str, Any]) -> None:
        self._due.pop(request, None)
        self._context.store.deliveries.followed(request, outcome)
        log.info("ingestion.ended", catalog=request.catalog, file=request.key, status=outcome["status"])
