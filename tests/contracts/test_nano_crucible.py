"""Crucible's official client and its command line against the embedded catalog, in an environment of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from daemon.catalogs.credentials import Key
from daemon.catalogs.crucible.adapter import Crucible, CrucibleOptions
from daemon.clock import SystemClock
from daemon.mfid import new_mfid
from tests.catalogserver import Server
from tests.fakes.deliveries import Notebook, tray_record

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = Path(__file__).parents[2] / ".oracles" / "nano-crucible" / "bin"
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not (ENVIRONMENT / "crucible").exists(), reason="needs `make oracles`"),
]

CREATE = """
from crucible.models import Dataset
made = client.datasets.create(
    Dataset(dataset_name="XRD run 5", project_id="MFP12345", instrument_id="hip-microscope",
            measurement="X-ray diffraction", session_name="260101_run"),
    files=[folder + "/map.png", folder + "/notes.dat", folder + "/empty.dat"],
    scientific_metadata={"wavelength_angstrom": 0.7749}, keywords=["XRD", "powder"],
    wait_for_ingestion_response=True)
mfid = made["dsid"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running catalog."""
    running = Server(tmp_path_factory.mktemp("catalog")).start()
    yield running
    running.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files to upload: a picture, some bytes, nothing."""
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "PNG")
    (tmp_path / "map.png").write_bytes(stream.getvalue())
    (tmp_path / "notes.dat").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.dat").touch()
    return tmp_path


def environment(server: Server, home: Path) -> dict[str, str]:
    """What the client reads instead of its configuration file."""
    keys = {"CRUCIBLE_API_URL": server.where["url"], "CRUCIBLE_API_KEY": server.token}
    return {"PATH": os.environ["PATH"], "HOME": str(home), **keys}


def client(server: Server, folder: Path, script: str) -> Any:
    """Run a script with `client` and `folder`; what it puts into `result`."""
    begin = f"import json, warnings\nwarnings.simplefilter('ignore')\nfolder = {str(folder)!r}\n"
    begin += "from crucible import CrucibleClient\nclient = CrucibleClient()\n"
    command = [str(ENVIRONMENT / "python"), "-c", begin + script + "\nprint(json.dumps(result, default=str))"]
    done = subprocess.run(command, env=environment(server, folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_client_creates_a_dataset_whose_ingestion_reads_it(server: Server, folder: Path) -> None:
    """Two files, an empty one, metadata and keywords arrive; the ingestion adds metadata and a thumbnail."""
    script = CREATE + (
        "shown = client.datasets.get(mfid, include_metadata=True, include_links=True)\n"
        "result = [shown, client.datasets.get_thumbnails(mfid), client.datasets.get_keywords(mfid),\n"
        "          client.ingestions.list(dsid=mfid)]"
    )
    shown, thumbnails, keywords, ingestions = client(server, folder, script)
    assert shown["scientific_metadata"]["wavelength_angstrom"] == 0.7749
    assert len(shown["scientific_metadata"]) > 1
    assert (shown["dataset_name"], shown["measurement"]) == ("XRD run 5", "X-ray diffraction")
    assert (shown["project_id"], shown["instrument_id"]) == ("MFP12345", "hip-microscope")
    assert len(thumbnails) == 1
    assert sorted(row["keyword"] for row in keywords) == ["XRD", "powder"]
    assert "complete" in {row["status"] for row in ingestions}


def test_the_client_downloads_byte_for_byte(server: Server, folder: Path) -> None:
    """Every file that was uploaded comes back the same, the empty one too."""
    client(server, folder, CREATE + "result = client.datasets.download(mfid, output_dir=folder + '/down')")
    for name in ("map.png", "notes.dat", "empty.dat"):
        (copy,) = (folder / "down").glob(f"*/{name}")
        assert copy.read_bytes() == (folder / name).read_bytes()


def test_the_client_finds_what_it_made(server: Server, folder: Path) -> None:
    """List by project and keyword, search, facets, count, look-ups by slug."""
    script = CREATE + (
        "ids = lambda rows: [row['unique_id'] for row in rows]\n"
        "result = [mfid in ids(client.datasets.list(project_id='MFP12345', keyword='XRD', limit=50)),\n"
        "  mfid in ids(client.datasets.search('xrd run')), mfid in ids(client.datasets.list(limit=None)),\n"
        "  client.datasets.count(unique_id=mfid) == 1,\n"
        "  'X-ray diffraction' in [item['value'] for item in client.datasets.facets('measurement')['items']],\n"
        "  client.projects.get('MFP12345')['project_id'] == 'MFP12345',\n"
        "  client.instruments.get('hip-microscope')['instrument_id'] == 'hip-microscope',\n"
        "  client.get_resource_type(mfid) == 'dataset', client.account.verify()['valid']]"
    )
    assert client(server, folder, script) == [True] * 9


def test_the_client_adds_replaces_and_links(server: Server, folder: Path) -> None:
    """The same file is not sent again, other content needs replace, the sequential route works, links read back."""
    script = CREATE + (
        "from crucible.models import Sample\n"
        "path = folder + '/notes.dat'\n"
        "same = client.datasets.add_file(mfid, path)\n"
        "open(path, 'wb').write(b'other')\n"
        "try:\n    refused = False\n    client.datasets.add_file(mfid, path)\n"
        "except RuntimeError:\n    refused = True\n"
        "new = client.datasets.add_file(mfid, path, replace=True, skip_ingestion=True)\n"
        "open(folder + '/seq.bin', 'wb').write(bytes(100000))\n"
        "seq = client.datasets.add_file(mfid, folder + '/seq.bin', multipart=False, skip_ingestion=True)\n"
        "sample = client.samples.create(Sample(sample_name='S1', project_id='MFP12345'))['unique_id']\n"
        "parent = client.datasets.create(Dataset(dataset_name='parent'))['dsid']\n"
        "client.datasets.link_sample(mfid, sample)\n"
        "client.datasets.link(parent, mfid, relationship_type='is_part_of')\n"
        "result = [same['ingestion_request'] is None, refused, new['associated_file']['size'] == 5,\n"
        "  new['associated_file']['mfid'] == same['associated_file']['mfid'],\n"
        "  seq['associated_file']['size'] == 100000,\n"
        "  sorted(link['direction'] for link in client.datasets.get(mfid, include_links=True)['links'])\n"
        "    == ['source', 'undirected'],\n"
        "  [row['unique_id'] for row in client.datasets.list_parents(mfid)] == [parent],\n"
        "  client.datasets.update(mfid, dataset_name='renamed')['dataset_name'] == 'renamed',\n"
        "  client.deletions.request(parent, 'test')['status'] == 'pending']"
    )
    assert client(server, folder, script) == [True] * 9


def test_the_client_finds_children_under_their_parent(server: Server, folder: Path) -> None:
    """The list by which Crucible's own ingestors tell that a child is there holds what labferry made, by its name."""
    record = tray_record(new_mfid(time.time_ns()), "film 1", "film 2")
    adapter = Crucible(CrucibleOptions(server.where["url"], Key(server.token, "a test"), verify=False), SystemClock())
    for one in (record, *record.children):
        Notebook().deliver(adapter, one)
    adapter.close()
    script = f"result = {{one['dataset_name']: one['unique_id'] for one in client.datasets.list_children('{record.unique_id}')}}"
    expected = {one.value("dataset_name"): one.unique_id for one in record.children}
    assert client(server, folder, script) == expected


def test_the_command_line_works(server: Server, folder: Path) -> None:
    """`crucible` lists, gets, creates, adds, uploads in the old way, downloads datasets and single files."""

    def run(*words: str) -> str:
        command = [str(ENVIRONMENT / "crucible"), *words]
        done = subprocess.run(
            command, env=environment(server, folder), cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    run("dataset", "create", "-i", "map.png", "notes.dat", "--name", "by hand", "-p", "MFP12345")
    assert "by hand" in run("dataset", "list")
    unique_id = server.ok("GET", "/datasets?dataset_name=by%20hand")["items"][0]["unique_id"]
    assert "notes.dat" in run("dataset", "get", unique_id)
    run("download", unique_id, "-o", "down")
    assert (folder / "down" / unique_id / "notes.dat").read_bytes() == (folder / "notes.dat").read_bytes()
    (folder / "more.dat").write_bytes(b"5 6\n")
    run("dataset", "add-file", unique_id, "-i", "more.dat")
    assert "more.dat" in run("dataset", "list-files", unique_id)
    assert "by hand" in run("get", unique_id)
    more = next(file for file in server.ok("GET", f"/datasets/{unique_id}/files") if file["filename"] == "more.dat")
    run("file", "download", more["mfid"], "-o", "one")
    assert next((folder / "one").rglob("more.dat")).read_bytes() == b"5 6\n"
    run("upload", "-i", "more.dat", "-p", "MFP12345", "-n", "in the old way", "-u")
    assert "in the old way" in run("dataset", "search", "old way")
