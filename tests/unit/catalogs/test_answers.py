"""What every kind of answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.catalogs.answers import LONGEST_WAIT, Answer, error_of, retry_after, said
from daemon.errors import CatalogError, CatalogRefused, CatalogUnavailable, CredentialsRefused

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def answer(status: int, body: Any = b"", kind: str = "application/json", request: str = "POST /datasets") -> Answer:
    """An answer with a JSON or a raw body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer("crucible", request, status, {"content-type": kind}, content)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, CatalogUnavailable) for status in (408, 425, 429, 500, 501, 502, 503, 504, 507, 511, 599)),
        *((status, CatalogUnavailable) for status in (301, 302, 303, 304, 307, 308, 407)),
        (401, CredentialsRefused),
        *((status, CatalogRefused) for status in (400, 402, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 451)),
    ],
)
def test_a_status_has_one_meaning(status: int, expected: type[CatalogError]) -> None:
    """Each status outside 2xx stands for exactly one of later, key and no."""
    assert type(error_of(answer(status, {"detail": "words"}))) is expected


def test_a_refused_account_is_a_refused_key() -> None:
    """403 on the account itself concerns the key and not a dataset."""
    assert isinstance(error_of(answer(403, {"detail": "no"}, request="GET /account/verify")), CredentialsRefused)


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_page_is_no_refusal(status: int) -> None:
    """A proxy's or another server's HTML page is never taken for the catalog's no."""
    assert isinstance(error_of(answer(status, b"<html>", "text/html")), CatalogUnavailable)


@pytest.mark.parametrize("body", [b"<html>", b'{"a":', b"\xff\xfe", b"[" * 100_000, b"NaN and more"])
def test_a_body_that_is_no_json_is_not_believed(body: bytes) -> None:
    """2xx with anything but JSON means that no catalog answered."""
    with pytest.raises(CatalogUnavailable, match="no answer of this catalog"):
        answer(200, body, "text/html").value()


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"null", b'"text"'])
def test_a_value_that_is_no_object_is_not_believed(body: bytes) -> None:
    """2xx with another JSON shape than the one asked for means that no catalog answered."""
    with pytest.raises(CatalogUnavailable):
        answer(200, body).mapping()


def test_lists_come_bare_or_in_an_envelope() -> None:
    """Crucible's lists are JSON lists or paging envelopes."""
    assert answer(200, [1]).items() == answer(200, {"items": [1], "next_cursor": None}).items() == [1]
    with pytest.raises(CatalogUnavailable):
        answer(200, {"detail": "x"}).items()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": "Invalid project."}, "Invalid project"),
        ({"message": "no such"}, "no such"),
        ({"error": "broken\n  twice"}, "broken twice"),
        ({"detail": {"code": "filename_exists", "message": "Filename already exists"}}, "filename_exists: Filename"),
        (
            {"detail": [{"loc": ["body", "timestamp"], "msg": "Input should be a valid datetime", "type": "x"}]},
            "body.timestamp: Input should be a valid datetime",
        ),
        ({"detail": ["a", {"msg": "b"}]}, "a; b"),
        ({"odd": 1}, '{"odd": 1}'),
        (b"<html>", ""),
        ([1], ""),
        ({"detail": "x" * 5000}, "x" * 499 + "…"),
    ],
)
def test_the_catalogs_own_words_are_readable(body: Any, words: str) -> None:
    """Whatever shape a refusal has, its words come out on one line of bounded length."""
    assert said(answer(422, body)).startswith(words)
    assert len(said(answer(422, body))) <= 500


@given(st.binary(max_size=200), st.integers(300, 599))
def test_no_body_makes_an_error_of_the_error(body: bytes, status: int) -> None:
    """Every answer outside 2xx becomes a CatalogError of one line, whatever its bytes are."""
    error = error_of(answer(status, body))
    assert isinstance(error, CatalogError)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("1.5", 1.5),
        ("999999999", LONGEST_WAIT),
        ("-3", None),
        ("soon", None),
        ("", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Saturday, 21-Nov-26 12:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 13:00:10 +0100", 10.0),
        ("Sat, 21 Nov 2099 12:00:00 GMT", LONGEST_WAIT),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, seconds: float | None) -> None:
    """Seconds or an HTTP date, never negative, at most a day, None if it says nothing."""
    assert retry_after(text, NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after_never_fails(text: str) -> None:
    """Any text gives a wait within a day or none."""
    wait = retry_after(text, NOW)
    assert wait is None or 0.0 <= wait <= LONGEST_WAIT
