"""The layout of ScopeFoundry's HDF5 files in all its versions.

Source: ScopeFoundry `h5_io.py`, whose root attribute `ScopeFoundry_version` counts the layout: 100 (2016, group `gui`,
a setting's unit in the attribute `<name>_unit`), 101 (group `app`, units in a subgroup `units`), 130 (`unique_id`),
160, 203, 210 (scalars as attributes of the measurement group), 230 (group `git`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ingestors import units
from ingestors.api import Quantity
from ingestors.hdf5 import plainvalues, reading
from ingestors.hdf5.survey import is_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

_VERSION: Final = ("ScopeFoundry_version", "scope_foundry_version", "ScopeFoundry_Version", "scopefoundry_version")
_TYPE: Final = ("ScopeFoundry_type", "ScopeFoundry_Type")
_MFID: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{25}[048cgmrw]")  # base-32 of 128 bits; the last letter has 3 of them
_FIRST_SECOND: Final = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_LAST_SECOND: Final = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_MOST_SAY: Final = 2  # of app, hardware, measurement: copies and old files may lack one


@dataclass(frozen=True, slots=True)
class Layout:
    """What the root says: the layout's number as text (empty if it is not told), and the app's group."""

    version: str
    app: h5py.Group | None


def recognised(file: h5py.File) -> Layout | None:
    """The layout, or None if the file is not ScopeFoundry's: by root attribute, else by the groups it always has."""
    app = reading.child_group(file, "app") or reading.child_group(file, "gui")
    for name in _VERSION:
        version = reading.attribute(file, name)
        if version is not None and not isinstance(version, (list, dict)):
            return Layout(str(version), app)
    groups = [app, reading.child_group(file, "hardware"), reading.child_group(file, "measurement")]
    there = [group for group in groups if group is not None]
    typed = any(set(_TYPE) & set(reading.attribute_names(group)) for group in there)
    timed = app is not None and reading.attribute(file, "time_id") is not None
    return Layout("", app) if len(there) >= _MOST_SAY and (typed or timed) else None


def measurements(file: h5py.File) -> dict[str, h5py.Group]:
    """Every measurement's group by name; the first files have them at the root, marked as such."""
    found = _members(reading.child_group(file, "measurement"))
    if found:
        return found
    return {name: group for name, group in _members(file["/"]).items() if _kind(group) == "measurement"}


def _kind(group: h5py.Group) -> str:
    return next((text.lower() for name in _TYPE if (text := reading.attribute_text(group, name))), "")


def hardware(file: h5py.File) -> dict[str, h5py.Group]:
    """Every hardware component's group by name."""
    return _members(reading.child_group(file, "hardware"))


def _members(group: h5py.Group | None) -> dict[str, h5py.Group]:
    if group is None:
        return {}
    found = ((name, reading.child_group(group, name)) for name in reading.names(group, 500))
    return {name: child for name, child in found if child is not None}


def main_measurement(found: Mapping[str, h5py.Group], stem: str) -> str:
    """The measurement that the file was written for: named in the file's name, else the one with most data."""
    if not found:
        return ""
    named = [name for name in found if name and stem.endswith(name)] or [
        name for name in found if name and name in stem
    ]
    if named:
        return max(named, key=len)
    return max(found, key=lambda name: len(reading.names(found[name])))


def settings(group: h5py.Group | None) -> dict[str, Any]:
    """The settings of a component as plain values, without units; the first files have them at the component itself."""
    held = reading.child_group(group, "settings") if group is not None else None
    if held is not None:
        return {name: plainvalues.decoded(reading.attribute(held, name)) for name in reading.attribute_names(held)}
    if group is None:
        return {}
    own = (name for name in reading.attribute_names(group) if name not in {"name", *_TYPE})
    return {name: plainvalues.decoded(reading.attribute(group, name)) for name in own}


def setting_units(group: h5py.Group | None) -> dict[str, str]:
    """The units of a component's settings."""
    if group is None:
        return {}
    held = reading.child_group(group, "settings/units") or reading.child_group(group, "units")
    if held is not None:
        texts = {name: reading.attribute_text(held, name) for name in reading.attribute_names(held)}
        return {name: units.normalised(unit) for name, unit in texts.items() if unit}
    found = {
        name: value for name, value in settings(group).items() if name.endswith("_unit") and isinstance(value, str)
    }
    return {name.removesuffix("_unit"): units.normalised(value) for name, value in found.items() if value.strip()}


def with_units(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with each group `units` folded into the values that it names."""
    folded: dict[str, Any] = {}
    for name, value in tree.items():
        if not isinstance(value, dict):
            folded[name] = value
        elif name == "settings" or _has_units(value):
            named = value.get("units")
            plain = {key: item for key, item in value.items() if key != "units" or not isinstance(item, dict)}
            folded[name] = _joined(with_units(plain), named if isinstance(named, dict) else {})
        else:
            folded[name] = with_units(value)
    return folded


def _has_units(group: Mapping[str, Any]) -> bool:
    """Whether a group holds the units of its own attributes beside them."""
    named = group.get("units")
    return isinstance(named, dict) and bool(named) and all(isinstance(unit, str) for unit in named.values())


def _joined(values: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(values)
    for name, unit in named.items():
        if isinstance(unit, str) and unit.strip() and is_quantity(joined.get(name)):
            joined[name] = Quantity(joined[name], units.normalised(unit))
    return joined


def timestamp(file: h5py.File) -> str:
    """`time_id`, seconds since the Unix epoch in UTC (float or integer, rarely text), as ISO 8601; empty if it makes no sense."""
    value = reading.attribute(file, "time_id")
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else 0.0
    except ValueError:
        return ""
    if not _FIRST_SECOND < seconds < _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def unique_id(file: h5py.File) -> str:
    """The id that ScopeFoundry 1.3 and later give each file, if it is a valid one."""
    found = reading.attribute_text(file, "unique_id")
    return found if is_mfid(found) else ""


def run_id(settings: Mapping[str, Any]) -> str:
    """The id that SpinBot gives a run before its file has one; Crucible's ingestor takes it for the dataset's."""
    found = settings.get("run_id")
    return found if isinstance(found, str) and is_mfid(found) else ""


def is_mfid(text: str) -> bool:
    """Whether the text is an id as Crucible gives them: 128 bits in 26 letters of base 32."""
    return _MFID.fullmatch(text) is not None
