"""`labferry inspect` as people and programs call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.fakes.scopefoundry_files import FILM, tray

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [
    *("file", "ingestor", "claims", "attributes", "scientific_metadata"),
    *("keywords", "samples", "companions", "thumbnails", "warnings"),
]


def inspect(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the real command."""
    code = "from daemon.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "inspect", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def loaded(text: str) -> dict[str, Any]:
    """The one JSON object."""
    found: dict[str, Any] = json.loads(text)
    return found


def test_json_has_the_agreed_shape(tmp_path: Path) -> None:
    """One FILE gives one object with exactly the agreed keys; companions beside it are named relative to its folder."""
    path = tmp_path / "scan.weird"
    path.write_bytes(b"\x00\x01\x02")
    (tmp_path / "scan.weird_images" / "deep").mkdir(parents=True)
    (tmp_path / "scan.weird_images" / "deep" / "1.png").write_bytes(b"")
    (tmp_path / "scan.log").write_text("log")
    (tmp_path / "other.log").write_text("log")
    done = inspect(path, "--json")
    report = loaded(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(report) == KEYS
    assert report["file"] == str(path)
    assert report["ingestor"] == "fallback"
    assert report["claims"] == [{"ingestor": "fallback", "specificity": 0, "reason": "any file"}]
    assert report["attributes"] == {"dataset_name": "scan", "data_format": "weird"}
    assert report["scientific_metadata"]["file"]["size"] == {"value": 3, "unit": "B"}
    assert report["companions"] == ["scan.log", "scan.weird_images/deep/1.png"]


def test_children_are_a_key_of_their_own(tmp_path: Path) -> None:
    """Only a file with children has `children` behind the agreed keys; each has a key and what a dataset has but for files."""
    path = tray(tmp_path / "a.h5", {"film 0": FILM})
    report = loaded(inspect(path, "--json").stdout)
    assert list(report) == [*KEYS, "children"]
    (child,) = report["children"]
    assert list(child) == ["key", "attributes", "scientific_metadata", "keywords", "samples", "thumbnails"]
    assert (child["key"], child["attributes"]["dataset_name"]) == ("S00", "Child Nirvana scan for film 0")
    assert (child["samples"], len(child["thumbnails"])) == ([{"name": "film 0", "unique_id": FILM}], 1)
    assert "S00  Child Nirvana scan for film 0" in inspect(path).stdout


def test_several_files_are_one_object_a_line(tmp_path: Path) -> None:
    """More FILEs give one JSON object a line; one that cannot be read costs a sentence and exit code 1, not the others."""
    paths = [tmp_path / "a.weird", tmp_path / "gone.weird", tmp_path / "b\n.weird"]
    for path in paths[::2]:
        path.write_text("x")
    done = inspect(*paths, "--json")
    assert [loaded(line)["file"] for line in done.stdout.splitlines()] == [str(paths[0]), str(paths[2])]
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "gone.weird cannot be read: No such file or directory." in done.stderr


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_one_sentence(tmp_path: Path, kind: str) -> None:
    """A missing file, a folder or a pipe is one sentence on stderr, exit code 1, and no traceback."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    done = inspect(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"labferry: {path} ")
    assert done.stderr.count("\n") == 1


def test_thumbnail_is_written(tmp_path: Path) -> None:
    """`--thumbnail` writes the first picture; a file without one is a sentence and exit code 1."""
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "photo.png")
    (tmp_path / "no.weird").write_text("x")
    assert inspect(tmp_path / "photo.png", "--thumbnail", tmp_path / "out.png").returncode == 0
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.width > 0
    done = inspect(tmp_path / "no.weird", "--thumbnail", tmp_path / "out2.png")
    assert done.returncode == 1
    assert "made no picture" in done.stderr
    assert not (tmp_path / "out2.png").exists()


def test_people_get_lines_without_control_characters(tmp_path: Path) -> None:
    """For people the report is text, and nothing that a file's name holds can steer the terminal."""
    path = tmp_path / "\x1b[31mred.weird"
    path.write_text("x")
    done = inspect(path)
    assert done.returncode == 0
    assert "dataset_name" in done.stdout
    assert "\x1b" not in done.stdout
