"""One file into one dataset: resumed, guarded against change, never twice."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import CatalogRefused, CatalogUnavailable, NotYet, SourceChanged
from daemon.mfid import new_mfid
from daemon.model import StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file
from tests.fakes.httpserver import Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.unit.catalogs.conftest import Bench

DATASET = new_mfid(1_800_000_000_000_000_000)


def send(bench: Bench, path: Path, notebook: Notebook | None = None, part_size: int = 1000) -> Mapping[str, Any]:
    """Perform the file step of a dataset that is there."""
    if DATASET not in bench.fake.datasets:
        bench.fake.add_dataset(DATASET)
    record = dataset_record(DATASET, files=(record_file(path, part_size=part_size),))
    step = next(step for step in bench.crucible.plan(record) if step.kind is StepKind.FILE)
    return (notebook or Notebook()).perform(bench.crucible, step, record)


def write(path: Path, size: int) -> bytes:
    """Make a file whose parts all differ."""
    content = b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]
    path.write_bytes(content)
    return content


def stored(bench: Bench) -> list[bytes]:
    """The contents of the dataset's files."""
    return [bench.fake.contents[file["mfid"]] for file in bench.fake.files_of(DATASET)]


def puts(bench: Bench) -> list[str]:
    """The part numbers that were sent, in order."""
    return [seen.path.rsplit("/", 1)[1] for seen in bench.fake.seen if seen.method == "PUT"]


def refuse_put(number: int, status: int = 503) -> Callable[[Seen], Reply | None]:
    """A storage that does not take one part."""
    return lambda seen: Reply(status) if seen.method == "PUT" and seen.path.endswith(f"/{number}") else None


def test_only_missing_parts_are_sent_after_a_restart(bench: Bench, tmp_path: Path) -> None:
    """An upload of three parts that broke at the third goes on with the third, under the remembered id."""
    content = write(tmp_path / "a.h5", 2500)
    notebook = Notebook()
    bench.fake.refuse = refuse_put(3)
    with pytest.raises(CatalogUnavailable):
        send(bench, tmp_path / "a.h5", notebook)
    begun = bench.asked("POST", "/initiate")
    bench.fake.seen.clear()
    bench.fake.refuse = lambda _: None
    send(bench, tmp_path / "a.h5", notebook)
    assert begun == 1
    assert bench.asked("POST", "/initiate") == 0
    assert puts(bench) == ["3"]
    assert stored(bench) == [content]


def test_acknowledged_parts_are_remembered_at_once(bench: Bench, tmp_path: Path) -> None:
    """The upload id is stored before the first part, each part after it is there."""
    write(tmp_path / "a.h5", 2500)
    notebook = Notebook()
    seen_memory: list[Mapping[str, Any]] = []
    bench.fake.refuse = lambda seen: seen_memory.extend(notebook.memory.values()) if seen.method == "PUT" else None
    send(bench, tmp_path / "a.h5", notebook)
    assert all("upload_id" in memory for memory in seen_memory)
    assert len(seen_memory) == 3
    assert next(iter(notebook.memory.values()))["acknowledged"] == [1, 2, 3]


def test_a_forgotten_upload_begins_anew(bench: Bench, tmp_path: Path) -> None:
    """When the catalog no longer knows an upload, another one is begun under another Idempotency-Key."""
    content = write(tmp_path / "a.h5", 2500)
    notebook = Notebook()
    bench.fake.refuse = refuse_put(2)
    with pytest.raises(CatalogUnavailable):
        send(bench, tmp_path / "a.h5", notebook)
    bench.fake.uploads.clear()
    bench.fake.refuse = lambda _: None
    send(bench, tmp_path / "a.h5", notebook)
    keys = {seen.headers.get("idempotency-key") for seen in bench.fake.seen if seen.path.endswith("/initiate")}
    assert len(keys) == 2
    assert stored(bench) == [content]


def test_a_catalog_that_forgets_every_upload_is_asked_later(bench: Bench, tmp_path: Path) -> None:
    """An upload that is forgotten again and again ends as unavailable and not in a loop."""
    write(tmp_path / "a.h5", 2500)
    bench.fake.refuse = lambda seen: Reply(404, {"detail": "no upload"}) if seen.path.endswith("/parts") else None
    with pytest.raises(CatalogUnavailable, match="twice"):
        send(bench, tmp_path / "a.h5")
    assert bench.asked("POST", "/initiate") == 2


def test_forty_parts_are_signed_in_batches(bench: Bench, tmp_path: Path) -> None:
    """At most 32 parts are signed at once, and every part is sent once."""
    content = write(tmp_path / "a.h5", 39_500)
    send(bench, tmp_path / "a.h5")
    batches = [len(seen.json()["parts"]) for seen in bench.fake.seen if seen.path.endswith("/parts")]
    assert batches == [32, 8]
    assert sorted(puts(bench), key=int) == [str(number) for number in range(1, 41)]
    assert stored(bench) == [content]


def test_the_catalogs_part_size_counts(bench: Bench, tmp_path: Path) -> None:
    """Checksums of another part size than ours are made anew."""
    content = write(tmp_path / "a.h5", 2500)
    send(bench, tmp_path / "a.h5", part_size=700)
    assert stored(bench) == [content]


def test_an_address_that_is_about_to_expire_is_signed_again(bench: Bench, tmp_path: Path) -> None:
    """Less than 30 s before its end an address is renewed once, and then used whatever the clocks say."""
    write(tmp_path / "a.h5", 900)
    bench.fake.url_expires_at = "2026-01-01T00:00:20Z"
    send(bench, tmp_path / "a.h5")
    assert bench.asked("POST", "/parts") == 2
    assert puts(bench) == ["1"]


def test_a_storage_that_accepts_no_signature_is_asked_later(bench: Bench, tmp_path: Path) -> None:
    """403 for every address is a reason to wait, not to give up."""
    write(tmp_path / "a.h5", 900)
    bench.fake.refuse = refuse_put(1, 403)
    with pytest.raises(CatalogUnavailable, match="signed"):
        send(bench, tmp_path / "a.h5")


@pytest.mark.parametrize("size", [900, 2500])
def test_a_file_that_changes_while_it_is_sent_is_not_delivered(bench: Bench, tmp_path: Path, size: int) -> None:
    """A write during the upload ends it: nothing is in the catalog and the upload is given up."""
    path = tmp_path / "a.h5"
    write(path, size)

    def grow(seen: Seen) -> None:
        if seen.method == "PUT":
            with path.open("ab") as stream:
                stream.write(b"more")

    bench.fake.refuse = grow
    with pytest.raises(SourceChanged, match=r"a\.h5"):
        send(bench, path)
    assert stored(bench) == []
    assert bench.fake.uploads == {}


def test_a_change_that_the_time_stamp_hides_is_found(bench: Bench, tmp_path: Path) -> None:
    """Other bytes under the same size and time are told by their checksum before the last of them goes out."""
    path = tmp_path / "a.h5"
    write(path, 900)
    file = record_file(path, part_size=1000)
    with path.open("r+b") as stream:
        stream.write(b"XXXX")
    os.utime(path, ns=(file.fingerprint.mtime_ns, file.fingerprint.mtime_ns))
    bench.fake.add_dataset(DATASET)
    record = dataset_record(DATASET, files=(file,))
    step = next(step for step in bench.crucible.plan(record) if step.kind is StepKind.FILE)
    with pytest.raises(SourceChanged):
        Notebook().perform(bench.crucible, step, record)
    assert stored(bench) == []


@pytest.mark.parametrize("now", ["gone", "link", "fifo", "folder", "touched", "swapped"])
def test_another_thing_in_the_files_place_is_not_sent(bench: Bench, tmp_path: Path, now: str) -> None:
    """A link, a FIFO, a folder, nothing, or another file at the path is a changed source and never blocks."""
    path, other = tmp_path / "a.h5", tmp_path / "other"
    other.write_bytes(write(path, 900))
    file = record_file(path)
    stamp = (file.fingerprint.mtime_ns, file.fingerprint.mtime_ns)
    if now == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    if now == "link":
        path.symlink_to(other)
    elif now == "fifo":
        os.mkfifo(path)
    elif now == "folder":
        path.mkdir()
    elif now == "swapped":
        other.rename(path)
        os.utime(path, ns=stamp)
    bench.fake.add_dataset(DATASET)
    record = dataset_record(DATASET, files=(file,))
    step = next(step for step in bench.crucible.plan(record) if step.kind is StepKind.FILE)
    with pytest.raises(SourceChanged):
        Notebook().perform(bench.crucible, step, record)
    assert puts(bench) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_waits(bench: Bench, tmp_path: Path) -> None:
    """A file without the right to read it is no changed file: it is tried again later."""
    path = tmp_path / "a.h5"
    write(path, 900)
    file = record_file(path)
    path.chmod(0)
    bench.fake.add_dataset(DATASET)
    record = dataset_record(DATASET, files=(file,))
    with pytest.raises(NotYet):
        Notebook().perform(bench.crucible, bench.crucible.plan(record)[1], record)


@pytest.mark.parametrize(("allowed", "how"), [(True, "uploaded"), (False, "record only")])
def test_an_empty_file_is_in_the_catalog(bench: Bench, tmp_path: Path, allowed: bool, how: str) -> None:  # noqa: FBT001 a parameter
    """An empty file is uploaded where that is possible and is a record of its own elsewhere."""
    (tmp_path / "empty.dat").write_bytes(b"")
    bench.fake.empty_allowed = allowed
    assert send(bench, tmp_path / "empty.dat")["how"] == how
    assert [(file["filename"], file["size"]) for file in bench.fake.files_of(DATASET)] == [("empty.dat", 0)]


def test_a_grown_file_replaces_our_earlier_revision(bench: Bench, tmp_path: Path) -> None:
    """What we delivered before is replaced under its id; the catalog holds one file of the name."""
    path, notebook = tmp_path / "a.h5", Notebook()
    write(path, 900)
    first = send(bench, path, notebook)
    content = write(path, 2300)
    second = send(bench, path, notebook)
    assert (second["file_mfid"], second["how"]) == (first["file_mfid"], "replaced")
    assert stored(bench) == [content]


def test_a_file_that_only_grew_is_replaced_whoever_sent_it(bench: Bench, tmp_path: Path) -> None:
    """Where the catalog's bytes are the beginning of ours, replacing them loses nothing: no earlier outcome is needed."""
    content = write(tmp_path / "a.h5", 2300)
    bench.fake.add_dataset(DATASET)
    mfid = bench.fake.add_file(DATASET, "a.h5", content[:900])
    outcome = send(bench, tmp_path / "a.h5")
    assert (outcome["file_mfid"], outcome["how"]) == (mfid, "replaced")
    assert stored(bench) == [content]


def test_what_somebody_else_put_there_is_never_replaced(bench: Bench, tmp_path: Path) -> None:
    """A file of our name that was changed in the catalog since we delivered it is refused with both hashes' names."""
    path, notebook = tmp_path / "a.h5", Notebook()
    write(path, 900)
    first = send(bench, path, notebook)
    bench.fake._keep(first["file_mfid"], DATASET, "a.h5", b"by hand")
    write(path, 1200)
    with pytest.raises(CatalogRefused, match="not from here"):
        send(bench, path, notebook)
    assert stored(bench) == [b"by hand"]


def test_a_file_that_arrived_is_found_before_it_is_sent_again(bench: Bench, tmp_path: Path) -> None:
    """After a lost answer the catalog's list is asked and nothing is uploaded."""
    path, notebook = tmp_path / "a.h5", Notebook()
    content = write(path, 900)
    bench.fake.add_dataset(DATASET)
    mfid = bench.fake.add_file(DATASET, "a.h5", content)
    bench.fake.refuse = lambda _: Reply(503)
    with pytest.raises(CatalogUnavailable):
        send(bench, path, notebook)
    bench.fake.refuse = lambda _: None
    bench.fake.seen.clear()
    assert send(bench, path, notebook)["file_mfid"] == mfid
    assert [seen.method for seen in bench.fake.seen] == ["GET"]


def test_the_resumable_route_goes_on_where_it_broke(bench: Bench, tmp_path: Path) -> None:
    """After a break in the second chunk the storage is asked what it has, and only the rest is sent."""
    path, notebook = tmp_path / "a.h5", Notebook()
    content = random.Random(1).randbytes(40 * 2**20)
    path.write_bytes(content)
    bench.fake.signed_enabled = False
    chunks: list[int] = []

    def second(seen: Seen) -> Reply | None:
        chunks.extend([len(seen.body)] if seen.method == "PUT" else [])
        return Reply(503) if len(chunks) == 2 and seen.method == "PUT" else None

    bench.fake.refuse = second
    send(bench, path, notebook, 64 * 2**20)
    assert chunks == [32 * 2**20, 8 * 2**20, 0, 8 * 2**20]
    assert stored(bench) == [content]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"upload_id": 3},
        {"upload_id": "u", "part_size": -1},
        {"upload_id": "u", "part_size": "64"},
        {"upload_id": "u", "part_size": 1},
        {"existing_file": {"filename": "a.h5"}},
    ],
)
def test_an_upload_that_makes_no_sense_is_not_believed(bench: Bench, tmp_path: Path, answer: dict[str, Any]) -> None:
    """An answer to the beginning of an upload without a usable id and part size is no answer."""
    write(tmp_path / "a.h5", 20_000)
    bench.fake.refuse = lambda seen: Reply(200, answer) if seen.path.endswith("/initiate") else None
    with pytest.raises(CatalogUnavailable):
        send(bench, tmp_path / "a.h5")


def test_a_catalog_that_stored_other_bytes_is_found_out(bench: Bench, tmp_path: Path) -> None:
    """A file record with another hash than ours is never taken as delivered."""
    write(tmp_path / "a.h5", 900)
    lie = {"mfid": "x", "sha256_hash": "0" * 64, "size": 900}
    bench.fake.refuse = lambda seen: Reply(200, lie) if seen.path.endswith("/complete") else None
    with pytest.raises(CatalogRefused, match="other bytes"):
        send(bench, tmp_path / "a.h5")


def test_a_stopping_daemon_ends_an_upload(bench: Bench, tmp_path: Path) -> None:
    """Between two parts the transfer looks whether the daemon stops, and what is sent stays sent."""
    path, notebook = tmp_path / "a.h5", Notebook()
    content = write(path, 39_500)
    bench.fake.add_dataset(DATASET)
    record = dataset_record(DATASET, files=(record_file(path, part_size=1000),))
    step = next(step for step in bench.crucible.plan(record) if step.kind is StepKind.FILE)

    def stop() -> None:
        if len(puts(bench)) >= 10:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        bench.crucible.perform(step, record, replace(notebook.attempt(step), alive=stop))
    send(bench, path, notebook)
    assert stored(bench) == [content]
    assert len(puts(bench)) <= 44
