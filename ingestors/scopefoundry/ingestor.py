"""ScopeFoundry's HDF5 files: any version, any measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.hdf5 import reading
from ingestors.hdf5.survey import survey
from ingestors.scopefoundry import children, companions, layout, leem, person, positions, settingsfile, snapshot, views
from ingestors.scopefoundry.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

    from ingestors.api import Candidate, Child, Sample

_FORMAT: Final = 60
_PRODUCTS: Final = {children.SPIN_RUN: "Thin Film Deposition Run"}


class ScopeFoundry:
    """ScopeFoundry HDF5 of every layout from 100 on, recognised by its content whatever the file is called."""

    name = "scopefoundry"
    version = "3"

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
    scene = Scene.of(file, main, measurements[main]) if main else None
    hardware = {name: layout.settings(group) for name, group in layout.hardware(file).items()}
    typed = person.typed(hardware)
    kind = _kind(scene)
    own_id = layout.run_id(scene.settings) if scene is not None and scene.name == children.SPIN_RUN else ""
    own_id = own_id or layout.unique_id(file)
    attributes = {
        "dataset_name": candidate.stem,
        "measurement": kind.measurement if kind is not None else main,
        "data_type": kind.data_type if kind is not None else _PRODUCTS.get(main, "ScopeFoundry H5 file"),
        "data_format": "h5",
        "instrument_name": reading.attribute_text(found.app, "name") if found.app is not None else "",
        "timestamp": layout.timestamp(file),
        "unique_id": own_id,
        "session_name": typed.session_name,
        "project_id": typed.project_id,
        "owner_orcid": typed.owner_orcid,
    }
    metadata = layout.with_units(walked.tree)
    if typed.comments:
        metadata["comments"] = typed.comments
    if scene is not None and (places := positions.described(scene.group)):
        metadata["positions"] = places
    saved = settingsfile.merge(metadata, candidate.companions)
    metadata = saved.metadata
    if walked.datasets:
        metadata["datasets"] = walked.datasets
    return Extraction(
        attributes={name: value for name, value in attributes.items() if value},
        scientific_metadata=metadata,
        keywords=list(dict.fromkeys([*typed.tags, *person.folder_words(hardware, candidate.path)])),
        samples=_samples(found, typed, scene),
        thumbnails=views.pictures(file, scene, candidate),
        warnings=[
            *walked.warnings,
            *_warnings(file, measurements, scene),
            *companions.contradictions(candidate, layout.unique_id(file)),
            *saved.warnings,
        ],
        children=_children(scene, own_id),
    )


def _kind(scene: Scene | None) -> leem.Kind | None:
    try:
        return leem.kind(scene) if scene is not None else None
    except Exception:  # noqa: BLE001 the ingestor's edge: a better name is never worth losing the metadata
        return None


def _children(scene: Scene | None, own_id: str) -> list[Child]:
    try:
        return children.children(scene, own_id) if scene is not None else []
    except Exception:  # noqa: BLE001 the ingestor's edge: odd positions must not cost the metadata
        return []


def _samples(found: layout.Layout, typed: person.Person, scene: Scene | None) -> list[Sample]:
    """The app's sample, what was typed for the catalog, and the samples of each position."""
    own = person.meant(layout.settings(found.app).get("sample"))
    named = [*([person.named_sample(own)] if own else []), *typed.samples]
    there = [*positions.samples(scene.group), *children.run_samples(scene)] if scene is not None else []
    return list(dict.fromkeys([*named, *there]))


def _warnings(file: h5py.File, measurements: Mapping[str, h5py.Group], scene: Scene | None) -> list[str]:
    found = (
        [] if layout.timestamp(file) else ["time_id is missing or no time, so the dataset has no time from the file."]
    )
    if scene is None:
        return ["The file holds no measurement, only settings.", *found]
    if len(measurements) > 1:
        names = ", ".join(sorted(measurements)[:6])
        found.append(
            f"The file holds {len(measurements)} measurements ({names}); the dataset is described by {scene.name}."
        )
    try:
        return [*found, *snapshot.warnings(scene)]
    except Exception:  # noqa: BLE001 the ingestor's edge: odd data must not cost the metadata
        return [*found, "The data could not be compared with the settings."]
