from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from daemon import notify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket as systemd listens on, by its path or in the abstract namespace."""
    name = (
        str(tmp_path / "notify") if request.param == "file" else f"@labferry-test-{os.getpid()}-{time.monotonic_ns()}"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if name.startswith("@") else name)
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listener


def test_the_messages_are_those_of_the_protocol(systemd: socket.socket) -> None:
    """Each call is one datagram of sd_notify(3), and a status is one line."""
    assert notify.ready("watching\n3 folders")
    assert systemd.recv(4096) == b"READY=1\nSTATUS=watching 3 folders"
    assert notify.status("12 files")
    assert systemd.recv(4096) == b"STATUS=12 files"
    assert notify.alive()
    assert systemd.recv(4096) == b"WATCHDOG=1"
    assert notify.stopping()
    assert systemd.recv(4096) == b"STOPPING=1"


def test_a_reload_carries_the_time(systemd: socket.socket) -> None:
    """RELOADING=1 comes with CLOCK_MONOTONIC in microseconds."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notify.reloading()
    first, _, second = systemd.recv(4096).decode().partition("\nMONOTONIC_USEC=")
    assert first == "RELOADING=1"
    assert before <= int(second) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_names_that_are_no_text_do_not_harm(systemd: socket.socket) -> None:
    """A file name's undecodable bytes in a status arrive escaped."""
    assert notify.status("reading a\udcff.h5")
    assert systemd.recv(4096) == b"STATUS=reading a\\udcff.h5"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@nobody-listens-here", "/" + "x" * 500])
def test_without_a_listener_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket, a wrong one or a dead one are not an error."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify.ready()
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert not notify.alive()


def test_a_listener_that_is_busy_does_not_stop_the_daemon(systemd: socket.socket) -> None:
    """When the socket's queue is full the message is dropped at once."""
    sent = [notify.status("x" * 1000) for _ in range(3000)]
    assert sent[0]
    assert not sent[-1]
    assert systemd.recv(4096).startswith(b"STATUS=x")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_only_when_it_is_ours(environment: dict[str, str], expected: float | None) -> None:
    """The interval is in seconds; another process's watchdog is not ours."""
    assert notify.watchdog_interval(environment) == expected
