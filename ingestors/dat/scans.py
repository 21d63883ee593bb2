"""More scan files of synchrotron beamlines: EPICS text scans (GSECARS), NSLS-II ISS, ALS, APS 12-BM, and ifeffit's columns.

Source: the files themselves; for EPICS scans the IDL programs of GSECARS that write them (`; column labels:`, `; P1 = {name} --> PV`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors import tables
from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, facts, general, xas
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, pairs, value_of
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPICS: Final = re.compile(r"\s*[;#]\s*Epics Scan (\d) dimensional scan", re.IGNORECASE)
_LABEL: Final = re.compile(r"\s*([PD]\d+)\s*=\s*\{([^}]*)\}\s*(?:-->\s*(\S+))?")
_ALS: Final = re.compile(  # the abbreviation in capitals only: "als" is a word; with a vial it is an autosampler
    r"\bALS\b(?! (?:Vial|Bottle|Tray|Injector|Sampler|Method|\d))|(?i:Advanced Light Source|\bbeamline\b\W{0,3}(?:BL\s*)?\d{1,2}\.\d\.\d\b)"
)
_ALS_NUMBER: Final = re.compile(r"\b(\d{1,2}\.\d\.\d(?:\.\d)?)\b")
_NUMBERED: Final = re.compile(r"(?:^|\s)\d+_(\S+(?: \([^)]*\))?)")


def recognises_epics(head: str, candidate: Candidate) -> str | None:
    """`; Epics Scan 1 dimensional scan` in the first line."""
    del candidate
    match = _EPICS.match(head)
    return f"first line Epics Scan {match[1]} dimensional scan" if match else None


def read_epics(text: Decoded, candidate: Candidate) -> Reading:
    """Columns by the braces of their labels, process variables beside them, times as ctime or ISO."""
    header, rows = _split(lines_of(text.text), ";#")
    labels = {match[1]: match for line in header if (match := _LABEL.match(line))}
    order = header[-1].split() if header else []
    if not order or not all(re.fullmatch(r"[PD]\d+", name) for name in order):
        order = list(labels)
    names = [labels[name][2].strip() or name if name in labels else name for name in order]
    titles = [split_name(name) for name in names]
    table, warnings = numbers(rows, names=[name for name, _ in titles], units=[unit for _, unit in titles])
    fields = pairs([line for line in header if not _LABEL.match(line)])
    written = next(
        (
            line.split(":", 1)[1].strip()
            for line in header
            if re.match(r"(scan (began|started|ended) at time|current date)", line, re.IGNORECASE)
            and ":" in line
            and "unknown" not in line
        ),
        "",
    )
    when = facts.anywhere(written) if written else dates.NEVER
    spectrum = xas.energy(table) is not None
    return Reading(
        data_type="EPICS scan file",
        measurement=xas.METHOD if spectrum else "",
        timestamp=when.iso,
        keywords=("EPICS", *(["XAFS"] if spectrum else [])),
        metadata={**fields, "channels": {match[2].strip() or name: match[3] or "" for name, match in labels.items()}},
        tables=(table,),
        thumbnails=xas.pictures(table, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_iss(head: str, candidate: Candidate) -> str | None:
    """`# Facility: NSLS-II` and `# Beamline:` at the start."""
    del candidate
    if re.match(r"#\s*Facility: ", head) and re.search(r"^#\s*Beamline: ", head, re.MULTILINE):
        return "header # Facility, # Beamline"
    return None


def read_iss(text: Decoded, candidate: Candidate) -> Reading:
    """`# Key: value` lines; the month comes first in the dates of this American facility."""
    lines = lines_of(text.text)
    header, rows = _split(lines, "#")
    fields = {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(": ") for line in header)
        if colon and value.strip()
    }
    names = header[-1].lstrip("# ").split() if header else []
    table, warnings = numbers(rows, names=names)
    when = _american(fields.get("Start time", ""))
    beamline = " ".join(fields.get(key, "") for key in ("Facility", "Beamline")).strip()
    sample = facts.sample_of(fields)
    edge = " ".join(fields.get(key, "") for key in ("Element", "Edge")).strip()
    return Reading(
        data_type="NSLS-II ISS scan file",
        measurement=xas.METHOD,
        timestamp=when.iso,
        instrument=beamline,
        samples=(sample,),
        keywords=("XAFS", edge),
        metadata={key: value if re.search(r"time|UID|Year", key) else value_of(value) for key, value in fields.items()},
        tables=(table,),
        thumbnails=xas.pictures(table, sample or f"{candidate.stem} {edge}"),
        warnings=(*when.warnings, *warnings),
    )


def _american(text: str) -> dates.Moment:
    return dates.iso(text) if re.match(r"\d{4}-", text) else dates.parse(text, dates.US)


def recognises_als(head: str, candidate: Candidate) -> str | None:
    """The Advanced Light Source or one of its beamline numbers (10.3.2) in the first lines."""
    match = _ALS.search("\n".join(head[:2000].split("\n")[:12]))
    if match is None:
        return None
    return f"header names {' '.join(match[0].split())!r}" if general.recognises(head, candidate) else None


def read_als(text: Decoded, candidate: Candidate) -> Reading:
    """The header's keys, the beamline, the month first in dates; absorption where there are energy and intensities."""
    found = tables.read(text)
    top = "\n".join(text.text[:2000].split("\n")[:12])
    number = _ALS_NUMBER.search(top)
    written = facts.said(found.fields, ("date", "date (mm/dd/yyyy)", "start time", "start date", "date time"))
    clock = facts.said(found.fields, ("time", "time of day"))
    when = facts.time_of(found.fields)
    if re.match(r"\d{1,2}/\d", written):
        when = dates.parse(written if ":" in written else f"{written} {clock}", dates.US)
    spectrum = xas.absorption(found.tables[0]) is not None
    sample, title = facts.sample_of(found.fields), facts.title_of(found.fields)
    return Reading(
        data_type="ALS beamline file",
        measurement=xas.METHOD if spectrum else "",
        name=title,
        timestamp=when.iso,
        instrument=f"ALS beamline {number[1]}" if number else "ALS",
        samples=(sample,),
        keywords=("ALS",),
        metadata=general.metadata_of(found),
        tables=found.tables,
        thumbnails=xas.pictures(found.tables[0], title or sample or candidate.stem)
        if spectrum
        else general.pictures(found.tables, title or sample or candidate.stem),
        warnings=(*when.warnings, *found.warnings),
    )


def recognises_exafsscan(head: str, candidate: Candidate) -> str | None:
    """`#S Scan n; exafsscan` and numbered names in a `#C` line."""
    del candidate
    match = re.search(r"^#S Scan \d+; *(\w+)", head[:4000], re.MULTILINE)
    return f"#S {match[1]}" if match and re.search(r"^#C 1_\w+", head, re.MULTILINE) else None


def read_exafsscan(text: Decoded, candidate: Candidate) -> Reading:
    """Names and units from the line `#C 1_Energy (keV) 2_sec ...`, the scan's regions from the other `#C` lines."""
    lines = lines_of(text.text)
    header, rows = (
        [line for line in lines if line.startswith("#")],
        [line for line in lines if line.strip() and not line.startswith("#")],
    )
    named = next((line[2:] for line in reversed(header) if line.startswith("#C 1_")), "")
    titles = [split_name(name) for name in _NUMBERED.findall(named)]
    table, warnings = numbers(rows, names=[name for name, _ in titles], units=[unit for _, unit in titles])
    fields: dict[str, Any] = {}
    for line in header:
        key, _, rest = line[3:].strip().partition(" ")
        if line.startswith("#C ") and not line.startswith("#C 1_"):
            fields.setdefault(key, []).append(value_of(rest))
    scan = next((line[3:].strip() for line in header if line.startswith("#S ")), "")
    when = dates.ctime(next((line[3:] for line in header if line.startswith("#D ")), ""))
    return Reading(
        data_type="SPEC-like EXAFS scan file",
        measurement=xas.METHOD,
        timestamp=when.iso,
        keywords=("XAFS",),
        metadata={"scan": scan, **{key: values[0] if len(values) == 1 else values for key, values in fields.items()}},
        tables=(table,),
        thumbnails=xas.pictures(table, scan or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_ifeffit(head: str, candidate: Candidate) -> str | None:
    """A rule `#---` and then names with chi, xmu or mu, or Athena's own first line."""
    del candidate
    if not head.startswith("#"):
        return None
    match = re.search(
        r"^#-{3,}[^\n]*\n#\s*((?:k|energy|e|r)\b[^\n]*\b(?:chi|x?mu|norm|chir_mag)\b[^\n]*)$",
        head,
        re.MULTILINE | re.IGNORECASE,
    )
    if match is not None:
        return f"columns {' '.join(match[1].split())[:40]} below a rule"
    return "written by Athena" if re.match(r"#\s*(Athena|XDI/|Demeter)", head) and "xmu" in head else None


def read_ifeffit(text: Decoded, candidate: Candidate) -> Reading:
    """Header lines as comments, chi against k or the absorption against energy."""
    found = tables.read(text)
    when = facts.time_of(found.fields)
    return Reading(
        data_type="ifeffit columns",
        measurement=xas.METHOD,
        timestamp=when.iso,
        keywords=("XAFS", "ifeffit"),
        metadata=general.metadata_of(found),
        tables=found.tables,
        thumbnails=general.pictures(found.tables, candidate.stem),
        warnings=(*when.warnings, *found.warnings),
    )


def _split(lines: Sequence[str], marks: str) -> tuple[list[str], list[str]]:
    """Header lines without their marks, and the rows."""
    header = [line.strip().lstrip(marks).strip() for line in lines if line.strip()[:1] and line.strip()[:1] in marks]
    rows = [line for line in lines if line.strip() and line.strip()[0] not in marks]
    if not rows:
        raise UnreadableError("This scan file has no points yet.")
    return [line for line in header if line and not re.fullmatch(r"[-=]+", line)], rows
