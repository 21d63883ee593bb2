"""NumPy arrays (`.npy`) and archives of them (`.npz`). Pickled objects are never loaded.

Source: the NPY format, `numpy.lib.format`.
"""

from __future__ import annotations

import io
import tokenize
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib import format as npy

from ingestors.api import Candidate, UnreadableError
from ingestors.binary import archive
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.binary.source import Source
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 65_536
_MOST_ARRAYS: Final = 32
_MOST_BYTES: Final = 64 * 2**20


def recognises(candidate: Candidate) -> str | None:
    """The signature of `.npy`."""
    return "signature NUMPY" if candidate.head.startswith(MAGIC) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Shape, type and a picture of the array."""
    signal, about = _array(source, "")
    return _reading([signal] if signal else [], {"array": about}, candidate)


def recognises_archive(candidate: Candidate) -> str | None:
    """An archive all of whose members are arrays."""
    if candidate.suffix != ".npz":
        return None
    names = archive.names_of(candidate)
    return "archive of .npy" if names and all(name.endswith(".npy") for name in names) else None


def read_archive(source: Source, candidate: Candidate) -> Reading:
    """Each array by its name; those that are too large to unpack are only named."""
    del source
    signals: list[Signal] = []
    arrays: dict[str, Any] = {}
    notes: list[str] = []
    with archive.opened(candidate.path) as whole:
        for member in whole.names[:_MOST_ARRAYS]:
            name = member.removesuffix(".npy")
            try:
                signal, arrays[name] = _array(Source.of(whole.read(member, _MOST_BYTES)), name)
            except UnreadableError as error:
                notes.append(f"{name}: {error}")
                continue
            signals += [signal] if signal is not None else []
        if len(whole.names) > _MOST_ARRAYS:
            notes.append(f"The archive holds {len(whole.names)} arrays; the first {_MOST_ARRAYS} were read.")
    return _reading(signals, {"arrays": arrays}, candidate, notes)


def _reading(
    signals: Sequence[Signal], metadata: dict[str, Any], candidate: Candidate, notes: Sequence[str] = ()
) -> Reading:
    return Reading(
        data_type="NumPy array" if "array" in metadata else "NumPy archive",
        metadata=metadata | described([one for one in signals if one.values.size > 1]),
        thumbnails=drawn(signals, candidate.stem),
        warnings=tuple(notes),
    )


def _array(source: Source, name: str) -> tuple[Signal | None, dict[str, Any]]:
    """The array as a signal (numbers only), and what is said of it; small ones with their value."""
    stream = io.BytesIO(source.some(0, _LONGEST_HEADER))
    try:
        version = npy.read_magic(stream)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read_header is None:  # version 3 differs from 2 in the encoding of names only
            raise UnreadableError(f"The version {version} of the NPY format is not read.")
        with warnings.catch_warnings():  # numpy warns of arrays that Python 2 wrote; they are read all the same
            warnings.simplefilter("ignore")
            shape, columns_first, kind = read_header(stream, max_header_size=_LONGEST_HEADER)
    except (ValueError, SyntaxError, TypeError, RecursionError, tokenize.TokenError) as error:
        raise UnreadableError(f"The header of the array is damaged: {error}") from error
    about: dict[str, Any] = {"shape": list(shape), "dtype": str(kind)}
    if kind.hasobject:
        return None, about | {"note": "pickled objects are not loaded"}
    if 0 in shape:
        return None, about
    start = stream.tell()
    if not shape:
        value = np.frombuffer(source.read(start, kind.itemsize), kind)[0]
        return None, about | ({"value": value.item()} if kind.kind in "iufbU" else {})
    if kind.names or kind.kind not in "iufbc":
        return None, about | ({"fields": list(kind.names)} if kind.names else {})
    order = tuple(reversed(shape)) if columns_first else shape
    values, chosen = source.array(start, kind, order)
    if columns_first and len(shape) > 1 and len(chosen) == order[0]:
        values = values.T
    return Signal(
        values,
        tuple(Axis() for _ in values.shape),
        name,
        shape=tuple(values.shape) if columns_first else shape,
        rows_down=True,
    ), about
