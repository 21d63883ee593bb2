"""Maps: two-dimensional data in colours, with a colour bar."""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ingestors.rendering import axes, lettering
from ingestors.rendering.colours import viridis
from ingestors.rendering.scales import TOO_LARGE, numbers

_COLOURS: Final = 216  # of the palette; the other 40 are greys for text and frame
_GREYS: Final = 40
_BAR: Final = 12  # width of the colour bar
_WIDEST: Final = 8.0  # beyond this proportion a map is stretched: a line of pixels says nothing
_SAMPLED: Final = 500_000  # values that the contrast is found from
_MISSING: Final = 33  # grey of pixels without data, among the 40

Floats = NDArray[np.float64]


def heatmap(  # noqa: PLR0913 a picture has many parts, all named
    data: NDArray[np.generic],
    *,
    title: str = "",
    extent: tuple[float, float, float, float] | None = None,
    x_label: str = "",
    y_label: str = "",
    unit: str = "",
    origin: Literal["lower", "upper"] = "lower",
    log: bool | None = None,
    equal: bool = True,
) -> bytes:
    """Draw `data` (rows, columns) as a PNG of 400x300 pixels with equal scales in both directions.

    `equal` is False for axes of different kinds (energy over angle): then the map fills the picture.

    `extent`: coordinates of the left, right, bottom and top edge (pixel numbers without it). `origin` says whether
    the first row is at the bottom (a scan) or at the top (a camera). Contrast from the 1st to the 99th
    percentile. `log`: None decides by the data. NaN and the infinities stay grey.
    """
    values = plane(data)
    if not np.isfinite(values).any():
        return _empty(title)
    use_log = _wants_log(values) if log is None else log and bool((values > 0).any())
    scale = _scale(*limits(values[values > 0] if use_log else values), log=use_log)
    rows, columns = values.shape
    pixels = (0.0, float(columns), 0.0, float(rows)) if origin == "lower" else (0.0, float(columns), float(rows), 0.0)
    edges = extent if extent is not None and _usable(extent) else pixels
    left, right, bottom, top = edges
    x_axis = axes.linear_axis(min(left, right), max(left, right), count=4)
    y_axis = axes.linear_axis(min(bottom, top), max(bottom, top), count=4)
    words = axes.Words(title, x_label, y_label)
    left_edge, above, right_edge, below = axes.margins(words, x_axis, y_axis)
    above += axes.TICK_SIZE if scale.note and not y_axis.note else 0
    room = (left_edge, above, right_edge, below)
    proportion = abs((right - left) / (top - bottom)) if equal else math.inf
    box = _placed(room, _bar_width(scale, unit), proportion)
    image = axes.frame(box, words, x_axis, y_axis, x_reversed=left > right, y_reversed=bottom > top)
    _colour_bar_text(image, box, scale, unit)
    painted = (np.asarray(image).astype(np.uint16) * (_GREYS - 1) // 255).astype(np.uint8)
    size = (box[2] - box[0], box[3] - box[1])
    painted[box[1] : box[3], box[0] + 1 : box[2] + 1] = _pixels(
        values if origin == "upper" else values[::-1], size, scale
    )
    bar = np.linspace(_COLOURS - 1, 0, size[1]).astype(np.uint8) + _GREYS
    painted[box[1] : box[3], box[2] + 10 : box[2] + 10 + _BAR] = bar[:, None]
    return _encode(painted)


def coloured(data: NDArray[np.generic], size: axes.Size, *, origin: Literal["lower", "upper"] = "lower") -> Image.Image:
    """The map alone as an RGB picture of that size: no axes, no colour bar; contrast as in `heatmap`."""
    values = plane(data)
    if not np.isfinite(values).any():
        return Image.new("RGB", size, (axes.GRID,) * 3)
    use_log = _wants_log(values)
    scale = _scale(*limits(values[values > 0] if use_log else values), log=use_log)
    index = _pixels(values if origin == "upper" else values[::-1], size, scale)
    return Image.fromarray(_palette()[index])


def limits(values: NDArray[np.generic]) -> tuple[float, float]:
    """The contrast that shows most of the data: 1st to 99th percentile, wider where that would be flat."""
    flat = np.asarray(values).ravel()
    finite = np.asarray(flat[:: max(1, flat.size // _SAMPLED)], dtype=np.float64)
    finite = finite[np.abs(finite) < TOO_LARGE]
    if not finite.size:
        return 0.0, 1.0
    for cut in (1.0, 0.1, 0.0):
        low, high = (float(part) for part in np.percentile(finite, [cut, 100 - cut]))
        if high > low and (finite.size > 100 or cut == 0.0):  # noqa: PLR2004 percentiles of few points cut real ones
            return low, high
    return float(finite.min()), float(finite.max())


def plane(data: NDArray[np.generic]) -> Floats:
    """Any array as a plane of at most 800x600 finite float64 or NaN: block means of larger ones, magnitudes of complex ones."""
    array = np.asarray(data)
    if not array.size:
        return np.full((1, 1), np.nan)
    if array.ndim < 2:  # noqa: PLR2004 a plane
        array = array.reshape(1, -1)
    while array.ndim > 2:  # noqa: PLR2004 a plane
        array = array[0]
    values = numbers(array)
    return _block_means(values, max(1, values.shape[0] // 300), max(1, values.shape[1] // 400))


def _block_means(values: Floats, down: int, across: int) -> Floats:
    if down == across == 1:
        return values
    rows, columns = values.shape[0] // down, values.shape[1] // across
    blocks = values[: rows * down, : columns * across].reshape(rows, down, columns, across)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _usable(extent: tuple[float, float, float, float]) -> bool:
    left, right, bottom, top = extent
    return all(math.isfinite(edge) and abs(edge) < TOO_LARGE for edge in extent) and left != right and bottom != top


def _wants_log(values: Floats) -> bool:
    """Whether most of a map would be black: the bright end is far above the middle."""
    finite = values[np.isfinite(values)]
    if finite.size < 100 or (finite < 0).any():  # noqa: PLR2004 too few to judge
        return False
    positive = finite[finite > 0]
    if positive.size < 0.5 * finite.size:
        return False
    middle, bright = np.percentile(positive, [50, 99])
    return bool(bright > 100 * middle)


def _scale(low: float, high: float, *, log: bool) -> axes.Axis:
    if log:
        ticks = axes.log_axis(low, max(high, low * 10), count=5)
        return axes.Axis(low, max(high, low * 10), log=True, ticks=ticks.ticks)
    axis = axes.linear_axis(low, high, count=4)
    if high > low:
        return axis
    return axes.Axis(axis.low, axis.high, log=False, ticks=((low, f"{low:g}"),))


def _bar_width(scale: axes.Axis, unit: str) -> int:
    numbers = max((lettering.width(text, axes.TICK_SIZE) for _, text in scale.ticks), default=0)
    return 10 + _BAR + 4 + numbers + (axes.LABEL_SIZE + 6 if unit else 0)


def _placed(room: axes.Box, bar: int, proportion: float) -> axes.Box:
    """The largest box of the map's proportion, in the middle of the room beside the colour bar."""
    left, top, right, bottom = room
    across, down = right - bar - left, bottom - top
    if 1 / _WIDEST < proportion < _WIDEST:
        width = min(across, down * proportion)
        across, height = max(24, round(width)), max(24, round(width / proportion))
        spare = (right - bar - left - across) // 2
        left, top, down = left + spare, top + (down - height) // 2, height
    return left, top, left + across, top + down


def _pixels(values: Floats, size: tuple[int, int], scale: axes.Axis) -> NDArray[np.uint8]:
    """Palette indices of the map at the size (width, height) on the picture."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shown = np.clip(np.where(values > 0, values, scale.low), scale.low, scale.high) if scale.log else values
        low, high = (math.log10(scale.low), math.log10(scale.high)) if scale.log else (scale.low, scale.high)
        part = np.clip(((np.log10(shown) if scale.log else shown) - low) / (high - low), 0, 1)
        index = np.where(np.isfinite(values), np.rint(np.nan_to_num(part) * (_COLOURS - 1)) + _GREYS, _MISSING)
    small = Image.fromarray(index.astype(np.uint8))
    return np.asarray(small.resize(size, Image.Resampling.NEAREST))


def _colour_bar_text(image: Image.Image, box: axes.Box, scale: axes.Axis, unit: str) -> None:
    left = box[2] + 10 + _BAR + 4
    for value, text in scale.ticks:
        if scale.low <= value <= scale.high:
            y = box[3] - scale.fraction(value) * (box[3] - box[1])
            y = min(max(y, box[1] + 5), box[3] - 4)
            lettering.write(image, (left, y + axes.TICK_SIZE * 0.36), text, axes.TICK_SIZE, axes.MUTED)
    if scale.note:
        lettering.write(image, (image.width - 5, box[1] - 5), scale.note, axes.TICK_SIZE - 1, axes.MUTED, "r")
    numbers = max((lettering.width(text, axes.TICK_SIZE) for _, text in scale.ticks), default=0)
    axes.label_up(image, box, unit, left + numbers + 4)


def _encode(painted: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(painted)
    image.putpalette(_palette().ravel().tolist())
    return axes.encode(image)


def _palette() -> NDArray[np.uint8]:
    """The greys, then the colours: (256, 3)."""
    greys = np.arange(_GREYS) * 255 // (_GREYS - 1)
    return np.concatenate([np.repeat(greys[:, None], 3, axis=1).astype(np.uint8), viridis(_COLOURS)])


def _empty(title: str) -> bytes:
    image = Image.new("L", (axes.WIDTH, axes.HEIGHT), axes.PAPER)
    ImageDraw.Draw(image).rectangle([20, 40, axes.WIDTH - 20, axes.HEIGHT - 20], outline=axes.GRID)
    axes.write_title(image, title)
    lettering.write(image, (axes.WIDTH / 2, axes.HEIGHT / 2 + 10), "no data", 16, 140, "m")
    return axes.encode(image)
