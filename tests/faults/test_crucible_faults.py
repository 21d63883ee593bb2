"""Every fault at every step of a delivery to Crucible: afterwards everything is in the catalog exactly once."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible import Crucible, CrucibleOptions
from daemon.catalogs.http import HttpClient, Timeouts
from daemon.clock import ManualClock, SystemClock
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused
from daemon.mfid import new_mfid
from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.faultproxy import Fault, FaultProxy, raw
from tests.fakes.httpserver import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.model import DatasetRecord

PART_SIZE: Final = 70_000
PARENT: Final = new_mfid(1_700_000_000_000_000_000)
SAMPLE: Final = new_mfid(1_700_000_001_000_000_000)
PAGE: Final = b"<!doctype html><title>Log in to the guest network</title>"

PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)

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
UNTOLD: Final = {"the request's body is cut", "the answer is lost", "the answer's body is cut", "500 although done"}
CASES: Final = [
    *(("fake", fault) for fault in FAULTS),
    *(("embedded", fault) for fault in FAULTS if fault.name in UNTOLD),
]
REQUESTS: Final = {
    "record": r"^POST /api/v3/datasets$",
    "metadata": r"^PATCH .*/metadata$",
    "keyword": r"^POST .*/keywords",
    "initiate": r"^POST .*/upload/multipart/initiate$",
    "status": r"^GET .*/upload/multipart/[0-9a-f]+$",
    "sign": r"^POST .*/parts$",
    "part": r"^PUT ",
    "complete": r"^POST .*/upload/multipart/complete$",
    "ingest": r"^POST .*/ingest",
    "thumbnail": r"^POST .*/thumbnails$",
    "sample": r"^POST .*/samples/",
    "link": r"^POST .*/children/",
}


@dataclass(frozen=True)
class Bench:
    """A server that speaks Crucible's API, a proxy in front of it, an adapter that only knows the proxy."""

    api: HttpClient
    key: str
    proxy: FaultProxy
    crucible: Crucible
    numbers: Iterator[int]


@contextmanager
def in_memory() -> Iterator[tuple[str, str]]:
    """The fake, which adds whatever it is asked to add: its address and key."""
    fake = FakeCrucible(PART_SIZE)
    fake.add_dataset(PARENT)
    with serve(fake.answer) as url:
        yield f"{url}/api/v3", KEY


@contextmanager
def embedded_catalog(folder: Path) -> Iterator[tuple[str, str]]:
    """The embedded catalog in a process of its own."""
    program = "import sys, json, pathlib; from daemon.localcatalog.server import serve; serve(pathlib.Path(sys.argv[1])"
    program += ", ready=lambda where: print(json.dumps(where), flush=True))"
    command = [sys.executable, "-c", program, str(folder / "catalog")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        key = Path(where["token_file"]).read_text().strip()
        api = HttpClient("setup", where["url"], key, SystemClock())
        api.call("POST", "/projects", body={"project_id": "MFP12345"}, also=(409, 422))
        api.call("POST", "/datasets", body={"unique_id": PARENT})
        api.call("POST", "/samples", body={"unique_id": SAMPLE, "sample_name": "a wafer"})
        api.close()
        try:
            yield where["url"], key
        finally:
            process.terminate()


@contextmanager
def behind_a_proxy(server: AbstractContextManager[tuple[str, str]]) -> Iterator[Bench]:
    """A proxy and an adapter for a server."""
    with server as (url, key), FaultProxy(urlsplit(url).port or 0) as proxy:
        timeouts = Timeouts(connect=5.0, read=0.25, slow=0.25, storage=0.25)
        address = f"http://127.0.0.1:{proxy.port}/api/v3"
        crucible = Crucible(CrucibleOptions(address, Key(key, "a test"), timeouts=timeouts), ManualClock())
        api = HttpClient("the test", url, key, SystemClock())
        yield Bench(api, key, proxy, crucible, itertools.count())
        api.close()
        crucible.close()


@pytest.fixture(scope="module")
def fake() -> Iterator[Bench]:
    """One server for all faults; every test has a dataset of its own."""
    with behind_a_proxy(in_memory()) as bench:
        yield bench


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The same with the embedded catalog."""
    with behind_a_proxy(embedded_catalog(tmp_path_factory.mktemp("server"))) as bench:
        yield bench


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Bench:
    """The server that the test names; the fake if it names none."""
    found: Bench = request.getfixturevalue(getattr(request, "param", "fake"))
    return found


@pytest.fixture
def record(tmp_path: Path, bench: Bench) -> DatasetRecord:
    """A dataset with one of everything, whose file takes three parts where parts are small."""
    (tmp_path / "map.h5").write_bytes(bytes(range(251)) * 600)  # 150,600 bytes
    return dataset_record(
        new_mfid(1_800_000_000_000_000_000 + next(bench.numbers) * 1_000_000_000),
        {"dataset_name": "a map", "measurement": "hyperspec", "project_id": "MFP12345"},
        scientific_metadata={"laser": {"power": {"value": 1.5, "unit": "mW"}}},
        keywords=("gold", "Raman & PL"),
        files=(record_file(tmp_path / "map.h5", part_size=PART_SIZE),),
        thumbnails=(thumbnail("map.png", PNG),),
        samples=(SAMPLE,),
        parent_id=PARENT,
    )


def assert_exactly_once(api: HttpClient, record: DatasetRecord) -> None:
    """The catalog holds the record, and nothing of it twice."""
    dataset, resource = f"/datasets/{record.unique_id}", f"/resources/{record.unique_id}"
    there = api.call("GET", dataset).mapping()
    assert {name: there[name] for name in record.attributes} == {
        name: attribute.value for name, attribute in record.attributes.items()
    }
    assert api.call("GET", f"{resource}/metadata").mapping()["scientific_metadata"] == record.scientific_metadata
    keywords = [
        item["keyword"] if isinstance(item, dict) else item for item in api.call("GET", f"{dataset}/keywords").items()
    ]
    assert sorted(keywords) == sorted(record.keywords)
    pictures = [item["thumbnail_name"] for item in api.call("GET", f"{dataset}/thumbnails").items()]
    assert pictures == [item.name for item in record.thumbnails]
    links = [item["unique_id"] for item in api.call("GET", f"{resource}/links").items()]
    assert sorted(links) == sorted([PARENT, SAMPLE])
    files = api.call("GET", f"{dataset}/files").items()
    expected = sorted((file.name, file.sha256, file.size) for file in record.files)
    assert sorted((file["filename"], file["sha256_hash"], file["size"]) for file in files) == expected
    for file in files:
        query = [("dataset_mfid", record.unique_id), ("file_mfid", file["mfid"]), ("limit", "100")]
        assert len(api.call("GET", "/ingestion_requests", query=query).items()) == 1


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize(("bench", "fault"), CASES, indirect=["bench"], ids=lambda value: getattr(value, "name", value))
def test_everything_arrives_exactly_once(bench: Bench, record: DatasetRecord, fault: Fault, request_name: str) -> None:
    """Whatever happens to one request, trying again brings everything into the catalog exactly once."""
    notebook = Notebook()
    bench.proxy.arm(REQUESTS[request_name], fault)
    notebook.deliver(bench.crucible, record, tries=6)
    assert bench.proxy.struck == 1
    assert_exactly_once(bench.api, record)
    for error in notebook.errors:
        assert bench.key not in str(error)
        assert isinstance(error, (CatalogUnavailable, CatalogRefused, CredentialsRefused)) or request_name == "link"


def test_a_fault_is_told_by_its_kind(bench: Bench, record: DatasetRecord) -> None:
    """A request to wait keeps its seconds, a refused key is no refusal of the dataset."""
    kinds: dict[str, Any] = {}
    for fault in FAULTS:
        if fault.name in {"429", "401", "400", "200 with HTML"}:
            notebook = Notebook()
            bench.proxy.arm(REQUESTS["metadata"], fault)
            notebook.deliver(bench.crucible, record, tries=6)
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
    assert_exactly_once(bench.api, record)
