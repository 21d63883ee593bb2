"""Electron backscatter diffraction: H5OINA (Oxford), EDAX' OIM, Bruker's Esprit and kikuchipy, which all keep to `SCAN/EBSD/{Data,Header}`.

Source: the H5OINA specification (github.com/oinanoanalysis/h5oina) and M. A. Jackson et al., "h5ebsd: an archival data format for electron back-scatter diffraction
data sets", IMMI 3 (2014) 4; what the makers call the same things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors import rendering
from ingestors.api import Quantity, Sample
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_FRAMES: Final = 3
_MOST_SCANS: Final = 20
_MOST_PHASES: Final = 20
_FACTS: Final = {
    "beam voltage": ("kv", "beam voltage", "beam_energy", "semkv"), "working distance": ("wd", "working distance", "working_distance", "semwd"),
    "magnification": ("magnification", "sem magnification"), "sample tilt": ("sampletilt", "sample tilt", "sample_tilt", "tilt angle"),
    "rows": ("nrows", "y cells", "n_rows"), "columns": ("ncols", "ncolumns", "x cells", "n_columns"), "step x": ("xstep", "x step", "step x", "step_x"),
    "step y": ("ystep", "y step", "step y", "step_y"), "grid": ("grid type", "grid_type"), "binning": ("camera binning mode", "binning"),
    "pattern width": ("patternwidth", "pattern width", "pattern_width"), "pattern height": ("patternheight", "pattern height", "pattern_height"),
    "exposure": ("camera exposure time", "exposure_time"), "operator": ("operator", "analyst"), "project": ("project label", "specimen label", "site label"),
}  # fmt: skip
_UNITS: Final = {"beam voltage": "kV", "working distance": "mm", "sample tilt": "deg", "step x": "um", "step y": "um", "pattern width": "px", "pattern height": "px"}  # fmt: skip
_QUALITY: Final = ("Band Contrast", "IQ", "RadonQuality", "Pattern Quality", "MAD", "CI", "DD", "scores")
_PATTERNS: Final = ("Processed Patterns", "Unprocessed Patterns", "Pattern", "RawPatterns", "patterns")
_SAMPLES: Final = ("specimen label", "sample id", "sample_id", "sample name")
_TIMES: Final = ("acquisition date", "date", "timestamp")


def recognised(file: h5py.File) -> str:
    """A group of the root with `EBSD/Data` and `EBSD/Header`."""
    scan = next(_scans(file), None)
    return f"EBSD data and header in {scan.name}" if scan is not None else ""


def _scans(file: h5py.File) -> Iterator[h5py.Group]:
    for name in reading.names(file, 50):
        group = reading.child_group(file, name)
        held = reading.child_group(group, "EBSD") if group is not None else None
        if (
            group is not None
            and held is not None
            and all(reading.child_group(held, part) is not None for part in ("Data", "Header"))
        ):
            yield group


def read(source: Source) -> Told:
    """The settings under one name whoever wrote them, the phases, and pictures of the quality and of patterns."""
    scans = list(_scans(source.file))[:_MOST_SCANS]
    first = scans[0]
    header = _values(reading.child_group(first, "EBSD/Header")) | _values(reading.child_group(first, "SEM"))
    known = {
        name: header[key] for name, keys in _FACTS.items() for key in keys[::-1] if header.get(key) not in (None, "")
    }
    told: dict[str, Any] = {
        name: Quantity(value, _UNITS[name]) if name in _UNITS and isinstance(value, (int, float)) else value
        for name, value in known.items()
    }
    told["phases"] = _phases(first)
    maker = _maker(source.file)
    began = next((found for key in _TIMES if (found := moment(header.get(key))).iso), moment(None))
    sample = next((text for key in _SAMPLES if isinstance(text := header.get(key), str) and text), "")
    microscope = header.get("microscope")
    return Told(
        attributes={
            "measurement": "Electron backscatter diffraction",
            "data_type": f"EBSD map ({maker})" if maker else FAMILY.name,
            "instrument_name": microscope if isinstance(microscope, str) else maker,
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample else [],
        keywords=["EBSD"],
        metadata={
            "ebsd": {name: value for name, value in told.items() if value not in ("", [], None)}
            | ({"scans": len(scans)} if len(scans) > 1 else {})
        },
        thumbnails=drawn_or_none(lambda: _pictures(first, known, source.stem)) or [],
        warnings=began.warnings,
    )


def _maker(file: h5py.File) -> str:
    for name in reading.names(file, 50):
        if name.strip().casefold() == "manufacturer" and (data := reading.child_data(file, name)) is not None:
            return str(reading.single(data) or "").strip()
    return ""


def _values(group: h5py.Group | None) -> dict[str, Any]:
    """The single values of a group by their names in lower case, without the prefix that Bruker gives those of the microscope."""
    found: dict[str, Any] = {}
    for name in reading.names(group, 300) if group is not None else []:
        data = reading.child_data(group, name) if group is not None else None
        value = reading.single(data) if data is not None else None
        if value is not None:
            found[name.strip().casefold()] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def _phases(scan: h5py.Group) -> list[str]:
    """The names of the phases, as far as they are told."""
    for path in ("EBSD/Header/Phases", "EBSD/Header/Phase", "EBSD/CrystalMap/crystal_map/header/phases"):
        group = reading.child_group(scan, path)
        if group is not None:
            named = [_values(reading.child_group(group, name)) for name in reading.names(group, _MOST_PHASES)]
            return [
                str(text)
                for one in named
                if (text := next((one[key] for key in ("phase name", "materialname", "name") if one.get(key)), ""))
            ]
    return []


def _pictures(scan: h5py.Group, known: dict[str, Any], shown: str) -> list[Thumbnail]:
    """The first quality that there is as a map, and some patterns."""
    found = []
    rows, columns = known.get("rows"), known.get("columns")
    for name in _QUALITY:
        data = reading.child_data(scan, f"EBSD/Data/{name}")
        values = reading.read(data, data.shape) if data is not None and data.ndim == 1 else None
        if (
            data is not None
            and values is not None
            and isinstance(rows, int)
            and isinstance(columns, int)
            and rows * columns == values.size
        ):
            steps = [known.get(key) for key in ("step x", "step y")]
            across, down = (
                step * count if isinstance(step, (int, float)) else count
                for step, count in zip(steps, (columns, rows), strict=True)
            )
            png = rendering.heatmap(
                values.reshape(rows, columns), title=shown, extent=(0.0, float(across), float(down), 0.0), x_label="x (µm)", y_label="y (µm)",
                unit=shapes.label(name, unit_of(data)), origin="upper",
            )  # fmt: skip
            found.append(rendering.thumbnail(name, png))
            break
    for name in _PATTERNS:
        data = reading.child_data(scan, f"EBSD/Data/{name}")
        picture = (
            shapes.stack(data, title=shown, caption=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", own_name(data)))
            if data is not None and data.ndim == _FRAMES
            else None
        )
        if picture is not None:
            found.append(picture)
            break
    return found


FAMILY: Final = Family("EBSD map", recognised, read)
