"""WSxM images of scanning probe microscopes (`.stp`, `.top`, ...).

Source: the files' own header (`WSxM file copyright`, `Image header size`, sections in brackets, `Key: value`) and WSxM's manual, "File formats": little-endian
integers of 2 bytes, or floats, from the lower right corner on; what the whole range of the integers is stands in `Z Amplitude`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.source import Source

_TYPES: Final = {"short": "<i2", "short data": "<i2", "float": "<f4", "double": "<f8", "": "<i2"}
_LEFT_OUT: Final = ("Info", "Params")  # palettes and the light of a view
_METHODS: Final = {"AFM": "Atomic force microscopy", "STM": "Scanning tunneling microscopy"}


def recognises(candidate: Candidate) -> str | None:
    """`WSxM file copyright` in the first line, and an image header."""
    match = re.match(rb"WSxM file copyright[^\n]*\n[^\n]*\nImage header size: (\d+)", candidate.head)
    return "first line WSxM file copyright" if match else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The image upright with its real size and height; the sections of the header."""
    size = int((re.search(rb"Image header size: (\d{1,7})", source.some(0, 400)) or [b"", b"0"])[1])
    sections = _sections(source.some(0, size).decode("cp1252", "replace"))
    general, control = sections.get("General Info", {}), sections.get("Control", {})
    try:
        across, down = int(general["Number of columns"]), int(general["Number of rows"])
        code = _TYPES[general.get("Image Data Type", "").strip().casefold()]
    except (KeyError, ValueError) as error:
        raise UnreadableError("The header of this WSxM file does not say what its image is.") from error
    values, _ = source.array(size, code, (down, across))
    missing = [f"The image is incomplete: {len(values)} of {down} rows are there."] if len(values) < down else []
    height, unit = _length(general.get("Z Amplitude", ""))
    spread = float(np.ptp(values)) if values.size else 0.0
    scaled = values.astype(np.float64) * (height / spread if height and spread and values.dtype.kind == "i" else 1.0)
    axes = tuple(
        _axis(name, *_length(control.get(f"{name.upper()} Amplitude", "")), count)
        for name, count in (("y", down), ("x", across))
    )
    channel = general.get("Acquisition channel", "")
    signal = Signal(scaled[::-1, ::-1], axes, channel, unit if height else "", (down, across), rows_down=True)
    when = (
        dates.parse(general.get("Acquisition time", "").replace(",", ""), dates.EUROPEAN)
        if general.get("Acquisition time")
        else dates.NEVER
    )
    told = {
        name: _valued(fields)
        for name, fields in sections.items()
        if fields and (name == "General Info" or not name.endswith(_LEFT_OUT))
    }
    return Reading(
        data_type="WSxM image",
        measurement=_METHODS.get(general.get("Head type", "").upper(), ""),
        timestamp=when.iso,
        keywords=("scanning probe microscopy",),
        metadata=told | described([signal]),
        thumbnails=drawn([signal], candidate.stem),
        warnings=(*when.warnings, *missing),
    )


def _sections(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    here: dict[str, str] = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(.+)\]\s*", line):
            here = found.setdefault(match[1], {})
        else:
            key, colon, value = line.partition(": ")
            if colon and value.strip():
                here[key.strip()] = value.strip()
    return found


def _valued(fields: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, text in fields.items():
        number, unit = _length(text)
        found[key] = Quantity(number, unit) if unit else value_of(text)
    return found


def _length(text: str) -> tuple[float, str]:
    """`59.7 nm`; zero and no unit if it is something else."""
    match = re.fullmatch(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?) ([^\d\s]\S*)", text.strip())
    return (float(match[1]), match[2].replace("\xc5", "Å")) if match else (0.0, "")


def _axis(name: str, size: float, unit: str, count: int) -> Axis:
    return Axis(name, unit, size / count / 2, size / count) if size and count else Axis()
