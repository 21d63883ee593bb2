"""`labferry rebuild`: a lost or damaged store is known again, from a backup, the folders and the catalogs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from daemon.cli.logs import only_warnings
from daemon.cli.opening import config_argument, json_option, state_of
from daemon.cli.progress import bar
from daemon.clock import SystemClock
from daemon.errors import StateError
from daemon.store.backups import began_anew, newest_sound, restore, set_aside
from daemon.store.database import unsound
from daemon.store.journal import stamp
from daemon.store.opening import BEGUN, MADE_NAME, REBUILDING, STORE_NAME, UNASKED, Ownership
from daemon.yamlfile import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.service import Service
    from daemon.settings import Instrument

PARKED: Final = 3
TICK_SECONDS: Final = 0.2
CALM: Final = 3
"""Looks in a row that have to find nothing left to gather."""


@click.command()
@config_argument
@click.option(
    "--from-backup",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Begin with this backup, not with the newest.",
)
@click.option("--from-scratch", is_flag=True, help="Begin with nothing, even if there is a backup or a sound store.")
@json_option
def command(config: Path, *, from_backup: Path | None, from_scratch: bool, as_json: bool) -> None:
    """Know again what the lost or damaged store of CONFIG knew. Sends nothing; run it again if it was interrupted.

    It begins with the store if that is sound, else with the newest backup, else with nothing. A store that cannot be
    used is kept aside.

    Example: labferry rebuild hip-microscope.yaml
    """
    from daemon.service import Service
    from daemon.watch.lease import prepare

    if from_backup is not None and from_scratch:
        raise click.UsageError("--from-backup and --from-scratch exclude each other.")
    only_warnings()
    instrument = load(config)
    state = state_of(instrument)
    prepare()
    with Ownership(state):
        _begin(state, from_backup, from_scratch=from_scratch)
        service = Service(instrument, state, SystemClock(), recall=True)
        try:
            report = _rebuild(service, instrument)
        finally:
            service.stop()
    if as_json:
        click.echo(json.dumps(report))
    else:
        _show(report)
    sys.exit(PARKED if report["parked"] else 0)


def _begin(state: Path, backup: Path | None, *, from_scratch: bool) -> None:
    """Put a store in place that can be built upon. What stands there and cannot be used is kept aside."""
    path = state / STORE_NAME
    wrong = unsound(path) if path.exists() else None
    if wrong:
        why = f" is damaged ({wrong}) and"
    else:
        anew = path.exists() and began_anew(path)
        why = " was begun anew while a catalog could not be asked, and" if anew else ""
    if path.exists() and (why or from_scratch or backup):
        aside = set_aside(state, SystemClock().now())
        click.echo(f"The store{why} was moved to {aside}.", err=True)
    if not path.exists() and not from_scratch:
        chosen = backup or newest_sound(state)
        if chosen is not None:
            restore(state, chosen)
            click.echo(f"It begins with the backup {chosen}.", err=True)

    if not path.exists():
        (state / MADE_NAME).unlink(missing_ok=True)
        click.echo("It begins with nothing.", err=True)


def _rebuild(service: Service, instrument: Instrument) -> dict[str, Any]:
    """Gather what is on the disk, then look for every delivery that is owed; what was found, as plain JSON."""
    clock, store = SystemClock(), service.store
    recalling = service.recalling
    missing = set(service.connections) - set(recalling.catalogs if recalling else ())
    if recalling is None or missing:
        raise StateError(
            f"{', '.join(sorted(missing))} cannot be asked what it holds.", "Leave it out of the configuration."
        )
    store.keep_fact(REBUILDING, stamp(clock.now()))
    store.deliveries.suspect()
    service.start()
    with bar("reading the folders") as show:
        _until_gathered(service, show)
    for name in service.connections:
        store.deliveries.hurry(name)
        with bar(f"asking {name}", total=store.deliveries.in_work()) as show:
            done = 0
            while _checked(service) and recalling.delivery(name):
                done += 1
                show(done, None)
    _checked(service)
    with store.database.transaction():
        for name in service.connections:
            store.deliveries.hurry(name)
        store.keep_fact(REBUILDING, "")
        store.keep_fact(BEGUN, "1")
        store.keep_fact(UNASKED, "")
    parked = len(store.deliveries.parked()) + len(store.datasets.parked())
    return {
        "instrument": instrument.instrument,
        "files": store.files.counts().get("settled", (0, 0))[0],
        "datasets": dict(store.datasets.counts()),
        "found": recalling.found,
        "owed": store.deliveries.in_work(),
        "parked": parked,
    }


def _until_gathered(service: Service, show: Callable[[float, float | None], None]) -> None:
    """Wait until everything that is on the disk was read, three looks in a row. Raises StateError if that cannot be."""
    clock = SystemClock()
    calm = 0
    while calm < CALM:
        _checked(service)
        clock.wait(service.failed, TICK_SECONDS)
        calm = calm + 1 if service.gathered() and not service.update_parents() else 0
        counts = service.store.datasets.counts()
        show(counts.get("composed", 0) + counts.get("delivered", 0), sum(counts.values()))


def _checked(service: Service) -> bool:
    """True while the rebuild can go on. Raises StateError."""
    problems = [*service.problems().values()]
    if service.recalling is not None and service.recalling.problem:
        problems.append(service.recalling.problem)
    if service.failed.is_set():
        problems.append("A part of labferry failed; its words stand above.")
    if problems:
        raise StateError(
            f"The store cannot be rebuilt now: {' '.join(problems)}",
            "Repair that, then run `labferry rebuild` again; it goes on.",
        )
    return True


def _show(report: dict[str, Any]) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(report["datasets"].items())) or "none"
    click.echo(f"{report['files']} files; datasets: {counts}.", err=True)
    click.echo(
        f"{report['found']} deliveries were found complete in the catalogs, {report['owed']} are still to be made"
        f" by the daemon, {report['parked']} are parked.",
        err=True,
    )
