"""Is a file complete? The decision (pure), and the looking that it needs.

Complete means: nobody has the file open for writing, its format agrees, its marker is there if the instrument writes one, and nothing
changed for a quiet period. Quiet is measured on our own monotonic clock from when *we* last saw a change or a writer; the file's times are
compared only with themselves, so neither a wrong clock nor a copy that keeps old times matters. `digest` then makes sure
that the file did not change while it was read.

Every reason is `kind: details`, so that a reader can tell a new reason from new details.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from daemon.patterns import PatternTable
from daemon.watch.digest import Changed, digest, prefix_sha256
from daemon.watch.lease import Writers, open_for_reading, writers
from daemon.watch.scan import fingerprint_of
from daemon.watch.superblock import Agreement, State, hdf5_state
from ingestors.api import display_name

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.model import Fingerprint
    from daemon.settings import Settle

__all__ = [
    "Changed", "Decision", "Observation", "SettleRules", "Track", "Verdict", "decide", "digest", "observe", "prefix_sha256",
]  # fmt: skip

SHORTEST_LOOK: Final = 0.2
LONGEST_LOOK: Final = 2.0
LONGEST_IDLE_LOOK: Final = 10.0
LOOK_AGAIN_AFTER: Final = 0.25
"""The next look comes after this part of the time we have waited already."""
HDF5_SUFFIXES: Final = frozenset({".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx5"})


class SettleRules:
    """The configuration, ready to be asked. Raises ValueError for a pattern that cannot be read."""

    def __init__(self, settings: Settle) -> None:
        self.empty = settings.empty
        self.broken = settings.broken
        self._quiet = settings.quiet
        self._quiet_without_leases = settings.quiet_without_leases
        self._patterns = PatternTable(settings.patterns)
        self._markers = PatternTable(settings.markers)

    def quiet(self, path: str, *, leases: bool) -> float:
        """Seconds without a change that this file needs; never less than `quiet_without_leases` where the kernel cannot tell."""
        special = self._patterns.get(path)
        quiet = self._quiet if special is None else special
        return quiet if leases else max(quiet, self._quiet_without_leases)

    def marker(self, path: str) -> str | None:
        """The name of the marker beside this file (it may lie in a folder below), or None if it has none."""
        template = self._markers.get(path)
        if template is None:
            return None
        name = PurePosixPath(path)
        return template.replace("{name}", name.name).replace("{stem}", name.stem)


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a file. `marker_present` is None for a file that has no marker."""

    fingerprint: Fingerprint
    writers: Writers
    agreement: Agreement
    marker_present: bool | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """What we remember of a file between two looks; times in seconds of our monotonic clock.

    `since`: the last change or writer that we saw. `closed`: since that change it was seen without a writer.
    """

    fingerprint: Fingerprint
    since: float
    first_seen: float
    closed: bool = False


class Verdict(Enum):
    """What to do with the file now."""

    HASH = "hash"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, what to remember, when to look again (WAIT), and why: a reason to wait or a note on what is delivered."""

    verdict: Verdict
    track: Track
    until: float = 0.0
    reason: str = ""


def decide(path: str, observation: Observation, track: Track, rules: SettleRules, now: float) -> Decision:
    """Judge one look at the file with this root-relative path. Pure."""
    if observation.fingerprint != track.fingerprint:
        track = Track(observation.fingerprint, since=now, first_seen=track.first_seen)
    if observation.writers is Writers.SOME:
        reason = "reopened: a program" if track.closed else "open: a program"
        until = now + _interval(now - track.first_seen, LONGEST_LOOK)
        return Decision(Verdict.WAIT, replace(track, since=now), until, f"{reason} has it open for writing")
    track = replace(track, closed=True)
    quiet_for = now - track.since
    quiet = rules.quiet(path, leases=observation.writers is Writers.NONE)
    if observation.fingerprint.size == 0 and quiet_for < max(rules.empty, quiet):
        longest = max(rules.empty, quiet)
        return _wait(track, track.since + longest, f"empty: waits {longest:g} s for content")
    if observation.marker_present is False:
        marker = display_name(rules.marker(path) or "")
        return _wait(track, now + _interval(quiet_for, LONGEST_LOOK), f"marker: waits for {marker}")
    if quiet_for < quiet:
        return _wait(track, track.since + quiet, f"quiet period: changed {quiet_for:.1f} s ago, waits for {quiet:g} s")
    problem = _disagreement(path, observation)
    if problem is not None and quiet_for < rules.broken:
        until = min(track.since + rules.broken, now + _interval(quiet_for, LONGEST_IDLE_LOOK))
        return _wait(track, until, f"HDF5: {problem}")
    note = f"incomplete HDF5, nobody is writing it any more: {problem}" if problem is not None else ""
    return Decision(Verdict.HASH, track, now, note)


def _wait(track: Track, until: float, reason: str) -> Decision:
    return Decision(Verdict.WAIT, track, until, reason)


def _interval(waited: float, longest: float) -> float:
    return min(max(waited * LOOK_AGAIN_AFTER, SHORTEST_LOOK), longest)


def _disagreement(path: str, observation: Observation) -> str | None:
    """What the format says against completeness. A name that promises HDF5 counts where the kernel cannot tell who writes."""
    if observation.agreement.state is State.INCOMPLETE:
        return observation.agreement.reason
    promised = PurePosixPath(path).suffix.lower() in HDF5_SUFFIXES
    if promised and observation.agreement.state is State.NOT_HDF5 and observation.writers is Writers.UNKNOWN:
        return "no HDF5 signature" if observation.fingerprint.size else None
    return None


def observe(absolute: Path, path: str, rules: SettleRules) -> Observation:
    """Look at a file; `path` is its root-relative path.

    Raises FileNotFoundError if no regular file is there (a symbolic link is none), OSError if it cannot be read now.
    """
    try:
        descriptor = open_for_reading(absolute)
    except BlockingIOError:
        return Observation(_regular(absolute.lstat()), Writers.SOME, Agreement.NOT_HDF5, _marker(absolute, path, rules))
    except NotADirectoryError as error:
        raise FileNotFoundError(f"a folder above it is gone: {error.strerror}") from error
    except OSError:
        _regular(absolute.lstat())
        raise
    try:
        fingerprint = _regular(os.fstat(descriptor))
        someone = writers(descriptor)
        agreement = Agreement.NOT_HDF5 if someone is Writers.SOME else hdf5_state(descriptor, fingerprint.size)
    finally:
        os.close(descriptor)
    return Observation(fingerprint, someone, agreement, _marker(absolute, path, rules))


def _regular(status: os.stat_result) -> Fingerprint:
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError("no regular file any more")
    return fingerprint_of(status)


def _marker(absolute: Path, path: str, rules: SettleRules) -> bool | None:
    name = rules.marker(path)
    return None if name is None else (absolute.parent / name).exists()
