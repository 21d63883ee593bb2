"""The limits of the `science.alt.dataset` lexicons. No server checks them, so they are checked here before a record is sent.

Source: the lexicons of science.alt.dataset (entry, storageBlobs, storageHttp, storageS3, schema, label). Texts are measured
in bytes of UTF-8; objects are open, so fields beyond these are allowed.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from daemon.catalogs.atproto.ids import is_at_uri
from daemon.catalogs.atproto.values import WHOLE, utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENTRY: Final = "science.alt.dataset.entry"
SCHEMA: Final = "science.alt.dataset.schema"
LABEL: Final = "science.alt.dataset.label"
BLOBS: Final = "science.alt.dataset.storageBlobs"
HTTP: Final = "science.alt.dataset.storageHttp"
S3: Final = "science.alt.dataset.storageS3"

NAME: Final = 200
DESCRIPTION: Final = 5000
TAG: Final = 150
TAGS: Final = 30
LICENSE: Final = 200
METADATA: Final = 100_000
BLOB: Final = 52_428_800
URI: Final = 500
SHARD_URL: Final = 2000
OBJECT_KEY: Final = 1024
BUCKET: Final = 255
REGION: Final = 50

_DATETIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")


def problems(record: Mapping[str, Any]) -> list[str]:
    """What the lexicon of the record's `$type` does not allow, one sentence each; empty if it is valid."""
    check = {ENTRY: _entry, SCHEMA: _schema, LABEL: _label}.get(str(record.get("$type")))
    if check is None:
        return [f"$type {record.get('$type')!r} is none of entry, schema and label"]
    return [*check(record), *_model(record, "")]


def _entry(record: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(
        record,
        {"name": _text(NAME), "schemaRef": _uri, "storage": _object, "createdAt": _datetime},
        {
            "description": _text(DESCRIPTION),
            "license": _text(LICENSE),
            "tags": _tags,
            "metadata": _bytes,
            "metadataSchemaRef": _uri,
            "contentMetadata": _object,
            "size": _object,
        },
    )
    yield from _storage(record.get("storage"))
    size = record.get("size")
    for name, least in (("samples", 0), ("bytes", 0), ("shards", 1)):
        if isinstance(size, dict) and name in size and (problem := _count(least)(size[name])):
            yield f"size.{name} {problem}"


def _storage(storage: Any) -> Iterator[str]:
    if not isinstance(storage, dict):
        return
    kind = storage.get("$type")
    if kind == BLOBS:
        yield from _items(storage, "blobs", {"blob": _blob}, {"checksum": _checksum})
    elif kind == HTTP:
        yield from _items(storage, "shards", {"url": _web(SHARD_URL), "checksum": _checksum}, {})
    elif kind == S3:
        yield from _fields(storage, {"bucket": _text(BUCKET)}, {"region": _text(REGION), "endpoint": _web(URI)})
        yield from _items(storage, "shards", {"key": _text(OBJECT_KEY), "checksum": _checksum}, {})
    elif not isinstance(kind, str):
        yield "storage has no $type"


def _schema(record: Mapping[str, Any]) -> Iterator[str]:
    required = {
        "name": _text(100), "version": _text(100), "schemaType": _text(50), "schema": _object, "createdAt": _datetime,
    }  # fmt: skip
    yield from _fields(record, required, {"description": _text(DESCRIPTION), "metadata": _object})


def _label(record: Mapping[str, Any]) -> Iterator[str]:
    required = {"name": _text(NAME), "datasetUri": _uri, "createdAt": _datetime}
    yield from _fields(record, required, {"version": _text(50), "description": _text(DESCRIPTION)})


def _fields(
    value: Mapping[str, Any],
    required: Mapping[str, Callable[[Any], str | None]],
    optional: Mapping[str, Callable[[Any], str | None]],
) -> Iterator[str]:
    for name, rule in {**required, **optional}.items():
        if name not in value:
            if name in required:
                yield f"{name} is missing"
        elif problem := rule(value[name]):
            yield f"{name} {problem}"


def _items(
    storage: Mapping[str, Any],
    name: str,
    required: Mapping[str, Callable[[Any], str | None]],
    optional: Mapping[str, Callable[[Any], str | None]],
) -> Iterator[str]:
    listed = storage.get(name)
    if not isinstance(listed, list) or not listed:
        yield f"storage.{name} needs at least one"
        return
    for number, item in enumerate(listed):
        if not isinstance(item, dict):
            yield f"storage.{name}[{number}] is no object"
            continue
        for problem in _fields(item, required, optional):
            yield f"storage.{name}[{number}].{problem}"


def _model(value: Any, path: str) -> Iterator[str]:
    """What no record of any lexicon may hold."""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > WHOLE):
        yield f"{path or 'the record'} is a number that the AT Protocol does not carry"
    elif isinstance(value, dict):
        if {"cid", "mimeType"} <= value.keys():
            yield f"{path} looks like a blob of the old kind"
        for name, item in value.items():
            yield from _model(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _model(item, f"{path}[{number}]")


def _text(limit: int) -> Callable[[Any], str | None]:
    def rule(value: Any) -> str | None:
        if not isinstance(value, str):
            return "is no text"
        return f"has {utf8(value)} bytes of UTF-8; {limit} are allowed" if utf8(value) > limit else None

    return rule


def _web(limit: int) -> Callable[[Any], str | None]:
    def rule(value: Any) -> str | None:
        if (
            not isinstance(value, str)
            or not re.fullmatch(r"[a-z][a-z0-9+.-]*:[^\s]+", value)
            or not urlsplit(value).netloc
        ):
            return "is no absolute address"
        return _text(limit)(value)

    return rule


def _uri(value: Any) -> str | None:
    if not isinstance(value, str) or not is_at_uri(value):
        return "is no at-URI"
    return _text(URI)(value)


def _datetime(value: Any) -> str | None:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        return "is no time of RFC 3339"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "is no time that exists"
    return None


def _tags(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > TAGS:
        return f"are no list of at most {TAGS}"
    return next((f"hold one that {problem}" for tag in value if (problem := _text(TAG)(tag))), None)


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "is no object"


def _bytes(value: Any) -> str | None:
    """Bytes travel as {"$bytes": base64}."""
    text = value.get("$bytes") if isinstance(value, dict) else None
    try:
        size = len(base64.b64decode(f"{text}===", validate=False)) if isinstance(text, str) else -1
    except binascii.Error:
        size = -1
    if size < 0:
        return "are no bytes"
    return f"have {size} bytes; {METADATA} are allowed" if size > METADATA else None


def _blob(value: Any) -> str | None:
    if not isinstance(value, dict) or value.get("$type") != "blob" or not isinstance(value.get("ref"), dict):
        return "is no blob"
    if value.get("mimeType") != "application/x-tar":
        return f"is {value.get('mimeType')}; application/x-tar is allowed"
    size = value.get("size")
    return _count(0)(size) or (
        f"has {size} bytes; {BLOB} are allowed" if isinstance(size, int) and size > BLOB else None
    )


def _checksum(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "is no object"
    return _text(20)(value.get("algorithm")) or _text(128)(value.get("digest"))


def _count(least: int) -> Callable[[Any], str | None]:
    def rule(value: Any) -> str | None:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return None if whole else f"is no integer from {least} on"

    return rule
