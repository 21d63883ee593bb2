"""Zeiss ZEN microscope images (`.czi`): the metadata, and the small picture that the microscope put into the file.

Source: the CZI file format (ZISRAW) design specification: segments of an id (16 bytes) and two sizes; `ZISRAWFILE` points to `ZISRAWMETADATA` (XML behind 256 bytes) and
to the directory of attachments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.embedded import MOST_PICTURE, embedded
from ingestors.binary.xmltree import MOST_BYTES, Element, number, parsed, plain, text
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.binary.source import Source

MAGIC: Final = b"ZISRAWFILE"
_HEADER: Final = 32
_MOST_ATTACHMENTS: Final = 64
_SIZES: Final = ("SizeX", "SizeY", "SizeZ", "SizeC", "SizeT", "SizeS", "SizeM", "SizeB", "PixelType")


def recognises(candidate: Candidate) -> str | None:
    """`ZISRAWFILE`."""
    return "signature ZISRAWFILE" if candidate.head.startswith(MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Sizes, scale, channels, objective, microscope and time."""
    del candidate
    _, metadata_at, _, attachments_at = source.unpack("<qqiq", _HEADER + 52)
    if not 0 < metadata_at < source.size or not source.read(metadata_at, 14) == b"ZISRAWMETADATA":
        raise UnreadableError("The CZI file holds no metadata yet, or is cut off.")
    size = source.number("<i", metadata_at + _HEADER)
    if not 0 < size <= MOST_BYTES:
        raise UnreadableError("The CZI file's metadata have an impossible size.")
    root = parsed(source.some(metadata_at + _HEADER + 256, size).rstrip(b"\0"))
    image = root.find(".//Information/Image")
    when = dates.iso(_six(text(image, "AcquisitionDateAndTime") or text(root, ".//Information/Document/CreationDate")))
    sizes: dict[str, Any] = {}
    for key in _SIZES if image is not None else ():
        if value := text(image, key):
            sizes[key] = int(value) if value.isdigit() else value
    return Reading(
        data_type="Zeiss CZI image",
        measurement=_measurement(image),
        name=text(root, ".//Information/Document/Name") or text(root, ".//Information/Document/Title"),
        timestamp=when.iso,
        instrument=_microscope(root),
        metadata={"image": sizes | _scaling(root), **_told(root, image)},
        thumbnails=_preview(source, attachments_at),
        warnings=when.warnings,
    )


def _six(stamp: str) -> str:
    whole, dot, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return f"{whole}.{digits[:6]}{rest[len(digits) :]}" if dot else stamp


def _scaling(root: Element) -> dict[str, Quantity]:
    """The size of a pixel: the file says metres."""
    found = {}
    for one in root.iter("Distance"):
        value = number(one, "Value")
        if value is not None and one.get("Id") in {"X", "Y", "Z"}:
            found[f"pixel_{one.get('Id', '').lower()}"] = Quantity(value, "m")
    return found


def _measurement(image: Element | None) -> str:
    """The method, if a channel says it."""
    modes = (
        {text(one) for one in image.iter("AcquisitionMode")} | {text(one) for one in image.iter("ContrastMethod")}
        if image is not None
        else set()
    )
    if any("Confocal" in mode for mode in modes):
        return "Confocal microscopy"
    if "Fluorescence" in modes:
        return "Fluorescence microscopy"
    return (
        "Optical microscopy"
        if modes & {"BrightField", "Brightfield", "Phase", "DIC", "DarkField", "Polarization"}
        else ""
    )


def _microscope(root: Element) -> str:
    one = next(root.iter("Microscope"), None)
    return (one.get("Name", "") or text(one, "System")) if one is not None else ""


def _told(root: Element, image: Element | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    channels = image.findall(".//Dimensions/Channels/Channel") if image is not None else []
    if channels:
        found["channels"] = [plain(one) for one in channels[:32]]
    objective = root.find(".//Information/Instrument/Objectives/Objective")
    if objective is not None:
        found["objective"] = plain(objective)
    if user := text(root, ".//Information/Document/UserName"):
        found["user"] = user
    if comment := text(root, ".//Information/Document/Description") or text(root, ".//Information/Document/Comment"):
        found["comment"] = comment
    return found


def _preview(source: Source, at: int) -> tuple[Thumbnail, ...]:
    """The attachment named Thumbnail, a JPEG; nothing if there is none."""
    if not 0 < at < source.size - 300 or source.read(at, 12) != b"ZISRAWATTDIR":
        return ()
    for index in range(min(max(source.number("<i", at + _HEADER), 0), _MOST_ATTACHMENTS)):
        entry = at + _HEADER + 256 + 128 * index
        place = source.number("<q", entry + 12)
        if source.text(entry + 48, 80) != "Thumbnail" or not 0 < place < source.size:
            continue
        size = source.number("<q", place + _HEADER)
        content = source.some(place + _HEADER + 256, min(max(size, 0), MOST_PICTURE))
        return embedded(content, "preview")
    return ()
