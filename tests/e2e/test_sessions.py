"""Which session a dataset belongs to, by each kind of evidence, from the disk to the catalog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Bench, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(90)
TABLE = b"".join(b"%d %d\n" % (n, n * n) for n in range(20))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One daemon whose path pattern names a project and a session, for files in folders such as MFP00001/films/."""
    session = {"path": "(?P<project_id>MFP\\d+)/(?P<session_name>[^/]+)/", "gap": "45min"}
    with Bench(tmp_path_factory.mktemp("sessions"), session=session, settle={"quiet": "200ms"}) as bench:
        yield bench


def record(bench: Bench, path: str, content: bytes = TABLE) -> dict[str, Any]:
    """Write a file and give its dataset in the catalog."""
    (bench.data / path).parent.mkdir(parents=True, exist_ok=True)
    (bench.data / path).write_bytes(content)
    found: dict[str, Any] = bench.catalog.get(f"datasets/{bench.delivered(path)}")
    return found


def labferry(bench: Bench, *arguments: str) -> Any:
    """What a command says as JSON."""
    command = [sys.executable, "-m", "daemon", *arguments[:2], os.fspath(bench.config), *arguments[2:], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_path_names_project_and_session(bench: Bench) -> None:
    """The named groups of the path pattern are the dataset's project and session."""
    found = record(bench, "MFP00001/films/a.xy")
    assert (found["project_id"], found["session_name"]) == ("MFP00001", "films")


def test_the_run_folder_names_the_session_when_nothing_better_does(bench: Bench) -> None:
    """A file in a plain folder belongs to the session of that folder, and so does its neighbour."""
    assert record(bench, "tuesday/a.xy")["session_name"] == record(bench, "tuesday/b.xy")["session_name"] == "tuesday"


def test_a_session_file_in_the_folder_is_stronger_than_the_path(bench: Bench) -> None:
    """`session.yaml` names the session and what it provides; it is evidence and no dataset."""
    folder = bench.data / "MFP00002" / "from path"
    folder.mkdir(parents=True)
    (folder / "session.yaml").write_text(
        "name: named by hand\nowner_orcid: 0000-0002-1825-0097\nkeywords: [raman]\n", "utf-8"
    )
    found = record(bench, "MFP00002/from path/a.xy")
    assert found["session_name"] == "named by hand"
    assert found["owner_orcid"] == "0000-0002-1825-0097"
    assert not [event for event in bench.daemon.named("file.settled") if event["path"].endswith("session.yaml")]


def test_files_without_any_hint_share_a_session_until_a_pause(bench: Bench) -> None:
    """Two files in the root within the gap are one session with a name made of instrument and time."""
    first, second = record(bench, "lone 1.xy"), record(bench, "lone 2.xy")
    assert first["session_name"] == second["session_name"]
    assert first["session_name"].startswith("test-bench 20")


def test_a_long_pause_begins_another_session(bench: Bench) -> None:
    """A file that was last written two hours earlier is of another sitting."""
    now = record(bench, "now.xy")
    folder = bench.folder / "outside"
    folder.mkdir()
    (folder / "earlier.xy").write_bytes(TABLE)
    then = (bench.data / "now.xy").stat().st_mtime - 7200
    os.utime(folder / "earlier.xy", (then, then))
    (folder / "earlier.xy").rename(bench.data / "earlier.xy")
    earlier = bench.catalog.get(f"datasets/{bench.delivered('earlier.xy')}")
    assert earlier["session_name"] != now["session_name"]


def test_a_session_opened_by_hand_has_everything_until_it_is_closed(bench: Bench) -> None:
    """`session start` wins over path and folder with all that it provides; after `session stop` the path counts again."""
    started = labferry(
        bench, "session", "start", "WSe2 flakes", "--project", "MFP09999", "--orcid", "0000-0002-1825-0097", "--keyword", "flake",
        "--sample", "flake 3", "--note", "cold",
    )  # fmt: skip
    assert (started["name"], started["closed"]) == ("WSe2 flakes", None)
    found = record(bench, "MFP00003/by path/a.xy")
    assert (found["session_name"], found["project_id"]) == ("WSe2 flakes", "MFP09999")
    assert found["owner_orcid"] == "0000-0002-1825-0097"
    words = bench.catalog.get(f"datasets/{found['unique_id']}/keywords")
    assert "flake" in {word if isinstance(word, str) else word["keyword"] for word in words}
    assert labferry(bench, "session", "stop") == {"closed": "WSe2 flakes"}
    assert record(bench, "MFP00003/by path/b.xy")["session_name"] == "by path"
    listed = {one["name"]: one for one in labferry(bench, "session", "list")}
    assert (listed["WSe2 flakes"]["state"], listed["WSe2 flakes"]["datasets"]) == ("closed", 1)


def test_every_dataset_is_part_of_its_sessions_parent(bench: Bench) -> None:
    """The session's parent dataset is in the catalog, with a link from each of its datasets and their number."""
    datasets = [record(bench, f"counted/{number}.xy", TABLE + b"%d 0\n" % number)["unique_id"] for number in range(3)]
    parents = {
        link["unique_id"]
        for dataset in datasets
        for link in bench.catalog.get(f"resources/{dataset}/links")
        if link["relationship_type"] == "is_part_of"
    }
    assert len(parents) == 1
    parent = parents.pop()
    assert bench.catalog.get(f"datasets/{parent}")["session_name"] == "counted"

    def counted() -> bool:
        said = bench.catalog.get(f"resources/{parent}/metadata")["scientific_metadata"]
        return bool(said["session"]["number_of_datasets"] == len(datasets))

    eventually(counted, "the parent's number of datasets")
