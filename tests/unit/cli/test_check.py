from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).parents[3]
SECRETS = (
    "CRUCIBLE_API_KEY",
    "LABFERRY_CRUCIBLE_API_KEY",
    "CREDENTIALS_DIRECTORY",
    "LABFERRY_STATE",
    "STATE_DIRECTORY",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a root that holds one file."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run.dat").write_text("1 2\n")
    return tmp_path


def check(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `labferry check` on a configuration as a process of its own."""
    (folder / "ab.yaml").write_text(text)
    environment = {key: value for key, value in os.environ.items() if key not in SECRETS}
    return subprocess.run(
        [sys.executable, "-c", "from daemon.cli import main; main()", "check", str(folder / "ab.yaml"), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
        timeout=60,
        env={**environment, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
    )


def report(folder: Path, text: str, *options: str) -> tuple[int, list[dict[str, str]]]:
    """The exit code and the findings."""
    done = check(folder, text, "--json", *options)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["exit_code"] == done.returncode
    assert done.stderr == ""
    return done.returncode, answer["findings"]


GOOD = "instrument: ab\nroots: [{path: data}]\nstate: state\n"


def test_a_good_configuration_is_ready(folder: Path) -> None:
    """Each thing that the service needs is one line that begins with ok, and the exit code is 0."""
    done = check(folder, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.match(r"(ok|warning) +\S", line) for line in done.stdout.splitlines())
    for sentence in ("describes the instrument ab", "can be read", "the state folder", "catalog local", "ingestors"):
        assert sentence in done.stdout
    assert not (folder / "state").exists()


def test_ten_kinds_of_mistakes_are_ten_lines(folder: Path) -> None:
    """A broken configuration prints every mistake with line and column, ends with 78 and starts nothing."""
    text = (
        "instrument: a b\n"
        "roots:\n"
        "  - path: nowhere\n"
        "  - path: data\n"
        "    inclde: ['*.h5']\n"
        "  - path: data/../data\n"
        "settle: {quiet: 2 seconds, quiet: 1s}\n"
        "session: {path: '(?P<session_name>'}\n"
        "extract: {memory: lots, timeout: [1]}\n"
        "attributes: {projet_id: x, public: yess}\n"
        "catalogs: [{type: crucibel}]\n"
        "state: data/state\n"
    )
    code, findings = report(folder, text)
    assert code == 78
    assert {finding["area"] for finding in findings} == {"configuration"}
    places = [re.match(r".*ab\.yaml:(\d+):(\d+): \S", finding["text"]) for finding in findings]
    assert [int(place[1]) for place in places if place] == [1, 3, 5, 6, 7, 7, 8, 9, 9, 10, 10, 11, 12]


def test_a_catalog_without_a_key_is_found(folder: Path) -> None:
    """No key is a failure with advice, and `--offline` leaves it out: the service works without."""
    text = GOOD + "catalogs: [{type: crucible, url: 'http://127.0.0.1:9/api/v3'}]\n"
    code, findings = report(folder, text)
    assert code == 75
    (failed,) = [finding for finding in findings if finding["health"] == "failed"]
    assert "LABFERRY_CRUCIBLE_API_KEY" in failed["text"]
    assert report(folder, text, "--offline")[0] == 0


def test_a_taken_port_is_told(folder: Path) -> None:
    """The port of the embedded catalog is tried."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        _, findings = report(folder, GOOD + f"catalogs: [{{type: local, port: {port}}}]\n", "--offline")
    assert any(f"port {port}" in finding["text"] and finding["health"] == "warning" for finding in findings)


def test_a_state_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    """A file where the state folder should be: one sentence, exit code 75."""
    (folder / "state").write_text("")
    code, findings = report(folder, GOOD, "--offline")
    assert code == 75
    failed = [finding for finding in findings if finding["health"] == "failed"]
    assert {finding["area"] for finding in failed} == {"state", "catalog"}


def test_a_name_with_a_line_end_stays_one_line(folder: Path) -> None:
    """A root's odd name cannot break the output apart."""
    (folder / "da\nta").mkdir()
    done = check(folder, 'instrument: ab\nroots: [{path: "da\\nta"}]\nstate: state\n', "--offline")
    assert done.returncode == 0
    assert all(re.match(r"(ok|warning) +\S", line) for line in done.stdout.splitlines())


def test_a_missing_file_is_a_configuration_error(folder: Path) -> None:
    """No YAML file: one sentence and 78."""
    done = subprocess.run(
        [sys.executable, "-c", "from daemon.cli import main; main()", "check", str(folder / "none.yaml")],
        capture_output=True, text=True, check=False, cwd=HOUSE, timeout=60,
    )  # fmt: skip
    assert done.returncode == 78
    assert "there is no such file" in done.stdout
