"""The daemon as a process, and a client's view of the catalog: what the end-to-end tests and the benchmarks stand on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DEADLINE = 40.0


T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str, seconds: float = DEADLINE, every: float = 0.05) -> T:
    """Look until there is something (not None, not False); fail with a sentence after the deadline."""
    pause = threading.Event()
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds:g} s still no sign of {what}")
        pause.wait(every)


def without_privileges(command: Sequence[str]) -> list[str]:
    """The command, bound by file modes even when root runs it (capabilities(7): CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)."""
    drop = "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) for capability in (1, 2)]"
    return [sys.executable, "-c", f"{drop}; os.execv(sys.argv[1], sys.argv[1:])", *command]


def configuration(folder: Path, **changes: Any) -> Path:
    """A configuration for `folder`/data with its state beside it, as JSON (which is YAML); `changes` replace whole keys."""
    (folder / "data").mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "instrument": "test-bench",
        "roots": [{"path": "data"}],
        "settle": {"quiet": "300ms", "empty": "1s", "broken": "3s"},
        "state": "state",
        "catalogs": [{"type": "local", "path": "catalog"}],
    }
    path = folder / "instrument.yaml"
    path.write_text(json.dumps({**values, **changes}), "utf-8")
    return path


@dataclass
class Daemon:
    """`labferry run CONFIG` as a child process; its log is read as it comes."""

    config: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    privileged: bool = True
    under: Sequence[str] = ()

    def start(self, *arguments: str) -> Self:
        """Start it; `--once` and the like as arguments. `under` is a command that runs it, and leaves its process id."""
        program = [sys.executable, "-m", "daemon", "run", os.fspath(self.config), "--log", "json", *arguments]
        command = [*self.under, *program]
        self.process = subprocess.Popen(
            command if self.privileged else without_privileges(command),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environment},
        )
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        return self

    def __enter__(self) -> Self:
        return self.start() if not hasattr(self, "process") else self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait()

    def wait(self, seconds: float = 120.0) -> int:
        """Wait for the end; the exit status."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def named(self, name: str, /) -> list[dict[str, Any]]:
        """The events of one name so far."""
        return [event for event in list(self.events) if event.get("event") == name]

    def wait_for(self, name: str, /, seconds: float = DEADLINE, **fields: Any) -> dict[str, Any]:
        """The first event of this name with these fields, waiting for it."""

        def look() -> dict[str, Any] | None:
            for event in self.named(name):
                if all(event.get(key) == value for key, value in fields.items()):
                    return event
            if self.process.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.raw[-5:]}")
            return None

        return eventually(look, f"the event {name} with {fields}", seconds)

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.raw.append(text)
            start = text.find("{")
            if start >= 0:
                try:
                    self.events.append(json.loads(text[start:]))
                except ValueError:
                    continue


class CatalogView:
    """What a client sees of a local catalog, through its API."""

    def __init__(self, folder: Path, url: str) -> None:
        token = (folder / "token").read_text("ascii").strip()
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/", headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at a path below /api/v3."""
        answer = self._client.get(path.lstrip("/"), params=query)
        answer.raise_for_status()
        return answer.json()

    def datasets(self, **query: Any) -> Iterator[dict[str, Any]]:
        """Every dataset, page by page."""
        cursor = None
        while True:
            page = self.get("datasets", limit=500, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def measurements(self) -> list[dict[str, Any]]:
        """The datasets without the parents of sessions."""
        return [one for one in self.datasets() if not (one.get("measurement") or "").startswith("full ")]

    def files(self, dataset: str) -> list[dict[str, Any]]:
        """The files of a dataset."""
        files = self.get(f"datasets/{dataset}/files")
        return list(files["items"] if isinstance(files, dict) else files)

    def all_files(self) -> list[dict[str, Any]]:
        """The files of every dataset."""
        return [file for dataset in self.measurements() for file in self.files(dataset["unique_id"])]

    def download(self, file: str) -> bytes:
        """A file's content, through its download link."""
        link = self.get(f"files/{file}/download_link")["url"]
        answer = self._client.get(link)
        answer.raise_for_status()
        return answer.content


class Bench:
    """A daemon on a folder of its own, and a client of the catalog that it delivers to: for tests that share one daemon."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = configuration(folder, **changes)
        self.daemon = Daemon(self.config)

    def __enter__(self) -> Self:
        self.daemon.start()
        page = self.daemon.wait_for("catalog.address")["page"]
        self.catalog = CatalogView(self.folder / "catalog", page.rstrip("/") + "/api/v3")
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "catalog"):
            self.catalog.__exit__()
        self.daemon.stop()

    def delivered(self, path: str, revision: int = 1) -> str:
        """Wait until this revision of the dataset whose primary file is `path` is delivered; its id in the catalog."""
        composed = self.daemon.wait_for("dataset.composed", path=path, revision=revision)
        began = self.daemon.events.index(composed)

        def look() -> bool:
            return any(
                event.get("event") == "delivery.delivered" and event.get("dataset") == composed["dataset"]
                for event in self.daemon.events[began:]
            )

        eventually(look, f"the delivery of {path!r}, revision {revision}")
        return str(composed["dataset"])

    def files(self, path: str, revision: int = 1) -> dict[str, bytes]:
        """Wait for the delivery; the content of each file of the dataset in the catalog, by its name there."""
        dataset = self.delivered(path, revision)
        return {file["filename"]: self.catalog.download(file["mfid"]) for file in self.catalog.files(dataset)}


@dataclass
class Catalog:
    """`labferry catalog FOLDER` as a child process: to look at what a daemon that is gone has delivered."""

    folder: Path

    def __enter__(self) -> CatalogView:
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "daemon",
                "catalog",
                os.fspath(self.folder),
                "--port",
                "0",
                "--ready-fd",
                str(writing),
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as stream:
            self.where = json.loads(stream.readline())
        self.view = CatalogView(self.folder, self.where["url"])
        return self.view

    def __exit__(self, *_: object) -> None:
        self.view.__exit__()
        self.process.terminate()
        self.process.wait(20)
