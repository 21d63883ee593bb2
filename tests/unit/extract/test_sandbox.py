"""The sandbox in peace: speed, several at once, and what the daemon itself never loads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from daemon.extract.process import _descendants
from daemon.extract.sandbox import Sandbox, SandboxClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Two workers."""
    sandbox = Sandbox(timeout=30, memory=2**30, workers=2)
    yield sandbox
    sandbox.close()


def test_several_threads_share_the_workers(sandbox: Sandbox, tmp_path: Path) -> None:
    """Many threads at once get each the outcome of its own file."""
    paths = [tmp_path / f"file {number}.weird" for number in range(40)]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * number)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda path: sandbox.extract(path, []), paths))
    assert [outcome.attributes["dataset_name"] for outcome in outcomes] == [path.stem for path in paths]
    assert [outcome.scientific_metadata["file"]["size"]["value"] for outcome in outcomes] == list(range(40))


def test_a_named_ingestor_goes_first(sandbox: Sandbox, tmp_path: Path) -> None:
    """The ingestor asked for, by name or by class, reads the file whatever the others claim; an unknown name is none."""
    picture = tmp_path / "p.pgm"
    picture.write_bytes(b"P5 4 4 255 " + bytes(range(16)))
    for name in ("fallback", "Fallback"):
        assert sandbox.extract(picture, [], ingestor=name).ingestor == "fallback"
    unnamed = sandbox.extract(picture, []).ingestor
    assert sandbox.extract(picture, [], ingestor="NoSuchIngestor").ingestor == unnamed


def test_a_file_that_is_gone_is_an_outcome(sandbox: Sandbox, tmp_path: Path) -> None:
    """A file that vanished gives its name and says that it cannot be read."""
    outcome = sandbox.extract(tmp_path / "gone.weird", [])
    assert outcome.attributes == {"dataset_name": "gone", "data_format": "weird"}
    assert "cannot be read" in "".join(outcome.warnings)


def test_odd_names_reach_the_ingestor(sandbox: Sandbox, tmp_path: Path) -> None:
    """Names with undecodable bytes and newlines are opened as they are."""
    path = tmp_path / "caf\udce9\nx.weird"
    path.write_bytes(b"abc")
    outcome = sandbox.extract(path, [path])
    assert outcome.scientific_metadata["file"]["size"] == {"value": 3, "unit": "B"}
    assert outcome.attributes["dataset_name"] == "caf\\xe9\nx"


def test_the_daemon_itself_loads_no_reader() -> None:
    """Neither numpy nor h5py nor Pillow is loaded in the process that owns the sandbox."""
    script = (
        "import sys, pathlib; from daemon.extract.sandbox import Sandbox; s = Sandbox(timeout=30, memory=2**30)\n"
        "s.extract(pathlib.Path('/etc/hostname'), []); s.plugins(); s.close()\n"
        "print(sorted({'numpy', 'h5py', 'PIL', 'ingestors.image'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_worker_that_was_begun_early_reads_the_file(tmp_path: Path) -> None:
    """`warm_up` leaves one process waiting, and the next file is read by that one; a sandbox that is closed says so."""
    sandbox = Sandbox(timeout=30, memory=2**30, workers=2)
    path = tmp_path / "a.weird"
    path.write_bytes(b"abc")
    try:
        sandbox.warm_up()
        (begun,) = sandbox._running
        sandbox.extract(path, [])
        assert sandbox._running == {begun}
    finally:
        sandbox.close()
    with pytest.raises(SandboxClosedError):
        sandbox.warm_up()


def test_a_process_that_ends_while_it_is_looked_at_has_no_children() -> None:
    """A worker that is reaped between two looks into /proc is a worker that is gone, not an error."""
    for _ in range(150):
        process = subprocess.Popen(["/bin/true"])
        with ThreadPoolExecutor(1) as pool:
            reaped = pool.submit(process.wait)
            while not reaped.done():
                assert _descendants(process.pid) == []
