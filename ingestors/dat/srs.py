"""Diamond Light Source's and Daresbury's SRS scans (`.dat`): `&SRS`, a header of `KEY=value`, `&END`, names, rows.

Source: files of I16 and B18; GDA's `SRSLoader`. Between `<MetaDataAtStart>` marks stand the beamline's own `key=value` lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.general import first_time
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered
from ingestors.units import split_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_KEY: Final = re.compile(r"(SRS[A-Z0-9]{3})\s*=\s*('[^']*'|[^,]*)")
_MARK: Final = re.compile(r"</?MetaDataAtStart>")
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`&SRS` in the first line, `&END` below."""
    del candidate
    return "first line &SRS, &END" if re.match(r"\s*&SRS\b", head) and "&END" in head else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The SRS keys, the beamline's metadata, and the scan. Raises UnreadableError."""
    lines = lines_of(text.text)
    end = next((index for index, line in enumerate(lines) if line.strip() == "&END"), len(lines))
    if end + 2 >= len(lines):
        raise UnreadableError("This SRS scan has no points yet.")
    srs = gathered(
        (match[1], value_of(match[2].strip("' ")))
        for line in lines[1:end]
        for match in _KEY.finditer(line)
        if match[2].strip("' ")
    )
    metadata = gathered(
        _pairs(line for line in lines[1:end] if not _KEY.match(line) and not _MARK.fullmatch(line.strip()))
    )
    names = lines[end + 1].split("\t") if "\t" in lines[end + 1] else lines[end + 1].split()
    titles = [split_title(name.strip()) for name in names if name.strip()]
    rows = [line for line in lines[end + 2 :] if line.strip()]
    table, warnings = numbers(rows, names=[name for name, _ in titles], units=[unit for _, unit in titles])
    when = facts.time_of(metadata)
    if not when.iso and not when.warnings:
        when = _srs_time(str(srs.get("SRSDAT", "")), str(srs.get("SRSTIM", "")))
    if not when.iso and not when.warnings:
        when = first_time((table,))
    title = facts.title_of(metadata) or str(srs.get("SRSTLE", ""))
    return Reading(
        data_type="SRS scan file",
        measurement=method_of(metadata, (table,), (title, str(metadata.get("cmd", ""))), candidate.stem),
        name=title,
        timestamp=when.iso,
        instrument=facts.instrument_of(metadata),
        samples=(facts.sample_of(metadata),),
        keywords=("SRS",),
        metadata={"SRS": srs, **metadata},
        tables=(table,),
        thumbnails=plots.charts([table], title=title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _pairs(lines: Iterable[str]) -> list[tuple[str, Any]]:
    cut = (line.partition("=") for line in lines)
    return [
        (key.strip(), value_of(value.strip().strip("'\""))) for key, equals, value in cut if equals and value.strip()
    ]


def _srs_time(day: str, clock: str) -> dates.Moment:
    """`20130509` and `120501`; zeros say that there is none."""
    match = _COMPACT.fullmatch(day)
    if match is None:
        return dates.NEVER
    hours = clock.zfill(6)
    return dates.iso(f"{match[1]}-{match[2]}-{match[3]}T{hours[:2]}:{hours[2:4]}:{hours[4:6]}")
