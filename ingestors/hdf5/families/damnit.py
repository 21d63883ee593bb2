"""Files of the European XFEL: raw and processed runs, and DAMNIT's results.

Source: EXtra-data ("Data files format": `METADATA/`, `INDEX/`, `INSTRUMENT/`, `CONTROL/`) and DAMNIT (`.reduced/<variable>`
beside `<variable>/data`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.hdf5 import reading
from ingestors.hdf5.pictures import main_picture
from ingestors.hdf5.told import Family, Told, at, moment, text_at

if TYPE_CHECKING:
    import h5py

    from ingestors.hdf5.told import Source

_RUN: Final = re.compile(r"p(?P<proposal>\d{3,6})_r(?P<run>\d{1,4})")


def recognised(file: h5py.File) -> str:
    """`.reduced` of DAMNIT, or the index of a run."""
    if reading.child_group(file, ".reduced") is not None:
        return "group .reduced of DAMNIT"
    run = all(reading.child_group(file, name) is not None for name in ("METADATA", "INDEX"))
    return "groups METADATA and INDEX of the European XFEL" if run else ""


def read(source: Source) -> Told:
    """Proposal and run as metadata, the time of the run, and DAMNIT's variables with their summaries."""
    tree = source.tree
    metadata = at(tree, "METADATA") or {}
    about: dict[str, Any] = {}
    named = _RUN.search(source.stem)
    proposal = text_at(metadata, "proposalNumber") or (named["proposal"] if named else "")
    run = text_at(metadata, "runNumber") or (named["run"] if named else "")
    about |= {key: int(value) for key, value in (("proposal", proposal), ("run", run)) if value.isdigit()}
    reduced = at(tree, ".reduced")
    if isinstance(reduced, dict):
        about["variables"] = reduced
    began = moment(text_at(metadata, "creationDate"))
    picture = main_picture(source.file, source.stem)
    return Told(
        attributes={
            "dataset_name": source.stem,
            "data_type": "DAMNIT results" if isinstance(reduced, dict) else "European XFEL run",
            "instrument_name": text_at(metadata, "instrument"),
            "timestamp": began.iso,
        },
        metadata={"european_xfel": about} if about else {},
        thumbnails=[picture] if picture is not None else [],
    )


FAMILY: Final = Family("European XFEL", recognised, read)
