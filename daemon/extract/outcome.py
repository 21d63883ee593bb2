"""What an extraction came to, as values; and how the worker's answer becomes one, because a plugin is not trusted."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import ATTRIBUTES, display_name, is_time, jsonable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MINIMAL: Final = "none"
"""The name that stands for "no ingestor could be run": name and suffix only."""

MAX_METADATA: Final = 8 * 2**20
"""Bytes of scientific metadata as JSON. More is left out, with a warning: catalogs index it."""
MAX_THUMBNAILS: Final = 16
MAX_CHILDREN: Final = 400
MAX_THUMBNAIL: Final = 4 * 2**20
_MAX_PIXELS: Final = 8192
_MAX_TEXT: Final = 2000
_MAX_ITEMS: Final = 200
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_START: Final = struct.Struct("!8sI4sII")
_PNG_END: Final = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One ingestor's claim, ranked. `specificity` from 0 to 100."""

    ingestor: str
    specificity: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An ingestor that gave nothing, and why, in one sentence for a person. `refused`: it said so by itself, no bug of it."""

    ingestor: str
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What an ingestor did beside reading one file: attempts as kind (write, network, process, print) and text.

    `unclean` says what in its extraction is not as the protocol wants it, `seconds` how long it took to claim and read,
    `memory` how many bytes it used above what was used before.
    """

    attempts: tuple[tuple[str, str], ...] = ()
    unclean: tuple[str, ...] = ()
    seconds: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class ThumbnailImage:
    """A PNG picture; width and height in pixels, as the PNG says."""

    caption: str
    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ChildOutcome:
    """A part of the measurement that is a dataset of its own; `key` names it within the measurement, the rest as in `Outcome`."""

    key: str
    attributes: dict[str, str] = field(default_factory=dict)
    scientific_metadata: dict[str, Any] = field(default_factory=dict)
    keywords: tuple[str, ...] = ()
    samples: tuple[dict[str, str | None], ...] = ()
    thumbnails: tuple[ThumbnailImage, ...] = ()
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PluginRow:
    """One ingestor of this installation, or one that could not be loaded (`error` says why)."""

    name: str
    version: str
    origin: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an extraction came to. `ingestor` is the one whose values these are; `failures` those that were tried before.

    `scientific_metadata` is plain JSON; `units` are the UCUM codes of the units in it, `cleaned` what JSON has no words for; samples have `name` and, where
    the file knows it, `unique_id`. `ties` are groups of ingestors that claimed equally specifically. `left_out` are those
    of the warnings that say what was wrong in the ingestor's answer. `observed` is there if the sandbox observes.
    """

    ingestor: str
    version: str
    claims: tuple[ClaimRow, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    scientific_metadata: dict[str, Any] = field(default_factory=dict)
    keywords: tuple[str, ...] = ()
    samples: tuple[dict[str, str | None], ...] = ()
    thumbnails: tuple[ThumbnailImage, ...] = ()
    warnings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    ties: tuple[tuple[str, ...], ...] = ()
    cleaned: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    observed: Observed | None = None
    children: tuple[ChildOutcome, ...] = ()


def minimal(path: Path, claims: Sequence[ClaimRow], failures: Sequence[Failure]) -> Outcome:
    """What can be said without any ingestor."""
    name = display_name(path.name)
    attributes = {"dataset_name": name.rsplit(".", 1)[0] or name}
    if len(path.suffix) > 1:
        attributes["data_format"] = display_name(path.suffix[1:].lower())
    return Outcome(MINIMAL, "", tuple(claims), attributes, failures=tuple(failures))


def claims_in(answer: Any) -> tuple[ClaimRow, ...]:
    """The ranked claims that the worker reports; what is not one is left out."""
    rows = answer if isinstance(answer, list) else []
    return tuple(
        ClaimRow(text(row[0]), min(max(row[1], 0), 100), text(row[2]))
        for row in rows[:_MAX_ITEMS]
        if isinstance(row, list) and [type(item) for item in row] == [str, int, str]
    )


def names_in(answer: Any) -> tuple[tuple[str, ...], ...]:
    """Groups of names."""
    groups = answer if isinstance(answer, list) else []
    return tuple(tuple(texts(group)) for group in groups[:_MAX_ITEMS] if isinstance(group, list))


def accepted(answer: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
    """Check the worker's answer piece by piece: what is wrong is left out, and a warning says so."""
    left_out: list[str] = []
    listed = answer.get("children")
    captions = answer.get("captions")
    own = len(captions) if listed and isinstance(captions, list) else len(blobs)
    described = _described(answer, blobs[:own], left_out)
    children = _children(listed, blobs[own:], left_out)
    return Outcome(
        ingestor=text(answer.get("ingestor")),
        version=text(answer.get("version")),
        **described,
        warnings=(*texts(answer.get("warnings")), *left_out),
        cleaned=_cleaned(answer.get("cleaned")),
        left_out=tuple(left_out),
        observed=observed_in(answer.get("observed")),
        children=children,
    )


def _described(answer: Mapping[str, Any], blobs: Sequence[bytes], left_out: list[str]) -> dict[str, Any]:
    """What an outcome and a child's have in common."""
    return {
        "attributes": _attributes(answer.get("attributes"), left_out),
        "scientific_metadata": _metadata(answer.get("scientific_metadata"), left_out),
        "keywords": tuple(dict.fromkeys(texts(answer.get("keywords")))),
        "samples": tuple(_samples(answer.get("samples"))),
        "thumbnails": _thumbnails(answer.get("captions"), blobs, left_out),
        "units": _units(answer.get("units")),
    }


def _children(value: Any, blobs: Sequence[bytes], left_out: list[str]) -> tuple[ChildOutcome, ...]:
    """The children, each with the pictures that its captions stand for."""
    kept: dict[str, ChildOutcome] = {}
    used = 0
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        key, captions = text(item.get("key")), item.get("captions")
        pictures = blobs[used : used + len(captions)] if isinstance(captions, list) else ()
        used += len(pictures)
        if not key or key in kept or len(kept) == MAX_CHILDREN:
            why = f"there may be {MAX_CHILDREN}" if len(kept) == MAX_CHILDREN else "its key is empty or taken"
            left_out.append(f"The child dataset {key!r} was left out: {why}.")
        else:
            kept[key] = ChildOutcome(key, **_described(item, pictures, left_out))
    return tuple(kept.values())


def text(value: Any) -> str:
    """One line of text that any catalog can carry, of a bounded length; an empty one for what is no text."""
    if not isinstance(value, str):
        return ""
    plain = display_name(value[: 2 * _MAX_TEXT]).replace("\x00", "\u2400")
    return plain.strip()[:_MAX_TEXT]


def texts(value: Any) -> list[str]:
    """A bounded list of texts without the empty ones."""
    return [one for item in value[:_MAX_ITEMS] if (one := text(item))] if isinstance(value, list) else []


def _attributes(value: Any, warnings: list[str]) -> dict[str, str]:
    accepted_: dict[str, str] = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        if name not in ATTRIBUTES:
            warnings.append(f"The ingestor gave the attribute {text(name)!r}, which no dataset has; it was left out.")
        elif name == "timestamp" and item != "" and not is_time(item):
            warnings.append(f"The time {text(item)!r} is not written as ISO 8601; it was left out.")
        elif text(item):
            accepted_[name] = text(item)
    return accepted_


def _metadata(value: Any, warnings: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    kept: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for key, item in value.items():
        written = json.dumps({key: item})
        # The worker made it plain; escapes of NUL and of lone surrogates in it mean that somebody else wrote it.
        plain = jsonable({key: item}) if "\\u0000" in written or "\\ud" in written else {key: item}
        kept.update(plain)
        sizes.update(dict.fromkeys(plain, len(written)))
    while sum(sizes.values()) > MAX_METADATA:
        largest = max(sizes, key=lambda key: sizes[key])
        warnings.append(
            f"The metadata {text(largest)!r} is too long for a catalog ({sizes[largest]} B); it was left out."
        )
        del kept[largest], sizes[largest]
    return kept


def _cleaned(value: Any) -> dict[str, int]:
    """How many values were written as something else, by what they are written as."""
    told = value if isinstance(value, dict) else {}
    return {text(key): count for key, count in list(told.items())[:_MAX_ITEMS] if type(count) is int}


def _units(value: Any) -> dict[str, str]:
    pairs = list(value.items())[:_MAX_ITEMS] if isinstance(value, dict) else []
    return {text(unit): text(code) for unit, code in pairs if text(unit) and text(code)}


def observed_in(value: Any) -> Observed | None:
    """What the worker saw the ingestor do, if it observes."""
    if not isinstance(value, dict):
        return None
    seconds, memory = value.get("seconds"), value.get("memory")
    return Observed(
        tuple((pair[0], pair[1]) for pair in names_in(value.get("attempts")) if len(pair) == 2),  # noqa: PLR2004 kind, text
        tuple(texts(value.get("unclean"))),
        seconds if isinstance(seconds, float) else 0.0,
        memory if isinstance(memory, int) else 0,
    )


def _samples(value: Any) -> Iterable[dict[str, str | None]]:
    for item in value[:_MAX_ITEMS] if isinstance(value, list) else ():
        if isinstance(item, dict) and text(item.get("name")):
            yield {"name": text(item["name"]), "unique_id": text(item.get("unique_id")) or None}


def _thumbnails(captions: Any, blobs: Sequence[bytes], warnings: list[str]) -> tuple[ThumbnailImage, ...]:
    named = captions if isinstance(captions, list) else []
    kept: list[ThumbnailImage] = []
    for number, png in enumerate(blobs):
        size = png_size(png)
        if size is None or len(kept) == MAX_THUMBNAILS:
            warnings.append(f"Picture {number + 1} of the ingestor was left out: it is no PNG of a sensible size.")
        else:
            caption = text(named[number]) if number < len(named) else ""
            kept.append(ThumbnailImage(caption, png, *size))
    return tuple(kept)


def png_size(png: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a complete PNG, else None. Source: PNG specification, third edition, 11.2.1 IHDR."""
    if not _PNG_START.size <= len(png) <= MAX_THUMBNAIL or not png.endswith(_PNG_END):
        return None
    magic, length, kind, width, height = _PNG_START.unpack_from(png)
    sensible = 0 < width <= _MAX_PIXELS and 0 < height <= _MAX_PIXELS
    return (width, height) if (magic, length, kind) == (_PNG, 13, b"IHDR") and sensible else None
