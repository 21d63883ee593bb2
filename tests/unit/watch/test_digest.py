from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.watch.digest import CHUNK, Changed, digest, prefix_sha256
from daemon.watch.scan import fingerprint_of

if TYPE_CHECKING:
    from pathlib import Path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 1000))
def test_all_checksums_come_from_one_pass(tmp_path: Path, content: bytes, part_size: int) -> None:
    """sha256 and crc32c of the whole and of every part are those of the bytes."""
    path = tmp_path / "x"
    path.write_bytes(content)
    found = digest(path, fingerprint_of(path.stat()), part_size)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.crc32c == google_crc32c.value(content)
    parts = [content[start : start + part_size] for start in range(0, len(content), part_size)]
    assert found.part_crc32c == tuple(google_crc32c.value(part) for part in parts)


def test_another_file_than_was_looked_at_is_noticed_before(tmp_path: Path) -> None:
    """The fingerprint must be the one that was judged."""
    path = tmp_path / "x"
    path.write_bytes(b"1")
    old = fingerprint_of(path.stat())
    path.write_bytes(b"22")
    with pytest.raises(Changed):
        digest(path, old)


@pytest.mark.parametrize("how", ["append", "overwrite", "truncate", "replace", "touch"])
def test_a_change_while_reading_is_noticed(tmp_path: Path, how: str) -> None:
    """Whatever happens to the file between the first and the last byte, it is not taken."""
    path = tmp_path / "x"
    path.write_bytes(os.urandom(3 * CHUNK))
    calls = iter(range(10))

    def alive() -> None:
        if next(calls) != 1:
            return
        if how == "append":
            with path.open("ab") as stream:
                stream.write(b"more")
        elif how == "overwrite":
            with path.open("r+b") as stream:
                stream.write(b"other")
        elif how == "truncate":
            os.truncate(path, CHUNK)
        elif how == "touch":
            os.utime(path, ns=(5, 5))
        else:
            (tmp_path / "new").write_bytes(path.read_bytes())
            (tmp_path / "new").rename(path)

    before = fingerprint_of(path.stat())
    with pytest.raises(Changed):
        digest(path, before, alive=alive)


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    """Whatever `alive` raises ends the reading."""
    path = tmp_path / "x"
    path.write_bytes(b"1")

    def stop() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        digest(path, fingerprint_of(path.stat()), alive=stop)


def test_a_prefix_tells_whether_a_file_grew(tmp_path: Path) -> None:
    """The hash of the old length is the old hash if the file only grew."""
    path = tmp_path / "x"
    path.write_bytes(b"old" + b"new" * CHUNK)
    assert prefix_sha256(path, 3) == hashlib.sha256(b"old").hexdigest()
    assert prefix_sha256(path, 10**9) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_read_without_a_trace(tmp_path: Path) -> None:
    """Neither looking nor hashing changes the time of the last access."""
    path = tmp_path / "x"
    path.write_bytes(b"1")
    os.utime(path, ns=(1, path.stat().st_mtime_ns))
    digest(path, fingerprint_of(path.stat()))
    assert path.stat().st_atime_ns == 1
