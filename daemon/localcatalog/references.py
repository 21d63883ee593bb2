"""Projects, instruments and samples: what datasets refer to.

An embedded catalog has no administrator who registers projects and instruments beforehand, so a slug that a new
dataset names and that nobody knows is registered on the fly, with the slug as its title.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog.wire import Refusal, invalid, missing
from daemon.mfid import is_mfid, new_mfid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

_SLUG_LETTERS: Final = re.compile(r"[^A-Za-z0-9_-]+")
_SLUG_MAX: Final = 25


def fresh_mfid(catalog: LocalCatalog) -> str:
    """A new id for this moment."""
    return new_mfid(int(catalog.clock.now().timestamp() * 1_000_000) * 1000)


def register(catalog: LocalCatalog, kind: str, unique_id: str | None = None) -> str:
    """Give out an id of this kind. Raises Refusal 409 if it is taken. Call it within a transaction."""
    chosen = unique_id or fresh_mfid(catalog)
    if not catalog.database.run("register_resource", unique_id=chosen, type=kind):
        raise Refusal(409, {"code": "unique_id_exists", "message": f"{chosen} is taken.", "unique_id": chosen})
    return chosen


def project_key(catalog: LocalCatalog, slug: str | None, unique_id: str | None) -> int | None:
    """The row of the project that a body names; an unknown slug is registered. Raises Refusal 404, 422."""
    database = catalog.database
    if unique_id is not None:
        row = database.one("project_by_mfid", unique_id=unique_id)
        if row is None or (slug is not None and row["project_id"].lower() != slug.lower()):
            raise missing("Project", unique_id)
        return int(row["id"])
    if slug is None:
        return None
    row = database.one("project_by_slug", project_id=slug)
    if row is not None:
        return int(row["id"])
    if not slug.strip():
        raise invalid(("body", "project_id"), "string_too_short", "Input should not be blank")
    return insert_project(catalog, {"project_id": slug, "title": slug})


def instrument_key(catalog: LocalCatalog, slug: str | None, unique_id: str | None, name: str | None) -> int | None:
    """The row of the instrument that a body names (slug, mfid, or the deprecated name); unknown ones are registered."""
    database = catalog.database
    if unique_id is not None:
        row = database.one("instrument_by_mfid", unique_id=unique_id)
        if row is None or (slug is not None and row["instrument_id"].lower() != slug.lower()):
            raise missing("Instrument", unique_id)
        return int(row["id"])
    if slug is None and name is None:
        return None
    row = database.one("instrument_by_slug", instrument_id=slug if slug is not None else name)
    if row is None and slug is None:
        row = database.one("instrument_by_name", instrument_name=name)
    if row is not None:
        return int(row["id"])
    if not (slug or name or "").strip():
        raise invalid(("body", "instrument_id"), "string_too_short", "Input should not be blank")
    chosen = slug if slug is not None else _free_slug(catalog, name or "")
    return insert_instrument(catalog, {"instrument_id": chosen, "instrument_name": name or chosen})


def sample_key(catalog: LocalCatalog, name: str, unique_id: str | None, project: int | None) -> int:
    """The row of a sample by its id, else by its name within the project; an unknown one is registered."""
    known = unique_id is not None and is_mfid(unique_id)
    row = catalog.database.one("sample_by_mfid", unique_id=unique_id) if known else None
    if row is None:
        row = catalog.database.one("sample_by_name", sample_name=name, project=project)
    if row is not None:
        return int(row["id"])
    body = {"sample_name": name, "unique_id": unique_id if known else None}
    return insert_sample(catalog, body, project)


def _free_slug(catalog: LocalCatalog, name: str) -> str:
    plain = _SLUG_LETTERS.sub("-", name).strip("-_").lower()[:_SLUG_MAX] or "instrument"
    slug, number = plain, 1
    while catalog.database.one("instrument_by_slug", instrument_id=slug) is not None:
        number += 1
        slug = f"{plain[: _SLUG_MAX - 4]}-{number}"
    return slug


def insert_project(catalog: LocalCatalog, body: Mapping[str, Any]) -> int:
    """Add a project; its row. Raises Refusal 409 if the id is taken."""
    unique_id = register(catalog, "project", body.get("unique_id"))
    rest = _rest(body, {"project_id", "title", "organization", "unique_id"})
    return catalog.database.insert(
        "insert_project",
        unique_id=unique_id,
        project_id=body["project_id"],
        title=body.get("title"),
        organization=body.get("organization") or "",
        details=rest,
        now=catalog.now(),
    )


def insert_instrument(catalog: LocalCatalog, body: Mapping[str, Any]) -> int:
    """Add an instrument; its row. Raises Refusal 409 if the id is taken."""
    unique_id = register(catalog, "instrument", body.get("unique_id"))
    return catalog.database.insert(
        "insert_instrument",
        unique_id=unique_id,
        instrument_id=body["instrument_id"],
        instrument_name=body.get("instrument_name") or body["instrument_id"],
        details=_rest(body, {"instrument_id", "instrument_name", "unique_id"}),
        now=catalog.now(),
    )


def insert_sample(catalog: LocalCatalog, body: Mapping[str, Any], project: int | None) -> int:
    """Add a sample; its row. Raises Refusal 409 if the id is taken."""
    unique_id = register(catalog, "sample", body.get("unique_id"))
    return catalog.database.insert(
        "insert_sample",
        unique_id=unique_id,
        sample_name=body["sample_name"],
        project=project,
        public=int(bool(body.get("public"))),
        details=_rest(
            body, {"sample_name", "unique_id", "public", "project_id", "project_mfid", "scientific_metadata"}
        ),
        now=catalog.now(),
    )


def dumped(document: Mapping[str, Any]) -> str:
    """A JSON object as it is stored."""
    return json.dumps(document, separators=(",", ":"))


def _rest(body: Mapping[str, Any], known: set[str]) -> str:
    return json.dumps({key: value for key, value in body.items() if key not in known and value is not None})


# What the API answers.


def project_record(row: Row) -> dict[str, Any]:
    """A project as the API shows it."""
    return {
        **json.loads(row["details"]),
        **_common(row),
        "project_id": row["project_id"],
        "title": row["title"],
        "organization": row["organization"],
        "resource_type": "project",
    }


def instrument_record(row: Row) -> dict[str, Any]:
    """An instrument as the API shows it."""
    return {
        **json.loads(row["details"]),
        **_common(row),
        "instrument_id": row["instrument_id"],
        "instrument_name": row["instrument_name"],
        "resource_type": "instrument",
    }


def sample_record(row: Row) -> dict[str, Any]:
    """A sample as the API shows it."""
    return {
        **json.loads(row["details"]),
        **_common(row),
        "sample_name": row["sample_name"],
        "project_id": row["project_id"],
        "project_mfid": row["project_mfid"],
        "public": bool(row["public"]),
        "resource_type": "sample",
    }


def _common(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("unique_id", "creation_time", "modification_time")}
