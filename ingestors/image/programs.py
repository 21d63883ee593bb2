"""What programs write into TIFF files: ImageJ, OME-XML, MicroManager, MetaMorph, LSM, detectors' comment lines.

Source: ImageJ's `TiffEncoder` (description and tag 50839), the OME data model (2016-06), Dectris' Pilatus header lines (`# Pixel_size 172e-6 m x 172e-6 m`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.binary.xmltree import Element, parsed
from ingestors.dat import dates
from ingestors.image.facts import OPTICAL, Facts, length_unit, pixel_size
from ingestors.image.sections import microscope_text
from ingestors.textvalues import pairs, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTICAL: Final = {
    "Brightfield",
    "Phase",
    "DIC",
    "HoffmanModulation",
    "ObliqueIllumination",
    "PolarizedLight",
    "Darkfield",
    "Fluorescence",
}
_FLUORESCENCE: Final = {
    "WideField",
    "LaserScanningConfocalMicroscopy",
    "SpinningDiskConfocal",
    "TotalInternalReflection",
    "MultiPhotonMicroscopy",
    "STED",
    "STORM",
    "PALM",
}
_PIXELS: Final = ("DimensionOrder", "Type", "SizeX", "SizeY", "SizeZ", "SizeC", "SizeT", "SignificantBits")


def imagej(found: Mapping[str, Any], resolution: tuple[float, float] | None) -> Facts:
    """ImageJ's own fields; with its unit the resolution of the file is in pixels per that unit."""
    unit = length_unit(str(found.get("unit", "")))
    fields = {
        key: value for key, value in found.items() if key not in {"LUTs", "Ranges", "ROI", "Overlays", "IJMetadata"}
    }
    info = fields.pop("Info", "")
    if isinstance(info, str) and info.strip():
        sections = microscope_text(info[:200_000])
        fields["Info"] = sections or info[:20_000]
    if "Labels" in fields and isinstance(fields["Labels"], list):
        fields["Labels"] = [str(label)[:200] for label in fields["Labels"][:100]]
    if unit and isinstance(fields.get("spacing"), (int, float)):
        fields["spacing"] = Quantity(fields["spacing"], unit)
    if isinstance(fields.get("finterval"), (int, float)):
        fields["finterval"] = Quantity(fields["finterval"], "s")
    pixel = pixel_size(1 / resolution[0], 1 / resolution[1], unit) if resolution and unit and all(resolution) else None
    return Facts(
        {"imagej": fields}, data_type="ImageJ stack" if found.get("images", 1) != 1 else "ImageJ image", pixel=pixel
    )


def ome(text: str) -> Facts:
    """OME-XML: name, time, sizes, channels, objective and microscope of the first image."""
    try:
        root = parsed(text.encode())
    except UnreadableError as error:
        return Facts(warnings=(f"The OME-XML cannot be read: {error}",))
    image = next(root.iter("Image"), None)
    pixels = next(root.iter("Pixels"), None)
    if image is None or pixels is None:
        return Facts(data_type="OME-TIFF")
    fields: dict[str, Any] = {key: value_of(pixels.get(key, "")) for key in _PIXELS if pixels.get(key)}
    for key in ("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ", "TimeIncrement"):
        number = _number(pixels.get(key))
        if number is not None:
            default = "s" if key == "TimeIncrement" else "µm"  # the schema's defaults
            fields[key] = Quantity(number, length_unit(pixels.get(f"{key}Unit", default)))
    channels = [_channel(one) for one in list(pixels.iter("Channel"))[:32]]
    fields |= {"Channels": channels} if any(channels) else {}
    for tag in ("Objective", "Detector", "Microscope"):
        one = next(root.iter(tag), None)
        if one is not None and (
            told := {key: value_of(value) for key, value in one.attrib.items() if key != "ID" and value}
        ):
            fields[tag] = told
    description = next(image.iter("Description"), None)
    if description is not None and (description.text or "").strip():
        fields["Description"] = str(description.text).strip()[:20_000]
    if (count := sum(1 for _ in root.iter("Image"))) > 1:
        fields["Images"] = count
    stamp = image.find("AcquisitionDate")
    when = dates.iso((stamp.text or "").strip()) if stamp is not None else dates.NEVER
    width, height = _number(pixels.get("PhysicalSizeX")), _number(pixels.get("PhysicalSizeY"))
    return Facts(
        {"ome": fields},
        data_type="OME-TIFF",
        measurement=_measurement(root),
        name=_named((image.get("Name") or "").strip()),
        instrument=_microscope(root),
        timestamp=when.iso,
        pixel=pixel_size(width, height, length_unit(pixels.get("PhysicalSizeXUnit", "µm"))),
        warnings=when.warnings,
    )


def _named(text: str) -> str:
    """The image's name, unless the program that wrote it only counted (`Image0`, `Image:0`)."""
    return "" if re.fullmatch(r"(Image|Series)[ _:#]?\d*", text) else text


def _channel(one: Element) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: value_of(one.get(key, ""))
        for key in ("Name", "Fluor", "ContrastMethod", "AcquisitionMode")
        if one.get(key)
    }
    for key in ("ExcitationWavelength", "EmissionWavelength"):
        number = _number(one.get(key))
        if number is not None:
            found[key] = Quantity(number, one.get(f"{key}Unit", "nm"))
    for plane in one.iter("DetectorSettings"):
        found |= {f"Detector{key}": value_of(value) for key, value in plane.attrib.items() if key != "ID"}
    return found


def _measurement(root: Element) -> str:
    """The method, if a channel says how it was made."""
    modes = {one.get("ContrastMethod") for one in root.iter("Channel")} | {
        one.get("AcquisitionMode") for one in root.iter("Channel")
    }
    if modes & {"Fluorescence"} or modes & _FLUORESCENCE:
        return "Confocal microscopy" if any("Confocal" in str(mode) for mode in modes) else "Fluorescence microscopy"
    return OPTICAL if modes & _OPTICAL else ""


def _microscope(root: Element) -> str:
    one = next(root.iter("Microscope"), None)
    return (
        " ".join(filter(None, (one.get("Manufacturer", ""), one.get("Model", "")))).strip() if one is not None else ""
    )


def micromanager(found: Mapping[str, Any]) -> Facts:
    """MicroManager's summary: size of a pixel in µm, names of channels, time."""
    summary = found.get("Summary") if isinstance(found.get("Summary"), dict) else found
    fields = (
        {str(key): value for key, value in summary.items() if isinstance(value, (str, int, float, bool, list))}
        if isinstance(summary, dict)
        else {}
    )
    size = fields.get("PixelSize_um")
    size = size if isinstance(size, (int, float)) else None
    when = dates.iso(str(fields.get("StartTime", fields.get("Time", ""))))
    return Facts(
        {"micromanager": fields},
        data_type="MicroManager stack",
        timestamp=when.iso,
        pixel=pixel_size(size, size, "µm"),
        warnings=when.warnings,
    )


def lsm(found: Mapping[str, Any]) -> Facts:
    """Zeiss LSM's tag: voxel sizes in metres, and what the scan says of itself."""
    scan = found.get("ScanInformation") if isinstance(found.get("ScanInformation"), dict) else {}
    fields = {
        key: value
        for key, value in found.items()
        if isinstance(value, (int, float)) and key.startswith(("Dimension", "VoxelSize"))
    }
    fields |= {
        key: value for key, value in (scan or {}).items() if isinstance(value, (str, int, float)) and value != ""
    }
    width, height = (found.get(key) for key in ("VoxelSizeX", "VoxelSizeY"))
    pixel = pixel_size(width, height, "m") if isinstance(width, float) and isinstance(height, float) else None
    return Facts(
        {"lsm": fields},
        data_type="Zeiss LSM stack",
        measurement="Confocal microscopy",
        name=str((scan or {}).get("Name", "")),
        pixel=pixel,
    )


def described(text: str) -> Facts:
    """A description whose lines are keys and values: `# Exposure_time 1.0 s` (Pilatus), or `key=value` of any program."""
    lines = text.splitlines()[:500]
    marked = [line[1:].strip() for line in lines if line.startswith("#")]
    if len(marked) > 2:
        return _pilatus(marked)
    found = pairs(lines)
    return Facts({"description": found}) if len(found) > 2 else Facts()


def _pilatus(lines: list[str]) -> Facts:
    fields: dict[str, Any] = {}
    when = dates.NEVER
    for line in lines:
        if re.match(r"\d{4}[-/:]\d\d[-/:]\d\d[T ]", line):
            when = dates.iso(line.replace("/", "-"))
            continue
        key, _, value = line.partition(" ")
        if value.strip():
            fields[key.rstrip(":=")] = value_of(value.strip(" :="))
    match = re.search(r"([\d.e+-]+) m x ([\d.e+-]+) m", " ".join(lines))
    pixel = pixel_size(_number(match[1]), _number(match[2]), "m") if match else None
    return Facts(
        {"detector": fields},
        data_type="Detector image",
        instrument=str(fields.get("Detector", "")),
        timestamp=when.iso,
        pixel=pixel,
        warnings=when.warnings,
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
