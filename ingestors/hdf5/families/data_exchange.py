"""Data Exchange of the Advanced Photon Source: tomography and its neighbours.

Source: dxfile.readthedocs.io: `/implements`, `/exchange/data` with `data_white`, `data_dark`, `theta`;
`/measurement/{instrument,sample}`, `/process/acquisition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.hdf5 import reading
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment, text_at, title

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_FRAME: Final = (1200, 1600)
_STARTS: Final = (
    ("process", "acquisition", "start_date"),
    ("process", "acquisition", "start_time"),
    ("measurement", "sample", "file_timestamp"),
    ("measurement", "start_time"),
    ("file_creation_datetime",),
)


def recognised(file: h5py.File) -> str:
    """`/implements` names exchange, or `/exchange/data` has the white fields beside it."""
    implements = reading.child_data(file, "implements")
    text = reading.single(implements) if implements is not None else None
    if isinstance(text, str) and "exchange" in text:
        return f"implements = {text[:60]}"
    whole = all(reading.child_data(file, f"exchange/{name}") is not None for name in ("data", "data_white"))
    return "exchange/data and exchange/data_white" if whole else ""


def read(source: Source) -> Told:
    """Title, sample, instrument and time, and a projection divided by the white field."""
    tree = source.tree
    began = next((found for path in _STARTS if (found := moment(text_at(tree, *path))).iso), moment(None))
    sample = text_at(tree, "measurement", "sample", "name") or text_at(tree, "measurement", "sample", "description_1")
    turned = reading.child_data(source.file, "exchange/theta") is not None
    return Told(
        attributes={
            "dataset_name": title(text_at(tree, "exchange", "title")) or source.stem,
            "measurement": "X-ray tomography" if turned else "",
            "data_type": FAMILY.name,
            "instrument_name": text_at(tree, "measurement", "instrument", "name")
            or text_at(tree, "measurement", "instrument", "instrument_name")
            or text_at(tree, "measurement", "instrument", "source", "beamline"),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        thumbnails=[one for one in [drawn_or_none(lambda: _projection(source.file, source.stem))] if one is not None],
    )


def _projection(file: h5py.File, shown: str) -> Thumbnail | None:
    frame, white, dark = (_frame(file, name) for name in ("data", "data_white", "data_dark"))
    if frame is None:
        return None
    if white is not None and white.shape == frame.shape and bool((white > 0).any()):
        base = dark if dark is not None and dark.shape == frame.shape else np.zeros_like(frame)
        frame = (frame - base) / np.clip(white - base, 1, None)
    return rendering.thumbnail("projection", rendering.picture(frame, f"{shown}, first projection"))


def _frame(file: h5py.File, name: str) -> np.ndarray | None:
    data = reading.child_data(file, f"exchange/{name}")
    if data is None or data.ndim not in {2, 3}:
        return None
    values = reading.read(data, _FRAME, (0,) * (data.ndim - 2))
    return None if values is None else np.asarray(values, dtype=np.float64)


FAMILY: Final = Family("Data Exchange", recognised, read)
