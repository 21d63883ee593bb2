"""Mass spectra as lists of peaks: Mascot generic format (`.mgf`), MS2, and NIST's `.msp`.

Source: Matrix Science, "Data file format" (`BEGIN IONS`, `KEY=value`, m/z and intensity, `END IONS`); NIST MS Search's text format
(`Name:`, `Num Peaks:`, peaks parted by semicolons or line ends).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import UnreadableError
from ingestors.dat import facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_MOST: Final = 64  # spectra that are told one by one
_PEAK: Final = re.compile(r"\s*([\d.]+(?:[eE][+-]?\d+)?)[\s:]+([\d.]+(?:[eE][+-]?\d+)?)")
_FEWEST: Final = 2


def recognises(head: str, candidate: Candidate) -> str | None:
    """`BEGIN IONS`, or `Name:` first and `Num Peaks:` below."""
    del candidate
    if re.search(r"^BEGIN IONS\s*$", head, re.MULTILINE):
        return "BEGIN IONS"
    told = re.match(r"\s*name\s*:", head, re.IGNORECASE) and re.search(
        r"^num\s?peaks\s*:", head, re.MULTILINE | re.IGNORECASE
    )
    return "Name: and Num Peaks:" if told else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The first spectra as tables with their keys, the number of all. Raises UnreadableError."""
    lines = lines_of(text.text)
    ions = any(line.strip() == "BEGIN IONS" for line in lines[:1000])
    found = list(_of_ions(lines) if ions else _of_names(lines))
    if not found:
        raise UnreadableError("The file holds no spectrum yet.")
    tables, said = [], []
    for keys, peaks in found[:_MOST]:
        fields = gathered((key, value_of(value)) for key, value in keys if value)
        title = facts.said(fields, ("title", "name"))
        said.append(fields)
        columns = np.array(peaks).reshape(-1, 2)
        tables.append(Table(title, (Column("m/z", None, columns[:, 0]), Column("Intensity", None, columns[:, 1]))))
    top = gathered((key, value_of(value)) for key, value in _above(lines) if value) if ions else {}
    when = facts.time_of(said[0])
    more = len(found) - len(tables)
    return Reading(
        data_type="MGF peak list" if ions else "MSP peak list",
        measurement="Mass spectrometry",
        name=tables[0].title if len(found) == 1 else "",
        timestamp=when.iso,
        instrument=facts.instrument_of(said[0]),
        keywords=("MS",),
        metadata={**top, "spectrum_count": len(found), "spectra": said},
        tables=tuple(tables),
        thumbnails=plots.charts([max(tables, key=lambda table: table.rows)], title=candidate.stem),
        warnings=(*when.warnings, *([f"{more} more spectra are counted and not told one by one."] if more else [])),
    )


Spectrum = tuple[list[tuple[str, str]], list[tuple[float, float]]]


def _above(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The keys before the first spectrum."""
    for line in lines:
        if line.strip() == "BEGIN IONS":
            return
        key, equals, value = line.partition("=")
        if equals and key.strip():
            yield key.strip(), value.strip()


def _of_ions(lines: Sequence[str]) -> Iterator[Spectrum]:
    keys: list[tuple[str, str]] = []
    peaks: list[tuple[float, float]] = []
    inside = False
    for line in map(str.strip, lines):
        if line == "BEGIN IONS":
            keys, peaks, inside = [], [], True
        elif line == "END IONS" and inside:
            yield keys, peaks
            inside = False
        elif inside and "=" in line:
            key, _, value = line.partition("=")
            keys.append((key.strip(), value.strip()))
        elif inside and (peak := _peak(line)) is not None:
            peaks.append(peak)


def _of_names(lines: Sequence[str]) -> Iterator[Spectrum]:
    keys: list[tuple[str, str]] = []
    peaks: list[tuple[float, float]] = []
    for line in [*lines, "Name:"]:
        key, colon, value = line.partition(":")
        if colon and key.strip().casefold() == "name" and keys:
            yield keys, peaks
            keys, peaks = [], []
        if colon and any(letter.isalpha() for letter in key):
            keys.append((key.strip(), value.strip()))
        else:
            peaks += [peak for part in line.split(";") if (peak := _peak(part)) is not None]


def _peak(text: str) -> tuple[float, float] | None:
    match = _PEAK.match(text)
    pair = [number_of(cell) for cell in match.groups()] if match else []
    return (pair[0], pair[1]) if len(pair) == _FEWEST and pair[0] is not None and pair[1] is not None else None
