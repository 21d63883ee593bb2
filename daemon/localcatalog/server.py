"""Serving a catalog folder in the foreground until SIGTERM or SIGINT, and starting such a server as a child process."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from daemon.errors import StateError
from daemon.localcatalog import content
from daemon.localcatalog.api import PREFIX
from daemon.localcatalog.app import Application, own_hosts
from daemon.localcatalog.folder import open_catalog, token_file
from daemon.localcatalog.ingestion import Ingestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from daemon.localcatalog.folder import LocalCatalog

_SET_PARENT_DEATH_SIGNAL: Final = 1  # prctl(2), PR_SET_PDEATHSIG
_BACKLOG: Final = 512
_GRACE: Final = 5


class _Server(uvicorn.Server):
    """Uvicorn, but a signal that it stopped for is answered by returning, so that the catalog is closed properly."""

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, from before anybody knows that the server is there."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `stopped_by_signals` is in place already."""
        yield


def serve(
    folder: Path, host: str = "127.0.0.1", port: int = 0, ready: Callable[[dict[str, str]], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one. `ready` gets {"url", "pages", "token_file"}.

    Raises StateError: the folder cannot be used or is being served already, the port is taken.
    """
    catalog = open_catalog(folder)
    try:
        listener = _listen(host, port)
        with listener:
            content.recover(catalog)
            _run(catalog, listener, host, ready)
    except OSError as error:
        raise StateError(f"The catalog in {folder} cannot be served: {error.strerror or error}.") from error
    finally:
        catalog.close()


def _run(
    catalog: LocalCatalog, listener: socket.socket, host: str, ready: Callable[[dict[str, str]], None] | None
) -> None:
    ingestion = Ingestion(catalog)
    config = uvicorn.Config(
        Application(catalog, ingestion, own_hosts(host)),
        log_level="warning",
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    with server.stopped_by_signals():
        where = addresses(catalog.folder, host, listener.getsockname()[1])
        _leave_address(catalog.folder, where)
        ingestion.start()
        try:
            if ready is not None:
                ready(where)
            server.run(sockets=[listener])
        finally:
            ingestion.stop()


def addresses(folder: Path, host: str, port: int) -> dict[str, str]:
    """Where a server can be reached: its API, its pages, and the file that holds the token."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 shown only
    origin = f"http://{shown}:{port}"
    return {"url": origin + PREFIX, "pages": origin + "/", "token_file": str(token_file(folder.absolute()))}


def _leave_address(folder: Path, where: dict[str, str]) -> None:
    """Write down where this server answers, for others who want this folder and for the next start."""
    beside = folder / "address.json.new"
    with contextlib.suppress(OSError):  # a full disk: the server works all the same
        beside.write_text(json.dumps(where) + "\n", "utf-8")
        beside.rename(folder / "address.json")


def announce(descriptor: int, where: dict[str, str]) -> None:
    """Tell the process that started us, in one JSON line, and close the pipe."""
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(where) + "\n")


def end_with_parent() -> None:
    """Have the kernel send us SIGTERM when the process that started us ends, however it ends (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == 1:
        raise StateError("The process that started this catalog has ended.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With proto 0 asyncio would not set TCP_NODELAY, and every answer would wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise StateError(
            f"The catalog cannot listen on {host}:{port}: {reason}.",
            "Choose another port (0: any free one) or address.",
        ) from error
    return listener
