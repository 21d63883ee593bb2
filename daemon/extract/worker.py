"""The child process: ranks the ingestors for a file, lets them read it, and answers in frames. Started by `sandbox` only.

It says who is about to work before it asks or tries an ingestor (`pulse`), so that the parent knows whom to blame when it dies.
Reads: {"path", "companions", "without", "first", "only", "careful"}. Writes: {"kind": "ready" | "claims" | "failed" | "done"},
and where it is asked to be careful, {"kind": "at work"} before each ingestor.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from daemon.extract import cleaning, confinement, frames
from daemon.extract.observing import Observer
from daemon.extract.outcome import MAX_CHILDREN, MAX_THUMBNAIL, MAX_THUMBNAILS
from daemon.extract.pulse import Pulse
from ingestors.api import Candidate, Extraction, Quantity, UnreadableError, jsonable, units_in
from ingestors.registry import Registry, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingestors.api import Child
    from ingestors.registry import Plugin, Ranking

T = TypeVar("T")

MAX_DATASETS: Final = 2000
MAX_GROWTH: Final = 256 * 2**20
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 50_000
MAX_LONG_ENTRIES: Final = 4
_TEXT_PER_VALUE: Final = 16
_TIDIED: Final = 8  # datasets between looks at the memory: the limit holds at any time


def main() -> None:
    """Answer requests until the parent closes the channel, nothing came for a while, or memory grew."""
    descriptor, page, memory, parent = (int(argument) for argument in sys.argv[1:5])
    idle = float(sys.argv[5])
    observing = "observe" in sys.argv[6:]
    channel, pulse = socket.socket(fileno=descriptor), Pulse(page)
    os.close(page)
    registry = Registry.load()
    warm_up()
    with contextlib.suppress(OSError):
        frames.send(channel, {"kind": "ready", "plugins": plugin_rows(registry)})
        confinement.confine(memory=memory, parent=parent, scratch=str(Path.cwd()))
        serve(channel, pulse, registry, idle, Observer() if observing else None)


def warm_up() -> None:
    """Import what nearly every extraction needs before the memory limit counts."""
    for module in ("numpy", "h5py", "PIL.Image", "PIL.PngImagePlugin"):
        with contextlib.suppress(ImportError):
            __import__(module)
    gc.collect()
    gc.freeze()  # what is there now stays: the collection after each dataset need not look at it again


def serve(channel: socket.socket, pulse: Pulse, registry: Registry, idle: float, observer: Observer | None) -> None:
    """Take requests one after the other. Raises OSError when the parent is gone."""
    own_size = confinement.resident_bytes()
    for number in range(1, MAX_DATASETS + 1):
        channel.settimeout(idle)
        try:
            if not channel.recv(1, socket.MSG_PEEK):
                return
        except TimeoutError:
            return
        received = frames.receive(channel)
        if received is None:
            return
        if observer is not None:
            observer.begin()
        answer, pictures = respond(channel, pulse, registry, received[0], observer)
        if observer is not None:
            answer["observed"] = observer.report()
        tired = number == MAX_DATASETS or has_children()
        if number % _TIDIED == 0:
            gc.collect()
            tired = tired or confinement.resident_bytes() > own_size + MAX_GROWTH
        frames.send(channel, {"kind": "done", "last": tired, **answer}, pictures)
        if tired:
            return


def respond(
    channel: socket.socket, pulse: Pulse, registry: Registry, request: Mapping[str, Any], observer: Observer | None
) -> tuple[dict[str, Any], list[bytes]]:
    """Let one ingestor after the other read the file, the one named first and then the best claim, until one succeeds."""
    candidate = Candidate(Path(request["path"]), tuple(Path(path) for path in request["companions"]))
    without = frozenset(request["without"])
    if request.get("only"):
        without |= {plugin.name for plugin in registry.plugins} - {request["only"]}

    def tell(name: str) -> None:
        pulse.tell(name)
        if request.get("careful"):
            frames.send(channel, {"kind": "at work", "ingestor": name})

    ranking = registry.rank(candidate, without=without, asking=tell)
    tell("")
    claims = [[claim.ingestor, claim.specificity, claim.reason] for claim in ranking.claims]
    frames.send(channel, {"kind": "claims", "claims": claims, "ties": ranking.ties})
    refused = refusal(registry, ranking, request.get("first"), without)
    failed = [(error.ingestor, Refused(error.reason, by_itself=False)) for error in ranking.errors]
    for name, why in [*failed, *refused]:
        frames.send(channel, {"kind": "failed", "ingestor": name, "reason": why.reason, "refused": why.by_itself})
    for plugin in in_order(registry, ranking, request.get("first")):
        tell(plugin.name)
        found = read(plugin, candidate, observer)
        if not isinstance(found, Refused):
            return found
        tell("")
        frames.send(
            channel, {"kind": "failed", "ingestor": plugin.name, "reason": found.reason, "refused": found.by_itself}
        )
    return {}, []


class WrongAnswerError(Exception):
    """What `extract` returned is no extraction."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an ingestor gave nothing; `by_itself` if it said so properly, as the protocol wants it."""

    reason: str
    by_itself: bool


def refusal(
    registry: Registry, ranking: Ranking, first: str | None, without: frozenset[str]
) -> list[tuple[str, Refused]]:
    """The ingestor that was named for the file, if it is not there or declines: the scan goes on and says so."""
    if first is None or first in without:
        return []
    named = registry.get(first)
    if named is None:
        return [
            (first, Refused("it is named for this file, but is not installed; the others were asked", by_itself=True))
        ]
    answered = {claim.ingestor for claim in ranking.claims} | {error.ingestor for error in ranking.errors}
    if named.name in answered or named.name in without:
        return []
    return [(named.name, Refused("it is named for this file, but declines it; the others were asked", by_itself=True))]


def in_order(registry: Registry, ranking: Ranking, first: str | None) -> list[Plugin]:
    """The plugins that claim the file: the one that was named, then the ranking."""
    named = registry.get(first) if first else None
    ranked = [plugin for claim in ranking.claims if (plugin := registry.get(claim.ingestor)) is not None]
    return sorted(ranked, key=lambda plugin: plugin is not named)


def read(
    plugin: Plugin, candidate: Candidate, observer: Observer | None
) -> tuple[dict[str, Any], list[bytes]] | Refused:
    """One ingestor's extraction as plain JSON and PNG blobs, or the reason why there is none."""
    try:
        extraction = plugin.ingestor.extract(candidate)
        if observer is not None:
            observer.found(extraction)
        return packed(plugin, extraction)
    except UnreadableError as error:
        return Refused(str(error) or "the file is not what it seemed to be", by_itself=True)
    except MemoryError:
        return Refused("it needed more memory than it may have", by_itself=False)
    except RecursionError:
        return Refused("it went round in circles (recursion limit)", by_itself=False)
    except WrongAnswerError as error:
        return Refused(str(error), by_itself=False)
    except (Exception, SystemExit) as error:  # noqa: BLE001 the edge to a plugin: whatever it raises is its report
        return Refused(explain(error), by_itself=False)


def packed(plugin: Plugin, extraction: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Turn an extraction into a message. Raises whatever a wrong extraction makes it raise."""
    if not isinstance(extraction, Extraction):
        message = f"extract() returned {type(extraction).__name__} instead of an Extraction"
        raise WrongAnswerError(message)
    warnings = [str(jsonable(str(warning))) for warning in extraction.warnings]
    pruned = Pruned()
    own, pictures = described(extraction, pruned, warnings)
    children = extraction.children[: MAX_CHILDREN + 1]
    parts = [described(child, pruned, warnings) for child in children]
    answer = {
        "ingestor": plugin.name,
        "version": plugin.version,
        **own,
        "cleaned": dict(pruned.cleaned),
        "warnings": list(dict.fromkeys(warnings)),
        **(
            {"children": [{"key": str(child.key), **part} for child, (part, _) in zip(children, parts, strict=True)]}
            if parts
            else {}
        ),
    }
    pictures += [png for _, pngs in parts for png in pngs]
    if sum(map(len, pictures)) > frames.MAX_BLOBS:
        message = f"its pictures have more than {frames.MAX_BLOBS >> 20} MiB in all"
        raise WrongAnswerError(message)
    return answer, pictures


def described(
    extraction: Extraction | Child, pruned: Pruned, warnings: list[str]
) -> tuple[dict[str, Any], list[bytes]]:
    """What an extraction and a child of it have in common, and their pictures."""
    pictures = extraction.thumbnails[: MAX_THUMBNAILS + 1]  # one too many (or too long) is what the parent warns of
    metadata = pruned.plain(extraction.scientific_metadata, warnings)
    part = {
        "attributes": {str(name): str(value) for name, value in extraction.attributes.items() if value is not None},
        "scientific_metadata": metadata,
        "units": units_in(metadata),
        "keywords": [str(keyword) for keyword in extraction.keywords],
        "samples": [{"name": str(sample.name), "unique_id": sample.unique_id} for sample in extraction.samples],
        "captions": [str(thumbnail.caption) for thumbnail in pictures],
    }
    return part, [bytes(thumbnail.png[: MAX_THUMBNAIL + 1]) for thumbnail in pictures]


class Pruned:
    """Metadata cut to a bounded depth and amount, so that no file can make an endless tree of it.

    Each entry of the top level has a budget of its own: one that is too long does not cost the others.
    """

    def __init__(self) -> None:
        self._all_left = MAX_VALUES * MAX_LONG_ENTRIES
        self._left = 0
        self._cut = False
        self.cleaned: Counter[str] = Counter()

    def plain(self, metadata: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
        """The metadata as plain JSON; a warning if something was cut."""
        kept: dict[str, Any] = {}
        for key, item in metadata.items():
            self._left = budget = min(MAX_VALUES, self._all_left)
            kept[str(jsonable(str(key)))] = jsonable(self._prune(item, MAX_DEPTH))
            self._all_left -= budget - self._left
        if self._cut:
            warnings.append("The metadata are too long, or nested too deep, for a catalog; some were cut (“…”).")
        return kept

    def _prune(self, value: Any, depth: int) -> Any:
        self._left -= self._weight(value)
        container = isinstance(value, (Mapping, list, tuple, set, frozenset))
        if (container and depth == 0) or self._left < 0:
            self._cut = True
            return "…"
        if isinstance(value, Quantity):
            return Quantity(self._prune(value.value, depth), value.unit)
        if isinstance(value, Mapping):
            return {key: self._prune(item, depth - 1) for key, item in self._affordable(value.items())}
        if container:
            return [self._prune(item, depth - 1) for item in self._affordable(value)]
        told = cleaning.kind(value)
        if told is not None:
            self.cleaned[told] += 1
        return value

    def _affordable(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self._left < 0:
                return
            yield item

    @staticmethod
    def _weight(value: Any) -> int:
        """How many values this one counts for: long texts and arrays count for what they become."""
        if isinstance(value, (str, bytes, bytearray)):
            return 1 + len(value) // _TEXT_PER_VALUE
        return int(value.size) if hasattr(value, "tolist") and hasattr(value, "size") else 1


def plugin_rows(registry: Registry) -> list[list[str]]:
    """Every ingestor and every load error as name, version, origin, error."""
    loaded = [[plugin.name, plugin.version, plugin.origin, ""] for plugin in registry.plugins]
    return loaded + [[error.plugin, "", error.origin, error.reason] for error in registry.load_errors]


def has_children() -> bool:
    """Whether an ingestor left a process behind (the worker adopts orphans): the parent ends them all with the worker."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    main()
