"""Times as instruments write them, in the order of the format that wrote them. What cannot be decided is not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_EARLIEST, _LATEST = 1970, 2100
_SLASHED: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_AM_PM: Final = re.compile(r"\b0(?::\d\d){1,2}(?:\.\d+)?\s*([ap])m\b", re.IGNORECASE)
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?)?")
_CTIME: Final = ("%a %b %d %H:%M:%S %Y", "%b %d %H:%M:%S %Y")

US: Final = ("%m/%d/%Y", "%m/%d/%y")
EUROPEAN: Final = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y")
YEAR_FIRST: Final = ("%Y/%m/%d", "%y/%m/%d", "%Y-%m-%d", "%Y.%m.%d")
DAY_MONTH_NAME: Final = ("%d-%b-%y", "%d-%b-%Y", "%d %b %Y")
CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%H:%M")


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
    """`Mon Jun 04 14:15:57 2012` and the same with a zone's letters, which are ignored: they are not unique."""
    words = re.sub(r"(\d{4}) [A-Z]{2,5}$", r"\1", " ".join(text.split()))
    words = re.sub(r"(\d\d:\d\d:\d\d) [A-Z]{3,5} (\d{4})$", r"\1 \2", words)
    return parse(words, _CTIME, ())


def iso(text: str) -> Moment:
    """ISO 8601 with `T` or a blank, with or without a zone: both stay as the file knows them."""
    match = _ISO.match(text.strip())
    if match is None:
        return NEVER if not text.strip() else _untold(text)
    words = match[0].replace(",", ".")
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
