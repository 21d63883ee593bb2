"""What becomes of child datasets in a catalog when their file is read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from daemon.cli.explain import tell
from tests.fakes.served import in_memory
from tests.fakes.voyage import POSITION, Voyage, load

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.extract.outcome import ChildOutcome


def told(voyage: Voyage) -> dict[str, Any]:
    """What `explain` says of the dataset."""
    story = tell(voyage.workshop.instrument, voyage.workshop.store, voyage.workshop.data / "map.h5")
    dataset: dict[str, Any] = story["dataset"]
    return dataset


def again(voyage: Voyage, *children: ChildOutcome) -> None:
    """The file grew, and its ingestor says something else of its children."""
    with (voyage.workshop.data / "map.h5").open("ab") as file:
        file.write(b"more")
    voyage.workshop.extraction = replace(voyage.workshop.extraction, children=children)
    voyage.workshop.context.stopping.clear()
    voyage.whole()


def test_a_child_is_never_made_twice_and_never_taken_away(tmp_path: Path) -> None:
    """Read again, a child is brought up to date; one that is gone stays in the catalog and is told of; one that is back is the same."""
    load(tmp_path / "data")
    with (
        in_memory(tmp_path) as served,
        Voyage(tmp_path, served.adapter, served.port, served.sample, served.project) as voyage,
    ):
        voyage.whole()
        _, _, child = voyage.ids()
        said = voyage.workshop.extraction.children[0]
        before, datasets = served.contents(child), served.count()
        assert told(voyage)["children"] == [
            {"key": POSITION, "unique_id": child, "name": "scan of a wafer", "in": [voyage.catalog.name]}
        ]
        again(voyage, replace(said, scientific_metadata={"position": POSITION, "x": 1}))
        changed = served.contents(child)
        assert changed is not None
        assert before is not None
        assert changed["metadata"]["x"] == 1
        assert {**changed, "metadata": 0} == {**before, "metadata": 0}
        again(voyage)
        assert (served.contents(child), "children" in told(voyage)) == (changed, False)
        assert [one["unique_id"] for one in told(voyage)["former_children"]] == [child]
        again(voyage, replace(said, scientific_metadata={"position": POSITION, "x": 2}))
        back = served.contents(child)
        assert back is not None
        assert (back["metadata"]["x"], "former_children" in told(voyage)) == (2, False)
        assert served.count() == datasets
