"""The whole daemon against a PDS: what is public arrives once, what is private causes no request, kills change nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgpack
import pytest

from daemon.catalogs.atproto.lexicon import ENTRY, problems
from tests.fakes.httpserver import serve
from tests.fakes.pds import HANDLE, PASSWORD, FakePds
from tests.fakes.pds_box import real_pds
from tests.harness import Daemon, configuration, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

CORPUS = Path(__file__).parents[1] / "data/corpus"


@pytest.fixture
def fake() -> Iterator[tuple[FakePds, str]]:
    """A fake PDS and its address."""
    pds = FakePds()
    with serve(pds.answer) as url:
        yield pds, url


def configured(folder: Path, url: str, handle: str, password: str, **changes: Any) -> Path:
    """A configuration that delivers to the PDS alone; the app password stands in the file, which is ours only."""
    catalog = {
        "type": "atproto",
        "url": url,
        "identifier": handle,
        "password": password,
        "license": "CC-BY-4.0",
        **changes,
    }
    path = configuration(folder, catalogs=[catalog], session={"parent": True})
    path.chmod(0o600)
    return path


def labferry(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    return subprocess.run([sys.executable, "-m", "daemon", *arguments], capture_output=True, text=True, check=False)


def test_private_datasets_stay_and_say_so(fake: tuple[FakePds, str], tmp_path: Path) -> None:
    """Without `public: true` nothing of the account is read or written (a start looks whether it could be); log, status and explain say `skipped: private`."""
    pds, url = fake
    config = configured(tmp_path, url, HANDLE, PASSWORD)
    (tmp_path / "data/secret.xy").write_text("1 2\n2 3\n3 4\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
        assert daemon.named("delivery.skipped")[0]["reason"] == "private"
    assert not [one for one in pds.requests if "com.atproto.repo" in one]
    status = json.loads(labferry("status", str(config), "--json").stdout)
    assert status["deliveries"]["atproto"]["skipped: private"] >= 1
    told = labferry("explain", str(config), str(tmp_path / "data/secret.xy"))
    assert "atproto: skipped: private" in told.stdout


def test_what_would_be_published_can_be_looked_at(fake: tuple[FakePds, str], tmp_path: Path) -> None:
    """`explain --preview` prints the entry, what is in the shards, and why it is not published; it asks nobody."""
    pds, url = fake
    config = configured(tmp_path, url, HANDLE, PASSWORD)
    (tmp_path / "data/scan.xy").write_text("1 2\n2 3\n3 4\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    told = json.loads(
        labferry("explain", str(config), str(tmp_path / "data/scan.xy"), "--preview", "atproto", "--json").stdout
    )
    assert told["published"] is False
    assert told["entry"]["name"] == "scan"
    assert ".metadata/dataset.json" in [one["path"] for one in told["files"]]
    assert not [one for one in pds.requests if "com.atproto.repo" in one]
    wrong = labferry("explain", str(config), str(tmp_path / "data/scan.xy"), "--preview", "nowhere")
    assert wrong.returncode == 1
    assert "no catalog of open data" in wrong.stderr


def test_public_datasets_arrive_once(fake: tuple[FakePds, str], tmp_path: Path) -> None:
    """A sidecar makes one dataset public: it arrives, the one beside it does not; a second run writes nothing."""
    pds, url = fake
    config = configured(tmp_path, url, HANDLE, PASSWORD)
    (tmp_path / "data/open.xy").write_text("1 2\n2 3\n3 4\n")
    (tmp_path / "data/open.xy.meta.yaml").write_text("public: true\n")
    (tmp_path / "data/closed.xy").write_text("1 2\n2 3\n3 5\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    names = [record["name"] for (collection, _), record in pds.records.items() if collection == ENTRY]
    assert names == ["open"]
    written = pds.commits
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    assert pds.commits == written


@pytest.mark.pds
def test_a_session_is_published_to_a_real_pds(tmp_path: Path) -> None:
    """ScopeFoundry, .xy and .dat, several shards, an empty file and a non-ASCII path: read back byte for byte, also after kill -9 and a replay."""
    data = tmp_path / "data"
    data.mkdir()
    chosen = [*sorted(CORPUS.glob("scopefoundry/**/*.h5"))[:2], *sorted(CORPUS.glob("xy/**/*.xy"))[:3]]
    chosen += sorted(CORPUS.glob("dat/**/*.dat"))[:3]
    for path in chosen:
        shutil.copy(path, data / path.name)
    (data / "größe µm.dat").write_text("1 2\n2 3\n")
    (data / "leer.log").write_bytes(b"")
    (data / "large.dat").write_bytes(os.urandom(700_000))
    with real_pds(tmp_path / "pds", blob_limit=204_800) as (url, handle, password):
        config = configured(tmp_path, url, handle, password)
        settings = json.loads(config.read_text())
        config.write_text(json.dumps({**settings, "attributes": {"public": True}}))
        with Daemon(config).start() as daemon:
            eventually(lambda: daemon.named("delivery.delivered"), "the first delivery", 60)
            daemon.process.send_signal(signal.SIGKILL)
        with Daemon(config).start("--once") as daemon:
            assert daemon.process.wait(240) == 0
        first = published(url, handle)
        shutil.rmtree(tmp_path / "state")  # a replay by a daemon that knows nothing is refused, or writes nothing new
        labferry("rebuild", str(config))
        with Daemon(config).start("--once") as daemon:
            daemon.process.wait(240)
        assert published(url, handle) == first
    wanted = {hashlib.sha256(path.read_bytes()).hexdigest() for path in data.iterdir()}
    assert wanted <= set(first)


def published(url: str, handle: str) -> dict[str, str]:
    """The sha256 of every file in every entry, with the entry's CID, as anybody can read them."""
    query = {"repo": handle, "collection": ENTRY, "limit": "100"}
    records = httpx.get(f"{url}/xrpc/com.atproto.repo.listRecords", params=query).json()["records"]
    did = httpx.get(f"{url}/xrpc/com.atproto.identity.resolveHandle", params={"handle": handle}).json()["did"]
    found: dict[str, str] = {}
    for record in records:
        assert problems(record["value"]) == []
        back: dict[str, bytes] = {}
        for item in record["value"]["storage"]["blobs"]:
            query = {"did": did, "cid": item["blob"]["ref"]["$link"]}
            data = httpx.get(f"{url}/xrpc/com.atproto.sync.getBlob", params=query).content
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive.getmembers():
                    stream = archive.extractfile(member)
                    assert stream is not None
                    sample = msgpack.unpackb(stream.read())
                    back[sample["path"]] = back.get(sample["path"], b"") + sample["data"]
        for path, content in back.items():
            if not path.startswith((".metadata", "thumbnails/")):
                found[hashlib.sha256(content).hexdigest()] = record["cid"]
    return found


def test_a_private_dataset_is_safe_where_another_catalog_has_it(fake: tuple[FakePds, str], tmp_path: Path) -> None:
    """`verify` asks of a catalog only what it wants: a private dataset is safe when the embedded catalog has its bytes."""
    _, url = fake
    config = configured(tmp_path, url, HANDLE, PASSWORD)
    settings = json.loads(config.read_text())
    config.write_text(
        json.dumps({**settings, "catalogs": [{"type": "local", "path": "catalog"}, *settings["catalogs"]]})
    )
    (tmp_path / "data/closed.xy").write_text("1 2\n2 3\n3 4\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    told = labferry("verify", str(config), "--json")
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_is_made_private_later_is_withdrawn_and_told(fake: tuple[FakePds, str], tmp_path: Path) -> None:
    """A sidecar that says `public: false` after all: the entry goes, and explain says that copies may remain."""
    pds, url = fake
    config = configured(tmp_path, url, HANDLE, PASSWORD)
    (tmp_path / "data/open.xy").write_text("1 2\n2 3\n3 4\n")
    sidecar = tmp_path / "data/open.xy.meta.yaml"
    sidecar.write_text("public: true\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    assert [collection for collection, _ in pds.records].count(ENTRY) == 1
    sidecar.write_text("public: false\n")
    with Daemon(config).start("--once") as daemon:
        assert daemon.process.wait(40) == 0
    assert ENTRY not in [collection for collection, _ in pds.records]
    told = labferry("explain", str(config), str(tmp_path / "data/open.xy"))
    assert "copies that others made of a public record may remain" in told.stdout
