"""Datasets to sessions: which evidence counts, and what time alone says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.grouping.sessions import (
    Evidence,
    Span,
    evidence_for,
    gap_session,
    meaningful,
    name_for_gap,
    path_attributes,
)
from daemon.model import SessionEvidence, SessionId

PATTERN = re.compile(r"(?P<project_id>MFP\d+)/(?P<session_name>[^/]+)/(?:(?P<sample>S\d+)_)?")
PATH = "MFP01234/evening/S7_scan.h5"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_evidence_strongest_first() -> None:
    """A person's session, session.yaml, the file's own name, the path pattern and the folder count in this order."""
    opened = Evidence(SessionEvidence.PERSON, "17", "by hand")
    chosen = []
    offers = {
        "opened": opened,
        "session_file": {"name": "from yaml", "project_id": "P1"},
        "extraction_attributes": {"session_name": "from file"},
        "path_pattern": PATTERN,
        "folder": True,
    }
    while offers:
        evidence = evidence_for(PATH, **{"folder": False, **offers})  # type: ignore[arg-type]
        assert evidence is not None
        chosen.append((evidence.kind, evidence.name))
        offers.pop(next(iter(offers)))
    assert chosen == [
        (SessionEvidence.PERSON, "by hand"),
        (SessionEvidence.PERSON, "from yaml"),
        (SessionEvidence.FILE, "from file"),
        (SessionEvidence.PATH, "evening"),
        (SessionEvidence.FOLDER, "MFP01234/evening"),
    ]
    assert evidence_for(PATH, folder=False) is None


def test_the_root_is_no_run_folder() -> None:
    """A file directly in the root has no run folder: only time is left."""
    assert evidence_for("scan.h5") is None


def test_session_file_provides_attributes() -> None:
    """What session.yaml holds beside its name goes to the datasets; placeholders and nothing do not."""
    content = {
        "name": " Evening ",
        "project_id": "MFP1",
        "sample": "(optional)",
        "note": None,
        "keywords": ["a", "b"],
        "day": NOON.date(),
    }
    evidence = evidence_for("a/b/x.h5", session_file=content, session_folder="a")
    expected = {"project_id": "MFP1", "keywords": ["a", "b"], "day": "2026-11-21"}
    assert evidence == Evidence(SessionEvidence.PERSON, "session.yaml:a", "Evening", expected)


def test_session_file_without_a_name_is_called_like_its_folder() -> None:
    """A session.yaml may leave the name to its folder, and an empty one is still a session."""
    evidence = evidence_for("2026/run 3/x.h5", session_file={})
    assert evidence is not None
    assert (evidence.key, evidence.name) == ("session.yaml:2026/run 3", "run 3")


def test_projects_keep_equal_session_names_apart() -> None:
    """The same session name in two projects is two sessions."""
    one = evidence_for("MFP1/day1/x.h5", path_pattern=PATTERN)
    two = evidence_for("MFP2/day1/x.h5", path_pattern=PATTERN)
    assert one is not None
    assert two is not None
    assert one.name == two.name
    assert one.key != two.key


def test_undecodable_folder_names_become_text() -> None:
    """A run folder with bytes that are not UTF-8 gives a session name that every catalog can carry."""
    evidence = evidence_for("caf\udce9/x.h5")
    assert evidence is not None
    assert evidence.name == "caf\\xe9"


def test_path_groups_become_attributes() -> None:
    """Named groups other than session_name are attributes; groups that did not take part are left out."""
    assert path_attributes(PATTERN, PATH) == {"project_id": "MFP01234", "sample": "S7"}
    assert path_attributes(PATTERN, "MFP1/day/x.h5") == {"project_id": "MFP1"}
    assert path_attributes(PATTERN, "elsewhere/x.h5") == {}
    assert path_attributes(None, PATH) == {}


PLACEHOLDERS: tuple[object, ...] = (
    *("", "  ", "(optional)", "list,tags,separated,by,commas (optional)", "N/A", "None", "unknown", "<session>"),
    *("enter a session name to group datasets by (optional)", "Enter a comma separated list of keywords"),
    *(None, True, [], float("nan")),
)


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_placeholders_name_no_session(text: object) -> None:
    """What a form shows before a person filled it in is no session name, whatever the file says."""
    assert meaningful(text) is None
    assert evidence_for("x.h5", extraction_attributes={"session_name": text}) is None


def test_gap_session_takes_the_nearest_within_the_gap() -> None:
    """The nearest session no further away than the gap; the later one if both are equally near; else none."""
    minutes = timedelta(minutes=1)
    spans = [
        Span(SessionId(1), NOON, NOON + 10 * minutes),
        Span(SessionId(2), NOON + 60 * minutes, NOON + 70 * minutes),
    ]
    asked = {-46: None, -45: 1, 5: 1, 34: 1, 35: 2, 36: 2, 115: 2, 116: None}
    for order in permutations(spans):
        assert {at: gap_session(order, NOON + at * minutes, 2700.0) for at in asked} == asked


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 99)), max_size=8), st.integers(-100, 700), st.integers(0, 90)
)
def test_gap_session_is_the_same_in_any_order(extents: list[tuple[int, int]], at: int, gap: int) -> None:
    """The answer does not depend on the order of the sessions, and is never further away than the gap."""
    spans = [
        Span(SessionId(number), NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + length))
        for number, (start, length) in enumerate(extents)
    ]
    moment = NOON + timedelta(seconds=at)
    found = gap_session(spans, moment, gap)
    assert found == gap_session(spans[::-1], moment, gap)
    reachable = {
        span.id
        for span in spans
        if span.start <= moment + timedelta(seconds=gap) and moment <= span.end + timedelta(seconds=gap)
    }
    assert found in reachable if reachable else found is None


def test_name_for_gap_says_instrument_and_time() -> None:
    """A session that nobody named is called after the instrument and its first dataset's time."""
    assert (
        name_for_gap("hip-microscope", datetime(2026, 11, 21, 14, 3, 9, tzinfo=UTC))
        == "hip-microscope 2026-11-21 14:03"
    )


def test_folders_whose_names_are_no_text_have_keys_that_are() -> None:
    r"""The key of a run folder or a session.yaml can be stored whatever bytes the folder has, and tells `\xe9` from the byte."""
    for content in (None, {"note": "x"}):
        keys = [evidence_for(f"{folder}/a.h5", session_file=content) for folder in ("\udce9", "\\xe9", "é")]
        texts = [evidence.key for evidence in keys if evidence is not None]
        assert len({text.encode() for text in texts}) == 3
