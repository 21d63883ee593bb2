"""Crucible's identifiers: 26 characters that sort by second. Pure: standard library only.

Source: PyPI packages mfid 1.0.0 (base-32 of the UUID's 16 bytes in lower-case Crockford letters, padding stripped)
and uuid7 0.1.0, whose draft layout begins with 36 bits of whole Unix seconds. RFC 9562 version 7 begins with 48 bits
of milliseconds and would sort wrongly among existing ids.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Final

_RFC4648: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD: Final = b"0123456789abcdefghjkmnpqrstvwxyz"
_TO_CROCKFORD: Final = bytes.maketrans(_RFC4648, _CROCKFORD)
_TO_RFC4648: Final = str.maketrans(_CROCKFORD.decode(), _RFC4648.decode())
_PATTERN: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{25}[048cgmrw]")

_SUBSECOND_BITS: Final = 24


def new_mfid(unix_nanoseconds: int) -> str:
    """A fresh id for the given moment (nanoseconds since the Unix epoch)."""
    seconds, nanoseconds = divmod(unix_nanoseconds, 1_000_000_000)
    subsecond = (nanoseconds << _SUBSECOND_BITS) // 1_000_000_000
    return _mfid(seconds, subsecond, secrets.randbits(62))


def mfid_of_part(mfid: str, part: str) -> str:
    """The id of a part of a dataset: always the same for the same two, and sorted beside the whole's id if that is valid."""
    seconds = _bits(mfid) >> (128 - 36) if is_mfid(mfid) else 0
    rest = int.from_bytes(hashlib.sha256(f"{mfid} {part}".encode()).digest()[:16], "big")
    return _mfid(seconds, rest >> 62 & 0xFFFFFF, rest & (2**62 - 1))


def _mfid(seconds: int, subsecond: int, rest: int) -> str:
    """The draft layout: 36 bits seconds | 12 bits subsecond | version 7 | 12 bits subsecond | variant 10 | 62 bits rest."""
    high = (seconds & (2**36 - 1)) << 28 | (subsecond >> 12) << 16 | 0x7 << 12 | (subsecond & 0xFFF)
    encoded = base64.b32encode((high << 64 | 0b10 << 62 | rest).to_bytes(16, "big")).rstrip(b"=")
    return encoded.translate(_TO_CROCKFORD).decode()


def is_mfid(text: str) -> bool:
    """Whether the text is a valid id: alphabet, length, and the last character that a 128-bit value can end in."""
    return _PATTERN.fullmatch(text) is not None


def moment_of(mfid: str) -> datetime:
    """The moment that a valid id begins with, to the second, in UTC. Raises ValueError for another text."""
    return datetime.fromtimestamp(_bits(mfid) >> (128 - 36), UTC)


def _bits(mfid: str) -> int:
    if not is_mfid(mfid):
        raise ValueError(f"{mfid!r} is no MFID")
    return int.from_bytes(base64.b32decode(mfid.translate(_TO_RFC4648).encode() + b"======"), "big")
