"""PicoQuant's time-tagged and histogrammed photons (`.ptu`, `.phu`).

Source: PicoQuant, "Unified TTTR file format" (Tag-Documentation): `PQTTTR` or `PQHISTO`, version, then tags of a name (32 bytes), index, type and value (8 bytes), texts and
arrays behind them, until `Header_End`; then 32-bit records, or histograms at the places that tags name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import times
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.source import Source

_MAGIC: Final = (b"PQTTTR\0\0", b"PQHISTO\0")
_EMPTY, _BOOL, _INT, _BITS, _COLOUR = 0xFFFF0008, 0x00000008, 0x10000008, 0x11000008, 0x12000008
_FLOAT, _TIME, _FLOATS, _TEXT, _WIDE, _BLOB = 0x20000008, 0x21000008, 0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF
_MOST_TAGS: Final = 5000
_MOST_TEXT: Final = 20_000
_MOST_CURVES: Final = 16
_MOST_RECORDS: Final = 8_000_000
_T3: Final = {
    0x00010303: "PicoHarp", 0x00010304: "HydraHarp", 0x01010304: "HydraHarp", 0x00010305: "HydraHarp", 0x00010306: "HydraHarp", 0x00010307: "HydraHarp",
}  # fmt: skip


def recognises(candidate: Candidate) -> str | None:
    """`PQTTTR` or `PQHISTO`."""
    return "signature PQTTTR or PQHISTO" if candidate.head.startswith(_MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The tags by name; the histograms, or that of the photons' arrival times."""
    tags, start = _tags(source)
    created = tags.get("File_CreatingTime")
    when = created if isinstance(created, dates.Moment) else dates.NEVER
    histogram = source.read(0, 8) == _MAGIC[1]
    signals = _curves(source, tags) if histogram else _decay(source, start, tags)
    told = {key: value.iso if isinstance(value, dates.Moment) else value for key, value in tags.items()}
    for key, unit in (
        ("MeasDesc_Resolution", "s"),
        ("MeasDesc_GlobalResolution", "s"),
        ("MeasDesc_AcquisitionTime", "ms"),
        ("TTResult_SyncRate", "Hz"),
    ):
        if isinstance(told.get(key), (int, float)):
            told[key] = Quantity(told[key], unit)
    return Reading(
        data_type="PicoQuant histogram" if histogram else f"PicoQuant {_mode(tags)} photon records",
        measurement="Time-correlated single photon counting",
        timestamp=when.iso,
        instrument=str(tags.get("HW_Type", "")),
        keywords=("TCSPC",),
        metadata=told | described(signals),
        thumbnails=drawn(signals, candidate.stem),
        warnings=when.warnings,
    )


def _mode(tags: Mapping[str, Any]) -> str:
    return {2: "T2", 3: "T3"}.get(tags.get("Measurement_Mode", 0), "TTTR")


def _tags(source: Source) -> tuple[dict[str, Any], int]:
    """The tags (those with an index as lists) and where the records begin."""
    found: dict[str, Any] = {"version": source.text(8, 8)}
    at = 16
    for _ in range(_MOST_TAGS):
        name = source.text(at, 32)
        index, kind = source.unpack("<iI", at + 32)
        value, extra = _value(source, kind, at + 40)
        at += 48 + extra
        if name == "Header_End":
            return found, at
        if value is None or not name:
            continue
        if index >= 0:
            listed = found.setdefault(name, [])
            if isinstance(listed, list):
                listed.append(value)
        else:
            found[name] = value
    raise UnreadableError("The PicoQuant file's header has no end.")


def _value(source: Source, kind: int, at: int) -> tuple[Any, int]:
    """A tag's value and how many bytes stand behind it."""
    whole = source.number("<q", at)
    if kind == _EMPTY:
        return None, 0
    if kind == _BOOL:
        return bool(whole), 0
    if kind in {_INT, _BITS, _COLOUR}:
        return whole, 0
    if kind == _FLOAT:
        return float(source.number("<d", at)), 0
    if kind == _TIME:
        days = float(source.number("<d", at))
        return times.days(round(days * 86400) / 86400) if np.isfinite(days) else None, 0
    if kind in {_TEXT, _WIDE, _FLOATS, _BLOB}:
        if not 0 <= whole <= source.size - at - 8:
            raise UnreadableError("The PicoQuant file is damaged: a tag is longer than the file.")
        content = source.some(at + 8, min(whole, _MOST_TEXT)) if kind in {_TEXT, _WIDE} else b""
        text = content.decode("utf-16-le" if kind == _WIDE else "cp1252", "replace").split("\0")[0].strip()
        return text or None, whole
    raise UnreadableError(f"The PicoQuant file is damaged: there is no kind of tag {kind:#x}.")


def _curves(source: Source, tags: Mapping[str, Any]) -> list[Signal]:
    """The histograms of a `.phu` file."""
    offsets, bins, widths = (
        tags.get(f"HistResDscr_{key}", []) for key in ("DataOffset", "HistogramBins", "MDescResolution")
    )
    if not all(isinstance(one, list) for one in (offsets, bins, widths)):
        return []
    signals: list[Signal] = []
    for number, (offset, count, width) in enumerate(zip(offsets, bins, widths, strict=False)):
        if len(signals) >= _MOST_CURVES or not 0 < count < 2**24:
            break
        values, _ = source.array(offset, "<u4", (count,))
        axis = Axis("Time", "ns", 0.0, float(width) * 1e9)
        signals.append(Signal(values, (axis,), "Counts", "counts", about={"label": f"curve {number + 1}"}))
    return signals


def _decay(source: Source, start: int, tags: Mapping[str, Any]) -> list[Signal]:
    """The histogram of the photons' times after the sync, of T3 records; nothing of T2."""
    kind, count = tags.get("TTResultFormat_TTTRRecType"), tags.get("TTResult_NumberOfRecords", 0)
    device = _T3.get(kind) if isinstance(kind, int) else None
    width = tags.get("MeasDesc_Resolution")
    if device is None or not isinstance(count, int) or not count or not isinstance(width, float) or not 0 < width < 1:
        return []
    records, _ = source.array(start, "<u4", (min(count, _MOST_RECORDS),))
    if device == "PicoHarp":
        delays, photons = records >> 16 & 0xFFF, records >> 28 != 15
    else:
        delays, photons = records >> 10 & 0x7FFF, records >> 31 == 0
    counts = np.bincount(delays[photons])
    if counts.size < 2:
        return []
    axis = Axis("Time after sync", "ns", 0.0, width * 1e9)
    return [Signal(counts, (axis,), "Counts", "counts")]
