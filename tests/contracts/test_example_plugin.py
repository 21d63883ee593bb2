"""The README's plugin, as a distribution installed into a fresh environment: found, picked before the built-in, and sound."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).parents[2]
EXAMPLE = HOUSE / "tests" / "example_plugin"
README = (HOUSE / "README.md").read_text("utf-8")
LOG = EXAMPLE / "run1.dat"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that sees this one's labferry, with the example installed from its source by a real installer."""
    uv = shutil.which("uv") or HOUSE / ".uv" / "bin" / "uv"
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    python = folder / "venv" / "bin" / "python"
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    install = (uv, "pip", "install", "--quiet", "--no-deps", "--python", python, folder / "source")
    if subprocess.run([*map(str, install), "--offline"], capture_output=True, check=False, timeout=60).returncode:
        run(*install)  # its build tool is fetched the first time
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    Path(packages, "labferry-from-outside.pth").write_text(line)
    return python


def run(*command: object) -> str:
    """The standard output of a command that has to succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def labferry(python: Path, *arguments: object) -> Any:
    """What a command prints as JSON."""
    return json.loads(run(python, "-m", "daemon", *arguments, "--json"))


def test_the_example_is_the_one_in_the_readme() -> None:
    """Whoever copies from the README gets what is tested here; both files together have at most 40 lines."""
    files = [EXAMPLE / "labferry_tinytherm.py", EXAMPLE / "pyproject.toml"]
    for path in files:
        assert path.read_text("utf-8").rstrip() in README
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) <= 40


def test_it_is_listed_with_its_distribution(python: Path) -> None:
    """`labferry plugins` knows who brought it, in front of the built-in ones."""
    (first, *_) = labferry(python, "plugins")["ingestors"]
    assert first == {
        "order": 1, "name": "tinytherm", "version": "1",
        "distribution": "labferry-tinytherm", "distribution_version": "1.0", "built_in": False,
    }  # fmt: skip


def test_it_is_picked_before_the_built_in_for_its_files(python: Path, tmp_path: Path) -> None:
    """Its own file is read by it although the table reader claims it too; another `.dat` file is not."""
    report = labferry(python, "inspect", LOG)
    claims = {claim["ingestor"]: claim["specificity"] for claim in report["claims"]}
    assert report["ingestor"] == "tinytherm"
    assert claims["tinytherm"] == 50
    assert claims["dat"] <= 50
    assert report["attributes"]["timestamp"] == "2026-11-21T14:30:00+01:00"
    assert report["samples"] == [{"name": "WSe2 flake 3", "unique_id": None}]
    assert report["scientific_metadata"]["duration"] == {"value": 59.5, "unit": "s"}
    assert report["scientific_metadata"]["table"]["rows"] == 120
    assert report["scientific_metadata"]["labferry"]["units"] == {"s": "s", "degC": "Cel"}
    assert [picture["caption"] for picture in report["thumbnails"]] == ["temperature"]
    assert report["warnings"] == []
    other = tmp_path / "other.dat"
    other.write_text("# another\n" + "".join(f"{x};{x}\n" for x in range(20)))
    assert labferry(python, "inspect", other)["ingestor"] == "dat"


def test_it_keeps_the_contract(python: Path) -> None:
    """The suite that its author runs finds nothing."""
    report = labferry(python, "plugins", "test", "tinytherm", LOG)
    assert (report["ok"], report["origin"]) == (True, "labferry-tinytherm 1.0")
