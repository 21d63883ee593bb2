"""What h5py gives, as plain values: text, numbers, lists, dictionaries. All of it bounded."""

from __future__ import annotations

import json
from typing import Any, Final

import h5py
import numpy as np

_MOST_ITEMS: Final = 1000  # elements of one list in the metadata
_MOST_TEXT: Final = 20_000  # letters of one value
_DEEPEST_JSON: Final = 40  # levels of lists and dictionaries


def plain(value: Any) -> Any:  # noqa: C901, PLR0911 one branch per kind of value
    """What h5py gives as plain values: text, numbers, lists, dicts for compound types; None for empty and references."""
    if isinstance(value, (h5py.Empty, h5py.Reference, h5py.RegionReference)):
        return None
    if isinstance(value, bytes):
        return text(value)[:_MOST_TEXT]
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if isinstance(value, np.void):
        if value.dtype.names:
            return {name: plain(value[name]) for name in value.dtype.names}
        return f"[{value.nbytes} bytes]"
    if isinstance(value, np.ndarray):
        if value.size == 1 and value.ndim <= 1:
            return plain(value.ravel()[0])
        if value.dtype.kind == "S" and value.dtype.itemsize == 1 and value.ndim == 1:  # text as single characters
            return text(value.tobytes())
        if value.size > _MOST_ITEMS:
            return f"[{' x '.join(map(str, value.shape))} values]"
        return [plain(item) for item in value] if value.size else []
    if isinstance(value, np.generic):
        return value.item() if not isinstance(value, np.longdouble) else float(value)
    return value


def decoded(value: Any, longest: int = _MOST_TEXT) -> Any:
    """A value; where it is the JSON text of a list or a dictionary (what HDF5 cannot hold is often stored so), that."""
    if not isinstance(value, str) or not value.startswith(("[", "{")) or not value.rstrip().endswith(("]", "}")):
        return value
    if len(value) > longest or _nesting(value) > _DEEPEST_JSON:
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if isinstance(found, list) and len(found) > _MOST_ITEMS else found


def _nesting(text: str) -> int:
    """How deep brackets are nested at most, those within texts counted too."""
    depth = deepest = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


def text(raw: bytes) -> str:
    """Bytes as UTF-8, else as Latin-1 (the older writers'); NUL padding removed."""
    raw = raw.rstrip(b"\x00")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
