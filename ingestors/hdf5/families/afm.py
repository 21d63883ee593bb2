"""Atomic force microscopes that write HDF5: Ergo (Asylum, Oxford Instruments).

Source: Gwyddion's description of the format: `DataSetInfo/Global/Channels/<channel>/ImageDims` (attributes DimScaling,
DimUnits, DataUnits, DimExtents), `DataSet/Resolution <r>/Frame <f>/<channel>/Image`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Quantity
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.told import Family, Told, drawn_or_none
from ingestors.units import normalised

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_CHANNELS: Final = "DataSetInfo/Global/Channels"
_MOST: Final = 12


def recognised(file: h5py.File) -> str:
    """The groups that Ergo always writes."""
    whole = reading.child_group(file, _CHANNELS) is not None and reading.child_group(file, "DataSet") is not None
    return f"{_CHANNELS} of Ergo" if whole else ""


def read(source: Source) -> Told:
    """Size and unit of each channel's image, and a picture of the first ones."""
    held = reading.child_group(source.file, _CHANNELS)
    told: dict[str, Any] = {}
    pictures = []
    for name in reading.names(held, _MOST) if held is not None else []:
        dimensions = reading.child_group(source.file, f"{_CHANNELS}/{name}/ImageDims")
        if dimensions is None:
            continue
        scaling, extents, units = (_list(dimensions, key) for key in ("DimScaling", "DimExtents", "DimUnits"))
        unit = normalised(str(reading.attribute(dimensions, "DataUnits") or ""))
        told[name] = {"unit": unit}
        sides = [_span(part) for part in scaling]
        if len(sides) >= 2 and None not in sides and len(units) >= 2:  # noqa: PLR2004 rows and columns
            told[name] |= {"height": Quantity(sides[0], str(units[0])), "width": Quantity(sides[1], str(units[1]))}
        if extents:
            told[name]["pixels"] = extents
        data = reading.child_data(source.file, f"DataSet/Resolution 0/Frame 0/{name}/Image")
        if data is not None and data.ndim == 2:  # noqa: PLR2004 an image
            pictures.append(drawn_or_none(partial(_picture, data, name, unit, sides, units, source.stem)))
    return Told(
        attributes={"dataset_name": source.stem, "measurement": "Atomic force microscopy", "data_type": FAMILY.name},
        metadata={"channels": told} if told else {},
        thumbnails=[one for one in pictures if one is not None][:3],
    )


def _list(group: h5py.Group, name: str) -> list[Any]:
    value = reading.attribute(group, name)
    return value if isinstance(value, list) else []


def _span(part: Any) -> float | None:
    """The length of a side whose scaling is (first, last), or the length itself."""
    if isinstance(part, list) and len(part) == 2 and all(isinstance(end, (int, float)) for end in part):  # noqa: PLR2004 ends
        return float(abs(part[1] - part[0]))
    return float(part) if isinstance(part, (int, float)) else None


def _picture(
    data: h5py.Dataset, name: str, unit: str, sides: list[float | None], units: list[Any], shown: str
) -> Thumbnail | None:
    values = reading.read(data, (1200, 1600))
    if values is None:
        return None
    known = len(sides) >= 2 and sides[0] and sides[1]  # noqa: PLR2004 rows and columns
    extent = (0.0, float(sides[1] or 1.0), 0.0, float(sides[0] or 1.0)) if known else None
    label = str(units[1]) if known and len(units) > 1 else ""
    png = rendering.heatmap(
        np.asarray(values),
        title=f"{shown}, {name}",
        extent=extent,
        x_label=f"x ({label})" if label else "",
        y_label=f"y ({label})" if label else "",
        unit=shapes.label(name, unit),
    )
    return rendering.thumbnail(name, png)


FAMILY: Final = Family("Ergo AFM", recognised, read)
