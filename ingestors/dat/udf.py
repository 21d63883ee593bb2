"""Philips' diffraction text (`.udf`, APD and PC-APD): `Key,value,/` a line, `RawScan`, then intensities by commas up to a slash.

Source: files of PW1710 and PW3710 controllers; dates name the month. The angles run from the first of `DataAngleRange` in steps of `ScanStepSize`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_UNITS: Final = {
    "GeneratorVoltage": "kV", "TubeCurrent": "mA", "LabdaAlpha1": "Å", "LabdaAlpha2": "Å", "ScanStepSize": "deg", "ScanStepTime": "s",
    "FocalSpot": None, "DivergenceSlit": None, "ReceivingSlit": None,
}  # fmt: skip
_DATA: Final = "RawScan"


def recognises(head: str, candidate: Candidate) -> str | None:
    """`SampleIdent,` in the first line and lines that end with `,/`."""
    del candidate
    return "first line SampleIdent,...,/" if re.match(r"SampleIdent,[^\n]*,/", head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Keys with the units that the format fixes, and the pattern. Raises UnreadableError."""
    lines = [line.strip() for line in lines_of(text.text)]
    start = next((at for at, line in enumerate(lines) if line.startswith(_DATA)), None)
    if start is None:
        raise UnreadableError("The file has no RawScan yet.")
    fields = gathered(pair for line in lines[:start] if (pair := _pair(line)))
    cells = (number_of(cell) for line in lines[start + 1 :] for cell in line.rstrip("/ ").split(",") if cell.strip())
    values = np.array([cell for cell in cells if cell is not None])
    if not values.size:
        raise UnreadableError("The pattern holds no points yet.")
    range_, step = fields.get("DataAngleRange"), fields.get("ScanStepSize")
    first = float(range_[0]) if isinstance(range_, list) and isinstance(range_[0], (int, float)) else 0.0
    width = float(step.value) if isinstance(step, Quantity) and isinstance(step.value, (int, float)) else 1.0
    warnings = []
    if isinstance(range_, list) and isinstance(range_[-1], (int, float)) and width > 0:
        wanted = round((float(range_[-1]) - first) / width) + 1
        warnings = (
            [f"The header announces {wanted} points, the file holds {values.size}."] if wanted != values.size else []
        )
    table = Table(
        "", (Column("2theta", "deg", first + width * np.arange(values.size)), Column("Intensity", "counts", values))
    )
    when = dates.worded(str(fields.get("FileDateTime", "")))
    sample = str(fields.get("SampleIdent", ""))
    return Reading(
        data_type="Philips UDF pattern",
        measurement="X-ray diffraction",
        name=sample,
        timestamp=when.iso,
        instrument=f"Philips {fields.get('DiffrType', '')}".strip(),
        samples=(sample,),
        keywords=("XRD",),
        metadata=fields,
        tables=(table,),
        thumbnails=pictures([table], title=sample or candidate.stem, measurement="X-ray diffraction"),
        warnings=(*when.warnings, *warnings),
    )


def _pair(line: str) -> tuple[str, Any] | None:
    key, comma, rest = line.removesuffix("/").rstrip(" ,").partition(",")
    if not comma or not rest.strip():
        return None
    values = [value_of(cell.strip()) for cell in rest.split(",")]
    unit = _UNITS.get(key)
    if unit and len(values) == 1 and isinstance(values[0], (int, float)):
        return key, Quantity(values[0], unit)
    return key, values[0] if len(values) == 1 else values
