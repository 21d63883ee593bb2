"""SciCat's adapter beyond the traps: the mapping, moved files and their lifecycle, sessions, `check`, and reading back."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.catalog import Health
from daemon.catalogs.credentials import Key
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.check import generation
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.catalogs.scicat.record import RecordMapping
from daemon.catalogs.transfer import Copier
from daemon.errors import CatalogRefused, NotYet
from daemon.mfid import new_mfid
from daemon.model import StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file
from tests.fakes.httpserver import Reply
from tests.fakes.scicat import FakeUser
from tests.fakes.scicat_bench import Bench, bench, settings
from tests.fakes.scicat_contract import GENERATIONS, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.model import DatasetRecord


@pytest.fixture(params=["4", "5"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Both generations."""
    with bench(tmp_path, request.param) as found:
        yield found


def moving(one: Bench, **changes: Any) -> SciCat:
    """An adapter that copies files to a storage."""
    storage = one.folder / "storage"
    storage.mkdir(exist_ok=True)
    transfer = {"mode": "copy", "to": str(storage), **changes.pop("transfer", {})}
    return one.adapter(mover=Copier(str(storage), read_back=True), transfer=transfer, **changes)


def mapped(record: DatasetRecord, **changes: Any) -> dict[str, Any]:
    """The body that a configuration makes of a record."""
    return RecordMapping(settings("http://x", **changes), "tem1", ["/data/tem"], "labferry 1").body(record)


def test_a_dataset_arrives_whole_and_once(one: Bench) -> None:
    """Record, file list and picture are there, each once, and a replay adds nothing."""
    catalog, record = one.adapter(), one.record()
    notebook = one.deliver(catalog, record)
    for replay in (notebook, None):
        one.deliver(catalog, record, replay)
        (there,) = one.fake.named("scan 1")
        assert there.record["numberOfFiles"] == 3
        assert there.record["size"] == sum(file.size for file in record.files)
        assert len(there.attachments) == 1
        assert there.record["scientificMetadata"]["voltage"]["unit"] == "kV"


def test_the_record_is_mapped_as_configured(tmp_path: Path) -> None:
    """Each field that facilities fill in their own way comes from the configuration and what is known of the dataset."""
    (tmp_path / "scan.dat").write_bytes(b"x")
    record = dataset_record(
        new_mfid(1),
        {
            "dataset_name": "scan", "project_id": "P1", "measurement": "tem", "session_name": "sitting", "data_type": "processed",
            "owner_orcid": "0000-0002-1825-0097", "timestamp": "2026-11-20T10:00:00+01:00", "public": True, "data_format": "dat",
        },
        files=(record_file(tmp_path / "scan.dat"),),
        samples=("wafer",),
        keywords=("a", "tem", "b"),
        scientific_metadata={"pi": "Prof. X", "run": 7},
        ingestor="fake",
        ingestor_version="2",
    )  # fmt: skip
    technique = {"pid": "http://purl.org/pan-science/PaNET/PaNET01168", "name": "TEM"}
    body = mapped(
        record,
        dataset={
            "ownerGroup": "{project_id}", "accessGroups": ["{project_id}", "staff", "{metadata.nobody}"], "instrumentGroup": "tem",
            "owner": "{metadata.pi}", "principalInvestigators": ["{metadata.pi}"], "runNumber": "{metadata.run}",
            "techniques": {"TEM": technique}, "license": "CC0", "classification": "IN=low", "description": "{measurement} {timestamp:%d.%m.%y}",
            "sourceFolderHost": "files.example.org", "creationLocation": "/S/{instrument}",
        },
    )  # fmt: skip
    metadata = body.pop("scientificMetadata")
    times = {name: body.pop(name) for name in ("creationTime", "startTime", "endTime")}
    assert body == {
        "ownerGroup": "P1", "accessGroups": ["P1", "staff"], "instrumentGroup": "tem", "owner": "Prof. X",
        "contactEmail": "ann@example.org", "principalInvestigators": ["Prof. X"], "runNumber": "7", "type": "derived",
        "datasetName": "scan", "description": "tem 20.11.26", "sourceFolder": str(tmp_path), "sourceFolderHost": "files.example.org",
        "creationLocation": "/S/tem1", "dataFormat": "dat", "proposalIds": ["P1"], "sampleIds": ["sample wafer"], "license": "CC0",
        "classification": "IN=low", "orcidOfOwner": "0000-0002-1825-0097", "isPublished": True, "keywords": ["tem", "a", "b"],
        "techniques": [technique], "usedSoftware": ["labferry 1", "fake 2"],
    }  # fmt: skip
    assert metadata["session"] == "sitting"
    assert times["startTime"] == "2026-11-20T10:00:00.000+01:00"
    assert times["creationTime"] == times["endTime"]


@pytest.mark.parametrize(
    ("there", "folder"),
    [
        ("/storage/em", "/storage/em/run"),
        ("/", "/run"),
        ("P:\\em", "P:\\em\\run"),
        ("\\\\server\\share", "\\\\server\\share\\run"),
    ],
)
def test_folders_are_called_as_the_file_server_calls_them(tmp_path: Path, there: str, folder: str) -> None:
    """The longest entry of the path map counts; drive letters and UNC names keep their own slashes."""
    (tmp_path / "run" / "sub").mkdir(parents=True)
    for name in ("a.dat", "sub/b.dat"):
        (tmp_path / "run" / name).write_bytes(b"x")
    files = tuple(record_file(tmp_path / "run" / name) for name in ("a.dat", "sub/b.dat"))
    record = dataset_record(new_mfid(1), {"dataset_name": "x"}, files=files)
    entries = [{"here": "/", "there": "/wrong"}, {"here": str(tmp_path), "there": there}]
    assert mapped(record, path_map=entries)["sourceFolder"] == folder
    with pytest.raises(CatalogRefused, match="sourceFolder: no entry of `path_map` covers"):
        mapped(record, path_map=[{"here": "/elsewhere", "there": "/x"}])


def test_moved_files_open_the_dataset_when_all_are_there(one: Bench) -> None:
    """Closed to the archive until every file is in place and listed; the paths and the folder are the copies'."""
    catalog, record, notebook = (
        moving(one, path_map=[{"here": str(one.folder), "there": "/facility"}]),
        one.record(),
        Notebook(),
    )
    states = []
    for step in catalog.plan(record):
        notebook.perform(catalog, step, record)
        (there,) = one.fake.named("scan 1")
        states.append((step.kind.value, there.record["datasetlifecycle"]["archivable"], there.record["numberOfFiles"]))
    assert states[0] == ("record", False, 0)
    assert states[-1] == ("lifecycle", True, 3)
    assert [kind for kind, *_ in states] == ["record", "file", "file", "file", "block", "thumbnail", "lifecycle"]
    assert not any(archivable for kind, archivable, _ in states if kind != "lifecycle")
    assert there.record["sourceFolder"] == f"/facility/storage/tem1/{record.unique_id}"
    copies = one.folder / "storage" / "tem1" / record.unique_id
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == {
        file.name: (one.folder / "run 1" / file.name).read_bytes() for file in record.files
    }


def test_a_dataset_that_we_may_not_open_waits_for_a_person(tmp_path: Path) -> None:
    """A privileged account may not change another group's dataset: everything is there, and the last step says what to do."""
    with bench(tmp_path, "5", "privileged") as one:
        catalog, record = moving(one, dataset={"ownerGroup": "p1"}), one.record()
        with pytest.raises(CatalogRefused, match=r"stays closed to the archive.*archivable: true"):
            one.deliver(catalog, record)
        (there,) = one.fake.named("scan 1")
        assert there.record["numberOfFiles"] == 3
        open_at_once = moving(one, dataset={"ownerGroup": "p1", "datasetlifecycle": {"archivable": True}})
        one.deliver(open_at_once, one.record())


def test_a_lifecycle_route_that_is_closed_has_another_way(one: Bench) -> None:
    """Who may change a dataset may open it with the dataset's own route too."""
    closed = {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403}
    one.fake.refuse = lambda seen: Reply(403, closed) if seen.path.endswith("/datasetlifecycle") else None
    one.deliver(moving(one), one.record())
    (there,) = one.fake.named("scan 1")
    assert there.record["datasetlifecycle"]["archivable"] is True
    assert there.record["datasetlifecycle"]["retrievable"] is False


def test_a_late_file_goes_beside_the_others(one: Bench) -> None:
    """Whatever the attributes say later: the folder of the first revision stays the dataset's."""
    catalog, record = moving(one, transfer={"layout": "{session_name}/{unique_id}"}), one.record()
    notebook = one.deliver(catalog, record)
    other = one.folder / "other" / "late.log"
    other.parent.mkdir()
    other.write_bytes(b"late")
    attributes = {**record.attributes, "session_name": replace(record.attributes["session_name"], value="renamed")}
    later = replace(record, revision=2, attributes=attributes, files=(*record.files, record_file(other, primary=False)))
    one.deliver(catalog, later, notebook)
    (there,) = one.fake.named("scan 1")
    paths = [item["path"] for block in there.blocks for item in block["dataFileList"]]
    assert paths == ["scan_0.dat", "scan_1.dat", "scan_2.dat", "late.log"]
    folder = one.folder / "storage" / "a sitting" / record.unique_id
    assert sorted(path.name for path in folder.iterdir()) == sorted(paths)
    assert there.record["numberOfFiles"] == 4


def test_a_session_is_named_in_its_datasets(one: Bench) -> None:
    """The parent's dataset has to be there first; without `parents` there is none."""
    parent = dataset_record(
        new_mfid(7), {"dataset_name": "tem1 session: x", "timestamp": "2026-11-20T10:00:00+00:00"}, ingestor="session"
    )
    catalog, record = one.adapter(), one.record(parent_id=new_mfid(7))
    record = replace(record, parent_id=parent.unique_id)
    notebook = Notebook()
    with pytest.raises(NotYet):
        one.deliver(catalog, record, notebook)
    one.deliver(catalog, parent)
    one.deliver(catalog, record, notebook)
    (there,) = one.fake.named("scan 1")
    (session,) = one.fake.named("tem1 session: x")
    assert there.record["inputDatasets"] == [session.record["pid"]]
    assert catalog.parents(record.unique_id) == [(parent.unique_id, "tem1 session: x")]
    alone = one.adapter(parents=False)
    assert alone.plan(parent) == []
    assert StepKind.LINK not in {step.kind for step in alone.plan(record)}


def test_moved_files_can_be_read_back(one: Bench) -> None:
    """Verify gets the bytes from the storage, a rebuilt store what is there already, and neither more than that."""
    catalog, record = moving(one, path_map=[{"here": str(one.folder / "storage"), "there": "/facility"}]), one.record()
    one.deliver(catalog, record)
    fresh = moving(one, path_map=[{"here": str(one.folder / "storage"), "there": "/facility"}])
    held = fresh.holds(record.unique_id)
    assert held is not None
    for file, one_held in zip(record.files, held, strict=True):
        assert (one_held.name, one_held.stored, one_held.sha256) == (file.name, True, file.sha256)
        assert b"".join(fresh.read(one_held, lambda: None)) == (one.folder / "run 1" / file.name).read_bytes()
    assert fresh.trace("tem1") == record.unique_id
    assert fresh.trace("another") is None
    other = replace(record, unique_id=new_mfid(9))
    for step in fresh.plan(record):
        if step.kind is not StepKind.LIFECYCLE:
            assert fresh.recall(step, record) is not None
        assert fresh.recall(step, other) is None
    (one.folder / "storage" / "tem1" / record.unique_id / "scan_1.dat").write_bytes(b"spoiled!")
    steps = {step.key: fresh.recall(step, record) for step in fresh.plan(record) if step.kind is StepKind.FILE}
    assert steps["scan_1.dat"] is None
    assert steps["scan_0.dat"] is not None


def test_two_files_of_one_name_are_told_apart(one: Bench) -> None:
    """Listed by their paths, known to verify by their names."""
    (one.folder / "a").mkdir()
    (one.folder / "b").mkdir()
    for folder in ("a", "b"):
        (one.folder / folder / "x.dat").write_bytes(folder.encode())
    second = replace(record_file(one.folder / "b" / "x.dat", primary=False), name="b__x.dat")
    record = one.record(files=0, thumbnails=())
    record = replace(record, files=(record_file(one.folder / "a" / "x.dat"), second))
    catalog = one.adapter()
    one.deliver(catalog, record)
    (there,) = one.fake.named("scan 1")
    assert [item["path"] for item in there.blocks[0]["dataFileList"]] == ["a/x.dat", "b/x.dat"]
    assert [held.name for held in catalog.holds(record.unique_id) or ()] == ["x.dat", "b__x.dat"]


@pytest.mark.parametrize("number", GENERATIONS)
def test_the_generations_are_told_apart_by_their_documents(number: str) -> None:
    """By the shape of relationships, the one thing of what we could send that changed."""
    assert generation(document(number)) == number
    assert generation({}) == ""


@pytest.mark.parametrize(
    ("rights", "changes", "health", "words"),
    [
        ("create", {}, Health.OK, "for the group ingestor only"),
        ("create", {}, Health.OK, "found again by their ingest key"),
        ("create", {"dataset": {"ownerGroup": "p1"}}, Health.FAILED, "may not create datasets for the group p1"),
        ("create", {"dataset": {"ownerGroup": "{project_id}"}}, Health.WARNING, "another group than ingestor will be refused"),
        ("create", {"pid_prefix": "20.5"}, Health.WARNING, "may not choose pids"),
        ("pid", {"pid_prefix": "20.5"}, Health.OK, "may choose pids; they begin with 20.5/"),
        ("pid", {}, Health.OK, "give `pid_prefix`"),
        ("privileged", {}, Health.OK, "also for other groups"),
        ("create", {}, Health.OK, "The instrument tem1 is known"),
        ("create", {"dataset": {"instrument": "nobody's"}}, Health.WARNING, "knows none"),
        ("create", {"dataset": {"type": "RAW data"}}, Health.WARNING, "look whether it is one of the facility's"),
        ("admin", {"dataset": {"ownerGroup": "p1"}}, Health.OK, "also for other groups"),
        ("admin", {"pid_prefix": "20.5"}, Health.OK, "may choose pids; they begin with 20.5/"),
        ("privileged", {"pid_prefix": "20.5", "dataset": {"ownerGroup": "p1"}}, Health.OK, "may choose pids"),
        ("create", {"password": "wrong"}, Health.FAILED, "does not accept the password"),
        ("create", {"transfer": {"mode": "copy", "to": "/mnt"}, "dataset": {"ownerGroup": "{project_id}"}}, Health.WARNING, "stay closed to the archive"),
    ],
)  # fmt: skip
def test_check_says_what_the_account_may_do(
    tmp_path: Path, rights: str, changes: dict[str, Any], health: Health, words: str
) -> None:
    """One sentence for each right, before data arrive; nothing is created by asking."""
    with bench(tmp_path, "5", rights) as one:
        found = one.adapter(**changes).check()
        assert [finding.health for finding in found if words in finding.text] == [health]
        assert one.fake.datasets == {}


def test_check_names_fields_that_a_backend_does_not_know(one: Bench) -> None:
    """A facility whose backend lacks a field would refuse every dataset with it."""
    lacking = document(one.fake.generation)
    del lacking["components"]["schemas"]["CreateDatasetDto"]["properties"]["comment"]
    one.fake.refuse = lambda seen: Reply(body=lacking) if seen.path == "/explorer-json" else None
    found = one.adapter(dataset={"comment": "x"}).check()
    assert [finding.health for finding in found if "does not know the fields comment" in finding.text] == [
        Health.FAILED
    ]


def test_check_wants_to_know_the_account_s_own_group(one: Bench) -> None:
    """In several groups, none with its name: which one may be added to every dataset is for a person to say."""
    one.fake.users["ingestor"] = FakeUser("ingestor", ("a", "b"))
    found = one.adapter().check()
    assert [finding.health for finding in found if "by `group:`" in finding.text] == [Health.FAILED]
    assert not [finding for finding in one.adapter(group="a").check() if "by `group:`" in finding.text]


def test_nothing_answers(tmp_path: Path) -> None:
    """A server that is not there is one finding and no traceback."""
    with bench(tmp_path) as one:
        catalog = SciCat(SciCatOptions(settings("http://127.0.0.1:9"), "tem1", password=Key("x", "a test")), one.clock)
        assert [finding.health for finding in catalog.check()] == [Health.FAILED]
        catalog.close()


def test_many_threads_log_in_once(one: Bench) -> None:
    """Workers that begin together wait for one log-in."""
    catalog = one.adapter()
    records = [one.record() for _ in range(6)]
    threads = [threading.Thread(target=one.deliver, args=(catalog, record)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (one.fake.logins, len(one.fake.datasets)) == (1, 6)


def test_a_page_has_the_pid(one: Bench) -> None:
    """Where a person looks is known as soon as the pid is."""
    catalog, record = one.adapter(page="https://scicat.example.org/datasets/{pid}"), one.record()
    assert catalog.page(record.unique_id) is None
    one.deliver(catalog, record)
    (pid,) = one.fake.datasets
    assert catalog.page(record.unique_id) == f"https://scicat.example.org/datasets/{pid.replace('/', '%2F')}"


def test_outcomes_are_plain_json(one: Bench) -> None:
    """What is kept of a delivery fits into the store."""
    notebook = one.deliver(moving(one), one.record())
    for outcome in notebook.outcomes.values():
        assert json.loads(json.dumps(outcome)) == outcome
