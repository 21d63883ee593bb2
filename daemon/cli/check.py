"""`labferry check`: whether everything is there that the configuration needs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from daemon.catalogs.catalog import Health
from daemon.cli.opening import config_argument, json_option
from daemon.cli.preflight import CONFIGURATION, OK, Look, failed, looks, ok, warning
from daemon.errors import ConfigurationError
from daemon.extract.sandbox import installed
from daemon.locations import SERVICE_FILES
from daemon.printable import escaped
from daemon.yamlfile import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red"}


@click.command()
@config_argument
@click.option("--offline", is_flag=True, help="Ask no catalog elsewhere: the service works without, and catches up.")
@json_option
def command(config: Path, *, offline: bool, as_json: bool) -> None:
    """Look whether everything that CONFIG needs is there.

    One line for each finding. Exit codes: 0 ready (warnings included), 75 something is not there now, 78 the
    configuration is wrong.

    Example: labferry check /etc/labferry/hip-microscope.yaml
    """
    found = []
    for look in _all(config, offline=offline):
        found.append(look)
        if not as_json:
            word = click.style(f"{_word(look.health):<8}", fg=_COLOURS[look.health])
            click.echo(f"{word}{escaped(look.text)}")
    code = max((look.exit_code for look in found), default=OK)
    if as_json:
        click.echo(json.dumps(_report(config, found, code), indent=2, ensure_ascii=False))
    sys.exit(code)


def _all(config: Path, *, offline: bool) -> Iterator[Look]:
    try:
        instrument = load(config, installed=installed)
    except ConfigurationError as error:
        for problem in error.problems:
            yield failed("configuration", problem, CONFIGURATION)
        return
    yield ok("configuration", f"{escaped(str(config))} describes the instrument {instrument.instrument}")
    if os.geteuid() == 0 and config.absolute().parent == SERVICE_FILES:
        yield warning(
            "configuration", "checked as root; the service's user may read less: sudo -u labferry labferry check"
        )
    yield from looks(instrument, offline=offline)


def _word(health: Health) -> str:
    return "FAILED" if health is Health.FAILED else health.value


def _report(config: Path, found: list[Look], code: int) -> dict[str, Any]:
    findings = [{"area": look.area, "health": look.health.value, "text": look.text} for look in found]
    return {"config": escaped(str(config)), "exit_code": code, "findings": findings}
