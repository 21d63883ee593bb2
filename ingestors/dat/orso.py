"""ORSO reflectivity files (`.ort`): a header in YAML behind `#`, then rows; several datasets parted by `# data_set:`.

Source: https://www.reflectometry.org/file_formats/specification, version 1.0. `columns` names each column with its unit or says whose error
it is; quantities are mappings of magnitude and unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers
from ingestors.textfile import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_FIRST: Final = re.compile(r"#\s*#?\s*ORSO reflectivity data file")
_ALIAS: Final = re.compile(r"(?:^|[\s:\[{,-])[&*][\w-]")
_LONGEST: Final = 200_000
_DEEPEST: Final = 60


def recognises(head: str, candidate: Candidate) -> str | None:
    """The first line that the specification fixes."""
    del candidate
    return "first line # ORSO reflectivity data file" if _FIRST.match(head) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The header, and a table for each dataset. Raises UnreadableError."""
    parts = _parts(lines_of(text.text))
    warnings: list[str] = []
    tables: list[Table] = []
    metadata: dict[str, Any] = {}
    for comments, rows in parts:
        header = _header(comments, warnings)
        metadata = metadata or header
        if rows:
            columns = header.get("columns") or metadata.get("columns") or []
            names, units = _columns(columns if isinstance(columns, list) else [])
            table, odd = numbers(rows, names=names, units=units, title=str(header.get("data_set", "")))
            tables.append(table)
            warnings += odd
    if not tables:
        raise UnreadableError("The ORSO file holds no rows.")
    source = _mapping(metadata.get("data_source"))
    experiment, sample = _mapping(source.get("experiment")), _mapping(source.get("sample"))
    when = dates.iso(str(experiment.get("start_date", "") or ""))
    probe = str(experiment.get("probe", "")).casefold()
    title = str(experiment.get("title") or "")
    return Reading(
        data_type="ORSO reflectivity",
        measurement="Neutron reflectometry"
        if "neutron" in probe
        else "X-ray reflectometry"
        if "x-ray" in probe
        else "Reflectometry",
        name=title,
        timestamp=when.iso,
        instrument=str(experiment.get("instrument") or ""),
        samples=(str(sample.get("name") or ""),),
        keywords=("reflectivity", "ORSO"),
        metadata=_measured({key: value for key, value in metadata.items() if key != "columns"}),
        tables=tuple(tables),
        thumbnails=plots.charts(tables, title=title or candidate.stem),
        warnings=(*when.warnings, *dict.fromkeys(warnings)),
    )


def _parts(lines: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    parts: list[tuple[list[str], list[str]]] = [([], [])]
    for line in lines:
        if line.startswith("#"):
            if parts[-1][1]:
                parts.append(([], []))
            parts[-1][0].append(line)
        elif line.strip():
            parts[-1][1].append(line)
    return parts


def _header(comments: Sequence[str], warnings: list[str]) -> dict[str, Any]:
    """The YAML in the comments; a second mark begins a remark. No aliases: they could multiply what they name."""
    from ruamel.yaml import YAML  # noqa: PLC0415 only for these files
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    lines = [line[1:].removeprefix(" ") for line in comments if not line[1:].lstrip().startswith("#")]
    document = "\n".join(lines)
    deep = max((len(line) - len(line.lstrip()) for line in lines), default=0)
    if len(document) > _LONGEST or deep > _DEEPEST or _ALIAS.search(document):
        warnings.append("The header's YAML is too long, too deep or has aliases; it is left out.")
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(document)
    except (YAMLError, ValueError, RecursionError):
        warnings.append("The header is no YAML; it is left out.")
        return {}
    return dict(found) if isinstance(found, Mapping) else {}


def _columns(columns: Sequence[Any]) -> tuple[list[str], list[str | None]]:
    named = [_mapping(column) for column in columns]
    names = [str(column.get("name") or f"s{column.get('error_of', '')}") for column in named]
    return names, [str(column["unit"]) if column.get("unit") else None for column in named]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _measured(value: Any) -> Any:
    """Mappings of magnitude and unit as quantities; dates as text."""
    if isinstance(value, Mapping):
        if "magnitude" in value and "unit" in value:
            return Quantity(value["magnitude"], str(value["unit"]))
        return {str(key): _measured(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_measured(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) else str(value)
