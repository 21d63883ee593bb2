"""Catalogs as the fault tests see them: a server, an adapter that reaches it, and a look at what it holds.

A new catalog joins every fault test with one entry in `SERVERS`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import json
import re
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.catalogs.http import HttpClient, Timeouts
from daemon.clock import Clock, SystemClock
from daemon.mfid import new_mfid
from tests.fakes.crucible import KEY, FakeCrucible
from tests.fakes.httpserver import serve
from tests.fakes.served_atproto import atproto
from tests.fakes.served_scicat import scicat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.catalogs.catalog import Catalog

PROJECT: Final = "MFP12345"
SAMPLE: Final = new_mfid(1_700_000_001_000_000_000)
PART_SIZE: Final = 70_000
"""Bytes of a part where the server can be told, so that small files have several."""

_HURRIED: Final = Timeouts(connect=5.0, read=0.3, slow=0.3, storage=0.3)
_ID: Final = re.compile(r"(?<=/)([0-9a-hjkmnp-tv-z]{26}|[0-9a-f]{32}|[0-9]+)(?=[/?]|$)")


@dataclass(frozen=True)
class Served:
    """A catalog's server under test.

    `adapter`: an adapter that finds the server at a port of this computer, patient if the clock is the real one; it is pickled and travels to processes that
    are killed. `contents`: everything that the catalog holds of the dataset with this id of ours, in plain values that
    are the same for the same record: lists where something could be there twice, and of each file the sha256 of its bytes as
    they are read back; None if there is no such dataset. `count`: how many datasets there are in all. `title`: a
    request's method and path without what differs between datasets. `public`: it takes nothing else, and no session's parent.
    """

    port: int
    adapter: Callable[[int, Clock], Catalog]
    contents: Callable[[str], dict[str, Any] | None]
    count: Callable[[], int]
    title: Callable[[str], str]
    sample: str = SAMPLE
    project: str = PROJECT
    public: bool = False


class HastyClock(SystemClock):
    """The real time for what a server signs; nobody waits between two tries of a part."""

    def wait(self, event: Any, seconds: float | None) -> bool:
        """Go on at once."""
        del seconds
        return bool(event.is_set())


def _crucible(key: str, port: int, clock: Clock) -> Catalog:
    """On the real clock one that is patient; on any other one that hurries, as its signed addresses live in real time."""
    url = f"http://127.0.0.1:{port}/api/v3"
    if isinstance(clock, SystemClock):
        return Crucible(CrucibleOptions(url, Key(key, "a test"), verify=False), clock)
    return Crucible(CrucibleOptions(url, Key(key, "a test"), timeouts=_HURRIED, verify=False), HastyClock())


def _title(line: str) -> str:
    return re.sub(r"\?.*", "", _ID.sub("{id}", line)).replace("/api/v3", "")


@contextmanager
def embedded(folder: Path) -> Iterator[Served]:
    """The embedded catalog in a process of its own."""
    program = "import sys, json, pathlib; from daemon.localcatalog.server import serve; serve(pathlib.Path(sys.argv[1])"
    program += ", ready=lambda where: print(json.dumps(where), flush=True))"
    command = [sys.executable, "-c", program, str(folder / "catalog")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        key = Path(where["token_file"]).read_text().strip()
        api = HttpClient("the test", where["url"], key, SystemClock(), verify=False)
        api.call("GET", "/ingestors")  # reads its plugins now, not while somebody waits
        api.call("POST", "/projects", body={"project_id": PROJECT}, also=(409, 422))
        api.call("POST", "/samples", body={"unique_id": SAMPLE, "sample_name": "a wafer"})
        looking = _Looking(api)
        try:
            yield Served(
                urlsplit(where["url"]).port or 0,
                functools.partial(_crucible, key),
                looking.contents,
                looking.count,
                _title,
            )
        finally:
            api.close()
            process.terminate()


@contextmanager
def in_memory(folder: Path) -> Iterator[Served]:
    """The fake with small parts, which adds whatever it is asked to add, as often as it is asked."""
    del folder
    fake = FakeCrucible(PART_SIZE)
    fake.projects = [PROJECT]

    def contents(dataset: str) -> dict[str, Any] | None:
        there = fake.datasets.get(dataset)
        if there is None:
            return None
        return {
            "record": {name: value for name, value in there.record.items() if name != "unique_id"},
            "metadata": there.metadata,
            "keywords": sorted(there.keywords),
            "thumbnails": sorted((one["thumbnail_name"], _sha(one["thumbnail_b64str"])) for one in there.thumbnails),
            "links": sorted(json.dumps(link, sort_keys=True) for link in there.links),
            "files": sorted(
                (file["filename"], file["size"], hashlib.sha256(fake.contents.get(file["mfid"], b"")).hexdigest())
                for file in fake.files_of(dataset)
            ),
            "ingestions": sorted(
                (fake.files[one["file_mfid"]]["filename"], one["status"])
                for one in fake.requests
                if fake.files[one["file_mfid"]]["dataset_mfid"] == dataset
            ),
        }

    with serve(fake.answer) as url:
        yield Served(
            urlsplit(url).port or 0,
            functools.partial(_crucible, KEY),
            contents,
            lambda: len(fake.datasets),
            _title,
        )


@dataclass(frozen=True)
class _Looking:
    """What a client sees of a catalog that speaks Crucible's API."""

    api: HttpClient

    def contents(self, dataset: str) -> dict[str, Any] | None:
        """Everything of a dataset."""
        path, resource = f"/datasets/{dataset}", f"/resources/{dataset}"
        answer = self.api.call("GET", path, also=(404,))
        if not answer.ok:
            return None
        there = answer.mapping()
        files = self.api.call("GET", f"{path}/files").items()
        named = {file["mfid"]: file["filename"] for file in files}
        query = [("dataset_mfid", dataset), ("limit", "1000")]
        requests = self.api.call("GET", "/ingestion_requests", query=query).items()
        links = self.api.call("GET", f"{resource}/links").items()
        keywords = self.api.call("GET", f"{path}/keywords").items()
        thumbnails = self.api.call("GET", f"{path}/thumbnails").items()
        metadata = self.api.call("GET", f"{resource}/metadata").value() or {}
        names = ("dataset_name", "measurement", "session_name", "data_format", "timestamp", "project_id", "public")
        return {
            "record": {name: there.get(name) for name in names},
            "metadata": metadata.get("scientific_metadata"),
            "keywords": sorted(one["keyword"] if isinstance(one, dict) else one for one in keywords),
            "thumbnails": sorted((one["thumbnail_name"], _sha(one["thumbnail_b64str"])) for one in thumbnails),
            "links": sorted((one["unique_id"], str(one["relationship_type"]), one["direction"]) for one in links),
            "files": sorted(
                (file["filename"], file["size"], self._bytes(file["mfid"]) if file["size"] else "") for file in files
            ),
            "ingestions": sorted((named[one["file_mfid"]], one["status"]) for one in requests),
        }

    def count(self) -> int:
        """The datasets."""
        query = [("limit", "1"), ("include_total", "true")]
        return int(self.api.call("GET", "/datasets", query=query).mapping()["total"])

    def _bytes(self, file: str) -> str:
        link = self.api.call("GET", f"/files/{file}/download_link").mapping()["url"]
        parts = urlsplit(link)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            assert answer.status == 200, (link, answer.status)
            return hashlib.sha256(answer.read()).hexdigest()
        finally:
            connection.close()


def _sha(base64_text: str) -> str:
    return hashlib.sha256(base64.b64decode(base64_text)).hexdigest()


SERVERS: Final[dict[str, Callable[[Path], AbstractContextManager[Served]]]] = {
    "crucible": embedded,
    "crucible in small parts": in_memory,
    "scicat 4": functools.partial(scicat, Served, "4", "create"),
    "scicat 5 with pids of ours": functools.partial(scicat, Served, "5", "pid"),
    "atproto": functools.partial(atproto, Served),
}
SELDOM: Final = frozenset({"scicat 5 with pids of ours"})
"""Those that only the long tests try."""
