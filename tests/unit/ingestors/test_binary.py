from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestors.api import Candidate, Extraction, Quantity, UnreadableError, jsonable
from ingestors.binary import Binary
from ingestors.binary.families import FAMILIES
from tests.fakes import binary_files as files
from tests.fakes import vendor_files

if TYPE_CHECKING:
    from pathlib import Path

FACTS: dict[str, dict[str, Any]] = {
    "igor5": {"dataset_name": "topo", "timestamp": "2021-03-04T17:06:07"},
    "igor2": {"dataset_name": "decay", "timestamp": "2018-01-28T16:00:00"},
    "gwyddion": {"timestamp": "2020-05-06T07:08:09", "samples": ["grating"]},
    "phi": {"dataset_name": "gold foil", "measurement": "X-ray photoelectron spectroscopy", "timestamp": "2019-03-07"},
    "drs4": {"timestamp": "2017-01-26T15:47:00.616000"},
    "rasx": {"timestamp": "2021-02-03T04:05:06+00:00", "samples": ["LaB6"], "measurement": "X-ray diffraction"},
    "sxm": {"timestamp": "2019-03-07T10:11:12", "measurement": "Scanning tunneling microscopy"},
    "grid": {"timestamp": "2014-10-21T16:48:06", "measurement": "Scanning tunneling spectroscopy"},
    "nanoscope": {"timestamp": "2010-03-12T15:12:45", "measurement": "Atomic force microscopy"},
    "wdf": {"dataset_name": "Silicon", "timestamp": "2020-11-16T11:33:20+00:00", "measurement": "Raman spectroscopy"},
    "spe2": {"timestamp": "2010-10-11T09:10:11", "data_type": "WinSpec file"},
    "spe3": {"timestamp": "2015-06-07T08:09:10.123456+02:00", "instrument_name": "PIXIS 100"},
    "sif": {"timestamp": "2018-10-31T03:24:49+00:00", "instrument_name": "iDus"},
    "spc": {"timestamp": "2018-04-05T14:33:00", "measurement": "Fourier-transform infrared spectroscopy"},
    "mpr": {"timestamp": "2019-05-07T12:00:00", "measurement": "Cyclic voltammetry"},
    "ptu": {"timestamp": "2019-05-07T12:00:00", "measurement": "Time-correlated single photon counting"},
    "phu": {"timestamp": "2019-05-07T12:00:00", "data_type": "PicoQuant histogram"},
    "raw2": {"timestamp": "2018-05-17T10:11:12", "measurement": "X-ray diffraction"},
    "spc_old": {"timestamp": "1996-04-05T14:33:00", "data_type": "SPC spectrum"},
    "raw1": {"samples": ["corundum"], "measurement": "X-ray diffraction"},
    "raw3": {"samples": ["quartz"], "timestamp": "2018-05-17T10:11:12"},
    "czi": {
        "dataset_name": "slice 3",
        "measurement": "Fluorescence microscopy",
        "timestamp": "2019-03-07T09:08:07+00:00",
    },
    "fits": {"dataset_name": "flat field", "timestamp": "2020-05-06T07:08:09.500000", "instrument_name": "XYZ Cam"},
    "tdms": {"dataset_name": "run 7", "timestamp": "2021-03-31T01:46:40+00:00"},
    "matlab": {"timestamp": "2019-03-05T10:11:12"},
    "npy": {"data_type": "NumPy array"},
    "npz": {"data_type": "NumPy archive"},
    "xrdml": {"dataset_name": "quartz", "timestamp": "2021-03-16T13:10:14+03:00", "samples": ["quartz"]},
    "brml": {"timestamp": "2021-02-03T04:05:06.123456+01:00", "samples": ["zeolite"], "instrument_name": "D8"},
    "opus": {
        "timestamp": "2012-11-09T11:45:34.120000+01:00",
        "samples": ["olive oil"],
        "instrument_name": "VERTEX 70",
        "measurement": "Fourier-transform infrared spectroscopy",
    },
    "omnic": {"dataset_name": "olive oil", "timestamp": "2015-04-09T02:45:41+00:00", "data_type": "OMNIC spectrum"},
    "perkinelmer": {"timestamp": "2024-10-28T16:08:45", "instrument_name": "Spectrum 3"},
    "perkinelmer_image": {"timestamp": "2024-10-28T16:08:45", "instrument_name": "Spotlight 400"},
    "gsf": {"timestamp": "2020-05-06T07:08:09", "measurement": "Scanning near-field optical microscopy"},
    "wsxm": {"timestamp": "2021-06-18T14:12:26.398000", "measurement": "Atomic force microscopy"},
    "jpk": {"timestamp": "2015-05-21T18:16:49.170000+02:00", "samples": ["cell 3"], "instrument_name": "NanoWizard"},
    "pxp": {"timestamp": "2018-01-28T16:01:40", "data_type": "Igor packed experiment"},
    "raw4": {"samples": ["quartz"], "timestamp": "2018-05-17T10:11:12", "measurement": "X-ray diffraction"},
    "nanoscope_force": {"timestamp": "2010-03-12T15:12:45", "data_type": "NanoScope force curve"},
    "daqmx": {"dataset_name": "two channels", "data_type": "LabVIEW TDMS"},
    "andi": {"timestamp": "2009-04-01T15:55:43-07:00", "samples": ["caffeine"], "measurement": "Chromatography"},
    "fcs": {"timestamp": "2013-02-28T15:19:53", "samples": ["yeast"], "instrument_name": "LSRII"},
    "matlab4": {"data_type": "MATLAB 4 file"},
}
EVERY = files.EVERY | vendor_files.EVERY


def written(folder: Path, kind: str) -> Path:
    """A file of that kind."""
    name, content = EVERY[kind]
    path = folder / name
    path.write_bytes(content())
    return path


def extracted(path: Path) -> Extraction:
    """The extraction of a file that is claimed; its metadata are JSON."""
    assert Binary().claim(Candidate(path)) is not None
    found = Binary().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def made(folder: Path, name: str, content: bytes) -> Extraction:
    """The extraction of a file with that content."""
    path = folder / name
    path.write_bytes(content)
    return extracted(path)


def test_every_writer_has_its_facts_and_every_family_its_writer() -> None:
    """No family goes untested."""
    assert FACTS.keys() == EVERY.keys()
    assert len(FAMILIES) <= len(FACTS)


@pytest.mark.parametrize("kind", sorted(FACTS))
def test_a_file_says_name_time_sample_and_method(tmp_path: Path, kind: str) -> None:
    """The facts that a person would look for first, and a picture."""
    found = extracted(written(tmp_path, kind))
    for key, value in FACTS[kind].items():
        told = [sample.name for sample in found.samples] if key == "samples" else found.attributes.get(key)
        assert told == value, key
    assert found.thumbnails or kind == "czi"
    assert not found.warnings


@pytest.mark.parametrize(
    ("kind", "name", "unit", "shape", "axes"),
    [
        ("igor5", None, "V", [24, 32], [("y", "nm", 0.0, 5.75), ("x", "nm", 10.0, 25.5)]),
        ("igor2", None, "V", [64], [("x", "s", 2.0, 8.3)]),
        ("gwyddion", "Height", "m", [24, 32], [("y", "m", 1.5625e-8, 7.34375e-7), ("x", "m", 1.5625e-8, 9.84375e-7)]),
        ("phi", "Su1s", "c/s", [64], [("Binding energy", "eV", 1100.0, 1049.6)]),
        ("nanoscope", "Height Sensor", "nm", [24, 32], [("y", "nm", 15.625, 734.375), ("x", "nm", 15.625, 984.375)]),
        ("wdf", "Intensity", "counts", [64], [("Raman shift", "1/cm", 100.0, 1100.0)]),
        ("spe2", "Intensity", "counts", [64], [("Wavelength", "nm", 500.0, 531.5)]),
        ("spe3", "Intensity", "counts", [64], [("Wavelength", "nm", 700.0, 706.3)]),
        ("spc", "Absorbance", None, [64], [("Wavenumber", "1/cm", 4000.0, 400.0)]),
        ("spc_old", "Absorbance", None, [64], [("Wavenumber", "1/cm", 4000.0, 400.0)]),
    ],
)
def test_data_have_their_axes_and_units(
    tmp_path: Path,
    kind: str,
    name: str | None,
    unit: str | None,
    shape: list[int],
    axes: list[tuple[str, str, float, float]],
) -> None:
    """Shape, unit, and for each dimension name, unit, first and last coordinate."""
    data = extracted(written(tmp_path, kind)).scientific_metadata["data"]
    assert (data.get("name"), data.get("unit"), data["shape"]) == (name, unit, shape)
    assert [(axis["name"], axis["unit"]) for axis in data["axes"]] == [axis[:2] for axis in axes]
    assert [[axis["first"], axis["last"]] for axis in data["axes"]] == [pytest.approx(axis[2:]) for axis in axes]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        (
            "rasx",
            [
                ("TwoThetaTheta", "deg", 10.0, 11.26),
                ("Attenuation factor", None, 1.0, 1.0),
                ("Intensity", "counts", 0.0, 1000.0),
            ],
        ),
        ("xrdml", [("2Theta", "deg", 10.0, 16.3), ("Omega", "deg", 5.0, 8.15), ("Intensity", "counts", 0.0, 1000.0)]),
        ("brml", [("2Theta", "°", 10.0, 16.3), ("Theta", "°", 5.0, 8.15), ("Intensity", "counts", 0.0, 1000.0)]),
        ("raw3", [("2theta", "deg", 20.0, 21.26), ("Intensity", "counts", 0.0, 100.0)]),
        ("mpr", [("time", "s", 0.0, 1.0), ("Ewe", "V", 0.0, 1.0), ("<I>", "mA", 0.0, 1.0)]),
    ],
)
def test_scans_are_tables(tmp_path: Path, kind: str, columns: list[tuple[str, str | None, float, float]]) -> None:
    """As text tables are: name, unit, least and greatest value of each column."""
    found = extracted(written(tmp_path, kind)).scientific_metadata["table"]["columns"]
    assert [(one["name"], one["unit"]) for one in found] == [one[:2] for one in columns]
    assert [[one["min"], one["max"]] for one in found] == [pytest.approx(one[2:], abs=1e-6) for one in columns]


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_is_found_in_the_file(tmp_path: Path, order: str) -> None:
    """Igor on a Macintosh, SPC on a workstation."""
    for name, content in (("a.ibw", files.igor5(order)), ("b.ibw", files.igor2(order)), ("a.spc", files.spc(order))):
        assert made(tmp_path, name, content).scientific_metadata["data"]["max"] == pytest.approx(1, rel=0.6)


def test_a_scan_upwards_is_turned_round(tmp_path: Path) -> None:
    """Nanonis writes rows as they were scanned: a picture shows the sample, whichever way that was."""
    for way in ("down", "up"):
        (tmp_path / way).mkdir()
    down, up = (made(tmp_path / way, "a.sxm", files.sxm(way)).thumbnails[0].png for way in ("down", "up"))
    assert down == up


def test_an_unfinished_grid_says_how_far_it_came(tmp_path: Path) -> None:
    """Four of six spectra: one whole row is shown, and a warning counts."""
    found = made(tmp_path, "a.3ds", files.grid(4))
    assert any("4 of 6" in warning for warning in found.warnings)
    assert found.thumbnails


def test_a_map_of_spectra_is_a_map_and_a_mean(tmp_path: Path) -> None:
    """The sum over each spectrum as a picture with its coordinates, and the mean spectrum."""
    found = made(tmp_path, "a.wdf", files.wdf((6, 64), mapped=(2, 3)))
    assert found.scientific_metadata["data"]["shape"] == [2, 3, 64]
    assert [axis["unit"] for axis in found.scientific_metadata["data"]["axes"]] == ["µm", "µm", "1/cm"]
    assert len(found.thumbnails) == 1
    assert found.thumbnails[0].caption == "sum and mean of Intensity"


def test_frames_of_a_camera_are_counted_and_missing_ones_told(tmp_path: Path) -> None:
    """A header that promises ten frames, and bytes for two."""
    whole = files.spe2(10, 4)
    found = made(tmp_path, "a.spe", whole[: 4100 + 2 * 4 * 64 * 2])
    assert found.scientific_metadata["frames"] == 2
    assert any("2 of 10" in warning for warning in found.warnings)


@pytest.mark.parametrize("width", [2, 4])
def test_nanoscope_scales_by_the_width_of_its_integers(tmp_path: Path, width: int) -> None:
    """A quarter of the full range of 440 V at 12 nm/V, whether it is written in two bytes or in four."""
    data = made(tmp_path, "a.spm", files.nanoscope(width)).scientific_metadata["data"]
    assert data["max"] == pytest.approx(440 * 12 / 4, rel=1e-3)


@pytest.mark.parametrize("interleaved", [False, True])
def test_tdms_channels_are_told_apart(tmp_path: Path, *, interleaved: bool) -> None:
    """One after the other, or value by value."""
    data = made(tmp_path, "a.tdms", files.tdms(interleaved=interleaved)).scientific_metadata["data"]
    assert [one["name"] for one in data] == ["a", "b"]
    assert data[0]["max"] == pytest.approx(1)
    assert data[1]["min"] == pytest.approx(-1)


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_variables_are_listed(tmp_path: Path, *, compressed: bool) -> None:
    """Class and shape of each, small ones with their value."""
    variables = made(tmp_path, "a.mat", files.matlab(compressed=compressed)).scientific_metadata["variables"]
    assert variables["plane"]["shape"] == [24, 32]
    assert variables["gain"]["value"] == 2.5
    assert variables["operator"]["value"] == "nobody"


def test_numbers_with_units_are_quantities(tmp_path: Path) -> None:
    """From a comment in brackets, a fixed layout or the words of a header."""
    assert extracted(written(tmp_path, "fits")).scientific_metadata["header"]["EXPTIME"] == Quantity(12.5, "s")
    assert extracted(written(tmp_path, "spe2")).scientific_metadata["detector temperature"] == Quantity(-70.0, "°C")
    assert extracted(written(tmp_path, "wdf")).scientific_metadata["laser"] == Quantity(532.0, "nm")
    assert extracted(written(tmp_path, "sxm")).scientific_metadata["BIAS"] == Quantity(0.5, "V")
    assert extracted(written(tmp_path, "phi")).scientific_metadata["AnalyserWorkFcn"] == Quantity(4.1, "eV")


def test_unknown_columns_of_ec_lab_are_named_and_nothing_is_guessed(tmp_path: Path) -> None:
    """The layout of the records hangs on every column."""
    found = made(tmp_path, "a.mpr", files.mpr((4, 6, 9999)))
    assert any("9999" in warning for warning in found.warnings)
    assert "table" not in found.scientific_metadata


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    """An array of objects is described from its header alone."""
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    found = extracted(path)
    assert "not loaded" in found.scientific_metadata["array"]["note"]


def test_dimensions_that_the_file_cannot_hold_are_refused(tmp_path: Path) -> None:
    """Ten billion points in a header cost nothing."""
    raw = bytearray(files.igor5())
    struct.pack_into("<4i", raw, 64 + 68, 2**30, 2**30, 2**20, 2)
    path = tmp_path / "a.ibw"
    path.write_bytes(raw)
    with pytest.raises(UnreadableError):
        Binary().extract(Candidate(path))
    shape = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 8), }"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(shape)) + shape + bytes(800))
    with pytest.raises(UnreadableError):
        Binary().extract(Candidate(path))


def test_of_a_large_array_a_part_is_read_and_told(tmp_path: Path) -> None:
    """Two gigabytes that are mostly holes: evenly spread rows, in a moment."""
    path = tmp_path / "a.npy"
    shape = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 1000, 500), }"
    with path.open("wb") as stream:
        stream.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(shape)) + shape)
        stream.truncate(10 + len(shape) + 4 * 1000 * 1000 * 500)
    data = extracted(path).scientific_metadata["data"]
    assert data["shape"] == [1000, 1000, 500]
    assert data["read"].startswith("16 of 1000")


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    """A few hundred kilobytes of zeros that claim to be a measurement."""
    path = tmp_path / "a.brml"
    path.write_bytes(files.archive({"Experiment0/RawData0.xml": bytes(150 * 2**20)}))
    with pytest.raises(UnreadableError, match="too many"):
        Binary().extract(Candidate(path))


def test_xml_that_declares_entities_is_refused(tmp_path: Path) -> None:
    """A billion laughs are no diffraction pattern."""
    path = tmp_path / "a.xrdml"
    path.write_bytes(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]><xrdMeasurements>&a;</xrdMeasurements>')
    with pytest.raises(UnreadableError, match="entities"):
        Binary().extract(Candidate(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.dat", b""),
        ("a.dat", b"1 2\n3 4\n" * 100),
        ("a.dat", bytes(5000)),
        ("a.ibw", b"\x05\x00" + bytes(5000)),
        ("a.spe", bytes(9000)),
        ("a.spc", b"a text about spectra " * 100),
        ("a.raw", b"RAW data follow\n" * 50),
        ("a.zip", files.archive({"readme.txt": "hello"})),
        ("a.dat", np.random.default_rng(7).bytes(20_000)),
    ],
)
def test_what_is_of_no_known_family_is_declined(tmp_path: Path, name: str, content: bytes) -> None:
    """Unknown binaries stay unknown."""
    path = tmp_path / name
    path.write_bytes(content)
    assert Binary().claim(Candidate(path)) is None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(EVERY)),
    st.lists(st.tuples(st.integers(0, 600) | st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.integers(0, 200) | st.integers(0, 10**5),
)
def test_damaged_files_are_read_or_refused_with_a_sentence(
    tmp_path: Path, kind: str, damage: list[tuple[int, int]], cut: int
) -> None:
    """Flipped and missing bytes never raise anything but UnreadableError, and what comes out is JSON."""
    name, content = EVERY[kind]
    raw = bytearray(CONTENT.setdefault(kind, content()))
    for place, value in damage:
        raw[place % len(raw)] = value
    path = tmp_path / name
    path.write_bytes(raw[: max(1, len(raw) - cut)])
    if Binary().claim(Candidate(path)) is not None:
        try:
            found = Binary().extract(Candidate(path))
            json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
        except UnreadableError as error:
            assert str(error)  # noqa: PT017 both ends are right


CONTENT: dict[str, bytes] = {}
