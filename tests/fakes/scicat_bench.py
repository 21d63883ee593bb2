"""An adapter for a fake SciCat, and records of real files to deliver to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.credentials import Key
from daemon.catalogs.http import Timeouts
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.clock import ManualClock
from daemon.mfid import new_mfid
from daemon.scicat_settings import SciCatCatalog
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import serve
from tests.fakes.scicat import PASSWORD, FakeScicat
from tests.fakes.voyage import picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.catalogs.transfer import Mover
    from daemon.model import DatasetRecord

DATASET: Final = {"ownerGroup": "ingestor", "owner": "Ann", "contactEmail": "ann@example.org"}


def settings(url: str, **changes: Any) -> SciCatCatalog:
    """A small configuration; `dataset` is added to the least one, everything else replaces."""
    dataset = {**DATASET, **changes.pop("dataset", {})}
    return SciCatCatalog.model_validate(
        {"type": "scicat", "url": url, "username": "ingestor", "dataset": dataset, **changes}
    )


def adapter(
    url: str, clock: Any = None, *, mover: Mover | None = None, password: str = PASSWORD, **changes: Any
) -> SciCat:
    """The adapter for a server."""
    options = SciCatOptions(
        settings(url, **changes),
        "tem1",
        password=Key(password, "a test"),
        mover=mover,
        roots=("/data/tem",),
        software="labferry test",
        timeouts=Timeouts(connect=5.0, read=10.0, slow=30.0),
    )
    return SciCat(options, clock or ManualClock())


@dataclass
class Bench:
    """A fake, its address, and adapters that are closed at the end."""

    fake: FakeScicat
    url: str
    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    made: list[SciCat] = field(default_factory=list)
    count: int = 0

    def adapter(self, **changes: Any) -> SciCat:
        """An adapter for this fake."""
        one = adapter(self.url, self.clock, **changes)
        self.made.append(one)
        return one

    def record(self, *, files: int = 3, **changes: Any) -> DatasetRecord:
        """A measurement with files, a picture, metadata and keywords; another one at each call."""
        self.count += 1
        folder = self.folder / f"run {self.count}"
        folder.mkdir(exist_ok=True)
        for number in range(files):
            (folder / f"scan_{number}.dat").write_bytes(f"{self.count}/{number}\n".encode() * (number + 1))
        attributes = {
            "dataset_name": f"scan {self.count}",
            "measurement": "TEM",
            "timestamp": "2026-11-20T10:00:00+01:00",
            "session_name": "a sitting",
            **changes.pop("attributes", {}),
        }
        return dataset_record(
            new_mfid(1_800_000_000_000_000_000 + self.count * 1_000_000_000),
            attributes,
            files=tuple(record_file(folder / f"scan_{number}.dat", primary=not number) for number in range(files)),
            **{
                "scientific_metadata": {"voltage": {"value": 200, "unit": "kV"}, "operator": "ann"},
                "keywords": ("grid-3",),
                "thumbnails": (thumbnail("view.png", picture(7)),),
                "ingestor": "fake",
                "ingestor_version": "1",
                **changes,
            },
        )

    def deliver(
        self, catalog: SciCat, record: DatasetRecord, notebook: Notebook | None = None, tries: int = 1
    ) -> Notebook:
        """Deliver as the loop does; the notebook is what the store knows afterwards."""
        known = notebook or Notebook()
        known.deliver(catalog, record, tries)
        return known


@contextmanager
def bench(folder: Path, generation: str = "5", rights: str = "create") -> Iterator[Bench]:
    """A served fake; at the end every request that was made must have been one that both documents allow."""
    fake = FakeScicat(generation, rights)
    with serve(fake.answer) as url:
        one = Bench(fake, url, folder)
        yield one
        for catalog in one.made:
            catalog.close()
    assert fake.violations == []
