"""`labferry verify`: which local files are safe to delete, proved now, and which are not and why."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

import click

from daemon.cli.logs import only_warnings
from daemon.cli.opening import config_argument, json_option, visit
from daemon.cli.progress import Interrupt, in_order
from daemon.clock import SystemClock
from daemon.loops.backfilling import with_backfills
from daemon.loops.verifying import Checked, Verdict
from ingestors.api import display_name

if TYPE_CHECKING:
    from daemon.assembly import Connection
    from daemon.catalogs.catalog import Catalog
    from daemon.loops.localfiles import LocalFile
    from daemon.loops.verifying import Verifying
    from daemon.settings import Instrument
    from daemon.store.opening import Store

UNSAFE: Final = 3


@click.command()
@config_argument
@click.argument("path", type=click.Path(path_type=Path), required=False)
@json_option
@click.option("--list-safe0", is_flag=True, help="Print only the paths of safe files, each ended by a NUL byte.")
@click.option("--quick", is_flag=True, help="Believe the catalogs' own hashes instead of reading everything back.")
@click.option("--receipt", "session", metavar="SESSION", help="Check a session's files and print its receipt.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write there and not to stdout.")
def command(
    config: Path,
    path: Path | None,
    *,
    as_json: bool,
    list_safe0: bool,
    quick: bool,
    session: str | None,
    output: Path | None,
) -> None:
    """Prove which files at or below PATH (all, if none is named) are in every catalog, byte by byte.

    Every file is hashed now, compared with the store, and read back from each catalog. Exit code 3 if any is not safe.

    Example: labferry verify hip-microscope.yaml /data/hip/2026-11
    """
    if list_safe0 and as_json:
        raise click.UsageError("--list-safe0 and --json exclude each other.")
    if session is not None and (path is not None or list_safe0):
        raise click.UsageError("--receipt is about a whole session: without PATH and --list-safe0.")
    only_warnings()
    instrument, store = visit(config)
    instrument = with_backfills(instrument, store)
    with ExitStack() as stack:
        stack.callback(store.close)
        verifying, connections = _verifying(instrument, store, stack, quick=quick)
        if session is not None:
            sys.exit(_receipt(instrument, store, verifying, connections, session, output))
        stream = sys.stdout.buffer if output is None else stack.enter_context(output.open("wb"))
        form: _Form = _Safe0() if list_safe0 else _Json(instrument.instrument) if as_json else _Lines()
        sys.exit(_tree(instrument, verifying, path, stream, form))


def _verifying(
    instrument: Instrument, store: Store, stack: ExitStack, *, quick: bool
) -> tuple[Verifying, dict[str, Connection]]:
    from daemon.assembly import reach
    from daemon.loops.verifying import Verifying
    from daemon.watch.lease import prepare

    prepare()
    connections, problems = reach(instrument, SystemClock())
    for connection in connections.values():
        stack.callback(connection.close)
    catalogs: dict[str, Catalog | str] = {**problems}
    catalogs.update((name, connection.catalog) for name, connection in connections.items())
    interrupt = Interrupt()
    stack.callback(interrupt.end)
    return Verifying(instrument, store, catalogs, believe=quick, alive=interrupt.alive), connections


def _tree(instrument: Instrument, verifying: Verifying, path: Path | None, stream: IO[bytes], form: _Form) -> int:
    from daemon.loops.localfiles import local_files

    files = list(local_files(instrument.roots, path))
    unsafe = 0
    form.begin(stream)
    for checked in in_order("checking", files, verifying.check, _size):
        unsafe += checked.verdict is not Verdict.SAFE
        form.one(stream, checked)
        stream.flush()
    form.end(stream, len(files) - unsafe, unsafe)
    stream.flush()
    click.echo(f"{len(files) - unsafe} safe, {unsafe} not safe.", err=True)
    return UNSAFE if unsafe else 0


def _size(file: LocalFile) -> int:
    return file.fingerprint.size if file.fingerprint else 0


def _receipt(
    instrument: Instrument,
    store: Store,
    verifying: Verifying,
    connections: dict[str, Connection],
    session: str,
    output: Path | None,
) -> int:
    from daemon.cli.receipt import find_session, make_receipt

    where = {name: connection.where for name, connection in connections.items()}
    receipt = make_receipt(instrument, store, verifying, find_session(store, session), where)
    text = json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
        click.echo(f"The receipt is in {output}.", err=True)
    return 0 if receipt["complete"] else UNSAFE


class _Form(Protocol):
    """How the verdicts are written."""

    def begin(self, stream: IO[bytes]) -> None: ...
    def one(self, stream: IO[bytes], checked: Checked) -> None: ...
    def end(self, stream: IO[bytes], safe: int, unsafe: int) -> None: ...


class _Lines:
    """One line for each file, for people."""

    def begin(self, stream: IO[bytes]) -> None:
        pass

    def one(self, stream: IO[bytes], checked: Checked) -> None:
        path = display_name(checked.path)
        if checked.verdict is Verdict.SAFE:
            how = "; ".join(f"{one.catalog}: {one.how}" for one in checked.evidence)
            line = f"safe      {path}: since {(checked.since or '')[:19].replace('T', ' ')} UTC ({how})"
        else:
            line = f"NOT SAFE  {path}: {checked.why}"
        stream.write(f"{line}\n".encode("utf-8", "replace"))

    def end(self, stream: IO[bytes], safe: int, unsafe: int) -> None:
        pass


class _Safe0:
    """The paths of safe files as the file system has them, each ended by NUL: for `xargs -0`."""

    def begin(self, stream: IO[bytes]) -> None:
        pass

    def one(self, stream: IO[bytes], checked: Checked) -> None:
        if checked.verdict is Verdict.SAFE:
            stream.write(os.fsencode(checked.path) + b"\0")

    def end(self, stream: IO[bytes], safe: int, unsafe: int) -> None:
        pass


class _Json:
    """One object: `files` with a verdict each, and the counts. Written file by file."""

    def __init__(self, instrument: str) -> None:
        self._head = {"instrument": instrument, "checked_at": SystemClock().now().isoformat()}
        self._separator = b"\n"

    def begin(self, stream: IO[bytes]) -> None:
        stream.write(json.dumps(self._head).encode()[:-1] + b', "files": [')

    def one(self, stream: IO[bytes], checked: Checked) -> None:
        stream.write(self._separator + json.dumps(as_json(checked)).encode())
        self._separator = b",\n"

    def end(self, stream: IO[bytes], safe: int, unsafe: int) -> None:
        stream.write(f'\n], "safe": {safe}, "unsafe": {unsafe}}}\n'.encode())


def as_json(checked: Checked) -> dict[str, Any]:
    """A verdict as plain JSON."""
    return {
        "path": display_name(checked.path),
        "safe": checked.verdict is Verdict.SAFE,
        "verdict": checked.verdict.value,
        "why": checked.why,
        "since": checked.since,
        "size": checked.size,
        "sha256": checked.sha256,
        "dataset": checked.dataset,
        "name": checked.name,
        "catalogs": {
            one.catalog: {"file": one.ref, "proved_by": one.how, "since": one.since} for one in checked.evidence
        },
    }
