"""Which ingestors there are, and in which order they get a candidate. Explains its choice; never trusts a plugin.

Built-ins are named below; others come through the entry-point group `labferry.ingestors`, each an `Ingestor` class, an
instance, or a function that returns one. Every plugin is loaded and asked in a `try` of its own: what one of them does
wrong is a value in the report and never hurts another.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib import metadata
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Candidate, Claim, Ingestor, display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ENTRY_POINTS: Final = "labferry.ingestors"
BUILT_IN: Final = "built-in"
BUILT_INS: Final = (
    "ingestors.scopefoundry:ScopeFoundry",
    "ingestors.hdf5:HDF5",
    "ingestors.xy:XY",
    "ingestors.dat:Dat",
    "ingestors.binary:Binary",
    "ingestors.extras:Microscopy",
    "ingestors.extras:Detectors",
    "ingestors.image:Image",
    "ingestors.fallback:Fallback",
)

_MAX_SPECIFICITY: Final = 100
_MAX_NAME: Final = 64
_MAX_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded ingestor and where it came from: `built-in`, or the package and version that brought it."""

    ingestor: Ingestor
    name: str
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class LoadError:
    """A plugin that could not be loaded: what it is, who brought it, and one sentence."""

    plugin: str
    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class RankedClaim:
    """One ingestor's claim on a candidate. `specificity` from 0 to 100."""

    ingestor: str
    specificity: int
    reason: str
    origin: str


@dataclass(frozen=True, slots=True)
class ClaimError:
    """An ingestor that could not answer whether it understands the candidate."""

    ingestor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The claims on one candidate, best first: specificity, then others before built-ins, then the name.

    `ties` holds the names that claimed equally specifically (more than fallbacks), so that a person can decide.
    """

    claims: tuple[RankedClaim, ...]
    errors: tuple[ClaimError, ...] = ()

    @property
    def ties(self) -> tuple[tuple[str, ...], ...]:
        """Groups of ingestors whose claims are equally specific."""
        groups = (tuple(one.ingestor for one in same) for _, same in groupby(self.claims, lambda one: one.specificity))
        return tuple(group for group in groups if len(group) > 1)


class Registry:
    """The loaded ingestors, in the order of their names. Their names are unique."""

    def __init__(self, plugins: Iterable[Plugin], load_errors: Iterable[LoadError] = ()) -> None:
        self.plugins = tuple(sorted(plugins, key=lambda plugin: plugin.name))
        self.load_errors = tuple(load_errors)
        self._by_name = {plugin.name: plugin for plugin in self.plugins}

    @classmethod
    def load(cls) -> Registry:
        """Load the built-ins and every entry point. Never raises for a plugin's sake."""
        plugins: dict[str, Plugin] = {}
        errors: list[LoadError] = []
        for name, origin, load in _sources():
            found = _load(name, origin, load)
            if isinstance(found, Plugin) and found.name in plugins:
                taken = plugins[found.name].origin
                found = LoadError(name, origin, f"the name {found.name!r} is already taken by an ingestor of {taken}")
            if isinstance(found, LoadError):
                errors.append(found)
            else:
                plugins[found.name] = found
        return cls(plugins.values(), errors)

    def get(self, name: str) -> Plugin | None:
        """The plugin of that name, or of that class's name (as Crucible's ingestion requests call it), or None."""
        by_class = {type(plugin.ingestor).__name__: plugin for plugin in reversed(self.plugins)}
        return self._by_name.get(name) or by_class.get(name)

    def rank(
        self,
        candidate: Candidate,
        *,
        without: frozenset[str] = frozenset(),
        asking: Callable[[str], None] | None = None,
    ) -> Ranking:
        """Ask every ingestor but those in `without`; `asking` is called with each name before it is asked."""
        claims: list[RankedClaim] = []
        errors: list[ClaimError] = []
        for plugin in self.plugins:
            if plugin.name in without:
                continue
            if asking is not None:
                asking(plugin.name)
            answer = _claim(plugin, candidate)
            if isinstance(answer, ClaimError):
                errors.append(answer)
            elif answer is not None:
                claims.append(answer)
        claims.sort(key=lambda one: (-one.specificity, one.origin == BUILT_IN, one.ingestor))
        return Ranking(tuple(claims), tuple(errors))


def explain(error: BaseException) -> str:
    """One line of what went wrong in a plugin: the exception's own words, after its kind."""
    try:
        words = _line(str(error))
    except Exception:  # noqa: BLE001 an exception whose own text fails is still an exception of a plugin
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _line(text: str) -> str:
    """One printable line of bounded length."""
    return " ".join("".join(char if char.isprintable() else " " for char in display_name(text)).split())[:_MAX_REASON]


def _sources() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Every place where a plugin may be, in a fixed order: built-ins, then entry points by package and name."""
    for target in BUILT_INS:
        module, _, attribute = target.partition(":")
        yield (
            target,
            BUILT_IN,
            lambda module=module, attribute=attribute: getattr(  # type: ignore[misc]
                importlib.import_module(module), attribute
            ),
        )
    found = [(_origin(entry), entry) for entry in metadata.entry_points(group=ENTRY_POINTS)]
    for origin, entry in sorted(found, key=lambda pair: (pair[0], pair[1].name, pair[1].value)):
        yield f"{entry.name} = {entry.value}", origin, entry.load


def _origin(entry: metadata.EntryPoint) -> str:
    return "unknown package" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _load(name: str, origin: str, load: Callable[[], Any]) -> Plugin | LoadError:
    try:
        found = load()
        ingestor = found if isinstance(found, Ingestor) and not isinstance(found, type) else found()
        if not isinstance(ingestor, Ingestor):
            return LoadError(name, origin, "is no ingestor: it needs name, version, claim and extract")
        own_name, version = ingestor.name, ingestor.version
    except (Exception, SystemExit) as error:  # noqa: BLE001 the edge to a plugin: whatever it raises is its report
        return LoadError(name, origin, explain(error))
    for what, text in (("name", own_name), ("version", version)):
        if not (isinstance(text, str) and text and text.isprintable() and len(text) <= _MAX_NAME):
            return LoadError(name, origin, f"its {what} has to be printable text of 1 to {_MAX_NAME} characters")
    return Plugin(ingestor, own_name, version, origin)


def _claim(plugin: Plugin, candidate: Candidate) -> RankedClaim | ClaimError | None:
    try:
        claim: Any = plugin.ingestor.claim(candidate)  # whatever it promises to return
        if claim is None:
            return None
        if not isinstance(claim, Claim):
            return ClaimError(plugin.name, f"claim() returned {type(claim).__name__} instead of a Claim or None")
        specificity, reason = claim.specificity, _line(str(claim.reason))
    except (Exception, SystemExit) as error:  # noqa: BLE001 the edge to a plugin: whatever it raises is its report
        return ClaimError(plugin.name, explain(error))
    if isinstance(specificity, bool) or not isinstance(specificity, int) or not 0 <= specificity <= _MAX_SPECIFICITY:
        return ClaimError(plugin.name, f"claim() returned the specificity {specificity!r}; it has to be from 0 to 100")
    return RankedClaim(plugin.name, int(specificity), reason, plugin.origin)
