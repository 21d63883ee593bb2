"""Names in the AT Protocol that can be known before asking: a blob's CID, a record's TID, at-URIs.

Sources: atproto.com/specs (tid, record-key, at-uri-scheme, blob); the CIDs were compared with a real PDS.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_RAW_SHA256: Final = b"\x01\x55\x12\x20"  # CID version 1, raw bytes, sha2-256 of 32 bytes
_SORTABLE: Final = "234567abcdefghijklmnopqrstuvwxyz"
_TID_LENGTH: Final = 13
_CLOCK_BITS: Final = 10
_MICROS: Final = 1_000_000
_RECORD_KEY: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9_~.:-]{1,512}")
_AT_URI: Final = re.compile(
    r"at://(did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]|[A-Za-z0-9.-]+)"
    r"(/[A-Za-z][A-Za-z0-9.-]*\.[A-Za-z][A-Za-z0-9]*(/(?!\.\.?$)[A-Za-z0-9_~.:-]{1,512})?)?"
)


def blob_cid(sha256: str) -> str:
    """The CID of a blob by the sha256 (64 hex digits) of its bytes: what `uploadBlob` will answer."""
    return "b" + b32encode(_RAW_SHA256 + bytes.fromhex(sha256)).decode("ascii").rstrip("=").lower()


def tid(at: datetime, unique_id: str) -> str:
    """The record key for something first seen `at` (with a zone): the same for the same values, and sortable by time.

    Microseconds in 53 bits, then 10 bits that tell apart what was seen in the same one. `at` tells seconds; the rest
    comes from the dataset's id, all of it: with the 10 bits alone two of forty datasets of one second would share a key.
    """
    digest = hashlib.sha256(unique_id.encode()).digest()
    micros = int(at.timestamp()) * _MICROS + int.from_bytes(digest[2:10], "big") % _MICROS & (2**53 - 1)
    clock = int.from_bytes(digest[:2], "big") & (2**_CLOCK_BITS - 1)
    number = micros << _CLOCK_BITS | clock
    return "".join(_SORTABLE[number >> 5 * place & 31] for place in reversed(range(_TID_LENGTH)))


def at_uri(did: str, collection: str, key: str) -> str:
    """The address of a record."""
    return f"at://{did}/{collection}/{key}"


def is_at_uri(text: str) -> bool:
    """Whether a text is an at-URI as lexicons want it (`format: at-uri`)."""
    return _AT_URI.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """Whether a server takes this text for a record key."""
    return _RECORD_KEY.fullmatch(text) is not None
