"""What every family's reader hands back, and how a family is told from its first lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingestors.api import Candidate, Extraction, Sample, Thumbnail, display_name
from ingestors.tables import Table, described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingestors.textfile import Decoded

_LONGEST_NAME = 200  # characters: beyond it a title is a paragraph


@dataclass(frozen=True)
class Reading:
    """One file as its family understands it.

    `data_type` is the product ("SPEC scan file"); `measurement` the field's name of the method, only where the family or
    the file says it; `name` a title or sample of the file; `timestamp` ISO 8601. Empty text means "not in the file".
    `metadata` is nested as in the file; `tables` hold the columns.
    """

    data_type: str
    measurement: str = ""
    name: str = ""
    timestamp: str = ""
    instrument: str = ""
    unique_id: str = ""
    samples: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """A kind of text file.

    `recognises` gets the decoded head and the candidate and answers with the tell-tale in a few words, or None; `read`
    gets the whole text and raises UnreadableError (or the table reader's NotATableError) if it is not what it looked like.
    `of_numbers`: its tell-tale is no word of the head, so that bare numbers may be it.
    """

    name: str
    recognises: Callable[[str, Candidate], str | None]
    read: Callable[[Decoded, Candidate], Reading]
    of_numbers: bool = False


def extraction(reading: Reading, candidate: Candidate, text_warnings: tuple[str, ...] = ()) -> Extraction:
    """The reading as the values that a catalog gets. The dataset is named by the file's own title, else by its stem."""
    attributes = {
        "dataset_name": _one_line(reading.name) or candidate.stem,
        "measurement": reading.measurement,
        "data_type": reading.data_type,
        "data_format": display_name(candidate.suffix.removeprefix(".")),
        "instrument_name": _one_line(reading.instrument),
        "timestamp": reading.timestamp,
    }
    samples = dict.fromkeys(name for name in map(_one_line, reading.samples) if name)
    return Extraction(
        {key: value for key, value in attributes.items() if value},
        {**reading.metadata, **(described(reading.tables) if reading.tables else {})},
        keywords=tuple(dict.fromkeys(word for word in reading.keywords if word)),
        samples=tuple(Sample(name) for name in samples),
        thumbnails=reading.thumbnails,
        warnings=tuple(dict.fromkeys((*text_warnings, *reading.warnings))),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_NAME].rstrip()
