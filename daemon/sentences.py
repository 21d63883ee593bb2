"""What pydantic found wrong, in sentences for people and with the place in the file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.forms import KeyProblems, did_you_mean
from daemon.settings import CATALOG_SECTIONS, CATALOGS, SECTIONS, Instrument
from daemon.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from daemon.yamltext import Document, Trail

_SENTENCES: Final = {
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "dict_type": "should be a mapping of `key: value` lines",
    "float_type": "should be a number",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "should be a whole number",
    "mapping_type": "should be a mapping of `key: value` lines",
    "model_attributes_type": "should be a mapping of `key: value` lines",
    "model_type": "should be a mapping of `key: value` lines",
    "path_type": "should be a path such as /data/hip",
    "string_type": "should be text; what looks like a number or true/false needs quotes",
    "string_unicode": "contains characters that are no valid text",
    "too_short": "should not be empty",
    "tuple_type": 'should be a list, such as ["one", "two"]',
}
_BOUNDS: Final = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_PATTERNS: Final = {
    "instrument": "should be a name of 2 to 64 letters, digits, `-` and `_` that begins with a letter or digit",
    "name": "should be a name of 1 to 64 letters, digits, `-` and `_` that begins with a letter or digit",
}


def report(error: ValidationError, document: Document) -> None:
    """Note every mistake in the document, one for each place."""
    seen: set[tuple[Trail, str]] = set()
    for detail in error.errors(include_url=False, include_input=False):
        trail, value = _trail(detail, document.values)
        if detail["type"] == "too_short" and value:
            continue  # pydantic counts only the items that it could read; those have sentences of their own
        if detail["type"] == "string_type" and isinstance(value, (dict, list)):
            told = [(trail, f"should be one text and no {'list' if isinstance(value, list) else 'mapping'}")]
        else:
            told = _told(detail, trail)
        for place, text in told:
            # A value that fits none of several types is one mistake, not one for each type.
            if (place, "") not in seen or detail["type"] in {"extra_forbidden", "missing"}:
                seen.add((place, ""))
                document.problem(place, text)


def _told(detail: ErrorDetails, trail: Trail) -> list[tuple[Trail, str]]:
    """The sentences of one of pydantic's errors, each with its place."""
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, KeyProblems):
        return [((*trail, key), text) for key, text in cause.problems.items()]
    if kind == "missing":
        return [(trail[:-1], f"the option `{trail[-1]}` is missing: {_meaning(detail)}")]
    if kind == "extra_forbidden":
        return [(trail, unknown(str(trail[-1]), section(trail[:-1], detail["loc"])))]
    if kind == "union_tag_not_found":
        return [(trail, f"the option `type` is missing; known types are {', '.join(sorted(CATALOGS))}")]
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        return [((*trail, "type"), did_you_mean(f"{tag!r} is no type of catalog", tag, CATALOGS))]
    return [(trail, str(cause) if isinstance(cause, ValueError) else _sentence(kind, context, str(trail[-1])))]


def _sentence(kind: str, context: Mapping[str, Any], key: str) -> str:
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"should be {words} {context.get(bound)}"
    if kind == "literal_error":
        return f"should be one of {str(context.get('expected', '')).replace(' or ', ', ')}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(key, "is not spelled as it should be")
    return _SENTENCES.get(kind, "has a value that does not fit here")


def unknown(word: str, model: type[BaseModel]) -> str:
    """The sentence for an option that is not there, with the section that has it or the nearest word."""
    homes = [name for name, other in SECTIONS.items() if word in other.model_fields and other is not model]
    if word in Instrument.model_fields and model is not Instrument:
        homes = ["the top of the file"]
    elif homes:
        homes = [f"`{homes[0]}:`"]
    if homes:
        return f"is no option here; it belongs to {homes[0]}"
    return did_you_mean("is no option here", word, model.model_fields)


def section(trail: Trail, loc: tuple[int | str, ...] = ()) -> type[BaseModel]:
    """The settings that stand at a trail; `loc` tells which type a catalog is."""
    if not trail:
        return Instrument
    if trail[0] == "catalogs":
        kind, below = (str(loc[2]), loc[3:-1]) if len(loc) > 2 else ("", ())  # noqa: PLR2004 catalogs, number, type
        sections = CATALOG_SECTIONS.get(kind, {})
        inside = [sections[str(part)] for part in below if part in sections]
        return inside[-1] if inside else CATALOGS.get(kind, Strict)
    return SECTIONS.get(str(trail[0]), Strict)


def _meaning(detail: ErrorDetails) -> str:
    loc = detail["loc"]
    trail = tuple(part for index, part in enumerate(loc[:-1]) if not (loc[0] == "catalogs" and index == 2))  # noqa: PLR2004
    field = section(trail, loc).model_fields.get(str(loc[-1]))
    meaning = field.description if field is not None else None
    return (meaning or "it is needed").rstrip(".")


def _trail(detail: ErrorDetails, values: Any) -> tuple[Trail, Any]:
    """The way to the value in the file and the value: pydantic's way without the names of types that it went through."""
    loc = detail["loc"]
    trail: list[str | int] = []
    for index, part in enumerate(loc):
        if loc[0] == "catalogs" and index == 2:  # noqa: PLR2004 the type of the catalog
            continue
        inside = isinstance(values, dict) and part in values
        inside = inside or (isinstance(values, list) and isinstance(part, int) and part < len(values))
        if inside:
            values = values[part]
        elif not (index == len(loc) - 1 and detail["type"] == "missing"):
            continue
        trail.append(part)
    return tuple(trail), values
