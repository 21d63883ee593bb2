"""Links, samples, known files and replaced metadata, with the embedded catalog behind the adapter."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.catalog import known_there
from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.clock import SystemClock
from daemon.errors import NotYet
from daemon.mfid import new_mfid
from daemon.model import SampleRef
from tests.catalogserver import Server
from tests.fakes.deliveries import Notebook, dataset_record, record_file, tray_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running catalog with a project."""
    running = Server(tmp_path_factory.mktemp("catalog")).start()
    running.ask("POST", "/projects", {"project_id": "MFP12345"})
    yield running
    running.stop()


def crucible(server: Server, **options: Any) -> Crucible:
    """The adapter as for a Crucible somewhere else."""
    key = Key(server.token, "a test")
    return Crucible(
        CrucibleOptions(server.where["url"], key, verify=False, known_files="link", samples_by_name=True, **options),
        SystemClock(),
    )


def fresh() -> str:
    """An id that nobody has."""
    return new_mfid(time.time_ns())


def links(server: Server, dataset: str) -> list[tuple[str, str | None, str]]:
    """The links of a dataset."""
    found = server.ok("GET", f"/resources/{dataset}/links")
    return sorted((link["unique_id"], link["relationship_type"], link["direction"]) for link in found)


def test_a_file_that_another_dataset_has_is_linked_and_not_sent(server: Server, tmp_path: Path) -> None:
    """Bytes that somebody uploaded by hand are told of with their place, and its dataset is linked; once, however often tried."""
    content = b"uploaded by hand before\n" * 100
    earlier = server.dataset(dataset_name="by hand")
    known = server.upload(earlier, "other name.dat", content)
    (tmp_path / "scan.dat").write_bytes(content)
    record = dataset_record(fresh(), {"dataset_name": "scan"}, files=(record_file(tmp_path / "scan.dat"),))
    adapter, notebook = crucible(server), Notebook()
    notebook.deliver(adapter, record)
    again = Notebook()
    again.begun = {(step.kind, step.key, step.digest) for step in adapter.plan(record)}
    again.deliver(adapter, record)
    (file,) = server.ok("GET", f"/datasets/{record.unique_id}/files")
    assert (file["filename"], file["size"], file["sha256_hash"]) == ("scan.dat", len(content), known["sha256_hash"])
    assert known["mfid"] in file["access_note"]
    assert notebook.outcomes["file", "scan.dat"]["how"] == "linked"
    assert links(server, record.unique_id) == [(earlier, "is_derived_from", "source")]
    adapter.close()


def test_a_dataset_is_linked_to_what_it_was_made_of(server: Server) -> None:
    """`derived_from` becomes a link; one whose source is not there yet waits with the reason, and nothing else does."""
    raw, later = server.dataset(dataset_name="raw"), fresh()
    record = replace(dataset_record(fresh(), {"dataset_name": "fit"}), derived_from=(raw, later))
    adapter, notebook = crucible(server), Notebook()
    with pytest.raises(NotYet, match=later):
        notebook.deliver(adapter, record)
    assert links(server, record.unique_id) == [(raw, "is_derived_from", "source")]
    server.dataset(unique_id=later)
    notebook.deliver(adapter, record)
    assert len(links(server, record.unique_id)) == 2
    adapter.close()


def test_a_sample_is_linked_by_its_name_if_there_is_just_one(server: Server) -> None:
    """A name that one sample of the project has links it; one that none or several have is left, and said."""
    for name in ("WSe2 flake 3", "twin", "twin"):
        server.ok("POST", "/samples", {"sample_name": name, "project_id": "MFP12345"})
    names = ("WSe2 flake 3", "twin", "nobody")
    record = dataset_record(fresh(), {"dataset_name": "x", "project_id": "MFP12345"})
    record = replace(record, samples=tuple(SampleRef(name) for name in names))
    adapter, notebook = crucible(server), Notebook()
    notebook.deliver(adapter, record)
    assert [notebook.outcomes["sample", name].get("how") for name in names[1:]] == [
        "several have this name",
        "not known there",
    ]
    assert len(links(server, record.unique_id)) == 1
    adapter.close()


def test_a_sample_that_the_file_names_with_its_id_is_made_where_it_is_missing(server: Server) -> None:
    """As Crucible's own ingestors do: made with the file's id and name in the dataset's project, once, and linked."""
    sample = fresh()
    adapter = crucible(server)
    for _ in range(2):
        record = dataset_record(fresh(), {"dataset_name": "x", "project_id": "MFP12345"}, samples=(sample,))
        Notebook().deliver(adapter, record)
        assert [link[0] for link in links(server, record.unique_id)] == [sample]
    there = server.ok("GET", f"/samples/{sample}")
    assert (there["sample_name"], there["project_id"]) == (f"sample {sample}", "MFP12345")
    adapter.close()


def test_a_child_that_the_catalogs_own_ingestor_made_is_taken_for_ours(server: Server) -> None:
    """A child of this name that the parent has already gets the metadata and the link; another name makes another child."""
    record = tray_record(fresh(), "film 1", "film 2")
    theirs = server.dataset(dataset_name="film 1")
    adapter, notebook = crucible(server), Notebook()
    notebook.deliver(adapter, replace(record, children=()))
    server.ok("POST", f"/datasets/{record.unique_id}/children/{theirs}")
    for child in record.children:
        for _ in range(2):  # and nothing happens when it is tried again
            again = Notebook()
            again.deliver(adapter, child)
    made = record.children[1].unique_id
    below = [
        (link["unique_id"], link["direction"]) for link in server.ok("GET", f"/resources/{record.unique_id}/links")
    ]
    assert sorted(below) == sorted([(theirs, "target"), (made, "target")])
    for unique_id, place in ((theirs, "1"), (made, "2")):
        assert server.ok("GET", f"/resources/{unique_id}/metadata")["scientific_metadata"]["place"] == place
    assert server.ask("GET", f"/datasets/{record.children[0].unique_id}").status == 404
    record_step, *rest = adapter.plan(record.children[0])
    told = adapter.recall(record_step, record.children[0])
    assert told is not None
    there = known_there(record.children[0], {("record", record_step.key): told})
    assert (there.unique_id, [adapter.recall(step, there) is not None for step in rest]) == (theirs, [True] * len(rest))
    adapter.close()


def test_metadata_take_the_place_of_all_where_it_is_asked_for(server: Server) -> None:
    """With `metadata: replace` a later revision leaves nothing of the earlier one; merging keeps what is there."""
    for how, left in (("merge", {"a": 1, "b": 3}), ("replace", {"b": 3})):
        adapter, notebook = crucible(server, metadata=how), Notebook()
        record = dataset_record(fresh(), {"dataset_name": how}, scientific_metadata={"a": 1, "b": 2})
        notebook.deliver(adapter, record)
        notebook.deliver(adapter, replace(record, revision=2, scientific_metadata={"b": 3}))
        found = server.ok("GET", f"/resources/{record.unique_id}/metadata")["scientific_metadata"]
        assert found == left
        adapter.close()


def test_a_project_may_be_named_by_its_id(server: Server) -> None:
    """An id in place of a slug selects the same project, in the record and in `check`."""
    project = server.ok("GET", "/projects?project_id=MFP12345&limit=2")["items"][0]["unique_id"]
    adapter = crucible(server, project_id=project)
    record = dataset_record(fresh(), {"dataset_name": "x", "project_id": project})
    Notebook().deliver(adapter, record)
    assert server.ok("GET", f"/datasets/{record.unique_id}")["project_id"] == "MFP12345"
    assert any(project in finding.text and finding.health == "ok" for finding in adapter.check())
    adapter.close()
