"""What a SciCat must hold after labferry delivered to it: the fakes of both generations, and a real backend at $SCICAT_URL.

A real one gets datasets of its own with each run (nobody may delete them again); their owner is the account's own group.
"""

from __future__ import annotations

import base64
import contextlib
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.catalog import Health
from daemon.catalogs.credentials import Key
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.clock import SystemClock
from daemon.errors import CatalogError, CatalogRefused
from daemon.mfid import new_mfid
from daemon.model import Fingerprint, RecordFile
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import serve
from tests.fakes.scicat import PASSWORD, FakeScicat
from tests.fakes.scicat_bench import settings
from tests.fakes.voyage import picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.model import DatasetRecord

URL = os.environ.get("SCICAT_URL", "")
USERNAME = os.environ.get("SCICAT_USERNAME", "ingestor")
REAL = pytest.param("real", marks=pytest.mark.skipif(not URL, reason="needs a real backend: set SCICAT_URL"))


@dataclass
class Suite:
    """A backend, whichever, and an account there."""

    url: str
    username: str
    password: str
    folder: Path
    count: int = 0

    def adapter(self, **changes: Any) -> SciCat:
        """A fresh adapter: it knows nothing."""
        given = {"username": self.username, "dataset": {"ownerGroup": os.environ.get("SCICAT_GROUP", self.username)}}
        options = SciCatOptions(
            settings(self.url, **{**given, **changes}), "suite", password=Key(self.password, "the suite")
        )
        return SciCat(options, SystemClock())

    def record(self, **changes: Any) -> DatasetRecord:
        """A measurement of 3 files with a picture and units."""
        self.count += 1
        folder = self.folder / f"run {self.count}"
        folder.mkdir()
        for number in range(3):
            (folder / f"scan_{number}.dat").write_bytes(os.urandom(10 + number))
        names = [folder / f"scan_{number}.dat" for number in range(3)]
        metadata = {"voltage": {"value": 200, "unit": "kV"}, "pixel": {"value": 0.12, "unit": "nm"}, "operator": "ann"}
        return dataset_record(
            new_mfid(time.time_ns()),
            {"dataset_name": f"scan {self.count}", "measurement": "TEM", "timestamp": "2026-11-20T10:00:00+01:00"},
            files=tuple(record_file(path, primary=path.name == "scan_0.dat") for path in names),
            **{
                "scientific_metadata": metadata,
                "keywords": ("grid-3",),
                "thumbnails": (thumbnail("view.png", picture(7)),),
                **changes,
            },
        )

    def held(self, record: DatasetRecord) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        """What is there: the one dataset, its listed files, its attachments."""
        catalog = self.adapter()
        pid = catalog._find(record.unique_id)
        assert pid is not None
        there = catalog._there(pid)
        assert there is not None
        blocks = catalog._query("/api/v4/origdatablocks", {"datasetId": pid}, 1000)
        files = [item for block in blocks for item in block["dataFileList"]]
        pictures = catalog._attachments(pid)
        same = catalog._query("/api/v4/datasets", {"scientificMetadata.ingest_key.dataset": record.unique_id}, 5)
        catalog.close()
        assert len(same) == 1
        return there, files, pictures


@pytest.fixture(params=[pytest.param("4", marks=pytest.mark.slow), "5", REAL])
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Suite]:
    """Each backend that there is."""
    if request.param == "real":
        yield Suite(URL, USERNAME, os.environ.get("SCICAT_PASSWORD", "aman"), tmp_path)
        return
    fake = FakeScicat(request.param)
    with serve(fake.answer) as url:
        yield Suite(url, "ingestor", PASSWORD, tmp_path)
    assert fake.violations == []


def deliver(catalog: SciCat, record: DatasetRecord, notebook: Notebook | None = None) -> Notebook:
    """As the loop does it."""
    known = notebook or Notebook()
    known.deliver(catalog, record)
    catalog.close()
    return known


def test_a_session_is_there_once_with_exact_counts_and_units(suite: Suite) -> None:
    """30 datasets with 3 files each and a picture, delivered and replayed by adapters that know nothing."""
    records = [suite.record() for _ in range(30)]
    for _ in range(2):
        catalog = suite.adapter()
        for record in records:
            Notebook().deliver(catalog, record)
        catalog.close()
    for record in records:
        there, files, pictures = suite.held(record)
        assert there["datasetName"] == record.value("dataset_name")
        assert (there["numberOfFiles"], there["size"]) == (3, sum(file.size for file in record.files))
        assert {(item["path"], item["size"], item["chk"]) for item in files} == {
            (file.name, file.size, file.sha256) for file in record.files
        }
        assert [base64.b64decode(item["thumbnail"].partition(",")[2]) for item in pictures] == [picture(7)]
        voltage = there["scientificMetadata"]["voltage"]
        assert (voltage["value"], voltage["unit"]) == (200, "kV")
        assert "valueSI" in voltage


def test_a_token_that_is_destroyed_between_two_steps_costs_nothing(suite: Suite) -> None:
    """Garbled after each step: the adapter finds out, logs in again and looks before it goes on."""
    catalog, record, notebook = suite.adapter(), suite.record(), Notebook()
    for step in catalog.plan(record):
        notebook.perform(catalog, step, record)
        identity = catalog._account.identity()
        catalog._account._identity = replace(identity, token=identity.token[:-3] + "xyz")
    deliver(catalog, record)
    there, files, pictures = suite.held(record)
    assert (there["numberOfFiles"], len(files), len(pictures)) == (3, 3, 1)


def test_a_death_between_any_two_requests_leaves_each_thing_once(suite: Suite) -> None:
    """A try that ends after its n-th request, and one that knows nothing afterwards: each thing is there once."""
    record = suite.record()
    for number in range(12):
        catalog = suite.adapter()
        left = [number]
        asked = catalog._client.call

        def dying(*args: Any, left: list[int] = left, asked: Any = asked, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise CatalogError("killed")
            return asked(*args, **options)

        catalog._client.call = dying  # type: ignore[method-assign]
        with contextlib.suppress(CatalogError):
            Notebook().deliver(catalog, record)
        catalog.close()
    deliver(suite.adapter(), record)
    there, files, pictures = suite.held(record)
    assert (there["numberOfFiles"], len(files), len(pictures)) == (3, 3, 1)


def test_a_later_revision_changes_what_changed(suite: Suite) -> None:
    """Late files are listed, metadata is merged, and what a person wrote there stays."""
    record = suite.record()
    notebook = deliver(suite.adapter(), record)
    extra = suite.folder / "run 1" / "late.log"
    extra.write_bytes(b"late\n")
    later = replace(
        record,
        revision=2,
        keywords=("grid-3", "late"),
        files=(*record.files, record_file(extra, primary=False)),
        scientific_metadata={**record.scientific_metadata, "voltage": {"value": 300, "unit": "kV"}},
    )
    deliver(suite.adapter(), later, notebook)
    there, files, pictures = suite.held(record)
    assert (there["numberOfFiles"], len(files), len(pictures)) == (4, 4, 1)
    assert there["keywords"] == ["TEM", "grid-3", "late"]
    assert there["scientificMetadata"]["voltage"]["value"] == 300
    assert there["scientificMetadata"]["pixel"]["unit"] == "nm"


def test_what_would_spoil_is_cleaned_before_it_is_sent(suite: Suite) -> None:
    """Nulls, NaN, dotted keys, stray u and v, units in other spellings: the server takes it and stays up."""
    metadata = {
        "none": None,
        "nan": float("nan"),
        "a.b": {"$c": 1},
        "writer": {"user": "ann", "version": 3},
        "step": {"value": 5, "unit": "µm"},
        "temperature": {"value": 20.5, "unit": "°C"},
    }
    record = suite.record(scientific_metadata=metadata)
    deliver(suite.adapter(), record)
    kept = suite.held(record)[0]["scientificMetadata"]
    assert kept["step"]["unitSI"] != "µm"
    assert (kept["step"]["unit"], kept["temperature"]["unit"]) == ("um", "degC")
    assert "valueSI" not in kept["writer"]
    assert kept["a_b"] == {"_c": 1}
    assert not {"none", "nan"} & set(kept)


def test_the_right_to_another_group_is_refused_for_good(suite: Suite) -> None:
    """A group that the account may not create for is a refusal in the server's own words."""
    catalog = suite.adapter(dataset={"ownerGroup": "nobody-is-in-this-group"})
    with pytest.raises(CatalogRefused, match="403"):
        deliver(catalog, suite.record())
    catalog.close()


def test_check_says_what_the_account_may_do(suite: Suite) -> None:
    """Generation, account and rights, and nothing is created by asking."""
    catalog = suite.adapter()
    findings = catalog.check()
    catalog.close()
    text = "\n".join(finding.text for finding in findings)
    assert "generation" in text
    assert "may create datasets" in text
    assert Health.FAILED not in {finding.health for finding in findings}


def test_verify_is_told_every_file(suite: Suite) -> None:
    """What the catalog lists, with its hash; files that lie in place are only told of."""
    record = suite.record()
    deliver(suite.adapter(), record)
    catalog = suite.adapter()
    held = catalog.holds(record.unique_id)
    assert held is not None
    assert {(one.name, one.size, one.sha256, one.stored) for one in held} == {
        (file.name, file.size, file.sha256, False) for file in record.files
    }
    assert [one.dataset for one in catalog.find(record.files[0].sha256)] == [record.unique_id]
    assert catalog.holds("nobody") is None
    catalog.close()


@pytest.mark.slow
def test_a_dataset_of_45000_files_is_there_once(suite: Suite) -> None:
    """Lists of at most 20,000 files, interrupted after the first and replayed twice: exact count and size."""
    files = tuple(
        RecordFile(
            f"f{n}.tif", f"/data/run/f{n}.tif", n, f"{n:064x}", 0, 1, (), n == 0, Fingerprint(n, 10**18 + n, 0, 0, 0)
        )
        for n in range(45_000)
    )
    record = dataset_record(new_mfid(time.time_ns()), {"dataset_name": "many"}, files=files)
    for calls in (2, 3, 1000):
        catalog = suite.adapter()
        left = [calls]

        def alive(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise CatalogError("killed")

        notebook = Notebook()
        with contextlib.suppress(CatalogError):
            for step in catalog.plan(record):
                attempt = replace(notebook.attempt(step), alive=alive)
                notebook.outcomes[step.kind, step.key] = catalog.perform(step, record, attempt)
        catalog.close()
    there, listed, _ = suite.held(record)
    assert (there["numberOfFiles"], there["size"], len(listed)) == (45_000, sum(range(45_000)), 45_000)
