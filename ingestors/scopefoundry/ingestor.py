"""ScopeFoundry's HDF5 files: any version, any measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Claim, Extraction, Sample, Specificity, UnreadableError
from ingestors.hdf5 import reading
from ingestors.hdf5.ingestor import is_bookkeeping
from ingestors.hdf5.survey import survey
from ingestors.scopefoundry import layout, person, views

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

    from ingestors.api import Candidate

_FORMAT: Final = 60
_TAIL: Final = 0.2  # a part of the data that is zero at the end, worth a warning


class ScopeFoundry:
    """ScopeFoundry HDF5 of every layout from 100 on, recognised by its content whatever the file is called."""

    name = "scopefoundry"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """PRODUCT if there is a view for the file's measurement, a little above FORMAT otherwise."""
        if not reading.has_signature(candidate):
            return None
        try:
            with reading.opened(candidate.path) as file:
                found = layout.recognised(file)
                if found is None:
                    return None
                reason = (
                    f"root attribute ScopeFoundry_version = {found.version}"
                    if found.version
                    else "groups of ScopeFoundry"
                )
                main = layout.main_measurement(layout.measurements(file), candidate.stem)
                if views.known(main):
                    return Claim(Specificity.PRODUCT, f"{reason}, measurement {main}")
                return Claim(_FORMAT, reason)
        except UnreadableError:
            return None

    def extract(self, candidate: Candidate) -> Extraction:
        """Read settings, data list and pictures. Raises UnreadableError if the file does not open or is not ScopeFoundry's."""
        with reading.opened(candidate.path) as file:
            found = layout.recognised(file)
            if found is None:
                raise UnreadableError("The HDF5 file is not ScopeFoundry's.")
            return _extract(candidate, file, found)


def _extract(candidate: Candidate, file: h5py.File, found: layout.Layout) -> Extraction:
    walked = survey(file)
    measurements = layout.measurements(file)
    main = layout.main_measurement(measurements, candidate.stem)
    typed = person.typed({name: layout.settings(group) for name, group in layout.hardware(file).items()})
    time = layout.timestamp(file)
    attributes = {
        "dataset_name": candidate.stem,
        "measurement": main,
        "data_type": "ScopeFoundry H5 file",
        "data_format": "h5",
        "instrument_name": reading.attribute_text(found.app, "name") if found.app is not None else "",
        "timestamp": time,
        "unique_id": layout.unique_id(file),
        "session_name": typed.session_name,
        "project_id": typed.project_id,
        "owner_orcid": typed.owner_orcid,
    }
    metadata = layout.with_units(walked.tree)
    if typed.comments:
        metadata["comments"] = typed.comments
    if walked.datasets:
        metadata["datasets"] = walked.datasets
    warnings = [*walked.warnings, *_warnings(measurements, main)]
    if not time:
        warnings.append("time_id is missing or no time, so the dataset has no time from the file.")
    return Extraction(
        attributes={name: value for name, value in attributes.items() if value},
        scientific_metadata=metadata,
        keywords=typed.tags,
        samples=_samples(found, typed),
        thumbnails=views.pictures(file, main, measurements.get(main), candidate),
        warnings=warnings,
    )


def _samples(found: layout.Layout, typed: person.Person) -> list[Sample]:
    named = (person.meant(layout.settings(found.app).get("sample")), *typed.samples)
    return [Sample(name) for name in dict.fromkeys(named) if name]


def _warnings(measurements: Mapping[str, h5py.Group], main: str) -> list[str]:
    if not measurements:
        return ["The file holds no measurement, only settings."]
    found = []
    if len(measurements) > 1:
        names = ", ".join(sorted(measurements)[:6])
        found.append(f"The file holds {len(measurements)} measurements ({names}); the dataset is described by {main}.")
    group = measurements[main]
    found += _snapshot(layout.settings(group))
    found += _incomplete(group)
    return found


def _snapshot(settings: Mapping[str, Any]) -> list[str]:
    state = settings.get("run_state")
    running = (isinstance(state, str) and "run" in state.lower()) or settings.get("running") is True
    if not running:
        return []
    progress = settings.get("progress")
    at = (
        f" at a progress of {progress:g} %"
        if isinstance(progress, (int, float)) and not isinstance(progress, bool)
        else ""
    )
    return [f"The settings are a snapshot made while the measurement ran{at}; later changes are not in them."]


def _incomplete(group: h5py.Group) -> list[str]:
    """Sentences on datasets without any value, and on those that end in zeros."""
    empty, partial = [], []
    for name in reading.names(group, 200):
        data = reading.child_data(group, name)
        if data is None or data.shape is None or is_bookkeeping(name):
            continue
        if data.size == 0:
            empty.append(name)
        elif reading.numeric(data) and data.dtype.kind in "fiu" and (part := _filled(data)) is not None:
            partial.append(f"{name} ({part[0]} of {part[1]} values)")
    found = [f"Nothing was recorded in {', '.join(empty[:6])}."] if empty else []
    if partial:
        found.append(
            f"Zeros to the end after the first values: {', '.join(partial[:4])}; the measurement was perhaps stopped early."
        )
    return found


def _filled(data: h5py.Dataset) -> tuple[int, int] | None:
    """Number of values up to the last one that is not zero, and of all; None if the end is filled or nothing is."""
    if data.size > 1_000_000 or data.size < 10:  # noqa: PLR2004 large ones cost too much, small ones say too little
        return None
    values = reading.read(data, data.shape)
    if values is None:
        return None
    filled = np.flatnonzero(values.ravel())
    if not filled.size or filled[-1] + 1 > (1 - _TAIL) * values.size:
        return None
    return int(filled[-1]) + 1, int(values.size)
