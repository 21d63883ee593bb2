"""The command line. Each command lives in a module of its own and is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Final, NoReturn

import click

from daemon.errors import LabferryError, exhausted

COMMANDS: Final = {
    "run": ("daemon.cli.run", "Watch the instrument and deliver what it measures."),
    "check": ("daemon.cli.check", "Look whether everything that the configuration needs is there."),
    "inspect": ("daemon.cli.inspect", "Show what the ingestors make of a file."),
    "plugins": ("daemon.cli.plugins", "List the ingestors, or test one against the contract."),
    "explain": ("daemon.cli.explain", "Tell the whole story of one path."),
    "status": ("daemon.cli.status", "Show counts, queue, sessions, errors and the catalogs' health."),
    "session": ("daemon.cli.session", "Open, close and list sessions by hand."),
    "verify": ("daemon.cli.verify", "Prove which files are safe to delete, and which are not and why."),
    "rebuild": ("daemon.cli.rebuild", "Know again what a lost or damaged store knew."),
    "backfill": ("daemon.cli.backfill", "Deliver a folder of old data beside the live work."),
    "reingest": ("daemon.cli.reingest", "Read delivered datasets again and update what changed."),
    "retry": ("daemon.cli.retry", "Send parked deliveries again."),
    "drop": ("daemon.cli.drop", "Give up parked deliveries."),
    "catalog": ("daemon.cli.catalog", "Serve a local catalog: its API and its pages."),
    "demo": ("daemon.cli.demo", "A simulated instrument, the daemon and the local catalog, to look at."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table above."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; every one of them has a `command`."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labferry")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.pass_context
def cli(ctx: click.Context, *, debug: bool) -> None:
    """Ferry an instrument's measurements to the data catalog.

    Example: labferry check /etc/labferry/hip-microscope.yaml
    """
    ctx.obj = {"debug": debug}


def main() -> None:
    """Run the command line; every expected failure is one sentence on stderr and an exit code, never a traceback."""
    debug = "--debug" in sys.argv
    try:
        cli.main(standalone_mode=True)
    except LabferryError as error:
        if debug:
            raise
        _end(error)
    except (MemoryError, RuntimeError, OSError) as error:
        told = exhausted(error)
        if debug or told is None:
            raise
        _end(told)


def _end(error: LabferryError) -> NoReturn:
    click.echo(f"labferry: {error}", err=True)
    sys.exit(error.exit_code)
