"""Two-dimensional scans, detector channels, tiled and stacked images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from ingestors import rendering
from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name
from ingestors.hdf5.pictures import is_bookkeeping
from ingestors.rendering.pictures import as_image

if TYPE_CHECKING:
    from ingestors.api import Thumbnail
    from ingestors.scopefoundry.scene import Scene

_MOST_MAPS: Final = 3
_MOST_FRAMES: Final = 6
_PLANE: Final = 2
_TILE: Final = 4  # rows and columns of tiles, rows and columns of pixels
_PIXEL_SIZES: Final = ("pixel_size_um_effective", "pixel_size_um")
_SIDE: Final = 900  # pixels of a mosaic before it is drawn


def maps(scene: Scene) -> list[Thumbnail]:
    """Datasets (frame, ..., rows, columns) of the scan's shape: the first frame of each, `count_rate_map` first."""
    down, across = scene.data("v_array"), scene.data("h_array")
    found = []
    for name in reading.names(scene.group, 200):
        data = scene.data(name)
        if data is None or data.ndim < _PLANE or is_bookkeeping(name):
            continue
        scanned = down is not None and across is not None and data.shape[-2:] == down.shape + across.shape
        mapped = name.endswith("_map") and data.ndim <= 4 and min(data.shape[-2:]) > 1  # noqa: PLR2004 frames and subframes
        if scanned or mapped:
            found.append((not scanned, name != "count_rate_map", name, data))
    drawn = [_map(scene, name, data) for _, _, name, data in sorted(found, key=lambda entry: entry[:3])[:_MOST_MAPS]]
    return [thumbnail for thumbnail in drawn if thumbnail is not None]


def _map(scene: Scene, name: str, data: h5py.Dataset) -> Thumbnail | None:
    extent = scene.extent(*data.shape[-2:])
    labels = scene.scan_labels() if extent is not None else ("", "")
    fixed = (0,) * (data.ndim - _PLANE)
    return shapes.plane(data, fixed, title=scene.name, caption=name, extent=extent, labels=labels)


def channels(scene: Scene) -> list[Thumbnail]:
    """`adc_map`, `ctr_map` (frame, subframe, rows, columns, channel): the first frame of each channel, each with its own contrast."""
    tiles, labels = [], []
    for name, kind in (("adc_map", "adc"), ("ctr_map", "ctr")):
        data = scene.data(name)
        if data is None or data.ndim != 5:  # noqa: PLR2004 as the docstring says
            continue
        values = reading.read(data, (400, 400, 8), (0, 0))
        named = _channel_names(scene, f"{kind}_chan_names")
        for channel in range(0 if values is None else values.shape[-1]):
            if values is not None:
                tiles.append(as_image(values[::-1, :, channel]))
                labels.append(named[channel] if channel < len(named) else f"{kind} {channel}")
    if not tiles:
        return []
    return [rendering.thumbnail("channels", rendering.montage(tiles[:12], title=scene.name, labels=labels))]


def _channel_names(scene: Scene, setting: str) -> list[str]:
    for settings in scene.hardware.values():
        names = settings.get(setting)
        if isinstance(names, list):
            return [str(name) for name in names]
    return []


def tiles(scene: Scene) -> list[Thumbnail]:
    """`live_img_map` (1, rows, columns, height, width[, colours]): the tiles put together, first row at the bottom."""
    data = scene.data("live_img_map")
    if data is None or data.ndim not in {5, 6}:
        return []
    rows, columns = min(data.shape[1], 30), min(data.shape[2], 30)
    side = max(4, _SIDE // max(rows, columns))
    values = reading.read(data, (rows, columns, side, side, *data.shape[5:]), (0,))
    if values is None:
        return []
    values = values[::-1]
    order = (0, 2, 1, 3, *range(4, values.ndim))
    joined = values.transpose(order)
    joined = joined.reshape(joined.shape[0] * joined.shape[1], -1, *joined.shape[4:])
    size = next(
        (found for name in _PIXEL_SIZES if isinstance(found := reading.attribute(scene.group, name), float)), None
    )
    thinned = data.shape[4] / values.shape[3 if values.ndim > _TILE else -1]
    pixel = (size * thinned, "µm") if size else None
    return [rendering.thumbnail("tiles", rendering.picture(joined, scene.name, pixel=pixel))]


def images(scene: Scene) -> list[Thumbnail]:
    """One picture, a stack (frame, rows, columns), or stacks by time and channel (`t0/c1/image`)."""
    stacks = _stacks(scene.group)
    if not stacks:
        return []
    if len(stacks) == 1:
        data = stacks[0]
        if data.shape[-1] in {3, 4} and data.ndim >= 3:  # noqa: PLR2004 colours
            values = reading.read(data, (1200, 1600, 4), (0,) * (data.ndim - 3))
            return [] if values is None else [shapes.photograph(values, title=scene.name, caption="image")]
        found = _single(scene, data) or shapes.stack(data, title=scene.name)
        return [found] if found is not None else []
    frames, labels = [], []
    for data in stacks[:_MOST_FRAMES]:
        frame = reading.read(data, (300, 400), (data.shape[0] // 2,) * (data.ndim - _PLANE)) if data.ndim <= 3 else None  # noqa: PLR2004 a stack
        if frame is not None:
            frames.append(as_image(np.asarray(frame)))
            labels.append(str(data.name).removeprefix(str(scene.group.name)).strip("/").removesuffix("/image"))
    return [rendering.thumbnail("images", rendering.montage(frames, title=scene.name, labels=labels))] if frames else []


def _single(scene: Scene, data: h5py.Dataset) -> Thumbnail | None:
    """The only frame of a camera, with a scale bar where the size of its pixels is told (`element_size_um`: z, y, x)."""
    if int(np.prod(data.shape[:-2], dtype=np.float64)) != 1:
        return None
    frame = reading.read(data, (1200, 1600), (0,) * (data.ndim - _PLANE))
    sizes = reading.attribute(data, "element_size_um")
    pixel = (float(sizes[-1]), "µm") if isinstance(sizes, list) and sizes and isinstance(sizes[-1], float) else None
    if frame is None:
        return None
    if pixel is not None:
        pixel = (pixel[0] * data.shape[-1] / frame.shape[-1], pixel[1])
    return rendering.thumbnail("image", rendering.picture(frame, scene.name, pixel=pixel))


def _stacks(group: h5py.Group) -> list[h5py.Dataset]:
    """Datasets that are images by their name, up to three groups deep (time, channel)."""
    found = []
    for thing in reading.walk(group, 500, 3):
        if (
            isinstance(thing, h5py.Dataset)
            and reading.numeric(thing)
            and thing.ndim >= _PLANE
            and min(thing.shape[-2:]) > 1
        ):
            name = own_name(thing).lower()
            if "image" in name or name.rstrip("s") in {"img", "frame", "photo", "im_array", "imag"}:
                found.append(thing)
    return sorted(found, key=lambda data: str(data.name))[:40]
