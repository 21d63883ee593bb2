"""Values as the AT Protocol's data model takes them, and the exact ones as MessagePack.

A PDS refuses floats (400), breaks on integers beyond 53 bits (500), and refuses an object that looks like a blob of
the old kind. So what people and indexes read carries numbers that are no small integers as texts; the exact values
travel in `metadata`. Both were found by running a PDS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgpack

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE: Final = 2**53 - 1
"""The largest integer that every reader of JSON keeps exact."""
ELLIPSIS: Final = "…"
_LEGACY_BLOB: Final = frozenset({"cid", "mimeType"})
_MAP16, _MAP32 = 0xDE, 0xDF
_FEW: Final = 15
_INT64, _UINT64 = -(2**63), 2**64


def told(value: Any) -> Any:
    """The value for `contentMetadata`: texts, booleans, integers of 53 bits, lists and objects.

    A float becomes its shortest exact text (`0.1`, `1e-09`, `nan`), an integer beyond 53 bits its digits. A key that
    begins with `$` is the protocol's own, so it gets an underscore in front; a null stays.
    """
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else clean(value)
    if isinstance(value, int):
        return value if abs(value) <= WHOLE else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [told(item) for item in value]
    named = {}
    for name, item in value.items():
        key = clean(str(name))
        key = f"_{key}" if key.startswith("$") else key
        while key in named:
            key += "_"
        named[key] = told(item)
    if set(named) >= _LEGACY_BLOB:
        named["cid_"] = named.pop("cid")
    return named


def clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shortened(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8: cut between two characters, the cut marked with an ellipsis."""
    text = clean(text)
    if utf8(text) <= limit:
        return text
    kept = text.encode()[: limit - utf8(ELLIPSIS)].decode("utf-8", "ignore")
    return kept.rstrip() + ELLIPSIS


def utf8(text: str) -> int:
    """The length by which lexicons measure a text: bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def json_size(value: Any) -> int:
    """The bytes that a value takes in a request."""
    return len(json.dumps(value, separators=(",", ":")).encode())


def packed(values: Mapping[str, Any]) -> bytes:
    """The map as MessagePack, exact, with a length that is a multiple of three.

    A common reader decodes base64 without its padding, as the PDS returns it, and so fails for every other length. The
    map's header can be written in one, three or five bytes without changing what it says. At most 15 keys.

    Raises ValueError for more keys.
    """
    if len(values) > _FEW:
        raise ValueError(f"metadata has {len(values)} keys; {_FEW} can be written with every length of header")
    body = b"".join(_pack(part) for pair in values.items() for part in pair)
    count = len(values)
    headers = (
        bytes([0x80 | count]),
        bytes([_MAP16]) + count.to_bytes(2, "big"),
        bytes([_MAP32]) + count.to_bytes(4, "big"),
    )
    return next(header + body for header in headers if (len(header) + len(body)) % 3 == 0)


def _pack(value: Any) -> bytes:
    data: bytes = msgpack.packb(_packable(value), use_bin_type=True)
    return data


def _packable(value: Any) -> Any:
    """MessagePack has integers of 64 bits and no lone surrogates; everything else of JSON goes as it is."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if _INT64 <= value < _UINT64 else str(value)
    if isinstance(value, (list, tuple)):
        return [_packable(item) for item in value]
    if isinstance(value, dict) or hasattr(value, "items"):
        return {clean(str(name)): _packable(item) for name, item in value.items()}
    return value
