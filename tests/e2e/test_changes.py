"""What happens on the disk after a file was delivered: replaced, rewritten, grown, renamed, deleted, joined."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness import Bench, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One daemon for all tests of this module; each has names of its own."""
    with Bench(tmp_path_factory.mktemp("changes"), settle={"quiet": "200ms"}) as bench:
        yield bench


def test_a_rewritten_file_stands_beside_the_old_one_under_a_versioned_name(bench: Bench) -> None:
    """Bytes that were delivered stay in the catalog; other bytes in the same file come as `name.v2`."""
    (bench.data / "rewritten.dat").write_bytes(b"1 2\n3 4\n")
    bench.delivered("rewritten.dat")
    (bench.data / "rewritten.dat").write_bytes(b"9 9\n8 8\n7 7\n")
    found = bench.files("rewritten.dat", revision=2)
    assert found == {"rewritten.dat": b"1 2\n3 4\n", "rewritten.v2.dat": b"9 9\n8 8\n7 7\n"}


def test_a_file_renamed_over_a_delivered_one_is_its_second_version(bench: Bench) -> None:
    """Another file that takes a delivered file's name is a version of the same dataset, and nothing is lost."""
    (bench.data / "replaced.dat").write_bytes(b"old content\n")
    first = bench.delivered("replaced.dat")
    (bench.data / "replaced.tmp").write_bytes(b"new content of another length\n")
    (bench.data / "replaced.tmp").rename(bench.data / "replaced.dat")
    found = bench.files("replaced.dat", revision=2)
    assert found == {"replaced.dat": b"old content\n", "replaced.v2.dat": b"new content of another length\n"}
    assert bench.delivered("replaced.dat", revision=2) == first


def test_a_grown_file_is_replaced_under_its_name(bench: Bench) -> None:
    """When the delivered bytes are the beginning of the new ones, the catalog holds the new ones only."""
    (bench.data / "grown.dat").write_bytes(b"1 1\n")
    first = bench.delivered("grown.dat")
    with (bench.data / "grown.dat").open("ab") as stream:
        stream.write(b"2 4\n3 9\n")
    assert bench.files("grown.dat", revision=2) == {"grown.dat": b"1 1\n2 4\n3 9\n"}
    assert bench.delivered("grown.dat", revision=2) == first


def test_a_file_deleted_after_delivery_stays_in_the_catalog(bench: Bench) -> None:
    """Deleting the local file deletes nothing anywhere else."""
    (bench.data / "deleted.dat").write_bytes(b"5 5\n")
    dataset = bench.delivered("deleted.dat")
    (bench.data / "deleted.dat").unlink()
    bench.daemon.wait_for("file.vanished", path="deleted.dat")
    assert bench.files("deleted.dat") == {"deleted.dat": b"5 5\n"}
    assert bench.catalog.get(f"datasets/{dataset}")["unique_id"] == dataset


def test_a_file_renamed_after_delivery_is_no_second_dataset(bench: Bench) -> None:
    """The daemon knows a moved file again: one dataset, one delivery."""
    (bench.data / "before.dat").write_bytes(b"6 6\n")
    bench.delivered("before.dat")
    (bench.data / "moved").mkdir()
    (bench.data / "before.dat").rename(bench.data / "moved" / "after.dat")
    bench.daemon.wait_for("file.moved", path="moved/after.dat", old_path="before.dat")
    (bench.data / "later.dat").write_bytes(b"6 7\n")
    bench.delivered("later.dat")
    sha256 = hashlib.sha256(b"6 6\n").hexdigest()
    assert [file["filename"] for file in bench.catalog.all_files() if file["sha256_hash"] == sha256] == ["before.dat"]


def test_a_companion_that_comes_late_joins_the_dataset(bench: Bench) -> None:
    """An image saved long after its measurement makes the second revision of that dataset, not one of its own."""
    (bench.data / "scan.xy").write_bytes(b"".join(b"%d %d\n" % (n, n * n) for n in range(30)))
    first = bench.delivered("scan.xy")
    (bench.data / "scan.log").write_bytes(b"laser warmed up\n")
    found = bench.files("scan.xy", revision=2)
    assert sorted(found) == ["scan.log", "scan.xy"]
    assert bench.delivered("scan.xy", revision=2) == first
    assert not bench.daemon.named("dataset.composed")[-1]["path"].endswith(".log")


def test_a_measurement_that_comes_after_its_companion_takes_it_along(bench: Bench) -> None:
    """A log that arrives and is delivered first belongs to its measurement in the end."""
    (bench.data / "early.log").write_bytes(b"begun\n")
    bench.delivered("early.log")
    (bench.data / "early.xy").write_bytes(b"".join(b"%d %d\n" % (n, n) for n in range(30)))
    eventually(lambda: sorted(bench.files("early.xy")) == ["early.log", "early.xy"], "both files in one dataset")


def test_a_file_that_is_touched_is_not_sent_again(bench: Bench) -> None:
    """New times on the same bytes make no new file in the catalog."""
    (bench.data / "touched.dat").write_bytes(b"7 7\n")
    dataset = bench.delivered("touched.dat")
    before = bench.catalog.files(dataset)
    os.utime(bench.data / "touched.dat", (1e9, 1e9))
    with (bench.data / "touched.dat").open("r+b"):
        pass
    eventually(lambda: len([e for e in bench.daemon.named("file.settled") if e["path"] == "touched.dat"]) > 1, "a look")
    (bench.data / "after touch.dat").write_bytes(b"7 8\n")
    bench.delivered("after touch.dat")
    assert bench.catalog.files(dataset) == before


def test_a_file_that_comes_back_is_known_again(bench: Bench) -> None:
    """A delivered file that was deleted and restored with the same bytes is no second dataset and no second file."""
    content = b"8 8\n9 9\n"
    (bench.data / "restored.dat").write_bytes(content)
    dataset = bench.delivered("restored.dat")
    (bench.data / "restored.dat").unlink()
    bench.daemon.wait_for("file.vanished", path="restored.dat")
    (bench.data / "restored.dat").write_bytes(content)
    eventually(lambda: len([e for e in bench.daemon.named("file.settled") if e["path"] == "restored.dat"]) > 1, "it")
    (bench.data / "after restoring.dat").write_bytes(b"8 9\n")
    bench.delivered("after restoring.dat")
    sha256 = hashlib.sha256(content).hexdigest()
    assert [file["sha256_hash"] for file in bench.catalog.all_files()].count(sha256) == 1
    assert [file["filename"] for file in bench.catalog.files(dataset)] == ["restored.dat"]


def test_explain_tells_what_became_of_a_change_and_what_would(bench: Bench) -> None:
    """For a file that was replaced `explain` says how it stands in the catalog, and what a rewrite would do there."""
    (bench.data / "told.dat").write_bytes(b"1\n")
    bench.delivered("told.dat")
    with (bench.data / "told.dat").open("ab") as stream:
        stream.write(b"2\n")
    bench.delivered("told.dat", revision=2)
    command = [sys.executable, "-m", "daemon", "explain", os.fspath(bench.config), os.fspath(bench.data / "told.dat")]
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout
    story = json.loads(told)
    assert story["if_rewritten"] == {"local": "version"}
    assert story["deliveries"][-1]["files"]["told.dat"]["how"] == "replaced"
    assert "keeps both contents" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
