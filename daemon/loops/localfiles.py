"""Every name below the roots, wanted or not: what `verify` has to say something about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.errors import NotFoundError
from daemon.watch.scan import join, list_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.model import Fingerprint
    from daemon.settings import Root


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A name below a root; `path` is root-relative. `problem` says why it is no file that could be delivered."""

    root: Root
    path: str
    fingerprint: Fingerprint | None = None
    problem: str = ""

    @property
    def absolute(self) -> Path:
        """Where it lies."""
        return self.root.path / self.path if self.path else self.root.path


def local_files(roots: Sequence[Root], path: Path | None) -> Iterator[LocalFile]:
    """Every file at or below `path`, or below every root; folders that cannot be read come as one problem each.

    No link is followed on the way. Raises NotFoundError if the path lies below no root.
    """
    if path is None:
        for root in roots:
            yield from _below(root, "")
        return
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 a symbolic link is itself, not its target
    above = [root for root in roots if absolute.is_relative_to(root.path)]
    if not above:
        raise NotFoundError(f"{absolute} lies below no root of this instrument.", "`labferry check` lists the roots.")
    root = above[0]
    relative = absolute.relative_to(root.path).as_posix()
    if relative == "." or (absolute.is_dir() and not absolute.is_symlink()):
        yield from _below(root, "" if relative == "." else relative)
    else:
        yield _single(root, relative)


def _below(root: Root, folder: str) -> Iterator[LocalFile]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        listing = list_folder(root.path, here)
        if listing.gone or listing.error is not None:
            yield LocalFile(root, here, problem=listing.error or "the folder is not there, or a link leads to it")
        for name in sorted(listing.files):
            yield LocalFile(root, join(here, name), listing.files[name])
        for name, kind in listing.skipped:
            yield LocalFile(root, join(here, name), problem=f"it is no file of its own: {kind}")
        waiting += [join(here, name) for name in sorted(listing.folders, reverse=True)]


def _single(root: Root, relative: str) -> LocalFile:
    folder, _, name = relative.rpartition("/")
    listing = list_folder(root.path, folder)
    if name in listing.files:
        return LocalFile(root, relative, listing.files[name])
    kind = dict(listing.skipped).get(name)
    if kind is not None:
        return LocalFile(root, relative, problem=f"it is no file of its own: {kind}")
    return LocalFile(root, relative, problem=listing.error or "there is no such file")
