"""PANalytical's XML measurements (`.xrdml`).

Source: the schema XRDMeasurement 1.x (`http://www.xrdml.com/XRDMeasurement/1.x`): `scan` holds `header` (time stamps) and `dataPoints` with `positions` (start and
end, a list, or one common value) and `intensities` or `counts`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import diffraction
from ingestors.binary.xmltree import MOST_BYTES, Element, number, parsed, plain, text
from ingestors.columns import Column
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ingestors.binary.source import Source

_ROOT: Final = re.compile(rb"<(?:\w+:)?xrdMeasurements\b")
_MOST_SCANS: Final = 500
_AXES: Final = {"gonio": "2theta", "2theta-omega": "2theta", "omega-2theta": "omega"}


def recognises(candidate: Candidate) -> str | None:
    """The root element."""
    return "root element xrdMeasurements" if _ROOT.search(candidate.head[:4096]) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Every scan as a table: the scanned axis, the other moving axes, the counts."""
    if source.size > MOST_BYTES:
        raise UnreadableError(f"The XML has {source.size} bytes: too many to read.")
    root = parsed(candidate.path.read_bytes())
    measurements = root.findall("xrdMeasurement")
    elements = [scan for one in measurements for scan in one.findall("scan")]
    scans = [scan for one in elements[:_MOST_SCANS] if (scan := _scan(one)) is not None]
    header = elements[0].find("header") if elements else None
    when = dates.iso(text(header, "startTimeStamp"))
    sample = text(root, "sample/name") or text(root, "sample/id")
    warnings = [*when.warnings]
    if len(elements) > _MOST_SCANS:
        warnings.append(f"The file holds {len(elements)} scans; the first {_MOST_SCANS} were read.")
    if not scans:
        warnings.append("The file holds no measured points yet.")
    status = root.get("status", "")
    if status and status != "Completed":
        warnings.append(f"The measurement's status is {status!r}.")
    return Reading(
        data_type="PANalytical diffraction scan",
        measurement=diffraction.MEASUREMENT,
        name=sample,
        timestamp=when.iso,
        instrument=_instrument(root, header),
        samples=(sample,),
        keywords=("XRD",),
        metadata=_metadata(root, elements),
        tables=diffraction.tables(scans),
        thumbnails=diffraction.thumbnails(scans, sample or candidate.stem),
        warnings=tuple(warnings),
    )


def _instrument(root: Element, header: Element | None) -> str:
    """`Diffractometer system=EMPYREAN` in the comments, else the control software's name."""
    for entry in root.iter("entry"):
        if match := re.match(r"Diffractometer system=\s*([^,;]+)", text(entry)):
            return match[1].strip()
    return text(header, "source/instrumentControlSoftware")


def _scan(element: Element) -> diffraction.Scan | None:
    points = element.find("dataPoints")
    if points is None:
        return None
    found = points.find("intensities")
    found = points.find("counts") if found is None else found
    counts = _list(found)
    if found is None or not counts.size:
        return None
    length = counts.size
    axes: list[tuple[str, Column]] = []
    for one in points.findall("positions"):
        values = _positions(one, length)
        if values is not None:
            name = one.get("axis", "position")
            axes.append((name, Column(name, one.get("unit") or None, values)))
    wanted = element.get("scanAxis", "").casefold()
    wanted = _AXES.get(wanted, wanted)
    axes.sort(key=lambda pair: pair[0].casefold() != wanted)
    moving = [column for _, column in axes] or [Column("point", None, np.arange(length, dtype=np.float64))]
    factors = _list(points.find("beamAttenuationFactors"))
    corrected = (
        factors.size == length and found.tag == "counts"
    )  # `intensities` are what the attenuator did not let through too
    name = "Intensity (corrected for the attenuator)" if corrected and np.ptp(factors) else "Intensity"
    counts = counts * factors if corrected else counts
    return diffraction.Scan((*moving, Column(name, found.get("unit", "counts"), counts)), element.get("scanAxis", ""))


def _list(element: Element | None) -> NDArray[np.float64]:
    try:
        return np.array(text(element).split(), dtype=np.float64)
    except ValueError:
        return np.empty(0)


def _positions(one: Element, length: int) -> NDArray[np.float64] | None:
    """The positions of a moving axis, or None for one that stood still."""
    first, last = number(one, "startPosition"), number(one, "endPosition")
    if first is not None and last is not None:
        return np.linspace(first, last, length)
    listed = _list(one.find("listPositions"))
    return listed if listed.size == length and length > 1 else None


def _metadata(root: Element, scans: list[Element]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if entries := [text(entry) for entry in root.iter("entry") if text(entry)]:
        found["comments"] = entries[:100]
    sample = root.find("sample")
    if sample is not None and isinstance(told := plain(sample), dict) and told:
        found["sample"] = told
    measurement = root.find("xrdMeasurement")
    if measurement is not None:
        told = plain(measurement, without=("scan", "comment"))
        found |= told if isinstance(told, dict) else {}
    if scans:
        found["scans"] = len(scans)
        told = plain(scans[0], without=("intensities", "counts", "listPositions", "beamAttenuationFactors"))
        found["scan"] = told if isinstance(told, dict) else {}
        seconds = number(scans[0], "dataPoints/commonCountingTime")
        if seconds is not None:
            found["counting time"] = Quantity(seconds, "s")
    return found
