"""A real catalog server in a process of its own, and a plain client for it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import google_crc32c

from daemon.mfid import new_mfid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

API = "/api/v3"


@dataclass
class Reply:
    """An answer: status, headers in lower case, raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """A catalog served from `folder`; `start` and `kill` as often as a test likes."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    where: dict[str, str] = field(default_factory=dict)

    def start(self) -> Server:
        """Start it and wait until it says where it is."""
        reader, writer = os.pipe()
        run = [sys.executable, "-c", "from daemon.cli import main; main()"]
        command = [*run, "catalog", str(self.folder), "--port", "0", "--ready-fd", str(writer)]
        self.process = subprocess.Popen(command, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as stream:
            self.where = json.loads(stream.readline())
        return self

    def kill(self) -> None:
        """End it the hard way."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it the polite way; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(15)
        self.process = None
        return code

    @property
    def token(self) -> str:
        """What the server accepts."""
        return (self.folder / "token").read_text().strip()

    @property
    def address(self) -> str:
        """host:port."""
        return urlsplit(self.where["url"]).netloc

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, *, raw: bool = False
    ) -> Reply:
        """One request; `path` below /api/v3 unless raw, then as it is and without the token."""
        sent = dict(headers or {})
        if not raw:
            path = API + path
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """One request that must succeed; its JSON."""
        reply = self.ask(method, path, body, headers)
        assert reply.status == 200, (method, path, reply.status, reply.body)
        return reply.json

    def dataset(self, **fields: Any) -> str:
        """A new dataset's id."""
        return str(self.ok("POST", "/datasets", {"unique_id": new_mfid(time.time_ns()), **fields})["unique_id"])

    def initiate(self, dataset: str, name: str, data: bytes) -> dict[str, Any]:
        """Begin a signed upload."""
        body = {"filename": name, "size": len(data), "sha256_hash": hashlib.sha256(data).hexdigest()}
        begun: dict[str, Any] = self.ok("POST", f"/datasets/{dataset}/upload/multipart/initiate", body)
        return begun

    def sign(self, dataset: str, upload: str, number: int, part: bytes) -> dict[str, Any]:
        """A link for one part."""
        body = {"parts": [{"part_number": number, "crc32c": crc32c(part)}]}
        signed: dict[str, Any] = self.ok("POST", f"/datasets/{dataset}/upload/multipart/{upload}/parts", body)["parts"][
            0
        ]
        return signed

    def put(self, signed: Mapping[str, Any], part: bytes) -> Reply:
        """Send one part by its link."""
        parts = urlsplit(signed["url"])
        return self.ask("PUT", f"{parts.path}?{parts.query}", part, signed["headers"], raw=True)

    def complete(self, dataset: str, upload: str, data: bytes) -> Reply:
        """End a signed upload."""
        sha256 = hashlib.sha256(data).hexdigest()
        body = {"upload_id": upload, "sha256_hash": sha256, "crc32c": crc32c(data)}
        return self.ask("POST", f"/datasets/{dataset}/upload/multipart/complete", body)

    def upload(self, dataset: str, name: str, data: bytes) -> dict[str, Any]:
        """The whole signed flow; the file's record."""
        upload = self.initiate(dataset, name, data)["upload_id"]
        if data:
            assert self.put(self.sign(dataset, upload, 1, data), data).status == 200
        reply = self.complete(dataset, upload, data)
        assert reply.status == 200, reply.body
        record: dict[str, Any] = reply.json
        return record

    def download(self, file: str, headers: Mapping[str, str] | None = None) -> Reply:
        """A file's content by its link."""
        parts = urlsplit(self.ok("GET", f"/files/{file}/download_link")["url"])
        return self.ask("GET", f"{parts.path}?{parts.query}", None, headers, raw=True)


def crc32c(data: bytes) -> str:
    """A crc32c as the wire has it."""
    value: int = google_crc32c.value(data)
    return base64.b64encode(value.to_bytes(4, "big")).decode()
