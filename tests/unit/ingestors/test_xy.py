from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ingestors.api import Candidate, Extraction, Ingestor, Quantity, Specificity, UnreadableError, jsonable
from ingestors.xy import XY

CORPUS = Path(__file__).parents[2] / "data/corpus"
FILES = sorted((CORPUS / "xy").rglob("*.[xc]*"))
SPECS_HEAD = "# Created by:        SpecsLab Prodigy, Version 4.64.1\n#\n#   Energy Axis:              Kinetic Energy\n"


def extracted(path: Path) -> Extraction:
    """The extraction, whose metadata are JSON and whose pictures are PNGs of the size they say."""
    found = XY().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    for picture in found.thumbnails:
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.size == (picture.width, picture.height)
    return found


def wrote(folder: Path, name: str, text: str | bytes) -> Candidate:
    """A candidate with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Candidate(path)


def claimed(candidate: Candidate) -> int | None:
    """How specifically the ingestor claims the candidate."""
    claim = XY().claim(candidate)
    return None if claim is None else claim.specificity


def column(found: Extraction, index: int) -> dict[str, Any]:
    """The description of one column of the only table."""
    described: dict[str, Any] = found.scientific_metadata["table"]["columns"][index]
    return described


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(XY(), Ingestor)
    assert (XY().name, XY().version) == ("xy", "1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_real_pattern_becomes_a_dataset_with_a_picture(path: Path) -> None:
    """Each file is claimed, named, described and drawn."""
    candidate = Candidate(path)
    assert (claimed(candidate) or 0) >= 30
    found = extracted(path)
    assert found.attributes["dataset_name"] == candidate.stem
    assert found.attributes["data_type"]
    assert found.thumbnails
    assert {"table", "tables"} & set(found.scientific_metadata)


@pytest.mark.parametrize(
    ("name", "rows", "first", "last"),
    [
        ("LIPRAS/PZT-0000-0-LIPRAS.xy", 88, (1.501567, 1.800423), (215.754, 1478.54)),
        ("LIPRAS/PZT-001.xy", 1200, (1.010345, 5.129055), (196.758, 9182.38)),
        ("XRD-AutoAnalyzer/Li2CO3-ZrO2.xy", 6442, (10.00343322, 79.99417326), (112.0, 5581.0)),
        ("XRD-AutoAnalyzer/MnO2.xy", 9001, (10.0, 100.0), (1556.0, 2426.0)),
        ("XRD-AutoAnalyzer/RMS-D8-ADS-15-LynxEyeXE-bkgr.xy", 9633, (2.0, 120.266023), (371.0, 3073.0)),
        ("powerxrd/sample1.xy", 2400, (6.0, 80.0), (-193158.16811652863, 1411735.232720017)),
    ],
)
def test_bare_columns_are_described_and_left_open(
    name: str, rows: int, first: tuple[float, float], last: tuple[float, float]
) -> None:
    """Rows and ranges are those of the file; nothing is said about a measurement, a time, names or units."""
    found = extracted(CORPUS / "xy" / name)
    assert "measurement" not in found.attributes
    assert "timestamp" not in found.attributes
    assert found.attributes["data_format"] == "xy"
    assert found.attributes["data_type"] == ("Three-column text" if "MnO2" in name else "Two-column text")
    columns = found.scientific_metadata["table"]["columns"]
    assert found.scientific_metadata["table"]["rows"] == rows
    assert columns[0] == {"name": "column 1", "unit": None, "min": first[0], "max": first[1]}
    assert (columns[-1]["min"], columns[-1]["max"]) == last
    assert not found.warnings


@pytest.mark.parametrize(
    ("name", "rows", "wavelength"),
    [("Fe3O4C_M1_map_8_P1_E1_001.xy", 1508, 3.344e-11), ("pattern_001.xy", 1400, 3.20179398976e-11)],
)
def test_the_older_pyfai_header_is_read(name: str, rows: int, wavelength: float) -> None:
    """Geometry and wavelength are quantities in their sections, 2 theta is in degrees."""
    found = extracted(CORPUS / "xy/dioptas" / name)
    assert claimed(Candidate(CORPUS / "xy/dioptas" / name)) == Specificity.FORMAT + 1
    assert found.attributes["measurement"] == "X-ray diffraction"
    assert found.attributes["data_type"] == "pyFAI pattern"
    assert found.scientific_metadata["Wavelength"] == Quantity(wavelength, "m")
    assert found.scientific_metadata["pyFAI calibration"]["Distance Sample to Detector"].unit == "m"
    assert found.scientific_metadata["Fit2d calibration"]["Center"]["x"].unit == "pix"
    assert "2th_deg" not in found.scientific_metadata
    assert found.scientific_metadata["table"]["rows"] == rows
    assert (column(found, 0)["name"], column(found, 0)["unit"], column(found, 1)["name"]) == ("2th", "deg", "I")


def test_the_newer_pyfai_header_is_read() -> None:
    """The JSON geometry gets its units, and the path on the other computer is not told."""
    found = extracted(CORPUS / "xy/made_pyFAI/LaB6_2th_pyFAI_2026.9.0.xy")
    geometry = found.scientific_metadata["pyFAI calibration"]
    assert geometry["wavelength"] == Quantity(4.959e-11, "m")
    assert geometry["rot2"] == Quantity(-0.004, "rad")
    assert geometry["detector_config"]["pixel1"] == Quantity(0.000172, "m")
    assert found.scientific_metadata["Mask applied"] == "user provided"
    assert "/tmp/" not in json.dumps(jsonable(found.scientific_metadata))  # noqa: S108 a path in the file
    assert found.scientific_metadata["table"]["rows"] == 1000


def test_a_pyfai_pattern_over_q_is_told_by_how_far_it_goes(tmp_path: Path) -> None:
    """Scattering over q is wide-angle or small-angle; the suffix does not matter."""
    found = extracted(CORPUS / "dat/made_pyFAI/LaB6_q_A_pyFAI_0.20.0.dat")
    assert claimed(Candidate(CORPUS / "dat/made_pyFAI/LaB6_q_A_pyFAI_0.20.0.dat")) == Specificity.FORMAT - 1
    assert found.attributes["measurement"] == "X-ray diffraction"
    assert (column(found, 0)["name"], column(found, 0)["unit"]) == ("q", "A^-1")
    assert found.scientific_metadata["Normalization factor"] == 1234.5
    assert found.scientific_metadata["Detector"] == "Pilatus 1M"
    small = tmp_path / "small.dat"
    small.write_text("# == pyFAI calibration ==\n# Wavelength: 1e-10 m\n# q_nm^-1 I\n0.1 5\n0.2 4\n0.3 3\n0.4 2\n")
    assert extracted(small).attributes["measurement"] == "Small-angle X-ray scattering"


def test_pyfai_columns_are_named_where_the_names_line_is_broken(tmp_path: Path) -> None:
    """With sigma a pyFAI writes a names line that does not agree with the columns; the third one is sigma."""
    text = (
        '# {\n#     "dist": 0.2,\n#     "poni1": 0.1\n# }\n#2th_deg  Isigma\n 1.0 2.0 0.1\n 1.1 2.1 0.1\n 1.2 2.2 0.1\n'
    )
    found = extracted(wrote(tmp_path, "sigma.xy", text).path)
    assert [entry["name"] for entry in found.scientific_metadata["table"]["columns"]] == ["2th", "I", "sigma"]


def test_broken_geometry_is_a_warning(tmp_path: Path) -> None:
    """JSON that is none costs the geometry, not the pattern."""
    found = extracted(
        wrote(tmp_path, "a.xy", '# {\n# "dist": 0.2,, "poni1": 1\n# }\n#2th_deg  I\n1 2\n2 3\n3 4\n').path
    )
    assert "no valid JSON" in found.warnings[0]
    assert found.scientific_metadata["table"]["rows"] == 3


def test_a_fit2d_pattern_that_was_cut_says_so() -> None:
    """The `.chi` announces 1455 points and holds 75: a warning, and no path from the other computer."""
    path = CORPUS / "xy/dioptas/pattern_001.chi"
    found = extracted(path)
    assert claimed(Candidate(path)) == Specificity.FORMAT + 1
    assert found.attributes["measurement"] == "X-ray diffraction"
    assert found.attributes["data_type"] == "FIT2D pattern"
    assert found.scientific_metadata["title"] == "LaB6_p49_001.tif: 2-thet"
    assert found.scientific_metadata["table"]["rows"] == 75
    assert (column(found, 0)["name"], column(found, 0)["unit"]) == ("2-Theta Angle", "Degrees")
    assert list(found.warnings) == ["The header announces 1455 points, the file holds 75."]


def test_specs_regions_are_tables_with_titles() -> None:
    """Each region of the Prodigy export is a table and a picture; the time is the first region's, in UTC."""
    found = extracted(CORPUS / "xy/pynxtools-xps/MgFe2O4_small.xy")
    assert found.attributes["measurement"] == "X-ray photoelectron spectroscopy"
    assert found.attributes["timestamp"] == "2023-08-24T14:19:47+00:00"
    assert found.attributes["data_type"] == "SPECS spectra"
    tables = found.scientific_metadata["tables"]
    assert [(table["title"], table["rows"]) for table in tables] == [("Survey", 1351), ("Fe2p", 56)]
    assert tables[0]["columns"][0] == {"name": "energy", "unit": "eV", "min": 0.0, "max": 1350.0}
    region = found.scientific_metadata["regions"][0]
    assert region["Excitation Energy"] == Quantity(1486.61, "eV")
    assert region["Dwell Time"] == Quantity(0.1, "s")
    assert [picture.caption for picture in found.thumbnails] == ["Survey", "Fe2p"]
    assert not found.warnings


def test_specs_scans_of_one_region_share_a_picture(tmp_path: Path) -> None:
    """Scans are tables of their own with the cycle in the title; local times get no offset; missing values are told."""
    region = "# Region:  C1s\n# Acquisition Date:  03/04/19 10:00:00\n# Analysis Method: UPS\n# Values/Curve:  3\n"
    scan = "# Cycle: 0, Curve: 0, Scan: {}\n# ColumnLabels:  energy counts\n#\n"
    text = SPECS_HEAD + region + scan.format(0) + "1 10\n2 20\n3 30\n\n" + scan.format(1) + "1 11\n2 21\n"
    found = extracted(wrote(tmp_path, "scans.xy", text).path)
    assert found.attributes["timestamp"] == "2019-03-04T10:00:00"
    assert found.attributes["measurement"] == "Ultraviolet photoelectron spectroscopy"
    assert [table["title"] for table in found.scientific_metadata["tables"]] == [
        "C1s (Cycle: 0, Curve: 0, Scan: 0)",
        "C1s (Cycle: 0, Curve: 0, Scan: 1)",
    ]
    assert len(found.thumbnails) == 1
    assert list(found.warnings) == ["Region C1s: 2 of 3 values are there."]


def test_an_impossible_specs_date_is_kept_as_text(tmp_path: Path) -> None:
    """A date that the format cannot have gives a warning and no time; the text stays in the metadata."""
    text = SPECS_HEAD + "# Region:  A\n# Acquisition Date:  02/30/15 10:00:00 UTC\n# Cycle: 0, Curve: 0\n1 2\n2 3\n"
    found = extracted(wrote(tmp_path, "a.xy", text).path)
    assert "timestamp" not in found.attributes
    assert found.scientific_metadata["regions"][0]["Acquisition Date"] == "02/30/15 10:00:00 UTC"
    assert found.warnings


def test_a_specs_file_without_rows_is_unreadable(tmp_path: Path) -> None:
    """A header alone is no spectrum."""
    with pytest.raises(UnreadableError, match="no rows"):
        XY().extract(wrote(tmp_path, "empty.xy", SPECS_HEAD))


def test_decimal_commas_are_read(tmp_path: Path) -> None:
    """A pattern written on a German computer has the same numbers."""
    found = extracted(wrote(tmp_path, "komma.xy", "10,00\t443,0\r\n10,01\t431,5\r\n10,02\t429,25\r\n").path)
    assert column(found, 0) == {"name": "column 1", "unit": None, "min": 10.0, "max": 10.02}
    assert column(found, 1)["max"] == 443.0


def test_exclamation_marks_are_comments(tmp_path: Path) -> None:
    """`!` lines above the rows give fields and names."""
    text = "! Sample: LaB6\n! Wavelength = 1.5406 Å\n! 2theta (deg)  Intensity (counts)\n10 5\n11 6\n12 7\n"
    found = extracted(wrote(tmp_path, "marks.xy", text).path)
    assert found.scientific_metadata["Wavelength"] == Quantity(1.5406, "Å")
    assert found.attributes["measurement"] == "X-ray diffraction"
    assert [sample.name for sample in found.samples] == ["LaB6"]
    assert (column(found, 0)["name"], column(found, 0)["unit"]) == ("2theta", "deg")


def test_one_column_is_drawn_over_its_rows(tmp_path: Path) -> None:
    """Intensities without an abscissa are a pattern as well."""
    candidate = wrote(tmp_path, "one.xy", "1.5\n2.5\n7.5\n2.5\n")
    assert claimed(candidate) == 30
    found = extracted(candidate.path)
    assert found.attributes["data_type"] == "One-column text"
    assert found.scientific_metadata["table"]["rows"] == 4
    assert len(found.thumbnails) == 1


@pytest.mark.parametrize(
    ("name", "text", "specificity"),
    [
        ("a.xy", "1 2\n2 3\n3 4\n", 30),
        ("a.xye", "1 2 .1\n2 3 .1\n3 4 .1\n", 30),
        ("a.TSV", "1\t2\n2\t3\n3\t4\n", 30),
        ("a.txt", "1 2\n2 3\n3 4\n", 22),
        ("a", "3 2\n2 3\n1 4\n", 22),
        ("a.dat", "1 2\n2 3\n3 4\n", 20),
        ("a.txt", "1 2\n2 3\n1 4\n2 5\n", None),
        ("a.txt", "1 2 3 4\n2 3 4 5\n3 4 5 6\n", None),
        ("a.txt", "words only\n", None),
        ("a.xy", "words only\n", None),
        ("a.xy", "", None),
        ("a.xy", bytes(5000), None),
        ("a.xy", b"\x89HDF\r\n\x1a\n" + bytes(200), None),
        ("a.xy", '<?xml version="1.0"?><x>1 2</x>', None),
    ],
)
def test_claims_say_how_much_is_known(tmp_path: Path, name: str, text: str | bytes, specificity: int | None) -> None:
    """The suffix and columns that go one way make a claim; binaries, prose and XML are declined whatever their suffix."""
    assert claimed(wrote(tmp_path, name, text)) == specificity


def test_a_pattern_of_several_megabytes_is_claimed_by_its_head(tmp_path: Path) -> None:
    """The head ends in the middle of a line, in UTF-16 as well."""
    text = "".join(f"{index / 1000:.4f} {index % 77}.25\n" for index in range(60_000))
    for name, encoding in (("a.xy", "utf-8"), ("b.xy", "utf-16")):
        candidate = wrote(tmp_path, name, text.encode(encoding))
        assert claimed(candidate) == 30
        assert extracted(candidate.path).scientific_metadata["table"]["rows"] == 60_000


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [
            "",
            SPECS_HEAD,
            "# == pyFAI calibration ==\n",
            '# {\n# "poni1": 1, "dist": 2\n# }\n',
            "t\nx\ny\n 9\n",
            "# Region: a\n",
        ]
    ),
    body=st.binary(max_size=200)
    | st.text(alphabet='0123456789.,;\t \n\r-+eE#:{}"abRegion', max_size=300).map(str.encode),
)
def test_whatever_follows_a_good_beginning_is_read_or_refused(tmp_path: Path, head: str, body: bytes) -> None:
    """A damaged file gives an extraction or UnreadableError with a sentence, never another error."""
    candidate = wrote(tmp_path, "damaged.xy", head.encode() + body)
    XY().claim(candidate)
    try:
        found = XY().extract(candidate)
    except UnreadableError:
        return
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
