"""Exports of spectrometer programs that are a header of keys and two columns: Ocean Optics SpectraSuite and OceanView.

Source: the files' own first lines (`SpectraSuite Data File`, in Spanish `Fichero De Datos`) and `>>>>>Begin`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ingestors.api import UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, pairs
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from ingestors.api import Candidate


def recognises_spectrasuite(head: str, candidate: Candidate) -> str | None:
    """One of the program's first lines, or its `>>>>>Begin` mark."""
    del candidate
    match = re.match(r"\ufeff?(SpectraSuite Data File|Fichero De Datos|Data from \S+ Node)", head)
    if match is not None:
        return f"first line {match[1]}"
    return ">>>>>Begin mark" if re.search(r"^>>>>>Begin ", head, re.MULTILINE) else None


def read_spectrasuite(text: Decoded, candidate: Candidate) -> Reading:
    """Keys above the mark, wavelength and intensity below it. Dates are those of ctime with a zone's letters."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.startswith(">>>>>Begin")), None)
    if start is None:
        raise UnreadableError("This spectrum has no points yet.")
    fields: dict[str, Any] = pairs(lines[:start])
    rows = [line for line in lines[start + 1 :] if line.strip() and not line.startswith(">>>>>")]
    table, warnings = numbers(rows, names=["Wavelength", "Intensity"], units=["nm", None])
    written = facts.said(fields, ("date", "fecha", "日時"))
    when = facts.anywhere(written) if written else dates.NEVER
    return Reading(
        data_type="Ocean Optics spectrum",
        measurement="Optical spectroscopy",
        timestamp=when.iso,
        instrument=facts.said(fields, ("spectrometer", "spectrometers", "分光器")),
        keywords=("Ocean Optics",),
        metadata=fields,
        tables=(table,),
        thumbnails=plots.charts([table], title=candidate.stem),
        warnings=(*when.warnings, *warnings),
    )
