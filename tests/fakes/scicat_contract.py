"""SciCat's two OpenAPI documents as judges: whether a request is one that both generations know."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA: Final = Path(__file__).parents[1] / "data" / "scicat"
GENERATIONS: Final = ("4", "5")
_MOST: Final = 100
_UNDOCUMENTED: Final = {("GET", "/explorer-json")}


def document(generation: str) -> dict[str, Any]:
    """The OpenAPI document of a generation."""
    read: dict[str, Any] = json.loads((DATA / f"openapi_{generation}.json").read_text("utf-8"))
    return read


def recorded() -> list[dict[str, Any]]:
    """Every request and answer that was recorded."""
    return [json.loads(line) for line in (DATA / "recorded.jsonl").read_text("utf-8").splitlines()]


class Contract:
    """One document. The servers' validation is a whitelist: a property that is not listed is refused."""

    def __init__(self, generation: str) -> None:
        self._generation = generation
        closed = _closed(document(generation))
        self._validators: dict[str, Draft202012Validator] = {}
        self._registry: Registry[Any] = Registry().with_resource("urn:scicat", DRAFT202012.create_resource(closed))
        self._routes = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path), re.IGNORECASE), path, item)
            for path, item in closed["paths"].items()
        ]

    def problems(self, method: str, path: str, body: Any, content_type: str) -> Iterator[str]:
        """What the document says against a request."""
        if (method, path) in _UNDOCUMENTED:
            return
        routes = [(route, item) for pattern, route, item in self._routes if pattern.fullmatch(path)]
        offered = next(((route, item[method.lower()]) for route, item in routes if method.lower() in item), None)
        if offered is None:
            yield f"{self._generation}: no route {method} {path}"
            return
        wanted = offered[1].get("requestBody", {}).get("content")
        if wanted is None:
            return
        if content_type not in wanted:
            yield f"{self._generation}: {method} {offered[0]} takes {', '.join(wanted)} and not {content_type}"
            return
        if isinstance(body, dict) and len(body.get("dataFileList", ())) > _MOST:  # the first and the last speak for all
            body = {**body, "dataFileList": [*body["dataFileList"][:_MOST], *body["dataFileList"][-_MOST:]]}
        place = ("paths", offered[0], method.lower(), "requestBody", "content", content_type, "schema")
        key = "/".join(part.replace("~", "~0").replace("/", "~1") for part in place)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({"$ref": f"urn:scicat#/{key}"}, registry=self._registry)
        for error in self._validators[key].iter_errors(body):
            yield f"{self._generation}: {method} {offered[0]}: {error.json_path}: {error.message[:200]}"


@functools.cache
def contracts() -> tuple[Contract, ...]:
    """Both, made once."""
    return tuple(Contract(generation) for generation in GENERATIONS)


def _closed(tree: Any) -> Any:
    """The document with every described object closed, as the servers treat it."""
    if isinstance(tree, list):
        return [_closed(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    closed = {key: _closed(value) for key, value in tree.items()}
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
