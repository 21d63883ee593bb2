from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingestors import headers
from ingestors.api import Candidate, Quantity, UnreadableError, jsonable
from ingestors.dat import Dat, dates
from ingestors.dat.asdf import PackedError, unpacked
from ingestors.dat.methods import named
from ingestors.textvalues import complex_of, is_complex, value_of
from ingestors.titles import names_above

if TYPE_CHECKING:
    from pathlib import Path

VAMAS = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
_POSITIVE = " JKLMNOPQR"
_SQUEEZED = "@ABCDEFGHI"


def packed(values: list[int]) -> str:
    """The values as JCAMP-DX packs them: the first one squeezed, the others as differences."""

    def digit(number: int, table: str, zero: str) -> str:
        if number == 0:
            return zero
        first, rest = str(abs(number))[0], str(abs(number))[1:]
        letter = table[int(first)]
        return (letter if number > 0 else letter.lower()) + rest

    differences = [digit(later - before, _POSITIVE, "%") for before, later in itertools.pairwise(values)]
    return digit(values[0], _SQUEEZED, "@") + "".join(differences)


@settings(deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60), st.integers(2, 9))
def test_packed_numbers_come_back(values: list[int], width: int) -> None:
    """What is squeezed and differenced, line by line with the check value, is unpacked to the same numbers."""
    lines = [f"{at}{packed(values[max(0, at - 1) : at + width])}" for at in range(0, len(values), width)]
    assume(set("".join(lines)) & set("ABCDFGHIJKLMNOPQR@%abcdfghijklmnopqr"))  # E alone may be an exponent
    _, found, wrong = unpacked(lines)
    assert found.tolist() == values
    assert wrong == 0


@pytest.mark.parametrize(
    "line", ["400+1+2+3+3+2+1+0-1-2-3", "400ABCCBA@abc", "400AJJ%jjjjjj", "400AJT%jX", "400 1 2 3 3 2 1 0 -1 -2 -3"]
)
def test_all_forms_of_packing_say_the_same(line: str) -> None:
    """The example of the standard: plain, squeezed, differences, repetitions."""
    heads, values, _ = unpacked([line])
    assert heads.tolist() == [400]
    assert values.tolist() == [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]


@pytest.mark.parametrize("lines", [["0J"], ["0S5"], ["0AZ999999999"]])
def test_packed_numbers_without_a_beginning_or_without_end_are_refused(lines: list[str]) -> None:
    """A difference or repetition of nothing, and more repetitions than any spectrum has."""
    with pytest.raises(PackedError):
        unpacked(lines)


@pytest.mark.parametrize(
    ("lines", "delimiter", "expected"),
    [
        (["[One]", "x = 1", "[Two]", "x = 2"], None, {"One": {"x": 1}, "Two": {"x": 2}}),
        (["Temperature,300,K", "Sample,Fe"], ",", {"Temperature": Quantity(300, "K"), "Sample": "Fe"}),
        (['Id: "a" Comment: "b: c"'], None, {"Id": "a", "Comment": "b: c"}),
        (['*KEY_ONE "10"', '*KEY_ONE_UNIT "kV"'], None, {"KEY_ONE": Quantity(10, "kV")}),
        (["Full time (mm:ss) = 0:22"], None, {"Full time (mm:ss)": "0:22"}),
        (["#DATE/TIME:;29.06.2020 15:33"], ";", {"DATE/TIME": "29.06.2020 15:33"}),
        (["Measured by Smith, see the log"], ",", {}),
        (["May 5, 2019   12:03:07"], ",", {}),
        (["Instrument          Cary 5000"], None, {"Instrument": "Cary 5000"}),
        (["Laser = 532.09nm", "Filter: 10%", "Run: 3A"], None, {"Laser": Quantity(532.09, "nm"), "Filter": Quantity(10, "%"), "Run": "3A"}),
    ],
)  # fmt: skip
def test_header_lines_become_fields(lines: list[str], delimiter: str | None, expected: dict[str, Any]) -> None:
    """Pairs in every spelling, in their sections, with their units; sentences and dates are none."""
    assert headers.read(lines, delimiter)[0] == expected


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from([None, ",", ";", "\t"]))
def test_any_line_is_a_field_or_a_remark(line: str, delimiter: str | None) -> None:
    """No line of a header raises, and none with a letter in it is lost."""
    fields, remarks = headers.read([line], delimiter)
    headers.flat(fields)
    if any(letter.isalpha() for letter in line) and "[" not in line:
        assert fields or remarks


def test_names_of_columns_are_taken_from_a_list_in_the_header() -> None:
    """`Sig1 = Time (min)` and `X-axis label` name columns that have no titles above them."""
    assert headers.listed_names({"Sig1": "Time (min)", "Sig2": "T"}, 2) == ["Time (min)", "T"]
    assert headers.listed_names({"XAxis": "q", "YAxis": "I"}, 2) == ["q", "I"]
    assert headers.listed_names({"Sig1": "Time"}, 2) is None


@pytest.mark.parametrize(
    ("lines", "count", "delimiter", "names", "units"),
    [
        (["Sample A,,Sample B,", "nm,cps,nm,cps"], 4, ",", ["Sample A", "Sample A", "Sample B", "Sample B"], ["nm", "cps", "nm", "cps"]),
        (["One,,Two,", "nm,%T,nm,%T"], 4, ",", ["nm (One)", "%T (One)", "nm (Two)", "%T (Two)"], [None] * 4),
        (['"TIME","T","RH"', '"s","Deg C","%"', '"","Avg","Smp"'], 3, ",", ["TIME", "T", "RH"], ["s", "Deg C", "%"]),
        (["x-axis,1,2", "second,Volt,Volt"], 3, ",", ["x-axis", "1", "2"], ["second", "Volt", "Volt"]),
        (["Repeats,1"], 2, ",", None, None),
        (["\t300\t310\t320"], 4, "\t", None, None),
    ],
)  # fmt: skip
def test_titles_stand_in_one_to_three_lines(
    lines: list[str], count: int, delimiter: str, names: list[str] | None, units: list[str | None] | None
) -> None:
    """Names, units, remarks, and one title above several columns; a key with its value is no title."""
    found = names_above(lines, count, delimiter)
    if names is None and "300" in lines[0]:
        assert found is not None
        assert found[0] == ["", "300", "310", "320"]
    elif names is None:
        assert found is None
    else:
        assert found == (names, units)


@pytest.mark.parametrize("text", ["1.5+2j", "(1.5+2j)", "1.5 + 2i", "1.5e0+20e-1j"])
def test_complex_numbers_are_read(text: str) -> None:
    """With `i` or `j`, in brackets or not."""
    assert is_complex(text)
    assert complex_of(text) == 1.5 + 2j


@pytest.mark.parametrize("text", ["1.5", "hi", "", "j", "1+j2", "1-2-3"])
def test_other_cells_are_no_complex_numbers(text: str) -> None:
    """Numbers, words and dates."""
    assert not is_complex(text)


def test_a_decimal_comma_of_the_file_holds_for_its_header() -> None:
    """`35,000` is 35 where the rows have decimal commas, and stays text where a comma may part thousands."""
    assert value_of("35,000", decimal_comma=True) == 35.0
    assert value_of("35,000") == "35,000"


@pytest.mark.parametrize("text", ["19/03/14", "31/12/05", "3/4/2019"])
def test_a_date_that_could_be_two_things_is_kept_as_text(text: str) -> None:
    """Day, month or year first: nothing decides it, so a person is told."""
    moment = dates.undecided(text)
    assert moment.iso == ""
    assert text in moment.warnings[0]


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("XRD of film 3", "X-ray diffraction"), ("GISAXS run", "Grazing-incidence small-angle X-ray scattering"), ("ups and downs", "Ultraviolet photoelectron spectroscopy"),
        ("Cyclic Voltammetry", "Cyclic voltammetry"), ("sandals", ""), ("", ""), ("FTIR ATR", "Infrared spectroscopy"),
    ],
)  # fmt: skip
def test_methods_are_told_by_whole_words(text: str, method: str) -> None:
    """`sans` in `sandals` is no neutron scattering."""
    assert named(text) == method


def vamas(mode: str, scan: str, block: list[str]) -> str:
    """A VAMAS file of one block in that mode."""
    regions = ["1"] if mode in {"MAP", "MAPDP", "NORM", "SDP"} else []
    positions = ["4", "2", "2"] if mode in {"MAP", "MAPDP"} else []
    top = [
        VAMAS,
        "here",
        "an instrument",
        "me",
        "an experiment",
        "0",
        mode,
        scan,
        *regions,
        *positions,
        "0",
        "0",
        "0",
        "0",
        "0",
        "1",
    ]
    return "\n".join([*top, *block, "end of experiment"]) + "\n"


def block(mode: str, scan: str) -> list[str]:
    """One block with three points; of an irregular scan with their energies."""
    found = ["first", "a sample", "2020", "2", "3", "4", "5", "6", "1", "0", "XPS"]
    found += ["0.5", "1.5"] if mode in {"MAP", "MAPDP"} else []
    found += ["Al"] + (["18", "1", "1"] if mode in {"MAPDP", "SDP", "SDPSV"} else []) + ["1486.6", "300", "100", "100"]
    found += ["500", "400"] if mode in {"MAP", "MAPDP", "MAPSV", "SEM"} else []
    found += ["0"] * 6 if mode in {"MAPSV", "SEM"} else []
    found += ["54", "0", "FAT", "20", "1", "4.5", "0", "0", "0", "0", "0", "O 1s", "", "-1"]
    found += ["kinetic energy", "eV", "950", "0.5"] if scan == "REGULAR" else []
    found += ["1", "counts", "d"] if scan == "REGULAR" else ["2", "kinetic energy", "eV", "counts", "d"]
    found += ["pulse counting", "0.1", "1", "0"]
    found += ["2000", "1", "0", "0", "45", "0", "continuous"] if mode in {"MAPDP", "SDP", "SDPSV"} else []
    found += ["0", "0", "0", "0"]
    return [
        *found,
        *(
            ["3", "10", "30", "10", "20", "30"]
            if scan == "REGULAR"
            else ["6", "950", "953", "10", "30", "950", "10", "951", "20", "953", "30"]
        ),
    ]


@pytest.mark.parametrize("mode", ["NORM", "MAP", "MAPDP", "MAPSV", "SDP", "SDPSV", "SEM", "NOEXP"])
@pytest.mark.parametrize("scan", ["REGULAR", "IRREGULAR"])
def test_vamas_is_read_in_every_mode(tmp_path: Path, mode: str, scan: str) -> None:
    """Which lines a block has depends on the mode; the points come out of each."""
    path = tmp_path / "made.vms"
    path.write_text(vamas(mode, scan, block(mode, scan)))
    found = Dat().extract(Candidate(path))
    metadata = jsonable(found.scientific_metadata)
    energy, counts = metadata["table"]["columns"]
    assert (energy["name"], energy["unit"], energy["min"], energy["max"]) == (
        "kinetic energy",
        "eV",
        950.0,
        951.0 if scan == "REGULAR" else 953.0,
    )
    assert (counts["min"], counts["max"]) == (10.0, 30.0)
    assert found.attributes["timestamp"] == "2020-02-03T04:05:06+01:00"
    assert found.attributes["measurement"] == "X-ray photoelectron spectroscopy"


def test_vamas_without_a_list_of_left_out_parameters_only(tmp_path: Path) -> None:
    """Such a list is refused with a sentence instead of reading lines at wrong places."""
    path = tmp_path / "made.vms"
    text = vamas("NORM", "REGULAR", block("NORM", "REGULAR")).split("\n")
    text[10] = "2"
    path.write_text("\n".join(text))
    with pytest.raises(UnreadableError, match="leaves parameters out"):
        Dat().extract(Candidate(path))


def test_a_text_without_end_of_line_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A sparse file of four gigabytes without one line feed costs nothing."""
    path = tmp_path / "endless.dat"
    with path.open("wb") as stream:
        stream.write(b"1 2 3 4 5 6 7 8 " * 1_100_000)
        stream.truncate(4 * 1024**3)
    with pytest.raises(UnreadableError, match="first line"):
        Dat().extract(Candidate(path))


def test_settings_without_a_table_are_read(tmp_path: Path) -> None:
    """Keys and values in sections; prose and sources are left to others."""
    path = tmp_path / "made_settings.ini"
    path.write_text("[Laser]\nPower (mW) = 12.5\nWavelength = 532 nm\n[Stage]\nx = 1\ny = 2\n")
    assert Dat().claim(Candidate(path)) is not None
    found = Dat().extract(Candidate(path))
    assert found.scientific_metadata["Laser"]["Power"] == Quantity(12.5, "mW")
    path = tmp_path / "script.py"
    path.write_text("a = 1\nb = 2\nc = 3\nd = 4\n")
    assert Dat().claim(Candidate(path)) is None


def test_a_matrix_is_told_with_its_extremes(tmp_path: Path) -> None:
    """Many nameless columns are one image."""
    path = tmp_path / "image.txt"
    grid = np.arange(200.0).reshape(10, 20)
    path.write_text("\n".join(" ".join(f"{value:g}" for value in row) for row in grid) + "\n")
    metadata = Dat().extract(Candidate(path)).scientific_metadata
    assert metadata["matrix"] == {"rows": 10, "columns": 20, "min": 0.0, "max": 199.0}
