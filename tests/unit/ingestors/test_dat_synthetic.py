"""Formats of which the corpus has no file: everything here was made up along the formats' descriptions."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from ingestors.api import Candidate, Extraction, UnreadableError, jsonable
from ingestors.dat import Dat, dates

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "".join(f"{index * 0.01:.4e} {100 / (1 + index):.4e} {0.1:.4e}\n" for index in range(30))
ENERGIES = range(7000, 7200, 5)


def made(
    folder: Path, content: str | bytes, name: str = "made.dat", family: str = ""
) -> tuple[Extraction, dict[str, Any]]:
    """The extraction of a file with that content, and its metadata as JSON; claimed by that family."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    claim = Dat().claim(Candidate(path))
    assert claim is not None
    assert claim.reason.startswith(family)
    found = Dat().extract(Candidate(path))
    metadata = jsonable(found.scientific_metadata)
    json.dumps(metadata, allow_nan=False)
    assert found.thumbnails
    return found, metadata


@pytest.mark.parametrize("mark", ["", "#"])
def test_bioxtas_keeps_its_header_at_the_end(tmp_path: Path, mark: str) -> None:
    """The JSON behind the points gives time, sample and everything else, with and without marks."""
    header = json.dumps(
        {
            "filename": "lys_001.dat",
            "imageHeader": {"Sample": "lysozyme", "exposure": 1.5},
            "counters": {"date": "Thu Jul 20 13:32:11 2017", "I0": 12},
        },
        indent=4,
    )
    text = (
        "### DATA:\n#\n# 30\n#          Q             I(Q)           Error\n"
        + ROWS
        + "\n### HEADER:\n#\n"
        + "\n".join(mark + line for line in header.split("\n"))
    )
    found, metadata = made(tmp_path, text, family="BioXTAS")
    assert found.attributes["measurement"] == "Small-angle X-ray scattering"
    assert found.attributes["timestamp"] == "2017-07-20T13:32:11"
    assert [sample.name for sample in found.samples] == ["lysozyme"]
    assert metadata["table"]["rows"] == 30
    assert [column["name"] for column in metadata["table"]["columns"]] == ["Q", "I(Q)", "Error"]
    assert metadata["counters"]["I0"] == 12


def test_bioxtas_without_a_first_line_is_known_by_its_end(tmp_path: Path) -> None:
    """The header's mark near the end is enough."""
    found, metadata = made(tmp_path, ROWS + "### HEADER:\n" + json.dumps({"a": 1}), family="BioXTAS")
    assert metadata["a"] == 1
    assert metadata["table"]["rows"] == 30
    assert found.warnings == ()


def test_a_broken_json_header_is_kept_as_text_with_a_warning(tmp_path: Path) -> None:
    """The points are read all the same."""
    found, metadata = made(tmp_path, "### DATA:\n# Q I(Q) Error\n" + ROWS + '### HEADER:\n{"a": 1,, "b"}')
    assert len(found.warnings) == 1
    assert '"b"' in metadata["header"]


@pytest.mark.parametrize("packed", [False, True])
def test_createc_images_are_drawn_from_their_first_channel(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 two file versions
    """Plain and deflated floats behind 16 KiB of keys."""
    across, down = 24, 16
    header = b"[Paramco32]\r\n" if packed else b"[Paramet32]\r\n"
    header += b"Titel=Ag(111) terrace\r\nNum.X / Num.X=24\r\nNum.Y / Num.Y=16\r\nBiasVolt. / BiasVolt.[mV]=100.0\r\nPSTMAFM.EXE_Date=20.04.2023 14:55:09\r\n"
    pixels = struct.pack(f"<{across * down + 1}f", 0.0, *(float(index % across) for index in range(across * down)))
    found, metadata = made(
        tmp_path, header.ljust(16384, b"\0") + (zlib.compress(pixels) if packed else pixels), family="Createc"
    )
    assert found.attributes["dataset_name"] == "Ag(111) terrace"
    assert found.attributes["measurement"] == "Scanning tunneling microscopy"
    assert found.attributes["timestamp"] == "2023-04-20T14:55:09"
    assert metadata["BiasVolt."] == {"value": 100.0, "unit": "mV"}


def test_createc_images_of_the_first_version_are_integers(tmp_path: Path) -> None:
    """Sixteen bits for each pixel, behind one that counts for nothing."""
    header = b"[Parameter]\r\nNum.X / Num.X=8\r\nNum.Y / Num.Y=6\r\n"
    pixels = struct.pack("<49h", *range(49))
    found, _ = made(tmp_path, header.ljust(16384, b"\0") + pixels, family="Createc")
    assert found.thumbnails
    assert found.attributes["measurement"] == "Scanning tunneling microscopy"


def test_a_createc_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Only as many bytes are inflated as the first channel has."""
    header = b"[Paramco32]\r\nNum.X=24\r\nNum.Y=16\r\n".ljust(16384, b"\0")
    path = tmp_path / "bomb.dat"
    path.write_bytes(header + zlib.compress(b"\0" * 50_000_000, 9))
    assert Dat().extract(Candidate(path)).attributes["data_type"] == "Createc STM file"


def test_als_beamlines_are_told_by_their_number(tmp_path: Path) -> None:
    """The facility's dates have the month first."""
    text = "Beamline 10.3.2\nDate: 3/4/2019\nTime: 2:05:06 PM\nSample: olivine\nEnergy (eV)\tI0\tI1\n"
    text += "".join(f"{energy}\t1000\t{900 if energy < 7112 else 400}\n" for energy in ENERGIES)
    found, metadata = made(tmp_path, text, family="ALS")
    assert found.attributes["instrument_name"] == "ALS beamline 10.3.2"
    assert found.attributes["timestamp"] == "2019-03-04T14:05:06"
    assert found.attributes["measurement"] == "X-ray absorption spectroscopy"
    assert [sample.name for sample in found.samples] == ["olivine"]
    assert metadata["table"]["columns"][0]["unit"] == "eV"


def test_epics_scans_have_names_in_braces(tmp_path: Path) -> None:
    """Columns P1, D1, ... are named by the label lines above them."""
    text = (
        "; Epics Scan 1 dimensional scan\n;    current scan = 1\n; scan began at time: Wed Mar 07 12:34:56 2007\n;====================\n"
        "; column labels:\n; P1 = {Energy (eV)} --> 13IDE:En:Energy.VAL\n; D1 = {I0} --> 13IDE:scaler1.S2\n; D2 = {I1} --> 13IDE:scaler1.S3\n"
        ";-----------------------------------------\n; P1 D1 D2\n"
    )
    text += "".join(f" {energy:.3f} 1000.0 {900 if energy < 7112 else 400}\n" for energy in ENERGIES)
    found, metadata = made(tmp_path, text, family="EPICS")
    assert found.attributes["timestamp"] == "2007-03-07T12:34:56"
    assert [(column["name"], column["unit"]) for column in metadata["table"]["columns"]] == [
        ("Energy", "eV"),
        ("I0", None),
        ("I1", None),
    ]
    assert metadata["channels"]["I0"] == "13IDE:scaler1.S2"


@pytest.mark.parametrize("comma", [False, True])
def test_labview_measurements_have_segments(tmp_path: Path, comma: bool) -> None:  # noqa: FBT001 the two decimal marks
    """Two headers, channels side by side, empty cells, a year-first date, either decimal mark."""
    text = (
        "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t.\nMulti_Headings\tNo\nX_Columns\tOne\nDate\t2016/08/11\n"
        "Time\t14:37:48.201000213623046875\n***End_of_Header***\t\n\t\nChannels\t2\t\t\nSamples\t5\t5\t\nY_Unit_Label\tVolts\tVolts\t\n"
        "X_Dimension\tTime\tTime\t\n***End_of_Header***\t\t\t\nX_Value\tVoltage\tOther\tComment\n"
    )
    rows = "".join(f"{index * 0.001:.6f}\t{index * 1.5:.6f}\t\t\n" for index in range(5))
    text = (
        text.replace("Decimal_Separator\t.", "Decimal_Separator\t,") + rows.replace(".", ",") if comma else text + rows
    )
    found, metadata = made(tmp_path, text, "made.lvm", "LabVIEW")
    assert found.attributes["timestamp"] == "2016-08-11T14:37:48.201000"
    table = metadata["table"]
    assert table["rows"] == 5
    assert table["columns"][0] == {"name": "X_Value", "unit": "s", "min": 0.0, "max": 0.004}
    assert table["columns"][1] == {"name": "Voltage", "unit": "Volts", "min": 0.0, "max": 6.0}


def test_eclab_names_stand_in_the_last_header_line(tmp_path: Path) -> None:
    """Units stand behind a slash; the month comes first, whatever country the computer is in."""
    text = "EC-Lab ASCII FILE\nNb header lines : 7\n\nCyclic Voltammetry\n\nAcquisition started on : 03/04/2020 10:20:30\nmode\ttime/s\tEwe/V\t<I>/mA\n"
    text += "".join(f"2\t{index}\t{index * 0.01}\t{index * 0.2}\n" for index in range(20))
    found, metadata = made(tmp_path, text, "made.mpt", "EC-Lab")
    assert found.attributes["measurement"] == "Cyclic voltammetry"
    assert found.attributes["timestamp"] == "2020-03-04T10:20:30"
    assert found.warnings == ()
    assert [(column["name"], column["unit"]) for column in metadata["table"]["columns"]][1:] == [
        ("time", "s"),
        ("Ewe", "V"),
        ("<I>", "mA"),
    ]


def test_ocean_optics_spectra_are_read(tmp_path: Path) -> None:
    """Keys, a mark, two columns, an end mark; the zone's letters that mean one zone are kept."""
    text = "SpectraSuite Data File\n++++++++\nDate: Tue Oct 11 12:12:12 CEST 2011\nSpectrometers: USB4C00212\n>>>>>Begin Processed Spectral Data<<<<<\n"
    text += (
        "".join(f"{wavelength}.50\t{wavelength * 3}.1\n" for wavelength in range(200, 260))
        + ">>>>>End Processed Spectral Data<<<<<\n"
    )
    found, metadata = made(tmp_path, text, "made.txt", "SpectraSuite")
    assert found.attributes["timestamp"] == "2011-10-11T12:12:12+02:00"
    assert found.attributes["instrument_name"] == "USB4C00212"
    assert metadata["table"]["rows"] == 60


def test_qcodes_loops_are_maps_with_labels(tmp_path: Path) -> None:
    """Names, labels and shape in comment lines, blank lines between the inner loops."""
    text = '# gate_set\tbias_set\tcurrent\n# "Gate (V)"\t"Bias (mV)"\t"Current (nA)"\n# 5\t4\n'
    text += "\n".join("".join(f"{slow}\t{fast}\t{slow * fast}\n" for fast in range(4)) for slow in range(5))
    _, metadata = made(tmp_path, text, family="QCoDeS")
    assert metadata["table"]["rows"] == 20
    assert [column["unit"] for column in metadata["table"]["columns"]] == ["V", "mV", "nA"]
    assert metadata["shape"] == [5, 4]


def test_a_snapshot_beside_bare_columns_is_qcodes(tmp_path: Path) -> None:
    """The companion tells what the file itself does not."""
    path, snapshot = tmp_path / "i_dc.dat", tmp_path / "snapshot.json"
    path.write_text("".join(f"{index}\t{index * 2}\n" for index in range(9)))
    snapshot.write_text(json.dumps({"ts": "2018-04-26 16:33:31", "station": {"dac": 1}}))
    candidate = Candidate(path, (snapshot,))
    claim = Dat().claim(candidate)
    assert claim is not None
    assert claim.reason.startswith("QCoDeS")
    found = Dat().extract(candidate)
    assert found.attributes["timestamp"] == "2018-04-26T16:33:31"
    assert found.scientific_metadata["snapshot"]["station"] == {"dac": 1}


def test_spec_times_that_contradict_each_other_give_a_warning(tmp_path: Path) -> None:
    """The date is kept without a zone, and a person is told."""
    found, _ = made(
        tmp_path,
        "#F a\n#E 1288809574\n#D Sat Nov 13 13:39:34 2010\n\n#S 1 ascan m 0 1 3 1\n#N 2\n#L m  det\n0 1\n1 2\n2 3\n",
        family="SPEC",
    )
    assert found.attributes["timestamp"] == "2010-11-13T13:39:34"
    assert "contradict" in found.warnings[0]


def test_spec_spectra_are_no_rows(tmp_path: Path) -> None:
    """The lines of a multichannel analyser, continued with backslashes, are counted but not taken for points."""
    text = "#F a\n#D Sat Nov 13 13:39:34 2010\n#S 1 ascan m 0 1 3 1\n#N 2\n#L m  det\n@A 0 1 2 3\\\n 4 5 6 7\\\n 8 9\n0 1\n@A 0 1 2 3\\\n 4 5\n1 2\n2 5\n"
    _, metadata = made(tmp_path, text, family="SPEC")
    assert metadata["table"]["rows"] == 3
    assert metadata["scans"][0]["spectra"] == 2


def test_a_spec_file_without_a_scan_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """The next ingestor takes the file."""
    path = tmp_path / "new.dat"
    path.write_text("#F new.dat\n#E 1288809574\n#D Wed Nov 03 13:39:34 2010\n#C nothing yet  User = me\n")
    with pytest.raises(UnreadableError, match="no scan"):
        Dat().extract(Candidate(path))


def test_an_unknown_table_keeps_header_units_and_time(tmp_path: Path) -> None:
    """Keys, names with units, a date that cannot be misunderstood, the sample and the instrument."""
    text = (
        "Instrument: Setup 7\nSample: GaAs #3\nDate: 2021-05-06 07:08:09\nPower: 1.5 mW\n\nTime (s);Voltage (mV)\n"
        + "".join(f"{index};{index * index / 7:.3f}\n" for index in range(40))
    )
    found, metadata = made(tmp_path, text, "made.csv", "text table")
    assert found.attributes["instrument_name"] == "Setup 7"
    assert found.attributes["timestamp"] == "2021-05-06T07:08:09"
    assert [sample.name for sample in found.samples] == ["GaAs #3"]
    assert metadata["Power"] == {"value": 1.5, "unit": "mW"}
    assert [(column["name"], column["unit"]) for column in metadata["table"]["columns"]] == [
        ("Time", "s"),
        ("Voltage", "mV"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_windows_programs_are_read(tmp_path: Path, encoding: str) -> None:
    """Units with Greek letters survive byte order marks, wide characters and the Windows code page."""
    text = "Position (µm)\tSignal (°)\r\n" + "".join(f"{index},5\t{index * 2},25\r\n" for index in range(30))
    _, metadata = made(tmp_path, text.encode(encoding), "made.txt", "text table")
    assert [column["unit"] for column in metadata["table"]["columns"]] == ["µm", "°"]
    assert metadata["table"]["columns"][1]["max"] == 58.25


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (dates.parse("02/11/2016 4:32 pm", dates.US), "2016-02-11T16:32:00"),
        (dates.parse("1/01/2000 0:00:00 AM", dates.US), "2000-01-01T00:00:00"),
        (dates.parse("04.08.2015 08:49:41", dates.EUROPEAN), "2015-08-04T08:49:41"),
        (dates.parse("19/04/30", dates.YEAR_FIRST), "2019-04-30"),
        (dates.parse("09-Jul-15 23:23:37", dates.DAY_MONTH_NAME), "2015-07-09T23:23:37"),
        (dates.ctime("Tue Jul  9 15:35:15 2019 CDT"), "2019-07-09T15:35:15-05:00"),
        (dates.worded("24-Feb-1999 17:53:42"), "1999-02-24T17:53:42"),
        (dates.worded("05-Mar-14 11:22"), "2014-03-05T11:22:00"),
        (dates.worded("Wednesday, March 04, 2015 12:11:12 AM"), "2015-03-04T00:11:12"),
        (dates.worded("2009 Oct 11"), "2009-10-11"),
        (dates.worded("11. Okt. 2009 16:31:57,25"), "2009-10-11T16:31:57.250000"),
        (dates.worded("11 May 2021 10:00 +0200"), "2021-05-11T10:00:00+02:00"),
        (dates.iso("2023-08-24T14:19:47Z"), "2023-08-24T14:19:47+00:00"),
        (dates.iso("2023-08-24 14:19:47.25"), "2023-08-24T14:19:47.250000"),
        (dates.undecided("2/13/2018 10:11:12"), "2018-02-13T10:11:12"),
        (dates.undecided("13/2/2018"), "2018-02-13"),
        (dates.epoch(1288809574), "2010-11-03T18:39:34+00:00"),
        (dates.zoned(dates.ctime("Wed Nov 03 13:39:34 2010"), 1288809574), "2010-11-03T13:39:34-05:00"),
    ],
)
def test_times_are_read_in_the_order_of_their_format(moment: dates.Moment, expected: str) -> None:
    """What the format fixes is read without a warning."""
    assert moment.iso == expected
    assert moment.warnings == ()


@pytest.mark.parametrize(
    "moment",
    [
        dates.parse("02/29/15 1:00 pm", dates.US),
        dates.undecided("2/3/2018"),
        dates.undecided("5/11/2016 17:47:03"),
        dates.iso("2019-02-30T10:00:00"),
        dates.parse("1/1/1904", dates.US),
        dates.epoch(float("nan")),
        dates.epoch(1e30),
        dates.ctime("yesterday"),
        dates.worded("31 Feb 2021 10:00"),
    ],
)
def test_impossible_and_undecidable_times_are_not_guessed(moment: dates.Moment) -> None:
    """There is no time and one warning."""
    assert moment.iso == ""
    assert len(moment.warnings) == 1


@pytest.mark.parametrize("moment", [dates.parse("", dates.US), dates.iso(" "), dates.undecided('""')])
def test_a_blank_time_is_none_and_no_reason_to_warn(moment: dates.Moment) -> None:
    """Most fields of a header are empty."""
    assert moment == dates.NEVER


@pytest.mark.parametrize(
    "first",
    [
        "# Messung als Test",
        "# ASCII data exported by a program",
        "# Q-factor and R of a resonator",
        "# Experiment 7",
        "# time  scan = 3",
    ],
)
def test_words_in_a_header_do_not_make_a_family(tmp_path: Path, first: str) -> None:
    """A tell-tale is a format's own line, not a word that any header may hold."""
    made(
        tmp_path,
        f"{first}\n# a  b  c  d\n" + "".join(f"{index} {index * 2} {index * 3} 4.5\n" for index in range(20)),
        family="text table",
    )


def test_the_letters_of_several_zones_are_told_and_not_guessed() -> None:
    """CST is a zone of America and one of China: the time is kept without it, with a sentence."""
    moment = dates.ctime("Mon Jan 05 10:00:00 CST 2015")
    assert moment.iso == "2015-01-05T10:00:00"
    assert "CST" in moment.warnings[0]
