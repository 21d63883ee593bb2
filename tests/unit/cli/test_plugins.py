"""`labferry plugins`: what is installed, and the contract suite, with plugins that keep it and plugins that break it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from daemon.cli import cli
from daemon.extract.confinement import KNOWS_SCOPES, landlock_version

if TYPE_CHECKING:
    from collections.abc import Iterator

FAKES = Path(__file__).parents[2] / "fakes"
pytestmark = pytest.mark.timeout(120)  # the suite reads every file twice, in processes of its own

SPECTRUM = "# a\n" + "".join(f"{x}\t{x * x}\n" for x in range(50))


@pytest.fixture
def plugins_installed() -> Iterator[None]:
    """The troublesome plugins, installed as far as Python can tell."""
    sys.path.append(str(FAKES / "troublesome"))
    yield
    sys.path.remove(str(FAKES / "troublesome"))


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    answer = CliRunner().invoke(cli, ["plugins", *arguments, "--json"])
    report: dict[str, Any] = json.loads(answer.stdout)
    return answer.exit_code, report


def failed(report: dict[str, Any]) -> dict[str, str]:
    """The checks that failed, with their reasons."""
    return {one["check"]: one["reason"] for one in report["checks"] if not one["ok"]}


def test_the_list_names_order_packages_and_load_errors(plugins_installed: None) -> None:
    """Others come before built-ins, each with the distribution that brought it; one that cannot load is exit code 1."""
    code, report = run()
    rows = {one["name"]: one for one in report["ingestors"]}
    assert code == 1
    assert [one["order"] for one in report["ingestors"]] == list(range(1, len(rows) + 1))
    assert [rows["calm"]["order"], rows["trouble"]["order"]] == [1, 2]
    assert (rows["trouble"]["version"], rows["trouble"]["distribution"], rows["trouble"]["distribution_version"]) == (
        "6.6", "troublesome-ingestors", "1.0",
    )  # fmt: skip
    assert (rows["hdf5"]["built_in"], rows["hdf5"]["distribution"]) == (True, "labferry")
    reasons = {one["plugin"].partition(" ")[0]: one["reason"] for one in report["load_errors"]}
    assert reasons["unloadable"] == "RuntimeError: this plugin needs a licence dongle"


def test_the_list_for_people_names_the_same(plugins_installed: None, tmp_path: Path) -> None:
    """One line for each ingestor and each load error; with a file also who claims it."""
    path = tmp_path / "fine.trouble"
    path.write_text("x")
    answer = CliRunner().invoke(cli, ["plugins", "--file", str(path)])
    lines = answer.stdout.splitlines()
    assert any(line.split()[1:] == ["trouble", "6.6", "troublesome-ingestors", "1.0"] for line in lines)
    assert any(line.startswith("failed") and "licence dongle" in line for line in lines)
    assert any(line.split()[:2] == ["90", "trouble"] for line in lines)


def test_claims_and_ties_of_a_file_are_listed(tmp_path: Path) -> None:
    """The claims on a file stand there best first; those that are equally specific are a tie."""
    path = tmp_path / "scan.dat"
    path.write_text(SPECTRUM)
    code, report = run("--file", str(path))
    (file,) = report["files"]
    assert code == 0
    assert [one["specificity"] for one in file["claims"]] == sorted(
        (one["specificity"] for one in file["claims"]), reverse=True
    )
    by_specificity: dict[int, list[str]] = {}
    for one in file["claims"]:
        by_specificity.setdefault(one["specificity"], []).append(one["ingestor"])
    assert file["ties"] == [group for group in by_specificity.values() if len(group) > 1]


def test_a_built_in_keeps_the_contract(tmp_path: Path) -> None:
    """The table reader passes every check on a table, and says what it did."""
    path = tmp_path / "scan.dat"
    path.write_text(SPECTRUM)
    code, report = run("test", "dat", str(path))
    assert (code, report["ok"], failed(report)) == (0, True, {})
    assert {one["check"] for one in report["checks"]} == {
        "claims it", "reads it", "says it cleanly", "repeats itself", "writes nothing", "calls nobody",
        "starts no process", "prints nothing", "stays in bounds", "declines an empty file", "declines random bytes",
        "declines text without data", "survives its half",
    }  # fmt: skip


BROKEN = {
    "hang": ("stays in bounds", "it took longer than 1 s"),
    "bytes_bomb": ("stays in bounds", "it needed more memory than it may have"),
    "raise": ("reads it", "ZeroDivisionError: division by zero"),
    "chatter": ("prints nothing", "'hellohello"),
    "nonsense": ("says it cleanly", "the attribute 'colour' is none of a dataset's"),
    "leave_children": ("starts no process", "subprocess.Popen"),
    "fine": ("declines random bytes", "it claims it (it smells of trouble) and reads"),
    "moody": ("repeats itself", "two runs differ in attributes, keywords"),
}


def test_the_contract_speaks_of_children_too(plugins_installed: None, tmp_path: Path) -> None:
    """Children with keys that differ and names pass; one without a name, with a key that is taken or an id of its own is told."""
    paths = {deed: tmp_path / f"{deed}.trouble" for deed in ("parts", "nonsense")}
    for path in paths.values():
        path.write_text("x")
    _, report = run("test", "trouble", *map(str, paths.values()))
    said = {one["file"]: one for one in report["checks"] if one["check"] == "says it cleanly"}
    assert said["parts.trouble"]["ok"]
    assert "2 children" in next(one["reason"] for one in report["checks"] if one["check"] == "reads it")
    for told in ("another child has the same key", "it has no dataset_name", "names a unique_id", "the key is no text"):
        assert told in said["nonsense.trouble"]["reason"]


def test_each_broken_promise_is_found(plugins_installed: None, tmp_path: Path) -> None:
    """Each kind of misbehaviour fails the check that is about it, with what happened, and the exit code is 1."""
    paths = [tmp_path / f"{deed}.trouble" for deed in sorted(BROKEN, key=lambda deed: deed != "fine")]
    for path in paths:
        path.write_text("x")
    code, report = run("test", "trouble", *map(str, paths), "--timeout", "1", "--memory", "512")
    assert (code, report["ok"]) == (1, False)
    for deed, (check, reason) in BROKEN.items():
        (said,) = [one for one in report["checks"] if (one["file"], one["check"]) == (f"{deed}.trouble", check)]
        assert (said["ok"], reason in said["reason"]) == (False, True), said


@pytest.mark.skipif(landlock_version() < KNOWS_SCOPES, reason="this kernel has no Landlock, or an older one")
def test_a_plugin_that_meddles_is_told_on(plugins_installed: None, tmp_path: Path) -> None:
    """Attempts to write and to call somebody are named, although none of them succeeds."""
    path = tmp_path / "meddle.trouble"
    path.write_text("9")
    _, report = run("test", "trouble", str(path))
    assert "opened" in failed(report)["writes nothing"]
    assert "socket" in failed(report)["calls nobody"]
    assert [one.name for one in tmp_path.iterdir()] == ["meddle.trouble"]


def test_an_unknown_name_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """Who asks for an ingestor that is not there hears what is."""
    from daemon.errors import NotFoundError  # noqa: PLC0415 raised through click

    answer = CliRunner().invoke(cli, ["plugins", "test", "nobody", "x.dat"])
    assert isinstance(answer.exception, NotFoundError)
    assert "Installed are" in str(answer.exception)
