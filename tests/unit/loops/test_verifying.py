"""Verifying against catalogs of every kind: what they may say, and what happens while they say it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.catalog import Held
from daemon.errors import CatalogRefused, CatalogUnavailable
from daemon.loops.localfiles import local_files
from daemon.loops.verifying import PATIENCE, Checked, Verdict, Verifying
from tests.fakes.scripted import ScriptedCatalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.model import DatasetRecord, Step
    from tests.fakes.workshop import Workshop

CONTENT = b"what was measured"


@dataclass
class Shelf(ScriptedCatalog):
    """A catalog that holds what it is told, and does something while it is read."""

    shelf: Sequence[Held] | None = ()
    content: bytes = CONTENT
    meanwhile: Callable[[], object] = field(default=lambda: None)
    error: Exception | None = None
    asked: int = 0

    def holds(self, unique_id: str) -> Sequence[Held] | None:
        """What it was told."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.shelf

    def read(self, held: Held, alive: Callable[[], None]) -> Iterator[bytes]:
        """The content, after what happens meanwhile."""
        alive()
        self.meanwhile()
        yield self.content

    def find(self, sha256: str) -> Sequence[Held]:
        """Nothing."""
        return ()

    def recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        """Nothing."""
        return None

    def parents(self, unique_id: str) -> Sequence[tuple[str, str]]:
        """None."""
        return ()

    def trace(self, instrument: str) -> str | None:
        """None."""
        return None


def held(**changes: Any) -> Held:
    """What a good catalog says."""
    said = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), "stored": True, **changes}
    return Held("some dataset", "x.dat", "file 1", **said)


def check(workshop: Workshop, *shelves: ScriptedCatalog | str, believe: bool = False) -> Checked:
    """Deliver a file to catalogs of these names and verify it against the shelves."""
    if workshop.file("x.dat") is None:
        workshop.write("x.dat", CONTENT)
        workshop.whole()
        for name in workshop.catalogs:
            loop, _ = workshop.deliverer(ScriptedCatalog(name))
            loop._next("delivering", [], None)
    catalogs = dict(zip(workshop.catalogs, shelves, strict=True))
    verifying = Verifying(workshop.instrument, workshop.store, catalogs, believe=believe)
    return verifying.check(next(iter(local_files(workshop.instrument.roots, workshop.data / "x.dat"))))


def test_a_good_catalog_makes_a_file_safe_since_its_step_was_done(workshop: Workshop) -> None:
    """With the right bytes read back the file is safe, since the moment at which its upload was done."""
    checked = check(workshop, Shelf(shelf=[held()]))
    assert checked.verdict is Verdict.SAFE
    assert checked.since is not None
    assert checked.since.startswith("2026-01-01")


@pytest.mark.parametrize(
    ("shelf", "word"),
    [
        (Shelf(shelf=None), "no dataset"),
        (Shelf(shelf=[]), "no file"),
        (Shelf(shelf=[held(), held()]), "more than one"),
        (Shelf(shelf=[held(size=3)]), "3 bytes"),
        (Shelf(shelf=[held(sha256="0" * 64)]), "other bytes"),
        (Shelf(shelf=[held(sha256=None)], content=CONTENT[:-1]), "read back"),
        (Shelf(shelf=[held(sha256=None, size=None)], content=CONTENT + b"x"), "read back"),
        (Shelf(shelf=[held()], content=b"#" * len(CONTENT)), "read back"),
        (Shelf(shelf=[held(stored=False)]), "only records"),
        (Shelf(shelf=[held(stored=False, sha256=None)]), "without its hash"),
        (
            Shelf(shelf=[held(stored=False, in_place="/storage/x.dat")]),
            "own copy: crucible lists it with this size and sha256 as /storage/x.dat",
        ),
        (Shelf(shelf=[held(stored=False, in_place="/x", sha256=None)]), "with this size, without its sha256"),
        (Shelf(shelf=[held(stored=False, in_place="/x", size=3)]), "3 bytes"),
        (Shelf(shelf=[held(stored=False, in_place="/x", sha256="0" * 64)]), "other bytes"),
        (Shelf(error=CatalogUnavailable("it is night")), "it is night"),
        (Shelf(error=CatalogRefused("you may not look")), "you may not look"),
        (ScriptedCatalog(), "no way to prove"),
        ("its key is missing", "its key is missing"),
    ],
)
def test_every_other_answer_is_a_reason(workshop: Workshop, shelf: ScriptedCatalog | str, word: str) -> None:
    """Whatever a catalog says or does not say but that it stores these bytes makes the file unsafe, in words."""
    checked = check(workshop, shelf)
    assert (checked.verdict, checked.since) == (Verdict.UNSAFE, None)
    assert word in checked.why


def test_a_catalogs_own_hash_is_believed_only_on_request(workshop: Workshop) -> None:
    """With `believe` a hash is enough and is named as the proof; a catalog without one is read back anyway."""
    wrong = Shelf(shelf=[held()], content=b"")
    assert check(workshop, wrong, believe=True).evidence[0].how == "the catalog's own hash"
    assert check(workshop, Shelf(shelf=[held(sha256=None)], content=b""), believe=True).verdict is Verdict.UNSAFE


@pytest.mark.parametrize("how", ["touched", "rewritten", "deleted", "replaced", "opened"])
def test_a_file_that_changes_while_it_is_checked_is_not_safe(workshop: Workshop, how: str) -> None:
    """Whatever happens to the local file while the catalog is read, the verdict is not `safe`."""
    path = workshop.data / "x.dat"
    streams = []

    def meanwhile() -> None:
        if how == "touched":
            path.touch()
        elif how == "rewritten":
            path.write_bytes(CONTENT[::-1])
        elif how == "deleted":
            path.unlink()
        elif how == "replaced":
            (path.parent / "y").write_bytes(CONTENT)
            (path.parent / "y").replace(path)
        else:
            streams.append(path.open("r+b"))

    assert check(workshop, Shelf(shelf=[held()], meanwhile=meanwhile)).verdict is Verdict.UNSAFE
    for stream in streams:
        stream.close()


def test_records_count_beside_bytes(workshop: Workshop) -> None:
    """A catalog that keeps records only agrees; the file is safe because another one has its bytes."""
    workshop.catalogs = ("bytes", "records")
    workshop.close()
    workshop.open()
    checked = check(workshop, Shelf("bytes", shelf=[held()]), Shelf("records", shelf=[held(stored=False)]))
    assert checked.verdict is Verdict.SAFE
    assert [one.how for one in checked.evidence] == ["every byte read back", "a record without the bytes"]


@pytest.mark.parametrize("content", [CONTENT, b""])
def test_the_facility_s_own_copy_is_never_safe(workshop: Workshop, content: bytes) -> None:
    """Where a catalog's record points at the very file, other catalogs' bytes do not make it safe: the record would dangle."""
    workshop.catalogs = ("bytes", "in place")
    workshop.close()
    workshop.open()
    workshop.write("x.dat", content)
    workshop.whole()
    workshop.clock.advance(workshop.instrument.settle.empty)
    workshop.settle()
    workshop.compose()
    for name in workshop.catalogs:
        loop, _ = workshop.deliverer(ScriptedCatalog(name))
        loop._next("delivering", [], None)
    said = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    one, other = held(**said), held(**said, stored=False, in_place="/storage/x.dat")
    checked = check(workshop, Shelf("bytes", shelf=[one], content=content), Shelf("in place", shelf=[other]))
    assert checked.verdict is Verdict.UNSAFE
    assert checked.why.startswith("it is the facility's own copy: in place lists it")


def test_a_silent_catalog_is_not_asked_for_ever(workshop: Workshop) -> None:
    """After some unanswered questions in a row a catalog counts as away for the rest of the run."""
    shelf = Shelf(error=CatalogUnavailable("no answer"))
    check(workshop, shelf)
    verifying = Verifying(workshop.instrument, workshop.store, {"crucible": shelf})
    files = list(local_files(workshop.instrument.roots, None))
    shelf.asked = 0
    for _ in range(3 * PATIENCE):
        assert verifying.check(files[0]).verdict is Verdict.UNSAFE
    assert shelf.asked == PATIENCE
