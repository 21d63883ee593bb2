"""Touchstone (`.s1p`, `.s2p`, …): scattering parameters of a network analyser over frequency.

Source: the IBIS Open Forum's Touchstone specification 1.1: `!` remarks, one option line `# GHz S MA R 50`, then rows of the frequency and
pairs for each parameter, of two ports in the order 11 21 12 22, of more row by row on lines that may be broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors import headers
from ingestors.api import Quantity, UnreadableError
from ingestors.dat import facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_OPTIONS: Final = re.compile(
    r"^#\s*([kMGT]?Hz)\s+([SYZGH])\s+(DB|MA|RI)(?:\s+R\s+([\d.]+))?\s*$", re.IGNORECASE | re.MULTILINE
)
_PORTS: Final = re.compile(r"\.s(\d{1,2})p", re.IGNORECASE)
_PARTS: Final = {
    "DB": (("dB(", ")", "dB"), ("arg(", ")", "deg")),
    "MA": (("|", "|", None), ("arg(", ")", "deg")),
    "RI": (("Re(", ")", None), ("Im(", ")", None)),
}
_FEWEST: Final = 3


def recognises(head: str, candidate: Candidate) -> str | None:
    """The option line."""
    del candidate
    match = _OPTIONS.search(head)
    return f"option line {match[0].strip()!r}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Remarks, options and one column for each part of each parameter. Raises UnreadableError."""
    match = _OPTIONS.search(text.text)
    lines = lines_of(text.text)
    cells = [[number_of(cell) for cell in line.partition("!")[0].split()] for line in lines if line[:1] not in "!#"]
    rows = [row for row in cells if row and None not in row]
    if match is None or not rows:
        raise UnreadableError("The Touchstone file holds no points.")
    suffix = _PORTS.fullmatch(candidate.suffix)
    ports = int(suffix[1]) if suffix else {3: 1, 9: 2}.get(len(rows[0]), 1)
    width = 1 + 2 * ports**2
    values = np.array([value for row in rows for value in row], dtype=np.float64)
    grid = values[: values.size // width * width].reshape(-1, width)
    kind, form = match[2].upper(), match[3].upper()
    columns = [Column("Frequency", match[1], grid[:, 0])]
    for index, (row, column) in enumerate(_order(ports)):
        for part, (before, behind, unit) in enumerate(_PARTS[form]):
            name = f"{before}{kind}{row}{column}{behind}"
            columns.append(Column(name, unit, grid[:, 1 + 2 * index + part]))
    fields, remarks = headers.read(line for line in lines[:200] if line.startswith("!"))
    when = facts.time_of(fields)
    if not when.iso and not when.warnings:
        when = facts.time_among(remarks)
    table = Table("", tuple(columns))
    return Reading(
        data_type="Touchstone network parameters",
        measurement="Network analysis",
        timestamp=when.iso,
        instrument=facts.instrument_of(fields),
        metadata={**fields, "options": {"parameter": kind, "format": form, "ports": ports,
                  **({"reference": Quantity(float(match[4]), "Ohm")} if match[4] else {})},
                  **({"comments": remarks} if remarks else {})},
        tables=(table,),
        thumbnails=plots.charts([table], title=candidate.stem),
        warnings=when.warnings,
    )  # fmt: skip


def _order(ports: int) -> list[tuple[int, int]]:
    if ports == 2:  # noqa: PLR2004 the order of two-ports is a special one
        return [(1, 1), (2, 1), (1, 2), (2, 2)]
    return [(row, column) for row in range(1, ports + 1) for column in range(1, ports + 1)]
