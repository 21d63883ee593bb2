"""`labferry reingest`: read delivered datasets again, because a plugin can do more now, and update what changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from daemon.cli.opening import config_argument, json_option, visit
from daemon.loops.reingesting import Request
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@click.option("--ingestor", metavar="NAME", help="Only what this ingestor read.")
@click.option("--since", type=click.DateTime(), help="Only what was first seen since (local time).")
@json_option
def command(config: Path, *, ingestor: str | None, since: datetime | None, as_json: bool) -> None:
    """Read delivered datasets of CONFIG again and update metadata and pictures in the catalogs where they changed.

    What a person provided or corrected in a catalog stays. The daemon does it beside its work, whenever it runs.

    Example: labferry reingest hip-microscope.yaml --ingestor scopefoundry --since 2026-11-01
    """
    _, store = visit(config, write=True)
    try:
        datasets = store.datasets
        moment = None if since is None else stamp(since.astimezone(UTC))
        with store.database.transaction():
            last = datasets.last_id()
            count = len(datasets.to_reingest(0, last, ingestor, moment, limit=-1))
            if count:
                Request(0, last, ingestor, moment).keep(store)
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"datasets": count}))
    else:
        click.echo(f"{count} {'dataset is' if count == 1 else 'datasets are'} read again.", err=True)
