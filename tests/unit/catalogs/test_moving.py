"""The bytes on their way to a storage: by copying, and by what fsspec speaks."""
# mypy: disable-error-code="misc,no-any-return"

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 a class below keeps one
from typing import TYPE_CHECKING, Any, ClassVar

import fsspec
import paramiko
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from daemon.catalogs.catalog import Attempt, Health
from daemon.catalogs.pace import Pace
from daemon.catalogs.remote import Remote
from daemon.catalogs.transfer import PART, Copier
from daemon.clock import ManualClock
from daemon.errors import CatalogRefused, CatalogUnavailable, ConfigurationError, SourceChanged
from tests.fakes.deliveries import record_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.catalogs.transfer import Mover
    from daemon.model import RecordFile

CONTENT = bytes(range(256)) * 9_000  # three chunks


class Ended(Exception):  # noqa: N818 no error
    """The daemon is stopping."""


def attempt(alive: Callable[[], None] = lambda: None, outcomes: Any = None) -> Attempt:
    """A first try."""
    return Attempt(repeated=False, memory={}, remember=lambda _: None, outcomes=outcomes or {}, alive=alive)


def ending_after(calls: int) -> Callable[[], None]:
    """Raise after so many looks."""
    left = [calls]

    def alive() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Ended

    return alive


@dataclass
class Place:
    """A storage: what moves there, what is there, and what is put there by others."""

    mover: Mover
    folder: str
    read: Callable[[str], bytes | None]
    write: Callable[[str, bytes], None]
    names: Callable[[], list[str]]


@pytest.fixture
def source(tmp_path: Path) -> RecordFile:
    """A file of some chunks."""
    (tmp_path / "scan.dat").write_bytes(CONTENT)
    os.utime(tmp_path / "scan.dat", (1_700_000_000, 1_700_000_000))
    return record_file(tmp_path / "scan.dat")


def on_disk(mover: Mover, folder: str, root: Path) -> Place:
    """A storage whose files can be looked at."""

    def write(name: str, content: bytes) -> None:
        (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "set" / name).write_bytes(content)

    def read(name: str) -> bytes | None:
        path = root / "set" / name
        return path.read_bytes() if path.exists() else None

    def names() -> list[str]:
        return sorted(path.name for path in root.rglob("*") if path.is_file())

    return Place(mover, folder, read, write, names)


class _Object(MemoryFile):
    """An object that appears when it is closed, or collected, unless it was discarded."""

    given_up = False

    def close(self) -> None:
        if not self.given_up:
            self.commit()
            self.given_up = True

    def discard(self) -> None:
        self.given_up = True


class _Objects(MemoryFileSystem):
    """A store of whole objects, as S3 is one."""

    protocol = "s3a"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        path = self._strip_protocol(path)
        if mode == "wb":
            return _Object(self, path)
        if path not in self.store:
            raise FileNotFoundError(path)
        self.store[path].seek(0)
        return MemoryFile(self, path, self.store[path].getvalue())

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3a://").strip("/")


def objects(bucket: str) -> Place:
    """An object store."""
    fsspec.register_implementation("s3a", _Objects, clobber=True)

    def write(name: str, content: bytes) -> None:
        _Objects.store[f"/{bucket}/set/{name}"] = MemoryFile(None, name, content)

    def read(name: str) -> bytes | None:
        found = _Objects.store.get(f"/{bucket}/set/{name}")
        return None if found is None else found.getvalue()

    return Place(
        Remote(f"s3a://{bucket}", {}, None, read_back=True),
        f"s3a://{bucket}/set",
        read,
        write,
        lambda: sorted(path.rpartition("/")[2] for path in _Objects.store if path.startswith(f"/{bucket}/")),
    )


class _Sftp(paramiko.SFTPServerInterface):
    """A folder by sftp."""

    root: Path

    def _real(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        return [paramiko.SFTPAttributes.from_stat(one.stat(), one.name) for one in self._real(path).iterdir()]

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            stream = os.open(self._real(path), flags, 0o644)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        mode = "wb" if flags & os.O_WRONLY else "r+b" if flags & os.O_RDWR else "rb"
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(stream, mode)
        return handle

    def mkdir(self, path: str, attr: Any) -> int:
        self._real(path).mkdir()
        return paramiko.SFTP_OK

    def remove(self, path: str) -> int:
        self._real(path).unlink()
        return paramiko.SFTP_OK

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        self._real(oldpath).replace(self._real(newpath))
        return paramiko.SFTP_OK


class _Door(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("ferry", "s3cret")
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _SftpServer:
    """A real sftp server on loopback."""

    def __init__(self, root: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._key = paramiko.RSAKey.generate(2048)
        self._handler = type("Handler", (_Sftp,), {"root": root})
        self._transports: list[paramiko.Transport] = []
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._handler)
            transport.start_server(server=_Door(), event=threading.Event())
            self._transports.append(transport)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for transport in self._transports:
            transport.close()
            transport.join(5)


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The folder of an sftp server, and its port."""
    root = tmp_path_factory.mktemp("sftp")
    (root / "incoming").mkdir()
    server = _SftpServer(root)
    yield root / "incoming", server.port
    server.close()


@pytest.fixture(params=["copy", "file", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each way that there is."""
    root = tmp_path / "storage"
    root.mkdir()
    match request.param:
        case "copy":
            yield on_disk(Copier(str(root), read_back=True), f"{root}/set", root)
        case "file":
            yield on_disk(Remote(f"file://{root}", {}, None, read_back=True), f"file://{root}/set", root)
        case _:
            yield objects(tmp_path.name)


def test_sftp_moves_files(sftp: tuple[Path, int], tmp_path: Path) -> None:
    """With a real server: a file arrives once and whole, other bytes stay, the beginning of a file is replaced."""
    folder, port = sftp
    remote = Remote("sftp://127.0.0.1/incoming", {"port": port, "username": "ferry"}, "s3cret", read_back=True)
    place = on_disk(remote, "sftp://127.0.0.1/incoming/set", folder)
    (tmp_path / "scan.dat").write_bytes(b"0123456789" * 1000)
    source = record_file(tmp_path / "scan.dat")
    assert [finding.health for finding in remote.check()] == [Health.OK]
    assert remote.deliver(place.folder, "a/scan.dat", source, attempt())["how"] == "sent"
    assert remote.deliver(place.folder, "a/scan.dat", source, attempt())["how"] == "already there"
    place.write("grown.dat", b"01234")
    assert remote.deliver(place.folder, "grown.dat", source, attempt())["how"] == "replaced"
    place.write("other.dat", b"other")
    with pytest.raises(CatalogRefused, match="other bytes at"):
        remote.deliver(place.folder, "other.dat", source, attempt())
    assert place.names() == ["grown.dat", "other.dat", "scan.dat"]
    assert b"".join(remote.read(f"{place.folder}/a/scan.dat", lambda: None)) == b"0123456789" * 1000
    remote._own.storage.client.close()


def test_a_file_arrives_whole(place: Place, source: RecordFile) -> None:
    """Its bytes are there under its name and nothing else is, and a second try finds it done."""
    assert place.mover.deliver(place.folder, "a/scan.dat", source, attempt())["how"] in {"copied", "sent"}
    assert place.mover.deliver(place.folder, "a/scan.dat", source, attempt())["how"] == "already there"
    assert place.read("a/scan.dat") == CONTENT
    assert place.names() == ["scan.dat"]
    assert place.mover.there(place.folder, "a/scan.dat", source, lambda: None)
    assert b"".join(place.mover.read(f"{place.folder}/a/scan.dat", lambda: None)) == CONTENT


def test_other_bytes_are_never_overwritten(place: Place, source: RecordFile) -> None:
    """Whatever stands there stays, and the delivery says where."""
    for content in (b"x" * len(CONTENT), CONTENT + b"more", b"short"):
        place.write("scan.dat", content)
        with pytest.raises(CatalogRefused, match="other bytes at"):
            place.mover.deliver(place.folder, "scan.dat", source, attempt())
        assert place.read("scan.dat") == content
        assert not place.mover.there(place.folder, "scan.dat", source, lambda: None)


def test_the_beginning_of_a_file_is_replaced_by_all_of_it(place: Place, source: RecordFile) -> None:
    """A file that has grown loses nothing by being replaced."""
    place.write("scan.dat", CONTENT[:1000])
    assert place.mover.deliver(place.folder, "scan.dat", source, attempt())["how"] == "replaced"
    assert place.read("scan.dat") == CONTENT
    assert place.names() == ["scan.dat"]


def test_what_we_brought_ourselves_may_be_replaced(place: Place, source: RecordFile, tmp_path: Path) -> None:
    """A rewritten file takes the place of its earlier content where that is configured; only what we know as ours goes."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "scan.dat").write_bytes(CONTENT[::-1] + b"longer")
    old = record_file(tmp_path / "old" / "scan.dat")
    outcome = place.mover.deliver(place.folder, "scan.dat", old, attempt())
    known = {("file", "scan.dat"): outcome}
    assert place.mover.deliver(place.folder, "scan.dat", source, attempt(outcomes=known))["how"] == "replaced"
    assert place.read("scan.dat") == CONTENT


def test_a_bandwidth_limits_every_way(place: Place, source: RecordFile) -> None:
    """Bytes go out when their time has come."""
    clock = ManualClock()
    place.mover._pace = Pace(clock, len(CONTENT))  # type: ignore[attr-defined]
    before = clock.monotonic()
    place.mover.deliver(place.folder, "scan.dat", source, attempt())
    assert clock.monotonic() - before > 0.5


@pytest.mark.parametrize("calls", [1, 3, 5])
def test_a_file_that_is_on_its_way_has_no_name_yet(place: Place, source: RecordFile, calls: int) -> None:
    """Whenever the daemon stops, nobody sees a part under the file's name; the next try makes it whole."""
    with contextlib.suppress(Ended):
        place.mover.deliver(place.folder, "scan.dat", source, attempt(ending_after(calls)))
    assert place.read("scan.dat") in {None, CONTENT}
    place.mover.deliver(place.folder, "scan.dat", source, attempt())
    assert place.read("scan.dat") == CONTENT
    assert place.names() == ["scan.dat"]


def test_a_file_that_changed_is_not_sent_as_another(place: Place, source: RecordFile) -> None:
    """What is no longer what was hashed does not arrive."""
    changed = replace(source, sha256="0" * 64)
    with pytest.raises(SourceChanged):
        place.mover.deliver(place.folder, "scan.dat", changed, attempt())
    assert place.read("scan.dat") is None


def test_an_empty_file_arrives(place: Place, tmp_path: Path) -> None:
    """Nothing is a content too."""
    (tmp_path / "empty").touch()
    place.mover.deliver(place.folder, "empty", record_file(tmp_path / "empty"), attempt())
    assert place.read("empty") == b""


def test_the_storage_says_whether_it_can_be_used(place: Place) -> None:
    """A look before data arrive."""
    assert {finding.health for finding in place.mover.check()} <= {Health.OK, Health.WARNING}


def test_what_is_not_there_is_not_read(place: Place, tmp_path: Path) -> None:
    """Verify gets an answer and no bytes."""
    with pytest.raises(CatalogRefused):
        list(place.mover.read(f"{place.folder}/nothing", lambda: None))


def test_a_copy_goes_on_where_it_was_interrupted(tmp_path: Path, source: RecordFile) -> None:
    """What was written before a crash is looked at and not written again; rubbish is."""
    copier = Copier(str(tmp_path), read_back=True)
    part = tmp_path / "set" / f".{source.sha256[:24]}{PART}"
    part.parent.mkdir()
    for content in (CONTENT[: len(CONTENT) // 2], b"rubbish" * 1000, CONTENT + b"too much"):
        part.write_bytes(content)
        copier.deliver(str(tmp_path / "set"), "scan.dat", source, attempt())
        target = tmp_path / "set" / "scan.dat"
        assert target.read_bytes() == CONTENT
        assert target.stat().st_mtime == 1_700_000_000
        assert stat.S_ISREG(target.lstat().st_mode)
        assert not part.exists()
        target.unlink()


def test_a_share_that_is_not_mounted_is_not_made_as_a_folder(tmp_path: Path, source: RecordFile) -> None:
    """Files for the facility do not fill the PC's own disk."""
    copier = Copier(str(tmp_path / "mnt"), read_back=True)
    with pytest.raises(CatalogUnavailable, match="Is it mounted"):
        copier.deliver(str(tmp_path / "mnt" / "set"), "scan.dat", source, attempt())
    assert not (tmp_path / "mnt").exists()
    assert [finding.health for finding in copier.check()] == [Health.FAILED]


def test_a_wrong_password_is_told_without_it(sftp: tuple[Path, int]) -> None:
    """The storage's own words, and never the secret."""
    remote = Remote("sftp://127.0.0.1/incoming", {"port": sftp[1], "username": "ferry"}, "wr0ng", read_back=True)
    (finding,) = remote.check()
    assert finding.health is Health.FAILED
    assert "Authentication" in finding.text
    assert "wr0ng" not in finding.text


def test_a_protocol_that_is_not_installed_is_a_matter_of_the_configuration() -> None:
    """It says what to install."""
    with pytest.raises(ConfigurationError, match=r"transfer\.to: nothing://x"):
        Remote("nothing://x", {}, None, read_back=True)
