"""Thermo Nicolet OMNIC spectra (`.spa`) and groups of them (`.spg`), and the header of maps (`.map`) and series (`.srs`).

Source: the layout as spectrochempy's format reference describes it: `Spectral Data File`, the title at 30, the time at 296 (seconds since 1899-12-31 in UTC), the
number of keys at 294, and from 304 on keys of 16 bytes (kind, offset, length). Kind 2 is a spectrum's header, 3 its values in floats, 27 its history, 107 the title and
time of a member of a group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import times
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import text_of
from ingestors.dat.reading import Reading
from ingestors.textvalues import pairs

if TYPE_CHECKING:
    from ingestors.binary.source import Source
    from ingestors.dat.dates import Moment

MAGIC: Final = b"Spectral Data File"
_EXTENDED: Final = b"Spectral Exte File"
_KEYS: Final = 304
_HEADER, _VALUES, _HISTORY, _MEMBER = 2, 3, 27, 107
_MOST_KEYS: Final = 4000
_MOST_SPECTRA: Final = 500
_LONGEST_TITLE: Final = 80
_X: Final = {
    1: ("Wavenumber", "1/cm"),
    2: ("Point", ""),
    3: ("Wavelength", "nm"),
    4: ("Wavelength", "µm"),
    32: ("Raman shift", "1/cm"),
}
_Y: Final = {
    11: ("Reflectance", "%"), 12: ("log(1/R)", ""), 15: ("Single beam", ""), 16: ("Transmittance", "%"), 17: ("Absorbance", ""), 20: ("Kubelka-Munk", ""),
    21: ("Reflectance", ""), 22: ("Interferogram", "V"), 26: ("Photoacoustic", ""), 31: ("Raman intensity", ""),
}  # fmt: skip


def recognises(candidate: Candidate) -> str | None:
    """The words that the file begins with."""
    head = candidate.head
    known = head.startswith((MAGIC, _EXTENDED)) and len(head) > _KEYS
    return f"signature {head[:18].decode('ascii')}" if known else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Every spectrum with its axis, title and time; scans and history of the first one."""
    if source.read(0, 18) == _EXTENDED:
        return _extended(source)
    title = source.text(30, 255, "cp1252")
    keys = _keys(source)
    signals: list[Signal] = []
    titles: list[str] = []
    moments: list[Moment] = []
    told: dict[str, Any] = {}
    header: tuple[dict[str, Any], Axis, tuple[str, str]] | None = None
    warnings: list[str] = []
    for kind, offset, length in keys:
        if kind == _HEADER:
            header = _header(source, offset)
            told = told or header[0]
        elif kind == _VALUES and header is not None and len(signals) < _MOST_SPECTRA:
            try:
                values, _ = source.array(offset, "<f4", (length // 4,))
            except UnreadableError as error:
                warnings.append(f"A spectrum is missing: {error}")
                continue
            signals.append(Signal(values, (header[1],), *header[2]))
        elif kind == _MEMBER:
            titles.append(source.text(offset, min(length, 255), "cp1252"))
            moments.append(times.omnic(source.number("<I", offset + 256)) if length >= 260 else times.omnic(0))
        elif kind == _HISTORY and "history" not in told:
            told["history"] = _history(source, offset, length)
    if not signals:
        raise UnreadableError("This OMNIC file holds no spectrum.")
    named = [
        Signal(one.values, one.axes, one.name, one.unit, about={"label": name}) if name else one
        for one, name in zip(signals, [*titles, *[""] * len(signals)], strict=False)
    ]
    group = len(titles) > 0
    when = next((one for one in moments if one.iso), times.omnic(0)) if group else times.omnic(source.number("<I", 296))
    raman = signals[0].axes[0].name == "Raman shift"
    infrared = signals[0].axes[0].unit in {"1/cm", ""}
    return Reading(
        data_type="OMNIC group of spectra" if group else "OMNIC spectrum",
        measurement="Raman spectroscopy" if raman else "Fourier-transform infrared spectroscopy" if infrared else "",
        name=title if not group and len(title) < _LONGEST_TITLE else "",
        timestamp=when.iso,
        instrument=str(told.get("history", {}).get("Spectrometer", ""))
        if isinstance(told.get("history"), dict)
        else "",
        metadata={"title": title, **told, **({"spectra": len(signals)} if group else {})} | described(named),
        thumbnails=drawn(
            named, title if 0 < len(title) < _LONGEST_TITLE else candidate.stem, reverse=infrared and not raman
        ),
        warnings=(*when.warnings, *warnings),
    )


def _keys(source: Source) -> list[tuple[int, int, int]]:
    found = []
    for index in range(min(source.number("<H", 294), _MOST_KEYS)):
        at = _KEYS + 16 * index
        offset, length = source.unpack("<II", at + 2)
        if offset + length <= source.size:
            found.append((source.number("B", at), offset, length))
    return found


def _header(source: Source, at: int) -> tuple[dict[str, Any], Axis, tuple[str, str]]:
    """Scans and laser; the axis; name and unit of the values."""
    points, x, y = source.number("<I", at + 4), source.number("B", at + 8), source.number("B", at + 12)
    first, last = source.unpack("<ff", at + 16)
    scans, background = source.number("<I", at + 36), source.number("<I", at + 52)
    told: dict[str, Any] = {"sample scans": int(scans), "background scans": int(background)}
    laser = float(source.number("<f", at + 80))
    if 1000 < laser < 100_000:
        told["laser wavenumber"] = Quantity(round(laser, 3), "1/cm")
    name, unit = _X.get(x, ("x", ""))
    axis = Axis(name, unit, float(first), (float(last) - float(first)) / max(int(points) - 1, 1))
    return told, axis, _Y.get(y, ("Intensity", ""))


def _history(source: Source, offset: int, length: int) -> Any:
    r"""The steps of the processing: lines `Key:\tvalue`, if there are some."""
    text = text_of(source.some(offset, min(length, 20_000)), "cp1252")
    return pairs(text.splitlines()) or text


def _extended(source: Source) -> Reading:
    """Maps and series: their first spectrum's header; how they store their values is not known."""
    title = source.text(30, 255, "cp1252")
    told: dict[str, Any] = {"title": title} if title else {}
    at = source.number("<I", 306)
    if source.number("<H", 304) == _HEADER and 0 < at < source.size - 100:
        found, axis, (name, unit) = _header(source, at)
        told |= found | {
            "axis": {"name": axis.name, "unit": axis.unit, "first": axis.start},
            "values": {"name": name, "unit": unit},
        }
    return Reading(
        data_type="OMNIC map or series",
        measurement="Fourier-transform infrared spectroscopy",
        name=title,
        metadata=told,
        warnings=("Of this OMNIC map or series only the header is read.",),
    )
