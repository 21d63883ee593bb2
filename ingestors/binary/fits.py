"""FITS: images and the headers of all units.

Source: the FITS Standard 4.0: units of a header (cards of 80 letters in blocks of 2880 bytes) and data; `BITPIX`, `NAXISn`, `BSCALE`, `BZERO`, big-endian.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

MAGIC: Final = b"SIMPLE  ="
_BLOCK: Final = 2880
_CARD: Final = 80
_TYPES: Final = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_MOST_UNITS: Final = 64
_MOST_BLOCKS: Final = 400
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'\s*(?:/(.*))?")
_UNIT: Final = re.compile(r"\s*\[([^\]]+)\]")


def recognises(candidate: Candidate) -> str | None:
    """`SIMPLE  =` and a value."""
    return "first card SIMPLE" if re.match(rb"SIMPLE  = +[TF]", candidate.head) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """Header cards with the units that their comments give in brackets; the images of all units."""
    units = _units(source)
    if not units:
        raise UnreadableError("The FITS file ends within its first header.")
    signals: list[Signal] = []
    told: list[dict[str, Any]] = []
    warnings: list[str] = []
    for cards, start in units:
        told.append(cards)
        try:
            signal = _image(source, cards, start)
        except UnreadableError as error:
            warnings.append(str(error))
            continue
        signals += [signal] if signal is not None else []
    first = {key: value for cards in reversed(told[:2]) for key, value in cards.items()}
    when = _moment(first)
    return Reading(
        data_type="FITS",
        name=str(first.get("OBJECT", "")),
        timestamp=when.iso,
        instrument=" ".join(dict.fromkeys(str(first[key]) for key in ("TELESCOP", "INSTRUME") if first.get(key))),
        metadata={"header": told[0]} | ({"extensions": told[1:]} if len(told) > 1 else {}) | described(signals),
        thumbnails=drawn(signals, str(first.get("OBJECT", "")) or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _units(source: Source) -> list[tuple[dict[str, Any], int]]:
    """The cards of each unit and where its data begin."""
    found: list[tuple[dict[str, Any], int]] = []
    at = 0
    while at < source.size and len(found) < _MOST_UNITS:
        cards, at = _header(source, at)
        if cards is None:
            break
        found.append((cards, at))
        at += -(-_length(cards) // _BLOCK) * _BLOCK
    return found


def _header(source: Source, at: int) -> tuple[dict[str, Any] | None, int]:
    cards: dict[str, Any] = {}
    for _ in range(_MOST_BLOCKS):
        block = source.some(at, _BLOCK)
        if len(block) < _CARD:
            return None, at
        at += _BLOCK
        for index in range(0, len(block) - _CARD + 1, _CARD):
            card = block[index : index + _CARD].decode("latin-1")
            key = card[:8].strip()
            if key == "END":
                return cards, at
            if key in {"COMMENT", "HISTORY"}:
                cards.setdefault(key, []).append(card[8:].strip())
            elif card[8:10] == "= ":
                cards[key] = _value(card[10:])
            elif key == "HIERARCH" and "=" in card:
                name, _, rest = card[9:].partition("=")
                cards[name.strip()] = _value(rest)
    return None, at


def _value(text: str) -> Any:
    """A card's value; a number whose comment begins with a unit in brackets as a Quantity."""
    quoted = _QUOTED.match(text.strip())
    if quoted is not None:
        return quoted[1].replace("''", "'").rstrip()
    bare, _, comment = text.partition("/")
    bare = bare.strip()
    if bare in {"T", "F"}:
        return bare == "T"
    try:
        number = int(bare) if re.fullmatch(r"[+-]?\d{1,18}", bare) else float(bare.replace("D", "E"))
    except ValueError:
        return bare
    unit = _UNIT.match(comment)
    return Quantity(number, unit[1]) if unit is not None else number


def _whole(cards: dict[str, Any], key: str, default: int = 0) -> int:
    value = cards.get(key, default)
    value = value.value if isinstance(value, Quantity) else value
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _sides(cards: dict[str, Any]) -> list[int]:
    return [_whole(cards, f"NAXIS{index + 1}") for index in range(min(max(_whole(cards, "NAXIS"), 0), 99))]


def _length(cards: dict[str, Any]) -> int:
    """Bytes of a unit's data: |BITPIX| / 8 * GCOUNT * (PCOUNT + product of the sides)."""
    sides = _sides(cards)
    count = math.prod(sides) if sides else 0
    return max(0, abs(_whole(cards, "BITPIX", 8)) // 8 * _whole(cards, "GCOUNT", 1) * (_whole(cards, "PCOUNT") + count))


def _image(source: Source, cards: dict[str, Any], start: int) -> Signal | None:
    """The data of a unit that is an image; None for tables and for headers alone."""
    sides = [side for side in _sides(cards)[::-1] if side != 1]
    kind = _TYPES.get(_whole(cards, "BITPIX"))
    if not sides or 0 in sides or kind is None or cards.get("XTENSION", "IMAGE").strip() not in {"IMAGE", "IUEIMAGE"}:
        return None
    values, chosen = source.array(start, kind, tuple(sides))
    scale, zero = (
        float(number) if isinstance(number := cards.get(key), (int, float)) else default
        for key, default in (("BSCALE", 1.0), ("BZERO", 0.0))
    )
    numbers = values if (scale, zero) == (1.0, 0.0) else values * scale + zero
    axes = tuple(_axis(cards, len(sides) - index) for index in range(len(sides)))
    name = str(cards.get("EXTNAME", "")) or "image"
    return Signal(np.asarray(numbers), axes, name, str(cards.get("BUNIT", "")), tuple(sides), chosen)


def _axis(cards: dict[str, Any], number: int) -> Axis:
    """A linear axis with a unit that is no angle on the sky; else pixels."""
    first, step, at, unit = (cards.get(f"{key}{number}") for key in ("CRVAL", "CDELT", "CRPIX", "CUNIT"))
    kind = str(cards.get(f"CTYPE{number}", ""))
    numbers = [float(one) for one in (first, step, at) if isinstance(one, (int, float))]
    if len(numbers) < 3 or "-" in kind or not unit or numbers[1] == 0:
        return Axis()
    return Axis(kind or f"axis {number}", str(unit), numbers[0] - (numbers[2] - 1) * numbers[1], numbers[1])


def _moment(cards: dict[str, Any]) -> dates.Moment:
    """`DATE-OBS`, with `TIME-OBS` if it is a day only; the standard's time is UTC unless `TIMESYS` says otherwise."""
    day = str(cards.get("DATE-OBS", "") or cards.get("DATE_OBS", ""))
    clock = str(cards.get("TIME-OBS", "") or cards.get("UT", "")).strip()
    clock = f"0{clock}" if re.match(r"\d:", clock) else clock
    if re.fullmatch(r"\d\d/\d\d/\d\d", day):
        return dates.parse(f"{day} {clock}".strip(), ("%d/%m/%y",))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", day) and re.match(r"\d\d:\d\d:\d\d", clock):
        day = f"{day}T{clock}"
    zone = (
        "+00:00"
        if "T" in day and str(cards.get("TIMESYS", "UTC")).upper() in {"UTC", "UT"} and "TIMESYS" in cards
        else ""
    )
    return dates.iso(day + zone)
