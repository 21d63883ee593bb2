"""Galactic (Thermo GRAMS) spectra (`.spc`).

Source: Galactic Industries, "The Universal Data Format Specification" (1997): 512 bytes of header, perhaps X values, for each spectrum 32 bytes and its Y values, an
optional log. Version 4B is little-endian, 4C big-endian, 4D the older header of 256 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import pairs

if TYPE_CHECKING:
    from ingestors.binary.source import Source

_XY: Final = (
    ("", ""), ("Wavenumber", "1/cm"), ("Wavelength", "µm"), ("Wavelength", "nm"), ("Time", "s"), ("Time", "min"), ("Frequency", "Hz"), ("Frequency", "kHz"),
    ("Frequency", "MHz"), ("Mass", "m/z"), ("Chemical shift", "ppm"), ("Time", "d"), ("Time", "a"), ("Raman shift", "1/cm"), ("Energy", "eV"), ("", ""),
    ("Diode", ""), ("Channel", ""), ("Angle", "deg"), ("Temperature", "°F"), ("Temperature", "°C"), ("Temperature", "K"), ("Point", ""), ("Time", "ms"),
    ("Time", "µs"), ("Time", "ns"), ("Frequency", "GHz"), ("Length", "cm"), ("Length", "m"), ("Length", "mm"), ("Time", "h"),
)  # fmt: skip
_Y: Final = {
    1: ("Interferogram", ""), 2: ("Absorbance", ""), 3: ("Kubelka-Munk", ""), 4: ("Counts", "counts"), 5: ("Voltage", "V"), 6: ("Angle", "deg"),
    7: ("Current", "mA"), 8: ("Length", "mm"), 9: ("Voltage", "mV"), 10: ("log(1/R)", ""), 11: ("Percent", "%"), 12: ("Intensity", ""),
    13: ("Relative intensity", ""), 14: ("Energy", ""), 16: ("Decibel", "dB"), 19: ("Temperature", "°F"), 20: ("Temperature", "°C"), 21: ("Temperature", "K"),
    128: ("Transmission", ""), 129: ("Reflectance", ""), 130: ("Arbitrary or single beam", ""), 131: ("Emission", ""),
}  # fmt: skip
_METHODS: Final = {
    1: "Gas chromatography", 2: "Chromatography", 3: "High-performance liquid chromatography", 4: "Fourier-transform infrared spectroscopy",
    5: "Near-infrared spectroscopy", 7: "UV-visible spectroscopy", 8: "X-ray diffraction", 9: "Mass spectrometry",
    10: "Nuclear magnetic resonance spectroscopy", 11: "Raman spectroscopy", 12: "Fluorescence spectroscopy", 13: "Atomic spectroscopy",
}  # fmt: skip
_SHORT, _MULTI, _OWN_X, _X_VALUES = 0x01, 0x04, 0x40, 0x80
_MOST_SPECTRA: Final = 4096
_MOST_POINTS: Final = 8_000_000


def recognises(candidate: Candidate) -> str | None:
    """The version byte, and counts that fit the file."""
    head = candidate.head
    if len(head) < 512 or candidate.suffix not in {".spc", ".cgm"} or head[1] not in {0x4B, 0x4C, 0x4D}:
        return None
    return f"SPC header of version {head[1]:X}"


def read(source: Source, candidate: Candidate) -> Reading:
    """All spectra with the file's axes, comment and log."""
    version = source.number("B", 1)
    if version == 0x4D:
        return _old(source, candidate)
    order = "<" if version == 0x4B else ">"
    flags, _, method, exponent = source.unpack("BBBb", 0)
    points, first, last, count = source.unpack(order + "IddI", 4)
    x_kind, y_kind = source.unpack("BB", 28)
    packed, log = source.number(order + "I", 32), source.number(order + "I", 248)
    if not points and not flags & _OWN_X:
        raise UnreadableError("The SPC file holds no points.")
    name, unit = _XY[x_kind] if x_kind < len(_XY) else ("", "")
    if flags & 0x20:  # the file's own words for its axes
        own = source.read(218, 30).split(b"\0")
        name = own[0].decode("latin-1").strip() or name
    signals, warnings = _spectra(
        source,
        order,
        flags,
        exponent,
        (points, first, last, min(count, _MOST_SPECTRA)),
        Axis(name or "x", unit),
        _Y.get(y_kind, ("Intensity", "")),
    )
    if count > _MOST_SPECTRA:
        warnings.append(f"The file holds {count} spectra; the first {_MOST_SPECTRA} were read.")
    when = _moment(packed)
    comment = source.text(88, 130)
    resolution, origin, method_file = source.text(36, 9), source.text(45, 9), source.text(264, 48)
    told = {
        "comment": comment,
        "resolution": resolution,
        "source": origin,
        "method file": method_file,
        "spectra": int(count),
    }
    logged = _log(source, order, log)
    words = logged.get("log", {})
    raman = x_kind == 13 or "EXCIT_LINE" in words  # LabSpec's laser
    return Reading(
        data_type="SPC spectrum",
        measurement=_METHODS.get(method, "Raman spectroscopy" if raman else ""),
        timestamp=when.iso,
        instrument=origin or str(words.get("INSTRUMENT", "")),
        metadata={key: value for key, value in told.items() if value} | logged | described(signals),
        thumbnails=drawn(signals, candidate.stem, reverse=x_kind == 1),
        warnings=(*when.warnings, *warnings),
    )


def _spectra(
    source: Source,
    order: str,
    flags: int,
    exponent: int,
    sizes: tuple[int, float, float, int],
    axis: Axis,
    y: tuple[str, str],
) -> tuple[list[Signal], list[str]]:
    points, first, last, count = sizes
    at = 512
    shared = Axis(axis.name, axis.unit, first, (last - first) / max(points - 1, 1))
    if flags & _X_VALUES and not flags & _OWN_X:
        values, _ = source.array(at, order + "f4", (points,))
        shared = Axis(axis.name, axis.unit, points=values.astype(np.float64))
        at += 4 * points
    rows: list[np.ndarray[Any, Any]] = []
    signals: list[Signal] = []
    left = _MOST_POINTS
    for _ in range(count):
        own_exponent = source.number("b", at + 1) if flags & _MULTI else exponent
        z = source.number(order + "f", at + 4)
        length = source.number(order + "I", at + 16) if flags & _OWN_X else points
        at += 32
        left -= length
        if left < 0 or at + length * (2 if flags & _SHORT else 4) > source.size:
            return signals, [f"The file is cut off or too large: {len(signals)} of {count} spectra were read."]
        here = shared
        if flags & _OWN_X:
            listed, _ = (
                source.array(at, order + "i4", (length,))
                if exponent != -128
                else source.array(at, order + "f4", (length,))
            )
            here = Axis(
                axis.name,
                axis.unit,
                points=listed.astype(np.float64) * (2.0 ** (exponent - 32) if exponent != -128 else 1.0),
            )
            at += 4 * length
        values, used = _values(source, at, order, own_exponent, length, short=bool(flags & _SHORT))
        at += used
        signals.append(Signal(values, (here,), *y, about={"label": f"{z:g}"} if count > 1 else {}))
        rows.append(values)
    if len(signals) > 8 and not flags & _OWN_X:
        stack = np.stack(rows)
        return [Signal(stack, (Axis("spectrum"), shared), *y)], []
    return signals, []


def _values(
    source: Source, at: int, order: str, exponent: int, length: int, *, short: bool
) -> tuple[np.ndarray[Any, Any], int]:
    """Floats if the exponent is -128, else integers that are fractions of 2 to the exponent."""
    if exponent == -128:
        values, _ = source.array(at, order + "f4", (length,))
        return values.astype(np.float64), 4 * length
    width = 2 if short else 4
    values, _ = source.array(at, f"{order}i{width}", (length,))
    return values.astype(np.float64) * 2.0 ** (exponent - 8 * width), width * length


def _moment(packed: int) -> dates.Moment:
    """Minute, hour, day, month and year in 6, 5, 5, 4 and 12 bits; LabSpec counts the years from 1900."""
    minute, hour, day, month, year = packed & 63, packed >> 6 & 31, packed >> 11 & 31, packed >> 16 & 15, packed >> 20
    year += 1900 if 70 <= year < 200 else 0
    return (
        dates.iso(f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
        if packed and year and month and day
        else dates.NEVER
    )


def _log(source: Source, order: str, at: int) -> dict[str, Any]:
    """The text of the log block: `key = value` lines."""
    if not 512 <= at <= source.size - 64:
        return {}
    size, _, text = source.unpack(order + "III", at)
    if not 64 <= text <= size:
        return {}
    words = source.some(at + text, min(size - text, 100_000)).split(b"\0")[0].decode("latin-1")
    found = pairs(words.splitlines())
    return {"log": found} if found else {}


def _old(source: Source, candidate: Candidate) -> Reading:
    """Version 4D: exponents are words, the Y values have their halves the other way round, the first spectrum follows at once."""
    exponent = source.number("<h", 2)
    points, first, last = (float(one) for one in source.unpack("<fff", 4))
    x_kind, y_kind = source.unpack("BB", 16)
    year, month, day, hour, minute = source.unpack("<HBBBB", 18)
    count = int(points)
    if not 0 < count < _MOST_POINTS:
        raise UnreadableError("The SPC file has an impossible number of points.")
    if exponent in (-128, 128):
        values, _ = source.array(256, "<f4", (count,))
        numbers = values.astype(np.float64)
    else:
        halves, _ = source.array(256, "<u2", (count, 2))
        whole = (halves[:, 0].astype(np.uint32) << 16 | halves[:, 1]).astype(np.int32)
        numbers = whole.astype(np.float64) * 2.0 ** (exponent - 32)
    name, unit = _XY[x_kind] if x_kind < len(_XY) else ("", "")
    axis = Axis(name or "x", unit, first, (last - first) / max(count - 1, 1))
    signal = Signal(numbers, (axis,), *_Y.get(y_kind, ("Intensity", "")))
    when = (
        dates.iso(f"{year & 0xFFF:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
        if year & 0xFFF and month and day
        else dates.NEVER
    )
    resolution = source.text(24, 8)
    told = {"comment": source.text(64, 130)} | ({"resolution": resolution} if resolution else {})
    return Reading(
        data_type="SPC spectrum",
        timestamp=when.iso,
        metadata={key: value for key, value in told.items() if value} | described([signal]),
        thumbnails=drawn([signal], candidate.stem, reverse=x_kind == 1),
        warnings=when.warnings,
    )
