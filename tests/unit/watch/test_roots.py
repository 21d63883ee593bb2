from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RootError
from daemon.watch.filesystems import is_shared, is_shared_type, mount_of
from daemon.watch.roots import RootIdentity, differs, events_work, identify

if TYPE_CHECKING:
    from pathlib import Path

DISK = RootIdentity(device=8, inode=2, filesystem="ext4", source="UUID=1")


def test_a_root_is_known_again(tmp_path: Path) -> None:
    """The same folder looks the same twice."""
    assert differs(identify(tmp_path), identify(tmp_path)) is None


def test_the_mount_is_the_one_the_kernel_names() -> None:
    """The file system of a descriptor is found by its mount id."""
    descriptor = os.open("/proc", os.O_RDONLY)
    try:
        assert mount_of(descriptor).filesystem == "proc"
        assert not is_shared(descriptor)
    finally:
        os.close(descriptor)


def test_a_missing_root_says_what_to_do(tmp_path: Path) -> None:
    """A root that is missing, or is no folder, is a RootError with advice."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(RootError, match="cannot be read") as caught:
            identify(path)
        assert caught.value.advice


def test_an_unmounted_root_differs() -> None:
    """The empty folder that is left when a disk is away is not the disk."""
    left = RootIdentity(device=1, inode=77, filesystem="btrfs", source="UUID=2")
    sentence = differs(DISK, left)
    assert sentence is not None
    assert "ext4 UUID=1" in sentence
    assert "mounted" in sentence


def test_a_replaced_root_differs(tmp_path: Path) -> None:
    """A folder of the same name in the same place is another folder."""
    root = tmp_path / "root"
    root.mkdir()
    before = identify(root)
    root.rename(tmp_path / "old")
    root.mkdir()
    assert "replaced" in (differs(before, identify(root)) or "")


def test_numbers_that_change_with_a_boot_do_not_matter() -> None:
    """A device number, or the letter of a disk, may be another one after a boot."""
    assert differs(DISK, replace(DISK, device=99)) is None
    assert differs(replace(DISK, source="/dev/sdb1"), replace(DISK, source="/dev/sdc1")) is None
    assert differs(DISK, replace(DISK, source="UUID=3")) is not None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse", "9p", "ceph", "afs", "virtiofs"])
def test_shares_have_no_events(kind: str) -> None:
    """What other machines can change is scanned."""
    assert is_shared_type(kind)
    assert not events_work(replace(DISK, filesystem=kind))


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "ntfs3", "exfat", "vfat", "fuseblk", "zfs"]
)
def test_local_disks_have_events(kind: str) -> None:
    """What only this machine can change is heard."""
    assert events_work(replace(DISK, filesystem=kind))
