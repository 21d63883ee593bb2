"""CXI, the coherent X-ray imaging data bank's format.

Source: cxidb.org, "CXI file format": `/cxi_version`, `/entry_1/{data_1,image_1,instrument_1,sample_1}`, SI units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, Sample
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.told import Family, Told, at, drawn_or_none, moment, text_at, title

if TYPE_CHECKING:
    import h5py

    from ingestors.hdf5.told import Source

_ELECTRONVOLT: Final = 1.602176634e-19  # joules
_SI: Final = {
    ("source_1", "energy"): "J",
    ("source_1", "wavelength"): "m",
    ("detector_1", "distance"): "m",
    ("detector_1", "x_pixel_size"): "m",
    ("detector_1", "y_pixel_size"): "m",
}


def recognised(file: h5py.File) -> str:
    """`/cxi_version`."""
    version = reading.child_data(file, "cxi_version")
    return f"cxi_version = {reading.single(version)}" if version is not None else ""


def read(source: Source) -> Told:
    """The first entry's title, sample, source and detector (in the SI units that the format fixes), and its frames."""
    entry = at(source.tree, "entry_1") or {}
    began = next(
        (found for name in ("start_time", "experiment_date", "date") if (found := moment(text_at(entry, name))).iso),
        moment(None),
    )
    sample = text_at(entry, "sample_1", "name")
    setup: dict[str, Any] = {}
    for (thing, name), unit in _SI.items():
        value = at(entry, "instrument_1", thing, name)
        if isinstance(value, (int, float)):
            setup[f"{thing.removesuffix('_1')} {name}"] = Quantity(value, unit)
            if name == "energy":
                setup["photon energy"] = Quantity(value / _ELECTRONVOLT, "eV")
    data = next(
        (
            held
            for path in ("data_1/data", "image_1/data", "instrument_1/detector_1/data")
            if (held := reading.child_data(source.file, f"entry_1/{path}")) is not None
        ),
        None,
    )
    moved = any(
        reading.child_data(source.file, f"entry_1/{path}/translation") is not None
        for path in ("sample_1/geometry_1", "data_1", "instrument_1/detector_1")
    )
    picture = None if data is None or data.ndim < 2 else drawn_or_none(lambda: shapes.stack(data, title=source.stem))  # noqa: PLR2004 frames
    return Told(
        attributes={
            "dataset_name": title(text_at(entry, "title")) or source.stem,
            "measurement": "X-ray ptychography" if moved else "Coherent X-ray diffraction imaging",
            "data_type": FAMILY.name,
            "instrument_name": text_at(entry, "instrument_1", "name"),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        metadata={"setup": setup} if setup else {},
        thumbnails=[picture] if picture is not None else [],
    )


FAMILY: Final = Family("CXI", recognised, read)
