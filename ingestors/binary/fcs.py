"""Flow cytometry standard (FCS 2.0 to 3.2): keywords, and the events of each detector.

Source: ISAC, "Data File Standard for Flow Cytometry, Version FCS 3.1": `FCS3.1`, the places of three segments in digits, a text segment of keywords and values that its
first character separates, and the events row by row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import Candidate, UnreadableError
from ingestors.columns import Column, Table
from ingestors.dat import dates
from ingestors.dat.reading import Reading
from ingestors.rendering import Series, curve, thumbnail
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.api import Thumbnail
    from ingestors.binary.source import Array, Source

_MOST_TEXT: Final = 4_000_000
_MOST_PARAMETERS: Final = 400
_MOST_EVENTS: Final = 200_000
_BINS: Final = 200
_LINES: Final = 6
_LONGEST: Final = 400
_SAMPLES: Final = ("$SMNO", "SAMPLE ID", "$SRC", "TUBE NAME")


def recognises(candidate: Candidate) -> str | None:
    """`FCS`, a version, and a place of the text segment in digits."""
    match = re.match(rb"FCS([23]\.\d) {4}[ \d]{8}[ \d]{8}", candidate.head)
    return f"signature FCS{match[1].decode()}" if match else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The keywords, and a table of the parameters with the ranges of their events."""
    begin, end = (int(source.read(at, 8).strip() or b"0") for at in (10, 18))
    if not 0 < begin < end <= source.size or end - begin > _MOST_TEXT:
        raise UnreadableError("The FCS file does not say where its keywords are.")
    known = _keywords(source.read(begin, min(end - begin + 1, source.size - begin)))
    warnings: list[str] = []
    columns: list[Column] = []
    try:
        columns = _columns(source, known)
    except (UnreadableError, ValueError, KeyError) as error:
        warnings.append(f"The events are not read: {error}")
    when = _moment(known)
    told = {
        key: value_of(text[:_LONGEST])
        for key, text in known.items()
        if text.strip() and not re.match(r"\$P\d|P\d+[A-Z]|\$(BEGIN|END)|SPILL|\$SPILL", key)
    }
    total = int(known.get("$TOT", "0").strip() or 0)
    if columns and columns[0].values.size < total:
        warnings.append(f"{columns[0].values.size} of {total} events were read: the ranges are theirs.")
    return Reading(
        data_type="Flow cytometry data (FCS)",
        measurement="Flow cytometry",
        timestamp=when.iso,
        instrument=known.get("$CYT", "").strip(),
        samples=(next((text for key in _SAMPLES if (text := known.get(key, "").strip())), ""),),
        metadata={"keywords": told, "events": total},
        tables=(Table("", tuple(columns)),) if columns else (),
        thumbnails=_picture(columns, candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _keywords(content: bytes) -> dict[str, str]:
    """Keywords in capitals; a doubled separator is a character of a value."""
    if not content:
        return {}
    mark = content[:1].decode("latin-1")
    try:
        text = content.decode("utf-8")[1:]
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")[1:]
    words = [word.replace("\0\0", mark) for word in text.replace(mark * 2, "\0\0").split(mark)]
    return {key.strip().upper(): value for key, value in zip(words[::2], words[1::2], strict=False)}


def _columns(source: Source, known: Mapping[str, str]) -> list[Column]:
    count, events = int(known["$PAR"]), int(known["$TOT"])
    begin = int(source.read(26, 8).strip() or b"0") or int(known.get("$BEGINDATA", "0"))
    if not 0 < count <= _MOST_PARAMETERS or known.get("$MODE", "L").strip() != "L":
        raise UnreadableError("they are not a list, or there are too many parameters.")
    order = "<" if known.get("$BYTEORD", "").strip().startswith("1") else ">"
    letter = known.get("$DATATYPE", "").strip().upper()
    formats = []
    for number in range(1, count + 1):
        bits = known.get(f"$P{number}B", "").strip()
        kind = {"F": "f4", "D": "f8"}.get(letter) or (
            f"u{int(bits) // 8}" if letter == "I" and bits in {"8", "16", "32", "64"} else ""
        )
        if not kind:
            raise UnreadableError(f"numbers of type {letter} with {bits} bits are not known.")
        formats.append(order + kind)
    record = np.dtype({"names": [str(index) for index in range(count)], "formats": formats})
    rows, _ = source.array(begin, record, (min(events, _MOST_EVENTS),))
    return [_column(known, number, rows[str(number - 1)], letter) for number in range(1, count + 1)]


def _column(known: Mapping[str, str], number: int, values: Array, letter: str) -> Column:
    short, long = known.get(f"$P{number}N", "").strip(), known.get(f"$P{number}S", "").strip()
    numbers = values.astype(np.float64)
    limit = known.get(f"$P{number}R", "").strip()
    if letter == "I" and limit.isdigit() and int(limit) > 1:  # bits above the range mean nothing
        numbers = (values & np.asarray((1 << (int(limit) - 1).bit_length()) - 1, values.dtype)).astype(np.float64)
    return Column(f"{short} ({long})" if long and long != short else short or f"P{number}", None, numbers)


def _moment(known: Mapping[str, str]) -> dates.Moment:
    """`$DATE` (28-FEB-2013) and `$BTIM`, whose hundredths stand behind a point or a colon; 3.2 has `$BEGINDATETIME`."""
    if stamp := known.get("$BEGINDATETIME", "").strip():
        return dates.iso(stamp)
    written = re.sub(
        r"^(\d{4})-([A-Za-z]{3})-(\d\d)$", r"\3-\2-\1", known.get("$DATE", "").strip()
    )  # MACSQuant: the year first
    match = re.match(r"(\d{1,2})[- ]([A-Za-z]{3})[- ](\d{4}|\d\d)$", written)
    if match is None:
        return dates.NEVER
    clock = re.match(r"\s*(\d\d?:\d\d:\d\d)", known.get("$BTIM", ""))
    return dates.parse(
        f"{match[1]}-{match[2].title()}-{match[3]} {clock[1] if clock else ''}".strip(), dates.DAY_MONTH_NAME
    )


def _picture(columns: list[Column], title: str) -> tuple[Thumbnail, ...]:
    """How often each value came, for the first detectors."""
    shown = [one for one in columns if one.values.size > 1 and not one.name.casefold().startswith("time")][:_LINES]
    lines = []
    for one in shown:
        finite = one.values[np.isfinite(one.values)]
        if finite.size > 1 and finite.min() < finite.max():
            low, high = np.percentile(finite, (0.1, 99.9))
            often, edges = np.histogram(finite, _BINS, (low, high) if low < high else None)
            lines.append(Series((edges[1:] + edges[:-1]) / 2, often.astype(np.float64), one.name))
    if not lines:
        return ()
    return (thumbnail("events against signal", curve(lines, title=title, x_label="signal", y_label="events")),)
