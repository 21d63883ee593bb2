"""Modules of an extra: there, or a sentence that names it."""

from __future__ import annotations

import gc
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingestors.api import UnreadableError

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
    """Without the warnings of a reader; files that it left open when it failed are closed at the end, not at some later time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
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
