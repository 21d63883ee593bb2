"""Spectra that SpecsLab 2 and SpecsLab Prodigy (SPECS) export as `.xy`: groups, regions, cycles, scans.

Source: Prodigy 4 exports and their own "Export Settings" block. Dates are month/day/year; energies are in eV, voltages
in V and the dwell time in s, which the file does not say.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, UnreadableError
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.tables import NotATableError, Table, numbers, value_of
from ingestors.textfile import lines_of
from ingestors.xy.drawing import pictures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_CREATED: Final = re.compile(r"(?P<mark>\S{0,4}?)\s*Created by:\s*(?P<program>SpecsLab.*)", re.IGNORECASE)
_PAIR: Final = re.compile(r"(?P<indent>\s*)(?P<key>[A-Za-z][^:]{0,80}):(?:\s+|$)(?P<value>.*)")
_PART: Final = re.compile(r"Cycle:\s*\d+\s*,.*")
_SETTINGS: Final = "XY-Serializer Export Settings"
_METHODS: Final = {
    "XPS": "X-ray photoelectron spectroscopy",
    "UPS": "Ultraviolet photoelectron spectroscopy",
    "AES": "Auger electron spectroscopy",
    "ISS": "Ion scattering spectroscopy",
    "LEIS": "Low-energy ion scattering spectroscopy",
    "ARPES": "Angle-resolved photoelectron spectroscopy",
}
_UNITS: Final = {
    "Dwell Time": "s",
    "Excitation Energy": "eV",
    "Binding Energy": "eV",
    "Kinetic Energy": "eV",
    "Pass Energy": "eV",
    "Eff. Workfunction": "eV",
    "Effective Workfunction": "eV",
    "Bias Voltage": "V",
    "Detector Voltage": "V",
}


@dataclass
class _Block:
    """Rows of numbers and what was said about them: the region's number, cycle and scan, names."""

    region: int
    part: str
    labels: list[str]
    rows: list[str] = field(default_factory=list)


@dataclass
class _Document:
    """The file as it is read line by line."""

    program: str
    settings: dict[str, Any] = field(default_factory=dict)
    regions: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)


def recognises(head: str, candidate: Candidate) -> str | None:
    """`Created by: SpecsLab …` in the first line."""
    del candidate
    match = _CREATED.match(head[:400].split("\n", 1)[0])
    return f"created by {match['program'].split(',')[0].strip()}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Export settings, regions and one table for each block of rows. Raises UnreadableError."""
    document = _parsed(lines_of(text.text))
    warnings: list[str] = []
    tables = tuple(_tables(document, warnings))
    if not tables:
        raise UnreadableError("The SPECS export holds no rows of numbers.")
    method = next((str(region[key]) for region in document.regions for key in region if key.endswith("sis Method")), "")
    moment = _moment(document.regions)
    binding = "binding" in str(document.settings.get("Energy Axis", "")).casefold()
    spectra = {region.get("Region") for region in document.regions}
    return Reading(
        data_type="SPECS spectra" if len(spectra) > 1 else "SPECS spectrum",
        measurement=_METHODS.get(method.upper(), method),
        timestamp=moment.iso,
        keywords=tuple(filter(None, ("SPECS", method))),
        metadata={
            "Created by": document.program,
            **({_SETTINGS: document.settings} if document.settings else {}),
            "regions": document.regions,
        },
        tables=tables,
        thumbnails=pictures(tables, title=candidate.stem, x_reversed=binding),
        warnings=(*moment.warnings, *warnings),
    )


def _parsed(lines: Iterable[str]) -> _Document:
    first, *rest = lines
    match = _CREATED.match(first)
    if match is None:
        raise UnreadableError("The first line does not say that SpecsLab created the file.")
    mark = match["mark"]
    document = _Document(" ".join(match["program"].split()))
    group, part = "", ""
    labels: list[str] = []
    open_block: _Block | None = None
    for line in rest:
        bare = line[len(mark) :] if line.startswith(mark) else ""
        pair = _PAIR.match(bare)
        is_row = not line.startswith(mark) if mark else pair is None
        if is_row and line.strip():
            if open_block is None:
                open_block = _Block(len(document.regions) - 1, part, labels)
                document.blocks.append(open_block)
            open_block.rows.append(line)
            continue
        open_block = None
        if pair is None:
            continue
        key, value = pair["key"].strip(), pair["value"].strip()
        if key == "Group":
            group = value
        elif key == "Region":
            document.regions.append({"Region": value, **({"Group": group} if group else {})})
            part, labels = "", []
        elif _PART.fullmatch(bare.strip()):
            part, labels = bare.strip(), []
        elif key == "ColumnLabels":
            labels = value.split()
        else:
            _keep(document, key, value)
    return document


def _keep(document: _Document, key: str, value: str) -> None:
    """A key of the export settings or of the region, with its unit; what comes again in the scans stays as it was."""
    if not value or key in {_SETTINGS, "Cycle"}:
        return
    typed = value_of(value)
    if key in _UNITS and isinstance(typed, (int, float)) and not isinstance(typed, bool):
        typed = Quantity(typed, _UNITS[key])
    place = document.regions[-1] if document.regions else document.settings
    place.setdefault(key, typed)


def _tables(document: _Document, warnings: list[str]) -> Iterable[Table]:
    count = Counter(block.region for block in document.blocks)
    for block in document.blocks:
        name = str(document.regions[block.region]["Region"]) if block.region >= 0 else ""
        title = name if count[block.region] == 1 or not block.part else f"{name} ({block.part})"
        units = [_unit(label) for label in block.labels]
        try:
            table, odd = numbers(block.rows, names=block.labels, units=units, title=title, delimiter=" ")
        except NotATableError:
            warnings.append(f"Region {name}: a block without numbers is left out.")
            continue
        expected = document.regions[block.region].get("Values/Curve") if block.region >= 0 else None
        if isinstance(expected, int) and table.rows != expected:
            odd = (*odd, f"{table.rows} of {expected} values are there.")
        warnings.extend(f"Region {name}: {note}" for note in odd)
        yield table


def _unit(label: str) -> str | None:
    if label.casefold() == "energy":
        return "eV"
    return label if label in {"counts/s", "counts", "cps"} else None


def _moment(regions: Iterable[dict[str, Any]]) -> dates.Moment:
    """The first region's acquisition date, in UTC if it says so."""
    text = next((str(region["Acquisition Date"]) for region in regions if "Acquisition Date" in region), "")
    words = text.removesuffix("UTC").strip()
    moment = dates.parse(words, dates.US)
    return dates.Moment(f"{moment.iso}+00:00", moment.warnings) if moment.iso and words != text else moment
