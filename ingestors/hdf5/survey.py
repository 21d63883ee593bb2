"""A walk through an HDF5 file: the tree of groups with attributes and small values, and a list of all datasets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import h5py

from ingestors import units
from ingestors.api import Quantity
from ingestors.hdf5 import plainvalues, reading
from ingestors.hdf5.describing import Ranges, axes_of, dtype_name, unit_of
from ingestors.hdf5.privacy import cleaned

MOST_OBJECTS: Final = 5000
_MOST_DEPTH: Final = 40
_MOST_ATTRIBUTES: Final = 20_000
_INLINE_NUMBERS: Final = 16
_INLINE_BYTES: Final = 16_384
_SCALE_ATTRIBUTES: Final = frozenset({"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "DIMENSION_LABELS"})


@dataclass(frozen=True)
class Survey:
    """What a walk found: `tree` nested as in the file, `datasets` by path (shape, dtype, unit, attributes), warnings."""

    tree: dict[str, Any]
    datasets: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is no dataset, or none with a value."""
        return not any(0 not in about.get("shape", [0]) for about in self.datasets.values())

    def metadata(self) -> dict[str, Any]:
        """The scientific metadata of the file."""
        return {**self.tree, "datasets": self.datasets} if self.datasets else dict(self.tree)


@dataclass
class _Walk:
    """What is left of the bounds, and what was seen."""

    objects: int = MOST_OBJECTS
    attributes: int = _MOST_ATTRIBUTES
    seen: dict[int, str] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    ranges: Ranges = field(default_factory=Ranges)
    missing_filter: bool = False
    too_much: bool = False


def survey(file: h5py.File) -> Survey:
    """Walk the whole file, at most `MOST_OBJECTS` objects; links that lead back or outside are named, not followed."""
    walk = _Walk()
    tree = _group(file["/"], "", walk, 0)
    return Survey(cleaned(tree), cleaned(walk.datasets), tuple(cleaned(_warnings(walk))))


def _warnings(walk: _Walk) -> list[str]:
    found = []
    if walk.too_much:
        found.append(
            f"The file holds more than {MOST_OBJECTS} objects or is nested too deeply; the metadata are not complete."
        )
    if walk.outside:
        found.append(f"Not followed, because it leads to another file: {_some(walk.outside)}.")
    if walk.missing_filter:
        found.append(f"Not readable without the extra labferry[hdf5-filters]: {_some(walk.unread)}.")
    elif walk.unread:
        found.append(f"Not readable: {_some(walk.unread)}.")
    return found


def _some(things: list[str]) -> str:
    return "; ".join(things[:3]) + (f"; and {len(things) - 3} more" if len(things) > 3 else "")  # noqa: PLR2004 enough to see


def _group(group: h5py.Group, path: str, walk: _Walk, depth: int) -> dict[str, Any]:
    tree = attributes(group, walk)
    found = reading.raw_names(group, max(walk.objects, 0) + 1)
    for name in found:
        if walk.objects <= 0 or depth >= _MOST_DEPTH:
            walk.too_much = True
            break
        walk.objects -= 1
        value = _link(group, name, f"{path}/{reading.shown(name)}", walk, depth)
        if value is not None and value != {}:
            key = reading.shown(name)
            tree[f"@{key}"] = tree.pop(key, None)
            if tree[f"@{key}"] is None:
                del tree[f"@{key}"]
            tree[key] = value
    return tree


def _link(group: h5py.Group, name: str | bytes, path: str, walk: _Walk, depth: int) -> Any:
    try:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            return f"-> {link.path}"
        if isinstance(link, h5py.ExternalLink):
            walk.outside.append(f"{path} -> {link.filename}:{link.path}")
            return f"-> {link.filename}:{link.path}"
        thing = group[name]
        address = h5py.h5o.get_info(thing.id).addr
    except reading.H5_ERRORS as error:
        walk.unread.append(f"{path} ({error})")
        return None
    if address in walk.seen:
        return f"-> {walk.seen[address]}"
    walk.seen[address] = path
    if isinstance(thing, h5py.Group):
        return _group(thing, path, walk, depth + 1)
    return _dataset(thing, path, walk) if isinstance(thing, h5py.Dataset) else None


def _dataset(data: h5py.Dataset, path: str, walk: _Walk) -> Any:
    about: dict[str, Any] = {}
    walk.datasets[path] = about
    try:
        about["shape"] = [int(length) for length in data.shape] if data.shape is not None else []
        about["dtype"] = dtype_name(data.dtype)
    except reading.H5_ERRORS:
        about["dtype"] = "unknown"
        return None
    extra = attributes(data, walk)
    if unit := unit_of(data):
        about["unit"] = unit
    if rest := {name: value for name, value in extra.items() if name not in {"unit", "units"}}:
        about["attributes"] = rest
    hindrance = reading.obstacle(data)
    if hindrance is not None:
        about["not_read"] = hindrance.reason
        walk.missing_filter |= hindrance.missing_filter
        walk.unread.append(f"{path}: {hindrance.reason}")
        return None
    about |= walk.ranges.of(data)
    if axes := axes_of(data):
        about["axes"] = axes
    return _inline(data, unit)


def _inline(data: h5py.Dataset, unit: str) -> Any:
    """The value of a dataset that is as small as an attribute."""
    try:
        if (
            data.shape is None
            or not 0 < data.size <= _INLINE_NUMBERS
            or data.size * data.dtype.itemsize > _INLINE_BYTES
        ):
            return None
        value = plainvalues.decoded(plainvalues.plain(data[()]))
    except reading.H5_ERRORS:
        return None
    if isinstance(value, str):
        number = _number(value) if unit else None
        return value if number is None else Quantity(number, unit)
    if value is None or (isinstance(value, list) and not value):
        return None
    return Quantity(value, unit) if unit else value


def _number(text: str) -> float | None:
    """The number that a text with a unit is: some programs write their numbers so."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def attributes(thing: h5py.Group | h5py.Dataset, walk: _Walk | None = None) -> dict[str, Any]:
    """The attributes as plain values; `x` beside `x_unit` (or `x_units`) becomes a Quantity."""
    found: dict[str, Any] = {}
    try:
        for name in thing.attrs:
            if walk is not None:
                walk.attributes -= 1
                if walk.attributes < 0:
                    walk.too_much = True
                    break
            if name not in _SCALE_ATTRIBUTES:
                found[reading.shown(name)] = plainvalues.decoded(reading.attribute(thing, name))
    except reading.H5_ERRORS:
        pass
    return {name: value for name, value in paired(found).items() if value is not None}


def paired(values: dict[str, Any]) -> dict[str, Any]:
    """Values whose unit stands beside them (`x` and `x_unit`), joined."""
    joined = dict(values)
    for name, value in values.items():
        for ending in ("_unit", "_units"):
            unit = values.get(f"{name}{ending}")
            if isinstance(unit, str) and unit.strip() and is_quantity(value):
                joined[name] = Quantity(value, units.normalised(unit))
                del joined[f"{name}{ending}"]
                break
    return joined


def is_quantity(value: Any) -> bool:
    """Whether a value is a number or a list of numbers (truth values are not)."""
    if isinstance(value, list):
        return bool(value) and all(map(is_quantity, value))
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)
