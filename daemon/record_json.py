"""The record of a dataset as plain JSON: what the store keeps of it between composing and delivering. Pure."""

from __future__ import annotations

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
        "samples": [[sample.name, sample.unique_id] for sample in record.samples],
        "files": [_file_json(file) for file in record.files],
        "parent_id": record.parent_id,
        "warnings": list(record.warnings),
        "ingestor": record.ingestor,
        "ingestor_version": record.ingestor_version,
    }


def from_json(
    data: Mapping[str, Any], *, unique_id: str, revision: int, thumbnails: Sequence[RecordThumbnail]
) -> DatasetRecord:
    """The record that `to_json` wrote."""
    return DatasetRecord(
        unique_id=unique_id,
        revision=revision,
        attributes={name: Attribute(value, Source(source)) for name, (value, source) in data["attributes"].items()},
        scientific_metadata=data["scientific_metadata"],
        keywords=tuple(data["keywords"]),
        samples=tuple(SampleRef(name, sample_id) for name, sample_id in data["samples"]),
        files=tuple(_file_from(item) for item in data["files"]),
        thumbnails=tuple(thumbnails),
        parent_id=data["parent_id"],
        derived_from=tuple(data.get("derived_from", ())),
        warnings=tuple(data["warnings"]),
        ingestor=data["ingestor"],
        ingestor_version=data["ingestor_version"],
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
