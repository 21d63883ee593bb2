"""The requests agree with those that Crucible's official client (nano-crucible 3.3.0) was recorded with."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.catalogs.source import crc32c_text
from daemon.clock import ManualClock
from daemon.errors import CatalogRefused
from daemon.model import Step, StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import Reply, Seen, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.catalogs.crucible.ingestion import Policy
    from daemon.model import DatasetRecord, RecordFile

RECORDED = Path(__file__).parents[1] / "data" / "crucible" / "recorded.json"
DATASET = "0tr0c6eke5ypb0007kt96xknvm"
PARENT = "0tkn2knjast3h0008nyq9zps2c"
SAMPLE = "0tdr7d6dysyz3000bkjay95zr8"
ATTRIBUTES = {
    "dataset_name": "XRD run 5",
    "project_id": "MFP12345",
    "instrument_id": "hip-microscope",
    "instrument_name": "HIP Microscope",
    "measurement": "X-ray diffraction",
    "data_type": "XRD xy file",
    "session_name": "260101_run",
    "data_format": "xy",
    "timestamp": "2026-10-20T12:00:00-07:00",
}


class Recording:
    """Recorded requests with our files' checksums in place of those recorded, and a server that answers as recorded."""

    def __init__(self, numbers: set[int], files: list[RecordFile], **renamed: str) -> None:
        text = json.dumps([item for item in json.loads(RECORDED.read_text()) if item["n"] in numbers])
        for old, new in self._checksums(json.loads(text), files).items():
            text = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
        for old, new in renamed.items():
            text = text.replace(old, new)
        self.expected: list[dict[str, Any]] = json.loads(text)
        self.unexpected: list[str] = []
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    @staticmethod
    def _checksums(items: list[dict[str, Any]], files: list[RecordFile]) -> dict[str, str]:
        """What was recorded for a file of this name and size, and what it is for ours."""
        swaps: dict[str, str] = {}
        by_upload: dict[str, RecordFile] = {}
        pending: RecordFile | None = None
        for item in items:
            body = item["body"] if isinstance(item["body"], dict) else {}
            if item["path"].endswith("/initiate"):
                pending = next(file for file in files if file.size == body["size"])
                swaps[body["sha256_hash"]] = pending.sha256
            answer = item["answer"] if isinstance(item["answer"], dict) else {}
            if pending is not None and "upload_id" in answer:
                by_upload.setdefault(answer["upload_id"], pending)
            if item["path"].endswith("/parts"):
                file = by_upload[item["path"].split("/")[-2]]
                for part in body["parts"]:
                    swaps[part["crc32c"]] = crc32c_text(file.part_crc32c[part["part_number"] - 1])
            if "crc32c" in body:
                swaps[body["crc32c"]] = crc32c_text(by_upload[body["upload_id"]].crc32c)
        return swaps

    def answer(self, seen: Seen) -> Reply:
        """The recorded answer to the first such request that was not asked yet."""
        with self._lock:
            self.seen.append(seen)
            for item in self.expected:
                if self._agrees(item, seen):
                    self.expected.remove(item)
                    text = json.dumps(item["answer"]).replace("http://127.0.0.1:8911", f"http://{seen.headers['host']}")
                    answer = json.loads(text)
                    headers = {"Range": f"bytes=0-{item['body']['bytes'] - 1}"} if item["status"] == 308 else {}
                    return Reply(item["status"], answer if answer != "" else None, headers)
            self.unexpected.append(f"{seen.method} {seen.path} {seen.query} {seen.body[:300]!r}")
            return Reply(404, {"detail": "not recorded"})

    @staticmethod
    def _agrees(item: dict[str, Any], seen: Seen) -> bool:
        query = tuple((name, value) for name, values in item["query"].items() for value in values)
        if (item["method"], item["path"]) != (seen.method, seen.path) or sorted(query) != sorted(seen.query):
            return False
        if any(seen.headers.get(name) != value for name, value in item.get("headers", {}).items()):
            return False
        body = item["body"]
        if isinstance(body, dict) and "bytes" in body:
            return body["bytes"] == len(seen.body) and "authorization" not in seen.headers
        if seen.headers.get("authorization") != "Bearer TESTKEY":
            return False
        if body is None:
            return seen.body == b""
        return bool(_shortened(seen.json()) == body)


def _shortened(value: dict[str, Any]) -> dict[str, Any]:
    """Long base64 as the recording abbreviates it."""
    text = value.get("thumbnail_b64str")
    return {**value, "thumbnail_b64str": f"{text[:60]}...({len(text)} chars)"} if text else value


@contextmanager
def replay(recording: Recording, ingestion: Policy = "requested") -> Iterator[Crucible]:
    """An adapter that talks to the recording; afterwards all of it was asked and nothing else."""
    with serve(recording.answer) as url:
        options = CrucibleOptions(f"{url}/api/v3", Key("TESTKEY", "a test"), ingestion=ingestion)
        crucible = Crucible(options, ManualClock())
        try:
            yield crucible
        finally:
            crucible.close()
    assert recording.unexpected == []
    assert [f"{item['n']} {item['method']} {item['path']}" for item in recording.expected] == []


def make(folder: Path, name: str, size: int, fill: bytes = b"0123456789") -> RecordFile:
    """A file of the recorded name and size."""
    path = folder / name
    path.write_bytes((fill * (size // len(fill) + 1))[:size])
    return record_file(path)


def steps(crucible: Crucible, record: DatasetRecord, *kinds: StepKind) -> list[Step]:
    """The planned steps of some kinds."""
    return [step for step in crucible.plan(record) if step.kind in kinds]


def test_a_dataset_with_two_files_is_created_as_recorded(tmp_path: Path) -> None:
    """A whole new dataset takes the sixteen recorded requests and no other."""
    files = (make(tmp_path, "a.xy", 343), make(tmp_path, "b.dat", 5000))
    recording = Recording(set(range(4, 20)), list(files))
    metadata = {"wavelength_angstrom": 0.7749, "temperature_K": 300}
    record = dataset_record(DATASET, ATTRIBUTES, scientific_metadata=metadata, keywords=("XRD", "powder"), files=files)
    with replay(recording) as crucible:
        Notebook().deliver(crucible, record)
    created = next(seen for seen in recording.seen if seen.path == "/api/v3/datasets")
    assert list(created.json()) == ["unique_id", "public", *(name for name in ATTRIBUTES if name != "instrument_name")]
    keys = [seen.headers["idempotency-key"] for seen in recording.seen if seen.path.endswith("/initiate")]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(("number", "name"), [(26, "prev.png"), (27, "Spectral Map")])
def test_a_thumbnail_is_added_as_recorded(number: int, name: str) -> None:
    """A thumbnail goes out under its name as plain base64 in one request."""
    recording = Recording({number}, [])
    shown = recording.expected[0]["body"]["thumbnail_b64str"][:60]
    png = base64.b64decode(shown) + b"\x00" * (92 // 4 * 3 - 45)
    record = dataset_record(DATASET, thumbnails=(thumbnail(name, png),))
    notebook = Notebook({(StepKind.RECORD, "dataset"): {"created": True, "revision": 1}})
    with replay(recording) as crucible:
        notebook.perform(crucible, steps(crucible, record, StepKind.THUMBNAIL)[0], record)


def test_sample_and_parent_are_linked_as_recorded() -> None:
    """A sample and a session's dataset are linked with one request each and without a body."""
    recording = Recording({28, 30}, [])
    record = dataset_record(DATASET, samples=(SAMPLE,), parent_id=PARENT)
    notebook = Notebook({(StepKind.RECORD, "dataset"): {"created": True, "revision": 1}})
    with replay(recording) as crucible:
        for step in steps(crucible, record, StepKind.SAMPLE, StepKind.LINK):
            notebook.perform(crucible, step, record)


def test_a_file_that_is_there_is_not_sent_again(tmp_path: Path) -> None:
    """A name conflict with the same content is taken as delivered, as recorded."""
    file = make(tmp_path, "c.h5", 7000)
    record = dataset_record(DATASET, files=(file,))
    with replay(Recording({31, 32}, [file])) as crucible:
        outcome = Notebook().perform(crucible, steps(crucible, record, StepKind.FILE)[0], record)
    assert outcome["file_mfid"] == "0tr0c6er8sx6b000fw11yxkj58"


def test_another_file_of_this_name_is_never_overwritten(tmp_path: Path) -> None:
    """A name conflict with content that is not from here is refused with a sentence, as recorded."""
    file = make(tmp_path, "c.h5", 7001)
    record = dataset_record(DATASET, files=(file,))
    with replay(Recording({33, 34}, [file])) as crucible, pytest.raises(CatalogRefused, match=r"c\.h5"):
        Notebook().perform(crucible, steps(crucible, record, StepKind.FILE)[0], record)


def test_an_earlier_revision_of_ours_is_replaced_as_recorded(tmp_path: Path) -> None:
    """A file that grew replaces what we delivered before, guarded by its etag."""
    old, new = make(tmp_path, "c.h5", 7000), make(tmp_path, "c.h5", 7001)
    recorded_old = "436bfd14d2cf594b52d33a3246cbda29bbafaf9286695691a18686de9042167a"
    recording = Recording(set(range(35, 43)), [new], **{recorded_old: old.sha256})
    record = dataset_record(DATASET, files=(new,), revision=2)
    earlier = {"file_mfid": "0tr0c6er8sx6b000fw11yxkj58", "sha256": old.sha256}
    notebook = Notebook({(StepKind.FILE, "c.h5"): earlier})
    with replay(recording) as crucible:
        for step in steps(crucible, record, StepKind.FILE, StepKind.INGESTION):
            notebook.perform(crucible, step, record)
    assert notebook.outcomes[StepKind.FILE, "c.h5"]["how"] == "replaced"


def test_an_ingestion_that_is_not_wanted_is_said_so_as_recorded(tmp_path: Path) -> None:
    """With the policy `not_requested` the file is still told to the ingestion table."""
    file = make(tmp_path, "e.h5", 101)
    record = dataset_record(DATASET, files=(file,))
    notebook = Notebook()
    with replay(Recording(set(range(51, 57)), [file]), "not_requested") as crucible:
        for step in steps(crucible, record, StepKind.FILE, StepKind.INGESTION):
            notebook.perform(crucible, step, record)


def test_a_file_of_three_parts_is_sent_as_recorded(tmp_path: Path) -> None:
    """130 MiB go out in three parts that are signed together."""
    file = make(tmp_path, "big.bin", 136314880, bytes(range(256)) * 4)
    record = dataset_record(DATASET, files=(file,))
    notebook = Notebook()
    with replay(Recording(set(range(68, 76)), [file])) as crucible:
        for step in steps(crucible, record, StepKind.FILE, StepKind.INGESTION):
            notebook.perform(crucible, step, record)
    assert notebook.memory[StepKind.FILE, "big.bin", file.sha256]["acknowledged"] == [1, 2, 3]


def test_the_resumable_route_is_taken_as_recorded(tmp_path: Path) -> None:
    """Where signed uploads are switched off, a file goes in chunks to one address."""
    file = make(tmp_path, "mid.bin", 41943040, bytes(range(256)) * 4)
    recording = Recording(set(range(76, 81)), [file])
    refusal = {
        **recording.expected[0],
        "path": f"/api/v3/datasets/{DATASET}/upload/multipart/initiate",
        "status": 503,
        "answer": {"detail": "New multipart uploads are disabled"},
    }
    recording.expected.insert(0, refusal)
    record = dataset_record(DATASET, files=(file,))
    notebook = Notebook()
    with replay(recording) as crucible:
        for step in steps(crucible, record, StepKind.FILE, StepKind.INGESTION):
            notebook.perform(crucible, step, record)
    chunks = [seen.body for seen in recording.seen if seen.method == "PUT"]
    assert hashlib.sha256(b"".join(chunks)).hexdigest() == file.sha256


def test_a_signature_that_ran_out_is_renewed_as_recorded(tmp_path: Path) -> None:
    """A storage that answers 403 gets the part again under a new signature."""
    file = make(tmp_path, "i.h5", 402)
    record = dataset_record(DATASET, files=(file,))
    notebook = Notebook()
    with replay(Recording(set(range(115, 123)), [file])) as crucible:
        for step in steps(crucible, record, StepKind.FILE, StepKind.INGESTION):
            notebook.perform(crucible, step, record)


def test_the_same_record_plans_the_same_steps(tmp_path: Path) -> None:
    """A plan is a pure function of the record, and a changed attribute changes the record step alone."""
    file = make(tmp_path, "a.xy", 10)
    record = dataset_record(DATASET, ATTRIBUTES, files=(file,), keywords=("a", "b", "a"))
    renamed = replace(record, attributes={**record.attributes, "dataset_name": record.attributes["measurement"]})
    crucible = Crucible(CrucibleOptions("http://127.0.0.1:9/api/v3", Key("TESTKEY", "a test")), ManualClock())
    try:
        plan = crucible.plan(record)
        assert plan == crucible.plan(record)
        assert [step.kind for step in plan] == ["record", "keyword", "keyword", "file", "ingestion"]
        assert set(plan) ^ set(crucible.plan(renamed)) == {plan[0], crucible.plan(renamed)[0]}
    finally:
        crucible.close()
