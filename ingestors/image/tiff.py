"""TIFF as microscopes write it, through tifffile: the makers' tags as facts, and the frames of stacks.

tifffile knows the tags and the layout of stacks; pixels that are compressed are left to Pillow, which never decodes more than the header promises.
"""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors import rendering
from ingestors.api import Quantity, UnreadableError
from ingestors.binary.source import opened
from ingestors.image import electron, programs, vendors
from ingestors.image.facts import Facts
from ingestors.image.opening import MOST_FRAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ingestors.api import Thumbnail

SIGNATURES: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_MOST_XML: Final = 20_000_000
_MOST_VALUES: Final = 60_000_000  # of one frame
_FEI: Final = (34682, 34680)
_ZEISS: Final = 34118
_OTHERS: Final = ("stk", "fluoview", "sis", "scanimage", "andor", "epics", "metaseries")
_TESCAN: Final = 50431
_GATAN: Final = 65009
_FINE: Final = 5000.0  # pixels in a centimetre: more than any printer has, so it is a microscope's scale


@dataclass(frozen=True)
class Tiff:
    """What tifffile says of a file: shape and axes (`TZCYX`) of its first series, data type, and the facts of its tags."""

    shape: tuple[int, ...]
    axes: str
    dtype: str
    pages: int
    facts: tuple[Facts, ...]
    thumbnail: Thumbnail | None


def look(path: Path, title: str) -> Tiff | None:
    """Look at a TIFF file; None if tifffile cannot make anything of it. Raises OSError."""
    import tifffile  # noqa: PLC0415 half a second that other pictures do not pay

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it would print what it finds odd
    try:
        with tifffile.TiffFile(path) as file, np.errstate(all="ignore"):
            return _looked(file, path, title)
    except OSError as error:
        if error.errno != errno.EINVAL:  # an offset before the file's beginning is the file's fault
            raise
        return None
    except Exception:  # noqa: BLE001 tifffile raises whatever a broken file makes its code raise, without a base class
        return None


def _looked(file: Any, path: Path, title: str) -> Tiff:
    page = file.pages[0]
    facts = tuple(fact for fact in _facts(file, page) if fact != Facts())
    shape, axes = tuple(int(side) for side in page.shape), str(page.axes)
    pages = len(file.pages)
    series = None
    try:
        series = file.series[0]
        shape, axes = tuple(int(side) for side in series.shape), str(series.axes)
    except Exception:  # noqa: BLE001 as above: the first page is known in any case
        series = None
    size = next((fact.pixel for fact in facts if fact.pixel is not None), None)
    known = vendors.jpk(file, page, title)
    if known is not None:  # the first page is a small picture of the others
        facts = (known[0], *facts)
        page = file.pages[min(1, pages - 1)]
        shape, axes = tuple(int(side) for side in page.shape), str(page.axes)
    thumbnail = known[1] if known is not None else _montage(file, series, path, title) if series is not None else None
    if thumbnail is None and page.compression == 1 and _stretches(page):
        thumbnail = _numbers(page, title, (size[0], size[2]) if size else None)
    return Tiff(shape, axes, str(page.dtype), pages, facts, thumbnail)


def _facts(file: Any, page: Any) -> list[Facts]:
    """The facts of every tag that somebody knows, the maker's first."""
    resolution = _resolution(page)
    found = [*_makers(file, page.tags), *_programs(file, resolution)]
    description = page.description or ""
    if isinstance(description, str) and "<TemReporter" in description[:500]:
        found.append(vendors.jeol(description))
    if not found and isinstance(description, str) and not description.lstrip().startswith(("<", "{")):
        found.append(programs.described(description))
    if resolution and page.resolutionunit == 3 and min(resolution) > _FINE:
        found.append(Facts(pixel=(1e4 / resolution[0], 1e4 / resolution[1], "µm")))
    return found


def _makers(file: Any, tags: Any) -> list[Facts]:
    """The electron microscopes' tags."""
    found = [electron.fei(text) for text in [_raw_text(file, tags, number) for number in _FEI] if text][:1]
    if text := _raw_text(file, tags, _ZEISS):
        found.append(electron.zeiss(text))
    if content := _raw(file, tags, _TESCAN):
        found.append(electron.tescan(content))
    if tags.get(_GATAN) is not None:
        found.append(vendors.gatan(tags))
    return found


def _programs(file: Any, resolution: tuple[float, float] | None) -> list[Facts]:
    """What tifffile knows of the programs that wrote the file."""
    readers: tuple[tuple[str, Callable[[Any], Facts]], ...] = (
        ("lsm_metadata", programs.lsm),
        ("imagej_metadata", lambda known: programs.imagej(known, resolution)),
        ("ome_metadata", programs.ome),
        ("micromanager_metadata", programs.micromanager),
        ("tvips_metadata", vendors.tvips),
        *((f"{name}_metadata", partial(_others, name)) for name in _OTHERS),
    )
    known = [(getattr(file, name, None), read) for name, read in readers]
    return [read(value) for value, read in known if value and not (isinstance(value, str) and len(value) > _MOST_XML)]


def _others(name: str, known: Any) -> Facts:
    return Facts({name: _plain(known, 6)} if isinstance(known, dict) else {})


def _resolution(page: Any) -> tuple[float, float] | None:
    """Pixels per unit, whatever the unit is."""
    try:
        across, down = page.tags.valueof(282), page.tags.valueof(283)
        both = (across[0] / across[1], down[0] / down[1])
    except (TypeError, ZeroDivisionError, IndexError):
        return None
    return both if all(np.isfinite(both)) and min(both) > 0 else None


def _raw(file: Any, tags: Any, number: int) -> bytes:
    """The bytes of a tag, however tifffile understands them."""
    tag = tags.get(number)
    if tag is None or not 0 < tag.valuebytecount < 5_000_000:
        return b""
    file.filehandle.seek(tag.valueoffset)
    return bytes(file.filehandle.read(tag.valuebytecount))


def _raw_text(file: Any, tags: Any, number: int) -> str:
    content = _raw(file, tags, number)
    try:
        return content.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").strip("\0 ")


def _plain(value: Any, depth: int) -> Any:
    """A stranger's nested dictionary, bounded; arrays only if they are short."""
    if isinstance(value, dict):
        return {str(key): _plain(item, depth - 1) for key, item in list(value.items())[:300]} if depth > 0 else "…"
    if isinstance(value, (str, bytes)):
        return value[:2000]
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 16 else f"{value.size} values"
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1) for item in value[:16]] if depth > 0 else "…"
    return value if isinstance(value, (int, float, bool)) or value is None else str(value)[:200]


def _montage(file: Any, series: Any, path: Path, title: str) -> Thumbnail | None:
    """Frames of an uncompressed stack, evenly spread, with their place in it; None if there is only one or it is compressed."""
    count = _frames(series)
    frame = tuple(int(side) for side in series.shape[-2 - (series.axes[-1] == "S") :])
    if count < 2 or series.keyframe.compression != 1 or int(np.prod(frame)) * MOST_FRAMES > _MOST_VALUES * 2:
        return None
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).astype(int)).tolist()
    if series.dataoffset is not None:
        with opened(path) as source:
            size = int(np.prod(frame)) * series.dtype.itemsize
            kind = np.dtype(series.dtype).newbyteorder(file.byteorder)
            tiles = [source.array(int(series.dataoffset) + at * size, kind, frame)[0] for at in chosen]
    else:
        tiles = [np.asarray(series.pages[at].asarray()) for at in chosen if series.pages[at] is not None]
    tiles = [tile for tile in tiles if tile.shape == frame and tile.dtype.kind in "iufb"]
    if len(tiles) < 2:
        return None
    labels = [_place(series, at) for at in chosen]
    return rendering.thumbnail(
        f"{title}: {len(tiles)} of {count} frames", rendering.montage([_reduced(tile) for tile in tiles], labels=labels)
    )


def _stretches(page: Any) -> bool:
    """Whether Pillow would not know the numbers (floats, 32 bits and more), or show 12 bits of 16 in black (colours)."""
    return page.dtype is not None and (page.dtype.itemsize > 2 or (page.dtype.itemsize == 2 and len(page.shape) == 3))


def _frames(series: Any) -> int:
    """How many planes a series has: everything but rows, columns and colours."""
    sides = dict(zip(series.axes, series.shape, strict=False))
    return (
        int(np.prod([side for axis, side in sides.items() if axis not in "YXS"])) if {"Y", "X"} <= sides.keys() else 1
    )


def _place(series: Any, index: int) -> str:
    """`t3 z5`: where a frame stands in its stack."""
    leading = [(axis, side) for axis, side in zip(series.axes, series.shape, strict=False) if axis not in "YXS"]
    places = np.unravel_index(index, [side for _, side in leading])
    known = [
        f"{axis.lower()}{int(at) + 1}"
        for (axis, side), at in zip(leading, places, strict=True)
        if side > 1 and axis in "TZC"
    ]
    return " ".join(known) or str(index + 1)


def _reduced(tile: NDArray[Any]) -> NDArray[Any]:
    step = max(1, min(tile.shape[0] // 300, tile.shape[1] // 400))
    if step == 1 or tile.ndim > 2:
        return tile[::step, ::step]
    rows, columns = tile.shape[0] // step * step, tile.shape[1] // step * step
    blocks: NDArray[Any] = tile[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    return blocks


def _numbers(page: Any, title: str, pixel: tuple[float, str] | None) -> Thumbnail | None:
    """A single frame of numbers that Pillow may not know (floats, 32 and 64 bits)."""
    if int(np.prod(page.shape)) > _MOST_VALUES:
        return None
    values = np.asarray(page.asarray())
    if values.dtype.kind not in "iufc" or not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)):
        return None
    return rendering.thumbnail(title, rendering.picture(values, pixel=pixel))


def basics(tiff: Tiff) -> dict[str, Any]:
    """Size, type and stack of a TIFF as metadata."""
    sides = dict(zip(tiff.axes, tiff.shape, strict=False))
    if not {"X", "Y"} <= sides.keys():
        raise UnreadableError("The TIFF file holds no image.")
    found: dict[str, Any] = {
        "width": Quantity(sides["X"], "px"),
        "height": Quantity(sides["Y"], "px"),
        "dtype": tiff.dtype,
    }
    names = {"T": "times", "Z": "slices", "C": "channels", "S": "samples", "I": "images", "Q": "images"}
    rest = {names.get(axis, axis): side for axis, side in sides.items() if axis not in "YX" and side > 1}
    return found | rest


def combined(facts: Sequence[Facts]) -> Facts:
    """One set of facts: of each kind the first that is known."""
    metadata: dict[str, Any] = {}
    for one in reversed(facts):
        metadata |= one.metadata
    warnings = tuple(dict.fromkeys(warning for one in facts for warning in one.warnings))

    def first(name: str) -> Any:
        return next((value for one in facts if (value := getattr(one, name))), getattr(Facts(), name))

    kinds = ("data_type", "measurement", "name", "instrument", "timestamp", "samples", "pixel")
    return Facts(metadata=metadata, warnings=warnings, **{kind: first(kind) for kind in kinds})
