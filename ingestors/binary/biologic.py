"""BioLogic EC-Lab's binary data (`.mpr`).

Source: the modules as `galvani` and `yadg` document them: 52 bytes of title, then modules `MODULE`, short name (10), long name (25), lengths, version, date; in `VMP data` the
number of points, of columns and their ids, and the records; in `VMP LOG` the start as days since 1899-12-30; in `VMP Set` the technique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.binary import times
from ingestors.columns import Column, Table
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.units import split_title

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.binary.source import Source

MAGIC: Final = b"BIO-LOGIC MODULAR FILE\x1a"
_TITLE: Final = 52
_MOST_MODULES: Final = 64
_TECHNIQUES: Final = {
    4: "Galvanostatic cycling with potential limitation", 6: "Cyclic voltammetry", 11: "Open circuit voltage", 24: "Chronoamperometry", 25: "Chronopotentiometry",
    28: "Wait", 29: "Potentio electrochemical impedance spectroscopy", 30: "Galvano electrochemical impedance spectroscopy", 103: "Open circuit voltage",
    108: "Linear sweep voltammetry", 119: "Galvanostatic cycling with potential limitation", 127: "Modulo bat", 155: "Loop",
}  # fmt: skip
_FLAGS: Final = {
    1: ("mode", 0x03, 0),
    2: ("ox/red", 0x04, 2),
    3: ("error", 0x08, 3),
    21: ("control changes", 0x10, 4),
    31: ("Ns changes", 0x20, 5),
    65: ("counter inc.", 0x80, 7),
}
_COLUMNS: Final = {
    4: ("time (s)", "<f8"), 5: ("control (V or mA)", "<f4"), 6: ("Ewe (V)", "<f4"), 7: ("dq (mA.h)", "<f8"), 8: ("I (mA)", "<f4"), 9: ("Ece (V)", "<f4"),
    11: ("<I> (mA)", "<f8"), 13: ("Q-Qo (mA.h)", "<f8"), 16: ("Analog IN 1 (V)", "<f4"), 17: ("Analog IN 2 (V)", "<f4"), 19: ("control (V)", "<f4"),
    20: ("control (mA)", "<f4"), 23: ("dQ (mA.h)", "<f8"), 24: ("cycle number", "<f8"), 26: ("Rapp (Ohm)", "<f4"), 27: ("Ewe-Ece (V)", "<f4"),
    32: ("freq (Hz)", "<f4"), 33: ("|Ewe| (V)", "<f4"), 34: ("|I| (A)", "<f4"), 35: ("Phase(Z) (deg)", "<f4"), 36: ("|Z| (Ohm)", "<f4"),
    37: ("Re(Z) (Ohm)", "<f4"), 38: ("-Im(Z) (Ohm)", "<f4"), 39: ("I Range", "<u2"), 69: ("R (Ohm)", "<f4"), 70: ("P (W)", "<f4"), 74: ("|Energy| (W.h)", "<f8"),
    75: ("Analog OUT (V)", "<f4"), 76: ("<I> (mA)", "<f4"), 77: ("<Ewe> (V)", "<f4"), 96: ("|Ece| (V)", "<f4"), 98: ("Phase(Zce) (deg)", "<f4"),
    99: ("|Zce| (Ohm)", "<f4"), 100: ("Re(Zce) (Ohm)", "<f4"), 101: ("-Im(Zce) (Ohm)", "<f4"), 123: ("Energy charge (W.h)", "<f8"),
    124: ("Energy discharge (W.h)", "<f8"), 131: ("Ns", "<u2"), 168: ("Rcmp (Ohm)", "<f4"), 174: ("<Ewe> (V)", "<f4"), 178: ("Q-Qo (C)", "<f4"), 179: ("dQ (C)", "<f4"),
    211: ("Q charge/discharge (mA.h)", "<f8"), 212: ("half cycle", "<u4"), 213: ("z cycle", "<u4"), 434: ("Q-Qo (C)", "<f4"), 435: ("dQ (C)", "<f4"),
    438: ("step time (s)", "<f8"), 462: ("Temperature (°C)", "<f4"), 467: ("Q charge/discharge (mA.h)", "<f8"), 468: ("half cycle", "<u4"), 469: ("z cycle", "<u4"),
    471: ("<Ece> (V)", "<f4"), 498: ("Q charge (mA.h)", "<f8"), 499: ("Q discharge (mA.h)", "<f8"), 500: ("step time (s)", "<f8"), 501: ("Efficiency (%)", "<f8"),
    502: ("Capacity (mA.h)", "<f8"), 505: ("Rdc (Ohm)", "<f4"),
}  # fmt: skip
_NYQUIST: Final = (r"^Re\(Z\)$", r"^-Im\(Z\)$")
_SWEEP: Final = (r"^<?Ewe>?$", r"^<?I>?$")
_PAIRS: Final = ((r"^time$", r"^<?Ewe>?$"), (r"^time$", r"^<?I>?$"))


@dataclass(frozen=True)
class _Module:
    name: str
    long_name: str
    offset: int
    length: int
    version: int
    date: str


def recognises(candidate: Candidate) -> str | None:
    """The title."""
    return "signature BIO-LOGIC MODULAR FILE" if candidate.head.startswith(MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The records as a table if every column is known; technique, points and start in any case."""
    modules = {module.name: module for module in _modules(source)}
    setting, data, log = (modules.get(name) for name in ("VMP Set", "VMP data", "VMP LOG"))
    technique = (
        _TECHNIQUES.get(source.number("B", setting.offset), "") if setting is not None and setting.length else ""
    )
    table, warnings, about = (
        _table(source, data) if data is not None else (None, ["The file holds no data module yet."], {})
    )
    when = _start(source, log)
    if not when.iso and setting is not None:
        when = _day(setting.date)
    tables = (table,) if table is not None else ()
    return Reading(
        data_type="BioLogic EC-Lab data",
        measurement=technique if technique not in {"Wait", "Loop", "Modulo bat"} else "",
        timestamp=when.iso,
        instrument="BioLogic",
        keywords=("electrochemistry",),
        metadata={
            "technique": technique or "unknown",
            "modules": {one.name: {"version": one.version, "date": one.date} for one in modules.values()},
            **about,
        },
        tables=tables,
        thumbnails=_picture(table, technique, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _modules(source: Source) -> list[_Module]:
    found: list[_Module] = []
    at = _TITLE
    while at + 57 <= source.size and len(found) < _MOST_MODULES and source.read(at, 6) == b"MODULE":
        name, long_name = source.text(at + 6, 10), source.text(at + 16, 25)
        newer = source.number("<I", at + 41) == 0xFFFFFFFF
        shift = at + 41 + (4 if newer else 0)
        length, version = source.unpack("<II", shift)
        date_at = shift + 8 + (4 if newer else 0)
        start = date_at + 8
        found.append(
            _Module(name, long_name, start, min(length, max(source.size - start, 0)), version, source.text(date_at, 8))
        )
        at = start + length
    if not found:
        raise UnreadableError("The EC-Lab file holds no module.")
    return found


def _table(source: Source, module: _Module) -> tuple[Table | None, list[str], dict[str, Any]]:
    points, count = source.unpack("<IB", module.offset)
    wide = module.version >= 2
    ids = [
        int(one)
        for one in (
            source.unpack(f"<{count}H", module.offset + 5) if wide else source.unpack(f"<{count}B", module.offset + 5)
        )
    ]
    about = {"points": points}
    unknown = sorted({one for one in ids if one not in _COLUMNS and one not in _FLAGS})
    if unknown:
        return (
            None,
            [
                f"The columns {', '.join(map(str, unknown))} of this EC-Lab file are not known here; its points were not read."
            ],
            about,
        )
    start = module.offset + {0: 100, 1: 100, 2: 405, 3: 406}.get(module.version, 1007)
    fields: list[tuple[str, str]] = []
    for one in ids:
        if one in _FLAGS:
            fields += [("flags", "u1")] if ("flags", "u1") not in fields else []
        else:
            fields.append((f"{one}.{len(fields)}", _COLUMNS[one][1]))
    kind = np.dtype(fields)
    if not kind.itemsize or not points:
        return None, ["The file holds no points yet."], about
    values, chosen = source.array(start, kind, (points,))
    warnings = (
        [f"The file is cut off or long: {len(chosen)} of {points} points were read."] if len(chosen) < points else []
    )
    columns: list[Column] = []
    for one in ids:
        if one in _FLAGS:
            name, mask, shift = _FLAGS[one]
            columns.append(Column(name, None, ((values["flags"] & mask) >> shift).astype(np.float64)))
    for key, _ in fields:
        if key != "flags":
            name, unit = split_title(_COLUMNS[int(key.partition(".")[0])][0])
            columns.append(Column(name, unit, values[key].astype(np.float64)))
    return Table("", tuple(columns)), warnings, about


def _start(source: Source, log: _Module | None) -> dates.Moment:
    """The start of the acquisition in the log, at one of the places where the versions put it."""
    if log is None:
        return dates.NEVER
    for offset in (465, 469, 473, 585):
        if log.length >= offset + 8:
            days = source.number("<d", log.offset + offset)
            if 35_000 < days < 60_000:  # years 1995 to 2064
                return times.days(round(days * 86400) / 86400)
    return dates.NEVER


def _day(text: str) -> dates.Moment:
    return dates.parse(text, ("%m/%d/%y", "%m-%d-%y", "%m.%d.%y")) if text else dates.NEVER


def _picture(table: Table | None, technique: str, title: str) -> tuple[Thumbnail, ...]:
    """Impedances as a Nyquist plot, sweeps as current over potential, all else over time."""
    if table is None:
        return ()
    pairs = [_NYQUIST, *([_SWEEP] if "voltammetry" in technique else []), *_PAIRS]
    for across, up in pairs:
        x, y = plots.find(table, across), plots.find(table, up)
        if x is not None and y is not None and np.ptp(x.values) > 0:
            return plots.drawn([(x, y, "")], title=title, log_y=False)
    return plots.charts([table], title=title)
