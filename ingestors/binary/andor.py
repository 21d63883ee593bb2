"""Andor Solis frames and spectra (`.sif`).

Source: the layout as M. Leutenegger's MATLAB reader and the Andor SIF reader of DIPlib describe it: a text header of lines whose third holds time, temperature
and exposure, the fourth the camera; axis names with their lengths before them; `655xx` lines with the sizes; time stamps; then 32-bit floats.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

MAGIC: Final = b"Andor Technology Multi-Channel File\n"
_LONGEST_HEADER: Final = 4_000_000
_SIZES: Final = re.compile(
    rb"(\d{1,3})\n([^\n]{1,60}?)(\d{1,3})\n([^\n]{1,60}?)(\d{1,3})\n([^\n]{1,60}?)655\d\d (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)\n"
    rb"655\d\d (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)[^\n]*\n"
)
_WAVELENGTHS: Final = re.compile(
    rb"^(?:655\d\d )?([-+\d.eE]+) ([-+\d.eE]+) ([-+\d.eE]+) ([-+\d.eE]+)[ \r]*$", re.MULTILINE
)


def recognises(candidate: Candidate) -> str | None:
    """The first line."""
    return "first line Andor Technology Multi-Channel File" if candidate.head.startswith(MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Frames, tracks or spectra with the wavelengths of the spectrograph."""
    head = source.some(0, _LONGEST_HEADER)
    lines = head.split(b"\n", 6)
    match = _SIZES.search(head)
    if match is None or len(lines) < 6:
        raise UnreadableError("The header of this SIF file does not say how many pixels there are.")
    words = [word.decode("latin-1") for word in lines[2].split()]
    frames, subimages = int(match[11]), int(match[12])
    left, top, right, bottom, down_bin, across_bin = (int(match[index]) for index in range(15, 21))
    across, down = (1 + right - left) // max(across_bin, 1), abs(1 + top - bottom) // max(down_bin, 1) or 1
    if min(frames, subimages, across) <= 0:
        raise UnreadableError("The header of this SIF file has impossible sizes.")
    start = _data(head, match.end() + _more(head, match.end(), subimages - 1), frames)
    shape = (frames, max(down, 1) * subimages, across)
    values, chosen = source.array(start, "<f4", shape)
    warnings = (
        [f"The file is incomplete: {len(chosen)} of {frames} frames are there."]
        if source.size < start + 4 * int(np.prod(shape))
        else []
    )
    axis = _abscissa(head[: match.start()], match, across)
    unit = match[4].decode("latin-1").strip()
    when = dates.epoch(float(words[4])) if len(words) > 4 and words[4].isdigit() and int(words[4]) > 0 else dates.NEVER
    signal = _signal(values, chosen, shape, axis, unit)
    return Reading(
        data_type="Andor SIF file",
        timestamp=when.iso,
        instrument=lines[3].decode("latin-1").strip(),
        metadata=_settings(words)
        | {"camera": lines[3].decode("latin-1").strip(), "frames": frames, "binning": [across_bin, down_bin]}
        | described([signal]),
        thumbnails=drawn([signal], candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _more(head: bytes, at: int, count: int) -> int:
    """The length of the further subimages' lines."""
    length = 0
    for _ in range(min(count, 10_000)):
        end = head.find(b"\n", at + length)
        if end < 0:
            break
        length = end + 1 - at
    return length


def _data(head: bytes, at: int, frames: int) -> int:
    """Where the floats begin: behind a time stamp for each frame, and one or two more lines in newer versions."""

    def skipped(at: int, count: int) -> int:
        for _ in range(count):
            end = head.find(b"\n", at, at + 64)
            if end < 0 or not head[at:end].strip().lstrip(b"-").isdigit():
                raise UnreadableError("The header of this SIF file is cut off or of an unknown version.")
            at = end + 1
        return at

    while head[at : at + 1] in {b" ", b"\n"}:
        at += 1
    at = skipped(at, min(frames, 1_000_000))
    if head[at : at + 2] == b"0\n":
        return at + 2
    if head[at : at + 2] == b"1\n":
        return skipped(at + 2, min(frames, 1_000_000))
    return at


def _abscissa(head: bytes, match: re.Match[bytes], across: int) -> Axis:
    """Wavelengths from a cubic polynomial over the pixels 1, 2, ...; pixels if none is calibrated."""
    name = match[2].decode("latin-1").strip()
    for found in _WAVELENGTHS.finditer(head):
        try:
            coefficients = [float(found[index]) for index in range(1, 5)]
        except ValueError:
            continue
        if coefficients[:2] == [0.0, 1.0] or coefficients[1] == 0.0:
            continue
        points = np.polynomial.polynomial.polyval(np.arange(1, across + 1, dtype=np.float64), coefficients)
        if np.isfinite(points).all():
            return Axis(
                "Wavelength" if name in {"", "Pixel number", "Wavelength"} else name,
                "nm" if name.casefold() in {"", "wavelength", "pixel number"} else "",
                points=points,
            )
    return Axis("pixel")


def _signal(
    values: np.ndarray[Any, Any], chosen: np.ndarray[Any, Any], shape: tuple[int, int, int], axis: Axis, unit: str
) -> Signal:
    frames, rows, _ = shape
    if frames == rows == 1:
        return Signal(values[0, 0], (axis,), "Intensity", unit)
    if rows == 1:
        return Signal(values[:, 0], (Axis("frame"), axis), "Intensity", unit, (frames, shape[2]), chosen)
    plain = axis if axis.unit else Axis()
    across = Axis("row" if axis.unit else "")
    if frames == 1:
        return Signal(values[0], (across, plain), "Intensity", unit)
    return Signal(values, (Axis(), across, plain), "Intensity", unit, shape, chosen)


def _settings(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, key, unit in (
        (5, "detector temperature", "°C"),
        (7, "exposure", "s"),
        (8, "cycle time", "s"),
        (10, "accumulations", ""),
    ):
        try:
            value = float(words[index])
        except (ValueError, IndexError):
            continue
        if np.isfinite(value) and abs(value) < 1e6:
            found[key] = Quantity(value, unit) if unit else int(value)
    return found
