"""What real HDF5 files of makers and facilities do, in small files of the same layout."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingestors.api import Candidate, Extraction
from ingestors.hdf5 import HDF5
from ingestors.hdf5.told import drawn_or_none

if TYPE_CHECKING:
    from pathlib import Path


def extracted(path: Path) -> Extraction:
    """What labferry reads in the file."""
    return HDF5().extract(Candidate(path))


def usid(
    file: h5py.File, path: str, quantity: str, unit: str, values: np.ndarray, places: int, axis: np.ndarray
) -> None:
    """A main dataset that finds its positions by their names, as PTIR Studio's do."""
    channel = file.create_group(path)
    measurement = channel.parent
    main = channel.create_dataset("Raw_Data", data=values)
    main.attrs["quantity"], main.attrs["units"] = quantity, unit
    for kind, table, labels, units in (
        ("Position", np.array([[i, 0.0] for i in range(places)]), "XY", "um"),
        ("Spectroscopic", axis.reshape(1, -1), "Wavenumber", "cm-1"),
    ):
        for ending in ("Indices", "Values"):
            made = measurement.create_dataset(f"{kind}_{ending}", data=table)
            made.attrs["labels"], made.attrs["units"] = labels, units
            main.attrs[f"{kind}_{ending}"] = "none"


def test_an_ebsd_map_tells_its_grid_its_voltage_and_its_phases(tmp_path: Path) -> None:
    """Oxford's H5OINA: values are datasets of length 1 with the unit in no attribute that is always there."""
    path = tmp_path / "weld.h5oina"
    with h5py.File(path, "w") as file:
        file["Manufacturer"] = np.array([b"Oxford Instruments"])
        header = file.create_group("1/EBSD/Header")
        header["Beam Voltage"] = np.array([17.5])
        header["X Cells"], header["Y Cells"] = np.array([7]), np.array([4])
        header["X Step"], header["Y Step"] = np.array([0.25]), np.array([0.25])
        header["Acquisition Date"] = np.array([b"2023-04-05T06:07:08"])
        header["Specimen Label"] = np.array([b"weld 3"])
        header["Phases/1/Phase Name"] = np.array([b"Ferrite"])
        header["Phases/2/Phase Name"] = np.array([b"Austenite"])
        file["1/EBSD/Data/Band Contrast"] = np.arange(28, dtype=np.uint8)
    found = extracted(path)
    assert found.attributes["measurement"] == "Electron backscatter diffraction"
    assert found.attributes["instrument_name"] == "Oxford Instruments"
    assert found.attributes["timestamp"] == "2023-04-05T06:07:08"
    assert [sample.name for sample in found.samples] == ["weld 3"]
    told = found.scientific_metadata["ebsd"]
    assert (told["columns"], told["rows"]) == (7, 4)
    assert (told["beam voltage"].value, told["beam voltage"].unit) == (17.5, "kV")
    assert told["phases"] == ["Ferrite", "Austenite"]
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["Band Contrast"]


def test_photothermal_spectra_come_before_their_background(tmp_path: Path) -> None:
    """The background is measured first; its picture must not stand for the file. `um` is one unit, `XY` are two labels."""
    path = tmp_path / "bead.ptir"
    axis = np.linspace(900.0, 1800.0, 40)
    with h5py.File(path, "w") as file:
        file.attrs["SoftwareVersion"] = "PTIR Studio 4.5"
        usid(file, "Measurement_000/Channel_000", "Background power", "mW", np.ones((1, 40)), 1, axis)
        file["Measurement_000"].attrs["IsBackground"] = np.array([1])
        usid(file, "Measurement_001/Channel_000", "O-PTIR", "mV", np.ones((1, 40)), 1, axis)
        file["Measurement_001"].attrs["IsBackground"] = np.array([0])
        file.attrs["timestamp"] = "2022_03_04-05_06_07"
    found = extracted(path)
    assert found.attributes["measurement"] == "Optical photothermal infrared spectroscopy"
    assert found.attributes["timestamp"] == "2022-03-04T05:06:07"
    dimensions = found.scientific_metadata["dimensions"]
    assert next(iter(dimensions)) == "/Measurement_001/Channel_000/Raw_Data"
    x, y, spectral = dimensions["/Measurement_001/Channel_000/Raw_Data"]
    assert (x["name"], x["unit"], y["name"], y["unit"]) == ("X", "um", "Y", "um")
    assert (spectral["min"], spectral["max"], spectral["unit"]) == (900.0, 1800.0, "cm-1")


def nexus(path: Path, **texts: str) -> h5py.File:
    """An open file with one entry that holds these texts."""
    file = h5py.File(path, "w")
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    for name, text in texts.items():
        entry[name] = text
    return file


def test_a_start_time_without_a_date_gives_way_to_the_time_of_the_file(tmp_path: Path) -> None:
    """Instruments that write only the clock of the day as `start_time`."""
    path = tmp_path / "scan.nxs"
    with nexus(path, start_time="14:07:31", title="oxide") as file:
        file.attrs["file_time"] = "2021-02-03T15:00:00+01:00"
    found = extracted(path)
    assert found.attributes["timestamp"] == "2021-02-03T15:00:00+01:00"
    assert any("start_time with a date" in warning for warning in found.warnings)


def test_a_field_of_a_template_that_nobody_filled_names_nothing(tmp_path: Path) -> None:
    """`{title of the scan}` and a sample called `{sample name}`."""
    path = tmp_path / "night 4.nxs"
    with nexus(path, title="{title of the scan}", start_time="2020-01-02T03:04:05Z") as file:
        sample = file.create_group("entry/sample")
        sample.attrs["NX_class"] = "NXsample"
        sample["name"] = "{sample name}"
    found = extracted(path)
    assert found.attributes["dataset_name"] == "night 4"
    assert found.samples == []


@pytest.mark.parametrize("shape", [(1, 30), (1, 30, 1), (1, 12, 1, 15)])
def test_data_with_dimensions_of_length_one_are_drawn(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A line or a map in a stack of one: detectors with one frame, scans of one row."""
    path = tmp_path / "thin.nxs"
    with nexus(path, start_time="2020-01-02T03:04:05Z") as file:
        file["entry"].attrs["default"] = "data"
        data = file.create_group("entry/data")
        data.attrs["NX_class"], data.attrs["signal"] = "NXdata", "counts"
        data["counts"] = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    assert len(extracted(path).thumbnails) == 1


def test_waves_that_igor_put_into_a_nexus_file_leave_it_nexus(tmp_path: Path) -> None:
    """Irena and Nika write NXcanSAS with Igor's attributes on each array."""
    path = tmp_path / "reduced.nxs"
    with nexus(path, title="silica in water", definition="NXcanSAS") as file:
        wave = file.create_dataset("entry/q", data=np.linspace(0.01, 0.3, 9))
        wave.attrs["IGORWaveScaling"] = np.array([[0.0, 0.0], [1.0, 0.0]])
    found = extracted(path)
    assert found.attributes["dataset_name"] == "silica in water"
    assert found.attributes["data_type"] == "NXcanSAS"


@pytest.mark.parametrize(
    ("clock", "began"),
    [("datetime.time(7, 5)", "2016-03-09T07:05:00"), ("datetime.time(7, 5, 41)", "2016-03-09T07:05:41")],
)
def test_days_of_old_hyperspy_are_read(tmp_path: Path, clock: str, began: str) -> None:
    """Before version 1.3 it wrote what Python shows of a date."""
    path = tmp_path / "old.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        general = file.create_group("Experiments/edge/metadata/General")
        general.attrs["_datetime_date"], general.attrs["_datetime_time"] = "datetime.date(2016, 3, 9)", clock
        file["Experiments/edge/data"] = np.arange(9.0)
    assert extracted(path).attributes["timestamp"] == began


def test_a_drawing_that_stumbles_is_no_drawing() -> None:
    """Whatever a library raises on values that nobody checked; but not the wish to stop."""

    def stumbles(error: BaseException) -> str:
        raise error

    assert drawn_or_none(lambda: "drawn") == "drawn"
    for error in (ValueError("shape"), RuntimeError("filter"), MemoryError(), RecursionError(), ZeroDivisionError()):
        assert drawn_or_none(partial(stumbles, error)) is None
    with pytest.raises(KeyboardInterrupt):
        drawn_or_none(partial(stumbles, KeyboardInterrupt()))
