"""Princeton Instruments frames and spectra (`.spe`), WinSpec (version 2) and LightField (version 3).

Source: the "WinX32 header" in the WinSpec manual (4100 bytes) and Princeton's "SPE 3.0 file format specification" (the XML footer whose offset stands at 678).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.xmltree import MOST_BYTES, Element, number, parsed, text
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

HEADER: Final = 4100
_TYPES: Final = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}
_MOST_FRAMES: Final = 100_000_000


def recognises(candidate: Candidate) -> str | None:
    """The header's own marks: 4100 bytes, sides, a known type, a version, and WinView's id or the suffix."""
    if candidate.size <= HEADER or candidate.head.startswith(b"SOFH"):
        return None
    head = candidate.head
    across, kind, down = (int.from_bytes(head[at : at + 2], "little") for at in (42, 108, 656))
    frames = int.from_bytes(head[1446:1450], "little", signed=True)
    version = float(np.frombuffer(head[1992:1996], "<f4")[0])
    marked = head[2996:3000] == b"\x67\x45\x23\x01" or candidate.suffix == ".spe"
    if not marked or kind not in _TYPES or not across or not down or frames == 0 or not 1 <= version < 4:
        return None
    return f"WinX header of version {version:.2g}"


def read(source: Source, candidate: Candidate) -> Reading:
    """Frames with the abscissa of their calibration."""
    across, kind, down = source.number("<H", 42), source.number("<H", 108), source.number("<H", 656)
    frames = source.number("<i", 1446)
    version = source.number("<f", 1992)
    if kind not in _TYPES or not 0 < abs(frames) < _MOST_FRAMES:
        raise UnreadableError("The header of this SPE file has an unknown type or number of frames.")
    size = across * down * np.dtype(_TYPES[kind]).itemsize
    footer = source.number("<Q", 678) if version >= 3 else 0
    root = parsed(source.some(footer, MOST_BYTES)) if HEADER < footer < source.size else None
    stride = _stride(root, size)
    end = footer if root is not None else source.size
    there = (end - HEADER) // stride if stride else 0
    warnings = [f"The file is incomplete: {there} of {frames} frames are there."] if 0 < there < frames else []
    count = min(abs(frames), there) if frames > 0 else there
    if count <= 0:
        raise UnreadableError("The SPE file holds no whole frame.")
    values, chosen = source.array(
        HEADER,
        np.dtype([("frame", _TYPES[kind], (down, across)), ("rest", "V", stride - size)])
        if stride > size
        else _TYPES[kind],
        (count,) if stride > size else (count, down, across),
    )
    values = values["frame"] if stride > size else values
    axis = _wavelengths(root, across) if root is not None else _calibrated(source, across)
    signal = _signal(values, (count, down, across), axis, chosen)
    when = _created(root) if root is not None else _written(source)
    about = _modern(root) if root is not None else _classic(source)
    return Reading(
        data_type="LightField file" if root is not None else "WinSpec file",
        timestamp=when.iso,
        instrument=str(about.get("camera", "")),
        metadata={"version": round(float(version), 3), "frames": count, **about} | described([signal]),
        thumbnails=drawn([signal], candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _signal(
    values: np.ndarray[Any, Any], shape: tuple[int, int, int], axis: Axis, chosen: np.ndarray[Any, Any]
) -> Signal:
    count, down, _ = shape
    if count == down == 1:
        return Signal(values[0, 0], (axis,), "Intensity", "counts")
    if down == 1:
        return Signal(values[:, 0], (Axis("frame"), axis), "Intensity", "counts", (count, shape[2]), chosen)
    rows = Axis("row" if axis.unit else "")
    if count == 1:
        return Signal(values[0], (rows, axis if axis.unit else Axis()), "Intensity", "counts", rows_down=True)
    return Signal(
        values, (Axis(), rows, axis if axis.unit else Axis()), "Intensity", "counts", shape, chosen, rows_down=True
    )


def _calibrated(source: Source, across: int) -> Axis:
    """The polynomial of the x calibration over pixels 1, 2, ...: coefficients at 3263, their order at 3101, valid if 3098 says so."""
    order = source.number("B", 3101)
    if not source.number("B", 3098) or not 0 < order < 6:
        return Axis("pixel")
    coefficients = source.unpack("<6d", 3263)[: order + 1]
    points = np.polynomial.polynomial.polyval(np.arange(1, across + 1, dtype=np.float64), coefficients)
    unit = source.text(3018, 40) or source.text(3058, 40)
    known = {1: "", 2: "", 3: "nm", 4: "1/cm", 6: "nm"}.get(source.number("B", 3100), "") or (
        "nm" if "nm" in unit.casefold() else ""
    )
    if not np.isfinite(points).all() or np.ptp(points) == 0:
        return Axis("pixel")
    return Axis("Wavelength" if known == "nm" else "x", known or unit, points=points)


def _written(source: Source) -> dates.Moment:
    """`11Oct2010` at 20, `hhmmss` at 172."""
    day, clock = source.text(20, 10), source.text(172, 7)
    match = re.fullmatch(r"(\d{1,2})([A-Za-z]{3})(\d{4})", day)
    if match is None:
        return dates.NEVER
    time = f" {clock[:2]}:{clock[2:4]}:{clock[4:6]}" if re.match(r"\d{6}", clock) else ""
    return dates.parse(f"{match[1]} {match[2].title()} {match[3]}{time}", dates.DAY_MONTH_NAME)


def _classic(source: Source) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, layout, at, unit in (
        ("exposure", "<f", 10, "s"),
        ("detector temperature", "<f", 36, "°C"),
        ("center wavelength", "<f", 72, "nm"),
        ("grating", "<f", 650, "1/mm"),
        ("laser position", "<d", 3311, "1/cm"),
    ):
        value = float(source.number(layout, at))
        if np.isfinite(value) and value != 0 and abs(value) < 1e9:
            found[key] = Quantity(round(value, 6), unit)
    found["accumulations"] = max(source.number("<i", 668), 1)
    comments = [comment for index in range(5) if (comment := source.text(200 + 80 * index, 80))]
    return found | ({"comments": comments} if comments else {})


def _stride(root: Element | None, size: int) -> int:
    """Bytes from one frame to the next: frames may carry time stamps behind them."""
    block = (
        next((one for one in root.iter("DataBlock") if one.get("type") == "Frame"), None) if root is not None else None
    )
    said = block.get("stride", "") if block is not None else ""
    return max(size, int(said)) if said.isdigit() and int(said) < 2**31 else size


def _wavelengths(root: Element, across: int) -> Axis:
    found = next(root.iter("Wavelength"), None)
    try:
        points = np.array([float(word) for word in text(found).split(",") if word.strip()])
    except ValueError:
        points = np.empty(0)
    return Axis("Wavelength", "nm", points=points) if points.size == across else Axis("pixel")


def _created(root: Element) -> dates.Moment:
    """The frame's absolute start, else when the file was written."""
    for one in root.iter("TimeStamp"):
        if one.get("absoluteTime"):
            return dates.iso(re.sub(r"(\.\d{6})\d+", r"\1", one.get("absoluteTime", "")))
    for tag in ("Origin", "FileInformation"):
        for one in root.iter(tag):
            if one.get("created"):
                return dates.iso(re.sub(r"(\.\d{6})\d+", r"\1", one.get("created", "")))
    return dates.NEVER


def _modern(root: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    camera = next(root.iter("Camera"), None)
    if camera is not None and camera.get("model"):
        found["camera"] = camera.get("model")
    for key, tag, unit, factor in (
        ("exposure", "ExposureTime", "s", 1e-3),
        ("center wavelength", "CenterWavelength", "nm", 1.0),
        ("laser wavelength", "WavelengthLaserLine", "nm", 1.0),
    ):
        value = number(next(root.iter(tag), None))
        if value is not None:
            found[key] = Quantity(value * factor, unit)
    for key, tag in (("grating", "Selected"), ("accumulations", "FramesCombined")):
        if said := text(next(root.iter(tag), None)):
            found[key] = said
    return found
