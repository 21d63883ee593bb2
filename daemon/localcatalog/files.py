"""The API's routes for file records and their download links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from daemon.localcatalog import content, signing
from daemon.localcatalog.describing import dataset_key
from daemon.localcatalog.references import fresh_mfid
from daemon.localcatalog.wire import (
    Answer,
    Refusal,
    Request,
    answer,
    checked_text,
    invalid,
    missing,
    sha256_field,
    text_field,
    unknown_fields,
    whole_field,
)

if TYPE_CHECKING:
    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

_NAME_BYTES: Final = 1024
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")
_FIELDS: Final = frozenset({"filename", "storage_backend", "size", "sha256_hash", "access_note", "storage_path"})
STORED: Final = "gcs"
"""The backend name of content that the catalog holds itself. Crucible's clients download only what is called so."""


def record(row: Row) -> dict[str, Any]:
    """A file as the API shows it."""
    return {
        "mfid": row["mfid"],
        "dataset_mfid": row["dataset_mfid"],
        "filename": row["filename"],
        "size": row["size"],
        "sha256_hash": row["sha256"],
        "crc32c": row["crc32c"],
        "storage_backend": row["storage_backend"],
        "storage_path": row["storage_path"],
        "access_note": row["access_note"],
        "etag": row["etag"],
        "creation_time": row["creation_time"],
    }


def stored_path(dataset: str, mfid: str) -> str:
    """What `storage_path` says of content that the catalog holds; clients expect bucket/dataset/object."""
    return f"local-catalog/{dataset}/_files/{mfid}"


def filename_of(body: dict[str, Any]) -> str:
    """A file name, relative folders allowed. Raises Refusal 422 for one that could lead out of a download folder."""
    name = text_field(body, "filename", required=True) or ""
    wrong = name.startswith("/") or any(part in {"", ".", ".."} for part in name.split("/"))
    if wrong or len(name.encode()) > _NAME_BYTES:
        message = f"Input should be a relative path without . and .. of at most {_NAME_BYTES} bytes"
        raise invalid(("body", "filename"), "filename", message)
    return name


def list_all(request: Request) -> Answer:
    """GET /files[?sha256_hash=]: newest first, keyset paging."""
    request.only({"sha256_hash", "limit", "cursor", "offset", "filename", "dataset_mfid"})
    conditions, values = ["d.hidden = 0"], list[Any]()
    for name, column in (("sha256_hash", "f.sha256"), ("filename", "f.filename"), ("dataset_mfid", "d.unique_id")):
        value = request.text(name)
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    limit, cursor = request.limit(), request.text("cursor")
    if cursor is not None:
        conditions.append("f.mfid < ?")
        values.append(cursor)
    rows = request.catalog.reader.select(
        "SELECT f.*, d.unique_id AS dataset_mfid FROM files f JOIN datasets d ON d.id = f.dataset "
        f"WHERE {' AND '.join(conditions)} ORDER BY f.mfid DESC LIMIT ?",
        [*values, limit + 1],
    )
    following = rows[limit - 1]["mfid"] if len(rows) > limit else None
    return answer({"items": [record(row) for row in rows[:limit]], "total": None, "next_cursor": following})


def list_of_dataset(request: Request) -> Answer:
    """GET /datasets/{mfid}/files."""
    key = dataset_key(request.catalog, request.names[0])
    return answer([record(row) for row in request.catalog.database.all("files_of_dataset", dataset=key)])


def get(request: Request) -> Answer:
    """GET /files/{mfid}."""
    return answer(record(find(request.catalog, request.names[0])))


def find(catalog: LocalCatalog, mfid: str) -> Row:
    """A file's row. Raises Refusal 404."""
    row = catalog.database.one("file_by_mfid", mfid=mfid)
    if row is None:
        raise missing("File", mfid)
    return row


def create(request: Request) -> Answer:
    """POST /datasets/{mfid}/files: catalogue a file that lies elsewhere."""
    body = request.json()
    unknown_fields(body, _FIELDS)
    backend = text_field(body, "storage_backend", required=True)
    if backend == STORED:
        raise invalid(("body", "storage_backend"), "value_error", "Stored content is assigned by the upload API")
    catalog = request.catalog
    with catalog.database.transaction():
        key = dataset_key(catalog, request.names[0])
        name = filename_of(body)
        taken = catalog.database.one("file_by_name", dataset=key, filename=name)
        if taken is not None:
            raise filename_exists(taken)
        mfid = fresh_mfid(catalog)
        catalog.database.run(
            "insert_file",
            mfid=mfid,
            dataset=key,
            filename=name,
            size=whole_field(body, "size") if body.get("size") is not None else None,
            sha256=sha256_field(body) if body.get("sha256_hash") is not None else None,
            crc32c=None,
            etag=f'"{mfid}"',
            storage_backend=backend,
            storage_path=text_field(body, "storage_path"),
            access_note=text_field(body, "access_note"),
            content=None,
            now=catalog.now(),
        )
        return answer(record(find(catalog, mfid)))


def filename_exists(row: Row) -> Refusal:
    """The refusal for a name that the dataset has already, with other content."""
    detail = {
        "code": "filename_exists",
        "message": f"The dataset has a file {row['filename']} with other content already.",
        "file_mfid": row["mfid"],
        "etag": row["etag"],
    }
    return Refusal(409, detail)


def update(request: Request) -> Answer:
    """PATCH /files/{mfid}: of stored content only `access_note`; the rest is determined by the stored object (422)."""
    body = request.json()
    unknown_fields(body, _FIELDS)
    catalog = request.catalog
    with catalog.database.transaction():
        row = find(catalog, request.names[0])
        if row["content"] is not None:
            for name in body:
                if name != "access_note":
                    raise invalid(("body", name), "value_error", "This is determined by the stored object")
        values = {name: row[name] for name in ("storage_path", "access_note", "storage_backend", "filename")}
        values.update({name: text_field(body, name) for name in ("storage_path", "access_note") if name in body})
        if body.get("storage_backend") == STORED:
            raise invalid(("body", "storage_backend"), "value_error", "This is assigned by the upload API")
        if body.get("storage_backend") is not None:
            values["storage_backend"] = text_field(body, "storage_backend")
        if body.get("filename") is not None:
            values["filename"] = filename_of(body)
        size = whole_field(body, "size") if body.get("size") is not None else row["size"]
        sha256 = sha256_field(body) if body.get("sha256_hash") is not None else row["sha256"]
        catalog.database.run("change_file", id=row["id"], size=size, sha256=sha256, **values)
        return answer(record(find(catalog, row["mfid"])))


def delete(request: Request) -> Answer:
    """DELETE /files/{mfid}: the record, then its content."""
    catalog = request.catalog
    with catalog.database.transaction():
        row = find(catalog, request.names[0])
        if row["content"] is not None:
            catalog.database.run("discard", content=row["content"])
        catalog.database.run("delete_file", id=row["id"])
    content.empty_discarded(catalog)
    return answer({"detail": "The file was deleted", "mfid": row["mfid"]})


def download_link(request: Request) -> Answer:
    """GET /files/{mfid}/download_link[?disposition=inline]: {"url"}, good for an hour. 404 without content."""
    row = find(request.catalog, request.names[0])
    if row["content"] is None:
        raise Refusal(404, f"File {row['mfid']} is catalogued, but its content is not stored here")
    return answer({"url": _link(request, row)})


def download_links(request: Request) -> Answer:
    """GET /datasets/{mfid}/download_links: {file mfid: url, or null for a file that is only catalogued}."""
    key = dataset_key(request.catalog, request.names[0])
    rows = request.catalog.database.all("files_of_dataset", dataset=key)
    return answer({row["mfid"]: _link(request, row) if row["content"] else None for row in rows})


def _link(request: Request, row: Row) -> str:
    disposition = request.text("disposition") or "attachment"
    if disposition not in {"attachment", "inline"}:
        raise invalid(("query", "disposition"), "enum", "Input should be attachment or inline")
    path, _ = signing.sign(request.catalog, f"/download/{row['mfid']}", {"disposition": disposition})
    return request.origin + path


def disposition(filename: str, *, inline: bool) -> str:
    """A Content-Disposition header for a file name of any characters (RFC 6266)."""
    name = checked_text(filename.rsplit("/", 1)[-1], ("path",))
    plain = _UNSAFE.sub("_", name).encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
