"""The ingestor that a configuration names: one for every file or by pattern, and a mistake if it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.errors import ConfigurationError
from daemon.extract.outcome import PluginRow
from daemon.yamlfile import load

if TYPE_CHECKING:
    from pathlib import Path

START = "instrument: ab\nroots: [{path: data}]\n"
INSTALLED = [
    PluginRow("dat", "1", "built-in"),
    PluginRow("xy", "1", "built-in"),
    PluginRow("mine = mine:Mine", "", "mine 2.0", "ImportError: no licence"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a root called `data`."""
    (tmp_path / "data").mkdir()
    return tmp_path


def write(folder: Path, text: str) -> Path:
    """Write the configuration."""
    path = folder / "i.yaml"
    path.write_text(START + text)
    return path


def test_one_name_stands_for_every_file(folder: Path) -> None:
    """Both forms become names by pattern, in the order of the file."""
    assert load(write(folder, "ingestor: xy\n"), installed=lambda: INSTALLED).ingestor == {"**": "xy"}
    by_pattern = load(write(folder, 'ingestor: {"*.q": dat, "*": xy}\n'), installed=lambda: INSTALLED).ingestor
    assert list(by_pattern.items()) == [("*.q", "dat"), ("*", "xy")]


def test_nobody_is_asked_for_ingestors_that_are_not_named(folder: Path) -> None:
    """Without the option no worker has to be started to read a configuration."""
    assert load(write(folder, ""), installed=lambda: pytest.fail("it was asked")).ingestor == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ingestor: yx\n", "3:1: ingestor: there is no ingestor 'yx'; installed are dat, xy"),
        ('ingestor:\n  "*.q": yx\n', "4:3: ingestor['*.q']: there is no ingestor 'yx'; installed are dat, xy"),
        (
            "ingestor: mine\n",
            "3:1: ingestor: there is no ingestor 'mine'; installed are dat, xy; mine = mine:Mine cannot be loaded: ImportError: no licence",
        ),
        (
            "ingestor: [xy]\n",
            '3:1: ingestor: should be an ingestor\'s name, or names by pattern, such as {"*.dat": xy}',
        ),
        ('ingestor: {"*.q": 3}\n', "3:12: ingestor['*.q']: should be the name of an ingestor"),
        (
            'ingestor: {"../x": xy}\n',
            "3:12: ingestor['../x']: the pattern '../x' leads out of the root; write it relative to the root, without '..'",
        ),
    ],
)
def test_a_wrong_name_or_pattern_is_told_with_its_place(folder: Path, text: str, problem: str) -> None:
    """Line and column, what is wrong, and which ingestors there are."""
    path = write(folder, text)
    with pytest.raises(ConfigurationError) as caught:
        load(path, installed=lambda: INSTALLED)
    assert caught.value.problems == (f"{path}:{problem}",)


def test_a_template_with_an_unknown_field_is_told_with_its_place(folder: Path) -> None:
    """Templates are checked when the file is read, not when the first dataset comes."""
    path = write(folder, 'attributes:\n  dataset_name: "{measurment} {sample}"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    said = "has the field {measurment}, which no dataset has; did you mean 'measurement'?"
    assert caught.value.problems == (f"{path}:4:3: attributes.dataset_name: {said}",)
