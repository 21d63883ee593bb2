from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[3] / "systemd"
UNIT = SYSTEMD / "labferry@.service"
ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def directives() -> dict[str, list[str]]:
    """The unit's directives by name, in their order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of systemd's and keep what it says."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


@needs_analyze
def test_the_unit_is_valid(tmp_path: Path) -> None:
    """Systemd knows every line, once the commands point to a program that is there."""
    text = UNIT.read_text("utf-8").replace("/opt/labferry/bin/labferry", "/bin/true")
    unit = tmp_path / "labferry@hip.service"
    unit.write_text(text)
    done = run(str(ANALYZE), "verify", "--man=no", str(unit))
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


@needs_analyze
def test_the_service_is_hardened() -> None:
    """The exposure is at most 1.5."""
    done = run(str(ANALYZE), "security", "--offline=true", "--no-pager", str(UNIT))
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= 1.5


def test_restarts_go_by_the_exit_codes() -> None:
    """75 is tried again for ever, 78 never."""
    unit = directives()
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartForceExitStatus"] == ["75"]
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert unit["StartLimitIntervalSec"] == ["0"]


def test_a_reload_validates_first() -> None:
    """The check stands before the signal, and needs no network."""
    unit = directives()
    check = "/opt/labferry/bin/labferry check --offline /etc/labferry/%i.yaml"
    assert unit["ExecReload"] == [check, "/bin/kill -HUP $MAINPID"]
    assert unit["ExecStartPre"] == [check]


def test_each_line_that_can_hurt_says_how() -> None:
    """Directives that hide files or forbid calls have a comment right above that says whom it hurts."""
    text = UNIT.read_text("utf-8")
    for name in (
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectSystem",
        "MemoryDenyWriteExecute",
        "RestrictAddressFamilies",
    ):
        above = text[: text.index(f"\n{name}=")].splitlines()
        comment: list[str] = []
        while above and above[-1].startswith("#"):
            comment.insert(0, above.pop())
        assert "HURTS" in "\n".join(comment), name


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_the_user_is_declared(tmp_path: Path) -> None:
    """systemd-sysusers understands the file and makes the user that the unit names."""
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", str(SYSTEMD / "sysusers.d" / "labferry.conf"))
    assert done.returncode == 0, done.stderr
    users = (tmp_path / "etc" / "passwd").read_text()
    assert directives()["User"] == ["labferry"]
    assert users.startswith("labferry:")


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd-tmpfiles is not installed")
def test_the_folders_are_declared(tmp_path: Path) -> None:
    """systemd-tmpfiles makes the folder of the YAML files, and the one of the keys for root alone."""
    done = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", str(SYSTEMD / "tmpfiles.d" / "labferry.conf"))
    if "Failed to" in done.stderr and done.returncode:
        pytest.skip(done.stderr.splitlines()[0])
    assert (tmp_path / "etc" / "labferry").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc" / "credstore").stat().st_mode & 0o777 == 0o700


def test_the_inotify_limits_are_raised() -> None:
    """The file speaks sysctl and never asks for less than what kernels allow by themselves."""
    parser = configparser.ConfigParser()
    parser.read_string("[sysctl]\n" + (SYSTEMD / "sysctl.d" / "60-labferry.conf").read_text())
    limits = {name: int(value) for name, value in parser["sysctl"].items()}
    assert limits["fs.inotify.max_user_watches"] >= 1_048_576
    assert limits["fs.inotify.max_user_instances"] > 128
    assert limits["fs.inotify.max_queued_events"] > 16384
