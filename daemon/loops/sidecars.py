"""Notes that people leave beside the data: `session.yaml` in a folder, `NAME.meta.yaml` or `.json` beside a file."""

from __future__ import annotations

import difflib
import json
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog

from daemon.forms import PROVIDABLE, attribute_problem
from daemon.patterns import SIDECARS
from daemon.printable import escaped
from daemon.yamltext import Document, Place, parse
from ingestors.api import display_name, is_time, jsonable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from daemon.store.files import FileRow
    from daemon.yamltext import Trail

log = structlog.get_logger("labferry.compose")

SESSION_FILE: Final = "session.yaml"
OWN_FILES: Final = (f"**/{SESSION_FILE}",)
"""Files that a person puts into a root for labferry itself: evidence, not data."""

MAX_BYTES: Final = 65536
_MAX_DEPTH: Final = 32
_MOST_WARNINGS: Final = 10
_ALIKE: Final = 0.88
_ATTRIBUTES: Final = "attributes"
_METADATA: Final = ("metadata", "scientific_metadata")
_FREE: Final = frozenset({"sample", "note"})


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What people wrote beside a file: attributes, scientific metadata as plain JSON, and what could not be used of it.

    `files` are the names of the notes that were read.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def nearest_session_file(root: Path, path: str) -> tuple[str | None, dict[str, Any] | None]:
    """The nearest session.yaml from the file's folder up to the root: its folder and its content.

    One that cannot be read is no evidence; the log says so.
    """
    folder = path.rpartition("/")[0]
    while True:
        note = root / folder / SESSION_FILE
        document = _document(note)
        if document is not None and not document.problems:
            return folder, document.values
        if document is not None:
            problem = "; ".join(one.text for one in document.problems)
            log.warning("session.unreadable", path=display_name(os.fspath(note)), problem=problem)
        if not folder:
            return None, None
        folder = folder.rpartition("/")[0]


def sidecar_of(root: Path, members: Sequence[FileRow]) -> Sidecar:
    """What the sidecars of the primary file say; the primary comes first among the members.

    Keys that are attributes of a dataset are attributes, and so is what stands below `attributes:`; what stands below
    `metadata:`, and every other key, is scientific metadata. A mistake costs the value that it is in, or the whole note if
    it cannot be read at all, and is a warning with its line and column.
    """
    primary = members[0].path
    folder, _, name = primary.rpartition("/")
    stem = name.rpartition(".")[0] or name
    attributes: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    files: list[str] = []
    # The later one wins: what names the whole file before what names its stem, a person's YAML before a program's JSON.
    for whose in dict.fromkeys((f"{folder}/{stem}".lstrip("/") if folder else stem, primary)):
        for suffix in reversed(SIDECARS):
            if any(member.path == whose + suffix for member in members[1:]):
                note = _read(root / (whose + suffix))
                attributes |= note.attributes
                metadata |= note.metadata
                warnings += note.warnings
                files += note.files
    if warnings:
        log.warning("sidecar.unreadable", path=display_name(primary), problems=warnings)
    return Sidecar(attributes, metadata, tuple(warnings[:_MOST_WARNINGS]), tuple(files))


def _read(path: Path) -> Sidecar:
    """One sidecar."""
    document = _document(path)
    name = display_name(path.name)
    if document is None:
        return Sidecar()
    if document.problems:
        said = (f"{_at(name, one.place)}: {one.text}; the note was not used" for one in sorted(document.problems))
        return Sidecar(warnings=tuple(said))
    attributes: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    for trail, value in _entries(document.values):
        key = str(trail[-1])
        if trail[0] == _ATTRIBUTES or (len(trail) == 1 and key in PROVIDABLE | _FREE):
            problem = _problem(key, value)
            if problem is None:
                attributes[key] = jsonable(value)
            elif value is not None:
                warnings.append(f"{_at(name, document.place(trail))}: {key}: {problem}; it was left out")
        else:
            metadata[display_name(key)] = jsonable(value)
            meant = difflib.get_close_matches(key, PROVIDABLE, n=1, cutoff=_ALIKE) if len(trail) == 1 else []
            if meant:
                place = _at(name, document.place(trail))
                warnings.append(
                    f"{place}: {key}: is no attribute and was taken as metadata; did you mean {meant[0]!r}?"
                )
    return Sidecar(attributes, metadata, tuple(map(escaped, warnings)), (name,))


def _entries(values: Mapping[str, Any]) -> Iterator[tuple[Trail, Any]]:
    """Every key with its value, those of the sections one by one."""
    for key, value in values.items():
        if key in {_ATTRIBUTES, *_METADATA} and isinstance(value, dict):
            yield from (((key, below), item) for below, item in value.items())
        else:
            yield (key,), value


def _problem(key: str, value: Any) -> str | None:
    if key in _FREE:
        return None if isinstance(value, str) and value.strip() else f'should be text, such as {key}: "0042"'
    if key == "timestamp" and not is_time(value):
        return "should be a time such as 2026-11-21T14:30:00+01:00"
    return attribute_problem(key, value)


def _at(name: str, place: Place) -> str:
    return f"{escaped(name)}:{place.line}:{place.column}"


def _document(path: Path) -> Document | None:
    """A small YAML or JSON file that holds a mapping, or its problems; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            raw = os.read(descriptor, MAX_BYTES + 1) if regular else b""
        finally:
            os.close(descriptor)
    except OSError:
        return None
    if not regular or len(raw) > MAX_BYTES:
        return _unusable("it is longer than 64 KiB" if regular else "it is no regular file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        return _unusable("it is not UTF-8", Place(line, column))
    document = _json(text) if path.suffix == ".json" else parse(text)
    if not document.problems and (not isinstance(document.values, dict) or _depth(document.values) > _MAX_DEPTH):
        nested = isinstance(document.values, dict)
        return _unusable("it is nested too deeply" if nested else "it is no mapping of `key: value` lines")
    return document


def _json(text: str) -> Document:
    """JSON is YAML but for tabs and some escapes: JSON's own reader gives the values, YAML's their places."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        return _unusable(f"is not JSON: {error.msg}", Place(error.lineno, error.colno))
    except (ValueError, RecursionError):
        return _unusable("is not JSON that can be read")
    places = parse(text.replace("\t", " ")).places
    return Document(values, places)


def _unusable(text: str, place: Place | None = None) -> Document:
    document = Document()
    document.problem((), text, place or Place())
    return document


def _depth(value: Any) -> int:
    """How deep the mappings and lists are nested."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            item
            for one in level
            if isinstance(one, (dict, list))
            for item in (one.values() if isinstance(one, dict) else one)
        ]
    return depth
