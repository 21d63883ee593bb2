"""What `verify` and `rebuild` ask a SciCat: what it lists, the bytes that labferry moved, and whose datasets they are. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.catalogs.catalog import Held
from daemon.catalogs.http import segment
from daemon.catalogs.scicat.files import entries
from daemon.catalogs.scicat.listing import BLOCKS, DATASETS
from daemon.catalogs.scicat.lookups import SciCatLookups
from daemon.catalogs.scicat.record import INGEST_KEY, NAMES
from daemon.errors import CatalogRefused
from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.model import DatasetRecord, Step


class SciCatReading(SciCatLookups):
    """The reading half of the adapter; see `daemon.catalogs.catalog.Readable`."""

    def holds(self, unique_id: str) -> Sequence[Held] | None:
        """Every file that is listed. The bytes count as stored only where labferry itself moved them."""
        held: Sequence[Held] | None = self._anew(lambda: self._holds(unique_id))
        return held

    def _holds(self, unique_id: str) -> Sequence[Held] | None:
        pid = self._find(unique_id, sure=True)
        if pid is None:
            return None
        there = self._account.call("GET", f"{DATASETS}/{segment(pid)}").mapping()
        described = there.get("scientificMetadata")
        pairs = described.get(NAMES) if isinstance(described, dict) else None
        names = {pair[0]: pair[1] for pair in pairs or () if isinstance(pair, list) and len(pair) == 2}  # noqa: PLR2004
        folder = str(there.get("sourceFolder", ""))
        store = self._mapping.stored(folder)
        held = []
        separator = "\\" if "\\" in folder else "/"
        listed = self._lists.listed(pid, _number(there.get("numberOfFiles")))
        for path, (size, chk, number) in listed.entries.items():
            held.append(
                Held(
                    unique_id,
                    names.get(path, path.rpartition("/")[2]),
                    number if store is None else f"{store}/{path}",
                    size if isinstance(size, int) else None,
                    chk if isinstance(chk, str) and len(chk) == 64 else None,  # noqa: PLR2004 a sha256
                    stored=store is not None and self._mover is not None,
                    in_place=None if store is not None else f"{folder}{separator}{path}",
                )
            )
        return held

    def read(self, held: Held, alive: Callable[[], None]) -> Iterator[bytes]:
        """The bytes in the facility's storage."""
        if self._mover is None or not held.stored:
            raise CatalogRefused(f"{self.name} only lists {held.name}; its bytes are where the instrument wrote them.")
        return self._mover.read(held.ref, alive)

    def find(self, sha256: str) -> Sequence[Held]:
        """The files with this content, in the datasets that labferry made."""
        found = []
        for block in self._anew(lambda: self._query(BLOCKS, {"dataFileList.chk": sha256}, 50)):
            pid = block.get("datasetId")
            unique_id = self._anew(lambda pid=pid: _dataset_of(self._there(str(pid)) or {}))  # type: ignore[misc]
            for item in block.get("dataFileList", ()) if unique_id else ():
                if isinstance(item, dict) and item.get("chk") == sha256:
                    name, size = str(item.get("path", "")).rpartition("/")[2], item.get("size")
                    size = size if isinstance(size, int) else None
                    found.append(Held(unique_id or "", name, str(block.get("_id")), size, sha256, stored=False))
        return found

    def recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        """What `perform` would give for a step whose effect is there already, else None."""
        outcome: Mapping[str, Any] | None = self._anew(lambda: self._recall(step, record))
        return outcome

    def _recall(self, step: Step, record: DatasetRecord) -> Mapping[str, Any] | None:
        pid = self._find(record.unique_id, sure=True)
        if pid is None:
            return None
        placement = self._mapping.placement(record)
        match step.kind:
            case StepKind.RECORD:
                where = {"base": placement.base, "store": placement.store, "folder": placement.folder}
                return {"pid": pid, "created": False, "revision": record.revision, **where}
            case StepKind.FILE:
                file = self._named(record).get(step.key)
                there = file is not None and self._mover is not None
                there = there and self._mover.there(placement.store, placement.names[step.key], file, lambda: None)  # type: ignore[union-attr,arg-type]
            case StepKind.BLOCK:
                there = self._lists.listed(pid, len(record.files)).compared(entries(record, placement)) == ([], [])
            case StepKind.THUMBNAIL:
                named = [one.caption or one.name for one in record.thumbnails if one.name == step.key]
                there = any(item.get("caption") in named for item in self._attachments(pid))
            case _:
                there = False  # asked again: both say so where it is done already
        return {"how": "already there"} if there else None

    def parents(self, unique_id: str) -> Sequence[tuple[str, str]]:
        """The sessions' datasets that it names in inputDatasets."""
        pid = self._anew(lambda: self._find(unique_id, sure=True))
        if pid is None:
            return []
        there = self._anew(lambda: self._account.call("GET", f"{DATASETS}/{segment(pid)}").mapping())
        found = []
        for other in there.get("inputDatasets") or ():
            parent = self._anew(lambda other=other: self._there(str(other))) or {}  # type: ignore[misc]
            if unique := _dataset_of(parent):
                found.append((unique, str(parent.get("datasetName", ""))))
        return found

    def trace(self, instrument: str) -> str | None:
        """Some dataset of ours from this instrument."""
        where = {f"scientificMetadata.{INGEST_KEY}.instrument": instrument}
        for there in self._anew(lambda: self._query(DATASETS, where, 1)):
            return _dataset_of(there)
        return None


def _dataset_of(there: Mapping[str, Any]) -> str | None:
    described = there.get("scientificMetadata")
    key = described.get(INGEST_KEY) if isinstance(described, dict) else None
    unique_id = key.get("dataset") if isinstance(key, dict) else None
    return unique_id if isinstance(unique_id, str) else None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
