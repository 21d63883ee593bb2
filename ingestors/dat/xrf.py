"""Rigaku's X-ray fluorescence reports (ZSX, Simultix): fixed columns of components, lines and intensities, one page a sample.

Source: the program's printed reports: `Position Type Application Sample name Date` above one line of values, then lines that begin with
`Component`, `Analyzed value`, `Unit`, `Element line`, and so on, parted by wide blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import facts
from ingestors.dat.reading import Reading
from ingestors.textfile import lines_of
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_HEADER: Final = re.compile(r"^\s*Position\s?Type\s+Application\s+Sample name\s+Date\s*$", re.MULTILINE)
_DATE: Final = re.compile(r"(\d{4})- ?(\d{1,2})- ?(\d{1,2}) +(\d{1,2}:\d\d(?::\d\d)?)\s*$")
_WIDE: Final = re.compile(r"\s{2,}")
_MOST: Final = 500


def recognises(head: str, candidate: Candidate) -> str | None:
    """The line `PositionType  Application  Sample name  Date`."""
    del candidate
    return "line PositionType, Application, Sample name, Date" if _HEADER.search(head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """One report for each page: what was analysed, with units, and the intensities. Raises UnreadableError."""
    del candidate
    lines = lines_of(text.text)
    starts = [at for at, line in enumerate(lines) if _HEADER.match(line)]
    pages = [
        page
        for start, end in zip(starts[:_MOST], [*starts[1:], len(lines)], strict=False)
        if (page := _page(lines[start:end]))
    ]
    if not pages:
        raise UnreadableError("The report names no sample yet.")
    first = pages[0]
    when = facts.anywhere(str(first.get("Date", "")))
    return Reading(
        data_type="Rigaku XRF report",
        measurement="X-ray fluorescence",
        name=str(first["Sample name"]) if len(pages) == 1 else "",
        timestamp=when.iso,
        instrument="Rigaku",
        samples=tuple(str(page["Sample name"]) for page in pages),
        keywords=("XRF",),
        metadata=first if len(pages) == 1 else {"reports": pages},
        warnings=when.warnings,
    )


def _page(lines: Sequence[str]) -> dict[str, Any]:
    """One sample: the values below the header by where they stand, then the blocks of lines."""
    if len(lines) < 2:  # noqa: PLR2004 header and values
        return {}
    date = _DATE.search(lines[1])
    cells = _WIDE.split(lines[1][: date.start() if date else None].strip())
    if len(cells) < 2:  # noqa: PLR2004 application and sample
        return {}
    page: dict[str, Any] = {"Application": cells[-2], "Sample name": cells[-1]}
    if len(cells) > 2:  # noqa: PLR2004 position and type as well
        page["Position"] = " ".join(cells[:-2])
    if date:
        page["Date"] = f"{date[1]}-{int(date[2]):02}-{int(date[3]):02} {date[4].zfill(5)}"
    blocks: list[list[list[str]]] = [[]]
    for line in lines[2:]:
        if not line.strip(" _-"):
            blocks.append([])
        else:
            blocks[-1].append(_WIDE.split(line.strip()))
    for block in blocks:
        if block:
            _told(block, page)
    return page


def _told(block: Sequence[Sequence[str]], page: dict[str, Any]) -> None:
    """A block's rows by the names in its first one: `Analyzed value` of each `Component`, with its `Unit`."""
    key, *names = block[0]
    units = next((row[1:] for row in block if row[0] == "Unit"), [])
    distinct = len(set(names)) == len(names)
    for label, *cells in block[1:]:
        if label == "Unit":
            continue
        values = [value_of(cell) for cell in cells]
        if len(cells) == len(units) and label == "Analyzed value":
            values = [
                Quantity(value, unit) if isinstance(value, (int, float)) else value
                for value, unit in zip(values, units, strict=True)
            ]
        page[label] = dict(zip(names, values, strict=True)) if distinct and len(values) == len(names) else values
    page.setdefault(f"{key}s", list(names))
