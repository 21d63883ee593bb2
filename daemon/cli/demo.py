"""`labferry demo`: a simulated instrument, the daemon and the local catalog, to look at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from daemon.clock import SystemClock
from daemon.errors import StateError
from daemon.store.opening import visit_store
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.store.opening import Store

CONFIGURATION: Final = """\
# The demo's configuration. A real one is in config/, with a comment for every option.
instrument: demo-bench
roots:
  - path: data
settle:
  quiet: 1s
attributes: {{project_id: MFP01234}}
state: state
catalogs:
  - type: local
    path: catalog
    port: {port}
"""
START_SECONDS: Final = 30.0
DONE_SECONDS: Final = 120.0
TELL: Final = {
    "file.settled": ("complete", "cyan"),
    "dataset.composed": ("read", "yellow"),
    "delivery.delivered": ("in the catalog", "green"),
    "session.open": ("new session", "magenta"),
    "delivery.waiting": ("waits", "red"),
    "catalog.down": ("catalog down", "red"),
    "ingestor.failed": ("not readable", "red"),
}


@click.command()
@click.option("--exit-when-done", is_flag=True, help="End when everything arrived, with a table of it.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to put data, state and catalog; a new folder if not given."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the catalog's pages; 0 takes a free one."
)
def command(*, exit_when_done: bool, folder: Path | None, port: int) -> None:
    """Start a simulated instrument, the daemon and the local catalog, and tell what happens.

    Example: labferry demo --exit-when-done
    """
    folder = Path(tempfile.mkdtemp(prefix="labferry-demo-")) if folder is None else folder
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "demo.yaml").write_text(CONFIGURATION.format(port=port), "utf-8")
    click.echo(f"Everything of this demo lies in {folder}.")
    with ExitStack() as stack:
        daemon = _start(["run", os.fspath(folder / "demo.yaml"), "--log", "json"], stderr=subprocess.PIPE)
        stack.callback(_end, daemon)
        teller = _Teller(daemon, folder)
        if not teller.started.wait(START_SECONDS) or daemon.poll() is not None:
            raise StateError("The daemon of the demo did not start.", "Its words stand above.")
        instrument = subprocess.Popen(
            [sys.executable, "-m", "daemon.demo.instrument", os.fspath(data)], stdout=subprocess.PIPE
        )
        stack.callback(_end, instrument)
        threading.Thread(target=_tell_instrument, args=(instrument.stdout,), daemon=True).start()
        if exit_when_done:
            _wait_until_done(folder, instrument, daemon)
            _table(folder)
        else:
            _wait_for_a_person(daemon)


def _start(arguments: list[str], stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "daemon", *arguments], stderr=stderr, stdin=subprocess.DEVNULL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait()


class _Teller:
    """Turns the daemon's log, one JSON object a line, into lines for a person."""

    def __init__(self, daemon: subprocess.Popen[bytes], folder: Path) -> None:
        self.started = threading.Event()
        self._folder = folder
        self._thread = threading.Thread(target=self._run, args=(daemon.stderr,), daemon=True)
        self._thread.start()

    def _run(self, stream: IO[bytes]) -> None:
        for event in _events(stream):
            self._tell(event)
        self.started.set()

    def _tell(self, event: dict[str, Any]) -> None:
        name = event.get("event", "")
        if name == "catalog.address":
            token = (self._folder / "catalog" / "token").read_text("ascii").strip()
            click.secho(f"\nLook at the catalog: {event['page'].rstrip('/')}/?token={token}\n", bold=True)
            self.started.set()
        elif name in TELL:
            word, colour = TELL[name]
            click.echo(f"  {click.style(f'{word:>14}', fg=colour)}  {_sentence(event)}")
        elif event.get("level") in {"error", "critical"} or "raw" in event:
            click.secho(f"  {name} {event.get('problem', event.get('raw', ''))}", fg="red")


def _events(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in stream:
        text = line.decode("utf-8", "replace").strip()
        if text.startswith("<") and text[2:3] == ">":
            text = text[3:]
        try:
            event = json.loads(text)
        except ValueError:
            event = {"raw": text}
        if isinstance(event, dict):
            yield event


def _sentence(event: dict[str, Any]) -> str:
    if event["event"] == "file.settled":
        return f"{event['path']} ({event['size']:,} bytes)"
    if event["event"] == "dataset.composed":
        return f"{event['name']}: {event['measurement'] or 'measurement unknown'}, by {event['ingestor']}, session {event['session']!r}"
    if event["event"] == "delivery.delivered":
        return f"{event['name']} after {event['seconds']:.2f} s: {event['page']}"
    return str(event.get("name") or event.get("problem") or event.get("reason") or "")


def _tell_instrument(stream: IO[bytes]) -> None:
    for line in stream:
        click.secho(f"    instrument: {line.decode().strip()}", dim=True)


def _wait_for_a_person(daemon: subprocess.Popen[bytes]) -> None:
    click.echo("Ctrl-C ends the demo.")
    try:
        daemon.wait()
    except KeyboardInterrupt:
        click.echo("\nThe demo ends.")


def _wait_until_done(folder: Path, instrument: subprocess.Popen[bytes], daemon: subprocess.Popen[bytes]) -> None:
    """Until the instrument ended and each of its files is in the catalog. Raises StateError after two minutes."""
    clock, never = SystemClock(), threading.Event()
    store = visit_store(folder / "state", clock)
    try:
        deadline = clock.monotonic() + DONE_SECONDS
        while clock.monotonic() < deadline and daemon.poll() is None:
            clock.wait(never, 0.25)
            if instrument.poll() is not None and _all_arrived(store, folder / "data"):
                return
    finally:
        store.close()
    raise StateError("Not everything arrived.", f"`labferry status {folder / 'demo.yaml'}` tells where it is.")


def _all_arrived(store: Store, data: Path) -> bool:
    on_disk = sum(path.is_file() for path in data.rglob("*"))
    settled = store.files.counts().get("settled", (0, 0))[0]
    return settled == on_disk and not store.datasets.in_work() and not store.deliveries.in_work()


def _table(folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    store = visit_store(folder / "state", SystemClock())
    table = Table(title="What arrived in the catalog", title_justify="left")
    for heading in ("dataset", "measurement", "session", "read by", "files", "pictures"):
        table.add_column(heading)
    for row in store.datasets.delivered():
        attributes = {name: value for name, (value, _) in (row.record or {})["attributes"].items()}
        table.add_row(
            display_name(str(attributes.get("dataset_name", ""))),
            str(attributes.get("measurement", "")),
            str(attributes.get("session_name", "")),
            row.ingestor,
            str(len((row.record or {})["files"])),
            str(len(store.datasets.thumbnails(row.id))),
        )
    store.close()
    Console(highlight=False).print(table)
