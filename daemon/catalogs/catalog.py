"""The catalog protocol: what the delivering loop asks of every catalog, and what it promises in return."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.model import DatasetRecord, Step


class Health(StrEnum):
    """The outcome of one preflight finding."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of a preflight check, for a person."""

    health: Health
    text: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a step may rely on.

    `repeated`: an earlier try may have reached the catalog (an answer was lost, the daemon was killed), so look
    before doing it again. `memory`: what the earlier tries of this step remembered (an upload id, acknowledged
    parts). `remember`: stores the given memory durably before it returns; call it before relying on it.
    `outcomes`: the outcomes of this dataset's finished steps, by (kind, key).
    `alive`: call it now and then in long work; it raises if the daemon is stopping.
    """

    repeated: bool
    memory: Mapping[str, Any]
    remember: Callable[[Mapping[str, Any]], None]
    outcomes: Mapping[tuple[str, str], Mapping[str, Any]]
    alive: Callable[[], None]


class Catalog(Protocol):
    """One catalog. Used by several threads at once; everything it raises is a `daemon.errors.CatalogError`."""

    name: str

    def check(self) -> Sequence[Finding]:
        """Look whether a delivery would work (reachable, key accepted, project known). Never raises, writes nothing."""

    def plan(self, record: DatasetRecord) -> Sequence[Step]:
        """The steps that bring this record into the catalog, in order. Pure: the same record gives the same steps."""

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Do one step and return what is worth keeping (a file's id), as plain JSON.

        Must be safe to call again after any crash. Raises CatalogUnavailable, NotYet, CredentialsRefused,
        CatalogRefused or SourceChanged.
        """

    def page(self, unique_id: str) -> str | None:
        """Where a person can look at a dataset of this id, or None."""

    def close(self) -> None:
        """Give back connections."""


@dataclass(frozen=True, slots=True)
class Held:
    """One file as a catalog holds it now; None for what it does not say.

    `dataset` is our id of its dataset, `name` the file's name there, `size` in bytes, `sha256` 64 hex digits in lower
    case. `ref` is the adapter's own: what it needs to read the bytes. `stored`: the catalog has the bytes itself; False
    for a record that only tells of a file elsewhere. `path`: where the dataset's primary file lay below its root, if
    labferry noted it there and the adapter looked. `in_place`: where the catalog says that the bytes lie, if that is where
    the instrument wrote them: what is there is the catalog's only copy.
    """

    dataset: str
    name: str
    ref: str
    size: int | None
    sha256: str | None
    stored: bool = True
    path: str | None = None
    in_place: str | None = None


@runtime_checkable
class Readable(Protocol):
    """What `verify` and `rebuild` ask a catalog besides delivering. Everything here only reads.

    An adapter that has it inherits nothing: it just has the methods. Used by several threads at once; each method raises
    only a `daemon.errors.CatalogError`. What a catalog cannot say is None or empty, never a guess.
    """

    name: str

    def holds(self, unique_id: str) -> Sequence[Held] | None:
        """Every file that the catalog lists for the dataset of this id now; None if it has no such dataset."""

    def read(self, held: Held, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes that the catalog stores now, from its storage and not from memory, in chunks.

        `alive` is called now and then and may raise. Raises CatalogRefused if the bytes are not there.
        """

    def find(self, sha256: str) -> Sequence[Held]:
        """The files with this content in any dataset that we may see, with their `path` where it can be known."""

    def recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        """Whether the catalog has already what this step would bring: the outcome that `perform` would give, else None.

        So that a rebuilt store does nothing twice. Says yes only for what it found.
        """

    def parents(self, unique_id: str) -> Sequence[tuple[str, str]]:
        """The datasets that this one is linked to as a part: id and name of each."""

    def trace(self, instrument: str) -> str | None:
        """The id of some dataset that labferry made here for this instrument, or None: did a store know it before ours."""


@runtime_checkable
class Follows(Protocol):
    """A catalog that goes on working after a step is done (an ingestion), and can be asked what became of it."""

    def follow(self, outcome: Mapping[str, Any]) -> str | None:
        """How the work that this outcome stands for ended, in the catalog's word; None while it goes on.

        Raises a `daemon.errors.CatalogError`.
        """


THEIR_ID: Final = "unique_id"
"""In the outcome of a child's record step: the catalog's own ingestor made it before, under another id, and that stays."""


def known_there(record: DatasetRecord, outcomes: Mapping[tuple[str, str], Mapping[str, Any]]) -> DatasetRecord:
    """A child's record under the id that the catalog knows it by; `outcomes` as in `Attempt`."""
    made = outcomes.items() if record.part else ()
    theirs = next((told[THEIR_ID] for (kind, _), told in made if kind == StepKind.RECORD and THEIR_ID in told), None)
    return replace(record, unique_id=theirs) if isinstance(theirs, str) else record


def digest_of(value: Any) -> str:
    """The sha256 (hex) of a plain JSON value; the order of keys does not count."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
