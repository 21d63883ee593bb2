"""Every command says what it does, with an example, and the README knows it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from daemon.cli import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


def leaves(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command, or those of a group, with the words that call it."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves((*words, name), below)
    else:
        yield words, command


LEAVES = [
    leaf for name, (module, _) in COMMANDS.items() for leaf in leaves((name,), importlib.import_module(module).command)
]


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_a_command_has_help_with_an_example_and_is_in_the_readme(
    words: tuple[str, ...], command: click.Command
) -> None:
    """`--help` names every option with a sentence and gives an example; the README's table has command and options."""
    answer = CliRunner().invoke(cli, [*words, "--help"])
    assert answer.exit_code == 0
    assert f"Example: labferry {' '.join(words)}" in " ".join(answer.output.split())
    row = next(line for line in README.splitlines() if line.startswith(f"| `labferry {' '.join(words)}"))
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, parameter.name
            for option in parameter.opts:
                assert option in row or option == "--json", option


def test_the_list_of_commands_needs_none_of_them() -> None:
    """`labferry --help` shows every command with its sentence."""
    text = CliRunner().invoke(cli, ["--help"]).output
    for name, (_, sentence) in COMMANDS.items():
        assert name in text
        assert sentence in " ".join(text.split())
