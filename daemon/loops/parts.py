"""The steps of a dataset and of its children as one delivery: in which order, and under which name the store keeps each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.catalogs.catalog import Catalog
    from daemon.model import DatasetRecord, Step
    from daemon.store.deliveries import StepRow

Key = tuple[str, str]

_THERE: Final = frozenset({StepKind.RECORD, StepKind.LINK})


def planned(catalog: Catalog, record: DatasetRecord) -> Iterator[tuple[DatasetRecord, Step]]:
    """Each step with the record that it is made for, in order. Raises CatalogRefused.

    Files before everything: no child may keep them waiting. A catalog whose own ingestors make such children looks for
    them by their names, so they are there and linked before it is asked to read the files; the rest of them comes last.
    """
    own = catalog.plan(record)
    if not record.children:
        yield from ((record, step) for step in own)
        return
    children = [(child, step) for child in record.children for step in catalog.plan(child)]
    first = next((number for number, step in enumerate(own) if step.kind is StepKind.INGESTION), len(own))
    yield from ((record, step) for step in own[:first])
    yield from ((child, step) for child, step in children if step.kind in _THERE)
    yield from ((record, step) for step in own[first:])
    yield from ((child, step) for child, step in children if step.kind not in _THERE)


def kept(part: DatasetRecord, step: Step) -> Step:
    """The step as the store keeps it: a child's stand among those of its dataset, under the child's id."""
    return replace(step, key=f"{part.unique_id} {step.key}") if part.part else step


def outcomes(record: DatasetRecord, known: Mapping[Key, StepRow]) -> dict[str, dict[Key, Mapping[str, Any]]]:
    """What the known steps gave, for the dataset (empty) and for each child by its key."""
    if not record.children:
        return {"": {key: row.outcome for key, row in known.items()}}
    parts = {child.unique_id: child.part for child in record.children}
    found: dict[str, dict[Key, Mapping[str, Any]]] = {"": {}, **{part: {} for part in parts.values()}}
    for (kind, key), row in known.items():
        child, _, rest = key.partition(" ")
        part = parts.get(child, "")
        found[part][kind, rest if part else key] = row.outcome
    return found
