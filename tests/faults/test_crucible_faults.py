"""Every fault at every step of a delivery to Crucible: afterwards everything is in the catalog exactly once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible import Crucible, CrucibleOptions
from daemon.catalogs.http import Timeouts
from daemon.clock import ManualClock
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused
from daemon.mfid import new_mfid
from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.faultproxy import Fault, FaultProxy, raw
from tests.fakes.httpserver import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.model import DatasetRecord

PART_SIZE: Final = 70_000
PARENT: Final = new_mfid(1_700_000_000_000_000_000)
SAMPLE: Final = new_mfid(1_700_000_001_000_000_000)
PAGE: Final = b"<!doctype html><title>Log in to the guest network</title>"

FAULTS: Final = (
    Fault("the request is lost", forward=False),
    Fault("the request is reset", forward=False, ending="reset"),
    Fault("the request's body is cut", upload=20),
    Fault("the answer is lost"),
    Fault("the answer is reset", ending="reset"),
    Fault("the answer's head is cut", cut=12),
    Fault("the answer's body is cut", cut=175),
    Fault("the answer never comes", ending="stall"),
    Fault("400", forward=False, reply=raw("400 Bad Request", b'{"detail":"no"}')),
    Fault("401", forward=False, reply=raw("401 Unauthorized", b'{"detail":"Invalid API key TESTKEY"}')),
    Fault("403", forward=False, reply=raw("403 Forbidden", b'{"detail":"not yours"}')),
    Fault("404", forward=False, reply=raw("404 Not Found", b'{"detail":"gone"}')),
    Fault("409", forward=False, reply=raw("409 Conflict", b'{"detail":"busy"}')),
    Fault("413", forward=False, reply=raw("413 Too Large", b"<html>too large</html>", "text/html")),
    Fault("429", forward=False, reply=raw("429 Slow Down", b"{}", "application/json", "Retry-After: 7")),
    Fault("500", forward=False, reply=raw("500 Oops", b'{"detail":"boom"}')),
    Fault("500 although done", reply=raw("500 Oops", b'{"detail":"boom"}')),
    Fault("502", reply=raw("502 Bad Gateway", b"<html>bad gateway</html>", "text/html")),
    Fault("503", forward=False, reply=raw("503 Unavailable", b"", "text/plain", "Retry-After: 3")),
    Fault("a redirect", forward=False, reply=raw("302 Found", b"", "text/html", "Location: http://127.0.0.1:9/login")),
    Fault("200 with HTML", forward=False, reply=raw("200 OK", PAGE, "text/html")),
    Fault("200 with another shape", forward=False, reply=raw("200 OK", b'[[["not", "it"]]]')),
    Fault("truncated JSON although done", reply=raw("200 OK", b'{"unique_id": "0tr0c')),
    Fault("no HTTP", forward=False, reply=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
)
REQUESTS: Final = {
    "record": r"^POST /api/v3/datasets$",
    "metadata": r"^PATCH .*/metadata$",
    "keyword": r"^POST .*/keywords",
    "initiate": r"^POST .*/upload/multipart/initiate$",
    "status": r"^GET .*/upload/multipart/[0-9a-f]+$",
    "sign": r"^POST .*/parts$",
    "part": r"^PUT /storage/.*/2",
    "complete": r"^POST .*/upload/multipart/complete$",
    "ingest": r"^POST .*/ingest",
    "thumbnail": r"^POST .*/thumbnails$",
    "sample": r"^POST .*/samples/",
    "link": r"^POST .*/children/",
}


@dataclass(frozen=True)
class Bench:
    """A catalog, a proxy in front of it, and an adapter that only knows the proxy."""

    fake: FakeCrucible
    proxy: FaultProxy
    crucible: Crucible


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One server for all faults; every test has a dataset of its own."""
    fake = FakeCrucible(PART_SIZE)
    fake.add_dataset(PARENT)
    with serve(fake.answer) as url, FaultProxy(urlsplit(url).port or 0) as proxy:
        timeouts = Timeouts(connect=5.0, read=0.3, slow=0.3, storage=0.3)
        address = f"http://127.0.0.1:{proxy.port}/api/v3"
        crucible = Crucible(CrucibleOptions(address, Key(KEY, "a test"), timeouts=timeouts), ManualClock())
        yield Bench(fake, proxy, crucible)
        crucible.close()


@pytest.fixture
def record(tmp_path: Path, numbers: Iterator[int]) -> DatasetRecord:
    """A dataset with one of everything, whose larger file takes three parts."""
    (tmp_path / "map.h5").write_bytes(bytes(range(251)) * 600)  # 150,600 bytes
    (tmp_path / "notes.txt").write_bytes(b"a line\n" * 50)
    return dataset_record(
        new_mfid(1_800_000_000_000_000_000 + next(numbers) * 1_000_000_000),
        {"dataset_name": "a map", "measurement": "hyperspec", "project_id": "MFP12345"},
        scientific_metadata={"laser": {"power": {"value": 1.5, "unit": "mW"}}},
        keywords=("gold", "Raman & PL"),
        files=(record_file(tmp_path / "map.h5", part_size=PART_SIZE), record_file(tmp_path / "notes.txt")),
        thumbnails=(thumbnail("map.png", b"\x89PNG map"),),
        samples=(SAMPLE,),
        parent_id=PARENT,
    )


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """A number for each dataset."""
    return itertools.count()


def assert_exactly_once(fake: FakeCrucible, record: DatasetRecord) -> None:
    """The catalog holds the record, and nothing of it twice."""
    there = fake.datasets[record.unique_id]
    assert {name: there.record[name] for name in record.attributes} == {
        name: attribute.value for name, attribute in record.attributes.items()
    }
    assert there.metadata == record.scientific_metadata
    assert sorted(there.keywords) == sorted(record.keywords)
    assert [(item["thumbnail_name"]) for item in there.thumbnails] == [item.name for item in record.thumbnails]
    assert sorted(link["unique_id"] for link in there.links) == sorted([PARENT, SAMPLE])
    files = fake.files_of(record.unique_id)
    expected = sorted((file.name, file.sha256, file.size) for file in record.files)
    assert sorted((file["filename"], file["sha256_hash"], file["size"]) for file in files) == expected
    asked = sorted(request["file_mfid"] for request in fake.requests)
    assert [mfid for mfid in asked if mfid in {file["mfid"] for file in files}] == sorted(f["mfid"] for f in files)


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_everything_arrives_exactly_once(bench: Bench, record: DatasetRecord, fault: Fault, request_name: str) -> None:
    """Whatever happens to one request, trying again brings everything into the catalog exactly once."""
    notebook = Notebook()
    bench.proxy.arm(REQUESTS[request_name], fault)
    notebook.deliver(bench.crucible, record, tries=4)
    assert bench.proxy.struck == 1
    assert_exactly_once(bench.fake, record)
    for error in notebook.errors:
        assert KEY not in str(error)
        assert isinstance(error, (CatalogUnavailable, CatalogRefused, CredentialsRefused)) or request_name == "link"


def test_a_fault_is_told_by_its_kind(bench: Bench, record: DatasetRecord) -> None:
    """A request to wait keeps its seconds, a refused key is no refusal of the dataset."""
    kinds: dict[str, Any] = {}
    for fault in FAULTS:
        if fault.name in {"429", "401", "400", "200 with HTML"}:
            notebook = Notebook()
            bench.proxy.arm(REQUESTS["metadata"], fault)
            notebook.deliver(bench.crucible, record, tries=4)
            kinds[fault.name] = notebook.errors[0]
    assert isinstance(kinds["401"], CredentialsRefused)
    assert isinstance(kinds["400"], CatalogRefused)
    assert isinstance(kinds["200 with HTML"], CatalogUnavailable)
    assert kinds["429"].retry_after == 7.0


def test_a_delivery_that_loses_every_answer_once_still_ends(bench: Bench, record: DatasetRecord) -> None:
    """Each request of the whole delivery loses its answer once, one after the other; nothing is there twice."""
    notebook = Notebook()
    for pattern in REQUESTS.values():
        bench.proxy.arm(pattern, Fault("the answer is lost"))
        for step in bench.crucible.plan(record):
            if (step.kind, step.key, step.digest) in notebook.done:
                continue
            try:
                notebook.perform(bench.crucible, step, record)
            except CatalogUnavailable:
                break
    bench.proxy.disarm()
    notebook.deliver(bench.crucible, record)
    assert_exactly_once(bench.fake, record)
