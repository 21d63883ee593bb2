"""An instrument's configuration as values. The YAML text and its line numbers are `yamlfile`'s business.

Each option's description is what the README, the example files' schema and an editor show.
"""

from __future__ import annotations

import difflib
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from daemon.patterns import compile_pattern
from ingestors.api import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|s|min|h|d)?", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)\s*(B|kB|KiB|MB|MiB|GB|GiB)?", re.ASCII)
_FACTORS: Final = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
_ORCID: Final = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", re.ASCII)
_LONGEST: Final = 10 * 365 * 86400.0
_PORTS: Final = 65535

PROVIDABLE: Final = (ATTRIBUTES - {"unique_id"}) | {"public", "instrument_id", "keywords", "samples"}
"""The names that `attributes:` and `defaults:` may give: Crucible's settable dataset fields, keywords and samples."""
PATH_GROUPS: Final = PROVIDABLE - {"public"}
"""The names that a group of `session.path` may have."""


def seconds(value: object) -> object:
    """Read `2s`, `500ms`, `45min`; a number with one unit; a bare number means seconds. Raises ValueError."""
    message = "should be a duration such as 500ms, 2s, 45min, 1h or 7d"
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= _LONGEST:  # false for NaN too
            raise ValueError(f"{message}, from 0 to 10 years")
        return float(value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(message)
    return seconds(float(match[1]) * _SECONDS[match[2] or "s"])


def size(value: object) -> object:
    """Read `512 MiB`, `2 GB`; a bare number means bytes. Raises ValueError."""
    message = "should be a size such as 512MiB or 2GB"
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 < value < 2**63:
            raise ValueError(f"{message}, more than 0")
        return value
    match = _BYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(message)
    return size(int(float(match[1]) * _FACTORS[match[2] or "B"]))


def glob(text: str) -> str:
    """Accept a pattern of root-relative paths. Raises ValueError."""
    compile_pattern(text)
    return text


def companion(text: str) -> str:
    """Accept a pattern that names its primary by exactly one of {stem} and {name}. Raises ValueError."""
    named = re.findall(r"\{([a-z_]*)\}", text)
    unknown = [name for name in named if name not in {"stem", "name"}]
    if unknown:
        raise ValueError(f"has the placeholder {{{unknown[0]}}}; {{stem}} and {{name}} are the ones there are")
    if len(set(named)) != 1:
        raise ValueError("needs {stem} or {name} (one of them), so that it says whose companion a file is")
    compile_pattern(text.replace("{stem}", "x").replace("{name}", "x"))
    return text


def path_expression(text: str) -> str:
    """Accept a regular expression with named groups that are attributes. Raises ValueError."""
    try:
        groups = re.compile(text).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    wrong = sorted(set(groups) - PATH_GROUPS)
    if wrong:
        raise ValueError(did_you_mean(f"has the group {wrong[0]!r}, which is no attribute", wrong[0], PATH_GROUPS))
    if not groups:
        raise ValueError("has no named group such as (?P<session_name>[^/]+), so it would say nothing")
    return text


def web_address(text: str) -> str:
    """Accept an http(s) base address without credentials, query or final slash. Raises ValueError."""
    example = "should be a web address such as https://crucible.lbl.gov/api/v3"
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) <= _PORTS
    except ValueError as error:
        raise ValueError(f"{example} ({error})") from error
    if not usable or re.search(r"\s", text.strip()):
        raise ValueError(example)
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password; the key has a place of its own")
    if parts.query or parts.fragment:
        raise ValueError(f"{example}, without ? and #")
    return text.strip().rstrip("/")


def filesystem_path(value: object) -> object:
    """Accept text that can be a path. Raises ValueError."""
    if isinstance(value, (str, Path)):
        try:
            bad = not str(value).strip() or b"\0" in os.fsencode(value)
        except UnicodeEncodeError:
            bad = True
        if bad:
            raise ValueError("should be a path such as /data/hip")
        return value
    raise ValueError("should be a path such as /data/hip")


class KeyProblems(ValueError):  # noqa: N818 a value that travels through pydantic
    """What is wrong with single keys of a free mapping."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{key!r} {text}" for key, text in problems.items()))
        self.problems = problems


def attributes(values: dict[str, Any]) -> dict[str, Any]:
    """Accept Crucible's settable attributes. Raises KeyProblems."""
    problems = {name: text for name, value in values.items() if (text := _attribute_problem(name, value))}
    if problems:
        raise KeyProblems(problems)
    return values


def _attribute_problem(name: str, value: object) -> str | None:
    if name not in PROVIDABLE:
        return did_you_mean("is no attribute that can be given here", name, PROVIDABLE)
    if name == "public":
        return None if isinstance(value, bool) else "should be true or false"
    if name in {"keywords", "samples"}:
        texts = isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)
        return None if texts else "should be a list of texts, such as [silicon, annealed]"
    if not isinstance(value, str) or not value.strip():
        return f'should be text; what looks like a number needs quotes: {name}: "0042"'
    if name == "owner_orcid" and not _ORCID.fullmatch(value):
        return "should be an ORCID such as 0000-0002-1825-0097"
    return None


def did_you_mean(sentence: str, word: str, known: Iterable[str]) -> str:
    """Add the nearest known word to a sentence, or all of them."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"{sentence}; did you mean {near[0]!r}?" if near else f"{sentence}; known are {', '.join(words)}"


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]
"""Seconds."""
ByteSize = Annotated[int, BeforeValidator(size, json_schema_input_type=str | int)]
"""Bytes."""
Glob = Annotated[str, AfterValidator(glob)]
Companion = Annotated[str, AfterValidator(companion)]
FilePath = Annotated[Path, BeforeValidator(filesystem_path, json_schema_input_type=str)]
CatalogName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Provided = Annotated[dict[str, Any], AfterValidator(attributes)]

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
    sequences: tuple[Glob, ...] = Field((), description="Numbered frames that are one dataset: `*_[0-9]*.tif`.")


class Session(Strict):
    """Which datasets are one sitting."""

    path: Annotated[str, AfterValidator(path_expression)] | None = Field(
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


class LocalCatalog(Strict):
    """The embedded catalog."""

    type: Literal["local"] = Field("local", description="The embedded catalog: a folder and a small server.")
    name: CatalogName = Field("local", description="What status, logs and variables call this catalog.")
    path: FilePath | None = Field(None, description="Its folder; `catalog` in the state folder if nothing is said.")
    port: int = Field(0, ge=0, le=_PORTS, description="Its port on this computer (127.0.0.1); 0 picks a free one.")
    workers: int = Field(2, ge=1, le=16, description="How many deliveries at the same time.")


class CrucibleCatalog(Strict):
    """Crucible v3, or any server that speaks its API."""

    type: Literal["crucible"] = Field(description="Crucible v3, or a server that speaks its API.")
    name: CatalogName = Field("crucible", description="What status, logs and variables call this catalog.")
    url: Annotated[str, AfterValidator(web_address)] = Field(
        "https://crucible.lbl.gov/api/v3", description="The address of its API."
    )
    api_key: SecretStr | None = Field(
        None, description="The key. Only in a file that nobody else may read; better a variable or a credential."
    )
    ingestion: Literal["auto", "requested", "not_requested"] = Field(
        "auto", description="Whether the catalog's own ingestors read the files too: `auto` if ours knew nothing."
    )
    workers: int = Field(4, ge=1, le=16, description="How many deliveries at the same time.")
    verify_tls: bool | FilePath = Field(
        default=True, description="`false` trusts any server (tests only); a path names a certificate authority's file."
    )


CatalogSettings = Annotated[LocalCatalog | CrucibleCatalog, Field(discriminator="type")]

SECTIONS: Final[dict[str, type[Strict]]] = {
    "roots": Root, "settle": Settle, "datasets": Datasets, "session": Session, "scan": Scan, "extract": Extract,
}  # fmt: skip
CATALOGS: Final[dict[str, type[Strict]]] = {"local": LocalCatalog, "crucible": CrucibleCatalog}


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
    attributes: Provided = Field(
        default_factory=dict, description="Attributes of every dataset that no ingestor overwrites."
    )
    defaults: Provided = Field(default_factory=dict, description="Attributes for when nothing else says them.")
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


def catalogs_of(instrument: Instrument) -> tuple[LocalCatalog | CrucibleCatalog, ...]:
    """The catalogs of a loaded instrument: those of the file, or the embedded one; a local one has its folder.

    Raises ValueError if a local catalog needs the state folder and none is known (an instrument that was not loaded).
    """
    return tuple(_placed(catalog, instrument.state) for catalog in instrument.catalogs or (LocalCatalog(),))


def _placed(catalog: LocalCatalog | CrucibleCatalog, state: Path | None) -> LocalCatalog | CrucibleCatalog:
    if isinstance(catalog, CrucibleCatalog) or catalog.path is not None:
        return catalog
    if state is None:
        raise ValueError("the instrument has no state folder yet; read it with daemon.yamlfile.load")
    folder = "catalog" if catalog.name == "local" else f"catalog-{catalog.name}"
    return catalog.model_copy(update={"path": state / folder})
