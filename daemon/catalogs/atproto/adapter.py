"""The AT Protocol as a catalog: public datasets as `science.alt.dataset.entry` records with their shards, nothing twice.

Steps of a public dataset: the schema of a sample, the shards, the entry, its label. A dataset that is not public has one
step that asks for nothing unless the dataset was published before; then it is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import nonsense
from daemon.catalogs.atproto.check import check
from daemon.catalogs.atproto.contents import contents_of
from daemon.catalogs.atproto.ids import at_uri
from daemon.catalogs.atproto.lexicon import ENTRY, LABEL, SCHEMA, problems
from daemon.catalogs.atproto.reading import (
    ENTRY_STEP,
    LABEL_STEP,
    SCHEMA_STEP,
    SHARDS_STEP,
    WITHDRAWAL_STEP,
    AtProtoReading,
    entry_id,
    key_of,
    unwanted,
)
from daemon.catalogs.atproto.record import SCHEMA_KEY, Publishing, entry_of, schema_record
from daemon.catalogs.atproto.session import code_of
from daemon.catalogs.atproto.shards import build, planned
from daemon.catalogs.atproto.storage import TooLarge, gone, refused_size
from daemon.catalogs.catalog import digest_of
from daemon.errors import CatalogRefused, CatalogUnavailable
from daemon.model import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.catalogs.atproto.record import Entry
    from daemon.catalogs.atproto.session import Session
    from daemon.catalogs.atproto.storage import Storage
    from daemon.catalogs.catalog import Attempt, Finding
    from daemon.model import DatasetRecord

COPIES: Final = "withdrawn here; copies that others made of a public record may remain"
_PLACEHOLDER: Final = at_uri("did:plc:unknown", SCHEMA, SCHEMA_KEY)
_REPO: Final = "com.atproto.repo"


@dataclass(frozen=True, slots=True)
class Options:
    """How datasets are published: see `Publishing`, and the bytes that a dataset may have at the most.

    `public`: the instrument's own configuration makes datasets public; without that nothing is asked before one is.
    """

    name: str
    publishing: Publishing
    max_size: int | None
    page: str | None = None
    public: bool = True


class AtProto(AtProtoReading):
    """The adapter; see `daemon.catalogs.catalog.Catalog`."""

    def __init__(self, options: Options, session: Session, storage: Storage) -> None:
        super().__init__(session)
        self.name = options.name
        self._options = options
        self._storage = storage

    def check(self) -> Sequence[Finding]:
        """Account, limits, and that what goes there is public."""
        return check(self._session, self._storage, self._options.max_size)

    def plan(self, record: DatasetRecord) -> Sequence[Step]:
        """The steps, in order. Raises CatalogRefused for what the lexicon does not allow.

        A child dataset has none: an entry tells where files are, and its parent's has all of them.
        """
        if record.part:
            return []
        if unwanted(record):
            return [Step(StepKind.RECORD, WITHDRAWAL_STEP, f"revision {record.revision}")]
        entry = self._entry(record, _PLACEHOLDER)
        bytes_ = [[item.path, item.size, item.sha256] for item in contents_of(record, entry.document)]
        told = digest_of([entry.record, record.revision])
        steps = [
            Step(StepKind.RECORD, SCHEMA_STEP, digest_of(schema_record())),
            Step(StepKind.FILE, SHARDS_STEP, digest_of(bytes_)),
            Step(StepKind.RECORD, ENTRY_STEP, told),
        ]
        return [
            *steps,
            *([Step(StepKind.RECORD, LABEL_STEP, digest_of([entry.label, record.revision]))] if entry.label else []),
        ]

    def perform(self, step: Step, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Do one step; see the protocol."""
        attempt.alive()
        if step.key == SCHEMA_STEP:
            return self._put(SCHEMA, SCHEMA_KEY, schema_record(), None)
        deeds = {
            SHARDS_STEP: self._shards,
            ENTRY_STEP: self._published,
            LABEL_STEP: self._labelled,
            WITHDRAWAL_STEP: self._withdrawn,
        }
        return deeds[step.key](record, attempt)

    def trace(self, instrument: str) -> str | None:
        """The id of some dataset of this instrument; asks only where datasets are public without a person's word for each."""
        return super().trace(instrument) if self._options.public else None

    def preview(self, record: DatasetRecord) -> dict[str, Any]:
        """What would be published, and what stays out and why; asks nobody. Shards are told as a list of what is in them."""
        entry = self._entry(record, _PLACEHOLDER)
        contents = [
            {"path": item.path, "size": item.size, "sha256": item.sha256}
            for item in contents_of(record, entry.document)
        ]
        why_not = unwanted(record)
        advice = ": set `public: true` to publish it" if why_not == "private" else ""
        return {
            "published": not why_not,
            "because": f"{why_not}{advice}" if why_not else "it is public",
            "entry": entry.record,
            "label": entry.label,
            "files": contents,
            "left_out": entry.left,
        }

    def page(self, unique_id: str) -> str | None:
        """Where people look at a dataset, if a page is configured; `{key}` stands for the entry's record key."""
        return None if self._options.page is None else self._options.page.replace("{key}", key_of(unique_id))

    def close(self) -> None:
        """Give back connections."""
        self._session.close()

    def _entry(self, record: DatasetRecord, schema_uri: str) -> Entry:
        size = sum(file.size for file in record.files)
        if self._options.max_size is not None and size > self._options.max_size:
            raise refused_size(self._options.max_size, size)
        return entry_of(record, self._options.publishing, schema_uri)

    def _whole(self, record: DatasetRecord) -> Entry:
        """The entry as it will be sent: with the address of the schema in our own repository."""
        return self._entry(record, at_uri(self._session.identity().did, SCHEMA, SCHEMA_KEY))

    # Shards

    def _shards(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Every shard, one after the other: the same bytes each time, so that what is there is not sent again."""
        memory = dict(attempt.memory)
        for _ in range(3):
            limit = memory.get("limit") or self._storage.limit()
            try:
                return self._bring(record, attempt, limit, list(memory.get("done", [])) if "limit" in memory else [])
            except TooLarge:
                memory = {}
                if self._storage.limit() >= limit:
                    raise CatalogUnavailable(
                        f"{self.name} refuses shards of the size that it allows ({limit})."
                    ) from None
        raise CatalogUnavailable(f"{self.name} changes the size of its shards again and again.")

    def _bring(
        self, record: DatasetRecord, attempt: Attempt, limit: int, done: list[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        contents = contents_of(record, self._whole(record).document)
        try:
            plan = planned(contents, limit)
        except ValueError as error:
            raise CatalogRefused(
                f"{self.name} cannot take the dataset: {error}.", "Use another server or storage."
            ) from None
        first = sum(shard["samples"] for shard in done)
        for parts in plan[len(done) :]:
            attempt.alive()
            shard = build(parts, first)
            first += shard.samples
            told = (self._storage.has(shard) if attempt.repeated or record.revision > 1 else None) or self._storage.put(
                shard, record.unique_id
            )
            done = [*done, {"told": told, "samples": shard.samples, "bytes": len(shard.data)}]
            if len(plan) > 1:
                attempt.remember({"limit": limit, "done": done})
        return {
            "storage": self._storage.storage([shard["told"] for shard in done]),
            "size": {
                "samples": first,
                "bytes": sum(shard["bytes"] for shard in done),
                "shards": len(done),
            },
        }

    # Records

    def _published(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        entry = self._whole(record)
        shards = attempt.outcomes.get((StepKind.FILE, SHARDS_STEP), {})
        earlier = attempt.outcomes.get((StepKind.RECORD, ENTRY_STEP), {}).get("cid")
        attempt.remember({"begun": True})  # from now on a withdrawal has something to look for
        for _ in range(2):
            body = {**entry.record, "storage": shards.get("storage"), "size": shards.get("size")}
            wrong = problems(body)
            if wrong:
                raise CatalogRefused(
                    f"The entry of {record.unique_id} is not valid: {'; '.join(wrong[:5])}.", "Report this."
                )
            told = self._put(ENTRY, entry.key, body, earlier)
            if told:
                return {**told, "revision": record.revision, **({"left": entry.left} if entry.left else {})}
            # Blobs that no record names yet may be collected by the server.
            shards = self._shards(record, replace(attempt, memory={}, repeated=True, remember=lambda _: None))
        raise CatalogUnavailable(f"{self.name} loses the shards of {record.unique_id} as soon as it has them.")

    def _labelled(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        entry = self._whole(record)
        uri = attempt.outcomes.get((StepKind.RECORD, ENTRY_STEP), {}).get("uri")
        earlier = attempt.outcomes.get((StepKind.RECORD, LABEL_STEP), {}).get("cid")
        return self._put(LABEL, entry.key, {**(entry.label or {}), "datasetUri": uri}, earlier)

    def _put(self, collection: str, key: str, body: Mapping[str, Any], earlier: str | None) -> dict[str, Any]:
        """Write a record over ours only; empty if a blob that it names is not there any more.

        `earlier`: the CID that we wrote last. The same content again is no new commit, so a lost answer is harmless.
        """
        did = self._session.identity().did
        swap: dict[str, Any] = {} if collection == SCHEMA else {"swapRecord": earlier}
        request = {"repo": did, "collection": collection, "rkey": key, "record": body, **swap}
        answer = self._session.call("POST", f"{_REPO}.putRecord", body=request, also=("InvalidSwap", "BlobNotFound"))
        if gone(code_of(answer)):
            return {}
        if not answer.ok:
            request["swapRecord"] = self._ours(collection, key, body)
            answer = self._session.call("POST", f"{_REPO}.putRecord", body=request, also=("BlobNotFound",))
            if gone(code_of(answer)):
                return {}
        told = answer.mapping()
        if told.get("uri") != at_uri(did, collection, key) or not isinstance(told.get("cid"), str):
            raise nonsense(answer)
        return {"uri": told["uri"], "cid": told["cid"]}

    def _ours(self, collection: str, key: str, body: Mapping[str, Any]) -> str | None:
        """The CID of what is there, if it is an earlier content of the same dataset of ours. Raises CatalogRefused."""
        there = self._record(collection, key)
        if there is None:
            return None
        told = there["value"]
        of_ours = (
            entry_id(told) == entry_id(body) if collection == ENTRY else told.get("datasetUri") == body["datasetUri"]
        )
        if not of_ours:
            raise CatalogRefused(
                f"{self.name} holds another record under {there.get('uri')}.",
                "Somebody else wrote it; look at both, then retry or drop this delivery.",
            )
        return str(there.get("cid"))

    def _withdrawn(self, record: DatasetRecord, attempt: Attempt) -> Mapping[str, Any]:
        """Nothing is asked for a dataset that never was public.

        A first try that is repeated looks: a store that was rebuilt may not know what an earlier one published.
        """
        key = key_of(record.unique_id)
        published = (StepKind.RECORD, ENTRY_STEP) in attempt.outcomes
        unsure = attempt.repeated and (StepKind.RECORD, WITHDRAWAL_STEP) not in attempt.outcomes
        if not published and not (unsure and self._own_entry(record.unique_id) is not None):
            return {"skipped": unwanted(record)}
        did = self._session.identity().did
        for collection in (LABEL, ENTRY):
            body = {"repo": did, "collection": collection, "rkey": key}
            self._session.call("POST", f"{_REPO}.deleteRecord", body=body).mapping()
        return {"skipped": unwanted(record), "note": COPIES}
