"""How deliveries to one catalog behave: how many, how fast, when, and which of them first."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field

from daemon.forms import ByteSize
from daemon.strict import Strict

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.model import DatasetRecord

_DAY: Final = 24 * 60
_SPAN: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01][0-9]|2[0-3]|24):([0-5][0-9])")


def hours(text: str) -> str:
    """Accept a span of the day such as `08:00-18:00`; one over midnight too. Raises ValueError."""
    begin, end = _minutes(text)
    if begin == end % _DAY or end > _DAY:
        raise ValueError("should be a part of the day such as 08:00-18:00")
    return text


def quiet_seconds(span: str | None, now: datetime) -> float:
    """Seconds until the quiet hours end, by the local time `now`; 0 outside of them."""
    if span is None:
        return 0.0
    begin, end = _minutes(span)
    minute = now.hour * 60 + now.minute
    within = begin <= minute < end if begin < end else minute >= begin or minute < end
    if not within:
        return 0.0
    return ((end - minute) % _DAY or _DAY) * 60.0 - now.second


def last_versions_only(record: DatasetRecord) -> DatasetRecord:
    """The record for a catalog where a rewritten file takes the place of the old one: names without versions."""
    return replace(record, files=tuple(replace(file, name=file.plain_name or file.name) for file in record.files))


def _minutes(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError("should be a part of the day such as 08:00-18:00")
    begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
    return begin_hour * 60 + begin_minute, end_hour * 60 + end_minute


class Delivered(Strict):
    """What every catalog's section has in common."""

    workers: int = Field(4, ge=1, le=16, description="How many deliveries at the same time.")
    quiet_hours: Annotated[str, AfterValidator(hours)] | None = Field(
        None, description="Hours of the local day in which nothing is sent: `08:00-18:00`. What is under way pauses."
    )
    large: ByteSize = Field(
        256 * 2**20, description="Datasets with more bytes never take the last free worker: smaller ones pass them."
    )
    rewritten: Literal["version", "replace"] = Field(
        "version", description="A file rewritten after delivery: a second file beside the old one, or in its place."
    )


class Uploading(Delivered):
    """What the sections of catalogs that take the bytes over HTTP have in common besides."""

    bandwidth: ByteSize | None = Field(
        None, ge=1024, description="Bytes per second at the most, for all uploads together: `2MB`."
    )
