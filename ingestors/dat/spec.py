"""SPEC scan files, as the program spec, Bluesky's SpecWriterCallback and PyMca's export write them.

Source: certif.com/spec_help/scans.html and the spec2nexus documentation: `#F` file, `#E` epoch, `#D` date, `#O`/`#P` motor names and
positions, `#H`/`#V` names and values, `#S` scan, `#L` column labels (two blanks between them), `#MD` Bluesky's metadata.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.dat import dates, plots, xas
from ingestors.dat.facts import number
from ingestors.dat.methods import method_of
from ingestors.dat.reading import Reading
from ingestors.tables import Column, Table, numbers
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.api import Thumbnail

_SCAN: Final = re.compile(r"^#S +-?\d+(\.\d+)? ", re.MULTILINE)
_CONTROL: Final = re.compile(r"#(@?[A-Za-z]+?)(\d{0,4})(?:\s+(.*))?$")
_MOTOR_SCAN: Final = re.compile(r"\w*(?:scan|flyscan|tune|mesh)\b\s+(\S+)", re.IGNORECASE)
_XAS: Final = re.compile(r"exafs|xanes|xafs|gescan|\bedge\b", re.IGNORECASE)
_MOST_OF_SPECTRUM: Final = 10_000  # lines
_MOST_DESCRIBED: Final = 400  # scans whose metadata are kept in full


@dataclass(eq=False)
class _Block:
    """The control lines of a file header or of one scan."""

    title: str = ""
    lines: dict[str, list[str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    header: _Block | None = None

    def text(self, key: str) -> str:
        return self.lines.get(key, [""])[0]

    def numbered(self, letter: str) -> dict[int, str]:
        """The lines of a numbered key (`P0`, `P1`, ...) by their number."""
        found = {
            int(key[len(letter) :]): values[0]
            for key, values in self.lines.items()
            if re.fullmatch(re.escape(letter) + r"[0-9]+", key)
        }
        return dict(sorted(found.items()))


def recognises(head: str, candidate: Candidate) -> str | None:
    """`#F` in the first line, or `#S number` with `#L`."""
    del candidate
    first = head.lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    if re.match(r"#F \S", first) and re.search(r"^#[EDSCO]", head, re.MULTILINE):
        return "SPEC file header #F"
    if _SCAN.search(head) and re.search(r"^#[LN] ", head, re.MULTILINE):
        return "SPEC scan header #S with #L"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """All scans: one table each, its positioners and values by name. Raises UnreadableError if there is no `#S`."""
    headers, scans = _blocks(lines_of(text.text))
    if not scans:
        raise UnreadableError("This SPEC file has a header but no scan (no #S line) yet.")
    warnings: list[str] = []
    tables = []
    for scan in scans:
        table, found = _table(scan)
        tables.append(table)
        warnings += found
    if len(scans) > _MOST_DESCRIBED:
        warnings.append(f"Of {len(scans)} scans the first {_MOST_DESCRIBED} are described in full.")
    header = headers[0] if headers else _Block()
    when = _when(header, scans[0])
    bluesky = next((_bluesky(scan) for scan in scans if "MD" in scan.lines), {})
    everything = " ".join(
        [candidate.stem, header.text("F"), *(scan.title for scan in scans), *header.lines.get("C", [])]
    )
    exafs = bool(_XAS.search(everything))
    return Reading(
        data_type="SPEC scan file",
        measurement="X-ray absorption spectroscopy" if exafs else method_of({}, tables),
        timestamp=when.iso,
        instrument=str(bluesky.get("beamline_id", "")),
        keywords=("SPEC", *(["Bluesky"] if bluesky else [])),
        metadata={"spec": _header(header), "scans": [_described(scan) for scan in scans[:_MOST_DESCRIBED]]},
        tables=tuple(tables),
        thumbnails=_thumbnails(scans, tables, exafs=exafs),
        warnings=(*when.warnings, *dict.fromkeys(warnings)),
    )


def _blocks(lines: Sequence[str]) -> tuple[list[_Block], list[_Block]]:
    headers: list[_Block] = []
    scans: list[_Block] = []
    block = _Block()
    spectrum = False  # inside the lines of a multichannel spectrum
    for line in lines:
        if not line.startswith("#"):
            spectrum = _row(line, block, spectrum=spectrum)
            continue
        match = _CONTROL.match(line.rstrip())
        if match is None:
            block.lines.setdefault("#", []).append(line[1:].strip())
            continue
        key, rest = match[1] + match[2], (match[3] or "").strip()
        if key == "S":
            block = _Block(rest, header=headers[-1] if headers else None)
            scans.append(block)
        elif key == "F" or (key == "E" and block.header is not None):
            block = _Block()
            headers.append(block)
            block.lines[key] = [rest]
        else:
            if not headers and not scans:
                headers.append(block)
            block.lines.setdefault(key, []).append(rest)
    return headers, scans


def _row(line: str, block: _Block, *, spectrum: bool) -> bool:
    if spectrum or line.startswith("@"):
        kept = block.lines.setdefault("@", [])
        whole = not block.rows and len(kept) < _MOST_OF_SPECTRUM  # scans of spectra only are shown by their first one
        kept.append(line if whole else line[:20])
        return line.rstrip().endswith("\\")
    if line.strip():
        block.rows.append(line)
    return False


def _names(text: str, count: int) -> list[str]:
    """Names with two blanks between them; where that gives the wrong number, one blank."""
    wide = [name for name in re.split(r"\t+| {2,}", text.strip()) if name]
    if count in (0, len(wide)):
        return wide
    narrow = text.split()
    return narrow if len(narrow) == count else wide


def _table(scan: _Block) -> tuple[Table, list[str]]:
    found = re.match(r"\d{1,5}(?!\d)", scan.text("N"))
    declared = int(found[0]) if found else 0
    names = _names(scan.text("L"), declared)
    if not scan.rows and (counts := _spectrum(scan)) is not None:
        return counts, []
    if not scan.rows:
        return Table(scan.title, tuple(Column(name, None, _nothing()) for name in names)), []
    table, warnings = numbers(scan.rows, names=names, title=scan.title)
    return table, [f"Scan {scan.title.split()[0] if scan.title else '?'}: {warning}" for warning in warnings]


def _spectrum(scan: _Block) -> Table | None:
    """The first multichannel spectrum of a scan that has nothing else: `@A` lines, energies by `#@CALIB a b c`."""
    cells: list[str] = []
    for line in scan.lines.get("@", []):
        if line.startswith("@") and cells:
            break
        cells += line.removeprefix("@A").rstrip("\\\r\n ").split()
        if not line.rstrip().endswith("\\"):
            break
    values = [number(cell) for cell in cells]
    if len(values) < 2 or None in values:  # noqa: PLR2004 a spectrum
        return None
    channels = np.arange(len(values), dtype=np.float64)
    columns = [Column("Channel", None, channels), Column("Counts", "counts", np.array(values, dtype=np.float64))]
    terms = [number(word) for word in scan.text("@CALIB").split()]
    if len(terms) > 1 and None not in terms and any(terms[1:]):
        columns.insert(1, Column("Energy", None, np.polyval(np.array(terms[::-1], dtype=np.float64), channels)))
    return Table(scan.title, tuple(columns))


def _nothing() -> Any:
    return np.empty(0)


def _when(header: _Block, scan: _Block) -> dates.Moment:
    written = header.text("D") or scan.text("D")
    epoch = number(header.text("E").split(" ")[0]) if header.text("D") else None
    if not written and header.text("E"):
        seconds = number(header.text("E"))
        return dates.epoch(seconds) if seconds is not None else dates.NEVER
    return dates.zoned(dates.ctime(written), epoch)


def _header(header: _Block) -> dict[str, Any]:
    title = header.text("C")
    match = re.match(r"(.*?)\s*\bUser = (\S*)", title, re.IGNORECASE)
    found: dict[str, Any] = {
        "file": header.text("F"),
        "epoch": number(header.text("E")),
        "date": header.text("D"),
        "title": match[1].strip() if match else title,
        "user": match[2] if match else "",
        "comments": header.lines.get("C", [])[1:],
    }
    return {key: value for key, value in found.items() if value not in ("", None, [])}


def _described(scan: _Block) -> dict[str, Any]:
    header = scan.header or _Block()
    words = scan.title.split(None, 1)
    found: dict[str, Any] = {
        "number": number(words[0]) if words else None,
        "command": words[1] if len(words) > 1 else "",
        "date": scan.text("D"),
        "counting": _counting(scan),
        "temperature": scan.text("X"),
        "hkl": [number(word) for word in scan.text("Q").split()],
        "positioners": _matched(header.numbered("O"), scan.numbered("P")),
        "values": _matched(header.numbered("H"), scan.numbered("V")),
        "geometry": {f"G{index}": text for index, text in scan.numbered("G").items() if text not in ("", "0")},
        "comments": scan.lines.get("C", []),
        "bluesky": _bluesky(scan),
        "user": {
            key: lines if len(lines) > 1 else lines[0]
            for key, lines in scan.lines.items()
            if re.match(r"U[A-Z]*\d*$", key)
        },
        "spectra": len([line for line in scan.lines.get("@", []) if line.startswith("@")]),
    }
    return {key: value for key, value in found.items() if value not in ("", None, [], {}, 0)}


def _counting(scan: _Block) -> Any:
    """`#T 0.1  (seconds)` as a quantity of time, `#M 100 (counts)` as one of the monitor."""
    for key in ("T", "M"):
        match = re.match(r"(\S+)(?:\s+\((.*)\))?", scan.text(key))
        value = number(match[1]) if match else None
        if match and value is not None:
            return Quantity(value, match[2]) if match[2] else value
    return None


def _matched(names: Mapping[int, str], values: Mapping[int, str]) -> dict[str, Any]:
    """Names of `#O` (or `#H`) lines with the values of the `#P` (or `#V`) lines of the same number."""
    found: dict[str, Any] = {}
    for index, line in values.items():
        words = line.split()
        for name, word in zip(_names(names.get(index, ""), len(words)), words, strict=False):
            value = number(word)
            found[name] = word if value is None else value
    return found


def _bluesky(scan: _Block) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in scan.lines.get("MD", []):
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip()] = _literal(value.strip())
        else:
            found.setdefault("unnamed", []).append(line)
    return found


def _literal(text: str) -> Any:
    """Python's way of writing dicts and lists, else the text."""
    if text[:1] in "{[(" and len(text) < 10_000:  # noqa: PLR2004 a header line, no bomb
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
    value = number(text)
    return text if value is None else value


def _thumbnails(scans: Sequence[_Block], tables: Sequence[Table], *, exafs: bool) -> tuple[Thumbnail, ...]:
    """The scans of the command and the axes that most points were measured with."""
    groups: dict[tuple[str, str, str], list[tuple[Column, Column, str]]] = {}
    for scan, table in zip(scans, tables, strict=True):
        pair = (xas.absorption(table) if exafs else None) or _axes(scan, table)
        if pair is not None and table.rows > 1:
            number, command, *_ = [*scan.title.split(None, 2), "", ""]
            groups.setdefault((command, pair[0].name, pair[1].name), []).append((*pair, f"#{number}"))
    if not groups:
        return ()
    best = max(groups, key=lambda group: sum(x.values.size for x, _, _ in groups[group]))
    chosen = groups[best]
    title = next((scan.title for scan in scans if scan.title.split()[:1] == [chosen[0][2][1:]]), "")
    return plots.drawn(
        chosen, title=f"#S {title}" if len(chosen) == 1 else f"{len(chosen)} scans: {' '.join(title.split()[1:3])}"
    )


def _axes(scan: _Block, table: Table) -> tuple[Column, Column] | None:
    """What the scan's own words name as axes, else the first column that moves against the last one that varies."""
    if not table.rows:
        return None
    told = _named(_bluesky(scan), table)
    if told is not None:
        return told
    match = _MOTOR_SCAN.match(scan.title.split(None, 1)[1]) if len(scan.title.split(None, 1)) > 1 else None
    moved = [column for column in table.columns if _moves(column)]
    if len(moved) < 2:  # noqa: PLR2004 a pair
        return None
    x = next((column for column in moved if match and column.name == match[1]), None) or xas.energy(table) or moved[0]
    x = x if any(column is x for column in moved) else moved[0]
    y = next(column for column in reversed(moved) if column is not x)
    return x, y


def _moves(column: Column) -> bool:
    return column.values.size > 1 and bool((column.values != column.values[0]).any())


def _named(bluesky: Mapping[str, Any], table: Table) -> tuple[Column, Column] | None:
    for value in bluesky.values():
        if isinstance(value, dict) and {"x_axis", "y_axis"} <= value.keys():
            x = next((column for column in table.columns if column.name == value["x_axis"]), None)
            y = next((column for column in table.columns if column.name == value["y_axis"]), None)
            if x is not None and y is not None:
                return x, y
    return None
