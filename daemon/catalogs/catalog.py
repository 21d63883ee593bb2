"""The catalog protocol: what the delivering loop asks of every catalog, and what it promises in return."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
