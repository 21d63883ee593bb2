"""SciCat's own client libraries as judges of the bodies that labferry sends, in an environment of their own; and as readers."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.credentials import Key
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.clock import SystemClock
from daemon.mfid import new_mfid
from daemon.model import StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.scicat import PASSWORD
from tests.fakes.scicat_bench import bench, settings
from tests.fakes.scicat_session import arrived, sitting
from tests.fakes.voyage import picture

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = Path(__file__).parents[2] / ".oracles" / "scicat" / "bin" / "python"
URL = os.environ.get("SCICAT_URL", "")
pytestmark = [pytest.mark.oracle, pytest.mark.skipif(not PYTHON.exists(), reason="needs `make oracles`")]

SCITACEAN = """
from scitacean.model import UploadAttachment, UploadDataset, UploadOrigDatablock
dataset = {key: value for key, value in bodies["dataset"].items() if key not in ("pid", "datasetlifecycle")}
unknown = set(dataset) - set(UploadDataset.model_fields)
block = UploadOrigDatablock(datasetId="PID/x", **bodies["block"])
attachment = UploadAttachment(relationships=[], isPublished=False, **bodies["attachment"])
made = UploadDataset(**dataset)
result = {"unknown": sorted(unknown), "dataset": json.loads(made.model_dump_json(exclude_none=True)),
          "block": json.loads(block.model_dump_json(exclude_none=True)),
          "mime": attachment.thumbnail.mime, "picture": attachment.thumbnail.decoded_data().hex()}
"""
PYSCICAT = """
from pyscicat.model import Attachment, CreateDatasetOrigDatablockDto, RawDataset
block = {key: value for key, value in bodies["block"].items() if key != "chkAlg"}  # it takes numbers only
dataset = {key: value for key, value in bodies["dataset"].items() if key in RawDataset.model_fields}
made = RawDataset(principalInvestigator="x", creationLocation="x", **dataset)
attachment = Attachment(datasetId="PID/x", **bodies["attachment"])
result = {"dataset": json.loads(made.model_dump_json(exclude_none=True)),
          "block": json.loads(CreateDatasetOrigDatablockDto(**block).model_dump_json(exclude_none=True)),
          "thumbnail": attachment.thumbnail}
"""
READ_BACK = """
from scitacean import Client
client = Client.from_credentials(url=bodies["url"] + "/api/v3", username=bodies["username"], password=bodies["password"], allow_http=True)
found = client.get_dataset(bodies["pid"], attachments=True)
result = {"name": found.name, "files": sorted([str(f.remote_path), f.size, f.checksum()] for f in found.files),
          "number": found.number_of_files, "size": found.size, "unit": found.meta["voltage"]["unit"],
          "pictures": len(found.attachments or [])}
"""

ALL_BY_SCITACEAN = """
from scitacean import Client
client = Client.from_credentials(url=bodies["url"] + "/api/v3", username=bodies["username"], password=bodies["password"], allow_http=True)
result = {}
for pid in bodies["pids"]:
    found = client.get_dataset(pid, attachments=True)
    files = sorted([f.remote_path.posix, f.size, f.checksum()] for f in found.files)
    result[pid] = {"name": found.name, "number": found.number_of_files, "size": found.size, "files": files,
                   "pictures": len(found.attachments or [])}
"""
ALL_BY_PYSCICAT = """
from pyscicat.client import from_credentials
client = from_credentials(bodies["url"] + "/api/v3", bodies["username"], bodies["password"])
result = {}
for pid in bodies["pids"]:
    found, blocks = client.datasets_get_one(pid), client.datasets_origdatablocks_get_one(pid)
    files = sorted([f["path"], f["size"], f["chk"]] for block in blocks for f in block["dataFileList"])
    result[pid] = {"name": found["datasetName"], "number": found["numberOfFiles"], "size": found["size"], "files": files}
"""


def judged(script: str, bodies: Any) -> Any:
    """What a script makes of the bodies."""
    program = f"import json, sys, warnings\nwarnings.simplefilter('ignore')\nbodies = json.load(sys.stdin)\n{script}\nprint(json.dumps(result))"
    done = subprocess.run(
        [str(PYTHON), "-c", program], input=json.dumps(bodies), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def bodies(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The bodies of a delivery with everything in it."""
    with bench(tmp_path) as one:
        technique = {"*": {"pid": "http://purl.org/pan-science/PaNET/PaNET01168", "name": "TEM"}}
        dataset = {
            "techniques": technique,
            "license": "CC0",
            "principalInvestigators": ["Ann"],
            "sourceFolderHost": "a.example.org",
        }
        one.deliver(one.adapter(dataset=dataset), one.record())
        yield {
            "dataset": one.fake.asked("POST", "/api/v4/datasets$")[0].json(),
            "block": one.fake.asked("POST", "origdatablocks$")[0].json(),
            "attachment": one.fake.asked("POST", "attachments$")[0].json(),
        }


def test_scitacean_would_send_the_same(bodies: dict[str, Any]) -> None:
    """Its models know every field, and take every value for what it is."""
    told = judged(SCITACEAN, bodies)
    assert told["unknown"] == []
    times = {"creationTime", "startTime", "endTime"}
    for name, value in told["dataset"].items():
        if name in bodies["dataset"] and name not in times:
            assert value == bodies["dataset"][name], name
    assert [(item["path"], item["size"], item["chk"]) for item in told["block"]["dataFileList"]] == [
        (item["path"], item["size"], item["chk"]) for item in bodies["block"]["dataFileList"]
    ]
    assert (told["block"]["size"], told["block"]["chkAlg"]) == (bodies["block"]["size"], "sha256")
    assert (told["mime"], told["picture"]) == ("image/png", picture(7).hex())


def test_pyscicat_would_send_the_same(bodies: dict[str, Any]) -> None:
    """Where its older models have a field, they take ours as it is."""
    told = judged(PYSCICAT, bodies)
    for name in (
        "ownerGroup",
        "owner",
        "contactEmail",
        "sourceFolder",
        "creationTime",
        "datasetName",
        "scientificMetadata",
    ):
        assert told["dataset"][name] == bodies["dataset"][name]
    assert told["block"] == {key: value for key, value in bodies["block"].items() if key != "chkAlg"}
    assert base64.b64decode(told["thumbnail"].partition(",")[2]) == picture(7)


def test_scitacean_reads_back_what_the_fake_got(tmp_path: Path) -> None:
    """The field's own client sees name, files with sizes and checksums, units and the picture."""
    with bench(tmp_path) as one:
        record = one.record()
        one.deliver(one.adapter(), record)
        (pid,) = one.fake.datasets
        told = judged(READ_BACK, {"url": one.url, "username": "ingestor", "password": PASSWORD, "pid": pid})
    assert (told["name"], told["number"], told["unit"], told["pictures"]) == ("scan 1", 3, "kV", 1)
    assert [tuple(row[1:]) for row in told["files"]] == [(file.size, file.sha256) for file in record.files]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("generation", ["4", "5"])
def test_a_whole_session_reads_the_same_through_both_clients(tmp_path: Path, generation: str) -> None:
    """30 datasets with 3 files each, after a death, two lost tokens and a replay: counts, sizes, hashes, one picture each."""
    with sitting(tmp_path, generation, 30) as done:
        pids = {name: one.record["pid"] for name, one in arrived(done.fake).items()}
        asked = {"url": done.url, "username": "ingestor", "password": PASSWORD, "pids": list(pids.values())}
        theirs, others = judged(ALL_BY_SCITACEAN, asked), judged(ALL_BY_PYSCICAT, asked)
    assert sorted(pids) == sorted(done.written)
    for name, pid in pids.items():
        files = done.written[name]
        told = sorted([path, len(data), hashlib.sha256(data).hexdigest()] for path, data in files.items())
        whole = {"name": name, "number": 3, "size": sum(map(len, files.values())), "files": told, "pictures": 1}
        assert theirs[pid] == whole
        assert others[pid] == {key: value for key, value in whole.items() if key != "pictures"}


@pytest.mark.skipif(not URL, reason="needs a real backend: set SCICAT_URL")
def test_scitacean_reads_back_what_was_delivered(tmp_path: Path) -> None:
    """From a real backend: name, files with sizes and checksums, units, the picture."""
    username, password = os.environ.get("SCICAT_USERNAME", "ingestor"), os.environ.get("SCICAT_PASSWORD", "aman")
    own = {"ownerGroup": os.environ.get("SCICAT_GROUP", username)}
    options = SciCatOptions(settings(URL, username=username, dataset=own), "suite", password=Key(password, "the test"))
    (tmp_path / "scan.dat").write_bytes(b"0123456789")
    file = record_file(tmp_path / "scan.dat")
    record = dataset_record(
        new_mfid(time.time_ns()),
        {"dataset_name": "read back"},
        files=(file,),
        thumbnails=(thumbnail("view.png", picture(7)),),
        scientific_metadata={"voltage": {"value": 200, "unit": "kV"}},
    )
    catalog, notebook = SciCat(options, SystemClock()), Notebook()
    notebook.deliver(catalog, record)
    catalog.close()
    pid = notebook.outcomes[StepKind.RECORD, "dataset"]["pid"]
    told = judged(READ_BACK, {"url": URL.rstrip("/"), "username": username, "password": password, "pid": pid})
    assert (told["name"], told["number"], told["size"], told["unit"], told["pictures"]) == ("read back", 1, 10, "kV", 1)
    assert [tuple(row[1:]) for row in told["files"]] == [(10, file.sha256)]
