"""Measurements of many samples in one file: positions of a tray (Nirvana), and spectra by kind (SpinBot).

Source of the layout: crucible-ingestion and tksamples. A line scan has `positions/<p>/{raw,dark,blank}_intensities` with
attributes `sample_uuid`, `sample_name`, `tray_uuid`, `tray_name`, `integration_time`, `x_center`, `y_center`,
`x_positions`, `y_positions` (datasets in some versions), over `wavelengths`; a spec run has that once for each method,
below `uvvis` and `pl`, and what all positions share (the dark of `pl`) beside its `positions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import plainvalues, reading, shapes
from ingestors.hdf5.survey import attributes
from ingestors.scopefoundry.person import meant, named_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py
    from numpy.typing import NDArray

    from ingestors.api import Sample, Thumbnail
    from ingestors.scopefoundry.scene import Scene

_MOST: Final = 400  # positions of one file
_LINES: Final = 12
_ROWS: Final = 200  # spectra of one position that are averaged
_NO_SAMPLES: Final = frozenset({"dark", "blank", "empty", "reference"})
_OWN_DATA: Final = ("integration_time", "x_center", "y_center", "x_positions", "y_positions")
_IDENTITY: Final = ("sample_", "tray_")
_METHODS: Final = {"uvvis": "UVVis", "pl": "PL"}


@dataclass(frozen=True, slots=True)
class Method:
    """One way of measuring the positions: its group, and its name, which is empty if there is only one."""

    name: str
    group: h5py.Group

    @property
    def title(self) -> str:
        """As people call it."""
        return _METHODS.get(self.name.lower(), self.name)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The spectrum of a position, and what it tells: "absorbance", "PL intensity (counts)"."""

    values: NDArray[np.float64]
    label: str


@dataclass(frozen=True, slots=True)
class Place:
    """One position: its name, its group for each method, and what lies there."""

    name: str
    groups: tuple[tuple[Method, h5py.Group], ...]
    sample: Sample | None
    tray: Sample | None


def places(group: h5py.Group | None) -> list[Place]:
    """The positions of a measurement, in the file's order."""
    found: dict[str, list[tuple[Method, h5py.Group]]] = {}
    for method in _methods(group):
        held = reading.child_group(method.group, "positions")
        for name in reading.names(held, _MOST) if held is not None else []:
            one = reading.child_group(held, name) if held is not None else None
            if one is not None:
                found.setdefault(name, []).append((method, one))
    return [
        Place(name, tuple(groups), _identity(groups, "sample"), _identity(groups, "tray"))
        for name, groups in found.items()
    ]


def _methods(group: h5py.Group | None) -> list[Method]:
    if group is None:
        return []
    if reading.child_group(group, "positions") is not None:
        return [Method("", group)]
    below = ((name, reading.child_group(group, name)) for name in reading.names(group, 100) if name != "settings")
    holding = [Method(name, one) for name, one in below if one is not None and reading.child_group(one, "positions")]
    return sorted(holding, key=lambda method: (method.name.lower() not in _METHODS, method.name.lower() == "pl"))


def _identity(groups: list[tuple[Method, h5py.Group]], kind: str) -> Sample | None:
    """The sample or the tray that a position's attributes name."""
    for _, one in groups:
        name = meant(reading.attribute_text(one, f"{kind}_name"))
        own_id = meant(reading.attribute_text(one, f"{kind}_uuid"))
        found = named_sample(name or own_id, own_id) if name or own_id else None
        if found is not None and (found.unique_id or found.name.lower() not in _NO_SAMPLES):
            return found
    return None


def samples(group: h5py.Group | None) -> list[Sample]:
    """Trays, then the samples on them, each once."""
    found = places(group)
    named = [*(place.tray for place in found), *(place.sample for place in found)]
    return list(dict.fromkeys(sample for sample in named if sample is not None))


def described(group: h5py.Group | None) -> list[dict[str, Any]]:
    """What a catalog shows of each position: its name, its sample, and where and how long it was measured."""
    return [facts(place) for place in places(group)]


def facts(place: Place) -> dict[str, Any]:
    """The attributes of a position; where there are several methods, with the names that Crucible gives them."""
    found: dict[str, Any] = {"position": place.name}
    for number, (method, one) in enumerate(place.groups):
        for name, value in _own(one).items():
            theirs = method.name and not name.startswith(_IDENTITY) and (number or name == "integration_time")
            found.setdefault(f"{method.name}_{name}" if theirs else name, value)
    return found


def _own(one: h5py.Group) -> Mapping[str, Any]:
    told = attributes(one)
    for name in _OWN_DATA:
        data = reading.child_data(one, name) if name not in told else None
        if data is not None and data.shape is not None and data.size <= _MOST and reading.obstacle(data) is None:
            try:
                told[name] = plainvalues.plain(data[()])
            except reading.H5_ERRORS:
                continue
    return told


def spectra(scene: Scene) -> list[Thumbnail]:
    """For each method all positions in one picture."""
    found = places(scene.group)
    return [thumbnail for method in _methods(scene.group) if (thumbnail := _all_of(scene, method, found)) is not None]


def _all_of(scene: Scene, method: Method, found: list[Place]) -> Thumbnail | None:
    lines: list[rendering.Series] = []
    labels: set[str] = set()
    x_label = "channel"
    for place in found:
        spectrum = spectrum_of(method, dict(place.groups).get(method))
        if spectrum is None:
            continue
        x, x_label = across(scene, method, spectrum.values.size)
        labels.add(spectrum.label)
        lines.append(rendering.Series(x, spectrum.values, place.sample.name if place.sample else place.name))
    if not lines:
        return None
    label = labels.pop() if len(labels) == 1 else "intensity (counts)"
    title = f"{scene.name}, {method.title}" if method.name else scene.name
    png = rendering.curve(lines, title=title, x_label=x_label, y_label=label)
    return rendering.thumbnail(f"{label} of {len(lines)} positions", png)


def across(scene: Scene, method: Method, length: int) -> tuple[NDArray[np.float64], str]:
    """The wavelengths of a method's spectra, and their label."""
    below = [f"{method.name}/{name}" for name in ("wavelengths", "wls")] if method.name else []
    return scene.across(length, *below, "wavelengths", "wls")


def spectrum_of(method: Method, one: h5py.Group | None) -> Spectrum | None:
    """The absorbance of a position, from its spectra, its dark and its blank; the intensity where these are missing."""
    if one is None:
        return None
    raw = _mean(one, "raw_intensities")
    if raw is None:
        known = ("intensities", "spectra", "spectrum", "spectral_data", "absorbance_data")
        named = (name for name in reading.names(one, 40) if name.endswith(known))
        found = next(((mean, name) for name in named if (mean := _mean(one, name)) is not None), None)
        if found is None:
            return None
        return Spectrum(found[0], "absorbance" if "absorbance" in found[1] else "intensity (counts)")
    dark, blank = (
        _like(raw, _mean(one, f"{name}_intensities"), _mean(method.group, f"{name}_intensities"))
        for name in ("dark", "blank")
    )
    if dark is None or blank is None:
        what = f"{method.title} intensity (counts)" if method.name else "intensity (counts)"
        return Spectrum(raw if dark is None else raw - dark, what)
    lamp = blank - dark
    passed = (raw - dark) / np.where(np.abs(lamp) < 1, 1.0, lamp)
    return Spectrum(-np.log10(np.clip(passed, 1e-9, None)), "absorbance")


def _like(raw: NDArray[np.float64], *found: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    return next((values for values in found if values is not None and values.shape == raw.shape), None)


def _mean(group: h5py.Group, name: str) -> NDArray[np.float64] | None:
    data = reading.child_data(group, name)
    if data is None or not reading.numeric(data) or data.ndim > 2:  # noqa: PLR2004 one spectrum, or a row for each
        return None
    values = reading.read(data, data.shape if data.ndim == 1 else (_ROWS, data.shape[1]))
    return None if values is None else np.asarray(shapes.mean(np.atleast_2d(values), (0,)), dtype=np.float64)


def kinds(scene: Scene) -> list[Thumbnail]:
    """`<k>_spectra` over `<k>_wls` for each kind k (photoluminescence, absorbance), and the `photo` of the sample."""
    found = []
    for name in reading.names(scene.group, 200):
        kind = name.removesuffix("_spectra")
        data = scene.data(name)
        if kind == name or data is None or data.ndim > 2:  # noqa: PLR2004 one spectrum, or a row for each
            continue
        found += _lines(scene, kind, data)
    photo = scene.data("photo", "image")
    if photo is not None and photo.ndim in {2, 3} and found:
        values = reading.read(photo, (1200, 1600, 4)[: photo.ndim])
        found += [] if values is None else [shapes.photograph(values, title=scene.name, caption="photo")]
    return found


def _lines(scene: Scene, kind: str, data: h5py.Dataset) -> list[Thumbnail]:
    """One spectrum, or up to a dozen of many."""
    values = reading.read(data, (_LINES, 100_000)[-data.ndim :])
    if values is None:
        return []
    x, label = scene.across(data.shape[-1], f"{kind}_wls", f"{kind}_wavelengths")
    step = -(-data.shape[-1] // 100_000)
    every = -(-data.shape[0] // _LINES) if data.ndim > 1 else 1
    rows = np.atleast_2d(values)
    series = [rendering.Series(x[::step], row, f"{kind} {number * every}") for number, row in enumerate(rows)]
    png = rendering.curve(series, title=f"{scene.name}, {kind}", x_label=label, y_label=f"{kind} (counts)")
    return [rendering.thumbnail(f"{kind}_spectra", png)]
