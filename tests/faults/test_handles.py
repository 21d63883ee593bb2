"""A process that may open hardly any file: sentences instead of tracebacks, and nothing lost when there are handles again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness import Catalog, Daemon, configuration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.parametrize("most", [11, 14, 17, 20])
def test_too_few_file_handles_are_said_in_sentences(tmp_path: Path, most: int) -> None:
    """With so few open files allowed the daemon waits or ends with 75, without a traceback; the next run delivers all once."""
    config = configuration(tmp_path, settle={"quiet": "100ms"}, session={"parent": False})
    for number in range(4):
        (tmp_path / "data" / f"{number}.xy").write_text(f"{number} 1\n")
    limited = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0})); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = ["-m", "daemon", "run", os.fspath(config), "--once", "--log", "json"]
    with subprocess.Popen([sys.executable, "-c", limited.format(most), *command], stderr=subprocess.PIPE) as process:
        try:
            said = process.communicate(timeout=12)[1].decode()
        except subprocess.TimeoutExpired:
            process.terminate()
            said = process.communicate()[1].decode()
    assert "Traceback" not in said
    assert process.returncode in {0, 75}
    assert Daemon(config).start("--once").wait() == 0
    with Catalog(tmp_path / "catalog") as catalog:
        assert sorted(one["dataset_name"] for one in catalog.measurements()) == ["0", "1", "2", "3"]
