"""What key-value headers say about title, sample, instrument and time, whatever words they choose for it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity
from ingestors.dat import dates
from ingestors.headers import flat
from ingestors.units import split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TITLES: Final = (
    "title", "scan title", "experiment title", "measurement title", "dataset name", "dataset", "measurement name",
    "experiment name", "spectrum name", "spectrum title", "run title", "test name", "test identifier", "sequence name", "graph name", "plot title", "curve name", "test", "label",
)  # fmt: skip
_SAMPLES: Final = (
    "sample", "sample name", "sample id", "sample identification", "sample title", "sample label", "sample labels", "sample names", "sample material",
    "sample description", "sample number", "sample no", "sample identifier", "specimen", "specimen name", "specimen id",
    "specimen label", "name of sample", "sample ntc control", "file sample", "compound", "substance", "material", "probe name", "probe", "probenname",
    "device under test", "dut", "device id", "echantillon", "échantillon",
)  # fmt: skip
_INSTRUMENTS: Final = (
    "instrument", "instrument name", "beamline", "beamline name", "spectrometer", "spectrometers", "spectrometer name",
    "instrument model", "instrument type", "instrument id", "diffractometer", "diffractometer system", "microscope", "spectro",
    "data measured with spectrometer", "gonio", "goniometer", "facility", "equipment", "machine", "apparatus", "model",
    "device name", "device", "gerät", "messgerät", "setup", "set up", "分光器", "装置", "product", "product name", "model number",
    "reader type", "nickname", "acq instrument", "system", "diffr type", "detector model",
)  # fmt: skip
_MOMENTS: Final = (
    "start time", "scan start time", "meas scan start time", "measurement start", "measurement start time", "start", "started",
    "start date time", "start date", "acquisition start", "acquisition start time", "acquisition date", "acquired", "acq date",
    "acquisition date time", "acquisition started on", "acquisition started", "technique started on", "time start", "timestamp",
    "time stamp", "datetime", "date time", "date and time", "date time of measurement", "measurement date",
    "measurement date time", "date of measurement", "date time of measurement", "date and time of measurement",
    "date measured", "acq on", "acquired on", "measured on", "measured", "meas date", "scan date", "scan time", "collected", "collection date", "collection time",
    "date collected", "data collected", "run date", "run time", "run start", "test date", "date of test", "experiment date",
    "analysis date", "date of analysis", "recorded", "recorded on", "long date", "date", "day", "datum", "messdatum",
    "saved date", "file created", "created", "created on", "date created", "creation date", "creation time", "file date",
    "file open time", "日時", "測定日時", "time of measurement", "measurement time", "acquisition time", "exported", "time",
)  # fmt: skip
_CLOCK: Final = (
    "time", "time of measurement", "acquisition time", "measurement time", "start time", "time of day", "uhrzeit", "clock time",
    "scan time", "run time", "test time",
)  # fmt: skip
_DAY: Final = re.compile(r"(?<![\d_-])\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_HOUR: Final = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")
_MADE: Final = re.compile(
    r"\b(?:created|started|acquired|measured|performed|recorded|collected|saved|taken|run|scan|begun|date|output|written|generated)\b",
    re.IGNORECASE,
)
_IN_A_SENTENCE: Final = re.compile(
    r"(?:\d{1,2}[ .-]+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,-]+\d{4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* +\d{1,2},? +\d{4})"
    r"(?:,? +(?:at +)?\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m\b)?)?"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* +\d{1,2} +\d\d:\d\d:\d\d +\d{4}",
    re.IGNORECASE,
)
_WHEN: Final = re.compile(
    r"\b(?:start|started|begin|began|acquired|acquisition|measured|measurement|recorded|collected|run|log|assay|saved|date|datetime|time|timestamp)\b|date$"
)
_OTHER_TIME: Final = re.compile(
    r"\b(?:calibrat\w*|modif\w*|edit\w*|export\w*|print\w*|install\w*|manufactur\w*|expir\w*|version|build|birth|stop|end|finish\w*|last|due|method|firmware|software|zero\w*|background|reference)\b"
)
_SURE_DATE: Final = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{1,2}\.\d{1,2}\.\d{4})[T ,]+\d{1,2}:\d\d(?::\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d)(?!\w))?)?"
)
_WEEKDAY: Final = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +(?=\d+[-/.]\d)", re.IGNORECASE)
_COMPACT: Final = re.compile(r"^((?:19|20)\d\d)(\d\d)(\d\d)[ T_-]?([0-2]\d)([0-5]\d)([0-5]\d)$")
_TWO_DATES: Final = re.compile(r"^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[^,;]*)[,;] *\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_CLOCK_FIRST: Final = re.compile(
    r"^(\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?)[ ,;-]+(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})$"
)
_MOST_NUMBERS: Final = 8  # in a date with its time and zone
_LEADING: Final = re.compile(
    r"^(?:(?:at|on|date|time|created|acquired|measured|recorded|saved|exported|started|written|generated|start|by)\b[:\s]*)+",
    re.IGNORECASE,
)
_LONGEST_DATE: Final = 60
_HAS_DATE: Final = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*.*\d{4}|\d{4}.*(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
)
_WORDS_OF_DATES: Final = re.compile(
    r"(?i:\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|\b[ap]\.?m\b|\b(?:at|on|date|time|created|acquired|measured|recorded|saved|exported|started|written|generated|start|by)\b:?)|[TZ](?=\d|\b)|\b[A-Z]{3,4}\b"
)
_IDENTITY: Final = re.compile(
    r"\W*((?:Agilent|Keysight|Hewlett|Keithley|Tektronix|Rohde|Stanford|Anritsu|LeCroy|Yokogawa|LSCI|Lake ?Shore|Rigol|Siglent|Zurich|Oxford|Signal Recovery|Copper Mountain)[\w&. -]*),"
    r" *(?:MODEL )?([\w-]+), *[\w/-]+, *[\w.:/ -]+",
    re.IGNORECASE,
)
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
    if not fields:
        return ""
    known: dict[str, Any] = {}
    for key, value in reversed(list(flat(fields).items())):
        known[_plain(key)] = known[_plain(key).replace(" ", "")] = value
    for key in keys:
        plain = _plain(key)
        value = known.get(plain, known.get(plain.replace(" ", "")))
        if isinstance(value, list) and value:  # one for each of several curves, or a date with its time of day
            timed = len(value) > 1 and _HOUR.fullmatch(str(value[1])) and _DAY.fullmatch(str(value[0]))
            value = f"{value[0]} {value[1]}" if timed else value[0]
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


def instrument_among(remarks: Iterable[str]) -> str:
    """The maker and model in the answer to `*IDN?`: `Agilent Technologies,N5230A,MY45001234,A.07.50`."""
    found = next(filter(None, map(_IDENTITY.fullmatch, remarks)), None)
    return f"{found[1].strip()} {found[2].strip()}" if found else ""


def instrument_of(fields: Mapping[str, Any]) -> str:
    """The instrument or beamline that the file names, or an empty text."""
    return said(fields, _INSTRUMENTS)


def time_of(fields: Mapping[str, Any], order: Sequence[str] = ()) -> dates.Moment:
    """When the measurement was made, in whatever key and spelling, without guessing the order of day and month.

    `order` are the `strptime` dates of a format that fixes them.
    """
    for key in _MOMENTS:
        text = said(fields, (key,))
        if (
            not _DAY.search(text)
            and not _COMPACT.match(text)
            and not (dates.has_month(text) and re.search(r"\d", text))
        ):
            continue
        text = _TWO_DATES.sub(r"\1", text)
        if not _HOUR.search(text) and not _COMPACT.match(text):
            clock = next((word for word in (said(fields, (name,)) for name in _CLOCK) if _HOUR.fullmatch(word)), "")
            text = f"{text} {clock}".strip()
        return dates.parse(text, order) if order and re.match(r"\d{1,2}[/.-]", text) else anywhere(text)
    return _time_by_key(fields, order)


def _time_by_key(fields: Mapping[str, Any], order: Sequence[str]) -> dates.Moment:
    """The first date with a time of day under any key that speaks of when something was made, and not of files or parts."""
    for key, value in flat(fields).items():
        words = _plain(key)
        if isinstance(value, str) and _WHEN.search(words) and not _OTHER_TIME.search(words):
            day = _DAY.search(value) or (dates.has_month(value) and re.search(r"\d{4}", value))
            if day and _HOUR.search(value) and len(value) <= _LONGEST_DATE:
                return dates.parse(value, order) if order and re.match(r"\d{1,2}[/.-]", value) else anywhere(value)
    return dates.NEVER


def time_among(remarks: Iterable[str]) -> dates.Moment:
    """The first of the header's other lines that is a date and nothing else: `May 5, 2019   12:03:07`."""
    lines = list(remarks)
    for remark, below in zip(lines, (*lines[1:], ""), strict=False):
        words = _WORDS_OF_DATES.sub(" ", remark)
        short = len(remark) <= _LONGEST_DATE and len(re.findall(r"\d+", remark)) <= _MOST_NUMBERS
        if short and _HAS_DATE.search(remark) and not re.search(r"[^\W\d_]", words):
            clock = f" {below.strip()}" if _HOUR.fullmatch(below.strip()) and not _HOUR.search(remark) else ""
            return anywhere(_LEADING.sub("", remark) + clock)
        told = _IN_A_SENTENCE.search(remark) if _MADE.search(remark) else None
        if told:
            return dates.worded(told[0])
        sure = _SURE_DATE.search(remark) if _MADE.search(remark) else None
        if sure:
            return anywhere(sure[0])
    return dates.NEVER


def anywhere(text: str) -> dates.Moment:
    """A time in any spelling that cannot be misunderstood: ISO, ctime, a month's name, year first, or an unequivocal day."""
    words = _CLOCK_FIRST.sub(r"\2 \1", " ".join(text.split()).strip(" .;,/\"'"))
    words = _WEEKDAY.sub("", _COMPACT.sub(r"\1-\2-\3T\4:\5:\6", words))
    if re.match(r"\d{4}-\d\d-\d\d", words):
        return dates.iso(words)
    if dates.has_month(words):
        return dates.worded(words)
    if re.match(r"\d{1,2}\.\d{1,2}\.\d{2,4}", words):
        return dates.parse(words, dates.EUROPEAN)  # with points the day comes first, everywhere
    return dates.undecided(words)


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    """The key's words: `_DATEMEASURED`, `MeasScanStart-Time` and `Date / time:` lose their marks and capitals."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)
    return " ".join(re.sub(r"[^\w]+|_", " ", words).casefold().split())
