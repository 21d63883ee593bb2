"""Pictures: PNG, JPEG, TIFF, BMP, GIF and whatever else Pillow reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PIL import TiffImagePlugin

from ingestors.api import Claim, Extraction, Quantity, Sample, Specificity, UnreadableError
from ingestors.image import electron, tiff
from ingestors.image.exif import camera, exif_of, taken
from ingestors.image.facts import Facts, told
from ingestors.image.opening import ERRORS, MOST_FRAMES, MOST_TEXT, frames_of, montage_of, opened, thumbnail_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image as Pillow

    from ingestors.api import Candidate, Thumbnail

_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"BM", b"GIF87a", b"GIF89a",
    b"\x00\x00\x00\x0cjP", b"P4\n", b"P5\n", b"P6\n", b"P7\n",
)  # fmt: skip
_DESCRIPTION: Final = 270
_BESIDE: Final = 200_000  # bytes of a text beside a picture


class Image:
    """A picture file. What it shows is left to the configuration unless the microscope wrote it into the file."""

    name = "image"
    version = "3"

    def claim(self, candidate: Candidate) -> Claim | None:
        """CONTAINER, if the first bytes are those of a format that Pillow reads and its header opens."""
        head = candidate.head
        if not head.startswith(_MAGIC) and not (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
            return None
        try:
            with opened(candidate.path) as image:
                return Claim(Specificity.CONTAINER, f"{image.format} image of {image.width} x {image.height} pixels")
        except UnreadableError as error:
            weak = head.startswith((b"BM", b"P4", b"P5", b"P6", b"P7"))  # two letters may begin any text
            return None if weak else Claim(Specificity.CONTAINER, f"first bytes of an image, but: {error}")

    def extract(self, candidate: Candidate) -> Extraction:
        """Read size, mode, the microscope's and the camera's own words, and a thumbnail. Raises UnreadableError for broken pictures."""
        known = tiff.look(candidate.path, candidate.name) if candidate.head.startswith(tiff.SIGNATURES) else None
        facts = tiff.combined([*(known.facts if known else ()), *_beside(candidate)])
        try:
            with opened(candidate.path) as image:
                return _read(image, candidate, known, facts)
        except UnreadableError as error:
            if known is None:
                raise
            basics = {"image": tiff.basics(known) | told(facts.pixel)}
            shown, notes = ([known.thumbnail], []) if known.thumbnail else ([], [str(error)])
            return _extraction(candidate, "tiff", facts, basics, {}, shown, notes)


def _read(image: Pillow.Image, candidate: Candidate, known: tiff.Tiff | None, facts: Facts) -> Extraction:
    about: dict[str, Any] = {
        "width": Quantity(image.width, "px"),
        "height": Quantity(image.height, "px"),
        "mode": image.mode,
    }
    if known is not None and {"X", "Y"} <= set(known.axes):
        about = tiff.basics(known) | {"mode": image.mode}
    notes = []
    frames = frames_of(image)
    if frames > 1:
        about["frames"] = frames
    if frames > MOST_FRAMES:
        notes.append(f"The file holds {frames} images; the thumbnail shows {MOST_FRAMES} of them.")
    about |= told(facts.pixel)
    exif = exif_of(image)
    thumbnail, problem = known.thumbnail if known is not None else None, ""
    if thumbnail is None:
        pixel = (facts.pixel[0], facts.pixel[2]) if facts.pixel is not None else None
        thumbnail, problem = (
            montage_of(image, frames, candidate.name) if frames > 1 else thumbnail_of(image, candidate.name, pixel)
        )
    metadata = {"image": about, **_texts(image, known, decoded=not problem), **facts.metadata}
    return _extraction(
        candidate,
        (image.format or candidate.suffix.lstrip(".")).lower(),
        facts,
        metadata,
        exif,
        [thumbnail] if thumbnail is not None else [],
        [*notes, *([problem] if problem else [])],
    )


def _extraction(
    candidate: Candidate,
    kind: str,
    facts: Facts,
    metadata: dict[str, Any],
    exif: Mapping[str, Any],
    thumbnails: list[Thumbnail],
    notes: list[str],
) -> Extraction:
    attributes = {
        "dataset_name": facts.name or candidate.stem,
        "measurement": facts.measurement,
        "data_type": facts.data_type or "Image",
        "data_format": kind,
        "timestamp": facts.timestamp or taken(exif),
        "instrument_name": facts.instrument or camera(exif),
    }
    return Extraction(
        attributes={name: value for name, value in attributes.items() if value},
        scientific_metadata=metadata | ({"exif": exif} if exif else {}),
        samples=tuple(Sample(name) for name in facts.samples),
        thumbnails=thumbnails,
        warnings=[*facts.warnings, *notes],
    )


def _beside(candidate: Candidate) -> list[Facts]:
    """What the text file of the same name says that some microscopes write beside their pictures."""
    found = []
    for path in candidate.companions[:20]:
        if path.suffix.lower() == ".txt" and path.stem == candidate.path.stem:
            try:
                with path.open("rb") as stream:
                    content = stream.read(_BESIDE)
            except OSError:
                continue
            wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
            found.append(
                electron.beside(content.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\0", ""))
            )
    return found


def _texts(image: Pillow.Image, known: tiff.Tiff | None, *, decoded: bool) -> dict[str, Any]:
    """What is written into the file: PNG texts, comments, TIFF's description and resolution."""
    found: dict[str, Any] = {}
    # PNG texts may stand behind the pixels, so Pillow decodes these to get at them: only if that went well before
    try:
        texts = getattr(image, "text", {}) if decoded else {} if image.format != "PNG" else image.info
    except AssertionError:  # Pillow, of a PNG whose pixels end early
        texts = image.info
    png = {str(key): value[:MOST_TEXT] for key, value in texts.items() if isinstance(value, str)}
    if png:
        found["text"] = png
    if isinstance(comment := image.info.get("comment"), (str, bytes)) and comment:
        found["comment"] = _text(comment)
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    explained = known is not None and any(fact.metadata for fact in known.facts)
    for number, name in ((_DESCRIPTION, "ImageDescription"), (305, "Software"), (306, "DateTime"), (315, "Artist")):
        value = _tag(tags, number)
        if value and not (number == _DESCRIPTION and explained):
            found.setdefault("tiff", {})[name] = _text(value)
    if isinstance(tags, TiffImagePlugin.ImageFileDirectory_v2) and (resolution := _resolution(tags)):
        found["resolution"] = resolution
    return found


def _tag(tags: Mapping[int, Any], number: int) -> Any:
    try:
        return tags.get(number)
    except ERRORS:
        return None


def _resolution(tags: Mapping[int, Any]) -> dict[str, Quantity]:
    unit = {2: "px/in", 3: "px/cm"}.get(_tag(tags, 296) or 2)
    found = {}
    for number, name in ((282, "x"), (283, "y")):
        value = _tag(tags, number)
        try:
            found[name] = Quantity(float(value), unit or "") if value and unit else None
        except ERRORS:
            continue
    return {name: value for name, value in found.items() if value is not None}


def _text(value: Any, most: int = MOST_TEXT) -> str:
    if isinstance(value, tuple):
        value = value[0] if value else ""
    raw = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return raw.strip("\x00 \r\n")[:most]
