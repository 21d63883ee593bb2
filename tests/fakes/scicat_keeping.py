"""How a SciCat's database keeps what it is sent, and how it is searched. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TIMES: Final = ("creationTime", "startTime", "endTime", "time")
_MISSING: Final = object()


def now() -> str:
    """The server's clock as it writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def times(body: Mapping[str, Any]) -> dict[str, Any]:
    """The times as the server keeps them: UTC, to the millisecond."""
    kept = dict(body)
    for name in _TIMES:
        if isinstance(kept.get(name), str):
            moment = datetime.fromisoformat(kept[name]).astimezone(UTC)
            kept[name] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return kept


def encoded(tree: Any) -> Any:
    """The keys of metadata as the database has them (encodeScientificMetadataKeys); of two that meet the later one stays."""
    if not isinstance(tree, dict):
        return tree
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in {"__proto__", "constructor"}:
            name = quote(key, safe="-_!~*'()").replace(".", "%2E") if unquote(key) == key else key
            kept.pop(name, None)
            kept[name] = encoded(value)
    return kept


def quantities(tree: dict[str, Any]) -> dict[str, Any]:
    """As `appendSIUnitToPhysicalQuantity`: whatever has a key with u and one with v is taken for a quantity."""
    result = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            unit = next((value[k] for k in reversed(value) if k.startswith("u") and not k.endswith("SI")), None)
            amount = next((value[k] for k in reversed(value) if k.startswith("v") and not k.endswith("SI")), _MISSING)
            if amount is not _MISSING and isinstance(unit, (str, list)) and unit:
                result[key] = {**value, "valueSI": amount, "unitSI": unit}
                continue
            result[key] = quantities(value)
            continue
        result[key] = value
    return result


def halves(patch: Any, there: Any) -> str:
    """Where a quantity is patched of which only one half is sent; the keys are compared as the database has them."""
    if not isinstance(patch, dict) or not isinstance(there, dict):
        return ""
    if {"value", "unit"} <= set(there) and len({"value", "unit"} & set(patch)) == 1:
        return "it"
    return next((f"{key}.{found}" for key, value in patch.items() if (found := halves(value, there.get(key)))), "")


def merged(there: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(there) if isinstance(there, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def found(records: Iterable[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What v4's pipeline gives, in its order: where, fields, sort, skip, limit; ten if nobody says how many."""
    hits = [dict(record) for record in records if _fits(record, asked.get("where", {}))]
    if asked.get("fields"):
        hits = [_projected(record, asked["fields"]) for record in hits]
    limits = asked.get("limits", {"sort": {"createdAt": "desc"}})
    for name, direction in reversed(limits.get("sort", {}).items()):
        hits.sort(key=lambda record, name=name: str(_first(record, name)), reverse=direction != "asc")  # type: ignore[misc]
        if len({str(_first(record, name)) for record in hits}) == 1:
            hits = hits[len(hits) // 2 :] + hits[: len(hits) // 2] if limits.get("skip") else hits  # any order is right
    return hits[limits.get("skip") or 0 :][: limits.get("limit") or 10]


def _first(record: Mapping[str, Any], name: str) -> Any:
    return next(iter(_at(record, name.split("."))), "")


def _projected(record: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """MongoDB's $project: the named fields, below lists too, and always the id."""
    kept: dict[str, Any] = {"_id": record["_id"]}
    below: dict[str, list[str]] = {}
    for name in fields:
        first, _, rest = name.partition(".")
        if first in record and rest:
            below.setdefault(first, []).append(rest)
        elif first in record:
            kept[first] = record[first]
    for name, rests in below.items():
        items = record[name] if isinstance(record[name], list) else [record[name]]
        parts = [{rest: item[rest] for rest in rests if rest in item} for item in items]
        kept[name] = parts if isinstance(record[name], list) else parts[0]
    return kept


def _fits(record: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    for path, wanted in where.items():
        values = _at(record, path.split("."))
        if isinstance(wanted, dict) and set(wanted) == {"$in"}:
            if not any(value in wanted["$in"] for value in values):
                return False
        elif isinstance(wanted, dict) and set(wanted) == {"$regex"}:
            if not any(isinstance(value, str) and re.search(wanted["$regex"], value) for value in values):
                return False
        elif wanted not in values:
            return False
    return True


def _at(tree: Any, path: list[str]) -> list[Any]:
    if not path:
        return [tree]
    if isinstance(tree, list):
        return [hit for item in tree for hit in _at(item, path)]
    return _at(tree[path[0]], path[1:]) if isinstance(tree, dict) and path[0] in tree else []
