"""What NeXus files say about themselves.

Source: NeXus manual (nexusformat.org), chapter "Rules for storing data items", and the application definition NXcanSAS
(also in its draft spelling SAS...); BLISS, spech5 and DECTRIS for what their files add.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Sample
from ingestors.hdf5 import definitions, plottable, reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.hdf5.plottable import children, kind
from ingestors.hdf5.told import Told, drawn_or_none, moment, orcid, title, unfilled

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py

    from ingestors.api import Thumbnail
    from ingestors.hdf5.told import Source

_CLOCK: Final = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")
_ENTRY: Final = frozenset({"NXentry", "NXsubentry", "SASentry"})
_INSTRUMENT: Final = frozenset({"NXinstrument", "SASinstrument"})
_SAMPLE: Final = frozenset({"NXsample", "SASsample"})
_MOST_ENTRIES: Final = 200
_SAMPLE_NAMES: Final = (
    "name",
    "short_title",
    "sample_name",
    "ID",
    "sample_id",
    "identifier",
    "identifierNAME",
    "title",
)
_INSTRUMENT_NAMES: Final = ("name", "title", "beamline", "instrument_name")
_STARTS: Final = ("start_time", "startTime", "start_date", "collection_time", "date", "timestamp")
_PLACEHOLDERS: Final = frozenset(
    {
        "none",
        "unknown",
        "n/a",
        "not specified",
        "default",
        "sample",
        "instrument",
        "null",
        "unspecified",
        "unnamed sample",
        "unnamed",
    }
)


def entries(file: h5py.File) -> list[h5py.Group]:
    """The entries of the file in its order; empty if this is not NeXus."""
    found = list(children(file, _ENTRY))
    return found or ([file["/"]] if kind(file) in _ENTRY else [])


def entry(file: h5py.File) -> h5py.Group | None:
    """The entry that the file names as its default, else the first one; None if this is not NeXus."""
    if default := reading.attribute_text(file, "default"):
        named = reading.child_group(file, default)
        if named is not None and kind(named) in _ENTRY:
            return named
    return next(iter(entries(file)), None)


def field(group: h5py.Group | None, name: str) -> str:
    """A text (or a number as text) of a group's dataset or attribute, empty if it is not there."""
    if group is None:
        return ""
    data = reading.child_data(group, name)
    if data is None:
        return reading.attribute_text(group, name)
    value = reading.single(data)
    return str(value).strip()[:2000] if isinstance(value, (str, int, float)) else ""


def _first(group: h5py.Group, names: tuple[str, ...]) -> str:
    found = (field(group, name) for name in names)
    return next((text for text in found if text and text.casefold() not in _PLACEHOLDERS and not unfilled(text)), "")


def instrument(here: h5py.Group) -> str:
    """The name of the entry's instrument."""
    for group in children(here, _INSTRUMENT):
        if name := _first(group, _INSTRUMENT_NAMES) or reading.attribute_text(group, "short_name"):
            return name
        name_field = reading.child_data(group, "name")
        if name_field is not None and (short := reading.attribute_text(name_field, "short_name")):
            return short
    return _first(here, ("beamline", "instrument_name", "instrument"))


def samples(here: h5py.Group) -> list[str]:
    """Names of the entry's samples."""
    found = [_first(group, _SAMPLE_NAMES) for group in children(here, _SAMPLE)]
    return list(dict.fromkeys(name for name in found or [_first(here, ("sample_name", "sample"))] if name))


def definition(here: h5py.Group) -> str:
    """The application definition that the entry (or a subentry) follows: NXmx, NXcanSAS; empty if it names none."""
    for group in (here, *children(here, frozenset({"NXsubentry"}))):
        found = field(group, "definition") or field(group, "definition_local")
        if found and found not in _ENTRY:
            return found.split("/")[-1].split(",")[0].strip()
    held = [
        here,
        *(group for name in reading.names(here, 500) if (group := reading.child_group(here, name)) is not None),
    ]
    kinds = {kind(one) for one in held} | {reading.attribute_text(one, "canSAS_class") for one in held}
    return "NXcanSAS" if kinds & {"SASentry", "SASdata"} else ""


def read(source: Source) -> Told:
    """Everything that the entries of a NeXus file tell. Raises nothing but h5py's errors."""
    here = entry(source.file)
    if here is None:
        return Told()
    everything = entries(source.file)
    followed = definition(here)
    started, warnings = _started(source.file, here)
    several = len(everything) > 1
    attributes = {
        "dataset_name": "" if several else title(field(here, "title")),
        "measurement": definitions.measurement(followed, _radiation(here), _wavelength(here)),
        "data_type": followed if followed.startswith("NX") else "NeXus",
        "instrument_name": instrument(here),
        "timestamp": started,
        "owner_orcid": _orcid(here),
    }
    named = [name for one in everything[:_MOST_ENTRIES] for name in samples(one)]
    shown = attributes["dataset_name"] or source.stem
    return Told(
        attributes=attributes,
        samples=[Sample(name) for name in dict.fromkeys(named)],
        keywords=[followed] if followed else [],
        metadata={"entries": [_summary(one) for one in everything[:_MOST_ENTRIES]]} if several else {},
        axes={
            str(plot.signal.name): about
            for plot in plottable.plots(source.file["/"])
            if (about := plottable.axes_of(plot))
        },
        thumbnails=_pictures(here, shown, followed),
        warnings=warnings,
    )


def _summary(here: h5py.Group) -> dict[str, Any]:
    """An entry among several: its name, title, times and definition."""
    told = {name: field(here, name) for name in ("title", "start_time", "end_time", "definition")}
    return {"entry": own_name(here), **{name: text for name, text in told.items() if text}}


def _started(file: h5py.File, here: h5py.Group) -> tuple[str, list[str]]:
    """When the measurement began, as ISO 8601 with an offset only if the file has one, and what has to be said about it."""
    for name in _STARTS:
        text = field(here, name)
        if not text or _CLOCK.fullmatch(text):
            continue
        found = moment(text)
        if found.iso:
            return found.iso, list(found.warnings)
        return "", [f"{name} {text!r} is not a date that can be read, so the dataset has no time from the file."]
    for found in map(moment, _elsewhere(here)):
        if found.iso:
            return found.iso, list(found.warnings)
    for holder, name in ((here, "end_time"), (file, "file_time")):
        found = moment(field(holder, name))
        if found.iso:
            return found.iso, [
                f"The file has no start_time with a date; its time is {name}."
                if field(here, "start_time")
                else f"The file has no start_time; its time is {name}."
            ]
    return "", []


def _elsewhere(here: h5py.Group) -> Iterator[str]:
    """Where programs put the time instead: DECTRIS in the detector's own group, NXcanSAS at the data."""
    for one in children(here, _INSTRUMENT):
        for detector in children(one, frozenset({"NXdetector"})):
            yield field(detector, "detectorSpecific/data_collection_date")
    for held in children(here, frozenset({"NXdata", "SASdata"})):
        yield reading.attribute_text(held, "timestamp")


def _orcid(here: h5py.Group) -> str:
    for user in children(here, frozenset({"NXuser"})):
        for name in ("ORCID", "orcid", "identifierNAME", "identifier"):
            if found := orcid(field(user, name)):
                return found
    return ""


def _radiation(here: h5py.Group) -> str:
    """What the source says about its radiation: `probe`, `radiation`, `type`."""
    for group in children(here, _INSTRUMENT):
        for source in children(group, frozenset({"NXsource", "SASsource"})):
            if text := " ".join(filter(None, (field(source, name) for name in ("probe", "radiation", "type")))):
                return text
    return ""


def _wavelength(here: h5py.Group) -> float | None:
    """The incident wavelength in ångströms, if the file tells it in a unit that this knows."""
    for group in children(here, _INSTRUMENT):
        for beam in children(group, frozenset({"NXbeam", "NXmonochromator"})):
            data = reading.child_data(beam, "incident_wavelength") or reading.child_data(beam, "wavelength")
            value = reading.single(data) if data is not None else None
            if data is not None and isinstance(value, (int, float)):
                return float(value) * {"nm": 10.0, "m": 1e10, "pm": 0.01}.get(unit_of(data), 1.0)
    return None


def _pictures(here: h5py.Group, shown: str, followed: str) -> list[Thumbnail]:
    found = drawn_or_none(lambda: _default(here, shown, followed)) or drawn_or_none(lambda: _counters(here, shown))
    return [] if found is None else [found]


def _default(here: h5py.Group, shown: str, followed: str) -> Thumbnail | None:
    plot = plottable.default_plot(here)
    return None if plot is None else plottable.picture(plot, shown, log=True if followed == "NXcanSAS" else None)


def _counters(here: h5py.Group, shown: str) -> Thumbnail | None:
    """SPEC-like scans of BLISS and spech5: the `measurement` group holds motors and counters; the scan's command names the motor."""
    held = reading.child_group(here, "measurement")
    if held is None:
        return None
    columns = [(name, reading.child_data(held, name)) for name in reading.names(held, 200)]
    lines = {
        name: data
        for name, data in columns
        if data is not None and data.ndim == 1 and reading.numeric(data) and data.size > 1
    }
    words = field(here, "title").split()
    motor = next((lines[name] for name in words if name in lines), None)
    clock = (
        motor
        if motor is not None
        else next((lines[name] for name in ("elapsed_time", "epoch", "time") if name in lines), None)
    )
    if not lines:
        return None
    length = clock.size if clock is not None else max(data.size for data in lines.values())
    drawn = [
        data
        for name, data in lines.items()
        if data.size == length and data != clock and not name.startswith(("epoch", "elapsed"))
    ]
    counted = [data for data in drawn if _varies(data)] or drawn
    return shapes.line(counted[-1], clock, title=shown) if counted else None


def _varies(data: h5py.Dataset) -> bool:
    values = reading.read(data, [1000])
    return values is not None and bool(np.ptp(np.nan_to_num(values)))
