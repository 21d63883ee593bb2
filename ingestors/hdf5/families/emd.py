"""Berkeley's EMD (0.1, 0.2 and 1.0), as ncempy, Prismatic and py4DSTEM write it.

Source: emdatasets.com and py4DSTEM's files: groups with the attribute `emd_group_type` hold `data` and `dim1`... (from
`dim0` on in 1.0), whose attributes `name` and `units` say what they are; beside them `microscope`, `sample`, `user`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.dat import facts
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import emd_dimensions, own_name, places, unit_of
from ingestors.hdf5.generic import fields
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST: Final = 40
_GLANCE: Final = 300  # objects that recognition looks at
_CUBE: Final = 3
_SCAN: Final = 4  # two dimensions of a scan, two of the detector


def recognised(file: h5py.File) -> str:
    """A group of the EMD kind, or py4DSTEM's own attribute at the root."""
    if "py4dstem" in reading.attribute_text(file, "authoring_program").casefold():
        return "root attribute authoring_program = py4DSTEM"
    found = next(_groups(file), None)
    return f"emd_group_type at {found.name}" if found is not None else ""


def _groups(where: h5py.Group, most: int = _GLANCE) -> Iterator[h5py.Group]:
    for thing in reading.walk(where, most):
        if (
            isinstance(thing, h5py.Group)
            and reading.attribute(thing, "emd_group_type") is not None
            and reading.child_data(thing, "data") is not None
        ):
            yield thing


def read(source: Source) -> Told:
    """What microscope, sample and user say, and pictures of the first data groups."""
    known = fields(source.tree)
    groups = list(_groups(source.file, 3000))[:_MOST]
    data = [
        held for group in groups if (held := reading.child_data(group, "data")) is not None and reading.numeric(held)
    ]
    scanned = any(held.ndim == _SCAN for held in data)
    found = facts.time_of({key: value for key, value in known.items() if isinstance(value, str)})
    began = found if found.iso else moment(known.get("timestamp"))
    sample = facts.sample_of(known)
    pictures = [one for held in sorted(data, key=lambda held: -held.size)[:2] for one in _pictures(held, source.stem)]
    return Told(
        attributes={
            "dataset_name": title(facts.said(known, ("title", "dataset name"))) or source.stem,
            "measurement": "4D-STEM" if scanned else "",
            "data_type": FAMILY.name,
            "instrument_name": facts.instrument_of(known),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        thumbnails=pictures[:3],
        warnings=found.warnings,
    )


def _pictures(data: h5py.Dataset, shown: str) -> list[Thumbnail]:
    if data.ndim == _SCAN:
        return drawn_or_none(lambda: _scan(data, shown)) or []
    found = drawn_or_none(lambda: _plain(data, shown))
    return [] if found is None else [found]


def _scan(data: h5py.Dataset, shown: str) -> list[Thumbnail]:
    """The mean diffraction pattern, and the mean of each pattern as a map."""
    few = reading.read(data, (8, 8, 256, 256))
    coarse = reading.read(data, (64, 64, 16, 16))
    found = []
    if few is not None:
        png = rendering.picture(
            np.log1p(np.clip(shapes.mean(few, (0, 1)), 0, None)), f"{shown}, mean diffraction pattern"
        )
        found.append(rendering.thumbnail("mean diffraction pattern (logarithmic)", png))
    if coarse is not None and min(coarse.shape[:2]) > 1:
        png = rendering.heatmap(shapes.mean(coarse, (2, 3)), title=f"{shown}, mean of each pattern", origin="upper")
        found.append(rendering.thumbnail("mean of each pattern", png))
    return found


def _plain(data: h5py.Dataset, shown: str) -> Thumbnail | None:
    dimensions = emd_dimensions(data)
    last = dimensions[-1] if dimensions else None
    name = own_name(data.parent)
    if data.ndim == 1:
        return shapes.line(data, last, title=shown, name=name)
    if data.ndim == 2:  # noqa: PLR2004 an image
        frame = reading.read(data, (1200, 1600))
        if frame is None:
            return None
        return rendering.thumbnail(
            name, rendering.picture(frame, shown, pixel=_pixel(last, data.shape[1], frame.shape[1]))
        )
    if (
        data.ndim == _CUBE
        and last is not None
        and shapes.is_spectral(reading.attribute_text(last, "name"), unit_of(last))
    ):
        return shapes.cube(data, places(last, data.shape[-1]), _label(last), title=shown)
    return shapes.stack(data, title=shown, caption=name)


def _label(axis: h5py.Dataset) -> str:
    return shapes.label(reading.attribute_text(axis, "name") or own_name(axis), unit_of(axis))


def _pixel(axis: h5py.Dataset | None, length: int, shown: int) -> tuple[float, str] | None:
    values = places(axis, length) if axis is not None and length > 1 else None
    if (
        axis is None
        or values is None
        or values.size != length
        or not unit_of(axis)
        or unit_of(axis) in {"px", "pixels", "pixel"}
    ):
        return None
    step = abs(float(values[-1]) - float(values[0])) / (length - 1)
    return (step * length / shown, unit_of(axis)) if step > 0 else None


FAMILY: Final = Family("EMD", recognised, read)
