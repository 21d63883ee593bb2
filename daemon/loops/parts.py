"""The steps of a dataset and of its children as one delivery: in which order, and under which name the store keeps each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.catalogs.catalog import Catalog
    from daemon.model import DatasetRecord, Step
    from daemon.store.deliveries import StepRow

Key = tuple[str, str]


def planned(catalog: Catalog, record: DatasetRecord) -> Iterator[tuple[DatasetRecord, Step]]:
    """Each step with the record that it is made for, in order. Raises CatalogRefused.

    The children come right behind the dataset's own first step: a catalog whose own ingestors make such children looks
    for them by their names, so they have to be there before it gets the files.
    """
    own = catalog.plan(record)
    yield from ((record, step) for step in own[:1])
    for child in record.children:
        yield from ((child, step) for step in catalog.plan(child))
    yield from ((record, step) for step in own[1:])


def kept(part: DatasetRecord, step: Step) -> Step:
    """The step as the store keeps it: a child's stand among those of its dataset, under the child's id."""
    return replace(step, key=f"{part.unique_id} {step.key}") if part.part else step


def outcomes(record: DatasetRecord, known: Mapping[Key, StepRow]) -> dict[str, dict[Key, Mapping[str, Any]]]:
    """What the known steps gave, for the dataset (empty) and for each child by its key."""
    parts = {child.unique_id: child.part for child in record.children}
    found: dict[str, dict[Key, Mapping[str, Any]]] = {"": {}, **{part: {} for part in parts.values()}}
    for (kind, key), row in known.items():
        child, _, rest = key.partition(" ")
        part = parts.get(child, "")
        found[part][kind, rest if part else key] = row.outcome
    return found
