"""`labferry status`: counts, queue, sessions, last errors and the catalogs' health, from the store alone."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from daemon.cli.opening import config_argument, json_option, visit
from daemon.store.files import joined
from ingestors.api import display_name

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.settings import Instrument
    from daemon.store.deliveries import DeliveryRow
    from daemon.store.opening import Store

LISTED: Final = 10
WATCH_SECONDS: Final = 2.0
PARKED: Final = 3


@click.command()
@config_argument
@json_option
@click.option("--watch", is_flag=True, help="Show it again every two seconds until Ctrl-C.")
def command(config: Path, *, as_json: bool, watch: bool) -> None:
    """Show where everything of CONFIG's instrument is. Exit code 3 if something is parked.

    Example: labferry status hip-microscope.yaml --watch
    """
    instrument, store = visit(config)
    try:
        while True:
            report = collect(instrument, store)
            if as_json:
                click.echo(json.dumps(report))
            else:
                if watch and sys.stdout.isatty():
                    click.clear()
                show(report)
            if not watch:
                break
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        store.close()
    sys.exit(PARKED if report["parked"] else 0)


def collect(instrument: Instrument, store: Store) -> dict[str, Any]:
    """The whole status as plain JSON."""
    failing = store.deliveries.failing(LISTED)
    parked = store.datasets.parked()
    return {
        "instrument": instrument.instrument,
        "roots": [_root(store, root.path) for root in instrument.roots],
        "files": {state: {"count": count, "bytes": size} for state, (count, size) in store.files.counts().items()},
        "datasets": dict(store.datasets.counts()),
        "deliveries": _deliveries(store),
        "sessions": [
            {
                "name": session.name,
                "state": session.state.value,
                "evidence": session.evidence.value,
                "datasets": session.count,
                "start": session.started_at.isoformat(),
                "end": session.ended_at.isoformat(),
            }
            for session in store.sessions.all(LISTED)
        ],
        "unsettled": [
            {"path": display_name(row.path), "reason": row.reason or "not looked at yet", "since": row.first_seen}
            for row in store.files.unsettled()[:LISTED]
        ],
        "errors": [_error(delivery) for delivery in failing],
        "parked": [
            *({"dataset": row.id, "path": display_name(row.key or ""), "reason": row.reason} for row in parked),
            *(_error(delivery) for delivery in store.deliveries.parked()),
        ],
    }


def _deliveries(store: Store) -> dict[str, dict[str, int]]:
    """Numbers by catalog and state; what a catalog does not want is told apart from what it has."""
    counts = store.deliveries.counts()
    for catalog, reason, count in store.deliveries.skipped():
        counts[catalog]["delivered"] -= count
        counts[catalog][reason] = count
    return counts


def _root(store: Store, path: Path) -> dict[str, Any]:
    problem, mode = store.roots.state(path)
    shown = display_name(os.fspath(path))
    return {"path": shown, "problem": problem, "watched": mode, "scanned_at": store.roots.scanned_at(path)}


def _error(delivery: DeliveryRow) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "catalog": delivery.catalog,
        "dataset": delivery.unique_id,
        "path": None if delivery.key is None else display_name(joined(b"", delivery.key)),
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "error": delivery.error,
        "next_try": None if delivery.not_before is None else delivery.not_before.isoformat(),
    }


def show(report: dict[str, Any]) -> None:
    """Print the status for a person."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(report["instrument"], style="bold"))
    for root in report["roots"]:
        style = "red" if root["problem"] else ""
        text = root["problem"] or f"{root['watched'] or 'never scanned'}; last scan {root['scanned_at'] or 'never'}"
        console.print(Text(f"  {root['path']}: {text}", style=style))
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("", "counts"):
        table.add_column(heading)
    table.add_row("files", _counts({state: value["count"] for state, value in report["files"].items()}))
    table.add_row("datasets", _counts(report["datasets"]))
    for catalog, counts in report["deliveries"].items():
        table.add_row(f"to {catalog}", _counts(counts))
    console.print(table)
    _list(
        console,
        "Sessions",
        [f"{one['name']}: {one['datasets']} datasets, {one['state']}" for one in report["sessions"]],
    )
    _list(console, "Not complete yet", [f"{one['path']}: {one['reason']}" for one in report["unsettled"]])
    _list(
        console,
        "Waiting after an error",
        [
            f"{one['path'] or one['dataset']} to {one['catalog']}, try {one['attempts']}: {one['error']}"
            for one in report["errors"]
            if one["state"] == "waiting"
        ],
    )
    _list(
        console,
        "Parked: a person has to look (`labferry retry` or `drop`)",
        [
            f"delivery {one['delivery']} of {one['path'] or one['dataset']} to {one['catalog']}: {one['error']}"
            if "delivery" in one
            else f"{one['path']}: {one['reason']}"
            for one in report["parked"]
        ],
        style="red",
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"


def _list(console: Any, heading: str, lines: list[str], style: str = "") -> None:
    from rich.text import Text

    if lines:
        console.print(Text(heading, style=f"bold {style}".strip()))
        for line in lines:
            console.print(Text(f"  {line}"))
