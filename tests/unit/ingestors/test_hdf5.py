from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingestors.api import Candidate, Extraction, Ingestor, Quantity, UnreadableError, jsonable
from ingestors.hdf5 import HDF5

if TYPE_CHECKING:
    from collections.abc import Callable

PUNX = Path(__file__).parents[2] / "data/corpus/other/punx"


def extracted(path: Path) -> Extraction:
    """The extraction, whose metadata are JSON."""
    found = HDF5().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(HDF5(), Ingestor)


def test_canSAS_is_read_by_its_own_names() -> None:  # noqa: N802 the format's name
    """The draft NXcanSAS file gives title, instrument, definition and its I(Q)."""
    found = extracted(PUNX / "draft_1D_NXcanSAS.h5")
    assert found.attributes["dataset_name"] == "MH4_5deg_16T_SLOW"
    assert found.attributes["measurement"] == "Small-angle neutron scattering"
    assert found.attributes["data_type"] == "NXcanSAS"
    assert found.attributes["instrument_name"] == "SANS2D"
    assert found.scientific_metadata["datasets"]["/sasentry01/sasdata/I"]["shape"] == [66]
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["I"]
    assert [warning[:30] for warning in found.warnings] == ["The entry has no start_time; i"]


def test_the_old_form_of_signal_and_axes_is_understood() -> None:
    """`writer_1_3.hdf5` names signal and axes on the group; its picture is counts over two_theta."""
    found = extracted(PUNX / "writer_1_3.hdf5")
    assert found.scientific_metadata["datasets"]["/Scan/data/two_theta"] == {
        "shape": [31],
        "dtype": "float64",
        "unit": "degrees",
        "min": 17.92108,
        "max": 17.92608,
    }
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["counts"]


def test_data_behind_external_links_are_named_and_left_alone() -> None:
    """The NXmx file's frames lie in files that are not here: metadata and time are read, and a warning says where they are."""
    found = extracted(PUNX / "DLS_i03_i04_NXmx_Therm_6_2.nxs")
    assert found.attributes["timestamp"] == "2019-02-14T14:25:57"
    assert found.attributes["instrument_name"] == "I04"
    assert found.scientific_metadata["entry"]["instrument"]["detector"]["count_time"] == pytest.approx(0.008)
    assert found.scientific_metadata["datasets"]["/entry/data/data"]["shape"] == [488, 4362, 4148]
    assert any("Therm_6_2_000001.h5" in warning for warning in found.warnings)


@pytest.mark.parametrize("name", ["draft_1D_NXcanSAS.h5", "writer_1_3.hdf5", "DLS_i03_i04_NXmx_Therm_6_2.nxs"])
def test_nexus_is_claimed_above_plain_hdf5(name: str, tmp_path: Path) -> None:
    """NX_class of a child of the root makes the claim more specific than the signature does."""
    plain = tmp_path / "plain.h5"
    h5py.File(plain, "w").close()
    known, unknown = HDF5().claim(Candidate(PUNX / name)), HDF5().claim(Candidate(plain))
    assert known is not None
    assert unknown is not None
    assert known.specificity > unknown.specificity


@pytest.mark.parametrize("userblock", [0, 512, 1024, 4096])
def test_hdf5_is_recognised_by_signature_behind_a_user_block_and_under_any_name(tmp_path: Path, userblock: int) -> None:
    """The suffix says nothing."""
    path = tmp_path / "data.bin"
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file["x"] = np.arange(5.0)
    assert HDF5().claim(Candidate(path)) is not None


def test_text_named_h5_and_a_tar_of_hdf5_are_declined(tmp_path: Path) -> None:
    """What is not HDF5 is left to others, even if HDF5 begins inside of it."""
    text, inner, outer = tmp_path / "a.h5", tmp_path / "b.h5", tmp_path / "c.tar"
    text.write_text("not HDF5")
    h5py.File(inner, "w").close()
    with tarfile.open(outer, "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(inner, "b.h5")
    assert HDF5().claim(Candidate(text)) is None
    assert HDF5().claim(Candidate(outer)) is None


def test_the_tree_is_nested_as_in_the_file_and_units_make_quantities(tmp_path: Path) -> None:
    """Attributes and small datasets stand where the file has them, large ones in the list of datasets only."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("beam/line")
        group.attrs["name"] = "12.3.2"
        group.attrs["energy"] = 10.5
        group.attrs["energy_units"] = "keV"
        group["current"] = 500.0
        group["current"].attrs["units"] = "mA"
        file["image"] = np.ones((40, 50), dtype=np.uint16)
    found = extracted(path)
    line = found.scientific_metadata["beam"]["line"]
    assert line["name"] == "12.3.2"
    assert line["energy"] == Quantity(10.5, "keV")
    assert line["current"] == Quantity(500.0, "mA")
    assert found.scientific_metadata["datasets"]["/image"] == {
        "shape": [40, 50],
        "dtype": "uint16",
        "min": 1,
        "max": 1,
    }
    assert "image" not in found.scientific_metadata
    assert len(found.thumbnails) == 1


def test_truncated_and_empty_files_are_unreadable_with_a_sentence(tmp_path: Path) -> None:
    """A writer that died leaves 96 bytes: the claim stands, the extraction says what is wrong."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(1000.0)
    for size in (96, 1500):
        path.write_bytes(path.read_bytes()[:size])
        assert HDF5().claim(Candidate(path)) is not None
        with (
            pytest.raises(UnreadableError, match=f"incomplete \\({size} bytes\\)")
            if size == 96
            else pytest.raises(UnreadableError)
        ):
            HDF5().extract(Candidate(path))
        with h5py.File(path, "w") as file:
            file["x"] = np.arange(1000.0)


def test_links_out_of_the_file_are_never_followed(tmp_path: Path) -> None:
    """External links, external raw storage and virtual datasets would let a file publish its neighbours."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["key"] = np.full(100, 4242.0)
    (tmp_path / "raw.bin").write_bytes(np.full(100, 4242.0).tobytes())
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink("secret.h5", "/key")
        file["soft"] = h5py.SoftLink("/link")
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_external(b"raw.bin", 0, h5py.h5s.UNLIMITED)
        h5py.h5d.create(file.id, b"raw", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((4,)), properties)
        layout = h5py.VirtualLayout((100,), "f8")
        layout[:] = h5py.VirtualSource("secret.h5", "key", (100,))
        file.create_virtual_dataset("view", layout)
        inner = h5py.VirtualLayout((100,), "f8")
        inner[:] = h5py.VirtualSource(".", "/link", (100,))
        file.create_virtual_dataset("through_link", inner)
    found = extracted(path)
    assert "4242" not in json.dumps(jsonable(found.scientific_metadata))
    assert not found.thumbnails
    assert any("secret.h5" in warning for warning in found.warnings)


def test_a_view_of_the_files_own_data_is_drawn(tmp_path: Path) -> None:
    """Virtual datasets are common in NeXus; inside the file they are harmless."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["part"] = np.arange(100.0)
        layout = h5py.VirtualLayout((100,), "f8")
        layout[:] = h5py.VirtualSource(".", "/part", (100,))
        file.create_virtual_dataset("view", layout)
    assert len(extracted(path).thumbnails) == 1


def test_loops_dangling_links_and_deep_nesting_end(tmp_path: Path) -> None:
    """A group that contains itself, a link to nothing, and 300 levels are walked once, named, and cut."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a/b")
        group["again"] = file["a"]
        file["nowhere"] = h5py.SoftLink("/not/there")
        file["round"] = h5py.SoftLink("/round")
        deep = file.create_group("deep")
        for level in range(300):
            deep = deep.create_group("d")
            deep.attrs["level"] = level
    found = extracted(path)
    assert found.scientific_metadata["a"]["b"]["again"] == "-> /a"
    assert found.scientific_metadata["nowhere"] == "-> /not/there"
    assert any("nested too deeply" in warning for warning in found.warnings)


def test_a_dataset_of_a_trillion_elements_costs_nothing(tmp_path: Path) -> None:
    """Shapes are read, bytes are not; what was written in one corner does not change that."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        huge = file.create_dataset("huge", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")
        huge[0, 0] = 1.0
        file.create_dataset("bomb", (10**5, 10**4), "f8", chunks=(10**5, 10**4), compression="gzip", fillvalue=1.0)
        file["bomb"].id.get_offset()
    found = extracted(path)
    assert found.scientific_metadata["datasets"]["/huge"]["shape"] == [10**6, 10**6]


def _everywhere(file: h5py.File, target: Callable[[h5py.Group, str], None]) -> None:
    """Puts something hostile wherever a reader looks by name: NeXus, EMD, Data Exchange, CXI, tables, ScopeFoundry."""
    entry = file.create_group("entry")
    entry.attrs["NX_class"], entry.attrs["default"] = "NXentry", "data"
    for name, made in (("data", "NXdata"), ("sample", "NXsample"), ("instrument", "NXinstrument")):
        entry.create_group(name).attrs["NX_class"] = made
    entry["data"].attrs["signal"], entry["data"].attrs["axes"] = "counts", ["x"]
    for path in ("entry/data/counts", "entry/data/x", "entry/title", "entry/start_time", "entry/sample/name", "entry/definition",
                 "exchange/data", "exchange/data_white", "entry_1/data_1/data", "Data/Data", "cube/data", "cube/dim1"):  # fmt: skip
        place, _, name = path.rpartition("/")
        target(file.require_group(place), name)
    file["cube"].attrs["emd_group_type"] = 1


SECRET = 424242.0


def _outside(kind: str, folder: Path) -> Callable[[h5py.Group, str], None]:
    """Ways to point at the neighbour `secret.h5`, or at raw bytes beside it."""

    def external_link(group: h5py.Group, name: str) -> None:
        group[name] = h5py.ExternalLink(str(folder / "secret.h5"), "/key")

    def external_storage(group: h5py.Group, name: str) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_external(str(folder / "raw.bin").encode(), 0, h5py.h5s.UNLIMITED)
        space = h5py.h5s.create_simple((100,))
        h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_DOUBLE, space, properties)

    def view(group: h5py.Group, name: str) -> None:
        layout = h5py.VirtualLayout((100,), "f8")
        layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "key", (100,))
        group.create_virtual_dataset(name, layout)

    def view_of_view(group: h5py.Group, name: str) -> None:
        view(group, f"{name}_first")
        layout = h5py.VirtualLayout((100,), "f8")
        layout[:] = h5py.VirtualSource(".", f"{group.name}/{name}_first", (100,))
        group.create_virtual_dataset(name, layout)

    return {"link": external_link, "storage": external_storage, "view": view, "view of a view": view_of_view}[kind]


@pytest.mark.parametrize("kind", ["link", "storage", "view", "view of a view"])
def test_nothing_outside_is_read_by_whatever_name_a_reader_looks(tmp_path: Path, kind: str) -> None:
    """Titles, samples, signals, axes and tables may each point out of the file: no value of a neighbour gets into the catalog."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["key"] = np.full(100, SECRET)
    (tmp_path / "raw.bin").write_bytes(np.full(100, SECRET).tobytes())
    for mark in ("", "implements", "cxi_version", "Version"):
        path = tmp_path / f"{mark}.h5"
        with h5py.File(path, "w") as file:
            _everywhere(file, _outside(kind, tmp_path))
            if mark:
                file[mark] = "exchange, Velox"
        found = extracted(path)
        said = json.dumps(
            jsonable([found.scientific_metadata, dict(found.attributes), [str(one) for one in found.samples]])
        )
        assert "424242" not in said
        assert not found.thumbnails


def test_groups_in_groups_of_each_other_are_walked_once(tmp_path: Path) -> None:
    """Forty groups that each hold all others would be walked for ever; a crowd of empty groups nearly so."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        groups = [file.create_group(f"g{number}") for number in range(40)]
        for one in groups:
            for number, other in enumerate(groups):
                one[f"to{number}"] = other
        for number in range(60):
            for inner in range(60):
                file.create_group(f"crowd/{number}/{inner}")
    begun = time.process_time()
    extracted(path)
    assert time.process_time() - begun < 5


def test_text_of_endless_length_in_a_table_is_not_read(tmp_path: Path) -> None:
    """Rows of variable-length text may each be megabytes: they are named, the numbers beside them are read."""
    path = tmp_path / "a.h5"
    kind = np.dtype([("n", "f8"), ("text", h5py.string_dtype())])
    with h5py.File(path, "w") as file:
        file["table"] = np.array([(number, "x" * 2_000_000) for number in range(10)], dtype=kind)
    columns = extracted(path).scientific_metadata["table"]["columns"]
    assert [(column["name"], column["max"]) for column in columns] == [("n", 9.0), ("text", None)]


def test_json_that_is_nested_without_end_stays_text(tmp_path: Path) -> None:
    """A tree of a thousand levels would end every reader behind this one."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["deep"] = '{"a":' * 900 + "1" + "}" * 900
        file.attrs["flat"] = '{"a": [1, {"b": null}]}'
        file.attrs["brackets"] = "[not JSON]"
    found = extracted(path).scientific_metadata
    assert isinstance(found["deep"], str)
    assert (found["flat"], found["brackets"]) == ({"a": [1, {"b": None}]}, "[not JSON]")


def test_a_group_called_datasets_keeps_its_contents(tmp_path: Path) -> None:
    """The metadata's own words must not hide what the file calls so."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("datasets").attrs["colour"] = "red"
        file["datasets/x"] = np.arange(30.0)
    told = extracted(path).scientific_metadata["datasets"]
    assert told["colour"] == "red"
    assert told["/datasets/x"]["shape"] == [30]


def test_thousands_of_objects_are_cut_with_a_warning(tmp_path: Path) -> None:
    """The metadata of one file stay small enough for a catalog."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(5200):
            file.create_group(f"g{number}").attrs["n"] = number
    found = extracted(path)
    assert any("more than 5000 objects" in warning for warning in found.warnings)
    assert len(found.scientific_metadata) <= 5001


def test_a_missing_decompressor_is_named_with_its_remedy(tmp_path: Path) -> None:
    """A filter that is not installed hides the values, not the dataset."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((10,))
        properties.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, ())
        h5py.h5d.create(file.id, b"packed", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((10,)), properties)
        file["packed"][...] = 1.0
    found = extracted(path)
    assert any("labferry[hdf5-filters]" in warning for warning in found.warnings)
    assert found.scientific_metadata["datasets"]["/packed"]["shape"] == [10]


def test_odd_values_become_plain_metadata(tmp_path: Path) -> None:
    """Empty, compound, enum, bytes in Latin-1, references, NaN, odd names: all of it is JSON in the end."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["empty"] = h5py.Empty("f8")
        file.attrs["pair"] = np.array((1, 2.5), dtype=[("a", "i4"), ("b", "f8")])
        file.attrs["bytes"] = np.bytes_(b"\xb0C")
        file.attrs["nan"] = np.nan
        file.attrs["many"] = np.arange(7000.0)
        file["x"] = np.arange(3)
        file.attrs["ref"] = file["x"].ref
        file["enum"] = np.array([0, 1], dtype=h5py.enum_dtype({"A": 0, "B": 1}, basetype="i1"))
        file.create_dataset("texts", data=["a", "µ"], dtype=h5py.string_dtype())
    found = extracted(path)
    assert found.scientific_metadata["pair"] == {"a": 1, "b": 2.5}
    assert found.scientific_metadata["bytes"] == "°C"
    assert found.scientific_metadata["texts"] == ["a", "µ"]
    assert "ref" not in found.scientific_metadata


DAMAGE = """
import random, sys
from pathlib import Path
from ingestors.api import Candidate, UnreadableError
from ingestors.hdf5 import HDF5
from ingestors.scopefoundry import ScopeFoundry
source, target, seed = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), int(sys.argv[3])
for number in range(seed, seed + 40):
    chance, raw = random.Random(number), bytearray(source)
    for _ in range(chance.randint(1, 12)):
        raw[chance.randrange(chance.choice((len(raw), 3000)))] = chance.randrange(256)
    target.write_bytes(raw)
    for ingestor in (HDF5(), ScopeFoundry()):
        try:
            if ingestor.claim(Candidate(target)) is not None:
                ingestor.extract(Candidate(target))
        except UnreadableError as error:
            assert str(error)
"""


@pytest.mark.parametrize(
    "name",
    [
        "other/punx/writer_1_3.hdf5",
        "scopefoundry/made_2.3.0/261120_151441_time_trace.h5",
        "other/punx/draft_1D_NXcanSAS.h5",
    ],
)
def test_damaged_files_never_raise_anything_but_unreadable(tmp_path: Path, name: str) -> None:
    """Flipped bytes give an extraction or a sentence; where they crash or hang the HDF5 library itself, the sandbox is there."""
    command = [sys.executable, "-c", DAMAGE, str(PUNX.parents[1] / name), str(tmp_path / "a.h5"), "0"]
    try:
        done = subprocess.run(command, cwd=PUNX.parents[4], capture_output=True, text=True, timeout=25, check=False)
    except subprocess.TimeoutExpired:
        return  # the library itself went round in circles
    assert done.returncode <= 0, done.stderr
