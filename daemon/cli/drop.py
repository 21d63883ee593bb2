"""`labferry drop`: give up what is parked. The files stay where they are, and the journal keeps the story."""

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
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(
    config: Path, idents: tuple[str, ...], catalog: str | None, *, everything: bool, yes: bool, as_json: bool
) -> None:
    """Give up what is parked: everything, what is owed to one catalog, or the deliveries or datasets ID. No file is touched anywhere.

    Example: labferry drop hip-microscope.yaml 42
    """
    _, store = visit(config, write=True)
    try:
        deliveries, datasets = find_parked(store, idents, catalog, everything=everything)
        count = len(deliveries) + len(datasets)
        if count and not yes:
            click.confirm(f"Give up {count} parked {'entry' if count == 1 else 'entries'}?", abort=True, err=True)
        with store.database.transaction():
            for delivery in deliveries:
                store.deliveries.drop(delivery.id)
                store.datasets.delivered_if_all(delivery.dataset)
            for dataset in datasets:
                store.datasets.drop(dataset.id)
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"dropped": count}))
    else:
        click.echo(f"{count} parked {'entry was' if count == 1 else 'entries were'} given up.", err=True)
