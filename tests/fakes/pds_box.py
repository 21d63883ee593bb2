"""A real PDS in a process of its own, on loopback, with one account and its app password. `make test-pds` installs it."""

from __future__ import annotations

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
    process, url = _begun(folder, blob_limit)
    with process:
        try:
            yield url, "alice.test", _app_password(url)
        finally:
            process.terminate()


def _begun(folder: Path, blob_limit: int | None) -> tuple[subprocess.Popen[str], str]:
    """The process and its address. A port that was free may be somebody's a moment later: then others are tried."""
    node = BOX / "node/bin/node"
    environment = {**os.environ, "LOG_ENABLED": "0", "NODE_NO_WARNINGS": "1"}
    limit = [str(blob_limit)] if blob_limit else []
    for turn in range(3):
        ports = _free_ports()
        process = subprocess.Popen(
            [str(node), "box.mjs", *map(str, ports), str(folder / str(turn)), *limit],
            cwd=BOX, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        if process.stdout.readline().startswith("{"):
            return process, f"http://127.0.0.1:{ports[0]}"
        with process:
            process.terminate()
    raise AssertionError("the PDS did not start three times; its own words stand above")


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


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for listener in (one, other):
            listener.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
