"""The bytes of uploads on their way to the disk: `PUT /gcs-signed/…` (a part) and `PUT /gcs-resumable/…` (the next bytes).

Both are reached by signed links, without the token. Blocks are written by a thread while the next one is received.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import content, signing
from daemon.localcatalog.uploads import part_count
from daemon.localcatalog.wire import Answer, Refusal, answer, missing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.localcatalog.committing import Committing
    from daemon.localcatalog.content import Arrivals, PartWriter
    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

    Receive = Callable[[], Awaitable[Any]]

_RANGE: Final = re.compile(r"bytes (?:(\d{1,16})-(\d{1,16})|\*)/(\d{1,16})")
_INLINE: Final = 256 * 1024  # below this a thread costs more than the write
_NUMBER: Final = re.compile(r"\d{1,9}")


class Gate:
    """Where the bytes of one catalog's uploads come in."""

    def __init__(self, catalog: LocalCatalog, arrivals: Arrivals, committing: Committing) -> None:
        self._catalog = catalog
        self._arrivals = arrivals
        self._committing = committing

    async def put_part(
        self, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], receive: Receive
    ) -> Answer:
        """PUT of one part: 200 once its bytes are on the disk (a small file's: written); 400 if size or crc32c disagree; 403 for the link."""
        signed = signing.check(self._catalog, path, query)
        _, _, upload, number_text = path.split("/")
        row = self._open(upload)
        number = int(number_text) if _NUMBER.fullmatch(number_text) else 0
        if not 1 <= number <= part_count(row):
            raise missing("Part", number_text)
        offset = (number - 1) * row["part_size"]
        size = min(row["part_size"], row["size"] - offset)
        expected = signed["crc32c"]
        if headers.get("x-goog-hash", f"crc32c={expected}") != f"crc32c={expected}":
            raise Refusal(400, "x-goog-hash is not the one that was signed")
        if headers.get("content-length", str(size)) != str(size):
            raise Refusal(400, f"Part {number} has {size} bytes")
        arrival = self._arrivals.of(upload)
        if number in arrival.busy or arrival.completing.locked():
            raise Refusal(503, "This part is arriving on another connection", {"Retry-After": "1"})
        arrival.busy.add(number)
        try:
            known = self._catalog.database.one("part", upload=upload, number=number)
            if known is not None:  # overwriting an acknowledged part: nothing digested of it counts any more
                with self._catalog.database.transaction():
                    self._catalog.database.run("delete_part", upload=upload, number=number)
                arrival.forget()
            writer = content.PartWriter(content.upload_path(self._catalog, upload), offset, arrival)
            try:
                await _receive_into(writer, receive, size)
                if writer.written != size or writer.checksum() != expected:
                    arrival.forget()
                    raise Refusal(400, f"Part {number} does not have the {size} bytes and the crc32c that were signed")
                await self._acknowledge(writer, upload, number, expected, durable=row["size"] > content.SMALL)
            finally:
                writer.close()
        finally:
            arrival.busy.discard(number)
        return Answer(b"", 200, {"ETag": f'"{number}"', "x-goog-hash": f"crc32c={expected}"})

    async def put_next(
        self, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], receive: Receive
    ) -> Answer:
        """PUT with Content-Range: 308 and the range that is there, 200 when all is there; `bytes */N` only asks."""
        signing.check(self._catalog, path, query)
        upload = path.split("/")[2]
        row = self._open(upload)
        match = _RANGE.fullmatch(headers.get("content-range", ""))
        if match is None or int(match[3]) != row["size"]:
            raise Refusal(400, f"Content-Range should be bytes FIRST-LAST/{row['size']}")
        arrival = self._arrivals.of(upload)
        if arrival.busy or arrival.completing.locked():
            raise Refusal(503, "Bytes are arriving on another connection", {"Retry-After": "1"})
        held = self._held(upload)
        if match[1] is None:
            return self._progress(row, held)
        first, last = int(match[1]), int(match[2])
        if first != held or not first <= last < row["size"]:
            return self._progress(row, held)
        arrival.busy.add(1)
        try:
            writer = content.PartWriter(content.upload_path(self._catalog, upload), first, arrival)
            try:
                await _receive_into(writer, receive, last - first + 1)
                # A part's number is here the position that it reached: the highest one is how far the bytes go.
                # What arrived of a range before its connection broke counts too.
                if writer.written:
                    await self._acknowledge(writer, upload, first + writer.written, writer.checksum())
                if writer.written != last - first + 1:
                    raise Refusal(400, "The connection ended before the range did")
            finally:
                writer.close()
        finally:
            arrival.busy.discard(1)
        return self._progress(row, last + 1)

    async def _acknowledge(
        self, writer: PartWriter, upload: str, number: int, crc32c: str, *, durable: bool = True
    ) -> None:
        """Bytes first, then the row that says they are there. A small file's bytes are brought to the disk once it is complete."""
        if durable and writer.written > _INLINE:
            await asyncio.to_thread(writer.settle)
        else:
            writer.settle(durable=durable)
        database = self._catalog.database
        await self._committing.run(
            lambda: database.run("write_part", upload=upload, number=number, crc32c=crc32c), durable=durable
        )

    def _progress(self, row: Row, held: int) -> Answer:
        if held < row["size"]:
            headers = {"Range": f"bytes=0-{held - 1}"} if held else {}
            return Answer(b"", 308, headers)
        arrival = self._arrivals.of(row["id"])
        known = {"crc32c": content.encoded(arrival.crc32c)} if arrival.position == row["size"] else {}
        return answer({"kind": "storage#object", "size": str(row["size"]), **known})

    def _held(self, upload: str) -> int:
        parts = self._catalog.database.one("count_parts", upload=upload)
        return int(parts["last"] or 0) if parts else 0

    def _open(self, upload: str) -> Row:
        row = self._catalog.database.one("upload", id=upload)
        if row is None or row["state"] != "uploading":
            raise missing("Upload", upload)
        return row


async def _receive_into(writer: PartWriter, receive: Receive, size: int) -> None:
    """Write a body as it comes; stops at the first byte too many. A body that ends early leaves `written` short."""
    waiting: list[bytes] = []
    held, more, writing = 0, True, None
    try:
        while more and writer.written + held <= size:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            more = message.get("more_body", False)
            if data := message.get("body", b""):
                waiting.append(data)
                held += len(data)
            if held >= content.BLOCK:
                if writing is not None:
                    await writing
                block, waiting, held = b"".join(waiting), [], 0
                writing = asyncio.ensure_future(asyncio.to_thread(writer.write, block))
    finally:
        if writing is not None:
            await writing
    if waiting and writer.written + held <= size:
        block = b"".join(waiting)
        if len(block) > _INLINE:
            await asyncio.to_thread(writer.write, block)
        else:
            writer.write(block)
    elif waiting:
        raise Refusal(400, f"More than {size} bytes")
