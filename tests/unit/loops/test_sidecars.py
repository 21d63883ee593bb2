"""What people write beside a file: attributes and metadata with their origin, and mistakes that cost no more than themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.extract.sandbox import Outcome
from daemon.loops.sidecars import _document, _read
from daemon.model import DatasetRecord, DatasetState
from daemon.patterns import PathFilter
from daemon.record_json import from_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.workshop import Workshop

FOUND = {"laser": {"power": {"value": 1, "unit": "mW"}, "mode": "cw"}, "steps": 3}


def composed(workshop: Workshop, note: bytes, name: str = "x.dat.meta.yaml") -> DatasetRecord:
    """The record of x.dat with this note beside it."""
    workshop.extraction = Outcome("dat", "1", attributes={"measurement": "Raman"}, scientific_metadata=FOUND)
    workshop.write("run/x.dat", b"data")
    workshop.write(f"run/{name}", note)
    workshop.whole()
    dataset = workshop.dataset("run/x.dat")
    assert dataset is not None
    assert dataset.state is DatasetState.COMPOSED
    assert dataset.record is not None
    made = from_json(dataset.record, unique_id=dataset.unique_id or "", revision=dataset.revision, thumbnails=())
    assert [file.name for file in made.files] == ["x.dat", name]
    return made


@pytest.mark.parametrize("name", ["x.dat.meta.yaml", "x.meta.yaml", "x.dat.meta.json", "x.meta.json"])
def test_a_sidecar_gives_attributes_and_metadata(workshop: Workshop, name: str) -> None:
    """No ingestor overwrites them; both say that they came from the sidecar; the rest of the metadata stays."""
    note = {
        "measurement": "Photoluminescence",
        "keywords": ["annealed"],
        "attributes": {"owner_orcid": "0000-0002-1825-0097"},
        "metadata": {"laser": {"power": {"value": 5, "unit": "µW"}}},
        "temperature": {"value": 4.2, "unit": "K"},
    }
    made = composed(workshop, json.dumps(note, indent="\t" if name.endswith("json") else None).encode(), name)
    assert [(made.value(key), made.attributes[key].source.value) for key in ("measurement", "owner_orcid")] == [
        ("Photoluminescence", "sidecar"),
        ("0000-0002-1825-0097", "sidecar"),
    ]
    assert made.keywords == ("annealed",)
    metadata = dict(made.scientific_metadata)
    own: Any = metadata.pop("labferry")
    assert metadata == {
        "laser": {"power": {"value": 5, "unit": "µW"}, "mode": "cw"},
        "steps": 3,
        "temperature": {"value": 4.2, "unit": "K"},
    }
    assert own["sidecar"] == {"files": [name], "metadata": ["laser", "temperature"]}
    assert own["units"] == {"µW": "uW", "K": "K"}
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("name", "note", "said"),
    [
        ("x.dat.meta.yaml", b"a: 1\n\tb: 2\n", ":2:1: a tab stands where spaces belong"),
        ("x.dat.meta.yaml", b"a: 1\na: 2\n", ":2:1: stands here again, first in line 1"),
        ("x.dat.meta.yaml", b"[1, 2]", ":1:1: it is no mapping of `key: value` lines"),
        ("x.dat.meta.yaml", b"a: \xff\n", ":1:4: it is not UTF-8"),
        ("x.dat.meta.yaml", b"x" * 70_000, ":1:1: it is longer than 64 KiB"),
        ("x.dat.meta.json", b'{"a": 1,\n "b" 2}', ":2:6: is not JSON: Expecting ':' delimiter"),
        ("x.dat.meta.json", b'{"a":' * 200 + b"1" + b"}" * 200, ":1:1: it is nested too deeply"),
        ("x.dat.meta.json", b"[" * 60_000, "is not JSON"),
    ],
)
def test_a_broken_sidecar_is_a_warning_with_its_place(workshop: Workshop, name: str, note: bytes, said: str) -> None:
    """The dataset is composed without it, and the record says where the mistake is."""
    made = composed(workshop, note, name)
    (warning,) = made.warnings
    assert warning.startswith(f"{name}:")
    assert said in warning
    assert made.value("measurement") == "Raman"
    assert made.scientific_metadata["labferry"]["warnings"] == [warning]


def test_a_wrong_value_costs_only_itself(workshop: Workshop) -> None:
    """Each value that cannot be an attribute is named with line and column; the others hold."""
    note = (
        b'measurement: PL\npublic: maybe\nowner_orcid: "12"\nattributes:\n  timestamp: noon\n  colour: red\nsample: 7\n'
    )
    made = composed(workshop, note)
    assert made.value("measurement") == "PL"
    assert [warning.partition(";")[0] for warning in made.warnings] == [
        "x.dat.meta.yaml:2:1: public: should be true or false",
        "x.dat.meta.yaml:3:1: owner_orcid: should be an ORCID such as 0000-0002-1825-0097",
        "x.dat.meta.yaml:5:3: timestamp: should be a time such as 2026-11-21T14:30:00+01:00",
        "x.dat.meta.yaml:6:3: colour: is no attribute that can be given here",
        'x.dat.meta.yaml:7:1: sample: should be text, such as sample: "0042"',
    ]


def test_a_sample_of_a_note_is_a_sample_of_the_dataset(workshop: Workshop) -> None:
    """One word for one sample is enough."""
    assert [sample.name for sample in composed(workshop, b"sample: WSe2 flake 3").samples] == ["WSe2 flake 3"]


def test_a_sidecar_belongs_to_its_file_whatever_the_configuration_lists(workshop: Workshop) -> None:
    """Own companion rules and an `include` for data files only do not make a dataset of a note."""
    workshop.restart(
        datasets={"companions": ["{stem}.log"]}, roots=[{"path": str(workshop.data), "include": ["*.dat"]}]
    )
    assert composed(workshop, b"measurement: PL").value("measurement") == "PL"
    wanted = PathFilter(["*.{dat,xy}"], ["*.dat.meta.json"])
    assert [wanted.wants(path) for path in ("b/a.meta.yaml", "b/a.meta.json", "a.meta.txt")] == [True, True, False]
    assert [wanted.wants(path) for path in ("a.dat.meta.yaml", "a.dat.meta.json", "a.txt.meta.yaml")] == [
        True,
        False,
        False,
    ]


def test_a_misspelled_attribute_is_metadata_and_told(workshop: Workshop) -> None:
    """Nothing that a person wrote is lost, and the record says what they may have meant."""
    made = composed(workshop, b"mesurement: PL\noperator: me\n")
    assert (made.scientific_metadata["mesurement"], made.scientific_metadata["operator"]) == ("PL", "me")
    said = "x.dat.meta.yaml:1:1: mesurement: is no attribute and was taken as metadata; did you mean 'measurement'?"
    assert made.warnings == (said,)


def test_a_sidecar_that_comes_later_makes_another_revision(workshop: Workshop) -> None:
    """What is written after the measurement was delivered changes its record, not its id."""
    workshop.write("run/x.dat", b"data")
    workshop.whole()
    first = workshop.dataset("run/x.dat")
    made = composed(workshop, b"measurement: PL\n")
    assert first is not None
    assert (made.unique_id, made.revision, made.value("measurement")) == (first.unique_id, 2, "PL")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=9), below, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["n.meta.json", "n.meta.yaml"]),
)
def test_any_note_becomes_plain_values_or_warnings(tmp_path: Path, content: bytes, name: str) -> None:
    """Whatever stands in a note: values that JSON can carry, or sentences; never an error."""
    path = tmp_path / name
    path.write_bytes(content)
    note = _read(path)
    assert json.loads(json.dumps([note.attributes, note.metadata], allow_nan=False)) == [note.attributes, note.metadata]
    assert all(warning.startswith(f"{name}:") and "\n" not in warning for warning in note.warnings)
    assert (_document(path) is None) is False
