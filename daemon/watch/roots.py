"""Which folder a root is: so that a disk that is not mounted is an error and never "all files were deleted"."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.errors import RootError
from daemon.watch.filesystems import is_shared_type, mount_of

_ADVICE: Final = {
    errno.ENOENT: "Create the folder, mount its disk or share, or correct `roots` in the configuration.",
    errno.ENOTDIR: "A root is a folder; name the folder in `roots`.",
    errno.EACCES: "Let the service's user read and enter the folder (for example `setfacl -R -m u:labferry:rX`).",
    errno.ESTALE: "The server replaced the share; mount it anew.",
    errno.EIO: "The disk or its connection fails; look at the kernel's messages (`dmesg`).",
    errno.ENOTCONN: "The program behind this mount has ended; mount it anew.",
    errno.EHOSTDOWN: "The file server does not answer; look at the network and mount the share anew.",
}
_OTHERWISE: Final = "Look at the folder with `ls` as the service's user; the service tries again by itself."
_BY_UUID: Final = Path("/dev/disk/by-uuid")


@dataclass(frozen=True, slots=True)
class RootIdentity:
    """What a root is: `filesystem` as in mount(8), `source` the device (as `UUID=...` where known) or the share.

    The device number is a hint only: those of network shares and removable disks change with every boot.
    """

    device: int
    inode: int
    filesystem: str
    source: str


def identify(path: Path) -> RootIdentity:
    """Look at a root. Raises RootError if it is missing, no folder, or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as entries:
                next(entries, None)  # a share that has gone away answers `open` from its cache, but cannot be listed
            status = os.fstat(descriptor)
            mount = mount_of(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        sentence = f"The root {os.fspath(path)!r} cannot be read: {error.strerror or error}."
        raise RootError(sentence, _ADVICE.get(error.errno or 0, _OTHERWISE)) from error
    return RootIdentity(status.st_dev, status.st_ino, mount.filesystem, _stable_source(mount.source))


def events_work(identity: RootIdentity) -> bool:
    """False on network shares and FUSE: inotify does not tell what other machines do there, so the scan has to."""
    return not is_shared_type(identity.filesystem)


def differs(remembered: RootIdentity, now: RootIdentity) -> str | None:
    """A sentence if the root is another folder or another file system than it was, None if it is the same."""
    if (remembered.filesystem, remembered.inode) == (now.filesystem, now.inode) and _same_source(remembered, now):
        return None
    if _describe(remembered) != _describe(now):
        return f"The root was on {_describe(remembered)} and is on {_describe(now)} now; is its disk or share mounted?"
    return "The root was replaced: another folder has its name now."


def _same_source(one: RootIdentity, other: RootIdentity) -> bool:
    """Names such as /dev/sdb1 are given anew at every boot: two of them say nothing."""
    return one.source == other.source or (one.source.startswith("/dev/") and other.source.startswith("/dev/"))


def _describe(identity: RootIdentity) -> str:
    return f"{identity.filesystem} {identity.source}".strip()


def _stable_source(source: str) -> str:
    """The UUID of a block device if the machine knows one, else the source as it is."""
    if not source.startswith("/dev/"):
        return source
    try:
        device = Path(source).stat().st_rdev
        for link in sorted(_BY_UUID.iterdir()):
            if link.stat().st_rdev == device:
                return f"UUID={link.name}"
    except OSError:
        return source
    return source
