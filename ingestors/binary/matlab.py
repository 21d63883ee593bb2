"""MATLAB files of version 5 (`.mat`): names, classes and sizes of the variables, small values, pictures of the numeric ones.

Source: MathWorks, "MAT-File Format": a text of 116 bytes, version and byte order, then elements of a type and a size; `miCOMPRESSED` holds one deflated
element; `miMATRIX` flags, sizes, name and values. (Version 7.3 is HDF5 behind 512 bytes.)
"""

from __future__ import annotations

import math
import re
import zlib
from typing import Any, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import Source
from ingestors.dat import dates
from ingestors.dat.reading import Reading

_HEADER: Final = 128
_COMPRESSED, _MATRIX = 15, 14
_NUMBERS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES: Final = {
    1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double", 7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32",
    13: "uint32", 14: "int64", 15: "uint64", 16: "function", 17: "opaque",
}  # fmt: skip
_MOST_VARIABLES: Final = 200
_MOST_UNPACKED: Final = 64 * 2**20
_MOST_TOTAL: Final = 256 * 2**20
_MOST_SIGNALS: Final = 16
_MOST_FIELDS: Final = 200
_INLINE: Final = 16


def recognises(candidate: Candidate) -> str | None:
    """The text `MATLAB 5.0 MAT-file`, the version and the mark of the byte order."""
    head = candidate.head
    return (
        "header MATLAB 5.0 MAT-file"
        if head.startswith(b"MATLAB 5.0 MAT-file") and head[126:128] in {b"IM", b"MI"} and b"\x89HDF" not in head[:4096]
        else None
    )


def read(source: Source, candidate: Candidate) -> Reading:
    """The variables, and when the file was written."""
    words = source.text(0, 116)
    order = "<" if source.read(126, 2) == b"IM" else ">"
    variables: dict[str, Any] = {}
    signals: list[Signal] = []
    warnings: list[str] = []
    at, left = _HEADER, _MOST_TOTAL
    while at + 8 <= source.size and len(variables) < _MOST_VARIABLES:
        kind, size = source.unpack(order + "II", at)
        if at + 8 + size > source.size:
            warnings.append("The file is cut off: its last variable is incomplete.")
            break
        element, start = source, at
        if kind == _COMPRESSED:
            element, start = _unpacked(source, at + 8, size, min(left, _MOST_UNPACKED)), 0
            left -= element.size
        if left <= 0:
            warnings.append("The file holds more than is good to unpack; the rest of its variables is not listed.")
            break
        name, about, signal = _variable(element, start, order, 0)
        if name:  # what has no name is the memory of functions, which no program shows
            variables[name] = about
        if name and signal is not None and len(signals) < _MOST_SIGNALS:
            signals.append(signal)
        at += 8 + size + (0 if kind == _COMPRESSED else -size % 8)
    stamp = re.search(r"Created on: (.*)", words)
    when = dates.ctime(stamp[1].strip()) if stamp else dates.NEVER
    return Reading(
        data_type="MATLAB file",
        timestamp=when.iso,
        metadata={"file": words, "variables": variables} | described([one for one in signals if one.values.size > 1]),
        thumbnails=drawn(_pictures(signals), candidate.stem),
        warnings=tuple(warnings),
    )


def _pictures(signals: list[Signal]) -> list[Signal]:
    """The largest variables first: they are the data."""
    return sorted((one for one in signals if one.values.size > 8), key=lambda one: -one.values.size)


def _unpacked(source: Source, at: int, size: int, most: int) -> Source:
    """A deflated element; of one that is longer than `most` bytes the beginning."""
    packed = source.some(at, min(size, 64 * 2**20))
    try:
        return Source.of(zlib.decompressobj().decompress(packed, max(most, 1)))
    except zlib.error as error:
        raise UnreadableError(f"The MATLAB file is damaged: {error}") from error


def _element(source: Source, at: int, order: str) -> tuple[int, int, int, int]:
    """Type, size, where the content begins and where the next element does; small elements have both in four bytes."""
    first = source.number(order + "I", at)
    if first >> 16:
        return first & 0xFFFF, first >> 16, at + 4, at + 8
    size = source.number(order + "I", at + 4)
    return first, size, at + 8, at + 8 + size + (-size % 8)


def _variable(source: Source, at: int, order: str, depth: int) -> tuple[str, dict[str, Any], Signal | None]:
    kind, _, at, _ = _element(source, at, order)
    if kind != _MATRIX:
        raise UnreadableError(f"The MATLAB file is damaged: an element of type {kind} is no variable.")
    _, _, start, at = _element(source, at, order)
    flags = source.number(order + "I", start)
    _, size, start, at = _element(source, at, order)
    shape = tuple(int(side) for side in np.frombuffer(source.read(start, min(size, 256)), order + "i4"))
    _, size, start, at = _element(source, at, order)
    name = source.text(start, min(size, 256), "utf-8")
    label = _CLASSES.get(flags & 0xFF, "unknown")
    about: dict[str, Any] = {"class": "logical" if flags & 0x200 else label, "shape": list(shape)}
    if min(shape, default=0) < 0:
        raise UnreadableError("The MATLAB file is damaged: a variable has impossible dimensions.")
    if label == "char":
        about |= _letters(source, at, order, shape)
    elif label == "struct" and depth < 3:
        about |= _fields(source, at, order, shape, depth)
    elif 6 <= flags & 0xFF <= 15 and 0 not in shape:
        signal, value = _numbers(source, at, order, shape, name, imaginary=bool(flags & 0x800))
        return name, about | value, signal
    return name, about, None


def _letters(source: Source, at: int, order: str, shape: tuple[int, ...]) -> dict[str, Any]:
    kind, size, start, _ = _element(source, at, order)
    content = source.some(start, min(size, 8000))
    encoding = {
        16: "utf-8",
        17: "utf-16-le",
        4: "utf-16-le" if order == "<" else "utf-16-be",
        2: "latin-1",
        1: "latin-1",
    }.get(kind, "latin-1")
    letters = content.decode(encoding, "replace")
    if len(shape) != 2 or len(letters) < math.prod(shape):
        return {"value": letters} if len(shape) == 2 and shape[0] <= 1 else {}
    lines = [letters[row :: shape[0]].rstrip() for row in range(min(shape[0], _INLINE))]
    return {"value": letters if shape[0] <= 1 else lines}


def _fields(source: Source, at: int, order: str, shape: tuple[int, ...], depth: int) -> dict[str, Any]:
    """The fields of a single structure by name."""
    _, _, start, at = _element(source, at, order)
    width = source.number(order + "i", start)
    _, size, start, at = _element(source, at, order)
    if not 0 < width <= 256:
        return {}
    names = [source.text(start + index, width) for index in range(0, min(size, width * _MOST_FIELDS), width)]
    if shape != (1, 1):
        return {"fields": names}
    found: dict[str, Any] = {}
    for name in names:
        if at + 8 > source.size:
            break
        _, inner, _ = _variable(source, at, order, depth + 1)
        found[name] = inner.get("value", inner)
        at = _element(source, at, order)[3]
    return {"value": found}


def _numbers(
    source: Source, at: int, order: str, shape: tuple[int, ...], name: str, *, imaginary: bool
) -> tuple[Signal | None, dict[str, Any]]:
    """The values (stored column by column), as a signal and, if they are few, as they are."""
    kind, size, start, after = _element(source, at, order)
    code = _NUMBERS.get(kind)
    total = int(np.prod(shape, dtype=np.int64))
    if code is None or total <= 0 or size < total * np.dtype(code).itemsize:
        return None, {}
    values, chosen = source.array(start, np.dtype(order + code), tuple(reversed(shape)))
    if len(chosen) < shape[-1]:
        return Signal(values, tuple(Axis() for _ in shape), name, shape=tuple(reversed(shape)), chosen=chosen), {}
    whole = values.T
    if imaginary and after < source.size:
        second, _, there, _ = _element(source, after, order)
        if second in _NUMBERS:
            whole = whole + 1j * source.array(there, np.dtype(order + _NUMBERS[second]), tuple(reversed(shape)))[0].T
    if total == 1:
        return None, {"value": whole.ravel()[0].item()}
    if total <= _INLINE:
        return Signal(whole.ravel(), (Axis(),), name), {"value": whole.ravel().tolist()}
    squeezed = np.squeeze(whole)
    return Signal(squeezed, tuple(Axis() for _ in squeezed.shape), name, rows_down=True), {}
