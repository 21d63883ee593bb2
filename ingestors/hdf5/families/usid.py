"""USID (Universal Spectroscopy and Imaging Data, formerly PyCroscopy).

Source: pycroscopy.github.io/USID: main datasets (positions, spectroscopic values) with attributes `quantity`, `units` and
references to `Position_Indices`, `Position_Values`, `Spectroscopic_Indices`, `Spectroscopic_Values`, whose attributes
`labels` and `units` name the dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.dat import facts
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.hdf5.generic import fields
from ingestors.hdf5.told import Family, Told, moment, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST: Final = 100
_GLANCE: Final = 300  # objects that recognition looks at
_VALUES: Final = 4_000_000


def recognised(file: h5py.File) -> str:
    """A main dataset: it refers to its positions and its spectroscopic values."""
    main = next(_mains(file), None)
    return f"main dataset of USID at {main.name}" if main is not None else ""


def _mains(where: h5py.Group, most: int = _GLANCE) -> Iterator[h5py.Dataset]:
    for thing in reading.walk(where, most):
        if isinstance(thing, h5py.Dataset) and {"Position_Indices", "Spectroscopic_Indices"} <= set(
            reading.attribute_names(thing, 60)
        ):
            yield thing


def read(source: Source) -> Told:
    """What the root and the measurement groups say, the dimensions of each main dataset, and the first one's pictures."""
    known = fields(source.tree)
    sample = facts.sample_of(known)
    text = str(known.get("experiment_date") or known.get("timestamp") or "")
    began = moment(text.replace("_", "-", 2).replace("_", "T", 1) if text.count("_") > 1 else text)
    mains = list(_mains(source.file, 3000))[:_MOST]
    pictures = _pictures(mains[0], source.stem) if mains else []
    return Told(
        attributes={
            "dataset_name": title(facts.said(known, ("title", "experiment title"))) or source.stem,
            "measurement": facts.said(known, ("data type", "experiment type", "technique")),
            "data_type": FAMILY.name,
            "instrument_name": facts.instrument_of(known),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        metadata={"dimensions": {str(main.name): _dimensions(main) for main in mains}},
        thumbnails=pictures,
    )


def _referred(main: h5py.Dataset, name: str) -> h5py.Dataset | None:
    """The dataset that a reference leads to, found by name in the group where USID puts it, else below the file."""
    for group in (main.parent, main.parent.parent):
        if (found := reading.child_data(group, name)) is not None:
            return found
    return None


def _dimensions(main: h5py.Dataset) -> list[dict[str, Any]]:
    found = []
    for kind in ("Position", "Spectroscopic"):
        values = _referred(main, f"{kind}_Values")
        if values is None or not reading.numeric(values) or values.ndim != 2 or values.size > _VALUES:  # noqa: PLR2004
            continue
        labels, units = (reading.attribute(values, name) for name in ("labels", "units"))
        table = reading.read(values, values.shape)
        rows = [] if table is None else list(table.T if kind == "Position" else table)
        for index, row in enumerate(rows):
            name, unit = (
                str(named[index]) if isinstance(named, list) and index < len(named) else str(named or "")
                for named in (labels, units)
            )
            found.append(
                {
                    "kind": kind.lower(),
                    "name": name,
                    "unit": unit,
                    "size": int(np.unique(row).size),
                    "min": float(row.min()),
                    "max": float(row.max()),
                }
            )
    return found


def _pictures(main: h5py.Dataset, shown: str) -> list[Thumbnail]:
    """The mean of each position as a map, and the mean over the positions."""
    values = reading.read(main, (4096, 512)) if main.ndim == 2 else None  # noqa: PLR2004 positions, spectroscopic values
    if values is None:
        return []
    label = shapes.label(reading.attribute_text(main, "quantity") or own_name(main), unit_of(main))
    numbers = np.abs(values) if np.iscomplexobj(values) else values
    sides = [entry["size"] for entry in _dimensions(main) if entry["kind"] == "position"]
    found = []
    if len(sides) == 2 and sides[0] * sides[1] == len(numbers) and min(sides) > 1:  # noqa: PLR2004 the first one is fastest
        flat = shapes.mean(numbers, (1,)).reshape(sides[1], sides[0])
        found.append(rendering.thumbnail("map", rendering.heatmap(flat, title=shown, unit=label)))
    if numbers.shape[1] > 1:
        mean = shapes.mean(numbers, (0,))
        png = rendering.curve(
            [rendering.Series(np.arange(mean.size), mean)], title=shown, x_label="spectroscopic step", y_label=label
        )
        found.append(rendering.thumbnail("mean over the positions", png))
    return found


FAMILY: Final = Family("USID", recognised, read)
