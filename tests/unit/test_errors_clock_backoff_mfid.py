"""The pure modules at the bottom: errors, clocks, delays and ids."""

from __future__ import annotations

import base64
import random
import re
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.backoff import BASE_SECONDS, CAP_SECONDS, full_jitter, next_delay
from daemon.clock import ManualClock, SystemClock
from daemon.errors import (
    CatalogError,
    CatalogUnavailable,
    ConfigurationError,
    LabferryError,
    NotFoundError,
    RootError,
    StateError,
)
from daemon.mfid import is_mfid, new_mfid

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def decoded(mfid: str) -> int:
    """The 128 bits of an id, by the rule of PyPI's mfid: Crockford's letters for RFC 4648's, padding put back."""
    text = mfid.translate(str.maketrans(CROCKFORD, RFC4648))
    return int.from_bytes(base64.b32decode(text + "=" * (-len(text) % 8)), "big")


def moment_of(mfid: str) -> tuple[int, int]:
    """The moment of an id, by the rule of PyPI's uuid7 0.1.0: 36 bits of seconds, then 12 and 12 bits of their fraction."""
    bits = decoded(mfid)
    return bits >> 92, (bits >> 80 & 0xFFF) << 12 | (bits >> 64 & 0xFFF)


@given(st.integers(0, 2**36 * 10**9 - 1))
def test_an_id_tells_its_moment(nanoseconds: int) -> None:
    """The seconds come back whole, their fraction to 60 ns, with the version and variant that the layout wants."""
    mfid = new_mfid(nanoseconds)
    bits = decoded(mfid)
    seconds, fraction = divmod(nanoseconds, 10**9)
    assert moment_of(mfid) == (seconds, (fraction << 24) // 10**9)
    assert bits >> 76 & 0xF == 7
    assert bits >> 62 & 0b11 == 0b10
    assert re.fullmatch(f"[{CROCKFORD}]{{26}}", mfid)
    assert is_mfid(mfid)


@given(st.lists(st.integers(0, 2**36 * 10**9 - 1), min_size=2, max_size=8))
def test_ids_sort_by_time(moments: list[int]) -> None:
    """Text order is time order, to a 2**24th of a second."""
    ids = [(moment << 24) // 10**9 for moment in moments]
    pairs = sorted(zip(ids, (new_mfid(moment) for moment in moments), strict=True), key=lambda pair: pair[1])
    assert [tick for tick, _ in pairs] == sorted(ids)


def test_two_ids_of_one_moment_differ() -> None:
    """62 bits of every id are chance."""
    assert len({new_mfid(5) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "0" * 25 + "1",
        "I" + "0" * 25,
        "l" + "0" * 25,
        "u" + "0" * 25,
        "0" * 26 + "\n",
        "\uff10" * 26,
    ],
)
def test_what_is_no_id(text: str) -> None:
    """Another length, other letters, an ending that no 128 bits have, a newline: all refused."""
    assert not is_mfid(text)


@given(st.binary(min_size=16, max_size=16))
def test_every_128_bits_are_an_id(content: bytes) -> None:
    """Ids that other programs made are accepted."""
    text = base64.b32encode(content).decode().rstrip("=").translate(str.maketrans(RFC4648, CROCKFORD))
    assert is_mfid(text)


@given(st.integers(0, 10_000), st.integers())
def test_a_delay_lies_within_its_bounds(attempt: int, seed: int) -> None:
    """Full jitter: anything from nothing to the doubled limit, never more than the cap."""
    delay = full_jitter(attempt, random.Random(seed))
    assert 0.0 <= delay <= min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(attempt, 32))


@given(st.integers(0, 40), st.floats(0, 10_000), st.integers())
def test_a_catalogs_own_delay_is_kept(attempt: int, retry_after: float, seed: int) -> None:
    """Never earlier than it asked for, and at most a second later."""
    assert retry_after <= next_delay(attempt, random.Random(seed), retry_after) <= retry_after + BASE_SECONDS


def test_a_negative_retry_after_is_none() -> None:
    """A clock behind ours must not bring us into the past."""
    assert 0.0 <= next_delay(3, random.Random(1), -50.0) <= BASE_SECONDS


def test_delays_spread_over_their_interval() -> None:
    """A fleet that lost the same catalog does not come back in step."""
    chance = random.Random(1)
    delays = [full_jitter(6, chance) for _ in range(1000)]
    assert sum(delay < 16 for delay in delays) > 150
    assert sum(delay > 48 for delay in delays) > 150


def test_a_manual_clock_moves_only_when_told() -> None:
    """Waiting for an event jumps to the end of the wait; one that is set costs no time."""
    clock, event = ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), threading.Event()
    assert clock.wait(event, 90.0) is False
    assert (clock.monotonic(), clock.now()) == (90.0, datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC))
    event.set()
    assert clock.wait(event, 90.0) is True
    assert clock.wait(event, None) is True
    assert clock.monotonic() == 90.0


def test_the_real_clock_is_aware_and_goes_on() -> None:
    """Wall time has its zone; the monotonic one never goes back; a wait ends with its event."""
    clock, event = SystemClock(), threading.Event()
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    assert clock.wait(event, 0.0) is False
    event.set()
    assert clock.wait(event, 30.0) is True
    assert before <= clock.monotonic() < before + 20


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LabferryError("m"), 1), (ConfigurationError(["p"]), 78), (StateError("m"), 75), (RootError("m"), 1),
        (NotFoundError("m"), 1), (CatalogError("m"), 1), (CatalogUnavailable("m"), 75),
    ],
)  # fmt: skip
def test_errors_know_their_exit_code(error: LabferryError, code: int) -> None:
    """Scripts depend on it."""
    assert error.exit_code == code


def test_an_error_says_what_is_wrong_and_what_to_do() -> None:
    """Both sentences in one line; a configuration's problems one for each line."""
    assert str(LabferryError("It is broken.", "Mend it.")) == "It is broken. Mend it."
    assert str(LabferryError("It is broken.")) == "It is broken."
    assert str(ConfigurationError(["a.yaml:1:2: one", "a.yaml:3:4: two"], "See the README.")).splitlines() == [
        "a.yaml:1:2: one", "a.yaml:3:4: two", "See the README.",
    ]  # fmt: skip
    assert CatalogUnavailable("busy", retry_after=3.0).retry_after == 3.0
