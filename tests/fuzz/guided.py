"""`make fuzz-guided`: one family of readers under atheris, which follows the code that an input reaches.

`python -m tests.fuzz.guided FAMILY [libFuzzer options, such as -max_total_time=300]`. In one process and without the
sandbox, so not for HDF5, whose library is compiled code. A find is written as `crash-...` into the current folder and
ends the run; `tests/fuzz/__main__.py` and `tests/faults/test_fuzz.py` take it from `tests/data/fuzz/FAMILY-NAME.SUFFIX`.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.seeds import Seed

ACCEPTED = (MemoryError, RecursionError)
"""What the worker turns into a sentence as well."""


def target(family: str, seeds: list[Seed], folder: Path) -> Callable[[bytes], None]:
    """The function that reads one input: its first byte chooses the suffix, the rest is content."""
    from ingestors.api import Candidate, UnreadableError, jsonable  # noqa: PLC0415 imported while atheris watches
    from ingestors.registry import Registry  # noqa: PLC0415 the same

    plugin = Registry.load().get(family)
    if plugin is None:
        message = f"there is no family {family!r}"
        raise SystemExit(message)
    suffixes = sorted({suffix for suffix, _ in seeds})

    def read(data: bytes) -> None:
        path = folder / f"input{suffixes[data[0] % len(suffixes)] if data else ''}"
        path.write_bytes(data[1:])
        candidate = Candidate(path)
        if plugin.ingestor.claim(candidate) is None:
            return
        try:
            jsonable(plugin.ingestor.extract(candidate).scientific_metadata)
        except (UnreadableError, *ACCEPTED):
            return

    return read


def main() -> None:
    """Seed a corpus folder and let libFuzzer work on it."""
    atheris: Any = importlib.import_module("atheris")
    family = sys.argv[1]
    with atheris.instrument_imports(include=["ingestors"]):  # the first import of the ingestors has to be this one
        from tests.fuzz.mutations import mutated  # noqa: PLC0415 see above
        from tests.fuzz.seeds import families  # noqa: PLC0415 see above

        seeds = families()[family]
    suffixes = sorted({suffix for suffix, _ in seeds})
    with tempfile.TemporaryDirectory(prefix="labferry-fuzz-") as scratch:
        corpus = Path(scratch) / "corpus"
        corpus.mkdir()
        for number, (suffix, content) in enumerate(seeds):
            (corpus / f"{number}").write_bytes(bytes([suffixes.index(suffix)]) + content[:8000])

        def mutator(data: bytes, largest: int, seed: int) -> bytes:
            random = Random(seed)
            if random.random() < 0.5:
                return bytes(atheris.Mutate(data, largest))
            return (data[:1] + mutated(data[1:], [random.choice(seeds)[1][:8000]], random))[:largest]

        read = target(family, seeds, Path(scratch))
        options = [sys.argv[0], "-max_len=16000", "-timeout=60", "-rss_limit_mb=2048", *sys.argv[2:], str(corpus)]
        atheris.Setup(options, read, custom_mutator=mutator)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
