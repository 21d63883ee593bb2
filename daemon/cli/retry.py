"""`labferry retry`: send what is parked again, after its cause was repaired."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from daemon.cli.opening import config_argument, json_option, visit
from daemon.cli.parked import find_parked, selection

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@selection
@json_option
def command(config: Path, idents: tuple[str, ...], catalog: str | None, *, everything: bool, as_json: bool) -> None:
    """Try what is parked again: everything, what is owed to one catalog, or the deliveries or datasets ID.

    Example: labferry retry hip-microscope.yaml 42
    """
    _, store = visit(config, write=True)
    try:
        with store.database.transaction():
            deliveries, datasets = find_parked(store, idents, catalog, everything=everything)
            for delivery in deliveries:
                store.deliveries.requeue(delivery.id)
            for dataset in datasets:
                store.datasets.retry(dataset.id, "a person asked to try again")
    finally:
        store.close()
    count = len(deliveries) + len(datasets)
    if as_json:
        click.echo(json.dumps({"retried": count}))
    else:
        click.echo(f"{count} parked {'entry is' if count == 1 else 'entries are'} tried again.", err=True)
