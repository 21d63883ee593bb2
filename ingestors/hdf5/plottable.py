"""What NeXus files want to be plotted, in the three forms that NeXus has had for it.

Source: NeXus manual, "Associating plottable data using attributes": `@signal` and `@axes` of the group (since 2014),
`@signal=1` with `@axes` of the dataset ("y:x"), and `@axis=1` of the axes, the oldest; NXcanSAS's `I_axes`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import described, own_name, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Thumbnail

DATA: Final = frozenset({"NXdata", "SASdata", "NXdetector", "NXmonitor", "NXlog", "SAStransmission_spectrum"})
_PLOTTED: Final = frozenset({"NXdata", "SASdata"})
_SIGNALS: Final = ("data", "counts", "intensity", "I", "signal", "value")
_DEEPEST: Final = 6
_FEW_ROWS: Final = 8
_PLANE: Final = 2
_LONG: Final = 1500


@dataclass(frozen=True, slots=True)
class Plot:
    """The plottable data of a group: the signal and an axis for each of its dimensions (None where it has none)."""

    signal: h5py.Dataset
    axes: tuple[h5py.Dataset | None, ...]


def kind(thing: h5py.Group | h5py.Dataset) -> str:
    """The NeXus class, of canSAS too."""
    return reading.attribute_text(thing, "NX_class") or reading.attribute_text(thing, "canSAS_class")


def children(group: h5py.Group, kinds: frozenset[str]) -> Iterator[h5py.Group]:
    """The groups of some classes in a group."""
    for name in reading.names(group, 500):
        child = reading.child_group(group, name)
        if child is not None and kind(child) in kinds:
            yield child


def plots(here: h5py.Group) -> Iterator[Plot]:
    """Everything below a group that has a signal."""
    for child in reading.walk(here):
        if isinstance(child, h5py.Group) and kind(child) in _PLOTTED and (found := _plot(child)) is not None:
            yield found


def axes_of(plot: Plot) -> list[dict[str, Any]]:
    """What the signal's dimensions are: name, unit and range of each axis; empty if none has one."""
    if not any(axis is not None for axis in plot.axes):
        return []
    return [described(own_name(axis) if axis is not None else "", axis) for axis in plot.axes]


def default_plot(here: h5py.Group) -> Plot | None:
    """The data that the file wants to be plotted: along the `default` attributes, else the first group with a signal."""
    groups: list[h5py.Group] = []
    for holder in (here, here.file):
        default = reading.attribute_text(holder, "default")
        named = reading.child_group(holder, default) if default else None
        groups += _chain(named) if named is not None else []
    groups += [here] if kind(here) in _PLOTTED else []
    groups += list(children(here, _PLOTTED))
    for group in list(children(here, frozenset({"NXinstrument", "NXprocess", "NXsubentry", "SASentry"}))):
        groups += list(children(group, _PLOTTED))
    found = [plot for plot in map(_plot, groups) if plot is not None]
    readable = (plot for plot in found if plot.signal.size > 1 and reading.obstacle(plot.signal) is None)
    return next(readable, found[0] if found else None)


def _chain(group: h5py.Group) -> list[h5py.Group]:
    """A group, and those that `default` attributes lead to from there, the last one first."""
    found = [group]
    while len(found) < _DEEPEST and (name := reading.attribute_text(found[-1], "default")):
        following = reading.child_group(found[-1], name)
        if following is None or following in found:
            break
        found.append(following)
    return found[::-1]


def _plot(group: h5py.Group) -> Plot | None:
    signal = _signal(group)
    if signal is None or not reading.numeric(signal):
        return None
    named = _axis_names(group, signal)
    axes: list[h5py.Dataset | None] = [None] * len(signal.shape)
    for index, name in enumerate(named[: len(axes)]):
        data = reading.child_data(group, name) if name not in {"", "."} else None
        if data is not None and reading.numeric(data) and data.ndim == 1:
            place = _place(group, name, index, signal.ndim)
            axes[place] = data
    return Plot(signal, tuple(axes))


def _signal(group: h5py.Group) -> h5py.Dataset | None:
    if named := reading.attribute_text(group, "signal"):
        return reading.child_data(group, named)
    members = [
        data for data in (reading.child_data(group, name) for name in reading.names(group, 200)) if data is not None
    ]
    marked = [data for data in members if reading.attribute_text(data, "signal") == "1"]
    if marked:
        return marked[0]
    return next((data for name in _SIGNALS for data in members if own_name(data) == name), None)


def _axis_names(group: h5py.Group, signal: h5py.Dataset) -> list[str]:
    for holder, name in ((group, "axes"), (group, "I_axes"), (signal, "axes")):
        found = reading.attribute(holder, name)
        if isinstance(found, list):
            return [str(item) for item in found]
        if isinstance(found, str) and found.strip():
            return [part.strip() for part in re.split(r"[:,]|\s+", found.strip(" []"))]
    numbered: dict[int, str] = {}
    for name in reading.names(group, 200):  # the oldest form: the attribute `axis` counts the dimensions from 1
        data = reading.child_data(group, name)
        number = reading.attribute_text(data, "axis") if data is not None else ""
        if data is None or not number.isdigit():
            continue
        if reading.attribute_text(data, "primary") == "1":
            numbered[int(number) - 1] = name
        numbered.setdefault(int(number) - 1, name)
    return [numbered.get(index, "") for index in range(max(numbered, default=-1) + 1)]


def _place(group: h5py.Group, name: str, index: int, dimensions: int) -> int:
    """The dimension that an axis belongs to: `NAME_indices`, else its place in the list."""
    given = reading.attribute(group, f"{name}_indices")
    if isinstance(given, list):
        given = given[0] if given else None
    if isinstance(given, (int, str)) and str(given).isdigit() and int(given) < dimensions:
        return int(given)
    return index


def picture(plot: Plot, title: str, *, log: bool | None = None) -> Thumbnail | None:
    """The default plot as a picture: a line, a map, or frames of a stack."""
    signal = plot.signal
    name = own_name(signal)
    if signal.ndim == 1:
        return shapes.line(signal, plot.axes[0], title=title, log=log)
    if signal.ndim == _PLANE and signal.shape[0] <= _FEW_ROWS < signal.shape[1]:  # spectra of a few detectors
        return shapes.lines(
            signal, plot.axes[1], title=title, name=own_name(plot.axes[0]) if plot.axes[0] is not None else ""
        )
    if signal.ndim > _PLANE and sum(length > 1 for length in signal.shape) <= _PLANE:
        return _thin(plot, title, log=log)
    if signal.ndim == _PLANE:
        found = [None if axis is None else reading.read(axis, [100_000]) for axis in plot.axes]
        y_edges, x_edges = (None if axis is None else shapes.edges(axis) for axis in found)
        y_name, x_name = (
            shapes.label(str(axis.name), unit_of(axis)) if axis is not None and edge is not None else ""
            for axis, edge in zip(plot.axes, (y_edges, x_edges), strict=True)
        )
        rows, columns = signal.shape
        extent = (*(x_edges or (0.0, float(columns))), *(y_edges or (0.0, float(rows))))
        values = reading.read(signal, (1200, 1600))
        if values is None:
            return None
        png = rendering.heatmap(
            np.asarray(values),
            title=title,
            extent=extent,
            x_label=x_name,
            y_label=y_name,
            unit=shapes.label(name, unit_of(signal)),
            log=log,
        )
        return rendering.thumbnail(name, png)
    return _spectra(plot, title) or shapes.stack(signal, title=title)


def _thin(plot: Plot, title: str, *, log: bool | None) -> Thumbnail | None:
    """A line or a map around which there are dimensions of length 1."""
    signal = plot.signal
    values = reading.read(signal, [min(length, _LONG) for length in signal.shape])
    if values is None:
        return None
    values = np.squeeze(values)
    axes = [axis for axis, length in zip(plot.axes, signal.shape, strict=True) if length > 1]
    if values.ndim == 1:
        x = reading.read(axes[0], axes[0].shape) if axes[0] is not None else None
        return shapes.flat_line(values, x, signal, axes[0], title=title)
    if values.ndim != _PLANE:
        return None
    read = [None if axis is None else reading.read(axis, axis.shape) for axis in axes]
    down, across = (None if axis is None else shapes.edges(axis) for axis in read)
    y_label, x_label = (shapes.label(own_name(axis), unit_of(axis)) if axis is not None else "" for axis in axes)
    rows, columns = values.shape
    png = rendering.heatmap(
        values,
        title=title,
        extent=(*(across or (0.0, float(columns))), *(down or (0.0, float(rows)))),
        x_label=x_label,
        y_label=y_label,
        unit=shapes.label(own_name(signal), unit_of(signal)),
        log=log,
        equal=False,
    )
    return rendering.thumbnail(own_name(signal), png)


def _spectra(plot: Plot, title: str) -> Thumbnail | None:
    """A map with a spectrum in every pixel, by NeXus' own word (`interpretation`) or by what its last axis is."""
    signal, last = plot.signal, plot.axes[-1]
    word = reading.attribute_text(signal, "interpretation") or reading.attribute_text(signal.parent, "interpretation")
    spectral = word == "spectrum" or (
        not word and last is not None and shapes.is_spectral(own_name(last), unit_of(last))
    )
    if signal.ndim != 3 or not spectral or min(signal.shape[:2]) < 2:  # noqa: PLR2004 a map of spectra
        return None
    values = [None if axis is None else reading.read(axis, axis.shape) for axis in plot.axes]
    sides = [None if axis is None else shapes.edges(axis) for axis in values[:2]]
    units = {unit_of(axis) for axis in plot.axes[:2] if axis is not None}
    known = sides[0] is not None and sides[1] is not None and len(units) == 1
    field = (
        (abs(sides[1][1] - sides[1][0]), abs(sides[0][1] - sides[0][0])) if known and sides[0] and sides[1] else None
    )
    label = "channel" if last is None else shapes.label(own_name(last), unit_of(last))
    return shapes.cube(signal, values[2], label, title=title, field=field, unit=units.pop() if known else "")
