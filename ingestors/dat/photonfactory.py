"""X-ray absorption scans of the Photon Factory (KEK) and beamlines that took over its program 9809.

Source: files of BL-9A, BL-12C and SPring-8. Header lines by position; dates are year.month.day; below `Angle(c)  Angle(o)` stand two lines
of modes and offsets, which are no rows. Angles are in degrees: c is the commanded, o the observed one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, plots, xas
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers
from ingestors.textfile import lines_of

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_FIRST: Final = re.compile(r"\s*9809\s+(\S+)\s+(\S+)")
_TIMES: Final = re.compile(r"(\S.*?)\s+(\d\d\.\d\d\.\d\d\s+\d\d:\d\d)\s+-\s+(\d\d\.\d\d\.\d\d\s+\d\d:\d\d)")
_SPACING: Final = re.compile(r"D=\s*([\d.]+)\s*A")
_HC: Final = 12398.41984  # eV Å


def recognises(head: str, candidate: Candidate) -> str | None:
    """`9809` and the facility in the first line."""
    del candidate
    match = _FIRST.match(head)
    return f"first line {' '.join(match[0].split())}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Facility, times, sample, monochromator, and the scan with its energies. Raises UnreadableError."""
    lines = lines_of(text.text)
    names_at = next((index for index, line in enumerate(lines) if line.split()[:1] == ["Angle(c)"]), None)
    first = _FIRST.match(lines[0])
    if names_at is None or first is None or len(lines) < names_at + 4:
        raise UnreadableError("This Photon Factory scan has no points yet.")
    modes = lines[names_at + 1].split()
    count = len(lines[names_at].split())
    channels = [f"channel {number}" for number in range(1, count - 2)]
    table, warnings = numbers(
        lines[names_at + 3 :], names=("Angle(c)", "Angle(o)", "time", *channels), units=("deg", "deg", "s")
    )
    header = lines[:names_at]
    times = next((match for line in header[:4] if (match := _TIMES.search(line))), None)
    when = dates.parse(times[2], ("%y.%m.%d",)) if times else dates.NEVER
    spacing = next((float(match[1]) for line in header if (match := _SPACING.search(line))), 0.0)
    if spacing:
        table = Table("", (Column("Energy", "eV", _energies(table.columns[1], spacing)), *table.columns))
    sample = header[2].strip() if len(header) > 2 else ""  # noqa: PLR2004 the third line
    ring = next((line.partition(":")[2].split() for line in header if line.strip().startswith("Ring")), [])
    metadata: dict[str, Any] = {"comments": [" ".join(line.split()) for line in header[1:] if line.strip()]}
    if spacing:
        metadata["crystal spacing"] = Quantity(spacing, "Å")
    if len(ring) > 1:
        metadata["ring energy"] = Quantity(float(ring[0]) if ring[0].replace(".", "").isdigit() else ring[0], ring[1])
    if times:
        metadata |= {"file": times[1], "end time": dates.parse(times[3], ("%y.%m.%d",)).iso}
    if modes[:1] == ["Mode"]:
        metadata["modes"] = modes[1:]
    return Reading(
        data_type="Photon Factory XAFS scan",
        measurement=xas.METHOD,
        name=sample,
        timestamp=when.iso,
        instrument=f"{first[1]} {first[2]}",
        samples=(sample,),
        keywords=("XAFS",),
        metadata=metadata,
        tables=(table,),
        thumbnails=plots.charts([table], title=sample or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _energies(angle: Column, spacing: float) -> Any:
    """Bragg's law; no energy where the angle is zero."""
    sines = np.sin(np.radians(angle.values))
    return np.where(sines > 0, _HC / (2 * spacing * np.where(sines > 0, sines, 1)), np.nan)
