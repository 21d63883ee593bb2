"""Files sent to a storage elsewhere: sftp, SMB, S3 and whatever else fsspec speaks. The only module that knows fsspec.

Where names can change, a file is written under a temporary name, compared and renamed; an object store shows an object only
when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from daemon.catalogs.catalog import Finding, Health
from daemon.catalogs.source import CHUNK, Source
from daemon.catalogs.transfer import OBJECT_STORES, PART, others, outcome, paced, same_or_earlier
from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable, ConfigurationError, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.pace import Pace
    from daemon.model import RecordFile

_SECRETS: Final = {"s3": "secret", "s3a": "secret"}
_EXTRAS: Final = {"sftp": "sftp", "ssh": "sftp", "smb": "smb", "s3": "s3", "s3a": "s3"}

_T = TypeVar("_T")


class Remote:
    """One storage by its URL. Each thread has a connection of its own: not every protocol can share one."""

    def __init__(
        self, url: str, options: Mapping[str, Any], secret: str | None, *, read_back: bool, pace: Pace | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._scheme = url.split("://", 1)[0]
        self._options = dict(options)
        if secret is not None:
            self._options[_SECRETS.get(self._scheme, "password")] = secret
        self._secrets = [text for text in (secret,) if text]
        self._read_back = read_back
        self._pace = pace
        self._own = threading.local()
        self._whole = self._scheme in OBJECT_STORES
        self._connect_to = _protocol(self._scheme, url)

    def check(self) -> Sequence[Finding]:
        """Whether the storage answers and the folder is there."""
        try:
            root = self._path(self._url)
            if not self._whole and not self._ask(lambda storage: storage.exists(root)):
                return [Finding(Health.FAILED, f"The storage {self._url} has no such folder; make it there.")]
        except CatalogError as error:
            return [Finding(Health.FAILED, str(error))]
        return [Finding(Health.OK, f"The storage {self._url} answers.")]

    def deliver(self, folder: str, name: str, file: RecordFile, attempt: Attempt) -> dict[str, Any]:
        """Send, compare, and give it its name."""
        target = self._path(f"{folder}/{name}")
        with Source(file) as source:
            source.verify()
            found = self._look(target, source, attempt)
            if found is True:
                return outcome(name, file, "already there")
            if self._whole:
                self._send(target, source, attempt.alive)
                return outcome(name, file, "replaced" if found is None else "sent")
            above, _, own = target.rpartition("/")
            part = f"{above}/.{own[:80]}.{file.sha256[:16]}{PART}"
            self._ask(lambda storage: storage.makedirs(above, exist_ok=True))
            self._send(part, source, attempt.alive)
            return outcome(name, file, self._rename(part, target, source, attempt, replace=found is None))

    def keep(self, name: str, data: bytes) -> None:
        """Bring bytes from memory to a name that tells what they are; what is there of this size stays."""
        target = self._path(f"{self._url}/{name}")

        def write(storage: Any) -> None:
            with storage.open(target, "wb") as stream:
                for chunk in paced(self._pace, iter([data])):
                    stream.write(chunk)

        if self._size(target) == len(data):
            return
        self._ask(write)
        if self._size(target) != len(data):
            raise CatalogUnavailable(f"The storage {self._url} does not have the bytes of {name} that it was given.")

    def there(self, folder: str, name: str, file: RecordFile, alive: Callable[[], None]) -> bool:
        """Size first, then every byte."""
        target = self._path(f"{folder}/{name}")
        return self._size(target) == file.size and self._sha256(target, file.size, alive) == file.sha256

    def read(self, location: str, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes that the storage has."""
        target = self._path(location)
        size = self._size(target)
        if size is None:
            raise CatalogRefused(f"{location} is not there.")
        yield from self._bytes(target, size, alive)

    def close(self) -> None:
        """The connections end with their threads."""

    def _look(self, target: str, source: Source, attempt: Attempt) -> bool | None:
        """False if nothing is there, True if all of it is, None if what is there may be replaced. Raises CatalogRefused."""
        size = self._size(target)
        if size is None:
            return False
        found = same_or_earlier(lambda length: self._sha256(target, length, attempt.alive), size, source, attempt)
        if found is False:
            raise others(f"{self._scheme}://{target.lstrip('/')}")
        return found

    def _send(self, target: str, source: Source, alive: Callable[[], None]) -> None:
        """Write all bytes, then compare what the storage has with what was hashed."""
        file, digest = source.file, hashlib.sha256()
        stream = self._ask(lambda storage: storage.open(target, "wb"))
        try:
            for chunk in paced(self._pace, source.chunks(0, file.size, alive)):
                digest.update(chunk)
                self._ask(lambda _, chunk=chunk: stream.write(chunk))  # type: ignore[misc]
            source.verify()
            _agree(digest.hexdigest(), file)
        except BaseException:
            with contextlib.suppress(Exception):  # whatever it was, an object that is not whole must not appear
                stream.discard()
                stream.closed = True  # or fsspec's files write the rest when they are collected
            raise
        self._ask(lambda _: stream.close())
        right = self._size(target) == file.size
        if right and self._read_back:
            right = self._sha256(target, file.size, alive) == file.sha256
        if not right:
            raise CatalogUnavailable(
                f"The storage {self._url} does not have the bytes of {file.name} that it was given."
            )

    def _rename(self, part: str, target: str, source: Source, attempt: Attempt, *, replace: bool) -> str:
        if not replace and self._look(target, source, attempt) is True:  # somebody else brought it meanwhile
            self._ask(lambda storage: storage.rm_file(part))
            return "already there"
        try:
            self._ask(lambda storage: storage.mv(part, target))
        except CatalogUnavailable:
            if not replace:
                raise
            self._ask(lambda storage: storage.rm_file(target))  # a protocol that replaces nothing; we have all of it
            self._ask(lambda storage: storage.mv(part, target))
        return "replaced" if replace else "sent"

    def _size(self, target: str) -> int | None:
        def look(storage: Any) -> int | None:
            storage.invalidate_cache()
            try:
                return int(storage.info(target)["size"])
            except FileNotFoundError:
                return None

        return self._ask(look)

    def _sha256(self, target: str, size: int, alive: Callable[[], None]) -> str:
        digest = hashlib.sha256()
        for chunk in self._bytes(target, size, alive):
            digest.update(chunk)
        return digest.hexdigest()

    def _bytes(self, target: str, size: int, alive: Callable[[], None]) -> Iterator[bytes]:
        stream = self._ask(lambda storage: storage.open(target, "rb"))
        try:
            left = size
            while left > 0:
                alive()
                length = min(CHUNK, left)
                chunk: bytes = self._ask(lambda _, length=length: stream.read(length))  # type: ignore[misc]
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk
        finally:
            with contextlib.suppress(Exception):  # it was only read
                stream.close()

    def _path(self, location: str) -> str:
        """The location as the storage itself calls it."""
        return str(self._connect_to._strip_protocol(location))  # noqa: SLF001 fsspec's own way, without a public name

    def _ask(self, question: Callable[[Any], _T]) -> _T:
        """Ask the storage. Every protocol's library has errors of its own, so all of them mean: not now."""
        try:
            if not hasattr(self._own, "storage"):
                kwargs = {**self._connect_to._get_kwargs_from_urls(self._url), **self._options}  # noqa: SLF001 as above
                self._own.storage = self._connect_to(**kwargs, skip_instance_cache=True)
            return question(self._own.storage)
        except Exception as error:  # noqa: BLE001 see above
            if hasattr(self._own, "storage"):
                del self._own.storage
            text = f"{type(error).__name__}: {error}".strip(": ")
            for secret in self._secrets:
                text = text.replace(secret, "***")
            raise CatalogUnavailable(
                f"The storage {self._url} did not do it: {text}.",
                "Look at its address, our account there, and its space.",
            ) from None


def _agree(digest: str, file: RecordFile) -> None:
    if digest != file.sha256:
        raise SourceChanged(f"{file.name} is no longer the file that was hashed.")


def _protocol(scheme: str, url: str) -> Any:
    try:
        import fsspec  # noqa: PLC0415 an extra: only where a storage elsewhere is configured

        return fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        extra = _EXTRAS.get(scheme)
        advice = f"pip install 'labferry[{extra}]'" if extra else "Install fsspec and its package for this protocol."
        raise ConfigurationError([f"transfer.to: {url} cannot be reached from here: {error}."], advice) from None
