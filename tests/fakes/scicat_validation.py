"""What a SciCat refuses with 400, in its own words: bodies by the classes of its OpenAPI document, filters by its pipe."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from daemon import scicat_rules
from tests.fakes.httpserver import Reply
from tests.fakes.scicat_contract import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OPERATORS: Final = frozenset(
    [
        "where",
        "$in",
        "$or",
        "$and",
        "$nor",
        "$match",
        "$eq",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$ne",
        "$nin",
        "$not",
        "$exists",
        "$regex",
        "$options",
        "include",
        "limits",
        "limit",
        "skip",
        "sort",
        "fields",
    ]
)
_SYSTEM: Final = frozenset({"createdBy", "updatedBy", "createdAt", "updatedAt", "version"})
_FREE: Final = frozenset({"scientificMetadata", "jobParameters"})
_FIRST: Final = ("datasetId", "type", "ownerGroup", "contactEmail", "sourceFolder", "creationTime", "datasetName")
_SPECIAL: Final = {
    "contactEmail": "Expected an email or a list of semicolon separated emails, got {value}",
    "sourceFolderHost": "{above}sourceFolderHost must be a URL address",
    "ownerEmail": "{above}ownerEmail must be an email",
}


def refused(generation: str, name: str, body: Any) -> Reply | None:
    """The 400 for a body that is none of the class `name` (CreateDatasetDto and so on), or None."""
    told = list(problems(generation, name, body if isinstance(body, dict) else {}))
    return bad(told) if told else None


def bad(message: Any) -> Reply:
    """A 400 as NestJS words it."""
    return Reply(400, {"message": message, "error": "Bad Request", "statusCode": 400})


def problems(generation: str, name: str, body: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """class-validator's sentences: properties that are not listed, then those that are missing or wrong."""
    schema = _schemas(generation)[name]
    listed: Mapping[str, Any] = schema["properties"]
    for key in body:
        if key not in listed:
            yield f"{above}property {key} should not exist"
    required = _required(generation, name, schema)
    order = [*(key for key in _FIRST if key in listed), *(key for key in listed if key not in _FIRST)]
    for key in order:
        value = body.get(key)
        if value is None and key not in required:
            continue
        yield from _property(generation, listed[key], key, value, above)
    if name == "CreateRelationshipDto" and "identifier" not in body:
        kind = body.get("identifierType", "undefined")
        yield f"{above}identifier must be a valid the configured type when identifierType is set to '{kind}'."


def filter_refused(text: str, record: str, generation: str) -> Reply | None:
    """The 400 for a filter of v4 (FilterValidationPipe): a key that is neither the record's nor an operator."""
    try:
        asked = json.loads(text)
    except ValueError:
        return bad("Invalid JSON in filter: Expected property name or '}' in JSON at position 1")
    allowed = {*_OPERATORS, *_keys(generation, record)}
    for path in _paths(asked):
        for part in path.split("."):
            if part not in allowed:
                return bad(f"Property {path} should not exist in the filter object")
            if part in _FREE:
                break
    return None


def _required(generation: str, name: str, schema: Mapping[str, Any]) -> set[str]:
    wanted = set(schema.get("required", ()))
    return wanted - {"owner"} if name == "CreateDatasetDto" else wanted


def _property(generation: str, schema: Mapping[str, Any], key: str, value: Any, above: str) -> Iterator[str]:
    kind = "date" if schema.get("format") == "date-time" else schema.get("type")
    if key in _SPECIAL and (value is not None or key == "contactEmail"):
        yield from _special(key, value, above)
    elif kind == "string":
        if value in (None, "") and (key == "sourceFolder" or (key == "ownerGroup" and generation == "5" and not above)):
            yield f"{above}{key} should not be empty"
        if not isinstance(value, str):
            yield f"{above}{key} must be a string"
    elif kind == "array":
        yield from _array(generation, schema, key, value, above)
    elif kind in _RULES and not _RULES[kind][0](value):
        yield f"{above}{key} must be {_RULES[kind][1]}"


def _special(key: str, value: Any, above: str) -> Iterator[str]:
    if not isinstance(value, str) or scicat_rules.TEXTS[key](value):
        yield _SPECIAL[key].format(above=above, value="undefined" if value is None else value)


def _array(generation: str, schema: Mapping[str, Any], key: str, value: Any, above: str) -> Iterator[str]:
    if key == "dataFileList" and not value:
        yield f"{above}{key} should not be empty"
    if not isinstance(value, list):
        yield f"{above}{key} must be an array"
        return
    reference = schema.get("items", {}).get("$ref", "").rpartition("/")[2]
    shown = value if len(value) <= 100 else [*value[:50], *value[-50:]]  # thousands of files are alike
    for index, item in enumerate(shown):
        if reference and isinstance(item, dict):
            yield from problems(generation, reference, item, f"{above}{key}.{index}.")
        elif not reference and not isinstance(item, str):
            yield f"each value in {key} must be a string"


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and "T" in value and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _paths(tree: Any, above: str = "") -> Iterator[str]:
    """As flattenObject: the way to everything that is no filled object; lists are not descended."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        path = f"{above}{key}"
        if isinstance(value, dict) and value:
            yield from _paths(value, f"{path}.")
        else:
            yield path


_RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "date": (_is_date, "a valid ISO 8601 date string"),
    "number": (lambda value: isinstance(value, (int, float)) and not isinstance(value, bool), "an integer number"),
    "boolean": (lambda value: isinstance(value, bool), "a boolean value"),
}


@functools.cache
def _schemas(generation: str) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document(generation)["components"]["schemas"]
    return schemas


@functools.cache
def _keys(generation: str, record: str) -> frozenset[str]:
    """The keys of an output class: what may be created and what the system adds; never `_id`."""
    schemas = _schemas(generation)
    own = set(schemas[f"Create{record}Dto"]["properties"])
    files = set(schemas["DataFile"]["properties"]) if record == "OrigDatablock" else set()
    return frozenset(own | files | _SYSTEM)
