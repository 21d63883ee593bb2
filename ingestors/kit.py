"""What plugins use to say common things in the usual shapes: a table's columns, a curve, a map. Offered by `ingestors.api`.

The drawing itself (numpy and Pillow) is imported when the first picture is drawn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestors.api import Thumbnail


def table(*columns: tuple[str, str | None, Sequence[float]]) -> dict[str, Any]:
    """What a catalog shows of a table, each column given as name, unit (or None) and values.

    Put it under the key `table` of the scientific metadata; several tables, each with a `title`, as a list under
    `tables`. The values themselves stay in the file: least and greatest are kept (without NaN), and the number of rows.
    """
    described = []
    for name, unit, values in columns:
        known = [float(value) for value in values if not math.isnan(value)]
        span = {"min": min(known, default=None), "max": max(known, default=None)}
        described.append({"name": name, "unit": unit, **span})
    return {"rows": max((len(values) for _, _, values in columns), default=0), "columns": described}


def curve(caption: str, x: Sequence[float], y: Sequence[float], *, x_label: str = "", y_label: str = "") -> Thumbnail:
    """A picture of y over x, 400 by 300 pixels, with labels such as `time (s)`; NaN makes a gap.

    Logarithmic axes are chosen where the data ask for them.
    """
    import numpy as np  # noqa: PLC0415 a plugin that draws nothing needs none of these

    from ingestors import rendering  # noqa: PLC0415

    line = rendering.Series(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    return rendering.thumbnail(caption, rendering.curve([line], title=caption, x_label=x_label, y_label=y_label))


def image(
    caption: str,
    rows: Sequence[Sequence[float]],
    *,
    extent: tuple[float, float, float, float] | None = None,
    x_label: str = "",
    y_label: str = "",
    unit: str = "",
) -> Thumbnail:
    """A picture of a map, the first of its rows at the bottom, with a colour bar in `unit`.

    `extent` are the coordinates of its left, right, bottom and top edge; without it pixels are counted.
    """
    import numpy as np  # noqa: PLC0415 the same

    from ingestors import rendering  # noqa: PLC0415

    values = np.asarray(rows, dtype=float)
    png = rendering.heatmap(values, title=caption, extent=extent, x_label=x_label, y_label=y_label, unit=unit)
    return rendering.thumbnail(caption, png)
