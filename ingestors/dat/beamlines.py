"""Scan files that X-ray absorption beamlines write in formats of their own: XDAC and MRCAT (NSLS, APS), SSRL, CLS, APS LabVIEW.

Source: the files themselves, and xraylarch's `xafs_beamlines.py` for what tells them apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, xas
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_XDAC: Final = re.compile(r"\ufeff?(XDAC|MRCAT_XAFS) V(\S+)")
_CREATED: Final = re.compile(
    r'"(?P<name>[^"]*)"\s+created\s+(?:at (?P<at>.*?) )?on (?P<when>.*?)(?: on (?P<on>\S.*))?$'
)
_LABVIEW: Final = re.compile(r"\ufeff?#\s*1-D Scan File created by LabVIEW Control Panel\s+(.*?);")


def recognises_xdac(head: str, candidate: Candidate) -> str | None:
    """`XDAC V1.` or `MRCAT_XAFS V0.` at the start."""
    del candidate
    match = _XDAC.match(head)
    return f"first line {match[0]}" if match else None


def read_xdac(text: Decoded, candidate: Candidate) -> Reading:
    """The `key= value` lines, the comment, and columns below a rule of dashes."""
    lines = lines_of(text.text)
    first = _XDAC.match(text.text)
    rule = next((index for index, line in enumerate(lines) if re.match(r"-{20,}", line.strip())), None)
    if first is None or rule is None or rule + 2 >= len(lines):
        raise UnreadableError("This XDAC file has no columns yet.")
    fields: dict[str, Any] = {}
    comments = []
    for line in lines[2:rule]:
        pairs = re.findall(r"([A-Za-z][\w ]*?)=\s*([^=]*?)(?=\s{2,}[A-Za-z][\w ]*=|$)", line)
        if pairs:
            fields.update({key.strip(): value_of(value.strip()) for key, value in pairs})
        elif line.strip():
            comments.append(line.strip())
    created = _CREATED.match(lines[1].strip())
    place, when = "", dates.NEVER
    if created is not None:
        place = (created["at"] or created["on"] or "").strip()
        written = re.sub(r"\s+at\s+", " ", created["when"])
        when = dates.ctime(written) if re.match("[A-Z]", written) else dates.parse(written, dates.US)
        fields = {"file": created["name"], "created": created["when"], **fields}
    table, warnings = numbers([line for line in lines[rule + 2 :] if line.strip()], names=lines[rule + 1].split())
    return Reading(
        data_type=f"{first[1]} scan file",
        measurement=xas.METHOD,
        name=comments[0] if comments else "",
        timestamp=when.iso,
        instrument=place,
        keywords=("XAFS",),
        metadata={"version": first[2], **fields, **({"comments": comments} if comments else {})},
        tables=(table,),
        thumbnails=xas.pictures(table, comments[0] if comments else candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_ssrl(head: str, candidate: Candidate) -> str | None:
    """`SSRL ... Data Collector` in the first line."""
    del candidate
    match = re.match(r"\ufeff?SSRL\s.*Data Collector[^\r\n]*", head)
    return f"first line {' '.join(match[0].split())}" if match else None


def read_ssrl(text: Decoded, candidate: Candidate) -> Reading:
    """Counts of points and columns, comments, weights and offsets, names one a line, then the rows."""
    lines = lines_of(text.text)
    data = next((index for index, line in enumerate(lines) if line.strip() == "Data:"), None)
    if data is None:
        raise UnreadableError("This SSRL file has no Data: section yet.")
    end = next((index for index in range(data + 1, len(lines)) if not lines[index].strip()), len(lines))
    names = [line.strip() for line in lines[data + 1 : end]]
    table, warnings = numbers([line for line in lines[end:] if line.strip()], names=names)
    head = [line.strip() for line in lines[1:data]]
    when = dates.ctime(head[0]) if head else dates.NEVER
    counts = dict(re.findall(r"(\w+):\s*(\d{1,9})(?!\d)", head[1])) if len(head) > 1 else {}
    lists = {
        head[index].rstrip(":"): [value_of(word) for word in head[index + 1].split()]
        for index in range(len(head) - 1)
        if head[index] in {"Weights:", "Offsets:"}
    }
    told = [line for line in head[2:] if line and not line.endswith(":") and not re.match(r"[-\d.\s]+$", line)]
    comments = told[told.index("COMMENTS") + 1 :] if "COMMENTS" in told else told[3:]
    return Reading(
        data_type="SSRL data collector file",
        measurement=xas.METHOD,
        timestamp=when.iso,
        instrument="SSRL",
        keywords=("XAFS", "SSRL"),
        metadata={
            "collector": " ".join(lines[0].split()),
            **{key: int(value) for key, value in counts.items()},
            "settings": told[:3],
            "comments": comments,
            **lists,
        },
        tables=(table,),
        thumbnails=xas.pictures(table, comments[0] if comments else candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def recognises_cls(head: str, candidate: Candidate) -> str | None:
    """`# CLS Data Acquisition` in the first line."""
    del candidate
    return "first line CLS Data Acquisition" if re.match(r"\ufeff?# CLS Data Acquisition", head) else None


def read_cls(text: Decoded, candidate: Candidate) -> Reading:
    """Columns named by the second `#(1)` line (the macro names), the process variables kept beside them."""
    lines = lines_of(text.text)
    events: dict[str, list[list[str]]] = {}
    notes = []
    for line in lines[1:]:
        match = re.match(r"#\((\d+)\)\s*(.*)", line)
        if match is not None:
            events.setdefault(match[1], []).append([word.strip().strip('"') for word in match[2].split("\t")])
        elif line.startswith("#") and line.strip("# \r"):
            notes.append(line.strip("# \r"))
    rows = [line for line in lines if re.match(r"\s*1\s*,", line)]
    variables, *macros = events.get("1", [[]])
    names = [re.sub(r"\$\((\w+)\)", r"\1", name) for name in (macros[0] if macros else variables)]
    names = [{"AbsEnergyName": "Energy", "kName": "k"}.get(name, name) for name in names]
    table, warnings = numbers(rows, names=names, delimiter=",", decimal_comma=False)
    beamline = re.search(r"BL(\d{4})", " ".join(variables))
    return Reading(
        data_type="CLS data acquisition file",
        measurement=xas.METHOD if xas.energy(table) is not None else "",
        instrument=f"CLS BL{beamline[1]}" if beamline else "CLS",
        keywords=("CLS",),
        metadata={
            "variables": dict(zip(names, variables, strict=False)),
            "events": {key: value for key, value in events.items() if key != "1"},
            "comments": notes,
        },
        tables=(table,),
        thumbnails=_cls_pictures(table, candidate.stem),
        warnings=tuple(warnings),
    )


def _cls_pictures(table: Any, title: str) -> Any:
    """The first two detectors of an absorption scan are its ion chambers."""
    from ingestors.tables import Column, Table  # noqa: PLC0415

    renamed = {"Detector1": "I0", "Detector2": "I1"}
    return xas.pictures(
        Table(
            table.title,
            tuple(
                Column(renamed.get(column.name, column.name), column.unit, column.values) for column in table.columns
            ),
        ),
        title,
    )


def recognises_labview_scan(head: str, candidate: Candidate) -> str | None:
    """`# 1-D Scan File created` in the first line."""
    del candidate
    return "first line 1-D Scan File created" if re.match(r"\ufeff?#[ \t]*1-D Scan File created", head) else None


def read_labview_scan(text: Decoded, candidate: Candidate) -> Reading:
    """Sections of comment lines, column headings in the last one, month first in the date."""
    lines = lines_of(text.text)
    header = [line for line in lines if line.startswith("#")]
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if not header or not rows:
        raise UnreadableError("This scan file has no points yet.")
    names = [name.strip(" *#") for name in re.split(r"\s{2,}|(?<=\*)\s|\t", header[-1].lstrip("#").strip())]
    table, warnings = numbers(rows, names=[name for name in names if name])
    match = _LABVIEW.match(text.text)
    when = dates.parse(match[1], dates.US) if match else dates.NEVER
    beamline = next((found[1].strip() for line in header if (found := re.match(r"#\s*Beamline\s+(.+)", line))), "")
    return Reading(
        data_type="APS LabVIEW 1-D scan file",
        measurement=xas.METHOD if xas.energy(table) is not None else "",
        timestamp=when.iso,
        instrument=f"APS {beamline}" if beamline else "",
        keywords=("XAFS",) if xas.energy(table) is not None else (),
        metadata={"created": header[0].lstrip("# ").strip(), **_sections(header[1:])},
        tables=(table,),
        thumbnails=xas.pictures(table, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _sections(header: Sequence[str]) -> dict[str, Any]:
    """`# Mono Info:` and the lines below it, up to an empty one."""
    sections: dict[str, Any] = {}
    current = "header"
    for line in header:
        words = line.lstrip("#").strip()
        if words.endswith(":") and not line.startswith("#  "):
            current = words.rstrip(":")
        elif words:
            sections.setdefault(current, []).append(words)
    sections.pop("Column Headings", None)
    found: dict[str, Any] = {key: lines[0] if len(lines) == 1 else lines for key, lines in sections.items()}
    edge = re.search(r"\bE0: *([\d.]+ *k?eV)\b", " ".join(sections.get("Scan config", [])))
    return {"E0": value_of(edge[1]), **found} if edge else found
