"""Times as counts from somebody's zero."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final

from ingestors.dat.dates import NEVER, Moment

_MAC: Final = datetime(1904, 1, 1)  # noqa: DTZ001 local time of the computer
_WINDOWS: Final = datetime(1601, 1, 1, tzinfo=UTC)
_DELPHI: Final = datetime(1899, 12, 30)  # noqa: DTZ001 local time of the computer
_OMNIC: Final = datetime(1899, 12, 31, tzinfo=UTC)
_NO_ZONE: Final = "The file does not say in which time zone its time is."


def mac(seconds: float) -> Moment:
    """Seconds since 1904 in the computer's local time (Igor); zero means never."""
    return _after(_MAC, seconds)


def mac_utc(seconds: float) -> Moment:
    """Seconds since 1904 in UTC (LabVIEW)."""
    return _after(_MAC.replace(tzinfo=UTC), seconds)


def filetime(ticks: int) -> Moment:
    """Windows' FILETIME: tenths of a microsecond since 1601 in UTC; zero means never."""
    return _after(_WINDOWS, ticks / 1e7)


def days(count: float) -> Moment:
    """Days since 1899-12-30 in local time (OLE automation, Delphi's TDateTime); zero means never."""
    return _after(_DELPHI, count * 86400)


def omnic(seconds: int) -> Moment:
    """Seconds since 1899-12-31 in UTC (Thermo's OMNIC); zero means never."""
    return _after(_OMNIC, seconds)


def _after(zero: datetime, seconds: float) -> Moment:
    if not math.isfinite(seconds) or seconds <= 0:
        return NEVER
    try:
        found = zero + timedelta(seconds=seconds)
    except OverflowError:
        return Moment(warnings=(f"The file's time ({seconds:g} seconds after {zero.year}) cannot be; it is left out.",))
    if not 1970 <= found.year <= 2100:
        return Moment(
            warnings=(f"The file's time ({found.isoformat()}) cannot be that of a measurement; it is left out.",)
        )
    whole = found.replace(microsecond=0) if found.microsecond in {0, 999999} else found
    return Moment(whole.isoformat())
