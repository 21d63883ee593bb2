"""What key-value headers say about title, sample, instrument and time, whatever words they choose for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity
from ingestors.dat import dates
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_TITLES: Final = (
    "title",
    "scan title",
    "experiment title",
    "dataset name",
    "measurement name",
    "spectrum name",
    "label",
)
_SAMPLES: Final = (
    "sample",
    "sample name",
    "samplename",
    "sample id",
    "sample material",
    "specimen",
    "name of sample",
    "compound",
)
_INSTRUMENTS: Final = (
    "instrument",
    "instrument name",
    "beamline",
    "beamline name",
    "spectrometer",
    "instrument model",
    "diffractometer",
    "microscope",
    "facility",
)
_MOMENTS: Final = (
    "start time", "scan start time", "start", "started", "acquisition start", "acquisition date", "acquired", "timestamp", "datetime", "date time",
    "date and time", "measurement date", "date of measurement", "date measured", "scan date", "collected", "created", "recorded", "run date", "date",
)  # fmt: skip
_CLOCK: Final = ("time", "time of measurement", "acquisition time", "measurement time", "start time")
_DAY: Final = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Z][a-z]{2} +[A-Z][a-z]{2} +\d{1,2} "
)
_HOUR: Final = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AaPp][Mm])?")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")


def number(text: str) -> int | float | None:
    """The number that the whole text is, with a point, as Python or Fortran write it, or None."""
    words = text.strip()
    if not _NUMBER.fullmatch(words):
        return None
    if words.lstrip("+-").isdigit() and len(words) < 18:  # noqa: PLR2004 fits in 64 bits
        return int(words)
    return float(words.replace("D", "e").replace("d", "e"))


def measured(key: str, value: Any) -> tuple[str, Any]:
    """`Voltage (V)` with `0.5`, a number or its text, as ("Voltage", Quantity(0.5, "V")); all else stays under its whole key."""
    name, unit = split_name(key)
    found = number(value) if isinstance(value, str) else value
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return (name, Quantity(found, unit)) if unit else (key.strip(), found)
    return key.strip(), value.strip() if isinstance(value, str) else value


def said(fields: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The text under the first of the keys that has one (case, underscores and colons do not matter)."""
    known = {_plain(key): value for key, value in reversed(list(fields.items()))}
    for key in keys:
        value = known.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip(" -?\"'"):
            return str(value).strip().strip("\"'")
    return ""


def title_of(fields: Mapping[str, Any]) -> str:
    """A title that the file gives itself, or an empty text."""
    return said(fields, _TITLES)


def sample_of(fields: Mapping[str, Any]) -> str:
    """The sample that the file names, or an empty text."""
    found = said(fields, _SAMPLES)
    return "" if found.casefold() in {"none", "n/a", "unknown", "sample", "not specified"} else found


def instrument_of(fields: Mapping[str, Any]) -> str:
    """The instrument or beamline that the file names, or an empty text."""
    return said(fields, _INSTRUMENTS)


def time_of(fields: Mapping[str, Any]) -> dates.Moment:
    """When the measurement was made, in whatever key and spelling, without guessing the order of day and month."""
    flat = {key: value for key, value in fields.items() if not isinstance(value, Mapping)}
    for key in _MOMENTS:
        text = said(flat, (key,))
        if not _DAY.search(text):
            continue
        if not _HOUR.search(text):
            clock = next((word for word in (said(flat, (name,)) for name in _CLOCK) if _HOUR.fullmatch(word)), "")
            text = f"{text} {clock}".strip()
        return anywhere(text)
    return dates.NEVER


def anywhere(text: str) -> dates.Moment:
    """A time in any spelling that cannot be misunderstood: ISO, ctime, a month's name, year first, or an unequivocal day."""
    words = " ".join(text.split()).strip(" .;,\"'")
    if re.match(r"\d{4}-\d\d-\d\d", words):
        return dates.iso(words)
    if re.match(r"[A-Z][a-z]{2} +[A-Z][a-z]{2} ", words):
        return dates.ctime(words)
    if re.match(r"\d{1,2}[- ][A-Za-z]{3}", words):
        return dates.parse(words, dates.DAY_MONTH_NAME)
    if re.match(r"\d{1,2}\.\d{1,2}\.\d{2,4}", words):
        return dates.parse(words, dates.EUROPEAN)  # with points the day comes first, everywhere
    return dates.undecided(words)


def _plain(key: str) -> str:
    return " ".join(re.sub(r"[_:#*=/]+", " ", key).casefold().split())
