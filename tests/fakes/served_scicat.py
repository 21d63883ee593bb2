"""A fake SciCat as the fault tests see it, with its files copied to a storage of its own."""

from __future__ import annotations

import functools
import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from daemon.catalogs.credentials import Key
from daemon.catalogs.http import DEFAULT_TIMEOUTS, Timeouts
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.catalogs.transfer import Copier
from daemon.clock import SystemClock
from tests.fakes.httpserver import serve
from tests.fakes.scicat import PASSWORD, PREFIX, FakeScicat
from tests.fakes.scicat_bench import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.catalogs.catalog import Catalog
    from daemon.clock import Clock
    from tests.fakes.served import Served

_HURRIED = Timeouts(connect=5.0, read=0.3, slow=0.3, storage=0.3)


def adapter(storage: str, pid_prefix: str | None, port: int, clock: Clock) -> Catalog:
    """The adapter that finds the server at a port; on any clock but the real one it hurries."""
    transfer = {"mode": "copy", "to": storage}
    options = SciCatOptions(
        settings(f"http://127.0.0.1:{port}", transfer=transfer, pid_prefix=pid_prefix),
        "tem1",
        password=Key(PASSWORD, "a test"),
        mover=Copier(storage, read_back=True),
        roots=("/data/tem",),
        timeouts=DEFAULT_TIMEOUTS if isinstance(clock, SystemClock) else _HURRIED,
    )
    return SciCat(options, clock)


def title(line: str) -> str:
    """A request without what differs between datasets."""
    line = re.sub(rf"{re.escape(PREFIX)}[^/?]*|20\.500\.1[^/?]*", "{pid}", line)
    return re.sub(r"\?.*", "", line).replace("/api", "")


def contents(fake: FakeScicat, unique_id: str) -> dict[str, Any] | None:
    """Everything of our dataset, by roles and not by pids."""
    keys = {pid: one.record["scientificMetadata"]["ingest_key"]["dataset"] for pid, one in fake.datasets.items()}
    pids = [pid for pid, dataset in keys.items() if dataset == unique_id]
    if len(pids) != 1:
        return None
    one = fake.datasets[pids[0]]
    record = one.record
    listed = [entry for block in one.blocks for entry in block["dataFileList"]]
    stored = [Path(record["sourceFolder"], entry["path"]) for entry in listed]
    read = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in stored if path.exists()}
    names = (
        "datasetName",
        "ownerGroup",
        "accessGroups",
        "type",
        "isPublished",
        "creationTime",
        "proposalIds",
        "startTime",
    )
    return {
        "record": {name: record.get(name) for name in names},
        "lifecycle": (record["datasetlifecycle"]["archivable"], record["datasetlifecycle"]["archiveStatusMessage"]),
        "metadata": {key: value for key, value in record["scientificMetadata"].items() if key != "ingest_key"},
        "keywords": sorted(record["keywords"][1:]),
        "thumbnails": sorted((item["caption"], item["thumbnail"]) for item in one.attachments),
        "links": sorted([*(keys.get(pid, pid) for pid in record["inputDatasets"]), *record["sampleIds"]]),
        "files": sorted(
            (path.name, entry["size"], read.get(path, "")) for path, entry in zip(stored, listed, strict=True)
        ),
        "counted": (record["numberOfFiles"], record["size"]),
        "leftovers": sorted(path.name for path in Path(record["sourceFolder"]).glob("**/.*")),
    }


@contextmanager
def scicat(served: Callable[..., Served], generation: str, rights: str, folder: Path) -> Iterator[Served]:
    """A server; with the right to choose pids it does."""
    fake = FakeScicat(generation, rights)
    storage = folder / "storage"
    storage.mkdir()
    prefix = None if rights == "create" else "20.500.1"
    with serve(fake.answer) as url:
        yield served(
            urlsplit(url).port or 0,
            functools.partial(adapter, str(storage), prefix),
            functools.partial(contents, fake),
            lambda: len(fake.datasets),
            title,
        )
    assert fake.violations == []
