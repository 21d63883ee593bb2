"""Renishaw WiRE measurements (`.wdf`).

Source: the block structure as `gwyddion/modules/file/wdffile.c` and py-wdf-reader describe it: blocks of a name (4 letters), a number, and a size; `WDF1` holds counts,
FILETIME stamps, laser and title, `DATA` the intensities, `XLST` the abscissa, `ORGN` the coordinates of the spectra, `WMAP` the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import times
from ingestors.binary.embedded import MOST_PICTURE, embedded
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.binary.source import Source

_UNITS: Final = {
    1: "1/cm", 2: "1/cm", 3: "nm", 4: "eV", 5: "µm", 6: "counts", 7: "e", 8: "mm", 9: "m", 10: "K", 11: "Pa", 12: "s", 13: "ms", 14: "h", 15: "d",
    16: "px", 19: "deg", 20: "rad", 21: "°C", 22: "°F", 23: "K/min", 25: "µs",
}  # fmt: skip
_AXES: Final = {
    3: "x",
    4: "y",
    5: "z",
    6: "r",
    7: "theta",
    8: "phi",
    9: "temperature",
    10: "pressure",
    18: "elapsed time",
    27: "exposure",
}
_NAMES: Final = {1: "Raman shift", 3: "Wavelength", 4: "Energy"}
_SCANS: Final = {
    0: "unspecified",
    1: "static",
    2: "continuous",
    3: "step repeat",
    4: "filter scan",
    5: "filter image",
    6: "StreamLine",
    7: "StreamLine HR",
    8: "point",
}
_KINDS: Final = {0: "unspecified", 1: "single", 2: "series", 3: "map"}
_MOST_BLOCKS: Final = 4000


def recognises(candidate: Candidate) -> str | None:
    """`WDF1` and the size of its block."""
    return (
        "signature WDF1"
        if candidate.head.startswith(b"WDF1") and candidate.head[8:16] == (512).to_bytes(8, "little")
        else None
    )


def read(source: Source, candidate: Candidate) -> Reading:
    """Spectra with their abscissa; of a map the coordinates as well."""
    blocks = _blocks(source)
    points = source.number("<I", 60)
    capacity, count = source.unpack("<QQ", 64)
    accumulations = source.number("<I", 80)
    started, ended = source.unpack("<QQ", 136)
    unit, laser = source.unpack("<If", 152)
    title = source.text(240, 160, "utf-8")
    when = times.filetime(started)
    metadata: dict[str, Any] = {
        "title": title,
        "user": source.text(208, 32, "utf-8"),
        "application": " ".join([source.text(96, 24, "utf-8"), ".".join(map(str, source.unpack("<4H", 120)))]).strip(),
        "scan": _SCANS.get(source.number("<I", 128) & 0xFF, "unknown"),
        "kind": _KINDS.get(source.number("<I", 132), "unknown"),
        "spectra": int(count),
        "points": int(points),
        "accumulations": int(accumulations),
    }
    if np.isfinite(laser) and laser > 0:
        metadata["laser"] = Quantity(round(1e7 / float(laser), 3), "nm")
    if ending := times.filetime(ended).iso:
        metadata["ended"] = ending
    warnings = list(when.warnings)
    if count < capacity:
        warnings.append(f"The measurement is incomplete: {count} of {capacity} spectra.")
    if not 0 < points < 2**31 or not count:
        raise UnreadableError("The WiRE file holds no spectrum yet.")
    signal = _signal(source, blocks, (int(count), int(points)), _UNITS.get(unit, ""))
    if comment := _comment(source, blocks):
        metadata["comment"] = comment
    return Reading(
        data_type="Renishaw WiRE measurement",
        measurement="Raman spectroscopy" if _axis_kind(source, blocks) == 1 else "",
        name=title
        if title.casefold() not in {"", "single scan measurement", "simple mapping measurement"}
        and not title.startswith("Single scan measurement")
        else "",
        timestamp=when.iso,
        instrument="Renishaw",
        metadata={key: value for key, value in metadata.items() if value not in ("", None)}
        | _origins(source, blocks, int(capacity), int(count))
        | described([signal]),
        thumbnails=(*drawn([signal], title or candidate.stem), *_white_light(source, blocks)),
        warnings=tuple(warnings),
    )


def _blocks(source: Source) -> dict[bytes, tuple[int, int]]:
    """Where each kind of block has its content, and how long that is; of several the first."""
    found: dict[bytes, tuple[int, int]] = {}
    at = 0
    for _ in range(_MOST_BLOCKS):
        if at + 16 > source.size:
            break
        name, _, size = source.unpack("<4sIQ", at)
        if size < 16:
            break
        found.setdefault(name, (at + 16, size - 16))
        at += size
    return found


def _axis_kind(source: Source, blocks: dict[bytes, tuple[int, int]]) -> int:
    """The unit of the abscissa: 1 is the Raman shift."""
    return int(source.number("<I", blocks[b"XLST"][0] + 4)) if b"XLST" in blocks else 0


def _signal(source: Source, blocks: dict[bytes, tuple[int, int]], shape: tuple[int, int], unit: str) -> Signal:
    if b"DATA" not in blocks:
        raise UnreadableError("The WiRE file has no block of data.")
    values, chosen = source.array(blocks[b"DATA"][0], "<f4", shape)
    axis = Axis("point")
    if b"XLST" in blocks:
        start, size = blocks[b"XLST"]
        kind = source.number("<I", start + 4)
        listed, _ = source.array(start + 8, "<f4", (min(size // 4 - 2, shape[1]),))
        axis = Axis(_NAMES.get(kind, "x"), _UNITS.get(kind, ""), points=listed.astype(np.float64))
    unit = unit if unit != "1/cm" else ""
    name = "Intensity"
    if len(values) == 1:
        return Signal(values[0], (axis,), name, unit or "counts")
    sides = _map(source, blocks, shape[0])
    if sides is None or len(values) < shape[0]:
        return Signal(values, (Axis("spectrum"), axis), name, unit or "counts", shape, chosen)
    (rows, columns), axes = sides
    return Signal(values.reshape(rows, columns, -1), (*axes, axis), name, unit or "counts", spectral=2, rows_down=True)


def _map(
    source: Source, blocks: dict[bytes, tuple[int, int]], count: int
) -> tuple[tuple[int, int], tuple[Axis, Axis]] | None:
    """Rows and columns of a map with their coordinates in µm, if they make up all spectra."""
    if b"WMAP" not in blocks:
        return None
    _, _, *numbers = source.unpack("<II6f3I", blocks[b"WMAP"][0])
    origin, step, (across, down, _) = numbers[:3], numbers[3:6], numbers[6:]
    if across * down != count or min(across, down) < 2:
        return None
    return (down, across), (Axis("y", "µm", origin[1], step[1]), Axis("x", "µm", origin[0], step[0]))


def _origins(source: Source, blocks: dict[bytes, tuple[int, int]], capacity: int, count: int) -> dict[str, Any]:
    """The ranges of what changed from spectrum to spectrum: positions, temperature."""
    if b"ORGN" not in blocks or not 0 < capacity < 2**24:
        return {}
    start, size = blocks[b"ORGN"]
    found: dict[str, Any] = {}
    for index in range(min(source.number("<I", start), 32)):
        at = start + 4 + index * (24 + 8 * capacity)
        if at + 24 + 8 * count > start + size:
            break
        kind, unit = source.unpack("<II", at)
        name = _AXES.get(kind & 0x7FFFFFFF)
        if name is None:
            continue
        values, _ = source.array(at + 24, "<f8", (count,))
        found[name] = Quantity([float(values.min()), float(values.max())], _UNITS.get(unit, ""))
    return {"ranges": found} if found else {}


def _comment(source: Source, blocks: dict[bytes, tuple[int, int]]) -> str:
    if b"TEXT" not in blocks:
        return ""
    start, size = blocks[b"TEXT"]
    return source.some(start, min(size, 20_000)).decode("utf-8", "replace").strip("\0 \r\n")


def _white_light(source: Source, blocks: dict[bytes, tuple[int, int]]) -> tuple[Thumbnail, ...]:
    """The microscope's picture of the sample, a JPEG."""
    if b"WHTL" not in blocks:
        return ()
    start, size = blocks[b"WHTL"]
    return embedded(source.some(start, min(size, MOST_PICTURE)), "white light image")
