"""Nanonis spectroscopy files (SPECS): tab-separated keys with units in brackets, `[DATA]`, a line of names, columns.

Source: the Nanonis user manual ("ASCII spectroscopy file") and nanonispy: keys of modules are `Module>Key (unit)`, times are D.M.Y.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, UnreadableError
from ingestors.dat import dates, plots
from ingestors.dat.facts import measured
from ingestors.dat.reading import Reading
from ingestors.tables import numbers
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail
    from ingestors.tables import Table

_METHODS: Final = {
    "bias spectroscopy": "Scanning tunneling spectroscopy",
    "z spectroscopy": "Z spectroscopy",
    "history data": "History",
    "spectrum": "Noise spectrum",
    "frequency sweep": "Frequency sweep",
}
_UNIT: Final = re.compile(r"\s*\(([^()]*)\)")


def recognises(head: str, candidate: Candidate) -> str | None:
    """`Experiment` and a tab in the first line, and a `[DATA]` line or other Nanonis keys."""
    del candidate
    if re.match(r"\ufeff?Experiment\t", head) and re.search(
        r"^(\[DATA\]|Saved Date\t|Date\t|User\t)", head, re.MULTILINE
    ):
        return "first key Experiment, tab-separated"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """Header keys nested by module, the columns with units. Raises UnreadableError without `[DATA]`."""
    lines = lines_of(text.text)
    start = next((index for index, line in enumerate(lines) if line.strip() == "[DATA]"), None)
    if start is None or len(lines) < start + 2:
        raise UnreadableError("This Nanonis file has no [DATA] section yet.")
    fields, texts = _header(lines[:start])
    titles = [_name(title) for title in lines[start + 1].rstrip("\t").split("\t")]
    rows = [line for line in lines[start + 2 :] if line.strip()]
    table, warnings = numbers(
        rows, names=[name for name, _ in titles], units=[unit for _, unit in titles], delimiter="\t"
    )
    experiment = texts.get("Experiment", "").strip()
    written = next((texts[key] for key in ("Date", "Start time", "Saved Date") if texts.get(key)), "")
    when = dates.parse(written, dates.EUROPEAN)
    return Reading(
        data_type="Nanonis spectroscopy",
        measurement=_METHODS.get(experiment.casefold(), experiment[:1].upper() + experiment[1:]),
        timestamp=when.iso,
        keywords=("Nanonis", experiment),
        metadata=fields,
        tables=(table,),
        thumbnails=_thumbnails(table, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _header(lines: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    fields: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.rstrip("\t").partition("\t")
        key = key.lstrip("\ufeff").strip()
        if not key:
            continue
        texts[key] = value.strip()
        *modules, last = key.split(">")
        place = fields
        for module in modules:
            inner = place.setdefault(module.strip(), {})
            place = inner if isinstance(inner, dict) else place
        name, found = measured(last, value)
        if value.strip() or not modules:
            place[name] = found
    return fields, texts


def _name(title: str) -> tuple[str, str | None]:
    """`Current (A) [filt]` as ("Current [filt]", "A")."""
    match = _UNIT.search(title)
    name = " ".join(_UNIT.sub("", title, count=1).split())
    return name, match[1] if match else None


def _thumbnails(table: Table, title: str) -> tuple[Thumbnail, ...]:
    """The current (else the first other column) against the swept quantity."""
    x = table.columns[0]
    forward = [
        column
        for column in table.columns[1:]
        if "[filt]" not in column.name and "[bwd]" not in column.name and column.name != "Bias"
    ]
    y = next((column for column in forward if column.unit == "A"), None) or next(iter(forward), None)
    if y is None or table.rows < 2:  # noqa: PLR2004 no line
        return plots.charts([table], title=title)
    backward = next((column for column in table.columns if column.name == f"{y.name} [bwd]"), None)
    lines = [(x, y, "forward"), (x, backward, "backward")] if backward is not None else [(x, y, "")]
    return plots.drawn(lines, title=title, log_y=False)
