"""A catalog in memory that does what a script says, and what every catalog must: look before it repeats."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.catalogs.catalog import Finding, Health
from daemon.model import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.catalogs.catalog import Attempt
    from daemon.model import DatasetRecord


@dataclass
class Crash:
    """The effect reaches the catalog, its answer does not."""

    error: Exception


@dataclass
class ScriptedCatalog:
    """Outcomes by step kind, one for each call: an exception is raised before anything happens, a Crash after it."""

    name: str = "crucible"
    script: dict[StepKind, list[Exception | Crash | None]] = field(default_factory=dict)
    calls: list[tuple[str, bool]] = field(default_factory=list)
    effects: list[tuple[str, str, str]] = field(default_factory=list)
    memories: list[Mapping[str, Any]] = field(default_factory=list)

    def check(self) -> Sequence[Finding]:
        """It always works, until it does not."""
        return [Finding(Health.OK, "scripted")]

    def plan(self, record: DatasetRecord) -> Sequence[Step]:
        """The record, its metadata and each file."""
        attributes = {name: item.value for name, item in record.attributes.items()}
        return [
            Step(StepKind.RECORD, "", json.dumps(attributes, sort_keys=True)),
            Step(StepKind.METADATA, "", json.dumps(record.scientific_metadata, sort_keys=True)),
            *(Step(StepKind.FILE, file.name, file.sha256) for file in record.files),
        ]

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Follow the script; a repeated step looks whether it is there already."""
        attempt.alive()
        self.calls.append((step.kind.value, attempt.repeated))
        self.memories.append(attempt.memory)
        script = self.script.get(step.kind, [])
        said = script.pop(0) if script else None
        effect = (record.unique_id, f"{step.kind.value}:{step.key}", step.digest)
        if isinstance(said, Exception):
            attempt.remember({"begun": step.key})
            raise said
        if not (attempt.repeated and effect in self.effects):
            self.effects.append(effect)
        if isinstance(said, Crash):
            raise said.error
        return {"id": f"{step.kind.value}:{step.key}"}

    def page(self, unique_id: str) -> str | None:
        """No pages."""
        del unique_id
        return None

    def close(self) -> None:
        """Nothing to give back."""
