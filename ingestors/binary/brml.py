"""Bruker DIFFRAC.SUITE measurements (`.brml`): a ZIP of XML files, one `RawDataN.xml` for each scan.

Source: the files' own element names: `DataRoute` holds `ScanInformation` (axes, mode, time), `Datum` (comma-separated numbers) and `DataViews`, which say
what each number of a `Datum` is; `FixedInformation` tube, optics, drives and detectors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import archive, diffraction
from ingestors.binary.xmltree import Element, number, parsed, plain, text
from ingestors.columns import Column
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ingestors.binary.archive import Archive
    from ingestors.binary.source import Source

_RAW: Final = re.compile(r"(?:.*/)?RawData(\d+)\.xml", re.IGNORECASE)
_MOST_SCANS: Final = 500
_CHANNELS: Final = 16  # fewer are no line detector
_MOST_NUMBERS: Final = 8_000_000
_PLACEHOLDERS: Final = frozenset({"", "commander sample id", "sample", "unknown", "none"})


def recognises(candidate: Candidate) -> str | None:
    """An archive with `RawDataN.xml` or `DataContainer.xml`."""
    names = archive.names_of(candidate)
    if any(_RAW.fullmatch(name) for name in names):
        return "archive with RawData.xml"
    return "archive with DataContainer.xml" if any(name.endswith("/DataContainer.xml") for name in names) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The scans as tables; sample, user, times and the settings of tube and detector."""
    del source
    with archive.opened(candidate.path) as whole:
        names = sorted((name for name in whole.names if _RAW.fullmatch(name)), key=_number)
        if not names:
            raise UnreadableError("The archive holds no RawData.xml: nothing was measured yet.")
        scans: list[diffraction.Scan] = []
        first: Element | None = None
        left = _MOST_NUMBERS
        for at in np.linspace(0, len(names) - 1, min(len(names), _MOST_SCANS)).round().astype(int):
            root = parsed(whole.read(names[at]))
            first = root if first is None else first
            for route in root.iter("DataRoute"):
                scan = _scan(route)
                if scan is not None and left > 0:
                    left -= scan.y.values.size * len(scan.columns)
                    scans.append(scan)
        container = _container(whole)
    if first is None:
        raise UnreadableError("The archive holds no RawData.xml: nothing was measured yet.")
    info = _info(first, container)
    when = dates.iso(_six(text(first, "TimeStampStarted")))
    sample = info.get("SampleName", "")
    known = sample.casefold() not in _PLACEHOLDERS
    warnings = list(when.warnings)
    if len(names) > _MOST_SCANS:
        warnings.append(f"The file holds {len(names)} scans; {_MOST_SCANS} of them, evenly spread, were read.")
    if not scans:
        warnings.append("The file holds no measured points.")
    status = text(first, "MeasurementStatus")
    if status and status not in {"Measured", "Finished", "Completed"}:
        warnings.append(f"The measurement's status is {status!r}.")
    title = sample if known else candidate.stem
    return Reading(
        data_type="Bruker diffraction scan",
        measurement=diffraction.MEASUREMENT,
        name=sample if known else "",
        timestamp=when.iso,
        instrument=_instrument(container),
        samples=(sample,) if known else (),
        keywords=("XRD",),
        metadata=_metadata(first, info),
        tables=diffraction.tables(scans),
        thumbnails=diffraction.thumbnails(scans, title),
        warnings=tuple(warnings),
    )


def _number(name: str) -> tuple[str, int]:
    match = _RAW.fullmatch(name)
    return name.rpartition("/")[0], int(match[1]) if match else 0


def _six(stamp: str) -> str:
    """.NET writes seven digits behind the second; ISO readers know six."""
    return re.sub(r"(\.\d{6})\d+", r"\1", stamp)


def _container(whole: Archive) -> Element | None:
    name = next((name for name in whole.names if name.endswith("DataContainer.xml")), None)
    return parsed(whole.read(name)) if name is not None else None


def _instrument(container: Element | None) -> str:
    found = next(container.iter("InstrumentName"), None) if container is not None else None
    return text(found)


def _info(root: Element, container: Element | None) -> dict[str, str]:
    """Name, user and comment of the sample, from either of the places where they stand."""
    found = {item.get("Name", ""): item.get("Value", "").strip() for item in root.iter("InfoItem")}
    about = container.find("MeasurementInfo") if container is not None else None
    for key, value in (about.attrib if about is not None else {}).items():
        found.setdefault("User" if key == "UserName" else key, value.strip())
    return {key: value for key, value in found.items() if key and value}


def _scan(route: Element) -> diffraction.Scan | None:
    """One table: the scanned axes, then the counts; other numbers of the points are left out."""
    rows = [one.text for one in route.iter("Datum") if one.text]
    if not rows:
        return None
    width = rows[0].count(",") + 1
    values = np.fromstring(",".join(row for row in rows if row.count(",") + 1 == width), sep=",")
    values = values[: values.size // width * width].reshape(-1, width)
    setup = route.find("ScanInformation")
    if (still := _still(route, setup, values)) is not None:
        return still
    columns: list[Column] = []
    counts: list[Column] = []
    for view in route.iter("RawDataView"):
        start, length = int(view.get("Start", -1)), int(view.get("Length", 0))
        if not 0 <= start < width:
            continue
        if view.find("Recording") is not None:
            counts.append(_counts(view, values[:, start : start + max(length, 1)]))
        elif (varying := view.find("Varying")) is not None and varying.get("LogicName", "") == "ScanAxes":
            columns += [
                Column(text(one, "VisibleName") or one.get("FieldName", ""), _unit(one), values[:, start + index])
                for index, one in enumerate(varying.findall("FieldDefinitions"))
                if start + index < width
            ]
    if not counts:  # older files do not say what the numbers are: the last one is the count
        counts = [Column("Intensity", "counts", values[:, -1])]
    if not columns:
        columns = _by_position(setup, values)
    title = setup.get("VisibleName", setup.get("ScanName", "")).strip() if setup is not None else ""
    return diffraction.Scan((*columns, counts[0]), title)


def _still(route: Element, setup: Element | None, values: NDArray[np.float64]) -> diffraction.Scan | None:
    """One exposure of a line detector at rest, whose channels the scan's axis counts ("PSD fixed"); None if it is another scan."""
    view = next((view for view in route.iter("RawDataView") if view.find("Recording") is not None), None)
    axis = setup.find("ScanAxes/ScanAxisInfo") if setup is not None else None
    if len(values) != 1 or setup is None or view is None or axis is None:
        return None
    start, length = int(view.get("Start", -1)), int(view.get("Length", 0))
    first, last, step = (number(axis, key) for key in ("Start", "Stop", "Increment"))
    if first is None or last is None or not step or abs((last - first) / step + 1 - length) > 1 or length < _CHANNELS:
        return None
    counts = values[0, max(start, 0) : start + length]
    angles = (number(axis, "Reference") or 0.0) + first + step * np.arange(counts.size)
    x = Column(axis.get("VisibleName", axis.get("AxisName", "")), axis.get("Unit") or None, angles)
    return diffraction.Scan((x, Column("Intensity", "counts", counts)), setup.get("VisibleName", "").strip())


def _counts(view: Element, values: NDArray[np.float64]) -> Column:
    """One number a point; of a line detector's many channels the sum."""
    unit = view.find("Recording/Unit")
    name = "Intensity" if values.shape[1] == 1 else f"Intensity (sum of {values.shape[1]} channels)"
    return Column(name, (unit.get("Base", "counts") if unit is not None else "counts").casefold(), values.sum(axis=1))


def _unit(definition: Element) -> str | None:
    restriction = definition.find("Restriction")
    return (restriction.get("Unit", "") if restriction is not None else "") or None


def _by_position(setup: Element | None, values: NDArray[np.float64]) -> list[Column]:
    """The axes in the order in which they are announced, behind time and absorption factor; the row's number without any."""
    axes = list(setup.iter("ScanAxisInfo")) if setup is not None else []
    seen: list[Column] = []
    for index, axis in enumerate(axes):
        if 2 + index < values.shape[1] - 1:
            seen.append(
                Column(
                    axis.get("VisibleName", axis.get("AxisName", "")), axis.get("Unit") or None, values[:, 2 + index]
                )
            )
    return seen or [Column("point", None, np.arange(len(values), dtype=np.float64))]


def _metadata(root: Element, info: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"info": info}
    finished = text(root, "TimeStampFinished")
    found |= {"finished": dates.iso(_six(finished)).iso} if finished else {}
    setup = next(root.iter("ScanInformation"), None)
    if setup is not None:
        found["scan"] = _setup(setup)
    fixed = root.find("FixedInformation")
    if fixed is not None:
        found |= {
            "tube": _tube(fixed),
            "drives": _drives(fixed),
            "detectors": _named(fixed.find("Detectors")),
            "optics": _optics(fixed),
        }
    return {key: value for key, value in found.items() if value}


def _setup(setup: Element) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": setup.get("VisibleName", setup.get("ScanName", "")).strip(),
        "mode": text(setup, "ScanModeVisibleName") or text(setup, "ScanMode"),
        "points": number(setup, "MeasurementPoints"),
    }
    if (seconds := number(setup, "TimePerStep")) is not None:
        found["time per step"] = Quantity(seconds, "s")
    for axis in setup.findall("ScanAxes/ScanAxisInfo"):
        unit = axis.get("Unit", "")
        parts = {key.casefold(): number(axis, key) for key in ("Start", "Stop", "Increment")}
        beyond = number(axis, "Reference") or 0.0  # what start and stop are counted from
        parts |= {key: value + beyond for key in ("start", "stop") if (value := parts[key]) is not None}
        found[axis.get("VisibleName", axis.get("AxisName", ""))] = {
            key: Quantity(value, unit) for key, value in parts.items() if value is not None
        }
    return {key: value for key, value in found.items() if value not in ("", None)}


def _tube(fixed: Element) -> dict[str, Any]:
    tube = next(fixed.iter("Tube"), None)
    if tube is None:
        return {}
    found = {"name": tube.get("VisibleName", ""), "material": text(tube, "TubeMaterial")}
    wanted = (
        "WaveLengthAlpha1",
        "WaveLengthAlpha2",
        "WaveLengthAverage",
        "WaveLengthBeta",
        "WaveLengthRatio",
        "Generator/Voltage",
        "Generator/Current",
    )
    quantities = {
        path.rpartition("/")[2]: quantity for path in wanted if (quantity := _quantity(tube.find(path))) is not None
    }
    return {key: value for key, value in {**found, **quantities}.items() if value}


def _quantity(element: Element | None) -> Any:
    value = plain(element) if element is not None else None
    return value if isinstance(value, (Quantity, int, float)) else None


def _drives(fixed: Element) -> dict[str, Any]:
    return {
        str(drive.get("VisibleName") or drive.get("LogicName")): position
        for drive in fixed.findall("Drives/InfoData")
        if (position := _quantity(drive.find("Position"))) is not None
    }


def _named(parent: Element | None) -> dict[str, Any]:
    return (
        {str(one.get("VisibleName") or one.get("LogicName")): plain(one, without=("BeringInfo",)) for one in parent}
        if parent is not None
        else {}
    )


def _optics(fixed: Element) -> list[str]:
    """The names of what stands in the beam, in its order."""
    names = [one.get("VisibleName", "") for mounted in fixed.iter("MountedOptics") for one in mounted]
    return [name for name in names if name and not name.startswith("?")][:40]
