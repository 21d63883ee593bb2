"""The looks of `labferry check`: one sentence for each thing that the service needs. Each look writes at most a test file."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon import assembly
from daemon.catalogs.catalog import Health
from daemon.clock import SystemClock
from daemon.errors import LabferryError
from daemon.extract.sandbox import Sandbox
from daemon.locations import user_name
from daemon.patterns import PathFilter
from daemon.settings import LocalCatalog, catalogs_of
from daemon.watch.filesystems import is_shared_type, mount_of
from daemon.watch.lease import leases_work, prepare
from daemon.watch.roots import events_work, identify
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.settings import ElsewhereCatalog, Instrument, Root

OK: Final = 0
TRY_LATER: Final = 75
CONFIGURATION: Final = 78
_PATIENCE: Final = 10.0
_INOTIFY: Final = Path("/proc/sys/fs/inotify")
_LITTLE_SPACE: Final = 1 << 30
_LEASES_OFF: Final = "the daemon waits a quiet period of {seconds:g} s instead (`settle.quiet_without_leases`)"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. `area` is configuration, installation, root, state, catalog or plugins."""

    area: str
    health: Health
    text: str
    exit_code: int = OK


def ok(area: str, text: str) -> Look:
    """All is well."""
    return Look(area, Health.OK, text)


def warning(area: str, text: str) -> Look:
    """It works, but a person should know."""
    return Look(area, Health.WARNING, text)


def failed(area: str, text: str, exit_code: int = TRY_LATER) -> Look:
    """The service cannot do its work so."""
    return Look(area, Health.FAILED, text, exit_code)


def looks(instrument: Instrument, *, offline: bool) -> Iterator[Look]:
    """Every look at a configuration that was read, the quick ones first. `offline`: without asking catalogs elsewhere."""
    prepare()
    yield from installation()
    folders = 0
    for root in instrument.roots:
        count, found = _root(root, instrument)
        folders += count
        yield from found
    yield from _limits(folders)
    yield from _state(instrument)
    for catalog in catalogs_of(instrument):
        if isinstance(catalog, LocalCatalog):
            yield from _local(catalog)
        elif not offline:
            yield from _elsewhere(catalog, instrument)
    yield from _plugins(instrument)


def installation() -> Iterator[Look]:
    """Whether another package brought modules of the same names: PyPI's python-daemon does."""
    names = importlib.metadata.packages_distributions()
    foreign = sorted({other for module in ("daemon", "ingestors") for other in names.get(module, ())} - {"labferry"})
    if foreign:
        text = f"the package {', '.join(foreign)} brings a module of the same name as labferry's; install labferry into an environment of its own"
        yield failed("installation", text, CONFIGURATION)


def _root(root: Root, instrument: Instrument) -> tuple[int, list[Look]]:
    """The number of folders below a root, and what was found."""
    shown = display_name(str(root.path))
    try:
        identity = identify(root.path)
    except LabferryError as error:
        return 0, [failed("root", str(error))]
    wanted, folders, complete, sample = _walk(root)
    counted = f"{'' if complete else 'more than '}{folders} folders, {wanted} wanted files"
    found = [ok("root", f"{shown} can be read ({identity.filesystem}; {counted})")]
    if complete and not wanted:
        found.append(warning("root", f"{shown} holds no file that `include` and `exclude` want yet"))
    if root.events == "never" or not events_work(identity):
        why = "as configured" if root.events == "never" else f"{identity.filesystem} tells no events"
        every = instrument.scan.every_without_events
        found.append(ok("root", f"{shown} is scanned every {every:g} s, {why}"))
        folders = 0
    found.append(_leases(shown, sample, instrument))
    return folders, found


def _leases(shown: str, sample: Path | None, instrument: Instrument) -> Look:
    otherwise = _LEASES_OFF.format(seconds=instrument.settle.quiet_without_leases)
    if sample is None:
        return ok("root", f"{shown} holds no file to try a lease on; if leases don't work, {otherwise}")
    try:
        reason = leases_work(sample)
    except OSError as error:
        text = f"{display_name(str(sample))} cannot be opened by the user {user_name()}: {error.strerror}; give read rights"
        return warning("root", text)
    if reason is None:
        return ok("root", f"leases work in {shown}: the kernel tells who has a file open for writing")
    return warning("root", f"leases don't work in {shown} ({reason}); {otherwise}")


def _walk(root: Root) -> tuple[int, int, bool, Path | None]:
    """Wanted files, folders, whether that is all of them, and a wanted file."""
    wants = PathFilter(root.include, root.exclude)
    end = time.monotonic() + _PATIENCE
    waiting, wanted, folders = [""], 0, 0
    sample: Path | None = None
    while waiting:
        folder = waiting.pop()
        folders += 1
        if time.monotonic() > end:
            return wanted, folders, False, sample
        with contextlib.suppress(OSError), os.scandir(root.path / folder) as entries:
            for entry in entries:
                relative = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if wants.enters(relative):
                        waiting.append(relative)
                elif entry.is_file(follow_symlinks=False) and wants.wants(relative):
                    wanted += 1
                    sample = sample or Path(entry.path)
    return wanted, folders, True, sample


def _limits(folders: int) -> Iterator[Look]:
    """Each folder takes one inotify watch, and they count for the user."""
    try:
        watches = int((_INOTIFY / "max_user_watches").read_text())
    except (OSError, ValueError):
        return
    if folders > 0.8 * watches:
        text = f"{folders} folders need as many inotify watches and the limit is {watches}; raise fs.inotify.max_user_watches (sysctl.d/60-labferry.conf), or the rest is only scanned"
        yield warning("root", text)
    else:
        yield ok("root", f"{folders} folders are within the limit of {watches} inotify watches")


def _state(instrument: Instrument) -> Iterator[Look]:
    if instrument.state is not None:
        yield from _own_folder("state", "the state folder", instrument.state)


def _own_folder(area: str, what: str, folder: Path) -> Iterator[Look]:
    """A folder that labferry writes to: try it, where it is there already."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    shown = display_name(str(folder))
    try:
        descriptor = os.open(there, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            filesystem = mount_of(descriptor).filesystem
        finally:
            os.close(descriptor)
        if there == folder:
            with tempfile.TemporaryFile(dir=folder) as stream:
                stream.write(b"labferry")
                stream.flush()
                os.fsync(stream.fileno())
        elif not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
            yield failed(area, f"{what} {shown} cannot be made: the user {user_name()} may not write to {there}")
            return
    except OSError as error:
        yield failed(area, f"{what} {shown} cannot be written by the user {user_name()}: {error.strerror or error}")
        return
    if is_shared_type(filesystem):
        text = f"{what} {shown} is on a network share ({filesystem}), where a database is not safe; choose a local disk"
        yield failed(area, text, CONFIGURATION)
    free = shutil.disk_usage(there).free
    space = f"{free / 1e9:.1f} GB free"
    yield (
        ok(area, f"{what} {shown} can be written ({space})")
        if free > _LITTLE_SPACE
        else warning(area, f"{what} {shown} has only {space}; make room")
    )


def _local(catalog: LocalCatalog) -> Iterator[Look]:
    if catalog.path is not None:
        yield from _own_folder("catalog", f"the folder of the catalog {catalog.name}", catalog.path)
    if catalog.port:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", catalog.port))
            except OSError as error:
                text = f"port {catalog.port} of the catalog {catalog.name} is taken ({error.strerror}); if not by labferry itself, set another `port:`"
                yield warning("catalog", text)


def _elsewhere(catalog: ElsewhereCatalog, instrument: Instrument) -> Iterator[Look]:
    try:
        adapter = assembly.elsewhere(catalog, instrument, SystemClock())
    except LabferryError as error:
        yield failed("catalog", f"{catalog.name}: {error}")
        return
    try:
        for finding in adapter.check():
            yield Look(
                "catalog",
                finding.health,
                f"{catalog.name}: {finding.text}",
                TRY_LATER if finding.health is Health.FAILED else OK,
            )
    finally:
        adapter.close()


def _plugins(instrument: Instrument) -> Iterator[Look]:
    """Start a worker as the service would: its memory limit is tried too."""
    sandbox = Sandbox(timeout=instrument.extract.timeout, memory=instrument.extract.memory)
    try:
        rows = sandbox.plugins()
    except LabferryError as error:
        yield failed("plugins", str(error))
        return
    finally:
        sandbox.close()
    good = [f"{row.name} {row.version}".strip() for row in rows if not row.error]
    yield (
        ok("plugins", f"{len(good)} ingestors: {', '.join(good)}")
        if good
        else failed("plugins", "there is no ingestor; install labferry anew")
    )
    for row in rows:
        if row.error:
            yield warning("plugins", f"the ingestor {row.name} ({row.origin}) cannot be used: {row.error}")
    names = [row.name for row in rows if not row.error]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield warning("plugins", f"two ingestors are called {name}; uninstall one of the packages")
