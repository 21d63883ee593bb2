"""Every trap that was found in SciCat's wire and in the tools for it, by its name, against the fake of both generations."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from daemon.catalogs.answers import Answer, said
from daemon.catalogs.catalog import Readable
from daemon.catalogs.credentials import Key
from daemon.catalogs.scicat.account import _claims
from daemon.catalogs.scicat.adapter import SciCat
from daemon.catalogs.scicat.files import BLOCK_FILES, blocks
from daemon.catalogs.scicat.listing import FileLists
from daemon.catalogs.scicat.lookups import SciCatOptions
from daemon.errors import CatalogRefused, CatalogUnavailable, CredentialsRefused
from daemon.mfid import new_mfid
from daemon.model import RecordFile, StepKind
from tests.fakes.deliveries import Notebook, dataset_record, record_file, thumbnail
from tests.fakes.httpserver import Reply, Seen
from tests.fakes.scicat import PASSWORD, PREFIX, FakeUser
from tests.fakes.scicat_bench import Bench, bench, settings
from tests.fakes.scicat_contract import recorded
from tests.fakes.voyage import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from daemon.model import DatasetRecord


@pytest.fixture(params=["4", "5"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Both generations."""
    with bench(tmp_path, request.param) as found:
        yield found


def first_body(one: Bench) -> dict[str, Any]:
    """The body of the first dataset that was created."""
    body: dict[str, Any] = one.fake.asked("POST", "/api/v4/datasets$")[0].json()
    return body


def refuse_once(one: Bench, method: str, pattern: str, reply: Reply, *, after: bool = False) -> None:
    """Answer one request so; `after`: it was done all the same."""
    left = [reply]

    def refuse(seen: Seen) -> Reply | None:
        if left and seen.method == method and re.search(pattern, seen.path):
            if after:
                one.fake._route(seen)
            return left.pop()
        return None

    one.fake.refuse = refuse


# 1.1 Authentication


def test_the_legacy_login_that_answers_201_with_nothing_is_not_used(one: Bench) -> None:
    """Trap: `/users/login` answers 201 with an empty body; v4 has no log-in at all."""
    one.deliver(one.adapter(), one.record())
    assert [seen.path for seen in one.fake.seen if "log" in seen.path] == ["/api/v3/auth/login"]


def test_an_empty_answer_to_a_login_is_no_token(one: Bench) -> None:
    """Trap: a 201 with nothing in it is not taken for a log-in."""
    refuse_once(one, "POST", "/auth/login", Reply(201))
    with pytest.raises(CatalogUnavailable, match="no answer of this catalog"):
        one.deliver(one.adapter(), one.record())


def test_the_token_goes_as_a_bearer_and_never_as_a_parameter(one: Bench) -> None:
    """Trap: `?access_token=` and a raw token make their sender anonymous."""
    one.deliver(one.adapter(), one.record())
    public = {"/api/v3/auth/login", "/api/v3/health"}
    for seen in one.fake.seen:
        assert seen.headers.get("authorization", "").startswith("Bearer ") == (seen.path not in public)
        assert "access_token" not in dict(seen.query)


def test_a_login_is_renewed_before_its_token_ends(one: Bench) -> None:
    """Trap: there is no refresh, and an old token is anonymous without a word; so another log-in comes in time."""
    catalog = one.adapter()
    one.deliver(catalog, one.record())
    one.clock.advance(3600 - 60)
    one.deliver(catalog, one.record())
    assert one.fake.logins == 2


def test_many_datasets_share_one_login(one: Bench) -> None:
    """A token is used as long as it lives."""
    catalog = one.adapter()
    for _ in range(5):
        one.deliver(catalog, one.record())
    assert one.fake.logins == 1


@pytest.mark.parametrize("how", ["expire", "garble"])
def test_a_token_that_ends_in_the_middle_is_no_refusal(one: Bench, how: str) -> None:
    """Trap: an expired or garbled token is a 403 or an empty list and not a 401 (before 5.2); it is found out and renewed."""
    catalog, notebook = one.adapter(), Notebook()
    record = one.record()
    for step in catalog.plan(record):
        notebook.perform(catalog, step, record)
        getattr(one.fake, how)()
    (there,) = one.fake.named("scan 1")
    assert (there.record["numberOfFiles"], len(there.attachments)) == (3, 1)


def test_a_lookup_by_nobody_is_not_believed(one: Bench) -> None:
    """Trap: an anonymous look-up says "not there"; after the log-in that follows it is made again before anything is created."""
    catalog, record = one.adapter(), one.record()
    one.deliver(catalog, record)
    one.fake.garble()
    one.deliver(catalog, record)
    assert len(one.fake.datasets) == 1


def test_a_question_of_nobody_s_is_asked_again(one: Bench) -> None:
    """Trap: verify and rebuild would hear "no such dataset" for whatever is not public, if the token is none any more."""
    catalog, record = one.adapter(), one.record()
    one.deliver(catalog, record)
    parent = one.record(files=0, thumbnails=())
    one.deliver(catalog, parent)
    questions: list[Callable[[], Any]] = [
        lambda: catalog.holds(record.unique_id),
        lambda: catalog.find(record.files[0].sha256),
        lambda: catalog.trace("tem1"),
        lambda: catalog.recall(catalog.plan(record)[0], record),
        lambda: one.deliver(catalog, replace(record, parent_id=parent.unique_id)).outcomes[
            StepKind.LINK, parent.unique_id
        ],
    ]
    for ask in questions:
        one.fake.garble()
        assert ask() is not None
    assert one.fake.logins == 1 + len(questions)
    assert catalog.holds("nobody") is None


def test_a_given_token_that_ended_unseen_answers_nothing(one: Bench) -> None:
    """Trap: where no other token can be had, "no such dataset" of a token that nobody knows is no answer."""
    login = SciCat(SciCatOptions(settings(one.url), "tem1", password=Key(PASSWORD, "a test")), one.clock)
    token = login._account.identity().token
    login.close()
    catalog = SciCat(SciCatOptions(settings(one.url), "tem1", token=Key(token, "a test")), one.clock)
    assert catalog.holds("nobody") is None
    one.fake.garble()
    with pytest.raises(CredentialsRefused, match="does not know our token any more"):
        catalog.holds("nobody")
    catalog.close()


def test_a_true_403_is_a_refusal_and_costs_no_login(one: Bench) -> None:
    """Trap: only `users/my/self` tells a bad token from a missing right."""
    catalog = one.adapter(dataset={"ownerGroup": "others"})
    with pytest.raises(CatalogRefused, match="Unauthorized access"):
        one.deliver(catalog, one.record())
    assert one.fake.logins == 1
    assert one.fake.asked("GET", "/users/my/self")


def test_a_given_token_that_is_nobodys_is_told_at_once(one: Bench) -> None:
    """Trap: whoami answers 200 with nothing to a malformed token."""
    options = SciCatOptions(settings(one.url), "tem1", token=Key("garbled", "a test"))
    catalog = SciCat(options, one.clock)
    with pytest.raises(CredentialsRefused, match="for nobody's"):
        one.deliver(catalog, one.record())
    catalog.close()


def test_a_given_token_says_itself_when_it_ends(one: Bench) -> None:
    """A token that is over is not sent at all."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_000_000_000}).encode()).decode().rstrip("=")
    options = SciCatOptions(settings(one.url), "tem1", token=Key(f"x.{claims}.y", "a test"))
    catalog = SciCat(options, one.clock)
    with pytest.raises(CredentialsRefused, match="ended at 2001-09-09"):
        one.deliver(catalog, one.record())
    assert one.fake.seen == []
    assert _claims("no token") == {}
    catalog.close()


def test_a_wrong_password_stops_the_catalog_and_not_the_dataset(one: Bench) -> None:
    """A 401 at the log-in is about the account; the password is in no error."""
    with pytest.raises(CredentialsRefused, match="account ingestor") as error:
        one.deliver(one.adapter(password="pa55word"), one.record())
    assert "pa55word" not in str(error.value)


# 1.2 What an account may do


def test_blocks_and_pictures_go_by_the_v3_nested_routes(one: Bench) -> None:
    """Trap: v4's are closed to many accounts (attachments to all but admins before 5.2)."""
    one.deliver(one.adapter(), one.record())
    posts = [seen.path for seen in one.fake.seen if seen.method == "POST"]
    assert sum("/api/v3/datasets/" in path for path in posts) == 2
    assert not any("/api/v4/origdatablocks" in path or "/api/v4/attachments" in path for path in posts)


def test_our_own_group_is_in_the_access_groups(one: Bench) -> None:
    """Trap: what the account may not read it can neither find again nor add files to."""
    one.deliver(one.adapter(dataset={"accessGroups": ["lab"]}), one.record())
    assert first_body(one)["accessGroups"] == ["lab", "ingestor"]


def test_an_account_in_many_groups_opens_data_to_none_of_the_others(one: Bench) -> None:
    """A person's token is in all of the person's proposals; only the account's own group is added."""
    one.fake.users["ingestor"] = FakeUser("ingestor", ("p1", "p2", "ingestor"))
    one.deliver(one.adapter(), one.record())
    assert first_body(one)["accessGroups"] == ["ingestor"]


@pytest.mark.parametrize("rights", ["pid", "privileged", "admin"])
def test_an_account_that_may_choose_pids_does(tmp_path: Path, rights: str) -> None:
    """The same dataset always has the same pid, and a second POST is a 409 that means: it is there."""
    with bench(tmp_path, "5", rights) as one:
        catalog, record = one.adapter(pid_prefix="20.500.1"), one.record()
        one.deliver(catalog, record)
        one.deliver(catalog, record)
        (pid,) = one.fake.datasets
        assert re.fullmatch(r"20\.500\.1/[0-9a-f-]{36}", pid)
        assert one.fake.datasets[pid].record["numberOfFiles"] == 3


def test_an_account_that_may_not_choose_pids_finds_by_the_ingest_key(one: Bench) -> None:
    """Trap: a pid that is not permitted is a 403; the key in the record does as well."""
    catalog, record = one.adapter(pid_prefix="20.500.1"), one.record()
    one.deliver(catalog, record)
    one.deliver(catalog, record)
    (pid,) = one.fake.datasets
    assert pid.startswith(f"{PREFIX}/")
    assert "pid" not in first_body(one)


def test_a_dataset_from_before_pids_were_chosen_stays_the_one(tmp_path: Path) -> None:
    """Trap: a pid protects only against itself; what SciCat named once is found by its key and not made again."""
    with bench(tmp_path, "5", "pid") as one:
        record = one.record()
        one.deliver(one.adapter(), record)
        one.deliver(one.adapter(pid_prefix="20.500.1"), record)
        (pid,) = one.fake.datasets
        assert pid.startswith(f"{PREFIX}/")


def test_a_facility_s_pattern_for_pids_is_asked_with_one_that_looks_like_ours(tmp_path: Path) -> None:
    """Trap: DATASET_CREATION_VALIDATION_REGEX answers 400 to a pid that does not follow it, also to a mere question."""
    with bench(tmp_path, "5", "pid") as one:

        def pattern(seen: Seen) -> Reply | None:
            pid = (seen.json() or {}).get("pid") if seen.method == "POST" and "/v4/datasets" in seen.path else None
            told = {"message": "PID is not following required standards", "error": "Bad Request", "statusCode": 400}
            return None if pid is None or re.fullmatch(r"20\.500\.1/[0-9a-f-]{36}", pid) else Reply(400, told)

        one.fake.refuse = pattern
        one.deliver(one.adapter(pid_prefix="20.500.1"), one.record())
        assert [pid[:9] for pid in one.fake.datasets] == ["20.500.1/"]
        catalog = one.adapter(pid_prefix="99")
        assert any("PID is not following required standards" in finding.text for finding in catalog.check())
        one.deliver(catalog, one.record())
        assert len(one.fake.datasets) == 2


def test_a_privileged_account_delivers_for_another_group(tmp_path: Path) -> None:
    """Trap: it may create, list files and attach pictures, but not change; a later revision leaves the fields."""
    with bench(tmp_path, "4", "privileged") as one:
        catalog = one.adapter(dataset={"ownerGroup": "p1234"})
        record = one.record()
        notebook = one.deliver(catalog, record)
        (there,) = one.fake.named("scan 1")
        assert (there.record["ownerGroup"], there.record["accessGroups"]) == ("p1234", ["ingestor"])
        late = replace(record, keywords=("late",), revision=2)
        one.deliver(catalog, late, notebook)
        assert notebook.outcomes[StepKind.RECORD, "dataset"]["left"] == {
            "keywords": "our account may not change this dataset"
        }
        assert (there.record["numberOfFiles"], there.record["keywords"]) == (3, ["TEM", "grid-3"])


# 1.3 Datasets


def test_a_dataset_without_an_owner_is_refused_before_the_first_request(one: Bench) -> None:
    """Trap: SciCat answers 500 "Something went wrong" to a missing owner."""
    catalog = one.adapter(dataset={"owner": "{metadata.nobody}"})
    with pytest.raises(CatalogRefused, match=r"owner: '\{metadata.nobody\}' needs metadata.nobody"):
        one.deliver(catalog, one.record())
    assert one.fake.seen == []


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("contactEmail", "{metadata.operator}", "contactEmail: should be an e-mail address"),
        ("ownerEmail", "{metadata.operator}", "ownerEmail: should be an e-mail address"),
        ("sourceFolderHost", "{metadata.operator}", "sourceFolderHost: should be a full host name"),
        ("datasetName", "{metadata.nothing}", "datasetName: .* needs metadata.nothing"),
    ],
)
def test_every_rule_is_looked_at_before_the_first_request(one: Bench, field: str, value: str, rule: str) -> None:
    """Trap: the server's 400 comes late and its 500 says nothing; ours names the field and the rule."""
    with pytest.raises(CatalogRefused, match=rule):
        one.deliver(one.adapter(dataset={field: value}), one.record())
    assert one.fake.seen == []


def test_times_have_a_t_and_an_offset(one: Bench) -> None:
    """Trap: a space is a 400, and a naive time is taken in the server's zone."""
    one.deliver(one.adapter(), one.record(attributes={"timestamp": "2026-11-20 10:00:00"}))
    body = first_body(one)
    times = [body["creationTime"], body["startTime"]]
    times += [item["time"] for item in one.fake.asked("POST", "origdatablocks")[0].json()["dataFileList"]]
    for text in times:
        assert "T" in text
        assert datetime.fromisoformat(text).utcoffset() is not None


def test_nothing_is_sent_that_a_generation_does_not_know(one: Bench) -> None:
    """Trap: an unknown property is a 400, v3's and v4's names differ, and relationships changed their shape at 4.28."""
    names = {"accessGroups": ["a"], "description": "d", "comment": "c", "license": "CC0", "runNumber": "7"}
    technique = {"*": {"pid": "http://purl.org/pan-science/PaNET/PaNET01168", "name": "TEM"}}
    dataset = {**names, "techniques": technique, "classification": "IN=low", "creationLocation": "/S/F/I"}
    one.deliver(one.adapter(dataset=dataset), one.record())
    body = first_body(one)
    assert one.fake.violations == []
    assert not {"size", "numberOfFiles", "relationships", "principalInvestigator", "proposalId", "createdBy"} & set(
        body
    )
    assert body["techniques"] == [{"pid": technique["*"]["pid"], "name": "TEM"}]


def test_metadata_arrives_without_nulls_and_with_its_units(one: Bench) -> None:
    """Trap: a top-level null crashes 4.28 to 5.1.1 and is a 500 that created the dataset later; µm has no meaning there."""
    metadata = {"a": None, "pixel": {"value": 0.5, "unit": "µm"}, "who": {"user": "ann", "version": 3}, "x.y": 1}
    one.deliver(one.adapter(), one.record(scientific_metadata=metadata))
    (there,) = one.fake.named("scan 1")
    kept = there.record["scientificMetadata"]
    assert kept["pixel"]["unit"] == "um"
    assert "valueSI" in kept["pixel"]
    assert "valueSI" not in kept["who"]
    assert "a" not in kept
    assert kept["x_y"] == 1


def test_lookups_are_v4_filters_with_a_limit(one: Bench) -> None:
    """Trap: v3's filters take "scan 1" for a date, v4's default page is 10, and a slash in a pid must be encoded."""
    catalog = one.adapter()
    for _ in range(12):
        one.deliver(catalog, one.record())
    last = one.record()
    one.deliver(catalog, last)
    one.deliver(catalog, last)
    assert len(one.fake.datasets) == 13
    assert all("%2F" in seen.path for seen in one.fake.seen if "/datasets/PID" in seen.path)
    assert not one.fake.asked("GET", "/api/v3/datasets$")


def test_instruments_are_asked_for_in_a_list(one: Bench) -> None:
    """Trap: a bare "TEM 1" is a date for v3; an instrument is found by uniqueName or name and never created."""
    for text in ("tem1", "TEM 1"):
        one.deliver(one.adapter(dataset={"instrument": text}), one.record())
    bodies = [seen.json() for seen in one.fake.asked("POST", "/api/v4/datasets$")]
    assert [body["instrumentIds"] for body in bodies] == [[f"{PREFIX}46da"]] * 2
    for seen in one.fake.asked("GET", "/instruments"):
        (condition,) = json.loads(seen.asked("filter"))["where"].values()
        assert list(condition) == ["inq"]


def test_an_instrument_that_is_not_there_is_left_out(one: Bench) -> None:
    """Trap: a missing instrument is 200 with nothing, and a dangling id would be kept for ever."""
    notebook = one.deliver(one.adapter(dataset={"instrument": "nobody's"}), one.record())
    assert "instrumentIds" not in first_body(one)
    assert "nobody's" in notebook.outcomes[StepKind.RECORD, "dataset"]["left"]["instrument"]


def test_a_later_revision_merges_both_halves_of_a_quantity(one: Bench) -> None:
    """Trap: a plain PATCH replaces all metadata, and a merge with half a quantity is a 400; a person's words stay."""
    catalog, record = one.adapter(), one.record()
    notebook = one.deliver(catalog, record)
    (there,) = one.fake.named("scan 1")
    there.record["scientificMetadata"]["note"] = "a person's"
    there.record["keywords"].append("a person's")
    later = {"voltage": {"value": 300, "unit": "kV"}, "operator": "ann"}
    changed = replace(record, scientific_metadata=later, keywords=("grid-3", "late"), revision=2)
    one.deliver(catalog, changed, notebook)
    assert there.record["keywords"] == ["TEM", "grid-3", "a person's", "late"]
    assert there.record["accessGroups"] == ["ingestor"]
    kept = there.record["scientificMetadata"]
    assert (kept["voltage"]["value"], kept["voltage"]["unit"], kept["note"]) == (300, "kV", "a person's")
    assert one.fake.asked("PATCH", "datasets")[0].headers["content-type"] == "application/merge-patch+json"


def test_a_key_that_the_database_spells_otherwise_loses_nothing_beside_a_change(one: Bench) -> None:
    """Trap: keys are stored percent-encoded and merged as they are sent: `Stage position` there is `Stage%20position`."""
    stage = {"x": {"value": 1, "unit": "µm"}, "y (rough)": 2, "note": "as found"}
    catalog, record = one.adapter(), one.record(scientific_metadata={"Stage position": stage, "Yield (%)": 3})
    notebook = one.deliver(catalog, record)
    moved = {"Stage position": {**stage, "x": {"value": 5, "unit": "µm"}}, "Yield (%)": 4}
    (there,) = one.fake.named("scan 1")
    there.record["scientificMetadata"]["Stage%20position"]["seen%20by"] = "a person"
    one.deliver(catalog, replace(record, scientific_metadata=moved, revision=2), notebook)
    kept = there.record["scientificMetadata"]
    position = kept["Stage%20position"]
    assert (position["x"]["value"], position["x"]["valueSI"]) == (5, 5)
    assert (position["y%20(rough)"], position["note"], position["seen%20by"]) == (2, "as found", "a person")
    assert kept["Yield%20(percent)"] == 4


# 1.4 Origdatablocks


def test_a_block_whose_answer_was_lost_is_not_sent_twice(one: Bench) -> None:
    """Trap: the same block twice is 201 twice and doubles the dataset's size (the SDK raises after it is created, too)."""
    catalog, record = one.adapter(), one.record()
    refuse_once(one, "POST", "origdatablocks$", Reply(502, b"<html>", {"Content-Type": "text/html"}), after=True)
    one.deliver(catalog, record, tries=2)
    (there,) = one.fake.named("scan 1")
    assert (there.record["numberOfFiles"], len(there.blocks)) == (3, 1)


def test_files_that_come_late_are_listed_beside_the_others(one: Bench) -> None:
    """Only what is absent is sent; the sizes stay right."""
    catalog, record = one.adapter(), one.record(files=2)
    notebook = one.deliver(catalog, record)
    extra = one.folder / "run 1" / "late.log"
    extra.write_bytes(b"late\n")
    one.deliver(
        catalog, replace(record, files=(*record.files, record_file(extra, primary=False)), revision=2), notebook
    )
    (there,) = one.fake.named("scan 1")
    assert [len(block["dataFileList"]) for block in there.blocks] == [2, 1]
    assert there.record["size"] == sum(file.size for file in record.files) + 5


def test_a_file_that_has_grown_is_listed_once(one: Bench) -> None:
    """Its entry changes where it stands; a second one would count twice."""
    catalog, record = one.adapter(), one.record(files=1)
    notebook = one.deliver(catalog, record)
    path = one.folder / "run 1" / "scan_0.dat"
    path.write_bytes(path.read_bytes() + b"more\n")
    grown = replace(record, files=(record_file(path),), revision=2)
    one.deliver(catalog, grown, notebook)
    (there,) = one.fake.named("scan 1")
    assert (there.record["numberOfFiles"], there.record["size"]) == (1, path.stat().st_size)


def many(count: int, path: str = "/data/tem/run/frame_{}.tif") -> tuple[RecordFile, ...]:
    """Files of a record, without files."""
    return tuple(
        RecordFile(f"frame_{n}.tif", path.format(n), n, f"{n:064x}", 0, 1, (), n == 0, record_fingerprint(n))
        for n in range(count)
    )


def record_fingerprint(size: int) -> Any:
    """A fingerprint that tells size and time only."""
    from daemon.model import Fingerprint  # noqa: PLC0415 beside its only use

    return Fingerprint(size, 1_763_632_800_000_000_000 + size, 0, 0, 0)


def test_many_files_go_in_blocks_of_twenty_thousand(tmp_path: Path) -> None:
    """Trap: 16 MiB is the largest request and document; beyond it the answer is a 500 of one bare text."""
    record = dataset_record(new_mfid(1), {"dataset_name": "many", "data_type": "raw"}, files=many(21_000))
    with bench(tmp_path, "5") as one:
        catalog = one.adapter()
        one.deliver(catalog, record)
        one.deliver(catalog, record)
        (there,) = one.fake.named("many")
    assert [len(block["dataFileList"]) for block in there.blocks] == [20_000, 1_000]
    assert (there.record["numberOfFiles"], there.record["size"]) == (21_000, sum(range(21_000)))


def test_long_paths_make_smaller_blocks() -> None:
    """Trap: not the number of files counts for the server but the bytes."""
    entries = [
        {"path": f"{'x' * 2000}/{n}", "size": 1, "time": "2026-11-20T10:00:00+00:00", "chk": "0" * 64}
        for n in range(20_000)
    ]
    made = list(blocks(entries))
    assert len(made) > len(entries) // BLOCK_FILES
    assert all(len(json.dumps(block)) < 15_000_000 for block in made)
    assert [entry for block in made for entry in block["dataFileList"]] == entries


def late_files(one: Bench, count: int) -> tuple[SciCat, DatasetRecord, Notebook]:
    """A dataset whose files came in so many revisions, each of them a block of its own."""
    catalog, record = one.adapter(), one.record()
    notebook = one.deliver(catalog, record)
    for number in range(count):
        late = one.folder / "run 1" / f"late_{number}"
        late.write_bytes(b"x")
        files = (*record.files, record_file(late, primary=False))
        record = replace(record, files=files, revision=record.revision + 1)
        one.deliver(catalog, record, notebook)
    return catalog, record, notebook


def summed(one: Bench) -> tuple[int, int]:
    """The number of files and the bytes that the dataset says."""
    (there,) = one.fake.named("scan 1")
    return there.record["numberOfFiles"], there.record["size"]


def test_more_blocks_than_a_nested_list_shows_are_all_seen(tmp_path: Path) -> None:
    """Trap: the nested list ends at 100 items without a word, v4's pages have no order, and none by `_id`."""
    with bench(tmp_path, "4") as one:
        catalog, record, _ = late_files(one, 100)
        (there,) = one.fake.named("scan 1")
        assert len(there.blocks) == 101
        there.blocks.reverse()
        one.deliver(catalog, replace(record, revision=200))
        assert len(there.blocks) == 101
        assert summed(one) == (103, sum(file.size for file in record.files))


def test_very_many_files_are_asked_for_in_pages(one: Bench) -> None:
    """Trap: hundreds of thousands of entries in one answer are more than anybody should hold."""
    catalog, record, _ = late_files(one, 5)
    (there,) = one.fake.named("scan 1")
    one.fake.seen.clear()
    lists = FileLists("scicat", catalog._account, many=1, page=2)
    listing = lists.listed(there.record["pid"], len(record.files))
    assert (listing.count, listing.size) == (8, sum(file.size for file in record.files))
    assert set(listing.entries) == {file.name for file in record.files}
    asked = [json.loads(seen.asked("filter"))["limits"] for seen in one.fake.asked("GET", "v4/origdatablocks$")]
    assert [(limits["limit"], limits.get("skip")) for limits in asked[1:]] == [(1, number) for number in range(6)]
    one.fake.refuse = lambda seen: there.blocks.reverse() if "skip" in seen.asked("filter") else None
    for block in there.blocks:
        block["createdAt"] = ""
    with pytest.raises(CatalogUnavailable, match="did not show"):
        lists.listed(there.record["pid"], len(record.files))


def test_a_change_by_v4_leaves_the_sums_right(one: Bench) -> None:
    """Trap: generation 4 counts the newest ten blocks only when one of them is changed by v4."""
    catalog, record, notebook = late_files(one, 12)
    path = one.folder / "run 1" / "scan_0.dat"
    path.write_bytes(path.read_bytes() + b"more")
    grown = (record_file(path), *record.files[1:])
    one.deliver(catalog, replace(record, files=grown, revision=99), notebook)
    assert summed(one) == (15, sum(file.size for file in grown))


def test_a_sum_that_the_server_did_not_get_to_is_put_right(one: Bench) -> None:
    """Trap: a block and its dataset's sums are two writes; a server that dies between them never adds it up again."""
    catalog, record = one.adapter(), one.record()

    def dies(seen: Seen) -> Reply | None:
        if seen.method == "POST" and seen.path.endswith("origdatablocks"):
            one.fake._route(seen)
            (there,) = one.fake.named("scan 1")
            there.record |= {"size": 0, "numberOfFiles": 0}
            one.fake.refuse = lambda _: None
            return Reply(502, b"<html>", {"Content-Type": "text/html"})
        return None

    one.fake.refuse = dies
    one.deliver(catalog, record, tries=2)
    assert summed(one) == (3, sum(file.size for file in record.files))


def test_what_a_file_list_says_is_all_text_but_the_size(one: Bench) -> None:
    """Trap: uid, gid and perm as numbers are a 400, unknown keys too, and pyscicat's chkAlg cannot be sha256."""
    one.deliver(one.adapter(), one.record())
    block = one.fake.asked("POST", "origdatablocks")[0].json()
    assert set(block) == {"size", "chkAlg", "dataFileList"}
    assert block["chkAlg"] == "sha256"
    for item in block["dataFileList"]:
        assert {key: type(value) for key, value in item.items()} == {"path": str, "size": int, "time": str, "chk": str}
        assert not item["path"].startswith("/")


# 1.5 Attachments


def test_a_picture_is_attached_once_and_says_what_it_is(one: Bench) -> None:
    """Trap: a caption is needed though empty ones are taken, the same twice stands twice, PNG is not image/jpeg."""
    catalog, record = (
        one.adapter(),
        one.record(thumbnails=(thumbnail("view.png", picture(3)), thumbnail("b.png", picture(4)))),
    )
    refuse_once(one, "POST", "attachments$", Reply(500, {"message": "x", "statusCode": 500}), after=True)
    one.deliver(catalog, record, tries=2)
    one.deliver(catalog, record)
    (there,) = one.fake.named("scan 1")
    assert [item["caption"] for item in there.attachments] == ["view.png", "b.png"]
    assert all(item["thumbnail"].startswith("data:image/png;base64,iVBOR") for item in there.attachments)


def test_a_picture_that_is_too_large_is_not_sent(one: Bench) -> None:
    """Trap: SciCat does not look at a thumbnail's size, and lists carry it whole."""
    notebook = one.deliver(one.adapter(thumbnail=50), one.record())
    assert one.fake.named("scan 1")[0].attachments == []
    assert notebook.outcomes[StepKind.THUMBNAIL, "view.png"]["how"] == "left out"


def test_v3_never_changes_or_deletes_an_attachment(one: Bench) -> None:
    """Trap: v3 ignores the attachment's id and hits another one; a new picture replaces ours by v4, where we may."""
    catalog, record = one.adapter(), one.record()
    notebook = one.deliver(catalog, record)
    other = replace(record, thumbnails=(thumbnail("view.png", picture(99)),), revision=2)
    one.deliver(catalog, other, notebook)
    assert not [seen for seen in one.fake.seen if seen.method in {"PUT", "DELETE"}]
    (there,) = one.fake.named("scan 1")
    assert len(there.attachments) == 1
    assert (there.attachments[0]["thumbnail"] == one.fake.asked("POST", "attachments")[0].json()["thumbnail"]) == (
        one.fake.generation == "4"
    )


# 1.7 Errors


def test_v3s_rules_are_read_twice() -> None:
    """Trap: v3's message is JSON inside of JSON."""
    rules = [{"property": "owner", "children": [], "constraints": {"isString": "owner must be a string"}}]
    body = json.dumps({"status": 400, "message": json.dumps(rules)}).encode()
    assert said(Answer("scicat", "POST /x", 400, {}, body)) == "owner must be a string"


def test_a_500_that_created_the_dataset_makes_no_second_one(one: Bench) -> None:
    """Trap: 5.2 answers 500 to a null and keeps the dataset; the record is looked up before anything else."""
    refuse_once(
        one, "POST", "/api/v4/datasets$", Reply(500, {"message": "Something went wrong", "statusCode": 500}), after=True
    )
    one.deliver(one.adapter(), one.record())
    assert len(one.fake.datasets) == 1


def test_a_500_is_not_tried_for_ever(one: Bench) -> None:
    """Trap: a 500 is often permanent; from a server that is well it is tried a few times, then a person has to look."""
    one.fake.refuse = lambda seen: (
        Reply(500, "Internal server error")
        if re.search("origdatablocks$", seen.path) and seen.method == "POST"
        else None
    )
    with pytest.raises(CatalogRefused, match=r"Internal server error.*5 times"):
        one.deliver(one.adapter(), one.record(), tries=5)


def test_a_500_of_a_server_that_is_not_well_is_waited_for(one: Bench) -> None:
    """A database that is away is no fault of the dataset."""
    one.fake.well = False
    one.fake.refuse = lambda seen: (
        Reply(500, "Internal server error") if seen.method == "POST" and "datasets" in seen.path else None
    )
    with pytest.raises(CatalogUnavailable):
        one.deliver(one.adapter(), one.record(), tries=9)


def test_what_may_still_be_under_way_is_looked_up_later(one: Bench) -> None:
    """A request that timed out may end in the server after we looked: the next look comes seconds later."""
    refuse_once(one, "POST", "/api/v4/datasets$", Reply(504, b"", {"Content-Type": "text/html"}))
    with pytest.raises(CatalogUnavailable) as error:
        one.deliver(one.adapter(), one.record())
    assert (error.value.retry_after or 0) >= 5


def test_a_record_that_no_request_can_carry_is_refused_first(one: Bench) -> None:
    """Trap: a body over 16 MB is a 500 of one bare text, which looks like trouble that passes."""
    with pytest.raises(CatalogRefused, match="scientificMetadata: is larger than the 15 MB"):
        one.deliver(one.adapter(), one.record(scientific_metadata={"log": "x" * 15_000_000}))
    assert one.fake.seen == []


def test_a_dataset_without_files_has_no_list(one: Bench) -> None:
    """Trap: an empty list of files is a 400; a session's dataset has none at all."""
    one.deliver(one.adapter(), one.record(files=0))
    (there,) = one.fake.named("scan 1")
    assert (there.blocks, there.record["numberOfFiles"], len(there.attachments)) == ([], 0, 1)


@pytest.mark.parametrize(("said", "sent"), [("RAW", "raw"), ("processed", "derived"), ("calibration", "calibration")])
def test_a_dataset_s_type_is_raw_derived_or_the_facility_s(one: Bench, said: str, sent: str) -> None:
    """Trap: v4 takes any word for the type, and RAW is another one than raw."""
    one.deliver(one.adapter(dataset={"type": "{data_type}"}), one.record(attributes={"data_type": said}))
    assert first_body(one)["type"] == sent


# 2 What the existing tools do


def test_an_empty_list_means_that_nothing_is_there(one: Bench) -> None:
    """Trap: scicat-ingestor takes a 200 with no dataset for "exists", and skips every new file."""
    one.deliver(one.adapter(), one.record())
    assert len(one.fake.datasets) == 1


def test_nothing_is_written_where_the_instrument_writes(one: Bench) -> None:
    """Trap: an ingestor that logs into the data folder sees its own file next."""
    record = one.record()
    before = sorted(path.name for path in one.folder.rglob("*"))
    one.deliver(one.adapter(), record)
    assert sorted(path.name for path in one.folder.rglob("*")) == before


def test_a_dataset_is_found_again_by_the_recorded_filter() -> None:
    """The look-up is the one that was recorded, word for word."""
    wanted = [row["params"]["filter"] for row in recorded() if row["label"] == "find by ingest key"]
    ours = {"where": {"scientificMetadata.ingest_key.value": "3f2a9c"}, "limits": {"limit": 2}, "fields": ["pid"]}
    assert [json.loads(text) for text in wanted] == [ours, ours]


def test_the_adapter_can_be_read(one: Bench) -> None:
    """Verify and rebuild can ask it."""
    assert isinstance(one.adapter(), Readable)
