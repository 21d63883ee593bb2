"""Settings that ScopeFoundry saved beside the data, against what the data file says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestors.api import Candidate, Extraction, Quantity
from ingestors.scopefoundry import ScopeFoundry
from ingestors.scopefoundry.settingsfile import merge
from tests.fakes.scopefoundry_files import Component, FakeFile

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".oracles" / "scopefoundry" / "bin" / "python"
APP = ROOT / "tests" / "fakes" / "scopefoundry_app.py"
SAVED = """[app]
wheel manipulation = True
save_dir = /home/ada/data
sample =

[hw/laser]
connected = False
power = 1.5
wavelength = 532.0
serial_number = 0042
interlock = True
limits = [0, 256, 0.5]
api_key = abc
note = 50 % of the
	maximum

[mm/sweep]
progress = 100.0
roi = [1, 2]
points = 9

[mm/another]
points = 5

[figure]
x = 1
"""
"""As ScopeFoundry 2.2.1 writes it."""


def extracted(path: Path, *settings: Path) -> Extraction:
    """What the ingestor says of a file with settings beside it."""
    return ScopeFoundry().extract(Candidate(path, settings))


def saved(folder: Path, text: str, name: str = "a_settings.ini") -> Path:
    """A file of settings."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_settings_that_only_the_file_has_are_added_and_the_others_compared(tmp_path: Path) -> None:
    """What the data file says stays; what it lacks is added and marked; where both differ, one sentence says so."""
    laser = Component(
        {
            "connected": True,
            "power": 1.25,
            "wavelength": 532,
            "limits": np.array([0, 256, 0.5]),
            "serial_number": "0042",
        },
        {"power": "mW", "wavelength": "nm"},
    )
    own = Component({"progress": 3.0, "roi": "[1, 2]"})
    path = FakeFile(measurement="sweep", hardware={"laser": laser}, own=own).write(tmp_path / "a.h5")
    before, found = extracted(path), extracted(path, saved(tmp_path, SAVED), saved(tmp_path, SAVED, "a.ini"))
    settings = found.scientific_metadata["hardware"]["laser"]["settings"]
    assert settings["power"] == Quantity(1.25, "mW")
    assert (settings["interlock"], settings["api_key"]) == (True, "…")
    assert settings["note"] == "50 % of the\nmaximum"
    assert found.scientific_metadata["app"]["settings"]["save_dir"] == "/data"
    assert found.scientific_metadata["measurement"]["sweep"]["settings"]["points"] == 9
    assert "another" not in found.scientific_metadata["measurement"]  # it was not what was measured
    about = found.scientific_metadata["settings_file"]
    assert about["files"] == ["a_settings.ini", "a.ini"]
    assert about["differs"] == {
        "app/settings/save_dir": "/home/…/data",
        "hardware/laser/settings/power": Quantity(1.5, "mW"),
    }
    assert about["added"]["hardware/laser/settings/interlock"] == "a_settings.ini"
    assert "figure" not in found.scientific_metadata
    (warning,) = [one for one in found.warnings if one not in before.warnings]
    assert warning.startswith("a_settings.ini says otherwise than the data file: ")
    assert "hardware/laser/power is 1.5 there and 1.25 mW here" in warning


def test_settings_of_older_versions_have_other_sections(tmp_path: Path) -> None:
    """Before version 2 a component's section bears its kind in full; a file with the data file's own settings says nothing more."""
    laser = {"laser": Component({"power": 1.25}, {"power": "mW"})}
    path = FakeFile(version=101, hardware=laser).write(tmp_path / "a.h5")
    found = extracted(path, saved(tmp_path, "[hardware/laser]\npower = 1.25\ngain = 1e3\n"))
    assert found.scientific_metadata["hardware"]["laser"]["settings"]["gain"] == 1000.0
    assert found.scientific_metadata["settings_file"] == {
        "files": ["a_settings.ini"],
        "added": {"hardware/laser/settings/gain": "a_settings.ini"},
    }
    assert not any("says otherwise" in warning for warning in found.warnings)


@pytest.mark.parametrize("text", ["", "no ini at all", "[a\nb", "[hw/a]\nx", "\x00" * 50, "x" * 2_000_000])
def test_what_is_no_settings_file_adds_nothing(tmp_path: Path, text: str) -> None:
    """Other files that end in .ini change no metadata; what cannot be read is a sentence."""
    merged = merge({"hardware": {}}, [saved(tmp_path, text)])
    assert merged.metadata == {"hardware": {}}
    assert len(merged.warnings) == bool(text)
    assert merge({}, [tmp_path / "gone_settings.ini"]).warnings


@given(st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4),
                       st.booleans() | st.integers(-10**17, 10**17) | st.floats() | st.lists(st.integers(), max_size=3), max_size=5))  # fmt: skip
def test_a_value_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> None:
    """Whatever ScopeFoundry writes with str() or json is the same value again, so nothing differs from the data file."""
    text = "[hw/a]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
    tree = {"hardware": {"a": {"settings": dict(settings)}}}
    merged = merge(tree, [saved(tmp_path_factory.mktemp("ini"), text)])
    assert (merged.differs, merged.warnings) == ({}, [])


@pytest.mark.oracle
@pytest.mark.slow
def test_scopefoundrys_own_settings_file(tmp_path: Path) -> None:
    """A file that ScopeFoundry itself saved after the laser was turned up: one difference, everything else agrees."""
    if not PYTHON.exists():
        pytest.skip("ScopeFoundry is not installed in .oracles/scopefoundry; `make oracle-scopefoundry` does that")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyqt6", "HOME": os.fspath(tmp_path)}
    (tmp_path / "data").mkdir()
    command = [str(PYTHON), str(APP), str(tmp_path / "data"), "settings"]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120, check=True)
    (path,), (settings,) = (list((tmp_path / "data").glob(f"*.{suffix}")) for suffix in ("h5", "ini"))
    about = extracted(path, settings).scientific_metadata["settings_file"]
    assert about == {
        "files": [settings.name],
        "differs": {"hardware/test_laser/settings/power": Quantity(1.5, "mW")},
    }
