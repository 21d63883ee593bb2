"""Values as people read them: times with their zone, sizes, numbers with units, metadata as a tree. Pure.

Everything here takes what a stranger may have sent (any JSON at all), never raises, and returns plain text: the
templates escape it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NARROW_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZES: Final = ("kB", "MB", "GB", "TB", "PB", "EB")
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_JOINTS: Final = re.compile(r"(?<=[_./\\-])(?=\w)")
_EXPONENT: Final = re.compile(r"(.*)e([+-])0*(\d+)")
_ANGLES: Final = frozenset({"", "°", "\N{PRIME}", "\N{DOUBLE PRIME}"})
_TEXT_SHOWN: Final = 400
_LIST_SHOWN: Final = 6
_PLAIN_BELOW: Final = 1e7
_PLAIN_FROM: Final = 1e-3
_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for a page: `text` to read, `zone` beside it ("UTC+1", or that none was recorded), `iso` for machines."""

    text: str
    zone: str
    iso: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for a page. `full` is what was shortened or set differently, "" if nothing was; `kind` is a CSS class."""

    text: str
    unit: str = ""
    full: str = ""
    kind: str = "text"


def moment(text: str | None) -> Moment | None:
    """An ISO 8601 time set for reading in the zone it was recorded in; text that is no time stays as it is."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return Moment(text, "", "")
    shown = f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S}"
    return Moment(shown, _zone(at), at.isoformat())


def period(first: str | None, last: str | None) -> tuple[Moment, ...]:
    """A span of time to the minute: nothing, one time or two, and nothing said twice (zone, day)."""
    begin, end = moment(first), moment(last)
    if begin is None or end is None:
        return tuple(at for at in (begin, end) if at is not None)
    begin, end = _to_minute(begin), _to_minute(end)
    if (begin.text, begin.zone) == (end.text, end.zone):
        return (begin,)
    if begin.zone != end.zone:
        return begin, end
    day = begin.text.partition(",")[0]
    shorter = end.text.removeprefix(f"{day}, ") if begin.iso and end.iso else end.text
    return replace(begin, zone=""), replace(end, text=shorter)


def _to_minute(at: Moment) -> Moment:
    return replace(at, text=at.text[:-3]) if at.iso else at


def breakable(text: str) -> Markup:
    """Text that may be broken after the signs that join words in file names, not just anywhere; escaped."""
    return Markup("<wbr>").join(part for part in _JOINTS.split(text))


def _zone(at: datetime) -> str:
    offset = at.utcoffset()
    if offset is None:
        return "zone not recorded"
    minutes = round(offset.total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{MINUS if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def size(count: int | None) -> str:
    """Bytes in decimal units with three digits: `999 B`, `1.50 MB`."""
    if count is None:
        return ""
    value = float(count)
    if value < _THOUSAND:
        return f"{int(value)}{NARROW_SPACE}B"
    for unit in _SIZES:
        value /= _THOUSAND
        digits = 2 if value < 9.995 else 1 if value < 99.95 else 0  # noqa: PLR2004 three digits, after rounding
        if round(value, digits) < _THOUSAND or unit == _SIZES[-1]:
            return f"{value:.{digits}f}{NARROW_SPACE}{unit}"
    return ""  # the loop always ends above


def number(value: float) -> str:
    """A number set for reading: ten digits at most, a true minus, powers of ten with superscripts."""
    if isinstance(value, int):
        return str(value).replace("-", MINUS)
    if not math.isfinite(value):
        return {"inf": "∞", "-inf": f"{MINUS}∞"}.get(str(value), "NaN")
    magnitude = abs(value)
    text = f"{value:.10g}"
    if value and not _PLAIN_FROM <= magnitude < _PLAIN_BELOW:
        text = f"{value:.9e}"
        match = _EXPONENT.fullmatch(text)
        if match is not None:
            mantissa, sign, exponent = match.groups()
            mantissa = mantissa.rstrip("0").rstrip(".").replace("-", MINUS)
            power = ("-" if sign == "-" else "") + exponent
            return f"{mantissa}{NARROW_SPACE}{TIMES}{NARROW_SPACE}10{power.translate(_SUPERSCRIPT)}"
    return text.replace("-", MINUS)


def scalar(value: Any, unit: str = "") -> Shown:
    """One JSON value that is no object, set for reading; lists and long text are shortened."""
    if isinstance(value, (list, tuple)):
        return _list(value, unit)
    if value is None or isinstance(value, bool):
        return Shown({None: "none", True: "yes", False: "no"}[value], unit, kind="quiet" if value is None else "flag")
    if isinstance(value, (int, float)):
        text, exact = number(value), repr(value)
        same = text.replace(MINUS, "-") in {exact, exact.removesuffix(".0")}
        return Shown(text, unit, "" if same else exact, "number")
    return _text(value if isinstance(value, str) else _json(value), unit)


def _text(text: str, unit: str) -> Shown:
    if not text.strip():
        return Shown("empty", unit, kind="quiet")
    if len(text) > _TEXT_SHOWN:
        return Shown(text[:_TEXT_SHOWN] + ELLIPSIS, unit, f"{len(text)} characters")
    return Shown(text, unit)


def _list(values: Sequence[Any], unit: str) -> Shown:
    """A list on one line: its first and last values, and how many there are."""
    if not values:
        return Shown("empty list", unit, kind="quiet")
    dimensions = shape(values)
    if len(values) <= _LIST_SHOWN + 2:
        shown = ", ".join(_item(item) for item in values)
    else:
        shown = f"{', '.join(_item(item) for item in values[:_LIST_SHOWN])}, {ELLIPSIS}, {_item(values[-1])}"
    many = lengths(dimensions)
    full = "" if len(values) <= _LIST_SHOWN + 2 and len(dimensions) == 1 else f"{many} values"
    return Shown(f"[{shown}]", unit, full, "list")


def _item(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{ELLIPSIS}]" if value else "[]"
    text = scalar(value).text if not isinstance(value, dict) else f"{{{ELLIPSIS}}}"
    return text if len(text) <= 60 else text[:60] + ELLIPSIS  # noqa: PLR2004 one line of a phone


def shape(values: Any) -> tuple[int, ...]:
    """The lengths of a list of lists along its first elements, at most eight deep."""
    lengths: list[int] = []
    while isinstance(values, (list, tuple)) and len(lengths) < 8:  # noqa: PLR2004 no picture has more dimensions
        lengths.append(len(values))
        values = values[0] if values else None
    return tuple(lengths)


def lengths(dimensions: Iterable[object]) -> str:
    """The lengths of an array as people write them, with a multiplication sign between."""
    return f" {TIMES} ".join(str(length) for length in dimensions)


def unit_gap(unit: str) -> str:
    """What stands between a number and its unit: nothing before the signs for angles, else a narrow space (SI brochure 5.4.3)."""
    return "" if unit in _ANGLES else NARROW_SPACE


def attachment(filename: str) -> str:
    """A Content-Disposition that makes every browser save, never show, under the right name (RFC 6266, RFC 8187).

    The plain parameter carries ASCII only; quotes, backslashes, slashes and control characters become underscores.
    """
    name = filename.encode("utf-8", "replace").decode("utf-8") or "file"
    plain = re.sub(r"[^ !#-.0-\[\]-~]|%", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def picture_type(data: bytes) -> str | None:
    """The media type of a raster picture by its first bytes; None for everything a browser could run (SVG, HTML)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def names(text: str | None) -> frozenset[str]:
    """A stored JSON list of names; anything else is none."""
    try:
        value = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ELLIPSIS
