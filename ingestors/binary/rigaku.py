"""Rigaku SmartLab Studio measurements (`.rasx`): a ZIP with `DataN/ProfileN.txt` and `DataN/MesurementConditionsN.xml` (spelled so).

Source: the archives' own names: a profile is lines of position, intensity and attenuation factor; the conditions name sample, scan and
hardware.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.binary import archive, diffraction
from ingestors.binary.xmltree import Element, parsed, plain, text
from ingestors.columns import Column
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ingestors.binary.archive import Archive
    from ingestors.binary.source import Source

_PROFILE: Final = re.compile(r"(?:.*/)?Profile(\d+)\.txt", re.IGNORECASE)
_CONDITIONS: Final = re.compile(r"(?:.*/)?Mea?surementConditions(\d+)\.xml", re.IGNORECASE)
_MOST_SCANS: Final = 500


def recognises(candidate: Candidate) -> str | None:
    """An archive with profiles and their conditions."""
    names = archive.names_of(candidate)
    profile = any(_PROFILE.fullmatch(name) for name in names)
    return "archive with Profile.txt and its conditions" if profile and any(map(_CONDITIONS.fullmatch, names)) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Each profile as a table with the axis and units that its conditions name."""
    del source
    with archive.opened(candidate.path) as whole:
        profiles = sorted((name for name in whole.names if _PROFILE.fullmatch(name)), key=_number)
        conditions = {_number(name): name for name in whole.names if _CONDITIONS.fullmatch(name)}
        first: Element | None = None
        scans: list[diffraction.Scan] = []
        for name in profiles[:_MOST_SCANS]:
            about = parsed(whole.read(conditions[_number(name)])) if _number(name) in conditions else None
            first = about if first is None else first
            scans.append(_scan(_rows(whole, name), about))
    if not scans or first is None:
        raise UnreadableError("The archive holds no profile with its conditions: nothing was measured yet.")
    sample = _said(first, "SampleName")
    when = dates.iso(_said(first, "StartTime"))
    return Reading(
        data_type="Rigaku diffraction scan",
        measurement=diffraction.MEASUREMENT,
        name=sample,
        timestamp=when.iso,
        instrument=_said(first, "SystemName") or _said(first, "InstrumentName"),
        samples=(sample,),
        keywords=("XRD",),
        metadata={"conditions": plain(first), "profiles": len(profiles)},
        tables=diffraction.tables(scans),
        thumbnails=diffraction.thumbnails(scans, sample or candidate.stem),
        warnings=when.warnings,
    )


def _number(name: str) -> int:
    match = _PROFILE.fullmatch(name) or _CONDITIONS.fullmatch(name)
    return int(match[1]) if match else 0


def _said(root: Element, tag: str) -> str:
    return next((text(one) for one in root.iter(tag) if text(one)), "")


def _rows(whole: Archive, name: str) -> NDArray[np.float64]:
    content = whole.read(name).decode("utf-8-sig", "replace").replace(",", " ")
    rows = [line.split() for line in content.splitlines()]
    width = len(rows[0]) if rows else 0
    try:
        return np.array([row for row in rows if len(row) == width and width > 1], dtype=np.float64).reshape(
            -1, max(width, 2)
        )
    except ValueError as error:
        raise UnreadableError(f"{name} in the archive holds something that is no number: {error}") from error


def _scan(rows: NDArray[np.float64], about: Element | None) -> diffraction.Scan:
    name = _said(about, "AxisName") if about is not None else ""
    unit = _said(about, "PositionUnit") if about is not None else ""
    counted = _said(about, "IntensityUnit") if about is not None else ""
    columns = [Column(name or "Position", unit or None, rows[:, 0])]
    if rows.shape[1] > 2:
        columns.append(Column("Attenuation factor", None, rows[:, 2]))
    return diffraction.Scan((*columns, Column("Intensity", counted or "counts", rows[:, 1])), name)
