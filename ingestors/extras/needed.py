"""Modules of an extra: there, or a sentence that names it."""

from __future__ import annotations

import gc
import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.dat.reading import Reading, extraction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingestors.api import Candidate


@dataclass(frozen=True)
class Kind:
    """A format that an extra reads: what it is called, how it is told, and the module that reads it."""

    name: str
    fits: Callable[[Candidate], bool]
    module: str


def kind_of(candidate: Candidate, kinds: tuple[Kind, ...]) -> Kind | None:
    """The first kind that the candidate is."""
    return next((kind for kind in kinds if kind.fits(candidate)), None)


def needed(module: str, extra: str, what: str) -> Any:
    """The module of an extra. Raises UnreadableError with what to install if it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        if missing == module.partition(".")[0]:
            sentence = f"needs labferry[{extra}], which is not installed: pip install 'labferry[{extra}]' in labferry's environment"
        else:
            sentence = f"needs the package {missing} beside labferry[{extra}]: pip install it in labferry's environment"
        raise UnreadableError(f"This file ({what}) {sentence}.") from error


@contextmanager
def quietly() -> Iterator[None]:
    """Without a reader's warnings and log; files that it left open when it failed are closed at the end, not at some later time."""
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)
            gc.collect()


def begins(*magic: bytes, at: int = 0) -> Callable[[Candidate], bool]:
    """Whether a file has one of these signatures."""
    return lambda candidate: any(candidate.head.startswith(one, at) for one in magic)


def bounded(value: Any, depth: int = 12) -> Any:
    """A reader's nested metadata without large arrays, long texts and endless depth."""
    if hasattr(value, "as_dictionary"):
        value = value.as_dictionary()
    if isinstance(value, dict):
        return {str(key): bounded(item, depth - 1) for key, item in list(value.items())[:400]} if depth > 0 else "…"
    if isinstance(value, (list, tuple)):
        return [bounded(item, depth - 1) for item in value[:32]] if depth > 0 else "…"
    if hasattr(value, "tolist") and getattr(value, "size", 0) > 32:
        return f"{value.size} values"
    if isinstance(value, (str, bytes)):
        return value[:4000]
    return (
        value
        if value is None or isinstance(value, (bool, int, float)) or hasattr(value, "tolist")
        else str(value)[:400]
    )


class FromExtra:
    """An ingestor that reads its kinds of files with a library of an extra; `reading` is what each of them does."""

    name = ""
    version = "2"
    extra = ""
    kinds: tuple[Kind, ...] = ()

    def claim(self, candidate: Candidate) -> Claim | None:
        """A format's signature, whether the extra is there or not: without it the file says what it needs."""
        kind = kind_of(candidate, self.kinds)
        return Claim(Specificity.FORMAT, kind.name) if kind is not None else None

    def extract(self, candidate: Candidate) -> Extraction:
        """The whole file. Raises UnreadableError, also when the extra is missing."""
        kind = kind_of(candidate, self.kinds)
        if kind is None:
            raise UnreadableError(f"The file begins like none of the formats of labferry[{self.extra}].")
        with quietly(), np.errstate(all="ignore"):
            module = needed(kind.module, self.extra, kind.name)
            try:
                return extraction(self.reading(module, candidate, kind), candidate)
            except MemoryError:
                raise
            except ImportError as error:  # what the reader imports only for this kind of files
                problem = f"it needs the package {error.name} beside labferry[{self.extra}]"
            except UnreadableError as error:
                problem = str(error)
            except Exception as error:  # noqa: BLE001 such libraries raise whatever a broken file makes their code raise
                problem = f"{type(error).__name__}: {error}"
        raise UnreadableError(f"The {kind.name} file cannot be read: {problem}")

    def reading(self, module: Any, candidate: Candidate, kind: Kind) -> Reading:
        """Read the file with the extra's module. Raises whatever the module raises."""
        raise NotImplementedError
