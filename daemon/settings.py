"""An instrument's configuration as values. The YAML text and its line numbers are `yamlfile`'s business."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KiB|MB|MiB|GB|GiB)?")
_FACTORS: Final = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}


def seconds(value: object) -> object:
    """Read `2s`, `500ms`, `45min`, `1h 30min` is not one: a number with one unit; a bare number means seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        message = "should be a duration such as 500ms, 2s, 45min, 1h or 7d"
        raise ValueError(message)
    return float(match[1]) * _SECONDS[match[2] or "s"]


def size(value: object) -> object:
    """Read `512 MiB`, `2 GB`; a bare number means bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _BYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        message = "should be a size such as 512MiB or 2GB"
        raise ValueError(message)
    return int(float(match[1]) * _FACTORS[match[2] or "B"])


Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
"""Seconds."""
ByteSize = Annotated[int, BeforeValidator(size), Field(gt=0)]
"""Bytes."""

DEFAULT_EXCLUDE: Final = (
    "**/.*", "**/.*/**", "**/*.tmp", "**/*.part", "**/*.partial", "**/*.crdownload", "**/*.filepart",
    "**/~$*", "**/*.lock", "**/*.swp", "**/*~", "**/Thumbs.db", "**/desktop.ini",
)  # fmt: skip
DEFAULT_COMPANIONS: Final = (
    "{name}_images/**", "{name}.JPG", "{name}.jpg", "{name}.jpeg", "{name}.png", "{name}.tif", "{name}.tiff",
    "{stem}.png", "{stem}.jpg", "{stem}.JPG", "{stem}.jpeg", "{stem}.log", "{stem}.ini", "{stem}_settings.ini",
    "{name}.meta.yaml", "{name}.meta.json",
)  # fmt: skip


class Strict(BaseModel):
    """Unknown keys are mistakes; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Root(Strict):
    """A folder that the instrument writes to."""

    path: Path
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    events: Literal["auto", "never"] = "auto"


class Settle(Strict):
    """When a file counts as complete. Seconds."""

    quiet: Duration = 2.0
    quiet_without_leases: Duration = 10.0
    patterns: dict[str, Duration] = Field(default_factory=dict)
    empty: Duration = 60.0
    broken: Duration = 300.0
    markers: dict[str, str] = Field(default_factory=dict)


class Datasets(Strict):
    """Which files are one dataset."""

    companions: tuple[str, ...] = DEFAULT_COMPANIONS
    folders: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()


class Session(Strict):
    """Which datasets are one sitting."""

    path: str | None = None
    folder: bool = True
    gap: Duration = 2700.0
    parent: bool = True


class Scan(Strict):
    """How often the folders are compared with the store."""

    every: Duration = 300.0
    every_without_events: Duration = 30.0


class Extract(Strict):
    """The limits of one extraction in its child process."""

    timeout: Duration = 60.0
    memory: ByteSize = 2 * 2**30


class LocalCatalog(Strict):
    """The embedded catalog."""

    type: Literal["local"] = "local"
    name: str = "local"
    path: Path | None = None
    port: int = Field(default=0, ge=0, le=65535)
    workers: int = Field(default=2, ge=1, le=16)


class CrucibleCatalog(Strict):
    """Crucible v3, or any server that speaks its API."""

    type: Literal["crucible"]
    name: str = "crucible"
    url: str = "https://crucible.lbl.gov/api/v3"
    api_key: SecretStr | None = None
    ingestion: Literal["auto", "requested", "not_requested"] = "auto"
    workers: int = Field(default=4, ge=1, le=16)
    verify_tls: bool | Path = True


CatalogSettings = Annotated[LocalCatalog | CrucibleCatalog, Field(discriminator="type")]


class Instrument(BaseSettings):
    """One instrument: one YAML file, one service instance, one state folder."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="LABFERRY_", hide_input_in_errors=True)

    instrument: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,63}$")
    roots: tuple[Root, ...] = Field(min_length=1)
    settle: Settle = Settle()
    datasets: Datasets = Datasets()
    session: Session = Session()
    scan: Scan = Scan()
    extract: Extract = Extract()
    attributes: dict[str, Any] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    catalogs: tuple[CatalogSettings, ...] = ()
    state: Path | None = None
