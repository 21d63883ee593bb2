"""The records of a dataset in the AT Protocol index: entry, sample schema, label. Pure: the same dataset gives the same records.

Limits never fail a dataset: what is too long for its field is cut (names, descriptions) or left out (a tag, a licence: a cut
one would be a wrong one), and travels whole in the last sample of the shards, `.metadata/dataset.json`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.atproto.ids import tid
from daemon.catalogs.atproto.lexicon import DESCRIPTION, ENTRY, LABEL, LICENSE, METADATA, NAME, SCHEMA, TAG, TAGS
from daemon.catalogs.atproto.private import is_private, without_private
from daemon.catalogs.atproto.values import json_size, packed, shortened, told, utf8
from daemon.mfid import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from daemon.model import DatasetRecord

SCHEMA_KEY: Final = "org.labferry.instrumentFile-1.0.0"
"""The record key of the schema. The documented `NSID@version` is no key that a server takes."""
DOCUMENT: Final = ".metadata/dataset.json"
_MOST_CUTS: Final = 50  # branches that are dropped one by one; then all of them
READABLE: Final = 200_000
"""Bytes of `contentMetadata`: with it a whole request stays far below the 1 MB that servers take."""

_ATTRIBUTES: Final = ("measurement", "data_type", "instrument_name", "data_format")
_ALSO: Final = ("session_name", "timestamp", "project_id", "instrument_id")
_PROPERTIES: Final = {
    "path": {"type": "string", "description": "The file's name in the dataset"},
    "sha256": {"type": "string", "description": "Of the whole file, 64 hex digits"},
    "size": {"type": "integer", "description": "Of the whole file, in bytes"},
    "offset": {"type": "integer", "description": "Where in the file these bytes begin"},
    "data": {"type": "string", "format": "byte", "contentEncoding": "base64", "description": "The bytes"},
}


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a person decided about publishing: licence, description, whether ORCIDs may go along, whether there are labels."""

    license: str = ""
    description: str = ""
    orcid: bool = False
    label: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry without its storage, the document with everything, the record key, and what does not stand in the entry."""

    key: str
    record: dict[str, Any]
    document: bytes
    label: dict[str, Any] | None
    left: dict[str, str] = field(default_factory=dict)


def schema_record() -> dict[str, Any]:
    """The record that describes a sample: constant, and in both forms that readers know of `#jsonSchemaFormat`."""
    body = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": _PROPERTIES,
        "required": list(_PROPERTIES),  # all of them: a reader gives others a default, which then stands before these
    }
    return {
        "$type": SCHEMA,
        "name": "InstrumentFile",
        "version": "1.0.0",
        "schemaType": "jsonSchema",
        "atdataSchemaVersion": 1,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "description": "A file of an instrument's dataset, or a part of one",
        "schema": {"$type": f"{SCHEMA}#jsonSchemaFormat", "draft": "draft-07", "content": body, **body},
    }


def entry_of(record: DatasetRecord, publishing: Publishing, schema_uri: str) -> Entry:
    """What is published of a dataset; see the module. `schema_uri`: the at-URI of the schema record."""
    left: dict[str, str] = {}
    created = moment_of(record.unique_id)
    metadata, private = without_private(record.scientific_metadata, orcid=publishing.orcid)
    for name in private:
        left[f"scientific_metadata.{name}"] = "private: it tells a person, an account, a computer or a place"
    exact = _exact(record, publishing, metadata)
    named = [str(record.value(name) or "") for name in ("dataset_name", "session_name", "measurement")]
    name = next((text for text in named if text.strip() and not is_private("", text)), record.unique_id)
    values: dict[str, Any] = {
        "$type": ENTRY,
        "name": _cut("name", name, NAME, left),
        "schemaRef": schema_uri,
        "createdAt": _time(created),
        "tags": _tags(record, left),
        "metadata": {"$bytes": base64.b64encode(_binary(exact, left)).decode("ascii").rstrip("=")},
        "contentMetadata": _readable(exact, left),
    }
    if publishing.description:
        values["description"] = _cut("description", publishing.description, DESCRIPTION, left)
    if publishing.license and utf8(publishing.license) <= LICENSE:
        values["license"] = publishing.license
    elif publishing.license:
        left["license"] = f"longer than {LICENSE} bytes"
    key = tid(created, record.unique_id)
    document = {**exact, "name": name, "description": publishing.description, "license": publishing.license}
    whole = json.dumps(document, ensure_ascii=True, sort_keys=True, indent=1).encode()
    return Entry(key, values, whole, _label(name, values["createdAt"], publishing, left), left)


def _label(name: str, created: str, publishing: Publishing, left: dict[str, str]) -> dict[str, Any] | None:
    """The label without the dataset's address: by it readers find the dataset as `@handle/label`."""
    if not publishing.label:
        return None
    if utf8(name) > NAME:
        left["label"] = f"the name is longer than {NAME} bytes, and a cut label would be another one"
        return None
    return {"$type": LABEL, "name": told(name), "createdAt": created}


def _exact(record: DatasetRecord, publishing: Publishing, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that may be told, with exact values. At most 14 names, none of those that readers give a meaning."""
    attributes = {name: record.value(name) for name in ("dataset_name", *_ATTRIBUTES, *_ALSO)}
    if publishing.orcid:
        attributes["owner_orcid"] = record.value("owner_orcid")
    attributes, _ = without_private(
        {k: v for k, v in attributes.items() if v not in (None, "")}, orcid=publishing.orcid
    )
    return {
        "unique_id": record.unique_id,
        "revision": record.revision,
        **({"attributes": attributes} if attributes else {}),
        "keywords": [keyword for keyword in record.keywords if not is_private("", keyword)],
        "samples": [sample.name for sample in record.samples if sample.name and not is_private("", sample.name)],
        "scientific_metadata": metadata,
        "files": [[file.name, file.size, file.sha256] for file in record.files],
        "ingestor": record.ingestor,
    }


def _tags(record: DatasetRecord, left: dict[str, str]) -> list[str]:
    """What kind of data this is first: indexes search in names, descriptions and tags only."""
    wanted = [record.value(name) for name in _ATTRIBUTES] + list(record.keywords)
    tags = list(dict.fromkeys(told(str(tag)).strip() for tag in wanted if tag and not is_private("", str(tag))))
    tags = [tag for tag in tags if tag]
    for tag in tags:
        if utf8(tag) > TAG:
            left[f"tag {shortened(tag, 40)}"] = f"longer than {TAG} bytes"
    tags = [tag for tag in tags if utf8(tag) <= TAG]
    for tag in tags[TAGS:]:
        left[f"tag {shortened(tag, 40)}"] = f"more than {TAGS} tags"
    return tags[:TAGS]


def _binary(exact: Mapping[str, Any], left: dict[str, str]) -> bytes:
    """The exact values as MessagePack of the size that the lexicon allows."""
    made: bytes = _fitting(dict(exact), METADATA - 8, packed, len, "metadata", left)
    return made


def _readable(exact: Mapping[str, Any], left: dict[str, str]) -> dict[str, Any]:
    """The values for people and indexes: attributes at the top, numbers as texts where the protocol wants it."""
    attributes = exact.get("attributes", {})
    flat = {**{name: value for name, value in exact.items() if name not in {"attributes", "files"}}, **attributes}
    readable: dict[str, Any] = _fitting(flat, READABLE, told, json_size, "contentMetadata", left)
    return readable


def _fitting(
    values: dict[str, Any],
    limit: int,
    form: Callable[[dict[str, Any]], Any],
    size: Callable[[Any], int],
    where: str,
    left: dict[str, str],
) -> Any:
    """`form` of the values, without what makes it larger than `limit`: the list of files first, then the largest branches.

    Which ones are missing stands under `truncated`.
    """
    truncated: list[str] = []
    made = form(values)
    while size(made) > limit:
        name = _largest(values) if len(truncated) < _MOST_CUTS else "scientific_metadata"
        values = _without(values, name)
        truncated.append(name)
        left[f"{where}.{name}"] = f"too large for the {where} of an entry; it stands in {DOCUMENT}"
        made = form({**values, "truncated": truncated})
    return made


def _largest(values: Mapping[str, Any]) -> str:
    if values.get("files"):
        return "files"
    metadata = values.get("scientific_metadata")
    if metadata:
        largest: str = max(metadata, key=lambda name: json_size({name: metadata[name]}))
        return f"scientific_metadata.{largest}"
    return max((name for name in values if name != "unique_id"), key=lambda name: json_size(values[name]))


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    if name.startswith("scientific_metadata."):
        branch = name.partition(".")[2]
        metadata = {key: value for key, value in values["scientific_metadata"].items() if key != branch}
        return {**values, "scientific_metadata": metadata}
    return {key: value for key, value in values.items() if key != name or key == "unique_id"}


def _cut(name: str, text: str, limit: int, left: dict[str, str]) -> str:
    short = shortened(text, limit)
    if short.endswith("…") and not text.endswith("…"):
        left[name] = f"cut to {limit} bytes; the whole stands in {DOCUMENT}"
    return short


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
