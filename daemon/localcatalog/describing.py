"""The API's routes for what hangs on a resource: metadata, keywords, thumbnails, samples, links."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog.wire import Answer, Refusal, Request, answer, checked_text, invalid, missing, text_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

_RELATIONSHIPS: Final = frozenset({"is_derived_from", "is_part_of"})
_MAGIC: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


# Metadata.


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new values over the old ones; objects are merged key by key, everything else is replaced."""
    result = dict(old)
    for key, value in new.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def stored_metadata(catalog: LocalCatalog, unique_id: str) -> dict[str, Any] | None:
    """The metadata of a resource, or None."""
    row = catalog.database.one("read_metadata", unique_id=unique_id)
    if row is None:
        return None
    document: dict[str, Any] = json.loads(row["document"])
    return document


def get_metadata(request: Request) -> Answer:
    """GET /resources/{mfid}/metadata: {unique_id, scientific_metadata}, or null."""
    unique_id = known(request.catalog, request.names[0])
    found = stored_metadata(request.catalog, unique_id)
    return answer(None if found is None else {"unique_id": unique_id, "scientific_metadata": found})


def merge_metadata(request: Request) -> Answer:
    """PATCH /resources/{mfid}/metadata: deep merge; makes what is missing."""
    return _write_metadata(request, replace=False)


def write_metadata(request: Request) -> Answer:
    """POST /resources/{mfid}/metadata: 409 if there is some, unless `overwrite=True` replaces it."""
    return _write_metadata(request, replace=True)


def _write_metadata(request: Request, *, replace: bool) -> Answer:
    body = request.json()
    catalog = request.catalog
    with catalog.database.transaction():
        unique_id = known(catalog, request.names[0])
        old = stored_metadata(catalog, unique_id)
        if replace and old is not None and not request.flag("overwrite"):
            raise Refusal(409, "Scientific metadata exists already; PATCH merges, overwrite=True replaces it")
        document = body if replace else merged(old or {}, body)
        if document != old:
            catalog.database.run("write_metadata", unique_id=unique_id, document=json.dumps(document))
    return answer({"unique_id": unique_id, "scientific_metadata": document})


# Keywords.


def add_keyword(request: Request) -> Answer:
    """POST /datasets/{mfid}/keywords?keyword=: added once, however often it is sent."""
    keyword = checked_text((request.text("keyword") or "").strip(), ("query", "keyword"))
    if not keyword:
        raise invalid(("query", "keyword"), "missing", "Field required")
    catalog = request.catalog
    with catalog.database.transaction():
        key = attach_keyword(catalog, dataset_key(catalog, request.names[0]), keyword)
        row = catalog.database.one("read_keyword", id=key)
    return answer(dict(row) if row else None)


def attach_keyword(catalog: LocalCatalog, dataset: int, keyword: str) -> int:
    """Give a dataset a keyword; the keyword's row. Within a transaction."""
    row = catalog.database.one("keyword_key", keyword=keyword)
    key = int(row["id"]) if row is not None else catalog.database.insert("insert_keyword", keyword=keyword)
    catalog.database.run("attach_keyword", dataset=dataset, keyword=key)
    return key


def list_keywords(request: Request) -> Answer:
    """GET /datasets/{mfid}/keywords, or GET /keywords: [{keyword, num_datasets}]."""
    if not request.names:
        rows = request.catalog.database.all("list_keywords", limit=request.limit(1000))
    else:
        rows = request.catalog.database.all("read_keywords", dataset=dataset_key(request.catalog, request.names[0]))
    return answer([dict(row) for row in rows])


# Thumbnails.


def list_thumbnails(request: Request) -> Answer:
    """GET /datasets/{mfid}/thumbnails: all of them, with their pictures."""
    key = dataset_key(request.catalog, request.names[0])
    return answer([_thumbnail(row) for row in request.catalog.database.all("all_thumbnails", dataset=key)])


def add_thumbnail(request: Request) -> Answer:
    """POST /datasets/{mfid}/thumbnails {thumbnail_name, thumbnail_b64str}; the same name and picture are added once."""
    body = request.json()
    name = text_field(body, "thumbnail_name", required=True) or ""
    image = _image(body)
    catalog = request.catalog
    with catalog.database.transaction():
        key = dataset_key(catalog, request.names[0])
        row = store_thumbnail(catalog, key, name, image)
    return answer(_thumbnail(row))


def store_thumbnail(catalog: LocalCatalog, dataset: int, name: str, image: bytes) -> Row:
    """Keep a picture, unless the dataset has it under this name; its row. Within a transaction."""
    sha256 = digest(image)
    row = catalog.database.one("same_thumbnail", dataset=dataset, name=name, sha256=sha256)
    if row is None:
        catalog.database.run(
            "insert_thumbnail", dataset=dataset, name=name, mime_type=_mime(image), sha256=sha256, image=image
        )
        row = catalog.database.one("same_thumbnail", dataset=dataset, name=name, sha256=sha256)
    if row is None:
        raise missing("Thumbnail", name)
    return row


def change_thumbnail(request: Request) -> Answer:
    """PATCH /datasets/{mfid}/thumbnails/{id}: another name, another picture, or both."""
    body = request.json()
    catalog = request.catalog
    with catalog.database.transaction():
        row = _one_thumbnail(request)
        image = _image(body) if body.get("thumbnail_b64str") is not None else row["image"]
        name = text_field(body, "thumbnail_name") or row["name"]
        sha256 = digest(image)
        same = catalog.database.one("same_thumbnail", dataset=row["dataset"], name=name, sha256=sha256)
        if same is not None and same["id"] != row["id"]:
            raise Refusal(409, "The dataset has this picture under this name already")
        catalog.database.run(
            "change_thumbnail", id=row["id"], name=name, mime_type=_mime(image), sha256=sha256, image=image
        )
        row = _one_thumbnail(request)
    return answer(_thumbnail(row))


def delete_thumbnail(request: Request) -> Answer:
    """DELETE /datasets/{mfid}/thumbnails/{id}."""
    with request.catalog.database.transaction():
        row = _one_thumbnail(request)
        request.catalog.database.run("delete_thumbnail", dataset=row["dataset"], id=row["id"])
    return answer({"detail": "The thumbnail was deleted", "id": row["id"]})


def _one_thumbnail(request: Request) -> Row:
    key = dataset_key(request.catalog, request.names[0])
    number = request.names[1]
    if not (number.isascii() and number.isdigit() and len(number) < 18):  # noqa: PLR2004 fits SQLite's integer
        raise missing("Thumbnail", number)
    row = request.catalog.database.one("one_thumbnail", dataset=key, id=int(number))
    if row is None:
        raise missing("Thumbnail", number)
    return row


def _thumbnail(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "dataset_id": row["dataset"],
        "thumbnail_name": row["name"],
        "mime_type": row["mime_type"],
        "thumbnail_b64str": base64.b64encode(row["image"]).decode(),
    }


def _image(body: Mapping[str, Any]) -> bytes:
    encoded = body.get("thumbnail_b64str")
    location = ("body", "thumbnail_b64str")
    if not isinstance(encoded, str) or not encoded:
        raise invalid(location, "missing", "Field required")
    try:
        image = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(location, "base64", "Input should be standard base64") from None
    if not image:
        raise invalid(location, "base64", "Input should not be empty")
    return image


def digest(image: bytes) -> str:
    """What identifies a picture: the sha256 of its bytes."""
    return hashlib.sha256(image).hexdigest()


def _mime(image: bytes) -> str:
    for magic, mime in _MAGIC.items():
        if image.startswith(magic):
            return mime
    return "application/octet-stream"


# Samples and links.


def link_sample(request: Request) -> Answer:
    """POST or DELETE /datasets/{mfid}/samples/{mfid}."""
    catalog = request.catalog
    with catalog.database.transaction():
        key = dataset_key(catalog, request.names[0])
        sample = catalog.database.one("sample_by_mfid", unique_id=request.names[1])
        if sample is None:
            raise missing("Sample", request.names[1])
        query = "attach_sample" if request.method == "POST" else "detach_sample"
        catalog.database.run(query, dataset=key, sample=sample["id"])
    return answer({"dataset_id": request.names[0], "sample_id": request.names[1]})


def link_child(request: Request, kind: str) -> Answer:
    """POST /{datasets|samples}/{parent}/children/{child}[?relationship_type=]; DELETE takes it back. Safe to repeat."""
    parent, child = request.names
    relationship = request.text("relationship_type")
    if relationship is not None and relationship not in _RELATIONSHIPS:
        raise invalid(("query", "relationship_type"), "enum", f"Input should be one of: {', '.join(_RELATIONSHIPS)}")
    catalog = request.catalog
    with catalog.database.transaction():
        for unique_id in (parent, child):
            if _type(catalog, unique_id) != kind:
                raise missing(kind.capitalize(), unique_id)
        if request.method == "DELETE":
            catalog.database.run("delete_link", parent=parent, child=child)
        else:
            if parent == child or catalog.database.one("is_ancestor", of=parent, candidate=child) is not None:
                raise Refusal(409, "A resource cannot be its own ancestor")
            catalog.database.run("write_link", parent=parent, child=child, relationship=relationship)
    return answer({f"{kind}_id": parent, "children": child, "relationship_type": relationship})


def get_links(request: Request) -> Answer:
    """GET /resources/{mfid}/links."""
    return answer(links_of(request.catalog, known(request.catalog, request.names[0])))


def links_of(catalog: LocalCatalog, unique_id: str) -> list[dict[str, Any]]:
    """What a resource is linked with. `direction`: source = a parent, target = a child, undirected = dataset-sample."""
    database = catalog.database
    links = [
        _link(row["unique_id"], row["type"], row["name"], row["direction"], row["relationship"])
        for row in database.all("read_links", unique_id=unique_id)
        if not row["hidden"]
    ]
    dataset = database.one("read_dataset", unique_id=unique_id)
    if dataset is not None:
        rows = database.all("read_samples", dataset=dataset["id"])
        links += [_link(row["unique_id"], "sample", row["sample_name"], "undirected", None) for row in rows]
    sample = database.one("sample_by_mfid", unique_id=unique_id)
    if sample is not None:
        rows = database.all("linked_datasets_of_sample", sample=sample["id"])
        links += [_link(row["unique_id"], "dataset", row["dataset_name"], "undirected", None) for row in rows]
    return links


def _link(unique_id: str, kind: str, name: str | None, direction: str, relationship: str | None) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "resource_type": kind,
        "name": name,
        "direction": direction,
        "relationship_type": relationship,
    }


def kind_of(catalog: LocalCatalog, unique_id: str) -> str:
    """What kind of thing an id stands for. Raises Refusal 404 if there is none, or it was deleted."""
    kind = _type(catalog, unique_id)
    if kind is None:
        raise missing("Resource", unique_id)
    return kind


def known(catalog: LocalCatalog, unique_id: str) -> str:
    """The id, if it stands for something that was not deleted. Raises Refusal 404."""
    kind_of(catalog, unique_id)
    return unique_id


def _type(catalog: LocalCatalog, unique_id: str) -> str | None:
    row = catalog.database.one("visible_type", unique_id=unique_id)
    return None if row is None else row["type"]


def dataset_key(catalog: LocalCatalog, unique_id: str) -> int:
    """The row of a dataset. Raises Refusal 404."""
    row = catalog.database.one("dataset_key", unique_id=unique_id)
    if row is None:
        raise missing("Dataset", unique_id)
    return int(row["id"])
