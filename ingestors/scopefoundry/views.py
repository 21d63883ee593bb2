"""Which picture shows a measurement: known names first, then whatever has the shape of something known.

A view draws the datasets of a measurement's group, or gives an empty list if they are not there.
Source of the names and shapes: ScopeFoundry's measurement classes and the readers of FoundryDataBrowser.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from ingestors import image
from ingestors.hdf5.ingestor import main_picture
from ingestors.scopefoundry import cubes, layout, scans, traces
from ingestors.scopefoundry.scene import Scene

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Candidate, Thumbnail

_MOST_COMPANIONS: Final = 4
_BY_SHAPE: Final = (
    cubes.cube, scans.tiles, scans.channels, scans.maps, traces.spectrum, traces.sweep, scans.images, traces.trace,
)  # fmt: skip
_BY_NAME: Final = (
    ("*hyperspec*", (cubes.cube, scans.channels)),
    ("*hyperspectral*", (cubes.cube,)),
    ("*spec_scan", (cubes.cube,)),
    ("*sync_raster_scan*", (scans.channels,)),
    ("*tiled_image*", (scans.tiles,)),
    ("*picam_readout", (traces.spectrum,)),
    ("*ccd_readout", (traces.spectrum,)),
    ("*spec_readout", (traces.spectrum,)),
    ("*oo_spec_live", (traces.spectrum,)),
    ("*power_scan*", (traces.spectrum,)),
    ("*spec_line_scan", (traces.spectrum,)),
    ("*spec_run", (traces.spectrum,)),
    ("sweep_?D", (traces.sweep,)),
    ("map_2D", (traces.sweep,)),
    ("*2[dD]*[sS]can*", (scans.maps,)),
    ("*apd_scan*", (scans.maps,)),
    ("toupcam_live*", (scans.images,)),
    ("*image_stack*", (scans.images,)),
    ("*camera_capture", ()),
    ("*time_trace*", (traces.trace,)),
    ("*sine_wave*", (traces.trace,)),
)


def known(measurement: str) -> bool:
    """Whether there is a view for a measurement of this name."""
    return any(fnmatchcase(measurement, pattern) for pattern, _ in _BY_NAME)


def pictures(file: h5py.File, name: str, group: h5py.Group | None, candidate: Candidate) -> list[Thumbnail]:
    """Thumbnails of the main data, then of the pictures that lie beside the file."""
    found: list[Thumbnail] = []
    if group is not None:
        scene = Scene(group, name, layout.settings(group), layout.setting_units(group), _components(file))
        named = [view for pattern, views in _BY_NAME if fnmatchcase(name, pattern) for view in views]
        for view in dict.fromkeys([*named, *_BY_SHAPE]):
            try:
                found = view(scene)
            except Exception:  # noqa: BLE001, S112 the ingestor's edge: odd data may suit the next view, metadata count more
                continue
            if found:
                break
        if not found:
            rest = main_picture(group, name)
            found = [rest] if rest is not None else []
    return found + image.thumbnails(candidate.companions[:50], _MOST_COMPANIONS)


def _components(file: h5py.File) -> dict[str, dict[str, object]]:
    """Settings of the components whose settings name the data's channels."""
    return {
        name: layout.settings(group)
        for name, group in layout.hardware(file).items()
        if "raster" in name or "daq" in name
    }
