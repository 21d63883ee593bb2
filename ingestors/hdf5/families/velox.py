"""Velox EMD of Thermo Fisher's electron microscopes.

Source: RosettaSciIO's description of the format: `/Version` (JSON text), `/Data/Image/<id>` and `/Data/SpectrumStream/<id>`
with `Data` (rows, columns, frames) and `Metadata`, a column of bytes for each frame: JSON, padded with NUL.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Quantity, Sample
from ingestors.dat import dates
from ingestors.hdf5 import plainvalues, reading
from ingestors.hdf5.told import Family, Told, at, drawn_or_none, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST_METADATA: Final = 2**20
_MOST_SIGNALS: Final = 12
_NUMBERS: Final = (
    ("acceleration voltage", ("Optics", "AccelerationVoltage"), "V"),
    ("camera length", ("Optics", "CameraLength"), "m"),
    ("convergence semi-angle", ("Optics", "BeamConvergence"), "rad"),
    ("spot index", ("Optics", "SpotIndex"), ""),
    ("defocus", ("Optics", "Defocus"), "m"),
    ("dwell time", ("Scan", "DwellTime"), "s"),
    ("frame time", ("Scan", "FrameTime"), "s"),
    ("pixel width", ("BinaryResult", "PixelSize", "width"), "m"),
    ("pixel height", ("BinaryResult", "PixelSize", "height"), "m"),
    ("STEM magnification", ("CustomProperties", "StemMagnification", "value"), ""),
    ("TEM magnification", ("CustomProperties", "TemMagnification", "value"), ""),
    ("stage alpha", ("Stage", "AlphaTilt"), "rad"),
    ("stage beta", ("Stage", "BetaTilt"), "rad"),
    ("stage x", ("Stage", "Position", "x"), "m"),
    ("stage y", ("Stage", "Position", "y"), "m"),
    ("stage z", ("Stage", "Position", "z"), "m"),
)
_WORDS: Final = (
    ("operating mode", ("Optics", "OperatingMode")),
    ("illumination mode", ("Optics", "IlluminationMode")),
    ("projector mode", ("Optics", "ProjectorMode")),
    ("detector", ("BinaryResult", "Detector")),
)
_MODES: Final = {"1": "TEM", "2": "STEM"}


def recognised(file: h5py.File) -> str:
    """Velox says so in `/Version`; older files have its data and its experiment."""
    version = reading.child_data(file, "Version")
    text = reading.single(version) if version is not None else None
    if isinstance(text, str) and "velox" in text.casefold():
        return "Version names Velox"
    return "groups of Velox" if version is not None and any(_signals(file)) else ""


def _signals(file: h5py.File) -> Iterator[tuple[str, h5py.Group]]:
    for kind in ("Image", "SpectrumImage", "Spectrum", "SpectrumStream"):
        held = reading.child_group(file, f"Data/{kind}")
        for name in reading.names(held, _MOST_SIGNALS) if held is not None else []:
            one = reading.child_group(held, name) if held is not None else None
            if one is not None and reading.child_data(one, "Data") is not None:
                yield kind, one


def read(source: Source) -> Told:
    """The metadata of the first signal, a list of all, and a picture of each image."""
    signals = list(_signals(source.file))
    told = [(kind, one, _metadata(one)) for kind, one in signals]
    first = next((found for _, _, found in told if found), {})
    mode = _MODES.get(text_at(first, "Optics", "IlluminationMode"), "") or (
        "STEM" if at(first, "Scan", "DwellTime") else ""
    )
    spectra = any(kind.startswith("Spectrum") for kind, _ in signals)
    instrument = [text_at(first, "Instrument", key) for key in ("Manufacturer", "InstrumentModel", "InstrumentId")]
    sample = text_at(first, "Sample", "SampleId") or text_at(first, "Sample", "SampleDescription")
    return Told(
        attributes={
            "dataset_name": source.stem,
            "measurement": _measurement(mode, spectra=spectra),
            "data_type": FAMILY.name,
            "instrument_name": " ".join(dict.fromkeys(filter(None, instrument[1:2] or instrument))),
            "timestamp": _time(text_at(first, "Acquisition", "AcquisitionStartDatetime", "DateTime")),
        },
        samples=[Sample(sample)] if sample else [],
        metadata={
            "microscope": _facts(first),
            "signals": [_described(kind, one, found) for kind, one, found in told],
            "velox": first,
        },
        thumbnails=[
            picture
            for kind, one, found in told[:4]
            if kind == "Image" and (picture := drawn_or_none(partial(_picture, one, found, source.stem))) is not None
        ],
    )


def _measurement(mode: str, *, spectra: bool) -> str:
    if spectra:
        return "Energy-dispersive X-ray spectroscopy"
    words = {"TEM": "Transmission electron microscopy", "STEM": "Scanning transmission electron microscopy"}
    return words.get(mode, "Electron microscopy")


def _metadata(one: h5py.Group) -> Mapping[str, Any]:
    data = reading.child_data(one, "Metadata")
    if data is None or not reading.numeric(data) or data.shape[0] > _MOST_METADATA or data.ndim not in {1, 2}:
        return {}
    raw = reading.read(data, data.shape[:1]) if data.ndim == 1 else _column(data)
    if raw is None:
        return {}
    found = plainvalues.decoded(plainvalues.text(raw.astype(np.uint8).tobytes()).strip(), _MOST_METADATA)
    return found if isinstance(found, dict) else {}


def _column(data: h5py.Dataset) -> Any:
    if reading.obstacle(data) is not None:
        return None
    try:
        return data[:, 0]
    except reading.H5_ERRORS:
        return None


def _time(text: str) -> str:
    try:
        return dates.epoch(float(text)).iso if text and float(text) > 0 else ""
    except ValueError:
        return dates.iso(text).iso


def _number(tree: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    try:
        return float(text_at(tree, *path))
    except ValueError:
        return None


def _facts(tree: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ((name, _number(tree, path), unit) for name, path, unit in _NUMBERS)
    found: dict[str, Any] = {
        name: Quantity(value, unit) if unit else value for name, value, unit in numbers if value is not None
    }
    return found | {name: text for name, path in _WORDS if (text := text_at(tree, *path))}


def _described(kind: str, one: h5py.Group, tree: Mapping[str, Any]) -> dict[str, Any]:
    data = reading.child_data(one, "Data")
    shape = [] if data is None or data.shape is None else [int(length) for length in data.shape]
    return {"kind": kind, "shape": shape, "detector": text_at(tree, "BinaryResult", "Detector")}


def _picture(one: h5py.Group, tree: Mapping[str, Any], title: str) -> Thumbnail | None:
    data = reading.child_data(one, "Data")
    if data is None or data.ndim not in {2, 3} or reading.obstacle(data) is not None:
        return None
    step = max(-(-max(data.shape[:2]) // 1200), 1)
    if data.size > 2**28:
        return None
    try:
        frame = data[::step, ::step, 0] if data.ndim == 3 else data[::step, ::step]  # noqa: PLR2004 frames
    except reading.H5_ERRORS:
        return None
    width = _number(tree, ("BinaryResult", "PixelSize", "width"))
    unit = text_at(tree, "BinaryResult", "PixelUnitX") or "m"
    pixel = (width * step * 1e9, "nm") if width and unit == "m" else None
    name = text_at(tree, "BinaryResult", "Detector") or "image"
    return rendering.thumbnail(name, rendering.picture(np.asarray(frame), title, pixel=pixel))


FAMILY: Final = Family("Velox EMD", recognised, read)
