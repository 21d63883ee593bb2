"""Neutron triple-axis scans: SPICE (Oak Ridge), ICP (NIST) and the ASCII format of ILL, also written by FLEX in Berlin.

Sources: neutronpy `filehandling` (field names), the ILL's "TAS data in the new ASCII format" (fixed keys, `DATA_:`), NIST NCNR's ICP manual
(the second line names the fields of the first one; names stand below values in the header).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.facts import number
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from ingestors.api import Thumbnail

METHOD: Final = "Neutron triple-axis spectrometry"
_SPICE: Final = re.compile(r"# (\w+) = ?(.*)")
_ICP: Final = re.compile(r"\s*'[^'\n]*'\s+'[A-Z][a-z]{2} +\d{1,2} +\d{4} +\d\d:\d\d'")
_PAIR: Final = re.compile(r"([A-Za-z]\w*)\s*=\s*([^,]*)")


def recognises_spice(head: str, candidate: Candidate) -> str | None:
    """`# scan = n` first, `# col_headers =` before the columns."""
    del candidate
    if re.match(r"\ufeff?# scan = ", head) and re.search(r"^# (col_headers|preset_type|def_x) =", head, re.MULTILINE):
        return "SPICE header # scan ="
    return None


def read_spice(text: Decoded, candidate: Candidate) -> Reading:
    """Keys as in the file, `def_y` against `def_x`."""
    lines = lines_of(text.text)
    fields = {match[1]: match[2].strip() for line in lines if (match := _SPICE.match(line))}
    marked = next((index for index, line in enumerate(lines) if line.startswith("# col_headers")), None)
    names = lines[marked + 1].lstrip("# ").split() if marked is not None and marked + 1 < len(lines) else []
    footer = [line[1:].strip() for line in lines[(marked or 0) + 2 :] if line.startswith("#")]
    table, warnings = numbers([line for line in lines if line.strip() and not line.startswith("#")], names=names)
    clock, date = fields.get("time", ""), fields.get("date", "")
    when = dates.parse(f"{date} {clock}", dates.US)
    pair = [plots.find(table, f"^{re.escape(fields.get(key) or '-')}$") for key in ("def_x", "def_y")]
    triple = bool(fields.get("analyzer"))
    title = fields.get("scan_title", "")
    return Reading(
        data_type="SPICE scan file",
        measurement=METHOD if triple else "",
        name=title,
        timestamp=when.iso,
        instrument=fields.get("instrument", ""),
        samples=(fields.get("samplename", ""),),
        keywords=("SPICE", "neutron"),
        metadata={
            **{key: value_of(value) if value else "" for key, value in fields.items()},
            **({"footer": footer} if footer else {}),
        },
        tables=(table,),
        thumbnails=_against(table, pair[0], pair[1], title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_icp(head: str, candidate: Candidate) -> str | None:
    """A quoted file name and date in the first line, `Filename` and `Date` below them."""
    del candidate
    second = head.split("\n", 2)[1:2]
    if _ICP.match(head) and second and re.match(r"\s*Filename\s+Date\s+", second[0]):
        return "quoted name and date over Filename, Date"
    return None


def read_icp(text: Decoded, candidate: Candidate) -> Reading:
    """The first line by the names below it, the other header lines as they stand, counts against what was scanned."""
    lines = lines_of(text.text)
    start = next(
        (index for index, line in enumerate(lines) if re.search(r"\bcounts?\b", line, re.IGNORECASE) and index > 1),
        None,
    )
    if start is None or start + 1 >= len(lines):
        raise UnreadableError("This NIST ICP file has no columns.")
    try:
        values = shlex.split(lines[0])
    except ValueError:
        values = lines[0].split()
    fields = dict(zip(lines[1].split(), values, strict=False))
    table, warnings = numbers([line for line in lines[start + 1 :] if line.strip()], names=lines[start].split())
    when = dates.parse(fields.get("Date", ""), ("%b %d %Y",))
    station = re.search(r"\.((?:ng|bt)\d+)$", fields.get("Filename", ""), re.IGNORECASE)
    title = lines[2].strip()
    header = {
        below.strip(): [value_of(word) for word in above.split()]
        for above, below in zip(lines[3:start:2], lines[4:start:2], strict=False)
    }
    return Reading(
        data_type="NIST ICP scan file",
        measurement=METHOD,
        timestamp=when.iso,
        instrument=f"NIST {station[1].upper()}" if station else "",
        keywords=("ICP", "neutron"),
        metadata={**{key: value_of(value) for key, value in fields.items()}, "title": title, "header": header},
        tables=(table,),
        thumbnails=_against(
            table, _moved(table, r"^Q\(|^E$|^A\d|T-act"), plots.find(table, r"^counts?$"), candidate.stem
        ),
        warnings=(*when.warnings, *warnings),
    )


def recognises_ill(head: str, candidate: Candidate) -> str | None:
    """A line of R, then `INSTR:`."""
    del candidate
    if re.match(r"\ufeff?R{20,}", head) and re.search(r"^(INSTR|EXPNO|DATA_):", head, re.MULTILINE):
        return "RRRR line and INSTR:"
    return None


def read_ill(text: Decoded, candidate: Candidate) -> Reading:
    """Keys with their pairs as nested metadata, `CNTS` against the stepped quantity."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.startswith("DATA_:")), None)
    if start is None or start + 2 >= len(lines):
        raise UnreadableError("This ILL triple-axis file has no DATA_: section.")
    fields: dict[str, Any] = {}
    for line in lines[:start]:
        key, colon, rest = line.partition(":")
        if colon and re.fullmatch(r"[A-Z]{3,5}_?", key):
            _put(fields, key.rstrip("_"), rest.strip())
    rows = [line for line in lines[start + 2 :] if re.match(r"\s*[-+.\d*]", line)]
    footer = [line.strip() for line in lines[start + 2 :] if line.strip() and not re.match(r"\s*[-+.\d*]", line)]
    table, warnings = numbers([re.sub(r"\*+", "NaN", row) for row in rows], names=lines[start + 1].split())
    when = dates.parse(str(fields.get("DATE", "")), dates.DAY_MONTH_NAME)
    steps = fields.get("STEPS", {})
    stepped = (
        next((name for name, step in steps.items() if isinstance(step, (int, float)) and step), "")
        if isinstance(steps, dict)
        else ""
    )
    x = (plots.find(table, f"^{re.escape(stepped)}$") if stepped else None) or _moved(table, r"^(QH|QK|QL|EN|A\d|TT)$")
    title = str(fields.get("TITLE", ""))
    return Reading(
        data_type="ILL triple-axis scan file",
        measurement=METHOD,
        name=title,
        timestamp=when.iso,
        instrument=str(fields.get("INSTR", "")),
        keywords=("neutron",),
        metadata={**fields, **({"footer": footer} if footer else {})},
        tables=(table,),
        thumbnails=_against(table, x, plots.find(table, "^CNTS$"), title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _put(fields: dict[str, Any], key: str, rest: str) -> None:
    if key in {"PARAM", "VARIA", "ZEROS", "STEPS", "POSQE"}:
        group = fields.setdefault(key, {})
        for match in _PAIR.finditer(rest):
            value = number(match[2].rstrip(". ") if match[2].strip().endswith(".") else match[2])
            group[match[1]] = match[2].strip() if value is None else value
    elif rest:
        fields[key] = rest if key not in fields else f"{fields[key]}\n{rest}"


def _moved(table: Table, pattern: str) -> Column | None:
    """The column of the kind that moves most, measured in its own steps."""
    moved = [column for column in table.columns if re.search(pattern, column.name) and column.values.size > 1]
    return next((column for column in moved if len(set(column.values.tolist())) > 0.8 * column.values.size), None)


def _against(table: Table, x: Column | None, y: Column | None, title: str) -> tuple[Thumbnail, ...]:
    if x is None or y is None or table.rows < 2:  # noqa: PLR2004 no line
        return plots.charts([table], title=title)
    return plots.drawn([(x, y, "")], title=title)
