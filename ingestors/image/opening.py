"""Opening pictures with Pillow, and making them small: hostile ones end as a sentence."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow

from ingestors import rendering
from ingestors.api import UnreadableError, display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ingestors.api import Thumbnail

MOST_PIXELS: Final = 60_000_000
MOST_TEXT: Final = 20_000
MOST_FRAMES: Final = 12
_FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "JPEG2000", "PPM", "WEBP")
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
_MOST_MONTAGE: Final = 60_000_000  # pixels of all frames that are decoded for one montage
ERRORS: Final = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    IndexError,
    OverflowError,
    EOFError,
    Pillow.DecompressionBombError,
)
"""What Pillow's readers raise for broken files."""


def thumbnails(paths: Sequence[Path], most: int) -> list[Thumbnail]:
    """Thumbnails of those of the files that are pictures, at most `most`; broken ones are left out."""
    found: list[Thumbnail] = []
    for path in paths:
        if len(found) >= most:
            break
        if path.suffix.lower() in _SUFFIXES:
            try:
                with opened(path) as image:
                    thumbnail, _ = thumbnail_of(image, display_name(path.name))
            except UnreadableError:
                continue
            found += [thumbnail] if thumbnail is not None else []
    return found


@contextmanager
def opened(path: Path) -> Iterator[Pillow.Image]:
    """The picture with its pixels not yet decoded. Raises UnreadableError, also for too many pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags and of large pictures; both are handled here
        try:
            image = Pillow.open(path, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise UnreadableError("The file begins like a picture, but is none that can be read.") from error
        except ERRORS as error:
            raise UnreadableError(f"The picture cannot be opened: {error}") from error
        with image:
            yield image


def thumbnail_of(
    image: Pillow.Image, title: str, pixel: tuple[float, str] | None = None
) -> tuple[Thumbnail | None, str]:
    """The picture made small, with a scale bar if the size of a pixel is known, or the reason why there is none."""
    if image.width * image.height > MOST_PIXELS:
        return None, f"No thumbnail: the picture has {image.width} x {image.height} pixels."
    width = image.width
    try:
        image.draft(None, (1600, 1200))  # JPEG decodes at a fraction of its size
        image.load()
        upright = _upright(image)
    except ERRORS as error:
        return None, f"No thumbnail: the pixels cannot be decoded ({error})."
    shown = _smaller(upright)
    if pixel is not None:
        longer = width if upright.size == image.size else image.height * width / max(image.width, 1)
        pixel = (pixel[0] * longer / max(shown.width, 1), pixel[1])
    pixels = np.asarray(shown) if shown.mode.startswith(("I", "F")) else shown
    return rendering.thumbnail(title, rendering.picture(pixels, pixel=pixel)), ""


def montage_of(image: Pillow.Image, frames: int, title: str) -> tuple[Thumbnail | None, str]:
    """Frames of a picture that has several, evenly spread, side by side; or the reason why there is none."""
    count = max(1, min(MOST_FRAMES, frames, _MOST_MONTAGE // max(1, image.width * image.height)))
    if count == 1:
        return thumbnail_of(image, title)
    chosen = np.unique(np.linspace(0, frames - 1, count).astype(int)).tolist()
    tiles: list[Pillow.Image] = []
    for index in chosen:
        try:
            image.seek(index)
            if image.width * image.height > _MOST_MONTAGE // count:  # a GIF's later frames may be larger than its first
                raise ValueError(f"frame {index + 1} has {image.width} x {image.height} pixels")
            image.load()
            tiles.append(_smaller(image).copy())
        except ERRORS as error:
            if not tiles:
                return None, f"No thumbnail: the pixels cannot be decoded ({error})."
            break
    arrays = [np.asarray(tile) if tile.mode.startswith(("I", "F")) else tile for tile in tiles]
    png = rendering.montage(arrays, labels=[str(index + 1) for index in chosen[: len(tiles)]])
    return rendering.thumbnail(f"{title}: {len(tiles)} of {frames} frames", png), ""


def frames_of(image: Pillow.Image) -> int:
    """How many pictures the file holds; 1 if that cannot be told."""
    try:
        return int(getattr(image, "n_frames", 1))
    except ERRORS:
        return 1


def _smaller(image: Pillow.Image) -> Pillow.Image:
    step = max(1, min(image.width // 1200, image.height // 900))
    if step == 1:
        return image
    if image.mode in {"L", "RGB"}:
        return image.reduce(step)
    return image.resize((image.width // step, image.height // step))


def _upright(image: Pillow.Image) -> Pillow.Image:
    turns = {3: Pillow.Transpose.ROTATE_180, 6: Pillow.Transpose.ROTATE_270, 8: Pillow.Transpose.ROTATE_90}
    turn = turns.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image.transpose(turn) if turn is not None else image
