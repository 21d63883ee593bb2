"""Imaris 5.5 files of light microscopes.

Source: imaris.oxinst.com, "Imaris 5.5 file format": `DataSetInfo` (attributes are arrays of single characters), `DataSet/
ResolutionLevel <r>/TimePoint <t>/Channel <c>/Data` (z, y, x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestors import rendering
from ingestors.api import Quantity
from ingestors.hdf5 import reading
from ingestors.hdf5.told import Family, Told, drawn_or_none, moment, title
from ingestors.rendering.pictures import as_image

if TYPE_CHECKING:
    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_MOST_CHANNELS: Final = 6


def recognised(file: h5py.File) -> str:
    """The groups that Imaris always writes."""
    whole = (
        reading.child_group(file, "DataSetInfo/Image") is not None
        and reading.child_group(file, "DataSet/ResolutionLevel 0") is not None
    )
    return "DataSetInfo/Image and DataSet/ResolutionLevel 0 of Imaris" if whole else ""


def text(group: h5py.Group | None, name: str) -> str:
    """An attribute that is an array of characters."""
    value = reading.attribute(group, name) if group is not None else None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "".join(value)
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def read(source: Source) -> Told:
    """Extent with its unit, size, channels, the time of the recording, and the middle plane of each channel."""
    image = reading.child_group(source.file, "DataSetInfo/Image")
    unit = text(image, "Unit")
    size: dict[str, Any] = {}
    for axis, number in (("X", 0), ("Y", 1), ("Z", 2)):
        count, low, high = (_number(text(image, name)) for name in (axis, f"ExtMin{number}", f"ExtMax{number}"))
        if count:
            size[axis.lower()] = Quantity(count, "px")
        if count and low is not None and high is not None:
            size[f"{axis.lower()} extent"] = Quantity(high - low, unit)
            size[f"{axis.lower()} pixel size"] = Quantity((high - low) / count, unit)
    channels = [
        name for name in _names(source.file, "DataSet/ResolutionLevel 0/TimePoint 0") if name.startswith("Channel")
    ]
    named = [text(reading.child_group(source.file, f"DataSetInfo/{name}"), "Name") or name for name in channels]
    moments = [name for name in _names(source.file, "DataSet/ResolutionLevel 0") if name.startswith("TimePoint")]
    return Told(
        attributes={
            "dataset_name": title(text(image, "Name")) or source.stem,
            "measurement": "Light microscopy",
            "data_type": FAMILY.name,
            "timestamp": moment(text(image, "RecordingDate").replace(" ", "T", 1)).iso,
        },
        metadata={"image": {**size, "channels": named, "time points": len(moments)}},
        thumbnails=drawn_or_none(lambda: _pictures(source.file, channels, named, source.stem)) or [],
    )


def _names(file: h5py.File, path: str) -> list[str]:
    group = reading.child_group(file, path)
    return reading.names(group, 500) if group is not None else []


def _number(words: str) -> float | None:
    try:
        return float(words)
    except ValueError:
        return None


def _pictures(file: h5py.File, channels: list[str], named: list[str], shown: str) -> list[Thumbnail]:
    levels = sorted(
        (name for name in _names(file, "DataSet") if name.startswith("ResolutionLevel")),
        key=lambda name: (len(name), name),
    )
    frames = []
    for channel in channels[:_MOST_CHANNELS]:
        data = (
            reading.child_data(file, f"DataSet/{levels[min(1, len(levels) - 1)]}/TimePoint 0/{channel}/Data")
            if levels
            else None
        )
        frame = reading.read(data, (600, 800), (data.shape[0] // 2,)) if data is not None and data.ndim == 3 else None  # noqa: PLR2004
        if frame is not None:
            frames.append(as_image(frame))
    if not frames:
        return []
    png = (
        rendering.montage(frames, title=shown, labels=named) if len(frames) > 1 else rendering.picture(frames[0], shown)
    )
    return [rendering.thumbnail("middle plane", png)]


FAMILY: Final = Family("Imaris", recognised, read)
