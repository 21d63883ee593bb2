from __future__ import annotations

import json
import struct
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.extract.sandbox import Sandbox
from ingestors.api import Candidate, Extraction, Ingestor, Quantity, UnreadableError, jsonable
from ingestors.extras import Detectors, Microscopy, detectors, microscopy

FRAME = (1000 + np.add.outer(np.arange(30), np.arange(40))).astype(np.int32)


def mrc(frames: int = 3, *, claimed: int | None = None) -> bytes:
    """A stack as MRC 2014 describes it: sizes and mode in the first words, `MAP ` at 208."""
    head = bytearray(1024)
    struct.pack_into("<10i", head, 0, 40, 30, claimed or frames, 2, 0, 0, 0, 40, 30, frames)
    struct.pack_into("<3f", head, 40, 400.0, 300.0, 3.0)
    struct.pack_into("<3i", head, 64, 1, 2, 3)
    head[208:216] = b"MAP \x44\x44\0\0"
    return bytes(head) + b"".join((FRAME * (index + 1)).astype("<f4").tobytes() for index in range(frames))


def cbf(path: Path) -> None:
    """A frame as a Pilatus writes it."""
    from fabio.cbfimage import CbfImage  # noqa: PLC0415 an extra

    lines = "# Detector: PILATUS 1M\r\n# 2012-05-06T07:08:09.123\r\n# Pixel_size 172e-6 m x 172e-6 m\r\n# Exposure_time 1.0 s\r\n"
    header = {"_array_data.header_convention": "PILATUS_1.2", "_array_data.header_contents": lines}
    CbfImage(data=FRAME, header=header).write(str(path))


def extracted(ingestor: Ingestor, path: Path) -> Extraction:
    """The extraction of a file that is claimed; its metadata are JSON."""
    assert ingestor.claim(Candidate(path)) is not None
    found = ingestor.extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def test_a_stack_of_a_microscope_is_read(tmp_path: Path) -> None:
    """Shape, scale and a montage of the frames."""
    path = tmp_path / "a.mrc"
    path.write_bytes(mrc())
    found = extracted(Microscopy(), path)
    assert found.scientific_metadata["data"]["shape"] == [3, 30, 40]
    assert [axis["unit"] for axis in found.scientific_metadata["data"]["axes"]] == ["nm", "nm"]
    assert found.thumbnails[0].caption == "3 of 3 frames"


def test_a_detectors_frame_says_time_exposure_and_pixel(tmp_path: Path) -> None:
    """What Dectris writes in comment lines."""
    path = tmp_path / "a.cbf"
    cbf(path)
    found = extracted(Detectors(), path)
    assert found.attributes["timestamp"] == "2012-05-06T07:08:09.123000"
    assert found.attributes["instrument_name"] == "PILATUS 1M"
    assert found.scientific_metadata["header"]["Exposure_time"] == Quantity(1.0, "s")
    assert found.scientific_metadata["pixel_size"] == [Quantity(172e-6, "m"), Quantity(172e-6, "m")]
    assert found.scientific_metadata["data"]["max"] == FRAME.max()


def test_a_series_in_one_edf_is_a_montage(tmp_path: Path) -> None:
    """ESRF's files hold one frame behind the other."""
    from fabio.edfimage import EdfImage  # noqa: PLC0415 an extra

    path = tmp_path / "a.edf"
    image = EdfImage(data=FRAME, header={"time": "Thu May 12 10:11:12 2016", "title": "LaB6"})
    for index in range(4):
        image.append_frame(data=FRAME * index, header={})
    image.write(str(path))
    found = extracted(Detectors(), path)
    assert found.attributes["timestamp"] == "2016-05-12T10:11:12"
    assert found.attributes["dataset_name"] == "LaB6"
    assert found.scientific_metadata["frames"] == 5
    assert found.thumbnails[0].caption == "5 of 5 frames"


@pytest.mark.parametrize(
    ("ingestor", "name", "modules", "extra"),
    [
        (Microscopy(), "a.mrc", ("rsciio", "rsciio.mrc"), "microscopy"),
        (Detectors(), "a.cbf", ("fabio",), "detectors"),
    ],
)
def test_a_file_whose_extra_is_missing_says_which(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ingestor: Ingestor,
    name: str,
    modules: tuple[str, ...],
    extra: str,
) -> None:
    """The claim stands, so that the reason gets on the record; one sentence says what to install."""
    path = tmp_path / name
    path.write_bytes(mrc() if extra == "microscopy" else b"###CBF: VERSION 1.5\r\n")
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    assert ingestor.claim(Candidate(path)) is not None
    with pytest.raises(UnreadableError, match=rf"needs labferry\[{extra}\]"):
        ingestor.extract(Candidate(path))


def test_the_readme_names_the_extras_that_read() -> None:
    """A sentence that names an extra leads to a line that explains it."""
    root = Path(__file__).parents[3]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    readme = (root / "README.md").read_text()
    for extra in (microscopy.EXTRA, detectors.EXTRA, "hdf5-filters"):
        assert extra in extras
        assert f"`labferry[{extra}]`" in readme


def test_the_extras_work_where_plugins_run(tmp_path: Path) -> None:
    """In the child process without network, files to write, or memory without end: the libraries find what they need."""
    stack, frame, packed = tmp_path / "a.mrc", tmp_path / "a.cbf", tmp_path / "a.h5"
    stack.write_bytes(mrc())
    cbf(frame)
    with h5py.File(packed, "w") as file:
        file.create_dataset("entry/data", data=FRAME, chunks=(10, 10), compression=hdf5plugin.Bitshuffle())
    with closing(Sandbox(timeout=50.0, memory=2 * 2**30)) as sandbox:
        outcomes = [sandbox.extract(path, []) for path in (stack, frame, packed)]
    assert [outcome.failures for outcome in outcomes] == [(), (), ()]
    assert [outcome.ingestor for outcome in outcomes] == ["microscopy", "detectors", "hdf5"]
    assert "not_read" not in outcomes[2].scientific_metadata["datasets"]["/entry/data"]


@pytest.mark.parametrize(
    "content", [b"", b"{'not': 'an image'}", b"\0\0\0\x03 something else", b"FORMAT is a word", b"1 2\n3 4\n"]
)
def test_what_looks_alike_is_declined(tmp_path: Path, content: bytes) -> None:
    """A brace or three zeros make no frame."""
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    assert Microscopy().claim(Candidate(path)) is None
    assert Detectors().claim(Candidate(path)) is None


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["mrc", "cbf"]),
    st.lists(st.tuples(st.integers(0, 2000) | st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.integers(0, 5000),
)
def test_damaged_files_are_read_or_refused_with_a_sentence(
    tmp_path: Path, kind: str, damage: list[tuple[int, int]], cut: int
) -> None:
    """Whatever the readers behind the extras raise, it arrives as UnreadableError."""
    path = tmp_path / f"a.{kind}"
    if kind == "cbf":
        cbf(path)
    else:
        path.write_bytes(mrc())
    raw = bytearray(path.read_bytes())
    for place, value in damage:
        raw[place % len(raw)] = value
    path.write_bytes(raw[: max(1, len(raw) - cut)])
    for ingestor in (Microscopy(), Detectors()):
        if ingestor.claim(Candidate(path)) is not None:
            try:
                ingestor.extract(Candidate(path))
            except (UnreadableError, MemoryError, OSError) as error:
                assert isinstance(error, (MemoryError, OSError)) or str(error)  # noqa: PT017 all ends are right
