"""Electron microscopy at low energy (QSpleem): start voltage ramps, images, ARRES maps, deposition series.

Source of the dataset names: the QSpleem measurements as Crucible's ingestion reads them; `sv` is the start voltage in
volts, `imavg` the mean of a frame, `up` and `down` the two directions of the electrons' spin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading
from ingestors.rendering.pictures import as_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_SPARSE: Final = 0.25  # median over 99th percentile: below, a frame is mostly dark as diffraction is
_FRAME: Final = (600, 800)
_STACK: Final = 3
_SPINS: Final = (("up", "spin up"), ("down", "spin down"))


_KINDS: Final = {
    "sv_ramp": ("0000_sv_array", "000_im_array", ("LEED-IV", "LEEM-IV"), ""),
    "sv_ramp_spin": ("0000_sv_array", "000_im_up_array", ("SPLEED-IV", "SPLEEM-IV"), ""),
    "image_save": ("", "", ("LEED Image", "LEEM Image"), ""),
    "spleem_image": ("images", "", ("SPLEEM Image", ""), "real_space"),
    "arres_ek": ("spectrum images", "", ("ARRES E(k)", ""), "spectrum"),
    "arres_mm": ("spectrum images", "", ("ARRES Constant Energy Surface", ""), "momentum_map"),
    "deposition_monitor": ("roi_times roi_intensity images", "", ("Deposition Monitor", ""), "time_series"),
}
"""By ScopeFoundry's name: datasets one of which must be there, the frames that decide between diffraction and real space,
the names for these two, and the form where nothing has to be decided."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a measurement is called in the field, and which product it is (Crucible's `data_type`)."""

    measurement: str
    data_type: str


def kind(scene: Scene) -> Kind | None:
    """The field's name for a measurement of a low-energy electron microscope; None if this is another one."""
    group = scene.name.lower()
    needed, frames, names, form = _KINDS.get(group, ("", "", ("", ""), ""))
    images = _images(scene) if group == "image_save" else []
    if not images and scene.data(*needed.split()) is None:
        return None
    if not form:
        return _by_frames(scene, images[0] if images else frames, names)
    return _named(scene, names[0], "diffraction" if group.startswith("arres") and scene.data("images") else form)


def _named(scene: Scene, measurement: str, form: str) -> Kind:
    return Kind(measurement, f"ScopeFoundryH5.qspleem_{scene.name.lower()}.{form}")


def _by_frames(scene: Scene, name: str, names: tuple[str, str]) -> Kind:
    """Diffraction or real space, told by a frame from the latter part of the ramp."""
    data = scene.data(name)
    frame = None
    if data is not None and data.ndim in {2, _STACK}:
        frame = reading.read(data, _FRAME, (int(data.shape[0] * 0.7),) if data.ndim == _STACK else ())
    diffraction = False
    if frame is not None:
        median, bright = np.nanpercentile(np.asarray(frame, dtype=np.float64), [50, 99])
        diffraction = bool(median < _SPARSE * (bright or 1.0))
    return _named(scene, names[not diffraction], "diffraction" if diffraction else "real_space")


def _images(scene: Scene) -> list[str]:
    return [name for name in reading.names(scene.group, 200) if "im_array" in name and scene.data(name) is not None]


def ramp(scene: Scene) -> list[Thumbnail]:
    """Intensity over the start voltage, the asymmetry of the spins, and the frame where most is to be seen."""
    voltage = scene.values("0000_sv_array")
    if voltage is None or voltage.ndim != 1:
        return []
    label = "start voltage (V)"
    found = []
    named = [("000_imavg_array", "mean intensity"), *((f"000_imavg_{spin}_array", words) for spin, words in _SPINS)]
    curves = [(words, scene.values(name)) for name, words in named]
    series = [rendering.Series(voltage, y, words) for words, y in curves if y is not None and y.shape == voltage.shape]
    if series:
        png = rendering.curve(series, title=scene.name, x_label=label, y_label="mean intensity (counts)")
        found.append(rendering.thumbnail("intensity over start voltage", png))
    asymmetry = scene.values("000_asym_array")
    if asymmetry is not None and asymmetry.shape == voltage.shape:
        line = rendering.Series(voltage, asymmetry)
        png = rendering.curve([line], title=f"{scene.name}, spin asymmetry", x_label=label, y_label="asymmetry")
        found.append(rendering.thumbnail("asymmetry over start voltage", png))
    telling = [np.abs(asymmetry)] if asymmetry is not None else [y for _, y in curves if y is not None]
    return found + _frame_of(scene, voltage, telling)


def _frame_of(scene: Scene, voltage: NDArray[np.generic], telling: Sequence[NDArray[np.generic]]) -> list[Thumbnail]:
    """The frames at the greatest value behind the work function's drop."""
    work = scene.values("0000_wfs_array")
    first = int(np.searchsorted(voltage, float(np.ravel(work)[0]))) if work is not None and np.size(work) else 0
    first = min(first, max(voltage.size - 2, 0))
    if telling and telling[0].shape == voltage.shape and np.isfinite(telling[0][first:]).any():
        smooth = _smoothed(np.nan_to_num(telling[0]))[first:]
        behind = _first_minimum(smooth) if work is not None else 0
        best = first + behind + int(np.argmax(smooth[behind:]))
    else:
        best = voltage.size // 2
    frames, labels = [], []
    for name, words in (("000_im_array", ""), *((f"000_im_{spin}_array", words) for spin, words in _SPINS)):
        frame = scene.values(name, _FRAME, (best,)) if _is_stack(scene, name, best) else None
        if frame is not None:
            frames.append(frame[::-1])
            labels.append(words)
    if not frames:
        return []
    if len(frames) == len(_SPINS):
        frames.append(_asymmetry(*frames))
        labels.append("asymmetry")
    title = f"{scene.name} at {float(voltage[best]):.4g} V"
    return [rendering.thumbnail(f"image at {float(voltage[best]):.4g} V", _side_by_side(frames, labels, title))]


def _smoothed(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """The mean of nine neighbours; the ends go on as they are."""
    padded = np.pad(np.asarray(values, dtype=np.float64), 4, mode="edge")
    return np.convolve(padded, np.ones(9) / 9, mode="valid")


def _first_minimum(values: NDArray[np.float64]) -> int:
    """Where values that fall begin to rise; the beginning if they never do."""
    steps = np.diff(values)
    turns = np.flatnonzero((steps[:-1] < 0) & (steps[1:] >= 0))
    return int(turns[0]) + 1 if turns.size else 0


def _is_stack(scene: Scene, name: str, index: int) -> bool:
    data = scene.data(name)
    return data is not None and data.ndim == _STACK and data.shape[0] > index


def _asymmetry(up: NDArray[np.generic], down: NDArray[np.generic]) -> NDArray[np.float64]:
    one, two = np.asarray(up, dtype=np.float64), np.asarray(down, dtype=np.float64)
    total = one + two
    return np.asarray(np.where(total > 0, (one - two) / np.where(total > 0, total, 1.0), 0.0))


def _side_by_side(frames: Sequence[NDArray[np.generic]], labels: Sequence[str], title: str) -> bytes:
    """Frames each with its own contrast."""
    if len(frames) == 1:
        return rendering.picture(frames[0], title)
    return rendering.montage([as_image(frame) for frame in frames], title=title, labels=labels)


def saved_images(scene: Scene) -> list[Thumbnail]:
    """The images of `image_save`, up to six of them."""
    frames = [(name, scene.values(name, _FRAME)) for name in _images(scene)[:6] if _ndim(scene, name) == 2]  # noqa: PLR2004
    shown = [(name, frame[::-1]) for name, frame in frames if frame is not None]
    if not shown:
        return []
    labels = [name.removesuffix("_im_array") for name, _ in shown]
    return [rendering.thumbnail("image", _side_by_side([frame for _, frame in shown], labels, scene.name))]


def _ndim(scene: Scene, name: str) -> int:
    data = scene.data(name)
    return 0 if data is None else data.ndim


def spin_images(scene: Scene) -> list[Thumbnail]:
    """`images` (frame, spin, rows, columns): the mean of each spin direction, and their asymmetry."""
    data = scene.data("images")
    if data is None or data.ndim != 4 or data.shape[1] != len(_SPINS):  # noqa: PLR2004 as the docstring says
        return []
    values = reading.read(data, (8, 2, *_FRAME))
    if values is None:
        return []
    up, down = np.asarray(values, dtype=np.float64).mean(axis=0)[:, ::-1]
    png = _side_by_side([up, down, _asymmetry(up, down)], ["spin up", "spin down", "asymmetry"], scene.name)
    return [rendering.thumbnail("spin up, spin down, asymmetry", png)]


def arres(scene: Scene) -> list[Thumbnail]:
    """Files with images show a frame of them first, and all of them the map."""
    return [*diffraction(scene), *dispersion(scene)]


def dispersion(scene: Scene) -> list[Thumbnail]:
    """ARRES: `spectrum` (spin, energy, k) over `eV`, or (spin, kx, ky) over `kx` and `ky`; zeros were not measured."""
    data = scene.data("spectrum")
    if data is None or data.ndim != _STACK:
        return []
    found = []
    momentum = scene.data("kx") is not None and scene.data("ky") is not None
    energy = scene.settings.get("E")
    at = f" at {energy:g} eV" if momentum and isinstance(energy, (int, float)) and not isinstance(energy, bool) else ""
    for spin in range(min(data.shape[0], len(_SPINS))):
        values = reading.read(data, (1200, 1600), (spin,))
        if values is None:
            continue
        plane = np.where(np.asarray(values) == 0, np.nan, np.asarray(values, dtype=np.float64))
        extent, labels = _momentum(scene) if momentum else _energies(scene, data.shape[2])
        spins = f", {_SPINS[spin][1]}" if data.shape[0] > 1 else ""
        png = rendering.heatmap(
            plane,
            title=f"{scene.name}{at}{spins}",
            extent=extent,
            x_label=labels[0],
            y_label=labels[1],
            unit="reflectivity",
        )
        found.append(rendering.thumbnail(f"{'momentum map' if momentum else 'E(k)'}{spins}", png))
    return found


_Axes = tuple[tuple[float, float, float, float] | None, tuple[str, str]]


def _energies(scene: Scene, columns: int) -> _Axes:
    energies = scene.values("eV")
    if energies is None or energies.ndim != 1 or energies.size < 2:  # noqa: PLR2004 a range
        return None, ("k index", "energy index")
    step = float(energies[-1] - energies[0]) / (energies.size - 1)
    extent = (-0.5, columns - 0.5, float(energies[0]) - step / 2, float(energies[-1]) + step / 2)
    return (extent if step else None), ("k index", "energy (eV)")


def _momentum(scene: Scene) -> _Axes:
    edges = []
    for name in ("ky", "kx"):
        values = scene.values(name)
        line = None if values is None or values.ndim > 2 else np.unique(np.asarray(values, dtype=np.float64))  # noqa: PLR2004
        edges.append(None if line is None or line.size < 2 else (float(line[0]), float(line[-1])))  # noqa: PLR2004
    if edges[0] is None or edges[1] is None:
        return None, ("ky index", "kx index")
    return (*edges[0], *edges[1]), ("ky", "kx")


def deposition(scene: Scene) -> list[Thumbnail]:
    """Intensity of the regions of interest over time, what the chamber did meanwhile, first and last frame."""
    times, regions = scene.values("roi_times"), scene.values("roi_intensity")
    found = []
    clock = None if times is None else np.asarray(times if times.ndim == 1 else times[:, 0], dtype=np.float64)
    if clock is not None and regions is not None and regions.ndim in {2, _STACK} and len(regions) == len(clock):
        spins = regions[:, None, :] if regions.ndim == 2 else regions  # noqa: PLR2004 without spins
        series = [
            rendering.Series(
                clock,
                spins[:, spin, region],
                f"region {region + 1}{f', {_SPINS[spin][1]}' if spins.shape[1] > 1 else ''}",
            )
            for region in range(spins.shape[2])
            for spin in range(min(spins.shape[1], len(_SPINS)))
        ]
        png = rendering.curve(series, title=scene.name, x_label="time (s)", y_label="intensity (counts)")
        found.append(rendering.thumbnail("regions over time", png))
    for name, label in _CHAMBER:
        values = scene.values(name)
        if clock is not None and values is not None and values.shape == clock.shape:
            png = rendering.curve(
                [rendering.Series(clock, values)], title=scene.name, x_label="time (s)", y_label=label
            )
            found.append(rendering.thumbnail(name, png))
    return found + _first_and_last(scene)


_CHAMBER: Final = (
    ("sample_temperature", "temperature (°C)"),
    ("pressure_main_chamber", "pressure (mbar)"),
    ("emission_current", "emission current (A)"),
)


def _first_and_last(scene: Scene) -> list[Thumbnail]:
    data = scene.data("images")
    if data is None or data.ndim not in {_STACK, _STACK + 1}:
        return []
    spin = (0,) * (data.ndim - _STACK)
    frames = [reading.read(data, _FRAME, (index, *spin)) for index in dict.fromkeys((0, data.shape[0] - 1))]
    shown = [frame[::-1] for frame in frames if frame is not None]
    if not shown:
        return []
    return [rendering.thumbnail("first and last frame", _side_by_side(shown, ["first", "last"], scene.name))]


def diffraction(scene: Scene) -> list[Thumbnail]:
    """A frame of the images that belong to an ARRES map: (spin, energy or kx, k or ky, rows, columns)."""
    data = scene.data("images")
    if data is None or data.ndim != 5:  # noqa: PLR2004 as the docstring says
        return []
    where = (data.shape[1] - 1, round(0.75 * (data.shape[2] - 1)))
    frames = [reading.read(data, _FRAME, (spin, *where)) for spin in range(min(data.shape[0], len(_SPINS)))]
    shown = [frame[::-1] for frame in frames if frame is not None]
    if not shown:
        return []
    return [rendering.thumbnail("diffraction", _side_by_side(shown, [words for _, words in _SPINS], scene.name))]
