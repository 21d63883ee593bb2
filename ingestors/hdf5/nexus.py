"""What NeXus files say about themselves.

Source: NeXus manual (nexusformat.org), chapters "Rules for storing data items", "Associating plottable data using
attributes" in its three historical forms, and the application definition NXcanSAS (also in its draft spelling SAS...).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py

    from ingestors.api import Thumbnail

_ENTRY: Final = frozenset({"NXentry", "NXsubentry", "SASentry"})
_DATA: Final = frozenset({"NXdata", "SASdata"})
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Plot:
    """The plottable data of a group: the signal and an axis for each of its dimensions (None where it has none)."""

    signal: h5py.Dataset
    axes: tuple[h5py.Dataset | None, ...]


def kind(thing: h5py.Group | h5py.Dataset) -> str:
    """The NeXus class, of canSAS too."""
    return reading.attribute_text(thing, "NX_class") or reading.attribute_text(thing, "canSAS_class")


def entry(file: h5py.File) -> h5py.Group | None:
    """The entry that the file names as its default, else the first one; None if this is not NeXus."""
    if default := reading.attribute_text(file, "default"):
        named = reading.child_group(file, default)
        if named is not None and kind(named) in _ENTRY:
            return named
    return next(_children(file, _ENTRY), None)


def _children(group: h5py.Group, kinds: frozenset[str]) -> Iterator[h5py.Group]:
    for name in reading.names(group, 500):
        child = reading.child_group(group, name)
        if child is not None and kind(child) in kinds:
            yield child


def field(group: h5py.Group | None, name: str) -> str:
    """A text (or a number as text) of a group's dataset or attribute, empty if it is not there."""
    if group is None:
        return ""
    data = reading.child_data(group, name)
    if data is None:
        return ""
    try:
        value = (
            reading.plain(data[()])
            if data.shape is not None and data.size == 1 and reading.obstacle(data) is None
            else None
        )
    except reading.H5_ERRORS:
        return ""
    return str(value).strip()[:2000] if isinstance(value, (str, int, float)) else ""


def instrument(here: h5py.Group) -> str:
    """The name of the entry's instrument."""
    found = next(_children(here, frozenset({"NXinstrument", "SASinstrument"})), None)
    if found is None:
        return ""
    return field(found, "name") or reading.attribute_text(found, "name") or reading.attribute_text(found, "short_name")


def samples(here: h5py.Group) -> list[str]:
    """Names of the entry's samples."""
    found = (field(group, "name") for group in _children(here, frozenset({"NXsample", "SASsample"})))
    return [name for name in found if name]


def definition(here: h5py.Group) -> str:
    """The application definition that the entry follows (NXmx, NXcanSAS), empty if it names none."""
    return field(here, "definition") or reading.attribute_text(here, "definition")


def timestamp(here: h5py.Group) -> str:
    """`start_time` as ISO 8601, with an offset only if the file has one; empty if it is missing or another notation."""
    found = field(here, "start_time")
    if not _ISO.fullmatch(found):
        return ""
    return found.replace(" ", "T", 1).replace(",", ".").replace(" ", "").replace("Z", "+00:00")


def default_plot(here: h5py.Group) -> Plot | None:
    """The data that the file wants to be plotted: along the `default` attributes, else the first group with a signal."""
    groups: list[h5py.Group] = []
    if default := reading.attribute_text(here, "default"):
        named = reading.child_group(here, default)
        groups = [named] if named is not None else []
    groups += [here] if kind(here) in _DATA else []
    groups += list(_children(here, _DATA))
    for group in list(_children(here, frozenset({"NXinstrument"}))):
        groups += list(_children(group, _DATA))
    return next((plot for plot in map(_plot, groups) if plot is not None), None)


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
    return next(
        (data for data in members if str(data.name).rsplit("/", 1)[-1] in {"data", "counts", "intensity", "I"}), None
    )


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
        number = reading.attribute(data, "axis") if data is not None else None
        if isinstance(number, (int, str)) and str(number).isdigit():
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
    name = str(signal.name).rsplit("/", 1)[-1]
    if signal.ndim == 1:
        return shapes.line(signal, plot.axes[0], title=title, log=log)
    if signal.ndim == 2:  # noqa: PLR2004 rows and columns
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
    return shapes.stack(signal, title=title)
