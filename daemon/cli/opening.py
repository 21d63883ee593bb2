"""What most commands begin with: the configuration and, for a look or a short change, the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.clock import SystemClock
from daemon.store.opening import demand_instrument, visit_store
from daemon.yamlfile import load

if TYPE_CHECKING:
    from daemon.settings import Instrument
    from daemon.store.opening import Store

config_argument = click.argument("config", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def state_of(instrument: Instrument) -> Path:
    """The instrument's state folder; `load` has set it."""
    if instrument.state is None:
        raise ValueError("the instrument was not loaded")
    return instrument.state


def visit(config: Path, *, write: bool = False) -> tuple[Instrument, Store]:
    """The instrument and its store beside a daemon that may be running. Raises ConfigurationError or StateError."""
    instrument = load(config, folders=False)
    state = state_of(instrument)
    store = visit_store(state, SystemClock(), write=write)
    try:
        demand_instrument(store.database, state, instrument.instrument)
    except BaseException:
        store.close()
        raise
    return instrument, store
