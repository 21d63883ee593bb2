"""What of an ingestor's values JSON has no words for, so that whoever reads the record knows what was written in its place."""

from __future__ import annotations

import math
from typing import Any, Final

_LARGEST: Final = 2**63


def kind(value: Any) -> str | None:  # noqa: PLR0911 one return for each kind
    """What is told of a single value that `ingestors.api.jsonable` writes as something else; None if it stays the same.

    Numbers of numpy that JSON has stay the same; of an array one sentence tells for all of it.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -_LARGEST <= value < _LARGEST else "integers beyond 64 bits as text"
    if isinstance(value, float):
        return None if math.isfinite(value) else "numbers that are none (NaN) or infinite as text"
    if isinstance(value, (bytes, bytearray)):
        return "raw bytes as text"
    if isinstance(value, str):
        return "NUL characters as a symbol" if "\0" in value else None
    if isinstance(value, complex):
        return "complex numbers as real and imaginary part"
    return _of_array(value)


def _of_array(value: Any) -> str | None:
    letter = getattr(getattr(value, "dtype", None), "kind", "")
    if letter == "f" and value.size:
        return kind(float(value.sum()))
    return {"c": kind(1j), "S": kind(b""), "V": kind(b"")}.get(letter)
