"""What an ingestor plugin sees: values in, values out. This is the one module that a plugin imports.

An ingestor answers two questions about a *candidate*, which is a primary file and its companions:

* `claim(candidate)`: do you understand this, and how specifically? A `Claim`, or `None` to decline.
* `extract(candidate)`: what stands in it? An `Extraction`: attributes, metadata with units, samples, pictures.

The most specific claim reads the file; of equal ones those of other packages come before the built-in ones, then the
order is that of their names. If it fails, the next one tries, and the failure stands on the record. Both run in a child
process with a time and a memory limit, which cannot write, use the network or outlive its time. They may not print
either, and have to say the same of the same bytes each time. `labferry plugins test NAME FILE...` checks all of this;
the README's "Write an ingestor" is a complete example.

Only the standard library is imported here; the pictures' libraries come with the first picture that is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ingestors.kit import curve, image, table
from ingestors.plain import display_name, is_time, units_in
from ingestors.ucum import ucum

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ATTRIBUTES",
    "HEAD_BYTES",
    "Candidate",
    "Child",
    "Claim",
    "Extraction",
    "Ingestor",
    "Quantity",
    "Sample",
    "Specificity",
    "Thumbnail",
    "UnreadableError",
    "curve",
    "display_name",
    "image",
    "is_time",
    "jsonable",
    "table",
    "ucum",
    "units_in",
]

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
"""The dataset attributes that an ingestor may fill, all text (the names of Crucible's dataset model).

dataset_name        what people call it; the file's name without its suffix if nobody says
measurement         the method, in the field's words: "X-ray diffraction", "Raman spectroscopy"
data_type           the product: "2D raster scan", "SPEC scan file"
data_format         the format: "h5", "spec"; the file's suffix if nobody says
instrument_name     as the file names it
session_name        the sitting, if the file knows it
timestamp           when it was measured, as ISO 8601: "2026-11-21T14:30:00", with "+01:00" if the file knows its zone
project_id          the proposal or project, if the file names it
owner_orcid         the ORCID of the person who measured
unique_id           the file's own id, if it is an MFID (26 characters, as ScopeFoundry writes it)

Leave out what the file does not say: a guess is worse than nothing.
"""


class Specificity(IntEnum):
    """How much a claim knows. Any integer from 0 to 100 is allowed; these are the steps of the ladder."""

    FALLBACK = 0  # any file at all
    CONTAINER = 20  # the container is readable (HDF5, an image, a text table), its meaning is unknown
    FORMAT = 50  # a documented format, recognised by its content (ScopeFoundry, SPEC, pyFAI)
    PRODUCT = 80  # one measurement of one format (a ScopeFoundry hyperspectral map)


@dataclass(frozen=True, slots=True)
class Claim:
    """A promise to be able to read the candidate.

    `specificity` is a step of `Specificity` or any integer from 0 to 100; `reason` says in a few words what gave the
    file away ("root attribute ScopeFoundry_version = 210"): people read it in `labferry inspect`.
    """

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
    """A number (or a list of numbers) with its unit, spelled as the file spells it: `Quantity(1.5, "mW")`.

    It becomes `{"value": 1.5, "unit": "mW"}`. Units that are known have a code of UCUM, which stands beside the metadata
    (`labferry.units`, see `units_in`); nothing is converted.
    """

    value: Any
    unit: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A material that was measured, as the file names it; `unique_id` if the file knows its id in the catalog."""

    name: str
    unique_id: str | None = None


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A PNG picture of the data; `width` and `height` in pixels. `curve` and `image` draw one; 400 by 300 is usual."""

    caption: str
    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Child:
    """A part of the measurement that is a dataset of its own in the catalogs: one sample of many, one signal of several.

    `key` names it within its file for good (the position on the tray, the path of the signal): the same key is the same
    dataset, however often the file is read or changed. It has no files, those are its parent's; it takes over its
    parent's attributes, and its own say what is different: give each a `dataset_name`, and no `unique_id`. Its samples
    are linked to it and not to the parent; the rest as in `Extraction`.
    """

    key: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    scientific_metadata: Mapping[str, Any] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    thumbnails: Sequence[Thumbnail] = ()


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an ingestor found. Everything is optional.

    `attributes`: names of `ATTRIBUTES`, all text. `scientific_metadata`: everything else that a person would want to
    search or read, nested as in the file: text, numbers, `Quantity`, lists, mappings with text as keys; numpy values are
    taken too. Of tables (`table` makes one) only names, units and ranges: the data stay in the file. `keywords`: a few
    words. `thumbnails`: at most 16, the most telling first. `warnings`: sentences for a person about what is odd or
    missing in this file. `children`: parts that are datasets of their own, at most 400; most files have none.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    scientific_metadata: Mapping[str, Any] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    thumbnails: Sequence[Thumbnail] = ()
    warnings: Sequence[str] = ()
    children: Sequence[Child] = ()


class UnreadableError(Exception):
    """Raised by `extract`: the file is not what the claim took it for, or is broken. The text is shown to a person.

    This is no bug of the plugin: the next ingestor tries, and the sentence stands on the record.
    """


@runtime_checkable
class Ingestor(Protocol):
    """A plugin: any class with these four, made without arguments.

    `name` is what configuration, logs and people call it; `version` changes whenever its output does, and stands on each
    record that it made.
    """

    name: str
    version: str

    def claim(self, candidate: Candidate) -> Claim | None:
        """Say how specifically this ingestor understands the candidate, or None to decline.

        Cheap, and asked of every file: look at `candidate.head` and `candidate.suffix`, not at the data. Decide by content
        and not by the name alone: an empty file, random bytes or a text with the right suffix are declined.
        """

    def extract(self, candidate: Candidate) -> Extraction:
        """Read the candidate, which this ingestor has claimed.

        A file that is cut off is read as far as it goes, with a warning. Raises UnreadableError with a sentence where
        nothing can be read; any other exception counts as a bug of the plugin.
        """


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


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
