from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestors import tables, textfile
from ingestors.api import Quantity
from ingestors.lines import Lines
from ingestors.tables import NotATableError, described, names_and_units, numbers, pairs, read, value_of
from ingestors.textfile import NotTextError, decode, lines_of, read_text
from ingestors.units import looks_like_unit, split_title

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = ("\t", ",", ";", " ", "   ", " \t ")
COMMENTS = ("# ", "; ", "% ", "! ", "// ", "#")
FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@dataclass(frozen=True)
class Written:
    """A table as some program would write it, and what it holds."""

    data: bytes
    values: list[list[float]]
    names: list[str]


def number(value: float, form: str, *, comma: bool) -> str:
    """The value in one of the forms that programs use."""
    text = format(value, form)
    if form.endswith("D"):
        text = format(value, ".12E").replace("E", "D")
    return text.replace(".", ",") if comma else text


@st.composite
def written(draw: st.DrawFn) -> Written:
    """Any table of two to five columns, with any delimiter, decimal mark, encoding, line end and header."""
    columns = draw(st.integers(2, 5))
    values = draw(st.lists(st.lists(FINITE, min_size=columns, max_size=columns), min_size=4, max_size=30))
    comma = draw(st.booleans())
    delimiter = draw(st.sampled_from([mark for mark in DELIMITERS if not (comma and mark == ",")]))
    form = draw(st.sampled_from([".12e", ".12E", ".6f"]))
    fortran = form == ".12E" and draw(st.booleans())
    values = [[float(format(value, form)) for value in row] for row in values]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    names = [f"name{index}" for index in range(columns)]
    mark = draw(st.sampled_from(COMMENTS))
    header = draw(
        st.sampled_from([[], [f"{mark}a remark on this sample"], [f"{mark}remark", mark + delimiter.join(names)]])
    )
    rows = [delimiter.join(number(value, form, comma=comma) for value in row) for row in values]
    if fortran:
        rows = [row.replace("E", "D") for row in rows]
    text = end.join([*header, *rows]) + draw(st.sampled_from(["", end, end + end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
    return Written(text.encode(encoding), values, names if len(header) == 2 else [])


@settings(deadline=None, max_examples=250)
@given(written())
def test_what_any_program_writes_reads_back_equal(case: Written) -> None:
    """Every delimiter, decimal mark, exponent, encoding, line end and header gives the same numbers and names."""
    found = read(decode(case.data))
    assert len(found.tables) == 1
    read_back = np.column_stack([column.values for column in found.tables[0].columns])
    np.testing.assert_allclose(read_back, np.array(case.values), rtol=1e-12)
    if case.names:
        assert [column.name for column in found.tables[0].columns] == case.names
    assert not found.warnings


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=400)
    | st.text(alphabet="0123456789.,;\t \n\r-+eEdDnaNI#%'\"[]()/:=ab", max_size=300).map(str.encode)
)
def test_arbitrary_bytes_give_a_table_or_a_declared_error(data: bytes) -> None:
    """Whatever the bytes are, the answer is a text taken apart or one of the two declared errors."""
    try:
        found = read(decode(data))
    except (NotTextError, NotATableError):
        return
    assert found.tables
    for table in found.tables:
        assert {len(column.values) for column in table.columns} == {table.rows}
        assert table.rows >= 1


def test_a_million_rows_are_read_in_about_a_second() -> None:
    """A clean table of 10^6 rows takes the bulk path (the bound is wide: the machine may be busy)."""
    text = "".join(f"{index * 0.01:.2f}\t{index % 977}.5\n" for index in range(1_000_000))
    start = time.perf_counter()
    found = read(text)
    assert found.tables[0].rows == 1_000_000
    assert time.perf_counter() - start < 6


@pytest.mark.parametrize(
    "text",
    [
        "1" * 2_000_000,
        "1 " * 1_000_000,
        '"' * 1_000_000,
        ":" * 200_000 + "\n1 2\n",
        "1 2\n1 2 3\n" * 20_000,
        "a: b  c: d\n" * 40_000,
    ],
    ids=["digits", "one line", "quotes", "colons", "alternating", "pairs"],
)
def test_hostile_texts_are_answered_quickly(text: str) -> None:
    """No text makes the reader quadratic."""
    start = time.perf_counter()
    with contextlib.suppress(NotATableError):
        assert read(text).tables
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_lines_end_in_every_way(end: str) -> None:
    """LF, CRLF, CR and the CR CR LF of twice converted files end a line; the last end makes no line of its own."""
    assert lines_of(f"a{end}{end}b\u2028c{end}") == ["a", "", "b\u2028c"]


def test_mixed_line_ends_are_line_ends() -> None:
    """One file may use all three ends."""
    assert lines_of("a\nb\r\nc\rd") == ["a", "b", "c", "d"]


@given(st.text(alphabet="ab\r\n1 µ\U0001f600", max_size=60), st.integers(-9, 9), st.integers(-9, 9))
def test_lines_are_the_same_with_and_without_a_list(text: str, first: int, last: int) -> None:
    """The lines that are cut out when asked for are those of the list: each of them, their number, and any slice."""
    listed, lazy = lines_of(text), Lines(text)
    assert list(lazy) == listed
    assert len(lazy) == len(listed)
    assert lazy[first:last] == listed[first:last]
    assert lazy[:: abs(last) + 1] == listed[:: abs(last) + 1]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("1 µm".encode(), "utf-8"),
        ("1 µm".encode("utf-8-sig"), "utf-8"),
        ("1 µm".encode("utf-16"), "utf-16-le"),
        ("1 µm and more letters".encode("utf-16-be"), "utf-16-be"),
        ("1 µm".encode("cp1252"), "cp1252"),
        (b"1 \xb5m \x81", "latin-1"),
    ],
)
def test_encodings_are_told_apart(data: bytes, encoding: str) -> None:
    """Marks, the NUL pattern of UTF-16, UTF-8, and the 8-bit pages give the same text."""
    found = decode(data)
    assert found.encoding == encoding
    assert found.text.startswith("1 µm")


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"DRS2TIME\x00\x01", b"\x01\x02\x03\x04" * 9, b"\xff\xfe\x00\xd8" * 40]
)
def test_binary_is_no_text(data: bytes) -> None:
    """NULs and control characters make a file binary."""
    with pytest.raises(NotTextError):
        decode(data)


def test_reserved_space_at_the_end_is_left_out() -> None:
    """A file of its final size with zeros at its end is read up to there, with a warning."""
    found = decode(b"1 2\n3 4\n" + bytes(100))
    assert found.text == "1 2\n3 4\n"
    assert "100 zero bytes" in found.warnings[0]


def test_a_long_file_is_cut_at_a_line(tmp_path: Path) -> None:
    """The limit keeps whole lines and says that the file goes on."""
    path = tmp_path / "long.txt"
    path.write_bytes(b"12 34\n" * 1000)
    found = read_text(path, limit=100)
    assert found.text == "12 34\n" * 16
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-1.5e-3", -0.0015),
        ("1.0D+00", 1.0),
        ("1,5", 1.5),
        ("0,123", 0.123),
        ("1,234", "1,234"),
        ("00218", "00218"),
        ("5.0 K", Quantity(5.0, "K")),
        ("5,5 mT", Quantity(5.5, "mT")),
        ("8.7e-02, 8.3e-02 m", Quantity([0.087, 0.083], "m")),
        ("TRUE", True),
        ("yes", "yes"),
        ("08/24/23", "08/24/23"),
        ("12:00:00", "12:00:00"),
        ("3 apples", "3 apples"),
        ("", ""),
    ],
)
def test_values_are_typed_without_guessing(text: str, value: Any) -> None:
    """Numbers and quantities become values; dates, serial numbers and what is ambiguous stay text."""
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_headers_of_every_style_give_pairs() -> None:
    """Colon, equals sign and tab part keys from values, behind comment marks or not."""
    lines = [
        "# Sample: Au 111",
        "; gain = 3",
        "Bias (V)\t0.5\t",
        "Scan speed [nm/s]: 20",
        "// user:jane",
        "Note:",
        "just prose",
        "12:30:00",
    ]
    assert pairs(lines) == {
        "Sample": "Au 111",
        "gain": 3,
        "Bias": Quantity(0.5, "V"),
        "Scan speed": Quantity(20, "nm/s"),
        "user": "jane",
    }


def test_several_pairs_may_share_a_line_and_keys_may_come_again() -> None:
    """Two blanks part pairs on one line; the same key with another value makes a list."""
    assert pairs(["# Tilt: 0.5 deg  Rotation: 2 deg", "a = 1", "a = 2", "a = 1"]) == {
        "Tilt": Quantity(0.5, "deg"),
        "Rotation": Quantity(2, "deg"),
        "a": [1, 2],
    }


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Temperature (K)", ("Temperature", "K")),
        ("Q [1/A]", ("Q", "1/A")),
        ("Energy / eV", ("Energy", "eV")),
        ("2th_deg", ("2th", "deg")),
        ("q_A^-1", ("q", "A^-1")),
        ("q_nm^-1", ("q", "nm^-1")),
        ("r_mm", ("r", "mm")),
        ("dq(FWHM, 1/A)", ("dq (FWHM)", "1/A")),
        ("dRef (SD)", ("dRef (SD)", None)),
        ("I(Qx,Qy)", ("I(Qx,Qy)", None)),
        ("Input 3 (A) [filt]", ("Input 3 [filt]", "A")),
        ("counts/s", ("counts/s", None)),
        ("E_min", ("E_min", None)),
        ("I/I0", ("I/I0", None)),
    ],
)
def test_titles_give_their_unit(title: str, expected: tuple[str, str | None]) -> None:
    """Only what looks like a unit is taken for one."""
    assert split_title(title) == expected


@pytest.mark.parametrize("text", ["K", "nm^-1", "Å⁻¹", "mA/cm^2", "emu/(g Oe)", "counts per second", "µm", "%", "W/m2"])
def test_units_look_like_units(text: str) -> None:
    """Products, quotients and powers of known symbols are units."""
    assert looks_like_unit(text)


@pytest.mark.parametrize("text", ["", "I", "SD", "Qx", "foo", "1", "Intensity", "K" * 50])
def test_words_are_no_units(text: str) -> None:
    """Anything else is a word."""
    assert not looks_like_unit(text)


@pytest.mark.parametrize(
    ("line", "count", "delimiter", "names", "units"),
    [
        ("# Time (s)  Voltage (V)", 2, None, ["Time", "Voltage"], ["s", "V"]),
        ("Time (s),Voltage (V)", 2, ",", ["Time", "Voltage"], ["s", "V"]),
        ('"Time, s","Voltage"', 2, ",", ["Time", "Voltage"], ["s", None]),
        ("Data: y   x", 2, None, ["y", "x"], [None, None]),
        ("Data columns Qx - Qy - I(Qx,Qy) - err(I)", 4, None, ["Qx", "Qy", "I(Qx,Qy)", "err(I)"], [None] * 4),
        ("#L Two Theta  Counts", 2, None, ["Two Theta", "Counts"], [None, None]),
        ("1_E (keV) 2_sec", 2, None, ["1_E", "2_sec"], ["keV", None]),
    ],
)
def test_names_are_found_in_a_line(
    line: str, count: int, delimiter: str | None, names: list[str], units: list[str | None]
) -> None:
    """Tabs, two blanks, commas, quotes, dashes and single blanks part names; brackets hold units."""
    assert names_and_units(line, count, delimiter) == (names, units)


@pytest.mark.parametrize("line", ["one", "a b c", "1 2", "key: value", "[section 1]"])
def test_other_lines_hold_no_names(line: str) -> None:
    """A line with another number of words, numbers, pairs and section marks name no columns."""
    assert names_and_units(line, 2, None) is None


def test_a_row_of_units_below_the_names_is_understood() -> None:
    """Units may have a line of their own."""
    found = read("Time\tMoment\ns\temu\n1\t2\n2\t3\n3\t4\n")
    assert [(column.name, column.unit) for column in found.tables[0].columns] == [("Time", "s"), ("Moment", "emu")]


def test_fields_comments_and_footer_are_kept() -> None:
    """What stands above and below the rows is not lost."""
    found = read("# Sample: Fe\n# free words\n1 2\n2 3\n3 4\nend of measurement\n")
    assert found.fields == {"Sample": "Fe"}
    assert found.comments == ("Sample: Fe", "free words")
    assert found.footer == ("end of measurement",)


def test_missing_values_are_nan() -> None:
    """Empty cells and the usual marks are NaN and do not count for the least and greatest value."""
    found = read("a,b\n1,2\n2,\n3,N/A\n4,nan\n5,--\n6,7\n")
    assert np.isnan(found.tables[0].columns[1].values).sum() == 4
    assert described(found.tables) == {
        "table": {
            "rows": 6,
            "columns": [
                {"name": "a", "unit": None, "min": 1.0, "max": 6.0},
                {"name": "b", "unit": None, "min": 2.0, "max": 7.0},
            ],
        }
    }


def test_ragged_rows_are_padded_with_a_warning() -> None:
    """A row that is too short is kept, and a sentence says so."""
    found = read("1 2 3\n4 5 6\n7 8\n9 10 11\n12 13 14\n")
    assert found.tables[0].rows == 5
    assert math.isnan(found.tables[0].columns[2].values[2])
    assert "1 of 5 rows" in found.warnings[0]


def test_new_headers_and_double_blanks_begin_new_tables() -> None:
    """Blocks are tables with titles of their own."""
    found = read("# the first run\n1 2\n2 3\n3 4\n\n# the second run\n1 5\n2 6\n3 7\n\n\n1 2\n2 3\n3 4\n")
    assert [(table.title, table.rows) for table in found.tables] == [
        ("the first run", 3),
        ("the second run", 3),
        ("", 3),
    ]
    assert [entry["rows"] for entry in described(found.tables)["tables"]] == [3, 3, 3]


def test_one_blank_line_is_a_pause_in_a_table() -> None:
    """As in gnuplot the rows go on, unless the first column starts again; double spacing is no row of tables."""
    assert [table.rows for table in read("1 2\n2 3\n3 4\n\n4 5\n5 6\n6 7\n").tables] == [6]
    assert [table.rows for table in read("1 2\n2 3\n3 4\n\n1 5\n2 6\n3 7\n").tables] == [3, 3]
    assert [table.rows for table in read("1 2\n\n2 3\n\n3 4\n\n2 5\n").tables] == [4]


def test_a_count_above_the_rows_is_no_row() -> None:
    """The number of points in the first line belongs to the header."""
    found = read("3\n1.5 2.5\n2.5 3.5\n3.5 4.5\n")
    assert found.tables[0].rows == 3
    assert found.comments == ("3",)


def test_prose_above_the_data_may_name_y_before_x() -> None:
    """A page of text with small tables of numbers in it, as NIST writes them, gives the data and their names."""
    page = "NIST StRD\nModel:   3 parameters (b1 to b3)\n  b1 =   1000   1300  4.67\nResidual:  30\n\nData:   y    x\n 80.5  -3.0\n 81.2  -2.9\n 85.1  -2.8\n"
    found = read(page)
    assert [column.name for column in found.tables[0].columns] == ["y", "x"]
    assert found.tables[0].rows == 3


def test_columns_of_text_and_times_stay_text() -> None:
    """A column that is no numbers is kept as it stands, without a least and a greatest value."""
    found = read("time,T (K),B (T)\n2024-01-01 10:00:00,4.2,1\n2024-01-01 10:00:01,4.3,1\n2024-01-01 10:00:02,4.4,1\n")
    assert found.tables[0].columns[0].values[1] == "2024-01-01 10:00:01"
    assert described(found.tables)["table"]["columns"][0] == {"name": "time", "unit": None, "min": None, "max": None}
    assert found.tables[0].columns[2].unit == "T"


def test_one_column_and_a_matrix_are_tables() -> None:
    """Tables may be one column narrow or many columns wide."""
    assert [column.values.tolist() for column in read("1.5\n2.5\n3.5\n").tables[0].columns] == [[1.5, 2.5, 3.5]]
    wide = read("\n".join(" ".join(str(row * 200 + cell) for cell in range(200)) for row in range(20)))
    assert len(wide.tables[0].columns) == 200
    assert described(wide.tables)["table"]["omitted_columns"] == 136


def test_a_single_comma_is_a_decimal_mark_only_if_zeros_prove_it() -> None:
    """`1,05` cannot be two integers; `1,5` alone is read as two."""
    assert read("1,05\n1,10\n2,15\n").tables[0].columns[0].values.tolist() == [1.05, 1.1, 2.15]
    assert len(read("1,5\n2,6\n3,7\n").tables[0].columns) == 2


@pytest.mark.parametrize(
    "text", ["", "words only\nand more\n", "<?xml version='1.0'?><a>1 2</a>", '{"a": [1, 2, 3]}', "\n\n\n"]
)
def test_texts_without_a_table_are_refused(text: str) -> None:
    """Prose, XML, JSON and nothing at all are no tables."""
    with pytest.raises(NotATableError):
        read(text)


@pytest.mark.parametrize(
    ("text", "names", "last"),
    [
        ('"Time (s)","Value"\n"1,5","2,5"\n"2,5","3,5"\n"3,5","4,5"\n', ["Time", "Value"], 4.5),
        (
            "Date,Time,T (K)\n1/2/2024,10:00:01 AM,4.2\n1/2/2024,10:00:02 AM,4.3\n1/2/2024,10:00:03 AM,4.5\n",
            ["Date", "Time", "T"],
            4.5,
        ),
        (
            "Separator\tTab\n***End***\t\n\nX_Value\tVoltage\tComment\n0.0\t1.5\n0.1\t1.6\n0.2\t4.5\n",
            ["X_Value", "Voltage"],
            4.5,
        ),
        ("% t y\n1 2;\n3 4;\n5 4.5;\n", ["t", "y"], 4.5),
        ("x y\n1 \u22122\n2 \u22123\n3 4.5\n", ["x", "y"], 4.5),
        ("element,counts\nFe,100\nCo,200\nNi,4.5\n", ["element", "counts"], 4.5),
        ("Wavelength,Intensity\nnm,counts\n400,1\n401,2\n402,4.5\n", ["Wavelength", "Intensity"], 4.5),
    ],
    ids=[
        "quoted commas",
        "times with AM",
        "an empty last column",
        "MATLAB",
        "typographic minus",
        "half words",
        "units row",
    ],
)
def test_habits_of_programs_are_understood(text: str, names: list[str], last: float) -> None:
    """Names and numbers come out of the less common ways to write a table."""
    (table,) = read(text).tables
    assert [column.name for column in table.columns] == names
    assert table.rows == 3
    assert table.columns[-1].values[-1] == last


def test_settings_alone_are_no_table() -> None:
    """Keys and their numbers without titles above them are not rows."""
    with pytest.raises(NotATableError):
        read("Start\t5\nStop\t10\nStep\t0.1\n")


def test_numbers_reads_rows_that_a_format_points_at() -> None:
    """Names and units are given; a short row is padded, another line is passed over, both with a warning."""
    table, warnings = numbers(
        ["1;2,5", "2;3,5", "# remark by hand", "3", "4;5,5"],
        names=("x", "y"),
        units=("s", None),
        title="scan",
        delimiter=";",
    )
    assert (table.title, table.rows) == ("scan", 4)
    assert [(column.name, column.unit) for column in table.columns] == [("x", "s"), ("y", None)]
    assert table.columns[1].values[0] == 2.5
    assert len(warnings) == 2


def test_numbers_refuses_nothing() -> None:
    """Without rows there is no table."""
    with pytest.raises(NotATableError):
        numbers([])


def test_the_module_offers_what_recognisers_use() -> None:
    """The names that other readers import are there."""
    assert set(tables.__all__) >= {
        "Column",
        "Table",
        "Text",
        "read",
        "numbers",
        "pairs",
        "value_of",
        "described",
        "names_and_units",
    }
    assert textfile.LIMIT == 256 * 1024 * 1024
