"""Is this store the one that knew everything? Asked once, before a new store's first delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from daemon.catalogs.catalog import Readable
from daemon.errors import CatalogError, StateError
from daemon.store.opening import BEGUN, REBUILDING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.assembly import Connection
    from daemon.catalogs.catalog import Catalog
    from daemon.settings import Instrument
    from daemon.store.opening import Store

log = structlog.get_logger("labferry.store")

_REBUILD = (
    "`labferry rebuild CONFIG` finds again what was known, in the folders and in the catalogs; nothing is sent twice."
)


def demand_known(store: Store, state: Path, instrument: Instrument, connections: Mapping[str, Connection]) -> None:
    """Refuse to begin with an empty store if a catalog holds what an earlier one delivered. Raises StateError.

    A catalog that cannot be asked now does not stop a first start; the log says so.
    """
    if store.fact(REBUILDING):
        raise StateError(
            f"The store in {state} is being rebuilt, and that did not end.",
            "Run `labferry rebuild CONFIG` again; it goes on.",
        )
    if store.fact(BEGUN) or store.database.one("some_file") is not None:
        return
    slug = str(instrument.attributes.get("instrument_id", instrument.instrument))
    for name, (_, catalog) in readable(connections).items():
        try:
            there = catalog.trace(slug)
        except CatalogError as error:
            log.warning("store.new", state=str(state), catalog=name, problem=str(error))
            continue
        if there is not None:
            raise StateError(
                f"The store in {state} is new, but {name} holds datasets that labferry made for {slug}, such as {there}:"
                " what was known of them is lost.",
                _REBUILD,
            )
    store.keep_fact(BEGUN, "1")


def readable(connections: Mapping[str, Connection]) -> dict[str, tuple[Catalog, Readable]]:
    """The catalogs that can be asked what they hold."""
    return {
        name: (connection.catalog, connection.catalog)
        for name, connection in connections.items()
        if isinstance(connection.catalog, Readable)
    }
