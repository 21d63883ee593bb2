"""XDI, the XAFS Data Interchange format: `# Namespace.tag: value` lines, then columns.

Source: github.com/XraySpectroscopy/XAS-Data-Interchange, specification 1.0: `# XDI/1.0 program`, `# ///` starts the user's
comments, `# ---` ends the header, times are ISO 8601. Epics StepScan writes `value || PV` after the tags.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots, xas
from ingestors.dat.reading import Reading
from ingestors.tables import numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIRST: Final = re.compile(r"\ufeff?#\s*XDI/(\d+(?:\.\d+)*)\s*(.*)")
_FIELD: Final = re.compile(r"#\s*([A-Za-z_][\w-]*)\.([\w .-]*\w)\s*:\s*(.*)")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`# XDI/1.` in the first line."""
    del candidate
    match = _FIRST.match(head)
    return f"first line XDI/{match[1]}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Namespaces as nested metadata, columns with the units of their `Column.N` fields."""
    lines = lines_of(text.text)
    first = _FIRST.match(lines[0] if lines else "")
    if first is None:
        raise UnreadableError("The first line is not that of an XDI file.")
    header = [line for line in lines if line.startswith("#")]
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    fields, comments = _fields(header[1:])
    labels = header[-1].lstrip("# ").split() if len(header) > 1 else []
    names, units = _columns(fields.get("Column", {}), labels)
    table, warnings = numbers(rows, names=names, units=units)
    when = dates.iso(_text(fields, "Scan", "start_time"))
    sample = _text(fields, "Sample", "name")
    element = _text(fields, "Element", "symbol") or _text(fields, "ScanParameters", "element")
    edge = _text(fields, "Element", "edge") or _text(fields, "ScanParameters", "edge")
    spectrum = bool(element) or xas.energy(table) is not None
    title = sample or " ".join(part for part in (element, edge and f"{edge} edge") if part) or candidate.stem
    return Reading(
        data_type="XDI",
        measurement=xas.METHOD if spectrum else "",
        timestamp=when.iso,
        instrument=_text(fields, "Beamline", "name"),
        samples=(sample,),
        keywords=("XDI", *(["XAFS"] if spectrum else []), " ".join(part for part in (element, edge) if part)),
        metadata={
            "xdi": {"version": first[1], "programs": first[2].strip()},
            **fields,
            **({"comments": comments} if comments else {}),
        },
        tables=(table,),
        thumbnails=xas.pictures(table, title) if spectrum else plots.charts([table], title=title),
        warnings=(*when.warnings, *warnings),
    )


def _fields(header: Sequence[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    fields: dict[str, dict[str, Any]] = {}
    comments: list[str] = []
    in_comments = False
    for line in header:
        words = line.lstrip("#").strip()
        if re.match(r"-{3,}$", words):
            break
        if words.startswith("///"):
            in_comments = True
            continue
        match = None if in_comments else _FIELD.match(line)
        if match is not None:
            _put(fields.setdefault(match[1], {}), match[2].strip(), match[3].strip())
        elif words:
            comments.append(words)
    return fields, comments


def _put(namespace: dict[str, Any], tag: str, text: str) -> None:
    value, bars, channel = text.partition("||")
    if bars and not tag.isdigit():
        namespace[tag] = {"value": value_of(value.strip()), "pv": channel.strip()}
    else:
        namespace[tag] = text if tag.isdigit() or re.search(r"time|date|uid|name", tag) else value_of(text)


def _columns(described: Mapping[str, Any], labels: Sequence[str]) -> tuple[list[str], list[str | None]]:
    """Names and units of `Column.N: energy eV || PV`; a unit is one word, more words are a description."""
    told = {
        int(number): str(text).partition("||")[0].split()
        for number, text in described.items()
        if re.fullmatch("[0-9]{1,4}", number)
    }
    count = max([len(labels), *told]) if told else len(labels)
    if count > 10_000:  # noqa: PLR2004 no file has so many columns
        count = len(labels)
    names, units = [], []
    for index in range(1, count + 1):
        words = told.get(index, [])
        label = labels[index - 1] if index <= len(labels) else f"column {index}"
        names.append(words[0] if words else label)
        units.append(words[1] if len(words) == 2 else None)  # noqa: PLR2004 name and unit
    return names, units


def _text(fields: Mapping[str, Mapping[str, Any]], namespace: str, tag: str) -> str:
    value = fields.get(namespace, {}).get(tag, "")
    value = value.get("value", "") if isinstance(value, dict) else value
    return value.strip() if isinstance(value, str) else str(value)
