"""`make fuzz`: mutated inputs for each family of readers, in the sandbox; a table, and what was found as files.

`python -m tests.fuzz [--inputs 10000] [--seed N] [--workers 2] [--keep] [FAMILY...]`
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from daemon.extract.outcome import MINIMAL
from tests.fakes.measured import Measured, Reading
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import FOUND, families

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fuzz.seeds import Seed

TIMEOUT: Final = 30.0
MEMORY: Final = 2**30
SLOW: Final = 2.0
"""Processor seconds from which an input is a find."""
LARGEST_KEPT: Final = 64_000
CONTAINED: Final = re.compile(r"it (crashed|ended|took longer|needed more memory|went round|disturbed)")


@dataclass
class Tally:
    """What came out for one family."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    contained: int = 0
    unhandled: int = 0
    escapes: int = 0
    slowest: float = 0.0
    peak: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    finds: dict[str, Seed] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def troubles(reading: Reading) -> Iterator[tuple[str, str]]:
    """What is wrong with a reading: `contained`, `unhandled` or `escapes`, and a reason without its numbers."""
    if reading.outcome.ingestor == MINIMAL:
        yield "escapes", "no ingestor came to an end"
    for failure in reading.outcome.failures:
        reason = f"{failure.ingestor}: {re.sub(r'[0-9]+', 'N', failure.reason)[:160]}"
        if CONTAINED.match(failure.reason):
            yield "contained", reason
        elif not failure.refused:
            yield "unhandled", reason
    if reading.seconds is not None and reading.seconds > SLOW:
        yield "slow", f"{reading.outcome.ingestor}: more than {SLOW:g} s"


def note(tally: Tally, family: str, reading: Reading, seed: Seed) -> None:
    """Count one reading."""
    with tally.lock:
        tally.inputs += 1
        if reading.outcome.ingestor == family:
            tally.read += 1
        else:
            tally.refused += 1
        tally.slowest = max(tally.slowest, reading.seconds or 0.0)
        tally.peak = max(tally.peak, reading.peak or 0)
        for kind, reason in troubles(reading):
            if kind != "slow":
                setattr(tally, kind, getattr(tally, kind) + 1)
            tally.reasons[f"{kind}: {reason}"] += 1
            known = tally.finds.get(reason)
            if known is None or len(seed[1]) < len(known[1]):
                tally.finds[reason] = seed


def work(tally: Tally, family: str, seeds: Sequence[Seed], numbers: Iterator[int], folder: Path) -> None:
    """Take numbers and read the input that each stands for, until there are none."""
    contents = [content for _, content in seeds]
    with Measured(timeout=TIMEOUT, memory=MEMORY) as measured:
        while True:
            with tally.lock:
                number = next(numbers, None)
            if number is None:
                return
            random = Random(f"{family} {number}")
            suffix, content = random.choice(seeds)
            data = mutated(content, contents, random)
            path = folder / f"{number}{suffix}"
            path.write_bytes(data)
            try:
                note(tally, family, measured.read(path, ingestor=family), (suffix, data))
            except Exception as error:  # noqa: BLE001 whatever comes out of the sandbox is what we look for
                with tally.lock:
                    tally.escapes += 1
                    tally.finds[f"escape: {error!r}"] = (suffix, data)
            path.unlink()


def fuzz(family: str, seeds: Sequence[Seed], inputs: range, workers: int) -> Tally:
    """Read the inputs of these numbers in some sandboxes at once."""
    tally, numbers, began = Tally(), iter(inputs), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="labferry-fuzz-") as folder:
        threads = [
            threading.Thread(target=work, args=(tally, family, seeds, numbers, Path(folder))) for _ in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    tally.seconds = time.monotonic() - began
    return tally


def keep(family: str, tally: Tally) -> list[Path]:
    """Write the finds that are small enough to where the tests read them."""
    FOUND.mkdir(parents=True, exist_ok=True)
    kept = []
    for reason, (suffix, content) in tally.finds.items():
        if len(content) <= LARGEST_KEPT and "it took longer" not in reason:  # each test run would wait as long
            path = FOUND / f"{family}-{hashlib.sha256(content).hexdigest()[:10]}{suffix}"
            path.write_bytes(content)
            kept.append(path)
    return kept


def main() -> int:
    """Print the table; 1 if anything was unhandled or escaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first input; others are other inputs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="write finds to tests/data/fuzz")
    options = parser.parse_args()
    known = families()
    chosen = {name: seeds for name, seeds in known.items() if not options.families or name in options.families}
    row = "{:<14}{:>6}{:>8}{:>8}{:>9}{:>11}{:>11}{:>9}{:>11}{:>10}{:>9}\n".format
    header = (
        "family",
        "seeds",
        "inputs",
        "read",
        "refused",
        "contained",
        "unhandled",
        "escapes",
        "slowest s",
        "peak MB",
        "took s",
    )
    sys.stdout.write(row(*header))
    bad = 0
    for family, seeds in chosen.items():
        tally = fuzz(family, seeds, range(options.seed, options.seed + options.inputs), options.workers)
        cells = (tally.inputs, tally.read, tally.refused, tally.contained, tally.unhandled, tally.escapes)
        measured = (f"{tally.slowest:.2f}", f"{tally.peak / 1e6:.0f}", f"{tally.seconds:.0f}")
        sys.stdout.write(row(family, len(seeds), *cells, *measured))
        sys.stdout.flush()
        for reason, count in tally.reasons.most_common(20):
            sys.stderr.write(f"    {count:>6} x {reason}\n")
        for path in keep(family, tally) if options.keep else ():
            sys.stderr.write(f"    kept {path}\n")
        bad += tally.unhandled + tally.escapes
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
