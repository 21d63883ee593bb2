r"""QCoDeS text data: the legacy loop's GNUPlotFormat with three comment lines, and the bare columns beside a `snapshot.json`.

Source: qcodes_loop `data/gnuplot_format.py`: `# names`, `# "labels"`, `# shape`, tab-separated; blank lines between inner loops.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.dat import dates, planes, plots
from ingestors.dat.reading import Reading
from ingestors.tables import numbers
from ingestors.textfile import Decoded, lines_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ingestors.api import Candidate

_HEADER: Final = re.compile(r'# ([^\n]+)\r?\n# ("[^\n]*")\r?\n# (\d+(?:\t\d+)*)[ \t]*\r?\n')
_SNAPSHOT: Final = "snapshot.json"
_LARGEST: Final = 8_000_000  # bytes of a snapshot worth reading


def recognises(head: str, candidate: Candidate) -> str | None:
    """Comment lines of names, quoted labels and shape, or a snapshot among the companions."""
    if _HEADER.match(head):
        return "names, quoted labels and shape in three comment lines"
    if _snapshot_path(candidate) is not None and re.match(r"(#|[-+.\d])", head):
        return f"{_SNAPSHOT} beside it"
    return None


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The columns named by their labels, a map if the loop has two axes."""
    header = _HEADER.match(text.text)
    snapshot = _snapshot(candidate)
    rows = [line for line in lines_of(text.text) if line.strip() and not line.startswith("#")]
    titles = [split_name(label.strip().strip('"')) for label in header[2].split("\t")] if header else []
    table, warnings = numbers(rows, names=[name for name, _ in titles], units=[unit for _, unit in titles])
    shape = [int(count) for count in header[3].split("\t")] if header else []
    when = dates.iso(str(snapshot.get("ts") or snapshot.get("time") or ""))
    grid = planes.gridded(table)
    title = str(snapshot.get("location") or candidate.stem)
    pictures = (
        planes.plane_map(grid[0], grid[1], table.columns[2], title=candidate.stem)
        if grid
        else plots.charts([table], title=candidate.stem)
    )
    return Reading(
        data_type="QCoDeS data set",
        name=candidate.stem if not snapshot else title.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1],
        timestamp=when.iso,
        keywords=("QCoDeS",),
        metadata={
            **({"names": header[1].split("\t"), "shape": shape} if header else {}),
            **({"snapshot": snapshot} if snapshot else {}),
        },
        tables=(table,),
        thumbnails=pictures,
        warnings=(*when.warnings, *warnings),
    )


def _snapshot_path(candidate: Candidate) -> Path | None:
    return next((path for path in candidate.companions if path.name == _SNAPSHOT), None)


def _snapshot(candidate: Candidate) -> Mapping[str, Any]:
    path = _snapshot_path(candidate)
    if path is None:
        return {}
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
