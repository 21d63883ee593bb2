"""Which picture shows a measurement: known names first, then whatever has the shape of something known.

A view draws the datasets of a measurement's group, or gives an empty list if they are not there.
Source of the names and shapes: ScopeFoundry's measurement classes and the readers of FoundryDataBrowser.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from ingestors import image
from ingestors.hdf5 import reading
from ingestors.hdf5.pictures import main_picture
from ingestors.scopefoundry import cubes, leem, positions, scans, sweeps, traces
from ingestors.scopefoundry.scene import X_NAMES

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Candidate, Thumbnail
    from ingestors.scopefoundry.scene import Scene

_MOST_PICTURES: Final = 6
_MOST_COMPANIONS: Final = 4
_BY_SHAPE: Final = (
    cubes.cube, positions.spectra, leem.ramp, sweeps.sweep, scans.tiles, scans.channels, scans.maps, positions.kinds,
    traces.spectrum, leem.spin_images, scans.images, traces.current_voltage, traces.trace,
)  # fmt: skip
_BY_NAME: Final = (
    ("*hyperspec_cl*", (cubes.cube, scans.channels)),
    ("*hyperspec*", (cubes.cube,)),
    ("*spec_scan*", (cubes.cube,)),
    ("*winspec*scan*", (cubes.cube,)),
    ("*trpl*", (cubes.cube, traces.spectrum)),
    ("*harp*2dslowscan*", (cubes.cube, scans.maps)),
    ("*harp_histogram*", (traces.spectrum,)),
    ("*sync_raster_scan*", (scans.channels, cubes.cube)),
    ("*tiled_image*", (scans.tiles,)),
    ("*picam_readout*", (traces.spectrum,)),
    ("*ccd_readout*", (traces.spectrum,)),
    ("*spec_readout*", (traces.spectrum,)),
    ("*winspec*readout*", (traces.spectrum,)),
    ("*spec_live*", (traces.spectrum,)),
    ("auger_spectrum*", (traces.spectrum,)),
    ("bioglow_spec*", (traces.spectrum, positions.kinds)),
    ("*power_scan*", (traces.powers,)),
    ("*multipos*", (positions.spectra, positions.kinds)),
    ("*spec_line_scan*", (traces.spectrum,)),
    ("spec_run*", (positions.kinds, traces.spectrum)),
    ("photo_run*", (scans.images,)),
    ("spin_run*", (traces.trace,)),
    ("ald_run*", (traces.trace,)),
    ("sv_ramp*", (leem.ramp,)),
    ("image_save", (leem.saved_images,)),
    ("spleem_image", (leem.spin_images,)),
    ("arres_*", (leem.arres,)),
    ("deposition_monitor", (leem.deposition,)),
    ("sweep_?d*", (sweeps.sweep,)),
    ("map_?d*", (sweeps.sweep,)),
    ("*_?d*scan*", (scans.maps,)),
    ("*2dslowscan*", (scans.maps,)),
    ("*apd_scan*", (scans.maps,)),
    ("toupcam_live*", (scans.images,)),
    ("*image_stack*", (scans.images,)),
    ("*camera_capture*", ()),
    ("*time_trace*", (traces.trace,)),
    ("*_logger", (traces.spectrum, traces.trace)),
    ("*photocurr*", (traces.current_voltage,)),
    ("*sine_wave*", (traces.trace,)),
)
_ALL_OF: Final = frozenset({"hyperspec_cl"})
"""Measurements whose every named view is drawn, not only the first that finds something."""


def known(measurement: str) -> bool:
    """Whether there is a view for a measurement of this name."""
    return any(fnmatchcase(measurement.lower(), pattern) for pattern, _ in _BY_NAME)


def pictures(file: h5py.File, scene: Scene | None, candidate: Candidate) -> list[Thumbnail]:
    """Thumbnails of the measurement's data (of whatever data there are without one), then of the pictures beside the file."""
    found = [] if scene is None else _drawn(scene)
    if not found and not (scene is not None and _only_axes(scene)):
        rest = main_picture(file["/"], candidate.stem) if scene is None else main_picture(scene.group, scene.name)
        found = [rest] if rest is not None else []
    return found[:_MOST_PICTURES] + image.thumbnails(candidate.companions[:50], _MOST_COMPANIONS)


def _only_axes(scene: Scene) -> bool:
    """Whether there are axes and nothing over them: a scan that was stopped before its first spectrum."""
    there = [name for name in reading.names(scene.group, 200) if scene.data(name) is not None]
    return bool(there) and all(name in X_NAMES for name in there)


def _drawn(scene: Scene) -> list[Thumbnail]:
    """The first view that finds its data draws; measurements that record two kinds of data get both."""
    name = scene.name.lower()
    named = list(dict.fromkeys(view for pattern, views in _BY_NAME if fnmatchcase(name, pattern) for view in views))
    every = any(one in name for one in _ALL_OF)
    found: list[Thumbnail] = []
    for view in dict.fromkeys([*named, *_BY_SHAPE]):
        if found and not (every and view in named):
            break
        try:
            found += view(scene)
        except Exception:  # noqa: BLE001, S112 the ingestor's edge: odd data may suit the next view, metadata count more
            continue
    return found
