"""CIF: crystallographic information, and the powder patterns in it (pdCIF).

Source: Hall, Allen and Brown, Acta Cryst. A47 (1991) 655; the powder dictionary (`_pd_`) of the IUCr. A number may carry its
uncertainty in brackets, `5.6402(2)`; `.` and `?` say that there is no value. Times are ISO 8601.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_TOKEN: Final = re.compile(
    r"^;(?P<text>.*?)^;|(?P<comment>#[^\n]*)|'(?P<single>[^'\n]*)'(?=\s|\Z)|\"(?P<double>[^\"\n]*)\"(?=\s|\Z)|(?P<word>\S+)",
    re.MULTILINE | re.DOTALL,
)
_UNCERTAIN: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?")
_UNITS: Final = (
    (r"2theta|_angle_|_theta", "deg"),
    (r"_cell_length|wavelength|d_spacing", "Å"),
    (r"time_of_flight", "µs"),
    (r"temperature", "K"),
    (r"cell_volume", "Å^3"),
)
_WANTED: Final = re.compile(
    r"_(?:pd_|diffrn|cell_|chemical_|exptl_|symmetry_space|space_group_name|audit_|refine_ls|journal_|publ_)"
)
_MOST_FIELDS: Final = 400
_MOST_TOKENS: Final = 5_000_000
_LONGEST: Final = 2000


def recognises(head: str, candidate: Candidate) -> str | None:
    """`data_…` at the beginning of a line and a tag `_…` below it."""
    del candidate
    match = re.search(r"^data_\S*", head, re.MULTILINE | re.IGNORECASE)
    return (
        f"block {match[0][:60]}"
        if match and re.search(r"^\s*(?:_[a-z]|loop_)", head[match.end() :], re.MULTILINE)
        else None
    )


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The fields of each block, and the loops of `_pd_` numbers as tables."""
    blocks: dict[str, dict[str, Any]] = {}
    tables: list[Table] = []
    for name, tags, values in _items(text.text):
        block = blocks.setdefault(name, {})
        if len(tags) > 1 or len(values) > 1:
            table = _table(name, tags, values)
            if table is not None:
                tables.append(table)
        elif values and values[0] not in {".", "?"} and len(block) < _MOST_FIELDS:
            block[tags[0].lstrip("_")] = _typed(tags[0], values[0])
    blocks = {name: block for name, block in blocks.items() if block} or blocks
    flat = {key: value for block in reversed(list(blocks.values())) for key, value in block.items()}
    times = ("pd_meas_datetime_initiated", "diffrn_measurement_datetime", "audit_creation_date")
    written = next((str(flat[key]) for key in times if key in flat), "")
    when = dates.iso(written) if re.match(r"\d{4}-\d\d-\d\d", written) else dates.NEVER
    neutrons = "neutron" in str(flat.get("diffrn_radiation_probe", "")) + str(flat.get("diffrn_radiation_type", ""))
    sample = str(flat.get("pd_char_name", flat.get("chemical_name_common", flat.get("chemical_formula_sum", ""))))
    return Reading(
        data_type="CIF powder pattern" if tables else "CIF crystal structure",
        measurement=("Neutron diffraction" if neutrons else "X-ray diffraction") if tables else "Crystal structure",
        timestamp=when.iso,
        instrument=str(flat.get("diffrn_measurement_device_type", flat.get("pd_instr_location", ""))).strip(),
        samples=(sample,),
        keywords=("CIF",),
        metadata=next(iter(blocks.values())) if len(blocks) == 1 else blocks,
        tables=tuple(tables),
        thumbnails=plots.charts(tables[:1], title=candidate.stem) if tables else (),
        warnings=when.warnings,
    )


def _items(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Block name, tags and values of each item or loop."""
    block, tags, values, looping = "", list[str](), list[str](), False
    for count, match in enumerate(_TOKEN.finditer(text)):
        if match["comment"] is not None or count > _MOST_TOKENS:
            continue
        word = match["word"]
        lower = word.casefold() if word is not None and len(word) <= _LONGEST else ""
        starts = lower.startswith(("data_", "_")) or lower == "loop_"
        if starts and tags and (values or not looping or not lower.startswith("_")):
            yield block, tags, values
            tags, values, looping = [], [], False
        if lower.startswith("data_"):
            block = word[len("data_") :]
        elif lower == "loop_":
            tags, values, looping = [], [], True
        elif lower.startswith("_"):
            tags.append(word)
        elif tags:
            values.append(
                next(part for part in (match["text"], match["single"], match["double"], word) if part is not None)
            )
    if tags:
        yield block, tags, values


def _table(block: str, tags: Sequence[str], values: Sequence[str]) -> Table | None:
    """A loop of powder data as columns; no other loop."""
    if not any(tag.startswith(("_pd_meas", "_pd_proc", "_pd_calc", "_pd_data")) for tag in tags) or len(
        values
    ) < 3 * len(tags):
        return None
    columns = []
    for index, tag in enumerate(tags):
        cells = [_number(value) for value in values[index :: len(tags)]]
        rows = len(values) // len(tags)
        columns.append(Column(tag.lstrip("_"), _unit(tag), np.array(cells[:rows])))
    return Table(block, tuple(columns))


def _number(value: str) -> float:
    match = _UNCERTAIN.fullmatch(value)
    return float(match[1]) if match else float("nan")


def _unit(tag: str) -> str | None:
    return next((unit for pattern, unit in _UNITS if re.search(pattern, tag)), None)


def _typed(tag: str, text: str) -> Any:
    match, unit = _UNCERTAIN.fullmatch(text), _unit(tag)
    if match:
        number = float(match[1])
        return Quantity(number, unit) if unit else value_of(match[1])
    return " ".join(text.split())[:_LONGEST]
