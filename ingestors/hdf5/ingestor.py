"""Any HDF5 file: its tree, its attributes, its datasets, and a picture of what looks most like the data."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.columns import described
from ingestors.hdf5 import columns, generic, nexus, plottable, reading
from ingestors.hdf5.families import FAMILIES
from ingestors.hdf5.pictures import main_picture
from ingestors.hdf5.privacy import cleaned
from ingestors.hdf5.survey import Survey, survey
from ingestors.hdf5.told import Family, Source, Told, drawn_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

    from ingestors.api import Candidate, Thumbnail
    from ingestors.columns import Table

_NEXUS: Final = 45  # a documented family of formats, but many programs' own dialects of it
_MOST_PICTURES: Final = 4


class HDF5:
    """HDF5 of any origin; NeXus and other documented structures understood. Recognised by its signature, never by its suffix."""

    name = "hdf5"
    version = "3"

    def claim(self, candidate: Candidate) -> Claim | None:
        """CONTAINER for the signature, FORMAT for a known structure, a little below it for NeXus."""
        if not reading.has_signature(candidate):
            return None
        try:
            with reading.opened(candidate.path) as file:
                if (known := _family(file)) is not None:
                    return Claim(Specificity.FORMAT, f"{known[0].name}: {known[1]}")
                entry = nexus.entry(file)
                if entry is not None:
                    return Claim(_NEXUS, f"NX_class = {plottable.kind(entry)} at {entry.name}")
        except UnreadableError:
            return Claim(Specificity.CONTAINER, "HDF5 signature, but the file does not open")
        return Claim(Specificity.CONTAINER, "HDF5 signature")

    def extract(self, candidate: Candidate) -> Extraction:
        """Read tree, attributes and a picture. Raises UnreadableError if the library cannot open the file."""
        with reading.opened(candidate.path) as file:
            walked = survey(file)
            told = _told(file, candidate, walked)
            tables = list(columns.tables(file))
            thumbnails = [*told.thumbnails[:_MOST_PICTURES]]
            if not thumbnails:
                last = _last_picture(file, tables, told.attributes.get("dataset_name") or candidate.stem)
                thumbnails = [last] if last is not None else []
            warnings = [*walked.warnings, *told.warnings]
            if walked.empty:
                warnings.append("The file holds no data: no dataset has a value.")
            return Extraction(
                attributes=_attributes(told.attributes, candidate),
                scientific_metadata=cleaned(_metadata(walked, told, tables)),
                keywords=told.keywords,
                samples=told.samples,
                thumbnails=thumbnails,
                warnings=warnings,
            )


def _family(file: h5py.File) -> tuple[Family, str] | None:
    """The first known structure that the file has, and how it shows."""
    for family in FAMILIES:
        try:
            if reason := family.recognised(file):
                return family, reason
        except reading.H5_ERRORS:
            continue
    return None


def _told(file: h5py.File, candidate: Candidate, walked: Survey) -> Told:
    """What the most specific reader says; where it stumbles over odd data, what any file may say about itself."""
    source = Source(file, candidate.stem, candidate.head, walked.tree)
    try:
        if (known := _family(file)) is not None:
            return known[0].read(source)
        if nexus.entry(file) is not None:
            return _completed(nexus.read(source), generic.read(source))
    except Exception as error:  # noqa: BLE001 the ingestor's edge: a broken structure still has its tree
        plain = generic.read(source)
        broken = (
            f"The file's structure could not be read as it should ({type(error).__name__}: {error}); its tree is shown."
        )
        return Told(plain.attributes, plain.samples, warnings=[broken, *plain.warnings])
    return generic.read(source)


def _completed(told: Told, said: Told) -> Told:
    """NeXus allows any group beside its own: a time or a sample that stands nowhere else is taken from there."""
    attributes = dict(told.attributes)
    warnings = list(told.warnings)
    elsewhere = said.attributes.get("timestamp", "")
    if elsewhere and not attributes.get("timestamp") and not warnings:
        attributes["timestamp"] = elsewhere
        warnings.append("The entry has no start_time; its time is the first that stands elsewhere in the file.")
    return replace(told, attributes=attributes, samples=told.samples or said.samples, warnings=warnings)


def _attributes(said: Mapping[str, str], candidate: Candidate) -> dict[str, str]:
    own = {"dataset_name": candidate.stem, "data_format": candidate.suffix.lstrip(".") or "h5"}
    return own | {name: value for name, value in said.items() if value}


def _metadata(walked: Survey, told: Told, tables: list[Table]) -> dict[str, Any]:
    found: dict[str, Any] = dict(told.tree if told.tree is not None else walked.tree)
    listed = {} if {"table", "tables"} & set(told.metadata) else described(tables)
    datasets = {
        path: about | ({"axes": told.axes[path]} if path in told.axes else {})
        for path, about in walked.datasets.items()
    }
    for name, value in {**listed, **told.metadata, "datasets": datasets}.items():
        own = found.get(name)  # the file may have a group of that name
        if value:
            found[name] = {**own, **value} if isinstance(own, dict) and isinstance(value, dict) else value
    return found


def _last_picture(file: h5py.File, tables: list[Table], title: str) -> Thumbnail | None:
    """The largest dataset by its shape, or the first table that can be drawn."""
    for table in tables:
        picture = drawn_or_none(partial(columns.picture, table, title))
        if picture is not None:
            return picture
    return drawn_or_none(lambda: main_picture(file, title))
