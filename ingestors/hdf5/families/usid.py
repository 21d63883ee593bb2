"""USID (Universal Spectroscopy and Imaging Data, formerly PyCroscopy).

Source: pycroscopy.github.io/USID: main datasets (positions, spectroscopic values) with attributes `quantity`, `units` and
references to `Position_Indices`, `Position_Values`, `Spectroscopic_Indices`, `Spectroscopic_Values`, whose attributes
`labels` and `units` name the dimensions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.dat import facts
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.hdf5.generic import fields
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST: Final = 100
_GLANCE: Final = 300  # objects that recognition looks at
_VALUES: Final = 4_000_000
_ROWS: Final = 4096
_READ: Final = 1_000_000  # values of a picture
_FEW: Final = 8  # steps that make no spectrum
_STAMP: Final = re.compile(r"(\d{4})_(\d\d)_(\d\d)[-_](\d\d)_(\d\d)_(\d\d)")
_AXES: Final = {"cm-1": "Wavenumber", "1/cm": "Wavenumber"}


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
    began = moment(_STAMP.sub(r"\1-\2-\3T\4:\5:\6", str(known.get("experiment_date") or known.get("timestamp") or "")))
    mains = sorted(list(_mains(source.file, 3000))[:_MOST], key=_is_background)
    pictures = drawn_or_none(lambda: _pictures(mains[0], source.stem)) if mains else None
    return Told(
        attributes={
            "dataset_name": title(facts.said(known, ("title", "experiment title"))) or source.stem,
            "measurement": facts.said(known, ("data type", "experiment type", "technique")) or _method(source.file),
            "data_type": FAMILY.name,
            "instrument_name": facts.instrument_of(known),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        metadata={"dimensions": {str(main.name): _dimensions(main) for main in mains}},
        thumbnails=pictures or [],
    )


def _method(file: h5py.File) -> str:
    """The method of the programs that write nothing but one: Photothermal's PTIR Studio, JPK's images."""
    if reading.attribute_text(file, "SoftwareVersion").startswith("PTIR"):
        return "Optical photothermal infrared spectroscopy"
    return "Atomic force microscopy" if reading.attribute_text(file, "file-format-info").startswith("JPK") else ""


def _is_background(main: h5py.Dataset) -> bool:
    """Whether the measurement that a dataset belongs to is only the background of others (PTIR Studio)."""
    return reading.attribute(main.parent.parent, "IsBackground") in (1, [1])


def _referred(main: h5py.Dataset, name: str) -> h5py.Dataset | None:
    """The dataset that a reference leads to; where there is none, that of its name in the group where USID puts it."""
    try:
        found = main.file[main.attrs[name]]
        if isinstance(found, h5py.Dataset):
            return found
    except reading.H5_ERRORS:
        pass
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
        count = values.shape[1 if kind == "Position" else 0]
        labels, units = (
            _words(reading.attribute(values, name), count, units=name == "units") for name in ("labels", "units")
        )
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


def _words(value: Any, dimensions: int, *, units: bool) -> Any:
    """Labels or units, one for each dimension. Lists of letters come joined: `XY` are two labels, `mm` two metres, `um` one unit (PTIR Studio's)."""
    if isinstance(value, str) and len(value) == dimensions > 1 and (not units or len(set(value)) == 1):
        return list(value)
    return value


def _pictures(main: h5py.Dataset, shown: str) -> list[Thumbnail]:
    """The mean of each position as a map, and the mean over the positions."""
    rows = max(_ROWS, _READ // min(max(main.shape[-1], 1), 512)) if main.ndim == 2 else 0  # noqa: PLR2004 positions, spectroscopic values
    values = reading.read(main, (rows, 512)) if rows else None
    if values is None:
        return []
    coded = "encoder.type" in reading.attribute_names(main.parent, 500)  # JPK's integers are not in that unit yet
    label = shapes.label(reading.attribute_text(main, "quantity") or own_name(main), "" if coded else unit_of(main))
    numbers = np.abs(values) if np.iscomplexobj(values) else values
    dimensions = _dimensions(main)
    sides = [entry["size"] for entry in dimensions if entry["kind"] == "position"]
    spectral = [entry for entry in dimensions if entry["kind"] == "spectroscopic"]
    found = []
    if len(sides) == 2 and sides[0] * sides[1] == len(numbers) and min(sides) > 1:  # noqa: PLR2004 the first one is fastest
        flat = shapes.mean(numbers, (1,)).reshape(sides[1], sides[0])
        found.append(rendering.thumbnail("map", rendering.heatmap(flat, title=shown, unit=label)))
    if numbers.shape[1] > (1 if not found else _FEW):
        mean = shapes.mean(numbers, (0,))
        x, x_label = np.arange(mean.size, dtype=np.float64), "spectroscopic step"
        listed = _referred(main, "Spectroscopic_Values") if len(spectral) == 1 else None
        row = reading.read(listed, listed.shape) if listed is not None and listed.shape == (1, mean.size) else None
        if row is not None:
            x, x_label = (
                row[0].astype(np.float64),
                shapes.label(_AXES.get(spectral[0]["unit"], spectral[0]["name"]), spectral[0]["unit"]),
            )
        png = rendering.curve([rendering.Series(x, mean)], title=shown, x_label=x_label, y_label=label)
        found.append(rendering.thumbnail("mean over the positions" if len(numbers) > 1 else own_name(main), png))
    return found


FAMILY: Final = Family("USID", recognised, read)
