"""The AT Protocol adapter at its edges: steps that were only begun, lists that do not fit, names that meet, what is sent again."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

from daemon.catalogs.atproto.adapter import COPIES
from daemon.catalogs.atproto.lexicon import ENTRY, LABEL, problems
from daemon.catalogs.atproto.reading import key_of
from daemon.catalogs.atproto.record import DOCUMENT
from daemon.catalogs.atproto.storage import Folder
from daemon.catalogs.http import HttpClient
from daemon.catalogs.pace import Pace
from daemon.clock import ManualClock
from daemon.errors import CatalogUnavailable
from daemon.mfid import new_mfid
from daemon.model import StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import Reply, serve
from tests.fakes.pds_place import Place, fake_place, measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.httpserver import Seen
    from tests.fakes.pds import FakePds


@pytest.fixture
def faked() -> Iterator[Place]:
    """The fake."""
    with fake_place() as made:
        yield made


def pds(faked: Place) -> FakePds:
    """The server behind the address."""
    assert faked.fake is not None
    return faked.fake


def lose_the_answer(fake: FakePds, collection: str) -> None:
    """Write the next record of a collection, and answer as a proxy does whose server was restarted."""

    def refuse(seen: Seen) -> Reply | None:
        if seen.path.endswith("putRecord") and seen.json()["collection"] == collection:
            fake.refuse = lambda _: None
            fake.route(seen)
            return Reply(502, b"<html>", {"Content-Type": "text/html"})
        return None

    fake.refuse = refuse


def begun(faked: Place, folder: Path) -> tuple[Notebook, Any]:
    """A dataset whose entry was written, although nobody heard of it; and what the store knows of that."""
    notebook, record = Notebook(), measured(folder)
    lose_the_answer(pds(faked), ENTRY)
    with pytest.raises(CatalogUnavailable):
        notebook.deliver(faked.adapter(), record)
    assert (ENTRY, key_of(record.unique_id)) in pds(faked).records
    assert (StepKind.RECORD, "entry", "") not in notebook.done
    return notebook, record


def test_an_entry_that_was_only_begun_is_withdrawn(faked: Place, tmp_path: Path) -> None:
    """Made private before the answer came: what may be there is taken back, with the sentence about copies."""
    notebook, record = begun(faked, tmp_path)
    private = measured(tmp_path, public=False, unique_id=record.unique_id, revision=2)
    notebook.deliver(faked.adapter(), private)
    assert (ENTRY, key_of(record.unique_id)) not in pds(faked).records
    assert notebook.outcomes["record", "withdrawal"] == {"skipped": "private", "note": COPIES}


def test_an_entry_that_was_only_begun_is_published_by_the_next_try(faked: Place, tmp_path: Path) -> None:
    """The same revision again writes nothing new; a later one goes over our own entry."""
    notebook, record = begun(faked, tmp_path)
    commits = pds(faked).commits
    notebook.deliver(faked.adapter(), record)
    assert pds(faked).commits == commits + 1  # the label
    other, changed = begun(faked, tmp_path)
    later = measured(tmp_path, unique_id=changed.unique_id, revision=2, scientific_metadata={"laser": "532 nm"})
    other.deliver(faked.adapter(), later)
    entry = faked.record(ENTRY, key_of(changed.unique_id))
    assert entry["contentMetadata"]["revision"] == 2
    assert faked.record(LABEL, key_of(changed.unique_id))["datasetUri"].endswith(key_of(changed.unique_id))


def test_what_was_withdrawn_is_recalled_so(faked: Place, tmp_path: Path) -> None:
    """A rebuilt store takes a withdrawal for done if there is no entry, and does it if there is one."""
    adapter, record = faked.adapter(), measured(tmp_path)
    private = measured(tmp_path, public=False, unique_id=record.unique_id, revision=2)
    (step,) = adapter.plan(private)
    assert adapter.recall(step, private) == {"skipped": "private"}
    Notebook().deliver(adapter, record)
    assert adapter.recall(step, private) is None
    notebook = Notebook()
    notebook.attempt(step)  # an earlier store had begun it
    notebook.deliver(adapter, private)
    assert adapter.recall(step, private) == {"skipped": "private"}
    assert (ENTRY, key_of(record.unique_id)) not in pds(faked).records


def test_more_files_than_an_entry_lists_are_found_in_the_document(faked: Place, tmp_path: Path) -> None:
    """2,000 names do not fit into an entry's metadata: verify reads them from the document in the last shard only."""
    for number in range(2000):
        (tmp_path / f"frame_{number:04}.tif").write_bytes(b"%d" % number)
    files = tuple(record_file(path, primary=not number) for number, path in enumerate(sorted(tmp_path.iterdir())))
    record = dataset_record(
        new_mfid(1_763_700_000_000_000_000), {"public": True, "dataset_name": "frames"}, files=files
    )
    pds(faked).blob_limit = 409_600
    adapter = faked.adapter()
    Notebook().deliver(adapter, record)
    entry = faked.record(ENTRY, key_of(record.unique_id))
    assert problems(entry) == []
    text = entry["metadata"]["$bytes"]
    told = msgpack.unpackb(base64.b64decode(text + "=" * (-len(text) % 4)))
    assert (told.get("files"), told["truncated"]) == (None, ["files"])
    assert len(entry["storage"]["blobs"]) > 3
    pds(faked).requests.clear()
    held = adapter.holds(record.unique_id)
    assert held is not None
    assert {(one.name, one.size, one.sha256) for one in held} == {(one.name, one.size, one.sha256) for one in files}
    assert pds(faked).requests.count("GET com.atproto.sync.getBlob") == 1
    assert b"".join(adapter.read(held[1234], lambda: None)) == b"1234"
    assert len(faked.files(key_of(record.unique_id))) == 2001


def test_names_that_meet_ours_stay_apart(faked: Place, tmp_path: Path) -> None:
    """A file of the instrument's under the path of our picture or document: each byte comes back under a path of its own."""
    record = measured(tmp_path)
    contents = {}
    for name in ("thumbnails/map.png", DOCUMENT, f"_{DOCUMENT}"):
        path = tmp_path / name.replace("/", "__")
        contents[name] = f"the instrument's {name}".encode()
        path.write_bytes(contents[name])
        record = replace(record, files=(*record.files, replace(record_file(path, primary=False), name=name)))
    adapter = faked.adapter()
    Notebook().deliver(adapter, record)
    held = adapter.holds(record.unique_id)
    assert held is not None
    read = {one.name: b"".join(adapter.read(one, lambda: None)) for one in held}
    assert {name: read[name] for name in contents} == contents
    shared = faked.files(key_of(record.unique_id))
    assert shared["_thumbnails/map.png"] == b"\x89PNG picture"
    assert json.loads(shared[DOCUMENT])["unique_id"] == record.unique_id
    assert shared[f"__{DOCUMENT}"] == contents[DOCUMENT]
    assert len(shared) == len(record.files) + 2


def test_pictures_of_one_name_stay_apart(faked: Place, tmp_path: Path) -> None:
    """Readers put together what has the same path: two pictures would become one that nobody can open."""
    pictures = (thumbnail("map.png", b"\x89PNG one"), thumbnail("map.png", b"\x89PNG two"))
    record = replace(measured(tmp_path), thumbnails=pictures)
    Notebook().deliver(faked.adapter(), record)
    shared = faked.files(key_of(record.unique_id))
    assert (shared["thumbnails/map.png"], shared["_thumbnails/map.png"]) == (b"\x89PNG one", b"\x89PNG two")


@pytest.mark.parametrize("public", [True, False])
def test_a_dataset_without_files_is_skipped(faked: Place, public: bool) -> None:  # noqa: FBT001 a case
    """An entry needs a blob: nothing is asked, and the outcome says why."""
    record = dataset_record(new_mfid(1_763_700_000_000_000_000), {"public": public, "dataset_name": "a sitting"})
    notebook = Notebook()
    notebook.deliver(faked.adapter(), record)
    assert notebook.outcomes["record", "withdrawal"] == {"skipped": "no files" if public else "private"}
    assert pds(faked).requests == []


def test_new_metadata_alone_send_the_last_shard_only(faked: Place, tmp_path: Path) -> None:
    """What changes comes last in the shards: a later revision of the same files uploads one blob, not the data again."""
    pds(faked).blob_limit = 102_400
    notebook, adapter, record = Notebook(), faked.adapter(), measured(tmp_path)
    notebook.deliver(adapter, record)
    shards = faked.record(ENTRY, key_of(record.unique_id))["size"]["shards"]
    assert shards > 3
    pds(faked).requests.clear()
    later = measured(tmp_path, unique_id=record.unique_id, revision=2, scientific_metadata={"laser": "532 nm"})
    notebook.deliver(adapter, later)
    assert pds(faked).requests.count("POST com.atproto.repo.uploadBlob") == 1
    assert json.loads(faked.files(key_of(record.unique_id))[DOCUMENT])["scientific_metadata"] == {"laser": "532 nm"}


def test_a_folder_gets_the_last_shard_only_too(faked: Place, tmp_path: Path) -> None:
    """In a folder that a web server shows shards of earlier revisions stay for who reads them, and one new file appears."""
    (tmp_path / "data").mkdir()
    web = tmp_path / "web"
    record = measured(tmp_path / "data")
    adapter, notebook = faked.adapter(storage=Folder(web, "https://data.example.org/shards")), Notebook()
    notebook.deliver(adapter, record)
    before = {path.name for path in (web / record.unique_id).iterdir()}
    later = measured(tmp_path / "data", unique_id=record.unique_id, revision=2, scientific_metadata={"laser": "532 nm"})
    notebook.deliver(adapter, later)
    entry = faked.record(ENTRY, key_of(record.unique_id))
    named = {one["url"].rpartition("/")[2] for one in entry["storage"]["shards"]}
    after = {path.name for path in (web / record.unique_id).iterdir()}
    assert problems(entry) == []
    assert named <= after
    assert before < after
    assert len(after - before) == 1


def test_shards_go_no_faster_than_the_bandwidth(tmp_path: Path) -> None:
    """All uploads of the catalog share one pace: a body of ten seconds takes ten seconds of the clock."""
    clock = ManualClock()
    got: list[bytes] = []

    def take(seen: Seen) -> Reply:
        got.append(seen.body)
        return Reply(200, {})

    with serve(take) as url:
        client = HttpClient("atproto", url, "", clock, pace=Pace(clock, 10_000))
        began = clock.monotonic()
        client.call("POST", "/xrpc/com.atproto.repo.uploadBlob", body=b"x" * 100_000)
        took = clock.monotonic() - began
        client.call("POST", "/xrpc/com.atproto.repo.putRecord", body={"record": "y" * 50_000})
        assert clock.monotonic() - began == took  # records are no uploads
        client.close()
    assert len(got[0]) == 100_000
    assert 9 <= took <= 11
