"""Attributes that the configuration makes of other values: filled as a whole, or not at all, and never silently."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.compose import Extracted, Member, Provided, compose
from daemon.forms import FIELDS, KeyProblems, attributes
from daemon.model import DatasetRecord, Fingerprint, SampleRef

NAME = "{measurement} {sample} {timestamp:%H:%M}"
SAID = {"measurement": "Raman", "timestamp": "2026-11-21T14:30:00+01:00", "dataset_name": "scan_001"}


def record(
    provided: dict[str, Any], *, said: dict[str, str] = SAID, metadata: Any = None, samples: Any = ("Si",)
) -> DatasetRecord:
    """What becomes of a file of which the ingestor says this, with this configuration."""
    member = Member("run/x.dat", "/r/run/x.dat", Fingerprint(1, 10**18, 0, 1, 1), "0" * 64, 0, 1, (0,), 1, primary=True)
    found = Extracted("dat", "1", said, metadata or {}, (), [SampleRef(name) for name in samples], ())
    return compose(
        unique_id="i", revision=1, members=[member], provided=Provided(**provided), extracted=found, thumbnails=(), parent_id=None
    )  # fmt: skip


def test_a_template_is_filled_from_what_was_extracted() -> None:
    """The name is made of attributes, sample and time, its source stays the configuration, and the record names the template."""
    made = record({"configuration": {"dataset_name": NAME}})
    assert (made.value("dataset_name"), made.attributes["dataset_name"].source.value) == (
        "Raman Si 14:30",
        "configuration",
    )
    assert made.scientific_metadata["labferry"]["templates"] == {"dataset_name": NAME}
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"samples": ()}, "{sample}"),
        ({"said": {"timestamp": "2026-11-21T14:30:00", "dataset_name": "scan_001"}}, "{measurement}"),
        ({"said": {**SAID, "timestamp": "2026-11-21"}}, "'2026-11-21' knows no time of day"),
        ({"said": {**SAID, "timestamp": "noon"}}, "'noon' is no time"),
    ],
)
def test_a_template_that_misses_a_value_gives_way(changes: dict[str, Any], missing: str) -> None:
    """The next-strongest value holds, and a warning says what is missing and what is used instead."""
    made = record({"configuration": {"dataset_name": NAME}}, **changes)
    assert (made.value("dataset_name"), made.attributes["dataset_name"].source.value) == ("scan_001", "ingestor")
    (warning,) = made.warnings
    assert missing in warning
    assert warning.startswith("attributes.dataset_name: ")
    assert warning.endswith("'scan_001' (ingestor) is used")
    assert made.scientific_metadata["labferry"]["warnings"] == [warning]
    assert "templates" not in made.scientific_metadata["labferry"]


def test_a_default_template_counts_only_where_nothing_else_is_said() -> None:
    """In `defaults:` the file's own value wins without a warning; else the template, and behind it the plain default."""
    given_ = {"defaults": {"dataset_name": "{stem} of {sample}"}}
    assert record(given_).value("dataset_name") == "scan_001"
    assert record(given_, samples=()).warnings == ()
    assert record(given_, said={}).value("dataset_name") == "x of Si"
    bare = record(given_, said={}, samples=())
    assert (bare.value("dataset_name"), len(bare.warnings)) == ("x", 1)


def test_a_template_sees_what_holds_without_templates() -> None:
    """A name can add to the file's own one; stronger sources hide a template, and what they say is what it sees."""
    added = {"dataset_name": "{dataset_name} (north)", "data_type": "{dataset_name}"}
    made = record({"configuration": added})
    assert (made.value("dataset_name"), made.value("data_type")) == ("scan_001 (north)", "scan_001")
    hidden = record({"configuration": added, "sidecar": {"dataset_name": "mine"}})
    assert (hidden.value("dataset_name"), hidden.value("data_type")) == ("mine", "mine")


def test_a_template_reaches_metadata_and_alternatives() -> None:
    """Scientific metadata by their way, with their units; what is not there has an alternative."""
    made = record(
        {
            "configuration": {
                "data_type": "{metadata.laser.power} {metadata.laser.wavelength:.0f}",
                "measurement": "{metadata.mode|'map'}",
            }
        },
        metadata={"laser": {"power": {"value": 5, "unit": "mW"}, "wavelength": {"value": 532.1, "unit": "nm"}}},
    )
    assert (made.value("data_type"), made.value("measurement")) == ("5 mW 532", "map")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{measurment}", "has the field {measurment}, which no dataset has; did you mean 'measurement'?"),
        ("{sample.__class__}", "has the field {sample.__class__}, which no dataset has"),
        ("{sample[0]}", "which no dataset has"),
        ("{measurement!r}", "has the placeholder"),
        ("{}", "has the placeholder"),
        ("{measurement", "has a brace without its other half"),
        ("{timestamp:%Q}", "whose format '%Q' is none"),
        ("{sample:>9999999}", "whose format"),
    ],
)
def test_a_template_that_cannot_be_filled_is_a_mistake(text: str, said: str) -> None:
    """An unknown field, an attribute of a value, a conversion, a lone brace and an odd format are told at once."""
    with pytest.raises(KeyProblems) as caught:
        attributes({"dataset_name": text})
    assert said in caught.value.problems["dataset_name"]


def test_only_free_text_can_be_a_template() -> None:
    """A project or an ORCID made of other values is a mistake; the words of a list are taken as they stand."""
    assert attributes({"keywords": ["{y}"]}) == {"keywords": ["{y}"]}
    with pytest.raises(KeyProblems) as caught:
        attributes({"project_id": "{sample}"})
    assert caught.value.problems["project_id"].startswith("cannot be a template; data_format, ")


@given(
    st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=8)),
)
def test_a_name_is_whole_or_not_there(fields: list[str], values: dict[str, str]) -> None:
    """Whatever is known: either every field is in the name, or the name is another one and there is a warning."""
    text = " ".join(f"<{{{field}}}>" for field in fields)
    said = {name: value for name, value in values.items() if name not in {"name", "stem", "sample"}}
    made = record({"configuration": {"dataset_name": text}}, said=said, samples=())
    name = made.value("dataset_name")
    assert (name.count("<") >= len(fields)) is not bool(made.warnings)
