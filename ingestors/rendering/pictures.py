"""Pictures that are pictures already: photographs, camera frames, several of them side by side."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingestors.api import Thumbnail
from ingestors.rendering import axes, lettering, scalebar
from ingestors.rendering.heat import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

Pixels = Image.Image | NDArray[np.generic]

_STRIP: Final = axes.TITLE_SIZE + 12  # height of the title
_GAP: Final = 4  # between the pictures of a montage
_TWO_BYTES: Final = 2
_PIECE: Final = 2**20  # numbers that are worked on at once
_DARK: Final = 64  # of 255
_COARSE: Final = 4  # enlarged by this much, pixels can be seen


def thumbnail(caption: str, png: bytes) -> Thumbnail:
    """A PNG with its caption and size. Raises OSError if the bytes are no picture."""
    with Image.open(io.BytesIO(png)) as image:
        return Thumbnail(caption, png, image.width, image.height)


def picture(image: Pixels, title: str = "", *, pixel: tuple[float, str] | None = None) -> bytes:
    """Draw a picture (of Pillow, or an array of rows, columns and perhaps 3 or 4 channels) as PNG within 400x300 pixels.

    Numbers other than bytes are stretched from the 1st to the 99th percentile; tiny pictures are enlarged in whole
    steps so that their pixels stay visible; dark grey ones are brightened. `pixel` is the size of one and its unit, for a scale bar.
    """
    room = (axes.WIDTH, axes.HEIGHT - (_STRIP if title else 0))
    whole = _lit(as_image(image))
    shown = _within(whole, room)
    if pixel is not None:
        scalebar.draw(shown, pixel[0] * whole.width / shown.width, pixel[1])
    if not title:
        return _encode(shown)
    width = max(shown.width, axes.WIDTH)
    strip = Image.new("L", (width, _STRIP), axes.PAPER)
    axes.write_title(strip, title)
    sheet = Image.new(shown.mode, (width, _STRIP + shown.height), "white")
    sheet.paste(strip.convert(shown.mode), (0, 0))
    sheet.paste(shown, ((width - shown.width) // 2, _STRIP))
    return _encode(sheet)


def montage(
    images: Sequence[Pixels], *, title: str = "", labels: Sequence[str] = (), columns: int | None = None
) -> bytes:
    """Draw several pictures in a grid as PNG of 400x300 pixels, the first at the top left; `labels` stand in their corners.

    Arrays of numbers share one contrast, so that frames can be compared.
    """
    if not images:
        return picture(np.zeros((3, 4), dtype=np.uint8), title)
    common = _common_limits(images)
    tiles = [as_image(image, common) for image in images]
    top = _STRIP if title else 0
    columns = columns or _columns(tiles, axes.HEIGHT - top)
    rows = math.ceil(len(tiles) / columns)
    cell = ((axes.WIDTH - _GAP * (columns - 1)) // columns, (axes.HEIGHT - top - _GAP * (rows - 1)) // rows)
    mode = "L" if all(tile.mode == "L" for tile in tiles) else "RGB"
    sheet = Image.new(mode, (axes.WIDTH, axes.HEIGHT), "white")
    if title:
        strip = Image.new("L", (axes.WIDTH, _STRIP), axes.PAPER)
        axes.write_title(strip, title)
        sheet.paste(strip.convert(mode), (0, 0))
    for index, tile in enumerate(tiles):
        shown = _within(tile, (max(cell[0], 1), max(cell[1], 1))).convert(mode)
        if index < len(labels):
            _label(shown, labels[index])
        left = (index % columns) * (cell[0] + _GAP) + (cell[0] - shown.width) // 2
        sheet.paste(shown, (left, top + (index // columns) * (cell[1] + _GAP) + (cell[1] - shown.height) // 2))
    return _encode(sheet)


def _lit(image: Image.Image) -> Image.Image:
    """A grey picture that uses the dark quarter of its range only (a camera's 12 bits in 16, weak light) in its whole range."""
    if image.mode != "L":
        return image
    low, high = limits(np.asarray(image.reduce(max(1, min(image.size) // 512))))
    if not low < high < _DARK:
        return image
    return image.point([round(min(max((value - low) / (high - low), 0.0), 1.0) * 255) for value in range(256)])


def as_image(image: Pixels, contrast: tuple[float, float] | None = None) -> Image.Image:
    """An `L` or `RGB` picture of anything that has pixels; transparent parts become white."""
    if isinstance(image, Image.Image):
        if image.mode.startswith(("I", "F")):
            return as_image(np.asarray(image), contrast)
        if image.mode in {"L", "1"}:
            return image.convert("L")
        if "A" in image.mode or "transparency" in image.info:
            whole = image.convert("RGBA")
            paper = Image.new("RGBA", whole.size, "white")
            return Image.alpha_composite(paper, whole).convert("RGB")
        return image.convert("RGB")
    array = np.atleast_2d(np.asarray(image)) if np.size(image) else np.zeros((1, 1), dtype=np.uint8)
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    while array.ndim > 2 and not _coloured(array):  # noqa: PLR2004 the first plane of a stack
        array = array[0]
    coloured = _coloured(array)
    if array.dtype != np.uint8 or (contrast is not None and not coloured):
        array = _stretched(array, contrast or limits(np.abs(array) if np.iscomplexobj(array) else array))
    return Image.fromarray(np.ascontiguousarray(array[:, :, :3] if coloured else array))


def _coloured(array: NDArray[np.generic]) -> bool:
    return array.ndim == 3 and array.shape[2] in {3, 4}  # noqa: PLR2004 rows, columns, channels


def _stretched(array: NDArray[np.generic], contrast: tuple[float, float]) -> NDArray[np.uint8]:
    """The numbers as bytes: of large frames piece by piece, of 16 bits by a table."""
    if array.dtype.kind in "ui" and array.dtype.itemsize == _TWO_BYTES:
        table = _as_bytes(np.arange(2**16, dtype=np.uint16).view(array.dtype.newbyteorder("=")), contrast)
        return np.asarray(table[array.astype(array.dtype.newbyteorder("="), copy=False).view(np.uint16)])
    flat = array.ravel()
    found = np.empty(flat.shape, dtype=np.uint8)
    for start in range(0, flat.size, _PIECE):
        found[start : start + _PIECE] = _as_bytes(flat[start : start + _PIECE], contrast)
    return found.reshape(array.shape)


def _as_bytes(values: NDArray[np.generic], contrast: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = contrast
    numbers = np.abs(values) if np.iscomplexobj(values) else values
    part = (np.clip(numbers.astype(np.float64), low, high) - low) / ((high - low) or 1.0)
    return np.rint(np.clip(np.nan_to_num(part, nan=0.0, posinf=1.0, neginf=0.0), 0, 1) * 255).astype(np.uint8)


def _common_limits(images: Sequence[Pixels]) -> tuple[float, float] | None:
    arrays = [np.asarray(image) for image in images if not isinstance(image, Image.Image)]
    if len(arrays) != len(images) or all(array.dtype == np.uint8 for array in arrays):
        return None
    return limits(
        np.concatenate([np.abs(array).ravel() if np.iscomplexobj(array) else array.ravel() for array in arrays])
    )


def _within(image: Image.Image, room: tuple[int, int]) -> Image.Image:
    """The picture as large as fits: reduced smoothly, or enlarged in whole steps."""
    if not image.width or not image.height:
        return Image.new(image.mode, (1, 1))
    scale = min(room[0] / image.width, room[1] / image.height)
    if scale >= _COARSE:  # pixels that one can see stay squares
        return image.resize((image.width * int(scale), image.height * int(scale)), Image.Resampling.NEAREST)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _columns(tiles: Sequence[Image.Image], height: int) -> int:
    """How many pictures side by side use the sheet best."""
    proportion = max(tiles[0].width, 1) / max(tiles[0].height, 1)

    def used(columns: int) -> float:
        rows = math.ceil(len(tiles) / columns)
        return min(axes.WIDTH / columns / proportion, height / rows)

    return max(range(1, len(tiles) + 1), key=used)


def _label(image: Image.Image, text: str) -> None:
    text = lettering.fitted(text, 12, image.width - 8)
    if text and image.height > 24:  # noqa: PLR2004 no room for letters
        patch = Image.new("L", (lettering.width(text, 12) + 8, 17), 255)
        lettering.write(patch, (4, 13), text, 12, axes.INK)
        image.paste(patch.convert(image.mode), (0, 0), Image.new("L", patch.size, 215))


def _encode(image: Image.Image) -> bytes:
    """Grey pictures as they are; coloured ones with the 256 colours that suit them, a third of the bytes."""
    if image.mode == "L":
        return axes.encode(image)
    return axes.encode(image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG))
