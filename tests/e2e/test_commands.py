"""The reading and repairing commands on a real state folder: JSON that parses, exit codes, the story of each state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.crucible import KEY, FakeCrucible, detail
from tests.fakes.httpserver import Reply, Seen, serve
from tests.harness import Bench, Daemon, configuration, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)
CORPUS = Path(__file__).parents[1] / "data" / "corpus"
TABLE = b"".join(b"%d %d\n" % (n, n * n) for n in range(20))


def labferry(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command; never a traceback."""
    command = [sys.executable, "-m", "daemon", *(os.fspath(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def as_json(*arguments: str | Path) -> tuple[int, Any]:
    """Exit code and the parsed stdout of a command with --json."""
    status, out, said = labferry(*arguments, "--json")
    assert out, said
    return status, json.loads(out)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One daemon for the commands that look; empty files wait for a minute here."""
    settle = {"quiet": "200ms", "empty": "60s"}
    folder = tmp_path_factory.mktemp("commands")
    root = {"path": "data", "exclude": ["**/*.tmp"]}
    with Bench(folder, settle=settle, roots=[root], scan={"every": "1s", "every_without_events": "1s"}) as bench:
        yield bench


def test_the_story_of_a_delivered_file(bench: Bench) -> None:
    """`explain` gives the hash, the dataset with the source of each attribute, the delivery and a journal in order."""
    (bench.data / "told.xy").write_bytes(TABLE)
    dataset = bench.delivered("told.xy")
    status, story = as_json("explain", bench.config, bench.data / "told.xy")
    assert status == 0
    assert story["known"]
    assert story["file"]["state"] == "settled"
    assert len(story["file"]["sha256"]) == 64
    assert story["dataset"]["unique_id"] == dataset
    assert story["dataset"]["ingestor"]
    assert story["dataset"]["attributes"]["instrument_id"] == {"value": "test-bench", "from": "configuration"}
    assert [one["state"] for one in story["deliveries"]] == ["delivered"]
    events = [line["event"] for line in story["journal"]]
    assert events[0] == "file.seen"
    assert events.index("file.settled") < events.index("dataset.composed") < events.index("delivery.delivered")
    assert story["next"] == "Nothing: every catalog has it."
    assert "file.settled" in labferry("explain", bench.config, bench.data / "told.xy")[1]


def test_the_story_of_a_file_that_waits(bench: Bench) -> None:
    """A file that a program holds open, and an empty one, are explained by what they wait for."""
    (bench.data / "empty.xy").write_bytes(b"")
    with (bench.data / "open.xy").open("wb") as stream:
        stream.write(TABLE)
        stream.flush()

        def said(name: str, words: str) -> bool:
            story = as_json("explain", bench.config, bench.data / name)[1]
            return words in story["next"] and story["file"]["state"] == "settling"

        eventually(lambda: said("open.xy", "open for writing"), "the reason of the open file")
        eventually(lambda: said("empty.xy", "content"), "the reason of the empty file")
        status, report = as_json("status", bench.config)
        assert status == 0
        assert {one["path"] for one in report["unsettled"]} >= {"open.xy", "empty.xy"}


def test_the_story_of_a_file_that_went_away(bench: Bench) -> None:
    """A deleted file keeps its story, and the end of it says that the catalogs keep theirs."""
    (bench.data / "gone.xy").write_bytes(TABLE)
    bench.delivered("gone.xy")
    (bench.data / "gone.xy").unlink()
    bench.daemon.wait_for("file.vanished", path="gone.xy")
    status, story = as_json("explain", bench.config, bench.data / "gone.xy")
    assert (status, story["file"]["state"]) == (0, "vanished")
    assert "stays there" in story["next"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("data/never there.xy", "no such file"), ("data/left out.tmp", "leave it out"), ("data/link.xy", "symbolic link"),
        ("data", "folder"), ("elsewhere.xy", "below no root"),
    ],
)  # fmt: skip
def test_the_story_of_what_is_not_known(bench: Bench, path: str, word: str) -> None:
    """For every other path `explain` says why nothing happens to it, and ends with 1."""
    (bench.data / "left out.tmp").write_bytes(b"x")
    if not (bench.data / "link.xy").is_symlink():
        (bench.data / "link.xy").symlink_to(bench.config)
    status, story = as_json("explain", bench.config, bench.folder / path)
    assert (status, story["known"]) == (1, False)
    assert word in story["next"]


def test_status_counts_what_is_there(bench: Bench) -> None:
    """`status` gives counts by state, the roots, the sessions, and what is parked, for people and for programs."""
    (bench.data / "counted.xy").write_bytes(TABLE)
    bench.delivered("counted.xy")
    status, report = as_json("status", bench.config)
    assert status == 0
    assert report["instrument"] == "test-bench"
    assert report["files"]["settled"]["count"] >= 1
    assert report["deliveries"]["local"]["delivered"] >= 1
    assert report["roots"][0]["problem"] == ""
    assert report["roots"][0]["scanned_at"]
    assert report["parked"] == []
    shown = labferry("status", bench.config)
    assert (shown[0], "settled" in shown[1]) == (0, True)


def test_commands_without_a_store_say_how_one_is_made(tmp_path: Path) -> None:
    """Before the first run every command that needs the store ends with 75 and one sentence."""
    config = configuration(tmp_path)
    for command in (
        ("status", config),
        ("explain", config, tmp_path / "data" / "x"),
        ("retry", config),
        ("session", "list", config),
    ):
        status, out, said = labferry(*command)
        assert (status, out, said.count("\n")) == (75, "", 1)
        assert "first `labferry run`" in said


def test_commands_with_a_wrong_configuration_end_with_78(tmp_path: Path) -> None:
    """Every command says what is wrong with the configuration, with its place."""
    config = tmp_path / "wrong.yaml"
    config.write_text("instrument: hip\nroot: []\n", "utf-8")
    for command in (
        ("status",),
        ("retry",),
        ("drop",),
        ("session", "list"),
        ("session", "stop"),
        ("run", "--once"),
    ):
        status, out, said = labferry(*command[:2] if command[0] == "session" else command[:1], config, *command[2:])
        assert (status, out) == (78, "")
        assert "wrong.yaml:2:1" in said


def test_inspect_shows_what_is_read_from_a_real_file() -> None:
    """`inspect --json` prints one object with the ingestor, its claims and the metadata; a missing file ends with 1."""
    file = CORPUS / "xy" / "LIPRAS" / "PZT-001.xy"
    status, report = as_json("inspect", file)
    assert status == 0
    assert report["claims"][0]["ingestor"] == report["ingestor"]
    assert report["attributes"]["dataset_name"] == "PZT-001"
    status, out, said = labferry("inspect", CORPUS / "nothing.xy", "--json")
    assert (status, out) == (1, "")
    assert "nothing.xy" in said


def refuse_records(seen: Seen) -> Reply | None:
    """What Crucible answers when a person must look: a record that it understood and does not want."""
    return (
        detail(422, "measurement: not in this project")
        if seen.method == "POST" and seen.path.endswith("/datasets")
        else None
    )


def test_what_a_catalog_refuses_is_parked_retried_and_dropped(tmp_path: Path) -> None:
    """A refused delivery ends `run --once` and `status` with 3; `retry` sends it again; `drop` gives it up."""
    fake = FakeCrucible()
    fake.instruments = ["test-bench"]
    fake.refuse = refuse_records
    with serve(fake.answer) as url:
        catalog = {"type": "crucible", "url": f"{url}/api/v3"}
        config = configuration(
            tmp_path, catalogs=[catalog], attributes={"project_id": "MFP12345"}, session={"parent": False}
        )
        path = tmp_path / "data" / "refused.xy"
        path.write_bytes(TABLE)
        (tmp_path / "data" / "other.xy").write_bytes(TABLE + b"0 0\n")
        environment = {"LABFERRY_CRUCIBLE_API_KEY": KEY, "HOME": os.fspath(tmp_path)}
        assert Daemon(config, environment=environment).start("--once").wait() == 3
        status, report = as_json("status", config)
        assert (status, len(report["parked"])) == (3, 2)
        assert "not in this project" in report["parked"][0]["error"]
        assert "labferry retry" in as_json("explain", config, path)[1]["next"]
        assert labferry("retry", config, "no-such-id")[0] == 1
        assert labferry("retry", config, "--all", "1")[0] == 2
        assert as_json("retry", config, "--catalog", "another") == (0, {"retried": 0})
        assert as_json("retry", config, str(report["parked"][0]["delivery"])) == (0, {"retried": 1})
        fake.refuse = lambda _: None
        assert Daemon(config, environment=environment).start("--once").wait() == 3
        assert len(fake.datasets) == 1
        assert labferry("drop", config)[0] == 1, "nobody there to say yes"
        assert as_json("drop", config, "--yes") == (0, {"dropped": 1})
        assert as_json("status", config)[0] == 0
        assert Daemon(config, environment=environment).start("--once").wait() == 0
        assert len(fake.datasets) == 1
