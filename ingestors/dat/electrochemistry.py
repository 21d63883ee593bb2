"""Potentiostat files of Gamry, `.dta`: `EXPLAIN`, typed keys, tables; and the pictures of all of them.

Source: gamry-parser's reader (key, type, value, label with unit; tables with a line of names and a line of units).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail

_METHODS: Final = (
    (r"EIS|HYBRID|PEIS|GEIS|Impedance", "Electrochemical impedance spectroscopy"),
    (r"CHRONOA|Chronoamperometry", "Chronoamperometry"),
    (r"CHRONOP|Chronopotentiometry", "Chronopotentiometry"),
    (r"^CV|Cyclic Voltammetry", "Cyclic voltammetry"),
    (r"^LSV|Linear Sweep", "Linear sweep voltammetry"),
    (r"CORPOT|Open Circuit", "Open circuit potential"),
    (r"PWR|Galvanostatic Cycling|GCPL", "Galvanostatic cycling"),
)
_LABEL_TYPES: Final = frozenset(
    {"LABEL", "PSTAT", "SELECTOR", "TOGGLE", "IQUANT", "QUANT", "POTEN", "TWOPARAM", "ONEPARAM", "CNTRLSEL"}
)


def recognises_gamry(head: str, candidate: Candidate) -> str | None:
    """`EXPLAIN`, then `TAG`."""
    del candidate
    match = re.match(r"\ufeff?EXPLAIN\s*\n\s*TAG\t(\w+)", head)
    return f"EXPLAIN, TAG {match[1]}" if match else None


def read_gamry(text: Decoded, candidate: Candidate) -> Reading:
    """The typed keys with the units of their labels, and every table. The order of day and month is the computer's own."""
    lines = lines_of(text.text)
    comma = bool(re.search(r"\t-?\d+,\d+", text.text)) and not re.search(r"\t-?\d+\.\d+", text.text)
    fields, tables, warnings = _gamry_parts(lines, comma=comma)
    if not tables:
        raise UnreadableError("This Gamry file has no table of points yet.")
    tag = str(fields.get("TAG", ""))
    when = dates.undecided(f"{fields.get('DATE', '')} {fields.get('TIME', '')}") if fields.get("DATE") else dates.NEVER
    title = str(fields.get("TITLE", ""))
    if fields.get("EXPERIMENTABORTED") is True:
        warnings.append("The experiment was aborted.")
    return Reading(
        data_type="Gamry DTA",
        measurement=method_of(tag, title),
        name=title,
        timestamp=when.iso,
        instrument=f"Gamry {fields['PSTAT']}" if fields.get("PSTAT") else "Gamry",
        keywords=("electrochemistry", tag),
        metadata=fields,
        tables=tuple(tables),
        thumbnails=curves(tables, title or candidate.stem),
        warnings=(*when.warnings, *dict.fromkeys(warnings)),
    )


def _gamry_parts(lines: Sequence[str], *, comma: bool) -> tuple[dict[str, Any], list[Table], list[str]]:
    fields: dict[str, Any] = {}
    tables: list[Table] = []
    warnings: list[str] = []
    index = 0
    while index < len(lines):
        parts = lines[index].rstrip().split("\t")
        index += 1
        if len(parts) > 1 and parts[1] == "TABLE" and parts[0]:
            end = next(
                (at for at in range(index, len(lines)) if lines[at].strip() and not lines[at].startswith("\t")),
                len(lines),
            )
            table, found = _gamry_table(parts[0], [line[1:] for line in lines[index:end] if line.strip()], comma=comma)
            tables += [table] if table is not None else []
            warnings += found
            index = end
        elif len(parts) > 1 and parts[1] == "NOTES":
            count = int(parts[2]) if len(parts) > 2 and re.fullmatch("[0-9]{1,4}", parts[2]) else 0  # noqa: PLR2004 key, type, count
            fields[parts[0]] = "\n".join(
                line.strip() for line in lines[index : index + min(count, 1000)] if line.startswith("\t")
            )
        elif len(parts) > 1 and parts[0]:
            fields[parts[0]] = (
                _gamry_value(parts[1], parts[2:], comma=comma) if parts[1] in _LABEL_TYPES else value_of(parts[1])
            )
    return fields, tables, warnings


def _gamry_value(kind: str, rest: Sequence[str], *, comma: bool) -> Any:
    """The value, with the unit that the label ends in: `0.5`, `Step 1 Voltage (V)`."""
    text = rest[0].strip() if rest else ""
    if kind == "TOGGLE" or (kind in {"TWOPARAM", "ONEPARAM"} and len(rest) < 3):  # noqa: PLR2004 on or off, values, label
        return text == "T"
    if kind in {"TWOPARAM", "ONEPARAM"}:
        return {
            "on": text == "T",
            "values": [_number(part, comma=comma) for part in rest[1:3]],
            "label": " ".join(rest[3:]).replace("&", ""),
        }
    value = _number(text, comma=comma) if kind in {"QUANT", "IQUANT", "POTEN", "SELECTOR"} else text
    _, unit = split_name(rest[-1].replace("&", "")) if len(rest) > 1 else ("", None)
    return Quantity(value, unit) if unit and isinstance(value, (int, float)) else value


def _number(text: str, *, comma: bool) -> Any:
    return value_of(text.replace(",", ".") if comma else text)


def _gamry_table(title: str, lines: Sequence[str], *, comma: bool) -> tuple[Table | None, tuple[str, ...]]:
    if len(lines) < 3:  # noqa: PLR2004 names, units, a row
        return None, ()
    names = lines[0].rstrip().split("\t")
    units = [None if unit in {"#", ""} else unit for unit in lines[1].rstrip().split("\t")]
    return numbers(lines[2:], names=names, units=units, title=title, delimiter="\t", decimal_comma=comma)


def method_of(tag: str, title: str) -> str:
    """The field's name of the technique, or an empty text."""
    return next(
        (method for pattern, method in _METHODS if re.search(pattern, tag, re.IGNORECASE) or re.search(pattern, title)),
        "",
    )


def curves(tables: Sequence[Table], title: str) -> tuple[Thumbnail, ...]:
    """Nyquist's plot of an impedance, current against potential where that was cycled, else against time."""
    lines = []
    for table in tables:
        real, imaginary = plots.find(table, r"^Zreal$", r"^Re\(Z\)$"), plots.find(table, r"^Zimag$", r"^-?Im\(Z\)$")
        current, voltage = (
            plots.find(table, r"^Im$", r"^<?I>?$", r"^I"),
            plots.find(table, r"^Vf$", r"^<?Ewe>?$", r"^Ewe"),
        )
        time = plots.find(table, r"^T$", r"^time")
        if real is not None and imaginary is not None:
            sign = 1 if imaginary.name.startswith("-") else -1
            lines.append(
                (
                    real,
                    Column(
                        imaginary.name if sign == 1 else f"-{imaginary.name}", imaginary.unit, sign * imaginary.values
                    ),
                    table.title,
                )
            )
        elif current is not None and (x := _swept(voltage, time)) is not None:
            lines.append((x, current, table.title))
    if not lines:
        return plots.charts(tables, title=title)
    nyquist = lines[0][1].name.startswith("-")
    return plots.drawn(lines, title=title, log_x=False, log_y=False, equal=nyquist)


def _swept(voltage: Column | None, time: Column | None) -> Column | None:
    """The potential if it goes through many values, else the time."""
    if voltage is not None and len({round(value, 3) for value in voltage.values.tolist()}) > 0.3 * voltage.values.size:
        return voltage
    return time or voltage
