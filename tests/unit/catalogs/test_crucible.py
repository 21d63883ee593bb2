"""Records, keywords, pictures, links and preflight of the Crucible adapter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.catalog import Health
from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.clock import ManualClock
from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable, ConfigurationError, NotYet
from daemon.mfid import new_mfid
from daemon.model import Attribute, SampleRef, Source, StepKind
from tests.fakes.crucible import KEY
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.model import DatasetRecord
    from tests.unit.catalogs.conftest import Bench

DATASET = new_mfid(1_800_000_000_000_000_000)
PARENT = new_mfid(1_800_000_001_000_000_000)
ATTRIBUTES = {
    "dataset_name": "scan 1",
    "project_id": "MFP12345",
    "instrument_id": "hip-microscope",
    "measurement": "Raman Spectroscopy",
    "timestamp": "2026-10-20T12:00:00-07:00",
}


def changed(record: DatasetRecord, **values: Any) -> DatasetRecord:
    """The next revision with other attributes."""
    attributes = {name: Attribute(value, Source.CONFIGURATION) for name, value in values.items()}
    return replace(record, revision=record.revision + 1, attributes={**record.attributes, **attributes})


def test_a_small_dataset_takes_twelve_requests(bench: Bench, tmp_path: Path) -> None:
    """One file, metadata, three keywords and a thumbnail take no request more than the official client needs."""
    (tmp_path / "a.xy").write_bytes(b"1 2\n")
    record = dataset_record(
        DATASET,
        ATTRIBUTES,
        scientific_metadata={"laser_nm": 532},
        keywords=("a", "b", "c"),
        files=(record_file(tmp_path / "a.xy"),),
        thumbnails=(thumbnail("a.png", b"png"),),
    )
    notebook = Notebook()
    notebook.deliver(bench.crucible, record)
    assert len(bench.fake.seen) == 13  # one of them asks for the server's ingestors, once an hour
    assert notebook.memory == {}


def test_only_known_fields_are_sent_and_texts_as_texts(bench: Bench) -> None:
    """Empty attributes stay out, numbers of the YAML file become texts, the instrument's name selects nothing."""
    given = {"dataset_name": "x", "session_name": 42, "data_type": None, "data_format": "", "instrument_name": "HIP"}
    Notebook().deliver(bench.crucible, dataset_record(DATASET, {**given, "public": True, "owner_orcid": "0000-0001"}))
    sent = bench.fake.seen[0].json()
    expected = {"unique_id": DATASET, "public": True, "dataset_name": "x", "session_name": "42", "owner": "0000-0001"}
    assert sent == expected


def test_public_is_never_a_guess(bench: Bench) -> None:
    """Only a true value makes a dataset public, a text that looks like it does not."""
    Notebook().deliver(bench.crucible, dataset_record(DATASET, {"public": "false"}))
    assert bench.fake.seen[0].json()["public"] is False


def test_a_later_revision_changes_only_what_changed(bench: Bench) -> None:
    """A changed name is patched, what a person corrected in the catalog stays."""
    notebook, record = Notebook(), dataset_record(DATASET, ATTRIBUTES)
    notebook.deliver(bench.crucible, record)
    bench.fake.datasets[DATASET].record["measurement"] = "corrected by hand"
    notebook.deliver(bench.crucible, changed(record, dataset_name="scan 1 (complete)"))
    assert bench.fake.seen[-1].method == "PATCH"
    assert bench.fake.seen[-1].json() == {"dataset_name": "scan 1 (complete)"}
    assert bench.fake.datasets[DATASET].record["measurement"] == "corrected by hand"


def test_instrument_and_publicity_have_routes_of_their_own(bench: Bench) -> None:
    """An instrument is set by PUT, publicity by PUT and DELETE, project and owner are left with a reason."""
    notebook, record = Notebook(), dataset_record(DATASET, ATTRIBUTES)
    notebook.deliver(bench.crucible, record)
    second = changed(record, instrument_id="other", public=True, project_id="P2", owner_orcid="0000-0002")
    notebook.deliver(bench.crucible, second)
    there = bench.fake.datasets[DATASET].record
    assert (there["instrument_id"], there["public"], there["project_id"]) == ("other", True, "MFP12345")
    assert set(notebook.outcomes[StepKind.RECORD, "dataset"]["left"]) == {"project_id", "owner"}
    notebook.deliver(bench.crucible, changed(second, public=False))
    assert there["public"] is False


def test_a_record_that_somebody_made_beforehand_is_completed(bench: Bench) -> None:
    """A dataset with the file's own id is used: open fields are filled, given ones stay, nothing is added twice."""
    bench.fake.add_dataset(DATASET, project_id="MFP12345", dataset_name="made by hand", measurement=None)
    bench.fake.datasets[DATASET].keywords.append("gold")
    notebook = Notebook()
    notebook.deliver(bench.crucible, dataset_record(DATASET, ATTRIBUTES, keywords=("gold", "PL")))
    there = bench.fake.datasets[DATASET]
    assert there.record["dataset_name"] == "made by hand"
    assert there.record["measurement"] == "Raman Spectroscopy"
    assert there.keywords == ["gold", "PL"]
    assert notebook.outcomes[StepKind.RECORD, "dataset"]["created"] is False


@pytest.mark.parametrize(
    "theirs", [{"project_id": "MFP99999"}, {"instrument_id": "sem"}, {"timestamp": "2026-10-20T12:00:00+02:00"}]
)
def test_another_dataset_under_our_id_is_refused(bench: Bench, theirs: dict[str, str]) -> None:
    """An id that holds another project's, instrument's or moment's dataset is left alone, with both values in words."""
    bench.fake.add_dataset(DATASET, **theirs)
    with pytest.raises(CatalogRefused) as caught:
        Notebook().deliver(bench.crucible, dataset_record(DATASET, ATTRIBUTES))
    name, value = next(iter(theirs.items()))
    assert all(word in str(caught.value) for word in (name, value, ATTRIBUTES[name]))
    assert [seen.method for seen in bench.fake.seen] == ["POST", "GET"]


def test_another_spelling_is_no_other_dataset(bench: Bench) -> None:
    """A catalog that writes our timestamp in UTC and our instrument in capitals still holds our dataset."""
    bench.fake.add_dataset(
        DATASET, **{**ATTRIBUTES, "timestamp": "2026-10-20T19:00:00Z", "instrument_id": "HIP-Microscope"}
    )
    notebook = Notebook()
    notebook.deliver(bench.crucible, dataset_record(DATASET, ATTRIBUTES))
    assert [seen.method for seen in bench.fake.seen] == ["POST", "GET"]


def test_a_refused_record_keeps_the_catalogs_words(bench: Bench) -> None:
    """A refusal that has nothing to do with the id comes through with the catalog's own words."""
    words = {"detail": [{"loc": ["body", "project_id"], "msg": "no such project"}]}
    bench.fake.refuse = lambda seen: Reply(422, words) if seen.method == "POST" else None
    with pytest.raises(CatalogRefused, match="project_id: no such project"):
        Notebook().deliver(bench.crucible, dataset_record(DATASET, ATTRIBUTES))


def test_an_owner_that_only_the_file_names_is_given_up(bench: Bench) -> None:
    """Without the right to create for others a file's owner is left with a reason; a configured one is refused."""
    bench.fake.capabilities["can_create_for_others"] = False
    configured = dataset_record(DATASET, {**ATTRIBUTES, "owner_orcid": "0000-0001"})
    with pytest.raises(CatalogRefused, match="for others"):
        Notebook().deliver(bench.crucible, configured)
    owner = Attribute("0000-0001", Source.INGESTOR)
    notebook = Notebook()
    notebook.deliver(bench.crucible, replace(configured, attributes={**configured.attributes, "owner_orcid": owner}))
    assert "owner" in notebook.outcomes[StepKind.RECORD, "dataset"]["left"]
    assert "owner" not in bench.fake.datasets[DATASET].record


def test_a_changed_thumbnail_takes_the_place_of_the_old_one(bench: Bench) -> None:
    """A later revision's picture of the same name replaces the earlier one."""
    notebook, record = Notebook(), dataset_record(DATASET, thumbnails=(thumbnail("a.png", b"one"),))
    notebook.deliver(bench.crucible, record)
    notebook.deliver(bench.crucible, replace(record, revision=2, thumbnails=(thumbnail("a.png", b"two"),)))
    assert [item["thumbnail_b64str"] for item in bench.fake.datasets[DATASET].thumbnails] == ["dHdv"]


def test_a_link_waits_for_the_parent(bench: Bench) -> None:
    """Without the session's dataset a link is not yet possible; with it, it is made once."""
    notebook, record = Notebook(), dataset_record(DATASET, parent_id=PARENT)
    with pytest.raises(NotYet, match=PARENT):
        notebook.deliver(bench.crucible, record)
    bench.fake.add_dataset(PARENT)
    notebook.deliver(bench.crucible, record, tries=2)
    expected = {"unique_id": PARENT, "resource_type": "dataset", "relationship_type": "is_part_of"}
    assert bench.fake.datasets[DATASET].links == [expected]


def test_a_sample_without_an_id_of_the_catalog_is_left(bench: Bench) -> None:
    """A sample's free-text id is no link and is told with a reason."""
    notebook = Notebook()
    samples = (SampleRef("A", "S-12"), SampleRef("B"), SampleRef("C", PARENT), SampleRef("C again", PARENT))
    notebook.deliver(bench.crucible, replace(dataset_record(DATASET), samples=samples))
    assert [link["unique_id"] for link in bench.fake.datasets[DATASET].links] == [PARENT]
    assert list(notebook.outcomes[StepKind.RECORD, "dataset"]["left"]) == ["sample A"]


def test_ingestion_is_asked_for_where_the_server_can(bench: Bench, tmp_path: Path) -> None:
    """With `auto` an HDF5 file is requested, text tables are not, and the server's list is asked for once an hour."""
    names = ("a.h5", "B.H5", "b.xy", "c.dat", "d.csv", "e.png")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    record = dataset_record(DATASET, files=tuple(record_file(tmp_path / name) for name in names))
    notebook = Notebook()
    notebook.deliver(bench.crucible, record)
    asked = [notebook.outcomes[StepKind.INGESTION, name]["status"] == "requested" for name in names]
    assert asked == [True, True, False, False, False, False]
    assert bench.asked("GET", "/ingestors") == 1
    bench.clock.advance(3601)
    bench.fake.ingestors.append("ImageIngestor")
    record = replace(record, unique_id=PARENT, files=record.files[-1:])
    notebook = Notebook()
    notebook.deliver(bench.crucible, record)
    assert notebook.outcomes[StepKind.INGESTION, "e.png"]["status"] == "requested"


def test_a_grown_file_is_ingested_again_and_once(bench: Bench, tmp_path: Path) -> None:
    """The request of an earlier revision does not count for the new content, a lost answer of this one does."""
    notebook = Notebook()
    for revision, content in enumerate((b"one", b"one two"), 1):
        (tmp_path / "a.h5").write_bytes(content)
        record = dataset_record(DATASET, files=(record_file(tmp_path / "a.h5"),), revision=revision)
        notebook.deliver(bench.crucible, record)
    assert len(bench.fake.requests) == 2
    step = bench.crucible.plan(record)[-1]
    notebook.outcomes[step.kind, step.key] = {"request_id": bench.fake.requests[0]["id"]}
    again = notebook.perform(bench.crucible, step, record)  # begun before, so it looks
    assert again["request_id"] == bench.fake.requests[1]["id"]
    assert len(bench.fake.requests) == 2


def test_a_server_without_ingestion_lists_is_no_obstacle(bench: Bench, tmp_path: Path) -> None:
    """Where the lists of ingestors and requests are not offered, a repeated step still ends."""
    (tmp_path / "a.h5").write_bytes(b"x")
    record = dataset_record(DATASET, files=(record_file(tmp_path / "a.h5"),))
    lists = ("/ingestors", "/ingestion_requests")
    bench.fake.refuse = lambda seen: Reply(404, {"detail": "Not Found"}) if seen.path.endswith(lists) else None
    notebook = Notebook()
    step = bench.crucible.plan(record)[-1]
    notebook.begun.add((step.kind, step.key, step.digest))
    notebook.deliver(bench.crucible, record)
    assert notebook.outcomes[step.kind, step.key]["status"] == "not_requested"


def test_a_keyword_is_trimmed_before_it_is_compared(bench: Bench) -> None:
    """Blanks around a keyword make no second one."""
    Notebook().deliver(bench.crucible, dataset_record(DATASET, keywords=(" gold ", "gold", "  ")))
    assert bench.fake.datasets[DATASET].keywords == ["gold"]


def test_ingestion_waits_for_the_file(bench: Bench, tmp_path: Path) -> None:
    """An ingestion of a file that is not delivered yet is not yet possible."""
    (tmp_path / "a.h5").write_bytes(b"x")
    record = dataset_record(DATASET, files=(record_file(tmp_path / "a.h5"),))
    with pytest.raises(NotYet, match=r"a\.h5"):
        Notebook().perform(bench.crucible, bench.crucible.plan(record)[-1], record)


def test_odd_names_arrive_unchanged(bench: Bench, tmp_path: Path) -> None:
    """Names with slashes, quotes, newlines and other scripts go through paths, queries and bodies as they are."""
    (tmp_path / "a").write_bytes(b"x")
    odd = 'a/b ?&#%20\n"ü" 试样.h5'
    file = replace(record_file(tmp_path / "a"), name=odd)
    record = dataset_record(DATASET, keywords=(odd,), files=(file,), thumbnails=(thumbnail(odd, b"png"),))
    Notebook().deliver(bench.crucible, record)
    assert bench.fake.datasets[DATASET].keywords == [odd]
    assert bench.fake.files_of(DATASET)[0]["filename"] == odd
    assert bench.fake.datasets[DATASET].thumbnails[0]["thumbnail_name"] == odd


def test_a_value_that_json_cannot_carry_is_refused(bench: Bench) -> None:
    """A number that is none never goes out as broken JSON."""
    record = dataset_record(DATASET, scientific_metadata={"x": float("nan")})
    with pytest.raises(CatalogRefused, match="JSON"):
        Notebook().deliver(bench.crucible, record)


def test_many_threads_share_one_adapter(bench: Bench, tmp_path: Path) -> None:
    """Forty datasets from eight threads arrive, each exactly once."""
    ids = [new_mfid(1_800_000_000_000_000_000 + number * 10**9) for number in range(40)]

    def deliver(number: int) -> None:
        path = tmp_path / f"{number}.h5"
        path.write_bytes(b"x" * (number * 100))
        record = dataset_record(ids[number], keywords=("k",), files=(record_file(path, part_size=1000),))
        Notebook().deliver(bench.crucible, record, tries=2)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(40)))
    assert [len(bench.fake.files_of(unique_id)) for unique_id in ids] == [1] * 40
    assert all(bench.fake.datasets[unique_id].keywords == ["k"] for unique_id in ids)


def findings(bench: Bench, **options: Any) -> dict[str, Health]:
    """The preflight's sentences of an adapter with these options."""
    given = {"url": bench.url, "key": Key(KEY, "a test"), "project_id": "MFP12345", "instrument_id": "hip-microscope"}
    crucible = Crucible(CrucibleOptions(**{**given, **options}), bench.clock)
    try:
        return {finding.text: finding.health for finding in crucible.check()}
    finally:
        crucible.close()


def test_a_catalog_that_is_ready_says_so(bench: Bench) -> None:
    """A working catalog has only good findings, and the check writes nothing."""
    told = findings(bench)
    assert set(told.values()) == {Health.OK}
    assert len(told) == 6
    assert {seen.method for seen in bench.fake.seen} == {"GET"}


@pytest.mark.parametrize(
    ("state", "options", "words", "health"),
    [
        ({"expires_at": "2025-12-01T00:00:00Z"}, {}, "expired on 2025-12-01", Health.FAILED),
        ({"expires_at": "2026-01-05T00:00:00"}, {}, "only until 2026-01-05", Health.WARNING),
        ({"projects": []}, {}, "project MFP12345 is not known", Health.FAILED),
        ({"instruments": ["hip-microscope"] * 2}, {}, "more than one instrument hip-microscope", Health.FAILED),
        ({"capabilities": {"can_create_dataset": False}}, {}, "may not create datasets", Health.FAILED),
        ({"capabilities": {"can_create_for_others": False}}, {"owner": "0000-1"}, "for others", Health.WARNING),
        ({"capabilities": None}, {}, "may create datasets", Health.OK),
        ({}, {"key": Key("WRONG", "a test")}, "does not accept our key", Health.FAILED),
        ({}, {"key": Key(KEY, "x", "Others may read it.")}, "Others may read it.", Health.WARNING),
        ({}, {"url": "http://127.0.0.1:9/api/v3"}, "did not answer", Health.FAILED),
    ],
)
def test_what_would_fail_is_said_in_one_sentence(
    bench: Bench, state: dict[str, Any], options: dict[str, Any], words: str, health: Health
) -> None:
    """Each thing that a delivery would stumble over is one finding in plain words."""
    for name, value in state.items():
        setattr(bench.fake, name, value)
    told = findings(bench, **options)
    assert [found for text, found in told.items() if words in text] == [health]
    assert not any("WRONG" in text for text in told)


@pytest.mark.parametrize("url", ["", "crucible.lbl.gov", "ftp://x/y", "http://", "https://x/api?key=1", "http://[::1"])
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    """An unusable address is told with an example of a good one."""
    with pytest.raises(ConfigurationError, match=r"crucible\.lbl\.gov"):
        Crucible(CrucibleOptions(url, Key(KEY, "a test")), ManualClock())


@pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel"])
def test_a_key_that_http_cannot_carry_is_a_configuration_error(key: str) -> None:
    """A key with characters that break a header is told without being shown."""
    with pytest.raises(ConfigurationError) as caught:
        Crucible(CrucibleOptions("http://127.0.0.1:9", Key(key, "a test")), ManualClock())
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "page", "project", "expected"),
    [
        ("http://127.0.0.1:9/api/v3", "http://127.0.0.1:9/datasets/{unique_id}", None, "http://127.0.0.1:9/datasets/"),
        ("https://crucible.lbl.gov/api/v3", None, "P 1", "https://crucible.lbl.gov/explore/P%201/datasets/"),
        ("https://crucible.lbl.gov/api/v3", None, None, None),
        ("http://127.0.0.1:9/api/v3", None, "P1", None),
    ],
)
def test_a_dataset_has_a_page(url: str, page: str | None, project: str | None, expected: str | None) -> None:
    """The page's address is made from the template, and is None where a part of it is not known."""
    options = CrucibleOptions(url, Key(KEY, "a test"), page=page, project_id=project)
    crucible = Crucible(options, ManualClock())
    assert crucible.page(DATASET) == (None if expected is None else expected + DATASET)
    crucible.close()


def test_a_proxy_of_the_environment_never_stands_before_a_local_catalog(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback is reached directly whatever HTTP_PROXY says."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert Health.FAILED not in findings(bench).values()


def test_an_endless_answer_is_not_read_to_its_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer beyond the limit is no answer, and does not fill the memory."""
    monkeypatch.setattr("daemon.catalogs.http.ANSWER_LIMIT", 10_000)
    bench.fake.refuse = lambda _: Reply(200, b'"' + b"x" * 20_000 + b'"')
    with pytest.raises(CatalogUnavailable):
        Notebook().deliver(bench.crucible, dataset_record(DATASET))


def test_an_echoed_key_is_not_repeated(bench: Bench) -> None:
    """A catalog that quotes our key in its refusal does not bring it into an error's text."""
    bench.fake.refuse = lambda _: Reply(400, {"detail": f"bad header Bearer {KEY}"})
    with pytest.raises(CatalogError) as caught:
        Notebook().deliver(bench.crucible, dataset_record(DATASET))
    assert KEY not in str(caught.value)
    assert "bad header" in str(caught.value)


def test_a_newer_reading_leaves_what_a_person_wrote(bench: Bench) -> None:
    """A later revision changes only fields, metadata and pictures that differ and that nobody corrected in the catalog."""
    record = dataset_record(
        DATASET,
        ATTRIBUTES,
        scientific_metadata={"laser": {"nm": 532}, "power": 1},
        thumbnails=(thumbnail("a.png", b"png"), thumbnail("b.png", b"png")),
    )
    notebook = Notebook()
    notebook.deliver(bench.crucible, record)
    there = bench.fake.datasets[DATASET]
    there.record["dataset_name"] = "my best scan"
    there.metadata["power"] = "as I measured it"
    there.keywords.append("mine")
    bench.fake.seen.clear()
    newer = changed(record, dataset_name="scan 0001", measurement="Raman")
    newer = replace(
        newer,
        scientific_metadata={"laser": {"nm": 532, "W": 0.1}, "power": 2},
        thumbnails=(thumbnail("a.png", b"png"), thumbnail("b.png", b"better")),
    )
    notebook.deliver(bench.crucible, newer)
    assert (there.record["dataset_name"], there.record["measurement"]) == ("my best scan", "Raman")
    assert there.metadata["power"] == "as I measured it"
    assert there.metadata["laser"]["W"] == 0.1
    assert [seen.path for seen in bench.fake.seen if "/thumbnails" in seen.path and seen.method != "GET"] == [
        f"/api/v3/datasets/{DATASET}/thumbnails/{there.thumbnails[1]['id']}"
    ]
    assert notebook.outcomes[StepKind.RECORD, "dataset"]["left"]["dataset_name"] == "a person changed it in the catalog"
    bench.fake.seen.clear()
    notebook.deliver(bench.crucible, replace(newer, revision=3))
    assert bench.fake.seen == []


@pytest.mark.parametrize("path", ["/files", "/samples"])
@pytest.mark.parametrize("status", [404, 405, 422])
def test_what_a_server_does_not_offer_is_done_without(bench: Bench, tmp_path: Path, path: str, status: int) -> None:
    """Without a search by hash the file is sent, without one by name the sample is left; nothing is refused."""
    (tmp_path / "a.dat").write_bytes(b"x")
    record = dataset_record(DATASET, files=(record_file(tmp_path / "a.dat"),))
    record = replace(record, samples=(SampleRef("a wafer"),))
    refusal = Reply(status, {"detail": "Not Found"})
    bench.fake.refuse = lambda seen: refusal if seen.method == "GET" and seen.path.endswith(path) else None
    options = CrucibleOptions(bench.url, Key(KEY, "a test"), known_files="link", samples_by_name=True)
    adapter, notebook = Crucible(options, bench.clock), Notebook()
    if path == "/files":
        record = replace(record, samples=())
    else:
        adapter = Crucible(replace(options, known_files="send"), bench.clock)
    notebook.deliver(adapter, record)
    assert [file["filename"] for file in bench.fake.files_of(DATASET)] == ["a.dat"]
    adapter.close()
