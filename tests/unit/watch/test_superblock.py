from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.watch.superblock import Agreement, State, hdf5_state, lookup3

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS: Final[list[str | tuple[str, str]]] = [
    "earliest",
    "latest",
    ("v108", "v108"),
    ("v110", "v110"),
    ("earliest", "v110"),
]
USERBLOCKS: Final = [0, 512, 4096]


def library_opens(path: Path) -> bool:
    """What the HDF5 library itself says."""
    try:
        with h5py.File(path, "r", locking=False):
            return True
    except OSError:
        return False


def agrees(path: Path) -> bool:
    """The library and the superblock are of one opinion."""
    return (hdf5_state(path, path.stat().st_size) == Agreement.OK) is library_opens(path)


def make(
    path: Path, libver: str | tuple[str, str], userblock: int, *, copy: Path | None = None, flush: bool = False
) -> bytes:
    """A file with some content; with `copy`, what is on disk while it is still open goes there."""
    with h5py.File(path, "w", libver=libver, userblock_size=userblock) as file:
        for number in range(20):
            file.create_group(f"g{number}").attrs["x"] = number
        file.create_dataset("d", data=list(range(1000)), dtype="f8")
        if flush:
            file.flush()
        if copy is not None:
            copy.write_bytes(path.read_bytes())
    return path.read_bytes()


@pytest.mark.parametrize("libver", VERSIONS)
@pytest.mark.parametrize("userblock", USERBLOCKS)
@pytest.mark.parametrize("flush", [False, True])
def test_open_and_closed_files_are_told_apart_as_the_library_does(
    tmp_path: Path,
    libver: str | tuple[str, str],
    userblock: int,
    flush: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    """For a file that is written, flushed or closed, the answer is the library's."""
    make(tmp_path / "x.h5", libver, userblock, copy=tmp_path / "copy.h5", flush=flush)
    assert hdf5_state(tmp_path / "x.h5", (tmp_path / "x.h5").stat().st_size) == Agreement.OK
    assert agrees(tmp_path / "copy.h5")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_truncated_file_is_never_taken(tmp_path: Path, data: st.DataObject) -> None:
    """Cut anywhere, the answer is the library's."""
    libver = data.draw(st.sampled_from(VERSIONS))
    userblock = data.draw(st.sampled_from(USERBLOCKS))
    whole = tmp_path / f"{libver}{userblock}.h5"
    content = whole.read_bytes() if whole.exists() else make(whole, libver, userblock)
    near = userblock + data.draw(st.integers(0, 120))
    size = data.draw(st.one_of(st.integers(0, len(content)), st.just(near), st.just(len(content) - 1)))
    cut = tmp_path / "cut.h5"
    cut.write_bytes(content[:size])
    assert agrees(cut)


@pytest.mark.parametrize("flags", range(8))
@pytest.mark.parametrize("libver", [("v108", "v108"), ("v110", "v110")])
def test_the_consistency_flags_count_as_in_the_library(tmp_path: Path, libver: tuple[str, str], flags: int) -> None:
    """Version 3 says itself that it is open for writing; version 2 has the flags but nobody minds them."""
    content = bytearray(make(tmp_path / "x.h5", libver, 0))
    content[11] = flags
    checked = 12 + 4 * content[9]
    content[checked : checked + 4] = struct.pack("<I", lookup3(bytes(content[:checked])))
    (tmp_path / "x.h5").write_bytes(content)
    assert agrees(tmp_path / "x.h5")


def test_a_swmr_writer_is_seen(tmp_path: Path) -> None:
    """A file that is open for SWMR writing is flagged, and the reason says how to clear a stale flag."""
    with h5py.File(tmp_path / "x.h5", "w", libver="latest") as file:
        file.create_dataset("d", shape=(10,), maxshape=(None,), dtype="f8")
        file.swmr_mode = True
        (tmp_path / "copy.h5").write_bytes((tmp_path / "x.h5").read_bytes())
    state = hdf5_state(tmp_path / "copy.h5", (tmp_path / "copy.h5").stat().st_size)
    assert state.state is State.INCOMPLETE
    assert "SWMR" in state.reason
    assert "h5clear" in state.reason


def test_a_truncated_file_says_how_much_is_missing(tmp_path: Path) -> None:
    """The reason has both numbers, for a person."""
    content = make(tmp_path / "x.h5", "earliest", 0)
    (tmp_path / "x.h5").write_bytes(content[:2048])
    assert hdf5_state(tmp_path / "x.h5", 2048).reason == f"end of file missing, 2048 of {len(content)} bytes"


@given(st.binary(max_size=2000), st.sampled_from([b"", b"\x89HDF\r\n\x1a\n", bytes(512) + b"\x89HDF\r\n\x1a\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_have_an_answer(tmp_path: Path, content: bytes, start: bytes) -> None:
    """Hostile bytes never raise, and are never taken for a good file that the library refuses."""
    file = tmp_path / "x.h5"
    file.write_bytes(start + content)
    if hdf5_state(file, len(start + content)) == Agreement.OK:
        assert library_opens(file)


def test_other_files_are_not_hdf5(tmp_path: Path) -> None:
    """A text file has no opinion about itself."""
    (tmp_path / "x.dat").write_text("1 2 3\n" * 1000)
    assert hdf5_state(tmp_path / "x.dat", 6000) == Agreement.NOT_HDF5
