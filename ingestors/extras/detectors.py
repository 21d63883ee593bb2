"""Frames of X-ray area detectors through fabio (the extra `detectors`)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates, facts
from ingestors.dat.reading import Reading
from ingestors.extras.needed import FromExtra, Kind, begins
from ingestors.textvalues import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestors.api import Candidate

EXTRA: Final = "detectors"
_FABIO: Final = "fabio"
_TALKATIVE: Final = (
    "fabio",
    "fabio.edfimage",
    "fabio.cbfimage",
    "fabio.fabioimage",
    "fabio.openimage",
    "fabio.brukerimage",
)
_MOST_PIXELS: Final = 60_000_000
_MOST_FRAMES: Final = 12
_EDF: Final = re.compile(rb"^[\r\n]*\{[^}]{0,4000}?(HeaderID|ByteOrder|EDF_DataBlockID|Dim_1)\s*=", re.IGNORECASE)
_MANY_DIMENSIONS: Final = re.compile(rb"\bDim_\d{3}", re.IGNORECASE)
_HUGE: Final = re.compile(rb"Dim_\d{3,}", re.IGNORECASE)
_CBF: Final = b"###CBF: VERSION"
_STARTER: Final = b"\x0c\x1a\x04\xd5"
_LONGEST_HEADER: Final = 4_000_000
_ADSC: Final = re.compile(rb"^\{\r?\nHEADER_BYTES=")
_CLOCKED: Final = ("time", "date", "time_of_day", "acq_date", "date_time", "datetime", "scan.start_time", "created")


def _edf(candidate: Candidate) -> bool:
    return _EDF.match(candidate.head[:8192]) is not None and b"\0" in candidate.head[:65536]


def _with(magic: bytes, *suffixes: str) -> Any:
    return lambda candidate: candidate.head.startswith(magic) and candidate.suffix in suffixes


KINDS: Final = (
    Kind("Crystallographic binary file (CBF)", begins(_CBF), _FABIO),
    Kind("ADSC or d*TREK frame", lambda one: _ADSC.match(one.head) is not None, _FABIO),
    Kind("ESRF data format (EDF)", _edf, _FABIO),
    Kind("Bruker detector frame", begins(b"FORMAT :"), _FABIO),
    Kind(
        "MAR 345 frame",
        lambda one: (
            one.head[:4] in {b"\xd2\x04\0\0", b"\0\0\x04\xd2"}
            and re.search(r"\.mar\d*$|\.pck$", one.suffix) is not None
        ),
        _FABIO,
    ),
    Kind("Rigaku R-AXIS frame", begins(b"RAXIS", b"R-AXIS"), _FABIO),
    Kind("Oxford Diffraction frame", begins(b"OD SAPPHIRE"), _FABIO),
    Kind("Esperanto frame", begins(b"ESPERANTO FORMAT"), _FABIO),
    Kind("GE area detector frame", begins(b"ADEPT"), _FABIO),
    Kind("FIT2D image", begins(b"\\$FFF_START"), _FABIO),
    Kind("FIT2D mask", begins(b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0"), _FABIO),
    Kind("Nonius KappaCCD frame", _with(b"No", ".kccd", ".kcd"), _FABIO),
)


class Detectors(FromExtra):
    """Frames of X-ray area detectors that fabio reads."""

    name = "detectors"
    extra = EXTRA
    kinds = KINDS

    def reading(self, module: Any, candidate: Candidate, kind: Kind) -> Reading:
        """Header and frames."""
        if problem := _endless(candidate):
            raise UnreadableError(problem)
        for part in _TALKATIVE:
            logging.getLogger(part).setLevel(logging.CRITICAL + 1)
        with module.open(str(candidate.path)) as image:
            return _reading(image, candidate, kind)


def _endless(candidate: Candidate) -> str:
    """What would keep fabio busy for ever: a dimension with a number it counts up to, a binary part it looks for beyond the end."""
    if _HUGE.search(candidate.head):
        return "The header of this frame names a dimension with an impossible number."
    if candidate.head.startswith(_CBF):
        with candidate.path.open("rb") as stream:
            if _STARTER not in stream.read(_LONGEST_HEADER):
                return "This CBF file is cut off: it has a header and no binary part."
    return ""


def _reading(image: Any, candidate: Candidate, kind: Kind) -> Reading:
    shape = tuple(int(side) for side in (image.shape or ()))
    if not shape or int(np.prod(shape)) > _MOST_PIXELS or min(shape) <= 0:
        raise UnreadableError(f"The frame has {' x '.join(map(str, shape)) or 'no'} pixels: not read.")
    header = {str(key): str(value).strip() for key, value in dict(image.header).items() if str(value).strip()}
    header = {key: value for key, value in header.items() if not key.startswith("_array_data.data")}
    fields: dict[str, Any] = {key: value_of(value[:4000]) for key, value in list(header.items())[:500]}
    fields |= _convention(header.get("_array_data.header_contents", ""))
    count = int(getattr(image, "nframes", 1) or 1)
    signal, size = _signal(image, count, shape, header)
    when = _moment(header)
    return Reading(
        data_type=kind.name,
        name=facts.title_of(fields),
        timestamp=when.iso,
        instrument=str(fields.get("Detector", "")) or facts.instrument_of(fields),
        samples=(facts.sample_of(fields),),
        keywords=("detector image",),
        metadata={"header": fields, "frames": count} | size | described([signal]),
        thumbnails=drawn([signal], candidate.stem),
        warnings=when.warnings,
    )


def _convention(text: str) -> dict[str, Any]:
    """The comment lines of Dectris detectors in CBF: `# Exposure_time 1.0 s`."""
    found: dict[str, Any] = {}
    for line in text.splitlines()[:200]:
        key, _, value = line.strip("# \t").partition(" ")
        if re.fullmatch(r"[A-Z]\w+[:=]?", key) and value.strip():
            found[key.rstrip(":=")] = value_of(value.strip(" =:"))
    return found


def _moment(header: Mapping[str, str]) -> dates.Moment:
    lines = header.get("_array_data.header_contents", "")
    match = re.search(r"(\d{4})[-/]([A-Za-z]{3}|\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)", lines)
    if match is not None:
        months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        month = (
            months.index(match[2].title()) + 1
            if match[2].title() in months
            else int(match[2])
            if match[2].isdigit()
            else 0
        )
        return dates.iso(f"{match[1]}-{month:02}-{match[3]} {match[4]}")
    known = {key.casefold(): value for key, value in header.items()}
    for key in _CLOCKED:
        if value := known.get(key, ""):
            if re.fullmatch(r"1\d{9}(\.\d+)?", value):
                return dates.epoch(float(value))
            if re.search(r"\d", value) and re.search(r"[-/ ]", value):
                return facts.anywhere(value)
    return dates.NEVER


def _signal(image: Any, count: int, shape: tuple[int, ...], header: Mapping[str, str]) -> tuple[Signal, dict[str, Any]]:
    wanted = max(1, min(_MOST_FRAMES, count, _MOST_PIXELS // int(np.prod(shape))))
    chosen = np.unique(np.linspace(0, count - 1, wanted).astype(int))
    frames = [np.asarray(image.data if count == 1 else image.get_frame(int(at)).data) for at in chosen]
    size = _pixel(header)
    told = {"pixel_size": [Quantity(size[0], size[2]), Quantity(size[1], size[2])]} if size else {}
    if len(frames) == 1:
        return Signal(frames[0], (Axis(), Axis()), "Intensity", shape=frames[0].shape, rows_down=True), told
    same = [frame for frame in frames if frame.shape == frames[0].shape]
    stack = np.stack(same)
    return Signal(
        stack,
        (Axis(), Axis(), Axis()),
        "Intensity",
        shape=(count, *frames[0].shape),
        chosen=chosen[: len(same)],
        rows_down=True,
    ), told


def _pixel(header: Mapping[str, str]) -> tuple[float, float, str] | None:
    """The size of a detector's pixel: `Pixel_size 172e-6 m x 172e-6 m`, or EDF's `PSize_1` in metres."""
    match = re.search(
        r"Pixel_size\s*:?\s*([\d.eE+-]+)\s*m\s*x\s*([\d.eE+-]+)\s*m", header.get("_array_data.header_contents", "")
    )
    pair = (match[1], match[2]) if match else (header.get("PSize_1", ""), header.get("PSize_2", ""))
    try:
        return float(pair[0].split()[0]), float(pair[1].split()[0]), "m"
    except (ValueError, IndexError):
        pass
    try:
        size = float(header.get("PIXEL_SIZE", ""))
    except ValueError:
        return None
    return size, size, "mm"
