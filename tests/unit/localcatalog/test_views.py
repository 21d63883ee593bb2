"""Values as people read them, and metadata as a tree."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader, StrictUndefined

from daemon.localcatalog import presenting, tree, views
from daemon.localcatalog.reading import Card, Detail, FileEntry, Filter, IngestionEntry, LinkEntry

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=12), below, max_size=4),
    max_leaves=30,
)
NAMES = st.sampled_from(
    ["table", "tables", "datasets", "labferry", "value", "unit", "columns", "rows", "shape", "name"]
)
METADATA = st.dictionaries(
    NAMES | st.text(max_size=12),
    JSON | st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(NAMES, JSON, max_size=3), max_size=3), max_size=4),
    max_size=6,
)
TEMPLATES = Environment(loader=PackageLoader("daemon.localcatalog"), autoescape=True, undefined=StrictUndefined)
TEMPLATES.filters.update({"unit_gap": views.unit_gap, "breakable": views.breakable})
NS = views.NARROW_SPACE


def drawn(metadata: dict[str, Any]) -> str:
    """The tree as the page writes it."""
    parts: Any = TEMPLATES.get_template("parts.html").module
    return str(parts.tree(tree.arrange(metadata).nodes))


@pytest.mark.parametrize(
    ("text", "shown", "zone"),
    [
        ("2026-11-18T03:06:40-08:00", "18 Nov 2026, 03:06:40", "UTC−8"),  # noqa: RUF001 a true minus
        ("2026-11-18T03:06:40.123456Z", "18 Nov 2026, 03:06:40", "UTC"),
        ("2026-01-02T03:04:05+05:30", "2 Jan 2026, 03:04:05", "UTC+5:30"),
        ("2026-01-02T03:04:05", "2 Jan 2026, 03:04:05", "zone not recorded"),
        ("2026-01-02 03:04:05", "2 Jan 2026, 03:04:05", "zone not recorded"),
        ("last Tuesday", "last Tuesday", ""),
    ],
)
def test_times_keep_their_zone(text: str, shown: str, zone: str) -> None:
    """A time is shown in the zone it was recorded in, and says so if there was none."""
    found = views.moment(text)
    assert found is not None
    assert (found.text, found.zone) == (shown, zone)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, []),
        ("2026-11-18T03:06:40Z", None, ["18 Nov 2026, 03:06:40 UTC"]),
        ("2026-11-18T03:06:01Z", "2026-11-18T03:06:59Z", ["18 Nov 2026, 03:06 UTC"]),
        ("2026-11-18T03:06:01Z", "2026-11-18T05:00:00Z", ["18 Nov 2026, 03:06 ", "05:00 UTC"]),
        ("2026-11-18T03:06:01Z", "2026-11-19T05:00:00Z", ["18 Nov 2026, 03:06 ", "19 Nov 2026, 05:00 UTC"]),
        ("2026-11-18T03:06:01Z", "2026-11-18T05:00:00+01:00", ["18 Nov 2026, 03:06 UTC", "18 Nov 2026, 05:00 UTC+1"]),
        ("no time", "2026-11-18T05:00:00Z", ["no time ", "18 Nov 2026, 05:00 UTC"]),
    ],
)
def test_periods_say_nothing_twice(first: str | None, last: str | None, expected: list[str]) -> None:
    """A span of time names its day and its zone once where they are the same."""
    found = [f"{at.text} {at.zone}" for at in views.period(first, last)]
    assert [text.strip() for text in found] == [text.strip() for text in expected]


@given(st.text(max_size=40) | st.none(), st.text(max_size=40) | st.datetimes().map(str))
def test_times_never_raise(first: str | None, last: str) -> None:
    """Any text at all can stand where a time belongs."""
    views.moment(first)
    views.period(first, last)


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1_500_000, "1.50 MB"),
        (99_960, "100 kB"),
        (999_600, "1.00 MB"),
        (2 * 1024**3, "2.15 GB"),
        (10**30, "1000000000000 EB"),
    ],
)
def test_sizes_have_three_digits(count: int, shown: str) -> None:
    """Sizes are decimal, with three digits, and never `1000 kB`."""
    assert views.size(count).replace(NS, " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.5, "1.5"),
        (500.0, "500"),
        (-70.02, "−70.02"),  # noqa: RUF001 a true minus
        (0.1 + 0.2, "0.3"),
        (1e-5, "1 × 10⁻⁵"),  # noqa: RUF001 a true multiplication sign
        (-1.25e12, "−1.25 × 10¹²"),  # noqa: RUF001 the same
        (0.0, "0"),
        (1795000000, "1795000000"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),  # noqa: RUF001 a true minus
    ],
)
def test_numbers_are_set_for_reading(value: float, shown: str) -> None:
    """Numbers have a true minus and powers of ten, and no digits that are only an artefact of binary fractions."""
    assert views.number(value).replace(NS, " ") == shown


def test_a_shortened_number_keeps_its_exact_value_beside_it() -> None:
    """What the page rounds can still be read in full."""
    assert views.scalar(0.1 + 0.2).full == "0.30000000000000004"
    assert views.scalar(1.5).full == ""


def test_long_lists_are_shortened_and_counted() -> None:
    """A list shows its first and last values, and how many there are."""
    shown = views.scalar(list(range(100)))
    assert shown.text == "[0, 1, 2, 3, 4, 5, …, 99]"
    assert shown.full == "100 values"
    assert views.scalar([[1, 2, 3]] * 40).full == f"40 {views.TIMES} 3 values"


@given(JSON)
def test_any_value_can_be_shown(value: Any) -> None:
    """No JSON value makes the page fail, and none makes a line of more than a few hundred characters."""
    assert len(views.scalar(value).text) < 1000


@given(st.text(max_size=60))
def test_every_name_makes_a_safe_attachment(name: str) -> None:
    """A file name neither ends the header nor turns the download into a page, and comes back whole."""
    header = views.attachment(name)
    assert header.isascii()
    assert header.isprintable()
    match = re.fullmatch(r"attachment; filename=\"([^\"\\/]*)\"; filename\*=UTF-8''([^\"; ]*)", header)
    assert match is not None
    assert unquote(match[2]) == (name or "file")


def test_lone_surrogates_make_a_safe_attachment() -> None:
    """A name that is no valid Unicode is still a name."""
    assert views.attachment("a\udcff.h5").endswith("a%3F.h5")


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"<html>", b"RIFF1234WAVE", b"GIF", b"%PDF-1.7"])
def test_only_raster_pictures_are_pictures(data: bytes) -> None:
    """What a browser could run, or does not know, is no picture."""
    assert views.picture_type(data) is None


@given(METADATA)
@settings(max_examples=150, deadline=None)
def test_any_metadata_becomes_a_tree(metadata: dict[str, Any]) -> None:
    """Metadata of any shape is arranged and drawn without an error."""
    drawn(metadata)
    presenting.readable(metadata)
    presenting.warnings(metadata)


@given(st.text(alphabet="<>&\"'/ab", min_size=1, max_size=20), st.text(alphabet="<>&\"'/ab", max_size=20))
def test_metadata_is_always_escaped(key: str, text: str) -> None:
    """Neither a name nor a value nor a unit of the metadata can open a tag or leave an attribute."""
    page = drawn({key: {"more": {"value": text, "unit": text}, text: [text]}})
    bare = re.sub(r"</?(ul|li|details|summary|span|p|wbr)( (class|title)=\"[^\"<>]*\"| open)*>", "", page)
    assert not re.search("[<>\"']", bare)


def test_deep_metadata_ends_in_text() -> None:
    """Metadata that is nested hundreds of levels deep is shown down to a limit."""
    metadata: dict[str, Any] = {"value": 1}
    for _ in range(400):
        metadata = {"below": metadata}
    assert drawn(metadata).count("<details") < 40


def test_wide_metadata_is_cut_and_counted() -> None:
    """A page shows a bounded number of values, and says how many it left out."""
    found = tree.arrange({str(number): number for number in range(tree.MOST_NODES + 10)})
    assert (len(found.nodes), found.more) == (tree.MOST_NODES, 10)


def test_quantities_are_one_line_with_their_unit() -> None:
    """A number with a unit is a value of the tree, not a branch."""
    (node,) = tree.arrange({"bias": {"value": 1.5, "unit": "V"}}).nodes
    assert node.shown is not None
    assert (node.shown.text, node.shown.unit) == ("1.5", "V")


def test_tables_and_arrays_stand_apart_from_the_tree() -> None:
    """Columns and arrays in the ingestors' form become tables, whatever else stays in the tree."""
    columns = [{"name": "x", "unit": "nm", "min": 1, "max": 2.5}, {"name": "y"}]
    found = tree.arrange(
        {
            "table": {"rows": 20, "columns": columns},
            "tables": [{"title": "scan 1", "rows": 2, "columns": columns}],
            "datasets": {"/a": {"shape": [64, 64], "dtype": "float64", "unit": "V"}, "/b": {"shape": []}},
            "sample": "LaB6",
        }
    )
    assert [(table.title, table.rows, len(table.columns)) for table in found.tables] == [
        ("", "20", 2),
        ("scan 1", "2", 2),
    ]
    assert [(array.path, array.shape) for array in found.arrays] == [
        ("/a", f"64 {views.TIMES} 64"),
        ("/b", "one value"),
    ]
    assert [node.label for node in found.nodes] == ["sample"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"table": "wooden"},
        {"table": {"rows": 1, "columns": "x y"}},
        {"table": {"rows": 1, "columns": [1, 2]}},
        {"table": {"rows": 1, "columns": [{"name": "x"}], "legs": 4}},
        {"datasets": {"/a": 5}},
        {"datasets": {"/a": {"shape": [1], "compression": "gzip"}}},
        {"tables": [{"columns": [{"name": "x"}]}, 7]},
    ],
)
def test_what_only_looks_like_a_table_stays_in_the_tree(metadata: dict[str, Any]) -> None:
    """Nothing is lost when metadata uses a table's name for something else."""
    found = tree.arrange(metadata)
    assert [node.label for node in found.nodes] == list(metadata)
    assert not found.tables
    assert not found.arrays


def test_every_filter_can_be_removed() -> None:
    """Each filter in use has an address of the same list without it."""
    chosen = Filter(session="a & b", text="x", keyword="k")
    assert {chip.name: chip.without for chip in presenting.chips(chosen)} == {
        "Search": "/?session=a+%26+b&keyword=k",
        "Session": "/?q=x&keyword=k",
        "Keyword": "/?q=x&session=a+%26+b",
    }


@given(st.dictionaries(st.sampled_from(["q", "session", "measurement", "instrument", "keyword", "x"]), st.text()))
def test_addresses_of_any_text_become_filters(query: dict[str, str]) -> None:
    """Any address gives a filter without empty values and without characters that SQLite takes for an end."""
    chosen = presenting.wanted(query)
    for chip in presenting.chips(chosen):
        assert chip.value
        assert "\x00" not in chip.value


def detail(metadata: dict[str, Any], *, status: str = "complete") -> Detail:
    """A dataset with one file that was read."""
    card = Card("id", "name", "Map", "s", "Scope", "scope", "P1", "h5", "2026-01-01T00:00:00Z", "x", 1, 1, None)
    ingestion = IngestionEntry(1, "a.h5", status, "xy 1", None, None)
    return Detail(card, {"data_type": "t", "owner": "o", "public": True}, metadata, (), (), (), (), (ingestion,))


def test_attributes_say_where_they_came_from() -> None:
    """What the sender noted about an attribute's source stands beside it in words."""
    noted = {"labferry": {"sources": {"measurement": "ingestor", "session_name": "path", "data_type": "magic"}}}
    found = {line.label: line.source for line in presenting.attributes(detail(noted), ())}
    assert found["Measurement"] == "read from the file"
    assert found["Session"] == "from the folder's name"
    assert found["Data type"] == ""


def test_attributes_that_nobody_provided_were_read_from_the_file() -> None:
    """Without such notes, an attribute came from the file if it was not provided and the catalog read the file."""
    found = {line.label: line.source for line in presenting.attributes(detail({}), ["measurement"])}
    assert (found["Measurement"], found["Format"]) == ("", "read from the file")
    unread = {line.label: line.source for line in presenting.attributes(detail({}, status="failed"), ())}
    assert unread["Format"] == ""


def test_a_file_says_how_its_reading_went() -> None:
    """The last ingestion request of a file is told in words, with the reader or the reason."""
    entry = FileEntry("m", "a.h5", 1000, "ab", None, "local", None, "x", downloadable=True)
    failed = IngestionEntry(2, "a.h5", "failed", None, "truncated file", None)
    assert presenting.file(entry, [IngestionEntry(1, "a.h5", "complete", "xy 1", None, None)]).ingestion == (
        "Ingestion: read by xy 1"
    )
    assert presenting.file(entry, [failed]).ingestion == "Ingestion: could not be read: truncated file"
    assert presenting.file(entry, []).ingestion == ""


def test_links_are_grouped_and_bounded() -> None:
    """Parents, children and samples have a heading each; of thousands the first hundred are shown."""
    links = [LinkEntry(f"{number}", "dataset", None, "target", None) for number in range(1000)]
    links.append(LinkEntry("s", "sample", "LaB6", "undirected", None))
    contains, samples = presenting.link_groups(links)
    assert (contains.title, len(contains.entries), contains.more) == ("Contains", 100, True)
    assert (samples.entries[0].name, samples.entries[0].url) == ("LaB6", "")
    parts = [
        LinkEntry(f"0tr0cfh{end}", "dataset", name, "target", None)
        for end, name in (("a", "2"), ("b", None), ("c", "1"))
    ]
    (contains,) = presenting.link_groups([LinkEntry("0tr0cfg", "dataset", "first", "target", None), *parts])
    assert [one.id for one in contains.entries] == ["0tr0cfg", "0tr0cfhb", "0tr0cfhc", "0tr0cfha"]
