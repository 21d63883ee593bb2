"""From the settings of a catalog to a catalog that can be delivered to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.catalogs.credentials import Key, find_key
from daemon.catalogs.crucible import Crucible, CrucibleOptions
from daemon.embedded import EmbeddedCatalog
from daemon.errors import LabferryError
from daemon.settings import CrucibleCatalog, LocalCatalog, catalogs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from daemon.catalogs.catalog import Catalog
    from daemon.clock import Clock
    from daemon.settings import Instrument


@dataclass(frozen=True, slots=True)
class Connection:
    """A catalog in use. `where` is its address for people; `tick` keeps its server alive, if it has one of its own."""

    catalog: Catalog
    where: str
    workers: int
    tick: Callable[[], None]
    close: Callable[[], None]


def connect(
    catalogs: Sequence[LocalCatalog | CrucibleCatalog], instrument: Instrument, clock: Clock
) -> dict[str, Connection]:
    """Make a connection for each catalog, by name. Raises StateError, CredentialsRefused or ConfigurationError."""
    connections: dict[str, Connection] = {}
    try:
        for settings in catalogs:
            connect_one = _local if isinstance(settings, LocalCatalog) else _crucible
            connections[settings.name] = connect_one(settings, instrument, clock)  # type: ignore[arg-type]
    except BaseException:
        for connection in connections.values():
            connection.close()
        raise
    return connections


def reach(instrument: Instrument, clock: Clock) -> tuple[dict[str, Connection], dict[str, str]]:
    """A connection to each catalog that can be asked now, and for the others the sentence why not, both by name.

    Makes nothing that is not there: a local catalog without its folder cannot be asked.
    """
    connections: dict[str, Connection] = {}
    problems: dict[str, str] = {}
    for settings in catalogs_of(instrument):
        if isinstance(settings, LocalCatalog) and (settings.path is None or not settings.path.is_dir()):
            problems[settings.name] = f"there is no folder {settings.path}"
            continue
        try:
            connections.update(connect([settings], instrument, clock))
        except LabferryError as error:
            problems[settings.name] = str(error)
    return connections, problems


def crucible(settings: CrucibleCatalog, instrument: Instrument, clock: Clock) -> Crucible:
    """The adapter for Crucible. Raises CredentialsRefused if no key is found anywhere."""
    configured = None if settings.api_key is None else settings.api_key.get_secret_value()
    options = CrucibleOptions(
        url=settings.url,
        key=find_key(configured, os.environ, name=settings.name, url=settings.url),
        name=settings.name,
        ingestion=settings.ingestion,
        verify=settings.verify_tls,
        project_id=instrument.attributes.get("project_id"),
        instrument_id=instrument.attributes.get("instrument_id", instrument.instrument),
        owner=instrument.attributes.get("owner_orcid"),
    )
    return Crucible(options, clock)


def local(name: str, url: str, pages: str, token: str, token_file: Path, clock: Clock) -> Crucible:
    """The adapter for an embedded catalog: the same API. Its own ingestors need not read again what ours have read."""
    options = CrucibleOptions(
        url=url,
        key=Key(token, str(token_file)),
        name=name,
        ingestion="not_requested",
        page=f"{pages.rstrip('/')}/datasets/{{unique_id}}",
    )
    return Crucible(options, clock)


def _crucible(settings: CrucibleCatalog, instrument: Instrument, clock: Clock) -> Connection:
    catalog = crucible(settings, instrument, clock)
    return Connection(catalog, settings.url, settings.workers, _nothing, catalog.close)


def _local(settings: LocalCatalog, instrument: Instrument, clock: Clock) -> Connection:
    del instrument
    if settings.path is None:
        raise ValueError("a local catalog needs its folder; use daemon.settings.catalogs_of")
    server = EmbeddedCatalog(settings.path, settings.port, clock)
    address = server.address
    catalog = local(settings.name, address.url, address.pages, address.token, address.token_file, clock)

    def close() -> None:
        catalog.close()
        server.stop()

    return Connection(catalog, address.pages, settings.workers, server.tick, close)


def _nothing() -> None:
    """A catalog somewhere else looks after itself."""
