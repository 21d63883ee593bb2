"""VAMAS surface analysis files (ISO 14976): one value a line, known by its position only.

Source: ISO 14976:1998 as Dench, Hazell and Seah published it (Surf. Interface Anal. 13 (1988) 63): all experiment modes, the scan modes
REGULAR, IRREGULAR (the abscissa is the first of the corresponding variables) and MAPPING, all techniques. Not read are files with
a list of parameters that later blocks leave out, and entries of a later version of the standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import facts, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST: Final = "VAMAS Surface Chemical Analysis Standard Data Transfer Format"
_METHODS: Final = {
    "XPS": "X-ray photoelectron spectroscopy",
    "UPS": "Ultraviolet photoelectron spectroscopy",
    "AES dir": "Auger electron spectroscopy",
    "AES diff": "Auger electron spectroscopy",
    "EDX": "Energy-dispersive X-ray spectroscopy",
    "ELS": "Electron energy-loss spectroscopy",
    "FABMS": "Fast atom bombardment mass spectrometry",
    "FABMS energy spec": "Fast atom bombardment mass spectrometry",
    "ISS": "Ion scattering spectroscopy",
    "SIMS": "Secondary ion mass spectrometry",
    "SIMS energy spec": "Secondary ion mass spectrometry",
    "SNMS": "Secondary neutral mass spectrometry",
    "SNMS energy spec": "Secondary neutral mass spectrometry",
    "XRF": "X-ray fluorescence",
}
_IONS: Final = frozenset(name for name in _METHODS if name.split()[0] in {"FABMS", "SIMS", "SNMS", "ISS"})
_PROFILES: Final = frozenset({"MAPDP", "MAPSVDP", "SDP", "SDPSV"})
_MAPS: Final = frozenset({"MAP", "MAPDP"})
_SCANNED: Final = frozenset({"MAPSV", "MAPSVDP", "SEM"})
_REGIONS: Final = frozenset({"MAP", "MAPDP", "NORM", "SDP"})
_MODES: Final = _PROFILES | _MAPS | _SCANNED | _REGIONS | {"NOEXP"}
_NO_UNIT: Final = frozenset({"d", "n", ""})
_MOST: Final = 1_000_000
_UNKNOWN: Final = "not specified"


@dataclass
class _Lines:
    """The file as a tape of values."""

    lines: Sequence[str]
    at: int = 0

    def text(self) -> str:
        if self.at >= len(self.lines):
            raise UnreadableError("This VAMAS file ends before its last block is complete.")
        self.at += 1
        return self.lines[self.at - 1].strip()

    def number(self) -> float:
        value = facts.number(self.text())
        if value is None:
            raise UnreadableError(f"Line {self.at} of this VAMAS file is no number.")
        return float(value)

    def count(self) -> int:
        value = self.number()
        if not 0 <= value <= _MOST:
            raise UnreadableError(f"Line {self.at} of this VAMAS file is no sensible count.")
        return int(value)

    def many(self, count: int) -> list[str]:
        return [self.text() for _ in range(count)]


def recognises(head: str, candidate: Candidate) -> str | None:
    """The standard's own first line."""
    del candidate
    return "first line VAMAS" if head.lstrip().startswith(FIRST) else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header and blocks by position: one table a block, counts against energy. Raises UnreadableError."""
    tape = _Lines(lines_of(text.text.lstrip()))
    header, variables = _header(tape)
    blocks, tables = [], []
    mode, scan = str(header["mode"]), str(header["scan mode"])
    for _ in range(min(tape.count(), 1000)):
        block, table = _block(tape, variables, mode, scan)
        blocks.append(block)
        tables.append(table)
    if not blocks:
        raise UnreadableError("This VAMAS file has no block.")
    first = blocks[0]
    samples = [str(block["sample"]) for block in blocks if block["sample"]]
    lines = [(table.columns[0], table.columns[1], table.title) for table in tables if table.rows > 1]
    title = str(samples[0] if samples else candidate.stem)
    return Reading(
        data_type="VAMAS",
        measurement=_METHODS.get(str(first["technique"]), ""),
        timestamp=str(first["time"]),
        instrument=header.get("instrument", ""),
        samples=tuple(samples),
        keywords=("VAMAS", str(first["technique"])),
        metadata={"header": header, "blocks": blocks},
        tables=tuple(tables),
        thumbnails=plots.drawn(lines, title=title, reverse="binding" in tables[0].columns[0].name, log_y=False),
    )


def _header(tape: _Lines) -> tuple[dict[str, Any], int]:
    """The experiment's lines, and how many experimental variables each block has."""
    tape.text()
    named = {key: tape.text() for key in ("institution", "instrument", "operator", "experiment")}
    header: dict[str, Any] = {key: value for key, value in named.items() if value.casefold() not in {"", _UNKNOWN}}
    header["comments"] = tape.many(tape.count())
    header["mode"], header["scan mode"] = tape.text(), tape.text()
    if header["mode"] not in _MODES or header["scan mode"] not in {"REGULAR", "IRREGULAR", "MAPPING"}:
        raise UnreadableError(f"VAMAS has no mode {header['mode']}, {header['scan mode']}.")
    if header["mode"] in _REGIONS:
        header["spectral regions"] = tape.count()
    if header["mode"] in _MAPS:
        header["map"] = {"positions": tape.count(), "x": tape.count(), "y": tape.count()}
    variables = tape.count()
    header["variables"] = [" ".join(tape.many(2)) for _ in range(variables)]
    if tape.number():
        raise UnreadableError("This VAMAS file leaves parameters out of its later blocks; such lists are not read.")
    tape.many(tape.count())  # items entered by hand
    upgrades, block_upgrades = tape.count(), tape.count()
    if block_upgrades:
        raise UnreadableError("This VAMAS file has entries of a later version of the standard.")
    tape.many(upgrades)
    return header, variables


def _block(tape: _Lines, variables: int, mode: str, scan: str) -> tuple[dict[str, Any], Table]:
    block: dict[str, Any] = {"name": tape.text(), "sample": tape.text()}
    block["time"] = _time([tape.number() for _ in range(7)])
    block["comments"] = tape.many(tape.count())
    technique = block["technique"] = tape.text()
    if technique not in _METHODS:
        raise UnreadableError(f"VAMAS has no technique {technique}.")
    if mode in _MAPS:
        block["position"] = {"x": tape.number(), "y": tape.number()}
    block["variables"] = tape.many(variables)
    block["source"] = tape.text()
    if mode in _PROFILES or technique in _IONS:
        block["sputtering ion"] = dict(
            zip(("atomic number", "atoms", "charge"), (tape.number() for _ in range(3)), strict=True)
        )
    block["source energy"] = Quantity(tape.number(), "eV")
    tape.many(3)  # strength, beam widths
    if mode in _MAPS | _SCANNED:
        block["field of view"] = {"x": Quantity(tape.number(), "µm"), "y": Quantity(tape.number(), "µm")}
    if mode in _SCANNED:
        tape.many(6)  # corners of the map
    tape.many(2)  # angles of incidence
    block["analyser mode"] = tape.text()
    block["pass energy or retard ratio"] = tape.number()
    if technique == "AES diff":
        block["differential width"] = tape.number()
    tape.many(1)  # magnification
    block["work function"] = Quantity(tape.number(), "eV")
    tape.many(5)  # bias, analysis widths, take-off angles
    block["species"], block["transition"] = tape.text(), tape.text()
    tape.many(1)  # charge of the detected particle
    abscissa = (tape.text(), tape.text(), tape.number(), tape.number()) if scan == "REGULAR" else None
    ordinates = [(tape.text(), tape.text()) for _ in range(min(tape.count(), 100))]
    block["signal mode"] = tape.text()
    block["collection time"] = Quantity(tape.number(), "s")
    block["scans"] = tape.count()
    tape.many(1)  # time correction
    if mode in _PROFILES and technique not in _IONS:
        names = ("energy", "current", "width x", "width y", "polar angle", "azimuth")
        block["sputtering source"] = {**{name: tape.number() for name in names}, "mode": tape.text()}
    tape.many(3)  # tilts, rotation
    block["parameters"] = {tape.text(): _quantity(tape.text(), tape.text()) for _ in range(tape.count())}
    table = _points(tape, str(block["name"]), abscissa, ordinates)
    return {key: value for key, value in block.items() if value not in ("", [], {}) or key == "sample"}, table


def _points(
    tape: _Lines, title: str, abscissa: tuple[str, str, float, float] | None, ordinates: Sequence[tuple[str, str]]
) -> Table:
    if not ordinates:
        raise UnreadableError("A block of this VAMAS file has no ordinate.")
    count = tape.count()
    tape.many(2 * len(ordinates))  # least and greatest values
    values = (
        np.array([tape.number() for _ in range(count)]).reshape(-1, len(ordinates))
        if not count % len(ordinates)
        else None
    )
    if values is None:
        raise UnreadableError("A block of this VAMAS file has an odd number of values.")
    columns = [
        Column(label, None if its in _NO_UNIT else its, values[:, index])
        for index, (label, its) in enumerate(ordinates)
    ]
    if abscissa is None and len(columns) > 1:
        return Table(title, tuple(columns))
    name, unit, start, step = abscissa or ("point", "", 1.0, 1.0)
    x = Column(name, None if unit in _NO_UNIT else unit, start + step * np.arange(len(values)))
    return Table(title, (x, *columns))


def _time(parts: Sequence[float]) -> str:
    """Year to second and the hours that the clock is ahead of GMT; -1 or another impossible value is no time."""
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts[:6])
        zone = timezone(timedelta(hours=parts[6]))
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).isoformat() if year > 1970 else ""  # noqa: PLR2004 epoch
    except (ValueError, OverflowError):
        return ""


def _quantity(unit: str, text: str) -> Any:
    value = facts.number(text)
    if value is None:
        return text
    return value if unit in _NO_UNIT else Quantity(value, unit)
