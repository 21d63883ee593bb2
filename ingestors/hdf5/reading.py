"""HDF5 as hostile input: everything that is opened, walked or read here is bounded, and nothing outside of the file is touched.

Never followed: external links, external raw storage, virtual datasets whose sources are other files.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from ingestors.api import UnreadableError, display_name
from ingestors.hdf5 import plainvalues

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ingestors.api import Candidate

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
H5_ERRORS: Final = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError)
"""What h5py raises for broken or unusual objects: it maps the library's errors to whatever suits the call."""

_OFFSETS: Final = (0, *(512 << power for power in range(7)))
_MOST_VALUES: Final = 4_000_000  # elements of one read
_MOST_DECODED: Final = 256 * 2**20  # bytes that the filters may produce for one read
_MOST_CHUNK: Final = 96 * 2**20  # bytes of one chunk: HDF5 decodes it whole even for one element
_MOST_SOURCES: Final = 1000  # parts of a virtual dataset
_MOST_WALKED: Final = 3000  # objects of one walk
_MOST_LINKS: Final = 16  # soft links on the way to one object


def has_signature(candidate: Candidate) -> bool:
    """Whether the file is HDF5: signature at 0, or behind a user block of 512, 1024, ... bytes.

    Source: HDF5 File Format Specification 3.0, II.A. A tar archive whose first member is HDF5 is not HDF5.
    """
    head = candidate.head
    if head[257:262] == b"ustar":
        return False
    return any(head.startswith(SIGNATURE, offset) for offset in _OFFSETS)


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, read-only and without a lock that a writer could run into. Raises UnreadableError."""
    try:
        file = h5py.File(path, "r", locking=False, rdcc_nbytes=8 * 2**20)
    except H5_ERRORS as error:
        raise UnreadableError(_why_not(path, error)) from error
    with file, np.errstate(all="ignore"):  # broken files hold numbers beyond any range
        try:
            file["/"].attrs.keys()
        except H5_ERRORS as error:
            raise UnreadableError(f"The HDF5 file is damaged: its root group cannot be read ({error}).") from error
        yield file


def _why_not(path: Path, error: Exception) -> str:
    words = str(error).lower()
    size = path.stat().st_size
    if "truncated" in words or size < 800:  # noqa: PLR2004 the smallest complete HDF5 file is 800 bytes
        return f"The HDF5 file is incomplete ({size} bytes): its writer has not flushed it yet, was stopped, or the copy broke off."
    return f"The HDF5 library cannot open the file: {error}"


def follow(group: h5py.Group, path: str, budget: int = _MOST_LINKS) -> h5py.Group | h5py.Dataset | None:
    """The object at a path, soft links followed inside the file only; None if it is not there or lies outside."""
    here: Any = group.file["/"] if path.startswith("/") else group
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if len(parts) > 200:  # noqa: PLR2004 no sane path is that deep
        return None
    for part in parts:
        if not isinstance(here, h5py.Group):
            return None
        try:
            link = here.get(part, getlink=True)
            if isinstance(link, h5py.SoftLink):
                here = follow(here, link.path, budget - 1) if budget > 0 else None
            elif isinstance(link, h5py.HardLink):
                here = here[part]
            else:
                return None
        except H5_ERRORS:
            return None
    return here if isinstance(here, (h5py.Group, h5py.Dataset)) else None


def child_group(group: h5py.Group, path: str) -> h5py.Group | None:
    """The group at a path, or None."""
    found = follow(group, path)
    return found if isinstance(found, h5py.Group) else None


def child_data(group: h5py.Group, path: str) -> h5py.Dataset | None:
    """The dataset at a path, or None."""
    found = follow(group, path)
    return found if isinstance(found, h5py.Dataset) else None


def walk(where: h5py.Group, most: int = _MOST_WALKED, deepest: int = 8) -> Iterator[h5py.Group | h5py.Dataset]:
    """The objects below a group, its own members first, each once, along hard links only; MATLAB's references left out."""
    waiting = [where]
    seen: set[int] = set()
    for _ in range(deepest):
        following: list[h5py.Group] = []
        for group in waiting:
            for name in names(group, most):
                if most <= 0:
                    return
                most -= 1
                thing = None if name.startswith("#") else _hard(group, name, seen)
                if isinstance(thing, h5py.Group):
                    following.append(thing)
                if thing is not None:
                    yield thing
        waiting = following


def _hard(group: h5py.Group, name: str, seen: set[int]) -> h5py.Group | h5py.Dataset | None:
    try:
        thing = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
        address = h5py.h5o.get_info(thing.id).addr if isinstance(thing, (h5py.Group, h5py.Dataset)) else None
    except H5_ERRORS:
        return None
    if address is None or address in seen:
        return None
    seen.add(address)
    return thing


def raw_names(group: h5py.Group, most: int) -> list[str | bytes]:
    """Names of a group's links, at most `most`, those that are not UTF-8 as bytes; those before the fault if it is broken."""
    found: list[str | bytes] = []
    try:
        for name in group:
            if len(found) >= most:
                break
            found.append(name)
    except H5_ERRORS:
        return found
    return found


def names(group: h5py.Group, most: int = 2000) -> list[str]:
    """Names of a group's links that are text, at most `most` of them."""
    return [name for name in raw_names(group, most) if isinstance(name, str)]


def shown(name: str | bytes) -> str:
    """A name as text that every catalog can carry."""
    return display_name(name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name)


def attribute_names(thing: h5py.Group | h5py.Dataset, most: int = 2000) -> list[str]:
    """Names of the attributes that are text; those before the fault if the object is broken."""
    found: list[str] = []
    try:
        for name in thing.attrs:
            if len(found) >= most:
                break
            if isinstance(name, str):
                found.append(name)
    except H5_ERRORS:
        return found
    return found


def attribute(thing: h5py.Group | h5py.Dataset, name: str) -> Any:
    """An attribute as a plain value, None if it is not there, too large or of a kind that h5py cannot read."""
    try:
        if name not in thing.attrs:
            return None
        stored = thing.attrs.get_id(name)
        if int(np.prod(stored.shape or (1,), dtype=np.float64)) * stored.dtype.itemsize > 65536:  # noqa: PLR2004 64 KiB
            return f"[{' x '.join(map(str, stored.shape))} values]"
        return plainvalues.plain(thing.attrs[name])
    except H5_ERRORS:
        return None


def attribute_text(thing: h5py.Group | h5py.Dataset, name: str) -> str:
    """An attribute as stripped text, empty if it is not there."""
    value = attribute(thing, name)
    return (
        value.strip()
        if isinstance(value, str)
        else ""
        if value is None or isinstance(value, (list, dict))
        else str(value)
    )


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a dataset's content is not read: `reason` is a sentence; `missing_filter` if a decompressor would help."""

    reason: str
    missing_filter: bool = False


def obstacle(data: h5py.Dataset, depth: int = 4) -> Obstacle | None:
    """What speaks against reading the dataset, or None."""
    try:
        if data.external:
            return Obstacle("its values are in another file")
        if data.is_virtual:
            return _virtual(data, depth)
        if data.size and not data.id.get_storage_size():
            return Obstacle("nothing was ever written to it")
        if data.chunks and int(np.prod(data.chunks, dtype=np.float64)) * data.dtype.itemsize > _MOST_CHUNK:
            return Obstacle("its chunks are too large to be read safely")
        return _missing_filter(data)
    except H5_ERRORS as error:
        return Obstacle(f"the library cannot describe it ({error})")


def _virtual(data: h5py.Dataset, depth: int) -> Obstacle | None:
    """A view is readable if all it is made of lies in this file, also behind the links that its sources may be."""
    sources = data.id.get_create_plist().get_virtual_count()
    if depth == 0 or sources > _MOST_SOURCES:
        return Obstacle("it is a view of too many datasets")
    for source in data.virtual_sources():
        inside = (
            child_data(data.file, source.dset_name) if source.file_name == "." and "%" not in source.dset_name else None
        )
        if inside is None:
            return Obstacle("it is a view of other files")
        if (hindrance := obstacle(inside, depth - 1)) is not None:
            return hindrance
    return None


def _missing_filter(data: h5py.Dataset) -> Obstacle | None:
    properties = data.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(index)
        if not h5py.h5z.filter_avail(code) and not (_with_plugins() and h5py.h5z.filter_avail(code)):
            label = plainvalues.text(name) or f"number {code}"
            return Obstacle(f"it is compressed with the filter {label!r}, which is not installed", missing_filter=True)
    return None


def _with_plugins() -> bool:
    """Register the decompressors of hdf5plugin, if it is installed."""
    try:
        import_module("hdf5plugin")
    except ImportError:
        return False
    return True


def numeric(data: h5py.Dataset) -> bool:
    """Whether the dataset holds numbers in at least one dimension."""
    try:
        return data.dtype.kind in "biufc" and bool(data.shape) and data.size > 0
    except H5_ERRORS:
        return False


def read(data: h5py.Dataset, most: Sequence[int], fixed: Sequence[int] = ()) -> NDArray[np.generic] | None:
    """A dataset's numbers, every n-th along the axes that are longer than `most`; None if they cannot be read.

    `fixed`: indices into the first axes (a frame of a stack); `most` then counts the remaining axes.
    """
    if not numeric(data) or obstacle(data) is not None:
        return None
    shape = data.shape[len(fixed) :]
    steps = [max(1, -(-length // max(1, limit))) for length, limit in zip(shape, most, strict=True)]
    where = (*fixed, *(slice(None, None, step) for step in steps))
    count = np.prod([-(-length // step) for length, step in zip(shape, steps, strict=True)], dtype=np.float64)
    if count > _MOST_VALUES or _decoded_bytes(data, len(fixed), steps) > _MOST_DECODED:
        return None
    try:
        found = data[where]
    except H5_ERRORS:
        return None
    return np.asarray(found)


def _decoded_bytes(data: h5py.Dataset, fixed: int, steps: Sequence[int]) -> float:
    """Bytes of the chunks that a strided read touches; contiguous data cost what is asked for."""
    if not data.chunks:
        return 0.0
    touched = 1.0
    for length, chunk, step in zip(data.shape[fixed:], data.chunks[fixed:], steps, strict=True):
        touched *= min(-(-length // chunk), -(-length // step))
    return float(touched * np.prod(data.chunks, dtype=np.float64) * data.dtype.itemsize)


def single(data: h5py.Dataset) -> Any:
    """The value of a dataset that holds only one, as a plain value; None for others and for what cannot be read."""
    try:
        if data.shape is None or data.size != 1 or data.dtype.itemsize > 65536 or obstacle(data) is not None:  # noqa: PLR2004 64 KiB
            return None
        return plainvalues.plain(data[()])
    except H5_ERRORS:
        return None
