"""Gamma spectra in the text format of IEC 61455 (`.iec`): lines of 64 characters behind `A004`.

Source: IEC 61455:1995 "MCA histogram data interchange format for nuclear spectroscopy" and files that follow it. The times may have the
day or the month first: whichever a day above 12 in either of the two times proves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table
from ingestors.textfile import lines_of
from ingestors.textvalues import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_MARK: Final = "A004"
_HEADER: Final = 58  # lines before the counts
_DATE: Final = re.compile(r"(\d\d)/(\d\d)/(\d\d) +(\d\d:\d\d:\d\d)")
_MOST_MONTHS: Final = 12
_TEXTS: Final = slice(5, 9)


def recognises(head: str, candidate: Candidate) -> str | None:
    """`A004` before each of the first lines."""
    del candidate
    lines = head.split("\n")[:4]
    return "lines that begin with A004" if len(lines) > 3 and all(line.startswith(_MARK) for line in lines) else None  # noqa: PLR2004


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Times, the energy calibration, the description, and the counts. Raises UnreadableError."""
    lines = [line.removeprefix(_MARK) for line in lines_of(text.text) if line.startswith(_MARK)]
    live, real, announced = (_fields(lines[1]) + [float("nan")] * 3)[:3] if len(lines) > 1 else (float("nan"),) * 3
    counts = _counts(lines[_HEADER:])
    if not counts:
        raise UnreadableError("This gamma spectrum holds no counts yet.")
    channels = np.arange(len(counts), dtype=np.float64)
    terms = _fields(lines[3])
    columns = [Column("Channel", None, channels)]
    if any(terms[1:]):
        columns.append(Column("Energy", "keV", np.polyval(terms[::-1], channels)))
    columns.append(Column("Counts", "counts", np.array(counts)))
    table = Table("", tuple(columns))
    moments = [_moment(match, lines[2]) for match in _DATE.finditer(lines[2])]
    when, taken = (*moments, dates.NEVER, dates.NEVER)[:2]
    said = [line.strip() for line in lines[_TEXTS] if line.strip()]
    wanted = announced == announced and len(counts) != int(announced)  # noqa: PLR0124 NaN
    missing = [f"The header announces {announced:.0f} channels, the file holds {len(counts)}."] if wanted else []
    return Reading(
        data_type="Gamma spectrum (IEC 61455)",
        measurement="Gamma-ray spectroscopy",
        name=said[0] if said else "",
        timestamp=when.iso,
        keywords=("MCA",),
        metadata={
            "identification": lines[0].strip(),
            **({"live time": Quantity(live, "s")} if live == live else {}),  # noqa: PLR0124 NaN
            **({"real time": Quantity(real, "s")} if real == real else {}),  # noqa: PLR0124 NaN
            "times": lines[2].strip(),
            **({"sample collected": taken.iso} if taken.iso else {}),
            **({"energy calibration": terms} if any(terms) else {}),
            **({"description": said} if said else {}),
        },
        tables=(table,),
        thumbnails=plots.charts([Table("", table.columns[-2:])], title=said[0] if said else candidate.stem),
        warnings=(*when.warnings, *missing),
    )


def _fields(line: str) -> list[float]:
    numbers = (number_of(word) for word in line.split())
    return [number for number in numbers if number is not None]


def _moment(match: re.Match[str], line: str) -> dates.Moment:
    """The time in the order that it, or the other time of the line, proves."""
    pairs = [(int(one[1]), int(one[2])) for one in _DATE.finditer(line)]
    text = f"{match[1]}/{match[2]}/{match[3]} {match[4]}"
    if any(second > _MOST_MONTHS for _, second in pairs):
        return dates.parse(text, dates.US)
    if any(first > _MOST_MONTHS for first, _ in pairs):
        return dates.parse(text, dates.EUROPEAN_SLASHED)
    return dates.undecided(text)


def _counts(lines: Sequence[str]) -> list[float]:
    """The counts behind the channel that each line begins with; the last line may be cut."""
    found: list[float] = []
    for line in lines:
        numbers = _fields(line)
        if len(numbers) < 2 or int(numbers[0]) != len(found):  # noqa: PLR2004 channel and count
            break
        found += numbers[1:]
    return found
