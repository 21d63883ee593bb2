"""Electron microscopes' own tags in TIFF files: FEI and Thermo Fisher, Zeiss, TESCAN.

Source: FEI tags 34680 and 34682 and Zeiss tag 34118 are texts of keys and values whose units the makers fix (FEI: SI throughout) or write down; TESCAN
tag 50431 holds `[MAIN]` and `[SEM]` behind a binary part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.binary.xmltree import parsed, plain
from ingestors.dat import dates
from ingestors.image.facts import SEM, Facts, pixel_size
from ingestors.image.sections import microscope_text, section_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_FEI_UNITS: Final = {
    "HV": "V", "HighVoltage": "V", "BeamCurrent": "A", "EmissionCurrent": "A", "WorkingDistance": "m", "WD": "m",
    "PixelWidth": "m", "PixelHeight": "m", "HorFieldsize": "m", "VerFieldsize": "m", "HFW": "m", "VFW": "m", "StageX": "m", "StageY": "m",
    "StageZ": "m", "StageR": "rad", "StageT": "rad", "StageTa": "rad", "StageTb": "rad", "ChPressure": "Pa", "UserPressure": "Pa", "Dwell": "s",
    "Dwelltime": "s", "FrameTime": "s", "LineTime": "s", "EucWD": "m", "ScanRotation": "rad", "TiltCorrectionAngle": "rad", "PreTilt": "rad",
    "Temperature": "K", "SpecimenCurrent": "A", "BeamShiftX": "m", "BeamShiftY": "m", "LandingEnergy": "V", "StageBias": "V", "AperturDiameter": "m",
    "Grid": "V", "Suction": "V",
}  # fmt: skip
_TESCAN_UNITS: Final = {
    "PixelSizeX": "m", "PixelSizeY": "m", "HV": "V", "WD": "m", "Chamber": "Pa", "ChamberPressure": "Pa", "StageX": "m", "StageY": "m", "StageZ": "m",
    "StageRotation": "deg", "StageTilt": "deg", "SpotSize": "m", "DwellTime": "s", "EmissionCurrent": "A", "SpecimenCurrent": "A", "PredictedBeamCurrent": "A",
    "Gun Extractor": "V",
}  # fmt: skip
_BEAMS: Final = {"EBeam": SEM, "IBeam": "Focused ion beam imaging"}


def fei(text: str) -> Facts:
    """FEI's and Thermo Fisher's SEM and FIB: `[User]`, `[System]`, `[Beam]`, `[Scan]`, `[EBeam]`, ... in SI units."""
    if text.lstrip().startswith("<"):
        return _fei_xml(text)
    fields = {name: _with_units(part, _FEI_UNITS) for name, part in microscope_text(text).items()}
    user, system, beam = (section_of(fields, name) for name in ("User", "System", "Beam"))
    when = _fei_time(str(user.get("Date", "")), str(user.get("Time", "")))
    scans = [section_of(fields, name) for name in ("Scan", "EScan", "IScan")]
    width, height = (
        next((_si(part.get(key)) for part in scans if _si(part.get(key))), None)
        for key in ("PixelWidth", "PixelHeight")
    )
    kind = str(beam.get("Beam", ""))
    return Facts(
        {"fei": fields},
        data_type="FEI microscope image",
        measurement=_BEAMS.get(kind, SEM if "EBeam" in fields and not kind else ""),
        instrument=str(system.get("SystemType") or system.get("Type") or "").strip(),
        timestamp=when.iso,
        pixel=pixel_size(width, height, "m"),
        warnings=when.warnings,
    )


def _fei_xml(text: str) -> Facts:
    try:
        return Facts({"fei": plain(parsed(text.encode()))}, data_type="FEI microscope image")
    except UnreadableError as error:
        return Facts({"fei": text[:2000]}, warnings=(f"The microscope's own tag cannot be read: {error}",))


def _fei_time(day: str, clock: str) -> dates.Moment:
    """Points: day first; slashes: month first, unless that cannot be."""
    words = f"{day} {clock}".strip()
    if not day:
        return dates.NEVER
    if "." in day:
        return dates.parse(words, dates.EUROPEAN)
    found = dates.parse(words, dates.US)
    return found if found.iso else dates.undecided(words)


def zeiss(text: str) -> Facts:
    """Zeiss SmartSEM: `WD = 4.5 mm`, `Date :12 Feb 2020`; the lines between are the parameters' internal names."""
    fields = microscope_text(text)
    when = dates.parse(
        f"{fields.get('Date', '')} {fields.get('Time', '')}".strip(),
        (*dates.DAY_MONTH_NAME, *dates.YEAR_FIRST, *dates.EUROPEAN[:1]),
    )
    size = fields.get("Image Pixel Size", fields.get("Pixel Size"))
    pixel = pixel_size(size.value, size.value, size.unit) if isinstance(size, Quantity) else None
    serial = str(fields.get("Serial No.", "")).strip()
    sample = str(fields.get("Sample ID", "")).strip()
    return Facts(
        {"zeiss": fields},
        data_type="Zeiss SmartSEM image",
        measurement=SEM if "EHT" in fields or "WD" in fields else "",
        instrument=f"Zeiss {serial}".strip() if serial else "",
        timestamp=when.iso,
        samples=(sample,) if sample.strip("-") else (),
        pixel=pixel,
        warnings=when.warnings,
    )


def tescan(content: bytes) -> Facts:
    """TESCAN: the text behind the tag's binary part, in SI units."""
    at = content.find(b"[MAIN]")
    if at < 0:
        return Facts()
    fields = {
        name: _with_units(part, _TESCAN_UNITS)
        for name, part in microscope_text(
            content[at : at + 200_000].decode("utf-8", "replace").replace("\0", "\n")
        ).items()
    }
    main = section_of(fields, "MAIN")
    when = dates.iso(f"{main.get('Date', '')} {main.get('Time', '')}".strip())
    sample = str(main.get("Note", "")).strip()
    return Facts(
        {"tescan": fields},
        data_type="TESCAN microscope image",
        measurement=SEM if "SEM" in fields else "",
        instrument=" ".join(dict.fromkeys(f"TESCAN {main.get('Device', '')}".split())),
        timestamp=when.iso,
        name=sample,
        pixel=pixel_size(_si(main.get("PixelSizeX")), _si(main.get("PixelSizeY")), "m"),
        warnings=when.warnings,
    )


def _with_units(part: Any, units: Mapping[str, str]) -> Any:
    if not isinstance(part, dict):
        return part
    return {
        key: Quantity(value, units[key])
        if key in units and isinstance(value, (int, float)) and not isinstance(value, bool)
        else value
        for key, value in part.items()
    }


def _si(value: Any) -> float | None:
    found = value.value if isinstance(value, Quantity) else value
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


_JEOL: Final = re.compile(r"^\$+(\w+)\s+(.*?)\s*$", re.MULTILINE)


def beside(text: str) -> Facts:
    """The text file that Hitachi (`[SemImageFile]`) and JEOL (`$CM_...`) put beside a picture; else nothing."""
    if "[SemImageFile]" in text[:200]:
        return _hitachi(microscope_text(text).get("SemImageFile", {}))
    if "$CM_" in text[:200]:
        return _jeol({match[1]: match[2] for match in _JEOL.finditer(text[:100_000])})
    return Facts()


def _hitachi(fields: dict[str, Any]) -> Facts:
    when = dates.parse(f"{fields.get('Date', '')} {fields.get('Time', '')}".strip(), (*dates.YEAR_FIRST, *dates.US))
    size = _si(fields.get("PixelSize"))
    sample = str(fields.get("SampleName", "")).strip()
    return Facts(
        {"hitachi": fields},
        data_type="Hitachi SEM image",
        measurement=SEM,
        instrument=f"Hitachi {fields.get('InstructName', fields.get('InstrumentName', ''))}".strip(),
        timestamp=when.iso,
        samples=(sample,) if sample else (),
        pixel=pixel_size(size, size, "nm"),
        warnings=when.warnings,
    )


def _jeol(fields: dict[str, str]) -> Facts:
    when = dates.parse(f"{fields.get('CM_DATE', '')} {fields.get('CM_TIME', '')}".strip(), dates.YEAR_FIRST)
    units = {"CM_ACCEL_VOLT": "kV", "SM_WD": "mm"}
    kept = {key: _quantity(value, units.get(key, "")) for key, value in fields.items() if value}
    bar, marker = (
        _number(fields.get("SM_MICRON_BAR", "")),
        re.fullmatch(r"([\d.]+)\s*(um|nm|mm)", fields.get("SM_MICRON_MARKER", "")),
    )
    size = float(marker[1]) / bar if marker and bar else None
    return Facts(
        {"jeol": kept},
        data_type="JEOL SEM image",
        measurement=SEM,
        name=fields.get("CM_TITLE", ""),
        instrument=f"JEOL {fields.get('CM_INSTRUMENT', '')}".strip(),
        timestamp=when.iso,
        pixel=pixel_size(size, size, marker[2]) if marker else None,
        warnings=when.warnings,
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quantity(text: str, unit: str) -> Any:
    number = _number(text)
    return Quantity(number, unit) if unit and number is not None else number if number is not None else text
