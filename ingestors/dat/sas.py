"""Scattering curves and maps: NIST 2-D SANS, ISIS' RKH, Foxtrot (SOLEIL), dynamic light scattering, reflectivity.

Sources: the NCNR's SANS reduction manual (the `Data columns are Qx - Qy - I(Qx,Qy) ...` line and the labels above their values),
sasdata's `red2d_reader.py`; Foxtrot's `# _key value` lines; refnx for reflectivity (Q, R, dR, dQ);
Mantid's SaveRKH.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ingestors import tables
from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, facts, general, planes, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLANE: Final = re.compile(r"^(ASCII data(?: created .*)?|Data columns (?:are )?Qx - Qy - .*)\r?$", re.MULTILINE)
_COLUMNS: Final = re.compile(r"Data columns (?:are )?(Qx - Qy .*)")
_NEUTRONS: Final = frozenset({"SANS2D", "LOQ", "LARMOR", "ZOOM"})
_DEFAULT: Final = ("Qx", "Qy", "I(Qx,Qy)", "err(I)")
_REFLECTIVITY: Final = re.compile(
    r"\s*#?\s*Q\b[^\n]*?\b(Ref|R|Reflectivity)\b[^\n]*\b(dR|dRef|sigma ?R|err)", re.IGNORECASE
)

_RKH: Final = re.compile(
    r"\A *(?P<instrument>[A-Z]\w+) +(?:[A-Z]\w\w +)?(?P<when>\d{1,2}-[A-Za-z]{3}-\d{4} +\d\d:\d\d(?::\d\d)?)(?: +Workspace:.*)? *\n"
    r" *(?P<title>.*?) *\n *\d+(?: +\d+){3,} *\n.*\n *\d+ +\((?:F|E|I)",
)


def recognises_rkh(head: str, candidate: Candidate) -> str | None:
    """An instrument and a date, a title, two lines of counts, and the Fortran format of the columns."""
    del candidate
    match = _RKH.match(head[:2000])
    return f"RKH header of {match['instrument']}" if match else None


def read_rkh(text: Decoded, candidate: Candidate) -> Reading:
    """Instrument, time and title of the header; the columns have no names in the file. Raises tables.NotATableError."""
    made = general.reading(tables.read(text), candidate, data_type="RKH 1-D data")
    match = _RKH.match(text.text[:2000].replace("\r\n", "\n").replace("\r", "\n"))
    if match is None:
        return made
    when = dates.worded(match["when"])
    neutrons = match["instrument"].upper() in _NEUTRONS
    return replace(
        made,
        measurement="Small-angle neutron scattering" if neutrons else made.measurement,
        name=match["title"],
        timestamp=when.iso,
        instrument=match["instrument"],
        warnings=(*made.warnings, *when.warnings),
    )


def recognises_plane(head: str, candidate: Candidate) -> str | None:
    """`ASCII data` or `Data columns Qx - Qy` above columns of numbers."""
    del candidate
    match = _PLANE.search(head[:5000])
    numeric = re.search(r"^\s*-?\d*\.\d+(e[-+]?\d+)?\s+-?\d*\.\d+(e[-+]?\d+)?\s+\S+\s+\S+", head, re.MULTILINE)
    return f"line {match[1][:40].strip()!r}" if match and numeric else None


def read_plane(text: Decoded, candidate: Candidate) -> Reading:
    """Header values by the labels above them, the intensity as a map over Qx and Qy."""
    lines = lines_of(text.text)
    start = _first_point(lines)
    header = lines[:start]
    told = next((match[1] for line in header if (match := _COLUMNS.search(line))), "")
    names = (
        [re.sub(r"\(beam stop shadow\)", "", part).strip() for part in told.split(" - ")] if told else list(_DEFAULT)
    )
    if len(names) < len(_DEFAULT) - 1:
        raise UnreadableError("This 2-D scattering file names fewer than three columns.")
    table, warnings = numbers([line for line in lines[start:] if line.strip()], names=names)
    fields, when = _labels(header)
    label = str(fields.get("LABEL", ""))
    columns = table.columns
    return Reading(
        data_type="NIST 2-D SANS data",
        measurement="Small-angle neutron scattering" if told and "fSubS" in told else "Small-angle scattering",
        name=label,
        timestamp=when.iso,
        samples=(),
        keywords=("SAS", "2-D"),
        metadata=fields,
        tables=(table,),
        thumbnails=planes.plane_map(*columns[:3], title=label or candidate.stem, log=True),
        warnings=(*when.warnings, *warnings),
    )


def _first_point(lines: Sequence[str]) -> int:
    """The first line of numbers below the last mark of the header. Raises UnreadableError."""
    marked = max((index for index, line in enumerate(lines[:200]) if _PLANE.match(line)), default=0)
    for index in range(marked + 1, len(lines)):
        if re.match(r"\s*-?[\d.]", lines[index]):
            return index
    raise UnreadableError("This 2-D scattering file has no points.")


def _labels(header: Sequence[str]) -> tuple[dict[str, Any], dates.Moment]:
    """`KEY: value` lines, and lines of labels with the values in the line below."""
    fields: dict[str, Any] = {}
    comments: list[str] = []
    when = dates.NEVER
    index = 0
    while index < len(header):
        line = header[index].strip()
        below = header[index + 1].split() if index + 1 < len(header) else []
        created = re.match(r"FILE:\s*(\S+)\s+CREATED:\s*(.*)", line)
        titles = [title.strip() for title in re.split(r"\s{2,}", line)]
        if created is not None:
            fields |= {"FILE": created[1], "CREATED": created[2].strip()}
            when = dates.parse(created[2], dates.DAY_MONTH_NAME)
        elif len(titles) > 2 and below and re.match(r"[-\d.]", below[0]):  # noqa: PLR2004 a line of labels
            fields |= dict(
                _labelled(title, value) for title, value in zip(titles, _grouped(below, titles), strict=False)
            )
            index += 1
        elif match := re.match(r"([A-Z][\w ()-]*): ?(.*)", line):
            fields[match[1]] = value_of(match[2].strip()) if match[2].strip() else ""
        elif line and not re.fullmatch(r"[-=*]+", line):
            comments.append(line)
        index += 1
    return {**fields, **({"comments": comments} if comments else {})}, when


def _labelled(title: str, value: str) -> tuple[str, Any]:
    """`LAMBDA (A)` and `6` as a quantity, `BCENT(X,Y)` and two numbers as a list; a slash, as in `DL/L`, is no unit here."""
    match = re.fullmatch(r"(.*?)\s*\(([^(),]*)\)", title)
    found = facts.number(value)
    if match is not None and found is not None:
        return match[1], Quantity(found, match[2])
    several = [facts.number(word) for word in value.split()]
    return title, several if len(several) > 1 and None not in several else value_of(value)


def _grouped(values: Sequence[str], titles: Sequence[str]) -> list[str]:
    """A label like BCENT(X,Y) has two values."""
    rest = list(values)
    grouped = []
    for title in titles:
        take = 2 if "(X,Y)" in title else 1
        grouped.append(" ".join(rest[:take]))
        del rest[:take]
    return grouped


def recognises_foxtrot(head: str, candidate: Candidate) -> str | None:
    """`# _diffrn_... Foxtrot` among the first lines."""
    del candidate
    match = re.search(r"^#\s*_\w+\s+Foxtrot", head[:4000], re.MULTILINE)
    return "header names Foxtrot" if match else None


def read_foxtrot(text: Decoded, candidate: Candidate) -> Reading:
    """`# _key value` lines, intensity against q on a logarithmic scale."""
    lines = lines_of(text.text)
    fields: dict[str, Any] = {}
    comments = []
    for line in lines:
        if not line.startswith("#"):
            break
        match = re.match(r"#\s*(_\w+|TimeStamps)\s{2,}(.*)", line)
        if match is not None:
            fields[match[1].lstrip("_")] = value_of(match[2].strip())
        elif line.strip("# \r"):
            comments.append(line.strip("# \r"))
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    titles = [_q_unit(name) for name in body[0].split()] if body else []
    table, warnings = numbers(body[1:], names=[name for name, _ in titles], units=[unit for _, unit in titles])
    return Reading(
        data_type="Foxtrot",
        measurement="Small-angle X-ray scattering",
        keywords=("SAXS", "Foxtrot"),
        metadata={**fields, **({"comments": comments} if comments else {})},
        tables=(table,),
        thumbnails=scattering(table, candidate.stem),
        warnings=tuple(warnings),
    )


def _q_unit(title: str) -> tuple[str, str | None]:
    match = re.fullmatch(r"(q)\((.*)\)", title, re.IGNORECASE)
    return (match[1], match[2]) if match else (title, None)


def scattering(table: Table, title: str) -> Any:
    """The second column against the first, logarithmic where all is positive."""
    numeric = plots.numeric(table)
    if len(numeric) < 2 or table.rows < 2:  # noqa: PLR2004 a curve
        return ()
    x, y = numeric[:2]
    return plots.drawn([(x, y, "")], title=title, log_y=bool((y.values > 0).any()) or None)


def recognises_dls(head: str, candidate: Candidate) -> str | None:
    """A correlation function g2-1 against the lag time, below a scattering angle."""
    del candidate
    match = re.search(r"^(Lag time.*g2.*)$", head[:4000], re.MULTILINE | re.IGNORECASE)
    return f"columns {' '.join(match[1].split())}" if match else None


def read_dls(text: Decoded, candidate: Candidate) -> Reading:
    """Angle, temperature, viscosity and the correlation function."""
    found = tables.read(text)
    title = facts.title_of(found.fields) or candidate.stem
    return Reading(
        data_type="Correlation function",
        measurement="Dynamic light scattering",
        name=facts.title_of(found.fields),
        timestamp=facts.time_of(found.fields).iso,
        keywords=("DLS",),
        metadata=dict(facts.measured(key, value) for key, value in general.metadata_of(found).items()),
        tables=found.tables,
        thumbnails=_lag(found.tables, title),
        warnings=found.warnings,
    )


def _lag(found: Sequence[Table], title: str) -> Any:
    """Over a logarithmic lag time: decays are seen over decades only."""
    numeric = plots.numeric(found[0])
    if len(numeric) < 2:  # noqa: PLR2004 a curve
        return ()
    x, y = numeric[:2]
    return plots.drawn([(x, y, "")], title=title, log_x=True, log_y=False)


def recognises_reflectivity(head: str, candidate: Candidate) -> str | None:
    """A first line of names Q, R, dR."""
    del candidate
    match = _REFLECTIVITY.match(head)
    return f"columns {' '.join(match[0].split())[:60]}" if match else None


def read_reflectivity(text: Decoded, candidate: Candidate) -> Reading:
    """Columns named by the first line, R against Q on a logarithmic scale. The probe is not in such files."""
    found = tables.read(text)
    table = found.tables[0]
    return Reading(
        data_type="Reflectivity curve",
        measurement="Reflectometry",
        keywords=("reflectivity",),
        metadata=general.metadata_of(found),
        tables=found.tables,
        thumbnails=scattering(table, candidate.stem),
        warnings=found.warnings,
    )
