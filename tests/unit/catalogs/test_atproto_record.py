"""Records, shards and names of the AT Protocol index: what can be said of them without a server."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.catalogs.atproto.contents import Held
from daemon.catalogs.atproto.ids import at_uri, blob_cid, is_at_uri, is_record_key, tid
from daemon.catalogs.atproto.lexicon import BLOBS, HTTP, S3, problems
from daemon.catalogs.atproto.private import without_private
from daemon.catalogs.atproto.record import DOCUMENT, READABLE, SCHEMA_KEY, Publishing, entry_of, schema_record
from daemon.catalogs.atproto.shards import FIELDS, build, planned
from daemon.catalogs.atproto.values import WHOLE, clean, json_size, packed, shortened, told, utf8
from daemon.mfid import moment_of, new_mfid
from daemon.model import Attribute, DatasetRecord, SampleRef, Source
from tests.fakes.lexicon import violations

LEXICON = json.loads((Path(__file__).parents[2] / "data/atproto/science.alt.dataset.entry.json").read_text("utf-8"))
URI = at_uri("did:plc:ewvi7nxzyoun6zhxrhs64oiz", "science.alt.dataset.schema", SCHEMA_KEY)
STORAGE = {
    "$type": BLOBS,
    "blobs": [{"blob": {"$type": "blob", "ref": {"$link": "bafkrei"}, "mimeType": "application/x-tar", "size": 10240}}],
}
MFID = new_mfid(1_763_700_000_000_000_000)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
metadata = st.dictionaries(
    st.text(max_size=10),
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_size=5,
)


def record_with(attributes: dict[str, Any], values: dict[str, Any], keywords: tuple[str, ...] = ()) -> DatasetRecord:
    """A record without files."""
    return DatasetRecord(
        MFID,
        1,
        {name: Attribute(value, Source.CONFIGURATION) for name, value in attributes.items()},
        values,
        keywords,
        (SampleRef("NbSe2"),),
    )


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["dataset_name", "measurement", "data_type", "session_name"]), st.text(max_size=400)
    ),
    metadata,
    st.lists(st.text(max_size=200), max_size=50).map(tuple),
    st.text(max_size=300),
    st.text(max_size=6000),
)
def test_any_record_is_accepted(
    attributes: dict[str, Any], values: dict[str, Any], keywords: tuple[str, ...], license_: str, description: str
) -> None:
    """Whatever a dataset holds, the lexicon document and our own limits accept its entry, and a request carries it."""
    publishing = Publishing(license=license_, description=description)
    entry = entry_of(record_with(attributes, values, keywords), publishing, URI)
    body = {**entry.record, "storage": STORAGE, "size": {"samples": 1, "bytes": 10240, "shards": 1}}
    assert violations(LEXICON, body) == []
    assert problems(body) == []
    assert json_size(body) < 1_000_000
    if entry.label is not None:
        assert (
            problems({**entry.label, "datasetUri": at_uri("did:plc:a", "science.alt.dataset.entry", entry.key)}) == []
        )
    assert is_record_key(entry.key)


@given(metadata)
def test_readable_values_are_of_the_data_model(values: dict[str, Any]) -> None:
    """What people and indexes read holds no float, no large integer, no key of the protocol's own and no old blob."""

    def check(value: Any) -> None:
        assert not isinstance(value, float)
        if isinstance(value, int):
            assert abs(value) <= WHOLE
        if isinstance(value, dict):
            assert not any(name.startswith("$") for name in value)
            assert not {"cid", "mimeType"} <= value.keys()
            for item in value.values():
                check(item)
        if isinstance(value, list):
            for item in value:
                check(item)

    check(told(values))
    json.dumps(told(values)).encode("utf-8")


@given(st.dictionaries(st.text(max_size=6), scalars, max_size=15))
def test_metadata_length_is_a_multiple_of_three(values: dict[str, Any]) -> None:
    """Trap: a common reader decodes base64 without its padding; the exact values come back, whatever the map's header is."""
    data = packed(values)
    assert len(data) % 3 == 0
    assert base64.b64encode(data).rstrip(b"=") == base64.b64encode(data)
    back = msgpack.unpackb(data, strict_map_key=False)
    exact = {clean(name): value for name, value in values.items() if isinstance(value, float) and math.isfinite(value)}
    assert {name: value for name, value in back.items() if name in exact} == exact


def test_too_many_keys_are_refused() -> None:
    """A map with more keys than every header can carry is a mistake of ours, and says so."""
    with pytest.raises(ValueError, match="16 keys"):
        packed({str(number): number for number in range(16)})


@given(st.text(max_size=80), st.integers(10, 60))
def test_texts_are_measured_in_bytes(text: str, limit: int) -> None:
    """A cut text has at most so many bytes of UTF-8 and is cut between two characters."""
    short = shortened(text, limit)
    assert utf8(short) <= limit
    assert short.removesuffix("…").strip() in text or short == text


def test_nothing_is_cut_without_a_note() -> None:
    """A long name is cut, a long tag and a long licence are left out, and each is told; the document has them whole."""
    long = "é" * 150
    record = record_with({"dataset_name": long, "measurement": "Raman"}, {}, ("x" * 151, *map(str, range(40))))
    entry = entry_of(record, Publishing(license="L" * 201, description="d" * 5001), URI)
    assert utf8(entry.record["name"]) <= 200
    assert entry.record["name"].endswith("…")
    assert len(entry.record["tags"]) == 30
    assert "license" not in entry.record
    assert entry.label is None
    assert {"name", "description", "license", "label"} <= entry.left.keys()
    assert any(name.startswith("tag xxx") for name in entry.left)
    document = json.loads(entry.document)
    assert (document["name"], document["license"]) == (long, "L" * 201)


def test_large_metadata_travels_in_the_document() -> None:
    """What is too large for an entry is named under `truncated`; the document holds it all."""
    values = {f"branch {number}": {"values": [number + 0.5] * 4000} for number in range(12)}
    entry = entry_of(record_with({}, {**values, "laser": {"power": {"value": 1.5, "unit": "mW"}}}), Publishing(), URI)
    readable = entry.record["contentMetadata"]
    assert json_size(readable) <= READABLE
    assert any(name.startswith("scientific_metadata.branch") for name in readable["truncated"])
    assert readable["scientific_metadata"]["laser"] == {"power": {"value": "1.5", "unit": "mW"}}
    assert json.loads(entry.document)["scientific_metadata"].keys() == {*values, "laser"}
    exact = msgpack.unpackb(base64.b64decode(entry.record["metadata"]["$bytes"]))
    assert exact["scientific_metadata"]["laser"]["power"]["value"] == 1.5


def test_private_things_stay_at_home() -> None:
    """Paths, accounts, computers, addresses and ORCIDs are in no record and no document; what was taken out is named."""
    values = {
        "app": {"save_dir": "C:\\Users\\lovelace\\data", "operator_email": "lovelace@example.org", "hostname": "hip-pc"},
        "user": "lovelace", "git": {"path": "/home/lovelace/code"}, "note": "see 0000-0002-1825-0097", "laser": "532 nm",
        "log": ["/home/lovelace/run.log", "fine"],
    }  # fmt: skip
    attributes = {"dataset_name": "map", "owner_orcid": "0000-0002-1825-0097"}
    entry = entry_of(record_with(attributes, values), Publishing(), URI)
    everything = (
        json.dumps(entry.record) + entry.document.decode() + str(base64.b64decode(entry.record["metadata"]["$bytes"]))
    )
    for secret in ("lovelace", "hip-pc", "0000-0002"):
        assert secret not in everything
    assert "532 nm" in everything
    assert {"scientific_metadata.app.save_dir", "scientific_metadata.log[0]"} <= entry.left.keys()


def test_an_orcid_goes_along_if_wanted() -> None:
    """ORCIDs are published by those who opted in."""
    entry = entry_of(record_with({"owner_orcid": "0000-0002-1825-0097"}, {}), Publishing(orcid=True), URI)
    assert entry.record["contentMetadata"]["owner_orcid"] == "0000-0002-1825-0097"


@pytest.mark.parametrize(
    "text", ["532 nm", "a/b", "I/I0", "m/s", "1:2", "counts / s", "https://doi.org/10.1000/1", "TiO2/Si"]
)
def test_ordinary_texts_are_not_private(text: str) -> None:
    """Units, ratios and web addresses are no places in a file system."""
    assert without_private({"x": text}) == ({"x": text}, [])


def test_the_same_dataset_gives_the_same_entry() -> None:
    """Trap: a record that changed is a new commit; names, keys and times come from stored values only."""
    record = record_with({"dataset_name": "map"}, {"a": 1})
    assert entry_of(record, Publishing(), URI) == entry_of(record, Publishing(), URI)
    assert entry_of(record, Publishing(), URI).record["createdAt"] == "2025-11-21T04:40:00.000Z"


def test_an_empty_name_is_replaced() -> None:
    """A dataset without a name goes by its session's, its measurement's, or its id."""
    assert entry_of(record_with({"session_name": "run 7"}, {}), Publishing(), URI).record["name"] == "run 7"
    assert entry_of(record_with({}, {}), Publishing(), URI).record["name"] == MFID


def test_the_schema_is_readable_in_both_forms() -> None:
    """Trap: one lexicon wants draft and content, a common reader the flattened schema; every property is required."""
    schema = schema_record()
    inner = schema["schema"]
    assert problems(schema) == []
    assert inner["draft"] == "draft-07"
    assert inner["content"]["properties"] == inner["properties"]
    assert inner["required"] == list(FIELDS) == list(inner["properties"])
    assert is_record_key(SCHEMA_KEY)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "é" * 101}, "name has 202 bytes"),
        ({"name": None}, "name is no text"),
        ({"schemaRef": "at://did:plc:a/x.y.z/name@1"}, "schemaRef is no at-URI"),
        ({"createdAt": "yesterday"}, "createdAt is no time"),
        ({"tags": ["x" * 151]}, "tags hold one"),
        ({"tags": ["x"] * 31}, "at most 30"),
        ({"metadata": {"$bytes": base64.b64encode(bytes(100_001)).decode()}}, "metadata have 100001 bytes"),
        ({"contentMetadata": "text"}, "contentMetadata is no object"),
        ({"contentMetadata": {"v": 1.5}}, "contentMetadata.v is a number"),
        ({"contentMetadata": {"v": 2**53}}, "contentMetadata.v is a number"),
        ({"contentMetadata": {"v": {"cid": "x", "mimeType": "y"}}}, "blob of the old kind"),
        ({"size": {"shards": 0}}, "size.shards"),
        ({"storage": {"$type": BLOBS, "blobs": []}}, "needs at least one"),
        ({"storage": {"$type": HTTP, "shards": [{"url": "/home/x.tar"}]}}, "shards[0].url is no absolute address"),
        ({"storage": {"$type": HTTP, "shards": [{"url": "https://a.b/x.tar"}]}}, "shards[0].checksum is missing"),
        ({"storage": {"$type": S3, "shards": [{"key": "k", "checksum": {"algorithm": "sha256", "digest": "0"}}]}}, "bucket is missing"),
    ],
)  # fmt: skip
def test_limits_are_told(change: dict[str, Any], said: str) -> None:
    """Trap: servers check nothing, so each limit of the lexicon is checked here, and the sentence names field and rule."""
    body = {**entry_of(record_with({}, {}), Publishing(), URI).record, "storage": STORAGE}
    assert any(said in problem for problem in problems({**body, **change}))


def test_a_compressed_shard_is_no_shard() -> None:
    """Trap: a PDS gives a gzipped tar another media type, which the lexicon does not take."""
    blob = {"$type": "blob", "ref": {"$link": "b"}, "mimeType": "application/gzip", "size": 1}
    body = {
        **entry_of(record_with({}, {}), Publishing(), URI).record,
        "storage": {"$type": BLOBS, "blobs": [{"blob": blob}]},
    }
    assert any("application/x-tar" in problem for problem in problems(body))


def test_a_cid_is_known_before_the_upload() -> None:
    """The CID of a blob is base32 of version, codec, hash and digest: this is the well-known one of no bytes."""
    assert blob_cid(hashlib.sha256(b"").hexdigest()) == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


def test_tids_sort_by_time_and_stay() -> None:
    """A TID has 13 characters, sorts by time, and is the same for the same dataset."""
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert tid(early, "a") == tid(early, "a") != tid(early, "b")
    assert tid(early, "zzz") < tid(late, "a")
    assert len(tid(early, "a")) == 13
    assert tid(datetime.fromtimestamp(0, UTC), "a")[:7] == "2" * 7


def test_a_thousand_datasets_of_one_second_have_keys_of_their_own() -> None:
    """An id tells no more than its second: what was measured in the same one must not share a record."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert len({tid(moment, new_mfid(1_767_225_600_000_000_000)) for _ in range(1000)}) == 1000


@given(st.integers(0, 2**36 - 1).filter(lambda seconds: seconds < 253_402_300_800))
def test_an_id_tells_its_second(seconds: int) -> None:
    """The moment of an MFID is the second in which it was made."""
    assert moment_of(new_mfid(seconds * 1_000_000_000)).timestamp() == seconds


def test_at_uris() -> None:
    """An at-URI names an account, a collection and a legal record key."""
    assert is_at_uri(URI)
    assert not is_at_uri("at://did:plc:a/science.alt.dataset.schema/x@1.0.0")
    assert not is_at_uri("https://example.org")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 400_000), min_size=1, max_size=6), st.sampled_from([20_480, 100_000, 200_000, 5_242_880])
)
def test_shards_hold_every_byte(sizes: list[int], limit: int) -> None:
    """No shard is larger than the limit; parts in order give every file back; building again gives the same bytes."""
    contents = [Held(f"größe {number}.dat", bytes([number]) * size) for number, size in enumerate(sizes)]
    back = {content.path: b"" for content in contents}
    first = 0
    for parts in planned(contents, limit):
        shard = build(parts, first)
        assert shard == build(parts, first)
        assert len(shard.data) <= limit
        with tarfile.open(fileobj=io.BytesIO(shard.data)) as archive:
            for member in archive.getmembers():
                stream = archive.extractfile(member)
                assert stream is not None
                sample = msgpack.unpackb(stream.read())
                assert tuple(sample) == FIELDS
                assert sample["offset"] == len(back[sample["path"]])
                assert member.name.count(".") == 1
                back[sample["path"]] += sample["data"]
        first += shard.samples
    assert back == {content.path: content.data for content in contents}


def test_a_limit_that_holds_nothing_is_refused() -> None:
    """A server that takes no blob of a useful size is told as such, not tried for ever."""
    with pytest.raises(ValueError, match="too small"):
        planned([Held("x", bytes(100))], 1024)


def test_small_files_stay_whole() -> None:
    """A file that fits into one shard is not split over two."""
    contents = [Held(str(number), bytes(60_000)) for number in range(5)]
    assert all(part.length == 60_000 for parts in planned(contents, 102_400) for part in parts)
    assert DOCUMENT.startswith(".metadata/")
