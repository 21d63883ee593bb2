"""Bytes of a text file to text and lines: which encoding, which line ends, and whether it is text at all.

Standard library only. Instruments write UTF-8, UTF-16 (LabVIEW, Windows programs) and the Windows code page 1252.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LIMIT: Final = 256 * 1024 * 1024
"""How many bytes of a text file are read at most."""

_LONGEST_LINE: Final = 16 * 1024 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"
_PROBE: Final = 65536
_CONTROL_SHARE: Final = 0.02
_FEW: Final = 0.02  # share of NULs on the side of a UTF-16 unit that holds the letters
_MANY: Final = 0.6  # and on the other side


class NotTextError(Exception):
    """The bytes are no text. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was written in, and what was odd about it (one sentence each)."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Text of the bytes: by byte order mark, by the NUL pattern of UTF-16, as UTF-8, else as Windows-1252 or Latin-1.

    NULs at the end (a file whose final size was reserved) are left out with a warning. Raises NotTextError for binary.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    wide = _wide(data[:_PROBE]) if b"\0" in data else None
    if wide:
        return _decoded(data, wide)
    return _decoded(data, "utf-8")


def read_text(path: Path, limit: int = LIMIT) -> Decoded:
    """Text of the file's first `limit` bytes; a file that goes on gets a warning. Raises OSError, NotTextError.

    A file whose first line does not end within 16 MiB is refused before more of it is read.
    """
    with path.open("rb") as stream:
        data = stream.read(min(limit + 1, _LONGEST_LINE))
        if len(data) == _LONGEST_LINE:
            if b"\n" not in data and b"\r" not in data:
                raise NotTextError(
                    f"The first line of the text is longer than {_LONGEST_LINE // 1024**2} MiB, which no table has."
                )
            data += stream.read(limit + 1 - len(data))
    if len(data) <= limit:
        return decode(data)
    end = max(data.rfind(b"\n", 0, limit), data.rfind(b"\r", 0, limit))
    found = decode(data[: end + 1] if end > 0 else data[:limit])
    note = f"Only the first {limit // 1024} KiB of the file were read."
    return Decoded(found.text, found.encoding, (*found.warnings, note))


def lines_of(text: str) -> list[str]:
    """The lines without their ends: LF, CRLF, CR, also mixed, and the CR CR LF of files that were converted twice."""
    lines = unified(text).split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def unified(text: str) -> str:
    """The text with LF for every kind of line end."""
    if "\r" not in text:
        return text
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def _wide(probe: bytes) -> str | None:
    """UTF-16 without a mark: western text has a NUL in every unit, always on the same side."""
    units = max(1, len(probe) // 2)
    even, odd = probe[::2].count(0) / units, probe[1::2].count(0) / units
    if odd >= _MANY and even <= _FEW:
        return "utf-16-le"
    return "utf-16-be" if even >= _MANY and odd <= _FEW else None


def _decoded(data: bytes, encoding: str) -> Decoded:
    warnings: tuple[str, ...] = ()
    if encoding == "utf-8":
        kept = data.rstrip(b"\0")
        if kept and len(kept) < len(data):
            warnings = (f"The file ends with {len(data) - len(kept)} zero bytes, which are left out.",)
        _refuse_binary(kept)
        text, encoding = _eight_bit(kept)
    else:
        text = data.decode(encoding, "replace").rstrip("\0")
        if "\0" in text or _strange(text[:_PROBE]):
            raise NotTextError(f"The file begins like {encoding} text and is none.")
        text = text.removesuffix("\ufffd")  # half a unit at the end of a file that was cut
    return Decoded(text.removeprefix("\ufeff").rstrip("\x1a"), encoding, warnings)


def _eight_bit(data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"


def _refuse_binary(data: bytes) -> None:
    place = data.find(b"\0")
    if place >= 0:
        raise NotTextError(f"The file is binary: byte {place} is zero.")
    probe = data[:_PROBE]
    count = len(probe) - len(probe.translate(None, _CONTROL))
    if count > _CONTROL_SHARE * len(probe):
        raise NotTextError(f"The file is binary: {count} of its first {len(probe)} bytes are control characters.")


def _strange(text: str) -> bool:
    """Whether more than a few characters are no text: broken units, private use, controls."""
    odd = sum(1 for letter in text if letter == "\ufffd" or (not letter.isprintable() and not letter.isspace()))
    return odd > _CONTROL_SHARE * len(text) + 1
