"""Gwyddion's simple fields (`.gsf`): a few lines of text, then floats.

Source: Gwyddion's user guide, "Gwyddion Simple Field": `Gwyddion Simple Field 1.0`, lines `Key = value`, NULs up to a multiple of four, `XRes * YRes` little-endian floats,
the top row first. Near-field microscopes (neaspec) write theirs so, with keys of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import facts
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from ingestors.binary.source import Source

MAGIC: Final = b"Gwyddion Simple Field 1.0\n"
_LONGEST_HEADER: Final = 100_000


def recognises(candidate: Candidate) -> str | None:
    """The first line."""
    return "first line Gwyddion Simple Field 1.0" if candidate.head.startswith(MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The field with its real size, and all keys."""
    head = source.some(0, _LONGEST_HEADER)
    end = head.find(b"\0")
    if end < 0:
        raise UnreadableError("The header of this field has no end.")
    known: dict[str, str] = {}
    for line in head[len(MAGIC) : end].decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            known[key.strip()] = value.strip()
    try:
        across, down = int(known["XRes"]), int(known["YRes"])
        width, height = float(known.get("XReal", 0) or 0), float(known.get("YReal", 0) or 0)
    except (KeyError, ValueError) as error:
        raise UnreadableError("The header of this field does not say how many pixels it has.") from error
    values, _ = source.array(end + 4 - end % 4, "<f4", (down, across))
    unit = known.get("XYUnits", "")
    axes = tuple(
        Axis(
            name if size else "",
            unit if size else "",
            (size / count if size else 1.0) / 2,
            size / count if size else 1.0,
        )
        for name, size, count in (("y", height, down), ("x", width, across))
    )
    signal = Signal(values, axes, known.get("Title", ""), known.get("ZUnits", ""), (down, across), rows_down=True)
    told: dict[str, Any] = {key: value_of(text) for key, text in known.items() if text}
    for key in ("XReal", "YReal", "XOffset", "YOffset"):
        if unit and isinstance(told.get(key), (int, float)):
            told[key] = Quantity(told[key], unit)
    missing = [f"The field is incomplete: {len(values)} of {down} rows are there."] if len(values) < down else []
    when = facts.time_of({key: text for key, text in known.items() if re.search("date|time", key, re.IGNORECASE)})
    near_field = any(key.startswith("Neaspec") for key in known)
    return Reading(
        data_type="Gwyddion simple field",
        measurement="Scanning near-field optical microscopy" if near_field else "",
        timestamp=when.iso,
        keywords=("scanning probe microscopy",) if near_field else (),
        metadata=told | described([signal]),
        thumbnails=drawn([signal], candidate.stem),
        warnings=(*when.warnings, *missing),
    )
