"""Dataset records, metadata, keywords, thumbnails, links, search over the API."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from daemon.mfid import new_mfid

if TYPE_CHECKING:
    from tests.catalogserver import Server

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")


def test_a_record_comes_back_as_it_was_sent(server: Server) -> None:
    """What a client sends with POST /datasets is what GET shows, with project and instrument registered on the fly."""
    sent = {
        "dataset_name": "XRD run 5 µ",
        "project_id": "MFP12345",
        "instrument_id": "hip-microscope",
        "measurement": "X-ray diffraction",
        "timestamp": "2026-10-20T12:00:00-07:00",
        "session_name": "s",
        "public": False,
    }
    shown = server.ok("GET", f"/datasets/{server.dataset(**sent)}?include_owner=True")
    assert {name: shown[name] for name in sent} == sent
    assert shown["owner"]["unique_id"] == server.ok("GET", "/account")["user_unique_id"]
    found = server.ok("GET", "/projects?project_id=mfp12345&limit=2")
    assert (found["total"], found["items"][0]["unique_id"]) == (1, shown["project"]["unique_id"])


def test_a_taken_id_is_refused_and_changes_nothing(server: Server) -> None:
    """POST /datasets with an id that exists answers 409 with a code, and the record stays."""
    unique_id = server.dataset(dataset_name="first")
    reply = server.ask("POST", "/datasets", {"unique_id": unique_id, "dataset_name": "second"})
    assert (reply.status, reply.json["detail"]["code"]) == (409, "unique_id_exists")
    assert server.ok("GET", f"/datasets/{unique_id}")["dataset_name"] == "first"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"dataset_name": NaN}',
        b'{"dataset_name": 5}',
        b'{"dataset_name": "\\ud800"}',
        b'{"dataset_name": "a\\u0000b"}',
        b'{"unique_id": "ds-abc123"}',
        b'{"colour": "blue"}',
        b'{"public": "perhaps"}',
        b'{"scientific_metadata": []}',
        b'{"project_id": " "}',
        b"[" * 100_000,
        '{"dataset_name": "é"}'.encode("latin-1"),
    ],
)
def test_a_wrong_body_is_422_with_a_reason(server: Server, body: bytes) -> None:
    """A body that is no valid record is answered with 422 and a list of problems, never with 500."""
    reply = server.ask("POST", "/datasets", body)
    assert reply.status == 422
    assert reply.json["detail"]


def test_without_the_token_nothing_is_shown(server: Server) -> None:
    """A missing or wrong token is 401; only the health needs none."""
    for header in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}):
        assert server.ask("GET", "/account", None, header).status == 401
    assert server.ask("GET", "/api/v3/health/live", raw=True).json == {"status": "ok"}


def test_a_foreign_host_name_is_refused(server: Server) -> None:
    """A request under another site's name (DNS rebinding) gets nothing, token or not."""
    assert server.ask("GET", "/account", None, {"Host": "evil.example"}).status == 400


def test_unknown_addresses_answer_in_json(server: Server) -> None:
    """A path or a method that the API does not know is 404 or 405 with a detail."""
    assert server.ask("GET", "/nonsense").json == {"detail": "Not Found"}
    assert server.ask("PUT", "/datasets").status == 405
    assert server.ask("GET", f"/datasets/{new_mfid(time.time_ns())}").status == 404


def test_metadata_merges_deeply_and_replaces_only_on_request(server: Server) -> None:
    """PATCH merges objects key by key, POST is 409 unless overwrite=True."""
    path = f"/resources/{server.dataset()}/metadata"
    assert server.ok("GET", path) is None
    server.ok("PATCH", path, {"a": {"b": 1, "c": 2}, "d": [1]})
    merged = server.ok("PATCH", path, {"a": {"b": 5}, "d": [2], "e": None})
    assert merged["scientific_metadata"] == {"a": {"b": 5, "c": 2}, "d": [2], "e": None}
    assert server.ask("POST", path, {"x": 1}).status == 409
    assert server.ok("POST", f"{path}?overwrite=True", {"x": 1})["scientific_metadata"] == {"x": 1}
    assert server.ok("GET", path)["scientific_metadata"] == {"x": 1}


def test_keywords_and_thumbnails_are_never_doubled(server: Server) -> None:
    """Sending the same keyword or the same picture again leaves one of each."""
    unique_id = server.dataset()
    for _ in range(2):
        assert server.ok("POST", f"/datasets/{unique_id}/keywords?keyword={quote('größe')}")["keyword"] == "größe"
        picture = {"thumbnail_name": "p.png", "thumbnail_b64str": base64.b64encode(PNG).decode()}
        server.ok("POST", f"/datasets/{unique_id}/thumbnails", picture)
    assert [row["keyword"] for row in server.ok("GET", f"/datasets/{unique_id}/keywords")] == ["größe"]
    (stored,) = server.ok("GET", f"/datasets/{unique_id}/thumbnails")
    assert (base64.b64decode(stored["thumbnail_b64str"]), stored["mime_type"]) == (PNG, "image/png")
    renamed = server.ok("PATCH", f"/datasets/{unique_id}/thumbnails/{stored['id']}", {"thumbnail_name": "q"})
    assert renamed["thumbnail_name"] == "q"
    server.ok("DELETE", f"/datasets/{unique_id}/thumbnails/{stored['id']}")
    assert server.ok("GET", f"/datasets/{unique_id}/thumbnails") == []


def test_links_read_from_both_ends(server: Server) -> None:
    """A child link shows as source on the child and as target on the parent, once, and never makes a circle."""
    parent, child = server.dataset(dataset_name="p"), server.dataset(dataset_name="c")
    sample = server.ok("POST", "/samples", {"sample_name": "S1"})["unique_id"]
    for _ in range(2):
        server.ok("POST", f"/datasets/{parent}/children/{child}?relationship_type=is_part_of")
        server.ok("POST", f"/datasets/{child}/samples/{sample}")
    links = server.ok("GET", f"/datasets/{child}?include_links=True")["links"]
    assert [(link["unique_id"], link["direction"], link["relationship_type"]) for link in links] == [
        (parent, "source", "is_part_of"),
        (sample, "undirected", None),
    ]
    assert [link["direction"] for link in server.ok("GET", f"/resources/{parent}/links")] == ["target"]
    assert server.ask("POST", f"/datasets/{child}/children/{parent}").status == 409
    assert [item["unique_id"] for item in server.ok("GET", f"/datasets/{parent}/children")["items"]] == [child]


def test_listing_pages_by_keyset_and_refuses_unknown_filters(server: Server) -> None:
    """Pages follow each other without gap or repetition, newest first; an unknown parameter is 422 extra_forbidden."""
    made = {server.dataset(session_name="paged", measurement=f"m{number % 2}") for number in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = server.ok("GET", f"/datasets?session_name=paged&limit=2&include_total=True{cursor}")
        assert page["total"] == 5
        seen += [item["unique_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={quote(page['next_cursor'])}"
    assert seen == sorted(made, reverse=True)
    reply = server.ask("GET", "/datasets?keywords=gold")
    assert (reply.status, reply.json["detail"][0]["type"]) == (422, "extra_forbidden")
    buckets = server.ok("GET", "/datasets/facets?field=measurement&session_name=paged")["items"]
    assert [(bucket["value"], bucket["count"]) for bucket in buckets] == [("m0", 3), ("m1", 2)]


def test_search_finds_what_was_just_written(server: Server) -> None:
    """Full text covers name, keyword, metadata names and texts at once; query syntax is only text."""
    unique_id = server.dataset(dataset_name="Perovskite film")
    server.ok(
        "PATCH", f"/resources/{unique_id}/metadata", {"laser_power": {"value": 3, "unit": "mW"}, "who": "Ångström"}
    )
    server.ok("POST", f"/datasets/{unique_id}/keywords?keyword=annealed")
    for text in ("perov", "laser_power", "laser power", "angstrom", "ANNEALED film"):
        found = server.ok("GET", f"/datasets/search?q={quote(text)}")["items"]
        assert [item["unique_id"] for item in found] == [unique_id], text
    for text in ('"', "NOT", "film OR", "name:film*", "a AND (", "", "-"):
        assert server.ask("GET", f"/datasets/search?q={quote(text)}").status == 200
    assert server.ok("GET", "/resources/metadata/search?q=angstrom")["items"][0]["unique_id"] == unique_id


def test_a_deletion_request_hides_until_it_is_rejected(server: Server) -> None:
    """A dataset whose deletion is requested is gone from every read, and back when the request is rejected."""
    unique_id = server.dataset(session_name="hidden")
    first = server.ok("POST", f"/resources/{unique_id}/delete?reason=test")
    assert server.ok("POST", f"/resources/{unique_id}/delete")["id"] == first["id"]
    assert server.ask("GET", f"/datasets/{unique_id}").status == 404
    assert server.ok("GET", "/datasets?session_name=hidden")["items"] == []
    assert server.ask("POST", "/datasets", {"unique_id": unique_id}).status == 409
    server.ok("PATCH", f"/deletion_requests/{first['id']}?status=rejected")
    assert server.ok("GET", f"/datasets/{unique_id}")["unique_id"] == unique_id
