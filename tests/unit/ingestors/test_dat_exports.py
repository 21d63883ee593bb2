"""Habits of programs' exports that were once misread: every text here is made up, only its form is a real one's."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from ingestors.api import Candidate, Extraction, Quantity, jsonable
from ingestors.dat import Dat
from ingestors.headers import flat
from ingestors.units import is_unit, split_title
from tests.fakes.text_formats import FORMATS
from tests.fakes.text_reports import REPORTS
from tests.fakes.text_tables import TABLES
from tests.fakes.text_tables_more import MORE_TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.text_tables import Export


EXPORTS = {**TABLES, **MORE_TABLES, **FORMATS, **REPORTS}


def extracted(path: Path, *companions: Path) -> Extraction:
    """What the text ingestor makes of the file, which it has to claim."""
    candidate = Candidate(path, companions)
    assert Dat().claim(candidate) is not None
    return Dat().extract(candidate)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_what_a_person_reads_in_an_export_comes_out(tmp_path: Path, export: Export) -> None:
    """Attributes, columns with units, rows of each table, settings, samples, and no warning without a reason."""
    path = tmp_path / export.name
    path.write_bytes(export.text.encode())
    found = extracted(path)
    assert {key: found.attributes.get(key) for key in export.attributes} == export.attributes
    tables = found.scientific_metadata.get("tables") or [
        found.scientific_metadata[key] for key in ("table",) if key in found.scientific_metadata
    ]
    assert tuple(table["rows"] for table in tables) == export.rows
    if export.columns is not None:
        assert tuple((column["name"], column["unit"]) for column in tables[0]["columns"]) == export.columns
    fields = flat(dict(found.scientific_metadata))
    assert {key: fields.get(key) for key in export.fields} == export.fields
    if export.samples is not None:
        assert tuple(sample.name for sample in found.samples) == export.samples
    assert bool(found.warnings) == bool(export.warns)
    assert any(export.warns in warning for warning in found.warnings) or not export.warns
    assert found.thumbnails or export.rows in {(), (1,)}
    jsonable(found.scientific_metadata)


def test_an_epr_descriptor_reads_the_data_beside_it(tmp_path: Path) -> None:
    """The `.DSC` gives settings with their units and the axis, the `.DTA` the points, fewer of them with a warning."""
    path, data = tmp_path / "a.DSC", tmp_path / "a.DTA"
    path.write_text(
        "#DESC\t1.2 * DESCRIPTOR INFORMATION\n*\nDSRC\tEXP\nBSEQ\tBIG\nIKKF\tREAL\nYTYP\tNODATA\nIRFMT\tD\nXPTS\t5\nXMIN\t3300.0\nXWID\t40.0\n"
        "TITL\t'radical 7'\nIRNAM\t'Intensity'\nXNAM\t'Field'\nXUNI\t'G'\n#SPL\t1.2\nOPER\tme\nDATE\t07/12/21\nTIME\t10:22:51\nMWFQ\t9.5e+09\n"
        "#DSL\t1.0\n.DVC     acqStart, 1.0\n.DVC     ESR9 [1], 1.0\nQValue\t1800.5\n"
    )
    data.write_bytes(struct.pack(">4d", 1.0, 4.0, -4.0, -1.0))
    found = extracted(path, data)
    assert found.attributes["timestamp"] == "2021-07-12T10:22:51"
    assert found.attributes["dataset_name"] == "radical 7"
    assert found.scientific_metadata["MWFQ"] == Quantity(9.5e9, "Hz")
    assert found.scientific_metadata["table"]["columns"][0] == {
        "name": "Field",
        "unit": "G",
        "min": 3300.0,
        "max": 3330.0,
    }
    assert "announces 5 points" in found.warnings[0]
    assert extracted(path).thumbnails == ()


def test_older_epr_parameters_read_the_spectrum_beside_them(tmp_path: Path) -> None:
    """The `.par` gives settings with the units of its manual, the `.spc` four bytes a point."""
    path, data = tmp_path / "a.par", tmp_path / "a.spc"
    path.write_text(
        "ASF  1\nDOS  Format\nANZ 4\nJSS 0\nGST 3.300000E+03\nGSI 1.000000E+02\nJUN G\nJDA 18/Nov/2010\nJTM 10:32\nJCO radical 9\nMF  9.5\nRCT 40.96\n"
    )
    data.write_bytes(struct.pack("<5f", 1.0, 4.0, 0.0, -4.0, -1.0))
    found = extracted(path, data)
    assert found.attributes["timestamp"] == "2010-11-18T10:32:00"
    assert found.attributes["dataset_name"] == "radical 9"
    assert found.scientific_metadata["MF"] == Quantity(9.5, "GHz")
    assert found.scientific_metadata["table"]["columns"][0] == {
        "name": "Field",
        "unit": "G",
        "min": 3300.0,
        "max": 3400.0,
    }
    assert extracted(path).thumbnails == ()


def test_a_printed_report_of_fluorescence_is_read(tmp_path: Path) -> None:
    """Rigaku's pages have no table of numbers: what was analysed comes out with its units."""
    path = tmp_path / "a.txt"
    path.write_text(
        "PositionType              Application               Sample name                     Date            \n"
        "A-3     Quant analysis    CuTi on Si                film 8                          2021- 3- 9 10:19\n    \n"
        "Component            Film1        Cu          Ti     \nAnalyzed value           763      78.5      21.5\n"
        "Unit                      nm         at%         at%\n   \nElement line         Cu-KA       Cu-KA\n"
        "Peak/BG                 Peak         BG1\nMeas. intensity     42.5     0.125\n____\n"
    )
    found = extracted(path)
    assert found.attributes["timestamp"] == "2021-03-09T10:19:00"
    assert [sample.name for sample in found.samples] == ["film 8"]
    assert found.scientific_metadata["Analyzed value"]["Film1"] == Quantity(763, "nm")
    assert found.scientific_metadata["Meas. intensity"] == [42.5, 0.125]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Zre (ohms)", ("Zre", "ohms")),
        ("Time(Sec)", ("Time", "Sec")),
        ("Moment / emu/g", ("Moment", "emu/g")),
        ("f(T) fit", ("f(T) fit", None)),
        ("5 mL/min", ("5 mL/min", None)),
        ("Ratio a/b", ("Ratio a/b", None)),
    ],
)
def test_units_stand_in_many_places_of_a_title(title: str, expected: tuple[str, str | None]) -> None:
    """In brackets any known spelling, behind a blank what can be nothing else."""
    assert split_title(title) == expected


@pytest.mark.parametrize("word", ["Comment", "x", "(V)x", "Ohmcmx"])
def test_other_words_in_brackets_are_no_units(word: str) -> None:
    """A place where units stand makes no unit of a word."""
    assert not is_unit(word)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("made.py", "import numpy\n\nrows = [\n    1, 2, 3,\n    4, 5, 6,\n    7, 8, 9,\n]\n"),
        ("notes.txt", "You may use, copy, change, join, sell\nCopyright: 1992, 1998, 2001, 2004, 2006 by somebody.\nNothing else.\n"),
        ("calls", "def read(a, b, c, d, e):\n    told(a, 1, 2, b, c)\n    return a\n"),
    ],
)  # fmt: skip
def test_programs_and_prose_are_no_tables(tmp_path: Path, name: str, text: str) -> None:
    """Numbers between commas in a program or a sentence are left to the last ingestor."""
    path = tmp_path / name
    path.write_text(text)
    assert Dat().claim(Candidate(path, ())) is None
