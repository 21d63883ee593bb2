"""A reader of AT Protocol lexicons, as far as a record lexicon goes: the oracle for our own limits."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Any


def violations(lexicon: dict[str, Any], record: Any) -> list[str]:
    """Where a record breaks the record lexicon's `main`; references to other documents are open."""
    return _check(lexicon, lexicon["defs"]["main"]["record"], record, "$")


def _check(lexicon: dict[str, Any], rule: dict[str, Any], value: Any, at: str) -> list[str]:
    match rule["type"]:
        case "object":
            return _object(lexicon, rule, value, at)
        case "array":
            return _array(lexicon, rule, value, at)
        case "ref":
            return _check(lexicon, lexicon["defs"][rule["ref"].removeprefix("#")], value, at)
        case kind:
            return _LEAVES[kind](rule, value, at)


def _object(lexicon: dict[str, Any], rule: dict[str, Any], value: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is no object"]
    found = [f"{at}.{name} is missing" for name in rule.get("required", []) if name not in value]
    for name, inner in rule["properties"].items():
        found += _check(lexicon, inner, value[name], f"{at}.{name}") if name in value else []
    return found


def _array(lexicon: dict[str, Any], rule: dict[str, Any], value: Any, at: str) -> list[str]:
    if not isinstance(value, list) or len(value) > rule["maxLength"]:
        return [f"{at} is no such array"]
    return [broken for item in value for broken in _check(lexicon, rule["items"], item, f"{at}[]")]


def _integer(rule: dict[str, Any], value: Any, at: str) -> list[str]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return [] if whole and value >= rule.get("minimum", value) else [f"{at} is no such integer"]


def _bytes(rule: dict[str, Any], value: Any, at: str) -> list[str]:
    text = value.get("$bytes") if isinstance(value, dict) else None
    short = isinstance(text, str) and len(base64.b64decode(text + "=" * (-len(text) % 4))) <= rule["maxLength"]
    return [] if short else [f"{at} are no such bytes"]


def _unknown(_: dict[str, Any], value: Any, at: str) -> list[str]:
    return [] if isinstance(value, dict) else [f"{at} is no object"]


def _union(_: dict[str, Any], value: Any, at: str) -> list[str]:
    return [] if isinstance(value, dict) and isinstance(value.get("$type"), str) else [f"{at} has no $type"]


def _string(rule: dict[str, Any], value: Any, at: str) -> list[str]:
    if not isinstance(value, str):
        return [f"{at} is no string"]
    if len(value.encode()) > rule.get("maxLength", 10**9):
        return [f"{at} is too long"]
    if rule.get("format") == "datetime":
        datetime.fromisoformat(value)
    if rule.get("format") == "at-uri" and not re.fullmatch(r"at://[^/\s]+/[\w.]+/[\w.:~-]+", value):
        return [f"{at} is no at-uri"]
    return []


_LEAVES = {"string": _string, "integer": _integer, "bytes": _bytes, "unknown": _unknown, "union": _union}
