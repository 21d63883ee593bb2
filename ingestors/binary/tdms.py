"""National Instruments TDMS: the properties of file, groups and channels, and the first raw values.

What stands in the segments is read in `tdms_segments`, the scaling of raw numbers in `tdms_scaling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ingestors.api import Candidate, Quantity
from ingestors.binary import tdms_scaling, tdms_segments
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.tdms_segments import Object
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

_ORDERS: Final[tuple[Literal["little", "big"], ...]] = ("little", "big")
_MOST_OBJECTS: Final = 2000
_MOST_VALUES: Final = 1_000_000  # of one channel
_MOST_CHANNELS: Final = 16


def recognises(candidate: Candidate) -> str | None:
    """`TDSm` and a version of the format."""
    return (
        "signature TDSm"
        if candidate.head.startswith(tdms_segments.MAGIC)
        and {4712, 4713} & {int.from_bytes(candidate.head[8:12], order) for order in _ORDERS}
        else None
    )


def read(source: Source, candidate: Candidate) -> Reading:
    """Groups and channels with their properties; the values of the first channels."""
    reader = tdms_segments.Segments(source)
    reader.run()
    top = reader.objects.get("/", Object()).properties
    groups: dict[str, Any] = {}
    for path, one in list(reader.objects.items())[:_MOST_OBJECTS]:
        parts = _parts(path)
        if len(parts) == 1:
            groups.setdefault(parts[0], {}).update(one.properties)
        elif len(parts) == 2:
            told = _plain(one.properties) | ({"values": one.total} if one.total else {})
            groups.setdefault(parts[0], {}).setdefault("channels", {})[parts[1]] = told
    signals = [
        signal
        for path, one in list(reader.objects.items())
        if one.pieces and (signal := _signal(source, path, one, reader.order)) is not None
    ][:_MOST_CHANNELS]
    when = _moment(reader)
    title = str(top.get("name", "") or top.get("Title", "")).strip()
    return Reading(
        data_type="LabVIEW TDMS",
        name=title,
        timestamp=when.iso,
        metadata={"properties": _plain(top), "groups": {name: _plain(group) for name, group in groups.items()}}
        | described(signals),
        thumbnails=drawn(signals, title or candidate.stem),
        warnings=(*when.warnings, *reader.warnings),
    )


def _parts(path: str) -> list[str]:
    """`/'Group'/'Channel'` without its quotes."""
    return (
        [part.replace("''", "'") for part in path.strip("/").removeprefix("'").removesuffix("'").split("'/'")]
        if path != "/"
        else []
    )


def _signal(source: Source, path: str, one: Object, order: str) -> Signal | None:
    code = one.daqmx.dtype if one.daqmx is not None else tdms_segments.TYPES.get(one.kind)
    if code is None:
        return None
    kind = np.dtype(order + code)
    parts: list[np.ndarray[Any, Any]] = []
    left = _MOST_VALUES
    for offset, count, stride in one.pieces:
        wanted = min(count, left)
        if wanted <= 0:
            break
        if stride == kind.itemsize:
            values, _ = source.array(offset, kind, (wanted,))
        else:
            whole = source.some(offset, min(wanted * stride, 60_000_000))
            rows = len(whole) // stride
            values = np.ndarray((rows,), kind, whole, 0, (stride,)) if rows else np.empty(0, kind)
        parts.append(np.asarray(values))
        left -= wanted
    values = np.concatenate(parts) if parts else np.empty(0)
    if values.size < 2:
        return None
    about = one.properties
    scaled = tdms_scaling.scaled(values, about)
    values = values if scaled is None else scaled
    name = _parts(path)[-1]
    unit = str(about.get("unit_string", about.get("NI_UnitDescription", ""))) if scaled is not None else ""
    step, first = about.get("wf_increment"), about.get("wf_start_offset", 0.0)
    if isinstance(step, float) and step > 0:
        axis = Axis(
            str(about.get("wf_xname", "")) or "Time",
            str(about.get("wf_xunit_string", "")) or "s",
            float(first) if isinstance(first, (int, float)) else 0.0,
            step,
        )
    else:
        axis = Axis("point")
    return Signal(values, (axis,), name, unit, (one.total,), about={"label": name})


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    found = {key: value.iso if isinstance(value, dates.Moment) else value for key, value in properties.items()}
    if isinstance(found.get("wf_increment"), float):
        found["wf_increment"] = Quantity(found["wf_increment"], str(found.get("wf_xunit_string", "")) or "s")
    return found


def _moment(reader: tdms_segments.Segments) -> dates.Moment:
    """The file's own time, else the earliest start of a waveform."""
    top = reader.objects.get("/", Object()).properties
    for key in ("DateTime", "datetime", "Date", "StartTime", "wf_start_time"):
        if isinstance(top.get(key), dates.Moment) and top[key].iso:
            return top[key]  # type: ignore[no-any-return]
    moments = [
        value
        for one in reader.objects.values()
        for value in one.properties.values()
        if isinstance(value, dates.Moment) and value.iso
    ]
    return min(moments, key=lambda one: one.iso) if moments else dates.NEVER
