"""A dataset's files in SciCat's words: where they lie, how they are listed, how large a list may be. Pure."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from daemon import scicat_rules
from daemon.catalogs.transfer import OBJECT_STORES
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from daemon.model import DatasetRecord, RecordFile

BLOCK_FILES: Final = 20_000
_ALSO: Final = 200
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f/\\:]+")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a dataset's files lie: `folder` as the file server sees it, `store` as the mover does, `names` below them.

    `base` is the folder on this computer that paths are relative to; it stays what it was when a later revision has files
    elsewhere, so that no path that is listed already changes.
    """

    base: str
    folder: str
    store: str
    names: Mapping[str, str]


def entries(record: DatasetRecord, placement: Placement) -> list[dict[str, Any]]:
    """The files as SciCat lists them: path below the source folder, bytes, time, sha256."""
    return [
        {
            "path": placement.names[file.name],
            "size": file.size,
            "time": (changed_at(file) or datetime.fromtimestamp(0, UTC)).isoformat(timespec="milliseconds"),
            "chk": file.sha256,
        }
        for file in record.files
    ]


def blocks(files: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The files as bodies for the nested route: at most 20,000 files and well below the largest request each."""
    block: list[Mapping[str, Any]] = []
    length = 0
    for file in files:
        needed = len(json.dumps(file).encode()) + 2
        if block and (len(block) == BLOCK_FILES or length + needed > scicat_rules.LARGEST_BODY - _ALSO):
            yield _block(block)
            block, length = [], 0
        block.append(file)
        length += needed
    if block:
        yield _block(block)


def _block(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"size": sum(file["size"] for file in files), "chkAlg": "sha256", "dataFileList": list(files)}


def common_folder(files: Sequence[RecordFile], base: str | None) -> tuple[str, dict[str, tuple[str, str]]]:
    """The folder that holds all files; of each by its name: the path below it where a copy goes, and where it lies.

    A rewritten file's later content has a name of its own (`scan.v2.dat`), under which a copy stands beside the first.
    """
    folder = base or posixpath.commonpath({file.path.rpartition("/")[0] or "/" for file in files})
    names = {}
    for file in files:
        below = file.path.startswith(f"{folder}/")
        lies = display_name(file.path[len(folder) + 1 :] if below else posixpath.relpath(file.path, folder))
        above, _, own = lies.rpartition("/")
        versioned = not (file.name == own or file.name.endswith(f"__{own}"))
        copy = f"{above}/{file.name}".lstrip("/") if versioned else lies
        names[file.name] = (file.name if copy.startswith("../") else copy, lies)
    return folder, names


def own_path(store: str) -> str:
    """The path of a storage on its own computer; an object store's address has no other."""
    scheme, separator, _ = store.partition("://")
    return urlsplit(store).path if separator and scheme not in OBJECT_STORES else store


def changed_at(file: RecordFile) -> datetime | None:
    """When the file was last changed, if its file system tells a time that a calendar has."""
    try:
        return datetime.fromtimestamp(file.fingerprint.mtime_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def safe_segment(text: str) -> str:
    """A text as the name of one folder."""
    name = _UNSAFE.sub("_", display_name(text)).strip().rstrip(".")
    return name[:120] if name and name not in {".", ".."} else "_"
