"""Rigol's oscilloscope records: names, then units, and in the same two lines when the record starts and how long a step is.

Source: DS1000/DS2000 firmware's CSV (`X,CH1,Start,Increment,` above `Sequence,Volt,-6.0e-04,1.0e-06`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_FIRST: Final = re.compile(r"\ufeff?X,(?:CH\d|MATH|D\d)[^\n]*,Start,Increment,?\s*\n\s*Sequence,")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`X,CH1,...,Start,Increment` above `Sequence,`."""
    del candidate
    return "first lines X,CH1,Start,Increment" if _FIRST.match(head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The channels over the time that start and increment give. Raises UnreadableError."""
    lines = [line.rstrip(", ") for line in lines_of(text.text)]
    names, units = (line.split(",") for line in lines[:2])
    count = len(names) - 2
    start, step = (number_of(units[at]) if at < len(units) else None for at in (count, count + 1))
    rows = [line for line in lines[2:] if line.strip()]
    if not rows or start is None or step is None:
        raise UnreadableError("This record holds no points yet, or does not say when it starts.")
    table, warnings = numbers(rows, names=names[:count], delimiter=",")
    time = Column("Time", "s", start + step * table.columns[0].values)
    channels = [
        Column(one.name, "V" if unit == "Volt" else unit or None, one.values)
        for one, unit in zip(table.columns[1:], units[1:count], strict=True)
    ]
    shown = Table("", (time, *channels))
    return Reading(
        data_type="Rigol oscilloscope record",
        measurement="Oscilloscope trace",
        instrument="Rigol",
        metadata={"Start": Quantity(start, "s"), "Increment": Quantity(step, "s")},
        tables=(shown,),
        thumbnails=plots.charts([shown], title=candidate.stem),
        warnings=warnings,
    )
