"""Any HDF5 file: its tree, its attributes, its datasets, and a picture of what looks most like the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h5py

from ingestors.api import Claim, Extraction, Sample, Specificity, UnreadableError
from ingestors.hdf5 import nexus, reading, shapes
from ingestors.hdf5.survey import Survey, survey

if TYPE_CHECKING:
    from ingestors.api import Candidate, Thumbnail

_NEXUS: Final = 45  # a documented family of formats, but many programs' own dialects of it
_X_NAMES: Final = (
    "wls", "wavelength", "wavelengths", "lambda", "raman_shifts", "raman_shift", "wave_numbers", "wavenumber", "q", "two_theta",
    "tth", "2theta", "energy", "ev", "x", "time", "time_array", "t", "frequency", "freq", "h_array",
)  # fmt: skip


class HDF5:
    """HDF5 of any origin, NeXus understood. Recognised by its signature, never by its suffix."""

    name = "hdf5"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """CONTAINER for the signature, a little below FORMAT if a child of the root is a NeXus entry."""
        if not reading.has_signature(candidate):
            return None
        try:
            with reading.opened(candidate.path) as file:
                entry = nexus.entry(file)
                if entry is not None:
                    return Claim(_NEXUS, f"NX_class = {nexus.kind(entry)} at {entry.name}")
        except UnreadableError:
            return Claim(Specificity.CONTAINER, "HDF5 signature, but the file does not open")
        return Claim(Specificity.CONTAINER, "HDF5 signature")

    def extract(self, candidate: Candidate) -> Extraction:
        """Read tree, attributes and a picture. Raises UnreadableError if the library cannot open the file."""
        with reading.opened(candidate.path) as file:
            found = survey(file)
            entry = nexus.entry(file)
            if entry is not None:
                return _nexus(candidate, file, entry, found)
            thumbnail = main_picture(file, candidate.stem)
            return Extraction(
                attributes={
                    "dataset_name": candidate.stem,
                    "data_type": "HDF5 file",
                    "data_format": _format(candidate),
                },
                scientific_metadata=found.metadata(),
                thumbnails=[thumbnail] if thumbnail is not None else [],
                warnings=found.warnings,
            )


def _format(candidate: Candidate) -> str:
    return candidate.suffix.lstrip(".") or "h5"


def _nexus(candidate: Candidate, file: h5py.File, entry: h5py.Group, found: Survey) -> Extraction:
    definition = nexus.definition(entry)
    attributes = {
        "dataset_name": nexus.field(entry, "title") or candidate.stem,
        "measurement": definition,
        "instrument_name": nexus.instrument(entry),
        "timestamp": nexus.timestamp(entry),
        "data_type": definition or "NeXus",
        "data_format": _format(candidate),
    }
    thumbnail = _default_picture(entry, candidate.name, definition) or main_picture(file, candidate.name)
    warnings = list(found.warnings)
    started = nexus.field(entry, "start_time")
    if started and not attributes["timestamp"]:
        warnings.append(f"start_time {started!r} is not a date in ISO 8601, so the dataset has no time from the file.")
    return Extraction(
        attributes={name: value for name, value in attributes.items() if value},
        scientific_metadata=found.metadata(),
        keywords=[definition] if definition else [],
        samples=[Sample(name) for name in nexus.samples(entry)],
        thumbnails=[thumbnail] if thumbnail is not None else [],
        warnings=warnings,
    )


def _default_picture(entry: h5py.Group, title: str, definition: str) -> Thumbnail | None:
    try:
        plot = nexus.default_plot(entry)
        return None if plot is None else nexus.picture(plot, title, log=True if definition == "NXcanSAS" else None)
    except Exception:  # noqa: BLE001 the ingestor's edge: a picture is never worth losing the metadata
        return None


def main_picture(where: h5py.Group, title: str) -> Thumbnail | None:
    """A picture of the dataset that looks most like the data of a group: the largest, by shape."""
    candidates = sorted(_numeric(where), key=lambda data: (is_bookkeeping(str(data.name)), -data.size, str(data.name)))
    for data in [data for data in candidates if data.size > 1][:8]:
        try:
            thumbnail = _by_shape(data, title)
        except Exception:  # noqa: BLE001, S112 the ingestor's edge: a picture is never worth losing the metadata
            continue
        if thumbnail is not None:
            return thumbnail
    return None


def is_bookkeeping(name: str) -> bool:
    """Whether a dataset's name says that it only tells where and when the data were taken."""
    own = name.rsplit("/", 1)[-1].lower()
    return any(word in own for word in ("index", "indices", "position", "pixel_time", "slow_move", "extent", "corner"))


def _numeric(where: h5py.Group, depth: int = 0) -> list[h5py.Dataset]:
    """Numeric datasets below a group, breadth bounded, hard links only."""
    found: list[h5py.Dataset] = []
    for name in reading.names(where, 200):
        if len(found) > 400 or depth > 8:  # noqa: PLR2004 enough to find the data
            break
        try:
            hard = isinstance(where.get(name, getlink=True), h5py.HardLink)
            child = where[name] if hard else None
        except reading.H5_ERRORS:
            continue
        if isinstance(child, h5py.Group):
            found += _numeric(child, depth + 1)
        elif isinstance(child, h5py.Dataset) and reading.numeric(child):
            found.append(child)
    return found


def _by_shape(data: h5py.Dataset, title: str) -> Thumbnail | None:
    shape = tuple(length for length in data.shape if length > 1)
    fixed = (0,) * next((index for index, length in enumerate(data.shape) if length > 1), 0)
    if len(shape) <= 1:
        return shapes.line(data, _beside(data), title=title) if data.ndim == 1 else None
    if data.ndim == len(fixed) + 3 and data.shape[-1] in {3, 4} and data.dtype.kind == "u":
        values = reading.read(data, (1200, 1600, 4), fixed)
        return None if values is None else shapes.photograph(values, title=title, caption=str(data.name))
    if data.ndim == len(fixed) + 2:
        x = _beside(data)
        if x is not None and data.shape[0] <= 64:  # noqa: PLR2004 spectra in rows
            return shapes.lines(data, x, title=title)
        image_like = data.dtype.kind in "ub"
        return shapes.plane(data, fixed, title=title, as_picture=image_like)
    return shapes.stack(data, title=title)


def _beside(data: h5py.Dataset) -> h5py.Dataset | None:
    """A dataset in the same group that its last axis can stand on: same length, a known name."""
    group = data.parent
    for name in reading.names(group, 200):
        if name.lower() in _X_NAMES and name != str(data.name).rsplit("/", 1)[-1]:
            x = reading.child_data(group, name)
            if x is not None and reading.numeric(x) and x.shape == data.shape[-1:]:
                return x
    return None
