"""netCDF-4: self-describing arrays, as xarray, QCoDeS and Quantify export them.

Source: Unidata, "NetCDF-4 file format" (dimension scales, `_NCProperties`), the CF conventions (`long_name`, `units`), and
what QCoDeS (`run_timestamp`, `sample_name`, `exp_name`) and Quantify (`tuid`, `name`) add to the root.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Sample
from ingestors.dat import facts
from ingestors.hdf5 import reading
from ingestors.hdf5.pictures import main_picture
from ingestors.hdf5.told import Family, Told, at, moment, title

if TYPE_CHECKING:
    import h5py

    from ingestors.hdf5.told import Source

_TUID: Final = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(\d{3})-[0-9a-f]{6}")
_STARTS: Final = (
    "run_timestamp",
    "start_time",
    "time_coverage_start",
    "date_created",
    "creation_date",
    "timestamp",
    "date",
    "created",
)


def recognised(file: h5py.File) -> str:
    """The root's `_NCProperties`, or netCDF's numbers of its dimensions."""
    if reading.attribute(file, "_NCProperties") is not None:
        return "root attribute _NCProperties of netCDF-4"
    marked = any(
        (data := reading.child_data(file, name)) is not None and reading.attribute(data, "_Netcdf4Dimid") is not None
        for name in reading.names(file, 40)
    )
    return "dimensions of netCDF-4" if marked else ""


def read(source: Source) -> Told:
    """What the global attributes say; the variables' axes are told by the survey."""
    known = {key: value for key, value in source.tree.items() if isinstance(value, (str, int, float))}
    tuid = _TUID.fullmatch(str(known.get("tuid", "")))
    began = next((found for name in _STARTS if (found := moment(known.get(name))).iso), moment(None))
    if tuid and not began.iso:
        year, month, day, hour, minute, second, milliseconds = tuid.groups()
        began = moment(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{milliseconds}")
    sample = str(known.get("sample_name") or "") or facts.sample_of(known)
    picture = main_picture(source.file, source.stem)
    quantum = (
        "QCoDeS"
        if any(name in known for name in ("ds_name", "captured_run_id", "run_timestamp_raw"))
        else "Quantify"
        if tuid
        else ""
    )
    return Told(
        attributes={
            "dataset_name": title(known.get("title") or known.get("exp_name") or (known.get("name") if tuid else ""))
            or source.stem,
            "data_type": f"{quantum} netCDF" if quantum else FAMILY.name,
            "instrument_name": facts.instrument_of(known) or str(known.get("platform") or ""),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        metadata=_snapshot(source),
        thumbnails=[picture] if picture is not None else [],
        warnings=began.warnings,
    )


def _snapshot(source: Source) -> dict[str, Any]:
    """QCoDeS' snapshot of the instruments, if it is small enough to be told."""
    found = at(source.tree, "snapshot")
    return {"snapshot": found} if isinstance(found, dict) else {}


FAMILY: Final = Family("netCDF-4", recognised, read)
