r"""Bruker, Veeco and Digital Instruments scanning probe files (`.spm`, `.000`, ...).

Source: the NanoScope manuals, "File format": lines `\Key: value` in lists that begin `\*Ciao image list`, Ctrl-Z, then little-endian integers of 2 or 4 bytes at
each image's `Data offset`, the first row at the bottom. A value is its LSB times the hard scale, times the sensitivity that the scale names: `V [Sens. Zsens] (0.0067 V/LSB) 440 V`. Of images the range (440 V) counts,
of force curves the volts of one LSB; their approach stands before their retraction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingestors.binary.source import Array, Source

_LONGEST_HEADER: Final = 1_000_000
_MOST_IMAGES: Final = 16
_FEW: Final = 8  # samples that are no part of a force curve
_MODES: Final = {
    "stm": "Scanning tunneling microscopy",
    "tapping": "Atomic force microscopy",
    "contact": "Atomic force microscopy",
    "peakforce": "Atomic force microscopy",
    "force": "Atomic force microscopy",
    "afm": "Atomic force microscopy",
}
_PREFIXES: Final = {"~m": "µm", "�m": "µm", "um": "µm"}


def recognises(candidate: Candidate) -> str | None:
    r"""`\*File list` or `\*Force file list` in the first line."""
    match = re.match(rb"\\\*(File list|Force file list|EC File list)\r?\n", candidate.head)
    return f"first line \\*{match[1].decode()}" if match else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Every image with its real size and unit; the lists of settings as they stand."""
    head = source.some(0, _LONGEST_HEADER)
    end = head.find(b"\\*File list end")
    lists = _lists((head[:end] if end > 0 else head.split(b"\x1a", 1)[0]).decode("cp1252", "replace"))
    if not lists:
        raise UnreadableError("The header of this NanoScope file holds no list.")
    first = lists[0][1]
    known = {key: value for name, fields in lists if "image list" not in name for key, value in fields.items()}
    signals: list[Signal] = []
    warnings: list[str] = []
    for name, fields in lists:
        if name == "Ciao image list" and len(signals) < _MOST_IMAGES:
            try:
                signals.append(_image(source, fields, known))
            except UnreadableError as error:
                warnings.append(f"An image is missing: {error}")
    curves = [fields for name, fields in lists if name == "Ciao force image list"][:_MOST_IMAGES]
    pictured = list(signals)
    for fields in curves:
        try:
            found = _curves(source, fields, known)
            signals += found
            pictured = pictured or found
        except UnreadableError as error:
            warnings.append(f"A force curve is missing: {error}")
    when = _moment(first.get("Date", ""))
    return Reading(
        data_type="NanoScope force curve" if curves else "NanoScope scan" if signals else "NanoScope file",
        measurement=_method(known),
        timestamp=when.iso,
        instrument=known.get("Microscope", known.get("Description", "")),
        samples=(known.get("Sample", ""),),
        name=known.get("Sample name", ""),
        keywords=("scanning probe microscopy",),
        metadata=_told(lists) | described(signals),
        thumbnails=drawn(pictured, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _lists(text: str) -> list[tuple[str, dict[str, str]]]:
    lists: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines()[:20_000]:
        bare = line.strip()
        if bare.startswith("\\*"):
            lists.append((bare[2:].strip(), {}))
        elif bare.startswith("\\") and lists:
            key, _, value = bare[1:].partition(": ") if ": " in bare else bare[1:].partition(":")
            lists[-1][1][key.strip()] = value.strip()
    return [(name, fields) for name, fields in lists if fields]


def _moment(text: str) -> dates.Moment:
    """`03:12:45 PM Fri Mar 12 2010`."""
    match = re.match(r"(\d\d?:\d\d:\d\d(?: [AP]M)?) \w{3} (\w{3} +\d\d? \d{4})", text)
    return dates.parse(f"{match[2]} {match[1]}", ("%b %d %Y",)) if match else dates.NEVER


def _method(known: Mapping[str, str]) -> str:
    told = ("Operating mode", "@MicroscopeList", "AFMMode", "Microscope mode", "Microscope")
    mode = " ".join(known.get(key, "") for key in told).casefold()
    return next((method for word, method in _MODES.items() if word in mode), "")


def _image(source: Source, fields: Mapping[str, str], known: Mapping[str, str]) -> Signal:
    across, down = _count(fields, "Samps/line"), _count(fields, "Number of lines")
    offset, length = _count(fields, "Data offset"), _count(fields, "Data length")
    width = _count(fields, "Bytes/pixel") or 2
    if width not in {1, 2, 4} or not across * down:
        raise UnreadableError("its size or its type cannot be.")
    stored = 4 if _wide(known) and length >= 4 * across * down else width
    values, _ = source.array(offset, f"<i{stored}", (down, across))
    scale, unit = _scale(fields, known, width)
    title = _titled(fields.get("@2:Image Data", ""), fields.get("Image data", "image"))
    size = _size(fields)
    axes = tuple(
        Axis(letter if size else "", size[2] if size else "", step / 2, step)
        for letter, step in (("y", (size[1] if size else down) / down), ("x", (size[0] if size else across) / across))
    )
    return Signal(values.astype(np.float64) * scale, axes, title, unit, (down, across))


def _curves(source: Source, fields: Mapping[str, str], known: Mapping[str, str]) -> list[Signal]:
    """One force curve against the ramp, in its parts; of a force volume all curves together, one in each row."""
    offset, length, declared = (_count(fields, key) for key in ("Data offset", "Data length", "Bytes/pixel"))
    width = 4 if _wide(known) else declared
    if width not in {2, 4}:
        raise UnreadableError("its size or its type cannot be.")
    count = _count(known, "force/line") ** 2 if known.get("Start context") == "FVOL" else 1
    samples = length // width // max(count, 1)
    values, chosen = source.array(offset, f"<i{width}", (max(count, 1), samples))
    volts = re.match(r"V (?:\[([^\]]*)\] )?\(([-\d.eE+]+) ([^/)]*)", fields.get("@4:Z scale", ""))
    factor, unit = _sensitivity(known, volts[1] or "", volts[3]) if volts else (1.0, "")
    scaled = values.astype(np.float32) * np.float32(factor * float(volts[2]) if volts else 1.0)
    name = _titled(fields.get("@4:Image Data", ""), "Force")
    if count > 1:
        return [Signal(scaled, (Axis("curve"), Axis("sample")), name, unit, (count, samples), chosen)]
    ramp = re.match(r"V \[([^\]]*)\] \([^)]*\) *([-\d.eE+]+) ?(\S*)", fields.get("@4:Ramp size", ""))
    along, along_unit = _sensitivity(known, ramp[1], ramp[3]) if ramp else (1.0, "")
    reach = float(ramp[2]) * along if ramp else 0.0
    found = []
    for part, line in _parts(scaled[0], [int(word) for word in re.findall(r"\d+", fields.get("Samps/line", ""))]):
        moved = reach if part in {"approach", "retraction"} else 0.0
        axis = Axis("Z ramp" if moved else "", along_unit if moved else "", 0.0, moved / max(line.size - 1, 1) or 1.0)
        found.append(Signal(line, (axis,), name, unit, about={"label": part} if part else {}))
    return found


def _parts(line: Array, lengths: Sequence[int]) -> list[tuple[str, Array]]:
    """The approach, the retraction, and behind them what was held between; a script's segments in one."""
    if len(lengths) != 2 or min(lengths) <= 0 or sum(lengths) > line.size:
        return [("", line)]
    there, back = lengths[0], sum(lengths)
    parts = [("approach", line[:there]), ("retraction", line[there:back]), ("hold", line[back:])]
    return [part for part in parts if part[1].size > _FEW]


def _wide(known: Mapping[str, str]) -> bool:
    """Since version 9.2 every number has 4 bytes, whatever `Bytes/pixel` says; one LSB stays what it says."""
    version = re.match(r"0x([0-9A-Fa-f]{8})", known.get("Version", ""))
    return version is not None and int(version[1], 16) >= 0x09200000


def _titled(text: str, other: str) -> str:
    """`S [Height] "Height Sensor"`: what people call it, else the internal name."""
    match = re.search(r'\[([^\]]*)\](?: "([^"]*)")?', text)
    return (match[2] or match[1]) if match else other


def _sensitivity(known: Mapping[str, str], name: str, unit: str) -> tuple[float, str]:
    """What one volt is, by the name of a sensitivity; 1 and the unit itself where it is none."""
    found = re.match(r"V ([-\d.eE+]+) ?(\S+?)/(\S+)", known.get(f"@{name}", ""))
    return (float(found[1]), _PREFIXES.get(found[2], found[2])) if found else (1.0, unit)


def _count(fields: Mapping[str, str], key: str) -> int:
    match = re.match(r"\d{1,12}", fields.get(key, ""))
    return int(match[0]) if match else 0


def _scale(fields: Mapping[str, str], known: Mapping[str, str], width: int) -> tuple[float, str]:
    """What one LSB is, and its unit; 1 and no unit if the header does not say."""
    text = fields.get("@2:Z scale", fields.get("@Z scale", fields.get("Z scale", "")))
    match = re.match(r"V \[([^\]]*)\] \([^)]*\) *([-\d.eE+]+) ?(\S*)", text)
    if match is None:
        return 1.0, ""
    hard, unit = float(match[2]) / 2.0 ** (8 * width), match[3]
    factor, unit = _sensitivity(known, match[1], unit)
    return hard * factor, unit


def _size(fields: Mapping[str, str]) -> tuple[float, float, str] | None:
    """`1000 nm`, `1000 500 nm` or `10 10 ~m`."""
    match = re.match(
        r"([\d.eE+-]+)(?: ([\d.eE+-]+))? ?([^\d\s]\S*)", fields.get("Scan Size", fields.get("Scan size", ""))
    )
    if match is None:
        return None
    width = float(match[1])
    return width, float(match[2]) if match[2] else width, _PREFIXES.get(match[3], match[3])


def _told(lists: Sequence[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """The lists as they stand, the images' left out; the scan's rate and angle as quantities."""
    found: dict[str, Any] = {}
    for name, fields in lists:
        if "image list" not in name:
            found.setdefault(name, {key: value_of(value) for key, value in list(fields.items())[:400] if value})
    for fields in found.values():
        for key, unit in (("Scan Rate", "Hz"), ("Scan rate", "Hz"), ("Rotate Ang.", "deg")):
            if isinstance(fields.get(key), (int, float)):
                fields[key] = Quantity(fields[key], unit)
    return found
