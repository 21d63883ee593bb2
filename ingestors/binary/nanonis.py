"""Nanonis images (`.sxm`) and grids of spectra (`.3ds`).

Source: the Nanonis manuals, "File formats": `.sxm` is `:NAME:` lines with their values below, `:SCANIT_END:`, the bytes 1A 04, then big-endian floats,
channel by channel, forward and backward; `.3ds` is `Key="value"` lines, `:HEADER_END:`, then for each point its parameters and channels.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.textvalues import value_of
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ingestors.binary.source import Source

_LONGEST_HEADER: Final = 1_000_000
_MOST_CHANNELS: Final = 24
_DRIVEN: Final = ("Phase controller on", "Amplitude controller on", "output off")
_TABLES: Final = frozenset({"DATA_INFO", "Z-CONTROLLER", "Scan>channels"})


def recognises_image(candidate: Candidate) -> str | None:
    """`:NANONIS_VERSION:` in the first line."""
    return "first line :NANONIS_VERSION:" if candidate.head.startswith(b":NANONIS_VERSION:") else None


def read_image(source: Source, candidate: Candidate) -> Reading:
    """Every channel, forward and backward, in metres, upright as it was scanned."""
    head = source.some(0, _LONGEST_HEADER)
    end = head.find(b":SCANIT_END:")
    mark = head.find(b"\x1a\x04", end)
    if end < 0 or mark < 0:
        raise UnreadableError("The header of this Nanonis image has no end (:SCANIT_END:).")
    fields = _sections(head[:end].decode("utf-8", "replace"))
    pixels = [int(word) for word in fields.get("SCAN_PIXELS", "").split()]
    if len(pixels) != 2 or min(pixels) <= 0:
        raise UnreadableError("The header of this Nanonis image does not say how many pixels it has.")
    signals, warnings = _channels(source, mark + 2, fields, (pixels[1], pixels[0]))
    when = dates.parse(f"{fields.get('REC_DATE', '')} {fields.get('REC_TIME', '')}".strip(), dates.EUROPEAN)
    told = _told(fields)
    return Reading(
        data_type="Nanonis scan",
        measurement=_method(fields),
        name="",
        timestamp=when.iso,
        instrument="Nanonis",
        keywords=("scanning probe microscopy",),
        metadata=told | described(signals),
        thumbnails=drawn(_forward(signals), candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _sections(text: str) -> dict[str, str]:
    """`:NAME:` and the lines below it."""
    parts = re.split(r"^:([^\n]+?):[ \t]*\r?\n", text, flags=re.MULTILINE)
    return {parts[index]: parts[index + 1].strip("\r\n") for index in range(1, len(parts) - 1, 2)}


def _channels(
    source: Source, start: int, fields: Mapping[str, str], shape: tuple[int, int]
) -> tuple[list[Signal], list[str]]:
    sizes = [float(word) for word in fields.get("SCAN_RANGE", "").split()] or [0.0, 0.0]
    axes = (_axis("y", sizes[-1], shape[0]), _axis("x", sizes[0], shape[1]))
    up = fields.get("SCAN_DIR", "").strip() == "up"
    rows = [line.split("\t") for line in fields.get("DATA_INFO", "").splitlines()[1:]]
    signals: list[Signal] = []
    offset = start
    for row in rows:
        words = [word.strip() for word in row if word.strip()]
        if len(words) < 4:
            continue
        for backward in (False, True) if words[3] == "both" else (words[3].startswith("back"),):
            if len(signals) >= _MOST_CHANNELS:
                break
            if source.size - offset < shape[1] * 4:
                return signals, ["The scan is incomplete: channels are missing at the end of the file."]
            values, _ = source.array(offset, ">f4", shape)
            offset += shape[0] * shape[1] * 4
            plane = values[:, ::-1] if backward else values
            plane = plane[::-1] if up else plane
            name = f"{words[1]} backward" if backward else words[1]
            signals.append(Signal(plane, axes, name.replace("_", " "), words[2], shape, rows_down=True))
    return signals, []


def _axis(name: str, size: float, count: int) -> Axis:
    step = size / count if size and count else 1.0
    return Axis(name, "m" if size else "", step / 2, step)


def _forward(signals: list[Signal]) -> list[Signal]:
    return [one for one in signals if not one.name.endswith(" backward")] or signals


def _told(fields: Mapping[str, str]) -> dict[str, Any]:
    """The header nested at `>` with units from the keys: `Bias>Bias (V)`."""
    found: dict[str, Any] = {}
    for key, text in fields.items():
        if key in _TABLES or not text.strip():
            if key == "Z-CONTROLLER":
                found["Z-CONTROLLER"] = _row(text)
            continue
        *path, last = key.split(">")
        here = found
        for part in path:
            inner = here.setdefault(part, {})
            here = inner if isinstance(inner, dict) else here
        name, value = _measured(last, " ".join(text.split()))
        here[name] = value
    for key, unit in (
        ("SCAN_PIXELS", "px"),
        ("SCAN_RANGE", "m"),
        ("SCAN_OFFSET", "m"),
        ("SCAN_TIME", "s"),
        ("ACQ_TIME", "s"),
        ("BIAS", "V"),
        ("SCAN_ANGLE", "deg"),
    ):
        if key in found:
            found[key] = _quantity(found[key], unit)
    return found


def _row(text: str) -> dict[str, Any]:
    lines = [[word.strip() for word in line.split("\t") if word.strip()] for line in text.splitlines()]
    return {name: value_of(value) for name, value in zip(*lines[:2], strict=False)} if len(lines) > 1 else {}


def _measured(key: str, text: str) -> tuple[str, Any]:
    name, unit = split_name(key) if "(" in key else (key, None)  # `pixels/line` is no unit
    value = value_of(text)
    if unit and isinstance(value, (int, float)) and not isinstance(value, bool):
        return name, Quantity(value, unit)
    return key, value


def _quantity(value: Any, unit: str) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Quantity(value, unit)
    try:
        return Quantity([float(word) for word in str(value).split()], unit)
    except ValueError:
        return value


def _method(fields: Mapping[str, str]) -> str:
    """AFM if a cantilever was driven, or a PLL or a deflection controlled the height, STM if the current did; else nothing is claimed."""
    drive = [fields.get(f"Oscillation Control>{key}", "").strip() for key in _DRIVEN]
    if drive == ["TRUE", "TRUE", "FALSE"]:
        return "Atomic force microscopy"
    controller = next((text for key, text in fields.items() if key == "Z-CONTROLLER"), "").casefold()
    name = fields.get("Z-Controller>Controller name", "").casefold() + controller
    if re.search(r"freq|pll|deflection|amplitude|afm", name):
        return "Atomic force microscopy"
    return "Scanning tunneling microscopy" if re.search(r"current|stm", name) else ""


def recognises_grid(candidate: Candidate) -> str | None:
    """`Grid dim=` in the first line."""
    return "first line Grid dim" if re.match(rb'Grid dim="', candidate.head) else None


def read_grid(source: Source, candidate: Candidate) -> Reading:
    """Each channel as a cube: rows, columns, sweep."""
    head = source.some(0, _LONGEST_HEADER)
    match = re.search(rb":HEADER_END:\r?\n", head)
    if match is None:
        raise UnreadableError("The header of this Nanonis grid has no end (:HEADER_END:).")
    fields = {
        key.strip(): value.strip().strip('"')
        for key, equals, value in (
            line.partition("=") for line in head[: match.start()].decode("utf-8", "replace").splitlines()
        )
        if equals
    }
    columns, rows = (int(word) for word in fields["Grid dim"].split("x"))
    points, channels = int(fields["Points"]), fields["Channels"].split(";")
    parameters = int(fields.get("# Parameters (4 byte)", 0))
    length = parameters + points * len(channels)
    if not 0 < length < 2**31 or min(columns, rows, points) <= 0:
        raise UnreadableError("The header of this Nanonis grid has impossible dimensions.")
    values, chosen = source.array(match.end(), ">f4", (rows * columns, length))
    done = len(chosen)
    warnings = (
        [f"The grid is incomplete: {done} of {rows * columns} spectra are there."] if done < rows * columns else []
    )
    sweep = _sweep(fields, values, points)
    signals = _cubes(fields, values, (rows, columns, points), parameters, sweep)
    when = dates.parse(fields.get("Start time", ""), dates.EUROPEAN)
    told = dict(_measured(key, value) for key, value in fields.items() if key != "Channels" and value)
    return Reading(
        data_type="Nanonis grid",
        measurement="Scanning tunneling spectroscopy" if "Bias" in fields.get("Sweep Signal", "") else "",
        timestamp=when.iso,
        instrument="Nanonis",
        keywords=("scanning probe microscopy",),
        metadata=told | described(signals),
        thumbnails=drawn(signals, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _sweep(fields: Mapping[str, str], values: np.ndarray[Any, Any], points: int) -> Axis:
    """The swept signal: its start and end are the first two parameters of each point."""
    name, unit = split_name(fields.get("Sweep Signal", "sweep"))
    fixed = fields.get("Fixed parameters", "").split(";")
    first, last = (
        (float(one) for one in values[0, :2])
        if fixed[:2] == ["Sweep Start", "Sweep End"] and values.shape[1] > 1
        else (0.0, points - 1.0)
    )
    return Axis(name, unit or "", first, (last - first) / max(points - 1, 1))


def _cubes(
    fields: Mapping[str, str], values: np.ndarray[Any, Any], shape: tuple[int, int, int], parameters: int, sweep: Axis
) -> list[Signal]:
    rows, columns, points = shape
    settings = [float(word) for word in fields.get("Grid settings", "").split(";") if word.strip()]
    width, height = (settings[2], settings[3]) if len(settings) > 3 else (0.0, 0.0)
    axes = (_axis("y", height, rows), _axis("x", width, columns), sweep)
    whole = len(values) // columns
    signals: list[Signal] = []
    for index, channel in enumerate(fields["Channels"].split(";")[:_MOST_CHANNELS]):
        name, unit = split_name(channel)
        part = values[:, parameters + index * points : parameters + (index + 1) * points]
        if whole:
            cube = part[: whole * columns].reshape(whole, columns, points)
            signals.append(Signal(cube, axes, name, unit or "", shape, spectral=2))
        else:
            signals.append(Signal(part, (Axis("point"), sweep), name, unit or "", (rows * columns, points)))
    return signals
