"""What catalogs do after an upload is asked about, shown, and never a delivery's error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from daemon.catalogs.catalog import Finding, Health
from daemon.errors import CatalogUnavailable
from daemon.loops.following import GAVE_UP, Following
from daemon.model import Step, StepKind
from tests.fakes.scripted import ScriptedCatalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.workshop import Workshop


@dataclass
class Ingesting(ScriptedCatalog):
    """A catalog whose requests end as `ends` says: one word, None or error for each question."""

    ends: list[str | Exception | None] = field(default_factory=list)
    asked: int = 0

    def follow(self, outcome: Mapping[str, Any]) -> str | None:
        """The next word."""
        assert outcome["request_id"] == 5
        self.asked += 1
        said = self.ends.pop(0) if self.ends else None
        if isinstance(said, Exception):
            raise said
        return said


def requested(workshop: Workshop) -> None:
    """A delivered dataset whose file the catalog was asked to read."""
    workshop.write("x.h5")
    workshop.whole()
    delivery = workshop.store.deliveries.lease("crucible")
    assert delivery is not None
    step = Step(StepKind.INGESTION, "x.h5", "digest")
    workshop.store.deliveries.steps_done(delivery, [(step, {"request_id": 5, "status": "requested"})])


def status(workshop: Workshop) -> str:
    """What the store says of the request."""
    return str(workshop.store.deliveries.steps(1, "crucible")["ingestion", "x.h5"].outcome["status"])  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["complete", "failed", "not supported", "file not found"])
def test_the_end_of_an_ingestion_is_kept_whatever_it_is(workshop: Workshop, end: str) -> None:
    """It is asked for until it ended, after longer and longer pauses and over troubles of the network, and then no more."""
    requested(workshop)
    catalog = Ingesting(ends=[None, CatalogUnavailable("Nobody answers."), None, end])
    following = Following(workshop.context, {"crucible": catalog})
    for _ in range(20):
        following.ask()
        workshop.clock.advance(30)
    assert status(workshop) == end
    assert catalog.asked == 4


def test_a_request_without_a_word_for_a_day_is_asked_for_no_more(workshop: Workshop) -> None:
    """After the deadline the request counts as unanswered, and costs nothing any more."""
    requested(workshop)
    catalog = Ingesting()
    following = Following(workshop.context, {"crucible": catalog})
    for _ in range(26):
        following.ask()
        workshop.clock.advance(3600)
    assert status(workshop) == GAVE_UP
    assert catalog.asked < 20
    assert workshop.store.deliveries.open_requests("crucible") == []


def test_bad_news_of_a_catalog_are_told_at_the_start(workshop: Workshop) -> None:
    """What is good is not worth a line; a key that ends soon is, with the catalog's name."""

    class Expiring(ScriptedCatalog):
        def check(self) -> list[Finding]:
            return [Finding(Health.OK, "crucible answers."), Finding(Health.WARNING, "The key ends soon.")]

    with structlog.testing.capture_logs() as said:
        Following(workshop.context, {"crucible": Expiring()}).look()
    assert [(line["event"], line["catalog"], line["problem"]) for line in said] == [
        ("catalog.finding", "crucible", "The key ends soon.")
    ]
