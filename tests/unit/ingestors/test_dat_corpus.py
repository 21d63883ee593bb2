from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingestors.api import Candidate, Extraction, Ingestor, Specificity, jsonable
from ingestors.dat import Dat

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
XAS = "X-ray absorption spectroscopy"
TAS = "Neutron triple-axis spectrometry"

Column = tuple[str, str | None, float, float]


@dataclass(frozen=True)
class Facts:
    """What a person finds in a file: family, rows of each table (or of the first ones), columns with unit and range."""

    path: str
    family: str
    rows: tuple[int, ...]
    columns: tuple[Column, ...]
    timestamp: str | None = None
    measurement: str | None = None
    instrument: str | None = None
    samples: tuple[str, ...] = ()
    name: str | None = None
    tables: int = 1
    values: dict[str, Any] = field(default_factory=dict)


FACTS = (
    Facts(
        "dat/PyMca5/EXAFS_Cu.dat",
        "SPEC",
        (1461,),
        (("Column 1", None, 8002.894, 9978.284), ("Column 2", None, 0.3858188, 3.221683)),
        "2012-06-04T14:15:57",
        XAS,
        values={"spec.file": "D:/Cu-EXAFS.dat", "scans.0.command": "cu.dat 1.1 Column 2"},
    ),
    Facts("dat/PyMca5/EXAFS_Ge.dat", "text table", (1201,), (("column 1", None, 10800.0, 13102.4),)),
    Facts(
        "dat/ixdat/FeFoil_Fe_exafs.dat",
        "SPEC",
        (5500, 5500, 5500),
        (("mon_1", None, 21.0, 22.0),),
        "2024-06-21T15:04:37+02:00",
        XAS,
        tables=3,
        values={
            "scans.0.counting": {"value": 100, "unit": "ms"},
            "scans.0.positioners.sl02t": 16.500062,
            "spec.user": "opd31",
        },
    ),
    Facts(
        "dat/lmfit/Thurber.dat",
        "NIST StRD",
        (37,),
        (("y", None, 80.574, 1468.705), ("x", None, -3.067, 2.2)),
        name="Thurber",
        values={
            "Degrees of Freedom": 30,
            "File Format": "ASCII Starting Values (lines 41 to 47) Certified Values (lines 41 to 52) Data (lines 61 to 97)",
        },
    ),
    Facts(
        "dat/lmfit/model1d_gauss.dat",
        "text table",
        (101,),
        (("col1", None, 0.0, 10.0), ("col2", None, -0.329106, 5.125762)),
    ),
    Facts("dat/lmfit/test_peak.dat", "text table", (401,), (("t", None, 0.0, 20.0),)),
    Facts(
        "dat/made_pyFAI/LaB6_q_A_pyFAI_0.20.0.dat",
        "pyFAI",
        (600,),
        (("q", "A^-1", 0.005984785, 7.175758),),
        values={"Normalization factor": 1234.5},
    ),
    Facts(
        "dat/made_qcodes/i_dc.dat", "text table", (99,), (("column 1", None, -0.5, -0.4), ("column 2", None, -2.0, 2.0))
    ),
    Facts(
        "dat/nanonispy/Bias-Spectroscopy002.dat",
        "Nanonis",
        (1024,),
        (("Bias calc", "V", -0.2, 0.2), ("Input 3", "A", -1.3569e-10, 2.16372e-10)),
        "2015-08-04T08:49:41",
        "Scanning tunneling spectroscopy",
        values={"X": {"value": -1.94904e-08, "unit": "m"}, "Z-Ctrl hold": "TRUE"},
    ),
    Facts(
        "dat/pynxtools-spm/Bias-Spectroscopy00015_20230420.dat",
        "Nanonis",
        (2048,),
        (("Bias calc", "V", -0.050000001, 0.050000001), ("Current", "A", -1.4369876e-10, 2.5498792e-10)),
        "2023-04-20T14:53:33",
        "Scanning tunneling spectroscopy",
        values={
            "Bias Spectroscopy.Num Pixel": 2048,
            "Bias.Bias": {"value": -0.05, "unit": "V"},
            "Oscillation Control.Amplitude Setpoint": {"value": 3e-10, "unit": "m"},
        },
    ),
    Facts(
        "dat/neutronpy/scan0001.dat",
        "SPICE",
        (41,),
        (("h", None, 0.5998, 1.4001), ("detector", None, 55.0, 141.0)),
        "2000-01-01T00:00:00",
        TAS,
        name="Test Data 2",
        values={"def_y": "detector", "proposal": "IPTS-0000"},
    ),
    Facts(
        "dat/neutronpy/scan0003.ng5",
        "ICP",
        (87,),
        (("Q(x)", None, -1.075, 1.075), ("Counts", None, 0.0, 18.0)),
        "2000-01-01T00:00:00",
        TAS,
        "NIST NG5",
        values={
            "Mon": 250000.0,
            "#pts": 87,
            "header.Lattice Parameters in real space": [3.81, 3.81, 6.25, 90.0, 90.0, 90.0],
        },
    ),
    Facts(
        "dat/neutronpy/scan0005",
        "ILL triple-axis",
        (9,),
        (("EN", None, 1.001, 1.801), ("CNTS", None, 136.0, 341.0)),
        "2015-07-09T23:23:37",
        TAS,
        "FLEX",
        values={"PARAM.KFIX": 1.54985, "STEPS.EN": -0.1, "POSQE.UN": "meV"},
    ),
    Facts(
        "dat/nomad-measurements/ACMS_test.dat",
        "Quantum Design",
        (1323,),
        (("Temperature", "K", 1.9970365, 10.0025473), ("Magnetic Field", "Oe", -0.567, 84999.492)),
        "2016-02-11T16:32:00",
        "AC magnetometry",
        "Quantum Design PPMS",
        values={"info.mass": {"value": 53.10, "unit": "mg"}, "info.HARMONICS": 1},
    ),
    Facts(
        "dat/nomad-measurements/ACT_Ch1_Hall_Ch2_TMR.dat",
        "Quantum Design",
        (6035,),
        (("Temperature", "K", 1.99837565, 3.4023781), ("Magnetic Field", "Oe", -10000.1495, 10000.1275)),
        "2022-01-10T15:29:28",
        "Electrical transport",
        "Quantum Design PPMS",
        ("(SnSe)1.16(NbSe)2_S2_Ch1 4 wire Hall on side surface", "(SnSe)1.16(NbSe)2_S2_Ch2_TMR on top surface"),
        "SUC_101_S2_Ch1_4 wire Hall_Ch2_TMR ACT_rot#01, PPMS2",
        values={"info.SAMPLE1_LEAD_SEPARATION": 0.1393},
    ),
    Facts(
        "dat/nomad-measurements/MPMS_test.dat",
        "Quantum Design",
        (1122,),
        (("Moment", "emu", -1.01498390240173, 1.01623471751559),),
        "2023-10-25T15:00:00",
        "Magnetometry",
        "Quantum Design MPMS3",
        ("231025-HoPtSn-AKS-002_out_of_plane_MH",),
        values={"info.SAMPLE_MASS": 11.134, "info.SQUID_SERIAL_NUMBER": "SQM140"},
    ),
    Facts(
        "dat/pyGAPS/DUT-13-CH4-190K.DAT",
        "BELSORP",
        (55, 54),
        (("Pe", "kPa", 0.76024, 92.004), ("V", "ml(STP) g-1", -0.51298, 1600.0)),
        "2019-04-30",
        "Gas adsorption",
        "BELSORP 00218",
        tables=2,
        values={
            "Measurement condition.Meas. Temp.": {"value": 111.0, "unit": "K"},
            "Sample information.Sample weight": {"value": 0.0183, "unit": "g"},
            "Time and dead volume.Time of measurement": "28:43:09",
        },
    ),
    Facts(
        "dat/pynxtools-ellips/test-data.dat",
        "Woollam",
        (3264, 3264, 3264),
        (("Wavelength", "Angstroms", 1930.0, 17000.0), ("Psi", "deg", 7.212368, 41.081215)),
        measurement="Ellipsometry",
        samples=("2nm SiO2 on Si on RC2",),
        name="2nm SiO2 on Si on RC2",
        tables=3,
        values={"method.CompleteEASE": 6.37, "method.AcqTime": 15.0},
    ),
    Facts(
        "dat/refnx/PLP0000708.dat",
        "reflectivity",
        (713,),
        (("Q", "1/A", 0.00608888, 0.0438739),),
        measurement="Reflectometry",
    ),
    Facts(
        "dat/refnx/c_PLP0000708_header2.dat",
        "reflectivity",
        (90,),
        (("R", None, 5.45112e-08, 1.01318),),
        measurement="Reflectometry",
    ),
    Facts(
        "dat/refnx/c_PLP0016596.dat",
        "text table",
        (137,),
        (("column 1", None, 0.005711815791192572, 0.3028289029534246),),
    ),
    Facts("dat/refnx/dot.dat", "text table", (31,), (("column 1", None, 0.005594, 0.1766),)),
    Facts(
        "dat/sasdata/P123_D2O_40_percent.dat",
        "NIST 2-D SANS",
        (10000,),
        (("Qx", None, -0.099, 0.099), ("err(I)", None, 0.0, 134.214)),
        measurement="Small-angle scattering",
    ),
    Facts(
        "dat/sasdata/S50_unpol_2D.dat",
        "NIST 2-D SANS",
        (31140,),
        (("Qx", None, -0.25311, 0.25344),),
        measurement="Small-angle scattering",
    ),
    Facts(
        "dat/sasdata/SILIC010.DAT",
        "NIST 2-D SANS",
        (16384,),
        (("Qz", None, 5.448742e-08, 0.006948369), ("I(Qx,Qy)", None, 0.0, 523.0)),
        "2008-01-22T02:45:55",
        "Small-angle neutron scattering",
        name="Silica 2 pct in D2O Scatt 4M",
        values={"LAMBDA": {"value": 6, "unit": "A"}, "DET_DIST": {"value": 4, "unit": "m"}, "DET_TYP": "ORNL"},
    ),
    Facts(
        "dat/sasdata/dls_monodisperse.dat",
        "dynamic light scattering",
        (213,),
        (("Lag time", "s", 2.2e-06, 188.0), ("g2-1", None, -0.0166, 0.733)),
        measurement="Dynamic light scattering",
        values={"Temperature": {"value": 297.0, "unit": "K"}, "Viscosity": {"value": 1.1, "unit": "mPas"}},
    ),
    Facts(
        "dat/sasdata/nans_in_1d_data.dat",
        "Foxtrot",
        (2421,),
        (("q", "A-1", 0.0, 0.61308802956),),
        measurement="Small-angle X-ray scattering",
        values={"diffrn_sofware": "Foxtrot"},
    ),
    Facts(
        "dat/spec2nexus/02_03_setup.dat",
        "SPEC",
        (31, 21, 31, 31),
        (("mr", None, 10.34265, 10.34665),),
        "2016-02-03T16:51:31-06:00",
        tables=50,
        values={
            "scans.0.values.SR_current": 102.23,
            "scans.0.positioners.WAXS_X": -4,
            "spec.title": "Setup with new A stage",
        },
    ),
    Facts(
        "dat/spec2nexus/APS_spec_data.dat",
        "SPEC",
        (31, 41, 41, 41),
        (("mr", None, 15.6052, 15.6102),),
        "2010-11-03T13:39:34-05:00",
        tables=20,
    ),
    Facts(
        "dat/spec2nexus/usaxs-bluesky-specwritercallback.dat",
        "SPEC",
        (31, 21, 35),
        (("I0_USAXS", None, 154.0, 43527.0),),
        "2019-04-19T10:03:49-05:00",
        instrument="APS USAXS 9-ID-C",
        tables=7,
        values={
            "scans.0.bluesky.BLUESKY_VERSION": "1.5.2",
            "scans.0.bluesky.tune_parameters.num": 31,
            "scans.0.bluesky.unnamed": ["badly-formed MD control line"],
        },
    ),
    Facts(
        "dat/spec2nexus/user6idd.dat",
        "SPEC",
        (0, 55),
        (),
        "2013-10-29T13:40:22-05:00",
        tables=2,
        values={
            "scans.1.positioners.Chi": 90,
            "scans.1.geometry.G3": "4.079990459 -6.865325574e-16 -6.561207576e-16 -3.041179982e-17 -4.079990459 2.49819112e-16 0 0 -4.079990459",
        },
    ),
    Facts(
        "dat/xraylarch/APS10BM_2019.dat",
        "XDAC",
        (3464,),
        (("energy", None, 6389.9975, 7601.3587), ("If", None, -40.0, 40.0)),
        "2019-07-09T15:35:15-05:00",
        XAS,
        "APS 10BM",
        name="MnO2 5B kapton tape",
        values={"Ring energy": {"value": 7.0, "unit": "GeV"}, "E0": 6540.0},
    ),
    Facts(
        "dat/xraylarch/APS12BM_2019.dat",
        "APS 12-BM scan",
        (492,),
        (("Energy", "keV", 6.339, 6.98474), ("i1", None, -26.4, 117627.0)),
        "2019-07-09T14:44:45",
        XAS,
        values={"exafs_edge_energy": 6.539},
    ),
    Facts(
        "dat/xraylarch/APS13ID_2019.dat",
        "XDI",
        (221,),
        (("Energy", "eV", 6389.001866, 6537.007889), ("I0", "counts", 16330696.0, 16813200.0)),
        "2019-07-09T11:02:47",
        XAS,
        values={
            "Mono.dspacing.value": 3.13477,
            "Mono.dspacing.pv": "13IDE:En:dspace.VAL",
            "ScanParameters.element": "Mn",
        },
    ),
    Facts(
        "dat/xraylarch/APS20ID_2018.dat",
        "APS LabVIEW scan",
        (379,),
        (
            ("Mono Energy (alt)", None, 11716.98361094, 12246.43572248),
            ("PreKB-I0", None, 57032.6015625, 115183.6015625),
        ),
        "2018-06-15T20:14:19",
        XAS,
        "APS 20 ID",
        values={
            "E0": {"value": 11867.0, "unit": "eV"},
            "Motor Positions": "AeroTechH (s20aerotech:m1): 8379.000000 AeroTechV (s20aerotech:m2): 15896.000000",
        },
    ),
    Facts(
        "dat/xraylarch/APS9BM_2006.dat",
        "SPEC",
        (258,),
        (("energy", None, 2460.0, 2500.0),),
        "2006-04-13T10:28:46-05:00",
        XAS,
    ),
    Facts("dat/xraylarch/CLSHXMA.dat", "CLS", (414,), (("Energy", None, 11667.0, 12842.36),), None, XAS, "CLS BL1606"),
    Facts(
        "dat/xraylarch/NSLS6BM_2019.dat",
        "XDI",
        (352,),
        (("energy", "eV", 5264.987, 6120.533), ("I0", "nA", 25.657711, 244.16251)),
        "2019-03-21T08:45:01",
        XAS,
        "BMM (06BM) -- Beamline for Materials Measurement",
        ("Ca0.25V2O5",),
        "Ca0.25V2O5",
        values={"Mono.d_spacing": {"value": 3.1356369, "unit": "Å"}, "Element.symbol": "V", "comments": ["48 hr rest"]},
    ),
    Facts(
        "dat/xraylarch/NSLS8ID_2019.dat",
        "NSLS-II ISS",
        (647,),
        (("energy", None, 11686.05926, 12847.257542),),
        "2019-02-06T12:52:53",
        XAS,
        "NSLS-II ISS (8-ID)",
        values={"E0": 11867, "PI": "Lauren Pincus"},
    ),
    Facts(
        "dat/xraylarch/NSLS_XDAC_2011.dat",
        "XDAC",
        (422,),
        (("Energy", None, 6912.0019, 7757.71515), ("I0", None, 4284.0, 12404.735)),
        "2011-06-27T14:22:40",
        XAS,
        "X-23A2",
        values={"Ring energy": {"value": 2.8, "unit": "GeV"}},
    ),
    Facts(
        "dat/xraylarch/SSRLmicro_2008.dat",
        "SSRL",
        (296,),
        (("Requested Energy", None, 10900.0, 11411.2382813), ("I0", None, 3203.0, 9857.0)),
        "2008-08-09T11:58:07",
        XAS,
        "SSRL",
        values={"PTS": 296, "COLS": 69},
    ),
    Facts(
        "dat/xraylarch/cu_chi.dat",
        "ifeffit",
        (499,),
        (("k", None, 0.05, 24.95), ("chi(k)", None, -0.1756163, 0.1433899)),
        measurement=XAS,
    ),
    Facts(
        "other/gamry-parser/chronoa_de_data.dta",
        "Gamry",
        (10,),
        (("T", "s", 0.0, 270.0), ("Im", "A", -2e-08, 1.40441e-08)),
        None,
        "Chronoamperometry",
        "Gamry potentiostat-id",
        values={"VSTEP1": {"value": 0.5, "unit": "V"}, "DATE": "3/10/2019"},
    ),
    Facts(
        "other/gamry-parser/eispot_data_curveaborted.dta",
        "Gamry",
        (5,),
        (("Zreal", "ohm", 224.6075, 226.2954), ("Zphz", "°", -1.553282, -0.961018)),
        None,
        "Electrochemical impedance spectroscopy",
        "Gamry In the hood",
        values={"VAC": {"value": 10.0, "unit": "mV rms"}},
    ),
    Facts(
        "other/made_pymeasure/iv_sweep.csv",
        "PyMeasure",
        (25,),
        (("Voltage", "V", 0.0, 1.0), ("Current", "A", 0.0, 0.0002513507077549203)),
        "2026-11-20T15:41:56.285768+00:00",
        "IV",
        samples=("diode 1N4148",),
        values={"Parameters.Maximum Voltage": {"value": 1, "unit": "V"}, "Parameters.Points": 25},
    ),
    Facts(
        "other/nomad-measurements/3DM_test01.Probe.Raw.asc",
        "PerkinElmer",
        (281,),
        (("Wavelength", "nm", 500.0, 1900.0), ("Transmittance", "%T", 99.867107, 100.180677)),
        "2024-02-27T16:45:12",
        "UV-Vis-NIR spectroscopy",
        "PerkinElmer Lambda 1050",
        values={"serial_number": "1050L1611222"},
    ),
    Facts(
        "other/pynxtools-raman/Si-wafer-Raman-Spectrum-1.txt",
        "WITec",
        (1600,),
        (("X-Axis", "nm", 530.7816803, 661.8723782),),
        measurement="Raman spectroscopy",
        instrument="WITec",
        values={"PositionX": {"value": 2.3283064365387e-08, "unit": "µm"}, "SizeGraph": 1600},
    ),
    Facts(
        "other/pynxtools-xps/Ag_0001.txt",
        "Scienta SES",
        (361,),
        (("Binding Energy", "eV", 364.0, 382.0), ("Intensity", None, 13.0984420776367, 49.1230640411377)),
        "2023-03-08T15:24:35",
        "X-ray photoelectron spectroscopy",
        "R3000-6MS014",
        ("Ag",),
        values={"Region 1.Excitation Energy": {"value": 520, "unit": "eV"}, "Region 1.Lens Mode": "Transmission"},
    ),
    Facts(
        "other/pynxtools-xps/regular.vms",
        "VAMAS",
        (1351,),
        (("kinetic energy", "eV", 136.61, 1486.61), ("counts", None, 18.1529, 10836.6)),
        "2023-08-24T14:19:47+00:00",
        "X-ray photoelectron spectroscopy",
        samples=("1 as-loaded",),
        values={
            "blocks.0.source energy": {"value": 1486.61, "unit": "eV"},
            "blocks.0.analyser mode": "FAT",
            "blocks.0.pass energy or retard ratio": 100.0,
        },
    ),
)
BINARIES_AND_OTHERS = (
    "dat/pydrs4/drs4_test.dat",
    "dat/made_qcodes_loop/snapshot.json",
    "other/gwyfile/test.gwy",
    "other/nomad-measurements/23-012-AG_2thomegascan_long.brml",
    "other/nomad-measurements/XRD-918-16_10.xrdml",
    "other/punx/writer_1_3.hdf5",
    "other/pynxtools-xps/Ag_0001Ag__001.ibw",
    "other/pynxtools-xps/SnO2_10nm.spe",
)


@cache
def timed(path: Path) -> tuple[Extraction, float]:
    """The extraction, whose metadata are JSON, and the seconds of the processor that it took. Each file is read once."""
    begin = time.process_time()
    found = Dat().extract(Candidate(path))
    seconds = time.process_time() - begin
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found, seconds


def extracted(path: Path) -> Extraction:
    """The extraction alone."""
    return timed(path)[0]


def tables_of(found: Extraction) -> list[dict[str, Any]]:
    """The tables, whether there is one or more."""
    metadata = found.scientific_metadata
    return list(metadata["tables"]) if "tables" in metadata else [metadata["table"]]


def at(metadata: Any, path: str) -> Any:
    """The value below a path of keys and indices with points between them; a key may hold points itself."""
    if not path:
        return metadata
    if isinstance(metadata, list):
        head, _, rest = path.partition(".")
        return at(metadata[int(head)], rest)
    key = next((key for key in metadata if path == key or path.startswith(f"{key}.")), None)
    assert key is not None, f"{path} is not among {sorted(metadata)[:40]}"
    return at(metadata[key], path[len(key) + 1 :])


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(Dat(), Ingestor)


@pytest.mark.parametrize("facts", FACTS, ids=[facts.path for facts in FACTS])
def test_each_file_is_read_as_a_person_reads_it(facts: Facts) -> None:
    """Family, tables, columns with units and ranges, time, instrument, samples and header values."""
    claim = Dat().claim(Candidate(CORPUS / facts.path))
    assert claim is not None
    assert claim.reason.startswith(facts.family)
    assert claim.specificity == (21 if facts.family == "text table" else Specificity.FORMAT)
    found = extracted(CORPUS / facts.path)
    tables = tables_of(found)
    assert len(tables) == facts.tables
    assert tuple(table["rows"] for table in tables[: len(facts.rows)]) == facts.rows
    columns = {column["name"]: column for column in tables[0]["columns"]}
    for name, unit, low, high in facts.columns:
        assert columns[name]["unit"] == unit
        assert columns[name]["min"] == pytest.approx(low, rel=1e-9, abs=1e-30)
        assert columns[name]["max"] == pytest.approx(high, rel=1e-9)
    assert found.attributes.get("timestamp") == facts.timestamp
    assert found.attributes.get("measurement") == facts.measurement
    assert found.attributes.get("instrument_name") == facts.instrument
    assert tuple(sample.name for sample in found.samples) == facts.samples
    metadata = jsonable(found.scientific_metadata)
    for path, value in facts.values.items():
        assert at(metadata, path) == value, path
    if facts.name is not None:
        assert found.attributes["dataset_name"] == facts.name


@pytest.mark.parametrize("facts", FACTS, ids=[facts.path for facts in FACTS])
def test_each_file_has_one_picture_and_takes_less_than_a_second(facts: Facts) -> None:
    """The catalog's page shows something at once."""
    found, seconds = timed(CORPUS / facts.path)
    assert seconds < 1.0
    assert [(picture.width, picture.height) for picture in found.thumbnails] == [(400, 300)]
    assert found.thumbnails[0].caption


@pytest.mark.parametrize("facts", FACTS, ids=[facts.path for facts in FACTS])
def test_a_sound_file_gives_no_warning(facts: Facts) -> None:
    """Warnings are for people: only what somebody should look at."""
    found = extracted(CORPUS / facts.path)
    expected = {"chronoa_de_data.dta": 1, "eispot_data_curveaborted.dta": 2}.get(Path(facts.path).name, 0)
    assert len(found.warnings) == expected, found.warnings


@pytest.mark.parametrize("path", BINARIES_AND_OTHERS)
def test_what_is_no_text_table_is_declined(path: str) -> None:
    """Binaries, JSON, XML and lists by position belong to others."""
    assert Dat().claim(Candidate(CORPUS / path)) is None


def test_dates_that_can_be_read_two_ways_are_not_guessed() -> None:
    """The file keeps the text, and a person is told."""
    found = extracted(CORPUS / "other/gamry-parser/chronoa_de_data.dta")
    assert "timestamp" not in found.attributes
    assert any("'3/10/2019'" in warning for warning in found.warnings)


def test_every_text_file_of_the_corpus_is_in_the_table() -> None:
    """No file is forgotten."""
    known = {facts.path for facts in FACTS} | set(BINARIES_AND_OTHERS)
    there = {str(path.relative_to(CORPUS)) for folder in ("dat", "other") for path in (CORPUS / folder).glob("*/*")}
    assert {path for path in there - known if not path.endswith((".h5", ".nxs"))} == set()


def test_columns_are_finite_or_absent_in_the_summary() -> None:
    """NaN never becomes a minimum: `null` says that there is no value."""
    for facts in FACTS:
        for table in tables_of(extracted(CORPUS / facts.path)):
            for column in table["columns"]:
                assert column["min"] is None or not math.isnan(column["min"])
