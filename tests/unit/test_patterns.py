from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.patterns import PathFilter, PatternTable, compile_pattern, expand_braces
from daemon.settings import DEFAULT_EXCLUDE

NAMES = st.text(st.characters(blacklist_characters="/\x00"), min_size=1, max_size=8).filter(
    lambda n: n not in {".", ".."}
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
GLOBS = st.lists(
    st.sampled_from(["**", "*", "?", "a", "b*", "[ab]", "[!a]*", "x.h5", "*.h5", "{a,b}"]), min_size=1, max_size=4
).map("/".join)
SMALL_PATHS = st.lists(st.sampled_from(["a", "b", "bc", "x.h5", "a.h5", ".q"]), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("**/*.h5", "x.h5", True),
        ("**/*.h5", "a/b/x.h5", True),
        ("*.h5", "a/b/x.h5", True),
        ("/*.h5", "a/x.h5", False),
        ("/*.h5", "x.h5", True),
        ("a/*.h5", "a/b/x.h5", False),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/", "a/b/c", True),
        ("**", "a/b", True),
        ("*.H5", "x.h5", False),
        ("?.h5", "xy.h5", False),
        ("x[0-9].h5", "x7.h5", True),
        ("x[!0-9].h5", "x7.h5", False),
        ("x[!a].h5", "x/.h5", False),
        ("x[.h5", "x[.h5", True),
        ("[]]x", "]x", True),
        ("{a,b/c}/*.d", "b/c/1.d", True),
        ("{a,{b,c}}.d", "c.d", True),
        ("{stem}.d", "{stem}.d", True),
        ("*.d", "line\nbreak.d", True),
        ("*.d", "\udcff\udc80.d", True),
        ("a**b", "a/b", False),
        ("./a/*", "a/b", True),
        ("x(1)+.d", "x(1)+.d", True),
    ],
)
def test_globs_mean_what_people_expect(glob: str, path: str, expected: bool) -> None:  # noqa: FBT001 a table
    """Stars stay within a name, two stars are any folders, a pattern without a slash matches at any depth."""
    assert (compile_pattern(glob).fullmatch(path) is not None) is expected


@pytest.mark.parametrize("glob", ["", "/", "../x", "a/../b", "[z-a]", "{a,b}" * 11])
def test_a_bad_pattern_is_a_sentence(glob: str) -> None:
    """A pattern that cannot be read raises ValueError with the pattern in it."""
    with pytest.raises(ValueError, match="the pattern"):
        compile_pattern(glob)


@given(PATHS)
def test_everything_is_included_by_default(path: str) -> None:
    """`**/*` matches every path, whatever characters its names have."""
    assert compile_pattern("**/*").fullmatch(path) is not None


@given(st.lists(GLOBS, max_size=3), st.lists(GLOBS, max_size=3), SMALL_PATHS)
def test_a_folder_that_is_not_entered_holds_nothing_wanted(include: list[str], exclude: list[str], path: str) -> None:
    """If a path is wanted, every folder above it is entered."""
    wanted = PathFilter(include, exclude)
    names = path.split("/")
    if wanted.wants(path):
        assert all(wanted.enters("/".join(names[:depth])) for depth in range(len(names)))


@given(st.lists(GLOBS, min_size=1, max_size=3), SMALL_PATHS)
def test_a_filter_is_its_patterns_one_by_one(globs: list[str], path: str) -> None:
    """The one compiled alternation agrees with matching each pattern alone."""
    assert PathFilter(globs, []).wants(path) is any(compile_pattern(glob).fullmatch(path) for glob in globs)


def test_an_excluded_folder_excludes_all_below() -> None:
    """Excluding a folder by name is enough, and the walk does not go there."""
    wanted = PathFilter(["**/*"], ["**/*.tmp", "raw/old/"])
    assert not wanted.wants("run.tmp/deep/x.h5")
    assert not wanted.enters("run.tmp")
    assert not wanted.enters("raw/old")
    assert wanted.enters("raw")
    assert wanted.wants("raw/old")


def test_the_walk_skips_folders_that_no_include_reaches() -> None:
    """Folders beside the fixed beginning of every include pattern are not entered."""
    wanted = PathFilter(["2026/*/scan/**/*.h5"], [])
    assert wanted.enters("2026")
    assert wanted.enters("2026/11/scan/deep")
    assert not wanted.enters("2025")
    assert not wanted.enters("2026/11/logs")


def test_default_exclusions_leave_out_what_programs_leave_behind() -> None:
    """Hidden, temporary and lock files are not measurements."""
    wanted = PathFilter(["**/*"], DEFAULT_EXCLUDE)
    unwanted = [".x", "a/.git/c", "a/b.tmp", "a/~$x.xlsx", "b~", "q/Thumbs.db", "a/x.h5.part"]
    assert [path for path in unwanted if wanted.wants(path)] == []
    assert wanted.wants("a/b.h5")


def test_the_first_pattern_of_a_table_wins() -> None:
    """A table is asked from top to bottom, by path or by bare name."""
    table = PatternTable({"slow/**": 60.0, "*.dat": 30.0, "*.{h5,hdf5}": 5.0})
    assert [table.get(path) for path in ("slow/x.dat", "a/b/x.dat", "x.hdf5", "x.txt")] == [60.0, 30.0, 5.0, None]


def test_an_empty_table_knows_nothing() -> None:
    """Without patterns there is never a value."""
    assert PatternTable[int]({}).get("x") is None


def test_choices_come_in_order() -> None:
    """Alternatives are spelled out from left to right."""
    assert expand_braces("{a,b}{1,2}") == ["a1", "a2", "b1", "b2"]
