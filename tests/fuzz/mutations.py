"""How good files become bad ones. The same random numbers give the same bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

MOST: Final = 200_000
"""Bytes of an input at most."""

_WORDS: Final = (
    b"", b"nan", b"-inf", b"1e999", b"-1e-999", b"0", b"-1", b"1,5", b"1.5.5", b"0x7f", b"--", b"****", b"1e", b"\xff\xfe",
    b"\x00", b"\xc3", b"\xe2\x80\xaf", b"\xef\xbb\xbf", b"9" * 400, b"[", b"]]", b"{", b"}", b"(", b"\\", b"'", b'"', b"%s%n",
    b"1970-01-01", b"31/02/2021 25:61", b"\r", b"\n\n", b"\t\t", b";;", b",,", b"#", b"\x1a", "µ".encode("latin-1"),
)  # fmt: skip
_NUMBERS: Final = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    (1 << 64) - 1,
)
_SEPARATORS: Final = (b" ", b"\t", b",", b";", b"\n", b"\r\n", b"=", b":", b".", b"#")


def mutated(seed: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """One to six changes to the seed; `others` are files of the same family to take parts from."""
    data = seed[:MOST]
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 6))):
        change = random.choice(_CHANGES)
        data = change(data, random) if change is not _spliced else spliced(data, random.choice(others), random)
    return data[:MOST]


def spliced(data: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one file and the end of another."""
    cut, rest = _place(data, random), _place(other, random)
    return data[:cut] + other[rest : rest + MOST]


def _place(data: bytes, random: Random) -> int:
    """A place in the data, often in its first part, where headers are."""
    length = len(data) if random.random() < 0.5 else min(len(data), 2000)
    return random.randint(0, length)


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randint(1, 16)):
        place = _place(data, random)
        if place < len(changed):
            changed[place] ^= 1 << random.randrange(8)
    return bytes(changed)


def _overwritten(data: bytes, random: Random) -> bytes:
    width, order = random.choice("BHIQ"), random.choice("<>")
    number = random.choice(_NUMBERS) & ((1 << 8 * struct.calcsize(width)) - 1)
    word = struct.pack(order + width, number)
    place = _place(data, random)
    return data[:place] + word + data[place + len(word) :]


def _inserted(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    return data[:place] + random.choice(_WORDS) * random.choice((1, 1, 1, 3, 200)) + data[place:]


def _removed(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    return data[:place] + data[place + random.choice((1, 2, 4, 8, 100, 4096)) :]


def _repeated(data: bytes, random: Random) -> bytes:
    place, length = _place(data, random), random.choice((1, 8, 100, 4096))
    return data[:place] + data[place : place + length] * random.choice((2, 3, 20)) + data[place:]


def _zeroed(data: bytes, random: Random) -> bytes:
    place, length = _place(data, random), random.choice((1, 4, 64, 512))
    return data[:place] + bytes([random.choice((0, 255, 32))]) * length + data[place + length :]


def _token(data: bytes, random: Random) -> bytes:
    """One word of a text replaced."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines)) if random.random() < 0.5 else random.randrange(min(len(lines), 40))
    words = lines[at].split()
    if words:
        old = random.choice(words)
        lines[at] = lines[at].replace(old, random.choice(_WORDS), 1)
    return b"\n".join(lines)


def _lines(data: bytes, random: Random) -> bytes:
    """Lines missing, twice or in another place."""
    lines = data.split(b"\n")
    for _ in range(random.randint(1, 6)):
        if not lines:
            break
        line = lines.pop(random.randrange(min(len(lines), random.choice((5, 40, len(lines))))))
        for _ in range(random.choice((0, 1, 2))):
            lines.insert(random.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _separated(data: bytes, random: Random) -> bytes:
    return data.replace(random.choice(_SEPARATORS), random.choice(_SEPARATORS), random.choice((1, 20, -1)))


def _encoded(data: bytes, random: Random) -> bytes:
    text = data.decode("latin-1")
    return text.encode(random.choice(("utf-8", "utf-16", "utf-16-be", "utf-32", "utf-8-sig")), "replace")


def _spliced(data: bytes, random: Random) -> bytes:
    return spliced(data, data, random)


_CHANGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _cut, _flipped, _flipped, _overwritten, _overwritten, _inserted, _removed, _repeated, _zeroed, _token, _token, _lines, _separated,
    _encoded, _spliced,
)  # fmt: skip
