"""TIFF of makers who put what they know into tags of their own: JPK's probe microscopes, Gatan's and TVIPS' cameras, JEOL's microscopes.

Source: JPK's tags from 32768 on, as Gwyddion's module `jpkscan` lists them; Gatan's from 65003 on, as DigitalMicrograph writes them (unit and scale of both axes);
TVIPS' tag 37706, which tifffile reads; JEOL's XML `TemReporter` in the description.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Quantity, UnreadableError
from ingestors.binary.xmltree import parsed
from ingestors.dat import dates
from ingestors.image.facts import Facts
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.api import Thumbnail

_JPK: Final = {
    32768: ("program version", ""), 32772: ("name", ""), 32773: ("comment", ""), 32775: ("probe", ""), 32777: ("user", ""), 32816: ("feedback mode", ""),
    32832: ("x", "m"), 32833: ("y", "m"), 32834: ("width", "m"), 32835: ("height", "m"), 32836: ("angle", "rad"), 32838: ("columns", ""), 32839: ("rows", ""),
    32841: ("scan rate", "Hz"),
}  # fmt: skip
_JPK_STARTED, _JPK_NAME, _JPK_CHANNEL, _JPK_FANCY, _JPK_ABOUT = 32771, 32772, 32848, 32850, 32851
_JPK_MARKS: Final = frozenset({32768, 32834, 32838})
_GATAN_UNITS, _GATAN_SCALES = (65003, 65004), (65009, 65010)
_EMPTY: Final = frozenset({"", "<empty>"})
_MOST_CHANNELS: Final = 12
_MOST_LEAVES: Final = 400
_TVIPS: Final = (
    "HighTension",
    "Magnification",
    "Defocus",
    "ExposureTime",
    "Binning",
    "Comment",
    "ImageName",
    "MicroscopeType",
    "CameraType",
)


def jpk(file: Any, page: Any, title: str) -> tuple[Facts, Thumbnail | None] | None:
    """What JPK's tags tell, and its channels side by side; None if it is another's file."""
    tags = page.tags
    if not {tag.code for tag in tags} >= _JPK_MARKS:
        return None
    told: dict[str, Any] = {}
    for code, (name, unit) in _JPK.items():
        value = _said(tags, code)
        number = value_of(value) if isinstance(value, str) else value
        if number not in _EMPTY and number is not None:
            told[name] = Quantity(number, unit) if unit and isinstance(number, (int, float)) else number
    channels: list[str] = []
    tiles = []
    for other in list(file.pages)[1 : _MOST_CHANNELS + 1]:
        name = str(_said(other.tags, _JPK_FANCY) or _said(other.tags, _JPK_CHANNEL) or "")
        back = re.search(r"retrace *: *true", str(_said(other.tags, _JPK_ABOUT) or "")) is not None
        channels.append(f"{name} (retrace)" if back else name)
        tiles.append(np.asarray(other.asarray()) if int(np.prod(other.shape)) <= 4_000_000 else np.zeros((3, 4)))
    began = re.sub(r" GMT$", " +0000", str(_said(tags, _JPK_STARTED) or ""))
    name = str(_said(tags, _JPK_NAME) or "")
    width, columns = told.get("width"), told.get("columns")
    height, rows = told.get("height"), told.get("rows")
    sized = (
        isinstance(width, Quantity)
        and isinstance(height, Quantity)
        and isinstance(columns, int)
        and isinstance(rows, int)
        and columns * rows
    )
    facts = Facts(
        {"jpk": told | {"channels": channels}},
        data_type="JPK image",
        measurement="Atomic force microscopy",
        timestamp=dates.iso(began).iso if began else "",
        samples=() if name in _EMPTY else (name,),
        pixel=(width.value / columns, height.value / rows, "m")
        if sized and isinstance(width, Quantity) and isinstance(height, Quantity)
        else None,
    )
    # each channel has a unit of its own, so each tile its own contrast; the first row is the lowest
    pictures = [_stretched(tile[::-1]) for tile in tiles]
    shown = (
        rendering.thumbnail(
            f"{title}: {len(tiles)} channels", rendering.montage(pictures, title=title, labels=channels)
        )
        if tiles
        else None
    )
    return facts, shown


def _said(tags: Any, code: int) -> Any:
    tag = tags.get(code)
    return None if tag is None else tag.value


def _stretched(tile: Any) -> Any:
    numbers = tile.astype(np.float64)
    if numbers.ndim != 2:
        return tile
    low, high = np.percentile(numbers, (1, 99))
    return np.clip((numbers - low) / (high - low) * 255 if high > low else numbers * 0, 0, 255).astype(np.uint8)


def gatan(tags: Any) -> Facts:
    """The size of a pixel as DigitalMicrograph keeps it beside the picture."""
    scales = [_said(tags, code) for code in _GATAN_SCALES]
    unit = str(_said(tags, _GATAN_UNITS[0]) or "").strip()
    if not unit or not all(isinstance(scale, (int, float)) and scale > 0 for scale in scales):
        return Facts()
    return Facts({}, data_type="DigitalMicrograph image", pixel=(float(scales[0]), float(scales[1]), unit))


def tvips(known: Mapping[str, Any]) -> Facts:
    """TVIPS' camera: high tension and magnification, and the time as day and seconds."""
    told = {key: known[key] for key in _TVIPS if known.get(key) not in (None, "", b"")}
    day, seconds = known.get("Date", 0), known.get("Time", 0)
    began = ""
    if isinstance(day, int) and isinstance(seconds, int) and 1980 <= day >> 16 <= 2100 and 0 <= seconds < 86400:
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        began = dates.iso(f"{day >> 16:04}-{day >> 8 & 255:02}-{day & 255:02}T{clock}").iso
    return Facts(
        {"tvips": told}, data_type="TVIPS image", measurement="Transmission electron microscopy", timestamp=began
    )


def jeol(description: str) -> Facts:
    """The XML of JEOL's microscopes: everything that has a text, by its path."""
    try:
        root = parsed(description.encode())
    except UnreadableError:
        return Facts()
    leaves: dict[str, Any] = {}

    def walk(element: Any, path: str) -> None:
        for child in element:
            here = f"{path}.{child.tag}" if path else child.tag
            if len(child):
                walk(child, here)
            elif child.text and child.text.strip() and len(leaves) < _MOST_LEAVES:
                leaves.setdefault(here, value_of(child.text.strip()))

    walk(root, "")
    maker, model = (str(leaves.get(key, "")) for key in ("Manufacturer", "Instruments"))
    specimen = str(leaves.get("Specimen", ""))
    stamp = re.sub(r"(\.\d{6})\d+", r"\1", str(leaves.get("DateTime", "")))
    return Facts(
        {"jeol": leaves},
        data_type="JEOL microscope image",
        measurement="Transmission electron microscopy",
        instrument=" ".join(word for word in (maker, model) if word),
        timestamp=dates.iso(stamp).iso if stamp else "",
        samples=(specimen,) if specimen else (),
    )
