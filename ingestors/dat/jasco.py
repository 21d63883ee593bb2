"""JASCO Spectra Manager's text: JCAMP-DX's labels with tabs for `##` and `=`, then `XYDATA`, rows, and extended information.

Source: exports of V-600 and FT/IR-4000 spectrometers. `DATE` is year/month/day; what stands below `##### Extended Information` is in
sections, and says sample and user.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingestors import headers
from ingestors.api import UnreadableError
from ingestors.dat import dates, facts, jcamp, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers
from ingestors.textfile import lines_of

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_LABEL: Final = re.compile(r"^(?:DATA TYPE|ORIGIN|XUNITS)[\t,;]", re.MULTILINE)
_MARKS: Final = re.compile(r"[\t,;]")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`TITLE` and a tab in the first line, `XUNITS` and `XYDATA` below."""
    del candidate
    told = re.match(r"\ufeff?TITLE[\t,;]", head) and _LABEL.search(head) and re.search(r"^XYDATA", head, re.MULTILINE)
    return "labels TITLE, XUNITS, XYDATA without ##" if told else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Labels, the spectrum, and the extended information. Raises UnreadableError."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.startswith("XYDATA")), len(lines))
    end = next(
        (index for index in range(start + 1, len(lines)) if not lines[index].strip() or lines[index].startswith("#")),
        len(lines),
    )
    if end <= start + 1:
        raise UnreadableError("The JASCO file holds no spectrum.")
    mark = _MARKS.search(lines[0])
    delimiter = mark[0] if mark else "\t"
    fields, _ = headers.read(lines[:start], delimiter)
    more, remarks = headers.read(lines[end:], delimiter)
    table, warnings = numbers(lines[start + 1 : end], delimiter=delimiter)
    units = [str(fields.get(key, "")) for key in ("XUNITS", "YUNITS", "Y2UNITS", "Y3UNITS")]
    columns = [
        jcamp.column("", unit, column.values, "X" if index == 0 else "Y")
        for index, (unit, column) in enumerate(zip([*units, *[""] * len(table.columns)], table.columns, strict=False))
    ]
    known = {**headers.flat(more), **fields}
    when = dates.parse(f"{fields.get('DATE', '')} {fields.get('TIME', '')}".replace("-", "/"), dates.YEAR_FIRST)
    title = facts.title_of(fields)
    drawn = Table("", tuple(columns))
    return Reading(
        data_type="JASCO spectrum",
        measurement=jcamp.method(str(fields.get("DATA TYPE", ""))),
        name=title,
        timestamp=when.iso,
        instrument=str(known.get("SPECTROMETER/DATA SYSTEM", "") or known.get("Model name", "") or "JASCO"),
        samples=(facts.sample_of(more),),
        keywords=("JASCO",),
        metadata={
            **fields,
            **more,
            **({"comments": [line for line in remarks if "Extended" not in line]} if len(remarks) > 1 else {}),
        },
        tables=(drawn,),
        thumbnails=plots.charts([drawn], title=title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )
