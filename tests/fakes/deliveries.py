"""Records of real files, and the smallest thing that plays the delivering loop: tries, memory, outcomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import google_crc32c

from daemon.catalogs.catalog import Attempt
from daemon.children import ExtractedChild, with_children
from daemon.errors import CatalogError, SourceChanged
from daemon.model import Attribute, DatasetRecord, Fingerprint, RecordFile, RecordThumbnail, SampleRef, Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.catalogs.catalog import Catalog
    from daemon.model import Step


def record_file(path: Path, *, part_size: int = 64 * 2**20, primary: bool = True) -> RecordFile:
    """A file as the hasher would describe it."""
    content, stat = path.read_bytes(), path.stat()
    parts = tuple(google_crc32c.value(content[at : at + part_size]) for at in range(0, len(content), part_size))
    return RecordFile(
        name=path.name,
        path=str(path),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        crc32c=google_crc32c.value(content),
        part_size=part_size,
        part_crc32c=parts,
        primary=primary,
        fingerprint=Fingerprint(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev),
    )


def thumbnail(name: str, png: bytes) -> RecordThumbnail:
    """A picture; its bytes need not be one for a catalog that does not look."""
    return RecordThumbnail(name, name, 1, 1, hashlib.sha256(png).hexdigest(), png)


def dataset_record(unique_id: str, attributes: Mapping[str, Any] | None = None, **parts: Any) -> DatasetRecord:
    """A record whose attributes all come from the configuration."""
    given = {name: Attribute(value, Source.CONFIGURATION) for name, value in (attributes or {}).items()}
    samples = tuple(SampleRef(f"sample {sample}", sample) for sample in parts.pop("samples", ()))
    return DatasetRecord(
        unique_id=unique_id,
        revision=parts.pop("revision", 1),
        attributes=given,
        scientific_metadata=parts.pop("scientific_metadata", {}),
        samples=samples,
        **parts,
    )


def tray_record(unique_id: str, *films: str) -> DatasetRecord:
    """A measurement with a child for each film, keys from 1 on."""
    record = dataset_record(unique_id, {"dataset_name": "tray"}, scientific_metadata={"labferry": {"path": "tray.h5"}})
    children = [
        ExtractedChild(f"{number}", {"dataset_name": film}, {"place": f"{number}"})
        for number, film in enumerate(films, 1)
    ]
    return with_children(record, children)


@dataclass
class Notebook:
    """What the store keeps of one dataset's delivery."""

    outcomes: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    memory: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)
    begun: set[tuple[str, str, str]] = field(default_factory=set)
    done: set[tuple[str, str, str]] = field(default_factory=set)
    errors: list[CatalogError] = field(default_factory=list)

    def attempt(self, step: Step) -> Attempt:
        """The next try of a step."""
        name = (step.kind, step.key, step.digest)
        repeated = name in self.begun
        self.begun.add(name)

        def remember(memory: Mapping[str, Any]) -> None:
            self.memory[name] = dict(memory)
            self.outcomes.setdefault((step.kind, step.key), {})  # the store has a row for it from now on

        return Attempt(repeated, self.memory.get(name, {}), remember, dict(self.outcomes), lambda: None)

    def perform(self, catalog: Catalog, step: Step, record: DatasetRecord) -> Mapping[str, Any]:
        """Try a step once."""
        outcome = catalog.perform(step, record, self.attempt(step))
        self.outcomes[step.kind, step.key] = outcome
        self.done.add((step.kind, step.key, step.digest))
        return outcome

    def deliver(self, catalog: Catalog, record: DatasetRecord, tries: int = 1) -> None:
        """Every step that is not done, each at most `tries` times; a person retries what was refused."""
        for step in catalog.plan(record):
            for turn in range(tries):
                if (step.kind, step.key, step.digest) in self.done:
                    break
                try:
                    self.perform(catalog, step, record)
                except SourceChanged:
                    raise
                except CatalogError as error:
                    self.errors.append(error)
                    if turn == tries - 1:
                        raise
