"""GET /datasets and its relatives: the accepted filters, keyset paging, facets, search, `include_…` flags."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import describing, search
from daemon.localcatalog import reading as pages
from daemon.localcatalog.wire import Request, checked_text, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.store.database import Row

    Show = Callable[[Row], dict[str, Any]]

_EXACT: Final = {
    "unique_id": "d.unique_id = ?",
    "dataset_name": "d.dataset_name = ?",
    "session_name": "d.session_name = ?",
    "measurement": "d.measurement = ?",
    "data_type": "d.data_type = ?",
    "data_format": "d.data_format = ?",
    "timestamp": "d.timestamp = ?",
    "size": "d.size = CAST(? AS INTEGER)",
    "owner_id": "d.owner = ?",
    "owner_orcid": "d.owner = ?",
    "instrument_mfid": "d.instrument = (SELECT id FROM instruments WHERE unique_id = ?)",
    "instrument_id": "d.instrument = (SELECT id FROM instruments WHERE instrument_id = ?)",
    "instrument_name": "d.instrument IN (SELECT id FROM instruments WHERE instrument_name = ?)",
    "project_id": "d.project = (SELECT id FROM projects WHERE project_id = ?)",
    "project_mfid": "d.project = (SELECT id FROM projects WHERE unique_id = ?)",
    "sample_mfid": "d.id IN (SELECT ds.dataset FROM dataset_samples ds JOIN samples s ON s.id = ds.sample"
    " WHERE s.unique_id = ?)",
    "creation_time_gte": "d.creation_time >= ?",
    "creation_time_lte": "d.creation_time <= ?",
    "modification_time_gte": "d.modification_time >= ?",
    "modification_time_lte": "d.modification_time <= ?",
}
_NULLS: Final = {
    "session_name_is_null": "d.session_name",
    "measurement_is_null": "d.measurement",
    "data_format_is_null": "d.data_format",
    "instrument_mfid_is_null": "d.instrument",
    "project_mfid_is_null": "d.project",
    "owner_id_is_null": "d.owner",
}
_KEYWORD: Final = (
    "d.id IN (SELECT dk.dataset FROM dataset_keywords dk JOIN keywords k ON k.id = dk.keyword"
    " WHERE k.keyword LIKE ? ESCAPE '\\')"
)
_TIMES: Final = frozenset(name for name in _EXACT if name.endswith(("_gte", "_lte")))
_IGNORED: Final = frozenset(
    {"project_scope", "affiliation", "accessible_to_user", "accessible_to_project", "anchor_mfid", "offset"}
)
_INCLUDES: Final = frozenset({"include_metadata", "include_links", "include_owner"})
_FILTERS: Final = frozenset(_EXACT) | frozenset(_NULLS) | _IGNORED | {"keyword", "public", "visibility"}
_PAGING: Final = frozenset({"limit", "cursor", "sort", "direction", "include_total"})
_SORTS: Final = {"created": "d.creation_time", "updated": "d.modification_time", "name": "coalesce(d.dataset_name, '')"}
_FACET_SORTS: Final = {"value": "value", "label": "value", "count": "count"}
_SELECT: Final = """SELECT d.*, p.project_id, p.unique_id AS project_mfid, p.title AS project_title,
  i.instrument_id, i.unique_id AS instrument_mfid, i.instrument_name
FROM datasets d LEFT JOIN projects p ON p.id = d.project LEFT JOIN instruments i ON i.id = d.instrument"""


def page(request: Request, show: Show) -> dict[str, Any]:
    """One page of GET /datasets. `total` is counted when `include_total` asks for it, or on the first page."""
    request.only(_FILTERS | _PAGING | _INCLUDES)
    limit = request.limit()
    conditions, values = where(request)
    total = None
    if request.flag("include_total") or (not request.text("cursor") and request.text("include_total") is None):
        sql = f"SELECT count(*) FROM datasets d WHERE {' AND '.join(conditions)}"
        total = int(request.catalog.reader.select(sql, values)[0][0])
    column, direction = _order(request)
    cursor = request.text("cursor")
    compare = "<" if direction == "DESC" else ">"
    if cursor is not None:
        last = _decoded(cursor)
        conditions = [*conditions, f"({column}, d.unique_id) {compare} (?, ?)"]
        values = [*values, *last]
    order = f"{column} {direction}, d.unique_id {direction}" if column != "d.unique_id" else f"d.unique_id {direction}"
    sql = f"{_SELECT.replace('SELECT d.*', f'SELECT {column} AS sorted, d.*')} WHERE {' AND '.join(conditions)}"
    rows = request.catalog.reader.select(f"{sql} ORDER BY {order} LIMIT ?", [*values, limit + 1])
    items = [expanded(request, row, show(row)) for row in rows[:limit]]
    following = _encoded(rows[limit - 1]) if len(rows) > limit else None
    return {"items": items, "total": total, "limit": limit, "next_cursor": following}


def _order(request: Request) -> tuple[str, str]:
    sort, direction = request.text("sort"), request.text("direction")
    if sort is None and direction is not None:
        raise invalid(("query", "direction"), "value_error", "direction needs sort")
    if sort is None:
        return "d.unique_id", "DESC"
    if sort not in _SORTS:
        raise invalid(("query", "sort"), "enum", f"Input should be one of: {', '.join(_SORTS)}")
    if direction not in {None, "asc", "desc"}:
        raise invalid(("query", "direction"), "enum", "Input should be asc or desc")
    return _SORTS[sort], "ASC" if direction == "asc" or (direction is None and sort == "name") else "DESC"


def _encoded(row: Row) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["sorted"], row["unique_id"]]).encode()).decode()


def _decoded(cursor: str) -> list[str]:
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        value = None
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value)):  # noqa: PLR2004 a pair
        raise invalid(("query", "cursor"), "value_error", "This is no cursor of this catalog")
    return value


def where(request: Request) -> tuple[list[str], list[Any]]:
    """The conditions that the query parameters stand for, and their values. Raises Refusal 422."""
    conditions, values = ["d.hidden = 0"], list[Any]()
    for name, condition in _EXACT.items():
        value = request.text(name)
        if value is not None:
            conditions.append(condition)
            values.append(_time(name, value) if name in _TIMES else value)
    for name, column in _NULLS.items():
        if request.text(name) is not None:
            conditions.append(f"{column} IS {'' if request.flag(name) else 'NOT '}NULL")
    for keyword in request.query.get("keyword", ()):
        conditions.append(_KEYWORD)
        escaped = keyword.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values.append(f"%{escaped}%")
    visibility = request.text("visibility")
    if visibility not in {None, "all", "public", "private"}:
        raise invalid(("query", "visibility"), "enum", "Input should be all, public or private")
    if visibility in {"public", "private"} or request.text("public") is not None:
        conditions.append("d.public = ?")
        values.append(int(visibility == "public" if visibility in {"public", "private"} else request.flag("public")))
    return conditions, values


def _time(name: str, value: str) -> str:
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(("query", name), "datetime_parsing", "Input should be an ISO 8601 time with its offset")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def facets(request: Request) -> dict[str, Any]:
    """GET /datasets/facets: buckets {value, label, count}; owners, projects and instruments carry a reference."""
    request.only(_FILTERS | {"field", "limit", "sort", "direction", "cursor"})
    field = request.text("field") or ""
    if field not in pages.FACETS:
        raise invalid(("query", "field"), "enum", f"Input should be one of: {', '.join(pages.FACETS)}")
    conditions, values = where(request)
    limit, column = request.limit(), pages.FACETS[field]
    shown = {"instrument": "i.unique_id", "project": "p.unique_id"}.get(field, column)
    label = {"instrument": "i.instrument_name", "project": "coalesce(p.title, p.project_id)"}.get(field, column)
    sort = _FACET_SORTS.get(request.text("sort") or "value", "value")
    direction = "DESC" if request.text("direction") == "desc" else "ASC"
    offset = request.whole("cursor", 0, 0, 2**53)
    joins = "LEFT JOIN projects p ON p.id = d.project LEFT JOIN instruments i ON i.id = d.instrument"
    rows = request.catalog.reader.select(
        f"SELECT {shown} AS value, {label} AS label, count(*) AS count FROM datasets d {joins} "
        f"WHERE {' AND '.join(conditions)} GROUP BY {column} ORDER BY {sort} {direction}, value LIMIT ? OFFSET ?",
        [*values, limit + 1, offset],
    )
    items = [{"value": row["value"], "label": row["label"], "count": row["count"]} for row in rows[:limit]]
    following = str(offset + limit) if len(rows) > limit else None
    return {"field": field, "items": items, "limit": limit, "next_cursor": following}


def search_text(request: Request) -> list[Row]:
    """The datasets that match `q`, newest first."""
    request.only({"q", "limit", "project_id", "project_mfid"} | _INCLUDES)
    text = checked_text(request.text("q") or "", ("query", "q"))
    expression = search.match_expression(text)
    if expression is None:
        return []
    search.refresh(request.catalog)
    conditions, values = where(request)
    sql = f"{_SELECT} WHERE {' AND '.join(conditions)} AND d.id IN (SELECT rowid FROM search WHERE search MATCH ?)"
    return request.catalog.reader.select(
        f"{sql} ORDER BY d.unique_id DESC LIMIT ?", [*values, expression, request.limit(20)]
    )


def search_datasets(request: Request, show: Show) -> dict[str, Any]:
    """GET /datasets/search."""
    return {"items": [expanded(request, row, show(row)) for row in search_text(request)]}


def search_metadata(request: Request) -> dict[str, Any]:
    """GET /resources/metadata/search: the same index, shown as resources with their metadata."""
    items = [
        {
            "unique_id": row["unique_id"],
            "resource_type": "dataset",
            "name": row["dataset_name"],
            "owner_orcid": row["owner"],
            "creation_time": row["creation_time"],
            "modification_time": row["modification_time"],
            "rank": 1.0,
            "scientific_metadata": describing.stored_metadata(request.catalog, row["unique_id"]),
        }
        for row in search_text(request)
    ]
    return {"items": items, "total": len(items), "next_cursor": None}


def expanded(request: Request, row: Row, record: dict[str, Any]) -> dict[str, Any]:
    """Add what the `include_…` flags ask for."""
    if request.flag("include_metadata"):
        record["scientific_metadata"] = describing.stored_metadata(request.catalog, row["unique_id"])
    if request.flag("include_links"):
        record["links"] = describing.links_of(request.catalog, row["unique_id"])
    if request.flag("include_owner"):
        owner = row["owner"]
        record["owner"] = {"unique_id": owner, "username": None, "first_name": owner, "last_name": ""}
    return record


def linked(request: Request, direction: str, show: Show) -> dict[str, Any]:
    """GET /datasets/{mfid}/parents or /children: a page of datasets."""
    near, far = ("child", "parent") if direction == "parents" else ("parent", "child")
    conditions = [f"l.{near} = ?", "d.hidden = 0"]
    values: list[Any] = [request.names[0]]
    if request.text("relationship_type"):
        conditions.append("l.relationship = ?")
        values.append(request.text("relationship_type"))
    cursor, limit = request.text("cursor"), request.limit()
    if cursor:
        conditions.append("d.unique_id < ?")
        values.append(cursor)
    sql = f"{_SELECT} JOIN links l ON l.{far} = d.unique_id WHERE {' AND '.join(conditions)}"
    rows = request.catalog.reader.select(f"{sql} ORDER BY d.unique_id DESC LIMIT ?", [*values, limit + 1])
    items: list[Mapping[str, Any]] = [expanded(request, row, show(row)) for row in rows[:limit]]
    following = rows[limit - 1]["unique_id"] if len(rows) > limit else None
    return {"items": items, "total": None, "next_cursor": following}
