"""Three-way merging of metadata: a person's work in the catalog stays, ours follows our newest reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.catalogs.crucible.merging import agreed, marks, updates

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), st.text(max_size=3), st.just([1, 2]))
TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.text(max_size=2), LEAVES, max_size=4),
    lambda below: st.dictionaries(st.text(max_size=2), st.one_of(LEAVES, below), max_size=4),
    max_leaves=12,
)


def merged(theirs: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A deep merge as catalogs make it."""
    both = {name: theirs.get(name) for name in {*theirs, *patch}}
    for name, value in patch.items():
        there = theirs.get(name)
        both[name] = merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return both


@pytest.mark.parametrize(
    ("ours", "sent", "theirs", "patch", "left"),
    [
        ({"a": 2}, {"a": 1}, {"a": 1}, {"a": 2}, []),
        ({"a": 2}, {"a": 1}, {"a": "mine"}, {}, ["a"]),
        ({"a": 1, "b": 2}, {"a": 1}, {"a": 1, "note": "x"}, {"b": 2}, []),
        ({"a": 1}, {"a": 1}, {}, {}, ["a"]),
        ({"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}, {"a": {"b": 1, "c": "mine"}}, {"a": {"b": 2}}, ["a/c"]),
        ({"a": {"b": 2}}, {"a": 1}, {"a": 1}, {"a": {"b": 2}}, []),
        ({"a": {"b": 2}}, {"a": 1}, {"a": "mine"}, {}, ["a/b"]),
        ({"a": 1}, {"a": 1.0}, {"a": 1.0}, {}, []),
    ],
)
def test_what_is_sent_and_what_is_left(
    ours: dict[str, Any], sent: dict[str, Any], theirs: dict[str, Any], patch: dict[str, Any], left: list[str]
) -> None:
    """Ours follows where the catalog still says our last word; what a person changed or deleted is left and named."""
    assert updates(ours, marks(sent), theirs) == (patch, left)


@given(sent=TREES, ours=TREES)
def test_without_a_person_the_catalog_follows(sent: dict[str, Any], ours: dict[str, Any]) -> None:
    """If nobody touched the catalog, every leaf of ours is there after the merge, and nothing is left."""
    patch, left = updates(ours, marks(sent), sent)
    assert left == []
    assert updates(ours, marks(ours), merged(sent, patch)) == ({}, [])


@given(sent=TREES, ours=TREES, mine=st.text(min_size=4, max_size=6))
def test_a_persons_values_are_never_touched(sent: dict[str, Any], ours: dict[str, Any], mine: str) -> None:
    """Whatever we read now, a value that a person wrote over ours is there afterwards."""
    theirs = dict.fromkeys(sent, mine)
    patch, _ = updates(ours, marks(sent), theirs)
    assert {name: merged(theirs, patch)[name] for name in theirs} == theirs


@given(ours=TREES)
def test_what_a_catalog_has_of_ours_is_recognised(ours: dict[str, Any]) -> None:
    """When nobody remembers what was sent, what agrees is taken as ours and what differs as a person's."""
    assert agreed(ours, ours) == marks(ours)
    assert agreed(ours, {}) == ""
