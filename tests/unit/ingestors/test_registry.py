"""The order in which ingestors get a file, and what a plugin cannot do to the others."""

from __future__ import annotations

import sys
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestors import registry
from ingestors.api import Candidate, Claim, Extraction
from ingestors.registry import BUILT_IN, ClaimError, Plugin, RankedClaim, Ranking, Registry, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = Candidate(Path("/nowhere/x.dat"))


class Claims:
    """An ingestor whose claim returns or raises what it was given."""

    version = "1"

    def __init__(self, name: str, answer: Any) -> None:
        self.name = name
        self.answer = answer

    def claim(self, candidate: Candidate) -> Claim | None:
        """Return or raise."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        found: Claim | None = self.answer
        return found

    def extract(self, candidate: Candidate) -> Extraction:
        """Read nothing."""
        return Extraction()


def plugin(name: str, answer: Any, origin: str = BUILT_IN) -> Plugin:
    """A loaded plugin that answers so."""
    return Plugin(Claims(name, answer), name, "1", origin)


def order(plugins: Sequence[Plugin]) -> list[str]:
    """The names in the order of the ranking."""
    return [claim.ingestor for claim in Registry(plugins).rank(FILE).claims]


def test_ranking_is_total() -> None:
    """The most specific first, then others before built-ins, then by name; the order of loading does not matter."""
    plugins = [
        plugin("c", Claim(20, "")),
        plugin("b", Claim(20, "")),
        plugin("z", Claim(20, ""), "labferry-z 1"),
        plugin("top", Claim(80, "")),
        plugin("declines", None),
    ]
    assert {tuple(order(one)) for one in permutations(plugins)} == {("top", "z", "b", "c")}


def test_ties_are_reported() -> None:
    """Ingestors that claim equally specifically are named together."""
    plugins = [plugin("a", Claim(50, "")), plugin("b", Claim(50, "")), plugin("c", Claim(0, ""))]
    assert Registry(plugins).rank(FILE).ties == (("a", "b"),)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ValueError("no\nsuch  luck"), "ValueError: no such luck"),
        (SystemExit(3), "SystemExit: 3"),
        (MemoryError(), "MemoryError"),
        (50, "claim() returned int instead of a Claim or None"),
        (Claim(101, "x"), "claim() returned the specificity 101; it has to be from 0 to 100"),
        (Claim(specificity=True, reason="x"), "claim() returned the specificity True; it has to be from 0 to 100"),
        (Claim("90", "x"), "claim() returned the specificity '90'; it has to be from 0 to 100"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_claim_is_reported_and_the_others_stand(answer: object, reason: str) -> None:
    """A claim that raises or is nonsense becomes an error with a reason; the other claims are unharmed."""
    ranking = Registry([plugin("bad", answer), plugin("good", Claim(50, "g\x00o\nod"))]).rank(FILE)
    expected = RankedClaim("good", 50, "g o od", BUILT_IN)
    assert ranking == Ranking((expected,), (ClaimError("bad", reason),))


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-5, 105) | st.none()), unique_by=lambda pair: pair[0])
)
def test_every_answer_is_a_claim_or_an_error_or_declined(answers: list[tuple[str, int | None]]) -> None:
    """Nobody is lost: each plugin shows up in the claims or the errors unless it declined, and the claims descend."""
    plugins = [plugin(name, None if value is None else Claim(value, "")) for name, value in answers]
    ranking = Registry(plugins).rank(FILE)
    seen = {claim.ingestor for claim in ranking.claims} | {error.ingestor for error in ranking.errors}
    assert seen == {name for name, value in answers if value is not None}
    specificities = [claim.specificity for claim in ranking.claims]
    assert specificities == sorted(specificities, reverse=True)


def test_left_out_plugins_are_not_asked() -> None:
    """Ingestors in `without` are not even asked; the others are announced before they are."""
    asked: list[str] = []
    found = Registry([plugin("a", ValueError()), plugin("b", Claim(1, ""))])
    assert found.rank(FILE, without=frozenset({"a"}), asking=asked.append).errors == ()
    assert asked == ["b"]


def test_get_knows_names_and_class_names() -> None:
    """A plugin is found by its name, and by its class's name as an ingestion request gives it."""
    found = Registry([plugin("a", None)])
    assert found.get("a") is found.plugins[0]
    assert found.get("Claims") is found.plugins[0]
    assert found.get("b") is None


def test_a_missing_built_in_is_a_load_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A built-in that cannot be imported is listed with the reason; the rest loads."""
    monkeypatch.setattr(registry, "BUILT_INS", ("ingestors.gone:Gone", "ingestors.fallback:Fallback"))
    loaded = Registry.load()
    assert [one.name for one in loaded.plugins if one.origin == BUILT_IN] == ["fallback"]
    assert [error.plugin for error in loaded.load_errors] == ["ingestors.gone:Gone"]


def test_entry_points_are_loaded_each_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins of another package load with their origin; the broken ones among them are reported, each for itself."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2] / "fakes" / "troublesome")])
    monkeypatch.setattr(registry, "BUILT_INS", ("ingestors.fallback:Fallback",))
    loaded = Registry.load()
    assert [one.name for one in loaded.plugins] == ["calm", "fallback", "trouble"]
    assert {one.origin for one in loaded.plugins} == {BUILT_IN, "troublesome-ingestors 1.0"}
    assert len(loaded.load_errors) == 4


def test_every_built_in_loads_and_has_a_unique_name() -> None:
    """All the ingestors that labferry brings are there, without an error."""
    loaded = Registry.load()
    assert not [error for error in loaded.load_errors if error.origin == BUILT_IN]
    assert {"scopefoundry", "hdf5", "xy", "dat", "image", "fallback"} <= {one.name for one in loaded.plugins}


def test_an_exception_that_cannot_be_printed_is_explained() -> None:
    """Even an exception whose own text raises gets one line."""

    class Mute(Exception):  # noqa: N818 its name is what is shown
        def __str__(self) -> str:
            raise ValueError

    assert explain(Mute()) == "Mute"
