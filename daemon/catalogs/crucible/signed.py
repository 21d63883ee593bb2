"""The parts of one signed multipart upload: what the storage has, sign, send, and nothing twice.

Wire facts (nano-crucible 3.3.0, `resources/gcs/signed_multipart.py`): `GET …/upload/multipart/{upload_id}` lists the
acknowledged parts in pages, `POST …/{upload_id}/parts` signs up to 32 parts with their CRC32C, each is PUT to its
address with the given headers and without our key; done is exactly 200, 403 means sign again, and an address is
renewed when it has less than 30 s to live.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import Unanswered, error_of, nonsense
from daemon.catalogs.http import segment
from daemon.catalogs.source import crc32c_text
from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.catalogs.answers import Answer
    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.http import HttpClient
    from daemon.catalogs.source import Source
    from daemon.clock import Clock

BATCH: Final = 32
PART_THREADS: Final = 4
MANY_PARTS: Final = 4
TRIES: Final = 3
MOST_PARTS: Final = 10_000  # of the storage's multipart uploads (GCS and S3)
_MARGIN: Final = timedelta(seconds=30)
_LOOK_SECONDS: Final = 0.5
_GONE: Final = frozenset({404, 410})
_ENDED: Final = frozenset({"aborted", "cancelled", "canceled", "completed", "complete", "expired", "failed"})
_HTTP_OK: Final = 200
_HTTP_FORBIDDEN: Final = 403


class UploadGone(Exception):  # noqa: N818 reads as the state it reports
    """The catalog or its storage no longer knows this upload; another one has to begin."""


class LinkBreaks(Exception):  # noqa: N818 reads as the state it reports
    """A connection broke in the middle of a part of a large file, where another route would lose less."""


class _Cancelled(Exception):  # noqa: N818 another part failed; its error is the one that counts
    """Raised inside the other parts' threads."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of one file: where it is asked about, its id, and the bytes of a part."""

    dataset: str
    upload_id: str
    part_size: int

    @property
    def path(self) -> str:
        """The path below the base URL."""
        return f"/datasets/{segment(self.dataset)}/upload/multipart/{segment(self.upload_id)}"


@dataclass(frozen=True, slots=True)
class _Signature:
    url: str
    headers: Mapping[str, str]
    expires: datetime | None


class PartSender:
    """Sends what the storage does not have yet.

    On a link that is `trusted` parts go in parallel, and a break in the middle of many of them is told by LinkBreaks;
    otherwise they go one after the other, and each is tried again.
    """

    def __init__(
        self, client: HttpClient, clock: Clock, source: Source, upload: Upload, attempt: Attempt, *, trusted: bool
    ) -> None:
        self._client = client
        self._clock = clock
        self._source = source
        self._upload = upload
        self._attempt = attempt
        self._threads = PART_THREADS if trusted else 1
        self._breaks_tell = False
        self._trusted = trusted
        self._count = -(-source.file.size // upload.part_size)
        self._stop = threading.Event()
        self._checksums: dict[int, int] = {}
        if self._count > MOST_PARTS:
            raise CatalogUnavailable(f"{client.catalog} asks for {source.file.name} in {self._count} parts.")

    def run(self, memory: Mapping[str, Any]) -> None:
        """Send the missing parts, remembering after each, beside what is in `memory`.

        Raises UploadGone, LinkBreaks or a CatalogError.
        """
        done = self._acknowledged()
        missing = [number for number in range(1, self._count + 1) if number not in done]
        self._breaks_tell = self._trusted and len(missing) >= MANY_PARTS
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            self._attempt.alive()
            self._checksums = {number: self._checksum(number) for number in batch}
            signatures = self._sign(batch)
            if len(batch) == 1:
                self._send(batch[0], signatures[batch[0]], self._attempt.alive)
                done.update(batch)
                if self._count > 1:
                    self._attempt.remember({**memory, "acknowledged": sorted(done)})
            else:
                self._send_together(signatures, done, memory)

    def _send_together(self, signatures: Mapping[int, _Signature], done: set[int], memory: Mapping[str, Any]) -> None:
        """Send a batch in parallel. Only this thread remembers and looks whether the daemon stops."""
        with ThreadPoolExecutor(min(self._threads, len(signatures)), thread_name_prefix="part") as pool:
            numbers: dict[Future[None], int] = {
                pool.submit(self._send, number, signature, self._unless_stopped): number
                for number, signature in signatures.items()
            }
            waiting: set[Future[None]] = set(numbers)
            try:
                while waiting:
                    ended, waiting = wait(waiting, _LOOK_SECONDS, FIRST_COMPLETED)
                    for future in ended:
                        future.result()
                        done.add(numbers[future])
                    if ended:
                        self._attempt.remember({**memory, "acknowledged": sorted(done)})
                    self._attempt.alive()
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _acknowledged(self) -> set[int]:
        """The parts that the storage has. Its word counts, not our memory: an answer may have been lost."""
        done: set[int] = set()
        marker = 0
        while True:
            query = [("part_number_marker", str(marker))] if marker else []
            answer = self._client.call("GET", self._upload.path, query=query, also=tuple(_GONE))
            value = self._known(answer).mapping()
            if value.get("state") in _ENDED:
                raise UploadGone
            parts = value.get("parts") or []
            if not isinstance(parts, list):
                raise nonsense(answer)
            numbers = [part.get("part_number") for part in parts if isinstance(part, dict)]
            done.update(number for number in numbers if isinstance(number, int))
            following = value.get("next_part_number_marker")
            if not isinstance(following, int) or following <= marker:
                return done
            marker = following

    def _checksum(self, number: int) -> int:
        file, size = self._source.file, self._upload.part_size
        if file.part_size == size and len(file.part_crc32c) == self._count:
            return file.part_crc32c[number - 1]
        if self._count == 1:
            return file.crc32c
        self._source.verify()
        return self._source.crc32c(*self._bounds(number), self._attempt.alive)

    def _bounds(self, number: int) -> tuple[int, int]:
        offset = (number - 1) * self._upload.part_size
        return offset, min(self._upload.part_size, self._source.file.size - offset)

    def _sign(self, numbers: Sequence[int]) -> dict[int, _Signature]:
        parts = [{"part_number": number, "crc32c": crc32c_text(self._checksums[number])} for number in numbers]
        answer = self._client.call("POST", f"{self._upload.path}/parts", body={"parts": parts}, also=tuple(_GONE))
        listed = self._known(answer).mapping().get("parts")
        signatures: dict[int, _Signature] = {}
        for part in listed if isinstance(listed, list) else ():
            if not isinstance(part, dict) or part.get("part_number") not in numbers:
                continue
            number = part["part_number"]
            offset, size = self._bounds(number)
            if part.get("offset", offset) != offset or part.get("size", size) != size:
                raise nonsense(answer)
            headers = {str(name): str(value) for name, value in (part.get("headers") or {}).items()}
            signatures[number] = _Signature(str(part.get("url", "")), headers, _moment(part.get("expires_at")))
        if set(signatures) != set(numbers):
            raise nonsense(answer)
        return signatures

    def _send(self, number: int, signature: _Signature, alive: Callable[[], None]) -> None:
        """Send one part until the storage has it; gives up after three tries and leaves the rest to the queue."""
        offset, size = self._bounds(number)
        error: CatalogError = CatalogUnavailable(f"Part {number} of {self._source.file.name} could not be sent.")
        for turn in range(TRIES):
            if turn:
                self._clock.wait(self._stop, 2.0 ** (turn - 1) - 0.5)
                alive()
            if turn or (signature.expires is not None and signature.expires - self._clock.now() < _MARGIN):
                signature = self._sign([number])[number]
            self._source.verify()
            try:
                chunks = self._source.chunks(offset, size, alive, self._checksums[number])
                answer = self._client.store(signature.url, chunks, size, signature.headers)
            except Unanswered as lost:
                if self._breaks_tell:
                    raise LinkBreaks from lost
                error = lost
                continue
            if answer.status == _HTTP_OK and "html" not in answer.headers.get("content-type", ""):
                return
            error = self._rejected(answer, number)
            if answer.wait:
                break
        raise error

    def _rejected(self, answer: Answer, number: int) -> CatalogError:
        """What a storage answer other than 200 means. Raises UploadGone."""
        if answer.status in _GONE:
            raise UploadGone
        if answer.ok:
            return nonsense(answer)
        if answer.status == _HTTP_FORBIDDEN:  # its time was over, or the clocks differ; it is signed again
            return CatalogUnavailable(f"{answer.catalog}'s storage does not accept the addresses that it signed.")
        known = error_of(answer)
        if isinstance(known, CatalogUnavailable):
            return known
        return CatalogRefused(
            f"{answer.catalog}'s storage rejected part {number} of {self._source.file.name} ({answer.status}).",
            "Retry; if it happens again, show this to the catalog's operators.",
        )

    def _unless_stopped(self) -> None:
        if self._stop.is_set():
            raise _Cancelled

    def _known(self, answer: Answer) -> Answer:
        if answer.status in _GONE:
            raise UploadGone
        return answer


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
