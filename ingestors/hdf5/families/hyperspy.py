"""HyperSpy's own files.

Source: hyperspy.org, "HSpy - HyperSpy's HDF5 specification": root attribute `file_format`, `Experiments/<name>` with
`data`, `axis-0`... (attributes name, units, scale, offset, size, navigate) and `metadata/General`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Sample
from ingestors.dat import dates
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.told import Family, Told, at, drawn_or_none, text_at, title
from ingestors.units import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_SIGNALS: Final = {
    "EDS_TEM": "Energy-dispersive X-ray spectroscopy",
    "EDS_SEM": "Energy-dispersive X-ray spectroscopy",
    "EELS": "Electron energy-loss spectroscopy",
    "electron_diffraction": "Electron diffraction",
    "diffraction": "Diffraction",
    "CL": "Cathodoluminescence",
    "CL_SEM": "Cathodoluminescence",
    "CL_STEM": "Cathodoluminescence",
    "Luminescence": "Luminescence spectroscopy",
    "hologram": "Electron holography",
}
_DAY_OR_TIME: Final = re.compile(r"datetime\.(date|time)\((\d{1,4}(?:, ?\d{1,6}){1,3})\)")
_PLACEHOLDERS: Final = frozenset({"", "<undefined>", "_undefined_"})


@dataclass(frozen=True, slots=True)
class _Axis:
    name: str
    unit: str
    values: np.ndarray[Any, Any]
    navigates: bool


def recognised(file: h5py.File) -> str:
    """Root attribute `file_format`."""
    found = reading.attribute_text(file, "file_format")
    return f"root attribute file_format = {found}" if found.casefold() == "hyperspy" else ""


def read(source: Source) -> Told:
    """The first experiment's general metadata, its axes and its picture."""
    held = reading.child_group(source.file, "Experiments")
    name = next(iter(reading.names(held, 1)), "") if held is not None else ""
    one = reading.child_group(held, name) if held is not None and name else None
    tree = at(source.tree, "Experiments", name) or {}
    flat = at(tree, "mapped_parameters")  # before version 1.2
    general = at(tree, "metadata", "General") or flat or {}
    data = reading.child_data(one, "data") if one is not None else None
    axes = [] if one is None or data is None else _axes(one, data)
    day, clock = (text_at(general, key) or _spelled(text_at(general, f"_datetime_{key}")) for key in ("date", "time"))
    zone = text_at(general, "time_zone")
    began = dates.iso(f"{day}T{clock}{_offset(zone)}" if clock else day)
    sample = text_at(tree, "metadata", "Sample", "description")
    signal = text_at(tree, "metadata", "Signal", "signal_type") or text_at(flat, "signal_type")
    picture = (
        None if data is None or not reading.numeric(data) else drawn_or_none(lambda: _picture(data, axes, source.stem))
    )
    return Told(
        attributes={
            "dataset_name": title(text_at(general, "title")) or source.stem,
            "measurement": _SIGNALS.get(signal, ""),
            "data_type": FAMILY.name,
            "instrument_name": _microscope(tree),
            "timestamp": began.iso,
        },
        samples=[Sample(sample)] if sample and sample.casefold() not in _PLACEHOLDERS else [],
        axes={str(data.name): [_described(axis) for axis in axes]} if data is not None and axes else {},
        thumbnails=[picture] if picture is not None else [],
    )


def _spelled(value: str) -> str:
    """A day or a time of the day as versions before 1.3 wrote them: `datetime.date(1991, 10, 1)`, `datetime.time(12, 0)`."""
    found = _DAY_OR_TIME.fullmatch(value)
    if found is None:
        return ""
    numbers = [int(one) for one in found[2].split(",")]
    if found[1] == "date":
        return "-".join(f"{one:02d}" for one in numbers[:3])
    return ":".join(f"{one:02d}" for one in (*numbers, 0)[:3])


def _offset(zone: str) -> str:
    """A time zone that is an offset; names of zones are not unique."""
    if zone.upper() in {"UTC", "GMT", "Z"}:
        return "+00:00"
    return zone if zone[:1] in {"+", "-"} else ""


def _microscope(tree: Mapping[str, Any]) -> str:
    instruments = at(tree, "metadata", "Acquisition_instrument")
    found = [text_at(one, "microscope") for one in instruments.values()] if isinstance(instruments, dict) else []
    return next(filter(None, found), "")


def _axes(one: h5py.Group, data: h5py.Dataset) -> list[_Axis]:
    found = []
    for number in range(data.ndim):
        group = reading.child_group(one, f"axis-{number}") or reading.child_group(one, f"_axis-{number}")
        if group is None:
            return []
        told = {key: reading.attribute(group, key) for key in ("name", "units", "scale", "offset", "navigate")}
        scale, offset = (
            told[key] if isinstance(told[key], (int, float)) else default
            for key, default in (("scale", 1.0), ("offset", 0.0))
        )
        texts = [
            told[key] if isinstance(told[key], str) and told[key].casefold() not in _PLACEHOLDERS else ""
            for key in ("name", "units")
        ]
        values = offset + scale * np.arange(min(data.shape[number], 100_000), dtype=np.float64)
        found.append(_Axis(texts[0], normalised(texts[1]), values, navigates=bool(told["navigate"])))
    return found


def _described(axis: _Axis) -> dict[str, Any]:
    unit = {"unit": axis.unit} if axis.unit else {}
    return {"name": axis.name, **unit, "min": float(axis.values.min()), "max": float(axis.values.max())}


def _picture(data: h5py.Dataset, axes: list[_Axis], shown: str) -> Thumbnail | None:
    """A spectrum, the mean spectrum of a map beside the map, an image with its scale, or frames."""
    spectral = axes and not axes[-1].navigates and (data.ndim == 1 or axes[-2].navigates)
    if spectral:
        most = (*((32,) * (data.ndim - 1)), 8000)
        values = reading.read(data, most)
        if values is None:
            return None
        mean = shapes.mean(values, tuple(range(data.ndim - 1))) if data.ndim > 1 else values
        step = -(-data.shape[-1] // most[-1])
        line = rendering.Series(axes[-1].values[::step][: mean.size], mean)
        x_label = shapes.label(axes[-1].name, axes[-1].unit)
        if data.ndim == 3:  # noqa: PLR2004 a map of spectra
            field = (float(np.ptp(axes[1].values)), float(np.ptp(axes[0].values)))
            return shapes.cube(data, axes[-1].values, x_label, title=shown, field=field, unit=axes[1].unit)
        return rendering.thumbnail("spectrum", rendering.curve([line], title=shown, x_label=x_label))
    if data.ndim == 2:  # noqa: PLR2004 an image
        frame = reading.read(data, (1200, 1600))
        step = abs(float(axes[-1].values[1] - axes[-1].values[0])) if axes and axes[-1].values.size > 1 else 0.0
        pixel = (
            (step * data.shape[1] / frame.shape[1], axes[-1].unit)
            if frame is not None and step and axes[-1].unit
            else None
        )
        return None if frame is None else rendering.thumbnail("image", rendering.picture(frame, shown, pixel=pixel))
    return shapes.stack(data, title=shown)


FAMILY: Final = Family("HyperSpy", recognised, read)
