"""The files that were seen below the roots, and how far each one is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.model import DatasetId, Digests, FileId, FileState, Fingerprint
from daemon.store.journal import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.clock import Clock
    from daemon.store.database import Database, Row
    from daemon.store.journal import JournalTable

_SIGN_BIT = 1 << 63


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What a scan compares with: a file that the store knows in one folder."""

    id: FileId
    state: FileState
    fingerprint: Fingerprint
    dataset: DatasetId | None

    @property
    def present(self) -> bool:
        """Whether the store believes that the file is at its path."""
        return self.state not in {FileState.VANISHED, FileState.IGNORED}

    @property
    def unsettled(self) -> bool:
        """Whether the file is on its way to being complete."""
        return self.state in {FileState.SEEN, FileState.SETTLING}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file. `path` is relative to the root, POSIX, undecodable bytes as surrogate escapes."""

    id: FileId
    root: int
    path: str
    state: FileState
    reason: str
    fingerprint: Fingerprint
    digests: Digests | None
    settled_size: int  # of the bytes that the digests stand for
    version: int
    dataset: DatasetId | None
    role: str | None
    first_seen: str
    settled_at: str | None


def split(path: str) -> tuple[bytes, bytes]:
    """A relative path as the store keeps it: folder and name in the file system's bytes."""
    folder, _, name = path.rpartition("/")
    return os.fsencode(folder), os.fsencode(name)


def joined(folder: bytes, name: bytes) -> str:
    """The relative path of a folder and a name."""
    return os.fsdecode(folder + b"/" + name if folder else name)


class Files:
    """The table of files. Every move writes its line into the journal in the same transaction."""

    def __init__(self, database: Database, journal: JournalTable, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def in_folder(self, root: int, folder: str) -> dict[str, KnownFile]:
        """Every file that the store knows in one folder, by name."""
        rows = self._database.all("files_in_folder", root=root, folder=os.fsencode(folder))
        return {
            os.fsdecode(row["name"]): KnownFile(
                FileId(row["id"]), FileState(row["state"]), _fingerprint(row), row["dataset"]
            )
            for row in rows
        }

    def is_present(self, root: int, path: str) -> bool:
        """Whether the store believes that a file is at this path."""
        folder, name = split(path)
        return self._database.one("file_is_present", root=root, folder=folder, name=name) is not None

    def folders(self, root: int) -> set[str]:
        """The folders in which the store knows present files."""
        return {os.fsdecode(row["folder"]) for row in self._database.all("folders_with_files", root=root)}

    def under(self, root: int, prefix: str) -> list[str]:
        """The present paths that begin with a text: a range of the index, whatever the folder holds."""
        whole = os.fsencode(prefix)
        folder, beginning = split(prefix)
        rows = self._database.all(
            "files_under",
            root=root,
            folder=folder,
            beginning=beginning,
            beginning_end=_after(beginning),
            prefix=whole,
            prefix_end=_after(whole),
        )
        return [joined(row["folder"], row["name"]) for row in rows]

    def some_present(self, root: int, limit: int) -> list[str]:
        """A few paths that the store believes to be there: the sample that tells one root from another."""
        rows = self._database.all("present_files_of_root", root=root, limit=limit)
        return [joined(row["folder"], row["name"]) for row in rows]

    def get(self, file: FileId) -> FileRow | None:
        """One file by its id."""
        row = self._database.one("file", id=file)
        return None if row is None else _file(row)

    def by_path(self, root: int, path: str) -> FileRow | None:
        """One file by its path."""
        folder, name = split(path)
        row = self._database.one("file_by_path", root=root, folder=folder, name=name)
        return None if row is None else _file(row)

    def by_inode(self, root: int, fingerprint: Fingerprint) -> list[FileRow]:
        """The files of the root that had this inode: where a renamed file comes from."""
        rows = self._database.all("files_by_inode", root=root, inode=_signed(fingerprint.inode))
        return [_file(row) for row in rows]

    def unsettled(self) -> list[FileRow]:
        """The files that are not complete yet."""
        return [_file(row) for row in self._database.all("unsettled_files")]

    def unsettled_up_to(self, most: int) -> int:
        """How many files are not complete yet, counted up to a number."""
        row = self._database.one("unsettled_up_to", most=most)
        return 0 if row is None else int(row["count"])

    def of_dataset(self, dataset: DatasetId) -> list[FileRow]:
        """The present members of a dataset, the primary first."""
        return [_file(row) for row in self._database.all("files_of_dataset", dataset=dataset)]

    def discover(self, root: int, path: str, fingerprint: Fingerprint) -> FileId:
        """A file that the store did not know: seen."""
        folder, name = split(path)
        row = self._database.insert(
            "add_file", root=root, folder=folder, name=name, at=stamp(self._clock.now()), **_columns(fingerprint)
        )
        self._journal.write("file", row, "file.seen", size=fingerprint.size)
        return FileId(row)

    def settling(self, file: FileId, fingerprint: Fingerprint, reason: str) -> None:
        """A new, changed or returned file: it has to settle (again)."""
        with self._database.transaction():
            row = self._database.one("file", id=file)
            if row is not None and row["state"] == FileState.IGNORED:  # the configuration includes it again
                self._database.run("set_file_state", id=file, state=FileState.SEEN, reason="")
            self._database.run("set_file_fingerprint", id=file, **_columns(fingerprint))
            self._database.run("set_file_state", id=file, state=FileState.SETTLING, reason=reason)
            self._journal.write("file", file, "file.settling", reason=reason, size=fingerprint.size)

    def waits(self, file: FileId, reason: str) -> bool:
        """Keep the reason why a file has not settled; True if it is a new one."""
        return self._database.run("set_file_reason", id=file, reason=reason) > 0

    def settle(self, file: FileId, fingerprint: Fingerprint, digests: Digests, *, version: int, note: str) -> None:
        """The file is complete."""
        with self._database.transaction():
            self._database.run(
                "settle_file",
                id=file,
                reason=note,
                sha256=digests.sha256,
                crc32c=digests.crc32c,
                part_size=digests.part_size,
                part_crc32c=json.dumps(digests.part_crc32c),
                version=version,
                at=stamp(self._clock.now()),
                **_columns(fingerprint),
            )
            detail = {"sha256": digests.sha256, "size": fingerprint.size}
            self._journal.write("file", file, "file.settled", **detail, **({"note": note} if note else {}))

    def touched(self, file: FileId, fingerprint: Fingerprint) -> None:
        """Only the times changed, not the bytes."""
        with self._database.transaction():
            self._database.run("set_file_fingerprint", id=file, **_columns(fingerprint))

    def moved(self, file: FileId, path: str) -> None:
        """The same file under another name, at which the store knows no file."""
        folder, name = split(path)
        with self._database.transaction():
            old = self.get(file)
            self._database.run("move_file", id=file, folder=folder, name=name)
            self._journal.write("file", file, "file.moved", **({"from": _shown(old.path)} if old else {}))

    def vanished(self, file: FileId, reason: str = "") -> None:
        """The file is no longer at its path. Nothing is deleted anywhere because of it."""
        with self._database.transaction():
            self._database.run("set_file_state", id=file, state=FileState.VANISHED, reason=reason)
            self._journal.write("file", file, "file.vanished")

    def ignored(self, file: FileId) -> None:
        """The configuration no longer includes the file."""
        with self._database.transaction():
            self._database.run("set_file_state", id=file, state=FileState.IGNORED, reason="excluded")
            self._journal.write("file", file, "file.ignored")

    def assign(self, file: FileId, dataset: DatasetId, role: str) -> None:
        """The file belongs to this dataset."""
        with self._database.transaction():
            self._database.run("assign_file", id=file, dataset=dataset, role=role)
            self._journal.write("file", file, "file.grouped", dataset=dataset, role=role)

    def was_sent(self, dataset: DatasetId, sha256: str) -> bool:
        """Whether these bytes are in some catalog as a file of the dataset."""
        return self._database.one("file_was_sent", dataset=dataset, sha256=sha256) is not None

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Number and bytes of the files in each state."""
        return {row["state"]: (row["count"], int(row["bytes"])) for row in self._database.all("file_counts")}


def _after(prefix: bytes) -> bytes:
    """A bound above everything on disk that begins with the prefix: no name there has more than 255 bytes of any kind."""
    return prefix + b"\xff" * 256


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _signed(number: int) -> int:
    """SQLite's integers are signed; inodes and devices of network shares use all 64 bits."""
    return number - 2 * _SIGN_BIT if number >= _SIGN_BIT else number


def _unsigned(number: int) -> int:
    return number + 2 * _SIGN_BIT if number < 0 else number


def _columns(fingerprint: Fingerprint) -> dict[str, int]:
    return {
        "size": fingerprint.size,
        "mtime_ns": fingerprint.mtime_ns,
        "ctime_ns": fingerprint.ctime_ns,
        "inode": _signed(fingerprint.inode),
        "device": _signed(fingerprint.device),
    }


def _fingerprint(row: Row) -> Fingerprint:
    return Fingerprint(row["size"], row["mtime_ns"], row["ctime_ns"], _unsigned(row["inode"]), _unsigned(row["device"]))


def _file(row: Row) -> FileRow:
    digests = None
    if row["sha256"] is not None:
        digests = Digests(row["sha256"], row["crc32c"], row["part_size"], tuple(json.loads(row["part_crc32c"])))
    return FileRow(
        id=FileId(row["id"]),
        root=row["root"],
        path=joined(row["folder"], row["name"]),
        state=FileState(row["state"]),
        reason=row["reason"],
        fingerprint=_fingerprint(row),
        digests=digests,
        settled_size=row["settled_size"] or 0,
        version=row["version"],
        dataset=row["dataset"],
        role=row["role"],
        first_seen=row["first_seen"],
        settled_at=row["settled_at"],
    )
