"""`labferry backfill`: years of old data, beside the live work."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from daemon.cli.logs import only_warnings
from daemon.cli.opening import config_argument, json_option, state_of
from daemon.cli.progress import bar
from daemon.clock import SystemClock
from daemon.errors import NotFoundError, StateError
from daemon.loops.backfilling import ask, is_done, progress
from daemon.loops.sidecars import OWN_FILES
from daemon.patterns import PathFilter
from daemon.settings import LocalCatalog, catalogs_of
from daemon.store.opening import Ownership, open_store, visit_store
from daemon.watch.scan import walk
from daemon.yamlfile import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.settings import Instrument
    from daemon.store.opening import Store

PARKED: Final = 3
TICK_SECONDS: Final = 0.5


@click.command()
@config_argument
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only count what is there.")
@json_option
def command(config: Path, folder: Path, *, dry_run: bool, as_json: bool) -> None:
    """Deliver what lies in DIR, old data outside of the roots of CONFIG, as if the instrument had just written it.

    Live files pass it. If the daemon runs, it does the work, and this only shows how far it is; else it is done here.
    Interrupt it when you like: the daemon goes on, or the same command does.

    Example: labferry backfill hip-microscope.yaml /archive/hip --dry-run
    """
    only_warnings()
    instrument = load(config)
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 links stay links, as in the roots
    _demand_usable(instrument, absolute)
    count, size = _count(instrument, absolute)
    report: dict[str, Any] = {"folder": os.fspath(absolute), "files": count, "bytes": size}
    status = 0
    if not dry_run:
        status = _work(instrument, absolute, count, report)
    if as_json:
        click.echo(json.dumps(report))
    else:
        more = "" if dry_run else f"; {report['delivered']} are delivered, {report['parked']} entries are parked"
        click.echo(f"{count} files, {size:,} bytes{more}.", err=True)
    sys.exit(status)


def _demand_usable(instrument: Instrument, folder: Path) -> None:
    """Raise NotFoundError for a folder that cannot be backfilled."""
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", "Name the folder that holds the old data.")
    for root in instrument.roots:
        if folder.is_relative_to(root.path):
            below = "" if folder == root.path else folder.relative_to(root.path).as_posix()
            if PathFilter(root.include, root.exclude).enters(below):
                raise NotFoundError(
                    f"{folder} lies in the root {root.path}, which is watched: all of it is delivered anyway.",
                    "`labferry status CONFIG` shows how far it is.",
                )
        elif root.path.is_relative_to(folder):
            raise NotFoundError(f"The root {root.path} lies in {folder}.", "Backfill the folders beside it one by one.")
    ours = [state_of(instrument)]
    ours += [one.path for one in catalogs_of(instrument) if isinstance(one, LocalCatalog) and one.path is not None]
    for path in ours:
        if path.is_relative_to(folder):
            raise NotFoundError(f"{path} is labferry's own and lies in {folder}.", "Name a folder without it.")


def _count(instrument: Instrument, folder: Path) -> tuple[int, int]:
    """Number and bytes of the files that are wanted."""
    first = instrument.roots[0]
    count = size = 0
    for listing in walk(folder, PathFilter(first.include, (*first.exclude, *OWN_FILES))):
        count += len(listing.files)
        size += sum(fingerprint.size for fingerprint in listing.files.values())
    return count, size


def _work(instrument: Instrument, folder: Path, count: int, report: dict[str, Any]) -> int:
    """Let the daemon do it, or do it here if none runs; the exit code."""
    state = state_of(instrument)
    try:
        ownership = Ownership(state)
    except StateError:
        store = visit_store(state, SystemClock(), write=True)
        try:
            ask(store, folder, SystemClock())
            _watch(store, folder, count, lambda: None)
            return _result(store, folder, report)
        finally:
            store.close()
    with ownership:
        return _alone(instrument, state, folder, count, report)


def _alone(instrument: Instrument, state: Path, folder: Path, count: int, report: dict[str, Any]) -> int:
    from daemon.service import Service
    from daemon.watch.lease import prepare

    prepare()
    store = open_store(state, instrument.instrument, SystemClock())
    ask(store, folder, SystemClock())
    store.close()
    service = Service(instrument, state, SystemClock())
    try:
        service.start()

        def check() -> None:
            if service.failed.is_set():
                raise StateError("A part of labferry failed.", "Its words stand above; run the command again.")

        _watch(service.store, folder, count, check)
        return _result(service.store, folder, report)
    finally:
        service.stop()


def _watch(store: Store, folder: Path, count: int, check: Callable[[], None]) -> None:
    """Show how far it is until it is done."""
    clock = SystemClock()
    never = threading.Event()
    with bar("delivering", total=count) as show:
        while not is_done(store, folder):
            check()
            show(progress(store, folder), None)
            clock.wait(never, TICK_SECONDS)


def _result(store: Store, folder: Path, report: dict[str, Any]) -> int:
    report["delivered"] = progress(store, folder)
    report["parked"] = len(store.deliveries.parked()) + len(store.datasets.parked())
    return PARKED if report["parked"] else 0
