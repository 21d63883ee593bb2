"""The parts of a ScopeFoundry file that are datasets of their own: one for each sample of a tray.

Source: crucible-ingestion, `parse_children` of Nirvana's line scan and spec run and of SpinBot's spin run. Crucible tells
a child by its name under its parent, so the names here are those that it gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestors import rendering
from ingestors.api import Child
from ingestors.hdf5 import reading
from ingestors.hdf5.survey import attributes
from ingestors.scopefoundry import positions
from ingestors.scopefoundry.person import meant, named_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py

    from ingestors.api import Sample, Thumbnail
    from ingestors.scopefoundry.positions import Method, Place
    from ingestors.scopefoundry.scene import Scene

SPIN_RUN: Final = "spin_run"
_SHORT_ID: Final = 13
_MOST_DRAWN: Final = 48
_LINE_SCAN: Final = "pollux_oospec_multipos_line_scan"
_SPEC_RUN: Final = "pollux_multipos_spec_run"


def children(scene: Scene, own_id: str) -> list[Child]:
    """A child for each sample that the measurement's positions or its run name. `own_id`: the file's own, or empty."""
    if scene.name.lower().startswith(SPIN_RUN):
        return [_film(scene, name, one, sample, own_id) for name, one, sample in _films(scene.group)]
    named = [(place, place.sample) for place in positions.places(scene.group) if place.sample is not None]
    return [_position(scene, place, sample, drawn=number < _MOST_DRAWN) for number, (place, sample) in enumerate(named)]


def run_samples(scene: Scene) -> list[Sample]:
    """The trays of a spin run, then its films."""
    films = list(_films(scene.group)) if scene.name.lower().startswith(SPIN_RUN) else []
    trays = (_named(one, "batch") for _, one, _ in films)
    return list(dict.fromkeys([*(tray for tray in trays if tray is not None), *(film for _, _, film in films)]))


def _position(scene: Scene, place: Place, sample: Sample, *, drawn: bool) -> Child:
    name, measurement = f"{scene.name} of {sample.name}", scene.name
    if scene.name == _LINE_SCAN:
        name = f"Child Nirvana scan for {sample.name}"
    elif scene.name == _SPEC_RUN:
        name, measurement = f"Nirvana SpecRun for {sample.name}", f"{scene.name}_tf"
    return Child(
        key=place.name,
        attributes={"dataset_name": name, "measurement": measurement},
        scientific_metadata=positions.facts(place),
        samples=[sample],
        thumbnails=list(_pictures(scene, place, sample)) if drawn else [],
    )


def _pictures(scene: Scene, place: Place, sample: Sample) -> Iterator[Thumbnail]:
    for method, one in place.groups:
        spectrum = positions.spectrum_of(method, one)
        if spectrum is None:
            continue
        x, x_label = positions.across(scene, method, spectrum.values.size)
        line = rendering.Series(x, spectrum.values, "")
        png = rendering.curve([line], title=f"{sample.name} ({place.name})", x_label=x_label, y_label=spectrum.label)
        yield rendering.thumbnail(f"{_caption(method, spectrum.label)} ({place.name})", png)


def _caption(method: Method, label: str) -> str:
    what = label.removesuffix(" (counts)")
    if not method.name:
        return "Absorbance Spectrum" if what == "absorbance" else "Spectrum"
    return f"{method.title} Absorbance" if what == "absorbance" else f"{method.title} Intensity"


def _films(group: h5py.Group) -> Iterator[tuple[str, h5py.Group, Sample]]:
    """The films that a spin run made, by the name of their group."""
    held = reading.child_group(group, "samples")
    for name in reading.names(held, 400) if held is not None else []:
        one = reading.child_group(held, name) if held is not None else None
        sample = _named(one, "sample") if one is not None else None
        if one is not None and sample is not None:
            yield name, one, sample


def _named(one: h5py.Group, kind: str) -> Sample | None:
    name, own_id = (meant(reading.attribute_text(one, f"{kind}_{what}")) for what in ("name", "id"))
    return named_sample(name or own_id, own_id) if name or own_id else None


def _film(scene: Scene, key: str, one: h5py.Group, sample: Sample, own_id: str) -> Child:
    run = f" - {own_id[:_SHORT_ID]}" if own_id else ""
    told: dict[str, Any] = attributes(one)
    return Child(
        key=key,
        attributes={"dataset_name": f"Spin Run for {sample.name}{run}", "measurement": f"{scene.name}_tf"},
        scientific_metadata=told,
        samples=[sample],
    )
