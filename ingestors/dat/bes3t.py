"""Bruker's EPR parameters: the descriptor of Xepr (`.DSC`) and that of older programs (`.par`), with the points that lie beside them.

Source: Bruker "Xepr BES3T file format": a key and its value in a line, `*` before remarks, texts in single quotes, dates month first; the `.DTA`
holds the intensities in the order that `BSEQ` names and of the type `IRFMT`, complex ones in pairs (`IKKF`). ESP 300 manual: keys of two
and three letters, fields in gauss, the `.spc` of four bytes a point.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_LINE: Final = re.compile(r"\s*([A-Za-z][\w.]*)(?:\s+(.*?))?\s*")
_DEVICE: Final = re.compile(r"\s*\.DVC\s+([^,]+)")
_UNITS: Final = {
    "MWFQ": "Hz",
    "MWPW": "W",
    "B0MA": "T",
    "B0MF": "Hz",
    "A1CT": "T",
    "A1SW": "T",
    "STMP": "K",
    "SPTP": "s",
    "B0VL": "T",
}
_ESP_UNITS: Final = {
    "MF": "GHz",
    "MP": "mW",
    "RCT": "ms",
    "RTC": "ms",
    "RMA": "G",
    "HCF": "G",
    "HSW": "G",
    "GST": "G",
    "GSI": "G",
    "TE": "K",
}
_TYPES: Final = {"D": "f8", "F": "f4", "I": "i4", "S": "i2", "C": "i1"}
_MOST: Final = 4_000_000  # points that are read


def recognises(head: str, candidate: Candidate) -> str | None:
    """`#DESC` in the first line."""
    del candidate
    return "first line #DESC" if re.match(r"\s*#DESC\s+[\d.]+\s", head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The layers' keys by device, and the spectrum if the `.DTA` lies beside it."""
    top: list[tuple[str, Any]] = []
    devices: dict[str, list[tuple[str, Any]]] = {}
    into = top
    for line in lines_of(text.text):
        device = _DEVICE.match(line)
        match = _LINE.fullmatch(line)
        if device is not None:
            into = devices.setdefault(device[1].strip(), [])
        elif match is not None and match[2]:
            value = match[2].strip().strip("'")
            into.append((match[1], _typed(match[1], value)))
    fields = gathered((key, value) for key, value in top if value != "")
    known = {key: str(value) for key, value in fields.items() if not isinstance(value, (Quantity, list))}
    when = dates.parse(f"{known.get('DATE', '')} {known.get('TIME', '')}", dates.US)
    title = known.get("TITL", "")
    table, warnings = _spectrum(candidate, known)
    named = {name: gathered(pairs) for name, pairs in devices.items() if pairs}
    instrument = next((name.partition(" [")[0] for name in devices if re.search(r"\d", name)), "")
    return Reading(
        data_type="Bruker BES3T spectrum",
        measurement="Electron paramagnetic resonance",
        name=title,
        timestamp=when.iso,
        instrument=f"Bruker {instrument}".strip(),
        samples=(known.get("SAMP", ""),),
        keywords=("EPR",),
        metadata={**fields, **({"devices": named} if named else {})},
        tables=(table,) if table is not None else (),
        thumbnails=plots.charts([table], title=title or candidate.stem) if table is not None else (),
        warnings=(*when.warnings, *warnings),
    )


def _typed(key: str, text: str) -> Any:
    value = value_of(text)
    unit = _UNITS.get(key)
    if unit is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return Quantity(value, unit)
    return value


def _spectrum(candidate: Candidate, known: Mapping[str, str]) -> tuple[Table | None, tuple[str, ...]]:
    """The one-dimensional spectrum of the data file beside this one, over the axis that the descriptor gives."""
    beside = next((path for path in candidate.companions if path.suffix.casefold() == ".dta"), None)
    kind = _TYPES.get(known.get("IRFMT", "D")[:1])
    if beside is None or kind is None or known.get("YTYP", "NODATA") != "NODATA":
        return None, ()
    try:
        points = min(int(known["XPTS"]), _MOST)
        start, width = float(known["XMIN"]), float(known["XWID"])
    except (KeyError, ValueError):
        return None, ("The descriptor does not say how its axis runs.",)
    parts = 2 if known.get("IKKF") == "CPLX" else 1
    order = ">" if known.get("BSEQ", "BIG").startswith("B") else "<"
    with beside.open("rb") as stream:
        raw = stream.read(points * parts * np.dtype(kind).itemsize)
    values = np.frombuffer(raw[: len(raw) // np.dtype(kind).itemsize * np.dtype(kind).itemsize], dtype=f"{order}{kind}")
    values = values[: values.size // parts * parts].reshape(-1, parts).astype(np.float64)
    x = start + width * np.arange(len(values)) / max(1, points - 1)
    name = known.get("IRNAM", "Intensity")
    columns = [
        Column(known.get("XNAM", "x"), known.get("XUNI") or None, x),
        Column(name, known.get("IRUNI") or None, values[:, 0]),
    ]
    if parts > 1:
        columns.append(Column(known.get("IINAM", f"{name} (imaginary)"), known.get("IIUNI") or None, values[:, 1]))
    short = (
        (f"The descriptor announces {points} points, the data file holds {len(values)}.",)
        if len(values) < points
        else ()
    )
    return Table("", tuple(columns)), short


def recognises_esp(head: str, candidate: Candidate) -> str | None:
    """Keys of three letters of Bruker's older programs: `JSS` and one of `GST`, `HCF`, `ANZ`."""
    del candidate
    told = re.search(r"^JSS\s+\d", head, re.MULTILINE) and re.search(r"^(?:GST|HCF|ANZ)\s+[\d.+-]", head, re.MULTILINE)
    return "keys JSS and GST, HCF or ANZ" if told else None


def read_esp(text: Decoded, candidate: Candidate) -> Reading:
    """The parameters of ESP 300 and WinEPR (`.par`), with the `.spc` beside it if it is there."""
    pairs = [
        (match[1], match[2].strip()) for line in lines_of(text.text) if (match := _LINE.fullmatch(line)) and match[2]
    ]
    fields = gathered((key, _with_unit(key, value)) for key, value in pairs)
    known = dict(pairs)
    when = dates.worded(f"{known.get('JDA', '')} {known.get('JTM', '')}")
    title = known.get("JCO", "")
    table = _spc(candidate, known)
    return Reading(
        data_type="Bruker EPR parameters",
        measurement="Electron paramagnetic resonance",
        name=title,
        timestamp=when.iso,
        instrument="Bruker",
        keywords=("EPR",),
        metadata=fields,
        tables=(table,) if table is not None else (),
        thumbnails=plots.charts([table], title=title or candidate.stem) if table is not None else (),
        warnings=when.warnings,
    )


def _with_unit(key: str, text: str) -> Any:
    value = value_of(text)
    unit = _ESP_UNITS.get(key)
    return Quantity(value, unit) if unit and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _spc(candidate: Candidate, known: Mapping[str, str]) -> Table | None:
    """Four bytes a point: reals of a PC where the file says DOS, else integers of the spectrometer's own computer."""
    beside = next((path for path in candidate.companions if path.suffix.casefold() == ".spc"), None)
    try:
        start = float(known["GST"] if "GST" in known else float(known["HCF"]) - float(known["HSW"]) / 2)
        width = float(known["GSI"] if "GSI" in known else known["HSW"])
    except (KeyError, ValueError):
        return None
    if beside is None:
        return None
    with beside.open("rb") as stream:
        raw = stream.read(4 * _MOST)
    values = np.frombuffer(raw[: len(raw) // 4 * 4], dtype="<f4" if "DOS" in known else ">i4").astype(np.float64)
    if values.size < 2:  # noqa: PLR2004 a line
        return None
    x = start + width * np.arange(values.size) / (values.size - 1)
    return Table("", (Column("Field", known.get("JUN", "G"), x), Column("Intensity", None, values)))
