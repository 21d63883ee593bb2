"""A dataset's file lists (origdatablocks): what is listed, what is not yet, and sums that stay right.

Facts (backend 4.27 and 5.2, origdatablocks.service.ts and the filter pipe): the nested list of v3 ends at 100 blocks
without a word; v4's ends at ten unless a limit is given, takes no filter and no order by `_id`, and a page without an
order overlaps the next one. The server adds a new block to the dataset's size and number of files in a write of its own,
and in generation 4 a change by v4 counts the newest ten blocks only: so both sums are compared and put right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from daemon.catalogs.http import segment
from daemon.catalogs.scicat.account import ServerError, in_flight, object_with, rows
from daemon.catalogs.scicat.files import blocks
from daemon.errors import CatalogRefused, CatalogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from daemon.catalogs.scicat.account import Account

DATASETS: Final = "/api/v4/datasets"
BLOCKS: Final = "/api/v4/origdatablocks"
MANY_FILES: Final = 100_000
"""Files from which on a dataset's lists are fetched in pages: all in one answer would be tens of megabytes."""
PAGE_FILES: Final = 80_000

_SILENT_LIMIT: Final = 100
_MOST_BLOCKS: Final = 100_000
_CLOSED: Final = (403, 404)
_ENTRY: Final = ("path", "size", "time", "chk", "uid", "gid", "perm", "type")
_COMPARED: Final = ("size", "createdAt", "dataFileList.path", "dataFileList.size", "dataFileList.chk")
"""What is asked of a block in pages; its time too, because the server sorts what is left after it chose the fields."""


class Entry(NamedTuple):
    """A listed file: its bytes and sha256 as the list has them, and the id of its block."""

    size: Any
    chk: Any
    block: str


@dataclass
class Listing:
    """What a dataset lists, by path; `count` and `size` are the sums over its blocks, as the dataset should have them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    count: int = 0
    size: int = 0

    def add(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Take in some blocks."""
        for block in found:
            number, size = str(block.get("_id") or block.get("id")), block.get("size")
            files = [item for item in block.get("dataFileList") or () if isinstance(item, dict)]
            self.count += len(files)
            self.size += int(size) if isinstance(size, (int, float)) else 0
            for item in files:
                if isinstance(item.get("path"), str):
                    self.entries[item["path"]] = Entry(item.get("size"), item.get("chk"), number)

    def compared(self, wanted: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """Of the wanted entries those that are not listed, and those that are listed with another content."""
        absent, changed = [], []
        for entry in wanted:
            there = self.entries.get(entry["path"])
            if there is None:
                absent.append(entry)
            elif entry["size"] != there.size or there.chk not in {None, entry["chk"]}:
                changed.append(entry)
        return absent, changed


class FileLists:
    """Reads and completes the lists of one SciCat's datasets. Raises what `Account.call` raises."""

    def __init__(self, catalog: str, account: Account, many: int = MANY_FILES, page: int = PAGE_FILES) -> None:
        self._catalog = catalog
        self._account = account
        self._many = many
        self._page = page

    def listed(self, pid: str, expected: int) -> Listing:
        """Every file that the dataset lists. `expected`: how many there should be."""
        listing = Listing()
        if expected < self._many:
            found = rows(self._account.call("GET", self._nested(pid), slow=True))
            if len(found) < _SILENT_LIMIT:
                listing.add(found)
                return listing
        left = {str(row["_id"]) for row in self._find(pid, ("size",), limit=_MOST_BLOCKS)}
        page = max(1, self._page * len(left) // max(expected, 1))
        for start in range(0, len(left), page):
            order = {"limit": page, "skip": start, "sort": {"createdAt": "asc"}}
            found = [row for row in self._find(pid, _COMPARED, **order) if str(row.get("_id")) in left]
            left -= {str(row["_id"]) for row in found}
            listing.add(found)
        if left:
            raise CatalogUnavailable(f"{self._catalog} did not show {len(left)} file lists of {pid} that it has.")
        return listing

    def bring(
        self, pid: str, wanted: Sequence[Mapping[str, Any]], alive: Callable[[], None], *, fresh: bool
    ) -> dict[str, Any]:
        """List the files that are not listed yet, and bring up to date what is; `fresh`: nothing can be listed yet."""
        listing = Listing() if fresh else self.listed(pid, len(wanted))
        absent, changed = listing.compared(wanted)
        for block in blocks(absent):
            alive()
            self._post(pid, block)
        for number in dict.fromkeys(listing.entries[entry["path"]].block for entry in changed):
            alive()
            self._replace(number, {entry["path"]: entry for entry in changed})
        if fresh:
            return {"files": len(wanted), "listed": len(absent), "replaced": 0}
        if changed:
            listing = self.listed(pid, len(wanted))
            if listing.compared(changed) != ([], []):
                raise CatalogUnavailable(f"{self._catalog} did not change what it lists of {len(changed)} files.")
        else:
            listing.add(blocks(absent))
        left = self._summed(pid, listing)
        return {"files": len(wanted), "listed": len(absent), "replaced": len(changed), **left}

    def _post(self, pid: str, block: Mapping[str, Any]) -> None:
        try:
            object_with(self._account.call("POST", self._nested(pid), body=block, slow=True), "_id")
        except ServerError:
            files = block["dataFileList"]
            if self.listed(pid, len(files)).compared(files) != ([], []):
                raise
        except CatalogUnavailable as error:
            raise in_flight(error) from None

    def _replace(self, number: str, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Files of a block have another content: their entries change where they stand."""
        path = f"{BLOCKS}/{segment(number)}"
        block = self._account.call("GET", path, slow=True).mapping()
        files = [
            changed.get(str(item.get("path")), {key: item[key] for key in _ENTRY if item.get(key) is not None})
            for item in block.get("dataFileList", ())
        ]
        body = {"size": sum(file["size"] for file in files), "dataFileList": files}
        answer = self._account.call("PATCH", path, body=body, slow=True, also=_CLOSED)
        if not answer.ok:
            raise CatalogRefused(
                f"{self._catalog} lists an earlier content of this dataset's files, and our account may not change that.",
                f"Ask SciCat's operators to let it, or to correct the origdatablock {number}; then retry.",
            )

    def _summed(self, pid: str, listing: Listing) -> dict[str, Any]:
        """Put the dataset's own sums right if they do not agree with its lists; what could not be is told."""
        path = f"{DATASETS}/{segment(pid)}"
        there = self._account.call("GET", path, also=_CLOSED)
        told = there.mapping() if there.ok else {}
        right = {"size": listing.size, "numberOfFiles": listing.count}
        wrong = {name: value for name, value in right.items() if name in told and told[name] != value}
        if not wrong:
            return {}
        answer = self._account.call("PATCH", path, body=right, merge=True, also=_CLOSED)
        words = "the lists are complete, but our account may not correct this sum"
        return {"summed": wrong} if answer.ok else {"left": dict.fromkeys(wrong, words)}

    def _find(self, pid: str, fields: Sequence[str], **limits: Any) -> list[dict[str, Any]]:
        query = {"where": {"datasetId": pid}, "fields": list(fields), "limits": limits}
        return rows(self._account.call("GET", BLOCKS, query=[("filter", json.dumps(query))], slow=True))

    @staticmethod
    def _nested(pid: str) -> str:
        return f"/api/v3/datasets/{segment(pid)}/origdatablocks"
