"""From files, people and paths to records and sessions, through a real store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from daemon.extract.sandbox import Outcome
from daemon.model import DatasetState, DeliveryState, SessionEvidence, SessionState
from daemon.record_json import from_json
from tests.fakes.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.model import DatasetRecord
    from daemon.store.sessions import SessionRow

MFID = "0tcgwd0v35ttq000g1y8zdwkcw"


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop that keeps parents and reads the path."""
    pattern = r"(?P<project_id>MFP\d+)/(?P<session_name>[^/]+)/"
    made = Workshop(
        tmp_path,
        {
            "session": {"path": pattern, "gap": 600.0},
            "attributes": {"project_id": "from configuration"},
            "defaults": {"measurement": "default", "instrument_name": "Bench"},
        },
    )
    yield made
    made.close()


def record(workshop: Workshop, key: str) -> DatasetRecord:
    """What was composed of a key's files."""
    dataset = workshop.dataset(key)
    assert dataset is not None
    assert dataset.record is not None
    assert dataset.unique_id is not None
    return from_json(dataset.record, unique_id=dataset.unique_id, revision=dataset.revision, thumbnails=())


def said(workshop: Workshop, key: str, name: str) -> tuple[Any, str]:
    """An attribute and where it came from."""
    attribute = record(workshop, key).attributes[name]
    return attribute.value, attribute.source.value


def session(workshop: Workshop, key: str) -> SessionRow:
    """The session of a key's dataset."""
    dataset = workshop.dataset(key)
    assert dataset is not None
    assert dataset.session is not None
    found = workshop.store.sessions.get(dataset.session)
    assert found is not None
    return found


def extracts(workshop: Workshop, **attributes: str) -> None:
    """Let every ingestor say this."""
    workshop.extraction = Outcome("scopefoundry", "3", attributes=dict(attributes))


def test_every_source_wins_over_the_next(sitting: Workshop) -> None:
    """Session, sidecar, path, configuration, ingestor, default: each attribute comes from the strongest that says it."""
    sitting.write("MFP7/day/session.yaml", b"name: S\nsample: of the session\n")
    sitting.restart(roots=[{"path": str(sitting.data), "exclude": ["session.yaml"]}])
    sitting.write("MFP7/day/x.dat")
    sitting.write("MFP7/day/x.dat.meta.yaml", b"sample: of the sidecar\nproject_id: of the sidecar\nnote2: 5\n")
    sitting.write("MFP8/day/y.dat")
    sitting.write("z.dat")
    extracts(sitting, sample="of the file", project_id="of the file", measurement="Raman", data_type="map")
    sitting.whole()
    assert said(sitting, "MFP7/day/x.dat", "sample") == ("of the session", "session")
    assert said(sitting, "MFP7/day/x.dat", "project_id") == ("of the sidecar", "sidecar")
    assert record(sitting, "MFP7/day/x.dat").scientific_metadata["note2"] == 5
    assert said(sitting, "MFP8/day/y.dat", "project_id") == ("MFP8", "path")
    assert said(sitting, "z.dat", "project_id") == ("from configuration", "configuration")
    assert said(sitting, "z.dat", "sample") == ("of the file", "ingestor")
    assert said(sitting, "z.dat", "measurement") == ("Raman", "ingestor")
    assert said(sitting, "z.dat", "instrument_name") == ("Bench", "default")
    assert said(sitting, "z.dat", "dataset_name") == ("z", "default")


def test_the_strongest_evidence_names_the_session(sitting: Workshop) -> None:
    """Opened by hand, session.yaml, the file, the path, the folder, the time: each only where no stronger one is."""
    for key in ("MFP1/by path/x.dat", "folder/x.dat", "x.dat"):
        sitting.write(key, key.encode())
    sitting.whole()
    names = {key: session(sitting, key) for key in ("MFP1/by path/x.dat", "folder/x.dat", "x.dat")}
    extracts(sitting, session_name="by file")
    sitting.write("MFP1/by path/y.dat", b"y")
    sitting.whole()
    assert [(row.evidence, row.name) for row in names.values()][:2] == [
        (SessionEvidence.PATH, "by path"),
        (SessionEvidence.FOLDER, "folder"),
    ]
    assert names["x.dat"].evidence is SessionEvidence.GAP
    assert session(sitting, "MFP1/by path/y.dat").name == "by file"
    sitting.write("MFP1/by path/session.yaml", b"name: by note")
    sitting.write("MFP1/by path/z.dat", b"z")
    sitting.whole()
    assert session(sitting, "MFP1/by path/z.dat").name == "by note"
    now = sitting.clock.now()
    sitting.store.sessions.open(SessionEvidence.PERSON, "opened:1", "by hand", {"sample": "S1"}, now)
    sitting.write("MFP1/by path/zz.dat", b"zz")
    sitting.whole()
    assert session(sitting, "MFP1/by path/zz.dat").name == "by hand"
    assert said(sitting, "MFP1/by path/zz.dat", "session_name") == ("by hand", "session")
    assert said(sitting, "MFP1/by path/zz.dat", "sample") == ("S1", "session")


def test_a_pause_ends_a_session_and_a_late_file_joins_its_own(sitting: Workshop) -> None:
    """Without other evidence the time groups; what was measured within a session belongs to it, whenever it comes."""
    keys = {}
    for name, at in (("a", "10:00"), ("b", "10:09"), ("c", "11:00"), ("late", "10:05")):
        extracts(sitting, timestamp=f"2026-01-01T{at}:00+00:00")
        sitting.write(f"{name}.dat", name.encode())
        sitting.whole()
        keys[name] = session(sitting, f"{name}.dat").id
    assert keys["a"] == keys["b"] == keys["late"] != keys["c"]


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-12:00", "yesterday", ""])
def test_a_time_that_cannot_be_is_no_evidence(sitting: Workshop, timestamp: str) -> None:
    """A hostile or wrong timestamp stays an attribute; the session is found by the file's time."""
    extracts(sitting, timestamp=timestamp)
    sitting.write("x.dat")
    sitting.whole()
    assert session(sitting, "x.dat").started_at.year == sitting_year(sitting, "x.dat")


def sitting_year(workshop: Workshop, path: str) -> int:
    """The year of a file's last change."""
    file = workshop.file(path)
    assert file is not None
    return datetime.fromtimestamp(file.fingerprint.mtime_ns / 1e9, UTC).year


def test_a_later_revision_stays_in_the_session_of_its_dataset(sitting: Workshop) -> None:
    """A file that is touched during another person's session does not move there."""
    sitting.write("x.dat")
    sitting.whole()
    before = session(sitting, "x.dat")
    sitting.store.sessions.open(SessionEvidence.PERSON, "opened:1", "other", {}, sitting.clock.now())
    sitting.write("x.dat", b"changed")
    sitting.whole()
    assert session(sitting, "x.dat").id == before.id


def test_a_session_has_a_parent_that_keeps_up(sitting: Workshop) -> None:
    """The parent is owed before its first dataset, tells how many there are, and closes with the session."""
    for name in ("a", "b"):
        sitting.write(f"run/{name}.dat", name.encode())
    sitting.whole()
    parent = sitting.store.sessions.parent(session(sitting, "run/a.dat").id)
    assert parent is not None
    assert record(sitting, "run/a.dat").parent_id == record(sitting, "run/b.dat").parent_id == parent[1]
    assert sitting.housekeeping.update_parents() == 1
    assert sitting.housekeeping.update_parents() == 0
    row = sitting.store.datasets.get(parent[0])
    assert row is not None
    assert row.record is not None
    assert row.record["scientific_metadata"]["session"]["number_of_datasets"] == 2
    assert row.record["attributes"]["dataset_name"][0] == "bench session: run"
    deliveries = sitting.store.deliveries.of_dataset(parent[0])
    assert [(one.state, one.revision) for one in deliveries] == [(DeliveryState.QUEUED, row.revision)]


def test_an_idle_session_closes_and_a_late_dataset_still_joins_it(sitting: Workshop) -> None:
    """Closing says that the sitting is over; what was measured in it belongs to it all the same."""
    sitting.write("run/a.dat", b"a")
    sitting.whole()
    sitting.housekeeping.close_idle_sessions()
    assert session(sitting, "run/a.dat").state is SessionState.OPEN
    sitting.clock.advance(timedelta(hours=2).total_seconds())
    sitting.housekeeping.close_idle_sessions()
    assert session(sitting, "run/a.dat").state is SessionState.CLOSED
    sitting.write("run/b.dat", b"b")
    sitting.whole()
    assert session(sitting, "run/b.dat").id == session(sitting, "run/a.dat").id


def test_a_session_that_a_person_opened_stays_open(sitting: Workshop) -> None:
    """Only `labferry session stop` ends it, however long the pause."""
    opened = sitting.store.sessions.open(SessionEvidence.PERSON, "opened:1", "mine", {}, sitting.clock.now())
    sitting.clock.advance(timedelta(days=3).total_seconds())
    sitting.housekeeping.close_idle_sessions()
    found = sitting.store.sessions.get(opened)
    assert found is not None
    assert found.state is SessionState.OPEN


def test_an_own_id_is_kept_by_the_first_of_two_copies(sitting: Workshop) -> None:
    """The file's own id becomes the dataset's; a copy of the file gets an id of its own."""
    extracts(sitting, unique_id=MFID)
    sitting.write("a.dat", b"same")
    sitting.whole()
    sitting.write("b.dat", b"same")
    sitting.whole()
    assert record(sitting, "a.dat").unique_id == MFID
    assert record(sitting, "b.dat").unique_id != MFID


def test_a_dataset_that_changed_while_it_was_read_is_not_composed_of_old_bytes(workshop: Workshop) -> None:
    """Two threads read two contents of one file: only the newer one becomes the record."""
    workshop.write("x.dat", b"old")
    workshop.arrive()
    first = workshop.store.datasets.lease_ready()
    assert first is not None
    old = workshop.members(first)
    workshop.write("x.dat", b"new")
    workshop.arrive()
    second = workshop.store.datasets.lease_ready()
    assert second is not None
    assert workshop.composing.keep(first, old, replace(workshop.extraction)) is None
    assert workshop.keep(second) is True
    file = workshop.file("x.dat")
    assert file is not None
    assert file.digests is not None
    assert record(workshop, "x.dat").files[0].sha256 == file.digests.sha256


def test_a_dataset_whose_file_changes_while_it_is_read_waits(workshop: Workshop) -> None:
    """What comes back from the sandbox then is not kept."""
    workshop.write("x.dat", b"old")
    workshop.arrive()
    dataset = workshop.store.datasets.lease_ready()
    assert dataset is not None
    members = workshop.members(dataset)
    workshop.write("x.dat", b"new bytes")
    workshop.scan()
    assert workshop.composing.keep(dataset, members, workshop.extraction) is None
    current = workshop.dataset("x.dat")
    assert current is not None
    assert current.state is DatasetState.WAITING


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1, 2]", b"a: b: c", b"x" * 70_000, b" "])
def test_notes_that_cannot_be_read_are_no_evidence(sitting: Workshop, content: bytes) -> None:
    """A broken session.yaml or sidecar costs its own content and nothing else."""
    sitting.write("run/session.yaml", content)
    sitting.write("run/x.dat")
    sitting.write("run/x.dat.meta.json", content)
    sitting.whole()
    assert session(sitting, "run/x.dat").evidence is SessionEvidence.FOLDER


def test_a_folder_called_session_yaml_is_no_note(sitting: Workshop) -> None:
    """What is no regular file is not read."""
    (sitting.data / "run" / "session.yaml").mkdir(parents=True)
    sitting.write("run/x.dat")
    sitting.whole()
    assert session(sitting, "run/x.dat").evidence is SessionEvidence.FOLDER


def test_a_root_that_left_the_configuration_parks_its_work_until_it_is_back(workshop: Workshop, tmp_path: Path) -> None:
    """Unsettled files are ignored, nothing keeps `--once` busy, and everything goes on when the root is back."""
    workshop.write("unsettled.dat", b"a")
    workshop.scan()
    other = tmp_path / "other"
    other.mkdir()
    workshop.restart(roots=[{"path": str(other)}])
    workshop.placing.adopt_roots({root.id for root in workshop.context.roots})
    assert workshop.store.datasets.in_work() == 0
    workshop.restart(roots=[{"path": str(workshop.data)}])
    workshop.placing.adopt_roots({root.id for root in workshop.context.roots})
    workshop.whole()
    assert workshop.groups() == {"unsettled.dat": ("composed", {"unsettled.dat"})}


def test_a_file_that_was_renamed_keeps_its_name_in_the_catalogs(workshop: Workshop) -> None:
    """A revision after a rename names the same bytes as before: under a new name they would be sent once more."""
    workshop.write("first.dat", b"1 2\n")
    workshop.whole()
    (workshop.data / "first.dat").rename(workshop.data / "second.dat")
    workshop.arrive()
    workshop.write("second.log", b"a word about it\n")
    workshop.whole()
    assert [(file.name, file.path.rpartition("/")[2]) for file in record(workshop, "second.dat").files] == [
        ("first.dat", "second.dat"),
        ("second.log", "second.log"),
    ]
