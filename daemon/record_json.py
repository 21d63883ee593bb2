"""The record of a dataset as plain JSON: what the store keeps of it between composing and delivering. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from daemon.model import Attribute, DatasetRecord, Fingerprint, RecordFile, RecordThumbnail, SampleRef, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def to_json(record: DatasetRecord) -> dict[str, Any]:
    """The record as plain JSON, without its thumbnails and ids (the store keeps those in columns)."""
    return {
        "attributes": {name: [item.value, item.source.value] for name, item in record.attributes.items()},
        "scientific_metadata": record.scientific_metadata,
        "keywords": list(record.keywords),
        **({"derived_from": list(record.derived_from)} if record.derived_from else {}),
        "samples": [[sample.name, sample.unique_id, *([True] if sample.in_child else [])] for sample in record.samples],
        "files": [_file_json(file) for file in record.files],
        "parent_id": record.parent_id,
        "warnings": list(record.warnings),
        "ingestor": record.ingestor,
        "ingestor_version": record.ingestor_version,
        **({"children": [_child_json(child, record) for child in record.children]} if record.children else {}),
    }


def with_known_names(files: Sequence[RecordFile], former: Mapping[str, Any] | None) -> tuple[RecordFile, ...]:
    """The files under the names by which the catalogs know their bytes already, if they were renamed here since.

    `former`: the record of the revision before. A new name would bring the same bytes there once more.
    """
    before = (former or {}).get("files", ())
    known, taken = {item["name"] for item in before}, {file.name for file in files}
    free = [item for item in before if item["name"] not in taken]
    named = []
    for file in files:
        same = next((item for item in free if (item["sha256"], item["size"]) == (file.sha256, file.size)), None)
        if same is None or file.name in known:
            named.append(file)
        else:
            free.remove(same)
            named.append(replace(file, name=same["name"]))
    return tuple(named)


def _child_json(child: DatasetRecord, parent: DatasetRecord) -> dict[str, Any]:
    """What a child says differently: the attributes that it has of its parent stand there only."""
    own = {name: item for name, item in child.attributes.items() if parent.attributes.get(name) != item}
    return {"part": child.part, "unique_id": child.unique_id, **to_json(replace(child, attributes=own))}


def from_json(
    data: Mapping[str, Any], *, unique_id: str, revision: int, thumbnails: Sequence[RecordThumbnail]
) -> DatasetRecord:
    """The record that `to_json` wrote, with the children's pictures among `thumbnails`."""
    return _from_json(data, {}, unique_id=unique_id, revision=revision, thumbnails=thumbnails)


def _from_json(
    data: Mapping[str, Any],
    inherited: Mapping[str, Attribute],
    *,
    unique_id: str,
    revision: int,
    thumbnails: Sequence[RecordThumbnail],
) -> DatasetRecord:
    part = data.get("part", "")
    own = {name: Attribute(value, Source(source)) for name, (value, source) in data["attributes"].items()}
    attributes = {**inherited, **own}
    return DatasetRecord(
        unique_id=unique_id,
        revision=revision,
        attributes=attributes,
        scientific_metadata=data["scientific_metadata"],
        keywords=tuple(data["keywords"]),
        samples=tuple(SampleRef(*sample) for sample in data["samples"]),
        files=tuple(_file_from(item) for item in data["files"]),
        thumbnails=tuple(picture for picture in thumbnails if picture.part == part),
        parent_id=data["parent_id"],
        derived_from=tuple(data.get("derived_from", ())),
        warnings=tuple(data["warnings"]),
        ingestor=data["ingestor"],
        ingestor_version=data["ingestor_version"],
        children=tuple(
            _from_json(child, attributes, unique_id=child["unique_id"], revision=revision, thumbnails=thumbnails)
            for child in data.get("children", ())
        ),
        part=part,
    )


def _file_json(file: RecordFile) -> dict[str, Any]:
    fingerprint = file.fingerprint
    return {
        "name": file.name,
        "path": file.path,
        "size": file.size,
        "sha256": file.sha256,
        "crc32c": file.crc32c,
        "part_size": file.part_size,
        "part_crc32c": list(file.part_crc32c),
        "primary": file.primary,
        **({"plain_name": file.plain_name} if file.plain_name else {}),
        "fingerprint": [
            fingerprint.size,
            fingerprint.mtime_ns,
            fingerprint.ctime_ns,
            fingerprint.inode,
            fingerprint.device,
        ],
    }


def _file_from(data: Mapping[str, Any]) -> RecordFile:
    return RecordFile(
        name=data["name"],
        path=data["path"],
        size=data["size"],
        sha256=data["sha256"],
        crc32c=data["crc32c"],
        part_size=data["part_size"],
        part_crc32c=tuple(data["part_crc32c"]),
        primary=data["primary"],
        plain_name=data.get("plain_name", ""),
        fingerprint=Fingerprint(*data["fingerprint"]),
    )
