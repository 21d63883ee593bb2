"""The AT Protocol adapter against a PDS: the fake in every run, a real one with `make test-pds`."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from daemon.catalogs.atproto.adapter import COPIES
from daemon.catalogs.atproto.ids import blob_cid
from daemon.catalogs.atproto.lexicon import ENTRY, LABEL, SCHEMA, problems
from daemon.catalogs.atproto.reading import key_of
from daemon.catalogs.atproto.record import DOCUMENT, SCHEMA_KEY
from daemon.catalogs.atproto.session import LOGIN_SECONDS
from daemon.catalogs.atproto.storage import Bucket, Folder
from daemon.catalogs.catalog import Health
from daemon.catalogs.remote import Remote
from daemon.clock import ManualClock
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused, SourceChanged
from tests.fakes.deliveries import Notebook
from tests.fakes.httpserver import serve
from tests.fakes.pds import HANDLE, PASSWORD
from tests.fakes.pds_box import BOX, real_pds
from tests.fakes.pds_place import Place, fake_place, measured

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.pds)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A PDS with an account."""
    if request.param == "fake":
        with fake_place() as made:
            yield made
    else:
        with ExitStack() as stack:
            url, handle, password = stack.enter_context(real_pds(tmp_path_factory.mktemp("pds")))
            yield stack.enter_context(closing(Place(url, handle, password)))


@pytest.fixture
def faked() -> Iterator[Place]:
    """The fake, where a test needs what no real one does on demand."""
    with fake_place() as made:
        yield made


def test_a_dataset_is_published_and_read_back_by_strangers(place: Place, tmp_path: Path) -> None:
    """Every byte of every file comes back by requests that need no account; a large file lies in several shards."""
    record = measured(tmp_path)
    adapter = place.adapter(blob_limit=102_400) if place.fake is None else place.adapter()
    if place.fake is not None:
        place.fake.blob_limit = 102_400
    Notebook().deliver(adapter, record)
    key = key_of(record.unique_id)
    entry = place.record(ENTRY, key)
    assert problems(entry) == []
    assert entry["size"]["shards"] == len(entry["storage"]["blobs"]) > 1
    back = place.files(key)
    assert {name: back[name] for name in ("map.h5", "leer.log", "größe.dat")} == {
        name: (tmp_path / name).read_bytes() for name in ("map.h5", "leer.log", "größe.dat")
    }
    assert back["thumbnails/map.png"] == b"\x89PNG picture"
    assert json.loads(back[DOCUMENT])["scientific_metadata"]["large"] == 2**60
    assert entry["contentMetadata"]["scientific_metadata"]["laser"]["power"] == {"value": "1.5", "unit": "mW"}
    assert len(base64.b64decode(entry["metadata"]["$bytes"])) % 3 == 0
    assert place.record(LABEL, key)["name"] == "Karte 7"
    assert entry["schemaRef"].endswith(f"/{SCHEMA}/{SCHEMA_KEY}")


def test_delivering_again_writes_nothing(place: Place, tmp_path: Path) -> None:
    """A replay by a daemon that forgot everything makes no commit: every record is there as it would be written."""
    record = measured(tmp_path)
    for _ in range(2):
        Notebook().deliver(place.adapter(), record)
    first = place.get(
        "com.atproto.repo.getRecord", repo=place.handle, collection=ENTRY, rkey=key_of(record.unique_id)
    ).json()
    Notebook().deliver(place.adapter(), record)
    again = place.get(
        "com.atproto.repo.getRecord", repo=place.handle, collection=ENTRY, rkey=key_of(record.unique_id)
    ).json()
    assert first == again
    if place.fake is not None:
        assert place.fake.commits == 3  # schema, entry, label


def test_a_later_revision_replaces_the_entry(place: Place, tmp_path: Path) -> None:
    """Revision two writes over our own entry only, with the same record key."""
    notebook, adapter = Notebook(), place.adapter()
    record = measured(tmp_path)
    notebook.deliver(adapter, record)
    later = measured(tmp_path, unique_id=record.unique_id, revision=2, scientific_metadata={"laser": "532 nm"})
    notebook.deliver(adapter, later)
    entry = place.record(ENTRY, key_of(record.unique_id))
    assert entry["contentMetadata"]["revision"] == 2
    assert entry["contentMetadata"]["scientific_metadata"] == {"laser": "532 nm"}
    assert place.files(key_of(record.unique_id))["map.h5"] == (tmp_path / "map.h5").read_bytes()


def test_a_dataset_that_is_made_private_is_withdrawn(place: Place, tmp_path: Path) -> None:
    """Entry and label go, the blobs with them, the outcome says that copies may remain; made public again it is back."""
    notebook, adapter = Notebook(), place.adapter()
    record = measured(tmp_path)
    notebook.deliver(adapter, record)
    blob = place.record(ENTRY, key_of(record.unique_id))["storage"]["blobs"][0]
    notebook.deliver(adapter, measured(tmp_path, public=False, unique_id=record.unique_id, revision=2))
    key = key_of(record.unique_id)
    for collection in (ENTRY, LABEL):
        answer = place.get("com.atproto.repo.getRecord", repo=place.handle, collection=collection, rkey=key)
        assert answer.json()["error"] == "RecordNotFound"
    assert notebook.outcomes["record", "withdrawal"]["note"] == COPIES
    did = adapter._session.identity().did
    gone = place.get("com.atproto.sync.getBlob", did=did, cid=blob["blob"]["ref"]["$link"])
    assert gone.status_code == 400
    notebook.deliver(adapter, measured(tmp_path, unique_id=record.unique_id, revision=3))
    assert place.files(key)["map.h5"] == (tmp_path / "map.h5").read_bytes()


def test_what_it_holds_can_be_verified(place: Place, tmp_path: Path) -> None:
    """`verify` and `rebuild` see names, sizes, hashes and bytes; what is there already is recalled step by step."""
    record, adapter = measured(tmp_path), place.adapter()
    assert adapter.holds(record.unique_id) is None
    assert all(adapter.recall(step, record) is None for step in adapter.plan(record) if step.key != "schema")
    Notebook().deliver(adapter, record)
    held = adapter.holds(record.unique_id)
    assert held is not None
    assert {(one.name, one.size, one.sha256) for one in held} == {(f.name, f.size, f.sha256) for f in record.files}
    for one in held:
        assert b"".join(adapter.read(one, lambda: None)) == (tmp_path / one.name).read_bytes()
    assert [one.name for one in adapter.find(record.files[0].sha256)] == ["map.h5"]
    assert all(adapter.recall(step, record) for step in adapter.plan(record))
    assert adapter.trace("nobody") is None
    assert list(adapter.parents(record.unique_id)) == []


def test_a_private_dataset_causes_no_request(faked: Place, tmp_path: Path) -> None:
    """Not one request, not even a log-in; the outcome says why."""
    notebook = Notebook()
    for attributes in ({"public": False}, {"public": None}, {"public": "yes"}):
        record = measured(tmp_path, attributes=attributes)
        notebook.deliver(faked.adapter(), record)
    assert faked.fake is not None
    assert faked.fake.requests == []
    assert notebook.outcomes["record", "withdrawal"] == {"skipped": "private"}


def test_an_expired_token_is_refreshed(faked: Place, tmp_path: Path) -> None:
    """Trap: an expired token comes as 400; it is refreshed once and the request repeated, without another log-in."""
    fake, adapter, notebook = faked.fake, faked.adapter(), Notebook()
    assert fake is not None
    record = measured(tmp_path)
    for step in adapter.plan(record):
        fake.expire()
        notebook.perform(adapter, step, record)
    assert fake.logins == 1
    assert faked.files(key_of(record.unique_id))["map.h5"] == (tmp_path / "map.h5").read_bytes()


def test_an_ended_session_logs_in_once(faked: Place, tmp_path: Path) -> None:
    """A refresh token that is revoked leads to one log-in; a token that is none any more does too, also on uploads (500)."""
    fake, adapter, notebook = faked.fake, faked.adapter(), Notebook()
    assert fake is not None
    record = measured(tmp_path)
    plan = adapter.plan(record)
    notebook.perform(adapter, plan[0], record)
    fake._live.clear()
    for step in plan[1:]:
        notebook.perform(adapter, step, record)
    assert fake.logins == 2


def test_a_refused_log_in_holds_the_whole_target(faked: Place, tmp_path: Path) -> None:
    """Trap: log-ins are limited, and the right password is refused too while they are; so one refusal is not repeated for long."""
    fake, clock = faked.fake, ManualClock()
    assert fake is not None
    fake.password = "another"
    adapter, record = faked.adapter(clock), measured(tmp_path)
    step = adapter.plan(record)[0]
    for _ in range(5):
        with pytest.raises(CredentialsRefused, match="app password"):
            Notebook().perform(adapter, step, record)
    assert fake.logins == 1
    fake.password = PASSWORD
    clock.advance(LOGIN_SECONDS + 1)
    Notebook().perform(adapter, step, record)
    assert fake.logins == 2


@pytest.mark.parametrize("trouble", ["deactivated", "limited"])
def test_an_account_in_trouble(faked: Place, tmp_path: Path, trouble: str) -> None:
    """A deactivated account logs in with 200 and holds the target; limited log-ins wait as long as the server says."""
    fake = faked.fake
    assert fake is not None
    fake.active, fake.limited = trouble != "deactivated", 77 if trouble == "limited" else None
    adapter, record = faked.adapter(), measured(tmp_path)
    with pytest.raises(CredentialsRefused if trouble == "deactivated" else CatalogUnavailable) as caught:
        Notebook().perform(adapter, adapter.plan(record)[0], record)
    if trouble == "limited":
        assert getattr(caught.value, "retry_after", 0) == 77


def test_a_server_that_takes_less_than_it_said(faked: Place, tmp_path: Path) -> None:
    """Trap: 413 on a blob. The dataset is cut anew to the limit that the server tells now."""
    fake, adapter = faked.fake, faked.adapter()
    assert fake is not None
    record, notebook = measured(tmp_path), Notebook()
    plan = adapter.plan(record)
    notebook.perform(adapter, plan[0], record)
    storage = adapter._storage
    before = storage.limit()
    fake.blob_limit = 102_400
    notebook.memory[plan[1].kind, plan[1].key, plan[1].digest] = {"limit": before, "done": []}
    for step in plan[1:]:
        notebook.perform(adapter, step, record)
    assert all(len(blob.data) <= 102_400 for blob in fake.blobs.values())


def test_an_upload_takes_its_connection_with_it(faked: Place, tmp_path: Path) -> None:
    """Trap: after a refused upload the connection is dead; each upload has one of its own, with its length told."""
    fake = faked.fake
    assert fake is not None
    Notebook().deliver(faked.adapter(), measured(tmp_path))
    uploads = [headers for name, headers in fake.heads if name == "com.atproto.repo.uploadBlob"]
    assert uploads
    assert all(one["connection"] == "close" and int(one["content-length"]) > 0 for one in uploads)


def test_limited_requests_wait_for_their_window(faked: Place, tmp_path: Path) -> None:
    """Trap: 429 tells when the window ends in `ratelimit-reset`, if not in `retry-after`."""
    fake, clock = faked.fake, ManualClock()
    assert fake is not None
    adapter, record = faked.adapter(clock), measured(tmp_path)
    adapter.check()
    fake.window_ends = clock.now().timestamp() + 120
    with pytest.raises(CatalogUnavailable) as caught:
        Notebook().perform(adapter, adapter.plan(record)[0], record)
    assert caught.value.retry_after == pytest.approx(120, abs=2)


def test_a_handle_may_be_written_with_its_at_sign(faked: Place) -> None:
    """Trap: a log-in with a leading @ is refused by servers; people write handles so."""
    with closing(Place(faked.url, f"@{HANDLE}", PASSWORD, faked.fake)) as place:
        assert all(finding.health is Health.OK for finding in place.adapter().check())


def test_deleting_again_is_harmless(faked: Place, tmp_path: Path) -> None:
    """Trap: deleteRecord answers 200 for what is gone; a withdrawal whose answer was lost is simply made again."""
    notebook, adapter = Notebook(), faked.adapter()
    record = measured(tmp_path)
    notebook.deliver(adapter, record)
    private = measured(tmp_path, public=False, unique_id=record.unique_id, revision=2)
    for _ in range(2):
        notebook.perform(adapter, adapter.plan(private)[0], private)
    assert faked.fake is not None
    assert [collection for collection, _ in faked.fake.records] == [SCHEMA]


def test_an_old_server_that_tells_no_limit(faked: Place) -> None:
    """Trap: servers before 0.5.22 do not tell their limit; then it is five MiB, or what is configured."""
    assert faked.fake is not None
    faked.fake.tells_limit = False
    assert faked.adapter()._storage.limit() == 5_242_880
    assert faked.adapter(blob_limit=20_971_520)._storage.limit() == 20_971_520


def test_lost_blobs_are_brought_again(faked: Place, tmp_path: Path) -> None:
    """Trap: a server may collect blobs that no record names yet; BlobNotFound brings them again."""
    fake, adapter, notebook = faked.fake, faked.adapter(), Notebook()
    assert fake is not None
    record = measured(tmp_path)
    plan = adapter.plan(record)
    for step in plan[:2]:
        notebook.perform(adapter, step, record)
    fake.collect()
    assert not fake.blobs
    for step in plan[2:]:
        notebook.perform(adapter, step, record)
    assert faked.files(key_of(record.unique_id))["map.h5"] == (tmp_path / "map.h5").read_bytes()


def test_somebody_elses_record_is_not_written_over(faked: Place, tmp_path: Path) -> None:
    """An entry under our key that is about something else is told, not replaced."""
    fake = faked.fake
    assert fake is not None
    record = measured(tmp_path)
    other = {"$type": ENTRY, "name": "theirs", "contentMetadata": {"unique_id": "another"}}
    fake.records[ENTRY, key_of(record.unique_id)] = other
    with pytest.raises(CatalogRefused, match="another record"):
        Notebook().deliver(faked.adapter(), record)
    assert fake.records[ENTRY, key_of(record.unique_id)] == other


def test_a_changed_file_is_not_published(faked: Place, tmp_path: Path) -> None:
    """Bytes that are not those that were hashed go nowhere: what is published cannot be taken back."""
    record = measured(tmp_path)
    stat = (tmp_path / "map.h5").stat()
    with (tmp_path / "map.h5").open("r+b") as stream:
        stream.write(b"\xff\x00\xff")
    os.utime(tmp_path / "map.h5", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(SourceChanged):
        Notebook().deliver(faked.adapter(), record)
    assert faked.fake is not None
    assert not faked.fake.blobs


def test_a_dataset_that_is_too_large_is_refused_first(faked: Place, tmp_path: Path) -> None:
    """What is larger than the configuration allows is parked with both numbers, before the first request."""
    with pytest.raises(CatalogRefused, match="300004 bytes; at most 1000"):
        faked.adapter(max_size=1000).plan(measured(tmp_path))
    assert faked.fake is not None
    assert faked.fake.requests == []


def test_shards_in_a_folder_that_a_web_server_shows(faked: Place, tmp_path: Path) -> None:
    """`storageHttp`: real files with real checksums under absolute addresses; verify reads them back over HTTP."""
    web = tmp_path / "web"
    (tmp_path / "data").mkdir()

    def show(seen: Any) -> Any:
        from tests.fakes.httpserver import Reply  # noqa: PLC0415 only here

        return Reply(200, (web / "/".join(seen.segments())).read_bytes())

    with serve(show) as address:
        adapter = faked.adapter(storage=Folder(web, address))
        record = measured(tmp_path / "data")
        Notebook().deliver(adapter, record)
        shards = faked.record(ENTRY, key_of(record.unique_id))["storage"]["shards"]
        assert [hashlib.sha256(httpx.get(one["url"]).content).hexdigest() for one in shards] == [
            one["checksum"]["digest"] for one in shards
        ]
        held = adapter.holds(record.unique_id)
        assert held is not None
        assert b"".join(adapter.read(held[0], lambda: None)) == (tmp_path / "data" / held[0].name).read_bytes()
    assert not list(web.rglob("*.part"))


def test_shards_in_an_object_store(faked: Place, tmp_path: Path) -> None:
    """`storageS3`: keys below the prefix, with bucket, region and endpoint for readers, and real checksums."""
    objects: dict[str, bytes] = {}
    store = Bucket("open-data", "lab", "eu-1", "https://s3.example.org", objects.__setitem__)
    record = measured(tmp_path)
    Notebook().deliver(faked.adapter(storage=store), record)
    storage = faked.record(ENTRY, key_of(record.unique_id))["storage"]
    assert (storage["bucket"], storage["region"], storage["endpoint"]) == (
        "open-data",
        "eu-1",
        "https://s3.example.org",
    )
    assert [hashlib.sha256(objects[one["key"]]).hexdigest() for one in storage["shards"]] == [
        one["checksum"]["digest"] for one in storage["shards"]
    ]
    assert all(key.startswith(f"lab/{record.unique_id}/") for key in objects)


def test_a_storage_keeps_bytes_under_the_name_that_tells_them(faked: Place, tmp_path: Path) -> None:
    """Shards go through fsspec to whatever it speaks, here a real folder; what is there already is not written again."""
    (tmp_path / "bucket/lab").mkdir(parents=True)
    remote = Remote(f"file://{tmp_path}/bucket", {"auto_mkdir": True}, None, read_back=False)
    record, store = measured(tmp_path), Bucket("bucket", "lab", None, None, remote.keep)
    for _ in range(2):
        Notebook().deliver(faked.adapter(storage=store), record)
    shards = faked.record(ENTRY, key_of(record.unique_id))["storage"]["shards"]
    for one in shards:
        assert hashlib.sha256((tmp_path / "bucket" / one["key"]).read_bytes()).hexdigest() == one["checksum"]["digest"]
    remote.close()


def test_check_says_who_we_are_and_what_goes(place: Place) -> None:
    """Account, limits, and that everything there is public; a wrong password is one sentence."""
    findings = place.adapter().check()
    assert [finding.health for finding in findings] == [Health.OK] * 3
    assert place.handle in findings[0].text
    with closing(Place(place.url, place.handle, "wrong-wrong", place.fake)) as stranger:
        assert [finding.health for finding in stranger.adapter().check()] == [Health.FAILED]


def test_a_shard_is_named_by_its_bytes(place: Place, tmp_path: Path) -> None:
    """Trap: CIDs are computed here and compared; the server's are the same."""
    record = measured(tmp_path)
    Notebook().deliver(place.adapter(), record)
    for item in place.record(ENTRY, key_of(record.unique_id))["storage"]["blobs"]:
        assert item["blob"]["ref"]["$link"] == blob_cid(item["checksum"]["digest"])


@pytest.mark.pds
def test_atdata_reads_what_was_published(tmp_path: Path) -> None:
    """The index's own reader, unmodified, finds a dataset by its label and puts every file together from its shards."""
    reader = BOX.parent / "atdata/bin/python"
    if not reader.exists():
        pytest.skip(
            "there is no atdata in .oracles/atdata: it needs Python 3.12, which `make test-pds` takes from this computer or"
            " from uv; .oracles/atdata.log says why there is none"
        )
    with ExitStack() as stack:
        url, handle, password = stack.enter_context(real_pds(tmp_path / "pds", blob_limit=102_400))
        place = stack.enter_context(closing(Place(url, handle, password)))
        record, adapter = measured(tmp_path, attributes={"dataset_name": "tem-run1"}), place.adapter()
        Notebook().deliver(adapter, record)
        did = adapter._session.identity().did
        script = Path(__file__).parents[1] / "fakes/atdata_reader.py"
        told = subprocess.run(
            [str(reader), str(script), url, did, f"@{handle}/tem-run1"], capture_output=True, text=True, check=False
        )
    assert told.returncode == 0, told.stderr[-2000:]
    read = json.loads(told.stdout.splitlines()[-1])
    assert {name: read[name] for name in ("map.h5", "leer.log", "größe.dat")} == {
        f.name: f.sha256 for f in record.files
    }
