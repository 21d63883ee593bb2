"""The embedded catalog's server as the daemon's child process: its own memory, its own core, one way to speak to it (HTTP)."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog

from daemon.errors import StateError
from daemon.seldom import Seldom

if TYPE_CHECKING:
    from daemon.clock import Clock

log = structlog.get_logger("labferry.catalog")

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
RESTART_SECONDS: Final = 2.0
ADDRESS_NAME: Final = "address.json"
_TAKEN: Final = 75


@dataclass(frozen=True, slots=True)
class Address:
    """Where a local catalog answers: the API's base URL, the pages, and the file that holds its token."""

    url: str
    pages: str
    token_file: Path

    @property
    def token(self) -> str:
        """The key of the API. Raises StateError."""
        try:
            return self.token_file.read_text("ascii").strip()
        except OSError as error:
            raise StateError(
                f"The token of the local catalog, {self.token_file}, cannot be read: {error.strerror}.",
                "Run labferry as the user that owns the catalog's folder.",
            ) from error


class EmbeddedCatalog:
    """Starts the server, starts it again at the same address if it ends, stops it with the daemon.

    If another process serves the folder already (`labferry catalog DIR`), that server is used.
    """

    def __init__(self, folder: Path, port: int, clock: Clock) -> None:
        self._folder = folder
        self._port = port
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._restart_at = 0.0
        self._words: deque[str] = deque(maxlen=50)
        self._said = Seldom()
        self._started = False
        self.address = self._begin()

    def tick(self) -> None:
        """Start the server again if it has ended; if it was another process's, begin to serve when that is gone."""
        if _served(self._folder) if self._process is None else self._process.poll() is None:
            return
        now = self._clock.monotonic()
        if now < self._restart_at:
            return
        self._restart_at = now + RESTART_SECONDS
        log.warning(
            "catalog.ended", folder=str(self._folder), status=self._process.returncode if self._process else None
        )
        self._port = urlsplit(self.address.url).port or 0  # deliveries know this address
        try:
            self.address = self._begin()
        except StateError as error:
            log.error("catalog.failed", problem=error.message, advice=error.advice)

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _begin(self) -> Address:
        running = self._shared()
        try:
            for port in () if running else self._ports():
                address = self._spawn(port)
                if address is not None:
                    return address
        except OSError as error:
            raise StateError(
                f"The local catalog in {self._folder} does not start: {error.strerror}.",
                "Look whether memory, open files (ulimit -n) or processes are short.",
            ) from error
        running = running or self._shared()
        if running is None:
            raise StateError(
                self._last_words() or f"The local catalog in {self._folder} does not start.",
                f"Try `labferry catalog {self._folder}` to see more." if not self._words else "",
            )
        log.info("catalog.shared", folder=str(self._folder), url=running.url)
        return running

    def _shared(self) -> Address | None:
        """The server of another process, if one has the folder."""
        return _running(self._folder) if _served(self._folder) else None

    def _ports(self) -> list[int]:
        """A port that a person chose is the only one; else the last one, so that bookmarks stay true, or a free one."""
        if self._port:
            return [self._port]
        last = _running(self._folder)
        port = None if last is None else urlsplit(last.url).port
        return [port, 0] if port else [0]

    def _spawn(self, port: int) -> Address | None:
        """Start the server on a port; None if the port or the folder is taken. Raises StateError with its own words."""
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "daemon", "catalog", os.fspath(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--port", str(port), "--ready-fd", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        self._words.clear()
        self._started = False
        listener = threading.Thread(
            target=self._listen, args=(self._process.stderr,), name="catalog-words", daemon=True
        )
        listener.start()
        with os.fdopen(reading, "rb") as stream:
            ready, _, _ = select.select([stream], [], [], START_SECONDS)
            line = stream.readline() if ready else b""
        if line:
            data = json.loads(line)
            self._started = True
            return Address(data["url"], data["pages"], Path(data["token_file"]))
        self._process.kill()
        status = self._process.wait()
        listener.join(STOP_SECONDS)
        self._process = None
        if status == _TAKEN:
            return None
        raise StateError(self._last_words() or f"The local catalog in {self._folder} does not start.")

    def _last_words(self) -> str:
        """What the server said before it ended: its sentence for people."""
        return self._words[-1].removeprefix("labferry: ") if self._words else ""

    def _listen(self, stream: IO[bytes]) -> None:
        """Whatever the server says goes into our log; nobody must ever wait for a full pipe."""
        with stream:
            for line in stream:
                text = line.decode("utf-8", "replace").rstrip()
                self._words.append(text)
                if self._started and text and self._said.due(text, self._clock.monotonic()):
                    log.warning("catalog.said", text=text)


def _served(folder: Path) -> bool:
    """Whether a server has the folder now: it holds the lock (see daemon/localcatalog/folder.py)."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _running(folder: Path) -> Address | None:
    """The address that the folder's server wrote down when it started last."""
    try:
        data = json.loads((folder / ADDRESS_NAME).read_text("utf-8"))
        return Address(data["url"], data["pages"], folder / "token")
    except (OSError, ValueError, KeyError):
        return None
