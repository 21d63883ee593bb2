"""Scaling of raw numbers in TDMS files by the properties of their channels.

Source: NI, "TDMS File Format Internal Structure" and the properties that LabVIEW and DAQmx write: `NI_Number_Of_Scales`, and for each scale its
`NI_Scale[n]_Scale_Type`, its numbers, and the `Input_Source`, which is another scale or the raw data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.binary.source import Array

_MOST_SCALES: Final = 16
_MOST_COEFFICIENTS: Final = 16


def scaled(values: Array, properties: Mapping[str, Any]) -> Array | None:
    """The values in their unit; None if a scale is of a kind that is not known here (a thermocouple, a table)."""
    count = properties.get("NI_Number_Of_Scales")
    if not isinstance(count, int) or not 0 < count <= _MOST_SCALES or properties.get("NI_Scaling_Status") == "scaled":
        return values
    numbers: Array = values
    used = False
    for index in range(count):
        kind = properties.get(f"NI_Scale[{index}]_Scale_Type")
        if kind is None:  # the raw data themselves
            continue
        coefficients = _coefficients(f"NI_Scale[{index}]_{kind}_", str(kind), properties)
        if coefficients is None:
            return None
        numbers = np.polynomial.polynomial.polyval(numbers.astype(np.float64), coefficients)
        used = True
    return numbers if used else values


def _coefficients(start: str, kind: str, properties: Mapping[str, Any]) -> list[float] | None:
    if kind == "Linear":
        found = [properties.get(f"{start}Y_Intercept", 0.0), properties.get(f"{start}Slope")]
    elif kind == "Polynomial":
        size = properties.get(f"{start}Coefficients_Size")
        if not isinstance(size, int) or not 0 < size <= _MOST_COEFFICIENTS:
            return None
        found = [properties.get(f"{start}Coefficients[{power}]") for power in range(size)]
    else:
        return None
    return [float(one) for one in found if isinstance(one, (int, float))] if None not in found else None
