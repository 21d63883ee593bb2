"""HDF5 files in the forms of well-known programs, made with h5py alone and named by what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

RNG = np.random.default_rng(11)


def write(path: Path, make: Callable[[h5py.File], None], **options: Any) -> Path:
    """Write one file and return its path."""
    with h5py.File(path, "w", **options) as file:
        make(file)
    return path


def group(where: h5py.Group, path: str, **attributes: Any) -> h5py.Group:
    """A group with attributes."""
    found = where.require_group(path)
    for name, value in attributes.items():
        found.attrs[name] = value
    return found


def data(where: h5py.Group, path: str, values: Any, **attributes: Any) -> h5py.Dataset:
    """A dataset with attributes."""
    found = where.create_dataset(path, data=values)
    for name, value in attributes.items():
        found.attrs[name] = value
    return found


def blob(rows: int, columns: int, width: float = 8.0) -> NDArray[np.float64]:
    """A bright spot in the middle."""
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(np.exp(-((x - columns / 2) ** 2 + (y - rows / 2) ** 2) / 2 / width**2))


def peak(x: NDArray[Any], centre: float, width: float) -> NDArray[np.float64]:
    """A line with one peak on a background."""
    return np.asarray(1000 * np.exp(-(((x - centre) / width) ** 2)) + 20)


def arpes(file: h5py.File) -> None:
    """NXarpes with a map over angle and energy, `@default` from the root on."""
    file.attrs["default"] = "entry"
    entry = group(file, "entry", NX_class="NXentry", default="data")
    data(entry, "title", "Gamma-K cut")
    data(entry, "start_time", "2021-05-04T13:37:00+02:00")
    data(entry, "definition", "NXarpes")
    data(group(entry, "sample", NX_class="NXsample"), "name", "Bi2Se3")
    data(entry, "sample/temperature", 11.5, units="K")
    data(group(entry, "instrument", NX_class="NXinstrument"), "name", "I05 ARPES")
    data(group(entry, "instrument/monochromator", NX_class="NXmonochromator"), "energy", 80.0, units="eV")
    user = group(entry, "user", NX_class="NXuser")
    data(user, "name", "J. Doe")
    data(user, "ORCID", "https://orcid.org/0000-0002-1825-0097")
    plot = group(entry, "data", NX_class="NXdata", signal="counts", axes=["angles", "energies"])
    data(plot, "counts", (1000 * blob(60, 90)).astype(np.uint32), long_name="photoelectrons")
    data(plot, "angles", np.linspace(-15, 15, 60), units="deg")
    data(plot, "energies", np.linspace(75.0, 76.0, 90), units="eV")


def old_xas(file: h5py.File) -> None:
    """NXxas in the old form: `signal=1` on the dataset, axes as a colon string."""
    entry = group(file, "entry1", NX_class="NXentry")
    data(entry, "title", np.bytes_("Fe foil"))
    data(entry, "start_time", np.bytes_("2014-02-13 08:05:06"))
    data(entry, "definition", np.bytes_("NXxas"))
    plot = group(entry, "data", NX_class="NXdata")
    energy = np.linspace(7000, 7300, 301)
    data(plot, "absorbed_beam", 1 / (1 + np.exp(-(energy - 7112))), signal=1, axes="energy")
    data(plot, "energy", energy, units="eV", axis=1)


def oldest(file: h5py.File) -> None:
    """The oldest form: `axis` counts the dimensions, `primary` chooses among several."""
    entry = group(file, "entry1", NX_class="NXentry")
    plot = group(entry, "bank1", NX_class="NXdata")
    data(plot, "counts", (100 * blob(20, 30)).astype(np.int32), signal=1)
    data(plot, "polar_angle", np.linspace(10, 20, 20), axis=1, primary=1, units="degree")
    data(plot, "detector_number", np.arange(20), axis=1)
    data(plot, "time_of_flight", np.linspace(0, 30000, 30), axis=2, units="microsecond")


def cansas(file: h5py.File) -> None:
    """NXcanSAS as sasview and Mantid write it today."""
    entry = group(file, "sasentry", NX_class="NXentry", canSAS_class="SASentry", version="1.1", default="sasdata")
    data(entry, "definition", "NXcanSAS")
    data(entry, "title", "glassy carbon")
    data(entry, "run", "run 17")
    q = np.logspace(-3, 0, 80)
    plot = group(
        entry,
        "sasdata",
        NX_class="NXdata",
        canSAS_class="SASdata",
        signal="I",
        I_axes="Q",
        Q_indices=0,
        timestamp="2020-02-02T02:02:02Z",
    )
    data(plot, "Q", q, units="1/angstrom")
    data(plot, "I", 1e3 / (1 + (q * 80) ** 4) + 0.1, units="1/cm", uncertainties="Idev")
    data(plot, "Idev", 0.01 + 0 * q, units="1/cm")
    data(group(entry, "sasinstrument", canSAS_class="SASinstrument", NX_class="NXinstrument"), "name", "EQ-SANS")
    data(
        group(entry, "sasinstrument/sassource", canSAS_class="SASsource", NX_class="NXsource"),
        "radiation",
        "Spallation Neutron Source",
    )
    data(group(entry, "sassample", canSAS_class="SASsample", NX_class="NXsample"), "name", "GC-1")


def bliss(file: h5py.File) -> None:
    """Two scans of ESRF's BLISS: SPEC in HDF5, counters in `measurement`, default plots in `plotselect`."""
    file.attrs["NX_class"], file.attrs["creator"] = "NXroot", "Bliss"
    file.attrs["file_time"] = "2022-11-08T10:00:00.000000+01:00"
    for number, command in ((1, "ascan mu 0 1 10 0.1"), (2, "loopscan 10 0.1")):
        entry = group(file, f"{number}.1", NX_class="NXentry")
        data(entry, "title", command)
        data(entry, "start_time", f"2022-11-08T10:0{number}:00.123456+01:00")
        data(entry, "end_time", f"2022-11-08T10:0{number}:30.123456+01:00")
        data(group(entry, "instrument", NX_class="NXinstrument"), "title", "ESRF-ID11")
        data(group(entry, "sample", NX_class="NXsample"), "name", "S12 CeO2")
        held = group(entry, "measurement", NX_class="NXcollection")
        data(held, "mu", np.linspace(0, 1, 11), units="degree")
        data(held, "diode", peak(np.linspace(0, 1, 11), 0.5, 0.1))
        data(held, "elapsed_time", np.linspace(0, 3, 11), units="s")


def eiger(file: h5py.File) -> None:
    """A DECTRIS master file whose images lie in files beside it, which are not there."""
    entry = group(file, "entry", NX_class="NXentry")
    data(entry, "definition", "NXmx")
    detector = group(entry, "instrument/detector", NX_class="NXdetector")
    entry["instrument"].attrs["NX_class"] = "NXinstrument"
    data(detector, "description", "Dectris EIGER2 Si 9M")
    data(detector, "x_pixel_size", 7.5e-5, units="m")
    data(detector, "count_time", 0.1, units="s")
    data(detector, "detectorSpecific/data_collection_date", "2020-06-12T18:55:01.123456")
    data(group(entry, "instrument/beam", NX_class="NXbeam"), "incident_wavelength", 1.0332, units="angstrom")
    held = group(entry, "data", NX_class="NXdata")
    held["data_000001"] = h5py.ExternalLink("scan_data_000001.h5", "entry/data/data")


def velox(file: h5py.File) -> None:
    """A STEM image of Velox: JSON in a column of bytes."""
    file["Version"] = json.dumps({"format": "Velox", "version": "1.10"})
    told = {
        "Instrument": {"InstrumentModel": "Talos F200X", "InstrumentId": "3876", "Manufacturer": "FEI Company"},
        "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1512643262"}},
        "Optics": {
            "AccelerationVoltage": "200000",
            "CameraLength": "0.098",
            "OperatingMode": "2",
            "IlluminationMode": "2",
        },
        "Scan": {"DwellTime": "1.1999999999999999e-06"},
        "BinaryResult": {"PixelSize": {"width": "2e-10", "height": "2e-10"}, "PixelUnitX": "m", "Detector": "HAADF"},
        "Sample": {"SampleId": "", "SampleDescription": "Au on carbon"},
    }
    one = group(file, "Data/Image/d6e5a1")
    text = np.zeros((6000, 1), dtype=np.uint8)
    raw = json.dumps(told).encode()
    text[: len(raw), 0] = list(raw)
    data(one, "Metadata", text)
    data(one, "Data", (4000 * blob(64, 64)[..., None]).astype(np.uint16))
    group(file, "Experiment")


def emd(file: h5py.File) -> None:
    """An image in Berkeley's EMD 0.2, dimensions with bracketed units."""
    file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
    held = group(file, "data/HAADF", emd_group_type=1)
    data(held, "data", (4000 * blob(40, 60)).astype(np.float32))
    data(held, "dim1", np.arange(40) * 0.5, name="y", units="[n_m]")
    data(held, "dim2", np.arange(60) * 0.5, name="x", units="[n_m]")
    group(file, "microscope", name="TEAM 0.5", **{"acceleration voltage": 300.0, "acceleration voltage_unit": "kV"})
    group(file, "sample", name="SrTiO3 lamella")
    group(file, "user", name="J. Doe", institution="NCEM")
    group(file, "comments", **{"2019-03-01 11:12:13": "file created"})


def py4dstem(file: h5py.File) -> None:
    """A 4D-STEM scan of py4DSTEM, EMD 1.0."""
    file.attrs["emd_group_type"], file.attrs["version_major"], file.attrs["authoring_program"] = "file", 1, "py4DSTEM"
    root = group(file, "datacube_root", emd_group_type="root", python_class="Root")
    cube = group(root, "datacube", emd_group_type="array", python_class="DataCube")
    data(
        cube,
        "data",
        RNG.poisson(100 * blob(24, 24, 3)[None, None] * (1 + blob(6, 8, 2))[..., None, None]).astype(np.uint16),
        units="counts",
    )
    for number, (name, size, unit) in enumerate(
        (("Rx", 6, "nm"), ("Ry", 8, "nm"), ("Qx", 24, "A^-1"), ("Qy", 24, "A^-1"))
    ):
        data(cube, f"dim{number}", np.arange(size) * 0.5, name=name, units=unit)


def data_exchange(file: h5py.File) -> None:
    """A tomogram of the Advanced Photon Source."""
    file["implements"] = "exchange:measurement:process"
    data(
        file,
        "exchange/data",
        (1000 * (1 - 0.5 * blob(40, 60))[None].repeat(5, 0)).astype(np.uint16),
        units="counts",
        axes="theta:y:x",
    )
    data(file, "exchange/data_white", np.full((2, 40, 60), 1000, dtype=np.uint16))
    data(file, "exchange/data_dark", np.zeros((2, 40, 60), dtype=np.uint16))
    data(file, "exchange/theta", np.linspace(0, 180, 5), units="degrees")
    data(file, "measurement/instrument/name", "2-BM")
    data(file, "measurement/instrument/monochromator/energy", 27.4, units="keV")
    data(file, "measurement/sample/name", "basalt core 3")
    data(file, "process/acquisition/start_date", "2019-07-18T22:11:33-0500")


def cxi(file: h5py.File) -> None:
    """Diffraction patterns in CXI, SI units without units in the file."""
    file["cxi_version"] = 140
    data(file, "entry_1/title", "lysozyme at 9 keV")
    data(file, "entry_1/start_time", "2013-03-01T10:20:30+0100")
    data(file, "entry_1/sample_1/name", "lysozyme")
    data(file, "entry_1/instrument_1/name", "CXI")
    data(file, "entry_1/instrument_1/source_1/energy", 1.4419588706e-15)
    data(file, "entry_1/instrument_1/detector_1/distance", 0.15)
    data(file, "entry_1/data_1/data", RNG.poisson(50 * blob(40, 40), (3, 40, 40)).astype(np.uint16))


def matlab(file: h5py.File) -> None:
    """Variables as MATLAB saves them: text as code units, dimensions reversed, a struct as a group."""
    data(
        file,
        "title",
        np.array([[ord(letter)] for letter in "gate sweep"], dtype=np.uint16),
        MATLAB_class=np.bytes_("char"),
    )
    data(file, "V", np.linspace(-1, 1, 201)[:, None], MATLAB_class=np.bytes_("double"))
    data(file, "I", (1e-6 * np.linspace(-1, 1, 201) ** 3)[:, None], MATLAB_class=np.bytes_("double"))
    device = group(file, "setup", MATLAB_class=np.bytes_("struct"))
    data(device, "temperature", np.array([[4.2]]), MATLAB_class=np.bytes_("double"))
    data(
        device,
        "sample",
        np.array([[ord(letter)] for letter in "wafer 7"], dtype=np.uint16),
        MATLAB_class=np.bytes_("char"),
    )
    data(device, "on", np.array([[1]], dtype=np.uint8), MATLAB_class=np.bytes_("logical"))


def igor(file: h5py.File) -> None:
    """A wave of Igor Pro with its scaling, units and note."""
    data(
        file,
        "wave0",
        (100 * blob(50, 40)).astype(np.float32),
        IGORWaveType=2,
        IGORWaveScaling=np.array([[0.0, 0.0], [0.1, 20.0], [0.5, -10.0]]),
        IGORWaveUnits=["counts", "eV", "deg"],
        IGORWaveNote="Sample=Au(111)\rDate=2015-11-16\rTime=16:24:02\rInstrument=SIS ULTRA",
    )


def hyperspy(file: h5py.File) -> None:
    """A map of spectra in HyperSpy's form."""
    file.attrs["file_format"], file.attrs["file_format_version"] = "HyperSpy", "3.3"
    one = group(file, "Experiments/EELS map")
    energy = np.arange(200) * 0.5 + 400
    data(one, "data", (peak(energy, 450, 10)[None, None] * (0.2 + blob(10, 12, 3))[..., None]).astype(np.float32))
    for number, (name, unit, scale, offset, navigates) in enumerate(
        (("y", "nm", 2.0, 0.0, True), ("x", "nm", 2.0, 0.0, True), ("Energy loss", "eV", 0.5, 400.0, False))
    ):
        group(
            one,
            f"axis-{number}",
            name=name,
            units=unit,
            scale=scale,
            offset=offset,
            size=one["data"].shape[number],
            navigate=navigates,
        )
    group(one, "metadata/General", title="interface", date="2018-04-05", time="11:22:33")
    group(one, "metadata/Signal", signal_type="EELS")
    group(one, "metadata/Acquisition_instrument/TEM", microscope="Titan", beam_energy=300.0)


def imaris(file: h5py.File) -> None:
    """Two channels of a light microscope in Imaris' form: attributes are arrays of characters."""

    def characters(text: str) -> NDArray[np.bytes_]:
        return np.array([letter.encode() for letter in text], dtype="S1")

    told = {
        "X": "64",
        "Y": "48",
        "Z": "3",
        "Unit": "um",
        "ExtMin0": "0",
        "ExtMax0": "32",
        "ExtMin1": "0",
        "ExtMax1": "24",
    }
    told |= {"ExtMin2": "0", "ExtMax2": "6", "RecordingDate": "2017-10-11 12:13:14.000", "Name": "embryo 4"}
    group(file, "DataSetInfo/Image", **{name: characters(text) for name, text in told.items()})
    for channel, name in enumerate(("DAPI", "GFP")):
        group(file, f"DataSetInfo/Channel {channel}", Name=characters(name))
        data(
            file,
            f"DataSet/ResolutionLevel 0/TimePoint 0/Channel {channel}/Data",
            (255 * blob(48, 64)[None].repeat(3, 0)).astype(np.uint8),
        )


def ergo(file: h5py.File) -> None:
    """A height image of an Ergo AFM."""
    group(
        file, "DataSetInfo/Global/Channels/Height/ImageDims", DataUnits="m", DimUnits=["m", "m"], DimExtents=[32, 32],
        DimScaling=np.array([[0.0, 2e-6], [0.0, 2e-6]]),
    )  # fmt: skip
    data(file, "DataSet/Resolution 0/Frame 0/Height/Image", 1e-8 * blob(32, 32))


def labber(file: h5py.File) -> None:
    """A log of Labber: ten entries of a sweep."""
    file.attrs["log_name"], file.attrs["creation_time"], file.attrs["comment"] = (
        "qubit spectroscopy",
        1489571415.05,
        "after cool-down 3",
    )
    text = h5py.string_dtype()
    names = np.array(
        [("Frequency", ""), ("Power", ""), ("Transmission", "Real"), ("Transmission", "Imaginary")],
        dtype=[("name", text), ("info", text)],
    )
    file["Data/Channel names"] = names
    kind = [("name", text), ("instrument", text), ("quantity", text), ("unitPhys", text), ("unitInstr", text)]
    file["Channels"] = np.array(
        [
            ("Frequency", "VNA", "f", "Hz", "Hz"),
            ("Power", "VNA", "P", "dBm", "dBm"),
            ("Transmission", "VNA", "S21", "V", "V"),
        ],
        dtype=kind,
    )
    frequency = np.linspace(4e9, 5e9, 51)
    table = np.zeros((51, 4, 10))
    for entry in range(10):
        table[:, 0, entry], table[:, 1, entry] = frequency, -30 + entry
        table[:, 2, entry] = 1 - 0.8 / (1 + ((frequency - 4.5e9) / (2e7 * (entry + 1))) ** 2)
    file["Data/Data"] = table
    group(file, "Tags", Project="transmons", User="J. Doe", Tags=["qubit", "S21"])


def netcdf(file: h5py.File) -> None:
    """A QCoDeS run exported through xarray: dimension scales, units, a snapshot as JSON."""
    told: Mapping[str, Any] = {
        "_NCProperties": "version=2,h5netcdf=1.3.0", "ds_name": "results", "sample_name": "dot array B", "exp_name": "charge map",
        "run_timestamp": "2023-08-15 09:41:07", "snapshot": json.dumps({"station": {"instruments": {"dac": {"name": "dac"}}}}), "captured_run_id": 12,
    }  # fmt: skip
    for name, value in told.items():
        file.attrs[name] = value
    x = data(file, "gate_x", np.linspace(-1, 1, 30), units="V", long_name="Gate x")
    y = data(file, "gate_y", np.linspace(-2, 2, 20), units="V", long_name="Gate y")
    current = data(file, "current", 1e-9 * blob(30, 20), units="A", long_name="Current")
    for index, (axis, name) in enumerate(((x, "gate_x"), (y, "gate_y"))):
        axis.make_scale(name)
        current.dims[index].attach_scale(axis)


def usid(file: h5py.File) -> None:
    """Spectra on a grid in USID's form."""
    file.attrs["experiment_date"], file.attrs["sample_name"], file.attrs["instrument"] = (
        "2018-06-29 13:31:31",
        "PZT film",
        "Cypher",
    )
    file.attrs["data_type"] = "BEPS"
    channel = group(file, "Measurement_000/Channel_000")
    indices = np.array([(column, row) for row in range(6) for column in range(8)])
    bias = np.linspace(-5, 5, 40)
    main = data(
        channel,
        "Raw_Data",
        (peak(bias, 1, 1)[None] * (0.2 + blob(6, 8, 2).ravel()[:, None])).astype(np.float32),
        quantity="Amplitude",
        units="V",
    )
    parts = {
        "Position_Indices": indices,
        "Position_Values": indices * 0.1,
        "Spectroscopic_Indices": np.arange(40)[None],
        "Spectroscopic_Values": bias[None],
    }
    for name, values in parts.items():
        space = name.startswith("Position")
        part = data(
            channel, name, values, labels=["X", "Y"] if space else ["Bias"], units=["um", "um"] if space else ["V"]
        )
        main.attrs[name] = part.ref


def european_xfel(file: h5py.File) -> None:
    """A run of the European XFEL."""
    data(file, "METADATA/creationDate", [b"20200101T120000Z"])
    data(file, "METADATA/proposalNumber", [2112])
    data(file, "METADATA/runNumber", [5])
    data(file, "INDEX/trainId", np.arange(1000, 1040))
    data(file, "INSTRUMENT/SA1_XTD2_XGM/DOOCS/MAIN:output/data/intensityTD", RNG.random((40, 100)))


def damnit(file: h5py.File) -> None:
    """Results of DAMNIT for one run."""
    data(group(file, ".reduced"), "pulse_energy", 1.25, units="mJ", title="Pulse energy")
    data(file, "pulse_energy/data", RNG.random(400))


def table(file: h5py.File) -> None:
    """A compound dataset of PyTables with its units in an attribute."""
    rows = np.zeros(50, dtype=[("time", "f8"), ("pressure", "f4"), ("valve", "S4")])
    rows["time"], rows["pressure"], rows["valve"] = np.arange(50) * 2.0, np.linspace(1e-3, 1e-6, 50), b"open"
    data(file, "log/readings", rows, units=["s", "mbar", ""])
    file.attrs["start_time"], file.attrs["instrument"], file.attrs["sample"] = (
        "2024-02-29T23:59:59+09:00",
        "furnace 2",
        "Al2O3",
    )


def named_columns(file: h5py.File) -> None:
    """A plane whose columns are named by an attribute, and facts in a group called metadata."""
    data(
        file,
        "data",
        np.column_stack([np.linspace(0, 9, 19), np.linspace(3, 4, 19) ** 2]),
        columns=["Field (T)", "Moment (emu)"],
    )
    group(
        file,
        "metadata",
        sample="NiO",
        operator="J. Doe",
        date="2022-01-02 03:04:05",
        temperature=300.0,
        temperature_units="K",
        technique="SQUID magnetometry",
    )


def home_made(file: h5py.File) -> None:
    """What a laboratory's own script writes: arrays side by side, units as attributes, seconds since 1970."""
    file.attrs["timestamp"] = 1700000000.25
    file.attrs["title"] = "reflectance of mirror 3"
    file.attrs["config"] = json.dumps({"lamp": {"power": 35, "unit": "W"}})
    wavelength = np.linspace(400, 900, 501)
    data(file, "wavelength", wavelength, unit="nm")
    data(file, "reflectance", peak(wavelength, 650, 80) / 1020, unit="%")


def edges(file: h5py.File) -> None:
    """A histogram with the edges of its bins, one more than counts."""
    entry = group(file, "entry", NX_class="NXentry")
    plot = group(entry, "hist", NX_class="NXdata", signal="counts", axes="tof")
    data(plot, "counts", peak(np.linspace(0, 1, 100), 0.3, 0.1).astype(np.int64))
    data(plot, "tof", np.linspace(0, 20000, 101), units="us")


def nothing(file: h5py.File) -> None:
    """A file whose only dataset has no value."""
    file.create_dataset("detector/image", shape=(0, 512, 512), maxshape=(None, 512, 512), dtype="u2")


def mantid(file: h5py.File) -> None:
    """A processed workspace of Mantid: a few spectra over the edges of their bins, axes by commas."""
    entry = group(file, "mantid_workspace_1", NX_class="NXentry")
    data(entry, "title", "Vanadium rod")
    data(group(entry, "sample", NX_class="NXsample"), "name", "V rod")
    data(group(entry, "instrument", NX_class="NXinstrument"), "name", "POLARIS")
    held = group(entry, "workspace", NX_class="NXdata")
    spectra = peak(np.linspace(0, 1, 200), 0.5, 0.1)[None] * np.arange(1, 4)[:, None]
    data(held, "values", spectra, signal=1, axes="axis2,axis1", units="Counts")
    data(held, "axis1", np.linspace(0, 20000, 201), units="TOF")
    data(held, "axis2", np.arange(1.0, 4.0))


def isis(file: h5py.File) -> None:
    """A raw run of ISIS: three dimensions in a colon-less list, the beamline at the entry."""
    entry = group(file, "raw_data_1", NX_class="NXentry")
    for name, text in (
        ("title", "NaCl 10 K"),
        ("beamline", "WISH"),
        ("start_time", "2019-11-12T13:14:15"),
        ("definition", "TOFRAW"),
    ):
        data(entry, name, text)
    held = group(entry, "detector_1", NX_class="NXdata")
    data(held, "counts", RNG.poisson(3, (1, 50, 100)), signal=1, axes="period_index,spectrum_index,time_of_flight")
    data(held, "time_of_flight", np.linspace(100, 20000, 101), units="microsecond")


def pyfai(file: h5py.File) -> None:
    """A series integrated by pyFAI: the root's default leads past a process to the data."""
    file.attrs["default"] = "entry_0000/pyFAI/results"
    entry = group(file, "entry_0000", NX_class="NXentry")
    data(entry, "title", "ramp to 900 C")
    data(entry, "start_time", "2021-01-02T03:04:05+01:00")
    held = group(
        group(entry, "pyFAI", NX_class="NXprocess"), "results", NX_class="NXdata", signal="I", axes=[".", "tth"]
    )
    angle = np.linspace(1, 40, 300)
    data(held, "I", np.array([peak(angle, 20 + frame, 1) for frame in range(20)]), interpretation="spectrum")
    data(held, "tth", angle, units="deg")


def stxm(file: h5py.File) -> None:
    """A stack of images over energy, and a time with a blank before its zone."""
    entry = group(file, "entry", NX_class="NXentry")
    for name, text in (
        ("title", "carbon K edge"),
        ("definition", "NXstxm"),
        ("start_time", "2018-01-01 10:00:00 +0100"),
    ):
        data(entry, name, text)
    held = group(entry, "counter0", NX_class="NXdata", signal="data", axes=["energy", "sample_y", "sample_x"])
    data(held, "data", RNG.random((20, 30, 40)))
    for name, values, unit in (
        ("energy", np.linspace(280, 300, 20), "eV"),
        ("sample_y", np.linspace(-5, 5, 30), "um"),
        ("sample_x", np.linspace(-5, 5, 40), "um"),
    ):
        data(held, name, values, units=unit)


def raman(file: h5py.File) -> None:
    """Another laboratory's script: blanks in names, date and time apart."""
    told = {
        "Experiment Type": "Raman",
        "Sample Name": "MoS2",
        "Instrument": "LabRAM",
        "Date": "2022-03-04",
        "Time": "15:16:17",
        "Laser": 532.0,
        "Laser_units": "nm",
    }
    for name, value in told.items():
        file.attrs[name] = value
    shift = np.linspace(100, 500, 400)
    data(file, "RamanShift", shift, units="cm-1")
    data(file, "Intensity", peak(shift, 385, 5), units="counts")
