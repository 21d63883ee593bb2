from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestors.api import Candidate, UnreadableError, jsonable
from ingestors.dat import Dat
from ingestors.dat.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
SMALL = tuple(
    path
    for folder in ("dat", "other")
    for path in sorted((CORPUS / folder).glob("*/*"))
    if path.suffix in {".dat", ".DAT", ".ng5", "", ".dta", ".csv", ".asc", ".txt", ".vms"}
    and path.name != "drs4_test.dat"
)
MADE = tuple(sorted((CORPUS.parent / "made" / "text").iterdir()))
KEPT = 12_000  # bytes of each file that are mutated: headers and the first rows


def read(data: bytes, path: Path) -> None:
    """Claim and read; what is refused is refused with a sentence, what is read is JSON."""
    path.write_bytes(data)
    if Dat().claim(Candidate(path)) is None:
        return
    try:
        found = Dat().extract(Candidate(path))
    except UnreadableError as error:
        if not str(error).endswith("."):
            pytest.fail(f"no sentence: {error}")
        return
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    assert all(isinstance(value, str) and value for value in found.attributes.values())


def cut(data: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """The file as it is while it is written: its beginning."""
    return data[: draw(st.integers(0, len(data)))]


def flipped(data: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """Up to eight bytes changed."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 8))):
        changed[draw(st.integers(0, len(data) - 1))] = draw(st.sampled_from(b"\x00\xff\t\n ,;=:#-.9eE[]{}\"'"))
    return bytes(changed)


def thinned(data: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """Some lines missing, some twice."""
    lines = data.split(b"\n")
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = [] if draw(st.booleans()) and len(lines) > 1 else [lines[at]] * 2
    return b"\n".join(lines)


@pytest.mark.parametrize("mutation", [cut, flipped, thinned])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_broken_files_are_read_or_refused_with_a_sentence(
    tmp_path: Path, mutation: Callable[[bytes, Callable[[st.SearchStrategy[int]], int]], bytes], data: st.DataObject
) -> None:
    """Cut, flipped or thinned, no file makes the ingestor fail in any other way."""
    path = data.draw(st.sampled_from(SMALL + MADE))
    with path.open("rb") as stream:
        head = stream.read(KEPT)
    read(mutation(head, data.draw), tmp_path / f"broken{path.suffix}")


@pytest.mark.parametrize("path", SMALL, ids=[path.name for path in SMALL])
def test_files_cut_anywhere_in_their_header_are_read_or_refused(tmp_path: Path, path: Path) -> None:
    """A file that is still being written has any of these beginnings."""
    with path.open("rb") as stream:
        lines = stream.read(KEPT).split(b"\n")
    for count in sorted({1, 2, 3, 4, 5, *range(6, len(lines), 17)}):
        read(b"\n".join(lines[:count]), tmp_path / path.name)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opening=st.sampled_from(
        [
            "#F a.dat\n#E 1\n#S 1 ascan\n", "# XDI/1.0\n# Column.1: e eV\n", "[Header]\nBYAPP,ACMS\n[Data]\n", "Experiment\tx\n[DATA]\n",
            "#Procedure: <a.B>\n#Data:\n", "# scan = 1\n# col_headers =\n", "'a' 'Jan  1 2000 00:00'\n Filename Date\n", f"{'R' * 40}\nINSTR: a\nDATA_:\n",
            "XDAC V1.4\n\n" + "-" * 30 + "\n", "SSRL a Data Collector\nData:\n", "# CLS Data Acquisition\n#(1)\n", "# 1-D Scan File created\n", "; Epics Scan 1 dimensional scan\n",
            "# Facility: a\n# Beamline: b\n", "ALS beamline 10.3.2\n", "#S Scan 1; e\n#C 1_a 2_b\n", "#----\n# k chi\n", "# == pyFAI calibration ==\n", "### DATA:\n### HEADER:\n",
            "ASCII data\n", "# _a  Foxtrot\n", "Lag time g2\n", "Q R dR\n", "=====\n System property Ver1\n=====\n", "a\nVASEmethod[a=b]\nnm\n", "//Exported ASCII-File\n[Data]\n",
            "PE UV A B ASCII\n#DATA\n", "[Info]\nNumber of Regions=1\n[Region 1]\n[Data 1]\n", "EXPLAIN\nTAG\tCV\nCURVE\tTABLE\n", "EC-Lab ASCII FILE\nNb header lines : 3\n",
            "LabVIEW Measurement\nSeparator\tTab\n***End_of_Header***\n", "NIST/ITL StRD\nData: y x\n", "SpectraSuite Data File\n>>>>>Begin\n", '# a\tb\n# "a"\t"b"\n# 3\n', "[Paramco32]\nNum.X=3\nNum.Y=3\n",
            "_FILEVERSION=2\n_DRIVE='COUPLED'\n_START=1\n_STEPSIZE=1\n_COUNTS\n", '*RAS_DATA_START\n*RAS_HEADER_START\n*MEAS_SCAN_UNIT_X "deg"\n', "*TYPE = Raw\n*START = 1\n*STEP = 1\n*BEGIN\n",
            "##TITLE=a\n##JCAMP-DX=5\n##XYDATA=(X++(Y..Y))\n", "##TITLE=a\n##JCAMP-DX=5\n##PEAK TABLE=(XY..XY)\n", "data_a\nloop_\n_pd_meas_2theta_scan\n_pd_meas_counts\n", "t\nBANK 1 9 3 CONST 1 1 0 0 ESD\n", "t\nBANK 1 9 3 SLOG 1 1 0 0 FXYE\n",
            "&SRS\n&END\na\tb\n", "  9809 KEK BL\n\n\n Angle(c) Angle(o) time/s 1\n Mode\n Offset\n", "# GHz S MA R 50\n", "<<PMCA SPECTRUM>>\n<<DATA>>\n", "$SPEC_ID:\na\n$DATA:\n0 3\n", "# # ORSO reflectivity data file | 1\n# columns:\n",
            "TITLE\ta\nXUNITS\tnm\nXYDATA\n", "a\n1 1 20\n", "SIETRONICS XRD SCAN\n1\n2\n0.1\nCu\nSCANDATA\n", "EC-LAB SETTING FILE\n\nTechnique : 1\nOCV\n", 'Id: "a" Anode: "Cu"\n', "#Acq. time (s)=\t1\n", "[Measurement conditions]\n",
            "#FORMAT : EMSA/MAS\n#DATATYPE : XY\n#NPOINTS : 3\n#SPECTRUM :\n", "A004\nA004 1 2 3\nA004\nA004\n", "#DESC\t1.2\nXPTS\t3\n", "DOS Format\nJSS 0\nGST 1\n",
            "~V\nVERS. 1.2:\nWRAP. YES:\n~C\nA.M:\nB.M:\n~A\n", "BEGIN IONS\nTITLE=a\n", "Name: a\nNum Peaks: 3\n", "Cycle 0:a\nPosition\t1\nK.E.\tCounts\n",
            "X,CH1,Start,Increment,\nSequence,Volt,-1,1e-3\n", "PositionType  Application  Sample name  Date\nA-1  Quant  a  b  2021- 1- 2 10:11\n", "SampleIdent,a,/\nDataAngleRange,1,2,/\nRawScan\n",
            "<Application>\nName=VersaStudio\n</Application>\n<Segment1>\nDefinition=a, b\n", "#PicoHarp 300 Histogram\n#ns/channel\n1\n#counts\n", "t\n1 1 CN Cu 1.5 9 9\n",
            "ZAHNER\n", "ZPLOT2 ASCII\n", '"header",3,"lines"\n',
        ]
    ),
    rest=st.text(st.characters(codec="utf-8"), max_size=80) | st.lists(st.lists(st.floats().map(str) | st.text("ab#=:, ", max_size=5), max_size=5).map(" ".join), max_size=8).map("\n".join),
)  # fmt: skip
def test_a_tell_tale_followed_by_anything_is_read_or_refused(tmp_path: Path, opening: str, rest: str) -> None:
    """The first lines of a family promise nothing about what follows."""
    read((opening + rest).encode(), tmp_path / "anything.dat")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "blank"),
        (b"\x00\x01\x02" * 100, "binary"),
        (b"1 2 3\n" * 10 + b"\x00" * 500 + b"4 5 6\n" * 10, "binary in between"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "OLE2"),
        (b"PK\x03\x04" + b"\x14\x00" * 50, "zip"),
        (b'{"a": [1, 2, 3]}', "JSON"),
        (b'[\n  {"a": 1},\n  {"a": 2}\n]', "a list in JSON"),
        (b"<?xml version='1.0'?><a>1 2 3</a>", "XML"),
        (b"<html><body>1 2\n3 4\n</body></html>", "HTML"),
        (b"Dear colleague,\n\nthe sample of 3 May is in box 7.\nPlease measure it at 300 K.\n\nYours\n", "prose"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_no_table_is_declined(tmp_path: Path, data: bytes, why: str) -> None:
    """The fallback takes those files."""
    path = tmp_path / "file.dat"
    path.write_bytes(data)
    assert Dat().claim(Candidate(path)) is None, why
    with pytest.raises(UnreadableError):
        Dat().extract(Candidate(path))


def test_the_names_of_the_families_are_unique() -> None:
    """Reasons and documentation refer to them."""
    names = [family.name for family in FAMILIES]
    assert len(names) == len(set(names))


def test_a_large_table_is_claimed_from_its_head_and_read_in_time(tmp_path: Path) -> None:
    """Twenty megabytes of rows take a second or so, and a claim looks at the beginning only."""
    path = tmp_path / "large.dat"
    path.write_text(
        "# time (s)  signal (V)\n" + "".join(f"{index * 0.1:.4f} {index % 97 * 0.01:.6f}\n" for index in range(300_000))
    )
    assert Dat().claim(Candidate(path)) is not None
    table = Dat().extract(Candidate(path)).scientific_metadata["table"]
    assert table["rows"] == 300_000
    assert table["columns"][0]["unit"] == "s"
