"""Multi-position line scans (Nirvana) and spectra by kind (SpinBot): many samples in one file.

Source of the layout: `positions/<p>/{raw,dark,blank}_intensities` with attributes `sample_uuid`, `sample_name`,
`tray_uuid`, `tray_name`, `integration_time`, `x_center`, `y_center`, `x_positions`, `y_positions`, over `wavelengths`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.survey import attributes
from ingestors.scopefoundry.person import meant, named_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py
    from numpy.typing import NDArray

    from ingestors.api import Sample, Thumbnail
    from ingestors.scopefoundry.scene import Scene

_MOST: Final = 400  # positions of one file
_LINES: Final = 12
_ROWS: Final = 200  # spectra of one position that are averaged


def members(group: h5py.Group | None) -> Iterator[tuple[str, h5py.Group]]:
    """The positions of a measurement by name."""
    held = reading.child_group(group, "positions") if group is not None else None
    for name in reading.names(held, _MOST) if held is not None else []:
        one = reading.child_group(held, name) if held is not None else None
        if one is not None:
            yield name, one


def samples(group: h5py.Group | None) -> list[Sample]:
    """Trays, then the samples on them, each once."""
    trays: list[Sample] = []
    films: list[Sample] = []
    for _, one in members(group):
        for kind, found in (("tray", trays), ("sample", films)):
            name = meant(reading.attribute_text(one, f"{kind}_name"))
            own_id = reading.attribute_text(one, f"{kind}_uuid")
            if name or meant(own_id):
                found.append(named_sample(name or own_id, own_id))
    return list(dict.fromkeys([*trays, *films]))


def described(group: h5py.Group | None) -> list[dict[str, Any]]:
    """What a catalog shows of each position: its name, its sample, and where and how long it was measured."""
    return [{"position": name, **attributes(one)} for name, one in members(group)]


def spectra(scene: Scene) -> list[Thumbnail]:
    """The absorbance of each position, from its spectra, its dark and its blank; raw spectra where these are missing."""
    lines: list[rendering.Series] = []
    absorbed = True
    label = "channel"
    for name, one in members(scene.group):
        found = _spectrum(one)
        if found is None:
            continue
        y, is_absorbance = found
        x, label = scene.across(y.size, "wavelengths", "wls")
        absorbed &= is_absorbance
        lines.append(rendering.Series(x, y, meant(reading.attribute_text(one, "sample_name")) or name))
    if not lines:
        return []
    y_label = "absorbance" if absorbed else "intensity (counts)"
    png = rendering.curve(lines, title=scene.name, x_label=label, y_label=y_label)
    return [rendering.thumbnail(f"{y_label} of {len(lines)} positions", png)]


def _spectrum(one: h5py.Group) -> tuple[NDArray[np.float64], bool] | None:
    raw = _mean(one, "raw_intensities") if reading.child_data(one, "raw_intensities") is not None else None
    if raw is None:
        named = (name for name in reading.names(one, 40) if name.endswith(("intensities", "spectra", "spectrum")))
        rest = next((found for found in (_mean(one, name) for name in named) if found is not None), None)
        return None if rest is None else (rest, False)
    dark, blank = _mean(one, "dark_intensities"), _mean(one, "blank_intensities")
    if dark is None or blank is None or not raw.shape == dark.shape == blank.shape:
        return raw, False
    lamp = blank - dark
    passed = (raw - dark) / np.where(np.abs(lamp) < 1, 1.0, lamp)
    return -np.log10(np.clip(passed, 1e-9, None)), True


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
