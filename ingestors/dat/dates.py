"""Times as instruments write them, in the order of the format that wrote them. What cannot be decided is not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_EARLIEST, _LATEST = 1970, 2100
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "fev": 2, "avr": 4, "aoû": 8, "déc": 12,
}  # fmt: skip
_MONTH: Final = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(_MONTHS)})[^\W\d_]{{0,7}}", re.IGNORECASE)
_BESIDE: Final = re.compile(
    rf"(?<!\d)(\d{{1,2}})[ .-]*{_MONTH.pattern}|{_MONTH.pattern}[ .]*(\d{{1,2}})(?!\d)", re.IGNORECASE
)
_CLOCK: Final = re.compile(
    r"(?<!\d)(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:\s*([ap])\.?m\b\.?)?", re.IGNORECASE
)
_ZONE: Final = re.compile(r"\s*\(?(?:(UTC|GMT|Z)?\s*([+-])(\d\d):?(\d\d)|([A-Z]{1,5}))(?![\w:])")
_ZONES: Final = {  # hours from UTC: the letters that mean one zone (RFC 5322 4.3 and Europe's); CST, IST, BST do not
    "Z": 0, "UTC": 0, "UT": 0, "GMT": 0, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "JST": 9, "KST": 9,
    "AEST": 10, "AEDT": 11,
}  # fmt: skip
_AMBIGUOUS: Final = frozenset({"CST", "IST", "BST", "AST", "SST", "MSK"})
_SLASHED: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_AM_PM: Final = re.compile(r"\b0(?::\d\d){1,2}(?:\.\d+)?\s*([ap])m\b", re.IGNORECASE)
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?)?")
_DASHED: Final = re.compile(r"^(\d{4}-\d\d-\d\d)[-_T ](\d\d)[-.](\d\d)[-.](\d\d)(?!\d)")  # as in names of files
_CTIME: Final = ("%a %b %d %H:%M:%S %Y", "%b %d %H:%M:%S %Y")

US: Final = ("%m/%d/%Y", "%m/%d/%y")
EUROPEAN: Final = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y")
EUROPEAN_SLASHED: Final = ("%d/%m/%Y", "%d/%m/%y")
YEAR_FIRST: Final = ("%Y/%m/%d", "%y/%m/%d", "%Y-%m-%d", "%Y.%m.%d")
DAY_MONTH_NAME: Final = ("%d-%b-%y", "%d-%b-%Y", "%d %b %Y")
CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M:%S.%f %p", "%I:%M %p", "%H:%M")


@dataclass(frozen=True)
class Moment:
    """A time as ISO 8601 (empty if there is none that can be trusted) and what a person should know about it."""

    iso: str = ""
    warnings: tuple[str, ...] = ()


NEVER: Final = Moment()


def parse(text: str, dates: Sequence[str], clocks: Sequence[str] = CLOCKS) -> Moment:
    """A date, alone or with a time of day after it, in the given `strptime` orders. Blank text is no time.

    A date without a time stays a date ("2019-04-30"). Impossible dates give a warning and no time.
    """
    words = _tidy(text)
    if not words:
        return NEVER
    for date in dates:
        for clock in clocks:
            found = _strptime(words, f"{date} {clock}")
            if found is not None:
                return _trusted(found, found.isoformat(), words)
        found = _strptime(words, date)
        if found is not None:
            return _trusted(found, found.isoformat() if "%H" in date else found.date().isoformat(), words)
    return Moment(warnings=(f"The date {words!r} is not one that this format can have; it is kept as text.",))


def ctime(text: str) -> Moment:
    """`Mon Jun 04 14:15:57 2012`, also with a zone's letters before or behind the year."""
    words = " ".join(text.split())
    bare = re.sub(r"(\d{4}) [A-Z]{1,5}$", r"\1", words)
    bare = re.sub(r"(\d\d:\d\d:\d\d) [A-Z]{1,5} (\d{4})$", r"\1 \2", bare)
    found = parse(bare, _CTIME, ())
    return worded(words) if found.iso and bare != words else found


def has_month(text: str) -> bool:
    """Whether the text names a month: the order of its numbers does not matter then."""
    return _MONTH.search(text) is not None


def worded(text: str) -> Moment:
    """A date with the name of its month, in any order, with or without a time of day and a zone.

    `24-Feb-1999 17:53:42`, `Wednesday, March 04, 2015 10:11:12 AM`, `2009 Oct 11`. Of two short numbers the first is the day.
    """
    words = _tidy(text)
    month, clock = _MONTH.search(words), _CLOCK.search(words)
    if month is None:
        return NEVER if not words else _untold(words)
    rest = words if clock is None else words[: clock.start()] + " " + _ZONE.sub(" ", words[clock.end() :], count=1)
    numbers = re.findall(r"(?<!\d)\d{1,4}(?!\d)", _MONTH.sub(" ", rest, count=1))
    years = [number for number in numbers if len(number) == 4]  # noqa: PLR2004 digits
    if len(numbers) < 2 or len(years) > 1:  # noqa: PLR2004 day and year
        return _untold(words)
    at = numbers.index(years[0]) if years else 1
    year, day = numbers[at], numbers[1 if at == 0 else 0]
    beside = _BESIDE.search(words) if len(numbers) > 2 else None  # noqa: PLR2004 another number than day and year
    if beside is not None:
        day = beside[1] or beside[2]
    try:
        found = datetime(_century(year), _MONTHS[month[0][:3].casefold()], int(day), *_time_of_day(clock))  # noqa: DTZ001 below
    except ValueError:
        return Moment(warnings=(f"The date {words[:60]!r} is not one that can be; it is kept as text.",))
    if clock is None:
        return _trusted(found, found.date().isoformat(), words)
    return _in_zone(found, re.sub(r"^\s*\d{4}\b", "", words[clock.end() :]), words)


def _century(year: str) -> int:
    return int(year) if len(year) > 2 else int(year) + (1900 if int(year) > 68 else 2000)  # noqa: PLR2004 as in POSIX


def _time_of_day(clock: re.Match[str] | None) -> tuple[int, int, int, int]:
    if clock is None:
        return 0, 0, 0, 0
    hour = int(clock[1])
    if clock[5]:
        hour = hour % 12 + (12 if clock[5] in "pP" else 0)
    return hour, int(clock[2]), int(clock[3] or 0), int((clock[4] or "0")[:6].ljust(6, "0"))


def _in_zone(local: datetime, behind: str, words: str) -> Moment:
    """The local time with the zone that stands behind it, if there is one that can be only one."""
    zone = _ZONE.match(behind)
    if zone is None:
        return _trusted(local, local.isoformat(), words)
    if zone[5] in _AMBIGUOUS:
        note = f"The time zone {zone[5]} of {words!r} has more than one meaning; the time is kept without it."
        found = _trusted(local, local.isoformat(), words)
        return Moment(found.iso, (*found.warnings, note))
    if zone[2]:
        offset = (1 if zone[2] == "+" else -1) * timedelta(hours=int(zone[3]), minutes=int(zone[4]))
    elif zone[5] in _ZONES:
        offset = timedelta(hours=_ZONES[zone[5]])
    else:
        return _trusted(local, local.isoformat(), words)
    if abs(offset) >= timedelta(days=1):
        return _untold(words)
    return _trusted(local, local.replace(tzinfo=timezone(offset)).isoformat(), words)


def iso(text: str) -> Moment:
    """ISO 8601 with `T` or a blank, with or without a zone: both stay as the file knows them."""
    match = _ISO.match(_DASHED.sub(r"\1T\2:\3:\4", text.strip()))
    if match is None:
        return NEVER if not text.strip() else _untold(text)
    words = match[0].strip().replace(",", ".")
    try:
        found = datetime.fromisoformat(re.sub(r"\s+(?=[Z+-])", "", words))
    except ValueError:
        return _untold(text)
    written = found.date().isoformat() if len(words) == len("2000-01-01") else found.isoformat()
    return _trusted(found.replace(tzinfo=None), written, words)


def epoch(seconds: float) -> Moment:
    """Seconds since 1970 in UTC."""
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return Moment(warnings=(f"The time {seconds!r} is no count of seconds since 1970.",))
    return _trusted(found.replace(tzinfo=None), found.isoformat(), str(seconds))


def undecided(text: str, clocks: Sequence[str] = CLOCKS) -> Moment:
    """A date with slashes whose order the format does not fix: only a day above 12 or two equal numbers decide it."""
    words = _tidy(text)
    match = _SLASHED.match(words)
    if match is None:
        return parse(words, YEAR_FIRST, clocks)
    first, second, mark = int(match[1]), int(match[3]), match[2]
    year = "%Y" if len(match[4]) > 2 else "%y"  # noqa: PLR2004 four digits
    if len(match[4]) == 2 and first > 12 and 0 < int(match[4]) <= 31:  # noqa: PLR2004 19/03/14
        return Moment(
            warnings=(
                f"The date {match[0]!r} can be read with the day or with the year first; nothing in the file decides it, so it is kept as text.",
            )
        )
    if first != second and first <= 12 and second <= 12:  # noqa: PLR2004 months
        return Moment(
            warnings=(
                f"The date {match[0]!r} can be read with the day or with the month first; nothing in the file decides it, so it is kept as text.",
            )
        )
    order = f"%d{mark}%m{mark}{year}" if first > 12 else f"%m{mark}%d{mark}{year}"  # noqa: PLR2004 months
    return parse(words, (order,), clocks)


def zoned(local: Moment, seconds: float | None) -> Moment:
    """A local time with the offset that seconds since 1970 of the same moment prove; contradictions give a warning."""
    if seconds is None or not local.iso or "T" not in local.iso:
        return local
    here = datetime.fromisoformat(local.iso)
    there = epoch(seconds)
    if not there.iso or here.tzinfo is not None:
        return local
    difference = here - datetime.fromisoformat(there.iso).replace(tzinfo=None)
    quarters = round(difference / timedelta(minutes=15))
    offset = timedelta(minutes=15 * quarters)
    if abs(difference) > timedelta(hours=26):
        sentence = f"The file's two times contradict each other: {local.iso} and {seconds:.0f} seconds since 1970 ({there.iso})."
        return Moment(local.iso, (*local.warnings, sentence))
    if abs(difference - offset) > timedelta(seconds=2) or not -12 <= quarters / 4 <= 14:  # noqa: PLR2004 zones there are
        return local
    return Moment(here.replace(tzinfo=timezone(offset)).isoformat(), local.warnings)


def _tidy(text: str) -> str:
    words = " ".join(text.strip().strip('"').split())
    words = re.sub(r"(:\d\d),(\d+)", r"\1.\2", words)
    words = re.sub(r"(?<=\d) (?:at|um|à) (?=\d)", " ", words)
    words = re.sub(r"(?<=\d{4}) (\d\d)\.(\d\d)\.(\d\d)$", r" \1:\2:\3", words)
    words = re.sub(r"(:\d\d(?:\.\d+)?)([AaPp]\.?[Mm])\b", r"\1 \2", words)
    words = re.sub(r"(:\d\d) ([AaPp][Mm])\.(\d+)\b", r"\1.\3 \2", words)
    words = re.sub(r"(\.\d{6})\d+", r"\1", words)  # strptime knows microseconds at most
    match = _AM_PM.search(words)
    if match is None:
        return words
    return words[: match.start()] + "12" + words[match.start() + 1 :]  # "0:00:00 AM" is twelve at night


def _strptime(words: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(words, pattern)  # noqa: DTZ007 the file knows no zone
    except ValueError:
        return None


def _trusted(found: datetime, written: str, words: str) -> Moment:
    if _EARLIEST <= found.year <= _LATEST:
        return Moment(written)
    return Moment(warnings=(f"The date {words!r} cannot be the time of a measurement; it is kept as text.",))


def _untold(text: str) -> Moment:
    return Moment(warnings=(f"The time {' '.join(text.split())[:60]!r} cannot be read; it is kept as text.",))
