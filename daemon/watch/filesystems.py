"""Which file system a descriptor is on, and whether other machines may change it behind this kernel's back.

Sources: statfs(2) for the magic numbers, proc(5) for `/proc/self/fdinfo` and `/proc/self/mountinfo`.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHARED_TYPES: Final = frozenset(
    {
        "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "fuse", "gfs2", "gpfs", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs", "smb2", "smb3", "smbfs", "sshfs", "vboxsf", "virtiofs", "vmhgfs",
    }
)  # fmt: skip
"""Types whose files another machine (or a program behind FUSE) may change: no events, no answer from leases."""

SHARED_MAGIC: Final = frozenset(
    {
        0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x00C36400, 0x5346414F, 0x6B414653, 0x73757245, 0x564C,
        0x65735546, 0x01161970, 0x7461636F, 0x0BD00BD0, 0x786F4256, 0x7C7C6673, 0x47504653, 0xBACBACBC, 0x20030528, 0xAAD7AAEA,
        0x19830326, 0x0187,
    }
)  # fmt: skip
"""The same types as statfs tells them: NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS (two), Coda, NCP, FUSE, GFS2, OCFS2, Lustre, vboxsf, Parallels,
GPFS, VMware, OrangeFS, PanFS, BeeGFS, autofs."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_STATFS_BYTES: Final = 512  # the structure has 120 bytes on 64-bit Linux; `f_type` is its first long


@dataclass(frozen=True, slots=True)
class Mount:
    """The mount that a descriptor is on: the type ("ext4"), what is mounted ("/dev/sda1", "server:/export"), and where."""

    filesystem: str
    source: str
    point: str


def is_shared_type(filesystem: str) -> bool:
    """True if files of this type may change without this kernel's knowledge. `fuseblk` is a local disk (NTFS-3G)."""
    return filesystem in SHARED_TYPES or filesystem.startswith("fuse.")


def is_shared(descriptor: int) -> bool:
    """The same for an open descriptor, by fstatfs(2) (about a microsecond). False if the kernel does not tell."""
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if _LIBC.fstatfs(descriptor, buffer) != 0:
        return False
    magic = ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF
    return magic in SHARED_MAGIC


def mount_of(descriptor: int) -> Mount:
    """The mount of an open descriptor, by its mount id. Raises OSError if `/proc` cannot be read."""
    info = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii")
    found = re.search(r"^mnt_id:\s*(\d+)$", info, re.MULTILINE)
    wanted = found[1] if found else ""
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        mount = line.decode("utf-8", "surrogateescape").split(" ")
        if mount[0] == wanted and "-" in mount[6:]:
            rest = mount[mount.index("-", 6) + 1 :]
            return Mount(rest[0], _unescape(rest[1]) if len(rest) > 1 else "", _unescape(mount[4]))
    return Mount("unknown", "", "")


def _unescape(text: str) -> str:
    r"""Undo the octal escapes of mountinfo (`\040` is a space)."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
