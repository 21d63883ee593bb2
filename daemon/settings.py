"""An instrument's configuration as values. The YAML text and its line numbers are `yamlfile`'s business.

Each option's description is what the README, the example files' schema and an editor show.
"""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 pydantic reads the annotation
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from daemon.atproto_settings import ATPROTO_SECTIONS, AtProtoCatalog
from daemon.forms import (
    ByteSize,
    CatalogName,
    Companion,
    Duration,
    FilePath,
    Glob,
    Ingestors,
    PathExpression,
    Port,
    Provided,
    Sequence,
    WebAddress,
)  # fmt: skip
from daemon.policies import Uploading
from daemon.scicat_settings import SCICAT_SECTIONS, SciCatCatalog
from daemon.strict import Strict

DEFAULT_EXCLUDE: Final = (
    "**/.*", "**/.*/**", "**/*.tmp", "**/*.part", "**/*.partial", "**/*.crdownload", "**/*.filepart",
    "**/~$*", "**/*.lock", "**/*.swp", "**/*~", "**/Thumbs.db", "**/desktop.ini",
)  # fmt: skip
DEFAULT_COMPANIONS: Final = (
    "{name}_images/**", "{name}.JPG", "{name}.jpg", "{name}.jpeg", "{name}.png", "{name}.tif", "{name}.tiff",
    "{stem}.png", "{stem}.jpg", "{stem}.JPG", "{stem}.jpeg", "{stem}.csv", "{stem}.log", "{stem}.ini", "{stem}_settings.ini",
    "{name}.meta.yaml", "{name}.meta.json",
)  # fmt: skip


class Root(Strict):
    """A folder that the instrument writes to."""

    path: FilePath = Field(description="The folder. Relative to the YAML file; `~` is the service's home.")
    include: tuple[Glob, ...] = Field(("**/*",), description="Which files are wanted: patterns below the folder.")
    exclude: tuple[Glob, ...] = Field(
        DEFAULT_EXCLUDE, description="Which files are not: hidden and temporary ones if nothing is said."
    )
    events: Literal["auto", "never"] = Field(
        "auto", description="`never`: trust the scan alone, as on network shares. `auto` finds out."
    )


class Settle(Strict):
    """When a file counts as complete. Seconds."""

    quiet: Duration = Field(2.0, description="Wait after the last writer closed the file, for programs that reopen.")
    quiet_without_leases: Duration = Field(
        10.0, description="Wait without a change where the kernel can't tell who writes (network shares)."
    )
    patterns: dict[Glob, Duration] = Field(
        default_factory=dict, description="A quiet period of its own for some files; the first match wins."
    )
    empty: Duration = Field(60.0, description="How long a file may stay empty before it is taken as it is.")
    broken: Duration = Field(300.0, description="How long a file may disagree with its format before it is taken so.")
    markers: dict[Glob, Companion] = Field(
        default_factory=dict, description="Files that are complete when another is there: pattern to `{name}.done`."
    )


class Datasets(Strict):
    """Which files are one dataset."""

    companions: tuple[Companion, ...] = Field(
        DEFAULT_COMPANIONS, description="Files that belong to another, by its `{name}` or `{stem}`."
    )
    folders: tuple[Glob, ...] = Field((), description="Folders that are one dataset each, with all below them.")
    sequences: tuple[Sequence, ...] = Field((), description="Numbered frames that are one dataset: `*_[0-9]*.tif`.")


class Session(Strict):
    """Which datasets are one sitting."""

    path: PathExpression | None = Field(
        None, description="A regular expression for the path below the root; its named groups are attributes."
    )
    folder: bool = Field(default=True, description="The run folder names the session if nothing better does.")
    gap: Duration = Field(2700.0, description="A pause that ends a session when only the time tells.")
    parent: bool = Field(default=True, description="Keep a parent dataset for each session, linked to its datasets.")


class Scan(Strict):
    """How often the folders are compared with the store."""

    every: Duration = Field(300.0, description="Between two scans of a folder whose events work.")
    every_without_events: Duration = Field(30.0, description="Between two scans of a folder without events.")


class Extract(Strict):
    """The limits of one extraction in its child process."""

    timeout: Duration = Field(60.0, description="An ingestor that takes longer is ended; the next one tries.")
    memory: ByteSize = Field(2 * 2**30, description="An ingestor that wants more memory is ended.")


class StoreKeeping(Strict):
    """What is done so that the store survives its disk's moods."""

    backup: Duration = Field(
        86400.0, description="Between two backups of the store, in `backups` in the state folder; 0: none."
    )
    keep: int = Field(7, ge=1, le=1000, description="How many backups are kept; the oldest go first.")


class LocalCatalog(Uploading):
    """The embedded catalog."""

    type: Literal["local"] = Field("local", description="The embedded catalog: a folder and a small server.")
    name: CatalogName = Field("local", description="What status, logs and variables call this catalog.")
    path: FilePath | None = Field(None, description="Its folder; `catalog` in the state folder if nothing is said.")
    port: Port = Field(0, description="Its port on this computer (127.0.0.1); 0 picks a free one.")
    workers: int = Field(8, ge=1, le=16, description="How many deliveries at the same time.")


class CrucibleCatalog(Uploading):
    """Crucible v3, or any server that speaks its API."""

    type: Literal["crucible"] = Field(description="Crucible v3, or a server that speaks its API.")
    name: CatalogName = Field("crucible", description="What status, logs and variables call this catalog.")
    url: WebAddress = Field("https://crucible.lbl.gov/api/v3", description="The address of its API.")
    metadata: Literal["merge", "replace"] = Field(
        "merge",
        description="Later scientific metadata: merged, so that what people changed there stays, or in place of all.",
    )
    known_files: Literal["link", "send"] = Field(
        "link", description="A file whose bytes are in another dataset there: told and linked, or sent once more."
    )
    api_key: SecretStr | None = Field(
        None, description="The key. Only in a file that nobody else may read; better a variable or a credential."
    )
    ingestion: Literal["auto", "requested", "not_requested"] = Field(
        "auto", description="Whether the catalog's own ingestors read the files too: `auto` if ours knew nothing."
    )
    verify_tls: bool | FilePath = Field(
        default=True, description="`false` trusts any server (tests only); a path names a certificate authority's file."
    )


ElsewhereCatalog = CrucibleCatalog | SciCatCatalog | AtProtoCatalog
AnyCatalog = LocalCatalog | ElsewhereCatalog
CatalogSettings = Annotated[AnyCatalog, Field(discriminator="type")]

SECTIONS: Final[dict[str, type[Strict]]] = {
    "roots": Root, "settle": Settle, "datasets": Datasets, "session": Session, "scan": Scan, "extract": Extract,
    "store": StoreKeeping,
}  # fmt: skip
CATALOGS: Final[dict[str, type[Strict]]] = {
    "local": LocalCatalog, "crucible": CrucibleCatalog, "scicat": SciCatCatalog, "atproto": AtProtoCatalog,
}  # fmt: skip
CATALOG_SECTIONS: Final[dict[str, dict[str, type[Strict]]]] = {"scicat": SCICAT_SECTIONS, "atproto": ATPROTO_SECTIONS}
"""The sections inside a catalog, by its type and their key."""


class Instrument(BaseSettings):
    """One instrument: one YAML file, one service instance, one state folder.

    Of the environment only LABFERRY_STATE is read here, and it wins over the file; secrets are looked up by the
    catalog that needs them. Everything else stands in the file, so that the file tells the whole story.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="LABFERRY_", hide_input_in_errors=True)

    instrument: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,63}$",
        description="The instrument's name, as the catalog knows it: letters, digits, `-` and `_`.",
    )
    roots: tuple[Root, ...] = Field(min_length=1, description="The folders that the instrument writes to.")
    settle: Settle = Field(Settle(), description="When a file counts as complete.")
    datasets: Datasets = Field(Datasets(), description="Which files are one dataset.")
    session: Session = Field(Session(), description="Which datasets are one sitting.")
    scan: Scan = Field(Scan(), description="How often the folders are compared with what is known.")
    extract: Extract = Field(Extract(), description="Limits for reading one dataset.")
    store: StoreKeeping = Field(StoreKeeping(), description="Backups of the daemon's memory.")
    ingestor: Ingestors = Field(
        default_factory=dict,
        description="The ingestor that is asked first, by its name: one for all files, or one for each pattern.",
    )
    attributes: Provided = Field(
        default_factory=dict,
        description="Attributes of every dataset that no ingestor overwrites: values, or templates of other values.",
    )
    defaults: Provided = Field(
        default_factory=dict, description="Attributes for when nothing else says them: values or templates."
    )
    catalogs: tuple[CatalogSettings, ...] = Field((), description="Where datasets go; the embedded catalog if empty.")
    state: FilePath | None = Field(
        None, description="Where the daemon keeps its memory; a local disk, outside of the roots."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic-settings hands over all sources by name
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """LABFERRY_STATE, then the values of the file."""
        state = os.environ.get("LABFERRY_STATE")
        if not state:
            return (init_settings,)
        return InitSettingsSource(settings_cls, {"state": os.path.abspath(state)}), init_settings  # noqa: PTH100 no I/O


def catalogs_of(instrument: Instrument) -> tuple[AnyCatalog, ...]:
    """The catalogs of a loaded instrument: those of the file, or the embedded one; a local one has its folder.

    Raises ValueError if a local catalog needs the state folder and none is known (an instrument that was not loaded).
    """
    return tuple(_placed(catalog, instrument.state) for catalog in instrument.catalogs or (LocalCatalog(),))


def _placed(catalog: AnyCatalog, state: Path | None) -> AnyCatalog:
    if not isinstance(catalog, LocalCatalog) or catalog.path is not None:
        return catalog
    if state is None:
        raise ValueError("the instrument has no state folder yet; read it with daemon.yamlfile.load")
    folder = "catalog" if catalog.name == "local" else f"catalog-{catalog.name}"
    return catalog.model_copy(update={"path": state / folder})
