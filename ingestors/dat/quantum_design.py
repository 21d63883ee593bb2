"""Quantum Design MultiVu data files (PPMS, DynaCool, VersaLab, MPMS 3): `[Header]` of comma lines, `[Data]` of comma-separated values.

Source: the header's own key words (Quantum Design application note 1070-207): BYAPP, FILEOPENTIME (a clock, then M/D/Y), INFO with value and
name, in the ACMS option of 1999 name and value.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail

_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_METHODS: Final = (
    (r"ACMS", "AC magnetometry"),
    (r"VSM|MPMS|SQUID|ETOMAG|EVERCOOL MAG", "Magnetometry"),
    (r"TRANSPORT|RESIST|ETO|RESTY", "Electrical transport"),
    (r"HEAT ?CAP", "Heat capacity"),
    (r"TTO|THERMAL", "Thermal transport"),
    (r"TORQ", "Torque magnetometry"),
    (r"DILAT", "Dilatometry"),
)
_ORDINATES: Final = (
    r"^(DC )?Moment( Fixed Ctr| Free Ctr)?$", r"^M'$", r"^M-DC$", r"^Res\. ch1|Bridge 1 Resist|^Resistivity Ch1|^Res\.", r"^Hall ch1", r"^Samp HC$", r"Heat Capacity",
    r"Conductivity", r"^Moment",
)  # fmt: skip


def recognises(head: str, candidate: Candidate) -> str | None:
    """`[Header]` in the first line and a MultiVu key word after it."""
    del candidate
    if not re.match(r"\ufeff?\s*\[Header\]", head, re.IGNORECASE):
        return None
    match = re.search(r"^(BYAPP|FILEOPENTIME|STARTUPAXIS),", head, re.MULTILINE) or re.search(
        r"^; .*(Quantum Design)", head, re.MULTILINE
    )
    return f"[Header] with {match[1]}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The header's keys and sample information, and the columns with units. Raises UnreadableError without `[Data]`."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.strip().casefold() == "[data]"), None)
    if start is None or len(lines) < start + 2:
        raise UnreadableError("This Quantum Design file has no [Data] section yet.")
    header, info = _header(lines[1:start])
    titles = [split_name(name) for name in next(csv.reader([lines[start + 1]]))]
    # Empty cells at the end of a row may be left out together with their commas.
    rows = [line + "," * (len(titles) - 1 - line.count(",")) for line in lines[start + 2 :] if line.strip()]
    names, units = [name for name, _ in titles], [unit for _, unit in titles]
    table, warnings = (
        numbers(rows, names=names, units=units, delimiter=",", decimal_comma=False)
        if rows
        else (Table("", tuple(Column(name, unit, np.empty(0)) for name, unit in titles)), ())
    )
    app, appname = str(header.get("BYAPP", "")).split(",")[0].strip(), str(info.get("APPNAME", ""))
    when = _when(str(header.get("FILEOPENTIME", "")))
    product = _product(app, appname)
    title = str(header.get("TITLE", "")).strip()
    samples = [str(value) for key, value in info.items() if re.fullmatch(r"SAMPLE\d*_MATERIAL", key)]
    return Reading(
        data_type=f"Quantum Design {product} {'' if app == product else app} data".replace("  ", " "),
        measurement=next(
            (method for pattern, method in _METHODS if re.search(pattern, app or appname, re.IGNORECASE)), ""
        ),
        name=title,
        timestamp=when.iso,
        instrument=f"Quantum Design {product}" if product else "",
        samples=tuple(samples),
        keywords=("Quantum Design", product),
        metadata={"header": header, "info": info},
        tables=(table,),
        thumbnails=_thumbnails(table, title or next(iter(samples), "") or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _header(lines: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    header: dict[str, Any] = {}
    info: dict[str, Any] = {}
    for line in lines:
        if line.startswith(";"):
            header.setdefault("comments", []).append(line[1:].strip())
            continue
        key, _, rest = line.partition(",")
        if not rest.strip(", "):
            continue
        if key.strip().upper() == "INFO":
            name, value = _information(rest)
            info[name] = value
        elif key in header:
            known = header[key]
            header[key] = [*(known if isinstance(known, list) else [known]), rest.strip()]
        else:
            header[key.strip()] = rest.strip()
    return header, info


def _information(rest: str) -> tuple[str, Any]:
    """`value,NAME` (the name in capitals, last), or `name,value` as the oldest options wrote it."""
    before, _, last = rest.rpartition(",")
    if before and _KEY.fullmatch(last.strip()) and len(last.strip()) > 1:
        return last.strip(), value_of(before.strip())
    name, _, value = rest.partition(",")
    return name.strip(), value_of(value.strip())


def _when(text: str) -> dates.Moment:
    """`3907407619.14,10/25/2023,3:00 pm` or `12212238.42,,1/10/2022 15:29:28`: a clock of its own, then month first."""
    return dates.parse(" ".join(text.split(",")[1:]), dates.US)


def _product(app: str, appname: str) -> str:
    match = re.search(r"MPMS ?3|MPMS|DynaCool|VersaLab|PPMS", f"{app} {appname}", re.IGNORECASE)
    return match[0] if match else "MultiVu"


def _thumbnails(table: Table, title: str) -> tuple[Thumbnail, ...]:
    """The main quantity against what was varied most: field, temperature, frequency, angle, or time."""
    y = plots.find(table, *_ORDINATES)
    if y is None:
        return plots.charts([table], title=title)
    axes = [
        plots.find(table, pattern)
        for pattern in (
            r"^(Magnetic )?Field$",
            r"^(Sample )?Temp(erature)?$",
            r"^Frequency",
            r"^(Sample )?Position$",
            r"^Time Stamp",
        )
    ]
    known = np.isfinite(y.values)
    varied = [(_steps(column, known), column) for column in axes if column is not None]
    if not varied:
        return plots.charts([table], title=title)
    x = max(varied[:-1] or varied, key=lambda pair: pair[0])[1]
    return plots.drawn([(x, y, "")], title=title)


def _steps(column: Column, known: Any) -> int:
    """How many distinct settings a quantity took, its noise aside."""
    values = column.values[known & np.isfinite(column.values)]
    span = np.ptp(values) if values.size else 0.0
    if span <= 1e-3 * (np.max(np.abs(values)) if values.size else 1.0):
        return 0
    return int(np.unique(np.round(values / span, 3)).size)
