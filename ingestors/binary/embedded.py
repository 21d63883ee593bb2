"""Pictures that stand ready inside of other files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image, UnidentifiedImageError

from ingestors.rendering import picture, thumbnail

if TYPE_CHECKING:
    from ingestors.api import Thumbnail

MOST_PICTURE: Final = 20_000_000
"""Bytes and pixels of a picture that is looked at."""


def embedded(content: bytes, caption: str) -> tuple[Thumbnail, ...]:
    """A JPEG or PNG as a thumbnail; nothing if it is none."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PICTURE:
                return ()
            image.load()
            return (thumbnail(caption, picture(image)),)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        return ()
