"""A map and the spectrum of its pixels in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image

from ingestors.rendering import axes, scalebar
from ingestors.rendering.curve import plotted
from ingestors.rendering.heat import coloured, plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingestors.rendering.curve import Series

_GAP: Final = 8
_WIDE: Final = 1.7  # from this proportion on the map stands above its spectrum
_NARROWEST: Final = 0.25
_WIDEST: Final = 4.0


def map_beside_curve(
    data: NDArray[np.generic],
    line: Series,
    *,
    title: str = "",
    x_label: str = "",
    field: tuple[float, float] | None = None,
    unit: str = "",
) -> bytes:
    """Draw a map (rows, columns; the first row at the bottom) and a line, as a PNG of 400x300 pixels.

    `field` is the map's width and height in `unit`, for its proportion and a scale bar; without it pixels are squares.
    The map alone has no axes: what stands in its pixels is what the line shows the spectrum of.
    """
    rows, columns = plane(data).shape
    known = field if field is not None and min(field) > 0 else None
    width, height = known or (float(columns), float(rows))
    proportion = min(max(width / height, _NARROWEST), _WIDEST)
    top = axes.TITLE_SIZE + 14 if title else _GAP
    above = proportion > _WIDE
    room = (
        (axes.WIDTH - 2 * _GAP, (axes.HEIGHT - top) * 45 // 100)
        if above
        else (axes.WIDTH * 46 // 100, axes.HEIGHT - top - _GAP)
    )
    across = round(min(room[0], room[1] * proportion))
    size = (max(across, 8), max(round(across / proportion), 8))
    picture = coloured(data, size)
    if known is not None and width / height == proportion:
        scalebar.draw(picture, width / size[0], unit)
    sheet = Image.new("RGB", axes.WHOLE, "white")
    strip = Image.new("L", (axes.WIDTH, top), axes.PAPER)
    axes.write_title(strip, title)
    sheet.paste(strip.convert("RGB"), (0, 0))
    if above:
        sheet.paste(picture, ((axes.WIDTH - size[0]) // 2, top))
        corner, left_over = (0, top + size[1]), (axes.WIDTH, axes.HEIGHT - top - size[1])
    else:
        sheet.paste(picture, (_GAP, top + (room[1] - size[1]) // 2))
        corner, left_over = (_GAP + size[0], top - _GAP), (axes.WIDTH - _GAP - size[0], axes.HEIGHT - top + _GAP)
    sheet.paste(plotted([line], axes.Words("", x_label, ""), size=left_over).convert("RGB"), corner)
    return axes.encode(sheet.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
