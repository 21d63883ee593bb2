"""Sweeps: what collectors recorded while one to four actuators went through their ranges.

Source: ScopeFoundry 2.2 `sweeping/nd_scan_data.py`: `range_<k>` for each actuator, `<collector>_<name>_raw` of the base's
shape with repetitions behind it, and, written at the end only, its mean `<collector>_<name>`, `positions`,
`read_positions`, `indices`. Settings `actuator_<k>` name what moved (`hw/stage/x_position`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import unit_of
from ingestors.hdf5.pictures import is_bookkeeping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_AT_CLOSE: Final = ("positions", "read_positions", "indices")
_MOST_PICTURES: Final = 3
_MOST_VALUES: Final = 4_000_000
_MAP: Final = 2


@dataclass(frozen=True)
class Actuator:
    """One actuator's range: its label (name and unit) and the values it went through."""

    label: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class _Collected:
    """What a collector recorded: `values` of the base's shape, then the collector's own dimensions."""

    name: str
    unit: str
    values: NDArray[np.float64]


def actuators(scene: Scene) -> list[Actuator]:
    """The actuators in the order of their numbers; empty if this is no sweep."""
    found = []
    for name in sorted(reading.names(scene.group, 200)):
        data = scene.data(name) if name.startswith("range_") and name != "range_extent" else None
        if data is None or data.ndim != 1:
            continue
        key = name.removeprefix("range_")
        path = str(scene.settings.get(f"actuator_{key}") or key)
        values = reading.read(data, data.shape) if data.size <= _MOST_VALUES else None
        if values is not None:
            unit = unit_of(data) or scene.setting_unit(path) or scene.units.get(f"range_{key}_min", "")
            found.append(Actuator(shapes.label(path, unit), np.asarray(values, dtype=np.float64)))
    return found


def unfinished(scene: Scene) -> str:
    """A sentence on what a sweep that was not closed lacks, or that recorded nothing; empty for others."""
    moved = actuators(scene)
    if not moved:
        return ""
    missing = [name for name in _AT_CLOSE if reading.child_data(scene.group, name) is None]
    if missing:
        return f"The sweep was not finished or its file not closed: {', '.join(missing)} are missing, which are written at its end."
    done = reading.child_data(scene.group, "positions")
    planned = _bases(moved)[0]
    count, whole = 0 if done is None or not done.shape else done.shape[0], int(np.prod(planned))
    comoved = scene.settings.get("scan_mode") == "co-move"
    if count < (moved[-1].values.size if comoved else whole):
        return f"The sweep recorded {count} of {moved[-1].values.size if comoved else whole} positions."
    return ""


def sweep(scene: Scene) -> list[Thumbnail]:
    """Lines over one actuator, maps over two; of three and more the first plane. Spectra at each point as their mean."""
    moved = actuators(scene)
    found: list[Thumbnail] = []
    for collected in _collected(scene, moved) if moved else ():
        if len(found) >= _MOST_PICTURES:
            break
        found += _drawn(scene, moved, collected)
    return found


def _bases(moved: list[Actuator]) -> list[tuple[int, ...]]:
    """The shapes that the data may begin with: nested in any order of the actuators, or moved together."""
    lengths = [actuator.values.size for actuator in moved]
    return [*dict.fromkeys(permutations(lengths)), (*(1 for _ in lengths[1:]), lengths[-1])]


def _collected(scene: Scene, moved: list[Actuator]) -> Iterator[_Collected]:
    """Datasets that begin with the sweep's shape, numbers before spectra; means where there are, else of the raw ones."""
    known = set(reading.names(scene.group, 300))
    entries = []
    for name in sorted(known):
        data = scene.data(name)
        if data is None or name.startswith("range_") or is_bookkeeping(name) or data.size > _MOST_VALUES:
            continue
        raw = name.endswith("_raw")
        if raw and name.removesuffix("_raw") in known:
            continue
        base = next((base for base in _bases(moved) if data.shape[: len(base)] == base), None)
        if base is None and len(moved) > 1 and data.shape[:1] == moved[-1].values.shape:
            base = data.shape[:1]
        if base is not None:
            entries.append((data.ndim - len(base) - raw, name, data, raw, len(base)))
    for _, name, data, raw, depth in sorted(entries, key=lambda entry: entry[:2]):
        values = reading.read(data, data.shape)
        if values is None:
            continue
        numbers = np.asarray(np.abs(values) if np.iscomplexobj(values) else values, dtype=np.float64)
        averaged = numbers.mean(axis=depth) if raw and numbers.ndim > depth else numbers
        short = name.removesuffix("_raw")
        yield _Collected(short, unit_of(data) or _unit_of_setting(scene, short), averaged)


def _unit_of_setting(scene: Scene, name: str) -> str:
    """The unit of a setting that was collected: `any_setting_0_hardware__stage__signal` is `hardware/stage/signal`."""
    parts = name.split("__")
    return scene.setting_unit("hardware/" + "/".join(parts[-2:])) if len(parts) > _MAP else ""


def _drawn(scene: Scene, moved: list[Actuator], collected: _Collected) -> list[Thumbnail]:
    short = collected.name.split("__")[-1]
    values, label = collected.values, shapes.label(short, collected.unit)
    sizes = [actuator.values.size for actuator in moved]
    depth = len(sizes) if values.shape[: len(sizes)] in _bases(moved) else 1
    if depth > 1 and values.shape[: depth - 1] == (1,) * (depth - 1) and sizes[0] > 1:  # moved together
        values, depth = values.reshape(values.shape[depth - 1 :]), 1
    inner = tuple(range(depth, values.ndim))
    numbers = shapes.mean(values, inner) if inner else values
    title = f"{scene.name}, {short}"
    if depth == 1:
        return _line(moved[-1], values, title, label, scene)
    plane = np.asarray(numbers)
    while plane.ndim > _MAP:
        plane = plane[0]
    rows, columns = _sides(moved, plane.shape)
    if values.ndim == depth + 1 and values.shape[-1] > 1 and depth == _MAP:
        return [_with_spectrum(scene, collected.name, plane, values, title)]
    v, h = shapes.edges(rows.values), shapes.edges(columns.values)
    extent = (*h, *v) if h is not None and v is not None else None
    png = rendering.heatmap(plane, title=title, extent=extent, x_label=columns.label, y_label=rows.label, unit=label)
    return [rendering.thumbnail(collected.name, png)]


def _with_spectrum(
    scene: Scene, name: str, plane: NDArray[np.float64], values: NDArray[np.float64], title: str
) -> Thumbnail:
    """A spectrum at each point: the map of their means beside their mean."""
    x, x_label = scene.across(values.shape[-1], *_axes_of(scene, name))
    line = rendering.Series(x, shapes.mean(values, (0, 1)))
    return rendering.thumbnail(name, rendering.map_beside_curve(plane, line, title=title, x_label=x_label))


def _axes_of(scene: Scene, name: str) -> list[str]:
    """Datasets that may be the axis of a collector's spectra: those of the same collector first."""
    named = [
        one
        for one in reading.names(scene.group, 200)
        if one.endswith(("_wls", "_wavelengths", "_frequencies", "_times"))
    ]
    return sorted(named, key=lambda one: one.rsplit("_", 1)[0] not in name)


def _sides(moved: list[Actuator], shape: tuple[int, ...]) -> tuple[Actuator, Actuator]:
    """The actuators of the plane's rows and columns; the last two, unless only another order fits."""
    pairs = [(moved[-2], moved[-1]), *permutations(moved, _MAP)]
    return next((pair for pair in pairs if (pair[0].values.size, pair[1].values.size) == shape), pairs[0])


def _line(actuator: Actuator, values: NDArray[np.float64], title: str, label: str, scene: Scene) -> list[Thumbnail]:
    if values.ndim == 1:
        series = [rendering.Series(actuator.values[: values.size], values)]
        png = rendering.curve(series, title=title, x_label=actuator.label, y_label=label)
        return [rendering.thumbnail(label, png)]
    if values.ndim > _MAP:
        return []
    x, x_label = scene.across(values.shape[1], *_axes_of(scene, label))
    chosen = np.unique(np.linspace(0, len(values) - 1, min(12, len(values))).astype(int))
    series = [rendering.Series(x, values[i], f"{actuator.values[i]:.4g}") for i in chosen if i < actuator.values.size]
    png = rendering.curve(series, title=title, x_label=x_label, y_label=label)
    return [rendering.thumbnail(label, png)]
