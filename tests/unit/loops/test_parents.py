"""The parent dataset of a session keeps up with what joins it, and shows it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from daemon.extract.outcome import Outcome, ThumbnailImage
from daemon.extract.sheet import contact_sheet
from ingestors.contactsheet import CELL
from ingestors.contactsheet import contact_sheet as drawn
from tests.fakes.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> bytes:
    """A PNG of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop whose ingestor draws a red picture, and whose sessions have parents."""
    red = ThumbnailImage("map", picture((255, 0, 0)), 300, 200)
    made = Workshop(tmp_path, {"session": {"parent": True}}, extraction=Outcome("fallback", "1", thumbnails=(red,)))
    yield made
    made.close()


def parent(workshop: Workshop) -> tuple[dict[str, object], list[bytes]]:
    """What the parent's metadata say of the session, and its pictures."""
    row = workshop.store.database.select("SELECT id, record FROM datasets WHERE kind = 'session'")[0]
    session: dict[str, object] = json.loads(row["record"])["scientific_metadata"]["session"]
    return session, [one.png for one in workshop.store.datasets.thumbnails(row["id"])]


def test_the_parent_counts_every_dataset_that_joined(workshop: Workshop) -> None:
    """After each round the parent tells the number of datasets and their bytes, the first one included."""
    for count in (1, 2, 3):
        workshop.write(f"{count}.dat", b"x" * 10)
        workshop.whole()
        workshop.housekeeping.update_parents()
        session, _ = parent(workshop)
        assert session["number_of_datasets"] == count
        assert session["size"] == {"value": 10 * count, "unit": "byte"}
    assert workshop.housekeeping.update_parents() == 0


def test_the_parent_shows_the_pictures_of_its_datasets(workshop: Workshop) -> None:
    """Its picture is one sheet with the first picture of each dataset; with the same pictures it stays the same."""
    sizes = []
    for name in ("a.dat", "b.dat"):
        workshop.write(name)
        workshop.whole()
        workshop.housekeeping.update_parents()
        _, pictures = parent(workshop)
        assert len(pictures) == 1
        sizes.append(Image.open(io.BytesIO(pictures[0])).size)
    assert sizes[0][0] < sizes[1][0]
    before = parent(workshop)[1]
    workshop.store.database.run("extend_session", id=1, at="2026-01-01T00:00:00+00:00", now="2026-01-01T00:00:00+00:00")
    workshop.housekeeping.update_parents()
    assert parent(workshop)[1] == before


def test_a_sheet_has_a_cell_for_each_picture_whatever_its_shape() -> None:
    """Pictures keep their proportions in cells of one size; what is no picture is left out, and none gives none."""
    pictures = [picture((0, 0, 255), size) for size in ((10, 900), (900, 10), (4, 4))]
    sheet = Image.open(io.BytesIO(drawn([*pictures, b"no picture"])))
    assert sheet.size[0] < 3 * CELL
    assert sheet.getcolors(100_000) is not None
    assert contact_sheet([b"no picture"]) is None
    with pytest.raises(ValueError, match="no picture"):
        drawn([])
