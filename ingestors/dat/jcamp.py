"""JCAMP-DX (`.jdx`, `.dx`, `.jcm`): spectra of all kinds, one or several in a file, with plain or packed numbers.

Sources: McDonald and Wilks, Applied Spectroscopy 42 (1988) 151 (4.24); Lampen et al. 48 (1994) 1545 (5.00, NTUPLES); the
test files of jcamp-dx.org. Dates are year/month/day. A label's blanks, `-`, `/` and `_` do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import UnreadableError
from ingestors.dat import dates, methods, plots
from ingestors.dat.asdf import PackedError, unpacked
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, value_of
from ingestors.textfile import lines_of
from ingestors.textvalues import gathered, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_RECORD: Final = re.compile(r"\s*##([^=]{0,80})=(.*)")
_DATA: Final = frozenset(
    {"XYDATA", "XYPOINTS", "PEAKTABLE", "PEAKASSIGNMENTS", "RADATA", "DATATABLE", "XYDATAOLD", "MASSSPECTRUM"}
)
_NAMES: Final = {
    "1/CM": "Wavenumber", "CM-1": "Wavenumber", "CM^-1": "Wavenumber", "NANOMETERS": "Wavelength", "NANOMETRES": "Wavelength",
    "NM": "Wavelength", "MICROMETERS": "Wavelength", "HZ": "Frequency", "PPM": "Chemical shift", "M/Z": "m/z", "SECONDS": "Time",
    "MINUTES": "Time", "MILLISECONDS": "Time", "2-THETA": "2theta", "DEGREES": "2theta", "EV": "Energy", "MEV": "Energy", "GAUSS": "Field",
}  # fmt: skip
_QUANTITIES: Final = (
    "TRANSMITTANCE",
    "ABSORBANCE",
    "REFLECTANCE",
    "KUBELKA-MUNK",
    "RELATIVE ABUNDANCE",
    "RELATIVE INTENSITY",
    "INTENSITY",
)
_METHODS: Final = {
    "INFRARED": "Infrared spectroscopy", "RAMAN": "Raman spectroscopy", "NMR": "Nuclear magnetic resonance",
    "MASS": "Mass spectrometry", "UV": "UV-Vis spectroscopy", "ULTRAVIOLET": "UV-Vis spectroscopy", "VISIBLE": "UV-Vis spectroscopy", "X-RAY": "X-ray diffraction", "POWDER": "X-ray diffraction",
    "ION MOBILITY": "Ion mobility spectrometry", "EPR": "Electron paramagnetic resonance", "ESR": "Electron paramagnetic resonance",
    "CIRCULAR": "Circular dichroism", "FLUORESCENCE": "Fluorescence spectroscopy", "NEUTRON": "Neutron scattering",
    "THERMOGRAV": "Thermogravimetry", "CHROMATO": "Chromatography", "INELASTIC": "Inelastic neutron scattering",
    "GAS CHROM": "Gas chromatography", "NEAR INFRARED": "Near-infrared spectroscopy",
}  # fmt: skip


@dataclass
class _Block:
    """One block from `##TITLE=` to `##END=`: labels as written with their texts, data sections with their lines."""

    records: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[dict[str, str], str, str, list[str]]] = field(default_factory=list)
    """For each data section: the records above it, its label, its form (`(X++(Y..Y))`) and its lines."""

    def texts(self) -> dict[str, str]:
        """The texts under their plain labels; of one that comes twice the last, as pages of NTUPLES mean it."""
        return {_plain(label): text for label, text in self.records}


def recognises(head: str, candidate: Candidate) -> str | None:
    """A first record `##TITLE=` and one `##JCAMP-DX=` or a data section."""
    del candidate
    first = next((line for line in head.split("\n", 50) if line.strip() and not line.lstrip().startswith("$$")), "")
    match = _RECORD.match(first)
    if match is None or _plain(match[1]) not in {"TITLE", "JCAMPDX"}:
        return None
    return (
        "first record ##TITLE="
        if re.search(r"^[ \t]*##[ \t]*(?:JCAMP[- _]?(?:DX|CS)|XYDATA|DATA TYPE)", head, re.IGNORECASE | re.MULTILINE)
        else None
    )


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Records of each block and a table for each data section. Raises UnreadableError."""
    blocks = _blocks(lines_of(text.text))
    warnings: list[str] = []
    tables = tuple(table for block in blocks for table in _tables(block, warnings))
    if not tables and not any(block.records for block in blocks):
        raise UnreadableError("The JCAMP-DX file holds no records.")
    if not tables:
        warnings.append("The JCAMP-DX file holds no spectrum.")
    holding = next((block for block in blocks if block.data), blocks[0])
    known = {**blocks[0].texts(), **{key: value for key, value in holding.texts().items() if value}}
    when = _moment(known)
    kind = known.get("DATATYPE", "")
    title = known.get("TITLE", "")
    return Reading(
        data_type=f"JCAMP-DX {kind.lower()}".replace("nmr", "NMR").replace("uv", "UV").replace("/vis", "/Vis").strip(),
        measurement=method(kind),
        name="" if title.casefold() in {"", "untitled", "unknown"} else title,
        timestamp=when.iso,
        instrument=known.get("SPECTROMETERDATASYSTEM", "") or known.get("INSTRUMENT", ""),
        samples=(_sample(known),),
        keywords=("JCAMP-DX",),
        metadata=_metadata(blocks),
        tables=tables,
        thumbnails=plots.charts(tables[:1], title=title or candidate.stem) if tables else (),
        warnings=(*when.warnings, *warnings),
    )


def _plain(label: str) -> str:
    return re.sub(r"[\s\-/_]", "", label).upper()


def _blocks(lines: Iterable[str]) -> list[_Block]:
    """The blocks in the order of their titles; a compound file's links hold others."""
    blocks: list[_Block] = []
    open_blocks: list[_Block] = []
    into: list[str] | None = None
    for line in lines:
        bare = line.split("$$", 1)[0]
        match = _RECORD.match(bare)
        if match is None:
            if into is not None:
                into.append(bare)
            elif open_blocks and open_blocks[-1].records and bare.strip():
                label, before = open_blocks[-1].records[-1]
                open_blocks[-1].records[-1] = (label, f"{before}\n{bare.strip()}".strip())
            continue
        label, text, into = match[1].strip(), match[2].strip(), None
        plain = _plain(label)
        if not plain:  # `##=` is a remark
            continue
        if plain == "TITLE" or not open_blocks:
            open_blocks.append(_Block())
            blocks.append(open_blocks[-1])
        if plain == "END":
            open_blocks.pop()
        elif plain in _DATA:
            into = []
            open_blocks[-1].data.append((open_blocks[-1].texts(), plain, text, into))
        else:
            open_blocks[-1].records.append((label, text))
    return blocks or [_Block()]


def _tables(block: _Block, warnings: list[str]) -> Iterable[Table]:
    for known, label, form, lines in block.data:
        title = known.get("PAGE", "") or (known.get("TITLE", "") if label in {"XYDATA", "RADATA"} else label.title())
        try:
            if "++" in form:
                yield _steps(known, form, lines, title, warnings)
            else:
                table = _points(known, form, lines, title)
                if table is not None:
                    yield table
        except PackedError as error:
            warnings.append(f"{error}")


def _steps(known: dict[str, str], form: str, lines: Sequence[str], title: str, warnings: list[str]) -> Table:
    """`(X++(Y..Y))`: ordinates at equal steps. The abscissa comes from the records, else from the lines' first numbers."""
    heads, values, wrong = unpacked(lines)
    if wrong:
        warnings.append(f"{wrong} lines of packed numbers do not begin with the value that the line before ended with.")
    symbols = re.findall(r"\(\s*([A-Z])\+\+\s*\(\s*([A-Z]\w*)\.\.", form)
    x_symbol, y_symbol = symbols[0] if symbols else ("X", "Y")
    x, y = _variable(known, x_symbol, "X"), _variable(known, y_symbol, "Y")
    if len(values) == 0:
        raise PackedError("A spectrum holds no numbers.")
    first, last = x["first"], x["last"]
    count = int(x["count"]) if 0 < x["count"] < 2**40 else len(values)
    if count != len(values):
        warnings.append(f"The header announces {count} points, the file holds {len(values)}.")
    if first is None or last is None or count < 2:  # noqa: PLR2004 a step
        step = (heads[-1] - heads[0]) * x["factor"] / max(1, len(values) - 1)
        first, last, count = (
            float(heads[0] * x["factor"]),
            float(heads[0] * x["factor"] + step * (len(values) - 1)),
            len(values),
        )
    across = first + (last - first) / (count - 1 or 1) * np.arange(len(values))
    return Table(
        title,
        (column(x["name"], x["unit"], across, "X"), column(y["name"], y["unit"], values * y["factor"], "Y")),
    )


def _points(known: dict[str, str], form: str, lines: Sequence[str], title: str) -> Table | None:
    """`(XY..XY)`: pairs (or more) of numbers, parted by commas, blanks or semicolons."""
    symbols = re.findall(r"[A-Z]", form.split("..", 1)[0]) or ["X", "Y"]
    width = max(2, len(symbols))
    cells = [
        number_of(cell)
        for line in lines
        for cell in re.split(r"[\s,;]+", re.sub(r"<[^>]*>|\"[^\"]*\"|[()]", " ", line))
        if cell
    ]
    known_cells = np.array([np.nan if cell is None else cell for cell in cells])
    rows = len(known_cells) // width
    if not rows:
        return None
    grid = known_cells[: rows * width].reshape(rows, width)
    columns = []
    for index in range(width):
        symbol = symbols[index] if index < len(symbols) else "Y"
        variable = _variable(known, symbol, "X" if index == 0 else "Y")
        columns.append(column(variable["name"], variable["unit"], grid[:, index] * variable["factor"], symbol))
    return Table(title, tuple(columns))


def _variable(known: dict[str, str], symbol: str, axis: str) -> dict[str, Any]:
    """Name, unit, first, last, factor and count of a variable: from the lists of NTUPLES, else from `FIRSTX` and the like."""
    listed = [word.strip() for word in known.get("SYMBOL", "").split(",")]
    if symbol in listed:
        at = listed.index(symbol)

        def item(label: str) -> str:
            words = [word.strip() for word in known.get(label, "").split(",")]
            return words[at] if at < len(words) else ""

        name, unit = item("VARNAME"), item("UNITS")
        first, last, factor, count = (number_of(item(label) or "-") for label in ("FIRST", "LAST", "FACTOR", "VARDIM"))
    else:
        name, unit = "", known.get(f"{axis}UNITS", "")
        first, last, factor = (number_of(known.get(f"{label}{axis}", "-") or "-") for label in ("FIRST", "LAST", ""))
        factor = number_of(known.get(f"{axis}FACTOR", "-") or "-")
        count = number_of(known.get("NPOINTS", "-") or "-")
    return {
        "name": name,
        "unit": unit,
        "first": _finite(first),
        "last": _finite(last),
        "factor": _finite(factor) or 1.0,
        "count": _finite(count) or 0.0,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def column(name: str, unit: str, values: Any, symbol: str) -> Column:
    """A column as JCAMP-DX's units name it: `1/CM` is a wavenumber, `ABSORBANCE` a quantity without unit."""
    upper = unit.strip().upper()
    if upper in _QUANTITIES:
        return Column(name.capitalize() or unit.strip().capitalize(), None, values)
    return Column(
        name.capitalize() or _NAMES.get(upper, "Intensity" if symbol == "Y" else symbol), unit.strip() or None, values
    )


def _moment(known: dict[str, str]) -> dates.Moment:
    """`LONG DATE` (its own zone), else `DATE` and `TIME`: year first."""
    long = known.get("LONGDATE", "").replace("/", "-", 2)
    if re.match(r"\d{4}-\d\d-\d\d", long):
        return dates.iso(long)
    date, clock = known.get("DATE", ""), known.get("TIME", "")
    if dates.has_month(date):
        return dates.worded(f"{date} {clock}")
    text = f"{date} {clock}".strip() if date else long
    return dates.parse(text.replace("-", "/"), dates.YEAR_FIRST) if text else dates.NEVER


def method(kind: str) -> str:
    """The field's name of a `DATA TYPE`, or an empty text."""
    upper = kind.upper()
    found = [(upper.find(word), -len(word), name) for word, name in _METHODS.items() if word in upper]
    return min(found)[2] if found else methods.named(kind)


def _sample(known: dict[str, str]) -> str:
    described = known.get("SAMPLEDESCRIPTION", "") or known.get("NAMES", "").split("\n")[0]
    return described or (known.get("TITLE", "") if known.get("CASREGISTRYNO") or known.get("MOLFORM") else "")


def _metadata(blocks: Sequence[_Block]) -> dict[str, Any]:
    found = [gathered((label, value_of(text)) for label, text in block.records if text) for block in blocks]
    return found[0] if len(found) == 1 else {"blocks": found}
