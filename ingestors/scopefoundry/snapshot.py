"""What a ScopeFoundry file's data lack, and where they disagree with its settings.

The settings are written when the file is made, before the measurement runs; datasets are made in their final size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.hdf5 import reading
from ingestors.hdf5.describing import unit_of
from ingestors.hdf5.pictures import is_bookkeeping
from ingestors.scopefoundry import sweeps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import h5py
    from numpy.typing import NDArray

    from ingestors.scopefoundry.scene import Scene

_TAIL: Final = 0.2  # a part of the data that is empty at the end, worth a warning
_FEWEST: Final = 10  # smaller ones say too little
_MOST: Final = 1_000_000  # values that are looked at
_COUNTS: Final = (
    ("Nh", "h_array"),
    ("Nv", "v_array"),
    ("Nz", "z_array"),
    ("N", "buffer"),
    ("n_frames", "count_rate_map"),
    ("number_of_frames", "image"),
    ("number_of_frames", "images"),
)
_ENDS: Final = (("h0", "h_array", 0), ("h1", "h_array", -1), ("v0", "v_array", 0), ("v1", "v_array", -1))
_MAY_END_EMPTY: Final = ("histogram", "time_trace", "spectrum", "dark", "image", "mask")


def warnings(scene: Scene) -> list[str]:
    """Sentences on a measurement that ran when its settings were written, on what it lacks, and on contradictions."""
    sweep = sweeps.unfinished(scene)
    return [*_snapshot(scene.settings), *_contradictions(scene), *([sweep] if sweep else []), *_incomplete(scene.group)]


def _snapshot(settings: Mapping[str, Any]) -> list[str]:
    state = settings.get("run_state")
    running = (isinstance(state, str) and "run" in state.lower()) or settings.get("running") is True
    if not running:
        return []
    progress = _number(settings.get("progress"))
    at = "" if progress is None else f" at a progress of {progress:g} %"
    return [f"The settings are a snapshot made while the measurement ran{at}; later changes are not in them."]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _contradictions(scene: Scene) -> list[str]:
    found = list(_said_otherwise(scene))
    if not found:
        return []
    return [f"The settings were written before the measurement and do not agree with the data: {'; '.join(found[:4])}."]


def _said_otherwise(scene: Scene) -> Iterator[str]:
    for setting, name in _COUNTS:
        said, data = _number(scene.settings.get(setting)), scene.data(name)
        if said is not None and data is not None and said != data.shape[0]:
            yield f"{setting} is {said:g}, {name} has {data.shape[0]}"
    for setting, name, index in _ENDS:
        said, values = _number(scene.settings.get(setting)), scene.values(name)
        if said is None or values is None or values.ndim != 1:
            continue
        here, span = float(values[index]), float(np.ptp(values)) or 1.0
        if abs(here - said) > 0.01 * span:
            yield f"{setting} is {said:g}, {name} {'begins' if index == 0 else 'ends'} at {here:g}"
    yield from _beyond_amplitude(scene)


def _beyond_amplitude(scene: Scene) -> Iterator[str]:
    """A generator's amplitude that the recorded signal exceeds."""
    data = scene.data("buffer", "signal")
    if data is None or data.ndim != 1 or data.size > _MOST or data.dtype.kind != "f":
        return
    for name, settings in scene.hardware.items():
        said = _number(settings.get("amplitude"))
        unit = unit_of(data)
        if said is None or said <= 0 or (unit and unit != scene.hardware_units[name].get("amplitude")):
            continue
        values = reading.read(data, data.shape)
        finite = values[np.isfinite(values)] if values is not None else np.empty(0)
        if finite.size and float(np.abs(finite).max()) > 1.05 * said:
            yield f"amplitude of {name} is {said:g}, the data reach {float(np.abs(finite).max()):.4g}"


def _incomplete(group: h5py.Group) -> list[str]:
    """Sentences on datasets without any value, and on those that end in zeros or NaN."""
    empty, partial, whole = [], [], 0
    for name in reading.names(group, 200):
        data = reading.child_data(group, name)
        if data is None:
            child = reading.child_group(group, name)
            whole += child is not None and name != "settings"
            continue
        whole += 1
        if data.shape is None or is_bookkeeping(name):
            continue
        if data.size == 0:
            empty.append(name)
        elif reading.numeric(data) and data.dtype.kind in "fiu" and (part := _filled(name, data)) is not None:
            partial.append(f"{name} ({part[0]} of {part[1]} {part[2]})")
    found = [f"Nothing was recorded in {', '.join(empty[:6])}."] if empty else []
    if partial:
        found.append(
            f"Zeros to the end after the first values: {', '.join(partial[:4])}; the measurement was perhaps stopped early."
        )
    return found if whole else ["The measurement's group holds no data."]


def _filled(name: str, data: h5py.Dataset) -> tuple[int, int, str] | None:
    """Values (or rows, or frames, of a larger array) up to the last that is not empty, and of all; None if the end is filled."""
    if data.size < _FEWEST or any(word in name for word in _MAY_END_EMPTY):
        return None
    values = reading.read(data, _sides(data))
    if values is None:
        return None
    if data.ndim == 1:
        return _ending(values, data.shape[0], "values")
    if data.shape[0] > 1:
        rows, length, words = values.reshape(values.shape[0], -1), data.shape[0], "rows" if data.ndim == 2 else "frames"  # noqa: PLR2004
    elif data.ndim > 2:  # noqa: PLR2004 (frame, rows, columns)
        rows, length, words = values[0].reshape(values.shape[1], -1), data.shape[1], "rows"
    else:
        return None
    filled = _ending(np.any(np.nan_to_num(rows) != 0, axis=1).astype(np.float64), length, words)
    if data.size <= 1000 and filled is not None:  # noqa: PLR2004 counted exactly where that is worth a thought
        return _ending(values.ravel(), data.size, "values")
    return filled


def _sides(data: h5py.Dataset) -> tuple[int, ...]:
    """How much of each dimension is looked at: the first two as a whole, so that rows can be counted."""
    if data.size <= _MOST:
        return tuple(data.shape)
    left = max(_MOST // max(int(np.prod(data.shape[:2], dtype=np.float64)), 1), 1)
    inner = data.ndim - 2
    return (*data.shape[:2], *((max(int(left ** (1 / inner)), 1),) * inner)) if inner > 0 else tuple(data.shape)


def _ending(values: NDArray[np.generic], length: int, words: str) -> tuple[int, int, str] | None:
    filled = np.flatnonzero(np.nan_to_num(values))
    if not filled.size or len(values) != length or filled[-1] + 1 > (1 - _TAIL) * length:
        return None
    return int(filled[-1]) + 1, length, words
