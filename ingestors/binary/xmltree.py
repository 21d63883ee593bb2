"""XML of strangers: no entities, bounded size, and an element as nested values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from ingestors.api import Quantity, UnreadableError
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Element = ET.Element

MOST_BYTES: Final = 96 * 2**20
_MOST_DEPTH: Final = 30
_MOST_VALUES: Final = 4000
_MOST_TEXT: Final = 4000


def parsed(content: bytes) -> Element:
    """The root element, without name spaces. Raises UnreadableError, also for a document type, which no instrument needs."""
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"The XML has {len(content)} bytes: too many to read.")
    if re.search(rb"<!(DOCTYPE|ENTITY)", content[:4096], re.IGNORECASE):
        raise UnreadableError("The XML declares entities; such files are not read.")
    try:
        root = ET.fromstring(content)  # noqa: S314 no entities: see above; what expat multiplies it bounds itself
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableError(f"The XML is damaged or cut off: {error}.") from error
    for element in root.iter():
        element.tag = local(element.tag)
    return root


def local(tag: str) -> str:
    """A tag without its name space."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text(element: Element | None, path: str = "") -> str:
    """The text of the element at the path, stripped; empty if it is not there."""
    found = element.find(path) if element is not None and path else element
    return (found.text or "").strip() if found is not None else ""


def number(element: Element | None, path: str = "") -> float | None:
    """The number at the path, or None."""
    try:
        return float(text(element, path))
    except ValueError:
        return None


def plain(element: Element, *, without: Iterable[str] = ()) -> Any:
    """Attributes and children as nested values; a text with a `unit` attribute, or `Unit` and `Value`, as a Quantity."""
    return _Plain(frozenset(without)).value(element, _MOST_DEPTH)


class _Plain:
    def __init__(self, without: frozenset[str]) -> None:
        self._left = _MOST_VALUES
        self._without = without

    def value(self, element: Element, depth: int) -> Any:
        self._left -= 1
        attributes = {local(name): known for name, known in element.attrib.items() if known.strip()}
        words = (element.text or "").strip()[:_MOST_TEXT]
        if not len(element):
            return _leaf(attributes, words)
        found: dict[str, Any] = {
            name: value_of(known)
            for name, known in attributes.items()
            if name not in {"schemaLocation", "type", "baseType"}
        }
        for child in element if depth > 0 else ():
            if self._left < 0:
                break
            if child.tag in self._without:
                continue
            value = self.value(child, depth - 1)
            if value in ("", {}, None):
                continue
            if child.tag in found:
                known = found[child.tag]
                found[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
            else:
                found[child.tag] = value
        return found


def _leaf(attributes: dict[str, str], words: str) -> Any:
    unit = attributes.get("unit", attributes.get("Unit"))
    value = value_of(words or attributes.get("Value", ""))
    rest = {
        name: value_of(known) for name, known in attributes.items() if name not in {"unit", "Unit", "Value", "type"}
    }
    if unit is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = Quantity(value, unit)
    if not rest:
        return value
    return {**rest, "value": value} if value not in ("", None) else rest
