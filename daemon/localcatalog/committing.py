"""Group commit for handlers that run in the event loop: requests that arrive together wait for the disk together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.store.database import Batch, Database

T = TypeVar("T")


class Committing:
    """Runs short pieces of writing in the event loop; each is on the disk before its answer leaves.

    A commit blocks the loop for as long as the disk takes. So it comes after everything that was ready with it, and
    whatever arrives meanwhile shares the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: tuple[Batch, asyncio.Future[None]] | None = None

    async def run(self, piece: Callable[[], T], *, durable: bool = True) -> T:
        """What the piece returns, once what it wrote is committed: `durable` on the disk. Raises what it raises, and StateError."""
        batch = None
        try:
            with self._database.deferred(durable=durable) as batch:
                return piece()
        finally:
            if batch is not None:  # also a refusal may rest on what others wrote in this batch
                await asyncio.shield(self._settled(batch))

    def _settled(self, batch: Batch) -> asyncio.Future[None]:
        if self._open is None or self._open[0] is not batch:
            loop = asyncio.get_running_loop()
            self._open = batch, loop.create_future()
            loop.call_soon(self._settle, *self._open)
        return self._open[1]

    def _settle(self, batch: Batch, settled: asyncio.Future[None]) -> None:
        try:
            self._database.settle(batch)
        except Exception as error:  # noqa: BLE001 those who wait for it would wait for ever
            settled.set_exception(error)
        else:
            settled.set_result(None)
