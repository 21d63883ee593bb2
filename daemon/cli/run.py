"""`labferry run`: the service, or one pass over what is there."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

import click

from daemon import notify
from daemon.cli.logs import Mode, configure, logger
from daemon.cli.opening import config_argument, state_of
from daemon.clock import SystemClock
from daemon.errors import ConfigurationError
from daemon.extract.sandbox import installed
from daemon.service import Progress, Service
from daemon.store.opening import Ownership
from daemon.watch.lease import prepare
from daemon.yamlfile import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from daemon.settings import Instrument

log = logger("labferry.service")

OK: Final = 0
PARKED: Final = 3
BROKEN: Final = 70  # EX_SOFTWARE of sysexits.h: a bug of ours; systemd starts the service again
TRY_LATER: Final = 75
HELD_UP_SECONDS: Final = 60.0
STATUS_SECONDS: Final = 10.0
TICK_SECONDS: Final = 1.0
ONCE_TICK_SECONDS: Final = 0.1


class Signals:
    """SIGTERM and SIGINT ask to stop, SIGHUP to read the configuration again."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.stop = False
        self.reload = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True
        self.wake.set()

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
        self.wake.set()


@click.command()
@config_argument
@click.option("--once", is_flag=True, help="Deliver what is there now, until all is delivered or parked, then exit.")
@click.option(
    "--log", "log_mode", type=click.Choice(["auto", "json", "console"]), default="auto", show_default=True,
    help="How events are written to stderr; auto: JSON under systemd, else for reading.",
)  # fmt: skip
@click.pass_context
def command(ctx: click.Context, config: Path, *, once: bool, log_mode: Mode) -> None:
    """Watch the instrument of CONFIG and deliver what it measures.

    Example: labferry run hip-microscope.yaml --once
    """
    configure(log_mode, debug=bool((ctx.obj or {}).get("debug")))
    instrument = load(config, installed=installed)
    signals = Signals()
    prepare()
    status = OK
    with Ownership(state_of(instrument)) as ownership:
        while True:
            status, following = _serve(instrument, config, signals, once=once)
            if following is None:
                break
            if state_of(following) != state_of(instrument):
                ownership.move(state_of(following))
            instrument = following
    if status == BROKEN:
        sys.stderr.flush()
        os._exit(status)  # a loop that hangs must not keep the process alive
    sys.exit(status)


def _serve(instrument: Instrument, config: Path, signals: Signals, *, once: bool) -> tuple[int, Instrument | None]:
    """Run one configuration until it ends: the exit code, or the configuration that follows."""
    service = Service(instrument, state_of(instrument), SystemClock())
    following: Instrument | None = None
    try:
        service.start()
        for name, connection in service.connections.items():
            log.info("catalog.address", catalog=name, page=connection.where)
        notify.ready(service.summary())
        look = _Once(service) if once else _forever
        status, following = _wait(service, config, signals, look)
    finally:
        if following is None:  # a reload is no stop: systemd would kill what does not end then
            notify.stopping()
        service.stop()
    return status, following


def _wait(
    service: Service, config: Path, signals: Signals, look: Callable[[], int | None]
) -> tuple[int, Instrument | None]:
    clock = SystemClock()
    interval = notify.watchdog_interval()
    tick = min(TICK_SECONDS, (interval or 10.0) / 4) if look is _forever else ONCE_TICK_SECONDS
    told_at = clock.monotonic()
    late_told: list[str] = []
    while not signals.stop:
        clock.wait(signals.wake, tick)
        signals.wake.clear()
        if signals.reload:
            signals.reload = False
            following = _reloaded(config)
            if following is not None:
                return OK, following
        if service.failed.is_set():
            return BROKEN, None
        service.demand_known()
        if service.outdated:  # a folder is to be backfilled
            return OK, service.configured
        late = service.late()
        if not late:
            notify.alive()
        elif late != late_told:
            log.error("service.late", loops=late)
        late_told = late
        if clock.monotonic() - told_at > STATUS_SECONDS:
            told_at = clock.monotonic()
            notify.status(service.summary())
        status = look()
        if status is not None:
            return status, None
    return OK, None


def _forever() -> int | None:
    return None


class _Once:
    """Decides when a run with `--once` is over: when three looks in a row find nothing left to do."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clock = SystemClock()
        self._calm = 0
        self._held_up_since: float | None = None

    def __call__(self) -> int | None:
        """The exit code, or None while there is work."""
        progress = self._service.progress()
        self._calm = self._calm + 1 if progress in {Progress.DONE, Progress.PARKED} else 0
        if progress is not Progress.HELD_UP:
            self._held_up_since = None
        elif self._held_up_since is None:
            self._held_up_since = self._clock.monotonic()
        elif self._clock.monotonic() - self._held_up_since > HELD_UP_SECONDS:
            return TRY_LATER
        if self._calm < 3:  # noqa: PLR2004 see the docstring
            return None
        if self._service.problems():
            return TRY_LATER
        return PARKED if progress is Progress.PARKED else OK


def _reloaded(config: Path) -> Instrument | None:
    """The new configuration, or None if it is wrong: then the old one stays in force."""
    notify.reloading()
    try:
        instrument = load(config, installed=installed)
    except ConfigurationError as error:
        log.error("config.rejected", problems=list(error.problems))
        notify.ready("configuration rejected; the old one stays in force")
        return None
    log.info("config.reloaded", instrument=instrument.instrument)
    return instrument
