"""`labferry session`: open, close and list sessions by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.opening import config_argument, json_option, visit
from daemon.clock import SystemClock
from daemon.errors import NotFoundError
from daemon.model import SessionEvidence

if TYPE_CHECKING:
    from pathlib import Path

LISTED = 50


@click.group()
def command() -> None:
    """Open, close and list sessions by hand.

    Example: labferry session start hip-microscope.yaml "WSe2 flakes" --project MFP01234
    """


@command.command()
@config_argument
@click.argument("name")
@click.option("--project", help="Project id of its datasets.")
@click.option("--sample", "samples", multiple=True, help="A sample's name or id; may be given several times.")
@click.option("--orcid", help="ORCID of their owner.")
@click.option("--keyword", "keywords", multiple=True, help="A keyword; may be given several times.")
@click.option("--note", help="A sentence for the session's parent record.")
@json_option
def start(  # one parameter for each thing that a person may say of a session
    config: Path,
    name: str,
    project: str | None,
    samples: tuple[str, ...],
    orcid: str | None,
    keywords: tuple[str, ...],
    note: str | None,
    *,
    as_json: bool,
) -> None:
    """Open the session NAME: every dataset read from now on belongs to it, until `stop`.

    Example: labferry session start hip-microscope.yaml "WSe2 flakes" --project MFP01234 --sample "flake 3"
    """
    said: dict[str, Any] = {
        "project_id": project, "owner_orcid": orcid, "samples": list(samples), "keywords": list(keywords), "note": note,
    }  # fmt: skip
    attributes = {key: value for key, value in said.items() if value}
    clock = SystemClock()
    _, store = visit(config, write=True)
    with store.database.transaction():
        before = store.sessions.opened()
        if before is not None:
            store.sessions.close(before.id)
        key = f"opened:{clock.now().isoformat()}"
        session = store.sessions.open(SessionEvidence.PERSON, key, name, attributes, clock.now())
    store.close()
    if as_json:
        click.echo(json.dumps({"session": session, "name": name, "closed": before.name if before else None}))
        return
    if before is not None:
        click.echo(f"Session {before.name!r} is closed.", err=True)
    click.echo(f"Session {name!r} is open. Close it with `labferry session stop`.", err=True)


@command.command()
@config_argument
@json_option
def stop(config: Path, *, as_json: bool) -> None:
    """Close the session that was opened by hand.

    Example: labferry session stop hip-microscope.yaml
    """
    _, store = visit(config, write=True)
    try:
        opened = store.sessions.opened()
        if opened is None:
            raise NotFoundError("No session was opened by hand.", "`labferry session list` shows the others.")
        store.sessions.close(opened.id)
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"closed": opened.name}))
    else:
        click.echo(f"Session {opened.name!r} is closed.", err=True)


@command.command(name="list")
@config_argument
@json_option
def list_(config: Path, *, as_json: bool) -> None:
    """List the latest sessions.

    Example: labferry session list hip-microscope.yaml --json
    """
    _, store = visit(config)
    sessions = store.sessions.all(LISTED)
    store.close()
    if as_json:
        rows = [
            {
                "name": one.name,
                "state": one.state.value,
                "evidence": one.evidence.value,
                "datasets": one.count,
                "start": one.started_at.isoformat(),
                "end": one.ended_at.isoformat(),
                "attributes": one.attributes,
            }
            for one in sessions
        ]
        click.echo(json.dumps(rows))
        return
    if not sessions:
        click.echo("No sessions yet.", err=True)
    for one in sessions:
        began = one.started_at.astimezone()
        click.echo(f"{began:%Y-%m-%d %H:%M}  {one.state.value:<6}  {one.count:>5} datasets  {one.name}")
