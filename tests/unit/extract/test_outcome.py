"""What the daemon believes of a worker's answer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daemon.extract.outcome import MINIMAL, Failure, accepted, claims_in, minimal, names_in

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["ingestor", "attributes", "scientific_metadata", "keywords", "samples", "captions", "warnings", "children"]
)


def png(width: int, height: int) -> bytes:
    """A real picture."""
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@given(st.dictionaries(FIELDS, ANYTHING), st.lists(st.binary(max_size=60), max_size=3))
def test_any_answer_becomes_an_outcome_of_the_right_types(answer: dict[str, Any], blobs: list[bytes]) -> None:
    """Whatever the worker says, the outcome has the types that it promises."""
    outcome = accepted(answer, blobs)
    assert isinstance(outcome.ingestor, str)
    assert all(isinstance(value, str) for value in outcome.attributes.values())
    assert isinstance(outcome.scientific_metadata, dict)
    assert all(isinstance(one, str) and one for one in (*outcome.keywords, *outcome.warnings))
    assert all(set(sample) == {"name", "unique_id"} for sample in outcome.samples)
    "".join((*outcome.keywords, *outcome.warnings, *outcome.attributes.values())).encode()


@given(ANYTHING)
def test_any_claims_and_ties(answer: Any) -> None:
    """Claims and ties of any shape are read as far as they are some."""
    assert all(0 <= claim.specificity <= 100 for claim in claims_in(answer))
    assert all(isinstance(name, str) for group in names_in(answer) for name in group)


def test_pictures_tell_their_own_size() -> None:
    """Width and height come from the PNG itself; what is cut short or no PNG is left out with a warning."""
    whole = png(30, 20)
    outcome = accepted({"captions": ["one", "two", "three"]}, [whole, whole[:-4], b"GIF89a"])
    assert [(one.caption, one.width, one.height) for one in outcome.thumbnails] == [("one", 30, 20)]
    assert len(outcome.warnings) == 2


def test_children_are_told_apart_by_their_keys() -> None:
    """A child without a key, or with one that is taken, is left out with a warning; the pictures stay with the right ones."""
    pictures = [png(width, 1) for width in range(1, 6)]
    listed = [
        {"key": key, "captions": captions} for key, captions in (("a", ["1"]), ("a", ["2"]), ("", []), ("b", ["3"]))
    ]
    outcome = accepted({"captions": ["0"], "children": [*listed, "no child"]}, pictures)
    assert [one.width for one in outcome.thumbnails] == [1]
    assert [(child.key, [one.width for one in child.thumbnails]) for child in outcome.children] == [
        ("a", [2]),
        ("b", [4]),
    ]
    assert len(outcome.left_out) == 2
    many = accepted({"captions": [], "children": [{"key": str(number)} for number in range(402)]}, [])
    assert (len(many.children), len(many.warnings)) == (400, 2)


@pytest.mark.parametrize(
    "time", ["2026-11-21", "2026-11-21T14:03:09", "2026-11-21T14:03:09.5+01:00", "2026-11-21 14:03:09Z"]
)
def test_iso_times_are_kept(time: str) -> None:
    """Times as ISO 8601 writes them, with an offset or without, are kept as they are."""
    assert accepted({"attributes": {"timestamp": time}}, []).attributes == {"timestamp": time}


@pytest.mark.parametrize("time", ["20261121", "2026-W47-6", "21.11.2026", "2026-02-30", "2026-11-21T25:00:00"])
def test_other_times_are_left_out(time: str) -> None:
    """A time that is not ISO 8601, or does not exist, is no timestamp."""
    outcome = accepted({"attributes": {"timestamp": time, "measurement": "m"}}, [])
    assert outcome.attributes == {"measurement": "m"}
    assert len(outcome.warnings) == 1


def test_minimal_outcome_says_name_and_format() -> None:
    """Without any ingestor the name and the suffix remain, and the failures stand on the record."""
    failure = Failure("xy", "it crashed")
    outcome = minimal(Path("/data/caf\udce9.v1.DAT"), [], [failure])
    assert (outcome.ingestor, outcome.failures) == (MINIMAL, (failure,))
    assert outcome.attributes == {"dataset_name": "caf\\xe9.v1", "data_format": "dat"}
