"""What everybody says of a dataset, brought together; and the record as JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.compose import Extracted, Member, Provided, chosen_id, compose, record_files, thumbnail, versioned
from daemon.model import (
    Attribute,
    DatasetRecord,
    Fingerprint,
    RecordFile,
    RecordThumbnail,
    SampleRef,
    SessionEvidence,
    Source,
)
from daemon.record_json import from_json, to_json

TEXT = st.text(max_size=12)
NUMBER = st.integers(0, 2**64 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.binary(min_size=1, max_size=6).filter(lambda name: not set(name) & {0, ord("/")})
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: b"/".join(parts).decode("utf-8", "surrogateescape"))
FINGERPRINTS = st.builds(Fingerprint, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
FILES = st.builds(
    RecordFile,
    TEXT,
    PATHS,
    NUMBER,
    HASHES,
    st.integers(0, 2**32 - 1),
    NUMBER,
    st.tuples(NUMBER),
    st.booleans(),
    FINGERPRINTS,
)
THUMBNAILS = st.builds(RecordThumbnail, TEXT, TEXT, NUMBER, NUMBER, HASHES, st.binary(max_size=5))
RECORDS = st.builds(
    DatasetRecord,
    unique_id=TEXT,
    revision=st.integers(1, 99),
    attributes=st.dictionaries(TEXT, st.builds(Attribute, JSON, st.sampled_from(Source)), max_size=4),
    scientific_metadata=st.dictionaries(TEXT, JSON, max_size=3),
    keywords=st.lists(TEXT, max_size=3).map(tuple),
    samples=st.lists(st.builds(SampleRef, TEXT, st.none() | TEXT), max_size=2).map(tuple),
    files=st.lists(FILES, max_size=3).map(tuple),
    thumbnails=st.lists(THUMBNAILS, max_size=2).map(tuple),
    parent_id=st.none() | TEXT,
    warnings=st.lists(TEXT, max_size=2).map(tuple),
    ingestor=TEXT,
    ingestor_version=TEXT,
)
NOTHING = Extracted("fallback", "1", {}, {}, (), (), ())


def member(path: str, *, version: int = 1, mtime_ns: int = 1_767_225_600_000_000_000) -> Member:
    """A settled file."""
    return Member(path, f"/data/{path}", Fingerprint(1, mtime_ns, 0, 1, 1), "0" * 64, 0, 1, (), version, primary=False)


def composed(provided: Provided, extracted: Extracted = NOTHING, path: str = "run/x.dat") -> DatasetRecord:
    """A record of one file."""
    return compose(
        unique_id="id", revision=1, members=[member(path)], provided=provided, extracted=extracted, thumbnails=(), parent_id=None
    )  # fmt: skip


@given(RECORDS)
def test_a_record_survives_the_store(record: DatasetRecord) -> None:
    """What the store keeps as JSON is the same record when it is read, paths of any bytes included."""
    kept = json.loads(json.dumps(to_json(record)))
    assert from_json(kept, unique_id=record.unique_id, revision=record.revision, thumbnails=record.thumbnails) == record


@given(st.lists(st.tuples(PATHS, st.integers(1, 3)), min_size=1, max_size=12, unique_by=lambda pair: pair[0]))
def test_every_file_of_a_dataset_has_a_name_of_its_own(files: list[tuple[str, int]]) -> None:
    """Names are text that every catalog can carry, differ from each other, and hold no slash."""
    names = [file.name for file in record_files([member(path, version=version) for path, version in files])]
    assert len(set(names)) == len(names)
    for name in names:
        assert "/" not in name
        assert name.encode("utf-8")


LAYERS = ("session", "sidecar", "path", "configuration")
VALUES = st.dictionaries(
    st.sampled_from(["measurement", "project_id", "sample", "session_name"]), st.text("abc", min_size=1)
)


@given(st.fixed_dictionaries(dict.fromkeys((*LAYERS, "extracted", "defaults"), VALUES)))
def test_the_strongest_source_that_says_something_wins(said: dict[str, dict[str, str]]) -> None:
    """For every attribute: provided before extracted before default, and the record tells which."""
    provided = Provided(**{name: said[name] for name in (*LAYERS, "defaults")})  # type: ignore[arg-type]
    record = composed(provided, Extracted("i", "1", said["extracted"], {}, (), (), ()))
    order = [*LAYERS, "extracted", "defaults"]
    for name in {name for values in said.values() for name in values}:
        strongest = next(source for source in order if name in said[source])
        expected = Source.INGESTOR if strongest == "extracted" else list(Source)[order.index(strongest)]
        assert record.attributes[name] == Attribute(said[strongest][name], expected)


@pytest.mark.parametrize(("stronger", "weaker"), list(pairwise([*LAYERS, "extracted", "defaults"])))
def test_each_source_wins_over_the_next(stronger: str, weaker: str) -> None:
    """The order of the sources is the one that the design names."""
    said: dict[str, dict[str, str]] = {stronger: {"measurement": "stronger"}, weaker: {"measurement": "weaker"}}
    extracted = Extracted("i", "1", said.pop("extracted", {}), {}, (), (), ())
    assert composed(Provided(**said), extracted).value("measurement") == "stronger"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "extracted", "configured", "expected"),
    [
        (SessionEvidence.PERSON, "file", "configured", ("S", Source.SESSION)),
        (SessionEvidence.PATH, "file", "configured", ("S", Source.PATH)),
        (SessionEvidence.FILE, "file", "", ("file", Source.INGESTOR)),
        (SessionEvidence.FILE, "file", "configured", ("configured", Source.CONFIGURATION)),
        (SessionEvidence.FOLDER, "", "", ("S", Source.DEFAULT)),
        (SessionEvidence.GAP, "", "configured", ("configured", Source.CONFIGURATION)),
    ],
)
def test_the_sessions_name_is_as_strong_as_its_evidence(
    evidence: SessionEvidence, extracted: str, configured: str, expected: tuple[str, Source]
) -> None:
    """A name that a person gave wins over everything; one that only the time gave over nothing."""
    said = Extracted("i", "1", {"session_name": extracted} if extracted else {}, {}, (), (), ())
    provided = Provided(
        session_name="S", session_evidence=evidence, configuration={"session_name": configured} if configured else {}
    )
    assert composed(provided, said).attributes["session_name"] == Attribute(*expected)


def test_lists_add_up_and_nothing_says_nothing() -> None:
    """Keywords and samples come from everybody; empty values leave the attribute to the next source."""
    provided = Provided(
        session={"keywords": ["a", " b "], "samples": "S1", "measurement": ""}, configuration={"keywords": ["a", "c"]}
    )
    extracted = Extracted("i", "1", {"measurement": "Raman"}, {}, ("c", "d", " "), (SampleRef("S2", None),), ())
    record = composed(provided, extracted)
    assert record.keywords == ("a", "b", "c", "d")
    assert [sample.name for sample in record.samples] == ["S1", "S2"]
    assert record.value("measurement") == "Raman"
    assert "keywords" not in record.attributes


@pytest.mark.parametrize("mtime_ns", [-(2**63), 2**63 - 1, 253_402_300_800 * 10**9, -1, 0])
def test_a_file_of_any_time_is_composed(mtime_ns: int) -> None:
    """A file system may tell times that no calendar has: then there is no default timestamp."""
    record = compose(
        unique_id="id", revision=1, members=[member("x", mtime_ns=mtime_ns)], provided=Provided(), extracted=NOTHING,
        thumbnails=(), parent_id=None,
    )  # fmt: skip
    timestamp: Any = record.value("timestamp")
    assert timestamp is None or timestamp.endswith("+00:00")


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [("x.dat", 1, "x.dat"), ("x.dat", 2, "x.v2.dat"), ("x", 3, "x.v3"), (".x", 2, ".x.v2"), ("a.b.c", 2, "a.b.v2.c")],
)
def test_a_rewritten_file_gets_a_versioned_name(name: str, version: int, expected: str) -> None:
    """The suffix stays at the end, so that programs know the file."""
    assert versioned(name, version) == expected


def test_an_id_once_given_stays() -> None:
    """The stored id wins over the file's own, which wins over a fresh one if it is valid."""
    own = "0tcgwd0v35ttq000g1y8zdwkcw"
    assert chosen_id({"unique_id": own}, "stored", "fresh") == "stored"
    assert chosen_id({"unique_id": own}, None, "fresh") == own
    assert chosen_id({"unique_id": "../../etc"}, None, "fresh") == "fresh"
    assert chosen_id({}, None, "fresh") == "fresh"


@given(st.lists(st.text(max_size=100), max_size=6))
def test_pictures_are_named_after_their_captions(captions: list[str]) -> None:
    """Names are safe, differ, and are images to every program."""
    pictures: list[RecordThumbnail] = []
    for caption in captions:
        pictures.append(thumbnail(caption, b"png", 1, 1, [picture.name for picture in pictures]))
    names = [picture.name for picture in pictures]
    assert len(set(names)) == len(names)
    assert all(name.endswith(".png") and "/" not in name and not name.startswith(".") for name in names)
