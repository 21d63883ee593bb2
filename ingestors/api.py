"""What an ingestor plugin sees: values in, values out. Standard library only; this is the one module a plugin must import.

An ingestor answers two questions about a *candidate* (a primary file and its companions):
`claim` says how specifically it understands it (or `None` to decline), `extract` reads it into an `Extraction`.
Both run in a child process with a time and a memory limit; neither may write, print or use the network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ingestors.ucum import ucum

if TYPE_CHECKING:
    from pathlib import Path

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
HEAD_BYTES: Final = 65536
"""How much of the file's beginning a claim may look at without opening the file."""

ATTRIBUTES: Final = frozenset(
    {
        "dataset_name",
        "measurement",
        "data_type",
        "data_format",
        "instrument_name",
        "session_name",
        "timestamp",
        "project_id",
        "owner_orcid",
        "unique_id",
    }
)
"""The dataset attributes that an ingestor may fill (the names of Crucible's dataset model)."""


class Specificity(IntEnum):
    """How much a claim knows. Any integer from 0 to 100 is allowed; these are the steps of the ladder."""

    FALLBACK = 0  # any file at all
    CONTAINER = 20  # the container is readable (HDF5, an image, a text table), its meaning is unknown
    FORMAT = 50  # a documented format, recognised by its content (ScopeFoundry, SPEC, pyFAI)
    PRODUCT = 80  # one measurement of one format (a ScopeFoundry hyperspectral map)


@dataclass(frozen=True, slots=True)
class Claim:
    """A promise to be able to read the candidate: how specifically, and the reason in a few words ("root attribute ScopeFoundry_version = 210")."""

    specificity: int
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A primary file and the companions beside it.

    `path` is absolute; `name` is how people know the file (text even where the bytes on disk are not UTF-8).
    """

    path: Path
    companions: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        r"""The file's name as text: bytes that are not UTF-8 become `\xNN`."""
        return display_name(self.path.name)

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return self.name.rsplit(".", 1)[0] or self.name

    @property
    def suffix(self) -> str:
        """The last suffix in lower case, with its dot, or an empty string."""
        return self.path.suffix.lower()

    @cached_property
    def size(self) -> int:
        """Bytes of the primary file. Raises OSError."""
        return self.path.stat().st_size

    @cached_property
    def head(self) -> bytes:
        """The first `HEAD_BYTES` bytes of the primary file. Raises OSError."""
        with self.path.open("rb") as stream:
            return stream.read(HEAD_BYTES)

    def tail(self, count: int = 4096) -> bytes:
        """The last `count` bytes of the primary file (some formats keep their header there). Raises OSError."""
        with self.path.open("rb") as stream:
            stream.seek(max(0, self.size - count))
            return stream.read(count)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number (or a list of numbers) with its unit, spelled as the file spells it."""

    value: Any
    unit: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A material that was measured, as the file names it."""

    name: str
    unique_id: str | None = None


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A PNG picture of the data; `width` and `height` in pixels."""

    caption: str
    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an ingestor found. Everything is optional; a warning is one sentence for a person."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    scientific_metadata: Mapping[str, Any] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    thumbnails: Sequence[Thumbnail] = ()
    warnings: Sequence[str] = ()


class UnreadableError(Exception):
    """Raised by `extract`: the file is not what the claim took it for, or is broken. The text is shown to a person."""


@runtime_checkable
class Ingestor(Protocol):
    """A plugin. `name` is what configuration and logs call it; `version` changes when its output does."""

    name: str
    version: str

    def claim(self, candidate: Candidate) -> Claim | None:
        """Say how specifically this ingestor understands the candidate, or None. Cheap: look at the head, not the data."""

    def extract(self, candidate: Candidate) -> Extraction:
        """Read the candidate. Raises UnreadableError with a sentence; any other exception counts as a bug of the plugin."""


def display_name(name: str) -> str:
    r"""Text that every catalog can carry: surrogate escapes of undecodable bytes become `\xNN`, the rest stays.

    Half a character, as JSON can write it, becomes its number: `\ud83d`.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def is_time(value: Any) -> bool:
    """Whether this is text that is a date or a time as ISO 8601 writes them, the date first: `2026-11-21T14:30:00+01:00`."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def jsonable(value: Any) -> Any:  # noqa: C901, PLR0911 one branch per kind of value
    """Turn metadata into plain JSON values without loss of meaning.

    A `Quantity` becomes `{"value", "unit"}`; numpy scalars and arrays become numbers and lists; NaN and the
    infinities become the strings "NaN", "Infinity", "-Infinity" (JSON has no numbers for them); integers beyond
    64 bits and bytes become text; NUL characters become the symbol U+2400.
    """
    if isinstance(value, Quantity):
        return {"value": jsonable(value.value), "unit": jsonable(value.unit)}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return display_name(value).replace("\x00", "\u2400")
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else str(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _not_finite(value)
    if isinstance(value, (bytes, bytearray)):
        return jsonable(bytes(value).decode("utf-8", "backslashreplace"))
    if isinstance(value, complex):
        return {"real": jsonable(value.real), "imag": jsonable(value.imag)}
    if isinstance(value, Mapping):
        return {str(jsonable(str(key))): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        plain = value.tolist()
        return jsonable(plain) if type(plain) is not type(value) else str(value)
    return jsonable(str(value))


def units_in(metadata: Any) -> dict[str, str]:
    """The UCUM code of every unit in plain metadata, by the unit as it stands there: `{"degC": "Cel", "1/nm": "nm-1"}`.

    A unit is the text under a key `unit`: of a quantity, a column, an array. Units that nobody knows are not listed.
    """
    codes: dict[str, str] = {}
    waiting = [metadata]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            unit = value.get("unit")
            if isinstance(unit, str) and (code := ucum(unit)) is not None:
                codes[unit] = code
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return codes


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
