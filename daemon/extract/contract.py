"""The contract that an ingestor keeps, as checks that its author runs on files of their own: `labferry plugins test`.

Each file is read twice, in two fresh processes and in opposite order, by this ingestor alone, under the limits of the
daemon; then the same process gets rubbish under the same names.
"""

from __future__ import annotations

import glob
import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.extract.sandbox import Sandbox
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.extract.outcome import Outcome

_RUBBISH: Final = 65536
_LONGEST_CUT: Final = 64 * 2**20
_ATTEMPTS: Final = (
    ("writes nothing", "write"),
    ("calls nobody", "network"),
    ("starts no process", "process"),
    ("prints nothing", "print"),
)
_COMPARED: Final = ("attributes", "scientific_metadata", "keywords", "samples", "thumbnails", "warnings", "children")
_WORDS: Final = [
    "the",
    "of",
    "sample",
    "and",
    "was",
    "measured",
    "after",
    "lunch",
    "but",
    "nobody",
    "wrote",
    "down",
    "why",
    "(see",
    "page)",
    "--",
    "...",
    "?!",
    "maybe;",
    "ok",
]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the contract, on one file: kept or not, and why."""

    check: str
    file: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A primary file and its companions, all absolute."""

    path: Path
    companions: tuple[Path, ...] = ()


def checks(ingestor: str, trials: Sequence[Trial], *, timeout: float, memory: int) -> Iterator[Check]:
    """Every check, as it is made. `timeout` in seconds, `memory` in bytes. Raises StateError if no process can be started."""
    before = [_state(trial) for trial in trials]
    repeated: dict[Path, Outcome] = {}
    second = Sandbox(timeout=timeout, memory=memory, observe=True)
    try:
        for trial in reversed(trials):
            repeated[trial.path] = second.extract(trial.path, trial.companions, only=ingestor)
    finally:
        second.close()
    first = Sandbox(timeout=timeout, memory=memory, observe=True)
    try:
        for trial, state in zip(trials, before, strict=True):
            outcome = first.extract(trial.path, trial.companions, only=ingestor)
            name = display_name(trial.path.name)
            for check in (
                *_understood(ingestor, outcome),
                _repeats(outcome, repeated[trial.path]),
                *_quiet(outcome, repeated[trial.path], touched=_state(trial) != state),
                _bounded(outcome, timeout, memory),
            ):
                yield replace(check, file=name)
        yield from _rubbish(ingestor, trials, first)
    finally:
        first.close()


def _understood(ingestor: str, outcome: Outcome) -> Iterator[Check]:
    """It claims the file, reads it, and says what the protocol has words for."""
    claim = next((one for one in outcome.claims if one.ingestor == ingestor), None)
    why = "; ".join(failure.reason for failure in outcome.failures)
    yield Check(
        "claims it", "", claim is not None, f"{claim.specificity}: {claim.reason}" if claim else why or "it declines"
    )
    read = outcome.ingestor == ingestor
    if claim is not None:
        yield Check("reads it", "", read, _gist(outcome) if read else why)
    if read and outcome.observed is not None:
        wrong = [*outcome.observed.unclean, *outcome.left_out]
        yield Check("says it cleanly", "", not wrong, "; ".join(wrong) or "plain JSON values and known attributes")


def _gist(outcome: Outcome) -> str:
    counted = (
        (outcome.attributes, "attributes"),
        (outcome.scientific_metadata, "metadata"),
        (outcome.thumbnails, "pictures"),
        *([(outcome.children, "children")] if outcome.children else []),
    )
    return ", ".join(f"{len(values)} {what}" for values, what in counted)


def _repeats(outcome: Outcome, again: Outcome) -> Check:
    """Two runs in two processes say the same."""
    differing = [name for name in _COMPARED if getattr(outcome, name) != getattr(again, name)]
    differing += ["claims"] if outcome.claims != again.claims else []
    reason = f"two runs differ in {', '.join(differing)}" if differing else "two runs are equal"
    return Check("repeats itself", "", not differing, reason)


def _quiet(outcome: Outcome, again: Outcome, *, touched: bool) -> Iterator[Check]:
    """It did nothing but read."""
    seen = [one.observed for one in (outcome, again) if one.observed is not None]
    for what, kind in _ATTEMPTS:
        tried = dict.fromkeys(text for observed in seen for found, text in observed.attempts if found == kind)
        said = [*tried, *(["the files changed meanwhile"] if touched and kind == "write" else [])]
        yield Check(what, "", not said, "; ".join(said))


def _bounded(outcome: Outcome, timeout: float, memory: int) -> Check:
    """It came back in time and within its memory. What the sandbox says of one that did not begins with "it"."""
    ended = "; ".join(one.reason for one in outcome.failures if not one.refused and one.reason.startswith("it "))
    if ended or outcome.observed is None:
        return Check("stays in bounds", "", ok=False, reason=ended)
    used = f"{outcome.observed.seconds:.2f} s of {timeout:g} s, {outcome.observed.memory / 2**20:.0f} of {memory / 2**20:.0f} MiB"
    return Check("stays in bounds", "", ok=True, reason=used)


def _rubbish(ingestor: str, trials: Sequence[Trial], sandbox: Sandbox) -> Iterator[Check]:
    """What is no file of its kind makes no dataset; what is cut off makes one of what is there, or is declined."""
    kinds = {trial.path.suffix: trial for trial in reversed(trials)}
    with tempfile.TemporaryDirectory(prefix="labferry-rubbish-") as folder:
        for trial in kinds.values():
            for what, content in _contents():
                path = Path(folder, trial.path.name)
                path.write_bytes(content)
                outcome = sandbox.extract(path, [], only=ingestor)
                yield _declined(f"declines {what}", ingestor, outcome, display_name(trial.path.name), readable=False)
        for trial in trials:
            path = Path(folder, trial.path.name)
            with trial.path.open("rb") as source:
                path.write_bytes(source.read(min(trial.path.stat().st_size // 2, _LONGEST_CUT)))
            outcome = sandbox.extract(path, [], only=ingestor)
            yield _declined("survives its half", ingestor, outcome, display_name(trial.path.name), readable=True)


def _contents() -> Iterator[tuple[str, bytes]]:
    """Rubbish, the same at each run."""
    seeded = random.Random(1)  # noqa: S311 rubbish is no secret
    yield "an empty file", b""
    yield "random bytes", seeded.randbytes(_RUBBISH)
    lines = (" ".join(seeded.choices(_WORDS, k=seeded.randrange(1, 12))) for _ in range(200))
    yield "text without data", "\n".join(lines).encode()


def _declined(what: str, ingestor: str, outcome: Outcome, name: str, *, readable: bool) -> Check:
    bugs = [failure.reason for failure in outcome.failures if not failure.refused]
    if bugs:
        return Check(what, name, ok=False, reason="; ".join(bugs))
    if outcome.ingestor != ingestor:
        refused = "; ".join(failure.reason for failure in outcome.failures)
        return Check(what, name, ok=True, reason=f"claims it, then: {refused}" if refused else "declined")
    everything = all(claim.specificity == 0 for claim in outcome.claims)
    if readable or everything:
        warned = "; ".join(outcome.warnings) or "read without a warning"
        return Check(what, name, ok=True, reason="it takes every file (specificity 0)" if everything else warned)
    return Check(what, name, ok=False, reason=f"it claims it ({outcome.claims[0].reason}) and reads {_gist(outcome)}")


def _state(trial: Trial) -> tuple[object, ...]:
    """What would tell that somebody touched the files: the names that begin like theirs, each one's size and time."""
    beside = sorted(path.name for path in trial.path.parent.glob(f"{glob.escape(trial.path.stem)}*"))
    return (beside, *((path.stat().st_size, path.stat().st_mtime_ns) for path in (trial.path, *trial.companions)))
