"""Createc STM/AFM files: `[Paramet32]`, `[Paramco32]` or `[Parameter]`, 16 KiB of `Key / Name=value` lines, then the images.

Source: Gwyddion's `createc.c` and the readers built on it: numbers (version 1: 16-bit integers, 2: floats, 2Z: the same deflated) after the header and
one leading value, channels one after the other. `[ParVERT...]` files hold spectra as text after a `DATA` line.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity
from ingestors.dat import dates, plots
from ingestors.dat.reading import Reading
from ingestors.rendering import heatmap, thumbnail
from ingestors.tables import NotATableError, Table, numbers, value_of
from ingestors.textfile import Decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.api import Thumbnail

HEADER: Final = 16384
MAGIC: Final = (b"[Paramet32]", b"[Paramco32]", b"[Parameter]", b"[ParVERT")
_MOST_PIXELS: Final = 32_000_000


def recognises(head: str, candidate: Candidate) -> str | None:
    """One of the first words that Createc's program writes."""
    del candidate
    match = re.match(r"\[(Paramet32|Paramco32|Parameter|ParVERT\w*)\]", head)
    return f"first line [{match[1]}]" if match else None


def header_of(data: bytes) -> Decoded:
    """The text before the binary part (Latin-1, ends at the first NUL or `DSP-COMPDATE` block)."""
    text = data if data.startswith(b"[ParVERT") else data[:HEADER]
    return Decoded(text.split(b"\0", 1)[0].decode("latin-1"), "latin-1", ())


def read(text: Decoded, candidate: Candidate) -> Reading:
    """The keys by their readable half, the first channel as a picture; of spectra the columns."""
    lines = lines_of(text.text)
    at = next((index for index, line in enumerate(lines) if line.strip() == "DATA"), len(lines))
    fields = _fields(lines[:at])
    tables, warnings = _spectra(lines[at + 1 :])
    written = str(fields.get("PSTMAFM.EXE_Date") or fields.get("Date") or "")
    when = dates.parse(written, dates.EUROPEAN) if re.match(r"\d{1,2}\.\d", written) else dates.NEVER
    title = str(fields.get("Titel") or fields.get("Title") or fields.get("Memo") or "")
    return Reading(
        data_type="Createc STM file",
        measurement="Scanning tunneling spectroscopy" if tables else "Scanning tunneling microscopy",
        name=title,
        timestamp=when.iso,
        instrument="Createc",
        keywords=("Createc", "STM"),
        metadata=fields,
        tables=tables,
        thumbnails=plots.charts(tables, title=title or candidate.stem)
        if tables
        else _image(candidate, fields, title or candidate.stem),
        warnings=(*when.warnings, *warnings),
    )


def _fields(lines: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for line in lines[1:]:
        key, equals, value = line.partition("=")
        if not equals or not value.strip():
            continue
        name = key.split(" / ")[-1].strip() or key.strip()
        match = re.fullmatch(r"(.+?)\[([^\]]+)\]", name)
        found = value_of(value.strip())
        if match is not None and isinstance(found, (int, float)):
            fields[match[1].strip()] = Quantity(found, match[2])
        else:
            fields.setdefault(name, found)
    return fields


def _spectra(lines: list[str]) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    rows = [line for line in lines if len(line.split()) > 3]  # noqa: PLR2004 the first line holds counts
    if not rows:
        return (), ()
    try:
        table, warnings = numbers(rows)
    except NotATableError:
        return (), ()
    return (table,), warnings


def _image(candidate: Candidate, fields: Mapping[str, Any], title: str) -> tuple[Thumbnail, ...]:
    """The first channel; nothing if the pixels are not all there."""
    across, down = _count(fields, "Num.X"), _count(fields, "Num.Y")
    kind = np.dtype("<i2" if candidate.head.startswith(b"[Parameter]") else "<f4")
    if not 1 < across * down <= _MOST_PIXELS or candidate.head.startswith(b"[ParVERT"):
        return ()
    wanted = kind.itemsize * (across * down + 1)
    with candidate.path.open("rb") as stream:
        stream.seek(HEADER)
        packed = stream.read(8 * wanted if candidate.head.startswith(b"[Paramco32]") else wanted)
    if candidate.head.startswith(b"[Paramco32]"):
        try:
            packed = zlib.decompressobj().decompress(packed, wanted)
        except zlib.error:
            return ()
    if len(packed) < wanted:
        return ()
    with np.errstate(all="ignore"):
        image = np.frombuffer(packed[:wanted], dtype=kind)[1:].reshape(down, across).astype(np.float64)
    return (thumbnail("first channel", heatmap(image, title=title, origin="upper")),)


def _count(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    return value if isinstance(value, int) and 0 < value < 100_000 else 0  # noqa: PLR2004 pixels of a scan
