"""`labferry explain`: the whole story of one path, and what happens next."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.assembly import atproto
from daemon.atproto_settings import AtProtoCatalog
from daemon.cli.opening import config_argument, json_option, visit
from daemon.clock import SystemClock
from daemon.errors import NotFoundError
from daemon.loops.backfilling import with_backfills
from daemon.model import DatasetState, DeliveryState, FileState, StepKind
from daemon.patterns import PathFilter
from daemon.record_json import from_json
from daemon.settings import catalogs_of
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.model import DatasetRecord, Journal
    from daemon.settings import Instrument, Root
    from daemon.store.datasets import DatasetRow
    from daemon.store.deliveries import DeliveryRow, StepRow
    from daemon.store.files import FileRow
    from daemon.store.opening import Store


@click.command()
@config_argument
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@click.option(
    "--preview", metavar="CATALOG", help="Print what would be published of PATH's dataset in this catalog of open data."
)
def command(config: Path, path: Path, *, as_json: bool, preview: str | None) -> None:
    """Tell what happened to PATH, why, and what comes next.

    Example: labferry explain hip-microscope.yaml /data/hip/261121_101500_scan.h5
    """
    instrument, store = visit(config)
    try:
        if preview is not None:
            click.echo(
                json.dumps(
                    previewed(instrument, store, path, preview), indent=None if as_json else 2, ensure_ascii=False
                )
            )
            return
        story = tell(with_backfills(instrument, store), store, path) | {"if_rewritten": rewritten(instrument)}
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(story))
    else:
        _show(story)
    sys.exit(0 if story["known"] else 1)


def rewritten(instrument: Instrument) -> dict[str, str]:
    """What becomes of a file in each catalog that is rewritten after it was delivered; one that only grew is replaced."""
    return {one.name: one.rewritten for one in catalogs_of(instrument)}


def previewed(instrument: Instrument, store: Store, path: Path, catalog: str) -> dict[str, Any]:
    """What the catalog of open data would show of the path's dataset, as plain JSON; asks nobody. Raises NotFoundError."""
    settings = next((one for one in catalogs_of(instrument) if one.name == catalog), None)
    if not isinstance(settings, AtProtoCatalog):
        raise NotFoundError(f"{catalog!r} is no catalog of open data here.", "Name one of `type: atproto`.")
    record = _record(instrument, store, path)
    if record is None:
        raise NotFoundError(f"The dataset of {path} is not composed yet.", "Ask again when the daemon has read it.")
    adapter = atproto(settings, instrument, SystemClock())
    try:
        return adapter.preview(record)
    finally:
        adapter.close()


def _record(instrument: Instrument, store: Store, path: Path) -> DatasetRecord | None:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 a symbolic link is itself, not its target
    root = next((root for root in instrument.roots if absolute.is_relative_to(root.path)), None)
    row_id = None if root is None else store.roots.find(root.path)
    row = (
        None
        if root is None or row_id is None
        else store.files.by_path(row_id, absolute.relative_to(root.path).as_posix())
    )
    dataset = None if row is None or row.dataset is None else store.datasets.get(row.dataset)
    if dataset is None or dataset.record is None or dataset.unique_id is None:
        return None
    thumbnails = store.datasets.thumbnails(dataset.id)
    return from_json(dataset.record, unique_id=dataset.unique_id, revision=dataset.revision, thumbnails=thumbnails)


def tell(instrument: Instrument, store: Store, path: Path) -> dict[str, Any]:
    """The story as plain JSON: `known`, `file`, `dataset`, `deliveries`, `journal`, `next`."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 a symbolic link is itself, not its target
    root = next((root for root in instrument.roots if absolute.is_relative_to(root.path)), None)
    story: dict[str, Any] = {"path": display_name(os.fspath(absolute)), "known": False, "journal": []}
    if root is None:
        return {**story, "next": "It lies below no root of this instrument, so it is never looked at."}
    relative = absolute.relative_to(root.path).as_posix()
    row_id = store.roots.find(root.path)
    row = None if row_id is None else store.files.by_path(row_id, relative)
    if row is None:
        return {**story, "next": _unknown(root, absolute, relative)}
    dataset = None if row.dataset is None else store.datasets.get(row.dataset)
    deliveries = [] if dataset is None else store.deliveries.of_dataset(dataset.id)
    return {
        **story,
        "known": True,
        "file": _file(row),
        "dataset": None if dataset is None else _dataset(dataset) | _children(store, dataset, deliveries),
        "deliveries": [_delivery(store, delivery) for delivery in deliveries],
        "journal": [_line(entry) for entry in _journal(store, row, dataset, deliveries)],
        "next": _next(row, dataset, deliveries),
    }


def _unknown(root: Root, absolute: Path, relative: str) -> str:
    if not os.path.lexists(absolute):
        return "There is no such file, and the store never knew one."
    if absolute.is_symlink():
        return "It is a symbolic link; labferry never follows them. Name its target's folder as a root."
    if absolute.is_dir():
        return "It is a folder; ask for a file in it."
    if not PathFilter(root.include, root.exclude).wants(relative):
        return "The patterns of `include` and `exclude` leave it out."
    return "It was not seen yet. The next scan finds it; if the daemon does not run, start it."


def _file(row: FileRow) -> dict[str, Any]:
    return {
        "state": row.state.value,
        "reason": row.reason,
        "size": row.fingerprint.size,
        "sha256": None if row.digests is None else row.digests.sha256,
        "first_seen": row.first_seen,
        "settled_at": row.settled_at,
        "role": row.role,
    }


def _dataset(row: DatasetRow) -> dict[str, Any]:
    record = row.record or {}
    return {
        "unique_id": row.unique_id,
        "state": row.state.value,
        "reason": row.reason,
        "revision": row.revision,
        "ingestor": row.ingestor,
        "attributes": {
            name: {"value": value, "from": source} for name, (value, source) in record.get("attributes", {}).items()
        },
        "warnings": record.get("warnings", []),
    }


def _children(store: Store, row: DatasetRow, deliveries: list[DeliveryRow]) -> dict[str, Any]:
    """The child datasets, if there are any: of this revision, and of earlier ones, each with the catalogs that have it."""
    record = row.record or {}
    known = [
        {"key": child["part"], "unique_id": child["unique_id"], "name": child["attributes"]["dataset_name"][0]}
        for child in record.get("children", ())
    ]
    told: dict[str, Any] = {"children": known, "former_children": record.get("former_children", [])}
    if not any(told.values()):
        return {}
    there: dict[str, list[str]] = {}
    for catalog in sorted({delivery.catalog for delivery in deliveries}):
        for (kind, key), step in store.deliveries.steps(row.id, catalog).items():
            if kind == StepKind.RECORD and step.done:
                there.setdefault(key.partition(" ")[0], []).append(catalog)
    return {
        name: [child | {"in": there.get(child["unique_id"], [])} for child in children]
        for name, children in told.items()
        if children
    }


def _delivery(store: Store, row: DeliveryRow) -> dict[str, Any]:
    steps = store.deliveries.steps(row.dataset, row.catalog)
    return {
        "delivery": row.id,
        "catalog": row.catalog,
        "state": row.state.value,
        "revision": row.revision,
        "attempts": row.attempts,
        "error": row.error,
        "not_before": None if row.not_before is None else row.not_before.isoformat(),
        "delivered_at": row.delivered_at,
        "steps_done": sum(step.done for step in steps.values()),
        "files": {
            key: {"how": step.outcome.get("how", "")} | _ingestion(steps.get((StepKind.INGESTION, key)))
            for (kind, key), step in steps.items()
            if kind == StepKind.FILE and step.done
        },
    }


def _ingestion(step: StepRow | None) -> dict[str, Any]:
    """What the catalog's own ingestors made of a file, if they were asked."""
    status = None if step is None else step.outcome.get("status")
    return {} if status in {None, "not_requested"} else {"ingestion": status}


def _journal(store: Store, row: FileRow, dataset: DatasetRow | None, deliveries: list[DeliveryRow]) -> list[Journal]:
    entries = store.journal.of("file", row.id)
    if dataset is not None:
        entries += store.journal.of("dataset", dataset.id)
    for delivery in deliveries:
        entries += store.journal.of("delivery", delivery.id)
    return sorted(entries, key=lambda entry: entry.at)


def _line(entry: Journal) -> dict[str, Any]:
    return {"at": entry.at.isoformat(), "event": entry.event, **entry.detail}


def _next(row: FileRow, dataset: DatasetRow | None, deliveries: list[DeliveryRow]) -> str:  # noqa: PLR0911 one sentence for each state
    if row.state in {FileState.SEEN, FileState.SETTLING}:
        return f"It waits until it is complete: {row.reason or 'not looked at yet'}."
    if row.state is FileState.VANISHED:
        return "It is no longer at its path. What the catalogs have of it stays there."
    if row.state is FileState.IGNORED:
        return "The patterns of `include` and `exclude` leave it out."
    if dataset is None:
        return "It is complete and waits for its dataset."
    if dataset.state is DatasetState.PARKED:
        return f"Its dataset is parked: {dataset.reason}. `labferry retry` tries again."
    if dataset.state is DatasetState.WAITING:
        return f"Its dataset waits: {dataset.reason or 'a member is not complete'}."
    if dataset.state in {DatasetState.READY, DatasetState.EXTRACTING}:
        return "It will be read next."
    open_ones = [delivery for delivery in deliveries if delivery.state is not DeliveryState.DELIVERED]
    if not open_ones:
        return "Nothing: every catalog has it."
    return " ".join(_outlook(delivery) for delivery in open_ones)


def _outlook(delivery: DeliveryRow) -> str:
    if delivery.state is DeliveryState.PARKED:
        return f"{delivery.catalog} refused it: {delivery.error} `labferry retry CONFIG {delivery.id}` tries again."
    if delivery.state is DeliveryState.WAITING:
        return f"{delivery.catalog}: next try at {delivery.not_before}, because: {delivery.error}"
    return (
        f"{delivery.catalog}: it is being sent."
        if delivery.state is DeliveryState.SENDING
        else f"{delivery.catalog}: it is queued."
    )


def _show_children(title: str, children: Iterable[dict[str, Any]]) -> None:
    for child in children:
        where = f"in {', '.join(child['in'])}" if child["in"] else "in no catalog yet"
        click.echo(f"  {title} {child['key']}: {child['name']} ({child['unique_id']}), {where}")


def _held(deliveries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What each catalog has of the dataset, or why it has nothing."""
    for delivery in deliveries:
        if delivery["state"] == DeliveryState.DELIVERED and delivery["error"]:
            yield f"{delivery['catalog']}: {delivery['error']}"
        for name, file in delivery["files"].items():
            told = [word for word in (file["how"], file.get("ingestion") and f"ingestion {file['ingestion']}") if word]
            yield f"{delivery['catalog']} has {name}" + (f" ({', '.join(told)})" if told else "")


def _show(story: dict[str, Any]) -> None:
    click.echo(click.style(story["path"], bold=True))
    for entry in story["journal"]:
        detail = ", ".join(f"{key} {value}" for key, value in entry.items() if key not in {"at", "event"})
        click.echo(f"  {entry['at'][:19].replace('T', ' ')}  {entry['event']:<22} {detail}")
    dataset = story.get("dataset")
    if dataset:
        click.echo(f"Dataset {dataset['unique_id'] or '(no id yet)'}, read by {dataset['ingestor'] or 'nobody yet'}:")
        for name, item in sorted(dataset["attributes"].items()):
            click.echo(f"  {name:<18} {item['value']}  ({item['from']})")
        for warning in dataset["warnings"]:
            click.echo(f"  warning: {warning}")
        _show_children("Child dataset", dataset.get("children", ()))
        _show_children("No longer in the file, kept in the catalogs:", dataset.get("former_children", ()))
    for line in dict.fromkeys(_held(story.get("deliveries", ()))):  # every revision's delivery tells the same files
        click.echo(line)
    click.echo(f"Next: {story['next']}")
    if any(delivery["state"] == DeliveryState.DELIVERED for delivery in story.get("deliveries", ())):
        words = {"version": "keeps both contents", "replace": "keeps the new one"}
        policies = ", ".join(f"{name} {words[policy]}" for name, policy in story["if_rewritten"].items())
        click.echo(f"If it grows, its new content takes the old one's place; if it is rewritten, {policies}.")
