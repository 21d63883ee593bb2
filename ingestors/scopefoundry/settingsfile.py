"""Settings that ScopeFoundry saved beside the data: `<name>_settings.ini`.

Source: ScopeFoundry `ini_io.py` and `settings_save_ini`: a section for `app` and for each component (`hw/<name>` and
`mm/<name>`, before version 2 `hardware/<name>` and `measurement/<name>`), a line for each setting, its value as Python or,
for arrays, JSON writes it, and no unit. It is of the moment when somebody saved it, so what the data file says counts.
"""

from __future__ import annotations

import configparser
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, display_name
from ingestors.hdf5.privacy import cleaned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_MOST_BYTES: Final = 2**20
_MOST_SETTINGS: Final = 5000
_MOST_TOLD: Final = 4
_KINDS: Final = {"hw": "hardware", "hardware": "hardware", "mm": "measurement", "measurement": "measurement"}
_MOMENTARY: Final = frozenset({"activation", "run_state", "progress", "connected"})
"""Settings that say what the program was doing, which is always something else by the time somebody saves."""
_TRUTH: Final[Mapping[str, bool]] = {"True": True, "False": False}
_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")  # what begins with a nought otherwise is a serial number
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?|[+-]?inf|nan")


@dataclass
class Merged:
    """The metadata with what the files added, and what has to be told of it."""

    metadata: dict[str, Any]
    files: list[str] = field(default_factory=list)
    added: dict[str, str] = field(default_factory=dict)  # path of a setting -> file
    differs: dict[str, Any] = field(default_factory=dict)  # path of a setting -> what the file says
    warnings: list[str] = field(default_factory=list)


def merge(metadata: Mapping[str, Any], companions: Iterable[Path]) -> Merged:
    """Add the settings that only a file beside the data says; the first of several files counts.

    `metadata` holds the data file's settings as `hardware/<name>/settings/<setting>`; nothing in it is changed. Beside
    them stands `settings_file` with the files' names, what came from which, and where they say otherwise.
    """
    merged = Merged(dict(metadata))
    for path in companions:
        if path.suffix.lower() == ".ini":
            _merge_one(merged, metadata, path)
    told = {"files": merged.files, "added": merged.added, "differs": merged.differs}
    if merged.files:
        merged.metadata["settings_file"] = {name: value for name, value in told.items() if value}
    return merged


def _merge_one(merged: Merged, metadata: Mapping[str, Any], path: Path) -> None:
    name = display_name(path.name)
    try:
        settings = dict(_settings(path))
    except (OSError, ValueError, configparser.Error) as error:
        merged.warnings.append(f"The settings in {name} cannot be read: {_first_line(error)}")
        return
    if not settings:
        return
    merged.files.append(name)
    differing: list[str] = []
    for where, value in settings.items():
        if where in merged.added or where in merged.differs:
            continue
        way = _way(where)
        here = _at(metadata, way)
        if here is None and way[0] == "measurement" and _at(metadata, way[:-2]) is None:
            continue  # another measurement than the one that was made
        if here is None:
            merged.metadata = _with(merged.metadata, way, value)
            merged.added[where] = name
        elif where.rpartition("/")[2] not in _MOMENTARY and not _same(here, value):
            unit = here.unit if isinstance(here, Quantity) else ""
            merged.differs[where] = Quantity(value, unit) if unit and _is_number(value) else value
            differing.append(f"{where.replace('/settings/', '/')} is {_said(value)} there and {_said(here)} here")
    if differing:
        more = f", and {len(differing) - _MOST_TOLD} more" if len(differing) > _MOST_TOLD else ""
        merged.warnings.append(f"{name} says otherwise than the data file: {'; '.join(differing[:_MOST_TOLD])}{more}.")


def _settings(path: Path) -> Iterator[tuple[str, Any]]:
    """The settings by their place in the data file's tree; sections that are no component's are left out."""
    with path.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError("it is longer than any settings file")
    config = configparser.ConfigParser(interpolation=None, strict=False, default_section="")
    config.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    config.read_string(_text(content))
    count = 0
    for section in config.sections():
        above, _, component = section.partition("/")
        kind = _KINDS.get(above)
        place = f"{kind}/{component}/settings" if kind and component else "app/settings" if section == "app" else ""
        for setting, text in cleaned(dict(config.items(section))).items() if place else ():
            count += 1
            if count <= _MOST_SETTINGS:
                yield f"{place}/{setting}", _value(text)


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _value(text: str) -> Any:
    """The value that Python or JSON wrote: truth, a number, a list; else the text."""
    if text in _TRUTH:
        return _TRUTH[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _way(where: str) -> list[str]:
    """The names that lead to a setting, whose own may hold slashes."""
    component, _, setting = where.partition("/settings/")
    return [*component.split("/"), "settings", setting]


def _at(tree: Mapping[str, Any], way: Sequence[str]) -> Any:
    """What the tree has at a place, None if nothing."""
    found: Any = tree
    for name in way:
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found


def _with(tree: Mapping[str, Any], names: list[str], value: Any) -> dict[str, Any]:
    """The tree with a value at a place where nothing is."""
    name, *rest = names
    below = tree.get(name)
    if not rest:
        return {**tree, name: value}
    return {**tree, name: _with(below if isinstance(below, dict) else {}, rest, value)}


def _same(here: Any, there: Any) -> bool:
    """Whether a setting and what a file says of it are the same value, however it was written."""
    here = here.value if isinstance(here, Quantity) else here
    if isinstance(here, list) and isinstance(there, list):
        return len(here) == len(there) and all(map(_same, here, there))
    if _is_number(here) and _is_number(there):
        return math.isclose(here, there, rel_tol=1e-6) or (math.isnan(here) and math.isnan(there))
    return bool(here == there) or str(here).strip() == str(there).strip()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _said(value: Any) -> str:
    said = f"{value.value} {value.unit}" if isinstance(value, Quantity) else str(value)
    return said if len(said) <= 40 else f"{said[:39]}…"  # noqa: PLR2004 one line of a warning


def _first_line(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return (text.splitlines() or ["it is no INI file"])[0].rstrip(".") + "."
