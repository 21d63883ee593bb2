"""`labferry plugins`: the ingestors of this installation, and the contract that a plugin's author tests against."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.opening import json_option
from daemon.errors import NotFoundError
from daemon.printable import escaped
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from daemon.extract.sandbox import Outcome, PluginRow

BUILT_IN = "built-in"


@click.group(invoke_without_command=True)
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who claims this file, in which order.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, *, files: tuple[Path, ...], as_json: bool) -> None:
    """List the ingestors that are installed, in the order in which equal claims are tried, and those that cannot load.

    Exit codes: 0, or 1 if a plugin cannot be loaded.

    Example: labferry plugins --file scan.dat
    """
    if ctx.invoked_subcommand is not None:
        return
    report = _listed(files)
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for line in _readable(report):
            click.echo(line)
    sys.exit(1 if report["load_errors"] else 0)


@command.command("test")
@click.argument("name")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--timeout", default=10.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds for each file."
)
@click.option("--memory", default=1024, show_default=True, type=click.IntRange(min=64), help="MiB for each file.")
@json_option
def test_command(name: str, files: tuple[Path, ...], *, timeout: float, memory: int, as_json: bool) -> None:
    """Test whether the ingestor NAME keeps the contract on files that it should read.

    It has to claim and read them, say the same twice, do nothing but read (no writing, no network, no processes, no
    printing), stay within time and memory, give clean values, and decline rubbish under the same names. One line for
    each check. Exit codes: 0 all are ok, 1 one failed.

    Example: labferry plugins test my-format run1.dat run2.dat
    """
    from daemon.extract.contract import checks

    plugin = _installed(name)
    found = []
    for check in checks(name, [_trial(path) for path in files], timeout=timeout, memory=memory * 2**20):
        found.append(check)
        if not as_json:
            word = click.style("ok     ", fg="green") if check.ok else click.style("failed ", fg="red")
            click.echo(f"{word} {check.check:26} {escaped(check.file)}  {escaped(check.reason)}".rstrip())
    kept = all(check.ok for check in found)
    if as_json:
        rows = [{"check": one.check, "file": one.file, "ok": one.ok, "reason": one.reason} for one in found]
        report = {"ingestor": name, "version": plugin.version, "origin": plugin.origin, "ok": kept, "checks": rows}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        failed = sum(not check.ok for check in found)
        click.echo(
            f"{name} {plugin.version} ({plugin.origin}): "
            + (f"{failed} of {len(found)} checks failed" if failed else f"all {len(found)} checks are ok")
        )
    sys.exit(0 if kept else 1)


def _installed(name: str) -> PluginRow:
    """The plugin of that name. Raises NotFoundError with what is there."""
    from daemon.extract.sandbox import installed

    rows = installed()
    for row in rows:
        if row.name == name and not row.error:
            return row
    broken = [f"{row.name} cannot be loaded: {row.error}" for row in rows if row.error and name in row.name]
    known = ", ".join(sorted(row.name for row in rows if not row.error))
    raise NotFoundError(f"There is no ingestor {name!r} here.", "; ".join(broken) or f"Installed are {known}.")


def _trial(path: Path) -> Any:
    from daemon.cli.inspect import beside
    from daemon.extract.contract import Trial

    here = path.absolute()
    return Trial(here, tuple(here.parent / name for name in beside(path)))


def _listed(files: Sequence[Path]) -> dict[str, Any]:
    """The report that other programs read."""
    from daemon.extract.sandbox import installed

    rows = installed()
    good = sorted((row for row in rows if not row.error), key=lambda row: (row.origin == BUILT_IN, row.name))
    return {
        "ingestors": [
            {"order": number, "name": row.name, "version": row.version, **_origin(row)}
            for number, row in enumerate(good, 1)
        ],
        "load_errors": [{"plugin": row.name, **_origin(row), "reason": row.error} for row in rows if row.error],
        "files": list(_ranked(files)),
    }


def _origin(row: PluginRow) -> dict[str, Any]:
    """The distribution that brought it, and its version."""
    import importlib.metadata

    if row.origin == BUILT_IN:
        return {
            "distribution": "labferry",
            "distribution_version": importlib.metadata.version("labferry"),
            "built_in": True,
        }
    name, _, version = row.origin.rpartition(" ")
    return {"distribution": name, "distribution_version": version, "built_in": False}


def _ranked(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The claims on each file, best first, and which of them are equally specific."""
    from daemon.extract.sandbox import Sandbox
    from daemon.settings import Extract

    trials = [_trial(path) for path in files]
    limits = Extract()
    sandbox = Sandbox(timeout=limits.timeout, memory=limits.memory)
    try:
        for trial in trials:
            outcome: Outcome = sandbox.extract(trial.path, trial.companions)
            yield {
                "file": display_name(str(trial.path)),
                "claims": [
                    {"ingestor": one.ingestor, "specificity": one.specificity, "reason": one.reason}
                    for one in outcome.claims
                ],
                "ties": [list(group) for group in outcome.ties],
            }
    finally:
        sandbox.close()


def _readable(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person."""
    yield "The most specific claim on a file wins; equal ones are tried in this order:"
    for one in report["ingestors"]:
        origin = BUILT_IN if one["built_in"] else f"{one['distribution']} {one['distribution_version']}"
        yield f"{one['order']:3}  {one['name']:20} {one['version']:10} {origin}"
    for one in report["load_errors"]:
        word = click.style("failed", fg="red")
        yield f"{word}  {escaped(one['plugin'])} ({one['distribution']} {one['distribution_version']}): {escaped(one['reason'])}"
    for one in report["files"]:
        yield click.style(escaped(one["file"]), bold=True)
        for claim in one["claims"]:
            yield f"{claim['specificity']:5}  {claim['ingestor']:20} {escaped(claim['reason'])}"
        for group in one["ties"]:
            yield f"  tie  {', '.join(group)} claim it equally; the first of them reads it"
