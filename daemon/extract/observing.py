"""What an ingestor does beside reading, seen from inside the worker: for `labferry plugins test` only.

The sandbox forbids writing and calling others anyway. This tells the author that the plugin tries to: Python's audit
events (docs.python.org/3/library/audit_events.html) name each attempt, whether it would have succeeded or not.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import ATTRIBUTES, Child, Extraction, Quantity, Sample, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

_WRITING_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_WRITING: Final = frozenset(
    {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"}
    | {"os.utime", "os.setxattr", "os.removexattr", "shutil.copyfile", "shutil.move", "shutil.rmtree"}
    | {"tempfile.mkstemp", "tempfile.mkdtemp"}
)
_CALLING: Final = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.")
_STARTING: Final = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"}
)
_MOST: Final = 20
_PLAIN: Final = (str, int, float, bool, complex, type(None))


class Observer:
    """Hears what the process does while it reads one file. Python cannot forget an audit hook: there is one for each worker."""

    def __init__(self) -> None:
        self._listening = False
        self._attempts: dict[tuple[str, str], None] = {}
        self._unclean: list[str] = []
        sys.addaudithook(self._heard)
        sys.stdout = sys.stderr = io.TextIOWrapper(_Printed(self), encoding="utf-8", write_through=True)

    def begin(self) -> None:
        """A file begins."""
        self._attempts.clear()
        self._unclean = []
        self._began = time.perf_counter()
        self._memory = _peak()
        self._listening = True

    def found(self, extraction: Any) -> None:
        """The plugin is done with the file."""
        self._listening = False
        self._unclean = unclean(extraction) if isinstance(extraction, Extraction) else []

    def report(self) -> dict[str, Any]:
        """What was seen since `begin`: attempts as kind and text, seconds, and bytes of memory above what was used before."""
        self._listening = False
        return {
            "attempts": [list(attempt) for attempt in self._attempts],
            "unclean": self._unclean[:_MOST],
            "seconds": time.perf_counter() - self._began,
            "memory": max(0, _peak() - self._memory),
        }

    def attempted(self, kind: str, text: str) -> None:
        """Note an attempt once."""
        if self._listening and len(self._attempts) < _MOST:
            self._attempts[(kind, text[:200])] = None

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._listening:
            return
        if event == "open":
            path, mode, flags = arguments
            writing = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool(flags & _WRITING_FLAGS)
            if writing and path != os.devnull:
                self.attempted("write", f"opened {path!r} for writing")
        elif event in _WRITING:
            self.attempted("write", f"{event} {arguments[0]!r}")
        elif event in _STARTING:
            self.attempted("process", event)
        elif event.startswith(_CALLING):
            self.attempted("network", event)


class _Printed(io.RawIOBase):
    """Stands for the terminal."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data).decode("utf-8", "replace").strip()
        if text:
            self._observer.attempted("print", repr(text[:60]))
        return len(data)


def unclean(extraction: Extraction) -> list[str]:
    """What in an extraction is not what `ingestors.api` says; each a sentence that begins with the place."""
    said = _unclean_part(extraction) + _unclean_list("warnings", extraction.warnings, str)
    said += _unclean_list("children", extraction.children, Child)
    children = [child for child in extraction.children if isinstance(child, Child)]
    keys = Counter(str(child.key) for child in children)
    for child in children:
        found = _unclean_part(child)
        if not isinstance(child.key, str) or not child.key.strip():
            found.append("the key is no text")
        if keys[str(child.key)] > 1:
            found.append("another child has the same key")
        if not child.attributes.get("dataset_name"):
            found.append("it has no dataset_name")
        if "unique_id" in child.attributes:
            found.append("it names a unique_id; its id is made of its parent's and its key")
        said += [f"child {child.key!r}: {one}" for one in found]
    return said


def _unclean_part(part: Extraction | Child) -> list[str]:
    """The same of what an extraction and a child of it have in common."""
    attributes: Mapping[Any, Any] = part.attributes
    said = [f"the attribute {name!r} is none of a dataset's" for name in attributes if name not in ATTRIBUTES]
    said += [
        f"the attribute {name!r} is {_kind(value)}, not text"
        for name, value in attributes.items()
        if not isinstance(value, str)
    ]
    said += _unclean_list("keywords", part.keywords, str)
    said += _unclean_list("samples", part.samples, Sample)
    said += _unclean_list("thumbnails", part.thumbnails, Thumbnail)
    return said + _unclean_below(part.scientific_metadata)


def _unclean_list(what: str, values: Sequence[Any], kind: type) -> list[str]:
    return [
        f"one of the {what} is {_kind(value)}, not {kind.__name__}" for value in values if not isinstance(value, kind)
    ]


def _unclean_below(metadata: Any) -> list[str]:
    said: list[str] = []
    waiting: list[tuple[str, Any]] = [("scientific_metadata", metadata)]
    seen = 0
    while waiting and len(said) < _MOST and seen < 100_000:  # noqa: PLR2004 circles end somewhere
        seen += 1
        place, value = waiting.pop()
        if isinstance(value, Quantity):
            unit: Any = value.unit
            if not isinstance(unit, str):
                said.append(f"{place}: the unit is {_kind(unit)}, not text")
            waiting.append((f"{place}.value", value.value))
        elif isinstance(value, Mapping):
            said += [f"{place}: the key {key!r} is {_kind(key)}, not text" for key in value if not isinstance(key, str)]
            waiting.extend((f"{place}.{key}", item) for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend((f"{place}[{number}]", item) for number, item in enumerate(value))
        elif not isinstance(value, _PLAIN) and not hasattr(value, "tolist"):
            said.append(f"{place} is {_kind(value)}, which JSON has no form for")
    return said


def _kind(value: Any) -> str:
    return f"of the type {type(value).__name__}"


def _peak() -> int:
    """The most memory that this process ever used at once, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
