"""JPK (Bruker) force curves, force maps and quantitative images (`.jpk-force`, `.jpk-force-map`, `.jpk-qi-data`): zip archives.

Source: the files' own words: `header.properties` (keys and values as Java writes them) beside `segments/N` of one curve, or `index/M/segments/N` of a map. A
channel's numbers are big-endian integers; an encoder makes volts of them, and a chain of conversions metres and newtons. What all curves have in common stands in
`shared-data/header.properties`, and `lcd-info.*=3` leads there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary import archive
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.archive import Archive
    from ingestors.binary.source import Array, Source

_HEADER: Final = "header.properties"
_SHARED: Final = "shared-data/header.properties"
_SEGMENT: Final = re.compile(r"((?:index/(\d+)/)?segments/(\d+)/)segment-header\.properties")
_ENCODERS: Final = {
    "signedshort": ">i2", "unsignedshort": ">u2", "signedinteger": ">i4", "unsignedinteger": ">u4", "signedlong": ">i8", "signedbyte": ">i1",
    "float": ">f4", "float-data": ">f4", "double": ">f8", "double-data": ">f8",
}  # fmt: skip
_EMPTY: Final = frozenset({"", "no comment entry", "no name entry", "no probe entry"})
_UNITS: Final = {
    "duration": "s", "expected-duration": "s", "ulength": "m", "vlength": "m", "xcenter": "m", "ycenter": "m", "z-start": "m", "z-end": "m",
    "relative-z-start": "m", "relative-z-end": "m", "extend-scan-time": "s", "retract-scan-time": "s",
}  # fmt: skip
_HEIGHTS: Final = (
    "height",
    "strainGaugeHeight",
    "measuredHeight",
    "capacitiveSensorHeight",
)  # the sensors last: they win
_MOST_KEYS: Final = 500
_MOST_CONVERSIONS: Final = 8
_MOST_SEGMENTS: Final = 12


def recognises(candidate: Candidate) -> str | None:
    """An archive with `header.properties` and segments of a curve."""
    names = archive.names_of(candidate)
    if _HEADER in names and any(_SEGMENT.fullmatch(name) for name in names):
        return "archive with header.properties and segments"
    return None


def read(source: Source, candidate: Candidate) -> Reading:
    """The settings, the first curve with its channels in metres and newtons, and how many curves there are."""
    del source
    with archive.opened(candidate.path) as whole:
        header = properties(whole.read(_HEADER))
        if not {"jpk-data-file", "type"} & header.keys():
            raise UnreadableError("The header of this archive does not say that it is JPK's.")
        shared = properties(whole.read(_SHARED)) if _SHARED in whole.names else {}
        found = [match for name in whole.names if (match := _SEGMENT.fullmatch(name))]
        curves = sorted({int(match[2]) for match in found if match[2]})
        first = [match for match in found if not match[2] or int(match[2]) == curves[0]]
        segments = sorted((int(match[3]), match[1]) for match in first)[:_MOST_SEGMENTS]
        signals: list[Signal] = []
        warnings: list[str] = []
        told: list[dict[str, Any]] = []
        for number, folder in segments:
            own = _with_shared(properties(whole.read(f"{folder}segment-header.properties")), shared)
            told.append(_segment(own))
            for channel in own.get("channels.list", "").split():
                if own.get(f"channel.{channel}.type", own.get(f"channel.{channel}.data.type", "")) == "raster-data":
                    continue  # calculated, not stored
                try:
                    signals.append(_channel(whole, folder, own, channel, told[-1].get("style") or f"segment {number}"))
                except UnreadableError as error:
                    warnings.append(f"The channel {channel} of segment {number} is missing: {error}")
    kind = header.get("type", "")
    when = _moment(header, kind, told)
    if not curves and int(header.get(f"{kind}.force-segments.count", len(told)) or 0) > len(told):
        warnings.append(
            f"The curve is not complete: {len(told)} of {header[f'{kind}.force-segments.count']} segments are there."
        )
    description = {
        key: header.get(f"{kind}.description.{key}", "")
        for key in ("instrument", "name", "comment", "user-name", "source-software")
    }
    return Reading(
        data_type=f"JPK {kind.replace('-series', ' curve').replace('-', ' ')}".strip(),
        measurement="Atomic force microscopy",
        timestamp=when.iso,
        instrument=description["instrument"],
        samples=() if description["name"] in _EMPTY else (description["name"],),
        keywords=("force spectroscopy",),
        metadata={
            "header": _settings(header, kind),
            **({"curves": len(curves), "curves planned": _planned(header, kind)} if curves else {}),
            "segments": told,
            **described(signals),
        },
        thumbnails=_pictures(signals, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def properties(content: bytes) -> dict[str, str]:
    r"""Keys and values as Java writes them: `key=value`, with `\:` for a colon; comments are left out."""
    found: dict[str, str] = {}
    for line in content.decode("latin-1").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key.strip()] = re.sub(r"\\(.)", r"\1", value.strip())
    return found


def _with_shared(own: dict[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    """A segment's properties with what its references stand for: `channel.height.lcd-info.*=0` for all of `lcd-info.0.`."""
    found = dict(own)
    for key, number in own.items():
        match = re.fullmatch(r"(.*?)([a-z-]+)\.\*", key)
        if match is not None:
            begin = f"{match[2]}.{number}."
            found |= {
                match[1] + name.removeprefix(begin): value for name, value in shared.items() if name.startswith(begin)
            }
    return found


def _segment(own: Mapping[str, str]) -> dict[str, Any]:
    """What the parts of a curve are told apart by."""
    begin = "force-segment-header."
    keys = ("settings.style", "settings.segment-settings.style", "style")
    style = next((text for key in keys if (text := own.get(begin + key, own.get(key, "")))), "")
    found: dict[str, Any] = {"style": style, "points": value_of(own.get(f"{begin}num-points", ""))}
    if duration := own.get(f"{begin}duration"):
        found["duration"] = Quantity(value_of(duration), "s")
    for axis in ("x", "y"):
        if place := own.get(f"{begin}position.{axis}"):
            found[axis] = Quantity(value_of(place), "m")
    if stamp := own.get(f"{begin}time-stamp"):
        found["time"] = dates.iso(stamp).iso
    return {key: value for key, value in found.items() if value not in ("", None)}


def _channel(whole: Archive, folder: str, own: Mapping[str, str], name: str, style: str) -> Signal:
    """A channel through its encoder and its conversions, up to the one that the file calls the default."""
    begin = f"channel.{name}."
    data = f"{begin}data." if f"{begin}data.encoder.type" in own else begin
    code = _ENCODERS.get(own.get(f"{data}encoder.type", own.get(f"{begin}data.type", own.get(f"{begin}type", ""))))
    if code is None:
        raise UnreadableError("its numbers are of a kind that is not known.")
    content = whole.read(folder + own.get(f"{begin}data.file.name", f"channels/{name}.dat"))
    values: Array = np.frombuffer(
        content[: len(content) // np.dtype(code).itemsize * np.dtype(code).itemsize], code
    ).astype(np.float64)
    values, unit = _scaled(values, own, f"{data}encoder.scaling.", "")
    conversions = f"{begin}conversion-set."
    base, wanted = own.get(f"{conversions}conversions.base", ""), own.get(f"{conversions}conversions.default", "")
    chain: list[str] = []
    while wanted and wanted != base and len(chain) < _MOST_CONVERSIONS:
        chain.append(wanted)
        wanted = own.get(f"{conversions}conversion.{wanted}.base-calibration-slot", "")
    for slot in reversed(chain):
        values, unit = _scaled(values, own, f"{conversions}conversion.{slot}.scaling.", unit)
    return Signal(values, (Axis("point"),), name, unit, about={"label": style})


def _scaled(values: Array, own: Mapping[str, str], begin: str, unit: str) -> tuple[Array, str]:
    try:
        factor, offset = float(own.get(f"{begin}multiplier", 1.0)), float(own.get(f"{begin}offset", 0.0))
    except ValueError:
        return values, unit
    return values * factor + offset, own.get(f"{begin}unit.unit", own.get(f"{begin}unit", unit))


def _pictures(signals: list[Signal], title: str) -> Any:
    """The deflection against the height, approach and retraction together; else the first channel."""
    heights: dict[str, Signal] = {}
    for name in _HEIGHTS:
        heights |= {one.about["label"]: one for one in signals if one.name.endswith(name)}
    lines = [
        Signal(one.values, (Axis("height", beside.unit, points=beside.values),), one.name, one.unit, about=one.about)
        for one in signals
        if one.name == "vDeflection"
        and (beside := heights.get(one.about["label"])) is not None
        and beside.values.size == one.values.size
    ]
    return drawn(lines or signals[:1], title)


def _settings(header: Mapping[str, str], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, text in list(header.items())[:_MOST_KEYS]:
        if text in _EMPTY or key.endswith(("unit.type", "unit.unit")):
            continue
        name = key.removeprefix(f"{kind}.")
        value = value_of(text)
        unit = _UNITS.get(name.rsplit(".", 1)[-1], "")
        found[name] = (
            Quantity(value, unit) if unit and isinstance(value, (int, float)) and not isinstance(value, bool) else value
        )
    return found


def _planned(header: Mapping[str, str], kind: str) -> int | None:
    last, first = header.get(f"{kind}.indexes.max", ""), header.get(f"{kind}.indexes.min", "0")
    return int(last) - int(first) + 1 if last.isdigit() and first.isdigit() else None


def _moment(header: Mapping[str, str], kind: str, told: list[dict[str, Any]]) -> dates.Moment:
    """When the map began, else when the first segment was measured."""
    if stamp := header.get(f"{kind}.start-time", ""):
        return dates.iso(stamp)
    return dates.Moment(next((one["time"] for one in told if one.get("time")), ""))
