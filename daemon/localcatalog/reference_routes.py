"""The API's routes for projects, instruments and samples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import references
from daemon.localcatalog.wire import (
    Answer,
    Refusal,
    Request,
    answer,
    invalid,
    mfid_of,
    missing,
    text_field,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.store.database import Row

_RECORDS: Final[Mapping[str, Callable[[Row], dict[str, Any]]]] = {
    "projects": references.project_record,
    "instruments": references.instrument_record,
    "samples": references.sample_record,
}
_SELECT: Final = {
    "projects": "SELECT t.* FROM projects t",
    "instruments": "SELECT t.* FROM instruments t",
    "samples": "SELECT t.*, p.project_id, p.unique_id AS project_mfid FROM samples t LEFT JOIN projects p ON p.id = t.project",
}
_FILTERS: Final = {
    "projects": {"project_id": "t.project_id", "unique_id": "t.unique_id", "title": "t.title"},
    "instruments": {
        "instrument_id": "t.instrument_id",
        "instrument_name": "t.instrument_name",
        "unique_id": "t.unique_id",
    },
    "samples": {
        "sample_name": "t.sample_name",
        "unique_id": "t.unique_id",
        "project_id": "p.project_id",
        "project_mfid": "p.unique_id",
    },
}
_NAME: Final = {
    "projects": "coalesce(t.title, t.project_id)",
    "instruments": "t.instrument_name",
    "samples": "t.sample_name",
}
_EDITABLE: Final = {
    "projects": ("title", "organization"),
    "instruments": ("instrument_name",),
    "samples": ("sample_name",),
}


def listing(request: Request, kind: str) -> Answer:
    """GET /projects, /instruments, /samples: exact filters, keyset paging, `total` counted."""
    limit = request.limit()
    conditions, values = _conditions(request, kind)
    total = _count(request, kind, conditions, values)
    cursor = request.text("cursor")
    if cursor is not None:
        conditions = [*conditions, "t.unique_id < ?"]
        values = [*values, cursor]
    sql = f"{_SELECT[kind]} WHERE {' AND '.join(conditions)} ORDER BY t.unique_id DESC LIMIT ? OFFSET ?"
    offset = 0 if cursor else request.whole("offset", 0, 0, 2**53)
    rows = request.catalog.database.select(sql, [*values, limit + 1, offset])
    items = [_shown(request, kind, row) for row in rows[:limit]]
    # With a total and no cursor the client pages by offset; a cursor is what this server prefers.
    following = items[-1]["unique_id"] if len(rows) > limit and not offset else None
    return answer({"items": items, "total": total, "next_cursor": following})


def _conditions(request: Request, kind: str) -> tuple[list[str], list[Any]]:
    conditions, values = ["1" if kind != "samples" else "t.hidden = 0"], list[Any]()
    for name, column in _FILTERS[kind].items():
        value = request.text(name)
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    return conditions, values


def _count(request: Request, kind: str, conditions: list[str], values: list[Any]) -> int:
    joined = " LEFT JOIN projects p ON p.id = t.project" if kind == "samples" else ""
    sql = f"SELECT count(*) FROM {kind} t{joined} WHERE {' AND '.join(conditions)}"
    return int(request.catalog.database.select(sql, values)[0][0])


def search(request: Request, kind: str) -> Answer:
    """GET /…/search?q=: names that contain the text, in any case."""
    words = request.text("q") or ""
    pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    hidden = " AND t.hidden = 0" if kind == "samples" else ""
    sql = f"{_SELECT[kind]} WHERE {_NAME[kind]} LIKE ? ESCAPE '\\'{hidden} ORDER BY t.unique_id DESC LIMIT ?"
    rows = request.catalog.reader.select(sql, [pattern, request.limit(20)])
    return answer({"items": [_shown(request, kind, row) for row in rows]})


def find(request: Request, kind: str, reference: str) -> Row:
    """The row of an mfid or, for projects and instruments, of a slug. Raises Refusal 404."""
    slug = {"projects": " OR t.project_id = ?1", "instruments": " OR t.instrument_id = ?1", "samples": ""}[kind]
    rows = request.catalog.database.select(f"{_SELECT[kind]} WHERE t.unique_id = ?1{slug}", [reference])
    if not rows or (kind == "samples" and rows[0]["hidden"]):
        raise missing(kind[:-1].capitalize(), reference)
    return rows[0]


def get(request: Request, kind: str) -> Answer:
    """GET /…/{mfid}."""
    return answer(_shown(request, kind, find(request, kind, request.names[0])))


def create(request: Request, kind: str) -> Answer:
    """POST /projects, /instruments, /samples. 409 if the slug or the id is taken."""
    body = request.json()
    for name, value in body.items():
        if isinstance(value, str):
            text_field(body, name)
    if body.get("unique_id") is not None:
        mfid_of(str(body["unique_id"]), ("body", "unique_id"))
    metadata = body.pop("scientific_metadata", None)
    catalog = request.catalog
    with catalog.database.transaction():
        unique_id = _insert(request, kind, body)
        if isinstance(metadata, dict) and metadata:
            catalog.database.run("write_metadata", unique_id=unique_id, document=json.dumps(metadata))
    return answer(_shown(request, kind, find(request, kind, unique_id)))


def _insert(request: Request, kind: str, body: dict[str, Any]) -> str:
    catalog = request.catalog
    if kind == "samples":
        text_field(body, "sample_name", required=True)
        project = references.project_key(catalog, text_field(body, "project_id"), text_field(body, "project_mfid"))
        key = references.insert_sample(catalog, body, project)
    elif kind == "projects":
        slug = text_field(body, "project_id", required=True)
        if catalog.database.one("project_by_slug", project_id=slug) is not None:
            raise Refusal(409, {"code": "project_id_exists", "message": f"The project {slug} exists."})
        key = references.insert_project(catalog, body)
    else:
        slug = text_field(body, "instrument_id", required=True)
        if catalog.database.one("instrument_by_slug", instrument_id=slug) is not None:
            raise Refusal(409, {"code": "instrument_id_exists", "message": f"The instrument {slug} exists."})
        key = references.insert_instrument(catalog, body)
    return str(catalog.database.select(f"SELECT unique_id FROM {kind} WHERE id = ?", [key])[0][0])


def update(request: Request, kind: str) -> Answer:
    """PATCH /…/{mfid}: the name and whatever else describes it; ids never change."""
    body = request.json()
    fixed = {"unique_id", "project_id", "instrument_id", "project_mfid", "creation_time", "modification_time"}
    for name in body:
        if name in fixed and body[name] is not None:
            raise invalid(("body", name), "extra_forbidden", "This cannot be changed here")
    row = find(request, kind, request.names[0])
    columns = _EDITABLE[kind]
    details = json.loads(row["details"])
    details.update({name: value for name, value in body.items() if name not in columns and name not in fixed})
    changed = {name: text_field(body, name) for name in columns if body.get(name) is not None}
    assignments = ", ".join(f"{name} = ?" for name in ("details", "modification_time", *changed))
    values = [json.dumps(details), request.catalog.now(), *changed.values(), row["id"]]
    with request.catalog.database.transaction():
        request.catalog.database.select(f"UPDATE {kind} SET {assignments} WHERE id = ?", values)
    return get(request, kind)


def _shown(request: Request, kind: str, row: Row) -> dict[str, Any]:
    record = _RECORDS[kind](row)
    if request.flag("include_metadata"):
        found = request.catalog.database.one("read_metadata", unique_id=record["unique_id"])
        record["scientific_metadata"] = json.loads(found["document"]) if found else None
    return record


def by_ids(request: Request, kind: str, unique_ids: list[str]) -> list[dict[str, Any]]:
    """The records of the given ids, in their order."""
    rows = [request.catalog.database.select(f"{_SELECT[kind]} WHERE t.unique_id = ?", [name]) for name in unique_ids]
    return [_shown(request, kind, row[0]) for row in rows if row]
