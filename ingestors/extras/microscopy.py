"""Electron microscopy and its neighbours through rosettasciio (the extra `microscopy`).

rosettasciio gives each signal as array, axes (name, unit, scale, offset) and metadata in HyperSpy's words, whose units its manual fixes
("Metadata structure"): beam energy in keV, camera length in mm, working distance in mm, stage in mm and degrees.
"""

from __future__ import annotations

import logging
import re
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.extras import mapping
from ingestors.extras.needed import FromExtra, Kind, begins, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingestors.api import Candidate

EXTRA: Final = "microscopy"
_LARGE: Final = 300 * 2**20  # bytes from which a file is read in parts
_MOST_VALUES: Final = 8_000_000
_MOST_SIGNALS: Final = 16
_SPECTROSCOPY: Final = {
    "EELS": "Electron energy-loss spectroscopy",
    "EDS_TEM": "Energy-dispersive X-ray spectroscopy",
    "EDS_SEM": "Energy-dispersive X-ray spectroscopy",
    "CL": "Cathodoluminescence spectroscopy",
    "CL_SEM": "Cathodoluminescence spectroscopy",
    "CL_STEM": "Cathodoluminescence spectroscopy",
}
_UNITS: Final = {
    "beam_energy": "keV", "beam_current": "nA", "camera_length": "mm", "convergence_angle": "mrad", "probe_area": "nm^2", "working_distance": "mm",
    "collection_angle": "mrad", "dwell_time": "s", "exposure": "s", "live_time": "s", "real_time": "s", "azimuth_angle": "deg", "elevation_angle": "deg",
    "energy_resolution_MnKa": "eV", "tilt_alpha": "deg", "tilt_beta": "deg", "rotation": "deg", "x": "mm", "y": "mm", "z": "mm",
}  # fmt: skip


_UNNAMED: Final = re.compile(r"Undefined|Map data(?: \d+)?|.*\.spx", re.IGNORECASE)


def _gatan(candidate: Candidate) -> bool:
    """Version 3 or 4, the size of the file behind it, and the byte order. Source: DM3 format, P. Harvey-Wright & G. Jefferis' description."""
    head = candidate.head
    if len(head) < 16 or head[:4] not in {b"\0\0\0\x03", b"\0\0\0\x04"}:
        return False
    old = head[3] == 3
    size, order = struct.unpack(">II" if old else ">QI", head[4 : 12 if old else 16])
    return order in {0, 1} and abs(size - candidate.size) < 1024


def _mrc(candidate: Candidate) -> bool:
    return candidate.head[208:211] == b"MAP" and candidate.suffix in {
        ".mrc",
        ".mrcs",
        ".map",
        ".st",
        ".rec",
        ".ali",
        ".ccp4",
        "",
    }


def _semper(candidate: Candidate) -> bool:
    """`Semper` in the label, in letters of one or two bytes."""
    head = candidate.head[:2048]
    return candidate.suffix == ".unf" and (b"Semper" in head or "Semper".encode("utf-16-le") in head)


def _named(*suffixes: str, holding: bytes = b"") -> Callable[[Candidate], bool]:
    return lambda candidate: candidate.suffix in suffixes and holding in candidate.head


KINDS: Final = (
    Kind("Gatan DigitalMicrograph", _gatan, "rsciio.digitalmicrograph"),
    Kind("FEI TIA series", begins(b"II\x97\x01"), "rsciio.tia"),
    Kind("FEI TIA experiment", lambda one: one.suffix == ".emi" and one.head.startswith(b"JK\0\x02"), "rsciio.tia"),
    Kind("MRC", _mrc, "rsciio.mrc"),
    Kind("NanoMegas block file", begins(b"IMGBLO"), "rsciio.blockfile"),
    Kind("Bruker composite file", begins(b"AAMVHFSS"), "rsciio.bruker"),
    Kind("Bruker EDS spectrum", _named(".spx", holding=b"TRTSpectrum"), "rsciio.bruker"),
    Kind("Digital Surf", begins(b"DIGITAL SURF", b"DSCOMPRESSED"), "rsciio.digitalsurf"),
    Kind("Quantum Detectors Merlin", _named(".mib", holding=b"MQ1,"), "rsciio.quantumdetector"),
    Kind(
        "JEOL analysis station",
        lambda one: one.suffix in {".asw", ".pts", ".eds"} or one.head[4:12] == b"JED-2200",
        "rsciio.jeol",
    ),
    Kind("TVIPS", _named(".tvips"), "rsciio.tvips"),
    Kind("EDAX spectrum", _named(".spd", ".lsd"), "rsciio.edax"),
    Kind("Semper", _semper, "rsciio.semper"),
    Kind("JobinYvon spectrum", _named(".xml", holding=b"<LSX_Tree"), "rsciio.jobinyvon"),
    Kind("TriVista spectrum", _named(".tvf", holding=b"<XmlMain"), "rsciio.trivista"),
    Kind("Phenom image", _named(".elid"), "rsciio.phenom"),
    Kind(
        "Hamamatsu image",
        lambda one: one.suffix == ".img" and one.head[:2] == b"IM" and b"[Application]" in one.head,
        "rsciio.hamamatsu",
    ),
    Kind("Pantarhei", _named(".prz"), "rsciio.pantarhei"),
)


class Microscopy(FromExtra):
    """Files of electron microscopes and spectrometers that rosettasciio reads."""

    name = "microscopy"
    extra = EXTRA
    kinds = KINDS

    def reading(self, module: Any, candidate: Candidate, kind: Kind) -> Reading:
        """All signals of the file."""
        logging.getLogger("rsciio").setLevel(logging.CRITICAL + 1)
        return _reading(_read(module, candidate), candidate, kind)


def _read(reader: Any, candidate: Candidate) -> list[dict[str, Any]]:
    large = candidate.size > _LARGE
    try:
        found = reader.file_reader(str(candidate.path), lazy=large)
    except TypeError:  # a reader without that choice
        found = reader.file_reader(str(candidate.path))
    if not found:
        raise UnreadableError("The file holds no signal.")
    return list(found)


def _reading(found: list[dict[str, Any]], candidate: Candidate, kind: Kind) -> Reading:
    signals = [_signal(one) for one in found[:_MOST_SIGNALS]]
    told = [mapping.mapped(one) for one in found[:_MOST_SIGNALS]]
    first = told[0]
    general = next((part for one in told if (part := one.get("General", {})).get("date")), first.get("General", {}))
    when = mapping.gatan_moment(found[0].get("original_metadata") or {}) or _moment(general)
    if when.iso:  # what the mapping made of a date in an unknown order is not kept beside it
        general |= {"date": when.iso[:10], **({"time": when.iso[11:]} if when.iso[10:] else {})}
    title = str(first.get("General", {}).get("title", "")).strip()
    instrument = first.get("Acquisition_instrument", {})
    known: dict[str, Any] = next((part for name in ("TEM", "SEM") if (part := instrument.get(name))), {})
    sample = first.get("Sample", {})
    original = [bounded(one.get("original_metadata") or {}) for one in found[:_MOST_SIGNALS]]
    return Reading(
        data_type=kind.name,
        measurement=next((words for one in told if (words := _spectroscopy(one))), "") or _measurement(first),
        name=title if len(found) == 1 else "",
        timestamp=when.iso,
        instrument=str(known.get("microscope", "") or mapping.microscope(found[0].get("original_metadata") or {})),
        samples=(_sample(str(sample.get("name", "") or sample.get("description", ""))),),
        metadata={
            **_with_units(
                bounded({name: part for name, part in first.items() if name not in {"_HyperSpy", "Markers"}})
            ),
            "original_metadata": original[0] if len(original) == 1 else original,
            **described([signal for signal in signals if signal is not None]),
        },
        thumbnails=drawn([signal for signal in signals if signal is not None], title or candidate.stem),
        warnings=when.warnings,
    )


def _sample(text: str) -> str:
    """A sample's name; not what Bruker's programs call a measurement that nobody named."""
    return "" if _UNNAMED.fullmatch(text) else text


def _moment(general: Mapping[str, Any]) -> dates.Moment:
    day, clock, zone = (str(general.get(key, "") or "").strip() for key in ("date", "time", "time_zone"))
    if not day:
        return dates.NEVER
    return dates.iso(f"{day}T{clock}{zone if zone[:1] in {'+', '-', 'Z'} else ''}" if clock else day)


def _spectroscopy(metadata: Mapping[str, Any]) -> str:
    kind = metadata.get("Signal", {}).get("signal_type", "") if isinstance(metadata.get("Signal"), dict) else ""
    return _SPECTROSCOPY.get(str(kind), "")


def _measurement(metadata: Mapping[str, Any]) -> str:
    instrument = metadata.get("Acquisition_instrument", {})
    if "SEM" in instrument:
        return "Scanning electron microscopy"
    if "TEM" in instrument:
        scanning = str(instrument["TEM"].get("acquisition_mode", "")).startswith("STEM")
        return "Scanning transmission electron microscopy" if scanning else "Transmission electron microscopy"
    return ""


def _with_units(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: Quantity(item, _UNITS[key])
        if key in _UNITS and isinstance(item, (int, float)) and not isinstance(item, bool)
        else _with_units(item)
        for key, item in value.items()
    }


def _signal(one: Mapping[str, Any]) -> Signal | None:
    """An array (or a part of it: evenly spread along its first dimension) with its axes."""
    data = one.get("data")
    if data is None or not getattr(data, "ndim", 0) or data.dtype.names:
        return None
    shape = tuple(int(side) for side in data.shape)
    slab = int(np.prod(shape[1:])) or 1
    count = max(1, min(shape[0], _MOST_VALUES // slab)) if slab <= 4 * _MOST_VALUES else 0
    if not count:
        return None
    chosen = np.unique(np.linspace(0, shape[0] - 1, count).astype(int)) if len(shape) > 1 else np.arange(count)
    part = data if count == shape[0] else data[chosen]
    values = np.asarray(part.compute(scheduler="synchronous") if hasattr(part, "compute") else part)
    axes = one.get("axes") or []
    known = [_axis(axes[index]) if index < len(axes) else Axis() for index in range(len(shape))]
    signal_axes = [index for index, axis in enumerate(axes) if not axis.get("navigate", False)]
    metadata = mapping.plain(one.get("metadata"))
    quantity = str((metadata.get("Signal") or {}).get("quantity", "") or "")
    return Signal(
        values,
        tuple(known),
        str((metadata.get("General") or {}).get("title", "") or quantity),
        shape=shape,
        chosen=chosen,
        rows_down=True,
        spectral=signal_axes[0] if len(signal_axes) == 1 and len(shape) > 1 else None,
    )


def _axis(axis: Mapping[str, Any]) -> Axis:
    def said(key: str) -> str:
        text = str(axis.get(key) or "")
        return "" if text.startswith(("<undefined", "None")) else text

    if axis.get("axis") is not None and "scale" not in axis:
        return Axis(said("name"), said("units"), points=np.asarray(axis["axis"]))
    unit = said("units")
    return Axis(said("name") if unit else "", unit, float(axis.get("offset", 0) or 0), float(axis.get("scale", 1) or 1))
