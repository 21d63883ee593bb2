"""`labferry run --once` over real instrument files."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.harness import Catalog, Daemon, configuration

CORPUS = Path(__file__).parents[1] / "data" / "corpus"


def hashes(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.timeout(180)
def test_every_file_of_the_corpus_is_in_the_catalog_once_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """Every real file arrives with its hash, nothing is parked, and running again sends nothing."""
    shutil.copytree(CORPUS, tmp_path / "data", ignore=shutil.ignore_patterns(".*"))
    expected = hashes(tmp_path / "data")
    config = configuration(tmp_path)

    first = Daemon(config).start("--once")
    assert first.wait() == 0, first.raw[-5:]
    with Catalog(tmp_path / "catalog") as catalog:
        before = list(catalog.datasets())
        arrived = catalog.all_files()
        assert sorted(expected.values()) == sorted(file["sha256_hash"] for file in arrived)
        one = min(arrived, key=lambda file: int(file["size"]))
        assert hashlib.sha256(catalog.download(one["mfid"])).hexdigest() == one["sha256_hash"]

    second = Daemon(config).start("--once")
    assert second.wait() == 0
    assert not second.named("delivery.delivered")
    with Catalog(tmp_path / "catalog") as catalog:
        assert list(catalog.datasets()) == before


@pytest.mark.timeout(60)
def test_a_file_that_no_ingestor_can_read_is_delivered_all_the_same(tmp_path: Path) -> None:
    """Broken HDF5, binary rubbish and an empty file reach the catalog, each with a warning or plain attributes."""
    config = configuration(tmp_path)
    (tmp_path / "data" / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(88))
    (tmp_path / "data" / "noise.dat").write_bytes(bytes(range(256)) * 64)
    (tmp_path / "data" / "empty.xy").write_bytes(b"")
    expected = hashes(tmp_path / "data")

    assert Daemon(config).start("--once").wait() == 0

    with Catalog(tmp_path / "catalog") as catalog:
        assert sorted(expected.values()) == sorted(file["sha256_hash"] for file in catalog.all_files())
        names = {one["dataset_name"]: one["unique_id"] for one in catalog.measurements()}
        metadata = catalog.get(f"resources/{names['broken']}/metadata")["scientific_metadata"]
        assert any("HDF5" in warning for warning in metadata["labferry"]["warnings"])
