"""Starting, stopping, sharing a folder, the token, the pages' cookie, ingestion."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image

from daemon.localcatalog import reading
from daemon.localcatalog.folder import open_catalog
from tests.catalogserver import Server
from tests.fakes.scopefoundry_files import FILM, tray

LABFERRY = [sys.executable, "-c", "from daemon.cli import main; main()"]


def test_two_servers_never_share_a_folder(server: Server) -> None:
    """The second one ends with 75 and one sentence."""
    done = subprocess.run(
        [*LABFERRY, "catalog", server.folder, "--port", "0"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert "already being served" in done.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """A port that something else listens on ends with 75 and says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*LABFERRY, "catalog", tmp_path, "--port", port], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert f"127.0.0.1:{port}" in done.stderr


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The token's mode is 0600, made so, and anything wider ends with 75."""
    running = Server(tmp_path / "c").start()
    assert (tmp_path / "c" / "token").stat().st_mode & 0o777 == 0o600
    assert running.stop() == 0
    (tmp_path / "c" / "token").chmod(0o644)
    done = subprocess.run(
        [*LABFERRY, "catalog", tmp_path / "c", "--port", "0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 75
    assert "chmod 600" in done.stderr


def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    """A server that was started with --ready-fd does not outlive the process that started it."""
    script = (
        "import os, subprocess, sys, time\n"
        "reader, writer = os.pipe()\n"
        f"command = [*{LABFERRY!r}, 'catalog', {str(tmp_path / 'c')!r}, '--port', '0', '--ready-fd', str(writer)]\n"
        "child = subprocess.Popen(command, pass_fds=[writer])\n"
        "os.close(writer)\n"
        "os.fdopen(reader).readline()\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    child = int(done.stdout)
    deadline = time.monotonic() + 15
    while _alive(child):
        assert time.monotonic() < deadline
        os.sched_yield()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_pages_ask_for_the_token_once(server: Server) -> None:
    """Without a cookie the pages are 401; the link with the token sets one that scripts cannot read."""
    assert server.ask("GET", "/", raw=True).status == 401
    assert server.ask("GET", "/?token=wrong", raw=True).status == 401
    reply = server.ask("GET", f"/?token={server.token}", raw=True)
    cookie = reply.headers["set-cookie"]
    assert (reply.status, reply.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert server.token not in cookie
    assert server.ask("GET", "/", None, {"Cookie": cookie.split(";")[0]}, raw=True).status == 200


def picture() -> bytes:
    """A PNG with something to see."""
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "PNG")
    return stream.getvalue()


def settled(server: Server, request: dict[str, Any]) -> dict[str, Any]:
    """The ingestion request when it is over."""
    deadline = time.monotonic() + 40
    while True:
        shown: dict[str, Any] = server.ok("GET", f"/ingestion_requests/{request['id']}")
        if shown["status"] not in {"requested", "started"}:
            return shown
        assert time.monotonic() < deadline
        os.sched_yield()


def test_ingestion_fills_what_is_open_and_nothing_else(own: Server) -> None:
    """A requested ingestion gives metadata and a thumbnail, keeps what was provided, and changes nothing when repeated."""
    dataset = own.dataset(dataset_name="provided")
    own.ok("PATCH", f"/resources/{dataset}/metadata", {"mine": 1})
    record = own.upload(dataset, "map.png", picture())
    request = own.ok("POST", f"/files/{record['mfid']}/ingest?status=requested")
    assert settled(own, request)["status"] == "complete"

    def state() -> tuple[Any, ...]:
        shown = own.ok("GET", f"/datasets/{dataset}?include_metadata=True")
        shown.pop("modification_time")
        return shown, own.ok("GET", f"/datasets/{dataset}/thumbnails"), own.ok("GET", f"/datasets/{dataset}/keywords")

    before = state()
    assert before[0]["dataset_name"] == "provided"
    assert before[0]["data_format"] is not None
    assert before[0]["scientific_metadata"]["mine"] == 1
    assert len(before[0]["scientific_metadata"]) > 1
    assert len(before[1]) == 1
    again = own.ok("POST", f"/files/{record['mfid']}/ingest?status=requested&ingestion_class=image")
    assert settled(own, again)["status"] == "complete"
    assert state() == before


def test_an_ingestion_makes_children_once(own: Server, tmp_path: Path) -> None:
    """The films of a tray become datasets with their own sample below the tray's; asked again, or made before, none is doubled."""
    mfid = own.dataset(dataset_name="tray", session_name="a sitting")
    known = own.dataset(dataset_name="Child Nirvana scan for film 1")
    own.ok("POST", f"/datasets/{mfid}/children/{known}")
    content = tray(tmp_path / "tray.h5", {"film 0": FILM, "film 1": ""}).read_bytes()
    file = own.upload(mfid, "tray.h5", content)
    for _ in range(2):
        request = own.ok("POST", f"/files/{file['mfid']}/ingest?status=requested")
        assert settled(own, request)["status"] == "complete"
    links = own.ok("GET", f"/resources/{mfid}/links")
    below = {link["name"]: link["unique_id"] for link in links if link["direction"] == "target"}
    assert sorted(below) == ["Child Nirvana scan for film 0", "Child Nirvana scan for film 1"]
    assert [link["name"] for link in links if link["resource_type"] == "sample"] == ["tray A"]
    made = below["Child Nirvana scan for film 0"]
    record = own.ok("GET", f"/datasets/{made}")
    assert (record["session_name"], record["measurement"]) == ("a sitting", "pollux_oospec_multipos_line_scan")
    assert FILM in {link["unique_id"] for link in own.ok("GET", f"/resources/{made}/links")}
    assert len(own.ok("GET", f"/datasets/{made}/thumbnails")) == 1
    assert own.ok("GET", f"/resources/{made}/metadata")["scientific_metadata"]["position"] == "S00"


def test_an_ingestion_that_was_cut_off_is_done_after_the_restart(own: Server) -> None:
    """Requests stay in the queue through kill -9."""
    dataset = own.dataset()
    record = own.upload(dataset, "map.png", picture())
    request = own.ok("POST", f"/files/{record['mfid']}/ingest?status=requested")
    own.kill()
    own.start()
    assert settled(own, request)["status"] == "complete"


def test_a_file_that_no_ingestor_knows_is_not_supported(own: Server) -> None:
    """Nobody claims it, or the named class is none: both end as "not supported", and not_requested stays so."""
    record = own.upload(own.dataset(), "x.unknown", bytes(range(256)))
    path = f"/files/{record['mfid']}/ingest"
    assert settled(own, own.ok("POST", path))["status"] == "not supported"
    named = settled(own, own.ok("POST", f"{path}?ingestion_class=NoSuchIngestor"))
    assert (named["status"], "NoSuchIngestor" in named["message"]) == ("not supported", True)
    assert own.ok("POST", f"{path}?status=not_requested")["status"] == "not_requested"


def test_every_acknowledged_dataset_survives_kills(own: Server) -> None:
    """A kill -9 between requests loses no record that was answered, and a resent one is a conflict."""
    made = []
    for number in range(6):
        made.append(own.dataset(dataset_name=f"n{number}", session_name="kept"))
        own.kill()
        own.start()
        assert own.ask("POST", "/datasets", {"unique_id": made[-1]}).status == 409
    listed = own.ok("GET", "/datasets?session_name=kept")["items"]
    assert [item["unique_id"] for item in listed] == sorted(made, reverse=True)


def test_the_reading_functions_agree_with_the_api(own: Server) -> None:
    """Cards, facets, sessions, totals and details show what was written."""
    first = own.dataset(
        dataset_name="a", session_name="s1", measurement="m", instrument_id="i-one", timestamp="2026-01-01"
    )
    own.dataset(dataset_name="b", session_name="s2", measurement="m", timestamp="2026-01-02")
    own.upload(first, "f.txt", b"text")
    own.ok("POST", f"/datasets/{first}/keywords?keyword=k")
    own.stop()
    catalog = open_catalog(own.folder)
    try:
        listing = reading.datasets(catalog, reading.Filter(measurement="m"), limit=1)
        assert [card.name for card in listing.cards] == ["b"]
        rest = reading.datasets(catalog, reading.Filter(measurement="m"), before=listing.next_before)
        assert [card.name for card in rest.cards] == ["a"]
        wanted = reading.Filter(text="i-one", keyword="k", instrument="i-one", session="s1")
        assert [card.unique_id for card in reading.datasets(catalog, wanted).cards] == [first]
        assert [(bucket.value, bucket.count) for bucket in reading.facet(catalog, "instrument")] == [
            (None, 1),
            ("i-one", 1),
        ]
        assert [session.name for session in reading.sessions(catalog)] == ["s2", "s1"]
        assert reading.totals(catalog).files == 1
        detail = reading.dataset(catalog, first)
        assert detail is not None
        assert ([file.filename for file in detail.files], detail.keywords) == (["f.txt"], ("k",))
    finally:
        catalog.close()
