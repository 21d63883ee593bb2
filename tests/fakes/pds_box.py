"""A real PDS in a process of its own, on loopback, with one account and its app password. `make test-pds` installs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BOX: Final = Path(__file__).parents[2] / ".oracles/pds"


@contextmanager
def real_pds(folder: Path, blob_limit: int | None = None) -> Iterator[tuple[str, str, str]]:
    """Its address, the account's handle and app password; everything is gone afterwards."""
    if not (BOX / ".ready").exists():
        pytest.skip("there is no PDS in .oracles/pds; `make test-pds` installs it")
    node = BOX / "node/bin/node"
    ports = [_free_port(), _free_port()]
    command = [str(node), "box.mjs", *map(str, ports), str(folder), *([str(blob_limit)] if blob_limit else [])]
    environment = {**os.environ, "LOG_ENABLED": "0", "NODE_NO_WARNINGS": "1"}
    with subprocess.Popen(
        command, cwd=BOX, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        url = f"http://127.0.0.1:{ports[0]}"
        try:
            yield url, "alice.test", _app_password(url)
        finally:
            process.terminate()


def _app_password(url: str) -> str:
    account = {"handle": "alice.test", "email": "alice@example.com", "password": "a-password-of-hers"}
    made = httpx.post(f"{url}/xrpc/com.atproto.server.createAccount", json=account, timeout=30)
    assert made.status_code == 200, made.text
    answer = httpx.post(
        f"{url}/xrpc/com.atproto.server.createAppPassword",
        json={"name": "labferry"},
        headers={"Authorization": f"Bearer {made.json()['accessJwt']}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["password"])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
