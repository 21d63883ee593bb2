"""The API's routes for dataset records: create, get, list, facets, change, search."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import listing, references
from daemon.localcatalog.wire import (
    Answer,
    Refusal,
    Request,
    answer,
    checked_text,
    invalid,
    mfid_of,
    missing,
    text_field,
    unknown_fields,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

TEXT_ATTRIBUTES: Final = ("dataset_name", "measurement", "data_type", "data_format", "session_name", "timestamp")
_RESPONSE_ONLY: Final = frozenset(
    {"instrument", "project", "capabilities", "resource_type", "creation_time", "modification_time", "size", "links"}
    | {"project_relation", "deletion_request"}
)
_SELECTORS: Final = frozenset(
    {"project_id", "project_mfid", "instrument_id", "instrument_mfid", "instrument_name", "owner", "owner_orcid"}
)
_CREATE: Final = (
    frozenset(TEXT_ATTRIBUTES) | _RESPONSE_ONLY | _SELECTORS | {"unique_id", "public", "scientific_metadata"}
)


def create(request: Request) -> Answer:
    """POST /datasets. The client chooses `unique_id`, or one is made; an id that is taken is 409.

    Projects and instruments that nobody registered are registered on the fly (see `references`).
    """
    body = request.json()
    unknown_fields(body, _CREATE)
    unique_id = body.get("unique_id")
    if unique_id is not None:
        mfid_of(str(unique_id), ("body", "unique_id"))
    public, metadata = body.get("public"), body.get("scientific_metadata")
    if public is not None and not isinstance(public, bool):
        raise invalid(("body", "public"), "bool_type", "Input should be a valid boolean")
    if metadata is not None and not isinstance(metadata, dict):
        raise invalid(("body", "scientific_metadata"), "dict_type", "Input should be a valid JSON object")
    texts = {name: text_field(body, name) for name in (*TEXT_ATTRIBUTES, *_SELECTORS)}
    with request.catalog.database.transaction():
        _refuse_taken(request.catalog, unique_id)
        unique_id = insert(request.catalog, unique_id, texts, public=bool(public))
        if metadata:
            request.catalog.database.run("write_metadata", unique_id=unique_id, document=json.dumps(metadata))
        return answer(record(visible(request.catalog, unique_id)))


def _refuse_taken(catalog: LocalCatalog, unique_id: str | None) -> None:
    if unique_id is None or catalog.database.one("resource_type", unique_id=unique_id) is None:
        return
    row = catalog.database.one("read_dataset", unique_id=unique_id)
    what = f"Dataset {unique_id} exists already" if row is not None else f"{unique_id} is the id of something else"
    if row is not None and row["hidden"]:
        what += ", and its deletion was requested"
    raise Refusal(409, {"code": "unique_id_exists", "message": f"{what}.", "unique_id": unique_id})


def insert(catalog: LocalCatalog, unique_id: str | None, texts: Mapping[str, str | None], *, public: bool) -> str:
    """Add a dataset with these attributes and selectors, all of them provided; its id. Within a transaction."""
    project = references.project_key(catalog, texts.get("project_id"), texts.get("project_mfid"))
    instrument = references.instrument_key(
        catalog, texts.get("instrument_id"), texts.get("instrument_mfid"), texts.get("instrument_name")
    )
    provided = [name for name in TEXT_ATTRIBUTES if texts.get(name) is not None]
    provided += ["project_id"] if project is not None else []
    provided += ["instrument_name"] if instrument is not None else []
    chosen = references.register(catalog, "dataset", unique_id)
    catalog.database.insert(
        "insert_dataset",
        unique_id=chosen,
        **{name: texts.get(name) for name in TEXT_ATTRIBUTES},
        project=project,
        instrument=instrument,
        owner=texts.get("owner") or texts.get("owner_orcid") or account_id(catalog),
        public=int(public),
        provided=json.dumps(provided),
        now=catalog.now(),
    )
    return chosen


def get(request: Request) -> Answer:
    """GET /datasets/{mfid}, with `include_metadata`, `include_links`, `include_owner`."""
    row = visible(request.catalog, request.names[0])
    return answer(listing.expanded(request, row, record(row)))


def list_all(request: Request) -> Answer:
    """GET /datasets: exact filters, keyset paging by `unique_id` downwards; unknown parameters are 422."""
    return answer(listing.page(request, record))


def facets(request: Request) -> Answer:
    """GET /datasets/facets?field=: the values of one field with their counts."""
    return answer(listing.facets(request))


def search(request: Request) -> Answer:
    """GET /datasets/search?q=: full text (names, measurement, session, instrument, keywords, metadata), newest first."""
    return answer(listing.search_datasets(request, record))


def update(request: Request) -> Answer:
    """PATCH /datasets/{mfid}. What belongs to routes of its own (owner, project, instrument) is 422 here."""
    body = request.json()
    row = visible(request.catalog, request.names[0])
    same = {
        "instrument_id": row["instrument_id"],
        "instrument_name": row["instrument_name"],
        "unique_id": row["unique_id"],
    }
    body = {name: value for name, value in body.items() if not (name in same and value in {None, same[name]})}
    unknown_fields(body, (*TEXT_ATTRIBUTES, "public"))
    values: dict[str, Any] = {}
    for name in TEXT_ATTRIBUTES:
        if name in body:
            values[name] = text_field(body, name)
    if body.get("public") is not None:
        if not isinstance(body["public"], bool):
            raise invalid(("body", "public"), "bool_type", "Input should be a valid boolean")
        values["public"] = int(body["public"])
    with request.catalog.database.transaction():
        change(request.catalog, row, values, provided=[name for name in TEXT_ATTRIBUTES if values.get(name)])
        return answer(record(visible(request.catalog, row["unique_id"])))


def change(catalog: LocalCatalog, row: Row, values: dict[str, Any], provided: list[str]) -> None:
    """Set columns of a dataset, and remember which attributes a person or program provided. Within a transaction."""
    if not values:
        return
    names = json.loads(row["provided"])
    names += [name for name in provided if name not in names]
    assignments = ", ".join(f"{name} = ?" for name in values)
    catalog.database.select(
        f"UPDATE datasets SET {assignments}, provided = ?, modification_time = ? WHERE id = ?",
        [*values.values(), json.dumps(names), catalog.now(), row["id"]],
    )


def set_instrument(request: Request) -> Answer:
    """PUT /datasets/{mfid}/instrument {"instrument_id" | "instrument_mfid"}."""
    body = request.json()
    unknown_fields(body, ("instrument_id", "instrument_mfid"))
    catalog = request.catalog
    with catalog.database.transaction():
        row = visible(catalog, request.names[0])
        key = references.instrument_key(
            catalog, text_field(body, "instrument_id"), text_field(body, "instrument_mfid"), None
        )
        if key is None:
            raise invalid(("body", "instrument_id"), "missing", "Field required")
        change(catalog, row, {"instrument": key}, ["instrument_name"])
        after = record(visible(catalog, row["unique_id"]))
    before = record(row)
    return answer(
        {
            "dataset_mfid": row["unique_id"],
            "previous_instrument": before["instrument"],
            "previous_instrument_name": before["instrument_name"],
            "instrument": after["instrument"],
        }
    )


def set_project(request: Request) -> Answer:
    """POST /resources/{mfid}/project {"project_id" | "project_mfid"}: move a dataset to another project."""
    body, catalog = request.json(), request.catalog
    slug = text_field(body, "project_id") or text_field(body, "new_project_id")
    unique_id = text_field(body, "project_mfid") or text_field(body, "new_project_mfid")
    with catalog.database.transaction():
        row = visible(catalog, request.names[0])
        key = references.project_key(catalog, slug, unique_id)
        if key is None:
            raise invalid(("body", "project_id"), "missing", "Field required")
        change(catalog, row, {"project": key}, ["project_id"])
        after = visible(catalog, row["unique_id"])
    return answer(
        {
            "resource_id": row["unique_id"],
            "resource_mfid": row["unique_id"],
            "previous_project_id": row["project_id"],
            "previous_project_mfid": row["project_mfid"],
            "new_project_id": after["project_id"],
            "new_project_mfid": after["project_mfid"],
        }
    )


def transfer(request: Request) -> Answer:
    """POST /resources/{mfid}/transfer_ownership {"new_owner"}."""
    new_owner = text_field(request.json(), "new_owner", required=True) or ""
    with request.catalog.database.transaction():
        row = visible(request.catalog, request.names[0])
        change(request.catalog, row, {"owner": new_owner}, [])
    return answer(
        {"resource_id": row["unique_id"], "previous_owner": person(row["owner"]), "new_owner": person(new_owner)}
    )


def set_public(request: Request) -> Answer:
    """PUT or DELETE /resources/{mfid}/access/public."""
    public = request.method == "PUT"
    with request.catalog.database.transaction():
        row = visible(request.catalog, request.names[0])
        change(request.catalog, row, {"public": int(public)}, [])
    grant = {"principal_id": "public", "principal_type": "public", "permission": "viewer", "display_name": "Everyone"}
    return answer(grant if public else {"detail": "Public access was revoked."})


def visible(catalog: LocalCatalog, unique_id: str) -> Row:
    """The dataset's row. Raises Refusal 404 if there is none, or if its deletion was requested."""
    row = catalog.database.one("read_dataset", unique_id=checked_text(unique_id, ("path", "mfid")))
    if row is None or row["hidden"]:
        raise missing("Dataset", unique_id)
    return row


def record(row: Row) -> dict[str, Any]:
    """A dataset as the API shows it."""
    instrument = project = None
    if row["instrument"] is not None:
        names = ("instrument_id", "instrument_name")
        instrument = {"unique_id": row["instrument_mfid"], **{name: row[name] for name in names}}
    if row["project"] is not None:
        project = {
            "unique_id": row["project_mfid"],
            "project_id": row["project_id"],
            "title": row["project_title"],
        }
    columns = (*TEXT_ATTRIBUTES, "project_id", "project_mfid", "instrument_id", "instrument_mfid", "instrument_name")
    return {
        "unique_id": row["unique_id"],
        "public": bool(row["public"]),
        **{name: row[name] for name in columns},
        "instrument": instrument,
        "project": project,
        "owner_orcid": row["owner"],
        "size": row["size"],
        "creation_time": row["creation_time"],
        "modification_time": row["modification_time"],
        "resource_type": "dataset",
    }


def person(owner: str) -> dict[str, Any]:
    """An owner as the API shows people; an embedded catalog knows no more than the name."""
    return {"unique_id": owner, "username": None, "first_name": owner, "last_name": ""}


def account_id(catalog: LocalCatalog) -> str:
    """The id of the catalog's only account: whoever holds the token."""
    row = catalog.database.one("read_fact", key="account")
    if row is not None:
        return str(row["value"])
    chosen = references.fresh_mfid(catalog)
    with catalog.database.transaction():
        catalog.database.run("write_fact", key="account", value=chosen)
    return account_id(catalog)
