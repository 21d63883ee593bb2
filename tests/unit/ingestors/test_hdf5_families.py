from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from ingestors.api import Candidate, Extraction, Quantity, jsonable
from ingestors.hdf5 import HDF5
from tests.fakes import hdf5_files as files

if TYPE_CHECKING:
    from pathlib import Path

FACTS: dict[str, dict[str, Any]] = {
    "arpes": {
        "dataset_name": "Gamma-K cut", "measurement": "Angle-resolved photoemission spectroscopy", "data_type": "NXarpes",
        "instrument_name": "I05 ARPES", "timestamp": "2021-05-04T13:37:00+02:00", "owner_orcid": "0000-0002-1825-0097", "samples": ["Bi2Se3"],
    },
    "old_xas": {"dataset_name": "Fe foil", "measurement": "X-ray absorption spectroscopy", "timestamp": "2014-02-13T08:05:06"},
    "oldest": {"dataset_name": "oldest", "data_type": "NeXus"},
    "cansas": {
        "dataset_name": "glassy carbon", "measurement": "Small-angle neutron scattering", "data_type": "NXcanSAS",
        "instrument_name": "EQ-SANS", "timestamp": "2020-02-02T02:02:02+00:00", "samples": ["GC-1"],
    },
    "bliss": {
        "dataset_name": "bliss", "instrument_name": "ESRF-ID11", "timestamp": "2022-11-08T10:01:00.123456+01:00", "samples": ["S12 CeO2"],
    },
    "eiger": {"dataset_name": "eiger", "measurement": "Macromolecular crystallography", "timestamp": "2020-06-12T18:55:01.123456", "thumbnails": 0},
    "velox": {
        "measurement": "Scanning transmission electron microscopy", "data_type": "Velox EMD", "instrument_name": "Talos F200X",
        "timestamp": "2017-12-07T10:41:02+00:00", "samples": ["Au on carbon"],
    },
    "emd": {"data_type": "EMD", "instrument_name": "TEAM 0.5", "samples": ["SrTiO3 lamella"]},
    "py4dstem": {"data_type": "EMD", "measurement": "4D-STEM", "thumbnails": 2},
    "data_exchange": {
        "measurement": "X-ray tomography", "data_type": "Data Exchange", "instrument_name": "2-BM", "timestamp": "2019-07-18T22:11:33-05:00",
        "samples": ["basalt core 3"],
    },
    "cxi": {
        "dataset_name": "lysozyme at 9 keV", "measurement": "Coherent X-ray diffraction imaging", "instrument_name": "CXI",
        "timestamp": "2013-03-01T10:20:30+01:00", "samples": ["lysozyme"],
    },
    "matlab": {"dataset_name": "gate sweep", "data_type": "MATLAB 7.3 file", "samples": ["wafer 7"]},
    "igor": {"data_type": "Igor HDF5", "instrument_name": "SIS ULTRA", "timestamp": "2015-11-16T16:24:02", "samples": ["Au(111)"]},
    "hyperspy": {
        "dataset_name": "interface", "measurement": "Electron energy-loss spectroscopy", "instrument_name": "Titan",
        "timestamp": "2018-04-05T11:22:33",
    },
    "imaris": {"dataset_name": "embryo 4", "measurement": "Light microscopy", "timestamp": "2017-10-11T12:13:14"},
    "ergo": {"measurement": "Atomic force microscopy"},
    "labber": {"dataset_name": "qubit spectroscopy", "data_type": "Labber log", "timestamp": "2017-03-15T09:50:15.050000+00:00"},
    "netcdf": {"dataset_name": "charge map", "data_type": "QCoDeS netCDF", "timestamp": "2023-08-15T09:41:07", "samples": ["dot array B"]},
    "usid": {"measurement": "BEPS", "instrument_name": "Cypher", "timestamp": "2018-06-29T13:31:31", "samples": ["PZT film"], "thumbnails": 2},
    "european_xfel": {"data_type": "European XFEL run", "timestamp": "2020-01-01T12:00:00+00:00"},
    "damnit": {"data_type": "DAMNIT results"},
    "table": {"instrument_name": "furnace 2", "timestamp": "2024-02-29T23:59:59+09:00", "samples": ["Al2O3"]},
    "named_columns": {"measurement": "SQUID magnetometry", "timestamp": "2022-01-02T03:04:05", "samples": ["NiO"]},
    "home_made": {"dataset_name": "reflectance of mirror 3", "timestamp": "2023-11-14T22:13:20.250000+00:00"},
    "edges": {},
    "mantid": {"dataset_name": "Vanadium rod", "instrument_name": "POLARIS", "samples": ["V rod"]},
    "isis": {
        "dataset_name": "NaCl 10 K",
        "measurement": "Neutron time-of-flight scattering",
        "instrument_name": "WISH",
        "timestamp": "2019-11-12T13:14:15",
    },
    "pyfai": {"dataset_name": "ramp to 900 C", "timestamp": "2021-01-02T03:04:05+01:00"},
    "stxm": {"measurement": "Scanning transmission X-ray microscopy", "dataset_name": "carbon K edge", "timestamp": "2018-01-01T10:00:00+01:00"},
    "raman": {"measurement": "Raman", "instrument_name": "LabRAM", "timestamp": "2022-03-04T15:16:17", "samples": ["MoS2"]},
    "nothing": {"thumbnails": 0},
}  # fmt: skip


def extracted(path: Path) -> Extraction:
    """The extraction, whose metadata are JSON."""
    found = HDF5().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def made(tmp_path: Path, name: str) -> Extraction:
    """The extraction of one of the fake files."""
    return extracted(files.write(tmp_path / f"{name}.h5", getattr(files, name)))


@pytest.mark.parametrize("name", sorted(FACTS))
def test_well_known_structures_tell_name_time_instrument_sample_and_draw_their_data(tmp_path: Path, name: str) -> None:
    """What a person who knows the format would read in the file is in the attributes, and there is a picture of the data."""
    facts, found = FACTS[name], made(tmp_path, name)
    expected = {key: value for key, value in facts.items() if key not in {"samples", "thumbnails"}}
    assert {key: found.attributes.get(key) for key in expected} == expected
    assert found.attributes["dataset_name"] == facts.get("dataset_name", name)
    assert [sample.name for sample in found.samples] == facts.get("samples", [])
    assert len(found.thumbnails) == facts.get("thumbnails", 1)
    assert "timestamp" in facts or "timestamp" not in found.attributes


def test_axes_of_a_signal_are_told_with_their_units_and_ranges(tmp_path: Path) -> None:
    """NXdata, dimension scales and EMD's dimensions all end in the same words."""
    for name, path, axes in (
        ("arpes", "/entry/data/counts", [("angles", "deg", -15.0, 15.0), ("energies", "eV", 75.0, 76.0)]),
        ("old_xas", "/entry1/data/absorbed_beam", [("energy", "eV", 7000.0, 7300.0)]),
        ("oldest", "/entry1/bank1/counts", [("polar_angle", "degree", 10.0, 20.0), ("time_of_flight", "microsecond", 0.0, 30000.0)]),
        ("netcdf", "/current", [("gate_x", "V", -1.0, 1.0), ("gate_y", "V", -2.0, 2.0)]),
        ("emd", "/data/HAADF/data", [("y", "nm", 0.0, 19.5), ("x", "nm", 0.0, 29.5)]),
        ("igor", "/wave0", [("x", "eV", 20.0, 24.9), ("y", "deg", -10.0, 9.5)]),
        ("hyperspy", "/Experiments/EELS map/data", [("y", "nm", 0.0, 18.0), ("x", "nm", 0.0, 22.0), ("Energy loss", "eV", 400.0, 499.5)]),
    ):  # fmt: skip
        told = made(tmp_path, name).scientific_metadata["datasets"][path]["axes"]
        assert [(axis["name"], axis["unit"]) for axis in told] == [axis[:2] for axis in axes]
        assert [value for axis in told for value in (axis["min"], axis["max"])] == pytest.approx(
            [value for axis in axes for value in axis[2:]]
        )


def test_ranges_of_the_data_are_told_without_nan(tmp_path: Path) -> None:
    """The least and the greatest value are what a person looks for first."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.array([3.5, np.nan, -2.0, np.inf])
        file["n"] = np.array([7, 9], dtype=np.uint8)
        file["nan"] = np.full(4, np.nan)
    told = extracted(path).scientific_metadata["datasets"]
    assert (told["/x"]["min"], told["/x"]["max"]) == (-2.0, 3.5)
    assert (told["/n"]["min"], told["/n"]["max"]) == (7, 9)
    assert "min" not in told["/nan"]


def test_tables_are_described_as_those_of_text_files(tmp_path: Path) -> None:
    """Compound datasets and planes with named columns give rows, names, units and ranges."""
    columns = made(tmp_path, "table").scientific_metadata["table"]["columns"]
    assert [(column["name"], column["unit"]) for column in columns] == [
        ("time", "s"),
        ("pressure", "mbar"),
        ("valve", None),
    ]
    table = made(tmp_path, "named_columns").scientific_metadata["table"]
    assert table["rows"] == 19
    assert [(column["name"], column["unit"], column["max"]) for column in table["columns"]] == [
        ("Field", "T", 9.0),
        ("Moment", "emu", 16.0),
    ]
    log = made(tmp_path, "labber").scientific_metadata["table"]
    assert log["rows"] == 510
    assert log["columns"][0] == {"name": "Frequency", "unit": "Hz", "min": 4e9, "max": 5e9}


def test_what_formats_fix_is_told_with_its_unit(tmp_path: Path) -> None:
    """CXI writes no units because it fixes them; Velox hides numbers in JSON; MATLAB hides text in numbers."""
    assert made(tmp_path, "cxi").scientific_metadata["setup"]["photon energy"].value == pytest.approx(9000.0)
    assert made(tmp_path, "velox").scientific_metadata["microscope"]["acceleration voltage"] == Quantity(200000.0, "V")
    setup = made(tmp_path, "matlab").scientific_metadata["variables"]["setup"]
    assert setup == {"temperature": 4.2, "sample": "wafer 7", "on": True}
    assert made(tmp_path, "european_xfel").scientific_metadata["european_xfel"] == {"proposal": 2112, "run": 5}
    assert made(tmp_path, "igor").scientific_metadata["note"]["Sample"] == "Au(111)"
    assert made(tmp_path, "home_made").scientific_metadata["config"] == {"lamp": {"power": 35, "unit": "W"}}


def test_every_scan_of_a_file_with_several_entries_is_listed(tmp_path: Path) -> None:
    """The dataset is the file; its scans are named with their commands and times."""
    entries = made(tmp_path, "bliss").scientific_metadata["entries"]
    assert [(entry["entry"], entry["title"]) for entry in entries] == [
        ("1.1", "ascan mu 0 1 10 0.1"),
        ("2.1", "loopscan 10 0.1"),
    ]


def test_matlab_says_when_it_wrote_the_file_in_the_user_block(tmp_path: Path) -> None:
    """The time is the file's, which a warning says."""
    path = files.write(tmp_path / "a.mat", files.matlab, userblock_size=512)
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Fri Oct  2 11:12:13 2020 HDF5 schema 1.00 ."
    path.write_bytes(head + path.read_bytes()[len(head) :])
    found = extracted(path)
    assert found.attributes["timestamp"] == "2020-10-02T11:12:13"
    assert any("when MATLAB wrote the file" in warning for warning in found.warnings)


def test_a_file_without_any_value_says_so(tmp_path: Path) -> None:
    """An aborted measurement leaves datasets of length 0: a warning, not a failure."""
    assert any("no data" in warning for warning in made(tmp_path, "nothing").warnings)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_known_structure_with_odd_contents_is_still_a_tree(tmp_path: Path, name: str) -> None:
    """Recognised by a name, but every number is text and every group may be a dataset: nothing is raised."""
    whole, path = files.write(tmp_path / "whole.h5", getattr(files, name)), tmp_path / f"{name}.h5"
    with h5py.File(whole) as source, h5py.File(path, "w") as target:
        target.attrs.update(dict(source.attrs))

        def spoiled(place: str, thing: h5py.Group | h5py.Dataset) -> None:
            if isinstance(thing, h5py.Dataset):
                here = target.create_dataset(place, data=np.array([b"odd", b"text"], dtype="S4"))
            else:
                here = target.require_group(place)
            for key in thing.attrs:
                if (
                    key not in {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"}
                    and "_Indices" not in key
                    and "_Values" not in key
                ):
                    here.attrs[key] = thing.attrs[key]

        source.visititems(spoiled)
    assert extracted(path).attributes["dataset_name"]


def test_what_is_private_stays_out_of_the_metadata(tmp_path: Path) -> None:
    """Users' names in paths, accounts in addresses and passwords are not for a catalog; the rest of them stays."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["save_dir"] = r"C:\Users\Jane Doe\data\run 7"
        file.attrs["folder"] = "/home/jdoe/data/run 7"
        file.attrs["origin"] = "https://jdoe:secret@git.example.org/lab.git"
        file.attrs["api_key"] = "c0ffee"
        file["config"] = json.dumps({"password": "hunter2", "public": "C:/Users/Public/data"})
    found = extracted(path).scientific_metadata
    assert found["save_dir"] == r"C:\Users\…\data\run 7"
    assert found["folder"] == "/home/…/data/run 7"
    assert found["origin"] == "https://git.example.org/lab.git"
    assert (found["api_key"], found["config"]) == ("…", {"password": "…", "public": "C:/Users/Public/data"})
