"""How an instrument delivers to SciCat. The fields of `dataset:` have SciCat's own names."""

from __future__ import annotations

import difflib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from daemon import scicat_rules
from daemon.forms import (
    PROVIDABLE,
    ByteSize,
    CatalogName,
    FilePath,
    WebAddress,
    did_you_mean,
    web_address,
)
from daemon.placeholders import Template
from daemon.policies import Uploading
from daemon.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import ValidationInfo

PLACEHOLDERS: Final = PROVIDABLE | {"unique_id", "instrument", "ingestor", "file", "folder"}
"""The names that a template may use, besides everything below `metadata.`."""
_BELOW_METADATA: Final = "metadata."
_OWN_TEXTS: Final = (*(name for name in scicat_rules.TEXTS if not name.endswith("Time")), "instrument")
_OWN_LISTS: Final = ("accessGroups", "principalInvestigators", "proposalIds", "sampleIds")
_STORAGES: Final = (
    "abfs", "abfss", "adl", "az", "dav", "davs", "file", "ftp", "gcs", "gs", "hdfs", "http", "https", "local", "memory", "oci",
    "s3", "s3a", "sftp", "smb", "ssh", "webdav", "webhdfs",
)  # fmt: skip
"""Protocols that fsspec or a package for it speaks; others may be installed, so a name is only doubted if it is near to one."""


def template(text: str) -> str:
    """Accept a text with placeholders that can have a value. Raises ValueError."""
    for name in sorted(Template.parse(text).names()):
        root = name.partition(".")[0]
        if not name.startswith(_BELOW_METADATA) and root not in PLACEHOLDERS:
            known = PLACEHOLDERS | {"metadata.…"}
            raise ValueError(did_you_mean(f"has the placeholder {{{name}}}, which is nothing known", name, known))
    for names, form, of_times in Template.parse(text).formats():
        looked_up = [name for name in names if name[0] not in "'\""]
        if not any(name.startswith(_BELOW_METADATA) or (of_times and name == "timestamp") for name in looked_up):
            raise ValueError(
                f"has the format {form!r} for {looked_up[0]}, which is no {'time' if of_times else 'number'}; leave it away"
            )
    return text


def address(text: str) -> str:
    """Accept SciCat's address, with or without the version of its API. Raises ValueError."""
    page = re.search(r"/(datasets|login|proposals|samples|instruments)(/.*)?$", text)
    if page:
        raise ValueError(f"should be the backend's address, and {page[0]} is a page for people; leave that away")
    return re.sub(r"/explorer$|(/api)?(/v[34])?$", "", text)


def _relative(text: str) -> str:
    """Accept a template of a folder below the storage. Raises ValueError."""
    parts = template(text).split("/")
    if not text.strip() or text.startswith("/") or "\\" in text or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("should be folders below `to`, such as {project_id}/{session_name}/{unique_id}")
    return text


def _absolute(text: object) -> object:
    if isinstance(text, str) and (not text.startswith("/") or "\0" in text or ".." in PurePosixPath(text).parts):
        raise ValueError("should be the whole path of a folder on this computer, such as /data/hip")
    return text


def _constant(name: str, text: str) -> str:
    """What is wrong with a text that is the same for every dataset; "" for a template."""
    if Template.parse(text).names():
        return ""
    return next((wrong for rule in _rules(name) if (wrong := rule(text))), "")


def _rules(name: str) -> Iterator[Callable[[str], str]]:
    yield scicat_rules.text
    for rules in (scicat_rules.TEXTS, scicat_rules.FIXED):
        if name in rules:
            yield rules[name]


TemplateText = Annotated[str, AfterValidator(template)]


class SciCatTechnique(Strict):
    """An experimental technique, as the PaNET ontology names it."""

    pid: str = Field(description="The technique's IRI in PaNET, such as http://purl.org/pan-science/PaNET/PaNET01168.")
    name: str = Field(description="The technique's name, such as transmission electron microscopy.")

    @field_validator("pid", "name")
    @classmethod
    def _rule(cls, value: str, info: ValidationInfo) -> str:
        wrong = scicat_rules.text(value) or (scicat_rules.technique(value) if info.field_name == "pid" else "")
        if wrong:
            raise ValueError(wrong)
        return value


class SciCatLifecycle(Strict):
    """What the archive may do with a dataset."""

    archivable: Literal["when complete", True, False] = Field(
        "when complete", description="`when complete`: only after every file is in place and listed."
    )
    retrievable: bool | None = Field(None, description="SciCat's `retrievable`; the server's own default.")
    publishable: bool | None = Field(None, description="SciCat's `publishable`; the server's own default.")
    isOnCentralDisk: bool | None = Field(None, description="SciCat's `isOnCentralDisk`; the server's own default.")
    archiveRetentionTime: str | None = Field(None, description="Until when the archive keeps it: a time with offset.")
    dateOfPublishing: str | None = Field(None, description="When it becomes public: a time with offset.")
    storageLocation: str | None = Field(None, description="SciCat's `storageLocation`.")

    @field_validator("archiveRetentionTime", "dateOfPublishing")
    @classmethod
    def _moment(cls, value: str | None) -> str | None:
        if value is not None and (wrong := scicat_rules.moment(value)):
            raise ValueError(wrong)
        return value


class SciCatDataset(Strict):
    """SciCat's own fields. Texts are templates over what is known of a dataset."""

    ownerGroup: TemplateText = Field(description="The group that owns the dataset, such as {project_id}.")
    owner: TemplateText = Field(description="The person who owns the dataset; SciCat stores none without one.")
    contactEmail: TemplateText = Field(description="Where questions go: an address, or several with ; between them.")
    accessGroups: tuple[TemplateText, ...] = Field(
        (), description="Groups that may read the dataset; our account's group is added by itself."
    )
    instrumentGroup: TemplateText | None = Field(None, description="The group of the instrument's staff.")
    ownerEmail: TemplateText | None = Field(None, description="The owner's e-mail address.")
    orcidOfOwner: TemplateText | None = Field("{owner_orcid}", description="The owner's ORCID.")
    principalInvestigators: tuple[TemplateText, ...] = Field((), description="Who leads the experiment.")
    type: TemplateText = Field(
        "{data_type|'raw'}", description="`raw`, `derived` or a type of the facility's; `processed` becomes `derived`."
    )
    datasetName: TemplateText = Field("{dataset_name}", description="What people see first.")
    description: TemplateText | None = Field(None, description="A sentence or two for people.")
    comment: TemplateText | None = Field(None, description="A comment that is shown beside the description.")
    sourceFolder: TemplateText = Field(
        "{folder}", description="The folder of the files; `{folder}` is where they lie, as the file server sees it."
    )
    sourceFolderHost: TemplateText | None = Field(
        None, description="The file server: its full host name, IP address or URL."
    )
    creationLocation: TemplateText | None = Field(
        None, description="Where it was measured, by convention /Site/Facility/Instrument."
    )
    dataFormat: TemplateText | None = Field("{data_format}", description="The format of the main file.")
    proposalIds: tuple[TemplateText, ...] = Field(("{project_id}",), description="The proposals that it belongs to.")
    sampleIds: tuple[TemplateText, ...] = Field(("{samples}",), description="The samples that were measured.")
    runNumber: TemplateText | None = Field(None, description="The number of the run, as text.")
    instrument: TemplateText | None = Field(
        "{instrument_id|instrument_name|instrument}",
        description="The instrument's uniqueName, name or pid in SciCat; it is looked up and never created.",
    )
    techniques: dict[str, SciCatTechnique] = Field(
        default_factory=dict, description="The technique of each measurement; `*` is the one for every other."
    )
    license: TemplateText | None = Field(None, description="The licence of the data, such as CC-BY-4.0.")
    classification: TemplateText | None = Field(
        None, description="How precious the data are, such as IN=medium,AV=low,CO=low."
    )
    isPublished: bool | None = Field(None, description="`true`: the world may read it at once. Else as `public` says.")
    datasetlifecycle: SciCatLifecycle = Field(
        SciCatLifecycle(), description="What the archive may do with it, and when."
    )

    @field_validator(*_OWN_TEXTS)
    @classmethod
    def _rule(cls, value: str | None, info: ValidationInfo) -> str | None:
        """A text without placeholders has to keep the rules already here."""
        if value is not None and info.field_name is not None and (wrong := _constant(info.field_name, value)):
            raise ValueError(wrong)
        return value

    @field_validator(*_OWN_LISTS)
    @classmethod
    def _filled(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(not text.strip() for text in values):
            raise ValueError("should be a list of texts, none of them empty")
        return values


class SciCatPath(Strict):
    """How a folder of this computer is called by others."""

    here: Annotated[str, BeforeValidator(_absolute)] = Field(description="A folder as this computer sees it.")
    there: str = Field(description="The same folder as the file server sees it.")

    @field_validator("there")
    @classmethod
    def _whole(cls, value: str) -> str:
        if wrong := scicat_rules.folder(value):
            raise ValueError(wrong)
        return value


_NOTHING_MOVES: Final = "has no meaning where files stay in place; say `mode: copy` or `mode: remote`"


class SciCatTransfer(Strict):
    """How the bytes come to where SciCat's archive finds them."""

    mode: Literal["in-place", "copy", "remote"] = Field(
        "in-place",
        description="`in-place`: they lie there already. `copy`: into a mounted folder. `remote`: elsewhere.",
    )
    to: str | None = Field(
        None, validate_default=True, description="The folder for `copy`; a URL such as sftp://host/path for `remote`."
    )
    layout: Annotated[str, AfterValidator(_relative)] = Field(
        "{instrument}/{unique_id}", description="The dataset's own folder below `to`."
    )
    verify: Literal["hash", "size"] = Field(
        "hash", description="`hash`: read every file back after it was moved. `size`: compare sizes only."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="What fsspec needs to reach a remote storage: username, port and so on."
    )

    @field_validator("to")
    @classmethod
    def _place(cls, value: str | None, info: ValidationInfo) -> str | None:
        mode = info.data.get("mode", "in-place")
        if value is None and mode != "in-place":
            raise ValueError(f"needs `to`, where files go to with `mode: {mode}`")
        if mode == "copy" and (value is None or "://" in value or not value.startswith("/")):
            raise ValueError("should be the whole path of the mounted folder that files are copied to")
        if mode == "remote" and (value is None or not re.fullmatch(r"[a-z][a-z0-9+.-]*://.*[^/].*", value)):
            raise ValueError("should be a URL such as sftp://storage.example.org/incoming or s3://bucket/incoming")
        if mode == "in-place" and value is not None:
            raise ValueError(_NOTHING_MOVES)
        if mode == "remote" and value is not None:
            scheme = value.partition(":")[0]
            near = difflib.get_close_matches(scheme, _STORAGES, n=1, cutoff=0.7)
            if near and scheme not in _STORAGES:
                raise ValueError(f"has the protocol {scheme!r}, which nothing speaks; did you mean {near[0]!r}?")
        return value

    @field_validator("layout", "verify", "options")
    @classmethod
    def _of_use(cls, value: Any, info: ValidationInfo) -> Any:
        """Only what is given is looked at: a default says nothing."""
        mode = info.data.get("mode", "in-place")
        if mode == "in-place":
            raise ValueError(_NOTHING_MOVES)
        if mode == "copy" and info.field_name == "options":
            raise ValueError("has no meaning for `mode: copy`; options are fsspec's, for `mode: remote`")
        return value


class SciCatCatalog(Uploading):
    """SciCat, of the generations 4 and 5."""

    type: Literal["scicat"] = Field(description="SciCat, of the generations 4 and 5.")
    name: CatalogName = Field("scicat", description="What status, logs and variables call this catalog.")
    url: Annotated[WebAddress, AfterValidator(address)] = Field(description="The address of SciCat's backend.")
    username: str | None = Field(None, description="The functional account; its password makes new tokens.")
    password: SecretStr | None = Field(
        None, description="Its password. Only in a file that nobody else may read; better a variable or a credential."
    )
    token: SecretStr | None = Field(
        None, description="A token in place of an account. It ends some day, and no other is made by itself."
    )
    login: Literal["local", "ldap", "msad"] = Field(
        "local", description="Which of SciCat's log-ins the account is for."
    )
    group: str | None = Field(
        None, min_length=1, description="Our account's own group; needed if it is in several and none has its name."
    )
    pid_prefix: str | None = Field(
        None, description="The prefix of pids that labferry chooses, where the account may; else SciCat makes them."
    )
    parents: bool = Field(
        default=True, description="Make a dataset for each session and name it in its datasets' inputDatasets."
    )
    dataset: SciCatDataset = Field(description="SciCat's own fields, as templates.")
    transfer: SciCatTransfer = Field(SciCatTransfer(), description="How the files come to the facility's storage.")
    path_map: tuple[SciCatPath, ...] = Field(
        (), description="How this computer's folders are called by the file server."
    )
    thumbnail: ByteSize = Field(300_000, description="A picture larger than that is not sent.")
    page: str | None = Field(None, description="Where people look at a dataset; {pid} stands for its pid.")
    verify_tls: bool | FilePath = Field(
        default=True, description="`false` trusts any server (tests only); a path names a certificate authority's file."
    )

    @field_validator("password", "token")
    @classmethod
    def _one_account(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.field_name == "password" and info.data.get("username") is None:
            raise ValueError("needs `username`, the account whose password it is")
        if value is not None and info.field_name == "token" and info.data.get("username") is not None:
            raise ValueError("has no meaning beside `username`, whose password makes tokens; give one of the two")
        return value

    @field_validator("path_map")
    @classmethod
    def _once(cls, value: tuple[SciCatPath, ...]) -> tuple[SciCatPath, ...]:
        folders = [entry.here.rstrip("/") for entry in value]
        twice = next((name for name in folders if folders.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {twice or '/'} twice; one folder is called one thing")
        return value

    @field_validator("page")
    @classmethod
    def _page(cls, value: str | None) -> str | None:
        if value is not None and "{pid}" not in value:
            raise ValueError(
                "needs {pid}, which stands for the dataset's pid: https://scicat.example.org/datasets/{pid}"
            )
        if value is not None:
            web_address(value.replace("{pid}", "x"))
        return value

    @field_validator("pid_prefix")
    @classmethod
    def _prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*", value.rstrip("/")):
            raise ValueError("should be a prefix such as 20.500.12345, without a slash at its end")
        return None if value is None else value.rstrip("/")

    @field_validator("thumbnail")
    @classmethod
    def _bounded(cls, value: int) -> int:
        if value > scicat_rules.LARGEST_BODY // 2:
            raise ValueError("should be at most 7.5 MB, because SciCat takes no larger requests")
        return value


SCICAT_SECTIONS: Final[dict[str, type[Strict]]] = {
    "dataset": SciCatDataset, "datasetlifecycle": SciCatLifecycle, "techniques": SciCatTechnique,
    "transfer": SciCatTransfer, "path_map": SciCatPath,
}  # fmt: skip
"""The sections of a SciCat catalog by their key."""
