"""PicoQuant's histograms as text (`.dat` of PicoHarp, TimeHarp, HydraHarp): `#ns/channel`, then `#counts` and a row a channel.

Source: the programs' ASCII export: each `#` line names what the next line holds, one column of counts for each curve.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, NotATableError, Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_FIRST: Final = re.compile(r"\s*#((?:Pico|Time|Hydra|Multi)Harp\s*\w*)[^\n]*Histogram", re.IGNORECASE)
_STEP: Final = "ns/channel"


def recognises(head: str, candidate: Candidate) -> str | None:
    """`#PicoHarp 300 Histogram Data` in the first line."""
    del candidate
    match = _FIRST.match(head)
    return f"first line #{match[1]} Histogram" if match and "#counts" in head else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The settings by their names, the curves over the time that the channels take. Raises UnreadableError."""
    lines = [line.strip() for line in lines_of(text.text)]
    start = next((at for at, line in enumerate(lines) if line.startswith("#counts")), len(lines))
    fields: dict[str, Any] = {}
    for at, line in enumerate(lines[1:start], 1):
        if line.startswith("#") and at + 1 < start and not lines[at + 1].startswith("#"):
            fields[line.lstrip("#")] = value_of(lines[at + 1])
    steps = [number_of(cell) for cell in str(fields.get(_STEP, "")).split()]
    try:
        table, warnings = numbers([line for line in lines[start + 1 :] if line])
    except NotATableError as error:
        raise UnreadableError("This histogram holds no counts yet.") from error
    step = steps[0] if steps else None
    x = Column("Channel", None, np.arange(table.rows, dtype=np.float64))
    if step:
        x = Column("Time", "ns", step * np.arange(table.rows))
        fields[_STEP] = Quantity(step, "ns")
    several = len(table.columns) > 1
    curves = [
        Column(f"Counts {at}" if several else "Counts", "counts", column.values)
        for at, column in enumerate(table.columns, 1)
    ]
    shown = Table("", (x, *curves))
    match = _FIRST.match(text.text)
    return Reading(
        data_type="PicoQuant histogram",
        measurement="Time-correlated single photon counting",
        instrument=f"PicoQuant {match[1].strip()}" if match else "PicoQuant",
        keywords=("TCSPC",),
        metadata=fields,
        tables=(shown,),
        thumbnails=plots.charts([shown], title=candidate.stem),
        warnings=warnings,
    )
