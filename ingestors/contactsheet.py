"""A contact sheet: the pictures of many datasets on one. Run as a program: `python -m ingestors.contactsheet`.

Its standard input holds PNG files, each after its length (4 bytes, most significant first); its standard output is one
PNG. It limits its own memory and time, because the pictures come from plugins.
"""

from __future__ import annotations

import io
import resource
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST: Final = 25
CELL: Final = 128
GAP: Final = 4
_PAPER: Final = (255, 255, 255)
_LENGTH: Final = struct.Struct("!I")
_MEMORY: Final = 2**30
_SECONDS: Final = 20


def contact_sheet(pictures: Sequence[bytes]) -> bytes:
    """One PNG of at most 25 pictures, in rows, each fitted into a cell of 128 pixels. Raises ValueError without any."""
    images = [image for image in map(_opened, pictures[:MOST]) if image is not None]
    if not images:
        raise ValueError("there is no picture that can be read")
    across = next(count for count in range(1, MOST + 1) if count * count >= len(images))
    down = -(-len(images) // across)
    step = CELL + GAP
    sheet = Image.new("RGB", (across * step + GAP, down * step + GAP), _PAPER)
    for number, image in enumerate(images):
        left, top = number % across * step + GAP, number // across * step + GAP
        sheet.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _opened(png: bytes) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    image.thumbnail((CELL, CELL))
    return image


def _frames(stream: BinaryIO) -> Iterator[bytes]:
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        yield stream.read(_LENGTH.unpack(head)[0])


def main() -> None:
    """The program."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    sys.stdout.buffer.write(contact_sheet(list(_frames(sys.stdin.buffer))))


if __name__ == "__main__":
    main()
