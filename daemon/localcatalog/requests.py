"""The API's routes for ingestion requests and deletion requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import files
from daemon.localcatalog.describing import known
from daemon.localcatalog.wire import Answer, Refusal, Request, answer, invalid, missing, text_field

if TYPE_CHECKING:
    from daemon.store.database import Row

REQUESTED: Final = "requested"
NOT_REQUESTED: Final = "not_requested"
_INTEGER_DIGITS: Final = 18


def request_ingestion(request: Request) -> Answer:
    """POST /files/{mfid}/ingest?status=requested|not_requested[&ingestion_class=]: {id, status, …}."""
    status = request.text("status") or REQUESTED
    if status not in {REQUESTED, NOT_REQUESTED}:
        raise invalid(("query", "status"), "enum", f"Input should be {REQUESTED} or {NOT_REQUESTED}")
    catalog = request.catalog
    with catalog.database.transaction():
        row = files.find(catalog, request.names[0])
        key = catalog.database.insert(
            "insert_request",
            file=row["id"],
            status=status,
            **{"class": request.text("ingestion_class")},
            now=catalog.now(),
        )
    return answer(_ingestion(_find(request, str(key))))


def get_ingestion(request: Request) -> Answer:
    """GET /ingestion_requests/{id}."""
    return answer(_ingestion(_find(request, request.names[0])))


def list_ingestions(request: Request) -> Answer:
    """GET /ingestion_requests?dataset_mfid=&file_mfid=&status=: newest first."""
    conditions, values = ["1"], list[Any]()
    for name, column in (("dataset_mfid", "d.unique_id"), ("file_mfid", "f.mfid"), ("status", "r.status")):
        value = request.text(name)
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    limit = request.limit()
    cursor = request.whole("cursor", 2**53, 0, 2**53)
    rows = request.catalog.database.select(
        "SELECT r.*, f.mfid AS file_mfid, d.unique_id AS dataset_mfid FROM ingestion_requests r "
        "JOIN files f ON f.id = r.file JOIN datasets d ON d.id = f.dataset "
        f"WHERE {' AND '.join(conditions)} AND r.id < ? ORDER BY r.id DESC LIMIT ?",
        [*values, cursor, limit + 1],
    )
    following = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    return answer({"items": [_ingestion(row) for row in rows[:limit]], "total": None, "next_cursor": following})


def change_ingestion(request: Request) -> Answer:
    """PATCH /ingestion_requests/{id}: what a worker reports."""
    body = request.json()
    status = text_field(body, "status", required=True)
    with request.catalog.database.transaction():
        row = _find(request, request.names[0])
        request.catalog.database.run(
            "change_request",
            id=row["id"],
            status=status,
            **{"class": text_field(body, "ingestion_class")},
            githash=text_field(body, "ingestion_githash"),
            completed=text_field(body, "time_completed"),
        )
    return answer(_ingestion(_find(request, request.names[0])))


def _find(request: Request, number: str) -> Row:
    row = request.catalog.database.one("request", id=_integer(number))
    if row is None:
        raise missing("Ingestion request", number)
    return row


def _ingestion(row: Row) -> dict[str, Any]:
    names = ("id", "status", "file_mfid", "dataset_mfid", "ingestion_class", "ingestor", "ingestion_githash", "message")
    return {name: row[name] for name in (*names, "time_requested", "time_started", "time_completed")}


def request_deletion(request: Request) -> Answer:
    """POST /resources/{mfid}/delete?reason=: hidden at once, kept until a person decides. Asking again changes nothing."""
    catalog, unique_id = request.catalog, request.names[0]
    with catalog.database.transaction():
        pending = catalog.database.one("pending_deletion", resource=unique_id)
        if pending is None:
            known(catalog, unique_id)
            _hide(request, unique_id, hidden=True)
            key = catalog.database.insert(
                "insert_deletion", resource=unique_id, reason=request.text("reason"), now=catalog.now()
            )
        else:
            key = pending["id"]
        row = catalog.database.one("deletion", id=key)
    return answer(_deletion(row) if row else None)


def list_deletions(request: Request) -> Answer:
    """GET /deletion_requests[?status=]."""
    limit, after = request.limit(), request.whole("cursor", 0, 0, 2**53)
    rows = request.catalog.database.all("deletions", status=request.text("status"), after=after, limit=limit + 1)
    following = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    return answer({"items": [_deletion(row) for row in rows[:limit]], "total": None, "next_cursor": following})


def get_deletion(request: Request) -> Answer:
    """GET /deletion_requests/{id}."""
    return answer(_deletion(_find_deletion(request)))


def review_deletion(request: Request) -> Answer:
    """PATCH /deletion_requests/{id}?status=approved|rejected: a rejected one is shown again, an approved one stays hidden."""
    status = request.text("status")
    if status not in {"approved", "rejected"}:
        raise invalid(("query", "status"), "enum", "Input should be approved or rejected")
    catalog = request.catalog
    with catalog.database.transaction():
        row = _find_deletion(request)
        if row["status"] != "pending":
            raise Refusal(409, f"This deletion request was {row['status']} already")
        _hide(request, row["resource_id"], hidden=status == "approved")
        notes = request.text("reviewer_notes")
        catalog.database.run("review_deletion", id=row["id"], status=status, notes=notes, now=catalog.now())
    return answer(_deletion(_find_deletion(request)))


def _find_deletion(request: Request) -> Row:
    row = request.catalog.database.one("deletion", id=_integer(request.names[0]))
    if row is None:
        raise missing("Deletion request", request.names[0])
    return row


def _hide(request: Request, unique_id: str, *, hidden: bool) -> None:
    for query in ("hide_dataset", "hide_sample"):
        request.catalog.database.run(query, unique_id=unique_id, hidden=int(hidden), now=request.catalog.now())


def _deletion(row: Row) -> dict[str, Any]:
    names = ("id", "resource_id", "project_id", "project_mfid", "reason", "status", "request_time", "review_time")
    return {
        **{name: row[name] for name in names},
        "resource_type": row["type"],
        "resource_name": row["name"],
        "reviewer_notes": row["reviewer_notes"],
    }


def _integer(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _INTEGER_DIGITS else -1
