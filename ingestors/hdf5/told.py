"""What a reader of one kind of HDF5 files found, and the words that any of them may use."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ingestors.dat import dates, facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import h5py

    from ingestors.api import Sample, Thumbnail

T = TypeVar("T")

_FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_SCALES: Final = (1.0, 1e3, 1e6, 1e9)
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)[T_-]?(\d\d)(\d\d)(\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_ORCID: Final = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
_EMPTY_TITLES: Final = frozenset(
    {
        "",
        "none",
        "untitled",
        "title",
        "unknown",
        "n/a",
        "null",
        "test",
        "data",
        "entry",
        "scan",
        "no title",
        "unnamed",
        "unnamed sample",
    }
)


@dataclass(frozen=True)
class Told:
    """What a family's reader adds to the survey: attributes (empty ones are left out), samples, metadata, pictures.

    `tree` replaces the survey's nested metadata where the format's own structure says less than its meaning.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    keywords: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    tree: Mapping[str, Any] | None = None
    thumbnails: Sequence[Thumbnail] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What a family's reader gets: the open file, its name without suffix, its first bytes, and the survey's tree."""

    file: h5py.File
    stem: str
    head: bytes
    tree: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of HDF5 files: its name (the `data_type`), how it is recognised (the reason, or empty), and its reader."""

    name: str
    recognised: Callable[[h5py.File], str]
    read: Callable[[Source], Told]


def drawn_or_none(draw: Callable[[], T]) -> T | None:
    """What `draw` returns; None where it stumbles.

    A picture is never worth losing the metadata: drawing reads values that nobody has checked, through a library that maps
    damage to whatever exception suits the call, so any of them means that there is no picture, and nothing else.
    """
    try:
        return draw()
    except Exception:  # noqa: BLE001 see above
        return None


def moment(value: Any) -> dates.Moment:
    """A time as files write it: ISO, ctime, `20240131T120000Z`, seconds (or their thousandths...) since 1970."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, bool) or value is None:
        return dates.NEVER
    if isinstance(value, str):
        text = value.strip()
        compact = _COMPACT.fullmatch(text)
        if compact:
            year, month, day, hour, minute, second, rest, zone = compact.groups()
            return dates.iso(f"{year}-{month}-{day}T{hour}:{minute}:{second}{rest or ''}{zone or ''}")
        try:
            value = float(text)
        except ValueError:
            return facts.anywhere(text) if text else dates.NEVER
    return _epoch(float(value)) if isinstance(value, (int, float)) else dates.NEVER


def _epoch(number: float) -> dates.Moment:
    for scale in _SCALES:
        if math.isfinite(number) and _FIRST < number / scale < _LAST:
            return dates.epoch(number / scale)
    return dates.NEVER


def title(text: Any) -> str:
    """A title worth naming a dataset after, else empty."""
    words = " ".join(text.split()) if isinstance(text, str) else ""
    empty = words.casefold() in _EMPTY_TITLES or unfilled(words)
    return "" if empty or len(words) > 200 else words  # noqa: PLR2004 a title, not a page


def unfilled(text: str) -> bool:
    """Whether a text is a template's field that nobody filled: `{name of the sample}`, `<title>`."""
    return (text[:1], text[-1:]) in {("{", "}"), ("<", ">")}


def orcid(text: Any) -> str:
    """The ORCID in a text, alone or at the end of its address; empty if there is none or only a placeholder."""
    found = _ORCID.search(text.upper()) if isinstance(text, str) else None
    return found[0] if found and found[0].strip("0-") else ""


def at(tree: Any, *path: str) -> Any:
    """The value at a path of nested mappings, None if it is not there."""
    for name in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(name)
    return tree


def text_at(tree: Any, *path: str) -> str:
    """The text (or number as text) at a path of nested mappings, empty if it is not there."""
    value = at(tree, *path)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
