"""Is a root still the folder that it was? Asked before anything is concluded from what is missing in it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from daemon.errors import RootError
from daemon.watch.roots import RootIdentity, differs, identify

if TYPE_CHECKING:
    from daemon.loops.context import WatchedFolder
    from daemon.store.opening import Store

SAMPLE: Final = 64


def recognise(store: Store, root: WatchedFolder) -> RootIdentity:
    """The root is the folder that it was, or holds what it held. Raises RootError."""
    identity = identify(root.path)
    remembered = store.roots.identity(root.path)
    now = dataclasses.asdict(identity)
    if remembered == now:
        return identity
    if remembered is not None:
        sentence = differs(RootIdentity(**remembered), identity)
        sample = store.files.some_present(root.id, SAMPLE) if sentence else []
        if sample and not any(there(root, path) for path in sample):
            raise RootError(
                f"{root.path}: {sentence}",
                "Mount the disk or share. If the folder was replaced on purpose and is empty, give it another path"
                " in the configuration.",
            )
    store.roots.keep_identity(root.id, now)
    return identity


def there(root: WatchedFolder, path: str, inode: int | None = None) -> bool:
    """Whether something is at the path, and is this inode, if one is named."""
    try:
        status = (root.path / path).lstat()
    except OSError:
        return False
    return inode is None or status.st_ino == inode
