"""PerkinElmer spectra (`.sp`) and infrared images (`.fsm`).

Source: PerkinElmer's own importers for MATLAB (`spload.m`, `fsmload.m`): `PEPE`, 40 bytes of description, then blocks of a number, a length and a content, which
may be blocks again. The members of a spectrum begin with the number of their type: 29987 a text, 29981 two doubles, 29974 an array of doubles, and so on.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import text_of
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.binary.source import Source

MAGIC: Final = b"PEPE"
_START: Final = 44
_MOST_BLOCKS: Final = 4000
_MOST_SPECTRA: Final = 200_000
_MOST_VALUES: Final = 16_000_000
_DEEPEST: Final = 6
_CONTAINERS: Final = range(120, 128)
_X_RANGE, _Y_RANGE, _POINTS, _X_UNIT, _Y_UNIT, _VALUES, _NAME = 35698, 35699, 35701, 35703, 35704, 35708, 35709
_LAYOUTS: Final = {29999: "<h", 29998: "<H", 29997: "<h", 29995: "<i", 29996: "<H", 29978: "<I", 29988: "<H", 29980: "<d", 29979: "<d", 29981: "<dd", 29973: "<H"}  # fmt: skip
_TEXT, _ARRAY = 29987, 29974
_TOLD: Final = {
    (121, 35698): ("analyst", ""), (121, 35700): ("date", ""), (121, 35702): ("description", ""),
    (122, 35698): ("analyst", ""), (122, 35700): ("date", ""), (122, 35702): ("description", ""),
    (123, 35837): ("model", ""), (123, 35838): ("serial number", ""), (123, 35839): ("software version", ""),
    (124, 35840): ("accumulations", ""), (124, 35841): ("detector", ""), (124, 35842): ("source", ""), (124, 35843): ("beam splitter", ""),
    (124, 35844): ("resolution", "1/cm"), (124, 35845): ("apodization", ""), (124, 35846): ("spectrum type", ""), (124, 35847): ("beam type", ""),
    (124, 35849): ("phase correction", ""),
}  # fmt: skip
_SCALES: Final = {
    "%T": ("Transmittance", "%"),
    "A": ("Absorbance", ""),
    "%R": ("Reflectance", "%"),
    "EGY": ("Single beam", ""),
}


def recognises(candidate: Candidate) -> str | None:
    """`PEPE`, and the words for a data set of two or four dimensions."""
    head = candidate.head
    match = re.match(rb"PEPE([ -~]*[24]D ?[ -~]{4,35})", head)
    return f"signature PEPE, {match[1].decode().strip()}" if match else None


def read(source: Source, candidate: Candidate) -> Reading:
    """One spectrum, or an image with a spectrum in each pixel."""
    if b"2D" in source.read(4, 40):
        return _spectrum(source, candidate)
    return _image(source, candidate)


def _blocks(source: Source, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, offset and length of the blocks between two places."""
    at = start
    for _ in range(_MOST_BLOCKS):
        if at + 6 > min(end, source.size):
            return
        number, length = source.unpack("<HI", at)
        if at + 6 + length > end:
            length = max(min(end, source.size) - at - 6, 0)
        yield number, at + 6, length
        at += 6 + length


def _members(
    source: Source, start: int, end: int, inside: int = 120, depth: int = 0
) -> Iterator[tuple[int, int, int, int]]:
    """Container, number, offset and length of everything that is no container itself."""
    for number, offset, length in _blocks(source, start, end):
        holds = (
            length > 6 and source.number("<H", offset) in _CONTAINERS and source.number("<I", offset + 2) <= length - 6
        )
        if (number in _CONTAINERS or holds) and depth < _DEEPEST:
            yield from _members(source, offset, offset + length, number if number in _CONTAINERS else inside, depth + 1)
        else:
            yield inside, number, offset, length


def _value(source: Source, offset: int, length: int) -> Any:
    """A member's value by the type that it begins with; None for those that nobody reads."""
    kind = source.number("<H", offset)
    if kind == _TEXT:
        return text_of(source.some(offset + 4, min(source.number("<H", offset + 2), length)), "utf-8")
    layout = _LAYOUTS.get(kind)
    if layout is None or struct.calcsize(layout) + 2 > length:
        return None
    values = source.unpack(layout, offset + 2)
    return values[0] if len(values) == 1 else values


def _spectrum(source: Source, candidate: Candidate) -> Reading:
    told: dict[str, Any] = {}
    known: dict[int, Any] = {}
    values = np.empty(0)
    for inside, number, offset, length in _members(source, _START, source.size):
        if length < 3:
            continue
        if number == _VALUES and inside == 120:
            values, _ = source.array(offset + 6, "<f8", (source.number("<I", offset + 2) // 8,))
        elif (meaning := _TOLD.get((inside, number))) is not None and (value := _value(source, offset, length)) not in (
            None,
            "",
        ):
            told[meaning[0]] = Quantity(value, meaning[1]) if meaning[1] and isinstance(value, float) else value
        elif inside == 120:
            known[number] = _value(source, offset, length)
    if not values.size:
        raise UnreadableError("This PerkinElmer file holds no values.")
    ends = known.get(_X_RANGE) or (0.0, float(values.size - 1))
    unit = str(known.get(_X_UNIT) or "")
    name, y_unit = _SCALES.get(str(known.get(_Y_UNIT) or "").upper(), (str(known.get(_Y_UNIT) or "Intensity"), ""))
    infrared = unit.casefold() in {"cm-1", "1/cm"}
    axis = Axis(
        "Wavenumber" if infrared else "Wavelength" if unit == "nm" else "x",
        unit,
        ends[0],
        (ends[1] - ends[0]) / max(values.size - 1, 1),
    )
    signal = Signal(values, (axis,), name, y_unit)
    when = _ctime(str(told.get("date", "")))
    if original := known.get(_NAME):
        told["original name"] = str(original)
    return Reading(
        data_type="PerkinElmer spectrum",
        measurement="Infrared spectroscopy" if infrared else "UV-Vis spectroscopy" if unit == "nm" else "",
        timestamp=when.iso,
        instrument=str(told.get("model", "")),
        metadata=told | described([signal]),
        thumbnails=drawn([signal], candidate.stem, reverse=infrared and axis.step < 0),
        warnings=when.warnings,
    )


def _ctime(text: str) -> dates.Moment:
    """`Mon Oct 28 16:08:45 2024`."""
    match = re.search(r"([A-Za-z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})(?:.*\(GMT([+-]\d{1,2}):(\d\d)\))?", text)
    if match is None:
        return dates.NEVER
    when = dates.parse(f"{match[1]} {match[2]} {match[4]} {match[3]}", ("%b %d %Y",))
    return dates.Moment(f"{when.iso}{int(match[5]):+03}:{match[6]}", when.warnings) if when.iso and match[5] else when


def _image(source: Source, candidate: Candidate) -> Reading:
    """Block 5100: the grid; 5104: texts; each 5105: the spectrum of one pixel in floats."""
    grid: tuple[Any, ...] | None = None
    texts: list[str] = []
    title = ""
    pixels: list[tuple[int, int]] = []
    for number, offset, length in _pixels(source):
        if number == 5100:
            size = source.number("<H", offset)
            title = source.text(offset + 2, size, "utf-8")
            grid = source.unpack("<10d3i", offset + 2 + size)
        elif number == 5104:
            texts = [text.decode("utf-8", "replace") for text in _texts(source.some(offset, min(length, 60_000)))]
        elif number == 5105:
            pixels.append((offset, length))
    if grid is None:
        raise UnreadableError("This PerkinElmer image does not say how large it is.")
    across, down, points = (int(one) for one in grid[10:])
    if min(across, down, points) <= 0 or not pixels:
        raise UnreadableError("This PerkinElmer image has impossible dimensions.")
    whole = min(len(pixels) // across, down)
    step = max(1, whole * across * points // _MOST_VALUES)
    z = Axis("Wavenumber", "1/cm", grid[3], grid[2] * step)
    rows = [
        np.frombuffer(source.read(at, min(length, 4 * points)), "<f4")[::step]
        for at, length in pixels[: whole * across]
    ]
    warnings = (
        []
        if len(pixels) >= across * down
        else [f"The image is incomplete: {len(pixels)} of {across * down} pixels are there."]
    )
    signals = []
    if rows and len({row.size for row in rows}) == 1:
        cube = np.stack(rows).reshape(whole, across, rows[0].size)
        axes = (Axis("y", "µm", grid[8], grid[1]), Axis("x", "µm", grid[7], grid[0]), z)
        signals = [Signal(cube, axes, "Intensity", "", (down, across, cube.shape[2]), spectral=2)]
    when = next((found for text in texts if (found := _ctime(text)).iso), dates.NEVER)
    return Reading(
        data_type="PerkinElmer infrared image",
        measurement="Infrared spectroscopy",
        timestamp=when.iso,
        instrument=next(
            (text for text in texts if "spotlight" in text.casefold() or "spectrum" in text.casefold()), ""
        ),
        keywords=("imaging",),
        metadata={"title": title, "texts": texts[:40], "points": points} | described(signals),
        thumbnails=drawn(signals, candidate.stem, reverse=True),
        warnings=tuple(warnings),
    )


def _pixels(source: Source) -> Iterator[tuple[int, int, int]]:
    at = _START
    for _ in range(_MOST_SPECTRA):
        if at + 6 > source.size:
            return
        number, length = source.unpack("<HI", at)
        if at + 6 + length > source.size:
            return
        yield number, at + 6, length
        at += 6 + length


def _texts(content: bytes) -> Iterator[bytes]:
    """Texts of the type 29987 with their length before them."""
    for match in re.finditer(rb"#u(..)", content, re.DOTALL):
        size = int.from_bytes(match[1], "little")
        text = content[match.end() : match.end() + size]
        if 1 < size <= 200 and len(text) == size and text.isascii() and text.strip(b" \0"):
            yield text
