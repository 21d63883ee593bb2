"""BioLogic's EC-Lab texts: data (`.mpt`), logs (`.mpl`) and settings (`.mps`).

Sources: the EC-Lab manual ("Nb header lines", names in the last of them as `Ewe/V`) and files of EC-Lab 11. Dates have the month first. A
technique's settings stand in columns of 20 characters: name, then one value for each sequence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates
from ingestors.dat.electrochemistry import curves, method_of
from ingestors.dat.reading import Reading
from ingestors.tables import numbers
from ingestors.textfile import Decoded, lines_of
from ingestors.textvalues import gathered, typed
from ingestors.units import looks_like_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingestors.tables import Table

_FIRST: Final = re.compile(r"\ufeff?(?:EC-Lab|BT-Lab) (ASCII|LOG|SETTINGS?) FILE", re.IGNORECASE)
_WIDTH: Final = 20
_COLUMNS: Final = re.compile(r"(mode|freq/Hz|Ewe|time/s)\b.*\t")
_DATES: Final = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y")
_KINDS: Final = {
    "ASCII": "EC-Lab text",
    "LOG": "EC-Lab log",
    "SETTING": "EC-Lab settings",
    "SETTINGS": "EC-Lab settings",
}


def recognises(head: str, candidate: Candidate) -> str | None:
    """`EC-Lab ASCII FILE`, `EC-Lab LOG FILE` or `EC-LAB SETTING FILE` in the first line."""
    del candidate
    match = _FIRST.match(head)
    return f"first line {match[0].lstrip(chr(0xFEFF))}" if match else None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header, settings of the techniques, and the table of a data file. Raises UnreadableError."""
    lines = lines_of(text.text)
    match = _FIRST.match(lines[0])
    kind = match[1].upper() if match else "ASCII"
    tables, warnings, header = _table(lines) if kind == "ASCII" else ((), (), lines)
    comma = (
        re.search(r"\d,\d", "\n".join(header)) is not None
        and re.search(r"(?<![v\d.])\d+\.\d{3}(?!\d)", "\n".join(header)) is None
    )
    fields, techniques = _fields(header[1:], comma=comma)
    written = str(fields.get("Acquisition started on", ""))
    when = dates.parse(written, _DATES) if written else dates.NEVER
    technique = str(techniques[0]["technique"]) if techniques else ""
    device = str(fields.get("Device", "")).partition("(")[0].strip()
    return Reading(
        data_type=_KINDS[kind],
        measurement=method_of(technique, technique) or technique,
        timestamp=when.iso,
        instrument=f"BioLogic {device}".strip(),
        keywords=("electrochemistry",),
        metadata={
            **fields,
            **(techniques[0] if len(techniques) == 1 else {"techniques": techniques} if techniques else {}),
        },
        tables=tables,
        thumbnails=curves(tables, candidate.stem) if tables else (),
        warnings=(*when.warnings, *warnings),
    )


def _table(lines: Sequence[str]) -> tuple[tuple[Table, ...], tuple[str, ...], Sequence[str]]:
    match = re.search(r"Nb header lines\s*:\s*(\d{1,6})(?!\d)", "\n".join(lines[:5]))
    found = next((index + 1 for index, line in enumerate(lines[:2000]) if _COLUMNS.match(line)), 0)
    count = int(match[1]) if match and not found else found
    if not 0 < count < len(lines):
        raise UnreadableError("This EC-Lab file has no points yet.")
    titles = [_slashed(name) for name in lines[count - 1].rstrip("\t\r\n").split("\t")]
    rows = [line for line in lines[count:] if line.strip()]
    names, units = [name for name, _ in titles], [unit for _, unit in titles]
    table, warnings = numbers(rows, names=names, units=units, delimiter="\t")
    return (table,), warnings, lines[: count - 1]


def _fields(lines: Iterable[str], *, comma: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header's fields, and each technique with its settings: names in the first 20 characters, a value for each sequence."""
    top: list[tuple[str, Any]] = []
    techniques: list[tuple[str, list[tuple[str, Any]]]] = []
    expected = True
    for line in lines:
        bare = line.strip()
        key, colon, value = (part.strip() for part in line.partition(" :" if " :" in line else ":"))
        if not bare:
            continue
        if key == "Technique" and value.isdigit():
            expected = True
        elif " :" in line or (colon and not value):
            if value and key != "Nb header lines":
                top.append(typed(key, value, decimal_comma=comma))
        elif expected and not re.search(r"\s{3,}", bare):
            techniques.append((bare, []))
            expected = False
        elif techniques and len(line) > _WIDTH:
            values = [cell for cell in re.split(r"\s{2,}", line[_WIDTH:].strip()) if cell]
            if values:
                techniques[-1][1].append(_setting(line[:_WIDTH].strip(), values, comma=comma))
    return gathered(top), [{"technique": name, "settings": gathered(found)} for name, found in techniques]


def _setting(key: str, values: list[str], *, comma: bool) -> tuple[str, Any]:
    found = [typed(key, value, decimal_comma=comma) for value in values]
    return found[0] if len(found) == 1 else (key, [value for _, value in found])


def _slashed(title: str) -> tuple[str, str | None]:
    name, slash, unit = title.strip().rpartition("/")
    known = slash and name and not name.endswith("(") and looks_like_unit(unit)
    return (name, unit) if known else (title.strip(), None)
