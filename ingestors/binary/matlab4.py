"""MATLAB files of version 4 (`.mat`, also of Octave and LabVIEW): names, sizes, single values and texts, pictures of the arrays.

Source: MathWorks, "MAT-File Format", level 4: for each variable five integers (type, rows, columns, whether there is an imaginary part, length of the name), the
name with a zero behind it, and the values column by column. The type is a number of four digits: byte order, 0, numbers' type, kind of matrix.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.binary.source import Source

_HEADER: Final = 20
_TYPES: Final = ("f8", "f4", "i4", "i2", "u2", "u1")
_KINDS: Final = ("double", "char", "sparse")
_CLASSES: Final = ("double", "single", "int32", "int16", "uint16", "uint8")
_NAME: Final = re.compile(rb"[A-Za-z]\w{0,62}\x00")
_MOST_VARIABLES: Final = 200
_MOST_SIGNALS: Final = 16
_INLINE: Final = 16
_LONGEST: Final = 8000
_LARGEST: Final = 2**31
_UNICODE: Final = 0x110000


def recognises(candidate: Candidate) -> str | None:
    """A type of four digits that there is, a name, and dimensions that the file can hold: there is no mark."""
    head = candidate.head
    for order in "<>":
        if (found := _header(head[:_HEADER], order)) is not None:
            code, kind, rows, columns, complex_, length = found
            size = rows * columns * np.dtype(code).itemsize * (2 if complex_ else 1)
            name = head[_HEADER : _HEADER + length]
            if size and _HEADER + length + size <= candidate.size and _NAME.fullmatch(name):
                return f"variable {name[:-1].decode('ascii', 'replace')} of MATLAB 4, {_KINDS[kind]}"
    return None


def _header(head: bytes, order: str) -> tuple[str, int, int, int, bool, int] | None:
    """The numbers' type, the matrix' kind, rows, columns, whether it is complex, the length of the name; None if that is no header."""
    if len(head) < _HEADER:
        return None
    mark, rows, columns, complex_, length = struct.unpack(order + "5i", head)
    machine, zero, precision, kind = (mark // 10**power % 10 for power in (3, 2, 1, 0))
    fits = (
        0 <= mark < 2000 and machine == (order == ">") and not zero and precision < len(_TYPES)
    )  # VAX and Cray have others
    sound = kind < len(_KINDS) and min(rows, columns) >= 0 and rows * columns < _LARGEST and complex_ in (0, 1)
    return (order + _TYPES[precision], kind, rows, columns, bool(complex_), length) if fits and sound else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The variables one after the other."""
    order = "<" if _header(source.read(0, _HEADER), "<") is not None else ">"
    variables: dict[str, Any] = {}
    signals: list[Signal] = []
    warnings: list[str] = []
    at = 0
    while at + _HEADER <= source.size and len(variables) < _MOST_VARIABLES:
        header = _header(source.read(at, _HEADER), order)
        if header is None or not 0 < header[-1] <= 256:
            warnings.append("What follows the last variable that is listed is none.")
            break
        code, _, rows, columns, complex_, length = header
        start = at + _HEADER + length
        size = rows * columns * np.dtype(code).itemsize
        at = start + size * (2 if complex_ else 1)
        if at > source.size:
            warnings.append("The file is cut off: its last variable is incomplete.")
            break
        name = source.text(start - length, length).rstrip("\0")
        about, signal = _variable(source, start, header, name)
        variables[name] = about
        if signal is not None and len(signals) < _MOST_SIGNALS:
            signals.append(signal)
    largest = sorted((one for one in signals if one.values.size > _INLINE), key=lambda one: -one.values.size)
    return Reading(
        data_type="MATLAB 4 file",
        metadata={"variables": variables} | described(signals),
        thumbnails=drawn(largest, candidate.stem),
        warnings=tuple(warnings),
    )


def _variable(
    source: Source, start: int, header: tuple[str, int, int, int, bool, int], name: str
) -> tuple[dict[str, Any], Signal | None]:
    code, kind, rows, columns, complex_, _ = header
    about: dict[str, Any] = {
        "class": _KINDS[kind] if kind else _CLASSES[_TYPES.index(code[1:])],
        "shape": [rows, columns],
    }
    if _KINDS[kind] == "sparse":  # rows of (row, column, value), the last one with the sizes
        return about | {"shape": _sizes(source, start, code, rows, columns), "entries": max(rows - 1, 0)}, None
    if not rows * columns:
        return about, None
    if _KINDS[kind] == "char":
        letters = source.array(start, code, (columns, rows))[0].T if rows * columns <= _LONGEST else np.zeros((0, 0))
        lines = ["".join(chr(int(one)) for one in line if 0 < one < _UNICODE).rstrip() for line in letters]
        return about | ({"value": lines[0] if rows == 1 else lines} if lines else {}), None
    values, chosen = source.array(start, code, (columns, rows))
    if len(chosen) < columns:
        return about, Signal(values, (Axis(), Axis()), name, shape=(columns, rows), chosen=chosen)
    if complex_:
        there = start + values.nbytes
        values = values + 1j * source.array(there, code, (columns, rows))[0]
    whole = values.T
    if whole.size == 1:
        return about | {"value": whole.ravel()[0].item()}, None
    if whole.size <= _INLINE:
        about["value"] = whole.ravel().tolist()
    squeezed = np.squeeze(whole)
    return about, Signal(squeezed, tuple(Axis() for _ in squeezed.shape), name, rows_down=True)


def _sizes(source: Source, start: int, code: str, rows: int, columns: int) -> list[int]:
    """The last values of the first two columns; none if they are no numbers of rows and columns."""
    if not rows or columns < 2:
        return []
    width = np.dtype(code).itemsize
    last = [float(source.array(start + (rows * (side + 1) - 1) * width, code, (1,))[0][0]) for side in (0, 1)]
    return [int(one) for one in last] if all(0 <= one < _LARGEST for one in last) else []
