"""What the embedded catalog's pages answer on the wire: headers, caching, downloads, odd addresses, speed."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from daemon.localcatalog.folder import open_catalog
from tests.fakes.filled_catalog import Given, add, add_many, logged_in, png, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.localcatalog.folder import LocalCatalog

PICTURE = png(40, 30)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@dataclass(frozen=True)
class Answer:
    """An answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """A browser without a screen: asks, and keeps the log-in cookie."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        self.cookie = ""

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, headers={"Cookie": self.cookie, **named})
        response = self.connection.getresponse()
        body = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        if "set-cookie" in found:
            self.cookie = found["set-cookie"].partition(";")[0]
        return Answer(response.status, found, body)


@contextmanager
def asking(catalog: LocalCatalog) -> Iterator[Client]:
    """A logged-in client of a server of the catalog."""
    with served(catalog) as address:
        client = Client(address)
        try:
            client.get(logged_in(catalog, "").removeprefix(address))
            yield client
        finally:
            client.connection.close()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCatalog]:
    """A catalog with one dataset of everything."""
    catalog = open_catalog(tmp_path_factory.mktemp("catalog"))
    files = [("scan.h5", b"0123456789"), ('é\n"x";.html', b"<script>alert(1)</script>"), ("empty.dat", b"")]
    given = Given("a scan", "Map", "Scope", "s", "2026-01-01T00:00:00Z", metadata={"a": {"b": 1}}, files=files,
                  pictures=[("p.png", PICTURE), ("p.svg", SVG)])  # fmt: skip
    add(catalog, given)
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def client(catalog: LocalCatalog) -> Iterator[Client]:
    """A logged-in client."""
    with asking(catalog) as client:
        yield client


@pytest.fixture
def mfid(catalog: LocalCatalog) -> str:
    """The dataset's id."""
    return str(catalog.reader.select("SELECT unique_id FROM datasets")[0][0])


def files(catalog: LocalCatalog) -> dict[str, str]:
    """The mfids of the files by their names."""
    return {row["filename"]: row["mfid"] for row in catalog.reader.select("SELECT filename, mfid FROM files")}


def thumbnails(catalog: LocalCatalog) -> list[tuple[int, str]]:
    """The ids and hashes of the thumbnails."""
    return [
        (row["id"], row["sha256"]) for row in catalog.reader.select("SELECT id, sha256 FROM thumbnails ORDER BY id")
    ]


def test_every_page_forbids_what_it_does_not_need(client: Client, mfid: str) -> None:
    """Each page, found or not, carries a policy under which nothing can run or load from elsewhere."""
    for path in (
        "/",
        "/sessions",
        f"/datasets/{mfid}",
        "/nowhere",
        f"/datasets/{mfid}/record.json",
        "/static/mark.svg",
    ):
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"], path
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_picture_is_kept_by_its_hash(client: Client, catalog: LocalCatalog) -> None:
    """A picture asked for by its hash may be kept for ever; without it, or when known, it is asked for again."""
    (number, sha256), _ = thumbnails(catalog)
    kept = client.get(f"/thumbnails/{number}.png?v={sha256[:16]}")
    assert (kept.status, kept.headers["content-type"], kept.body) == (200, "image/png", PICTURE)
    assert "immutable" in kept.headers["cache-control"]
    assert "immutable" not in client.get(f"/thumbnails/{number}.png").headers["cache-control"]
    assert "immutable" not in client.get(f"/thumbnails/{number}.png?v=other").headers["cache-control"]
    again = client.get(f"/thumbnails/{number}.png", If_None_Match=kept.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_a_picture_that_is_a_program_is_not_served(client: Client, catalog: LocalCatalog) -> None:
    """An SVG stored as a thumbnail stays in the catalog."""
    _, (number, _) = thumbnails(catalog)
    assert client.get(f"/thumbnails/{number}.png").status == 404


def test_files_are_attachments_whatever_they_are(client: Client, catalog: LocalCatalog) -> None:
    """Every file comes as bytes to be saved, under its own name, with its own bytes."""
    for name, mfid in files(catalog).items():
        answer = client.get(f"/files/{mfid}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment;")
        assert disposition.endswith("UTF-8''" + quote(name, safe=""))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert len(answer.body) == int(answer.headers["content-length"])


def test_a_download_can_be_continued(client: Client, catalog: LocalCatalog) -> None:
    """A browser that was cut off asks for the rest and gets it."""
    answer = client.get(f"/files/{files(catalog)['scan.h5']}", Range="bytes=4-")
    assert (answer.status, answer.body) == (206, b"456789")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/datasets/nope",
        "/datasets/0tkn2knjast3h0008nyq9zps2c",
        "/datasets/0tkn2knjast3h0008nyq9zps2c/record.json",
        "/datasets/%00",
        "/datasets/..%2f..%2fetc%2fpasswd",
        "/thumbnails/0.png",
        "/thumbnails/99999999999999999999999999.png",
        "/files/nope",
        "/files/%F0%9F%9A%A2",
        "/static/catalog.py",
        "/static/..%2fpages.py",
    ],
)
def test_what_is_not_there_is_said_kindly(client: Client, path: str) -> None:
    """An address that leads nowhere gives status 404 and a page with a way back."""
    answer = client.get(path)
    assert answer.status == 404
    assert b"Show all datasets" in answer.body


@pytest.mark.parametrize(
    "query",
    [
        "q=%00", "q=a%00b", "q=%22%20OR%20*", "q=%22", "q=NEAR(", "q=*", "q=a:b", "q=-", "q=" + "a%20" * 3000,
        "session=%00", "before=%00", "before=%FF", "q=%FF%FE", "q=a&q=b", "instrument=%27%3B--", "x=1", "q=%F0%9F%9A%A2",
        "before=" + "z" * 5000,
    ],
)  # fmt: skip
def test_any_question_gets_an_answer(client: Client, query: str) -> None:
    """No text in a filter, a search or a page mark makes the server fail."""
    assert client.get(f"/?{query}").status == 200
    assert client.get(f"/sessions?{query}").status == 200


def test_the_record_is_there_for_programs(client: Client, mfid: str) -> None:
    """The JSON of a dataset holds what its page shows."""
    answer = client.get(f"/datasets/{mfid}/record.json")
    assert answer.headers["content-type"] == "application/json"
    record = json.loads(answer.body)
    assert (record["card"]["unique_id"], record["metadata"]) == (mfid, {"a": {"b": 1}})


def test_a_hidden_dataset_is_gone_from_every_page(tmp_path: Path) -> None:
    """When its deletion was requested, neither a dataset nor its files nor its pictures are shown."""
    catalog = open_catalog(tmp_path / "catalog")
    mfid = add(catalog, Given("gone", "Map", "Scope", "s", files=[("a", b"b")], pictures=[("p.png", PICTURE)]))
    with catalog.database.transaction():
        catalog.database.select("UPDATE datasets SET hidden = 1")
    (number, _), file = thumbnails(catalog)[0], files(catalog)["a"]
    with asking(catalog) as client:
        for path in (f"/datasets/{mfid}", f"/thumbnails/{number}.png", f"/files/{file}"):
            assert client.get(path).status == 404
        assert b"No datasets yet" in client.get("/").body
        assert b"No sessions yet" in client.get("/sessions").body
    catalog.close()


def test_a_file_that_vanished_from_the_disk_is_said_to_be_missing(tmp_path: Path) -> None:
    """A download whose content is not in the folder any more says so, by name."""
    catalog = open_catalog(tmp_path / "catalog")
    add(catalog, Given("x", files=[("a.h5", b"b")]))
    for path in catalog.files.rglob("*"):
        if path.is_file():
            path.unlink()
    with asking(catalog) as client:
        answer = client.get(f"/files/{files(catalog)['a.h5']}")
    assert answer.status == 410
    assert b"a.h5" in answer.body
    catalog.close()


def test_an_empty_catalog_says_what_to_do_next(tmp_path: Path) -> None:
    """Before the first dataset, the page names the commands that bring one."""
    catalog = open_catalog(tmp_path / "catalog")
    with asking(catalog) as client:
        body = client.get("/").body
    assert b"No datasets yet" in body
    assert b"labferry run CONFIG" in body
    catalog.close()


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_page_is_fast_however_many_datasets_there_are(tmp_path: Path, count: int) -> None:
    """The grid, its last page, its filters and a search of a large catalog each take less than 50 ms."""
    catalog = open_catalog(tmp_path / "catalog")
    add_many(catalog, count)
    last = f"{catalog.reader.select('SELECT min(unique_id) FROM datasets')[0][0][:6]}zzzz"
    with asking(catalog) as client:
        client.get("/?q=indexing")  # the first search brings the index up to date
        for path in (
            "/",
            f"/?before={last}",
            "/?measurement=Measurement+7&instrument=Instrument+C",
            "/?session=session+0040",
            "/?q=run+000999",
            "/?q=series",
            "/?instrument=none",
            "/sessions",
        ):
            taken = []
            for _ in range(7):
                begin = time.perf_counter()
                answer = client.get(path)
                assert (answer.status, b'href="/datasets/' in answer.body) == (200, not path.endswith("none"))
                taken.append(time.perf_counter() - begin)
            assert min(taken) < 0.05, f"{path}: {min(taken) * 1000:.1f} ms"
    catalog.close()


def test_without_the_token_a_page_shows_nothing(catalog: LocalCatalog, mfid: str) -> None:
    """A browser that did not open the address with the token learns only how to get in."""
    with served(catalog) as address:
        stranger = Client(address)
        for path in ("/", "/sessions", f"/datasets/{mfid}", f"/files/{files(catalog)['scan.h5']}", "/thumbnails/1.png"):
            answer = stranger.get(path)
            assert answer.status == 401
            assert b"a scan" not in answer.body
            assert b"token" in answer.body
        stranger.connection.close()


def test_a_damaged_database_is_a_sentence(tmp_path: Path) -> None:
    """When the database cannot be read, the page says so with what to do, and not with a traceback."""
    catalog = open_catalog(tmp_path / "catalog")
    with asking(catalog) as client:
        with catalog.database.transaction():
            catalog.database.select("ALTER TABLE datasets RENAME TO lost")
        answer = client.get("/")
    assert answer.status == 503
    assert b"Not now" in answer.body
    assert b"no such table" in answer.body
    catalog.close()


def test_metadata_of_any_depth_has_a_page(tmp_path: Path) -> None:
    """Metadata that is nested as deep as the API takes it is shown down to a limit, and its record is whole."""
    catalog = open_catalog(tmp_path / "catalog")
    metadata: dict[str, object] = {"bottom": 1}
    for _ in range(900):
        metadata = {"below": metadata}
    mfid = add(catalog, Given("deep", metadata=metadata))
    with asking(catalog) as client:
        assert client.get(f"/datasets/{mfid}").status == 200
        assert json.loads(client.get(f"/datasets/{mfid}/record.json").body)["metadata"] == metadata
    catalog.close()
