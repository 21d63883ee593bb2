"""From the settings of a catalog to a catalog that can be delivered to."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.atproto_settings import AtProtoCatalog
from daemon.catalogs.atproto.adapter import AtProto, Options
from daemon.catalogs.atproto.record import Publishing
from daemon.catalogs.atproto.session import Session
from daemon.catalogs.atproto.storage import Blobs, Bucket, Folder
from daemon.catalogs.credentials import Key, find_key, find_secret, find_url, variable_of
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.catalogs.http import HttpClient
from daemon.catalogs.pace import Pace
from daemon.catalogs.remote import Remote
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.catalogs.transfer import Copier
from daemon.embedded import EmbeddedCatalog
from daemon.errors import ConfigurationError, LabferryError
from daemon.forms import web_address
from daemon.scicat_settings import SciCatCatalog
from daemon.settings import CrucibleCatalog, LocalCatalog, catalogs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr

    from daemon.catalogs.atproto.storage import Storage
    from daemon.catalogs.catalog import Catalog
    from daemon.catalogs.transfer import Mover
    from daemon.clock import Clock
    from daemon.embedded import Address
    from daemon.policies import Delivered
    from daemon.settings import AnyCatalog, ElsewhereCatalog, Instrument


@dataclass(frozen=True, slots=True)
class Connection:
    """A catalog in use. `where` is its address for people; `tick` keeps its server alive, if it has one of its own."""

    catalog: Catalog
    where: str
    policy: Delivered
    tick: Callable[[], None]
    close: Callable[[], None]


def connect(catalogs: Sequence[AnyCatalog], instrument: Instrument, clock: Clock) -> dict[str, Connection]:
    """Make a connection for each catalog, by name. Raises StateError, CredentialsRefused or ConfigurationError."""
    connections: dict[str, Connection] = {}
    try:
        for settings in catalogs:
            if isinstance(settings, LocalCatalog):
                connections[settings.name] = _local(settings, clock)
            else:
                known = addressed(settings)
                catalog = elsewhere(known, instrument, clock)
                connections[known.name] = Connection(catalog, known.url, known, _nothing, catalog.close)
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


def elsewhere(settings: ElsewhereCatalog, instrument: Instrument, clock: Clock) -> Catalog:
    """The adapter for a catalog that is no part of this program. Raises CredentialsRefused or ConfigurationError."""
    settings = addressed(settings)
    if isinstance(settings, SciCatCatalog):
        return scicat(settings, instrument, clock)
    if isinstance(settings, AtProtoCatalog):
        return atproto(settings, instrument, clock)
    return crucible(settings, instrument, clock)


def addressed(settings: ElsewhereCatalog) -> ElsewhereCatalog:
    """The settings with the address in force: of a Crucible that the file does not name, what the environment says.

    LABFERRY_<NAME>_URL, then what nano-crucible would use. Raises ConfigurationError for one that is none.
    """
    if not isinstance(settings, CrucibleCatalog) or "url" in settings.model_fields_set:
        return settings
    variable = variable_of(settings.name, "url")
    url = os.environ.get(variable, "").strip() or find_url(os.environ)
    if not url:
        return settings
    try:
        return settings.model_copy(update={"url": web_address(url)})
    except ValueError as error:
        problem = (
            f"The address of the catalog {settings.name} in {variable}, CRUCIBLE_API_URL or nano-crucible's config.ini"
        )
        raise ConfigurationError([f"{problem} {error}: {url!r}."]) from None


def crucible(settings: CrucibleCatalog, instrument: Instrument, clock: Clock) -> Crucible:
    """The adapter for Crucible. Raises CredentialsRefused if no key is found anywhere."""
    configured = None if settings.api_key is None else settings.api_key.get_secret_value()
    options = CrucibleOptions(
        url=settings.url,
        key=find_key(configured, os.environ, name=settings.name, url=settings.url),
        name=settings.name,
        ingestion=settings.ingestion,
        metadata=settings.metadata,
        known_files=settings.known_files,
        samples_by_name=True,
        verify=settings.verify_tls,
        bandwidth=settings.bandwidth,
        project_id=instrument.attributes.get("project_id"),
        instrument_id=instrument.attributes.get("instrument_id", instrument.instrument),
        owner=instrument.attributes.get("owner_orcid"),
    )
    return Crucible(options, clock)


def scicat(settings: SciCatCatalog, instrument: Instrument, clock: Clock) -> SciCat:
    """The adapter for SciCat. Without an account it is made too, and says so when it is asked."""
    options = SciCatOptions(
        settings,
        instrument.instrument,
        password=_secret(settings, "password", settings.password) if settings.username else None,
        token=_secret(settings, "token", settings.token),
        mover=_mover(settings, clock),
        roots=[str(root.path) for root in instrument.roots],
        software=f"labferry {importlib.metadata.version('labferry')}",
        verify=settings.verify_tls,
    )
    return SciCat(options, clock)


def _mover(settings: SciCatCatalog, clock: Clock) -> Mover | None:
    """What brings the files to the facility's storage; None if they lie there already."""
    transfer = settings.transfer
    read_back = transfer.verify == "hash"
    if transfer.mode == "in-place" or transfer.to is None:
        return None
    pace = None if settings.bandwidth is None else Pace(clock, settings.bandwidth)
    if transfer.mode == "copy":
        return Copier(transfer.to, read_back=read_back, pace=pace)
    secret = _secret(settings, "storage_password", None)
    return Remote(transfer.to, transfer.options, secret.text if secret else None, read_back=read_back, pace=pace)


def atproto(settings: AtProtoCatalog, instrument: Instrument, clock: Clock) -> AtProto:
    """The adapter for the AT Protocol index. Without an app password it is made too, and says so when it is asked."""
    pace = None if settings.bandwidth is None else Pace(clock, settings.bandwidth)
    client = HttpClient(settings.name, settings.url, "", clock, verify=settings.verify_tls, pace=pace)
    session = Session(client, clock, settings.identifier, _secret(settings, "password", settings.password))
    publishing = Publishing(
        license=settings.license or "",
        description=settings.description or "",
        orcid=settings.orcid,
        label=settings.label,
    )
    said = {**instrument.defaults, **instrument.attributes}
    limit = settings.max_size if settings.storage.mode == "blobs" else None
    options = Options(settings.name, publishing, limit, settings.page, public=said.get("public") is True)
    return AtProto(options, session, _shard_storage(settings, session, pace))


def _shard_storage(settings: AtProtoCatalog, session: Session, pace: Pace | None) -> Storage:
    storage = settings.storage
    if storage.mode == "http" and storage.folder is not None and storage.address is not None:
        return Folder(storage.folder, storage.address)
    if storage.mode == "s3" and storage.bucket is not None:
        secret = _secret(settings, "storage_password", None)
        endpoint = {"client_kwargs": {"endpoint_url": storage.endpoint}} if storage.endpoint else {}
        store = Remote(
            f"s3://{storage.bucket}",
            {**endpoint, **storage.options},
            secret.text if secret else None,
            read_back=False,
            pace=pace,
        )
        return Bucket(storage.bucket, storage.prefix.strip("/"), storage.region, storage.endpoint, store.keep)
    return Blobs(session, settings.blob_limit)


def _secret(settings: SciCatCatalog | AtProtoCatalog, what: str, configured: SecretStr | None) -> Key | None:
    text = None if configured is None else configured.get_secret_value()
    return find_secret(what, text, os.environ, name=settings.name, problems=[])


def local(settings: LocalCatalog, address: Address, clock: Clock) -> Crucible:
    """The adapter for an embedded catalog: the same API. Its own ingestors need not read again what ours have read."""
    options = CrucibleOptions(
        url=address.url,
        key=Key(address.token, str(address.token_file)),
        name=settings.name,
        ingestion="not_requested",
        page=f"{address.pages.rstrip('/')}/datasets/{{unique_id}}",
        bandwidth=settings.bandwidth,
    )
    return Crucible(options, clock)


def _local(settings: LocalCatalog, clock: Clock) -> Connection:
    if settings.path is None:
        raise ValueError("a local catalog needs its folder; use daemon.settings.catalogs_of")
    server = EmbeddedCatalog(settings.path, settings.port, clock)
    address = server.address
    catalog = local(settings, address, clock)

    def close() -> None:
        catalog.close()
        server.stop()

    return Connection(catalog, address.pages, settings, server.tick, close)


def _nothing() -> None:
    """A catalog somewhere else looks after itself."""
