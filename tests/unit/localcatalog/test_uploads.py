"""Bytes: the signed multipart flow, the sequential one, downloads, and what survives a kill."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from tests.catalogserver import Server

MIB = 1024 * 1024


def test_a_file_comes_back_byte_for_byte(server: Server) -> None:
    """What was uploaded is what the download link gives, whole and in ranges, under its own name."""
    data = os.urandom(300_000)
    record = server.upload(server.dataset(), "µ scan.h5_images/1 ä.png", data)
    assert (record["size"], record["sha256_hash"]) == (len(data), hashlib.sha256(data).hexdigest())
    reply = server.download(record["mfid"])
    assert reply.body == data
    assert "filename*=UTF-8''1%20%C3%A4.png" in reply.headers["content-disposition"]
    part = server.download(record["mfid"], {"Range": "bytes=1000-1999"})
    assert (part.status, part.body) == (206, data[1000:2000])


def test_the_same_content_is_not_sent_twice_and_another_one_is_refused(server: Server) -> None:
    """Initiate answers existing_file for the same bytes, 409 filename_exists with id and ETag for others."""
    dataset = server.dataset()
    record = server.upload(dataset, "a.xy", b"1 2\n")
    assert server.initiate(dataset, "a.xy", b"1 2\n")["existing_file"]["mfid"] == record["mfid"]
    other = {"filename": "a.xy", "size": 3, "sha256_hash": hashlib.sha256(b"1 3").hexdigest()}
    reply = server.ask("POST", f"/datasets/{dataset}/upload/multipart/initiate", other)
    detail = reply.json["detail"]
    assert (reply.status, detail["code"]) == (409, "filename_exists")
    assert (detail["file_mfid"], detail["etag"]) == (record["mfid"], record["etag"])


def test_replacing_needs_the_current_etag(server: Server) -> None:
    """A replacement keeps the file's id; with the ETag of before it is 412."""
    dataset = server.dataset()
    record = server.upload(dataset, "a.xy", b"old")
    path = f"/files/{record['mfid']}/upload/multipart/initiate"
    body = {"size": 3, "sha256_hash": hashlib.sha256(b"new").hexdigest()}
    upload = server.ok("POST", path, body, {"If-Match": record["etag"]})["upload_id"]
    server.put(server.sign(dataset, upload, 1, b"new"), b"new")
    replaced = server.complete(dataset, upload, b"new").json
    assert (replaced["mfid"], server.download(record["mfid"]).body) == (record["mfid"], b"new")
    reply = server.ask("POST", path, {**body, "size": 4}, {"If-Match": record["etag"]})
    assert (reply.status, reply.json["detail"]["code"]) == (412, "etag_mismatch")
    assert server.ok("GET", f"/datasets/{dataset}")["size"] == 3


def test_an_empty_file_needs_no_part(server: Server) -> None:
    """The signed route takes an empty file without a part; the token route stores it at once."""
    dataset = server.dataset()
    assert server.upload(dataset, "empty.dat", b"")["size"] == 0
    body = {"filename": "other.dat", "size": 0, "sha256_hash": hashlib.sha256(b"").hexdigest()}
    existing = server.ok("POST", f"/datasets/{dataset}/upload/initiate/multipart", body)["existing_file"]
    assert server.download(existing["mfid"]).body == b""
    again = server.ok("POST", f"/datasets/{dataset}/upload/initiate/multipart", body)["existing_file"]
    assert again["mfid"] == existing["mfid"]


def test_wrong_bytes_are_never_named(server: Server) -> None:
    """A part with another crc32c or size is 400, a whole with another sha256 is 422, and no file appears."""
    dataset = server.dataset()
    upload = server.initiate(dataset, "a.bin", b"right")["upload_id"]
    signed = server.sign(dataset, upload, 1, b"right")
    assert server.put(signed, b"wrong").status == 400
    assert server.put(signed, b"longer than that").status == 400
    assert server.complete(dataset, upload, b"right").json["detail"]["code"] == "parts_missing"
    assert server.put(server.sign(dataset, upload, 1, b"wrong"), b"wrong").status == 200
    assert server.complete(dataset, upload, b"right").status == 422
    assert server.ok("GET", f"/datasets/{dataset}/files") == []
    assert server.put(server.sign(dataset, upload, 1, b"right"), b"right").status == 200
    assert server.complete(dataset, upload, b"right").status == 200


def test_a_changed_link_is_forbidden(server: Server) -> None:
    """A signed link for one part gives nothing else."""
    dataset = server.dataset()
    upload = server.initiate(dataset, "a.bin", b"x")["upload_id"]
    signed = server.sign(dataset, upload, 1, b"x")
    for old, new in (("/1?", "/2?"), ("crc32c=", "crc32c=A"), ("expires=", "expires=9")):
        forged = {**signed, "url": signed["url"].replace(old, new)}
        assert server.put(forged, b"x").status == 403


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".", "x" * 1025, "a\x00b"])
def test_a_name_that_leads_elsewhere_is_refused(server: Server, name: str) -> None:
    """File names are relative and cannot leave a download folder."""
    body = {"filename": name, "size": 1, "sha256_hash": "0" * 64}
    assert server.ask("POST", f"/datasets/{server.dataset()}/upload/multipart/initiate", body).status == 422


def test_repeating_any_step_changes_nothing(server: Server) -> None:
    """An answer that was lost can be asked for again: initiate with its key, the part, the completion."""
    dataset, data = server.dataset(), b"once"
    body = {"filename": "a", "size": 4, "sha256_hash": hashlib.sha256(data).hexdigest()}
    path, key = f"/datasets/{dataset}/upload/multipart/initiate", {"Idempotency-Key": "k1"}
    upload = server.ok("POST", path, body, key)["upload_id"]
    assert server.ok("POST", path, body, key)["upload_id"] == upload
    signed = server.sign(dataset, upload, 1, data)
    assert [server.put(signed, data).status for _ in range(2)] == [200, 200]
    first, second = (server.complete(dataset, upload, data).json for _ in range(2))
    assert first == second
    assert len(server.ok("GET", f"/datasets/{dataset}/files")) == 1


def test_an_aborted_upload_leaves_nothing(server: Server) -> None:
    """DELETE removes the upload and its bytes."""
    dataset = server.dataset()
    upload = server.initiate(dataset, "a", b"x")["upload_id"]
    server.put(server.sign(dataset, upload, 1, b"x"), b"x")
    assert server.ask("DELETE", f"/datasets/{dataset}/upload/multipart/{upload}").status == 204
    assert not (server.folder / "uploads" / upload).exists()
    assert server.ask("GET", f"/datasets/{dataset}/upload/multipart/{upload}").status == 404


def test_the_sequential_route_goes_on_where_it_stopped(server: Server) -> None:
    """PUT with Content-Range answers 308 with the range that is there, and 200 at the end."""
    dataset, data = server.dataset(), os.urandom(1000)
    body = {"filename": "m.bin", "size": 1000, "sha256_hash": hashlib.sha256(data).hexdigest()}
    begun = server.ok("POST", f"/datasets/{dataset}/upload/initiate", body)
    link = urlsplit(begun["resumable_uri"])

    def put(first: int, last: int) -> tuple[int, str | None]:
        headers = {"Content-Range": f"bytes {first}-{last}/1000"}
        reply = server.ask("PUT", f"{link.path}?{link.query}", data[first : last + 1], headers, raw=True)
        return reply.status, reply.headers.get("range")

    assert put(0, 599) == (308, "bytes=0-599")
    assert put(700, 999) == (308, "bytes=0-599")
    ask = server.ask("PUT", f"{link.path}?{link.query}", b"", {"Content-Range": "bytes */1000"}, raw=True)
    assert (ask.status, ask.headers["range"]) == (308, "bytes=0-599")
    assert put(600, 999) == (200, None)
    done = {"upload_id": begun["upload_id"], "sha256_hash": body["sha256_hash"]}
    record = server.ok("POST", f"/datasets/{dataset}/upload/complete", done)
    assert server.download(record["mfid"]).body == data


def test_acknowledged_parts_survive_a_kill(own: Server) -> None:
    """After kill -9 the status still lists the parts that were acknowledged, and only the rest is sent."""
    data = os.urandom(64 * MIB + 1000)
    dataset = own.dataset()
    upload = own.initiate(dataset, "big.bin", data)["upload_id"]
    assert own.put(own.sign(dataset, upload, 1, data[: 64 * MIB]), data[: 64 * MIB]).status == 200
    own.kill()
    own.start()
    status = own.ok("GET", f"/datasets/{dataset}/upload/multipart/{upload}")
    assert [part["part_number"] for part in status["parts"]] == [1]
    assert own.put(own.sign(dataset, upload, 2, data[64 * MIB :]), data[64 * MIB :]).status == 200
    record = own.complete(dataset, upload, data).json
    own.kill()
    own.start()
    assert hashlib.sha256(own.download(record["mfid"]).body).hexdigest() == record["sha256_hash"]


def test_a_crash_between_rename_and_commit_is_undone(own: Server) -> None:
    """Content that was renamed but never named is an upload again at the next start; what nobody names is removed."""
    dataset = own.dataset()
    upload = own.initiate(dataset, "a", b"abc")["upload_id"]
    own.put(own.sign(dataset, upload, 1, b"abc"), b"abc")
    own.kill()
    (own.folder / "uploads" / upload).rename(own.folder / "files" / upload[:2] / upload)
    (own.folder / "uploads" / ("0" * 32)).write_bytes(b"left over")
    (own.folder / "uploads" / "notes.txt").write_text("a person's")
    own.start()
    assert own.complete(dataset, upload, b"abc").status == 200
    assert sorted(path.name for path in (own.folder / "uploads").iterdir()) == ["notes.txt"]


def test_deleting_a_file_removes_its_content(server: Server) -> None:
    """DELETE /files/{mfid} takes the record, the bytes and their size from the dataset."""
    dataset = server.dataset()
    record = server.upload(dataset, "a", b"12345")
    assert server.ok("GET", f"/datasets/{dataset}")["size"] == 5
    server.ok("DELETE", f"/files/{record['mfid']}")
    assert server.ok("GET", f"/datasets/{dataset}")["size"] == 0
    assert server.ask("GET", f"/files/{record['mfid']}").status == 404


def test_a_catalogued_file_has_no_link(server: Server) -> None:
    """A file that lies elsewhere is listed with its place; its download link is 404, null among the dataset's links."""
    dataset = server.dataset()
    body = {"filename": "big.h5", "storage_backend": "local", "size": 1}
    record = server.ok("POST", f"/datasets/{dataset}/files", body)
    moved = server.ok("PATCH", f"/files/{record['mfid']}", {"storage_path": "/data/big.h5"})
    assert moved["storage_path"] == "/data/big.h5"
    assert server.ask("GET", f"/files/{record['mfid']}/download_link").status == 404
    assert server.ok("GET", f"/datasets/{dataset}/download_links") == {record["mfid"]: None}
    assert (
        json.loads(server.ask("POST", f"/datasets/{dataset}/files", body).body)["detail"]["code"] == "filename_exists"
    )


def test_bytes_that_a_power_cut_took_from_a_small_file_are_asked_for_again(own: Server) -> None:
    """A part of a small file is acknowledged before it is on the disk: a start compares, and forgets what is not there."""
    dataset = own.dataset()
    uploads = {name: own.initiate(dataset, name, b"abc")["upload_id"] for name in ("kept", "emptied", "zeroed")}
    for upload in uploads.values():
        assert own.put(own.sign(dataset, upload, 1, b"abc"), b"abc").status == 200
    own.kill()
    (own.folder / "uploads" / uploads["emptied"]).write_bytes(b"")
    (own.folder / "uploads" / uploads["zeroed"]).write_bytes(b"\0\0\0")
    own.start()
    shown = {
        name: [part["part_number"] for part in own.ok("GET", f"/datasets/{dataset}/upload/multipart/{upload}")["parts"]]
        for name, upload in uploads.items()
    }
    assert shown == {"kept": [1], "emptied": [], "zeroed": []}
    for name, upload in uploads.items():
        if name != "kept":
            assert own.put(own.sign(dataset, upload, 1, b"abc"), b"abc").status == 200
        assert own.complete(dataset, upload, b"abc").status == 200


def test_completing_at_the_same_time_names_the_file_once(server: Server) -> None:
    """Several requests to complete one upload: each is answered with the same file, or asked to come again."""
    dataset = server.dataset()
    data = os.urandom(2 * MIB)
    upload = server.initiate(dataset, "a.bin", data)["upload_id"]
    assert server.put(server.sign(dataset, upload, 1, data), data).status == 200
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: server.complete(dataset, upload, data), range(8)))
    assert {reply.status for reply in replies} <= {200, 503}
    assert len({reply.json["mfid"] for reply in replies if reply.status == 200}) == 1
    assert [file["size"] for file in server.ok("GET", f"/datasets/{dataset}/files")] == [len(data)]
