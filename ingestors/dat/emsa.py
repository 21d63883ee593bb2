"""EMSA/MAS spectra (`.msa`, `.emsa`): energy-loss, X-ray and luminescence spectra of electron microscopes.

Source: ISO 22029 "EMSA/MAS standard file format for spectral-data exchange" and R. F. Egerton et al., EMSA Bulletin 21 (1991) 35: keys of
eleven characters and a unit of two, dates `DD-MMM-YYYY`, the points as `XY` pairs or as `Y` in equal steps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of
from ingestors.units import is_unit, split_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_KEY: Final = re.compile(r"#{1,2}\s*([A-Za-z][A-Za-z0-9_/ ]*?)\s*(?:-([A-Za-zµ%]{1,4}))?\s*:(.*)")
_METHODS: Final = {
    "EDS": "Energy-dispersive X-ray spectroscopy",
    "EDX": "Energy-dispersive X-ray spectroscopy",
    "WDS": "Wavelength-dispersive X-ray spectroscopy",
    "ELS": "Electron energy-loss spectroscopy",
    "EELS": "Electron energy-loss spectroscopy",
    "AES": "Auger electron spectroscopy",
    "PES": "Photoelectron spectroscopy",
    "XRF": "X-ray fluorescence",
    "CLS": "Cathodoluminescence spectroscopy",
    "GAM": "Gamma-ray spectroscopy",
}
_NAMES: Final = {"eV": "Energy", "keV": "Energy", "nm": "Wavelength"}
_UNITS: Final = {"dg": "deg", "mR": "mrad", "sr": "sr"}
_DESCRIBED: Final = frozenset({"SPECTRUM", "ENDOFDATA", "FORMAT"})


def recognises(head: str, candidate: Candidate) -> str | None:
    """`#FORMAT : EMSA/MAS` in the first line."""
    del candidate
    return "first line #FORMAT : EMSA/MAS" if re.match(r"\s*#FORMAT\s*:\s*EMSA/MAS", head, re.IGNORECASE) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Keys with their units and the spectrum. Raises UnreadableError."""
    lines = lines_of(text.text)
    start = next((at for at, line in enumerate(lines) if re.match(r"\s*#SPECTRUM\b", line, re.IGNORECASE)), None)
    if start is None:
        raise UnreadableError("This EMSA/MAS file has no spectrum yet.")
    found = list(_pairs(lines[:start]))
    known = {key: value for key, _, value in found}
    values = _values(lines[start + 1 :])
    paired = known.get("DATATYPE", "").upper() == "XY"
    table = _spectrum(values, known, paired=paired)
    when = dates.worded(f"{known.get('DATE', '')} {known.get('TIME', '')}".strip())
    title = " ".join(value for key, _, value in found if key == "TITLE")
    wanted = number_of(known.get("NPOINTS", ""))
    short = (
        [f"The header announces {wanted:.0f} points, the file holds {table.rows}."]
        if wanted and wanted == wanted and table.rows != round(wanted)  # noqa: PLR0124 NaN
        else []
    )
    kind = known.get("SIGNALTYPE", "").upper()
    return Reading(
        data_type="EMSA/MAS spectrum",
        measurement=_METHODS.get(kind, ""),
        name=title,
        timestamp=when.iso,
        instrument=known.get("INSTRUMENT", ""),
        samples=(known.get("SPECIMEN", ""),),
        keywords=("EMSA/MAS", kind),
        metadata=gathered((key, _typed(value, unit)) for key, unit, value in found if value and key not in _DESCRIBED),
        tables=(table,),
        thumbnails=plots.charts([table], title=title or candidate.stem),
        warnings=(*when.warnings, *short),
    )


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    """Key, unit and text of each line of the header; the standard fixes the case of neither."""
    for line in lines:
        match = _KEY.match(line.strip())
        if match is not None:
            yield match[1].strip(), match[2] or "", match[3].strip()


def _typed(text: str, unit: str) -> Any:
    value = value_of(text)
    written = _UNITS.get(unit, unit)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and (unit in _UNITS or is_unit(written)):
        return Quantity(value, written)
    return value


def _values(lines: Sequence[str]) -> list[float]:
    found: list[float] = []
    for line in lines:
        if line.lstrip().startswith("#"):
            break
        numbers = (number_of(cell) for cell in re.split(r"[,;\s]+", line.strip()) if cell)
        found += [number for number in numbers if number is not None]
    if not found:
        raise UnreadableError("This EMSA/MAS file has no points yet.")
    return found


def _spectrum(values: Sequence[float], known: dict[str, str], *, paired: bool) -> Table:
    """Pairs of x and y as they stand, or y at `OFFSET` + number of the channel times `XPERCHAN`."""
    x_unit, y_unit = (_unit(known.get(key, "")) for key in ("XUNITS", "YUNITS"))
    if paired:
        count = len(values) // 2
        x, y = np.array(values[: 2 * count]).reshape(count, 2).T
    else:
        y = np.array(values)
        step, offset = (number_of(known.get(key, "")) for key in ("XPERCHAN", "OFFSET"))
        x = (offset or 0.0) + (step or 1.0) * np.arange(y.size)
    names = known.get("XLABEL") or _NAMES.get(x_unit or "", "Channel"), known.get("YLABEL") or "Intensity"
    return Table("", (Column(names[0], x_unit, x), Column(names[1], y_unit, y)))


def _unit(text: str) -> str | None:
    """`keV`, `Energy Loss (eV)`; a word like `Intensity` is none."""
    return text if is_unit(text) else split_title(text)[1]
