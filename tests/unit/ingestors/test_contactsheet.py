from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.contactsheet import CORPUS, files_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_contact_sheet_shows_every_file(tmp_path: Path) -> None:
    """One picture with a cell for each file, and one for a file that has no picture."""
    chosen = [CORPUS / "xy" / "LIPRAS" / "PZT-001.xy", tmp_path / "words.bin"]
    chosen[1].write_bytes(b"\x01\x02\x03")
    arguments = ["--out", str(tmp_path / "out"), "--size", "200", "--columns", "2", *map(str, chosen)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.contactsheet", *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "2 files, 2 cells, 1 without a picture"
    with Image.open(tmp_path / "out" / "contact-sheet.png") as opened:
        sheet = np.asarray(opened.convert("RGB"))
    assert sheet.shape == (12 + 150 + 44 + 12, 12 + 2 * 212, 3)
    blank, drawn = sorted(cell.std() for cell in (sheet[20:150, 20:200], sheet[20:150, 240:400]))
    assert blank < 1 < drawn


def test_the_corpus_is_what_is_shown() -> None:
    """Every measurement of the corpus, and none of the notes beside them."""
    names = {path.name for path in files_in([CORPUS])}
    assert "PZT-001.xy" in names
    assert "SOURCES.md" not in names
