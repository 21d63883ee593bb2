"""YAML text to plain values, with the place of each. Pure.

YAML 1.2 (yaml.org/spec/1.2.2, core schema: `no` and `on` are text, `0o17` is octal, `012` is 12). ruamel.yaml scans and composes;
the values are built here, because then every duplicate key is found and not only the first, dates stay text, no tag
can make an object, and what aliases multiply is counted before it exists.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError, YAMLStreamError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_VALUES: Final = 20_000
MAX_DEPTH: Final = 32
_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"[-+]?\d{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}", re.ASCII)
_REAL: Final = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)
_SPECIAL: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: Final = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip

# What ruamel.yaml says, and what a person who never read the YAML specification can do about it.
_SYNTAX: Final = (
    (r"character '\\t'|character '\t'", "a tab stands where spaces belong; YAML is indented with spaces only"),
    (r"mapping values are not allowed", "a `:` in the wrong place; look at the indentation, or put a text that contains `: ` in quotes"),
    (r"could not find expected ':'", "a key without `:`; write `key: value` (this line or the one before)"),
    (r"undefined alias", "an alias `*name` without its anchor `&name`; a text that begins with `*` needs quotes"),
    (r"while scanning an alias", "a text that begins with `*` needs quotes"),
    (r"while scanning a quoted scalar", "a quotation mark is opened here and not closed"),
    (r"expected ',' or '\]'", "a list `[...]` is opened here and not closed, or a comma is missing"),
    (r"expected ',' or '\}'", "a mapping `{...}` is opened here and not closed, or a comma is missing"),
    (r"expected the node content, but found '<stream end>'", "the file ends in the middle of a list `[...]` or mapping `{...}`; close it"),
    (r"expected the node content", "a value is missing here, or begins with a character that needs quotes"),
    (r"expected a single document", "a second document begins here; one file describes one instrument"),
    (r"expected <block end>", "the indentation does not agree with the lines above"),
    (r"cannot start any token", "a text that begins with this character needs quotes"),
    (r"unknown escape", "`\\` in double quotes begins an escape; use single quotes, or write `\\\\`"),
    (r"duplicate anchor|found duplicate", "this name is given twice"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, counted from 1 as editors do."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it stands, what it concerns (`roots[0].path`, or empty), and one sentence."""

    place: Place
    key: str
    text: str


Trail = tuple[str | int, ...]


@dataclass
class Document:
    """The values, the place of every key and item by its trail, and the problems found on the way."""

    values: Any = None
    places: dict[Trail, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, trail: Trail) -> Place:
        """The place of a value or of the nearest thing above it."""
        while trail and trail not in self.places:
            trail = trail[:-1]
        return self.places.get(trail, Place())

    def problem(self, trail: Trail, text: str, place: Place | None = None) -> None:
        """Note a mistake."""
        self.problems.append(Problem(place or self.place(trail), spell(trail), text))


def spell(trail: Trail) -> str:
    """A trail as people write it: `roots[0].path`; a key that contains dots or blanks stands in brackets."""
    text = ""
    for part in trail:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


def parse(text: str) -> Document:
    """Read one document. Never raises for its content: mistakes are in `problems`, and `values` holds the rest."""
    document = Document()
    directive = re.search(r"^%", text, re.MULTILINE)
    if directive:
        line = text.count("\n", 0, directive.start()) + 1
        document.problem((), "a line that begins with % is not used here; delete it", Place(line, 1))
        return document
    root = _compose(text, document)
    if root is not None:
        _Builder(document).build(root)
    elif not document.problems:
        document.problem((), "the file is empty; it needs at least `instrument:` and `roots:`")
    return document


def _compose(text: str, document: Document) -> Node | None:
    """The node tree, or None and a problem."""
    if _deepest(text) > MAX_DEPTH * 8:
        document.problem((), "is nested too deeply for a configuration")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it: the later one counts
            node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place()
        document.problem((), _syntax(error), place)
    except ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        document.problem((), "a control character stands here that YAML does not allow; delete it", place)
    except (YAMLError, YAMLStreamError, RecursionError, ValueError, AssertionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        document.problem((), f"cannot be read as YAML: {first}")
    else:
        return node if isinstance(node, Node) else None
    return None


def _deepest(text: str) -> int:
    """The most brackets that are open at once: an upper bound for flow nesting, before recursion finds out."""
    depth = deepest = 0
    for char in re.findall(r"[\[\]{}]", text):
        depth = max(0, depth + (1 if char in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest


def _syntax(error: MarkedYAMLError) -> str:
    said = f"{error.context or ''} {error.problem or ''}"
    for pattern, sentence in _SYNTAX:
        if re.search(pattern, said):
            return sentence
    return f"is not YAML: {' '.join((error.problem or error.context or 'it cannot be read').split())}"


class _Builder:
    """Nodes to values."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0
        self._open: set[int] = set()

    def build(self, root: Node) -> None:
        """Fill the document; a document that is too large or turns back on itself has no values."""
        try:
            self._document.values = self._value(root, ())
        except _TooMuch as error:
            self._document.values = None
            self._document.problem((), str(error), _place(error.node))

    def _value(self, node: Node, trail: Trail) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _TooMuch(
                node, f"has more than {MAX_VALUES} values (aliases count each time); this is no configuration"
            )
        if len(trail) > MAX_DEPTH or id(node) in self._open:
            raise _TooMuch(node, "is nested too deeply, or an alias contains itself")
        self._document.places.setdefault(trail, _place(node))
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, trail)
            if isinstance(node, SequenceNode):
                return [self._value(item, (*trail, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, trail) if isinstance(node, ScalarNode) else None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, trail: Trail) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: list[tuple[Node, Node]] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._document.problem(trail, "a key should be one word", _place(key))
                continue
            name = str(key.value)
            if name == "<<" and key.style is None:
                merged += self._merged(value, trail)
                continue
            below = (*trail, name)
            if name in values:
                first = self._document.places[below]
                text = f"stands here again, first in line {first.line}; keep one of them"
                self._document.problem(below, text, _place(key))
                continue
            self._document.places[below] = _place(key)
            values[name] = self._value(value, below)
        for key, value in merged:
            if str(key.value) not in values:
                self._document.places.setdefault((*trail, str(key.value)), _place(key))
                values[str(key.value)] = self._value(value, (*trail, str(key.value)))
        return values

    def _merged(self, value: Node, trail: Trail) -> Iterator[tuple[Node, Node]]:
        """The pairs of `<<: *anchor` or `<<: [*one, *other]`; earlier ones win."""
        sources = value.value if isinstance(value, SequenceNode) else [value]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._document.problem(trail, "`<<` takes a mapping, such as *name", _place(source))
                continue
            yield from ((key, item) for key, item in source.value if isinstance(key, ScalarNode) and key.value != "<<")

    def _scalar(self, node: ScalarNode, trail: Trail) -> Any:
        text = str(node.value)
        tag = str(node.tag or "")
        if not tag.startswith(_TAG):
            self._document.problem(trail, f"tags such as {tag} are not used here; write the value itself", _place(node))
            return text
        if node.style is not None or tag == _TAG + "str":
            return text
        return plain(text)


def plain(text: str) -> Any:
    """The value of an unquoted scalar in the core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _REAL.fullmatch(text) or _SPECIAL.fullmatch(text):
        return float(re.sub(r"^([-+]?)\.(?=[inIN])", r"\1", text))
    return text


class _TooMuch(Exception):  # noqa: N818 ends one walk
    def __init__(self, node: Node, text: str) -> None:
        super().__init__(text)
        self.node = node


def _place(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place()
