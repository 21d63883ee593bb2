"""Verifying that a local file, as it is now, is in every catalog, as that is now.

Nothing is believed that was not looked at in this run: the local bytes are hashed, the store's words are compared, each
catalog lists the dataset's files, and the stored bytes are read back and hashed. Everything that does not agree, cannot be
asked or changes meanwhile makes the file unsafe, with the first reason in words. Reads only.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.catalog import Readable
from daemon.errors import CatalogError, CatalogUnavailable, CredentialsRefused
from daemon.loops.sidecars import OWN_FILES
from daemon.model import DatasetState, DeliveryState, FileState, StepKind
from daemon.patterns import PathFilter
from daemon.record_json import from_json
from daemon.watch.digest import Changed, digest
from daemon.watch.lease import Writers, writers
from daemon.watch.scan import fingerprint_of
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.catalogs.catalog import Catalog, Held
    from daemon.loops.localfiles import LocalFile
    from daemon.model import RecordFile
    from daemon.settings import Instrument
    from daemon.store.datasets import DatasetRow
    from daemon.store.files import FileRow
    from daemon.store.opening import Store

READ_BACK: Final = "every byte read back"
OWN_HASH: Final = "the catalog's own hash"
EMPTY: Final = "an empty file"
RECORD_ONLY: Final = "a record without the bytes"
SKIPPED: Final = "skipped: "
PATIENCE: Final = 3
"""Unanswered questions in a row after which a catalog is not asked again in this run."""
_REMEMBERED: Final = 256


class Unsafe(Exception):  # noqa: N818 no error: the verdict
    """Why a file must not be deleted, in words."""


class Verdict(StrEnum):
    """What was found."""

    SAFE = "safe"
    UNSAFE = "not safe"
    GONE = "gone"  # not on this disk any more; the catalogs hold what the store remembers of it


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one catalog holds of a file: its id there, how that was proved, and since when the daemon knows."""

    catalog: str
    ref: str
    how: str
    since: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One file's verdict. `since`: when the last catalog had it."""

    path: str
    verdict: Verdict
    why: str = ""
    size: int | None = None
    sha256: str | None = None
    dataset: str | None = None
    name: str | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def since(self) -> str | None:
        """The moment from which on every catalog had it."""
        return max((one.since for one in self.evidence), default=None) if self.verdict is Verdict.SAFE else None


@dataclass
class _Listing:
    """What a catalog said of a dataset in this run."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: bool = False
    held: Sequence[Held] | None = None


class Verifying:
    """Checks files one by one; several threads may. `catalogs`: each by name, or the sentence why it cannot be asked.

    `believe`: take a catalog's own hash instead of reading everything back. `alive` is called in long work, may raise.
    """

    def __init__(
        self,
        instrument: Instrument,
        store: Store,
        catalogs: Mapping[str, Catalog | str],
        *,
        believe: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._catalogs = catalogs
        self._believe = believe
        self._alive = alive
        self._filters = {root.path: PathFilter(root.include, (*root.exclude, *OWN_FILES)) for root in instrument.roots}
        self._lock = threading.Lock()
        self._listings: dict[tuple[str, str], _Listing] = {}
        self._silent: dict[str, tuple[int, str]] = {}

    def check(self, file: LocalFile) -> Checked:
        """The verdict on one local file. Raises StateError, and what `alive` raises."""
        told: dict[str, Any] = {"path": str(file.absolute)}
        try:
            self._check(file, told)
        except Unsafe as unsafe:
            return Checked(verdict=Verdict.UNSAFE, why=str(unsafe), **told)
        except (ValueError, LookupError, TypeError) as error:  # somebody wrote into the store or its record by hand
            why = f"what the store says of it cannot be understood ({type(error).__name__}: {error})"
            return Checked(verdict=Verdict.UNSAFE, why=why, **told)
        return Checked(verdict=Verdict.SAFE, **told)

    def remembered(self, dataset: DatasetRow, file: RecordFile) -> Checked:
        """The verdict on a file that is no longer here: whether the catalogs hold what the store remembers of it."""
        told: dict[str, Any] = {"path": file.path, "size": file.size, "sha256": file.sha256}
        told.update(dataset=dataset.unique_id, name=file.name)
        try:
            told["evidence"] = self._everywhere(dataset, file)
        except Unsafe as unsafe:
            return Checked(verdict=Verdict.UNSAFE, why=f"it is not here any more, and {unsafe}", **told)
        return Checked(verdict=Verdict.GONE, why="it is not here any more; every catalog holds it", **told)

    def _check(self, file: LocalFile, told: dict[str, Any]) -> None:
        if file.fingerprint is None:
            raise Unsafe(file.problem)
        told["size"] = file.fingerprint.size
        row, dataset = self._known(file)
        told.update(dataset=dataset.unique_id)
        told["sha256"] = sha256 = self._hashed(file)
        if row.digests is None or row.digests.sha256 != sha256:
            raise Unsafe("its bytes are not those that the store knows: it was changed after it settled")
        record = _named(dataset, file, sha256)
        told["name"] = record.name
        if record.sha256 != sha256 or record.size != file.fingerprint.size:
            raise Unsafe("its bytes are not those that were delivered")
        told["evidence"] = self._everywhere(dataset, record)
        self._unchanged(file)

    def _known(self, file: LocalFile) -> tuple[FileRow, DatasetRow]:
        """What the store says of a file, if that is nothing but good."""
        if not self._filters[file.root.path].wants(file.path):
            raise Unsafe("it is left out by the patterns of `include` and `exclude`, so no catalog gets it")
        root = self._store.roots.find(file.root.path)
        row = None if root is None else self._store.files.by_path(root, file.path)
        if row is None:
            raise Unsafe("the daemon has not seen it yet")
        if row.state is not FileState.SETTLED:
            raise Unsafe(f"it is {row.state} for the daemon" + (f": {row.reason}" if row.reason else ""))
        dataset = None if row.dataset is None else self._store.datasets.get(row.dataset)
        if dataset is None or dataset.record is None or dataset.unique_id is None:
            raise Unsafe("it is in no dataset that was delivered")
        if dataset.state is DatasetState.PARKED:
            raise Unsafe(f"its dataset is parked: {dataset.reason}")
        if dataset.state not in {DatasetState.COMPOSED, DatasetState.DELIVERED}:
            raise Unsafe(f"its dataset is {dataset.state}" + (f": {dataset.reason}" if dataset.reason else ""))
        return row, dataset

    def _hashed(self, file: LocalFile) -> str:
        if file.fingerprint is None:
            raise Unsafe(file.problem)
        try:
            if writers(file.absolute) is Writers.SOME:
                raise Unsafe("a program has it open for writing")
            return digest(file.absolute, file.fingerprint, alive=self._alive).sha256
        except Changed as changed:
            raise Unsafe(f"it changed while it was checked: {changed.message}") from None
        except OSError as error:
            raise Unsafe(f"it cannot be read: {error.strerror}") from None

    def _unchanged(self, file: LocalFile) -> None:
        try:
            now = fingerprint_of(file.absolute.lstat())
            if now != file.fingerprint or writers(file.absolute) is Writers.SOME:
                raise Unsafe("it changed while it was checked")
        except OSError as error:
            raise Unsafe(f"it cannot be read: {error.strerror}") from None

    def _everywhere(self, dataset: DatasetRow, file: RecordFile) -> tuple[Evidence, ...]:
        """What each catalog holds of the file. Every one that wants it must have it, and one at least the bytes."""
        evidence = [self._in(name, dataset, file) for name in self._catalogs if not self._skipped(name, dataset)]
        if all(one.how == RECORD_ONLY for one in evidence):
            raise Unsafe("no catalog has its bytes, only records that tell of it")
        return tuple(evidence)

    def _skipped(self, name: str, dataset: DatasetRow) -> bool:
        """Whether a catalog does not want this dataset, as the index of open data none that is private."""
        deliveries = self._store.deliveries.of_dataset(dataset.id)
        return any(
            one.catalog == name and one.revision == dataset.revision and one.error.startswith(SKIPPED)
            for one in deliveries
            if one.state is DeliveryState.DELIVERED
        )

    def _in(self, name: str, dataset: DatasetRow, file: RecordFile) -> Evidence:
        since = self._delivered(name, dataset, file)
        catalog = self._catalogs[name]
        if isinstance(catalog, str):
            raise Unsafe(f"{name} cannot be asked: {catalog}")
        if not isinstance(catalog, Readable):
            raise Unsafe(f"{name} has no way to prove what it holds")
        if name in self._silent and self._silent[name][0] >= PATIENCE:
            raise Unsafe(f"{name} cannot be asked: {self._silent[name][1]}")
        try:
            evidence = self._proved(catalog, dataset.unique_id or "", file, since)
        except CatalogError as error:
            self._unanswered(name, error)
            raise Unsafe(f"{name} cannot prove it: {error}") from None
        self._silent.pop(name, None)
        return evidence

    def _delivered(self, name: str, dataset: DatasetRow, file: RecordFile) -> str:
        """Since when the store believes that a catalog has the file; the catalog itself is asked afterwards."""
        owed = [one for one in self._store.deliveries.of_dataset(dataset.id) if one.catalog == name]
        last = max(owed, key=lambda one: one.revision, default=None)
        if last is None or last.revision != dataset.revision:
            raise Unsafe(f"its latest content was never sent to {name}")
        if last.state is not DeliveryState.DELIVERED:
            raise Unsafe(f"its delivery to {name} is {last.state}" + (f": {last.error}" if last.error else ""))
        step = self._store.deliveries.steps(dataset.id, name).get((StepKind.FILE.value, file.name))
        if step is not None and step.done and step.digest == file.sha256:
            return step.at
        return last.delivered_at or last.queued_at

    def _proved(self, catalog: Readable, unique_id: str, file: RecordFile, since: str) -> Evidence:
        held = self._held(catalog, unique_id, file.name)
        if held.size is not None and held.size != file.size:
            raise Unsafe(f"{catalog.name} holds {held.size} bytes of it and not {file.size}")
        if held.sha256 is not None and held.sha256 != file.sha256:
            raise Unsafe(f"{catalog.name} holds other bytes under its name")
        if held.in_place is not None:
            agrees = "with this size and sha256" if held.sha256 is not None else "with this size, without its sha256"
            raise Unsafe(
                f"it is the facility's own copy: {catalog.name} lists it {agrees} as {held.in_place} and has no bytes of its own"
            )
        if file.size == 0 and held.size == 0:
            return Evidence(catalog.name, held.ref, EMPTY, since)
        if not held.stored:
            elsewhere = [one for one in catalog.find(file.sha256) if one.stored and one.size == file.size]
            if elsewhere:  # the record only tells which dataset has the bytes
                self._read_back(catalog, elsewhere[0], file)
                return Evidence(catalog.name, elsewhere[0].ref, READ_BACK, since)
            if held.size is None or held.sha256 is None:
                raise Unsafe(f"{catalog.name} only tells of it, without its hash")
            return Evidence(catalog.name, held.ref, RECORD_ONLY, since)
        if self._believe and held.sha256 is not None:
            return Evidence(catalog.name, held.ref, OWN_HASH, since)
        self._read_back(catalog, held, file)
        return Evidence(catalog.name, held.ref, READ_BACK, since)

    def _held(self, catalog: Readable, unique_id: str, name: str) -> Held:
        with self._lock:
            if len(self._listings) > _REMEMBERED:
                self._listings.clear()
            listing = self._listings.setdefault((catalog.name, unique_id), _Listing())
        with listing.lock:
            if not listing.asked:
                listing.held, listing.asked = catalog.holds(unique_id), True
        if listing.held is None:
            raise Unsafe(f"{catalog.name} has no dataset {unique_id} any more")
        named = [one for one in listing.held if one.name == name]
        if len(named) != 1:
            raise Unsafe(f"{catalog.name} has {'no file' if not named else 'more than one file'} {name} in its dataset")
        return named[0]

    def _read_back(self, catalog: Readable, held: Held, file: RecordFile) -> None:
        sha256, size = hashlib.sha256(), 0
        for chunk in catalog.read(held, self._alive):
            sha256.update(chunk)
            size += len(chunk)
            if size > file.size:
                break
        if size != file.size or sha256.hexdigest() != file.sha256:
            raise Unsafe(f"the bytes that {catalog.name} stores are others: {size} of {file.size} were read back")

    def _unanswered(self, name: str, error: CatalogError) -> None:
        if isinstance(error, (CatalogUnavailable, CredentialsRefused)):
            with self._lock:
                self._silent[name] = (self._silent.get(name, (0, ""))[0] + 1, str(error))


def _named(dataset: DatasetRow, file: LocalFile, sha256: str) -> RecordFile:
    """The record's file that was made of this local one; one that was renamed since is known by its bytes."""
    files = record_files(dataset)
    named = [one for one in files if one.path == str(file.absolute)] or [one for one in files if one.sha256 == sha256]
    if not named:
        raise Unsafe(f"the record of its dataset does not name {display_name(file.path)}: it joined later")
    return named[0]


def record_files(dataset: DatasetRow) -> tuple[RecordFile, ...]:
    """The files of the record that was composed last."""
    if dataset.record is None or "files" not in dataset.record:
        return ()
    record = from_json(dataset.record, unique_id=dataset.unique_id or "", revision=dataset.revision, thumbnails=())
    return record.files
