"""MATLAB's files of version 7.3.

Source: MathWorks, "MAT-file versions": a user block with `MATLAB 7.3 MAT-file, Platform: ..., Created on: ...`; the
attribute `MATLAB_class` says what a dataset is: `char` holds UTF-16 code units, dimensions stand in reverse order, a
struct is a group, cells refer to `#refs#`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors.api import Sample
from ingestors.dat import dates, facts
from ingestors.hdf5 import reading
from ingestors.hdf5.generic import fields
from ingestors.hdf5.pictures import main_picture
from ingestors.hdf5.told import Family, Told, moment, title

if TYPE_CHECKING:
    from ingestors.hdf5.told import Source

_CREATED: Final = re.compile(rb"Created on: ([A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4})")
_MOST: Final = 500
_DEEPEST: Final = 6
_INLINE: Final = 16
_LONGEST: Final = 20_000


def recognised(file: h5py.File) -> str:
    """`MATLAB_class` on a variable, or MATLAB's own group of references."""
    for name in reading.names(file, 20):
        thing = reading.follow(file, name)
        if thing is not None and reading.attribute_text(thing, "MATLAB_class"):
            return f"MATLAB_class at /{name}"
    return ""


def read(source: Source) -> Told:
    """The variables with their texts decoded; structs are nested, large arrays stand by size and class."""
    variables = _struct(source.file, 0)
    known = fields(variables)
    created = _CREATED.search(source.head[:512])
    found = facts.time_of({key: value for key, value in known.items() if isinstance(value, str)})
    written = dates.ctime(created[1].decode("ascii")) if created else dates.NEVER
    said = found.iso or moment(known.get("timestamp")).iso
    sample = facts.sample_of(known)
    picture = main_picture(source.file, source.stem)
    return Told(
        attributes={
            "dataset_name": title(facts.said(known, ("title", "scan title"))) or source.stem,
            "data_type": FAMILY.name,
            "instrument_name": facts.instrument_of(known),
            "timestamp": said or written.iso,
        },
        samples=[Sample(sample)] if sample else [],
        tree={"variables": variables},
        thumbnails=[picture] if picture is not None else [],
        warnings=[
            *found.warnings,
            *(["The time is when MATLAB wrote the file."] if written.iso and not said else []),
        ],
    )


def _struct(group: h5py.Group, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in reading.names(group, _MOST):
        if name in {"#refs#", "#subsystem#"}:
            continue
        data = reading.child_data(group, name)
        if data is not None:
            found[name] = _variable(data)
        elif depth < _DEEPEST and (child := reading.child_group(group, name)) is not None:
            found[name] = _struct(child, depth + 1)
    return found


def _variable(data: h5py.Dataset) -> Any:
    kind = reading.attribute_text(data, "MATLAB_class")
    if data.shape is None or reading.attribute(data, "MATLAB_empty"):
        return "" if kind == "char" else []
    if kind == "cell":
        return _cell(data)
    values = reading.read(data, data.shape) if reading.numeric(data) and data.size <= _LONGEST else None
    if values is not None and kind == "char" and values.dtype.kind == "u":
        rows = np.atleast_2d(values.T)
        return "\n".join("".join(map(chr, row)).strip("\x00") for row in rows.reshape(len(rows), -1))
    if values is not None and values.size <= _INLINE:
        return _numbers(values, logical=kind == "logical")
    return f"[{' x '.join(str(length) for length in data.shape[::-1])} {kind or data.dtype.name}]"


def _numbers(values: np.ndarray[Any, Any], *, logical: bool) -> Any:
    """A few numbers in MATLAB's order of dimensions, without those of length 1."""
    turned = values.T.squeeze()
    return (turned.astype(bool) if logical else turned).tolist()


def _cell(data: h5py.Dataset) -> Any:
    """The cells' own values, as far as their references stay in the group where MATLAB keeps them."""
    if data.size > _INLINE or h5py.check_ref_dtype(data.dtype) is None:
        return f"[{' x '.join(str(length) for length in data.shape[::-1])} cell]"
    found = []
    try:
        for reference in data[()].ravel():
            target = data.file[reference] if reference else None
            if isinstance(target, h5py.Dataset) and reading.attribute_text(target, "MATLAB_class") != "cell":
                found.append(_variable(target))
    except reading.H5_ERRORS:
        return None
    return found


FAMILY: Final = Family("MATLAB 7.3 file", recognised, read)
