"""Child datasets: the parts of a measurement that are datasets of their own, composed and delivered with it. Pure.

They are shaped as Crucible's own ingestors make them (crucible-ingestion, `parse_children` and `push_packet`): without
files, with the parent's attributes, linked to it, known by their name under it, and each linked to its own sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from daemon.mfid import mfid_of_part
from daemon.model import Attribute, DatasetRecord, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.model import RecordThumbnail, SampleRef

_INGESTORS: Final = frozenset({Source.INGESTOR, Source.DEFAULT})
_NAME: Final = "dataset_name"


@dataclass(frozen=True, slots=True)
class ExtractedChild:
    """What the ingestor said of a part of the measurement; `part` is its key, which its pictures name too."""

    part: str
    attributes: Mapping[str, str]
    scientific_metadata: Mapping[str, Any] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    samples: Sequence[SampleRef] = ()
    thumbnails: Sequence[RecordThumbnail] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def with_children(record: DatasetRecord, children: Sequence[ExtractedChild]) -> DatasetRecord:
    """The record with a record for each child, and with the children's samples marked as theirs.

    The ids are made of the record's id and the keys: whoever composes it again finds the same ones.
    """
    taken = {str(record.value(_NAME))}
    made = tuple(_child(record, child, taken) for child in children)
    theirs = {(sample.name, sample.unique_id) for child in made for sample in child.samples}
    samples = tuple(replace(sample, in_child=(sample.name, sample.unique_id) in theirs) for sample in record.samples)
    return replace(record, samples=samples, children=made)


def pictures(record: DatasetRecord) -> list[RecordThumbnail]:
    """Every picture of a record and of its children."""
    return [*record.thumbnails, *(picture for child in record.children for picture in child.thumbnails)]


def former_children(before: Mapping[str, Any] | None, record: DatasetRecord) -> list[dict[str, Any]]:
    """The children that an earlier revision (as JSON) had and this one has not: the catalogs keep them."""
    if before is None:
        return []
    listed = [
        {"key": child["part"], "unique_id": child["unique_id"], "name": child["attributes"][_NAME][0]}
        for child in before.get("children", ())
    ]
    known = {child.unique_id for child in record.children}
    gone = {child["unique_id"]: child for child in [*before.get("former_children", ()), *listed]}
    return [child for unique_id, child in gone.items() if unique_id not in known]


def _child(record: DatasetRecord, child: ExtractedChild, taken: set[str]) -> DatasetRecord:
    attributes = {name: attribute for name, attribute in record.attributes.items() if name != _NAME}
    for name, value in child.attributes.items():
        known = attributes.get(name)
        if name not in {_NAME, "unique_id"} and (known is None or known.source in _INGESTORS):
            attributes[name] = Attribute(value, Source.INGESTOR)
    own_name = child.attributes.get(_NAME)
    name = own_name if own_name and own_name not in taken else f"{own_name or record.value(_NAME)} ({child.part})"
    taken.add(name)
    attributes[_NAME] = Attribute(name, Source.INGESTOR)
    told = record.scientific_metadata["labferry"]
    provenance = {
        "ingestor": record.ingestor,
        "ingestor_version": record.ingestor_version,
        "path": told["path"],
        "part": child.part,
        "sources": {key: attribute.source.value for key, attribute in attributes.items()},
        **({"units": dict(child.units)} if child.units else {}),
    }
    return DatasetRecord(
        unique_id=mfid_of_part(record.unique_id, child.part),
        revision=record.revision,
        attributes=attributes,
        scientific_metadata={**child.scientific_metadata, "labferry": provenance},
        keywords=tuple(dict.fromkeys(word.strip() for word in child.keywords if word.strip())),
        samples=tuple(dict.fromkeys(child.samples)),
        thumbnails=tuple(child.thumbnails),
        parent_id=record.unique_id,
        ingestor=record.ingestor,
        ingestor_version=record.ingestor_version,
        part=child.part,
    )
