"""Photoelectron spectra as Scienta's SES writes them: `[Info]`, `[Region n]`, `[Info n]`, `[Data n]`.

Source: the SES manual's text format: `Dimension 1 name=Binding Energy [eV]`, `Dimension 1 scale=...`; the columns after the first are the slices.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.api import Thumbnail

_ENERGIES: Final = re.compile(r"(Excitation|Center|Low|High|Pass) Energy$|Energy Step$")
_X_RAYS: Final = 100.0  # eV: below are the lamps of ultraviolet photoemission


def recognises(head: str, candidate: Candidate) -> str | None:
    """`[Info]` with `Number of Regions=`."""
    del candidate
    if re.match(r"\ufeff?\s*\[Info\]\s*\n\s*Number of Regions=", head):
        return "[Info] with Number of Regions"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """One table a region; the last region's information names sample, instrument and time."""
    sections = _sections(lines_of(text.text))
    regions = [name.split()[-1] for name in sections if re.match(r"Region \d+", name)]
    tables: list[Table] = []
    warnings: list[str] = []
    metadata: dict[str, Any] = {}
    infos: list[dict[str, str]] = []
    for region in regions:
        shape, info = _keys(sections[f"Region {region}"]), _keys(sections.get(f"Info {region}", []))
        infos.append(info)
        metadata[f"Region {region}"] = {
            key: valued(key, value) for key, value in {**shape, **info}.items() if not key.endswith("scale") and value
        }
        rows = [line for line in sections.get(f"Data {region}", []) if line.strip()]
        if rows:
            name, unit = split_name(shape.get("Dimension 1 name", "Energy"))
            slices = max(len(rows[0].split()) - 1, 1)
            names = [name, *(["Intensity"] if slices == 1 else [f"Slice {index + 1}" for index in range(slices)])]
            table, found = numbers(rows, names=names, units=[unit], title=shape.get("Region Name", f"Region {region}"))
            tables.append(table)
            warnings += found
    if not tables:
        raise UnreadableError("This SES file has no data section yet.")
    info = infos[0]
    when = dates.parse(f"{info.get('Date', '')} {info.get('Time', '')}", dates.YEAR_FIRST)
    sample = facts.sample_of(info)
    return Reading(
        data_type="Scienta SES spectrum",
        measurement=method_of(info),
        name=info.get("Spectrum Name", ""),
        timestamp=when.iso,
        instrument=info.get("Instrument", ""),
        samples=(sample,),
        keywords=("photoemission",),
        metadata=metadata,
        tables=tuple(tables),
        thumbnails=_thumbnails(tables, f"{sample} {tables[0].title}".strip() or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def method_of(info: Mapping[str, str]) -> str:
    """The method by the excitation energy that SES wrote."""
    energy = facts.number(info.get("Excitation Energy", ""))
    if energy is None:
        return "Photoelectron spectroscopy"
    return "X-ray photoelectron spectroscopy" if energy >= _X_RAYS else "Ultraviolet photoelectron spectroscopy"


def _sections(lines: Sequence[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        match = re.fullmatch(r"\[([^\]]+)\]\s*", line)
        if match is not None:
            current = sections.setdefault(match[1], [])
        else:
            current.append(line)
    return sections


def _keys(lines: Sequence[str]) -> dict[str, str]:
    return {key.strip(): value.strip() for key, equals, value in (line.partition("=") for line in lines) if equals}


def valued(key: str, text: str) -> Any:
    """A value of SES's header: its energies are in eV, its dates stay text."""
    if key in {"Date", "Time"}:
        return text
    number = facts.number(text)
    if number is not None and _ENERGIES.search(key):
        return Quantity(number, "eV")
    return value_of(text)


def _thumbnails(tables: Sequence[Table], title: str) -> tuple[Thumbnail, ...]:
    lines = [
        (table.columns[0], table.columns[1], table.title)
        for table in tables
        if len(table.columns) > 1 and table.rows > 1
    ]
    return plots.drawn(
        lines, title=title, reverse=bool(lines) and "binding" in lines[0][0].name.casefold(), log_y=False
    )
