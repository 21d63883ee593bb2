"""A process that gets hardly any handles or memory: sentences instead of tracebacks, and nothing lost when there are again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness import Catalog, Daemon, configuration

if TYPE_CHECKING:
    from pathlib import Path


def limited(folder: Path, limit: str, most: int) -> None:
    """Run with a limit (of resource(3)), then without: sentences at first, in the end everything is delivered once."""
    config = configuration(folder, settle={"quiet": "100ms"}, session={"parent": False})
    for number in range(4):
        (folder / "data" / f"{number}.xy").write_text(f"{number} 1\n")
    program = "import os, resource, sys; resource.setrlimit(resource.{0}, ({1}, {1}));"
    program += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = ["-m", "daemon", "run", os.fspath(config), "--once", "--log", "json"]
    command = [sys.executable, "-c", program.format(limit, most), *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            said = process.communicate(timeout=12)[1].decode()
        except subprocess.TimeoutExpired:
            process.terminate()
            said = process.communicate()[1].decode()
    assert "Traceback" not in said, said
    assert process.returncode in {0, 70, 75}
    assert process.returncode == 0 or said.strip()
    assert Daemon(config).start("--once").wait() == 0
    with Catalog(folder / "catalog") as catalog:
        assert sorted(one["dataset_name"] for one in catalog.measurements()) == ["0", "1", "2", "3"]


@pytest.mark.slow
@pytest.mark.parametrize("most", [11, 14, 17, 20])
def test_too_few_file_handles_are_said_in_sentences(tmp_path: Path, most: int) -> None:
    """With so few open files allowed the daemon waits or ends with 75, without a traceback; the next run delivers all once."""
    limited(tmp_path, "RLIMIT_NOFILE", most)


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [120, 300, 600, 900, 1000, 1100, 1200])
def test_too_little_memory_is_said_in_sentences(tmp_path: Path, megabytes: int) -> None:
    """With so much address space the daemon ends with a sentence or works; nothing is lost, and the next run delivers all."""
    limited(tmp_path, "RLIMIT_AS", megabytes * 2**20)
