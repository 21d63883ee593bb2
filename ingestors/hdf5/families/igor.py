"""Waves that Igor Pro saved as HDF5.

Source: WaveMetrics, "HDF5 attributes for Igor waves": `IGORWaveScaling` (the first pair is the data's full scale, then a
pair (step, start) for each dimension), `IGORWaveUnits` (the data's, then each dimension's), `IGORWaveNote`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.dat import facts
from ingestors.hdf5 import nexus, reading, shapes
from ingestors.hdf5.describing import own_name
from ingestors.hdf5.told import Family, Told, drawn_or_none, title
from ingestors.units import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST: Final = 200
_GLANCE: Final = 300  # objects that recognition looks at
_PAIR_LENGTH: Final = 2  # step, start
_PAIR: Final = re.compile(r"^\s*([^:=\r\n]{1,60}?)\s*[:=]\s*(\S.*?)\s*$")


def recognised(file: h5py.File) -> str:
    """A dataset with `IGORWaveScaling` or `IGORWaveType` in a file that is not NeXus."""
    if nexus.entry(file) is not None:  # Igor's macros write NeXus too, and that tells more
        return ""
    wave = next(_waves(file), None)
    return f"attributes of an Igor wave at {wave.name}" if wave is not None else ""


def _waves(where: h5py.Group, most: int = _GLANCE) -> Iterator[h5py.Dataset]:
    for thing in reading.walk(where, most):
        marks = ("IGORWaveScaling", "IGORWaveType")
        if isinstance(thing, h5py.Dataset) and any(reading.attribute(thing, key) is not None for key in marks):
            yield thing


def read(source: Source) -> Told:
    """The waves' axes, the pairs of their notes, and a picture of the largest wave."""
    waves = list(_waves(source.file, 3000))[:_MOST]
    notes: dict[str, str] = {}
    for wave in waves:
        for line in re.split(r"[\r\n]+", reading.attribute_text(wave, "IGORWaveNote")):
            if match := _PAIR.match(line):
                notes.setdefault(match[1], match[2])
    sample = facts.sample_of(notes)
    found = facts.time_of(notes)
    largest = max(waves, key=lambda wave: wave.size or 0, default=None)
    picture = (
        None
        if largest is None or not reading.numeric(largest)
        else drawn_or_none(lambda: _picture(largest, source.stem))
    )
    return Told(
        attributes={
            "dataset_name": title(facts.title_of(notes)) or source.stem,
            "data_type": FAMILY.name,
            "instrument_name": facts.instrument_of(notes),
            "timestamp": found.iso,
        },
        samples=[Sample(sample)] if sample else [],
        metadata={"note": notes} if notes else {},
        axes={str(wave.name): about for wave in waves if (about := [_described(*axis) for axis in _axes(wave)])},
        thumbnails=[picture] if picture is not None else [],
        warnings=found.warnings,
    )


def _axes(wave: h5py.Dataset) -> list[tuple[str, str, np.ndarray[Any, Any]]]:
    """Name, unit and values of each dimension; empty if the wave has no scaling."""
    scaling, units = reading.attribute(wave, "IGORWaveScaling"), reading.attribute(wave, "IGORWaveUnits")
    pairs = scaling if isinstance(scaling, list) else []
    if len(pairs) <= wave.ndim or any(not isinstance(pair, list) or len(pair) != _PAIR_LENGTH for pair in pairs):
        return []
    named = units if isinstance(units, list) else []
    found = []
    for number, (step, start) in enumerate(pairs[1 : wave.ndim + 1]):
        unit = str(named[number + 1]) if number + 1 < len(named) else ""
        found.append(("xyzt"[number], normalised(unit), start + step * np.arange(min(wave.shape[number], 100_000))))
    return found


def _described(name: str, unit: str, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"name": name, **({"unit": unit} if unit else {}), "min": float(values.min()), "max": float(values.max())}


def _picture(wave: h5py.Dataset, shown: str) -> Thumbnail | None:
    axes = _axes(wave)
    units = reading.attribute(wave, "IGORWaveUnits")
    label = shapes.label(own_name(wave), str(units[0]) if isinstance(units, list) and units else "")
    if wave.ndim == 1:
        values = reading.read(wave, [100_000])
        if values is None:
            return None
        x = axes[0][2][:: -(-wave.shape[0] // 100_000)] if axes else np.arange(values.size, dtype=np.float64)
        x_label = shapes.label(*axes[0][:2]) if axes else "point"
        png = rendering.curve([rendering.Series(x[: values.size], values)], title=shown, x_label=x_label, y_label=label)
        return rendering.thumbnail(own_name(wave), png)
    if wave.ndim == 2 and axes:  # noqa: PLR2004 Igor's first dimension runs along x
        values = reading.read(wave, (1600, 1200))
        edges = [shapes.edges(axis[2]) for axis in axes]
        if values is None or edges[0] is None or edges[1] is None:
            return None
        png = rendering.heatmap(
            values.T,
            title=shown,
            extent=(*edges[0], *edges[1]),
            x_label=shapes.label(*axes[0][:2]),
            y_label=shapes.label(*axes[1][:2]),
            unit=label,
        )
        return rendering.thumbnail(own_name(wave), png)
    return shapes.plane(wave, title=shown) if wave.ndim == 2 else shapes.stack(wave, title=shown)  # noqa: PLR2004 an image


FAMILY: Final = Family("Igor HDF5", recognised, read)
