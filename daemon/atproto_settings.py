"""How an instrument publishes to the AT Protocol's dataset index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, SecretStr, field_validator

from daemon.forms import ByteSize, CatalogName, FilePath, WebAddress
from daemon.policies import Uploading
from daemon.strict import Strict

if TYPE_CHECKING:
    from pydantic import ValidationInfo

_LEXICON_NAME: Final = 200
_LEXICON_DESCRIPTION: Final = 5000


class AtProtoStorage(Strict):
    """Where the shards (tar files of a dataset's files) are put for everybody to read."""

    mode: Literal["blobs", "http", "s3"] = Field(
        "blobs",
        description="`blobs`: in the PDS. `http`: in a folder that a web server shows. `s3`: in an object store.",
    )
    folder: FilePath | None = Field(
        None, validate_default=True, description="For `http`: the folder on this computer or a mounted one."
    )
    address: WebAddress | None = Field(
        None, validate_default=True, description="For `http`: the address under which the web server shows the folder."
    )
    bucket: str | None = Field(
        None, max_length=255, validate_default=True, description="For `s3`: the name of the bucket."
    )
    prefix: str = Field("", description="For `s3`: what stands before the keys of the shards.")
    region: str | None = Field(None, max_length=50, description="For `s3`: the region, which readers are told.")
    endpoint: WebAddress | None = Field(
        None, description="For `s3`: the address of another store than Amazon's; it is public, as the entry is."
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="For `s3`: what fsspec needs besides, such as `key`; the secret has its own place.",
    )

    @field_validator("folder", "address", "bucket")
    @classmethod
    def _needed(cls, value: object, info: ValidationInfo) -> object:
        mode, name = info.data.get("mode", "blobs"), info.field_name
        owner = "s3" if name == "bucket" else "http"
        if mode == owner and value is None:
            raise ValueError(f"is needed for `mode: {mode}`")
        if mode != owner and value is not None:
            raise ValueError(f"has no meaning for `mode: {mode}`")
        return value


class AtProtoCatalog(Uploading):
    """The AT Protocol's index of open datasets. Everything that goes there is public for good."""

    type: Literal["atproto"] = Field(description="The AT Protocol's index of open datasets: public for good.")
    name: CatalogName = Field("atproto", description="What status, logs and variables call this catalog.")
    url: WebAddress = Field(description="The address of the account's PDS, such as https://pds.example.org.")
    identifier: str = Field(min_length=1, description="The account: its handle or its DID.")
    password: SecretStr | None = Field(
        None,
        description="Its app password. Only in a file that nobody else may read; better a variable or a credential.",
    )
    license: str | None = Field(
        None, max_length=_LEXICON_NAME, description="The licence of the data: an SPDX name such as CC-BY-4.0, or a URL."
    )
    description: str | None = Field(
        None, max_length=_LEXICON_DESCRIPTION, description="A sentence or two for people, on every dataset."
    )
    orcid: bool = Field(default=False, description="`true`: the owner's ORCID is published too.")
    label: bool = Field(
        default=True, description="Make a label too, so that readers find the dataset as `@handle/name`."
    )
    max_size: ByteSize = Field(
        10**9, description="A larger dataset is not published as blobs but parked, with the reason."
    )
    blob_limit: ByteSize | None = Field(
        None, description="The largest blob that the PDS takes, if it does not say so itself (older ones: 5 MiB)."
    )
    storage: AtProtoStorage = Field(AtProtoStorage(), description="Where the shards are put for everybody to read.")
    page: str | None = Field(None, description="Where people look at a dataset; {key} stands for its record key.")
    verify_tls: bool | FilePath = Field(
        default=True, description="`false` trusts any server (tests only); a path names a certificate authority's file."
    )


ATPROTO_SECTIONS: Final[dict[str, type[Strict]]] = {"storage": AtProtoStorage}
"""The sections of such a catalog by their key."""
