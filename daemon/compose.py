"""Compose: from what everybody says of a dataset to one record. Pure: no files, no database.

Every attribute keeps where it came from. Provided values (session, sidecar, path, configuration) are never
overwritten by an ingestor; ingestors fill what is open; defaults come last.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.children import with_children
from daemon.mfid import is_mfid
from daemon.model import (
    Attribute,
    DatasetRecord,
    RecordFile,
    RecordThumbnail,
    SampleRef,
    SessionEvidence,
    Source,
)
from daemon.naming import Layers, named, without_templates
from ingestors.api import display_name, units_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.children import ExtractedChild
    from daemon.model import Fingerprint

SESSION_SOURCE: Final = {
    SessionEvidence.PERSON: Source.SESSION,
    SessionEvidence.FILE: Source.INGESTOR,
    SessionEvidence.PATH: Source.PATH,
    SessionEvidence.FOLDER: Source.DEFAULT,
    SessionEvidence.GAP: Source.DEFAULT,
}
_LISTS: Final = frozenset({"keywords", "samples", "derived_from"})
_UNSAFE: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Provided:
    """What is said of a dataset besides its ingestor, each with its strength."""

    session_name: str = ""
    session_evidence: SessionEvidence = SessionEvidence.GAP
    session: Mapping[str, Any] = field(default_factory=dict)
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    sidecar_metadata: Mapping[str, Any] = field(default_factory=dict)
    sidecar_files: Sequence[str] = ()
    path: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What the ingestor said, as plain values."""

    ingestor: str
    version: str
    attributes: Mapping[str, str]
    scientific_metadata: Mapping[str, Any]
    keywords: Sequence[str]
    samples: Sequence[SampleRef]
    warnings: Sequence[str]
    units: Mapping[str, str] = field(default_factory=dict)
    cleaned: Mapping[str, int] = field(default_factory=dict)
    children: Sequence[ExtractedChild] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A settled file of the dataset. `path` is relative to the root, `absolute` where it lies."""

    path: str
    absolute: str
    fingerprint: Fingerprint
    sha256: str
    crc32c: int
    part_size: int
    part_crc32c: tuple[int, ...]
    version: int
    primary: bool


def compose(
    *,
    unique_id: str,
    revision: int,
    members: Sequence[Member],
    provided: Provided,
    extracted: Extracted,
    thumbnails: Sequence[RecordThumbnail],
    parent_id: str | None,
) -> DatasetRecord:
    """Make the record of a dataset. The primary member comes first; there is at least one."""
    primary = members[0]
    layers = _layers(provided, extracted, primary)
    session = _session_attribute(provided, extracted)
    samples = _samples(_words(layers, "samples"), extracted.samples)
    metadata = overlaid(extracted.scientific_metadata, provided.sidecar_metadata)
    made = named(
        layers,
        _strongest(without_templates(layers), session),
        samples=[sample.name for sample in samples],
        file=display_name(primary.path.rpartition("/")[2]),
        metadata=metadata,
    )
    attributes = _strongest(made.layers, session)
    warnings = [*extracted.warnings, *made.warnings(attributes)]
    provenance = _provenance(
        ingestor=extracted.ingestor,
        ingestor_version=extracted.version,
        path=display_name(primary.path),
        sources={name: attribute.source.value for name, attribute in attributes.items()},
        templates=made.used(attributes),
        sidecar={"files": list(provided.sidecar_files), "metadata": list(provided.sidecar_metadata)}
        if provided.sidecar_files
        else {},
        units={**extracted.units, **units_in(dict(provided.sidecar_metadata))},
        cleaned=extracted.cleaned,
        warnings=warnings,
    )
    record = DatasetRecord(
        unique_id=unique_id,
        revision=revision,
        attributes=attributes,
        scientific_metadata={**metadata, "labferry": provenance},
        keywords=_unique([*_words(layers, "keywords"), *extracted.keywords]),
        samples=samples,
        files=record_files(members),
        thumbnails=tuple(thumbnails),
        parent_id=parent_id,
        derived_from=_unique(_words(layers, "derived_from")),
        warnings=tuple(warnings),
        ingestor=extracted.ingestor,
        ingestor_version=extracted.version,
    )
    return with_children(record, extracted.children) if extracted.children else record


def _layers(provided: Provided, extracted: Extracted, primary: Member) -> Layers:
    """Who may say what a dataset's attributes are, the strongest first."""
    return (
        (Source.SESSION, provided.session),
        (Source.SIDECAR, provided.sidecar),
        (Source.PATH, provided.path),
        (Source.CONFIGURATION, provided.configuration),
        (Source.INGESTOR, extracted.attributes),
        (Source.DEFAULT, provided.defaults),
        (Source.DEFAULT, _plain_defaults(primary)),
    )


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees as one; where both have a value, the one above holds. A number with its unit is one value."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        branches = isinstance(old, dict) and isinstance(value, dict) and "value" not in old and "value" not in value
        merged[name] = overlaid(old, value) if branches else value  # type: ignore[arg-type]
    return merged


def _provenance(
    *, ingestor: str, ingestor_version: str, path: str, sources: Mapping[str, str], **more: Any
) -> dict[str, Any]:
    """What labferry says of the record itself; of the rest what there is."""
    always = {"ingestor": ingestor, "ingestor_version": ingestor_version, "path": path, "sources": sources}
    return always | {name: value for name, value in more.items() if value}


def chosen_id(extracted: Mapping[str, str], stored: str | None, fresh: str) -> str:
    """The dataset's id: the one it already has, else the file's own if it is a valid MFID, else the fresh one."""
    if stored is not None:
        return stored
    own = extracted.get("unique_id", "")
    return own if is_mfid(own) else fresh


def changed_at(fingerprint: Fingerprint) -> datetime | None:
    """When the file was last changed, if its file system tells a time that a calendar has."""
    try:
        return datetime.fromtimestamp(fingerprint.mtime_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def thumbnail(caption: str, png: bytes, width: int, height: int, taken: Iterable[str]) -> RecordThumbnail:
    """Name a picture after its caption, differently from those already named."""
    stem = _UNSAFE.sub("_", display_name(caption)).strip("_.")[:80] or "thumbnail"
    name = _free(f"{stem}.png", set(taken))
    return RecordThumbnail(name, caption, width, height, hashlib.sha256(png).hexdigest(), png)


def record_files(members: Sequence[Member]) -> tuple[RecordFile, ...]:
    """The files as the catalogs get them: base names, made unique within the dataset by their folder or a number."""
    names = _names([(member.path, member.version) for member in members])
    plain = _names([(member.path, 1) for member in members])
    return tuple(
        RecordFile(
            name=name,
            path=member.absolute,
            size=member.fingerprint.size,
            sha256=member.sha256,
            crc32c=member.crc32c,
            part_size=member.part_size,
            part_crc32c=member.part_crc32c,
            primary=member.primary,
            fingerprint=member.fingerprint,
            plain_name=plain_name if plain_name != name else "",
        )
        for member, name, plain_name in zip(members, names, plain, strict=True)
    )


def _names(members: Sequence[tuple[str, int]]) -> list[str]:
    taken: set[str] = set()
    names = []
    for path, version in members:
        name = versioned(display_name(path.rpartition("/")[2]), version)
        if name in taken:
            name = _free(versioned(display_name(path).replace("/", "__"), version), taken)
        taken.add(name)
        names.append(name)
    return names


def versioned(name: str, version: int) -> str:
    """The name of a rewritten file's n-th content: `scan.dat` becomes `scan.v2.dat`; the first keeps its name."""
    if version == 1:
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.v{version}.{suffix}" if dot and stem else f"{name}.v{version}"


def session_record(
    *,
    unique_id: str,
    instrument: str,
    name: str,
    started_at: datetime,
    ended_at: datetime,
    datasets: int,
    size: int,
    provided: Provided,
) -> DatasetRecord:
    """The parent dataset of a session, named and shaped as Crucible's upload pages do it."""
    own = {
        "dataset_name": f"{instrument} session: {name}",
        "measurement": f"full {instrument} session",
        "session_name": name,
        "timestamp": started_at.isoformat(),
    }
    layers: Layers = (
        (Source.INGESTOR, own),
        (Source.SESSION, provided.session),
        (Source.CONFIGURATION, provided.configuration),
    )
    layers = without_templates(layers)  # they speak of a measurement
    metadata = {
        "session": {
            "name": name,
            "start": started_at.isoformat(),
            "end": ended_at.isoformat(),
            "number_of_datasets": datasets,
            "size": {"value": size, "unit": "byte"},
            **({"note": provided.session["note"]} if provided.session.get("note") else {}),
        }
    }
    return DatasetRecord(
        unique_id=unique_id,
        revision=1,
        attributes=_strongest(layers, {}),
        scientific_metadata=metadata,
        ingestor="session",
    )


def _strongest(layers: Layers, session: Mapping[str, Attribute]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    for source, values in layers:
        for name, value in values.items():
            if name in attributes or name in _LISTS or name in {"note", "unique_id"} or value in (None, ""):
                continue
            attributes[name] = Attribute(value, source)
    for name, attribute in session.items():
        known = attributes.get(name)
        if known is None or list(Source).index(attribute.source) <= list(Source).index(known.source):
            attributes[name] = attribute
    return attributes


def _session_attribute(provided: Provided, extracted: Extracted) -> dict[str, Attribute]:
    if not provided.session_name:
        return {}
    if provided.session_evidence is SessionEvidence.FILE and "session_name" in extracted.attributes:
        return {}
    return {"session_name": Attribute(provided.session_name, SESSION_SOURCE[provided.session_evidence])}


def _plain_defaults(primary: Member) -> dict[str, str]:
    name = display_name(primary.path.rpartition("/")[2])
    stem, dot, suffix = name.rpartition(".")
    modified = changed_at(primary.fingerprint)
    return {
        "dataset_name": stem if dot and stem else name,
        "data_format": suffix.lower() if dot and stem else "",
        "timestamp": "" if modified is None else modified.isoformat(timespec="seconds"),
    }


def _words(layers: Sequence[tuple[Source, Mapping[str, Any]]], name: str) -> list[str]:
    """Lists add up over the layers instead of hiding each other."""
    words: list[str] = []
    for _, values in layers:
        value = values.get(name) or (values.get("sample") if name == "samples" else None)
        words += [value] if isinstance(value, str) else [str(word) for word in value or ()]
    return words


def _samples(names: Sequence[str], found: Sequence[SampleRef]) -> tuple[SampleRef, ...]:
    samples = [SampleRef(name, name if is_mfid(name) else None) for name in names]
    return tuple(dict.fromkeys([*samples, *found]))


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def _free(name: str, taken: set[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    number, free = 2, name
    while free in taken:
        free = f"{stem}_{number}.{suffix}" if dot and stem else f"{name}_{number}"
        number += 1
    return free
