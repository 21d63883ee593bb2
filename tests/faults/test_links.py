"""Large files over links that break: what arrived is not sent again, and the daemon's memory stays small."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from daemon.clock import SystemClock
from daemon.mfid import new_mfid
from daemon.model import DatasetRecord, Fingerprint, RecordFile
from daemon.watch.digest import digest
from tests.fakes.breakinglink import BreakingLink
from tests.fakes.deliveries import Notebook, dataset_record
from tests.fakes.served import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.served import Served

MB = 1_000_000
FIRST_PART = 64 * 2**20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The embedded catalog."""
    with embedded(tmp_path_factory.mktemp("server")) as server:
        yield server


def large(path: Path, size: int) -> DatasetRecord:
    """A record of a file of this size, whose blocks differ; most of it is a hole."""
    with path.open("wb") as stream:
        for offset in range(0, size, 16 * MB):
            stream.seek(offset)
            stream.write(offset.to_bytes(8, "big"))
        stream.truncate(size)
    status = path.stat()
    fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    sums = digest(path, fingerprint)
    file = RecordFile(
        name=path.name,
        path=os.fspath(path),
        size=size,
        sha256=sums.sha256,
        crc32c=sums.crc32c,
        part_size=sums.part_size,
        part_crc32c=sums.part_crc32c,
        primary=True,
        fingerprint=fingerprint,
    )
    return dataset_record(new_mfid(status.st_mtime_ns), {"dataset_name": path.stem}, files=(file,))


def sent_over(served: Served, path: Path, size: int, every: int) -> tuple[float, int]:
    """Deliver over a link that breaks; how much was sent for each byte of the file, and the number of breaks."""
    record = large(path, size)
    with BreakingLink(served.port, every) as link:
        catalog = served.adapter(link.port, SystemClock())
        Notebook().deliver(catalog, record, tries=5)
        catalog.close()
    contents = served.contents(record.unique_id)
    assert contents is not None
    assert contents["files"] == [(path.name, size, record.files[0].sha256)]
    return link.sent / size, link.breaks


def test_a_link_that_breaks_costs_less_than_a_tenth(served: Served, tmp_path: Path) -> None:
    """Over a link that breaks every 60 MB less than a tenth is sent twice, beside the first part: it shows what the link is."""
    share, breaks = sent_over(served, tmp_path / "stack.raw", 400 * MB, 60 * MB)
    assert breaks >= 6
    assert share - FIRST_PART / (400 * MB) < 1.1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_gibibytes_over_a_breaking_link(served: Served, tmp_path: Path) -> None:
    """A file of 5 GiB over a link that breaks every 200 MB arrives with less than a tenth of it sent twice."""
    share, breaks = sent_over(served, tmp_path / "stack.raw", 5 * 2**30, 200 * MB)
    assert breaks >= 26
    assert share < 1.1
