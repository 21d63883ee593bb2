"""Child datasets: their records, their ids, and what becomes of them between two revisions."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daemon.children import ExtractedChild, former_children, pictures
from daemon.compose import Extracted, Member, Provided, compose
from daemon.mfid import is_mfid, mfid_of_part, moment_of
from daemon.model import Attribute, DatasetRecord, Fingerprint, RecordThumbnail, SampleRef, Source
from daemon.record_json import from_json, to_json

MFID = "0tr0cfhse5zsh000anr9s136kr"
MEMBER = Member("run/x.h5", "/data/run/x.h5", Fingerprint(1, 0, 0, 1, 1), "0" * 64, 0, 1, (), 1, primary=True)
FILM, TRAY = SampleRef("film", MFID), SampleRef("tray")
KEYS = st.lists(st.text("ab1 é", min_size=1, max_size=3), max_size=4, unique=True)


def composed(
    children: list[ExtractedChild], attributes: dict[str, str] | None = None, **provided: Any
) -> DatasetRecord:
    """A record of one file with these children."""
    extracted = Extracted("i", "1", attributes or {}, {}, (), (TRAY, FILM), (), children=children)
    return compose(
        unique_id=MFID, revision=2, members=[MEMBER], provided=Provided(**provided), extracted=extracted, thumbnails=(),
        parent_id=None,
    )  # fmt: skip


def child(part: str, name: str = "", **more: Any) -> ExtractedChild:
    """What an ingestor says of a part."""
    return ExtractedChild(part, {"dataset_name": name} if name else {}, **more)


@given(KEYS, KEYS)
def test_a_child_has_one_id_for_ever(keys: list[str], others: list[str]) -> None:
    """The same parent and key give the same valid id, other keys another, and all sort beside their parent."""
    ids = {key: mfid_of_part(MFID, key) for key in {*keys, *others}}
    assert [one.unique_id for one in composed([child(key) for key in keys]).children] == [ids[key] for key in keys]
    assert len(set(ids.values()) | {MFID}) == len(ids) + 1
    assert all(is_mfid(one) and moment_of(one) == moment_of(MFID) for one in ids.values())
    assert mfid_of_part("0" * 26, "a") != mfid_of_part(MFID, "a")


@given(KEYS)
def test_a_record_with_children_survives_the_store(keys: list[str]) -> None:
    """What the store keeps as JSON is the same record with the same children, each with its own pictures and attributes."""
    made = [
        child(key, "x", samples=(FILM,), thumbnails=(RecordThumbnail("p", "p", 1, 1, "0", b"", key),)) for key in keys
    ]
    record = composed(made, {"measurement": "map"}, session={"session_name": "a sitting"})
    kept = json.loads(json.dumps(to_json(record)))
    assert from_json(kept, unique_id=MFID, revision=2, thumbnails=pictures(record)) == record
    assert all("session_name" not in one["attributes"] for one in kept.get("children", ()))


def test_a_child_is_its_parent_but_for_what_it_says_itself() -> None:
    """A child's own words win over its parent's ingestor and the defaults; a person's word wins over both, but for the name."""
    said = {"dataset_name": "film 1", "measurement": "map_tf", "data_type": "a film", "unique_id": MFID}
    record = composed(
        [ExtractedChild("S01", said, {"x": 1}, ("film",), units={"um": "um"}), child("S02", "film 1"), child("S03")],
        {"measurement": "map", "data_type": "all films", "timestamp": "2026-11-21T10:00:00"},
        sidecar={"dataset_name": "the tray", "data_type": "films"},
        configuration={"project_id": "MFP1", "keywords": ["bench"]},
    )
    first, second, third = record.children
    assert first.attributes == {
        **record.attributes,
        "dataset_name": Attribute("film 1", Source.INGESTOR),
        "measurement": Attribute("map_tf", Source.INGESTOR),
    }
    assert [one.value("dataset_name") for one in (second, third)] == ["film 1 (S02)", "the tray (S03)"]
    assert (first.parent_id, first.part, first.revision, first.files) == (MFID, "S01", 2, ())
    assert (first.keywords, first.scientific_metadata["x"]) == (("film",), 1)
    told = first.scientific_metadata["labferry"]
    assert (told["part"], told["path"], told["units"]) == ("S01", "run/x.h5", {"um": "um"})


def test_a_childs_samples_are_marked_as_its_own() -> None:
    """The parent names all samples, and says which of them a catalog with children links to these."""
    record = composed([child("S01", "a", samples=(FILM,))])
    assert [(sample.name, sample.in_child) for sample in record.samples] == [("tray", False), ("film", True)]
    assert record.children[0].samples == (FILM,)


def test_children_that_a_later_revision_has_not_are_remembered_until_they_are_back() -> None:
    """A child that is gone is told of with its id and name, through any number of revisions; one that comes back is not."""
    one, both = composed([child("S01", "a")]), composed([child("S01", "a"), child("S02", "b")])
    gone = former_children(to_json(both), one)
    assert gone == [{"key": "S02", "unique_id": both.children[1].unique_id, "name": "b"}]
    nothing = former_children({**to_json(one), "former_children": gone}, composed([]))
    assert [entry["key"] for entry in nothing] == ["S02", "S01"]
    assert former_children({"former_children": nothing}, both) == []
    assert former_children(None, both) == []
